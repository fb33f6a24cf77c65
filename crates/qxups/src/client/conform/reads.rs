//! Checks of single answers.

use super::check::{Check, Grade, Needs, Way};

pub const CHECKS: &[Check] = &[
    Check {
        name: "GET VAR",
        expected: "VAR, UPS and variable as they were sent, the value in quotes",
        source: "RFC 9271, GET VAR; upsd 2.8.0 server/netget.c",
        breaks: "upsmon, upslog, check_ups read the status so",
        grade: Grade::Fault,
        needs: Needs::Ups,
        way: Way::Ask("GET VAR {ups} ups.status", |lines, probe| {
            quoted(lines, &probe.filled("VAR {ups} ups.status "))
        }),
    },
    Check {
        name: "names in any case",
        expected: "the UPS is found, and its name repeated as it was sent",
        source: "RFC 9271, commands and responses; upsd 2.8.0 server/upsd.c get_ups_ptr",
        breaks: "libupsclient (upsc, upsmon) compares the words that come back with those that it sent",
        grade: Grade::Fault,
        needs: Needs::Ups,
        way: Way::Ask("GET VAR {UPS} ups.status", |lines, probe| {
            quoted(lines, &probe.filled("VAR {UPS} ups.status "))
        }),
    },
    Check {
        name: "requests in any case",
        expected: "get var is GET VAR",
        source: "RFC 9271, commands and responses; upsd 2.8.0 server/upsd.c",
        breaks: "scripts and people who type",
        grade: Grade::Note,
        needs: Needs::Ups,
        way: Way::Ask("get var {ups} ups.status", |lines, probe| {
            quoted(lines, &probe.filled("VAR {ups} ups.status "))
        }),
    },
    Check {
        name: "words in quotes",
        expected: "a word in quotes is that word",
        source: "NUT 2.8.0 common/parseconf.c; RFC 9271, syntax",
        breaks: "upsrw and PyNUT put values in quotes",
        grade: Grade::Fault,
        needs: Needs::Ups,
        way: Way::Ask("GET VAR {ups} \"ups.status\"", |lines, probe| {
            quoted(lines, &probe.filled("VAR {ups} ups.status "))
        }),
    },
    Check {
        name: "unknown variable",
        expected: "ERR VAR-NOT-SUPPORTED and nothing behind it",
        source: "RFC 9271, error responses; upsd 2.8.0 server/netget.c",
        breaks: "UPS::Nut and upsmon try variables, and fall back after this word; WinNUT throws on words that it does not know",
        grade: Grade::Fault,
        needs: Needs::Ups,
        way: Way::Ask("GET VAR {ups} qxups.no.such", |lines, _| lines == ["ERR VAR-NOT-SUPPORTED"]),
    },
    Check {
        name: "unknown UPS",
        expected: "ERR UNKNOWN-UPS and nothing behind it",
        source: "RFC 9271, error responses; upsd 2.8.0 server/netget.c",
        breaks: "upsmon tells a wrong name from lost communication by it",
        grade: Grade::Fault,
        needs: Needs::Server,
        way: Way::Ask("GET VAR qxups-no-such ups.status", |lines, _| lines == ["ERR UNKNOWN-UPS"]),
    },
    Check {
        name: "unknown request",
        expected: "ERR UNKNOWN-COMMAND and nothing behind it",
        source: "RFC 9271, error responses; upsd 2.8.0 server/upsd.c",
        breaks: "upsmon tries PRIMARY, then MASTER after this word",
        grade: Grade::Fault,
        needs: Needs::Server,
        way: Way::Ask("QXUPS", |lines, _| lines == ["ERR UNKNOWN-COMMAND"]),
    },
    Check {
        name: "missing words",
        expected: "ERR INVALID-ARGUMENT and nothing behind it",
        source: "RFC 9271, error responses; upsd 2.8.0 server/netget.c",
        breaks: "WinNUT throws on words that it does not know; any client hangs without an answer",
        grade: Grade::Fault,
        needs: Needs::Server,
        way: Way::Ask("GET VAR", |lines, _| lines == ["ERR INVALID-ARGUMENT"]),
    },
    Check {
        name: "GET DESC of anything",
        expected: "DESC with a text in quotes, never an ERR",
        source: "upsd 2.8.0 server/netget.c and server/desc.c; RFC 9271, GET DESC",
        breaks: "upsrw and WinNUT ask it for each variable, and give up at an ERR",
        grade: Grade::Fault,
        needs: Needs::Ups,
        way: Way::Ask("GET DESC {ups} qxups.no.such", |lines, probe| {
            quoted(lines, &probe.filled("DESC {ups} qxups.no.such "))
        }),
    },
    Check {
        name: "GET CMDDESC of anything",
        expected: "CMDDESC, the words as they were sent, a text in quotes, never an ERR",
        source: "upsd 2.8.0 server/netget.c; measured with PyNUT",
        breaks: "PyNUT and python3-nut ask for b'load.off', apostrophes and all",
        grade: Grade::Fault,
        needs: Needs::Ups,
        way: Way::Ask("GET CMDDESC {ups} b'load.off'", |lines, probe| {
            quoted(lines, &probe.filled("CMDDESC {ups} b'load.off' "))
        }),
    },
    Check {
        name: "GET TYPE",
        expected: "TYPE, the words as they were sent, then RW, ENUM, RANGE, STRING:n or NUMBER",
        source: "RFC 9271, GET TYPE; upsd 2.8.0 server/netget.c",
        breaks: "upsrw and node-nut choose by it how to ask on",
        grade: Grade::Fault,
        needs: Needs::Ups,
        way: Way::Ask("GET TYPE {ups} ups.status", |lines, probe| {
            let words = behind(lines, &probe.filled("TYPE {ups} ups.status "));
            let known = |word: &str| {
                let length = word.strip_prefix("STRING:").is_some_and(|length| length.parse::<i64>().is_ok());
                length || ["RW", "ENUM", "RANGE", "STRING", "NUMBER"].contains(&word)
            };
            words.is_some_and(|words| words.split(' ').all(known))
        }),
    },
    Check {
        name: "GET NUMLOGINS",
        expected: "NUMLOGINS, the UPS as it was sent, a number",
        source: "RFC 9271, GET NUMLOGINS; upsd 2.8.0 server/netget.c",
        breaks: "upsmon as primary waits by it until the secondaries are down",
        grade: Grade::Fault,
        needs: Needs::Ups,
        way: Way::Ask("GET NUMLOGINS {ups}", |lines, probe| {
            behind(lines, &probe.filled("NUMLOGINS {ups} "))
                .is_some_and(|number| number.parse::<u32>().is_ok())
        }),
    },
    Check {
        name: "GET UPSDESC",
        expected: "UPSDESC, the UPS as it was sent, a text in quotes",
        source: "RFC 9271, GET UPSDESC; upsd 2.8.0 server/netget.c",
        breaks: "aionut (Home Assistant) names the device by it",
        grade: Grade::Fault,
        needs: Needs::Ups,
        way: Way::Ask("GET UPSDESC {ups}", |lines, probe| quoted(lines, &probe.filled("UPSDESC {ups} "))),
    },
    Check {
        name: "GET TRACKING",
        expected: "ON or OFF",
        source: "RFC 9271, GET TRACKING; upsd 2.8.0 server/netget.c",
        breaks: "upscmd -w and upsrw -w: without it an order is accepted and not seen done",
        grade: Grade::Note,
        needs: Needs::Server,
        way: Way::Ask("GET TRACKING", |lines, _| lines == ["ON"] || lines == ["OFF"]),
    },
];

/// What stands behind these words, in an answer of one line.
fn behind<'a>(lines: &'a [String], words: &str) -> Option<&'a str> {
    match lines {
        [line] => line.strip_prefix(words),
        _ => None,
    }
}

/// Whether one line has these words and a text in quotes.
fn quoted(lines: &[String], words: &str) -> bool {
    behind(lines, words).is_some_and(|text| text.len() >= 2 && text.starts_with('"') && text.ends_with('"'))
}
