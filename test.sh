#!/usr/bin/env bash
# Passes every test of this project, on a fresh Debian 12: installs what is missing, runs as root (by
# sudo if need be), then formats, lints, documents, tests (USB in a virtual machine) and fuzzes. What
# could not run is named in the last lines; only a nightly compiler may be missing.
# (`cargo bench -p driver` measures.)
#
# `target` grows by about 8 GB, all else stays as it is: cargo-deny and cargo-deb are installed in target/tools, crates of
# a run by sudo go to target/as-root/cargo-home, and NUT's folder /run/nut is a private one, so a host that NUT guards is
# not touched.
set -euo pipefail
cd "$(dirname "$0")"

say() { printf '\n== %s (at %s s)\n' "$*" "$SECONDS"; }
left_out=()

# the tests start NUT's programs as root and let ours switch users
if [ "$(id -u)" != 0 ]; then
    # root's files stay below target; the compiler is still the user's
    exec sudo env PATH="$PATH" HOME="$HOME" RUSTUP_HOME="${RUSTUP_HOME:-$HOME/.rustup}" \
        CARGO_TARGET_DIR="$PWD/target/as-root" CARGO_HOME="$PWD/target/as-root/cargo-home" \
        ${FUZZ_SECONDS:+FUZZ_SECONDS="$FUZZ_SECONDS"} ${SOAK_SECONDS:+SOAK_SECONDS="$SOAK_SECONDS"} \
        ${QXUPS_NEWEST_NUT:+QXUPS_NEWEST_NUT="$QXUPS_NEWEST_NUT"} \
        ${QXUPS_NO_USB_MACHINE:+QXUPS_NO_USB_MACHINE="$QXUPS_NO_USB_MACHINE"} bash "$0"
fi

# a mount namespace of its own, in which /run/nut is covered below; where that is not allowed, see there
if [ -z "${QXUPS_OWN_MOUNTS:-}" ] && unshare --mount true 2>/dev/null; then
    QXUPS_OWN_MOUNTS=1 exec unshare --mount bash "$0"
fi

say "what is needed"
if ! command -v cargo >/dev/null; then
    [ -f "$HOME/.cargo/env" ] && . "$HOME/.cargo/env"
fi
if ! command -v cargo >/dev/null; then
    echo "cargo is missing, and Debian 12's is too old: install Rust 1.85 or newer from https://rustup.rs, then run this again" >&2
    exit 1
fi
for part in fmt clippy; do
    cargo "$part" --version >/dev/null 2>&1 || {
        echo "cargo $part is missing: 'rustup component add rustfmt clippy', or Debian 13's rustfmt and rust-clippy, then run this again" >&2
        exit 1
    }
