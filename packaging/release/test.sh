#!/usr/bin/env bash
# Tries what packaging/release.sh made: packaging/release/test.sh FOLDER VERSION ARCHITECTURES. Judges are NUT's clients,
# Debian's dpkg, rpm, skopeo, umoci, dnsmasq, gpg, and the schema of CycloneDX; binaries of other architectures run under QEMU.
# What could not be tried here is named in lines that begin with NOT RUN. Needs root, on Debian; installs what is missing.
set -euo pipefail
cd "$(dirname "$0")/../.."
. packaging/release/targets.sh
out=$1 version=$2 architectures=$3
work=$(mktemp -d)
chmod 755 "$work"
running=()
trap 'kill "${running[@]}" 2>/dev/null || true; rm -rf "$work"' EXIT

ok() { printf 'ok: %s\n' "$*"; }
not_run() { printf 'NOT RUN: %s\n' "$*"; }
fail() {
    printf 'FAILED: %s\n' "$*"
    exit 1
}
soon() { # COMMAND...: within a minute
    for _ in {1..300}; do
        "$@" >/dev/null 2>&1 && return
        sleep 0.2
    done
    fail "this did not come true within a minute: $*"
}

missing=()
for pair in upsc:nut-client rpm:rpm skopeo:skopeo umoci:umoci dnsmasq:dnsmasq-base lintian:lintian jq:jq gpg:gpg \
    qemu-aarch64-static:qemu-user-static readelf:binutils ip:iproute2 arch-test:arch-test systemd-nspawn:systemd-container; do
    type -P "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
done
if [ ${#missing[@]} -gt 0 ]; then
    apt-get update -q
    DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${missing[@]}"
fi

# one test in each file; they share what stands above
for part in files programs names debian rpm image; do
    printf '\n== %s\n' "$part"
    . "packaging/release/test/$part.sh"
done
echo "everything else passed"
