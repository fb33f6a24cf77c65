//! Standard output that is closed or full.

use super::{command, err, shared};
use std::fs::OpenOptions;
use std::process::{Output, Stdio};

/// A command line for each command that prints.
fn commands() -> Vec<Vec<String>> {
    let upsd = shared();
    let ours = upsd.ups("ours");
    let server = upsd.all();
    let lines = [
        format!("list {server}"),
        format!("list {ours}"),
        format!("list {ours} writable --json"),
        format!("list {ours} commands"),
        format!("get {ours} ups.status"),
        format!("get {ours} ups.status --json"),
        format!("cmd {ours} beeper.mute -u admin -p secret"),
        format!("cmd {ours} beeper.mute -u admin -p secret --json"),
        format!("set {ours} ups.id=x -u admin -p secret"),
        format!("watch {ours}"),
        format!("watch {ours} --json"),
        format!("log {ours}"),
        format!("conform {}", server.trim_start_matches('@')),
        format!("complete -- cmd {ours} b"),
    ];
    lines.iter().map(|line| line.split(' ').map(String::from).collect()).collect()
}

fn run(arguments: &[String], out: Stdio) -> Output {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    command(&arguments).stdout(out).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap()
}

#[test]
fn a_full_disk_is_said_and_ends_with_1() {
    for arguments in commands() {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = run(&arguments, full.into());
        assert_eq!(output.status.code(), Some(1), "{arguments:?} {output:?}");
        assert!(err(&output).contains("cannot write to standard output"), "{arguments:?} {output:?}");
    }
}

#[test]
fn a_reader_that_left_ends_it_with_1_quietly() {
    for arguments in commands() {
        let (reader, writer) = std::os::unix::net::UnixStream::pair().unwrap();
        drop(reader);
        let output = run(&arguments, std::os::fd::OwnedFd::from(writer).into());
        assert_eq!((output.status.code(), err(&output).as_str()), (Some(1), ""), "{arguments:?}");
    }
}
