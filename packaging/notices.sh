#!/usr/bin/env bash
# Prints the notices that the licences of linked crates ask for, and nothing of the workspace's own crates:
#
#   packaging/notices.sh PACKAGE... [-- ARGUMENT...]      # arguments for cargo tree, such as --target TRIPLE
#
# CRATES, if set, is the folder with a folder NAME-VERSION for each crate (cargo vendor --versioned-dirs); else cargo's own.
set -euo pipefail
shopt -s nocaseglob
cd "$(dirname "$0")/.."
packages=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do packages+=(-p "$1") && shift; done
shift || true

cargo tree --locked "${packages[@]}" "$@" -e normal --prefix none -f '{p}|{l}' |
    grep -v -e "($PWD" -e '^$' | sed 's/ (\*)//; s/ (proc-macro)//' | LC_ALL=C sort -u |
    while IFS='|' read -r crate licence; do
        printf '== %s, %s\n\n' "$crate" "$licence"
        if [ -n "${CRATES:-}" ]; then
            folders=("$CRATES/${crate/ v/-}")
        else
            folders=("${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/"${crate/ v/-}")
        fi
        found=
        for file in "${folders[0]}"/{LICENSE*,COPYING*,COPYRIGHT*,LICENCE*,UNLICENSE*,NOTICE*}; do
            if [ -f "$file" ]; then
                found=yes
                cat "$file"
                echo
            fi
        done
        if [ -z "$found" ]; then
            echo "It brings no file with its licence, whose text stands with other crates of this list. Its Cargo.toml says:"
            sed -n '/^authors = /,/\]/p; /^license = /p; /^repository = /p' "${folders[0]}/Cargo.toml"
            echo
        fi
    done
