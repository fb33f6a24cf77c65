#!/usr/bin/env python3
"""Takes files that were deleted from vendored crates out of the sums by which cargo knows them."""
import json
import pathlib
import sys

for sums in pathlib.Path(sys.argv[1]).glob("*/.cargo-checksum.json"):
    known = json.loads(sums.read_text())
    there = {name: sum for name, sum in known["files"].items() if (sums.parent / name).exists()}
    if there != known["files"]:
        known["files"] = there
        sums.write_text(json.dumps(known))
