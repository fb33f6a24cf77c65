//! What tests share stays theirs: no program is built with it, and no crate includes files of another.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use std::path::{Path, PathBuf};

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn no_crate_depends_on_it_but_for_its_tests() {
    let mut seen = 0;
    for entry in std::fs::read_dir(crates()).unwrap() {
        let manifest = entry.unwrap().path().join("Cargo.toml");
        let Ok(text) = std::fs::read_to_string(&manifest) else { continue };
        let mut section = "";
        for line in text.lines() {
            if line.starts_with('[') {
                section = line;
            }
            let is_named =
                line.trim_start().starts_with("testbed") || line.starts_with("[dependencies.testbed");
            seen += usize::from(is_named);
            assert!(!is_named || section == "[dev-dependencies]", "{}: {section}", manifest.display());
        }
    }
    assert!(seen > 3, "{seen}");
}

#[test]
fn no_file_is_included_from_another_crate() {
    let mut all = vec![];
    sources(&crates(), &mut all);
    assert!(all.len() > 300, "{}", all.len());
    for path in all.iter().filter(|path| !path.ends_with("only_in_tests.rs")) {
        let text = std::fs::read_to_string(path).unwrap();
        // a file of the same crate may be shared by its test programs
        let own = path.strip_prefix(crates()).unwrap().components().count();
        let ups = |line: &str| line.matches("../").count();
        let leaves = |line: &&str| line.trim_start().starts_with("#[path") && ups(line) + 2 > own;
        let found = text.lines().find(leaves);
        assert_eq!(found, None, "{}", path.display());
    }
}
