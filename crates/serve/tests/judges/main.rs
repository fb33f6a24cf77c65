//! Programs of others, unchanged, before this server: each reads what it can and commands where it can, and a test
//! says what it has to see. `install.sh` beside this file gets them.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

#[path = "../site/mod.rs"]
mod site;

mod debian;
mod libraries;
mod login;
mod measure;
mod pages;
mod pictures;
mod played;
mod snmp;

use site::{FakeDriver, Site};
use std::path::PathBuf;
use std::process::{Command, Output};

const CONF: &str = "[rack]\ndriver = qxups-sim\ndesc = \"The rack\"\n\
                    [attic]\ndriver = qxups-sim\nprotocol = voltronic\nscenario = on-battery\n\
                    [gone]\ndriver = usbhid-ups\nport = auto\n[odd]\ndriver = fake\nport = auto\n";

/// A UPS with what a simulated one does not have: a list of values, a range, a letter that is not ASCII.
const ODD: &str = "SETINFO ups.status \"OL\"\nSETINFO ups.mfr \"Café & Co\"\n\
                   SETINFO input.sensitivity \"low\"\nSETFLAGS input.sensitivity RW STRING\n\
                   SETAUX input.sensitivity 10\nADDENUM input.sensitivity \"high\"\nADDENUM input.sensitivity \"low\"\n\
                   SETINFO input.transfer.low \"170\"\nSETFLAGS input.transfer.low RW\n\
                   ADDRANGE input.transfer.low 160 180\nDATAOK\nDUMPDONE\n";

/// Four UPSes: on mains, on battery, without its driver, and one of another driver.
fn site(name: &str) -> (Site, FakeDriver) {
    site_with(name, "")
}

/// The same, with more in `upsd.conf`.
fn site_with(name: &str, more: &str) -> (Site, FakeDriver) {
    let mut site = Site::new(&format!("judge-{name}"), CONF, more);
    let odd = FakeDriver::start(&site, "fake-odd", ODD);
    site.start();
    site.until_answer("GET VAR rack ups.status", "VAR rack ups.status \"OL\"");
    site.until_answer("GET VAR attic ups.status", "VAR attic ups.status \"OB\"");
    site.until_answer("GET VAR odd ups.status", "VAR odd ups.status \"OL\"");
    assert_eq!(site.ask("GET VAR rack ups.beeper.status"), "VAR rack ups.beeper.status \"enabled\"");
    (site, odd)
}

/// The folder into which `install.sh` puts what is not Debian's.
fn installed() -> PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/judges")
}

/// A script beside this file.
fn script(name: &str) -> PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges").join(name)
}

fn existing(path: impl Into<PathBuf>) -> Option<String> {
    let path = path.into();
    path.exists().then(|| path.to_str().unwrap().to_string())
}

/// All that a program printed; it has to end well, and within a minute.
fn printed(command: &mut Command) -> String {
    let output = ended(command);
    assert!(output.status.success(), "{command:?}: {}", both(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// A program's output and outcome, within a minute.
fn ended(command: &mut Command) -> Output {
    let mut limited = Command::new("timeout");
    limited.arg("60").arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        limited.env(name, value.unwrap_or_default());
    }
    limited.stdin(std::process::Stdio::null()).output().unwrap()
}

fn both(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Each of these lines is printed.
fn assert_lines(printed: &str, lines: &[&str]) {
    for line in lines {
        assert!(printed.lines().any(|known| known.trim_end() == *line), "no line\n{line}\nin\n{printed}");
    }
}

/// The command that a judge gave was carried out, and logged.
fn assert_beeper_off(site: &Site) {
    site.until("the beeper is off", || {
        site.ask("GET VAR rack ups.beeper.status") == "VAR rack ups.beeper.status \"disabled\""
    });
    let log = site.log();
    assert!(log.contains("admin@127.0.0.1 asks UPS rack for beeper.toggle"), "{log}");
}
