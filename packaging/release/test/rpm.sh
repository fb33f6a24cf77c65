# The RPM packages, as rpm sees them: no system of that kind is here, so they are installed into an empty root.
# shellcheck shell=bash

for architecture in $architectures; do
    package=$out/qxups-$version-1.${rpm_architecture[$architecture]}.rpm
    rpm -K --nosignature "$package" | grep -q 'digests OK' || fail "rpm -K $package"
    rpm -qip "$package"
    [ "$(rpm -qp --qf '%{NAME} %{VERSION} %{RELEASE} %{ARCH} %{OS}' "$package")" = "qxups $version 1 ${rpm_architecture[$architecture]} linux" ] || fail "rpm -qp $package"
    # the files of the archive, but for links
    root=$work/rpm-$architecture
    mkdir -p "$root"
    rpm --root "$root" --dbpath /var/lib/rpm -i --nodeps --noscripts --ignorearch "$package"
    (cd "$root" && find usr -type f -exec sha256sum {} + | LC_ALL=C sort -k2) >"$work/in-rpm"
    (cd "$work/$architecture" && find usr -type f -exec sha256sum {} + | LC_ALL=C sort -k2) >"$work/in-archive"
    diff "$work/in-rpm" "$work/in-archive" || fail "$package has other files than the archive"
    ok "$architecture: rpm reads it, digests are right, the files are those of the archive"
done
not_run "installation on a system with RPM: none can be had here; the scripts of the package are parsed alone"
for script in post preun postun; do sh -n "packaging/rpm/$script" || fail "packaging/rpm/$script"; done
