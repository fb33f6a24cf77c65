#!/usr/bin/env bash
# Fills target/package with what cargo-deb packs (crates/qxups/Cargo.toml):
#
#   packaging/stage.sh BUILT NATIVE     # the folder of the programs, and of those that run here
#
# The programs may be of another architecture; completions are the same for all, and are printed by the native ones.
# NOTICES, if set, is a file with the notices of all that is linked.
set -euo pipefail
cd "$(dirname "$0")/.."
built=$1 native=$2

stage=target/package
rm -rf "$stage"/{qxups,drivers,man8,bash,zsh,fish,scripts,crates.gz}
mkdir -p "$stage"/{drivers,man8,bash,zsh,fish,scripts}

for script in preinst postinst prerm postrm; do
    sed -e '/^#COMMON#$/{r packaging/deb/common.sh' -e 'd}' "packaging/deb/$script" >"$stage/scripts/$script"
    sh -n "$stage/scripts/$script"
done

install "$built/qxups" "$stage/qxups"
install "$built/nutdrv_qx" "$stage/drivers/nutdrv_qx"

# one program; its name says what it is to be
for name in blazer_ser blazer_usb; do
    if (exec -a "$name" "$native/nutdrv_qx" -V) | grep -q "$name"; then
        ln -s nutdrv_qx "$stage/drivers/$name"
    else
        echo "stage.sh: this driver does not know the name $name yet: left out" >&2
    fi
done

# the server under the name by which Debian's scripts start it
if (exec -a upsd "$native/qxups" -V) | grep -q qxups; then
    ln -s ../../bin/qxups "$stage/drivers/upsd"
else
    echo "stage.sh: this tool does not know the name upsd" >&2
    exit 1
fi

for driver in "$stage"/drivers/*; do
    name=${driver##*/}
    [ "$name" != upsd ] || continue
    gzip -9nc "packaging/man/$name.8" >"$stage/man8/$name.8.gz"
    "$native/qxups" completions bash "$name" >"$stage/bash/$name"
    "$native/qxups" completions zsh "$name" >"$stage/zsh/_$name"
    "$native/qxups" completions fish "$name" >"$stage/fish/$name.fish"
done
"$native/qxups" completions bash >"$stage/bash/qxups"
"$native/qxups" completions zsh >"$stage/zsh/_qxups"
"$native/qxups" completions fish >"$stage/fish/qxups.fish"

if [ -n "${NOTICES:-}" ]; then
    gzip -9nc "$NOTICES" >"$stage/crates.gz"
else
    packaging/notices.sh driver qxups | gzip -9n >"$stage/crates.gz"
fi
