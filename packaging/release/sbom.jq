# A bill of materials in the form of CycloneDX 1.5 (ECMA-424), from cargo's own words.
def rows: split("\n") | map(select(. != "") | split("\t"));
def key: "\(.name) \(.version)";
# a crate of this workspace is on no registry under that name
def ref: if .source then "pkg:cargo/\(.name)@\(.version)" else "workspace:\(.name)" end;
# cargo took a slash for OR in former times
def expression: gsub(" */ *"; " OR ");

($crates | rows | map("\(.[0]) \(.[1])")) as $linked
| ($checksums | rows | map({ key: "\(.[0]) \(.[1])", value: .[2] }) | from_entries) as $checksum
| ($metadata[0].packages | map(select(key as $key | $linked | index($key)))) as $packages
| ($packages | map({ key: .id, value: ref }) | from_entries) as $ref
| ($others | rows) as $others
| ($packages[] | select(.name == $package and .source == null)) as $root
| if ($packages | length) != ($linked | length) then error("cargo tree and cargo metadata name other crates") else . end
| {
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    version: 1,
    serialNumber: "urn:uuid:\($seed[0:8])-\($seed[8:12])-8\($seed[13:16])-8\($seed[17:20])-\($seed[20:32])",
    metadata: {
        timestamp: $time,
        component: {
            type: "application",
            "bom-ref": ($root | ref),
            name: $program,
            version: $version,
            description: $root.description,
            licenses: [{ expression: $licence }],
            properties: [{ name: "qxups:commit", value: $commit }],
        },
    },
    components: (
        [
            $packages[] | select(.id != $root.id) | . as $crate | {
                type: "library",
                "bom-ref": ref,
                name: .name,
                version: .version,
                licenses: [{ expression: (.license | expression) }],
            }
            + (if .source then { purl: ref, hashes: [{ alg: "SHA-256", content: $checksum[key] }] } else {} end)
            + (if .source and .repository then { externalReferences: [{ type: "vcs", url: .repository }] } else {} end)
        ]
        + [$others[] | { type: "library", "bom-ref": .[3], name: .[0], version: .[1], licenses: [{ expression: .[2] }], purl: .[3] }]
    ),
    dependencies: (
        [
            $metadata[0].resolve.nodes[] | select($ref[.id]) | {
                ref: $ref[.id],
                dependsOn: ([.deps[] | select(any(.dep_kinds[]; .kind == null)) | $ref[.pkg] | values] | unique),
            }
        ]
        | map(if .ref == ($root | ref) then .dependsOn += [$others[] | .[3]] else . end)
    ),
}
