# The OCI image: skopeo and umoci read it; it runs as its user, and its health check says how it is.
# shellcheck shell=bash

image=$out/qxups-$version-oci.tar
for architecture in $architectures; do
    override=(--override-os linux --override-arch "${oci_architecture[$architecture]}")
    [ -z "${oci_variant[$architecture]}" ] || override+=(--override-variant "${oci_variant[$architecture]}")
    # copying checks every digest
    skopeo "${override[@]}" copy --insecure-policy "oci-archive:$image:$version" "oci:$work/copied-$architecture:$version"
    umoci unpack --image "$work/copied-$architecture:$version" "$work/bundle-$architecture"
    root=$work/bundle-$architecture/rootfs
    cmp "$root/usr/bin/qxups" "$work/$architecture/usr/bin/qxups" || fail "$architecture: the image has another program"
    [ "$(stat -c '%u:%g %a' "$root/var/lib/nut")" = "65532:65532 770" ] || fail "$architecture: /var/lib/nut is $(stat -c '%u:%g %a' "$root/var/lib/nut")"
    [ -z "$(find "$root" -perm /6000)" ] || fail "$architecture: a program with a right of another user"
    ok "$architecture: skopeo and umoci read the image"
done

# the command that a container engine would run
blobs=$work/copied-amd64/blobs/sha256
manifest=$blobs/$(jq -r '.manifests[0].digest' "$work/copied-amd64/index.json" | cut -d: -f2)
jq -r '.config.Healthcheck.Test[1:][]' "$blobs/$(jq -r .config.digest "$manifest" | cut -d: -f2)" >"$work/health"
[ -s "$work/health" ] || fail "the image has no health check"
cat >"$work/contained" <<'END'
set -eu
root=$1 health=$2
ip link set lo up
printf '[u]\n    driver = qxups-sim\n    port = none\n' >"$root/etc/nut/ups.conf"
printf 'LISTEN * 3493\n' >"$root/etc/nut/upsd.conf"
mount --bind "$root" "$root"
mkdir -p "$root/dev" "$root/proc"
mount -t tmpfs none "$root/dev"
mkdir "$root/dev/pts"
mount -t devpts -o newinstance,ptmxmode=0666 none "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
for node in null urandom; do touch "$root/dev/$node" && mount --bind /dev/$node "$root/dev/$node"; done
mount -t proc proc "$root/proc"
mount -o remount,bind,ro "$root"
mount -t tmpfs -o uid=65532,gid=65532,mode=0770 none "$root/run/nut"
mount -t tmpfs -o uid=65532,gid=65532,mode=0770 none "$root/var/lib/nut"
inside() { chroot --userspec=65532:65532 --groups= "$root" "$@"; }
healthy() { inside $(cat "$health") >/dev/null 2>&1; }
if healthy; then echo "the health check passes without a server"; exit 1; fi
# no function: the process is to be the server
chroot --userspec=65532:65532 --groups= "$root" /usr/bin/qxups serve &
server=$!
for _ in $(seq 300); do healthy && break; sleep 0.2; done
healthy
for _ in $(seq 300); do [ "$(upsc u@127.0.0.1 ups.status 2>/dev/null)" = OL ] && break; sleep 0.2; done
[ "$(upsc u@127.0.0.1 ups.status 2>/dev/null)" = OL ]
[ "$(awk '/^Uid:/ { print $2 } /^CapEff:/ { print $2 }' /proc/$server/status | xargs)" = "65532 0000000000000000" ]
kill $server
wait $server
if healthy; then echo "the health check passes after the end"; exit 1; fi
END
unshare --mount --net --pid --fork --mount-proc --kill-child bash "$work/contained" "$work/bundle-amd64/rootfs" "$work/health" || fail "the image does not run"
ok "amd64: the image serves as user 65532 without a capability on a read-only root; its health check passes while it serves, and fails before and after"
