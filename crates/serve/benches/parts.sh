#!/bin/bash
# What each part of 'qxups serve' takes: one simulated UPS (which counts for the server as well), each part by itself, then all.
#
#     cargo build --release -p qxups && crates/serve/benches/parts.sh [target/release/qxups]
#
# mosquitto, snmpd and the tools of net-snmp are there, as in crates/serve/tests/judges/install.sh.
# Prints a table of kB: resident, of it the server's own (heap, stacks) and of files (the program), and the most it ever was.
set -eu
qxups=$(realpath "${1:-target/release/qxups}")
folder=$(mktemp -d)
trap 'kill ${server:-} ${broker:-} ${master:-} 2>/dev/null || true; wait; rm -rf "$folder"' EXIT
port=$((30000 + $$ % 20000)) http=$((30001 + $$ % 20000))
page="http://127.0.0.1:$http"
web="[web]
listen = [\"127.0.0.1:$http\"]"
history='[history]
enabled = true'
mqtt_port=$((port + 2)) snmp_port=$((port + 3)) snmpd_port=$((port + 4))
mqtt="[mqtt]
server = \"127.0.0.1:$mqtt_port\"
discovery = \"homeassistant\""
snmp="[snmp]
community = \"public\"
allow = [\"127.0.0.1\"]"
agents="[snmp.agents]
rack = \"127.0.0.1:$snmp_port\""
agentx="[snmp.agentx]
master = \"$folder/master\""
notify='[outputs.log]
kind = "exec"
command = ["/bin/true"]
[[notify]]
when = "on battery"
to = ["log"]
[[notify]]
when = "lost"
to = ["log"]'

printf '[rack]\ndriver = qxups-sim\n' >"$folder/ups.conf"
hash=$(echo 'a+good+password' | "$qxups" passwd)
printf '[admin]\n%s\nactions = SET\ninstcmds = ALL\n' "$hash" >"$folder/upsd.users"
chmod 640 "$folder/upsd.users"

# name, qxups.toml, what a client does meanwhile
measure() {
    printf '%s\n' "$2" >"$folder/qxups.toml"
    mkdir "$folder/state"
    user=$([ "$(id -u)" = 0 ] && echo "-u root" || true)
    # shellcheck disable=SC2086
    NUT_STATEPATH=$folder/state QXUPS_VARPATH=$folder/state "$qxups" serve $user -l "127.0.0.1:$port" "$folder" 2>"$folder/log" &
    server=$!
    sleep 5
    # shellcheck disable=SC2086
    $3
    # a minute of the history is written meanwhile, and what was freed is given back
    sleep 70
    row() { sed -n "s/^$1:[[:space:]]*\([0-9]*\) kB/\1/p" "/proc/$server/status"; }
    echo "| $1 | $(row VmRSS) | $(row RssAnon) | $(row RssFile) | $(row VmHWM) |"
    kill "$server"
    wait "$server" || true
    rm -rf "$folder/state"
}

nothing() { :; }
looks() {
    for path in / /ups/rack /ups/rack/history /ups/rack/outages /ups/rack/battery /api/v1/ups/rack; do
        curl -sS --compressed -o /dev/null "$page$path"
    done
}
scrapes() { for _ in $(seq 60); do curl -sS --compressed -o /dev/null "$page/metrics"; done; }
logs_in() {
    token=$(curl -sS -c "$folder/jar" "$page/login" | sed -n 's/.*name="token" value="\([^"]*\)".*/\1/p' | head -1)
    curl -sS -o /dev/null -b "$folder/jar" -c "$folder/jar" -H "Origin: $page" \
        -d "token=$token" -d name=admin -d password=a%2Bgood%2Bpassword "$page/login"
    curl -sS -b "$folder/jar" "$page/ups/rack" | grep -q "Logged in as" || echo "the login failed" >&2
}
walks() { for _ in $(seq 20); do snmpbulkwalk -v2c -c public -m '' -On "127.0.0.1:$snmp_port" 1.3.6.1.2.1.33 >"$folder/walk"; done; }
walks_behind() { for _ in $(seq 20); do snmpbulkwalk -v3 -l authPriv -u ups -a SHA -A authpass12 -x AES -X privpass12 -n rack \
    -m '' -On "127.0.0.1:$snmpd_port" .1.3.6.1.2.1.33 >"$folder/walk"; done; }
outputs() { walks; walks_behind; }
all() { outputs; looks; scrapes; logs_in; looks; }

printf 'listener %s 127.0.0.1\nallow_anonymous true\n' "$mqtt_port" >"$folder/mosquitto.conf"
mosquitto -c "$folder/mosquitto.conf" 2>"$folder/broker" &
broker=$!
printf 'master agentx\nagentXSocket %s/master\ncreateUser ups SHA authpass12 AES privpass12\nrouser ups priv .1 *\n' "$folder" \
    >"$folder/snmpd.conf"
MIBS='' SNMP_PERSISTENT_DIR=$folder/snmp snmpd -f -Lf "$folder/snmpd" -m '' -C -c "$folder/snmpd.conf" "udp:127.0.0.1:$snmpd_port" &
master=$!
export SNMP_PERSISTENT_DIR="$folder/tools"

echo '| part | resident | own | of files | at most |'
echo '|---|---|---|---|---|'
measure "nothing" "" nothing
measure "history" "$history" nothing
measure "page, looked at" "$web" looks
measure "page, metrics scraped 60 times" "$web" scrapes
measure "page, a user logged in (hashed password)" "$web" logs_in
measure "MQTT" "$mqtt" nothing
measure "SNMP, walked 20 times" "$snmp
$agents" walks
measure "behind snmpd, walked 20 times" "$agentx" walks_behind
measure "notifications" "$notify" nothing
measure "MQTT, SNMP, snmpd and notifications" "$mqtt
$snmp
$agents
$agentx
$notify" outputs
measure "all of it" "$web
$history
$mqtt
$snmp
$agents
$agentx
$notify" all
