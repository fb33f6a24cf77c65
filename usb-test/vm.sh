#!/bin/bash
# Boots the USB test machine in the background and returns when it answers.
#
#   usb-test/vm.sh OUTDIR [FILE | FILE:GUESTPATH]...
#   usb-test/vm.sh stop OUTDIR
#
# Every FILE is put into the guest with the libraries that ldd names, as
# /usr/bin/NAME or as GUESTPATH (mode kept, symbolic links followed).
# The machine ends with the process that called this script, see lib.sh.
#
# OUTDIR then has: port (TCP port of the guest's agent on 127.0.0.1), qemu.pid,
# accel, boot-ms, console.log, qemu.log.
#
# QXUPS_USB_CACHE       see prepare.sh
# QXUPS_USB_ACCEL       kvm or tcg instead of trying
# QXUPS_USB_UDEV        no: the guest runs no udevd, so no hot-plug events
# QXUPS_USB_OWNER       process id to end with, instead of the caller's
# QXUPS_USB_LIFETIME    seconds after which the machine ends anyhow (3600)
# QXUPS_USB_BOOT_LIMIT  seconds to wait for a boot under TCG (120)
# QXUPS_USB_CPUS, QXUPS_USB_MEMORY  (1, 512 MB)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${QXUPS_USB_CACHE:-$here/../target/usb-test}

say() { echo "vm: $*" >&2; }
die() { say "$*"; exit 1; }
now_ms() { date +%s%3N; }

# The process of a machine: only if it is really ours, numbers get reused.
running() { # OUTDIR
    local pid
    pid=$(cat "$1/qemu.pid" 2>/dev/null) || return 1
    [ -n "$pid" ] && [ -r "/proc/$pid/cmdline" ] && tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "-pidfile $1/qemu.pid"
}
stop() { # OUTDIR
    local pid i
    if running "$1"; then
        pid=$(cat "$1/qemu.pid")
        kill "$pid" 2>/dev/null || true
        for ((i = 0; i < 50; i++)); do
            running "$1" || break
            sleep 0.1
        done
        ! running "$1" || kill -KILL "$pid" 2>/dev/null || true
    fi
    rm -f "$1/qemu.pid" "$1/port"
}

