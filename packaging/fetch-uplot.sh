#!/usr/bin/env bash
# Fetches uPlot, which draws the plots of the page, from the npm registry, and checks that its package is the one whose sum
# stands here. The files lie unchanged in crates/web/src/assets/uplot, with their licence.
#
#   packaging/fetch-uplot.sh          lays the files there
#   packaging/fetch-uplot.sh --check  says whether those that lie there are those of the package
#
# For another version: its number and the sum of its package here, then run it, and the tests of the page.
set -euo pipefail
version=1.6.32
sum=4b8a8191e425658e3ea8c8c1314b0fc679c861ee3a1af2b20c7b16ba50b5133d
files=(dist/uPlot.iife.min.js dist/uPlot.min.css LICENSE)

case ${1:-} in
"" | --check) ;;
*)
    echo "usage: $0 [--check]" >&2
    exit 2
    ;;
esac
command -v npm >/dev/null || {
    echo "npm is missing: install Debian's package npm, then run this again" >&2
    exit 1
}
here=$(cd "$(dirname "$0")/.." && pwd)/crates/web/src/assets/uplot
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$work" && npm pack --silent "uplot@$version" >/dev/null)
echo "$sum  $work/uplot-$version.tgz" | sha256sum --check --quiet || {
    echo "the package is not the one whose sum stands in this script: nothing was changed" >&2
    exit 1
}
tar -xzf "$work/uplot-$version.tgz" -C "$work"
mkdir -p "$here"
for file in "${files[@]}"; do
    if [ "${1:-}" = --check ]; then
        cmp "$work/package/$file" "$here/$(basename "$file")"
    else
        install -m 644 "$work/package/$file" "$here/$(basename "$file")"
    fi
done
echo "uPlot $version: ${files[*]}"
