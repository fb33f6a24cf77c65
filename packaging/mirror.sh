#!/usr/bin/env bash
# Prints the mirror of Debian that this host's apt uses, for a root with 'main' alone: where several architectures are
# wanted, their updates may come to a mirror one after another. Nothing, where apt is not set up; QXUPS_MIRROR wins.
set -euo pipefail
if [ -n "${QXUPS_MIRROR:-}" ]; then
    echo "$QXUPS_MIRROR"
else
    apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' | awk '$1 !~ /[-\/]/ && !seen { print $2; seen = 1 }'
fi
