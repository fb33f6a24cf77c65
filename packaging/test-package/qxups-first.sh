install /packages/qxups.deb
qxups --version
everything_is qxups "it works without nut-server"
install nut-server nut-client
everything_is qxups "nut-server comes later and leaves ours in place"
[ -x /lib/nut/nutdrv_qx.nut ] || [ -x /lib/nut/nutdrv_qx.nut-usr ] || fail "NUT's driver was not put aside"
apt-get remove -qy nut-server
everything_is qxups "nut-server goes and leaves ours in place"
apt-get purge -qy qxups
[ ! -e /lib/nut/nutdrv_qx ] || fail "a driver is left"
install nut-server
everything_is nut "without qxups NUT's own is installed as ever"
nothing_is_left
