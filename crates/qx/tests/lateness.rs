//! Replies that come late, or one question late, and what is asked when they do no more. And how often is asked.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::disallowed_methods)]

use qx::device::Event;
use qx::options::Options;
use qx::vocabulary::moment::Moment;
use std::collections::BTreeMap;
use std::time::Duration;
use testbed::line::{Line, ended, seconds};

/// A voltronic UPS of two outlets, by the papers.
fn voltronic(ask: &str) -> Option<&'static [u8]> {
    Some(match ask {
        "QGS" => b"(234.9 50.0 229.8 50.0 000.0 000 369.1 ---.- 026.5 ---.- 018.8 100000000001",
        "QPI" => b"(PI09",
        "QMD" => b"(#######OLHVT1K0 ###1000 80 2/2 230 230 02 12.0",
        "QRI" => b"(230.0 004 024.0 50.0",
        "QMF" => b"(#######BOSSMAKER",
        "QVFW" => b"(VERFW:00322.02",
        "QID" => b"(#####ABC123456789",
        "QMOD" => b"(L",
        "QWS" => b"(0000000000000000000000000000000000000000000000000000000000000000",
        "QBV" => b"(026.5 02 01 100 255",
        "QSK1" => b"(1",
        "QSK2" => b"(0",
        _ => return None,
    })
}

/// What clients see of what is asked once.
fn identity(line: &Line) -> Vec<Option<String>> {
    let names = ["device.mfr", "device.model", "device.serial", "ups.mfr", "ups.model", "ups.serial"];
    let outlets = ["outlet.1.status", "outlet.2.status", "ups.firmware"];
    names.iter().chain(&outlets).map(|name| line.text(name).map(String::from)).collect()
}

/// Each reply comes when the next question is asked, for some minutes; then the line is well again.
#[test]
fn what_was_swapped_is_right_when_the_line_is_well_again() {
    let well = {
        let mut line = Line::new(Options::default());
        let mut ups = |ask: &str, _| voltronic(ask).map(ended).unwrap_or_default();
        assert!(line.run(seconds(60), &mut ups, |event| *event == Event::Ready));
        let until = line.now + seconds(60);
        line.run(until, &mut ups, |_| false);
        identity(&line)
    };
    assert!(well.iter().flatten().any(|text| text.contains("BOSSMAKER")), "{well:?}");
    for (from, until) in [(0, 20), (0, 100), (0, 300), (20, 120), (35, 36), (61, 200), (100, 1000)] {
        let mut line = Line::new(Options::default());
        let mut kept: Option<Vec<u8>> = None;
        let mut ups = |ask: &str, now: Moment| {
            let reply = voltronic(ask).map(ended);
            if now < seconds(from) || now >= seconds(until) {
                kept = None;
                return reply.unwrap_or_default();
            }
            let before = kept.take();
            kept = reply;
            before.unwrap_or_default()
        };
        line.run(seconds(until + 120), &mut ups, |_| false);
        assert!(!line.device.store().is_stale(), "{from} to {until}");
        assert_eq!(identity(&line), well, "{from} to {until}");
    }
}

const STATUS: &[u8] = b"(226.0 195.0 226.0 014 49.0 27.5 30.0 00001000\r";

fn megatec(ask: &str, _: Moment) -> Vec<u8> {
    match ask {
        "Q1" => STATUS.to_vec(),
        "F" => b"#230.0 004 24.00 50.0\r".to_vec(),
        "I" => b"#MAKER           MODEL      V1.0      \r".to_vec(),
        _ => vec![],
    }
}

/// A reload from an hour to two seconds counts at once, not after the hour.
#[test]
fn a_shorter_interval_counts_at_once() {
    for (before, after) in [(3600, 2), (3600, 60), (60, 1), (2, 3600)] {
        let slow = Options { pollinterval: seconds(before), pollfreq: seconds(before), ..Options::default() };
        let fast = Options { pollinterval: seconds(after), pollfreq: seconds(after), ..Options::default() };
        let mut line = Line::new(slow);
        assert!(line.run(seconds(60), &mut megatec, |event| *event == Event::Ready));
        let reloaded = line.now + seconds(1);
        line.run(reloaded, &mut megatec, |_| false);
        assert!(line.device.reconfigure(fast, line.now));
        line.asked.clear();
        line.run(reloaded + seconds(600), &mut megatec, |_| false);
        let polls = line.asked.iter().filter(|(_, ask)| ask == "Q1").count() as u64;
        assert!(polls + 1 >= 600 / after, "{before} to {after}: {polls} polls");
        let first = line.asked.iter().find(|(_, ask)| ask == "Q1").map(|(at, _)| *at - reloaded);
        assert!(after == 3600 || first.unwrap() <= seconds(after), "{first:?}");
        assert!(!line.device.store().is_stale());
    }
}

/// `pollfreq = 0`: every poll is a full one, and no more than that.
#[test]
fn full_polls_are_not_asked_more_often_than_the_status() {
    for (interval, most) in [(2, 30), (1, 60), (10, 6)] {
        let options =
            Options { pollinterval: seconds(interval), pollfreq: Duration::ZERO, ..Options::default() };
        let mut line = Line::new(options);
        let mut ups = |ask: &str, _| voltronic(ask).map(ended).unwrap_or_default();
        assert!(line.run(seconds(60), &mut ups, |event| *event == Event::Ready));
        line.run(line.now + seconds(5), &mut ups, |_| false);
        line.asked.clear();
        line.run(line.now + seconds(60), &mut ups, |_| false);
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        line.asked.iter().for_each(|(_, ask)| *counts.entry(ask).or_default() += 1);
        // one more for each that is not answered and tried again
        assert!(counts.values().all(|count| *count <= 2 * most + 2), "{interval}: {counts:?}");
        assert!(counts["QBV"] >= most - 2, "{interval}: {counts:?}");
    }
}

/// It answers Q1, and WH in no form that is known: NUT serves it as q1 after 33 s.
#[test]
fn a_masterguard_of_an_unknown_model_is_served_as_q1() {
    for model in ["(99 99.99", "(XX 10.06 03.09 UNKNOWN-MODEL                  0 230 50.00 012 02.00 012.00"]
    {
        let mut line = Line::new(Options::default());
        let mut ups = |ask: &str, _| match ask {
            "Q1" => STATUS.to_vec(),
            "WH" => format!("{model}\r").into_bytes(),
            _ => vec![],
        };
        assert!(line.run(seconds(33), &mut ups, |event| *event == Event::Ready), "{:?}", line.questions());
        assert_eq!(line.device.protocol().unwrap().name, "q1");
    }
}