done
missing=()
command -v cc >/dev/null || missing+=(gcc libc6-dev)
[ -x /lib/nut/upsd ] || missing+=(nut-server)
command -v upsc >/dev/null || missing+=(nut-client)
command -v faketime >/dev/null || missing+=(faketime)
if [ ${#missing[@]} -gt 0 ]; then
    apt-get update -q
    DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${missing[@]}"
fi

# upsmon writes its PID to /run/nut, wherever its files are: that of this host is none of ours
if [ -n "${QXUPS_OWN_MOUNTS:-}" ]; then
    [ -d /run/nut ] || install -d -m 770 -g nut /run/nut
    mount -t tmpfs -o "mode=770,gid=$(getent group nut | cut -d: -f3)" qxups-tests /run/nut
elif [ -e /run/nut/upsmon.pid ] && kill -0 "$(cat /run/nut/upsmon.pid)" 2>/dev/null; then
    echo "NUT guards this host (upsmon is process $(cat /run/nut/upsmon.pid)), and this system allows no mount namespace that keeps the tests away from it: stop upsmon, or run this elsewhere" >&2
    exit 1
else
    left_out+=("a private /run/nut: 'unshare --mount' is not allowed here; files of the tests may stay in /run/nut")
fi

# tools that Debian does not have
PATH="$PWD/target/tools/bin:$PATH"
tool() { # NAME: installs cargo-NAME, if it is missing; its log is named where it cannot be
    cargo "$1" --version >/dev/null 2>&1 && return
    say "cargo-$1: installed in target/tools"
    mkdir -p target/tools
    # used once a run: quickly built beats quick
    CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
        cargo install --quiet --locked --root target/tools --target-dir target/tools/build "cargo-$1" 2>target/tools/"$1".log
}
no_tool() { left_out+=("$1: cargo-$2 cannot be installed, see target/tools/$2.log: $(grep -m1 ^error "target/tools/$2.log" || echo 'no reason given')"); }

# programs of others, which the server's tests run unchanged (each is needed here); a virtual machine with a real USB stack,
# and a kernel for it; what the package's test needs. All of it below target or from Debian, fetched while others compile
mkdir -p target
fetched=target/fetched.log
fetch() {
    crates/serve/tests/judges/install.sh
    [ -n "${QXUPS_NO_USB_MACHINE:-}" ] || usb-test/prepare.sh nut
    local tools=()
    command -v lintian >/dev/null || tools+=(lintian)
    command -v mmdebstrap >/dev/null || tools+=(mmdebstrap)
    command -v systemd-nspawn >/dev/null || tools+=(systemd-container)
    command -v ip >/dev/null || tools+=(iproute2)
    [ ${#tools[@]} = 0 ] || DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${tools[@]}"
}
export -f fetch
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
bash -euo pipefail -c fetch >"$fetched" 2>&1 </dev/null &
fetching=$!
export QXUPS_JUDGES=all
[ -z "${QXUPS_NO_USB_MACHINE:-}" ] || left_out+=("USB on a real Linux USB stack: QXUPS_NO_USB_MACHINE is set")

libraries=(-p qxups-battery -p qxups-proto -p qxups-nut -p qxups-link)
say "format, lints, documentation"
cargo fmt --all --check
cargo clippy --workspace --all-targets --all-features --locked -- -D warnings
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --quiet

say "what goes to crates.io, as it would go there"
if grep -q -e '--workspace' <<<"$(cargo publish -h)"; then
    outcome=0
    cargo publish --dry-run --no-verify --allow-dirty --locked "${libraries[@]}" 2>target/publish.log || outcome=$?
    if [ $outcome != 0 ] && ! grep -q -i -e 'failed to .*\(fetch\|download\|query\|update\)' -e 'resolve host' target/publish.log; then
        cat target/publish.log >&2
        exit 1
    fi
    [ $outcome = 0 ] || left_out+=("cargo publish --dry-run: crates.io cannot be reached, see target/publish.log")
else
    left_out+=("cargo publish --dry-run: needs cargo 1.90, before which one crate cannot wait for another")
fi

say "tests"
packaging/test-programs.sh compile
cargo test --workspace --locked --features driver/usb-machine --doc --quiet
packaging/run-examples.sh
say "programs of others, and the kernel"
outcome=0
wait "$fetching" || outcome=$?
[ $outcome = 0 ] || { cat "$fetched" >&2; echo "programs that the tests need cannot be fetched, see above" >&2; exit 1; }

# what needs compilers and no clock runs beside tests that wait
in_background() {
    tool deny >/dev/null || true
    tool deb >/dev/null || true
    cargo build --release --locked -p driver -p qxups >target/test-logs/release 2>&1 || return 1
    local outcome=0
    packaging/test-debian13.sh >target/test-logs/debian13 2>&1 || outcome=$?
    return $outcome
}
export -f in_background tool say
nice -n 19 bash -c in_background &
background=$!
# among them ten minutes in which everything fails
QXUPS_SOAK_SECONDS="${SOAK_SECONDS:-600}" packaging/test-programs.sh most

say "the release, and Debian 13's own compiler"
outcome=0
wait "$background" || outcome=$?
cat target/test-logs/release target/test-logs/debian13 2>/dev/null || true
# 3: the root could not be made
case $outcome in
0) ;;
3) left_out+=("the build with Debian 13's cargo: no root of Debian 13 could be made (no mirror?)") ;;
*) exit 1 ;;
esac
say "licences"
if tool deny; then
    cargo deny --log-level error check licenses bans sources
else
    no_tool licences deny
fi
if [ -z "${QXUPS_NO_USB_MACHINE:-}" ]; then
    say "tests on a real USB stack"
    packaging/test-programs.sh usb
fi
packaging/test-programs.sh all-ran
[ ! -e target/test-logs/left-out ] || mapfile -t -O "${#left_out[@]}" left_out <target/test-logs/left-out

say "the size of the drop-in"
packaging/check-size.sh

say "the Debian package"
if tool deb; then
    packaging/test-package.sh
else
    no_tool "the Debian package" deb
fi

say "fuzzing, a short run of each target"
if cargo fuzz --version >/dev/null 2>&1 && cargo +nightly --version >/dev/null 2>&1; then
    # what it begins with is made from the tables and captures; what it finds stays in the same folders
    cargo run -q -p testbed --locked --example fuzz_seeds -- fuzz/corpus
    for target in replies session orders captures reports ups_conf configuration driver_socket battery_memory \
        network_server network_client upsd_conf upsd_users upsmon_conf qxups_toml history_rows notify_outbox http_requests page_forms snmp_requests mqtt_packets; do
        cargo +nightly fuzz run --fuzz-dir fuzz "$target" -- -max_total_time="${FUZZ_SECONDS:-9}" -verbosity=0 -print_final_stats=0
    done
else
    left_out+=("fuzzing: needs a nightly compiler and cargo-fuzz (rustup toolchain install nightly; cargo install cargo-fuzz); the same properties ran in the tests above")
fi

say "memory, where there is unsafe: fork, terminals"
# Miri knows none of these system calls; the fuzz targets have the same sanitizer. (The test that is left
# out measures memory, of which a sanitizer takes its own.)
if cargo +nightly --version >/dev/null 2>&1; then
    host=$(rustc -vV | sed -n 's/^host: //p')
    RUSTFLAGS="-Zsanitizer=address" CARGO_TARGET_DIR=target/sanitized \
        cargo +nightly build --quiet -p driver --bins --locked --target "$host"
    QXUPS_DRIVERS="$PWD/target/sanitized/$host/debug" \
        cargo test -p driver --locked --test main_job -- --skip hostile
else
    left_out+=("address sanitizer: needs a nightly compiler (rustup toolchain install nightly)")
fi

if [ -z "${QXUPS_NEWEST_NUT:-}" ]; then
    left_out+=("comparison with a newer NUT than Debian's: QXUPS_NEWEST_NUT names no folder with its nutdrv_qx (see ARCHITECTURE.md); replies of its dialects were read from captures/replies")
fi

say "done"
if [ ${#left_out[@]} -gt 0 ]; then
    printf 'NOT RUN: %s\n' "${left_out[@]}"
fi
echo "everything else passed"
