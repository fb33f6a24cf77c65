//! Checks of lists, and of every line in them.

use super::check::{Check, CheckResult, Grade, Needs, Way};
use super::probe::{CutOff, Probe};

/// The longest LIST VAR that aionut reads: asyncio's limit of one read.
const LONGEST_LIST: usize = 64 * 1024;

pub const CHECKS: &[Check] = &[
    Check {
        name: "LIST UPS",
        expected: "BEGIN LIST UPS, lines of UPS name \"text\", END LIST UPS",
        source: "RFC 9271, LIST UPS; upsd 2.8.0 server/netlist.c",
        breaks: "every client that finds UPSes by itself",
        grade: Grade::Fault,
        needs: Needs::Server,
        way: Way::Ask("LIST UPS", |lines, _| is_list(lines, "LIST UPS", "UPS ", is_pair)),
    },
    Check {
        name: "LIST VAR",
        expected: "BEGIN LIST VAR and the UPS as it was sent, lines of VAR ups name \"value\", END and the same words",
        source: "RFC 9271, LIST VAR; upsd 2.8.0 server/netlist.c",
        breaks: "netdata and PeaNUT compare the frame letter by letter, and read on for ever",
        grade: Grade::Fault,
        needs: Needs::Ups,
        way: Way::Ask("LIST VAR {ups}", |lines, probe| list_of(lines, probe, "VAR {ups}", is_pair)),
    },
    Check {
        name: "LIST VAR in any case",
        expected: "the UPS is found, and its name repeated as it was sent in each line",
        source: "RFC 9271, commands and responses; upsd 2.8.0 server/netlist.c",
        breaks: "libupsclient (upsc) stops at a line that does not repeat its words",
        grade: Grade::Fault,
        needs: Needs::Ups,
        way: Way::Ask("LIST VAR {UPS}", |lines, probe| list_of(lines, probe, "VAR {UPS}", is_pair)),
    },
    Check {
        name: "LIST RW",
        expected: "a list, empty where no variable can be written; never an ERR",
        source: "RFC 9271, LIST RW; upsd 2.8.0 server/netlist.c",
        breaks: "upsrw; nut_webgui gives the UPS up (UniFi's server answers INVALID-ARGUMENT)",
        grade: Grade::Fault,
        needs: Needs::Ups,
        way: Way::Ask("LIST RW {ups}", |lines, probe| list_of(lines, probe, "RW {ups}", is_pair)),
    },
    Check {
        name: "LIST CMD",
        expected: "a list, empty where the UPS has no commands; never an ERR",
        source: "RFC 9271, LIST CMD; upsd 2.8.0 server/netlist.c",
        breaks: "aionut (Home Assistant) asks it at each start; upscmd -l",
        grade: Grade::Fault,
        needs: Needs::Ups,
        way: Way::Ask("LIST CMD {ups}", |lines, probe| {
            list_of(lines, probe, "CMD {ups}", |word| !word.is_empty() && !word.contains([' ', '"']))
        }),
    },
    Check {
        name: "LIST CLIENT",
        expected: "a list of addresses, empty where no host is logged in",
        source: "RFC 9271, LIST CLIENT; upsd 2.8.0 server/netlist.c",
        breaks: "upsc -c, PyNUT, node-nut",
        grade: Grade::Note,
        needs: Needs::Ups,
        way: Way::Ask("LIST CLIENT {ups}", |lines, probe| {
            list_of(lines, probe, "CLIENT {ups}", |word| !word.is_empty() && !word.contains(' '))
        }),
    },
    Check {
        name: "LIST ENUM and LIST RANGE",
        expected: "lists, empty for a variable that can be anything",
        source: "RFC 9271, LIST ENUM, LIST RANGE; upsd 2.8.0 server/netlist.c",
        breaks: "upsrw, node-nut",
        grade: Grade::Fault,
        needs: Needs::Ups,
        way: Way::Own(values),
    },
    Check {
        name: "list of an unknown UPS",
        expected: "ERR UNKNOWN-UPS instead of a list",
        source: "RFC 9271, error responses; upsd 2.8.0 server/netlist.c",
        breaks: "upsc hangs on, or shows an empty list as data",
        grade: Grade::Fault,
        needs: Needs::Server,
        way: Way::Ask("LIST VAR qxups-no-such", |lines, _| lines == ["ERR UNKNOWN-UPS"]),
    },
    Check {
        name: "ups.status is there",
        expected: "a variable ups.status in LIST VAR",
        source: "NUT docs/new-drivers.txt, mandatory variables",
        breaks: "upsmon counts the UPS as lost; Home Assistant shows it unknown",
        grade: Grade::Fault,
        needs: Needs::Ups,
        way: Way::Own(|probe| {
            let start = probe.filled("VAR {ups} ups.status ");
            let there = probe.lists.iter().any(|line| line.starts_with(&start));
            Ok(CheckResult::of(there, "LIST VAR", &["a list without ups.status".into()]))
        }),
    },
    Check {
        name: "a UPS without data",
        expected: "ERR DRIVER-NOT-CONNECTED or ERR DATA-STALE instead of a list",
        source: "RFC 9271, error responses; upsd 2.8.0 server/netlist.c",
        breaks: "upsmon tells lost communication by these words alone",
        grade: Grade::Fault,
        needs: Needs::Server,
        way: Way::Own(|probe| {
            let words = ["ERR DRIVER-NOT-CONNECTED", "ERR DATA-STALE"];
            let wrong = |lines: &[String]| !matches!(lines, [line] if words.contains(&line.as_str()));
            let mut unwell = probe.without_data.iter();
            Ok(match (probe.without_data.is_empty(), unwell.find(|(_, lines)| wrong(lines))) {
                (true, _) => CheckResult::NotTried("every UPS has data".into()),
                (false, None) => CheckResult::Good,
                (false, Some((name, lines))) => CheckResult::departs(&format!("LIST VAR {name}"), lines),
            })
        }),
    },
    Check {
        name: "lines end with a line feed alone",
        expected: "no carriage return in any line",
        source: "RFC 9271, syntax; upsd 2.8.0 server/upsd.c",
        breaks: "netdata, PyNUT and aionut compare whole lines, and see another END",
        grade: Grade::Fault,
        needs: Needs::Server,
        way: Way::Own(|probe| {
            let whole: Vec<String> = probe.lists.iter().filter(|line| line.contains('\r')).cloned().collect();
            let wrong = probe.carriage_return.clone().map_or(whole, |line| vec![line]);
            Ok(CheckResult::of(wrong.is_empty(), "VER", &wrong))
        }),
    },
    Check {
        name: "ASCII only",
        expected: "printable ASCII in every line",
        source: "RFC 9271, syntax; NUT 2.8.0 common/parseconf.c",
        breaks: "aionut decodes as ASCII: one such letter and Home Assistant loses the UPS",
        grade: Grade::Fault,
        needs: Needs::Server,
        way: Way::Own(|probe| {
            Ok(each_line(probe, |line| line.chars().all(|letter| matches!(letter, ' '..='~' | '\r'))))
        }),
    },
    Check {
        name: "quotes are escaped",
        expected: "a text in quotes, with a backslash before each \" and \\ in it",
        source: "RFC 9271, syntax; NUT 2.8.0 common/parseconf.c pconf_encode",
        breaks: "libupsclient and every other client cut the text, or lose the rest of the list",
        grade: Grade::Fault,
        needs: Needs::Server,
        way: Way::Own(|probe| Ok(each_line(probe, is_escaped))),
    },
    Check {
        name: "texts without quotes and backslashes",
        expected: "no \" and no \\ in names of UPSes, values and descriptions, where the administrator can choose",
        source: "measured with the clients named",
        breaks: "netdata (a CSV reader), PeaNUT and PyNUT cut such a text or lose the line",
        grade: Grade::Note,
        needs: Needs::Server,
        way: Way::Own(|probe| Ok(each_line(probe, |line| !line.contains('\\')))),
    },
    Check {
        name: "short enough",
        expected: "LIST VAR of less than 64 KiB",
        source: "Python asyncio's limit of one read",
        breaks: "aionut (Home Assistant) reads no more",
        grade: Grade::Fault,
        needs: Needs::Ups,
        way: Way::Own(|probe| {
            let lines = probe.ask_alone(&probe.filled("LIST VAR {ups}"))?;
            let size: usize = lines.iter().map(|line| line.len() + 1).sum();
            Ok(CheckResult::of(size < LONGEST_LIST, "LIST VAR", &[format!("{size} bytes")]))
        }),
    },
];

