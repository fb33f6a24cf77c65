#!/usr/bin/env bash
# Packs the programs of one architecture: a Debian package, an archive of the same files, an RPM package.
set -euo pipefail
cd /source
. packaging/release/targets.sh
architecture=$1
built=/build/${triple[$architecture]}/release
work=/build/release-files
name=qxups-$VERSION-linux-$architecture

NOTICES=$work/notices packaging/stage.sh "$built" "/build/${triple[amd64]}/release"

deb=$(cargo deb --quiet --frozen --no-build --no-strip -p qxups --variant static --target "${triple[$architecture]}" --output /out/)
if dpkg-deb -f "$deb" Depends | grep lib; then
    echo "pack.sh: $deb depends on libraries, so its programs are not static" >&2
    exit 1
fi
# what test-package.sh upgrades to
mkdir -p $work/higher
cargo deb --quiet --frozen --no-build --no-strip -p qxups --variant static --target "${triple[$architecture]}" \
    --deb-version 99.0-1 --output $work/higher/ >&2

# the archive has the same files as the package, without what only dpkg reads
tree=$work/$name
rm -rf "$tree"
dpkg-deb -x "$deb" "$tree"
rm -rf "$tree/usr/share/lintian" "$tree"/usr/share/doc/qxups/{changelog.Debian.gz,crates.gz,copyright}
cp "/out/qxups-$VERSION-licences-qxups.txt" "$tree/usr/share/doc/qxups/licences-qxups.txt"
cp "/out/qxups-$VERSION-licences-nutdrv_qx.txt" "$tree/usr/share/doc/qxups/licences-nutdrv_qx.txt"
chmod 644 "$tree"/usr/share/doc/qxups/licences-*
tar -C $work --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" --format=gnu -cf - "$name" |
    gzip -9n >"/out/$name.tar.gz"

# cargo-generate-rpm knows no links: its script makes those of the drivers
assets=$work/assets.toml
{
    echo 'assets = ['
    (cd "$tree" && find usr -type f | LC_ALL=C sort) | while read -r file; do
        printf '    { source = "%s", dest = "/%s", mode = "%s" },\n' "$tree/$file" "$file" "$(stat -c %a "$tree/$file")"
    done
    echo ']'
} >"$assets"
cargo generate-rpm -p crates/qxups --target "${triple[$architecture]}" --arch "${rpm_architecture[$architecture]}" --auto-req no \
    --source-date "$SOURCE_DATE_EPOCH" --metadata-overwrite "$assets" -o /out/
