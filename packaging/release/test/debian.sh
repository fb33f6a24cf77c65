# The Debian packages: what lintian says, and the courses of packaging/test-package.sh in Debian 12 and 13.
# shellcheck shell=bash

for architecture in $architectures; do
    deb=$out/qxups_$version-1_$architecture.deb
    [ "$(dpkg-deb -f "$deb" Architecture)" = "$architecture" ] || fail "$deb is of another architecture"
    dpkg-deb -f "$deb" Depends | grep -vq lib || fail "$deb depends on $(dpkg-deb -f "$deb" Depends)"
    lintian --allow-root --fail-on error,warning "$deb" || fail "lintian: $deb"
done
ok "lintian has no error and no warning for $architectures"

packages() { # ARCHITECTURE: the folder that the courses install from
    rm -rf "$work/debs"
    mkdir "$work/debs"
    cp "$out/qxups_$version-1_$1.deb" "$work/debs/qxups.deb"
    cp "$out.higher/qxups_99.0-1_$1.deb" "$work/debs/qxups-higher.deb"
    cp "$work/$1/usr/bin/qxups" "$work/debs/simulator"
}
packages amd64
for release in bookworm trixie; do
    QXUPS_PACKAGES=$work/debs packaging/test-package.sh $release || fail "the package in $release"
    ok "amd64: installed, upgraded, diverted, given back and purged in $release, and run by its systemd"
done
for architecture in $architectures; do
    [ "$architecture" != amd64 ] || continue
    packages "$architecture"
    if QXUPS_ARCHITECTURE=$architecture packaging/release/test/emulated.sh true; then
        QXUPS_PACKAGES=$work/debs QXUPS_ARCHITECTURE=$architecture packaging/release/test/emulated.sh packaging/test-package.sh bookworm ||
            fail "$architecture: the package in bookworm"
        ok "$architecture: installed, upgraded, diverted, given back and purged in bookworm under emulation"
    else
        not_run "$architecture: the package in a Debian of that architecture: binfmt_misc cannot be used here"
    fi
done
