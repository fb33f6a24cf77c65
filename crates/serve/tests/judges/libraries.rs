//! Libraries of clients: Perl, Python, JavaScript and Rust. The scripts beside this file use them and print what they saw.

use crate::site::{Site, judge};
use crate::{assert_beeper_off, assert_lines, existing, installed, printed, script, site, site_with};
use std::process::Command;

/// What PyNUT sees, of Debian and of PyPI.
const PYNUT: &[&str] = &[
    "ups [('attic', 'Description unavailable'), ('gone', 'Description unavailable'), ('odd', 'Description unavailable'), ('rack', 'The rack')]",
    "var OL 230.0 True",
    // it asks for b'beeper.toggle', as the name is bytes, and needs an answer
    "cmd Description unavailable",
    "rw True",
    "set OK",
    "run OK",
    "error ERR DRIVER-NOT-CONNECTED",
    "error ERR UNKNOWN-UPS",
    "error ERR CMD-NOT-SUPPORTED",
    "error ERR READONLY",
    "fsd OK",
];

/// Runs a script on the port of a site.
fn run(site: &Site, program: &str, name: &str) -> String {
    run_with(site, program, name, &[])
}

fn run_with(site: &Site, program: &str, name: &str, more: &[&str]) -> String {
    let mut command = Command::new(program);
    if !name.is_empty() {
        command.arg(script(name));
    }
    printed(command.arg(site.port.to_string()).args(more).env("JUDGES", installed()))
}

/// What was set is said.
fn assert_delay_set(site: &Site) {
    assert_eq!(site.ask("GET VAR rack ups.delay.start"), "VAR rack ups.delay.start \"240\"");
}

fn assert_forced(site: &Site) {
    assert_eq!(site.ask("GET VAR attic ups.status"), "VAR attic ups.status \"FSD OB\"");
    assert!(
        site.log().contains("first@127.0.0.1 sets the forced shutdown (FSD) of UPS attic"),
        "{}",
        site.log()
    );
}

#[test]
fn aionut_of_home_assistant() {
    let of_venv = existing(installed().join("venv/lib/python3.11/site-packages/aionut"));
    if judge("aionut", of_venv).is_none() {
        return;
    }
    let (site, _odd) = site("aionut");
    let out = run(&site, installed().join("venv/bin/python").to_str().unwrap(), "aionut_judge.py");
    let ups = "ups [('attic', 'Description unavailable'), ('gone', 'Description unavailable'), ('odd', 'Description unavailable'), ('rack', 'The rack')]";
    let read = [ups, "description The rack", "var OL 230.0 True", "odd Caf & Co", "cmd True"];
    assert_lines(&out, &read);
    // the same once more, on one connection
    assert_eq!(out.matches(ups).count(), 2, "{out}");
    let denied = "denied Error running: INSTCMD rack beeper.toggle: ERR ACCESS-DENIED";
    assert_lines(
        &out,
        &[
            "error Error running: LIST VAR gone: ERR DRIVER-NOT-CONNECTED",
            "error Error running: LIST VAR none: ERR UNKNOWN-UPS",
            "run OK",
            denied,
        ],
    );
    assert_eq!(out.matches(denied).count(), 2, "a wrong password, and a user without the right: {out}");
    assert_beeper_off(&site);
}

#[test]
fn nut2() {
    let of_venv = existing(installed().join("venv/lib/python3.11/site-packages/nut2.py"));
    if judge("nut2", of_venv).is_none() {
        return;
    }
    let (site, _odd) = site("nut2");
    let mut watching = site.connect().user("second", "two");
    assert_eq!(watching.ask("LOGIN rack"), "OK");
    let out = run(&site, installed().join("venv/bin/python").to_str().unwrap(), "nut2_judge.py");
    let lines = [
        "ups [('attic', 'Description unavailable'), ('gone', 'Description unavailable'), ('odd', 'Description unavailable'), ('rack', 'The rack')]",
        "description The rack",
        "var OL 230.0 True",
        "get OL",
        "desc UPS status",
        "type RW RANGE NUMBER",
        "cmd Toggle the UPS beeper",
        "cmddesc Toggle the UPS beeper",
        "rw True",
        "enum ['high', 'low']",
        "range ['160']",
        "logins 1",
        "clients {'rack': ['127.0.0.1']}",
        "status OL",
        "error ERR DRIVER-NOT-CONNECTED",
        "error ERR UNKNOWN-UPS",
        "error ERR VAR-NOT-SUPPORTED",
        "error ERR CMD-NOT-SUPPORTED",
        "error ERR READONLY",
        "error ('Master level function are not available', '')",
        "fsd FSD OB",
    ];
    assert_lines(&out, &lines);
    assert!(out.contains("ver Network UPS Tools upsd 2.8.0 - "), "{out}");
    assert_delay_set(&site);
    assert_beeper_off(&site);
    assert_forced(&site);
}

