//! `qxups capture`, as a user runs it, on simulated UPSes of every dialect: what it recorded replays as
//! the UPS itself, also without its serial number.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use link::Address;
use station::config::UpsConfig;
use station::driver_kind::NUTDRV_QX;
use station::{Condition, Setup, Station};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

const QXUPS: &str = env!("CARGO_BIN_EXE_qxups");

/// A simulated UPS in a process of its own, and where it is.
struct Ups(Child, String);

impl Ups {
    fn start(arguments: &[&str]) -> Ups {
        let mut child = Command::new(QXUPS)
            .args(["sim", "--end", "200", "--tcp", "127.0.0.1:0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut place = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut place).unwrap();
        Ups(child, place.trim().to_string())
    }
}

impl Drop for Ups {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("qxups-capture-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn capture(port: &str, arguments: &[&str]) -> Output {
    Command::new(QXUPS).arg("capture").arg(port).args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The dialect that the driver finds at a port, and all that it publishes.
fn listing(port: &str, protocol: Option<&str>) -> (Option<&'static str>, BTreeMap<String, String>) {
    let mut config = UpsConfig::at(&NUTDRV_QX, Address::parse(port).unwrap());
    config.options.protocol = protocol.map(String::from);
    config.opening.lock = false;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let station = Station::spawn(Setup::look(&NUTDRV_QX, config));
        station
            .until(|station| !matches!(station.condition(), Condition::Opening | Condition::Searching))
            .await;
        let device = station.device().borrow();
        let entries = device.store().entries();
        let entries = entries.map(|(name, entry)| (name.to_string(), entry.text.clone())).collect();
        (device.protocol().map(|protocol| protocol.name), entries)
    })
}

fn replayed(path: &Path, protocol: Option<&str>) -> (Option<&'static str>, BTreeMap<String, String>) {
    listing(&format!("replay:{}", path.display()), protocol)
}

fn is_serial(name: &str) -> bool {
    matches!(name, "ups.serial" | "device.serial")
}

#[test]
fn every_dialect_replays_as_it_is_also_without_its_serial_number() {
    let folder = folder("every");
    let all: Vec<_> = qx::protocols::ALL
        .iter()
        .map(|protocol| {
            let folder = folder.clone();
            std::thread::spawn(move || {
                let name = protocol.name;
                let named = protocol.by_name.then_some(name);
                let file = |kind: &str| folder.join(format!("{}-{kind}", name.replace('/', "-")));
                let ups = Ups::start(&["--protocol", name, "--knob", "unknown NAK"]);
                let (plain, hidden) = (file("plain"), file("hidden"));
                for (path, option) in [(&plain, "--rounds=2"), (&hidden, "--anonymous")] {
                    let mut arguments = vec![option, "-xpollinterval=1", "--output", path.to_str().unwrap()];
                    if let Some(name) = named {
                        arguments.extend(["--protocol", name]);
                    }
                    let output = capture(&ups.1, &arguments);
                    assert!(output.status.success(), "{name}: {output:?}");
                }
                let live = listing(&ups.1, named);
                assert_eq!(live.0, Some(name));
                assert_eq!(replayed(&plain, named), live, "{name}");

                let (dialect, mut without) = replayed(&hidden, named);
                let mut rest = live.1.clone();
                let recording = std::fs::read_to_string(&hidden).unwrap();
                let mut serials = 0;
                rest.retain(|name, value| {
                    if is_serial(name) {
                        serials += 1;
                        assert!(!recording.contains(value.as_str()), "{value}: {recording}");
                        let masked = without.remove(name).unwrap_or_else(|| panic!("{recording}"));
                        assert_eq!(masked.len(), value.len());
                        assert!(masked.chars().all(|letter| letter == 'X'), "{masked}");
                    }
                    !is_serial(name)
                });
                assert_eq!((dialect, without), (Some(name), rest), "{name}");
                assert!(!recording.contains("may hold private texts"), "{name}: {recording}");
                let explained = Command::new(QXUPS).arg("explain").arg(&plain).output().unwrap();
                let explained = text(&explained.stdout);
                assert!(!explained.is_empty() && !explained.contains("no dialect asks"), "{explained}");
                serials
            })
        })
        .collect();
    let serials: usize = all.into_iter().map(|one| one.join().unwrap()).sum();
    assert!(serials >= 5, "{serials}");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn an_outage_is_recorded_with_its_times() {
    let folder = folder("outage");
    let script = folder.join("script");
    std::fs::write(&script, "at 0s mains back\nat 4s mains fail\n").unwrap();
    let ups = Ups::start(&["--knob", "unknown echo", "--script", script.to_str().unwrap()]);
    let path = folder.join("log");
    let output = capture(&ups.1, &["--seconds", "6", "-x", "pollinterval=1", "-o", path.to_str().unwrap()]);
    assert!(output.status.success(), "{output:?}");
    let recording = qx::line::capture::Capture::read(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(recording.unknown(), qx::line::capture::Unknown::Echo);
    let on_battery = |reply: &Option<&[u8]>| reply.unwrap()[38] == b'1';
    let replies = recording.replies("Q1");
    assert!(!on_battery(&replies[0]) && on_battery(replies.last().unwrap()), "{replies:?}");
    let times: Vec<_> = recording.exchanges.iter().map(|recorded| recorded.at.unwrap()).collect();
    assert!(times.is_sorted() && recording.exchanges[0].latency.is_some());
    // what is there is not overwritten
    let output = capture(&ups.1, &["-o", path.to_str().unwrap()]);
    assert!(text(&output.stderr).contains("name a new file by --output"), "{output:?}");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_ups_that_nobody_knows_is_recorded_all_the_same() {
    let ups = Ups::start(&["--knob", "unknown NAK", "--knob", "reply Q1 \"!what?\""]);
    let output = capture(&ups.1, &["--anonymous"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(text(&output.stderr).contains("send the recording"), "{output:?}");
    let out = text(&output.stdout);
    assert!(out.contains("> Q1\n< !what?\n") && out.contains("> QGS\n< NAK\n"), "{out}");
    assert!(out.contains("may hold private texts") && !out.contains("# protocol"), "{out}");
    let silent = Ups::start(&["--knob", "silent on"]);
    let output = capture(&silent.1, &["--protocol", "megatec"]);
    assert!(text(&output.stderr).contains("does not answer") && !output.status.success(), "{output:?}");
    assert!(text(&output.stdout).contains("> Q1\n-\n"), "{output:?}");
}

#[test]
fn what_cannot_be_recorded_is_said() {
    for (port, arguments, part) in [
        ("/dev/no-such-port", &[][..], "cannot open /dev/no-such-port"),
        ("udp://x", &[], "tcp://host:port"),
        ("/dev/null", &["--protocol", "megatek"], "did you mean megatec"),
        ("/dev/null", &["-x", "frob"], "'frob' is not an option"),
    ] {
        let output = capture(port, arguments);
        assert!(!output.status.success() && text(&output.stderr).contains(part), "{port}: {output:?}");
    }
}

#[test]
fn a_serial_number_in_the_place_of_a_model_is_masked() {
    let folder = folder("in-a-text");
    for (model, kept) in [("SN12345678", false), ("AS041811  ", true)] {
        let ups = Ups::start(&["--knob", &format!("reply I \"#QXUPS           {model} V1.0      \"")]);
        let path = folder.join(model.trim());
        let output = capture(&ups.1, &["--anonymous", "--rounds=1", "--output", path.to_str().unwrap()]);
        assert!(output.status.success(), "{output:?}");
        let recording = std::fs::read_to_string(&path).unwrap();
        assert!(recording.contains("#QXUPS"), "{recording}");
        assert_eq!(recording.contains(model.trim_start_matches("SN")), kept, "{recording}");
        assert_eq!(recording.contains("# note: a number in this reply may be a serial number"), kept);
    }
    std::fs::remove_dir_all(folder).unwrap();
}
