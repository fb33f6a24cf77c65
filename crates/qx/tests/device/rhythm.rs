//! How soon the status is known, and how often it is asked.

use crate::megatec::{OUTAGE, STATUS, found, megatec, ready, says};
use qx::options::Options;
use qx::vocabulary::moment::Moment;
use std::time::Duration;
use testbed::line::{Line, ended, lasting};

#[test]
fn an_outage_is_published_within_one_poll_and_one_exchange() {
    let mut line = found();
    let failed = line.now;
    let mut ups = |ask: &str, _| megatec(ask, OUTAGE, b"");
    while line.text("ups.status") == Some("OL") {
        let until = line.now + Duration::from_millis(10);
        line.run(until, &mut ups, |_| false);
        assert!(line.now < failed + lasting(10));
    }
    assert_eq!(line.text("ups.status"), Some("OB"));
    assert!(line.now - failed <= lasting(2) + 3 * line.latency, "{:?}", line.now - failed);
    says(&mut line, STATUS, lasting(3));
    assert_eq!(line.text("ups.status"), Some("OL"));
}

#[test]
fn an_outage_does_not_wait_for_voltages_that_run() {
    let mut line = found();
    let failed = line.now;
    let mut volts = 200;
    let mut ups = |ask: &str, _| {
        volts = (volts - 40).max(0);
        let reply = format!("({volts:03}.0 195.0 226.0 014 49.0 25.5 30.0 10001000");
        megatec(ask, reply.as_bytes(), b"")
    };
    while line.text("ups.status") == Some("OL") {
        let until = line.now + Duration::from_millis(10);
        line.run(until, &mut ups, |_| false);
    }
    assert!(line.now - failed <= lasting(2) + 3 * line.latency, "{:?}", line.now - failed);
}

/// What shuts machines down is confirmed by one exchange more, at once, and by nothing else.
#[test]
fn what_shuts_machines_down_costs_one_exchange_more() {
    const OFF: &[u8] = b"(226.0 000.0 000.0 195.0 000.0 000 014 50.0 000 000 027.0 25.0 Q";
    const LOW: &[u8] = b"(000.0 195.0 226.0 014 49.0 21.5 30.0 11001000";
    const FSD: &[u8] = b"(000.0 195.0 226.0 014 49.0 25.5 30.0 10001010";
    const GTEC: &[u8] = b"(226.0 000.0 000.0 195.0 226.0 000 014 50.0 000 000 027.0 25.0 M";
    let cases = [
        ("megatec", "Q1", STATUS, OUTAGE, "OB"),
        ("megatec", "Q1", OUTAGE, LOW, "OB LB"),
        ("megatec", "Q1", STATUS, LOW, "OB LB"),
        ("megatec", "Q1", OUTAGE, FSD, "ALARM OB FSD"),
        ("gtec", "Q4", GTEC, OFF, "OL OFF"),
    ];
    for (dialect, ask, before, after, shown) in cases {
        let ups = |status: &'static [u8]| {
            move |asked: &str| if asked == ask { ended(status) } else { megatec(asked, b"", b"") }
        };
        let options = Options { protocol: Some(dialect.into()), ..Options::default() };
        let mut line = ready(options, ups(before));
        for minutes in [0, 20] {
            // a line of which little is known, and one that was clean for long
            let until = line.now + lasting(60 * minutes + 1);
            line.run(until, &mut |asked, _| ups(before)(asked), |_| false);
            line.asked.clear();
            let until = line.now + lasting(5);
            let mut told = None;
            while line.now < until && told.is_none() {
                let step = line.now + Duration::from_millis(1);
                line.run(step, &mut |asked, _| ups(after)(asked), |_| false);
                told = (line.text("ups.status") == Some(shown)).then_some(line.now);
            }
            let asked: Vec<Moment> =
                line.asked.iter().filter(|(_, asked)| asked == ask).map(|(at, _)| *at).collect();
            assert_eq!(asked.len(), 2, "{shown}: {:?}", line.asked);
            assert_eq!(told, Some(asked[0] + 2 * line.latency), "{shown}");
            let until = line.now + lasting(20);
            line.run(until, &mut |asked, _| ups(before)(asked), |_| false);
        }
    }
}

#[test]
fn while_something_happens_the_status_is_asked_twice_as_often() {
    for (configured, busy) in [(1, 1), (2, 1), (10, 5)] {
        let options = Options { pollinterval: lasting(configured), ..Options::default() };
        let mut line = ready(options, |ask| megatec(ask, STATUS, b""));
        let mut polls = |status, time| {
            line.asked.clear();
            says(&mut line, status, lasting(time));
            line.questions().iter().filter(|ask| **ask == "Q1").count() as u64
        };
        let about = |count: u64, wanted: u64| count.abs_diff(wanted) <= 2;
        assert!(about(polls(STATUS, 60), 60 / configured), "idle, {configured}");
        polls(OUTAGE, 2 * configured);
        let on_battery = polls(OUTAGE, 120);
        assert!(about(on_battery, 120 / busy), "{on_battery} on battery, {configured}");
        polls(STATUS, 2 * configured);
        assert!(about(polls(STATUS, 20), 20 / busy), "mains just came back, {configured}");
        polls(STATUS, 20);
        assert!(about(polls(STATUS, 60), 60 / configured), "idle again, {configured}");
    }
}

/// A reply that came late once does not make the driver wait for ever.
#[test]
fn patience_comes_back() {
    let mut line = found();
    let waits = |line: &mut Line| {
        line.asked.clear();
        let until = line.now + lasting(12);
        line.run(until, &mut |_, _| vec![], |_| false);
        let status = || line.asked.iter().filter(|(_, asked)| asked == "Q1").map(|(at, _)| *at);
        let waited = status().skip(1).zip(status()).map(|(next, one)| next - one).min();
        says(line, STATUS, lasting(10));
        waited.unwrap()
    };
    let short = waits(&mut line);
    line.latency = Duration::from_millis(900);
    says(&mut line, STATUS, lasting(2));
    line.latency = Duration::from_millis(30);
    // not four times as long: in 24 h of noise, two replies lost after a late one hid an outage of 10 s
    let long = waits(&mut line);
    assert!((Duration::from_millis(1300)..Duration::from_millis(2300)).contains(&long), "{long:?}");
    says(&mut line, STATUS, lasting(400));
    assert_eq!(waits(&mut line), short);
}
