#!/usr/bin/env bash
# Tries protection on a virtual machine that really powers off, beside a UPS whose load really goes off.
#
#   power-test/run.sh [COURSE...]     outage, moments, moments:3,8, again, empty, kill, hung, refuses, unplugged, clock,
#                                     forbidden, container
#
# Options are environment variables: see prepare.sh. QXUPS_POWER_FOLDER is where consoles and events are left
# (target/power-test/run), QXUPS_POWER_ACCEL kvm or tcg (tcg).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=${here%/*}
cache=${QXUPS_POWER_CACHE:-$top/target/power-test}
"$here/prepare.sh"
program=${QXUPS_POWER_BINARY:-$top/target/debug/qxups}
export PYTHONDONTWRITEBYTECODE=1
exec python3 "$here/courses.py" --cache "$cache" --program "$program" \
    --folder "${QXUPS_POWER_FOLDER:-$cache/run}" "$@"
