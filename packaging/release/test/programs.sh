# The programs of the archives: that they are static and of their architecture, and work; others' under QEMU.
# shellcheck shell=bash

declare -A machine=([amd64]="X86-64" [arm64]="AArch64" [armhf]="ARM" [i386]="80386")
port=34931
for architecture in $architectures; do
    mkdir -p "$work/$architecture"
    tar -C "$work/$architecture" --strip-components=1 -xzf "$out/qxups-$version-linux-$architecture.tar.gz"
    usr=$work/$architecture/usr run=()
    [ -z "${emulator[$architecture]}" ] || run=("${emulator[$architecture]}")
    for program in "$usr/bin/qxups" "$usr/lib/qxups/nutdrv_qx"; do
        readelf -hW "$program" | grep -q "Machine:.*${machine[$architecture]}" || fail "$program is of another machine"
        if readelf -lW "$program" | grep -q INTERP || readelf -dW "$program" | grep -q NEEDED; then fail "$program is not static"; fi
        if grep -qa -e "$PWD" -e /root/ -e /source/crates -e /vendor/ -e /build/ "$program"; then fail "$program has a path of where it was made"; fi
    done
    [ "$("${run[@]}" "$usr/bin/qxups" -V)" = "qxups $version" ] || fail "$architecture: qxups -V"
    # the links of the drivers are names
    for driver in nutdrv_qx blazer_ser blazer_usb; do
        [ -x "$usr/lib/qxups/$driver" ] || fail "$architecture: no $driver"
    done
    "${run[@]}" "$usr/lib/qxups/nutdrv_qx" -V | grep -q "qxups $version" || fail "$architecture: nutdrv_qx -V"
    ok "$architecture: static, and says its version${run:+ under $run}"

    # a UPS on a pseudo-terminal; QEMU 7.2's user mode has not the system call that opens one with any baud rate (TCGETS2)
    port=$((port + 1))
    place=$work/ups from=(--serial "$work/ups") end=(--link "$work/ups") way="a pseudo-terminal"
    if [ ${#run[@]} -gt 0 ]; then
        place=tcp://127.0.0.1:$port from=(--tcp 127.0.0.1:$port) end=(--tcp 127.0.0.1:$port) way=TCP
        not_run "$architecture: a UPS on a pseudo-terminal: not with ${run[0]}"
    fi
    "${run[@]}" "$usr/bin/qxups" sim --protocol voltronic-qs "${end[@]}" >"$work/sim.log" 2>&1 &
    sim=$!
    running+=($sim)
    soon grep -q . "$work/sim.log"
    "${run[@]}" "$usr/bin/qxups" scan --no-usb "${from[@]}" >"$work/scan.log" 2>&1 || fail "$architecture: scan: $(cat "$work/scan.log")"
    grep -q 'protocol = "voltronic-qs"' "$work/scan.log" || fail "$architecture: it found $(cat "$work/scan.log")"
    "${run[@]}" "$usr/lib/qxups/nutdrv_qx" -s try -u root -d 1 -x port="$place" >"$work/driver.log" 2>&1 || fail "$architecture: driver: $(cat "$work/driver.log")"
    grep -q '^ups.status: OL' "$work/driver.log" || fail "$architecture: the driver says $(cat "$work/driver.log")"
    ok "$architecture: tool and driver find the dialect of a UPS by $way"

    # the whole server, which NUT's own client asks; the demonstration has its UPSes on pseudo-terminals
    port=$((port + 1))
    if [ ${#run[@]} -gt 0 ]; then
        mkdir -p "$work/conf" "$work/state"
        printf '[u]\n    driver = nutdrv_qx\n    port = %s\n' "$place" >"$work/conf/ups.conf"
        NUT_STATEPATH=$work/state NUT_ALTPIDPATH=$work/state QXUPS_VARPATH=$work/state \
            "${run[@]}" "$usr/bin/qxups" serve -u root --listen 127.0.0.1:$port "$work/conf" >"$work/serve.log" 2>&1 &
    else
        "${run[@]}" "$usr/bin/qxups" serve --demo --listen 127.0.0.1:$port >"$work/serve.log" 2>&1 &
    fi
    server=$!
    running+=($server)
    soon upsc -l 127.0.0.1:$port
    upsc -l 127.0.0.1:$port >"$work/upses" 2>/dev/null
    first=$(head -1 "$work/upses")
    soon upsc "$first@127.0.0.1:$port" ups.status
    kill -INT $server
    wait $server || fail "$architecture: the server ended with $?"
    kill $sim
    wait $sim 2>/dev/null || true
    ok "$architecture: NUT's upsc reads $first, one of $(wc -l <"$work/upses") UPSes of qxups serve${run:+ under $run}"
done
