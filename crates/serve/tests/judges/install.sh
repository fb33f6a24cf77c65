#!/usr/bin/env bash
# Installs the judges: programs of others that the tests of this folder run unchanged before our server. Debian's
# packages go into the system (as root), all else below target/judges. What cannot be had is an error here.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(cd "$here/../../../.." && pwd)/target/judges
mkdir -p "$folder"

packages=(nut-server nut-client nut-cgi collectd-core monitoring-plugins-standard libups-nut-perl python3-nut
    python3-venv prometheus chromium nginx-light snmp snmptrapd nut-snmp mosquitto mosquitto-clients nats-server strace)
missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
# a Node that came from elsewhere will do
command -v node >/dev/null && command -v npm >/dev/null || missing+=(nodejs npm)
if [ ${#missing[@]} -gt 0 ]; then
    apt-get update -q
    DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${missing[@]}"
    # tests start what they need; nothing else is to listen on this machine
    for package in "${missing[@]}"; do
        case $package in
        prometheus | nginx-light | mosquitto | nats-server) systemctl disable --now --quiet "${package%-light}" 2>/dev/null || true ;;
        # snmpd comes with snmptrapd
        snmptrapd) systemctl disable --now --quiet snmpd.service snmptrapd.socket 2>/dev/null || true ;;
        esac
    done
fi

# of Debian's Python: the modules are for it
if ! cmp -s "$here/requirements.txt" "$folder/requirements.txt"; then
    rm -rf "$folder/venv"
    /usr/bin/python3 -m venv "$folder/venv"
    "$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps -r "$here/requirements.txt"
    cp "$here/requirements.txt" "$folder/requirements.txt"
fi
# with what it needs, in a place of its own: versions that others need as well differ
if ! cmp -s "$here/requirements-pages.txt" "$folder/requirements-pages.txt"; then
    rm -rf "$folder/venv-pages"
    /usr/bin/python3 -m venv "$folder/venv-pages"
    "$folder/venv-pages/bin/pip" install --quiet --disable-pip-version-check --no-deps -r "$here/requirements-pages.txt"
    cp "$here/requirements-pages.txt" "$folder/requirements-pages.txt"
fi
if ! cmp -s "$here/package.json" "$folder/package.json" || [ ! -d "$folder/node_modules/axe-core" ]; then
    rm -rf "$folder/node_modules"
    cp "$here/package.json" "$folder/package.json"
    npm install --prefix "$folder" --ignore-scripts --no-audit --no-fund --no-package-lock --loglevel=error
fi
cargo build --quiet --locked --manifest-path "$here/rups/Cargo.toml" --target-dir "$folder/rups"
