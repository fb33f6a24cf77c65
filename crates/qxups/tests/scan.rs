//! `qxups scan`, as a user runs it, on simulated UPSes on serial lines and TCP. On USB it runs in
//! `crates/driver/tests/usb_life.rs`.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};

const QXUPS: &str = env!("CARGO_BIN_EXE_qxups");

/// A simulated UPS in a process of its own, and where it is.
struct Ups(Child, String);

impl Ups {
    fn start(arguments: &[&str]) -> Ups {
        let mut child = Command::new(QXUPS)
            .args(["sim", "--end", "100"])
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

fn scan(arguments: &[&str]) -> Output {
    Command::new(QXUPS).args(["scan", "--no-usb"]).args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn all_places_are_asked_at_once_and_sections_printed() {
    let line = Ups::start(&["--protocol", "mecer"]);
    let tcp = Ups::start(&["--protocol", "q1", "--tcp", "127.0.0.1:0"]);
    let silent = Ups::start(&["--knob", "silent on", "--tcp", "127.0.0.1:0"]);
    let server = |ups: &Ups| ups.1.strip_prefix("tcp://").unwrap().to_string();
    let output = scan(&[
        "--serial",
        &line.1,
        "/dev/no-such-port",
        "--tcp",
        &server(&tcp),
        "--tcp",
        &server(&silent),
        "--timeout",
        "20",
    ]);
    assert!(output.status.success(), "{output:?}");
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    let wanted = format!("\tport = \"{}\"\n\tprotocol = \"mecer\"\n", line.1);
    assert!(out.contains(&wanted), "{out}");
    assert!(
        out.contains(&format!(
            "[ups]\n\tdriver = \"nutdrv_qx\"\n\tport = \"{}\"\n\tprotocol = \"q1\"",
            tcp.1
        )),
        "{out}"
    );
    assert!(out.contains(&format!("# {}: mecer\n[", line.1)), "{out}");
    assert_eq!(out.matches('[').count(), 2, "{out}");
    assert!(
        err.contains("/dev/no-such-port: cannot open") && err.contains(&format!("{}: ", silent.1)),
        "{err}"
    );
}

#[test]
fn a_slow_ups_is_found_by_its_dialect() {
    // it is known after two seconds, and everything was asked after twelve
    let ups = Ups::start(&["--protocol", "voltronic", "--knob", "latency 300", "--tcp", "127.0.0.1:0"]);
    let output = scan(&["--tcp", ups.1.strip_prefix("tcp://").unwrap(), "--timeout", "6"]);
    assert!(output.status.success(), "{output:?}");
    assert!(text(&output.stdout).contains("protocol = \"voltronic\""), "{output:?}");
}

#[test]
fn programs_get_json() {
    let ups = Ups::start(&[]);
    let output = scan(&["--json", "--serial", &ups.1, "/dev/no-such-port", &ups.1]);
    let read: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(read[0]["ups_conf"]["protocol"], "megatec", "{read}");
    assert_eq!(read[0]["ups_conf"]["port"], ups.1.as_str());
    assert_eq!((&read[0]["state"], &read[0]["dialect"]), (&"found".into(), &"megatec".into()));
    assert_eq!((&read[1]["state"], &read[2]["state"]), (&"no such place".into(), &"busy".into()), "{read}");
    assert_eq!((&read[0]["model"], &read[0]["status"]), (&"SIM-1000".into(), &"OL".into()));
}

/// What was given already is not proposed.
#[test]
fn what_was_tried_is_not_proposed() {
    const PROPOSALS: [&str; 5] = ["try --serial", "--serial PATH", "--tcp HOST:PORT", "--no-usb", "-v names"];
    // a port that nobody listens on
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let (serial, tcp) = (["--serial", "/dev/no-such-port"], ["--tcp", port.as_str()]);
    for (arguments, proposed) in [
        (vec!["--no-usb"], &["try --serial", "--tcp HOST:PORT", "--no-usb"][..]),
        ([&["--no-usb"][..], &serial].concat(), &["--tcp HOST:PORT", "--no-usb"]),
        ([&["--no-usb"][..], &tcp].concat(), &["try --serial", "--no-usb"]),
        ([&["--no-usb"][..], &serial, &tcp].concat(), &["--no-usb"]),
        ([&["-v"][..], &serial, &tcp].concat(), &[]),
        ([&serial[..], &tcp].concat(), &["-v names"]),
    ] {
        let mut command = Command::new(QXUPS);
        let output = command.arg("scan").args(&arguments).stdin(Stdio::null()).output().unwrap();
        let said = text(&output.stderr);
        let last = said.lines().last().unwrap();
        let found: Vec<&str> = PROPOSALS.into_iter().filter(|part| last.contains(part)).collect();
        assert_eq!(found, proposed, "{arguments:?}: {last}");
        assert!(last.contains("qxups doctor PORT"), "{last}");
    }
}

#[test]
fn whoever_finds_nothing_is_told_what_to_try() {
    let output = scan(&["--serial", "/dev/no-such-port"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stdout), "");
    assert!(text(&output.stderr).contains("qxups doctor PORT"), "{output:?}");
    let output = scan(&["--tcp", "nowhere"]);
    assert!(text(&output.stderr).contains("tcp://host:port"), "{output:?}");
    let output = scan(&["--usb-id", "0665:5161", "--subdriver", "frob"]);
    assert!(text(&output.stderr).contains("there is no bridge 'frob'"), "{output:?}");
    let output = scan(&["--usb-id", "0665:5161", "--subdriver", "cypress"]);
    assert!(text(&output.stderr).contains("no USB device has the numbers 0665:5161"), "{output:?}");
    assert_eq!(text(&scan(&["--json"]).stdout), "[]\n");
}

/// Found by a review: an ordinary user read of the driver's user and its groups.
#[test]
fn who_may_not_open_a_port_is_told_of_sudo() {
    use std::os::unix::process::CommandExt;
    let ups = Ups::start(&[]);
    let mut command = Command::new(QXUPS);
    if std::fs::set_permissions(&ups.1, std::os::unix::fs::PermissionsExt::from_mode(0o600)).is_err() {
        return;
    }
    // as root only: another user cannot make a port that is not its own
    if std::fs::metadata("/proc/self").is_ok_and(|meta| std::os::unix::fs::MetadataExt::uid(&meta) != 0) {
        return;
    }
    let output =
        command.args(["scan", "--no-usb", "--serial", &ups.1]).uid(65534).gid(65534).output().unwrap();
    let said = text(&output.stderr);
    assert!(said.contains("run it with sudo") && !said.contains("dialout"), "{said}");
}
