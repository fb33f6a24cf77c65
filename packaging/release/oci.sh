#!/usr/bin/env bash
# Writes /out/qxups-VERSION-oci.tar: an OCI image layout with an image for each architecture, from nothing but a static
# binary, its licences, the certificates of ca-certificates, and the names that the C library looks up.
set -euo pipefail
cd /source
. packaging/release/targets.sh
work=/build/release-files
layout=$work/oci
rm -rf "$layout"
mkdir -p "$layout/blobs/sha256"
created=$(date -u -d "@$SOURCE_DATE_EPOCH" +%FT%TZ)
# of distroless images; no user of a host
user=65532

# FILE: moves it to the blobs; prints digest and size as members of a descriptor
blob() {
    local digest
    digest=$(sha256sum "$1" | cut -d' ' -f1)
    printf '"digest":"sha256:%s","size":%s' "$digest" "$(stat -c %s "$1")"
    mv "$1" "$layout/blobs/sha256/$digest"
}

root_of() { # ARCHITECTURE: the files, in $work/root
    local root=$work/root
    rm -rf "$root"
    install -d -m 755 "$root"/{etc/{nut,ssl/certs},usr/{bin,share/doc/qxups}}
    install -d -m 1777 "$root/tmp"
    install -d -m 755 "$root"/{run,var,var/lib}
    install -d -m 770 -o $user -g $user "$root"/{run/nut,var/lib/nut}
    install -m 755 "/build/${triple[$1]}/release/qxups" "$root/usr/bin/qxups"
    install -m 644 "/out/qxups-$VERSION-licences-qxups.txt" "$root/usr/share/doc/qxups/licences.txt"
    install -m 644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
    install -m 644 /usr/share/doc/ca-certificates/copyright "$root/usr/share/doc/qxups/ca-certificates-copyright.txt"
    cat >"$root/etc/passwd" <<END
root:x:0:0:root:/:/sbin/nologin
nut:x:$user:$user:Network UPS Tools:/var/lib/nut:/sbin/nologin
END
    cat >"$root/etc/group" <<END
root:x:0:
tty:x:5:
dialout:x:20:
nut:x:$user:
END
    printf 'passwd: files\ngroup: files\nhosts: files dns\n' >"$root/etc/nsswitch.conf"
    chmod 644 "$root"/etc/{passwd,group,nsswitch.conf}
}

manifests=()
for architecture in $ARCHITECTURES; do
    root_of "$architecture"
    tar -C $work/root --sort=name --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" --format=gnu -cf $work/layer.tar .
    difference=$(sha256sum $work/layer.tar | cut -d' ' -f1)
    gzip -9nf $work/layer.tar
    layer=$(blob $work/layer.tar.gz)
    variant=${oci_variant[$architecture]:+,\"variant\":\"${oci_variant[$architecture]}\"}
    platform="\"architecture\":\"${oci_architecture[$architecture]}\"$variant,\"os\":\"linux\""
    # Healthcheck is Docker's and Podman's, in nanoseconds; others pass over it
    cat >$work/config.json <<END
{"created":"$created",$platform,"config":{"User":"$user:$user","Entrypoint":["/usr/bin/qxups"],"Cmd":["serve"],"WorkingDir":"/","StopSignal":"SIGTERM",
"ExposedPorts":{"3493/tcp":{},"3494/tcp":{}},"Volumes":{"/var/lib/nut":{}},
"Healthcheck":{"Test":["CMD","/usr/bin/qxups","timers"],"Interval":30000000000,"Timeout":10000000000,"StartPeriod":20000000000,"Retries":3},
"Labels":{"org.opencontainers.image.title":"qxups","org.opencontainers.image.version":"$VERSION","org.opencontainers.image.revision":"$COMMIT","org.opencontainers.image.licenses":"GPL-3.0-or-later","org.opencontainers.image.description":"UPSes of the Q* dialects, for every client of NUT"}},
"rootfs":{"type":"layers","diff_ids":["sha256:$difference"]},"history":[{"created":"$created","created_by":"packaging/release/oci.sh"}]}
END
    config=$(blob $work/config.json)
    cat >$work/manifest.json <<END
{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json",$config},
"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip",$layer}]}
END
    manifests+=("{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",$(blob $work/manifest.json),\"platform\":{$platform}}")
done
joined=$(IFS=,; echo "${manifests[*]}")
printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[%s]}\n' "$joined" >$work/index.json
images=$(blob $work/index.json)
printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.index.v1+json",%s,"annotations":{"org.opencontainers.image.ref.name":"%s"}}]}\n' \
    "$images" "$VERSION" >"$layout/index.json"
printf '{"imageLayoutVersion":"1.0.0"}\n' >"$layout/oci-layout"
chmod -R u=rwX,go=rX "$layout"
tar -C "$layout" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" --format=gnu \
    -cf "/out/qxups-$VERSION-oci.tar" oci-layout index.json blobs
