#!/usr/bin/env bash
# Whether the drop-in is as small as docs/benchmarks.md says, within two in a hundred. Needs a release build:
#
#   cargo build --release -p driver && packaging/check-size.sh
set -euo pipefail
cd "$(dirname "$0")/.."

built=$(cargo metadata --format-version 1 --no-deps --offline | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/release/nutdrv_qx
size=$(stat -c %s "$built")
# of the table: | program | NUT | ours | ours / NUT |, in kB of 1024 bytes
known=$(sed -n 's/^| program | [0-9]* | \([0-9]*\) |.*/\1/p' docs/benchmarks.md | head -1)
[ -n "$known" ] || {
    echo "check-size.sh: docs/benchmarks.md has no row 'program'" >&2
    exit 1
}
most=$((known * 1024 * 102 / 100))
echo "nutdrv_qx: $((size / 1024)) kB, known $known kB"
if [ "$size" -gt "$most" ]; then
    echo "check-size.sh: nutdrv_qx has grown beyond 2 %: find out by what (cargo bloat), or measure anew (cargo bench -p driver)" >&2
    exit 1
fi
