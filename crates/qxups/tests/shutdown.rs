//! `qxups shutdown --dry-run`, as a user runs it.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::process::{Command, Output, Stdio};
use testbed::tool::{Sim, text};

const QXUPS: &str = env!("CARGO_BIN_EXE_qxups");

/// A simulated UPS, with ups.conf in its folder.
struct Station {
    ups: Sim,
}

impl Station {
    fn new(options: &str, arguments: &[&str]) -> Station {
        let ups = Sim::start(QXUPS, arguments);
        let conf = format!("[u]\ndriver = nutdrv_qx\nport = {}\n{options}\n", ups.port);
        std::fs::write(ups.folder.join("ups.conf"), conf).unwrap();
        Station { ups }
    }

    fn dry_run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(QXUPS);
        command.args(["shutdown", "u"]).args(arguments).stdin(Stdio::null());
        command.env("NUT_CONFPATH", &self.ups.folder).env("NUT_STATEPATH", &self.ups.folder).output().unwrap()
    }
}

#[test]
fn the_ups_is_asked_and_nothing_sent() {
    let station = Station::new("offdelay = 48", &[]);
    let output = station.dry_run(&["--dry-run"]);
    let out = text(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    for part in [
        "u speaks megatec, as the UPS on",
        "1. shutdown.stop\n     C ",
        "2. shutdown.return\n     S.8R0003     the load goes off after 48 s, and on again with mains, 180 s later",
        "if refused: S01R0003     the load goes off after 60 s, and on again with mains, 180 s later",
        "Nothing was sent.",
    ] {
        assert!(out.contains(part), "{part}\n{out}");
    }
    let heard = station.ups.heard();
    assert!(heard.contains(&"Q1".to_string()));
    assert!(!heard.iter().any(|line| line.starts_with(['C', 'S', 'T'])), "{heard:?}");
}

#[test]
fn programs_get_json() {
    let station = Station::new("stayoff", &["--protocol", "voltronic"]);
    let output = station.dry_run(&["--dry-run", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["dialect"], "voltronic");
    assert_eq!(json["steps"][0]["forms"][0]["sent"][0], "CS");
    assert_eq!(json["steps"][1]["command"], "shutdown.stayoff");
    assert_eq!(json["steps"][1]["forms"][0]["sent"][0], "S.5R0000");
    assert_eq!(json["steps"][1]["forms"][0]["off_after_seconds"], 30);
    assert!(json["steps"][1]["forms"][0]["on_after_seconds"].is_null());
}

/// A driver holds the line: what it knows is used, NUT's own as well as ours.
#[test]
fn a_driver_that_runs_is_asked() {
    let station = Station::new("sdcommands = load.off", &[]);
    let listener = UnixListener::bind(station.ups.folder.join("nutdrv_qx-u")).unwrap();
    let driver = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = [0; 64];
        let read = stream.read(&mut asked).unwrap();
        let said = "SETINFO driver.version.data \"Mecer 0.09\"\nSETINFO ups.delay.shutdown \"30\"\nADDCMD load.off\nDUMPDONE\n";
        stream.write_all(said.as_bytes()).unwrap();
        text(&asked[..read])
    });
    let out = text(&station.dry_run(&["--dry-run"]).stdout);
    assert!(out.contains("u speaks mecer, as the driver that runs says"), "{out}");
    assert!(out.contains("1. load.off\n     S00R0000     the load goes off at once, and stays off"), "{out}");
    assert_eq!(driver.join().unwrap(), "DUMPALL\n");
    assert!(station.ups.heard().is_empty(), "the line is not ours");
}

#[test]
fn what_is_wrong_is_said() {
    let station = Station::new("", &[]);
    for (arguments, part) in
        [(&[][..], "--dry-run"), (&["--dry-run", "--conf", "/nowhere"], "cannot read /nowhere")]
    {
        let output = station.dry_run(arguments);
        assert!(!output.status.success());
        assert!(text(&output.stderr).contains(part), "{output:?}");
    }
    assert!(station.ups.folder.exists() && station.ups.heard().is_empty());
}
