//! Commands and delays.

use crate::megatec::{STATUS, found, megatec, ready, says};
use qx::device::{Event, Outcome};
use qx::options::Options;
use std::time::Duration;
use testbed::line::{Line, ended, lasting};

/// Sends a command while the UPS answers it with `reply`; the bytes sent and the outcome.
fn command(
    line: &mut Line,
    name: &str,
    parameter: Option<&str>,
    reply: &'static [u8],
) -> (Vec<String>, Outcome) {
    let before = line.asked.len();
    line.device.instant_command(7, name, parameter);
    let mut ups = |ask: &str, _| match ask {
        "Q1" | "F" | "I" => megatec(ask, STATUS, b""),
        _ if reply == b"echo" => ended(ask.as_bytes()),
        _ if reply.is_empty() => vec![],
        _ => ended(reply),
    };
    let until = line.now + lasting(20);
    assert!(line.run(until, &mut ups, |event| matches!(event, Event::Answered(7, _))));
    let Some((_, Event::Answered(_, outcome))) = line.events.last().cloned() else { panic!("no answer") };
    let sent = line.asked[before..].iter().map(|(_, ask)| ask.clone()).filter(|ask| ask != "Q1").collect();
    (sent, outcome)
}

#[test]
fn commands_are_accepted_by_silence_or_by_word() {
    let mut line = found();
    assert_eq!(command(&mut line, "shutdown.return", None, b""), (vec!["S.5R0003".into()], Outcome::Done));
    assert_eq!(command(&mut line, "BEEPER.toggle", None, b"ack"), (vec!["Q".into()], Outcome::Done));
    assert_eq!(
        command(&mut line, "test.battery.start", Some("120"), b""),
        (vec!["T02".into()], Outcome::Done)
    );
    for refusal in [&b"echo"[..], b"(NAK", b"no"] {
        let (sent, outcome) = command(&mut line, "load.on", None, refusal);
        assert_eq!(sent, ["C"]);
        assert!(matches!(outcome, Outcome::Failed(_)), "{outcome:?}");
    }
}

#[test]
fn what_nobody_asked_for_is_not_sent() {
    let mut line = found();
    for bad in ["59", "5941", "60x", "1 0", "-60"] {
        let (sent, outcome) = command(&mut line, "test.battery.start", Some(bad), b"");
        assert!(sent.is_empty() && matches!(outcome, Outcome::Invalid(_)), "{bad}: {sent:?} {outcome:?}");
    }
    assert_eq!(command(&mut line, "load.of", None, b""), (vec![], Outcome::Unknown));
    // an hour of polls: only the status is asked, and nothing is commanded
    let before = line.asked.len();
    says(&mut line, STATUS, lasting(3600));
    assert!(line.asked[before..].iter().all(|(_, ask)| ask == "Q1"));
    assert_eq!(line.asked.len() - before, 1800);
}

#[test]
fn a_command_goes_before_the_next_poll() {
    // whoever was not heard for longer may have gone: its status is asked first
    for (later, first) in [(2900, b"Q".as_slice()), (3100, b"Q1")] {
        let mut line = found();
        says(&mut line, STATUS, lasting(10));
        let heard = line.asked.last().unwrap().0 + line.latency;
        line.device.instant_command(1, "beeper.toggle", None);
        let then = heard + Duration::from_millis(later);
        assert_eq!(line.device.poll_exchange(then).unwrap().command, first, "{later}");
    }
}

#[test]
fn delays_are_kept_rounded_and_used() {
    let mut line = found();
    let set = |line: &mut Line, name: &str, value: &str| {
        line.device.set(9, name, value);
        std::iter::from_fn(|| line.device.poll_event())
            .find_map(|event| match event {
                Event::Answered(9, outcome) => Some(outcome),
                _ => None,
            })
            .unwrap()
    };
    assert_eq!(line.text("ups.delay.start"), Some("180"));
    assert_eq!(line.text("ups.delay.shutdown"), Some("30"));
    assert_eq!(set(&mut line, "ups.delay.shutdown", "59"), Outcome::Done);
    assert_eq!(line.text("ups.delay.shutdown"), Some("54"));
    assert_eq!(set(&mut line, "ups.delay.start", "100.5"), Outcome::Done);
    assert_eq!(line.text("ups.delay.start"), Some("60"));
    assert_eq!(command(&mut line, "shutdown.return", None, b"").0, ["S.9R0001"]);
    for bad in ["11", "601", "", "x", "-12", "9999999999"] {
        assert!(matches!(set(&mut line, "ups.delay.shutdown", bad), Outcome::Invalid(_)), "{bad}");
    }
    assert_eq!(set(&mut line, "input.voltage", "1"), Outcome::Unknown);
    assert_eq!(set(&mut line, "battery.packs", "2"), Outcome::Unknown); // nut-faults 10
}

#[test]
fn delays_may_be_given_as_defaults_and_overrides() {
    let options = Options {
        overrides: vec![("ups.delay.shutdown".into(), "120".into())],
        defaults: vec![("ups.delay.start".into(), "60".into())],
        ..Options::default()
    };
    let mut line = ready(options, |ask| megatec(ask, STATUS, b""));
    assert_eq!(command(&mut line, "shutdown.return", None, b"").0, ["S02R0001"]);
    line.device.set(1, "ups.delay.shutdown", "60");
    line.device.set(2, "ups.delay.start", "120");
    assert_eq!(command(&mut line, "shutdown.return", None, b"").0, ["S02R0002"]);
}
