# What is somebody's own stays somebody's own: drivers that were built into NUT's folder, diversions of the
# administrator, the folder itself.
install /packages/qxups.deb >/dev/null && apt-get purge -qy qxups >/dev/null # what it depends on

# everything that is there, with what is in it
state() {
    find /lib/nut /usr/share/man/man8 -name '*nutdrv*' -o -name '*blazer*' -o -path '/lib/nut*' 2>/dev/null | sort | while read -r file; do
        printf '%s %s\n' "$(ls -ld --time-style=+ "$file")" "$([ ! -f "$file" ] || sha256sum <"$file")"
    done
    dpkg-divert --list
}
unchanged() { state | diff "$1" - || fail "$2"; }
status_of() { dpkg-query -Wf '${db:Status-Status}' qxups 2>/dev/null || echo not-installed; }
a_driver() {
    mkdir -p "${1%/*}"
    printf '#!/bin/sh\necho "Network UPS Tools, of one'"'"'s own"\n' >"$1"
    chmod +x "$1"
}

a_driver /lib/nut/nutdrv_qx
ln -s /opt/not/there /lib/nut/blazer_ser # a link to nothing is somebody's as well
mkdir -p /usr/share/man/man8
echo own | gzip >/usr/share/man/man8/nutdrv_qx.8.gz
state >/tmp/own
install /packages/qxups.deb
[ "$(whose nutdrv_qx)" = qxups ] && [ "$(whose blazer_ser)" = qxups ] || fail "ours is not in place"
[ "$(/lib/nut/nutdrv_qx.nut)" = "Network UPS Tools, of one's own" ] || fail "a driver that somebody built is lost"
install /packages/qxups-higher.deb
apt-get purge -qy qxups
unchanged /tmp/own "drivers that somebody built did not come back"
nothing_is_left_of_ours
ok "drivers that somebody built are put aside and come back"

install /packages/qxups.deb
install nut-server
everything_is qxups "nut-server comes after somebody's own driver"
apt-get purge -qy qxups
everything_is nut "and has its place, as without qxups"
apt-get purge -qy nut-server nut-client
rm -rf /lib/nut /usr/share/man/man8/nutdrv_qx.8.gz

mkdir /lib/nut
state >/tmp/own
install /packages/qxups.deb
apt-get purge -qy qxups
unchanged /tmp/own "a folder that was there is gone"
rmdir /lib/nut
install /packages/qxups.deb
apt-get purge -qy qxups
[ ! -e /lib/nut ] || fail "the folder that we made is left"
ok "the folder stays when it was there, and goes when it was not"

# what stands in the way is told, all of it, before anything is changed
refused() {
    state >/tmp/own
    if install "$1" >/tmp/refused 2>&1; then fail "it was installed: $2"; fi
    grep -qF "$2" /tmp/refused || fail "it does not say '$2': $(cat /tmp/refused)"
    unchanged /tmp/own "a refused installation changed something: $2"
    [ "$(status_of)" = not-installed ] || fail "it is $(status_of) after it was refused: $2"
    dpkg --configure -a || fail "dpkg has something to configure: $2"
}
for with in nothing nut-server; do
    [ $with = nothing ] || install nut-server nut-client
    for place in /lib/nut/nutdrv_qx /usr/lib/nut/blazer_usb /usr/share/man/man8/blazer_ser.8.gz; do
        dpkg-divert --quiet --local --rename --divert "$place.distrib" --add "$place"
        a_driver "$place"
        refused /packages/qxups.deb "$place is diverted by the administrator already; undo that first: dpkg-divert --remove $place"
        rm "$place"
        dpkg-divert --quiet --local --rename --remove "$place"
    done
    a_driver /lib/nut/blazer_ser.nut
    refused /packages/qxups.deb "/lib/nut/blazer_ser.nut is there already"
    dpkg-divert --quiet --package somebody --no-rename --divert /lib/nut/nutdrv_qx.x --add /lib/nut/nutdrv_qx
    refused /packages/qxups.deb "/lib/nut/nutdrv_qx is diverted by the package somebody already"
    grep -qF "/lib/nut/blazer_ser.nut is there already" /tmp/refused || fail "only one of two is told"
    dpkg-divert --quiet --package somebody --no-rename --remove /lib/nut/nutdrv_qx
    rm /lib/nut/blazer_ser.nut
    rmdir --ignore-fail-on-non-empty /lib/nut
    install /packages/qxups.deb
    everything_is qxups "when it is mended, it is installed (beside $with)"
    [ $with = nut-server ] || apt-get purge -qy qxups
done

# what changes while it is installed: a diversion that is undone, a link that gives way to somebody's own driver
dpkg-divert --quiet --package qxups --no-rename --remove /lib/nut/blazer_usb
dpkg-divert --quiet --local --no-rename --divert /lib/nut/blazer_usb.mine --add /lib/nut/blazer_usb
if install /packages/qxups-higher.deb >/tmp/refused 2>&1; then fail "upgraded over somebody's diversion"; fi
[ "$(status_of)" = installed ] && [ "$(whose nutdrv_qx)" = qxups ] || fail "an upgrade that was refused broke what works"
rm /lib/nut/nutdrv_qx
a_driver /lib/nut/nutdrv_qx
cp -a /lib/nut/nutdrv_qx /tmp/mine
dpkg-divert --quiet --local --no-rename --remove /lib/nut/blazer_usb
install /packages/qxups-higher.deb
cmp /lib/nut/nutdrv_qx /tmp/mine || fail "an upgrade took somebody's driver away"
dpkg-divert --quiet --package qxups --no-rename --remove /lib/nut/blazer_usb
dpkg-divert --quiet --local --no-rename --divert /lib/nut/blazer_usb.mine --add /lib/nut/blazer_usb
apt-get purge -qy qxups >/tmp/purged 2>&1 || fail "it cannot be removed: $(cat /tmp/purged)"
cmp /lib/nut/nutdrv_qx /tmp/mine || fail "the removal took somebody's driver away"
grep -q "/lib/nut/nutdrv_qx is not ours, and stays" /tmp/purged || fail "it does not say what stays: $(cat /tmp/purged)"
[ "$(dpkg-divert --listpackage /lib/nut/blazer_usb)" = LOCAL ] || fail "somebody's diversion is gone"
dpkg-divert --quiet --local --no-rename --remove /lib/nut/blazer_usb
nothing_is_left_of_ours
[ "$(whose blazer_ser)" = nut ] || fail "one that could not be undone kept others from it"
ok "only what is ours is undone, each by itself"
