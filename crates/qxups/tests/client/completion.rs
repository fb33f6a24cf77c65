//! Names from the running server, as bash asks for them.

use super::{out, qxups, shared};
use std::process::Command;

fn complete(words: &[&str]) -> Vec<String> {
    let output = qxups(&[&["complete", "--"], words].concat());
    assert!(output.status.success(), "{output:?}");
    out(&output).lines().map(String::from).collect()
}

#[test]
fn names_come_from_the_running_server() {
    let upsd = shared();
    let (server, ours) = (upsd.all(), upsd.ups("ours"));
    assert_eq!(complete(&["list", &server]), [""; 0], "an empty name has no beginning");
    assert_eq!(complete(&["list", &format!("o{server}")]), [""; 0]);
    assert_eq!(complete(&["get", &ours, "ups.d"]), ["ups.delay.shutdown"]);
    assert_eq!(
        complete(&["cmd", &ours, ""]),
        ["beeper.mute", "load.off", "shutdown.return", "test.battery.start"]
    );
    assert_eq!(complete(&["cmd", "-u", "admin", &ours, "l"]), ["load.off"]);
    assert_eq!(complete(&["cmd", &ours, "load.off", ""]), [""; 0]);
    assert_eq!(complete(&["set", &ours, "i"]), ["input.sensitivity="]);
    let mut values = complete(&["set", &ours, "input.sensitivity="]);
    values.sort();
    assert_eq!(values, ["input.sensitivity=low", "input.sensitivity=very high"]);
    assert_eq!(complete(&["list", &ours, "c"]), ["commands", "clients"]);
    assert_eq!(
        complete(&["list", &upsd.ups("ou")]),
        [""; 0],
        "the whole word is replaced, and this is none of a name"
    );
}

/// What bash offers where the cursor stands at the end of the line.
fn bash(line: &str) -> String {
    let script = out(&qxups(&["completions", "bash"]));
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_qxups")).parent().unwrap();
    let ask = format!(
        "{script}\nPATH={}:$PATH\nCOMP_LINE={line:?}; COMP_POINT=${{#COMP_LINE}}\n\
         COMP_WORDS=($COMP_LINE); [[ $COMP_LINE == *' ' ]] && COMP_WORDS+=('')\n\
         COMP_CWORD=$((${{#COMP_WORDS[@]}}-1))\n\
         _qxups_live qxups \"${{COMP_WORDS[COMP_CWORD]}}\" x; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        folder.display()
    );
    out(&Command::new("bash").args(["-c", &ask]).output().unwrap())
}

#[test]
fn bash_offers_them() {
    let upsd = shared();
    let ours = upsd.ups("ours");
    assert_eq!(bash(&format!("qxups cmd {ours} be")), "beeper.mute\n");
    assert_eq!(bash(&format!("qxups get {ours} ups.s")), "ups.status\n");
    assert_eq!(bash(&format!("qxups set {ours} ups.i")), "ups.id=\n");
    // bash cuts words at @, : and =, and replaces what stands behind the last of them
    assert_eq!(bash(&format!("qxups set {ours} input.sensitivity=l")), "low\n");
    // options and the other commands are as clap has them
    assert!(bash("qxups cmd --no").contains("--no-wait"));
    assert!(bash("qxups scan --se").contains("--serial"));
}

#[test]
fn other_shells_call_it_too() {
    for shell in ["zsh", "fish"] {
        let script = out(&qxups(&["completions", shell]));
        assert!(script.contains("qxups complete --"), "{shell}");
    }
    let zsh = out(&qxups(&["completions", "zsh"]));
    let calls = zsh.lines().filter(|line| line.ends_with(":_qxups_live' \\")).count();
    // list, get 2, set 2, cmd 2, log, watch, top
    assert_eq!(calls, 10, "{zsh}");
}
