#!/usr/bin/env bash
# Runs a command with the kernel handing programs of QXUPS_ARCHITECTURE to QEMU (binfmt_misc), also inside of other roots:
# packaging/release/test/emulated.sh COMMAND [ARGUMENT...]. What was registered is taken back.
set -euo pipefail
case $QXUPS_ARCHITECTURE in
arm64) name=qemu-aarch64 ;;
armhf) name=qemu-arm ;;
i386) exec "$@" ;; # a kernel of amd64 runs these itself
*) exit 1 ;;
esac
folder=/proc/sys/fs/binfmt_misc
if [ -z "${QXUPS_EMULATED_MOUNT:-}" ]; then
    QXUPS_EMULATED_MOUNT=yes exec unshare --mount "$0" "$@"
fi
[ -e $folder/register ] || mount -t binfmt_misc binfmt_misc $folder
if [ ! -e $folder/$name ]; then
    # the first 20 bytes of such a program, those that count; F: the file stays open for other roots
    elf='\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00'
    case $name in
    qemu-aarch64) magic='\x7fELF\x02'$elf'\x02\x00\xb7\x00' ;;
    qemu-arm) magic='\x7fELF\x01'$elf'\x02\x00\x28\x00' ;;
    esac
    mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
    printf '%s' ":$name:M::$magic:$mask:/usr/bin/$name-static:F" >$folder/register
    trap 'echo -1 >$folder/$name' EXIT
fi
"$@"
