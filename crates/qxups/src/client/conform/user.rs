//! Checks that need a user. Orders are such that no UPS has; a LOGIN is taken back at once.

use super::check::{Check, CheckResult, Grade, Needs, Way};
use super::probe::{CutOff, Probe, Raw};

pub const CHECKS: &[Check] = &[
    Check {
        name: "orders need a user",
        expected: "ERR USERNAME-REQUIRED",
        source: "upsd 2.8.0 server/upsd.c; RFC 9271, error responses",
        breaks: "nothing: everyone who reaches the server can switch the UPS off",
        grade: Grade::Fault,
        needs: Needs::User,
        way: Way::Own(|probe| {
            let lines = probe.open_as_guest()?.ask(&probe.filled("INSTCMD {ups} qxups.no.such"))?;
            Ok(CheckResult::of(
                lines == ["ERR USERNAME-REQUIRED"],
                &probe.filled("INSTCMD {ups} qxups.no.such"),
                &lines,
            ))
        }),
    },
    Check {
        name: "USERNAME and PASSWORD",
        expected: "OK and OK, with nothing behind it",
        source: "RFC 9271, USERNAME, PASSWORD; upsd 2.8.0 server/netuser.c",
        breaks: "netdata compares with exactly OK",
        grade: Grade::Fault,
        needs: Needs::User,
        way: Way::Own(|probe| {
            let lines = probe.log_in(&mut probe.open_as_guest()?)?;
            Ok(CheckResult::of(lines == ["OK", "OK"], "USERNAME .., PASSWORD ..", &lines))
        }),
    },
    Check {
        name: "USERNAME twice",
        expected: "ERR ALREADY-SET-USERNAME",
        source: "RFC 9271, error responses; upsd 2.8.0 server/netuser.c",
        breaks: "no client that is known",
        grade: Grade::Note,
        needs: Needs::User,
        way: Way::Own(|probe| asked(probe, "USERNAME qxups", |lines| lines == ["ERR ALREADY-SET-USERNAME"])),
    },
    Check {
        name: "unknown command",
        expected: "ERR CMD-NOT-SUPPORTED, or ACCESS-DENIED for a user who may not",
        source: "RFC 9271, INSTCMD; upsd 2.8.0 server/netinstcmd.c",
        breaks: "upscmd reports another reason",
        grade: Grade::Fault,
        needs: Needs::User,
        way: Way::Own(|probe| {
            asked(probe, "INSTCMD {ups} qxups.no.such", |lines| {
                lines == ["ERR CMD-NOT-SUPPORTED"] || lines == ["ERR ACCESS-DENIED"]
            })
        }),
    },
    Check {
        name: "setting an unknown variable",
        expected: "ERR VAR-NOT-SUPPORTED, or ACCESS-DENIED for a user who may not",
        source: "RFC 9271, SET VAR; upsd 2.8.0 server/netset.c",
        breaks: "upsrw reports another reason",
        grade: Grade::Fault,
        needs: Needs::User,
        way: Way::Own(|probe| {
            asked(probe, "SET VAR {ups} qxups.no.such \"1\"", |lines| {
                lines == ["ERR VAR-NOT-SUPPORTED"] || lines == ["ERR ACCESS-DENIED"]
            })
        }),
    },
    Check {
        name: "SET TRACKING",
        expected: "OK, then GET TRACKING answers ON",
        source: "RFC 9271, SET TRACKING; upsd 2.8.0 server/netset.c",
        breaks: "upscmd -w and upsrw -w: without it an order is accepted and not seen done",
        grade: Grade::Note,
        needs: Needs::User,
        way: Way::Own(|probe| {
            let mut raw = logged_in(probe)?;
            let lines = [raw.ask("SET TRACKING ON")?, raw.ask("GET TRACKING")?].concat();
            Ok(CheckResult::of(lines == ["OK", "ON"], "SET TRACKING ON, GET TRACKING", &lines))
        }),
    },
    Check {
        name: "GET TRACKING of an unknown id",
        expected: "ERR UNKNOWN",
        source: "RFC 9271, GET TRACKING; upsd 2.8.0 server/upsd.c",
        breaks: "upscmd -w takes anything else for an outcome",
        grade: Grade::Note,
        needs: Needs::User,
        way: Way::Own(|probe| {
            let mut raw = logged_in(probe)?;
            if raw.ask("SET TRACKING ON")? != ["OK"] {
                return Ok(CheckResult::NotTried("the server has no tracking".into()));
            }
            let lines = raw.ask("GET TRACKING 00000000-0000-4000-8000-000000000000")?;
            Ok(CheckResult::of(lines == ["ERR UNKNOWN"], "GET TRACKING with an id of nothing", &lines))
        }),
    },
    Check {
        name: "LOGIN is counted",
        expected: "OK, one more in NUMLOGINS while the connection stands, a second LOGIN is ERR ALREADY-LOGGED-IN",
        source: "RFC 9271, LOGIN; upsd 2.8.0 server/netuser.c",
        breaks: "upsmon as primary switches the UPS off before its secondaries are down, or waits for ever",
        grade: Grade::Fault,
        needs: Needs::User,
        way: Way::Own(login),
    },
];

/// Whether the user who was named may do nothing at all: so a server treats a wrong name or password, which it only looks
/// at with the first order.
pub fn is_refused(probe: &Probe) -> bool {
    let orders = ["INSTCMD {ups} qxups.no.such", "SET VAR {ups} qxups.no.such \"1\"", "LOGIN {ups}"];
    let is_denied = |order: &str| {
        let lines = logged_in(probe).and_then(|mut raw| raw.ask(&probe.filled(order)));
        lines.is_ok_and(|lines| lines == ["ERR ACCESS-DENIED"])
    };
    probe.user.is_some() && probe.ups.is_some() && orders.into_iter().all(is_denied)
}

fn logged_in(probe: &Probe) -> Result<Raw, CutOff> {
    let mut raw = probe.open_as_guest()?;
    probe.log_in(&mut raw)?;
    Ok(raw)
}

fn asked(probe: &Probe, template: &str, fits: fn(&[String]) -> bool) -> Result<CheckResult, CutOff> {
    let sent = probe.filled(template);
    let lines = logged_in(probe)?.ask(&sent)?;
    Ok(CheckResult::of(fits(&lines), &sent, &lines))
}

fn login(probe: &Probe) -> Result<CheckResult, CutOff> {
    let count = |lines: &[String]| -> Option<u32> { lines.first()?.rsplit(' ').next()?.parse().ok() };
    let ask = probe.filled("GET NUMLOGINS {ups}");
    let mut raw = logged_in(probe)?;
    let before = count(&raw.ask(&ask)?);
    let login = raw.ask(&probe.filled("LOGIN {ups}"))?;
    if login == ["ERR ACCESS-DENIED"] {
        return Ok(CheckResult::NotTried("this user may not watch the UPS".into()));
    }
    let during = count(&raw.ask(&ask)?);
    let again = raw.ask(&probe.filled("LOGIN {ups}"))?;
    raw.send("LOGOUT\n")?;
    raw.until_closed()?;
    let good = login == ["OK"]
        && before.zip(during).is_some_and(|(before, during)| during > before)
        && again == ["ERR ALREADY-LOGGED-IN"];
    let number = |count: Option<u32>| count.map_or("?".to_string(), |count| count.to_string());
    let told = [login, vec![format!("{} -> {}", number(before), number(during))], again].concat();
    Ok(CheckResult::of(good, "GET NUMLOGINS, LOGIN, GET NUMLOGINS, LOGIN, LOGOUT", &told))
}
