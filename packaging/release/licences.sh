#!/usr/bin/env bash
# Writes the licence texts of each binary: /out/qxups-VERSION-licences-PROGRAM.txt, and /out/notices for the packages.
set -euo pipefail
cd /source
export CRATES=/vendor

text() { # OF WHICH PACKAGE: of Debian, whose files are linked
    printf '== %s\n\n' "$1"
    cat "/usr/share/doc/$2/copyright"
    echo
}
# all static: the C library and the runtimes of the compilers are in the binary as well
runtimes() {
    text "the GNU C library, LGPL-2.1-or-later; its source is that of Debian 13's package glibc" libc6
    text "libgcc, GPL-3.0-or-later with the GCC Runtime Library Exception" libgcc-s1
    text "Rust's standard library, MIT OR Apache-2.0" libstd-rust-dev
}
drivers() {
    echo "nutdrv_qx (blazer_ser, blazer_usb) of qxups $VERSION: GPL-2.0-or-later, whose text is at the end."
    echo "Linked with these, none of which is under the Apache licence alone:"
    echo
    packaging/notices.sh driver
    runtimes
    printf '== The GNU General Public License, version 2\n\n'
    cat LICENSE
}
tool() {
    echo "qxups (upsd) of qxups $VERSION: its sources are under GPL-2.0-or-later. Linked with TLS, parts of which are under the"
    echo "Apache licence alone, it is conveyed under GPL-3.0-or-later, whose text is at the end. Linked with these:"
    echo
    packaging/notices.sh qxups
    printf '== uPlot, MIT\n\n'
    cat crates/web/src/assets/uplot/LICENSE
    printf '\n== SQLite: in the public domain\n\n'
    runtimes
    printf '== The GNU General Public License, version 3\n\n'
    cat /usr/share/common-licenses/GPL-3
}
drivers >"/out/qxups-$VERSION-licences-nutdrv_qx.txt"
tool >"/out/qxups-$VERSION-licences-qxups.txt"
mkdir -p /build/release-files
{
    packaging/notices.sh driver qxups
    runtimes
} >/build/release-files/notices
