# What the maintainer's scripts share; build-deb.sh puts it into each of them, in place of #COMMON#.

# Every place where a link to something of ours goes, and the name under which what stands there is kept. Two
# spellings of one place: Debian 12 packs its drivers in /lib, later ones in /usr/lib. Each has a name of its own
# to be put aside: with the same one, dpkg deletes the new file as a part of the old package when Debian is
# upgraded.
each_place() {
    for name in nutdrv_qx blazer_ser blazer_usb; do
        "$1" "/lib/nut/$name" "/lib/nut/$name.nut" "$name"
        "$1" "/usr/lib/nut/$name" "/usr/lib/nut/$name.nut-usr" "$name"
        "$1" "/usr/share/man/man8/$name.8.gz" "/usr/share/man/man8/$name.nut.8.gz" "$name.8.gz"
    done
    # the server: Debian's /sbin/upsd is a script that starts this one. Its manual page holds for ours as well
    "$1" /lib/nut/upsd /lib/nut/upsd.nut upsd
    "$1" /usr/lib/nut/upsd /usr/lib/nut/upsd.nut-usr upsd
}

# also a link to nothing
is_there() { [ -e "$1" ] || [ -L "$1" ]; }

is_our_link() {
    [ -L "$1" ] || return 1
    case "$(readlink "$1")" in /usr/lib/qxups/* | /usr/share/qxups/*) return 0 ;; esac
    return 1
}

# whether a package brings this, in this spelling
is_packed() { dpkg-query --search "$1" 2>/dev/null | grep -v '^diversion ' | grep -q .; }

# who diverts this: a package, LOCAL for the administrator, or nothing
diverter() { dpkg-divert --listpackage "$1"; }

# Looks for what stands in the way, before anything is changed: whatever was found is told at once.
look() {
    case "$(diverter "$1")" in
    qxups) return 0 ;;
    "") ;;
    LOCAL)
        clash "$1 is diverted by the administrator already; undo that first: dpkg-divert --remove $1"
        return 0
        ;;
    *)
        clash "$1 is diverted by the package $(diverter "$1") already, so that one or qxups has to go"
        return 0
        ;;
    esac
    # somebody undid our diversion, and it is made again
    if is_our_link "$1"; then return 0; fi
    if [ -d "$1" ] && [ ! -L "$1" ]; then clash "$1 is a directory; move it away first"; fi
    if is_there "$2"; then clash "$2 is there already, where qxups keeps what it puts aside; give it another name first"; fi
}
clash() {
    echo "qxups: $1" >&2
    clashes=yes
}
nothing_is_in_the_way() {
    clashes=
    each_place look
    [ -z "$clashes" ]
}
