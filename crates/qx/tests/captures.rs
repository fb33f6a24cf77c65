//! Public captures of real devices replay with the values that were worked out by hand from their
//! bytes (`captures/*.expect`): the truth about columns that does not come from our tables.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

use qx::device::Event;
use qx::line::capture::Capture;
use qx::options::Options;
use qx::wire::query::Cadence;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use testbed::line::{Line, ended, seconds};

type Listing = BTreeMap<String, String>;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../captures")
}

/// The blocks of an `.expect` file: by the number of the status reply (from 1) after which they
/// hold; the only block of a file holds after the last.
fn expectations(text: &str, replies: usize) -> BTreeMap<usize, Listing> {
    let mut blocks = BTreeMap::new();
    let mut number = replies;
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
        if let Some(header) = line.strip_prefix("--- ") {
            number = header.split_whitespace().last().unwrap().parse().unwrap();
            blocks.entry(number).or_insert_with(Listing::new);
        } else {
            let (name, value) = line.split_once(' ').unwrap_or((line, ""));
            blocks.entry(number).or_insert_with(Listing::new).insert(name.into(), value.into());
        }
    }
    blocks
}

/// What the UPS itself said: no delays kept by the driver, no estimates.
fn said(line: &Line, expected: &Listing) -> Listing {
    let estimated = ["battery.charge", "battery.voltage.low", "battery.voltage.high"];
    let ours = |name: &str| {
        name.starts_with("ups.delay.") || estimated.contains(&name) && !expected.contains_key(name)
    };
    let entries = line.device.store().entries().filter(|(name, _)| !ours(name));
    entries.map(|(name, entry)| (name.to_string(), entry.text.clone())).collect()
}

fn replay(path: &Path) {
    let name = path.file_stem().unwrap().to_string_lossy().to_string();
    let capture = Capture::parse(&std::fs::read_to_string(path).unwrap())
        .unwrap_or_else(|bad| panic!("{name}: {bad:?}"));
    let protocol = capture.header["protocol"].clone();
    let unknown = capture.header["unknown"].clone();
    let queries = qx::protocols::named(&protocol).unwrap().queries;
    let status = queries.iter().find(|query| query.cadence == Cadence::Quick).unwrap().ask;
    let count = capture.replies(status).len();
    let blocks = expectations(&std::fs::read_to_string(path.with_extension("expect")).unwrap(), count);
    assert!(!blocks.is_empty(), "{name}: nothing is expected");
    let mut line = Line::new(Options::default());
    let mut current = 1;
    for number in 1..=count {
        let mut given = 0;
        current = current.max(number);
        let mut ups = |ask: &str, _| {
            let replies = capture.replies(ask);
            // a reply without an expectation is given once: it is something like a torn line
            let at = if ask == status { (current + given).min(count) } else { replies.len() };
            given += usize::from(ask == status && !blocks.contains_key(&(current + given)));
            match replies.get(at.wrapping_sub(1)) {
                Some(reply) => reply.map(ended).unwrap_or_default(),
                None if unknown == "silent" => vec![],
                None if unknown == "echo" => ended(ask.as_bytes()),
                None => ended(unknown.as_bytes()),
            }
        };
        let until = line.now + seconds(20);
        line.run(until, &mut ups, |event| matches!(event, Event::NotFound(_)));
        if let Some(expected) = blocks.get(&number) {
            let found = line.device.protocol().map(|protocol| protocol.name);
            assert_eq!(found, Some(protocol.as_str()), "{name}: {:?}", line.events);
            let mut said = said(&line, expected);
            // what the model makes of it nobody works out by hand
            if !expected.contains_key("battery.runtime") {
                said.remove("battery.runtime");
            }
            assert_eq!(&said, expected, "{name} after {status} number {number}");
        }
    }
}

/// The names in the first column of the table in `captures/README.md`: none vanishes without a word, nor its
/// expectations.
fn listed() -> Vec<String> {
    let readme = std::fs::read_to_string(folder().join("README.md")).unwrap();
    let links = readme.lines().filter_map(|line| line.strip_prefix("| [")?.split_once("](")).filter_map(
        |(name, rest)| {
            assert!(folder().join(format!("{name}.expect")).exists(), "{name}");
            rest.starts_with(&format!("{name}.log)")).then(|| name.to_string())
        },
    );
    links.collect()
}

#[test]
fn captures_say_what_was_worked_out_by_hand() {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "log"));
    paths.sort();
    let found: Vec<String> =
        paths.iter().map(|path| path.file_stem().unwrap().to_str().unwrap().into()).collect();
    assert_eq!(found, listed(), "captures, and those that captures/README.md lists");
    let wrong: Vec<_> =
        paths.iter().filter(|path| std::panic::catch_unwind(|| replay(path)).is_err()).collect();
    assert!(wrong.is_empty(), "{} of {} captures differ: {wrong:#?}", wrong.len(), paths.len());
}
