//! Replies that are corrupt, on a line that was clean and through a noisy day.

use crate::megatec::{OUTAGE, STATUS, found, megatec, ready, told};
use qx::device::Event;
use qx::options::Options;
use qx::vocabulary::moment::Moment;
use std::time::Duration;
use testbed::line::{ended, lasting, seconds};

#[test]
fn one_corrupt_reply_changes_nothing() {
    let corrupt: [&[u8]; 7] = [
        OUTAGE,                                            // every bit of it could be noise
        b"(226.0 195.0 226.0 014 49.0 27.5 30.0 01001000", // low battery
        b"(226.0 195.0 226.0 014 49.0 27.5 30.0 00001010", // shutdown active
        b"(226.0 195.0 226.0 014 49.0 07.5 30.0 00001000", // a digit flipped
        b"(26.0 195.0 226.0 014 49.0 27.5 30.0 00001000",  // a byte lost
        b"(226.0 195.0 226.0 014 49.0 27",                 // cut short
        b"(226.0 195.0 226.0 014 4?.0 27.5 30.0 00001000", // garbled
    ];
    for bad in corrupt {
        let mut line = found();
        let before: Vec<_> =
            line.device.store().entries().map(|(name, entry)| (name.to_string(), entry.clone())).collect();
        let mut once = Some(bad);
        let mut ups = |ask: &str, _| match ask {
            "Q1" => ended(once.take().unwrap_or(STATUS)),
            _ => megatec(ask, STATUS, b""),
        };
        let until = line.now + lasting(10);
        line.device.take_changes();
        line.run(until, &mut ups, |_| false);
        let after: Vec<_> =
            line.device.store().entries().map(|(name, entry)| (name.to_string(), entry.clone())).collect();
        assert_eq!(before, after, "{}", bad.escape_ascii());
        assert!(line.device.take_changes().is_empty(), "{}", bad.escape_ascii());
        assert_eq!(told(&line, &Event::Stale), 0);
    }
}

#[test]
fn a_torn_reply_at_the_start_is_not_published() {
    let mut replies = vec![OUTAGE, STATUS];
    replies.reverse();
    let line = ready(Options::default(), |ask| match ask {
        "Q1" => ended(replies.pop().unwrap_or(STATUS)),
        _ => megatec(ask, STATUS, b""),
    });
    assert_eq!(line.text("ups.status"), Some("OL"));
}

#[test]
fn a_digit_flipped_into_another_is_not_published_on_a_noisy_line() {
    let mut line = found();
    let mut replies =
        vec![&b"(226.0 195.0 2\x1e6.0 014"[..], STATUS, b"(226.4 195.0 226.0 014 49.0 27.5 30.0 00001000"];
    replies.reverse();
    let mut seen = vec![];
    let mut ups =
        |ask: &str, _| megatec(ask, if ask == "Q1" { replies.pop().unwrap_or(STATUS) } else { STATUS }, b"");
    for _ in 0..100 {
        let until = line.now + Duration::from_millis(100);
        line.run(until, &mut ups, |_| false);
        seen.extend(line.text("input.voltage").map(String::from));
    }
    assert!(seen.iter().all(|volts| volts == "226.0"), "{seen:?}");
    // what stays is published, with two exchanges more
    let began = line.now;
    while line.text("ups.status") == Some("OL") {
        let until = line.now + Duration::from_millis(10);
        line.run(until, &mut |ask, _| megatec(ask, OUTAGE, b""), |_| false);
        assert!(line.now < began + lasting(10));
    }
    assert!(line.now - began <= lasting(2) + 4 * line.latency, "{:?}", line.now - began);
}

/// A day with three outages on a line that loses and garbles bytes: nothing is invented, and each
/// outage is seen.
#[test]
fn a_noisy_day_with_three_outages() {
    for seed in 1..=5u64 {
        noisy_day(seed);
    }
}

fn noisy_day(seed: u64) {
    let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    let outage = |now: Moment| matches!(now.since_start().as_secs(), 10_000..=10_600 | 40_000..=40_300 | 70_000..=70_060);
    let mut line = found();
    let mut ups = |ask: &str, now: Moment| {
        let mut reply = megatec(ask, if outage(now) { OUTAGE } else { STATUS }, b"");
        if !reply.is_empty() && next() % 50 == 0 {
            let at = (next() % reply.len() as u64) as usize;
            match next() % 4 {
                0 => reply[at] ^= 1 << (next() % 8),
                1 => drop(reply.remove(at)),
                2 => reply.insert(at, next() as u8),
                _ => reply.clear(),
            }
        }
        reply
    };
    let mut seen = 0;
    let mut before = "OL".to_string();
    while line.now < seconds(86_400) {
        let until = line.now + lasting(1);
        line.run(until, &mut ups, |_| false);
        let status = line.text("ups.status").unwrap().to_string();
        let may_lag = [0, 1, 2, 3, 4, 5].iter().any(|lag| outage(line.now - lasting(*lag)));
        match status.as_str() {
            "OB" => assert!(may_lag, "seed {seed}: invented an outage at {:?}", line.now),
            "OL" => {}
            other => panic!("seed {seed}: invented '{other}' at {:?}", line.now),
        }
        let volts: f64 = line.text("input.voltage").unwrap().parse().unwrap();
        assert!(volts == 0.0 || (190.0..=260.0).contains(&volts), "seed {seed}: {volts} V");
        seen += usize::from(before == "OL" && status == "OB");
        before = status;
    }
    assert_eq!(seen, 3, "seed {seed}");
    assert_eq!(told(&line, &Event::Stale), 0, "seed {seed}");
}
