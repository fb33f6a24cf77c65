//! Standard output that is closed or full: a command ends with status 1, says so where somebody may read it, and
//! never panics.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A command line for each command that prints to standard output, and needs nothing of the machine.
const COMMANDS: &[&[&str]] = &[
    &["--help"],
    &["--version"],
    &["scan", "--help"],
    &["protocols"],
    &["protocols", "megatec"],
    &["bridges"],
    &["bridges", "cypress"],
    &["quirks"],
    &["udev"],
    &["udev", "--hwdb"],
    &["man"],
    &["man", "nutdrv_qx"],
    &["completions", "bash"],
    &["completions", "zsh", "nutdrv_qx"],
    &["supported"],
    &["supported", "Ablerex"],
    &["explain", "(226.0 195.0 226.0 014 49.0 27.5 30.0 00001000"],
    &["scan", "--no-usb", "--json"],
    &["doctor", "/dev/no-such-port"],
    &["doctor", "--json", "/dev/no-such-port"],
    &["check-config", "UPS.CONF"],
    &["check-config", "--json", "UPS.CONF"],
    &["shutdown", "u", "--dry-run", "--conf", "UPS.CONF"],
    &["shutdown", "u", "--dry-run", "--json", "--conf", "UPS.CONF"],
    &["capture", "replay:CAPTURE", "--rounds", "1"],
    &["sim", "--end", "5"],
    &["sim", "--end", "5", "--tcp", "127.0.0.1:0"],
    &["prove", "/dev/no-such-port"],
    &["history", "--file", "HISTORY"],
    &["history", "--file", "HISTORY", "-V", "energy", "--csv"],
    &["outages", "--file", "HISTORY", "--json"],
    &["demo"],
    &["demo", "--plain"],
];

/// Runs a command with this standard output.
fn run(arguments: &[&str], out: Stdio, err: Stdio) -> Output {
    let capture = concat!(env!("CARGO_MANIFEST_DIR"), "/../../captures/dexp-cee-e1500va-megatec.log");
    let folder = std::env::temp_dir().join(format!("qxups-outputs-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let conf = folder.join("ups.conf");
    std::fs::write(&conf, format!("[u]\ndriver = nutdrv_qx\nport = replay:{capture}\n")).unwrap();
    let conf = conf.display().to_string();
    let history = folder.join("history.sqlite");
    drop(history::HistoryFile::open(&history, 16).unwrap());
    let history = history.display().to_string();
    let arguments = arguments.iter().map(|argument| {
        argument.replace("UPS.CONF", &conf).replace("CAPTURE", capture).replace("HISTORY", &history)
    });
    let mut command = Command::new(env!("CARGO_BIN_EXE_qxups"));
    command.args(arguments).env("NUT_STATEPATH", &folder).stdin(Stdio::null()).stdout(out).stderr(err);
    command.output().unwrap()
}

/// One test at a time: a process that another test starts meanwhile holds all pipes open until it is another
/// program, and a pipe is closed only then.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A pipe whose reader has left.
fn closed_pipe() -> Stdio {
    let mut reader = Command::new("true").stdin(Stdio::piped()).spawn().unwrap();
    let writer = reader.stdin.take().unwrap();
    reader.wait().unwrap();
    writer.into()
}

fn full() -> Stdio {
    OpenOptions::new().write(true).open("/dev/full").unwrap().into()
}

#[test]
fn a_reader_that_left_ends_a_command_quietly() {
    let _alone = alone();
    for arguments in COMMANDS {
        let output = run(arguments, closed_pipe(), Stdio::piped());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(!said.contains("panicked") && !said.contains("roken pipe"), "{arguments:?}: {said}");
        assert!(!said.contains("qxups: cannot write"), "{arguments:?}: {said}");
    }
}

#[test]
fn a_full_disk_is_told() {
    let _alone = alone();
    for arguments in COMMANDS {
        let output = run(arguments, full(), Stdio::piped());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(
            said.contains("qxups: cannot write to standard output: No space left on device"),
            "{arguments:?}: {said}"
        );
    }
}

/// A panic ends with status 101, or by a signal where panics abort.
#[test]
fn standard_error_may_be_closed_or_full() {
    let _alone = alone();
    for arguments in [
        &["explain", "/no/such/file"][..],
        &["frobnicate"],
        &["doctor", "/dev/no-such-port"],
        &["scan", "--no-usb", "--serial", "/dev/no-such-port"],
    ] {
        for err in [closed_pipe(), full()] {
            let code = run(arguments, Stdio::null(), err).status.code();
            assert!(matches!(code, Some(1 | 2)), "{arguments:?}: {code:?}");
        }
    }
}

/// Files of Rust below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => sources(&path),
            false if path.extension().is_some_and(|extension| extension == "rs") => vec![path],
            false => vec![],
        })
        .collect()
}

/// These panic where they cannot write.
#[test]
fn no_program_prints_with_what_may_panic() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut seen = 0;
    for one in std::fs::read_dir(crates).unwrap() {
        for path in sources(&one.unwrap().path().join("src")) {
            let mut text = String::new();
            File::open(&path).unwrap().read_to_string(&mut text).unwrap();
            let code = text.split("#[cfg(test)]\nmod ").next().unwrap();
            for word in ["println!", "eprintln!", "print!(", "eprint!(", "dbg!("] {
                let found =
                    code.lines().find(|line| line.contains(word) && !line.trim_start().starts_with("//"));
                assert!(found.is_none(), "{}: {found:?}", path.display());
            }
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen}");
}
