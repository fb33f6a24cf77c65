#!/usr/bin/env bash
# Builds the Debian package: target/package/qxups_VERSION_ARCHITECTURE.deb. Prints its path.
#
#   packaging/build-deb.sh [VERSION]      # else that of Cargo.toml
#
# Needs cargo-deb (cargo install cargo-deb --locked) and dpkg-dev.
set -euo pipefail

# without the one there is no package, without the other one that depends on nothing
for tool in cargo-deb dpkg-shlibdeps; do
    if ! type -P "$tool" >/dev/null; then
        echo "build-deb.sh: $tool is missing: cargo install cargo-deb --locked; apt-get install dpkg-dev" >&2
        exit 1
    fi
done
cd "$(dirname "$0")/.."

stage=target/package
cargo build --release --locked -p driver -p qxups >&2
built=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/release
packaging/stage.sh "$built" "$built"

package=$(cargo deb --quiet --no-build --no-strip -p qxups ${1:+--deb-version "$1"} --output "$stage/")
if ! dpkg-deb -f "$package" Depends | grep -q libc6; then
    echo "build-deb.sh: $package does not depend on libc6, so dpkg-shlibdeps did not do its work: see what it says of $stage/qxups" >&2
    exit 1
fi
echo "$package"
