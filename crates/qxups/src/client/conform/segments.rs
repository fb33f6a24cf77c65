//! Checks of how bytes and lines are cut, and of several connections.

use super::check::{Check, CheckResult, Grade, Needs, Way};
use super::probe::{CutOff, Probe, Raw};
use std::time::Duration;

/// Between the parts of a line that is sent in two.
const BETWEEN_PARTS: Duration = Duration::from_millis(100);
/// How many connections stand at a time.
const CONNECTIONS: usize = 5;

pub const CHECKS: &[Check] = &[
    Check {
        name: "LOGOUT",
        expected: "OK Goodbye, then the connection is closed",
        source: "RFC 9271, LOGOUT; upsd 2.8.0 server/netmisc.c",
        breaks: "UPS::Nut waits for it; go.nut reads on for ever where the connection stays",
        grade: Grade::Fault,
        needs: Needs::Server,
        way: Way::Own(logout),
    },
    Check {
        name: "two requests in one segment",
        expected: "both answers, in order, then the connection is closed",
        source: "upsd 2.8.0 server/upsd.c; measured with check_ups",
        breaks: "check_ups (monitoring-plugins) sends GET VAR and LOGOUT at once",
        grade: Grade::Fault,
        needs: Needs::Ups,
        way: Way::Own(at_once),
    },
    Check {
        name: "many requests in one segment",
        expected: "as many answers, in order",
        source: "upsd 2.8.0 server/upsd.c",
        breaks: "clients that do not wait between requests",
        grade: Grade::Note,
        needs: Needs::Server,
        way: Way::Own(many),
    },
    Check {
        name: "a request in two segments",
        expected: "one answer, to the whole line",
        source: "RFC 9271, syntax; upsd 2.8.0 server/upsd.c",
        breaks: "any client behind a slow network",
        grade: Grade::Fault,
        needs: Needs::Server,
        way: Way::Own(in_parts),
    },
    Check {
        name: "lines that end with CR LF",
        expected: "the answer to the line without it, also with two CR",
        source: "NUT 2.8.0 common/parseconf.c, where CR is blank; measured with WinNUT",
        breaks: "WinNUT ends its lines with CR CR LF; people with telnet",
        grade: Grade::Fault,
        needs: Needs::Ups,
        way: Way::Own(carriage_returns),
    },
    Check {
        name: "blanks at the end of a line",
        expected: "the answer to the line without them",
        source: "NUT 2.8.0 common/parseconf.c",
        breaks: "scripts",
        grade: Grade::Note,
        needs: Needs::Ups,
        way: Way::Own(|probe| same_answer(probe, &["  \n"])),
    },
    Check {
        name: "a blank line",
        expected: "ERR UNKNOWN-COMMAND or no answer, and the next line is answered",
        source: "upsd 2.8.0 server/upsd.c, measured",
        breaks: "people with telnet; clients that send an empty line",
        grade: Grade::Fault,
        needs: Needs::Server,
        way: Way::Own(blank_line),
    },
    Check {
        name: "several connections",
        expected: "five at a time, each answered",
        source: "upsd 2.8.0 server/upsd.c (MAXCONN is the system's limit of open files)",
        breaks: "WinNUT opens two; check_ups and upsstats one for each value; UniFi's server fails above three",
        grade: Grade::Fault,
        needs: Needs::Server,
        way: Way::Own(several),
    },
    Check {
        name: "an idle connection",
        expected: "costs other connections nothing",
        source: "upsd 2.8.0 server/upsd.c; measured with WinNUT",
        breaks: "WinNUT opens two connections and uses one",
        grade: Grade::Fault,
        needs: Needs::Server,
        way: Way::Own(|probe| {
            let _idle = probe.open()?;
            let lines = probe.open()?.ask("NETVER")?;
            Ok(CheckResult::of(is_answer(&lines), "NETVER beside an idle connection", &lines))
        }),
    },
];

fn is_answer(lines: &[String]) -> bool {
    lines.len() == 1 && lines.iter().all(|line| !line.is_empty() && !line.starts_with("ERR"))
}

