#!/usr/bin/env bash
# Runs the examples of the libraries that need no hardware, and looks for what each has to say.
set -euo pipefail
cd "$(dirname "$0")/.."

socket=$(mktemp -d)
trap 'rm -rf "$socket"' EXIT
says() { # PACKAGE EXAMPLE WORDS [ARGUMENT...]
    local package=$1 example=$2 words=$3 said
    shift 3
    said=$(cargo run --quiet --locked -p "$package" --example "$example" -- "$@" 2>&1) || true
    if ! grep -qF -e "$words" <<<"$said"; then
        printf 'example %s of %s does not say "%s":\n%s\n' "$example" "$package" "$words" "$said" >&2
        exit 1
    fi
}

says qxups-proto read_reply "input.voltage = 226.0"
says qxups-proto explain_bytes "input.frequency: a number was expected"
says qxups-proto explain_bytes "Q1 (208.4" Q1 "(208.4 140.0 208.4 034 59.9 2.05 35.0 00110000"
says qxups-proto drive_device 'Detected("megatec"'
says qxups-proto drive_device "ups.status = OB"
says qxups-nut read_ups_conf 'write desc = "the UPS in the rack"'
says qxups-nut ask_driver "No such file" "$socket/none"
says qxups-battery estimate "discharges 1"
says qxups-link ask "(208.4 140.0 208.4 034 59.9 2.05 35.0 00110000" replay:captures/megatec-paper-q1.log

# a driver on a recording, for the example that asks drivers
cargo build --quiet --locked -p driver --bin nutdrv_qx
built=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/debug
NUT_CONFPATH=$socket NUT_STATEPATH=$socket NUT_ALTPIDPATH=$socket \
    "$built/nutdrv_qx" -FF -s sample -u "$(id -un)" -x port="replay:$PWD/captures/megatec-paper-q1.log" >"$socket/log" 2>&1 &
driver=$!
trap 'kill $driver; wait $driver 2>/dev/null || true; rm -rf "$socket"' EXIT
for _ in {1..100}; do
    [ -S "$socket/nutdrv_qx-sample" ] && break
    sleep 0.1
done
says qxups-nut ask_driver "driver.name: nutdrv_qx" "$socket/nutdrv_qx-sample"
echo "the examples say what they have to"
