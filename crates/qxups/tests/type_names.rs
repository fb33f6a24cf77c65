//! A type name stands for one thing in the whole workspace (docs/style.md): who meets it in one crate knows it in all.
//! A type without `pub` is its file's own, and not looked at.
#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Names that stand more than once, with the number of times and the reason.
const EXCEPTIONS: &[(&str, usize, &str)] = &[
    ("Clock", 2, "link/timer.rs: one type, written for Linux and for other systems; a build has one of them"),
    ("CommandLine", 2, "driver and serve: what each program was started with, the same in either"),
    ("ControlCommand", 2, "driver and serve: what `-c` asks of the running program, by the words of NUT"),
    ("Ground", 2, "driver and serve: foreground or background"),
    ("Task", 2, "driver and serve: what each program is to do after its command line"),
];

/// Every source of a crate that is no test.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && name != "tests" {
            sources(&path, found);
        } else if name.ends_with(".rs") && name != "tests.rs" {
            found.push(path);
        }
    }
}

/// The types that a source makes known outside of its file.
fn types(source: &str) -> impl Iterator<Item = &str> {
    source.lines().filter_map(|line| {
        let visible = line.trim_start().strip_prefix("pub")?;
        let words = match visible.strip_prefix('(') {
            Some(of) => of.split_once(')')?.1,
            None => visible,
        };
        let mut words = words.split_whitespace().skip_while(|word| *word == "unsafe");
        let is_type = matches!(words.next()?, "struct" | "enum" | "trait" | "type" | "union");
        let name = words.next().filter(|_| is_type && visible.starts_with([' ', '(']))?;
        name.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next()
    })
}

/// What is wrong with the names of these sources.
fn findings(places: &BTreeMap<String, Vec<String>>, exceptions: &[(&str, usize, &str)]) -> Vec<String> {
    let allowed =
        |name: &str| exceptions.iter().find(|(known, ..)| *known == name).map_or(1, |known| known.1);
    let often = places.iter().filter(|(name, places)| places.len() > allowed(name));
    let seldom = exceptions.iter().filter(|(name, ..)| places.get(*name).map_or(0, Vec::len) < allowed(name));
    let often = often.map(|(name, places)| format!("{name}: {}", places.join(", ")));
    often.chain(seldom.map(|(name, ..)| format!("{name}: no exception is needed"))).collect()
}

#[test]
fn a_type_name_means_one_thing_in_the_workspace() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = vec![];
    for entry in std::fs::read_dir(crates).unwrap() {
        sources(&entry.unwrap().path().join("src"), &mut files);
    }
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in &files {
        let source = std::fs::read_to_string(path).unwrap();
        for name in types(&source) {
            let place = path.strip_prefix(crates).unwrap().display().to_string();
            places.entry(name.into()).or_default().push(place);
        }
    }
    assert!(places.len() > 400, "{}", places.len());
    let wrong = findings(&places, EXCEPTIONS);
    assert!(wrong.is_empty(), "give each its own name, or an exception its reason:\n{}", wrong.join("\n"));
}

#[test]
fn types_are_found_with_any_visibility_and_nothing_else_is() {
    let source = "pub struct One;\n    pub(crate) enum Two {\npub(in crate::device) type Three<T> = T;\n\
                  pub unsafe trait Four: Send {\nstruct Own;\npub fn five() {}\npublic struct Six;\npub use a::Seven;";
    assert_eq!(types(source).collect::<Vec<_>>(), ["One", "Two", "Three", "Four"]);
    let twice = BTreeMap::from([("One".to_string(), vec!["a.rs".to_string(), "b.rs".to_string()])]);
    assert_eq!(findings(&twice, &[]), ["One: a.rs, b.rs"]);
    assert_eq!(findings(&twice, &[("One", 2, "")]), [""; 0]);
    assert_eq!(findings(&twice, &[("One", 3, "")]), ["One: no exception is needed"]);
}
