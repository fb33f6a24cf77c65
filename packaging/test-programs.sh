#!/usr/bin/env bash
# Compiles and runs the test programs of the workspace, several at a time: most wait for a UPS, for NUT or for clients,
# not for a processor. Called by test.sh, in the workspace's folder:
#
#   test-programs.sh compile   builds all of them, and lists them in target/test-logs/programs
#   test-programs.sh most      runs all but those on USB, five at a time, the longest first
#   test-programs.sh usb       runs those on USB: each keeps a virtual machine busy or two
#   test-programs.sh all-ran   fails where one of the list was not run, and says how many tests passed
#
# A program that fails beside others is run once more alone; target/test-logs/left-out names it.
set -euo pipefail
logs=target/test-logs

# begun in this order, all others after them; measured on two cores
longest=(driver-soak driver-dialects driver-battery driver-against_nut serve-against_upsd simulator-odd_cases serve-inside
    driver-option_values battery-truth serve-memory driver-against_blazer driver-kill_the_power driver-kill_beside_nut
    battery-proof battery-worlds battery-outages qx-battery simulator-trouble_soak)

compile() {
    rm -rf "$logs"
    mkdir -p "$logs"
    # one set of features, so that nothing is linked anew while a test starts it
    local features=(--features driver/usb-machine)
    cargo build --workspace --locked "${features[@]}"
    cargo test --workspace --locked "${features[@]}" --no-run --message-format=json >"$logs/compiled"
    # a name of its own, the folder of its crate, the program
    sed -n -e 's/^{"reason":"compiler-artifact".*"manifest_path":"\([^"]*\)\/Cargo.toml".*"test":true},"features".*"executable":"\([^"]*\)".*/\1 \2/p' \
        "$logs/compiled" | while read -r folder program; do
        file=${program##*/}
        echo "${folder##*/}-${file%-*} $folder $program"
    done | sort -u >"$logs/programs"
    local count
    count=$(wc -l <"$logs/programs")
    echo "$count test programs"
    if [ "$count" -lt 90 ] || [ -n "$(cut -d' ' -f1 "$logs/programs" | uniq -d)" ]; then
        echo "$logs/programs is wrong: 90 programs and more are expected, each with a name of its own" >&2
        exit 1
    fi
}

# NAME FOLDER PROGRAM, as a line of the list
run() {
    local log=$PWD/$logs/$1.log
    if (cd "$2" && CARGO_MANIFEST_DIR=$2 "$3" >"$log" 2>&1 </dev/null); then
        sed -n "s/^test result/$1&/p" "$log" | sed "s/^$1/$1: /"
    else
        cat "$log"
        return 1
    fi
}

# as run; what fails is run again later
run_beside() {
    # the driver's tests wait for seconds to pass
    case $1 in
    driver-usb*) threads=2 ;;
    driver-*) threads=6 ;;
    *) threads=2 ;;
    esac
    RUST_TEST_THREADS=$threads run "$@" || echo "$*" >>"$logs/again"
}
export -f run run_beside
export logs

# standard input: lines of the list
run_all() { # HOW MANY AT A TIME
    rm -f "$logs/again"
    xargs -P "$1" -L 1 bash -uo pipefail -c 'run_beside "$@"' -
    [ -e "$logs/again" ] || return 0
    while read -r name folder program; do
        echo "once more, alone: $name"
        RUST_TEST_THREADS=2 run "$name" "$folder" "$program"
        echo "$name beside other tests: it failed there, and passed alone" >>"$logs/left-out"
    done <"$logs/again"
}

most() {
    {
        for name in "${longest[@]}"; do grep "^$name " "$logs/programs"; done
        grep -v -e '^driver-usb' $(printf -- '-e ^%s\\s ' "${longest[@]}") "$logs/programs"
    } | run_all 5
}

usb() {
    # the two longest side by side; those that hold two machines' timings against each other, one after the other
    grep -e '^driver-usb_faults ' -e '^driver-usb_life ' "$logs/programs" | run_all 2
    grep '^driver-usb' "$logs/programs" | grep -v -e '^driver-usb_faults ' -e '^driver-usb_life ' | run_all 1
}

all_ran() {
    local missing
    missing=$(while read -r name _; do grep -q '^test result: ok' "$logs/$name.log" 2>/dev/null || echo "$name"; done <"$logs/programs")
    if [ -n "${QXUPS_NO_USB_MACHINE:-}" ]; then
        missing=$(grep -v '^driver-usb' <<<"$missing" || true)
    fi
    if [ -n "$missing" ]; then
        echo "these test programs were not run, or failed: $missing" >&2
        exit 1
    fi
    cat "$logs"/*.log | awk '/^test result: ok/ { passed += $4 } END { print passed " tests passed, 0 failed" }'
}

case ${1:-} in
compile | most | usb) "$1" ;;
all-ran) all_ran ;;
*) echo "usage: test-programs.sh compile | most | usb | all-ran" >&2; exit 2 ;;
esac
