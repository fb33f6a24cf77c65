//! The tool as a user runs it.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::process::{Command, Output, Stdio};

fn qxups(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_qxups")).args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn complaint(arguments: &[&str]) -> String {
    let output = qxups(arguments);
    assert!(!output.status.success(), "{arguments:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_wrong_letter_is_shown() {
    let output = qxups(&["explain", "(226.0 195.0 226.0 014 4?.0 27.5 30.0 00001000"]);
    assert!(out(&output).contains("^^^^ input.frequency: a number was expected"), "{output:?}");
}

#[test]
fn the_reference_is_printed() {
    let whole = qxups(&["protocols"]);
    assert_eq!(out(&whole), include_str!("../../../docs/protocols.md"));
    assert!(out(&qxups(&["protocols", "zinto"])).starts_with("## zinto"));
}

#[test]
fn what_the_tables_of_bridges_say_is_printed() {
    assert_eq!(out(&qxups(&["bridges"])), include_str!("../../../docs/bridges.md"));
    assert!(out(&qxups(&["bridges", "Fuji"])).starts_with("## fuji"));
    let rules = include_str!("../../../packaging/udev/62-qxups.rules");
    assert_eq!(out(&qxups(&["udev"])), rules);
    assert_eq!(out(&qxups(&["udev", "--group", "ups"])), rules.replace("\"nut\"", "\"ups\""));
    assert_eq!(out(&qxups(&["udev", "--hwdb"])), include_str!("../../../packaging/udev/62-qxups.hwdb"));
}

#[test]
fn what_is_wrong_is_said() {
    assert!(complaint(&["bridges", "fugi"]).contains("fuji"));
    assert!(complaint(&["udev", "--group", "a\"b"]).contains("name of a group"));
    assert!(complaint(&["protocols", "zintu"]).contains("voltronic-qs-hex"));
    assert!(complaint(&["explain", "/no/such/file"]).contains("give a capture file"));
    assert!(complaint(&["sim", "--knob", "mains maybe"]).contains("mains"));
    assert!(complaint(&["sim", "--script", "/no/such/file"]).contains("/no/such/file"));
    assert!(complaint(&["demo", "--protocol", "x"]).contains("no dialect 'x'"));
    assert!(complaint(&["frobnicate"]).contains("unrecognized subcommand"));
}

/// Help goes to terminals of 80 columns, and to pipes: no line is longer, so none is cut in the middle of a word.
#[test]
fn help_fits_80_columns() {
    let tool = out(&qxups(&["--help"]));
    let rows = tool.lines().filter_map(|line| line.strip_prefix("  "));
    let names = rows.filter(|row| !row.starts_with([' ', '-'])).filter_map(|row| row.split(' ').next());
    let names = names.filter(|name| *name != "help");
    let mut looked_at = 0;
    for name in names {
        for help in ["-h", "--help"] {
            let text = out(&qxups(&[name, help]));
            let long: Vec<&str> = text.lines().filter(|line| line.chars().count() > 80).collect();
            // what is one word can be cut nowhere
            let cut: Vec<&&str> = long.iter().filter(|line| line.trim().contains(' ')).collect();
            assert!(cut.is_empty() && text.contains("Usage"), "{name} {help}: {cut:?}");
            looked_at += 1;
        }
    }
    assert!(looked_at > 40, "{looked_at}");
}

#[test]
fn a_simulated_ups_plays_its_script_and_takes_knobs() {
    let folder = std::env::temp_dir().join(format!("qxups-cli-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (script, control) = (folder.join("script"), folder.join("control"));
    std::fs::write(&script, "at 0s mains fail # at once\nat 1000h mains back\n").unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_qxups"))
        .args(["sim", "--tcp", "127.0.0.1:0", "--protocol", "q1", "--knob", "load 7", "--end", "60"])
        .args(["--script".as_ref(), script.as_os_str(), "--control".as_ref(), control.as_os_str()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut address = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
    let mut ups = std::net::TcpStream::connect(address.trim().strip_prefix("tcp://").unwrap()).unwrap();
    let mut ask = |question: &str| {
        ups.write_all(question.as_bytes()).unwrap();
        let mut reply = vec![];
        BufReader::new(ups.try_clone().unwrap()).read_until(b'\r', &mut reply).unwrap();
        String::from_utf8_lossy(&reply).into_owned()
    };
    let reply = ask("Q1\r");
    assert!(
        reply.starts_with("(000.0 ") && reply.contains(" 007 ") && reply.ends_with("10001001\r"),
        "{reply}"
    );
    let mut orders = UnixStream::connect(&control).unwrap();
    orders.write_all(b"mains back\nload 50\nheard\nfrob\nquit\n").unwrap();
    let answers: Vec<String> = BufReader::new(&orders).lines().map_while(Result::ok).take(6).collect();
    assert_eq!(answers[..4], ["ok", "ok", "Q1", "ok"]);
    assert!(answers[4].starts_with("error: there is no knob 'frob'"), "{answers:?}");
    assert!(child.wait().unwrap().success());
    std::fs::remove_dir_all(&folder).unwrap();
}
