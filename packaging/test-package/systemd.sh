# This course runs in a container with systemd as its first process.

soon() {
    what=$1
    shift
    for _ in $(seq 200); do
        if "$@" >/dev/null 2>&1; then
            ok "$what"
            return
        fi
        sleep 0.1
    done
    systemctl status --no-pager "*driver@u*" || true
    journalctl --no-pager -n 50
    fail "$what"
}
unit_pid() { systemctl show -P MainPID "$1"; }
is_new() { [ "$(unit_pid "$1")" != "$2" ] && [ "$(unit_pid "$1")" != 0 ]; }
status_is() { [ "$(systemctl show -P StatusText qxups-driver@u)" = "$1" ]; }
upsc_says() { [ "$(upsc u@127.0.0.1 "$1" 2>/dev/null)" = "$2" ]; }
nut_works() { upsc u@127.0.0.1 driver.version 2>/dev/null | grep -q '^2\.'; }
knob() {
    perl -MIO::Socket::UNIX -e '$s = IO::Socket::UNIX->new("/run/ups0.control"); print $s "$ARGV[0]\n"; $s->flush; print scalar <$s>' "$1"
}
said() {
    perl -MIO::Socket::UNIX -e '$s = IO::Socket::UNIX->new("/run/ups0.control"); print $s "$ARGV[0]\n"; $s->flush; while (<$s>) { last if /^ok$/; print }' "$1"
}

install nut-server nut-client
/packages/simulator sim --link /run/ups0 --control /run/ups0.control >/dev/null &
soon "a UPS is there" test -e /run/ups0
chmod 666 "$(readlink -f /run/ups0)"
configured nutdrv_qx
sed -i 's|^ *port = .*|port = /run/ups0\nprotocol = megatec\nnovendor\nnorating|' /etc/nut/ups.conf
systemctl restart nut-driver-enumerator
systemctl start nut-driver@u nut-server
soon "NUT's own driver works" nut_works
before=$(unit_pid nut-driver@u)

install /packages/qxups.deb
soon "an installation restarts the driver" is_new nut-driver@u "$before"
soon "it is ours now" upsc_says driver.version "${VERSION%-*}"

mkdir /etc/systemd/system/qxups-driver@.service.d
printf '[Service]\nWatchdogSec=3\nRestartSec=1\n' >/etc/systemd/system/qxups-driver@.service.d/hurry.conf
systemctl mask --now nut-driver@u
systemctl enable --now qxups-driver@u
soon "the unit says how it goes" status_is "on mains (OL)"
[ "$(ps -o user= -p "$(unit_pid qxups-driver@u)" 2>/dev/null || stat -c %U "/proc/$(unit_pid qxups-driver@u)")" = nut ] || fail "not the user nut"
soon "upsd has its data" upsc_says ups.status OL
knob 'mains fail'
soon "the unit tells of an outage" status_is "on battery (OB)"
journalctl -u qxups-driver@u -p warning | grep -q 'on battery (OB); Q1: (' || fail "the outage is no warning in the journal"
before=$(unit_pid qxups-driver@u)
systemctl reload qxups-driver@u
systemctl is-active qxups-driver@u
knob 'silent on'
soon "silence is told" status_is "the UPS does not answer; it was on battery (OB)"
sleep 4
[ "$(unit_pid qxups-driver@u)" = "$before" ] || fail "the watchdog took a silent UPS for a dead driver"
knob 'silent off'
kill -STOP "$before"
soon "a driver that hangs is restarted" is_new qxups-driver@u "$before"
soon "and works" status_is "on battery (OB)"

# the end of a shutdown: the flag is what counts
hook=/usr/lib/systemd/system-shutdown/qxups
flag=/run/nut/qxups-powerdown
$hook poweroff || fail "the hook minds that there is no flag"
said 'state' | grep -q 'countdown None' || fail "the hook acts without a flag"
printf 'qxups-powerdown 1\nboot %s\nups u\nend\n' "$(cat /proc/sys/kernel/random/boot_id)" >$flag
$hook kexec || fail "the hook minds a kexec"
said 'state' | grep -q 'countdown None' || fail "an order was sent for nothing"
$hook poweroff || fail "the hook did not switch the load off"
rm $flag
said 'state' | grep -q 'countdown Some' || fail "the load stays on"
said 'countdown off'
ok "the hook of systemd switches a load off by its flag alone"
systemctl restart qxups-driver@u
soon "the driver works again" status_is "on battery (OB)"

before=$(unit_pid qxups-driver@u)
install /packages/qxups-higher.deb
soon "an upgrade restarts it" is_new qxups-driver@u "$before"
soon "and it works" status_is "on battery (OB)"
apt-get remove -qy qxups
[ ! -e "/proc/$(unit_pid qxups-driver@u)/comm" ] || fail "it runs after its removal"
systemctl unmask nut-driver@u
systemctl start nut-driver@u
soon "NUT's own driver works again" nut_works
install /packages/qxups.deb
soon "and ours" upsc_says driver.version "${VERSION%-*}"
apt-get remove -qy qxups
soon "and, restarted by the removal, NUT's own" nut_works
apt-get purge -qy qxups
rm -r /etc/systemd/system/nut-driver@u.service.d
nothing_is_left
