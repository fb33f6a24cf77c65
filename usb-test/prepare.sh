#!/bin/bash
# Gets everything the USB test machine needs; quick when all of it is there.
#
#   usb-test/prepare.sh          packages, kernel, modules
#   usb-test/prepare.sh nut      the same and NUT's own drivers (for the tests)
#
# QXUPS_USB_CACHE    where kernel and modules are kept (default target/usb-test)
# QXUPS_USB_MODULES  more kernel modules to load in the guest, e.g. "cdc_acm"
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${QXUPS_USB_CACHE:-$here/../target/usb-test}
# Load order; what they depend on is found below and loaded before them.
wanted="virtio_pci virtio_net usbip-core vhci-hcd usbhid hid-generic ${QXUPS_USB_MODULES:-}"

say() { echo "prepare: $*" >&2; }
die() { say "$*"; exit 1; }

[ "$(uname -m)" = x86_64 ] || die "only x86_64 hosts are supported; QXUPS_NO_USB_MACHINE=1 ./test.sh does without"
for tool in apt-get apt-cache dpkg-deb dpkg-query timeout; do
    command -v "$tool" >/dev/null || die "$tool not found: this needs Debian (or a relative of it)"
done

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        sudo -n "$@"
    else
        return 99
    fi
}
updated=
apt_update() {
    [ -z "$updated" ] || return 0
    updated=1
    as_root timeout 300 apt-get -qq update >&2 || say "package lists not refreshed, going on with the old ones"
}

mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
# One preparation at a time: test runs may start side by side.
exec 9>"$cache/lock"
flock -w 900 9 || die "another prepare.sh holds $cache/lock for 15 minutes; stop it"

work=$(mktemp -d "$cache/unpack.XXXXXX")
trap 'rm -rf "$work"' EXIT
download() { # PACKAGE...: into $work
    (cd "$work" && timeout 900 apt-get -qq -o APT::Sandbox::User="$(id -un)" download "$@" >&2)
}
installed() {
    local status
    status=$(dpkg-query -W -f '${Status}' "$1" 2>/dev/null || true)
    [ "$status" = "install ok installed" ]
}
# Never at the cost of another package: --no-remove.
install() {
    as_root env DEBIAN_FRONTEND=noninteractive timeout 900 \
        apt-get -qq -y install --no-install-recommends --no-remove "$@" >"$work/apt.log" 2>&1
}
# Without root, or where installing would remove something: the package and
# what it needs, unpacked below the cache.
unpack() {
    local list deb
    say "$1 cannot be installed, unpacking it into $cache/root"
    list=$(apt-get -s install --no-install-recommends "$1" 2>/dev/null |
        sed -n 's/^Inst \([^ ]*\) \(\[[^]]*\] \)\{0,1\}(\([^ ]*\) .*/\1=\3/p')
    [ -n "$list" ] || die "apt knows no package $1: run apt-get update and try again"
    # shellcheck disable=SC2086
    download $list || die "cannot download $1: is the mirror reachable?"
    mkdir -p "$cache/root"
    for deb in "$work"/*.deb; do dpkg-deb -x "$deb" "$cache/root"; done
    rm -f "$work"/*.deb
}

# These two can also be used from below the cache.
for p in qemu-system-x86:usr/bin/qemu-system-x86_64 busybox-static:bin/busybox; do
    tool=${p#*:} p=${p%%:*}
    if installed "$p" || [ -x "$cache/root/$tool" ]; then continue; fi
    say "installing $p"
    apt_update
    install "$p" || unpack "$p"
    installed "$p" || [ -x "$cache/root/$tool" ] || die "no $tool even after unpacking $p"
done

packages="udev xz-utils zstd binutils"
[ "${1:-}" != nut ] || packages="$packages nut-server nut-client"
missing=()
for p in $packages; do installed "$p" || missing+=("$p"); done
if [ ${#missing[@]} -gt 0 ]; then
    say "installing ${missing[*]}"
    as_root true || die "run as root: apt-get install --no-install-recommends ${missing[*]}"
    apt_update
    install "${missing[@]}" || {
        tail -n 5 "$work/apt.log" >&2
        die "try by hand: apt-get install --no-install-recommends ${missing[*]}"
    }
fi

if [ -f "$cache/ready" ] && [ "$(cat "$cache/ready")" = "$wanted" ]; then
    exit 0
fi
rm -f "$cache/ready"

kernel_package() {
    apt-cache depends linux-image-amd64 2>/dev/null |
        sed -n 's/^ *Depends: \(linux-image-[0-9].*\)$/\1/p' | head -n 1
}
package=$(kernel_package)
if [ -z "$package" ]; then
    apt_update
    package=$(kernel_package)
fi
[ -n "$package" ] || die "no kernel package known to apt: run apt-get update and look at 'apt-cache depends linux-image-amd64'"

say "downloading $package"
if ! download "$package"; then
    apt_update
    package=$(kernel_package)
    download "$package" || die "cannot download $package: is the mirror reachable, are the package lists fresh (apt-get update)?"
fi
deb=$(find "$work" -maxdepth 1 -name '*.deb' | head -n 1)
[ -n "$deb" ] || die "apt-get download $package left no file"
say "unpacking"
dpkg-deb -x "$deb" "$work/tree"

image=$(find "$work/tree/boot" -name 'vmlinuz-*' | head -n 1)
[ -n "$image" ] || die "no kernel image in $package"
version=${image##*/vmlinuz-}

