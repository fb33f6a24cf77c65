#!/usr/bin/env bash
# Builds the Debian package: target/package/qxups_VERSION_ARCHITECTURE.deb. Prints its path.
#
#   packaging/build-deb.sh [VERSION]      # else that of Cargo.toml
#
# Needs cargo-deb (cargo install cargo-deb --locked) and dpkg-dev.
set -euo pipefail

# without the one there is no package, without the other one that depends on nothing
for tool in cargo-deb dpkg-shlibdeps; do
    if ! type -P "$tool" >/dev/null; then
        echo "build-deb.sh: $tool is missing: cargo install cargo-deb --locked; apt-get install dpkg-dev" >&2
        exit 1
    fi
done
cd "$(dirname "$0")/.."

stage=target/package
rm -rf "$stage"/{qxups,drivers,man8,bash,zsh,fish,scripts,crates.gz}
mkdir -p "$stage"/{drivers,man8,bash,zsh,fish,scripts}

for script in preinst postinst prerm postrm; do
    sed -e '/^#COMMON#$/{r packaging/deb/common.sh' -e 'd}' "packaging/deb/$script" >"$stage/scripts/$script"
    sh -n "$stage/scripts/$script"
done

cargo build --release --locked -p driver -p qxups >&2
built=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/release
install "$built/qxups" "$stage/qxups"
install "$built/nutdrv_qx" "$stage/drivers/nutdrv_qx"

# one program; its name says what it is to be
for name in blazer_ser blazer_usb; do
    if (exec -a "$name" "$built/nutdrv_qx" -V) | grep -q "$name"; then
        ln -s nutdrv_qx "$stage/drivers/$name"
    else
        echo "build-deb.sh: this driver does not know the name $name yet: left out" >&2
    fi
done

# the server under the name by which Debian's scripts start it
if (exec -a upsd "$built/qxups" -V) | grep -q qxups; then
    ln -s ../../bin/qxups "$stage/drivers/upsd"
else
    echo "build-deb.sh: this tool does not know the name upsd" >&2
    exit 1
fi

for driver in "$stage"/drivers/*; do
    name=${driver##*/}
    [ "$name" != upsd ] || continue
    gzip -9nc "packaging/man/$name.8" >"$stage/man8/$name.8.gz"
    "$stage/qxups" completions bash "$name" >"$stage/bash/$name"
    "$stage/qxups" completions zsh "$name" >"$stage/zsh/_$name"
    "$stage/qxups" completions fish "$name" >"$stage/fish/$name.fish"
done
"$stage/qxups" completions bash >"$stage/bash/qxups"
"$stage/qxups" completions zsh >"$stage/zsh/_qxups"
"$stage/qxups" completions fish >"$stage/fish/qxups.fish"

# the notices that the licences of linked crates ask for
crates() {
    cargo tree --locked -p driver -p qxups -e normal --prefix none -f '{p}|{l}' | 
        grep -v -e "($PWD" -e '^$' | sed 's/ (\*)$//; s/ (proc-macro)//' | sort -u
}
notices() {
    crates | while IFS='|' read -r crate licence; do
        printf '== %s, %s\n\n' "$crate" "$licence"
        for file in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/"${crate/ v/-}"/{LICENSE*,COPYING*,COPYRIGHT*,LICENCE*,UNLICENSE*}; do
            if [ -f "$file" ]; then
                cat "$file"
                echo
            fi
        done
    done
}
notices | gzip -9n >"$stage/crates.gz"

package=$(cargo deb --quiet --no-build --no-strip -p qxups ${1:+--deb-version "$1"} --output "$stage/")
if ! dpkg-deb -f "$package" Depends | grep -q libc6; then
    echo "build-deb.sh: $package does not depend on libc6, so dpkg-shlibdeps did not do its work: see what it says of $stage/qxups" >&2
    exit 1
fi
echo "$package"
