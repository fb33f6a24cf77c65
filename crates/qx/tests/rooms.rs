//! Imports point one way: a room of this crate names none that comes after it in `lib.rs`'s order.
#![allow(missing_docs, clippy::unwrap_used, clippy::disallowed_methods)]

use std::path::Path;

/// The rooms, each resting on those before it alone.
const ROOMS: [&str; 10] =
    ["vocabulary", "wire", "protocols", "line", "usb", "options", "judge", "detect", "device", "text"];

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
