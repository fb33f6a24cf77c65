# What the courses share. They run inside of a clean Debian, by sh -e.

ok() { echo "ok: $*"; }
fail() {
    echo "FAILED: $*"
    exit 1
}
install() { apt-get install -qy --no-install-recommends "$@"; }

# drivers that this package brings
ours() { ls /usr/lib/qxups | grep -vx upsd; }

# whose driver stands under a name in NUT's folder
whose() {
    case "$(/lib/nut/"$1" -V 2>&1)" in
    *qxups*) echo qxups ;;
    *"Network UPS Tools"*) echo nut ;;
    *) echo nobody ;;
    esac
}

everything_is() {
    for name in nutdrv_qx blazer_ser blazer_usb; do
        [ -e "/usr/lib/qxups/$name" ] || [ "$1" = nut ] || continue
        [ "$(whose $name)" = "$1" ] || fail "/lib/nut/$name is that of $(whose $name), not of $1: $2"
        case "$1,$(man -w 8 $name && zcat "$(man -w 8 $name)")" in
        qxups,*"qxups man $name"*) ;;
        nut,*"qxups man $name"*) fail "the manual page of $name is still ours: $2" ;;
        nut,*) ;;
        *) fail "the manual page of $name is not ours: $2" ;;
        esac
    done
    [ "$(whose upsd)" = "$1" ] || fail "/lib/nut/upsd is that of $(whose upsd), not of $1: $2"
    ok "$2"
}

nothing_is_left_of_ours() {
    left=$(find / -xdev -name '*qxups*' -not -path '/packages*' -not -path '/proc/*' -not -path '/var/log/*' -not -path '/tmp/*' -not -path '/var/lib/apt/*' -not -path '/var/cache/apt/*' || true)
    [ -z "$left" ] || fail "purge leaves: $left"
    if dpkg-divert --list | grep qxups; then fail "purge leaves a diversion"; fi
}

nothing_is_left() {
    nothing_is_left_of_ours
    if find /lib/nut /usr/lib/nut /usr/share/man -name '*.nut*' 2>/dev/null | grep .; then fail "purge leaves what was put aside"; fi
    ok "purge leaves nothing"
}

# what tells whether anything of nut-server changed, but for its configuration
fingerprint() {
    dpkg -V nut-server | grep -v ' c ' || true
    sha256sum /lib/nut/* /usr/share/man/man8/*
}

a_ups() {
    /packages/simulator sim --tcp 127.0.0.1:4001 >/tmp/simulator.log 2>&1 &
    # 0FA1 is 4001, 0A means that somebody listens
    until grep -q ':0FA1 .* 0A ' /proc/net/tcp; do sleep 0.1; done
}

configured() {
    cat >/etc/nut/ups.conf <<END
maxretry = 1
[u]
    driver = $1
    port = tcp://127.0.0.1:4001
    pollinterval = 1
END
    echo MODE=standalone >/etc/nut/nut.conf
    echo 'LISTEN 127.0.0.1 3493' >/etc/nut/upsd.conf
}

# upsc, once upsd has what the driver says
value() {
    for _ in $(seq 100); do
        value=$(upsc u@127.0.0.1 "$1" 2>/dev/null || true)
        [ -z "$value" ] || break
        sleep 0.1
    done
    echo "$value"
}

has() {
    [ "$(value "$1")" = "$2" ] || fail "$1 is '$(value "$1")', not '$2'"
    ok "$1 is $2"
}
