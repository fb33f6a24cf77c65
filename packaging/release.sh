#!/usr/bin/env bash
# Makes everything of a release from a commit of this repository; two runs give equal bytes. docs/release.md lists what.
#
#   packaging/release.sh [OPTION...] [COMMIT]     # left out: HEAD; what is not committed is left out
#
#   --architectures LIST   of Debian's names: amd64,arm64,armhf,i386 (all, when left out); amd64 is always among them
#   --out FOLDER           where it goes; left out: target/release-VERSION
#   --sign KEY             signs SHA256SUMS with this key of your gpg; QXUPS_SIGN_KEY says the same
#   --quick                little optimisation, to rehearse: a folder of its own, and no release
#   --resume               goes on with what the last run compiled, to rehearse
#   --test                 tries all of it (packaging/release/test.sh); its log is FOLDER.test.log
#   --again                makes it once more from nothing, in another folder and at another time, and compares
#
# Needs root, an amd64 host with git, cargo, mmdebstrap, and a mirror of Debian the first time: the compilers are those of
# Debian 13, in a root of 3 GB in target/release-root (QXUPS_RELEASE_ROOT names another).
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
    printf 'release.sh: %s\n' "$*" >&2
    exit 1
}
say() { printf '\n== %s (at %s s)\n' "$*" "$SECONDS"; }

architectures=amd64,arm64,armhf,i386 out='' key=${QXUPS_SIGN_KEY:-} quick='' resume='' tested='' again='' commit=HEAD
given=()
while [ $# -gt 0 ]; do
    case $1 in
    --architectures | --out | --sign) [ $# -gt 1 ] || fail "$1 wants a value" ;;&
    --architectures) architectures=$2 && given+=("$1" "$2") && shift ;;
    --out) out=$(realpath -m "$2") && shift ;;
    --sign) key=$2 && shift ;;
    --quick) quick=yes && given+=("$1") ;;
    --resume) resume=yes ;;
    --test) tested=yes ;;
    --again) again=yes ;;
    -*) fail "there is no option $1: see the first lines of this script" ;;
    *) commit=$1 ;;
    esac
    shift
done

[ "$(id -u)" = 0 ] || fail "a root of Debian is made and entered: run this as root"
[ "$(dpkg --print-architecture)" = amd64 ] || fail "the compilers run on amd64 alone"
for tool in git cargo mmdebstrap flock; do
    type -P $tool >/dev/null || fail "$tool is missing: apt-get install mmdebstrap git; cargo by rustup"
done
architectures=$(tr , ' ' <<<"amd64,$architectures" | xargs -n1 | awk '!seen[$0]++' | xargs)
for architecture in $architectures; do
    case $architecture in
    amd64 | arm64 | armhf | i386) ;;
    *) fail "there is no toolchain for '$architecture': amd64, arm64, armhf, i386" ;;
    esac
done

commit=$(git rev-parse --verify --quiet "$commit^{commit}") || fail "there is no commit '$commit'"
version=$(git show "$commit:Cargo.toml" | sed -n '/^\[workspace.package\]/,/^$/s/^version = "\(.*\)"/\1/p')
for tag in $(git tag --points-at "$commit" | grep '^v[0-9]' || true); do
    [ "$tag" = "v$version" ] || fail "the tag $tag stands on a commit whose Cargo.toml says $version"
done
epoch=$(git show -s --format=%ct "$commit")
[ -n "$out" ] || out=$PWD/target/release-$version${quick:+-quick}
[ -z "$(git status --porcelain)" ] || echo "release.sh: changes that are not committed are left out" >&2

# tools that Debian does not have
PATH="$PWD/target/tools/bin:$PATH"
for tool in deb generate-rpm; do
    cargo "$tool" --version >/dev/null 2>&1 && continue
    say "cargo-$tool: installed in target/tools"
    CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
        cargo install --quiet --locked --root target/tools --target-dir target/tools/build "cargo-$tool"
done

