#!/usr/bin/env bash
# Gets everything the power test needs, and builds the disk of its machine; quick when only the program is new.
#
#   power-test/prepare.sh
#
# Kernel, modules and qemu come by usb-test/prepare.sh, the Debian by mmdebstrap (a mirror is asked the first time only).
#
# QXUPS_POWER_CACHE    where all of it is kept (target/power-test)
# QXUPS_POWER_BINARY   the qxups that is tried (built from this tree, unoptimised)
# QXUPS_POWER_PACKAGE  a Debian package that is installed instead
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=${here%/*}
cache=${QXUPS_POWER_CACHE:-$top/target/power-test}

say() { echo "prepare: $*" >&2; }
die() { say "$*"; exit 1; }

[ "$(id -u)" = 0 ] || die "run it as root: the root of a Debian is made and owned by root"
for tool in mmdebstrap mke2fs python3; do
    command -v "$tool" >/dev/null || die "$tool not found: apt-get install mmdebstrap e2fsprogs python3"
done
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
exec 9>"$cache/preparing"
flock -w 900 9 || die "another prepare.sh holds $cache/preparing for 15 minutes; stop it"

# qemu and busybox, where they cannot be installed, are unpacked there
"$top/usb-test/prepare.sh"
[ -e "$cache/root" ] || [ ! -d "$top/target/usb-test/root" ] || ln -s "$top/target/usb-test/root" "$cache/root"
QXUPS_USB_CACHE=$cache QXUPS_USB_MODULES="crc32c_generic virtio_blk ext4" "$top/usb-test/prepare.sh"

# ---- the Debian ------------------------------------------------------------

base=$cache/debian
if [ ! -d "$base" ]; then
    say "a Debian with systemd"
    rm -rf "$base.new"
    timeout 500 mmdebstrap --variant=minbase --include=udev,systemd-sysv,dbus,polkitd \
        bookworm "$base.new" >"$base.log" 2>&1 || die "mmdebstrap: see $base.log; is the mirror reachable?"
    mv "$base.new" "$base"
fi

# ---- the disk --------------------------------------------------------------

tree=$(mktemp -d "$cache/tree.XXXXXX")
trap 'rm -rf "$tree"' EXIT
cp -a "$base/." "$tree/"
rm -rf "$tree"/{boot,var/lib/apt/lists,var/cache/apt,usr/share/doc,usr/share/man,usr/share/locale}
mkdir -p "$tree/var/lib/apt/lists" "$tree/var/cache/apt"

if [ -n "${QXUPS_POWER_PACKAGE:-}" ]; then
    cp "$QXUPS_POWER_PACKAGE" "$tree/qxups.deb"
    chroot "$tree" dpkg -i /qxups.deb >&2
    rm "$tree/qxups.deb"
else
    binary=${QXUPS_POWER_BINARY:-}
    if [ -z "$binary" ]; then
        (cd "$top" && cargo build --locked --quiet -p qxups)
        binary=$top/target/debug/qxups
    fi
    # where the package puts it (crates/qxups/Cargo.toml)
    strip -o "$tree/usr/bin/qxups" "$binary"
    chmod 755 "$tree/usr/bin/qxups"
    put() { install -D -m "$1" "$top/packaging/$2" "$tree$3"; }
    put 644 systemd/qxups-serve.service /usr/lib/systemd/system/qxups-serve.service
    put 755 systemd/system-shutdown /usr/lib/systemd/system-shutdown/qxups
    put 644 sysusers/qxups.conf /usr/lib/sysusers.d/qxups.conf
    put 644 tmpfiles/qxups.conf /usr/lib/tmpfiles.d/qxups.conf
fi
chroot "$tree" systemd-sysusers
cp -r "$here/guest/." "$tree/"
nut=$(awk -F: '$1 == "nut" { print $3 }' "$tree/etc/group")
mkdir -p "$tree/var/lib/nut"
chown -R "0:$nut" "$tree/etc/nut" "$tree/var/lib/nut"
chmod 770 "$tree/var/lib/nut"
chmod 750 "$tree/etc/nut"
chmod 640 "$tree"/etc/nut/*

# what a machine of a few minutes has no use for
for unit in systemd-hwdb-update systemd-journal-flush systemd-random-seed systemd-update-utmp systemd-update-utmp-runlevel \
    systemd-pstore e2scrub_reap apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer \
    systemd-tmpfiles-clean.timer getty@tty1 console-getty serial-getty@ttyS0 systemd-machine-id-commit; do
    case $unit in *.*) ;; *) unit=$unit.service ;; esac
    ln -sf /dev/null "$tree/etc/systemd/system/$unit"
done
mkdir -p "$tree/etc/systemd/system/multi-user.target.wants"
for unit in /usr/lib/systemd/system/qxups-serve.service /etc/systemd/system/agent.service; do
    ln -sf "$unit" "$tree/etc/systemd/system/multi-user.target.wants/"
done
printf 'power\n' >"$tree/etc/hostname"
printf '127.0.0.1 localhost power\n' >"$tree/etc/hosts"
: >"$tree/etc/fstab"

rm -f "$cache/disk.new"
mke2fs -q -t ext4 -d "$tree" -O ^has_journal -E root_owner=0:0 "$cache/disk.new" 700M
tune2fs -O has_journal "$cache/disk.new" >/dev/null
mv "$cache/disk.new" "$cache/disk"

# ---- what mounts it --------------------------------------------------------

busybox=$(PATH=$PATH:/bin:/usr/bin command -v busybox || true)
if [ -z "$busybox" ] || ldd "$busybox" >/dev/null 2>&1; then busybox=$cache/root/bin/busybox; fi
[ -x "$busybox" ] || die "no static busybox, even after usb-test/prepare.sh"
rm -rf "$tree"
mkdir -p "$tree"/{bin,dev,proc,sys,new,modules}
cp "$busybox" "$tree/bin/busybox"
cp "$cache"/modules/* "$tree/modules/"
install -m 755 "$here/guest-init" "$tree/init"
(cd "$tree" && find . | "$busybox" cpio -o -H newc -R 0:0 2>/dev/null) >"$cache/initramfs"
