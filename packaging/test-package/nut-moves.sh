# Between Debian 12 and 13 nut-server's drivers move from /lib to /usr/lib, which is the same folder. What
# dpkg makes of that with a diversion in between is tried with a nut-server of our own.
cd /tmp
dpkg-deb -R "$(ls /var/cache/apt/archives/nut-server_*.deb)" moved
sed -i 's/^Version: .*/Version: 98.0/' moved/DEBIAN/control
if [ -d moved/lib/nut ]; then
    mkdir -p moved/usr/lib
    mv moved/lib/nut moved/usr/lib/
fi
dpkg-deb -b moved nut-server-98.deb
sed -i 's/^Version: .*/Version: 99.0/' moved/DEBIAN/control
dpkg-deb -b moved nut-server-99.deb

install nut-server nut-client
install /packages/qxups.deb
dpkg --force-depends -i nut-server-98.deb
everything_is qxups "nut-server moved while ours was in place"
dpkg -P qxups
everything_is nut "it comes back where it is now"
[ -z "$(dpkg -V nut-server | grep -v ' c ')" ] || fail "something of nut-server is lost: $(dpkg -V nut-server)"

dpkg -i /packages/qxups.deb
everything_is qxups "ours comes after it moved"
dpkg --force-depends -i nut-server-99.deb
everything_is qxups "it is upgraded where it is"
dpkg -i /packages/qxups-higher.deb
everything_is qxups "and ours"
dpkg -P qxups
everything_is nut "it comes back once more"
[ -z "$(dpkg -V nut-server | grep -v ' c ')" ] || fail "something of nut-server is lost: $(dpkg -V nut-server)"
nothing_is_left
