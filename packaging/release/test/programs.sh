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

    # a UPS on a pseudo-terminal
    "${run[@]}" "$usr/bin/qxups" sim --protocol voltronic-qs --link "$work/ups" >"$work/sim.log" 2>&1 &
    sim=$!
    running+=($sim)
    soon test -e "$work/ups"
    "${run[@]}" "$usr/bin/qxups" scan --no-usb --serial "$work/ups" >"$work/scan.log" 2>&1 || fail "$architecture: scan: $(cat "$work/scan.log")"
    grep -q 'protocol = "voltronic-qs"' "$work/scan.log" || fail "$architecture: it found $(cat "$work/scan.log")"
    "${run[@]}" "$usr/lib/qxups/nutdrv_qx" -s try -u root -d 1 -x port="$work/ups" >"$work/driver.log" 2>&1 || fail "$architecture: driver: $(cat "$work/driver.log")"
    grep -q '^ups.status: OL' "$work/driver.log" || fail "$architecture: the driver says $(cat "$work/driver.log")"
    kill $sim
    wait $sim 2>/dev/null || true
    ok "$architecture: tool and driver find the dialect of a UPS on a pseudo-terminal"

    # the whole server, which NUT's own client asks
    port=$((port + 1))
    "${run[@]}" "$usr/bin/qxups" serve --demo --listen 127.0.0.1:$port >"$work/demo.log" 2>&1 &
    demo=$!
    running+=($demo)
    soon upsc -l 127.0.0.1:$port
    said=$(upsc -l 127.0.0.1:$port 2>/dev/null | wc -l)
    [ "$said" -ge 3 ] || fail "$architecture: the server has $said UPSes"
    first=$(upsc -l 127.0.0.1:$port 2>/dev/null | head -1)
    soon upsc "$first@127.0.0.1:$port" ups.status
    kill -INT $demo
    wait $demo || fail "$architecture: serve --demo ended with $?"
    ok "$architecture: NUT's upsc reads $said UPSes of serve --demo: $first is $(grep -c . "$work/demo.log") lines of log"
done