#[test]
fn pynut_client_of_pypi() {
    let of_venv = existing(installed().join("venv/lib/python3.11/site-packages/PyNUTClient"));
    if judge("PyNUTClient", of_venv).is_none() {
        return;
    }
    // in the clear, and encrypted
    for (name, more, arguments) in
        [("pynutclient", "", &[][..]), ("pynutclient-tls", "STARTTLS always\n", &["tls"])]
    {
        let (site, _odd) = site_with(name, more);
        let python = installed().join("venv/bin/python");
        let out = run_with(&site, python.to_str().unwrap(), "pynut_judge.py", arguments);
        assert_lines(&out, PYNUT);
        assert_lines(&out, &["login OK", "clients {b'attic': [b'127.0.0.1']}"]);
        assert_delay_set(&site);
        assert_beeper_off(&site);
        assert_forced(&site);
    }
}

#[test]
fn pynut_of_debian() {
    if judge("python3-nut", existing("/usr/lib/python3/dist-packages/PyNUT.py")).is_none() {
        return;
    }
    let (site, _odd) = site("python3-nut");
    let out = run(&site, "/usr/bin/python3", "pynut_judge.py");
    assert_lines(&out, PYNUT);
    assert_delay_set(&site);
    assert_beeper_off(&site);
    assert_forced(&site);
}

#[test]
fn ups_nut_of_perl() {
    if judge("libups-nut-perl", existing("/usr/share/perl5/UPS/Nut.pm")).is_none() {
        return;
    }
    let (site, _odd) = site("perl");
    let out = run(&site, "/usr/bin/perl", "ups_nut.pl");
    let lines = [
        "status OL",
        "volts 230.0",
        "ups attic: Description unavailable",
        "ups gone: Description unavailable",
        "ups odd: Description unavailable",
        "ups rack: The rack",
        "var OL 230.0 1",
        "rw 1",
        "cmd beeper.toggle",
        "desc UPS status",
        "type RW RANGE NUMBER",
        "set \"240\"",
        "run 1",
        "error Error: ERR VAR-NOT-SUPPORTED.  Requested no.such.",
        "error Can't send instant command no.such. Reason: ERR CMD-NOT-SUPPORTED",
        "error Error: ERR READONLY",
        "tied OL",
        "enum high low",
        "login 1",
        "master 1",
        "fsd 1 FSD OB",
    ];
    assert_lines(&out, &lines);
    assert_delay_set(&site);
    assert_beeper_off(&site);
    assert_forced(&site);
}

#[test]
fn node_nut() {
    if judge("node-nut", existing(installed().join("node_modules/node-nut"))).is_none() {
        return;
    }
    let (site, _odd) = site("node-nut");
    let out = run(&site, "node", "node_nut.js");
    let none = "Description unavailable";
    let ups = format!(r#"ups {{"rack":"The rack","attic":"{none}","gone":"{none}","odd":"{none}"}}"#);
    let lines = [
        "netver 1.3",
        &ups,
        "var OL 230.0 true",
        "cmd true",
        "rw true",
        "enum high low",
        r#"range [{"min":"160","max":"180"}]"#,
        // its pattern takes the last word
        "type NUMBER",
        "desc UPS status",
        "cmddesc Toggle the UPS beeper",
        "gone DRIVER-NOT-CONNECTED",
        "none UNKNOWN-UPS",
        "user null",
        "password null",
        "denied ACCESS-DENIED",
        "master null",
        "fsd null",
        "closed",
        "set null",
        "run null",
    ];
    assert_lines(&out, &lines);
    assert_delay_set(&site);
    assert_beeper_off(&site);
    assert_forced(&site);
}

#[test]
fn rups() {
    let Some(rups) = judge("rups", existing(installed().join("rups/debug/judge-rups"))) else { return };
    let (site, _odd) = site("rups");
    let mut watching = site.connect().user("second", "two");
    assert_eq!(watching.ask("LOGIN rack"), "OK");
    let out = run(&site, &rups, "");
    let lines = [
        "netver 1.3",
        "ups rack: The rack",
        "ups attic: Description unavailable",
        "upsdesc The rack",
        "logins 1",
        "var device.mfr: QXUPS",
        "var input.voltage: 230.0",
        "rw ups.delay.start: 180 range true number true",
        "status ups.status: OL",
        "desc UPS status",
        "cmd beeper.toggle: Toggle the UPS beeper",
        "enum high",
        "enum low",
        "client 127.0.0.1",
        "stale Some(Nut(Generic(\"Server error: DRIVER-NOT-CONNECTED \")))",
        "unknown Some(Nut(UnknownUps))",
        "unsupported Some(Nut(Generic(\"Server error: CMD-NOT-SUPPORTED \")))",
    ];
    assert_lines(&out, &lines);
    assert_beeper_off(&site);
}
