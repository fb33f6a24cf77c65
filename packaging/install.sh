#!/bin/sh
# Puts what was built into a folder, as packages have it; docs/packaging.md says what each file is.
#
#   packaging/install.sh DESTDIR BUILT [PREFIX]     # BUILT: the folder of qxups and nutdrv_qx, such as target/release; PREFIX: /usr
#
# Links into NUT's own folder are not made here: how a driver of NUT steps aside is for each distribution to say.
set -eu
[ $# -ge 2 ] || { echo "install.sh: write DESTDIR and the folder of the programs" >&2; exit 2; }
prefix=${3:-/usr}
top=$1$prefix
built=$2
here=$(dirname "$0")

put() { # MODE FOLDER FILE...
    mode=$1 folder=$top/$2
    shift 2
    install -d "$folder"
    install -m "$mode" "$@" "$folder"
}

put 755 bin "$built/qxups"
put 755 lib/qxups "$built/nutdrv_qx"
# one program; its name says what it is to be
ln -sf nutdrv_qx "$top/lib/qxups/blazer_ser"
ln -sf nutdrv_qx "$top/lib/qxups/blazer_usb"
ln -sf ../../bin/qxups "$top/lib/qxups/upsd"
put 644 share/man/man1 "$here"/man/*.1
put 644 share/qxups/man "$here"/man/*.8
put 644 lib/udev/rules.d "$here/udev/62-qxups.rules"
put 644 lib/udev/hwdb.d "$here/udev/62-qxups.hwdb"
put 644 lib/systemd/system "$here/systemd/qxups-driver@.service" "$here/systemd/qxups-serve.service"
install -d "$top/lib/systemd/system-shutdown"
install -m 755 "$here/systemd/system-shutdown" "$top/lib/systemd/system-shutdown/qxups"
put 644 lib/sysusers.d "$here/sysusers/qxups.conf"
put 644 lib/tmpfiles.d "$here/tmpfiles/qxups.conf"
put 644 share/doc/qxups "$here/../README.md" "$here"/../docs/*.md
put 644 share/doc/qxups/examples "$here"/prometheus/*.yml "$here/grafana/qxups.json"
