#!/usr/bin/env bash
# The checks before a commit: format, lints, unit tests and tests in virtual time. Two minutes on two cores once built,
# without root, network or NUT. (`./test.sh` is the whole.)
set -euo pipefail
cd "$(dirname "$0")"

say() { printf '\n== %s\n' "$*"; }

for part in fmt clippy; do
    cargo "$part" --version >/dev/null 2>&1 || {
        echo "cargo $part is missing: 'rustup component add rustfmt clippy', or Debian 13's rustfmt and rust-clippy, then run this again" >&2
        exit 1
    }
done

say "format and lints, examples too"
cargo fmt --all --check
cargo clippy --workspace --all-targets --locked --quiet -- -D warnings

say "unit tests and virtual time"
cargo test --quiet --locked -p qxups-proto -p qxups-nut -p qxups-battery -p qxups-link -p simulator --lib --bins
cargo test --quiet --locked -p station -p driver --lib
cargo test --quiet --locked -p qxups-proto --tests
cargo test --quiet --locked -p qxups-proto -p qxups-nut -p qxups-battery -p qxups-link --doc
cargo test --quiet --locked -p qxups --bins
cargo test --quiet --locked -p station --tests
QXUPS_LIVES=${QXUPS_LIVES:-40} cargo test --quiet --locked -p simulator --test every_unit --test odd_cases --test odd_lives

say "all of check.sh passed; ./test.sh runs the rest: NUT beside ours, USB, the soak, the package"
