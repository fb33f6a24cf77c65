#!/usr/bin/env bash
# Writes a bill of materials for each binary: /out/qxups-VERSION-PROGRAM.cdx.json (CycloneDX 1.5). Its crates are those
# that cargo tree names for the binary on any of the architectures; cargo metadata alone would unite the features of the workspace.
set -euo pipefail
cd /source
. packaging/release/targets.sh
work=/build/release-files
mkdir -p $work

cargo metadata --format-version 1 --frozen >$work/metadata.json
# name, version and checksum of each crate of Cargo.lock
awk -F'"' '/^name/ { name = $2 } /^version/ { version = $2 } /^checksum/ { print name "\t" version "\t" $2 }' Cargo.lock >$work/checksums
version_of() { dpkg-query -Wf '${Version}' "$1"; }
# what is linked and is no crate: name, version, licence, package URL
runtimes() {
    printf 'glibc\t%s\tLGPL-2.1-or-later\tpkg:deb/debian/glibc@%s?distro=debian-13\n' "$(version_of libc6)" "$(version_of libc6)"
    printf 'libgcc\t%s\tGPL-3.0-or-later WITH GCC-exception-3.1\tpkg:deb/debian/gcc-14@%s?distro=debian-13\n' "$(version_of libgcc-s1)" "$(version_of libgcc-s1)"
    printf 'rust-std\t%s\tMIT OR Apache-2.0\tpkg:deb/debian/rustc@%s?distro=debian-13\n' "$(version_of libstd-rust-dev)" "$(version_of libstd-rust-dev)"
}
parts_of_qxups() {
    local sqlite uplot
    sqlite=$(sed -n 's/^#define SQLITE_VERSION  *"\(.*\)".*/\1/p' /vendor/libsqlite3-sys-*/sqlite3/sqlite3.h | head -1)
    uplot=$(sed -n 's/.*uPlot.*(v\([0-9.]*\)).*/\1/p' crates/web/src/assets/uplot/uPlot.iife.min.js | head -1)
    printf 'sqlite\t%s\tblessing\tpkg:generic/sqlite@%s\n' "$sqlite" "$sqlite"
    printf 'uplot\t%s\tMIT\tpkg:npm/uplot@%s\n' "$uplot" "$uplot"
}
bill() { # PROGRAM PACKAGE LICENCE
    for architecture in $ARCHITECTURES; do
        cargo tree --frozen -p "$2" --target "${triple[$architecture]}" -e normal --prefix none -f '{p}'
    done | awk 'NF { sub(/^v/, "", $2); print $1 "\t" $2 }' | LC_ALL=C sort -u >"$work/$1.crates"
    {
        runtimes
        [ "$1" != qxups ] || parts_of_qxups
    } >"$work/$1.others"
    jq -S -n --arg program "$1" --arg package "$2" --arg licence "$3" --arg version "$VERSION" \
        --arg commit "$COMMIT" --arg time "$(date -u -d "@$SOURCE_DATE_EPOCH" +%FT%TZ)" \
        --arg seed "$(cat "$work/$1.crates" "$work/$1.others" - <<<"$COMMIT $1" | sha256sum)" \
        --slurpfile metadata $work/metadata.json --rawfile crates "$work/$1.crates" --rawfile checksums $work/checksums \
        --rawfile others "$work/$1.others" -f packaging/release/sbom.jq >"/out/qxups-$VERSION-$1.cdx.json"
}
bill qxups qxups GPL-3.0-or-later
bill nutdrv_qx driver GPL-2.0-or-later
