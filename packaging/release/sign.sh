#!/usr/bin/env bash
# Signs what SHA256SUMS names: packaging/release/sign.sh FOLDER KEY. The key is one of this user's gpg.
set -euo pipefail
gpg --batch --yes --local-user "$2" --armor --detach-sign --output "$1/SHA256SUMS.asc" "$1/SHA256SUMS"
