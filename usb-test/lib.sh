# shellcheck shell=bash
# To be sourced by bash test scripts: talks to the machine that vm.sh booted.
#
#   vm_start OUTDIR [FILE[:GUESTPATH]]...  boots; stops the machine on EXIT
#   vm_stop                                stops it now
#   guest_run 'shell command'              stdout, stderr and exit code of the guest's sh
#   guest_put FILE GUESTPATH               mode kept
#   guest_get GUESTPATH FILE
#   guest_attach PORT TCPPORT SPEED        prints the bus id, e.g. 1-1
#   guest_detach PORT                      unplugs from the guest's side
#   guest_wait SECONDS 'shell command'     until it succeeds in the guest
#
# PORT is a port of the guest's host controller: 0 to 14 for SPEED low, full and
# high, 15 to 29 for super. TCPPORT is where a program on the host's loopback
# serves the device with the USB/IP wire protocol.
#
# VM_DIR               the machine's OUTDIR (vm_start sets it)
# GUEST_TIMEOUT        seconds for a command (60); code 143 when it ran out
# GUEST_ATTACH_LIMIT   seconds for the enumeration (15); 0: do not wait for it

_usb_test_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

vm_start() {
    VM_DIR=$1
    QXUPS_USB_OWNER=${QXUPS_USB_OWNER:-$$} "$_usb_test_dir/vm.sh" "$@" || return 1
    # The watch in vm.sh stops it too (within a second), also after kill -9;
    # a script with an EXIT trap of its own keeps that one.
    [ -n "$(trap -p EXIT)" ] || trap vm_stop EXIT
}

vm_stop() {
    [ -z "${VM_DIR:-}" ] || "$_usb_test_dir/vm.sh" stop "$VM_DIR"
}

# SCRIPT DATAFILE
_guest_call() {
    local script=$1 data=$2 limit=${GUEST_TIMEOUT:-60} port fd bytes code=125 out err LC_ALL=C
    port=$(cat "${VM_DIR:?call vm_start first}/port" 2>/dev/null) || {
        echo "guest: no machine runs in $VM_DIR: call vm_start" >&2
        return 125
    }
    # A port number of an ended machine may be another program's by now.
    if ! [ -d "/proc/$(cat "$VM_DIR/qemu.pid" 2>/dev/null || echo none)" ]; then
        echo "guest: the machine ended: see $VM_DIR/console.log and $VM_DIR/qemu.log" >&2
        return 125
    fi
    bytes=$(stat -L -c %s "$data") || return 125
    [ -f "$data" ] || bytes=0
    local hello='' try
    for ((try = 0; try < 5; try++)); do
        if ! { exec {fd}<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null; then
            echo "guest: nobody listens at port $port: see $VM_DIR/console.log" >&2
            return 125
        fi
        # Of many callers at once some are not heard: they call again.
        IFS= read -r -t 3 -u "$fd" hello || true
        [ "$hello" != ready ] || break
        exec {fd}>&-
    done
    if [ "$hello" != ready ]; then
        echo "guest: it does not answer: see $VM_DIR/console.log" >&2
        return 125
    fi
    # A writer of its own: a broken connection must not end the caller by SIGPIPE.
    ({
        printf '%s %s %s\n%s' "${#script}" "$bytes" "$limit" "$script"
        [ "$bytes" = 0 ] || timeout "$limit" cat "$data"
    } >&"$fd") 2>/dev/null || true
    if IFS=' ' read -r -t $((limit + 10)) -u "$fd" code out err && [ -n "$err" ]; then
        timeout "$limit" head -c "$out" <&"$fd" || code=125
        timeout "$limit" head -c "$err" <&"$fd" >&2 || code=125
    else
        echo "guest: no answer (after at most $((limit + 10)) s): see $VM_DIR/console.log" >&2
        code=125
    fi
    exec {fd}>&-
    return "$code"
}

guest_run() { _guest_call "$*" /dev/null; }

guest_put() {
    [ -f "$1" ] || { echo "guest_put: no such file: $1" >&2; return 1; }
    local to mode
    to=$(printf %q "$2")
    mode=$(stat -L -c %a "$1")
    _guest_call "mkdir -p \"\$(dirname $to)\" && cat >$to && chmod $mode $to && [ \$(stat -c %s $to) = $(stat -L -c %s "$1") ]" "$1"
}

guest_get() { guest_run "cat $(printf %q "$1")" >"$2"; }

guest_wait() {
    local limit=$1
    shift
    # In a subshell, so that an "exit" in the command does not end the loop.
    GUEST_TIMEOUT=$((limit + 10)) guest_run "
        end=\$((\$(date +%s) + $limit))
        until ( $* ); do
            [ \$(date +%s) -lt \$end ] || exit 1
            sleep 0.1
        done"
}

guest_attach() {
    local port=$1 tcp=$2 speed=$3 hub=hs
    case $speed in
        low | 1) speed=1 ;;
        full | 2) speed=2 ;;
        high | 3) speed=3 ;;
        super | 5) speed=5 hub=ss ;;
        *) echo "guest_attach: speed is low, full, high or super, not $speed" >&2; return 1 ;;
    esac
    GUEST_TIMEOUT=$((${GUEST_ATTACH_LIMIT:-15} + 20)) guest_run "
        PORT=$port SPEED=$speed nc -w 5 10.0.2.2 $tcp -e /usr/bin/guest-attach ||
            { echo 'guest_attach: port $port is taken or nothing listens at 127.0.0.1:$tcp' >&2; exit 1; }
        limit=${GUEST_ATTACH_LIMIT:-15}
        [ \$limit != 0 ] || exit 0
        end=\$((\$(date +%s) + limit))
        while :; do
            # hub port status speed device descriptor busid
            set -- \$(grep '^$hub  *$(printf %04d "$port") ' /sys/devices/platform/vhci_hcd.0/status)
            if [ \"\$3\" = 006 ] && [ -s /sys/bus/usb/devices/\$7/bConfigurationValue ] &&
                [ -n \"\$(cat /sys/bus/usb/devices/\$7/bConfigurationValue)\" ]; then
                echo \$7
                exit 0
            fi
            if [ \$(date +%s) -ge \$end ]; then
                echo \"guest_attach: port $port was not enumerated in \$limit s (status \$3); the kernel says:\" >&2
                dmesg | grep -i usb | tail -n 5 >&2
                exit 1
            fi
            sleep 0.05
        done"
}

guest_detach() { guest_run "echo $1 >/sys/devices/platform/vhci_hcd.0/detach"; }
