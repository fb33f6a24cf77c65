//! Every recording of a real device through the real driver: `port = replay:FILE` publishes what the
//! `.expect` file says, and a command to a recording is never said to be done.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use testbed::nut::Which;
use testbed::ups::SimUps;

type Listing = BTreeMap<String, String>;

fn drive(arguments: &[&str]) -> Output {
    let folder = std::env::temp_dir();
    let mut command = Command::new(env!("CARGO_BIN_EXE_nutdrv_qx"));
    command.args(["-s", "x", "-u", "root"]).args(arguments);
    // the PID file of an instance that runs would be looked for here
    command.env("NUT_STATEPATH", &folder).env("NUT_ALTPIDPATH", &folder);
    command.stdin(Stdio::null()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The last block of an `.expect` file.
fn expected(path: &Path) -> Listing {
    let text = std::fs::read_to_string(path.with_extension("expect")).unwrap();
    let mut listing = Listing::new();
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
        if line.starts_with("--- ") {
            listing.clear();
        } else {
            let (name, value) = line.split_once(' ').unwrap_or((line, ""));
            listing.insert(name.into(), value.into());
        }
    }
    listing
}

/// What the driver printed that the UPS itself said.
fn said(out: &str, expected: &Listing) -> Listing {
    let estimated = ["battery.charge", "battery.voltage.low", "battery.voltage.high"];
    let ours = |name: &str| {
        name.starts_with("ups.delay.")
            || name.starts_with("driver.")
            || name == "device.type"
            || estimated.contains(&name) && !expected.contains_key(name)
    };
    let lines = out.lines().filter_map(|line| line.split_once(": "));
    lines.filter(|(name, _)| !ours(name)).map(|(name, value)| (name.into(), value.into())).collect()
}

fn replay(path: &Path) -> Result<(), String> {
    let log = std::fs::read_to_string(path).unwrap();
    let header = |name: &str| log.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim();
    let port = format!("port=replay:{}", path.display());
    // enough polls for the last of the status replies, with one more for each that is doubted
    let polls = (log.lines().filter(|line| *line == "> Q1" || *line == "> QS" || *line == "> QGS").count()
        + 3)
    .to_string();
    // what says which USB device is meant says nothing here
    let output = drive(&["-x", &port, "-x", "vendorid=0665", "-d", &polls, "-i", "1"]);
    let out = text(&output.stdout);
    let dialect = format!("driver.version.data: {}\n", header("# protocol:"));
    let wanted = expected(path);
    let got = said(&out, &wanted);
    match output.status.success() && out.contains(&dialect) && got == wanted {
        true => Ok(()),
        false => Err(format!("{}: {output:?}\nwanted {wanted:#?}\ngot {got:#?}", path.display())),
    }
}

#[test]
fn every_capture_is_driven() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../captures");
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "log"));
    // captures/README.md lists them all
    let listed = include_str!("../../../captures/README.md").matches(".log) |").count();
    assert_eq!(paths.len(), listed, "captures, and those that are listed");
    let replays: Vec<_> = paths.into_iter().map(|path| std::thread::spawn(move || replay(&path))).collect();
    let wrong: Vec<String> = replays.into_iter().filter_map(|replay| replay.join().unwrap().err()).collect();
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// The driver's own log, with the bytes of questions and replies that are no text.
#[test]
fn a_log_of_the_driver_is_a_recording() {
    for protocol in ["voltronic-axpert", "voltronic-qs-hex", "masterguard", "megatec"] {
        let ups = SimUps::start(&format!("log-{protocol}"), Which::Ours, protocol, &["unknown NAK"]);
        let output = drive(&["-x", &format!("port={}", ups.port.display()), "-d", "1", "-DDD"]);
        assert!(output.status.success(), "{output:?}");
        let path = std::env::temp_dir().join(format!("qxups-replay-{}-{protocol}", std::process::id()));
        std::fs::write(&path, &output.stderr).unwrap();
        let replayed = drive(&["-x", &format!("port=replay:{}", path.display()), "-d", "1"]);
        std::fs::remove_file(&path).unwrap();
        let without_port = |out: &[u8]| {
            let out = text(out);
            out.lines()
                .filter(|line| !line.starts_with("driver.parameter.port"))
                .map(String::from)
                .collect::<Vec<_>>()
        };
        assert!(replayed.status.success(), "{protocol}: {replayed:?}");
        assert_eq!(without_port(&replayed.stdout), without_port(&output.stdout), "{protocol}");
    }
}

#[test]
fn a_recording_is_not_switched_off() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../captures/");
    let port = format!("port=replay:{folder}ippon-na-plus-q1.log");
    let output = drive(&["-x", &port, "-k"]);
    let err = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(err.contains("this is a replay, nothing was sent") && err.contains("the load stays on"), "{err}");
    assert!(err.contains("is a recording: what is published is old"), "{err}");
}

#[test]
fn what_is_no_recording_is_said_to_be_none() {
    for (port, part) in [
        ("replay:/no/such/file", "whole path"),
        (concat!("replay:", env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"), "is not valid capture syntax"),
        ("replay:", "replay:/path/of/a/capture"),
    ] {
        let output = drive(&["-x", &format!("port={port}"), "-d", "1"]);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(text(&output.stderr).contains(part), "{port}: {output:?}");
    }
}
