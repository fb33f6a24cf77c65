# What lies there, and whether it is what the checksums and lists say.
# shellcheck shell=bash

(cd "$out" && sha256sum --quiet -c SHA256SUMS) || fail "SHA256SUMS"
[ "$(cd "$out" && ls | grep -v '^SHA256SUMS' | LC_ALL=C sort)" = "$(awk '{ print $2 }' "$out/SHA256SUMS" | LC_ALL=C sort)" ] || fail "SHA256SUMS names other files"
ok "SHA256SUMS names every file, and each is as it says"

# a key that lives as long as this test
export GNUPGHOME=$work/gnupg
mkdir -m 700 "$GNUPGHOME" "$work/signed"
gpg --batch --quiet --passphrase '' --quick-generate-key 'release test <test@example.org>' ed25519 sign never
cp "$out/SHA256SUMS" "$work/signed/"
packaging/release/sign.sh "$work/signed" test@example.org
gpg --batch --verify "$work/signed/SHA256SUMS.asc" "$work/signed/SHA256SUMS" || fail "the signature is wrong"
echo "0 another" >>"$work/signed/SHA256SUMS"
if gpg --batch --verify "$work/signed/SHA256SUMS.asc" "$work/signed/SHA256SUMS"; then fail "a changed list passes"; fi
gpgconf --kill all
unset GNUPGHOME
ok "a signature of SHA256SUMS is verified, and fails for another list"

for program in qxups nutdrv_qx; do
    bill=$out/qxups-$version-$program.cdx.json licences=$out/qxups-$version-licences-$program.txt
    jq -e '.specVersion == "1.5" and (.components | length > 20)' "$bill" >/dev/null || fail "$bill"
    # each crate of the bill has its notice, and the other way round
    jq -r '.components[] | select(.purl // "" | startswith("pkg:cargo/")) | "\(.name) v\(.version)"' "$bill" | LC_ALL=C sort >"$work/billed"
    sed -n 's/^== \([a-zA-Z0-9_-]* v[0-9][^,]*\), .*/\1/p' "$licences" | LC_ALL=C sort >"$work/noticed"
    diff "$work/billed" "$work/noticed" || fail "$program: bill of materials and notices name other crates"
    empty=$(awk '/^== / { if (head && lines < 3) print head; head = $0; lines = 0; next } NF { lines++ }' "$licences" | grep -v SQLite || true)
    [ -z "$empty" ] || fail "$program: no licence stands below $empty"
    ok "$program: $(wc -l <"$work/billed") crates in the bill of materials, each with its licence in the notices"
done
grep -q '^== ring v' "$out/qxups-$version-licences-qxups.txt" || fail "ring is in qxups"
if grep -q -e '^== ring v' -e '^== rustls v' "$out/qxups-$version-licences-nutdrv_qx.txt"; then fail "the drivers are linked with TLS"; fi
if grep '^== ' "$out/qxups-$version-licences-nutdrv_qx.txt" | grep 'Apache-2.0$' | grep -v ' OR '; then fail "the drivers have a crate that is Apache-2.0 alone"; fi
ok "the drivers have no TLS, and no crate under the Apache licence alone"

judge=target/tools/cyclonedx
if [ -x $judge/bin/python ] || { python3 -m venv $judge && $judge/bin/pip install -q 'cyclonedx-python-lib[json-validation]'; }; then
    for bill in "$out"/*.cdx.json; do
        $judge/bin/python - "$bill" <<'END' || fail "$bill is not in the form of CycloneDX 1.5"
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
said = JsonStrictValidator(SchemaVersion.V1_5).validate_str(open(sys.argv[1]).read())
sys.exit(str(said) if said else 0)
END
    done
    ok "the bills of materials have the form of CycloneDX 1.5"
else
    rm -rf $judge
    not_run "the schema of CycloneDX: cyclonedx-python-lib cannot be installed"
fi
