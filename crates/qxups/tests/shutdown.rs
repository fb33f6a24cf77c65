//! `qxups shutdown --dry-run`, as a user runs it.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

const QXUPS: &str = env!("CARGO_BIN_EXE_qxups");

/// A folder with ups.conf and a simulated UPS.
struct Station {
    folder: PathBuf,
    ups: Child,
}

impl Station {
    fn new(name: &str, options: &str, arguments: &[&str]) -> Station {
        let folder = std::env::temp_dir().join(format!("qxups-dry-run-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let control = folder.join("control");
        let mut ups = Command::new(QXUPS)
            .args(["sim", "--end", "100", "--control", control.to_str().unwrap()])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut port = String::new();
        BufReader::new(ups.stdout.take().unwrap()).read_line(&mut port).unwrap();
        let conf = format!("[u]\ndriver = nutdrv_qx\nport = {}\n{options}\n", port.trim());
        std::fs::write(folder.join("ups.conf"), conf).unwrap();
        Station { folder, ups }
    }

    fn dry_run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(QXUPS);
        command.args(["shutdown", "u"]).args(arguments).stdin(Stdio::null());
        command.env("NUT_CONFPATH", &self.folder).env("NUT_STATEPATH", &self.folder).output().unwrap()
    }

    fn heard(&self) -> Vec<String> {
        let mut stream = UnixStream::connect(self.folder.join("control")).unwrap();
        stream.write_all(b"heard\n").unwrap();
        let lines = BufReader::new(stream).lines().map(Result::unwrap);
        lines.take_while(|line| line != "ok").collect()
    }
}

impl Drop for Station {
    fn drop(&mut self) {
        let _ = self.ups.kill();
        let _ = self.ups.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_ups_is_asked_and_nothing_sent() {
    let station = Station::new("asked", "offdelay = 48", &[]);
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
    let heard = station.heard();
    assert!(heard.contains(&"Q1".to_string()));
    assert!(!heard.iter().any(|line| line.starts_with(['C', 'S', 'T'])), "{heard:?}");
}

#[test]
fn programs_get_json() {
    let station = Station::new("json", "stayoff", &["--protocol", "voltronic"]);
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
    let station = Station::new("running", "sdcommands = load.off", &[]);
    let listener = UnixListener::bind(station.folder.join("nutdrv_qx-u")).unwrap();
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
    assert!(station.heard().is_empty(), "the line is not ours");
}

#[test]
fn what_is_wrong_is_said() {
    let station = Station::new("wrong", "", &[]);
    for (arguments, part) in
        [(&[][..], "--dry-run"), (&["--dry-run", "--conf", "/nowhere"], "cannot read /nowhere")]
    {
        let output = station.dry_run(arguments);
        assert!(!output.status.success());
        assert!(text(&output.stderr).contains(part), "{output:?}");
    }
    assert!(Path::new(&station.folder).exists() && station.heard().is_empty());
}
