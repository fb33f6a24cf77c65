#!/bin/bash
# What each part of 'qxups serve' takes: one simulated UPS (which counts for the server as well), each part by itself, then all.
#
#     cargo build --release -p qxups && crates/serve/benches/parts.sh [target/release/qxups]
#
# Prints a table of kB: resident, of it the server's own (heap, stacks) and of files (the program), and the most it ever was.
set -eu
qxups=$(realpath "${1:-target/release/qxups}")
folder=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$folder"' EXIT
port=$((30000 + $$ % 20000)) http=$((30001 + $$ % 20000))
page="http://127.0.0.1:$http"
web="[web]
listen = [\"127.0.0.1:$http\"]"
history='[history]
enabled = true'

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
all() { looks; scrapes; logs_in; looks; }

echo '| part | resident | own | of files | at most |'
echo '|---|---|---|---|---|'
measure "nothing" "" nothing
measure "history" "$history" nothing
measure "page, looked at" "$web" looks
measure "page, metrics scraped 60 times" "$web" scrapes
measure "page, a user logged in (hashed password)" "$web" logs_in
measure "all of it" "$web
$history" all
