//! What `docs/differences-from-nut.md` says was seen in a differential test has a test that names it.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use std::path::Path;

#[test]
fn every_differential_row_has_a_test() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let files = |folder: &Path| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let shared = files(&tests).filter(|path| path.is_dir()).flat_map(|path| files(&path).collect::<Vec<_>>());
    let sources = files(&tests).chain(shared).filter(|path| path.extension().is_some_and(|end| end == "rs"));
    let sources: String = sources.map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let page = include_str!("../../../docs/differences-from-nut.md");
    let rows = page.lines().filter(|line| line.starts_with("| `") && line.contains("| differential |"));
    let names: Vec<&str> = rows.filter_map(|row| row.split('`').nth(1)).collect();
    assert!(names.len() > 30, "{names:?}");
    let missing: Vec<&&str> = names.iter().filter(|name| !sources.contains(&format!("\"{name}\""))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
