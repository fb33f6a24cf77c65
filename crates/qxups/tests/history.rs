//! `qxups history` and `qxups outages` as a user runs them, on a file whose content is known.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use history::{
    EventKind, HistoryBatch, HistoryEvent, HistoryFile, HistoryRecorder, Outage, Provenance, Quantity,
    SampledValue, SeriesKey,
};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// 2026-03-01T12:00:00Z.
const NOON: i64 = 1_772_366_400_000;
const LONG: &str = "a-ups-with-a-name-that-is-longer-than-any-table-has-room-for";

fn file(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("qxups-history-cli-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("history.sqlite");
    let mut recorder = HistoryRecorder::default();
    for second in 0..6 {
        let volts =
            SampledValue { key: SeriesKey::said(Quantity::InputVoltage), value: 230.0 + second as f64 };
        let charge = SampledValue { key: SeriesKey::computed(Quantity::Charge), value: 87.5 };
        recorder.record("rack", NOON + second * 10_000, [volts, charge]);
    }
    let outage = Outage {
        begin_ms: NOON,
        end_ms: Some(NOON + 3_725_000),
        length: Duration::from_secs(3725),
        begin_seen: true,
        end_seen: true,
        low_battery: true,
        lowest_charge: Some((41.5, Provenance::Computed)),
        lowest_voltage: Some((22.25, Provenance::Computed)),
        mean_load: Some((17.4, Provenance::Said)),
        energy_wh: Some((151.25, Provenance::Said)),
        ..Outage::default()
    };
    let lasts = Outage { begin_ms: NOON + 9_000_000, end_ms: None, ..Outage::default() };
    let event = |at, ups, kind, text: &str| HistoryEvent::new(at, ups, kind, text);
    let batch = HistoryBatch {
        at_ms: NOON,
        rows: recorder.take_all(),
        events: vec![
            event(NOON, None, EventKind::Start, "qxups"),
            event(NOON + 1000, Some("rack"), EventKind::Status, "OB DISCHRG"),
            event(NOON + 2000, Some(LONG), EventKind::Command, &format!("\x1b[2J, \"{}\"", "x".repeat(200))),
        ],
        outages: vec![("rack".into(), outage, NOON), (LONG.into(), lasts, NOON)],
        energy: vec![("rack".into(), Provenance::Said, 1234.5)],
    };
    HistoryFile::open(&path, 16).unwrap().write(1, &batch).unwrap();
    path
}

fn run(path: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_qxups"));
    command.args(arguments).arg("--file").arg(path).env("TZ", "UTC");
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn tables_fit_a_terminal_and_obey_nothing() {
    let path = file("tables");
    for arguments in [&["history", "--since", "2026-01-01"][..], &["outages"], &["history", "-V", "energy"]] {
        let (code, said, _) = run(&path, arguments);
        assert_eq!(code, Some(0));
        assert!(said.lines().all(|line| line.chars().count() <= 80 && !line.ends_with(' ')), "{said}");
        assert!(!said.contains('\x1b') && said.lines().count() > 0, "{said}");
    }
    let (_, said, _) = run(&path, &["history", "--since", "2026-01-01"]);
    assert!(said.contains("\n2026-03-01 12:00:01  rack          status   OB DISCHRG\n"), "{said}");
    let (_, said, _) = run(&path, &["outages"]);
    let fields = ["2026-03-01", "12:00:00", "rack", "1:02:05", "42%*", "22.25*", "17%", "151.2Wh", "L"];
    assert!(said.lines().any(|there| there.split_whitespace().eq(fields)), "{said}");
    assert!(said.contains(">0.0 s"), "{said}");
    let (_, said, _) = run(&path, &["history", "-V", "energy"]);
    let words: Vec<&str> = said.split_whitespace().collect();
    assert!(words[0] == "rack" && words[1].starts_with("1.23") && words[2] == "kWh", "{said}");
    let (_, said, _) = run(
        &path,
        &["history", "rack", "--since", "2026-03-01T11:00", "-V", "battery.charge", "--points", "99999"],
    );
    // of months ago, in steps of a minute
    assert!(said.starts_with("battery.charge (%) ") && said.lines().count() == 2, "{said}");
    assert!(said.ends_with("      87.5      87.5      87.5*\n"), "{said}");
}

#[test]
fn programs_read_all_of_it() {
    let path = file("programs");
    let (_, said, _) = run(&path, &["outages", "RACK", "--json"]);
    let read: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(read.as_array().unwrap().len(), 1);
    assert_eq!(read[0]["begin"], "2026-03-01T12:00:00.000+00:00");
    assert_eq!((&read[0]["seconds"], &read[0]["charge_source"]), (&3725.0.into(), &"computed".into()));
    let (_, said, _) = run(&path, &["history", "--since", "2026-01-01", "--csv"]);
    assert!(said.starts_with("time,ups,kind,text\n"), "{said}");
    assert!(said.ends_with(&format!("{LONG},command,\"\x1b[2J, \"\"{}\"\"\"\n", "x".repeat(200))), "{said}");
    let arguments =
        ["history", "--since", "2026-01-01", "-V", "input.voltage", "--points", "100000", "--json"];
    let (_, said, _) = run(&path, &arguments);
    let read: serde_json::Value = serde_json::from_str(&said).unwrap();
    let samples: u64 = read.as_array().unwrap().iter().map(|row| row["samples"].as_u64().unwrap()).sum();
    assert_eq!((samples, &read[0]["source"], &read[0]["min"]), (6, &"said".into(), &230.0.into()));
}

#[test]
fn what_is_wrong_is_said_with_what_to_do() {
    let path = file("wrong");
    let (code, _, said) = run(&path, &["history", "rak"]);
    assert!(code == Some(1) && said.contains("no UPS rak; there are:") && said.contains("rack"), "{said}");
    let (code, _, said) = run(&path.with_file_name("no"), &["outages"]);
    assert!(code == Some(1) && said.contains("is not there: start the server"), "{said}");
    let (code, _, said) = run(&path, &["history", "-V", "input.voltge"]);
    assert!(code == Some(2) && said.contains("did you mean input.voltage?"), "{said}");
    let (code, _, said) = run(&path, &["history", "--since", "soon"]);
    assert!(code == Some(2) && said.contains("write 30m"), "{said}");
    let newer = path.with_file_name("newer");
    history::make_version(&newer, 99).unwrap();
    let (code, _, said) = run(&newer, &["outages"]);
    assert!(
        code == Some(1) && said.contains("a newer qxups wrote it") && said.lines().count() == 1,
        "{said}"
    );
    // the file that is named in qxups.toml
    let folder = path.parent().unwrap();
    let configured = |text: &str| {
        std::fs::write(folder.join("qxups.toml"), text).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_qxups"));
        command.arg("outages").env("NUT_CONFPATH", folder).env("QXUPS_VARPATH", folder);
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(configured("[history]\nenabled = true\n"), (Some(0), String::new()));
    let (code, said) = configured("[history]\n");
    assert!(code == Some(1) && said.contains("enabled = true below [history]"), "{said}");
}

/// Found here: SQLite left its log behind as the file of who read, and the server could not write its history any more.
#[test]
fn reading_leaves_nothing_beside_the_file() {
    use std::os::unix::ffi::OsStrExt;
    let path = file("guest %3f?#'\u{fc}");
    let folder = path.parent().unwrap();
    let names = || {
        let mut names: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|one| one.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let before = names();
    assert!(before.iter().all(|name| !name.as_bytes().ends_with(b"-wal")), "{before:?}");
    for arguments in [&["history", "--since", "2026-01-01"][..], &["outages"], &["history", "-V", "energy"]] {
        let (code, said, why) = run(&path, arguments);
        assert!(code == Some(0) && said.contains("rack"), "{arguments:?}: {said}{why}");
        assert_eq!(names(), before, "{arguments:?}");
    }
    // while a server has it open, what is not in the file yet is read as well
    let mut server = HistoryFile::open(&path, 16).unwrap();
    let event = HistoryEvent::new(NOON + 5000, Some("rack"), EventKind::Status, "of just now");
    server.write(2, &HistoryBatch { at_ms: NOON, events: vec![event], ..HistoryBatch::default() }).unwrap();
    let (_, said, _) = run(&path, &["history", "--since", "2026-01-01"]);
    assert!(said.contains("of just now"), "{said}");
    drop(server);
    // who may not enter the folder
    if nix::unistd::Uid::effective().is_root() {
        use std::os::unix::fs::PermissionsExt;
        use std::os::unix::process::CommandExt;
        std::fs::set_permissions(folder, PermissionsExt::from_mode(0o700)).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_qxups"));
        let output = command.args(["outages", "--file"]).arg(&path).uid(65534).gid(65534).output().unwrap();
        let why = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(1) && why.contains("run this with sudo"), "{why}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}
