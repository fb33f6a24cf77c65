//! Prompts and `top`, on a pseudo-terminal that util-linux's `script` makes.

use super::shared;
use super::upsd::PATIENCE;
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// What is on the terminal at the end, and the exit status; each text is typed once another is seen.
fn on_terminal(line: &str, typed: &[(&str, &str)]) -> (String, i32) {
    let qxups = env!("CARGO_BIN_EXE_qxups");
    let mut script = Command::new("script")
        .args(["-qefc", &format!("stty rows 24 cols 80; {qxups} {line}"), "/dev/null"])
        .env("TERM", "xterm-256color")
        .env_remove("QXUPS_USER")
        .env_remove("QXUPS_PASSWORD")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("this test needs script: apt-get install bsdutils: {error}"));
    let mut keyboard = script.stdin.take().unwrap();
    let mut screen = script.stdout.take().unwrap();
    let seen = Arc::new(Mutex::new(String::new()));
    let shown = seen.clone();
    let reader = std::thread::spawn(move || {
        let mut room = [0; 4096];
        while let Ok(count @ 1..) = screen.read(&mut room) {
            shown.lock().unwrap().push_str(&String::from_utf8_lossy(&room[..count]));
        }
    });
    for (wanted, keys) in typed {
        let end = Instant::now() + PATIENCE;
        while !seen.lock().unwrap().contains(wanted) {
            assert!(Instant::now() < end, "{wanted} is not seen: {}", seen.lock().unwrap());
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        keyboard.write_all(keys.as_bytes()).unwrap();
    }
    let status = script.wait().unwrap();
    reader.join().unwrap();
    let seen = seen.lock().unwrap().clone();
    (seen, status.code().unwrap())
}

#[test]
fn a_password_that_is_typed_is_not_shown() {
    let ups = shared().ups("ours");
    let typed = [("User: ", "admon\x7f\x7fin\r"), ("Password of admin: ", "wrong\x15secreT\x08t\r")];
    let (seen, status) = on_terminal(&format!("cmd {ups} beeper.mute"), &typed);
    assert_eq!(status, 0, "{seen}");
    assert!(
        seen.contains("beeper.mute: done") && !seen.contains("secre") && !seen.contains("wrong"),
        "{seen}"
    );
}

#[test]
fn a_prompt_that_is_given_up_sends_nothing() {
    let ups = shared().ups("ours");
    let (seen, status) = on_terminal(
        &format!("cmd {ups} beeper.mute -u admin; stty -a"),
        &[("Password of admin: ", "sec\x03")],
    );
    assert!(seen.contains("nothing was sent") && !seen.contains(": done"), "{seen}");
    // and the terminal is as it was
    assert!(seen.contains(" echo ") && !seen.contains("-echo ") && seen.contains("isig"), "{seen}");
    assert_eq!(status, 0, "of stty");
}

#[test]
fn top_shows_all_upses_and_gives_the_terminal_back() {
    let (seen, status) = on_terminal(&format!("top {}", shared().all()), &[("NO DATA", "q")]);
    assert_eq!(status, 0, "{seen}");
    for wanted in ["dummy", "ours", "gone", "NO DATA", "clear"] {
        assert!(seen.contains(wanted), "{wanted}: {seen}");
    }
    assert!(seen.contains("\x1b[?1049h") && seen.trim_end().contains("\x1b[?1049l"), "{seen}");
}
