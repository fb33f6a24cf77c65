#!/usr/bin/env bash
# Builds the Debian package and tries it in a clean Debian of its own: before nut-server and after it,
# with a driver at work, through upgrade, removal and purge. Nothing outside of target/ changes.
#
#   packaging/test-package.sh [RELEASE]     # of Debian: bookworm, trixie
#
# QXUPS_PACKAGES, if set, is a folder with the packages to try instead, and the tool of the first (qxups.deb, qxups-higher.deb,
# simulator); QXUPS_ARCHITECTURE is that of another Debian, which the kernel hands to an emulator.
#
# Needs root, cargo-deb, lintian, mmdebstrap, systemd-container; a mirror of Debian the first time only.
set -euo pipefail
cd "$(dirname "$0")/.."
release=${1:-bookworm}
work=$PWD/target/package
architecture=${QXUPS_ARCHITECTURE:-$(dpkg --print-architecture)}
base=$work/base-$release
sources=()
if [ "$architecture" != "$(dpkg --print-architecture)" ]; then
    base=$base-$architecture
    sources=("deb $(packaging/mirror.sh) $release main")
fi

say() { printf '== %s\n' "$*"; }
fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}

build_and_check() {
    say "a package that would depend on nothing is not built"
    if PATH=/nonexistent /bin/bash packaging/build-deb.sh 2>"$work.refused" >&2; then
        fail "built without cargo-deb and dpkg-shlibdeps"
    fi
    grep -q "is missing" "$work.refused" || fail "it does not say what is missing"
    rm "$work.refused"

    say "two packages, of this version and of a higher one"
    package=$(packaging/build-deb.sh)
    version=$(dpkg-deb -f "$package" Version)
    dpkg-deb -f "$package" Depends | grep -q 'libc6 (>= ' || fail "it depends on $(dpkg-deb -f "$package" Depends)"
    higher=$(packaging/build-deb.sh 99.0-1)
    rm -rf "$work/debs"
    mkdir -p "$work/debs"
    cp "$package" "$work/debs/qxups.deb"
    cp "$higher" "$work/debs/qxups-higher.deb"
    cp "$work/qxups" "$work/debs/simulator"

    say "lintian"
    lintian --allow-root --fail-on error,warning "$package"

    say "the units"
    for unit in qxups-driver@.service qxups-serve.service; do
        sed 's|/usr/lib/qxups/nutdrv_qx|/bin/true|; s|/usr/bin/qxups|/bin/true|' "packaging/systemd/$unit" >"$work/$unit"
        systemd-analyze verify --man=no "$work/$unit"
        # 16 stands for an exposure of 1.6 of 10; NUT's own units have 9.6
        systemd-analyze security --offline=yes --no-pager --threshold=16 "$work/$unit" >"$work/exposure" ||
            fail "$unit lets more in than it did: $(tail -1 "$work/exposure")"
        tail -1 "$work/exposure"
    done
}
mkdir -p "$work"
if [ -z "${QXUPS_PACKAGES:-}" ]; then
    build_and_check
else
    rm -rf "$work/debs"
    cp -r "$QXUPS_PACKAGES" "$work/debs"
    version=$(dpkg-deb -f "$work/debs/qxups.deb" Version)
fi

if [ ! -d "$base" ]; then
    say "a clean Debian ($release), with nut-server at hand but not installed"
    mmdebstrap --variant=minbase --architectures="$architecture" --include=udev,man-db,systemd-sysv,dbus --skip=cleanup/apt \
        --customize-hook='chroot "$1" apt-get install -qy --download-only --no-install-recommends nut-server nut-client' \
        "$release" "$base.new" "${sources[@]}" >"$base.log" 2>&1 || fail "mmdebstrap: see $base.log"
    mv "$base.new" "$base"
fi

# Each course runs in namespaces of its own, on an overlay in memory that vanishes with it.
course() {
    say "$1"
    local log=$work/$2.log
    rm -rf "$work/script"
    mkdir "$work/script"
    cat packaging/test-package/common.sh "packaging/test-package/$2" >"$work/script/course"
    unshare --mount --pid --net --fork --mount-proc --kill-child \
        packaging/test-package/"$3" "$base" "$work" "$version" >"$log" 2>&1 || {
        tail -30 "$log" >&2
        fail "$1: see $log"
    }
    grep '^ok: ' "$log"
}

course "nut-server first, then qxups" nut-first.sh in-chroot
course "qxups first, nut-server later" qxups-first.sh in-chroot
course "nut-server moves to /usr/lib" nut-moves.sh in-chroot
course "what is somebody's own" own-driver.sh in-chroot
if [ "$architecture" = "$(dpkg --print-architecture)" ]; then
    course "under systemd" systemd.sh in-container
else
    echo "NOT RUN: the course under systemd: an emulator has no system calls of namespaces"
fi
