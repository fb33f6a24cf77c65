//! `qxups doctor`, as a user runs it. What it can find is tested beside it, on machines in a folder.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};

const QXUPS: &str = env!("CARGO_BIN_EXE_qxups");

fn doctor(arguments: &[&str]) -> Output {
    let nowhere = std::env::temp_dir().join(format!("qxups-no-such-folder-{}", std::process::id()));
    let mut command = Command::new(QXUPS);
    command.arg("doctor").args(arguments).env("NUT_CONFPATH", nowhere).stdin(Stdio::null());
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_port_that_answers_is_well() {
    let mut ups = Command::new(QXUPS)
        .args(["sim", "--end", "60", "--tcp", "127.0.0.1:0", "--knob", "unknown echo"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut place = String::new();
    BufReader::new(ups.stdout.take().unwrap()).read_line(&mut place).unwrap();
    let output = doctor(&[place.trim()]);
    ups.kill().unwrap();
    ups.wait().unwrap();
    assert!(output.status.success(), "{output:?}");
    let out = text(&output.stdout);
    assert!(out.contains("speaks megatec\n") && out.contains("nothing wrong was found\n"), "{out}");
}

#[test]
fn what_is_wrong_is_told_to_people_and_programs() {
    let output = doctor(&[]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(text(&output.stdout).contains("ups.conf: cannot be read"), "{output:?}");
    let output = doctor(&["--json", "/dev/no-such-port"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let read: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(read["findings"][0]["kind"], "no-port", "{read}");
    let output = doctor(&["udp://x"]);
    assert!(text(&output.stderr).contains("tcp://host:port"), "{output:?}");
}
