//! Imports point one way: a room of this crate names none that comes after it in `lib.rs`'s order.
#![allow(missing_docs, clippy::unwrap_used, clippy::disallowed_methods)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The rooms, each resting on those before it alone.
const ROOMS: [&str; 10] =
    ["vocabulary", "wire", "protocols", "line", "usb", "options", "judge", "detect", "device", "text"];

/// The parts of a device, each resting on those before it. (`battery` stands on three files beside it.)
const PARTS: [&str; 15] = [
    "bounds",
    "timing",
    "said",
    "store",
    "nut_estimate",
    "bank",
    "course",
    "battery",
    "line",
    "schedule",
    "search",
    "control",
    "publication",
    "identity",
    "timer",
];

/// The rooms that a source names: `crate::room`, wherever it stands.
fn named(source: &str) -> impl Iterator<Item = &str> {
    let letters =
        |text: &str| text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    source.split("crate::").skip(1).map(move |rest| &rest[..letters(rest)])
}

fn check(folder: &Path, room: usize, wrong: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            check(&path, room, wrong);
            continue;
        }
        let source = std::fs::read_to_string(&path).unwrap();
        // a comment may point anywhere
        let code: Vec<&str> = source.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        let source = code.join("\n");
        for other in named(&source) {
            match ROOMS.iter().position(|name| *name == other) {
                Some(at) if at <= room => {}
                _ => wrong.push(format!("{}: crate::{other}", path.display())),
            }
        }
    }
}

#[test]
fn no_room_names_a_later_one() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = vec![];
    for (at, room) in ROOMS.iter().enumerate() {
        check(&source.join(room), at, &mut wrong);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_room_is_listed() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in std::fs::read_dir(source).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(name == "lib.rs" || ROOMS.contains(&name.as_str()), "{name}");
    }
}

/// The sources in a folder, without comments, by their paths.
fn sources(folder: &Path, found: &mut BTreeMap<PathBuf, String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
            continue;
        }
        let source = std::fs::read_to_string(&path).unwrap();
        let code: Vec<&str> = source.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        found.insert(path, code.join("\n"));
    }
}

/// What stands behind each `path` in a source, up to its end as a name.
fn behind<'s>(source: &'s str, path: &'s str) -> impl Iterator<Item = &'s str> {
    let end = |text: &str| text.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(text.len());
    source.split(path).skip(1).map(move |rest| &rest[..end(rest)]).filter(|name| !name.is_empty())
}

#[test]
fn no_part_of_a_device_names_a_later_one() {
    let device = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/device");
    let mut found = BTreeMap::new();
    sources(&device, &mut found);
    let (mut wrong, mut counted) = (vec![], 0);
    for (path, source) in &found {
        let part = path.strip_prefix(&device).unwrap().iter().next().unwrap().to_str().unwrap();
        let part = part.strip_suffix(".rs").unwrap_or(part);
        // the device holds them all
        if part == "mod" {
            continue;
        }
        let at = PARTS.iter().position(|name| *name == part).unwrap_or_else(|| panic!("{part} is no part"));
        // of a file beside the parts, or the first of a part's folder, `super` is the device
        let of_the_device = path.parent() == Some(&device) || path.ends_with("mod.rs");
        let by_super: Vec<&str> =
            if of_the_device { behind(source, "use super::").collect() } else { vec![] };
        for other in behind(source, "crate::device::").chain(by_super) {
            counted += 1;
            match PARTS.iter().position(|name| *name == other) {
                Some(of) if of <= at => {}
                _ => wrong.push(format!("{}: {other}", path.display())),
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(counted > 20, "{counted} imports were seen");
}

#[test]
fn no_files_of_a_part_name_one_another() {
    let device = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/device");
    let mut found = BTreeMap::new();
    sources(&device, &mut found);
    let mut names: BTreeMap<PathBuf, BTreeSet<PathBuf>> = BTreeMap::new();
    for (path, source) in found.iter().filter(|(path, _)| !path.ends_with("mod.rs")) {
        let beside = behind(source, "super::").map(|name| path.with_file_name(format!("{name}.rs")));
        names.insert(
            path.clone(),
            beside.filter(|other| other != path && found.contains_key(other)).collect(),
        );
    }
    // what names nothing that is left is taken away, until only circles are left
    while let Some(path) = names.iter().find(|(_, others)| others.is_empty()).map(|(path, _)| path.clone()) {
        names.remove(&path);
        for others in names.values_mut() {
            others.remove(&path);
        }
    }
    assert!(names.is_empty(), "{names:#?}");
}
