#!/usr/bin/env bash
# Builds the tool with the compiler of Debian 13 (cargo 1.85) in a root of its own, and compiles all tests there:
# what the README promises of 'apt install cargo gcc'. Exit code 3 when the root cannot be made (no mirror).
#
# Needs root, mmdebstrap, and the crates of Cargo.lock in this user's cargo cache (any build here fetches them).
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD/target/debian13

if [ ! -x "$root/usr/bin/cargo" ]; then
    rm -rf "$root"
    mkdir -p target
    if ! timeout 300 mmdebstrap --variant=minbase --include=cargo,gcc,libc6-dev trixie "$root" >"$root.log" 2>&1; then
        echo "the root of Debian 13 cannot be made: see $root.log" >&2
        rm -rf "$root"
        exit 3
    fi
fi
cargo fetch --locked --quiet
mkdir -p "$root/root/.cargo" "$root/source"
rm -rf "$root/root/.cargo/registry"
cp -r "${CARGO_HOME:-$HOME/.cargo}/registry" "$root/root/.cargo/registry"
# the tree as it is, without what was built
find "$root/source" -mindepth 1 -maxdepth 1 ! -name target -exec rm -rf {} +
git ls-files -z | xargs -0 cp --parents -t "$root/source"

inside() { chroot "$root" env HOME=/root sh -c "cd /source && $1"; }
inside "cargo --version" || exit 3
# what its compiler takes is the question here; whole optimisation is tried by the release of this run
inside "CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 cargo build --release --offline --locked --quiet"
inside "timeout --preserve-status -s INT 20 target/release/qxups demo --plain" | tail -3
inside "cargo check --workspace --all-targets --offline --locked --quiet"
echo "all of it compiles with the cargo of Debian 13"