fn logout(probe: &Probe) -> Result<CheckResult, CutOff> {
    let mut raw = probe.open()?;
    raw.send("LOGOUT\n")?;
    let (mut lines, closed) = raw.until_closed()?;
    let good = closed && lines == ["OK Goodbye"];
    lines.push(if closed { "(closed)" } else { "(not closed)" }.into());
    Ok(CheckResult::of(good, "LOGOUT", &lines))
}

fn at_once(probe: &Probe) -> Result<CheckResult, CutOff> {
    let alone = probe.ask_alone(&probe.filled("GET UPSDESC {ups}"))?;
    let sent = probe.filled("GET UPSDESC {ups}\nLOGOUT\n");
    let mut raw = probe.open()?;
    raw.send(&sent)?;
    let (mut lines, closed) = raw.until_closed()?;
    let expected: Vec<String> = alone.into_iter().chain(["OK Goodbye".into()]).collect();
    let good = closed && lines == expected;
    lines.push(if closed { "(closed)" } else { "(not closed)" }.into());
    Ok(CheckResult::of(good, &sent, &lines))
}

fn many(probe: &Probe) -> Result<CheckResult, CutOff> {
    let sent = "NETVER\nQXUPS\n".repeat(10);
    let mut raw = probe.open()?;
    raw.send(&sent)?;
    let version = raw.answer("NETVER")?;
    let unknown = raw.answer("QXUPS")?;
    for expected in [&version, &unknown].into_iter().cycle().take(18) {
        let lines = raw.answer("NETVER")?;
        if lines != *expected {
            return Ok(CheckResult::departs("NETVER and QXUPS, ten times", &lines));
        }
    }
    Ok(CheckResult::of(version != unknown, "NETVER and QXUPS, ten times", &version))
}

fn in_parts(probe: &Probe) -> Result<CheckResult, CutOff> {
    let mut raw = probe.open()?;
    raw.send("NET")?;
    std::thread::sleep(BETWEEN_PARTS);
    raw.send("VER\n")?;
    let lines = raw.answer("NETVER")?;
    let after = raw.ask("QXUPS")?;
    let good = is_answer(&lines) && after.iter().all(|line| line.starts_with("ERR"));
    Ok(CheckResult::of(good, "NET, VER", &[lines, after].concat()))
}

/// The request is answered alike whatever ends its line.
fn same_answer(probe: &Probe, ends: &[&str]) -> Result<CheckResult, CutOff> {
    let request = probe.filled("GET UPSDESC {ups}");
    let plain = probe.ask_alone(&request)?;
    for end in ends {
        let mut raw: Raw = probe.open()?;
        raw.send(&format!("{request}{end}"))?;
        let lines = raw.answer(&request)?;
        // what is left over would be answered as a line of its own
        let after = raw.ask("NETVER")?;
        if lines != plain || !is_answer(&after) {
            return Ok(CheckResult::departs(&format!("{request}{end}NETVER"), &[lines, after].concat()));
        }
    }
    Ok(CheckResult::Good)
}

fn carriage_returns(probe: &Probe) -> Result<CheckResult, CutOff> {
    same_answer(probe, &["\r\n", "\r\r\n"])
}

fn blank_line(probe: &Probe) -> Result<CheckResult, CutOff> {
    let mut raw = probe.open()?;
    let mut lines = raw.ask("\nNETVER")?;
    if lines == ["ERR UNKNOWN-COMMAND"] {
        lines = raw.answer("NETVER")?;
    }
    Ok(CheckResult::of(is_answer(&lines), "\nNETVER", &lines))
}

fn several(probe: &Probe) -> Result<CheckResult, CutOff> {
    let mut open = vec![];
    for _ in 0..CONNECTIONS {
        open.push(probe.open()?);
    }
    for raw in &mut open {
        let lines = raw.ask("NETVER")?;
        if !is_answer(&lines) {
            return Ok(CheckResult::departs("NETVER on each of five connections", &lines));
        }
    }
    Ok(CheckResult::Good)
}