# The modules, dependencies first, uncompressed, and their order of loading.
rm -rf "$cache/modules"
mkdir "$cache/modules"
: >"$work/order"
module_file() { # NAME: path of the module; "-" and "_" mean the same
    find "$work/tree" -name "$(printf '%s' "$1" | sed 's/[-_]/[-_]/g').ko*" | head -n 1
}
add_module() {
    local name file dep
    name=${1//-/_}
    ! grep -qx "$name" "$work/order" || return 0
    file=$(module_file "$name")
    if [ -z "$file" ]; then
        # Built into the kernel image is fine too.
        if grep -qs "/$(printf '%s' "$name" | sed 's/_/[-_]/g')\.ko$" "$(find "$work/tree" -name modules.builtin)"; then
            return 0
        fi
        die "$package has no module $name"
    fi
    case $file in
        *.xz) xz -dc "$file" >"$cache/modules/$name.ko" ;;
        *.zst) zstd -qdc "$file" >"$cache/modules/$name.ko" ;;
        *) cp "$file" "$cache/modules/$name.ko" ;;
    esac
    for dep in $(tr '\0' '\n' <"$cache/modules/$name.ko" | sed -n 's/^depends=//p' | tr ',' ' '); do
        add_module "$dep"
    done
    # Debug sections are of no use in the guest.
    strip --strip-debug "$cache/modules/$name.ko"
    echo "$name" >>"$work/order"
}
for m in $wanted; do add_module "$m"; done
cp "$work/order" "$cache/modules/order"

cp "$image" "$cache/vmlinuz"
chmod 644 "$cache/vmlinuz"

# The ELF image inside boots faster than the bzImage: nothing to decompress in
# the guest. Look for every compressor's magic number; without success the
# bzImage is used as it is.
rm -f "$cache/vmlinux"
try() { # MAGIC(as printf escapes) COMMAND...
    local magic=$1 at
    shift
    for at in $(LC_ALL=C grep -aboP "$magic" "$image" | cut -d: -f1 | head -n 8); do
        # Decompressors complain about what follows the data: only the result counts.
        tail -c "+$((at + 1))" "$image" | "$@" >"$work/vmlinux" 2>/dev/null || true
        if [ "$(head -c 4 "$work/vmlinux" | od -An -tx1 | tr -d ' ')" = 7f454c46 ]; then
            mv "$work/vmlinux" "$cache/vmlinux"
            return 0
        fi
    done
    return 1
}
try '\xfd7zXZ\x00' xz -dc --single-stream ||
    try '\x28\xb5\x2f\xfd' zstd -qdc ||
    try '\x1f\x8b\x08' gzip -dc ||
    say "no ELF image found in the bzImage, booting the bzImage (slower)"

echo "$version" >"$cache/version"
rm -f "$cache"/accel.*
echo "$wanted" >"$cache/ready"
say "ready: Linux $version, $(wc -l <"$cache/modules/order") modules, in $cache"
