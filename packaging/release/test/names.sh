# Names that the C library looks up, which a static one does by itself: users, groups, hosts by file and by DNS.
# shellcheck shell=bash

usr=$work/amd64/usr
mkdir -p "$work/names/etc" "$work/names/state"
cat >"$work/names/course" <<'END'
set -eu
qxups=$1/bin/qxups names=$2
ip link set lo up
mount --bind "$names/passwd" /etc/passwd
mount --bind "$names/group" /etc/group
mount --bind "$names/hosts" /etc/hosts
mount --bind "$names/resolv.conf" /etc/resolv.conf
mount --bind "$names/nsswitch.conf" /etc/nsswitch.conf
export NUT_STATEPATH=$names/state NUT_ALTPIDPATH=$names/state QXUPS_VARPATH=$names/state
chown 4711:4712 "$names/state"
"$qxups" serve -u release-test "$names/etc" >"$names/serve.log" 2>&1 &
server=$!
for _ in $(seq 300); do upsc u@127.0.0.1:3493 ups.status >/dev/null 2>&1 && break; sleep 0.2; done
[ "$(upsc u@127.0.0.1:3493 ups.status 2>/dev/null)" = OL ]
[ "$(awk '/^Uid:/ { print $2 } /^Gid:/ { print $2 }' /proc/$server/status | xargs)" = "4711 4712" ]
awk '/^Groups:/' /proc/$server/status | grep -qw 4713
echo "ok: a user, the group and a further group of /etc/passwd and /etc/group"
"$qxups" list @host-by-file:3493 | grep -qw u
echo "ok: a host of /etc/hosts"
dnsmasq --keep-in-foreground --port=53 --listen-address=127.0.0.1 --bind-interfaces --no-resolv --no-hosts \
    --user=root --conf-file=/dev/null --pid-file= --address=/host-by-dns.example/127.0.0.1 &
dns=$!
for _ in $(seq 50); do "$qxups" list @host-by-dns.example:3493 2>/dev/null | grep -qw u && found=yes && break; sleep 0.2; done
[ "${found:-}" = yes ]
if "$qxups" list @no-such-host.example:3493 >/dev/null 2>&1; then exit 1; fi
echo "ok: a host of a DNS server, and none that it does not have"
kill $dns $server
wait $server || true
# modules of another C library, as this system's nsswitch.conf may name them
printf 'passwd: files compat systemd nosuchmodule\ngroup: files compat systemd nosuchmodule\nhosts: files\n' >/etc/nsswitch.conf
if "$qxups" serve -u no-such-user "$names/etc" >"$names/unknown.log" 2>&1; then exit 1; else outcome=$?; fi
[ $outcome = 1 ]
grep -q "there is no user 'no-such-user'" "$names/unknown.log"
echo "ok: a user that no module of nsswitch.conf has is refused in a sentence"
END
cat >"$work/names/etc/ups.conf" <<'END'
[u]
    driver = qxups-sim
    port = none
END
{ cat /etc/passwd && echo "release-test:x:4711:4712::/:/bin/false"; } >"$work/names/passwd"
{ cat /etc/group && echo "release-test:x:4712:" && echo "release-further:x:4713:release-test"; } >"$work/names/group"
printf '127.0.0.1 localhost host-by-file\n' >"$work/names/hosts"
printf 'nameserver 127.0.0.1\n' >"$work/names/resolv.conf"
printf 'passwd: files\ngroup: files\nhosts: files dns\n' >"$work/names/nsswitch.conf"
unshare --mount --net --pid --fork --mount-proc --kill-child bash "$work/names/course" "$usr" "$work/names" || {
    tail "$work"/names/*.log
    fail "names"
}
