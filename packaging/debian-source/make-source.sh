#!/usr/bin/env bash
# Makes a Debian source package that builds without a network: the sources of a commit, with all crates in vendor/.
#
#   packaging/debian-source/make-source.sh [FOLDER] [COMMIT]      # target/debian-source, HEAD
#
# Needs git, cargo, dpkg-dev; cargo gets crates that it does not have yet. In FOLDER then: dpkg-source -x *.dsc, and dpkg-buildpackage.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=${1:-target/debian-source} commit=${2:-HEAD}
version=$(git show "$commit:Cargo.toml" | sed -n 's/^version = "\(.*\)"/\1/p' | head -1)
date=$(git log -1 --format=%ct "$commit")
tree=qxups-$version
mkdir -p "$folder"
folder=$(realpath "$folder")
rm -rf "${folder:?}/$tree" "$folder"/qxups_*
git archive --prefix="$tree/" "$commit" | tar -x -C "$folder"
cd "$folder/$tree"
rm -rf fuzz
mkdir -p .cargo
cargo vendor --locked --versioned-dirs vendor >.cargo/config.toml
# programs of other systems, which nothing here links
find vendor \( -name '*.lib' -o -name '*.dll' -o -name '*.a' -o -name '*.exe' \) -delete
packaging/debian-source/sums.py vendor
cp -r packaging/debian-source/debian ..
XZ_OPT=${XZ_OPT:--T0} tar --sort=name --mtime="@$date" --owner=0 --group=0 --numeric-owner -cJf "../qxups_$version.orig.tar.xz" -C .. "$tree"
mv ../debian .
for script in preinst postinst prerm postrm; do
    sed -e '/^#COMMON#$/{r packaging/deb/common.sh' -e 'd}' "packaging/deb/$script" >"debian/qxups.$script"
    sh -n "debian/qxups.$script"
    grep -q '^#DEBHELPER#' "debian/qxups.$script" || printf '\n#DEBHELPER#\n' >>"debian/qxups.$script"
done
cp packaging/deb/changelog packaging/deb/copyright debian/
cp packaging/deb/triggers debian/qxups.triggers
cp packaging/deb/lintian-overrides debian/qxups.lintian-overrides
cd ..
dpkg-source --build "$tree"
ls "$folder"/qxups_*