/// Whether it is a list of this request, whose items begin so and go on as they should.
fn is_list(lines: &[String], request: &str, start: &str, fits: fn(&str) -> bool) -> bool {
    let [begin, items @ .., end] = lines else { return false };
    *begin == format!("BEGIN {request}")
        && *end == format!("END {request}")
        && items.iter().all(|line| line.strip_prefix(start).is_some_and(fits))
}

fn list_of(lines: &[String], probe: &Probe, words: &str, fits: fn(&str) -> bool) -> bool {
    let words = probe.filled(words);
    is_list(lines, &format!("LIST {words}"), &format!("{words} "), fits)
}

/// A name and a text in quotes.
fn is_pair(text: &str) -> bool {
    text.split_once(' ').is_some_and(|(name, text)| {
        !name.is_empty() && text.len() >= 2 && text.starts_with('"') && text.ends_with('"')
    })
}

/// Whether quotes and backslashes inside of the text are escaped.
fn is_escaped(line: &str) -> bool {
    let Some((_, text)) = line.split_once(" \"") else { return true };
    let Some(inner) = text.trim_end_matches('\r').strip_suffix('"') else { return false };
    let mut escaped = false;
    for letter in inner.chars() {
        if !escaped && letter == '"' {
            return false;
        }
        escaped = !escaped && letter == '\\';
    }
    !escaped
}

/// Every line that was read at first is as it should be.
fn each_line(probe: &Probe, fits: impl Fn(&str) -> bool) -> CheckResult {
    let wrong: Vec<String> = probe.lists.iter().filter(|line| !fits(line)).cloned().collect();
    CheckResult::of(wrong.is_empty(), "LIST UPS, LIST VAR, LIST RW, LIST CMD", &wrong)
}

/// ENUM and RANGE of a variable that can be written, or of the status, which has neither.
fn values(probe: &Probe) -> Result<CheckResult, CutOff> {
    let variable = probe.writable.clone().unwrap_or_else(|| "ups.status".into());
    let ups = probe.ups.clone().unwrap_or_default();
    for (word, fits) in [("ENUM", is_text as fn(&str) -> bool), ("RANGE", is_range)] {
        let request = format!("LIST {word} {ups} {variable}");
        let lines = probe.ask_alone(&request)?;
        if !is_list(&lines, &request, &format!("{word} {ups} {variable} "), fits) {
            return Ok(CheckResult::departs(&request, &lines));
        }
    }
    Ok(CheckResult::Good)
}

fn is_text(text: &str) -> bool {
    text.len() >= 2 && text.starts_with('"') && text.ends_with('"')
}

fn is_range(text: &str) -> bool {
    let words: Vec<&str> = text.split(' ').collect();
    words.len() == 2 && words.into_iter().all(is_text)
}
