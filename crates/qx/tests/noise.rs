//! What garbled replies still say, and what is taken of it on a line that was hurt, or is noisy.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

use qx::device::Event;
use qx::judge::bounds::{NOISY, UNSAID_AT_LEAST};
use qx::options::Options;
use qx::protocols;
use qx::vocabulary::status::Status;
use qx::vocabulary::variable::{INPUT_VOLTAGE, UPS_LOAD, Var};
use qx::wire::query::Query;
use qx::wire::readings::Readings;
use std::time::Duration;
use testbed::line::{Line, ended, lasting, seconds};

const STATUS: &str = "(226.0 195.0 226.0 014 49.0 27.5 30.0 00001000";
const OUTAGE: &str = "(000.0 195.0 226.0 014 49.0 25.5 30.0 10001000";

fn query(dialect: &str, ask: &str) -> &'static Query {
    protocols::named(dialect).unwrap().queries.iter().find(|query| query.ask == ask).unwrap()
}

/// What a reply says of a number, and whether its bits were read.
fn gleaned(reply: &[u8], var: &Var) -> (Option<f64>, bool) {
    let said = claims(query("megatec", "Q1"), reply);
    let number = said.iter().flatten().find_map(|said| said.number(var));
    let online = said.iter().flatten().any(|said| said.status.has(Status::Online));
    (number.map(|number| number.as_f64()), online)
}

/// What a reply says of each cell, on a line of which no odd form is known.
fn claims(query: &Query, reply: &[u8]) -> Vec<Option<Readings>> {
    query.claims(&query.cells(), reply, Some(&[]), |_| false).said
}

#[test]
fn a_garbled_reply_still_says_the_rest() {
    for (reply, volts, load) in [
        (&b"(226.0 195.0 226.0 014 49.0 27.5 30.0 00001000"[..], Some(226.0), Some(14.0)),
        (b"(22.0 195.0 226.0 014 49.0 27.5 30.0 00001000", None, Some(14.0)),
        (b"(2226.0 195.0 226.0 014 49.0 27.5 30.0 00001000", None, Some(14.0)),
        (b"(226.0 195.0 226.0 0\x9314 49.0 27.5 30.0 00001000", Some(226.0), None),
        (b"226.0 195.0 226.0 014 49.0 27.5 30.0 00001000", None, Some(14.0)),
        (b"((226.0 195.0  226.0 014 49.0 27.5 30.0 00001000", Some(226.0), Some(14.0)),
    ] {
        let text = reply.escape_ascii();
        assert_eq!(gleaned(reply, &INPUT_VOLTAGE), (volts, true), "{text}");
        assert_eq!(gleaned(reply, &UPS_LOAD), (load, true), "{text}");
    }
}

/// Whatever one error makes of the bits: they are not read, or one of them is another.
#[test]
fn bits_that_do_not_stand_whole_are_not_read() {
    let at = STATUS.len() - 8;
    for place in at..STATUS.len() {
        let without = [&STATUS.as_bytes()[..place], &STATUS.as_bytes()[place + 1..]].concat();
        let doubled = [&STATUS.as_bytes()[..=place], &STATUS.as_bytes()[place..]].concat();
        for reply in [&without, &doubled] {
            assert!(!gleaned(reply, &UPS_LOAD).1, "{}", reply.escape_ascii());
        }
    }
    // and where too little stands, nothing is
    let garbled = b"(226.0 1x95.0 226.0 0x14 49.0 2x7.5 30x.0 00001000";
    assert_eq!(gleaned(garbled, &INPUT_VOLTAGE), (None, false));
}

/// The checksum of an inverter's reply is wrong: what is bounded by marks is read all the same, bits that
/// others follow are not.
#[test]
fn a_wrong_checksum_leaves_what_stands_between_marks() {
    let warnings = query("voltronic-axpert", "QPIWS");
    let reply = b"(000000000000000000000000000000000000??";
    assert!(claims(warnings, reply).iter().all(Option::is_none));
    let mode = query("voltronic-axpert", "QMOD");
    assert!(claims(mode, b"(B??").iter().all(Option::is_some));
    assert!(claims(mode, b"(BB??").iter().all(Option::is_none));
}

fn answer(ask: &str, status: &str) -> Vec<u8> {
    match ask {
        "Q1" => ended(status.as_bytes()),
        "F" => ended(b"#230.0 003 024.0 50.0"),
        "I" => ended(b"#MUSTEK          PM 636     V1.2      "),
        _ => vec![],
    }
}

/// A line on which one reply was garbled lately: numbers are elected, words need two replies as ever.
fn hurt() -> Line {
    garbled(1)
}

/// A line on which replies are garbled all the time: words are elected as well.
fn noisy() -> Line {
    garbled(2 * NOISY)
}

fn garbled(replies: u32) -> Line {
    let options = Options { protocol: Some("megatec".into()), ..Options::default() };
    let mut line = Line::new(options);
    assert!(line.run(seconds(30), &mut |ask, _| answer(ask, STATUS), |event| *event == Event::Ready));
    let (mut garbled, mut turn) = (replies, 0);
    let until = line.now + lasting(60);
    let mut ups = |ask: &str, _| match ask {
        "Q1" if garbled > 0 && turn % 2 == 0 => {
            (garbled, turn) = (garbled - 1, turn + 1);
            ended(format!("(226.0 195.0 22{garbled}").as_bytes())
        }
        "Q1" => {
            turn += 1;
            answer(ask, STATUS)
        }
        _ => answer(ask, STATUS),
    };
    line.run(until, &mut ups, |_| false);
    line
}