root=${QXUPS_RELEASE_ROOT:-$PWD/target/release-root}
mkdir -p target "${root%/*}"
exec 9>"$root.lock"
flock 9
if [ ! -x "$root/usr/bin/jq" ]; then
    say "a root of Debian 13 with its compilers"
    mirror=$(packaging/mirror.sh)
    rm -rf "$root"
    mmdebstrap --variant=minbase --architectures=amd64,arm64,armhf,i386 \
        --include=cargo,rustc,gcc,libc6-dev,dpkg-dev,jq,xz-utils,ca-certificates \
        --include=libstd-rust-dev:arm64,libstd-rust-dev:armhf,libstd-rust-dev:i386 \
        --include=gcc-aarch64-linux-gnu,gcc-arm-linux-gnueabihf,gcc-i686-linux-gnu \
        --include=libc6-dev-arm64-cross,libc6-dev-armhf-cross,libc6-dev-i386-cross \
        trixie "$root" ${mirror:+"deb $mirror trixie main"} >"$root.log" 2>&1 || {
        rm -rf "$root"
        fail "the root cannot be made: see $root.log"
    }
fi

say "qxups $version, commit $commit"
[ -n "$resume" ] || rm -rf "$root/build"
rm -rf "$root"/{before,vendor,out} && mkdir -p "$root"/{source,vendor,tools}
mv "$root/source" "$root/before" && mkdir "$root/source"
git archive "$commit" | tar -x -C "$root/source"
# cargo goes by times: what is as before keeps its own
if [ -n "$resume" ]; then
    (cd "$root/source" && find . -type f) | while read -r file; do
        cmp -s "$root/before/$file" "$root/source/$file" && touch -r "$root/before/$file" "$root/source/$file"
    done || true
fi
rm -rf "$root/before"
cp "$(type -P cargo-deb)" "$(type -P cargo-generate-rpm)" "$root/tools/"
# cargo checks each file of it by Cargo.lock
(cd "$root/source" && cargo vendor --quiet --locked --versioned-dirs "$root/vendor" >/dev/null)
# build scripts look at times as well
find "$root/vendor" -exec touch -h -d "@$epoch" {} +

profile=()
[ -z "$quick" ] || profile=(CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16)
umask 022
chroot "$root" env -i PATH=/tools:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 TZ=UTC VERSION="$version" COMMIT="$commit" \
    SOURCE_DATE_EPOCH="$epoch" ARCHITECTURES="$architectures" "${profile[@]}" bash /source/packaging/release/inside.sh

rm -rf "$out"
mkdir -p "$out"
cp "$root"/out/* "$out/"
git archive --format=tar --prefix="qxups-$version/" "$commit" | gzip -9n >"$out/qxups-$version.tar.gz"
(cd "$out" && LC_ALL=C sha256sum -- * >SHA256SUMS)
# what only the test reads
rm -rf "$out.higher"
cp -r "$root/build/release-files/higher" "$out.higher"

if [ -n "$again" ]; then
    say "once more from nothing: an own checkout, an own target"
    other=$(mktemp -d)
    trap 'rm -rf "$other"' EXIT
    git clone --quiet --no-checkout "$PWD" "$other/checkout"
    git -C "$other/checkout" checkout --quiet "$commit"
    flock -u 9
    (umask 077 && TZ=Asia/Tokyo QXUPS_RELEASE_ROOT=$root PATH=$PATH HOSTNAME=other \
        "$other/checkout/packaging/release.sh" "${given[@]}" --out "$other/out" "$commit")
    diff "$out/SHA256SUMS" "$other/out/SHA256SUMS" || fail "two runs gave different bytes, see the lines above"
    echo "two runs gave equal bytes"
fi

if [ -n "$key" ]; then
    say "signature by $key"
    packaging/release/sign.sh "$out" "$key"
fi

if [ -n "$tested" ]; then
    say "tests, log in $out.test.log"
    outcome=0
    packaging/release/test.sh "$out" "$version" "$architectures" >"$out.test.log" 2>&1 || outcome=$?
    grep -e '^ok: ' -e '^NOT RUN: ' -e '^FAILED' "$out.test.log" || true
    [ $outcome = 0 ] || fail "a test failed: see $out.test.log"
fi
say "done: $out"
ls -l "$out"
