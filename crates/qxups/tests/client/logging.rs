//! `qxups log` beside upslog, and what happens to files.

use super::upsd::PATIENCE;
use super::{command, err, out, qxups, shared};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const FORMATS: [&str; 4] = [
    "%VAR ups.status% [%VAR battery.charge%] %VAR no.such% 100%% %UPSHOST%",
    "%HOST% %VAR device.model%x%VAR server.version%",
    "%VAR battery.charge% %VAR input.voltage% %VAR ups.load% [%VAR ups.status%] %VAR ups.temperature% %VAR input.frequency%",
    "%TIME @Y-@m-@d@@% %VAR ups.load%",
];

/// The first line that upslog writes.
fn of_upslog(ups: &str, format: &str) -> String {
    let mut upslog = Command::new("upslog")
        .args(["-s", ups, "-f", format, "-l", "-", "-i", "1", "-u", "root"])
        .env("NUT_ALTPIDPATH", std::env::temp_dir())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(upslog.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut lines =
        lines.skip_while(|line| line.starts_with("Network UPS Tools") || line.starts_with("logging "));
    let line = lines.next().unwrap_or_default();
    upslog.kill().unwrap();
    upslog.wait().unwrap();
    line
}

#[test]
fn lines_are_those_of_upslog() {
    let upsd = shared();
    for name in ["dummy", "ours", "old", "gone"] {
        for format in FORMATS {
            let ups = upsd.ups(name);
            let ours = qxups(&["log", &ups, "-f", format, "-n", "1"]);
            assert!(ours.status.success(), "{ours:?}");
            let theirs = of_upslog(&ups, format);
            assert!(!theirs.is_empty(), "{format}");
            assert_eq!(out(&ours), format!("{theirs}\n"), "{ups} {format}");
        }
    }
}

/// A log of nothing but NA, found at the next outage: what is mistyped ends the start with one sentence.
#[test]
fn what_is_mistyped_is_said_and_what_may_come_is_logged() {
    let upsd = shared();
    for (ups, format, part) in [
        ("dumy", "%VAR ups.load%", "no UPS 'dumy'; did you mean dummy?"),
        ("nothing.like.it", "%VAR ups.load%", "'qxups list @"),
        ("dummy", "%VAR ups.laod%", "no variable 'ups.laod'; did you mean ups.load?"),
    ] {
        let done = qxups(&["log", &upsd.ups(ups), "-f", format, "-n", "1"]);
        assert_eq!((done.status.code(), out(&done).as_str()), (Some(1), ""), "{done:?}");
        assert!(err(&done).contains(part) && err(&done).lines().count() == 1, "{done:?}");
    }
    // a variable of NUT that this UPS has not, though it is like one that it has
    let done = qxups(&["log", &upsd.ups("dummy"), "-f", "%VAR output.voltage%", "-n", "1"]);
    assert_eq!(out(&done), "NA\n", "{done:?}");
}

#[test]
fn several_upses_go_to_one_file_or_to_their_own() {
    let upsd = shared();
    let folder = upsd.folder.join("logs");
    std::fs::create_dir_all(&folder).unwrap();
    let (all, own) = (folder.join("all"), folder.join("own"));
    let with_own = format!("{},{}", upsd.ups("ours"), own.display());
    let done = qxups(&[
        "log",
        &upsd.ups("dummy"),
        &upsd.ups("old"),
        &with_own,
        "-l",
        all.to_str().unwrap(),
        "-f",
        "%UPSHOST% %VAR ups.load%",
        "-n",
        "2",
        "-i",
        "0.05",
    ]);
    assert!(done.status.success() && done.stdout.is_empty(), "{done:?}");
    let text = std::fs::read_to_string(&all).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    let (dummy, old) = (format!("{} 42", upsd.ups("dummy")), format!("{} NA", upsd.ups("old")));
    assert_eq!(lines, [&dummy, &dummy, &old, &old]);
    assert_eq!(std::fs::read_to_string(&own).unwrap(), format!("{} NA\n", upsd.ups("ours")).repeat(2));
}

#[test]
fn a_server_that_is_away_is_told_of_once_and_logged_as_na() {
    let done = qxups(&["log", "u@127.0.0.1:1", "-f", "%VAR ups.load%", "-n", "3", "-i", "0.05"]);
    assert_eq!(out(&done), "NA\nNA\nNA\n");
    assert_eq!(err(&done).matches("cannot connect").count(), 1, "{done:?}");
}

#[test]
fn a_full_disk_is_told_of_once_and_not_passed_over() {
    let ups = shared().ups("dummy");
    let done = qxups(&["log", &ups, "-l", "/dev/full", "-n", "3", "-i", "0.05"]);
    assert_eq!(done.status.code(), Some(1), "{done:?}");
    assert_eq!(err(&done).matches("cannot write to /dev/full").count(), 1, "{done:?}");
    assert!(err(&done).contains("lines are missing in /dev/full"), "{done:?}");
}

fn lines_of(path: &Path, wanted: usize) -> usize {
    let end = Instant::now() + PATIENCE;
    loop {
        let count = std::fs::read_to_string(path).unwrap_or_default().lines().count();
        if count >= wanted || Instant::now() > end {
            return count;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

#[test]
fn a_file_that_was_rotated_away_is_made_anew_and_signals_are_those_of_upslog() {
    let upsd = shared();
    let path = upsd.folder.join("rotated");
    let mut log =
        command(&["log", &upsd.ups("dummy"), "-l", path.to_str().unwrap(), "-i", "3600"]).spawn().unwrap();
    assert_eq!(lines_of(&path, 1), 1);
    std::fs::rename(&path, upsd.folder.join("rotated.1")).unwrap();
    signal(&log, "-HUP");
    signal(&log, "-USR1");
    assert_eq!(lines_of(&path, 1), 1, "SIGUSR1 asks for a line, and SIGHUP ends nothing");
    assert_eq!(log.try_wait().unwrap(), None);
    log.kill().unwrap();
    log.wait().unwrap();
}
