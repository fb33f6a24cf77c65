#!/usr/bin/env bash
# The part of packaging/release.sh that runs in the root of Debian 13, where all paths are fixed: /source is the commit,
# /vendor its crates, /build what is compiled, /out what is released. From the environment: VERSION, COMMIT,
# SOURCE_DATE_EPOCH, ARCHITECTURES (Debian's names, amd64 among them).
set -euo pipefail
cd /source
. packaging/release/targets.sh

mkdir -p ~/.cargo
cat >~/.cargo/config.toml <<'END'
[source.crates-io]
replace-with = "vendor"
[source.vendor]
directory = "/vendor"
END

say() { printf '== %s (at %s s)\n' "$*" "$SECONDS"; }

say "programs: $ARCHITECTURES"
export CARGO_INCREMENTAL=0 CARGO_TARGET_DIR=/build
# build scripts and macros run here and are not touched by these, as every target is named
export RUSTFLAGS="-C target-feature=+crt-static --remap-path-prefix=/source=qxups --remap-path-prefix=/vendor=crates"
export CFLAGS="-ffile-prefix-map=/vendor=crates -ffile-prefix-map=/build=build"
targets=()
for architecture in $ARCHITECTURES; do
    name=${triple[$architecture]^^}
    export "CARGO_TARGET_${name//-/_}_LINKER=${compiler[$architecture]}"
    targets+=(--target "${triple[$architecture]}")
done
cargo build --release --frozen --quiet -p driver -p qxups "${targets[@]}"

rm -rf /out
mkdir -p /out
say "what is linked, and under which licences"
packaging/release/licences.sh
packaging/release/sbom.sh

for architecture in $ARCHITECTURES; do
    say "packages for $architecture"
    packaging/release/pack.sh "$architecture"
done
say "OCI image"
packaging/release/oci.sh

# what made it, for those who make it again
{
    echo "qxups $VERSION, commit $COMMIT, SOURCE_DATE_EPOCH $SOURCE_DATE_EPOCH"
    env | grep '^CARGO_PROFILE_RELEASE_' | LC_ALL=C sort || true
    rustc -V
    cargo deb --version | sed 's/^/cargo-deb /'
    cargo generate-rpm --version | sed 's/^cargo-generate-rpm //; s/^/cargo-generate-rpm /'
    dpkg-query -Wf '${Package}:${Architecture} ${Version}\n' | LC_ALL=C sort
} >"/out/qxups-$VERSION.buildinfo"