/// Lets the UPS give these replies to `Q1`, one after the other, and says after how many of them the
/// status was this.
fn replies_until(line: &mut Line, status: &str, replies: &[&str]) -> Option<usize> {
    let given = std::cell::Cell::new(0);
    let mut ups = |ask: &str, _| {
        let reply = replies.get(given.get()).copied().unwrap_or(STATUS);
        given.set(given.get() + usize::from(ask == "Q1"));
        answer(ask, reply)
    };
    while given.get() <= replies.len() {
        let until = line.now + Duration::from_millis(10);
        line.run(until, &mut ups, |_| false);
        if line.text("ups.status") == Some(status) {
            return Some(given.get());
        }
    }
    None
}

#[test]
fn an_outage_is_seen_in_replies_none_of_which_is_whole() {
    let mut line = noisy();
    let garbled = [
        "(000.0 19.0 226.0 014 49.0 25.5 30.0 10001000",
        "(00#0.0 195.0 226.0 014 49.0 25.5 30.0 10001000",
        "(000.0 195.0 226.0 014 49.0 255 30.0 10001000",
    ];
    assert_eq!(replies_until(&mut line, "OB", &garbled), Some(3));
    // where a reply is garbled now and then, two are enough
    assert_eq!(replies_until(&mut hurt(), "OB", &garbled), Some(2));
}

#[test]
fn two_of_five_make_no_outage() {
    let mut line = noisy();
    assert_eq!(replies_until(&mut line, "OB", &[OUTAGE, OUTAGE, STATUS, STATUS, STATUS]), None);
    // but a third one does, while the first two are still among the last five
    assert_eq!(replies_until(&mut line, "OB", &[OUTAGE, STATUS, OUTAGE, STATUS, OUTAGE]), Some(5));
}

/// Seen in a day of noise: while a number leaps, one that noise made lies in the middle.
#[test]
fn what_lies_between_before_and_after_is_not_elected() {
    let mut line = noisy();
    let hertz = |hertz: &str| STATUS.replace("49.0", hertz);
    let replies = ["00.0", "00.0", "00.0", "10.0"].map(hertz);
    let given = std::cell::Cell::new(0);
    let mut shown = std::collections::BTreeSet::new();
    let mut ups = |ask: &str, _| {
        let reply = replies.get(given.get()).map_or(STATUS, String::as_str);
        given.set(given.get() + usize::from(ask == "Q1"));
        answer(ask, reply)
    };
    while given.get() < 20 {
        let until = line.now + Duration::from_millis(10);
        line.run(until, &mut ups, |_| false);
        shown.extend(line.text("input.frequency").map(String::from));
    }
    assert_eq!(shown.into_iter().collect::<Vec<_>>(), ["49.0"]);
}

/// A form that noise made comes and goes; one that stays is the UPS's own.
#[test]
fn an_odd_form_is_learned_from_what_comes_again_and_again() {
    const ODD: &str = "(226.0 195.0 226.0 0014 49.0 27.5 30.0 00001000";
    let mut line = noisy();
    let load = |line: &Line| line.text("ups.load").map(String::from);
    assert_eq!(load(&line).as_deref(), Some("14"));
    let mut turn = 0;
    let until = line.now + lasting(60);
    let mut ups = |ask: &str, _| {
        turn += 1;
        answer(ask, if turn % 3 == 0 { STATUS } else { "(226.0 195.0 226.0 0114 49.0 27.5 30.0 00001000" })
    };
    line.run(until, &mut ups, |_| false);
    assert_eq!(load(&line).as_deref(), Some("14"));
    let until = line.now + lasting(60);
    line.run(until, &mut |ask, _| answer(ask, &ODD.replace("0014", "0099")), |_| false);
    assert_eq!(load(&line).as_deref(), Some("99"));
}

/// A voltage that is never read twice: the one before is withdrawn after a minute, and mains stays known.
#[test]
fn a_number_that_is_never_read_so_any_more_is_withdrawn() {
    let mut line = hurt();
    assert_eq!(line.text("input.voltage"), Some("226.0"));
    let began = line.now;
    let mut turn = 0;
    let mut ups = |ask: &str, _| {
        turn += usize::from(ask == "Q1");
        let volts = ["010.0", "020.0", "040.0", "080.0", "160.0", "320.0", "640.0"][turn % 7];
        answer(ask, &STATUS.replacen("226.0", volts, 1))
    };
    line.run(began + UNSAID_AT_LEAST - lasting(4), &mut ups, |_| false);
    assert_eq!(line.text("input.voltage"), Some("226.0"));
    line.run(began + UNSAID_AT_LEAST + lasting(4), &mut ups, |_| false);
    assert_eq!(line.text("input.voltage"), None);
    assert_eq!(line.text("output.voltage"), Some("226.0"));
    assert_eq!(line.text("ups.status"), Some("OL"));
}
