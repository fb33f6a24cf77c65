install nut-server nut-client
fingerprint >/tmp/before
[ "$(whose nutdrv_qx)" = nut ] || fail "this is no NUT"

install /packages/qxups.deb
everything_is qxups "an installation puts ours in place"
install --reinstall /packages/qxups.deb
/var/lib/dpkg/info/qxups.postinst configure "$VERSION"
everything_is qxups "again changes nothing"

a_ups
for driver in $(ours); do
    [ "$driver" != blazer_usb ] || continue
    configured "$driver"
    upsdrvctl start
    pid=$(cat /run/nut/"$driver"-u.pid)
    [ "$(stat -c %U "/proc/$pid")" = nut ] || fail "the driver runs as $(stat -c %U "/proc/$pid")"
    upsd
    has ups.status OL
    has driver.name "$driver"
    has driver.version "${VERSION%-*}"
    upsd -c stop
    upsdrvctl stop
    sleep 1
done

# late in a shutdown upsdrvctl has the UPS switch off, through the same link
configured nutdrv_qx
upsdrvctl start
/var/lib/dpkg/info/qxups.postinst configure "$VERSION" | grep -q "upsdrvctl stop u; upsdrvctl start u" || fail "it does not say how to restart"
upsdrvctl shutdown
ok "the load goes off"

install --reinstall nut-server
everything_is qxups "nut-server may be installed again"
install /packages/qxups-higher.deb
[ "$(dpkg-query -Wf '${Version}' qxups)" = 99.0-1 ]
everything_is qxups "an upgrade keeps ours in place"

# a removal that fails half-way is taken back by dpkg
/var/lib/dpkg/info/qxups.postrm remove
/var/lib/dpkg/info/qxups.postrm remove
everything_is nut "nut's own is back, also when the script runs twice"
/var/lib/dpkg/info/qxups.postinst abort-remove
everything_is qxups "and ours again after a removal that was broken off"

apt-get remove -qy qxups
everything_is nut "a removal gives NUT's own back"
apt-get purge -qy qxups
fingerprint >/tmp/after
diff /tmp/before /tmp/after || fail "something of nut-server changed"
ok "nut-server is as it was"
nothing_is_left