if [ "${1:-}" = stop ]; then
    [ $# = 2 ] || die "usage: vm.sh stop OUTDIR"
    [ -d "$2" ] || exit 0
    stop "$(cd "$2" && pwd)"
    exit 0
fi
[ $# -ge 1 ] || die "usage: vm.sh OUTDIR [FILE | FILE:GUESTPATH]..."

owner=${QXUPS_USB_OWNER:-$PPID}
[ -d "/proc/$owner" ] || die "no process $owner to end with (QXUPS_USB_OWNER)"
[ -f "$cache/ready" ] || die "nothing prepared in $cache: run usb-test/prepare.sh"
cache=$(cd "$cache" && pwd)
[ -f "$here/guest-init" ] && [ -f "$here/guest-agent" ] || die "guest-init or guest-agent missing beside vm.sh"
mkdir -p "$1"
out=$(cd "$1" && pwd)
shift
case $out in *,* | *' '*) die "no comma or space in the name of OUTDIR, please: $out" ;; esac
! running "$out" || die "a machine runs in $out already: usb-test/vm.sh stop $out"
rm -f "$out"/{qemu.pid,port,accel,boot-ms,console.log,qemu.log}

busybox=$(PATH=$PATH:/bin:/usr/bin command -v busybox || true)
# A dynamic busybox would need its libraries before anything else.
if [ -z "$busybox" ] || ldd "$busybox" >/dev/null 2>&1; then busybox=$cache/root/bin/busybox; fi
[ -x "$busybox" ] || die "no static busybox: run usb-test/prepare.sh"

qemu=(qemu-system-x86_64)
if ! command -v qemu-system-x86_64 >/dev/null; then
    root=$cache/root/usr
    [ -x "$root/bin/qemu-system-x86_64" ] || die "no qemu-system-x86_64: run usb-test/prepare.sh"
    libs=$root/lib/x86_64-linux-gnu
    qemu=(env "LD_LIBRARY_PATH=$libs:$cache/root/lib/x86_64-linux-gnu:$libs/pulseaudio"
        "QEMU_MODULE_DIR=$libs/qemu" "$root/bin/qemu-system-x86_64"
        -L "$root/share/qemu" -L "$root/share/seabios")
fi

# ---- the initramfs ---------------------------------------------------------

tree=$(mktemp -d "$out/tree.XXXXXX")
started=
cleanup() {
    rm -rf "$tree"
    [ -z "$started" ] || stop "$out"
}
trap cleanup EXIT

chmod 755 "$tree"
mkdir -p "$tree"/{dev,proc,sys,run/udev,tmp,root,modules,var,etc/udev,usr/lib/udev/rules.d}
mkdir -p "$tree"/usr/{bin,sbin,lib/x86_64-linux-gnu,lib64}
for d in bin sbin lib lib64; do ln -s "usr/$d" "$tree/$d"; done
ln -s /run "$tree/var/run"
chmod 1777 "$tree/tmp"

put() { # FILE GUESTPATH: with its libraries
    local lib
    mkdir -p "$tree$(dirname "$2")"
    rm -f "$tree$2"
    cp -L "$1" "$tree$2" || die "cannot copy $1"
    # ldd fails for scripts and static programs: nothing to add then.
    for lib in $(ldd "$1" 2>/dev/null | grep -o '/[^ ]*' || true); do
        [ -e "$lib" ] || die "$1 needs $lib, which is not there: install its package"
        if [ ! -e "$tree$lib" ]; then
            mkdir -p "$tree$(dirname "$lib")"
            cp -L "$lib" "$tree$lib"
        fi
    done
    if ldd "$1" 2>/dev/null | grep 'not found' >&2; then
        die "$1 lacks the libraries named above: install their packages"
    fi
}

cp "$busybox" "$tree/usr/bin/busybox"
"$busybox" --list | while read -r applet; do
    [ "$applet" = busybox ] || ln -s busybox "$tree/usr/bin/$applet"
done
cp "$cache"/modules/* "$tree/modules/"
cp "$here/guest-init" "$tree/init"
cp "$here/guest-agent" "$tree/usr/bin/guest-agent"
cat >"$tree/usr/bin/guest-attach" <<'X'
#!/bin/sh
# Run by nc with the connection to the device as file descriptor 0.
exec echo "$PORT 0 $((PORT + 1)) $SPEED" >/sys/devices/platform/vhci_hcd.0/attach
X
chmod 755 "$tree/init" "$tree"/usr/bin/guest-*
printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' 'nut:x:100:100::/run:/bin/sh' \
    'nobody:x:65534:65534::/:/bin/sh' >"$tree/etc/passwd"
printf '%s\n' root:x:0: nut:x:100: dialout:x:20: plugdev:x:46: nogroup:x:65534: >"$tree/etc/group"
printf '%s\n' '127.0.0.1 localhost' '10.0.2.2 host' >"$tree/etc/hosts"
if [ "${QXUPS_USB_UDEV:-yes}" != no ]; then
    [ -x /usr/bin/udevadm ] || die "no /usr/bin/udevadm: run usb-test/prepare.sh"
    put /usr/bin/udevadm /usr/bin/udevadm
    ln -sf ../bin/udevadm "$tree/usr/sbin/udevd"
    echo 'SUBSYSTEM=="usb", MODE="0664"' >"$tree/usr/lib/udev/rules.d/50-test.rules"
fi
for f in "$@"; do
    src=${f%%:*}
    [ -f "$src" ] || die "no such file: $src"
    if [ "$src" = "$f" ]; then dest=/usr/bin/$(basename "$src"); else dest=${f#*:}; fi
    [ "${dest#/}" != "$dest" ] || die "the path in the guest must start with /: $f"
    put "$src" "$dest"
done
(cd "$tree" && find . | "$busybox" cpio -o -H newc -R 0:0 >"$out/initramfs" 2>/dev/null) ||
    die "cannot write $out/initramfs: disk full?"
rm -rf "$tree"

# ---- boot ------------------------------------------------------------------

kernel=$cache/vmlinux
[ -f "$kernel" ] || kernel=$cache/vmlinuz

boot() { # ACCEL SECONDS: starts the machine and waits for the agent
    local accel=$1 limit=$2 try port begin
    local options=(-accel "$accel" -cpu max)
    [ "$accel" != kvm ] || options=(-accel kvm -cpu host)
    for ((try = 0; try < 5; try++)); do
        # Below the range the system hands out; if taken, the next try.
        port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
        rm -f "$out/qemu.pid" "$out/console.log"
        begin=$(now_ms)
        started=1
        # In its own session, so that a Ctrl-C reaches the caller first.
        setsid timeout -k 5 "${QXUPS_USB_LIFETIME:-3600}" "${qemu[@]}" \
            "${options[@]}" -nodefaults -no-user-config -no-reboot -display none \
            -m "${QXUPS_USB_MEMORY:-512}" -smp "${QXUPS_USB_CPUS:-1}" \
            -kernel "$kernel" -initrd "$out/initramfs" \
            -append 'console=ttyS0 quiet panic=-1 mitigations=off no_timer_check' \
            -serial "file:$out/console.log" \
            -netdev "user,id=n0,hostfwd=tcp:127.0.0.1:$port-10.0.2.15:2323" \
            -device virtio-net-pci,netdev=n0,romfile= \
            -pidfile "$out/qemu.pid" \
            </dev/null >"$out/qemu.log" 2>&1 9>&- &
        local child=$!
        disown
        # The watch: the machine must not outlive its owner, whatever way that
        # ends. A process number that was given out again does not count.
        setsid bash -c '
            alive() {
                local stat
                stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
                stat=(${stat##*) })
                [ "${stat[0]}" != Z ] && [ "${stat[19]}" = "${started[$1]:=${stat[19]}}" ]
            }
            while alive "$1" && alive "$2"; do sleep 0.5; done
            alive "$2" && kill "$2"
        ' watch "$owner" "$child" </dev/null >/dev/null 2>&1 9>&- &
        disown
        while [ $(($(now_ms) - begin)) -lt $((limit * 1000)) ]; do
            if ! kill -0 "$child" 2>/dev/null; then
                if grep -q 'forwarding rule' "$out/qemu.log"; then continue 2; fi
                say "qemu ended ($accel): $(grep -v '^$' "$out/qemu.log" | tail -n 1)"
                return 1
            fi
            if grep -qs 'guest: ready' "$out/console.log"; then
                echo "$port" >"$out/port"
                if [ "$(VM_DIR=$out GUEST_TIMEOUT=5 guest_run 'echo yes' 2>/dev/null)" = yes ]; then
                    echo $(($(now_ms) - begin)) >"$out/boot-ms"
                    echo "$accel" >"$out/accel"
                    return 0
                fi
            fi
            sleep 0.05
        done
        stop "$out"
        # Too early for a pid file?
        kill "$child" 2>/dev/null || true
        return 1
    done
    say "no free TCP port found for the guest"
    return 1
}

# shellcheck source=lib.sh
. "$here/lib.sh"
# A qemu that aborts over a KVM it cannot use shall leave no core file.
ulimit -c 0
# KVM only where it really helps: a nested or emulated one may take minutes for
# what TCG does in seconds. The answer is kept for this host kernel.
known=$cache/accel.$(uname -r)
slow=${QXUPS_USB_BOOT_LIMIT:-120}
ok=
case ${QXUPS_USB_ACCEL:-auto} in
    auto)
        if [ -w /dev/kvm ] && [ "$(cat "$known" 2>/dev/null || echo kvm)" = kvm ]; then
            if boot kvm 15; then
                ok=1
                echo kvm >"$known"
            else
                say "no quick boot with KVM, using TCG from now on (remembered in $known)"
                echo tcg >"$known"
            fi
        fi
        if [ -z "$ok" ] && boot tcg "$slow"; then ok=1; fi
        ;;
    kvm)
        [ -w /dev/kvm ] || die "/dev/kvm is missing or not writable: load the module, join group kvm, or QXUPS_USB_ACCEL=tcg"
        if boot kvm "$slow"; then ok=1; fi
        ;;
    tcg) if boot tcg "$slow"; then ok=1; fi ;;
    *) die "QXUPS_USB_ACCEL is kvm or tcg" ;;
esac
if [ -z "$ok" ]; then
    tail -n 5 "$out/console.log" >&2 2>/dev/null || true
    die "the guest did not answer: see $out/console.log and $out/qemu.log (slow host? QXUPS_USB_BOOT_LIMIT)"
fi

started=
