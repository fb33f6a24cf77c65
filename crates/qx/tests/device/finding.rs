//! Finding the dialect: what is asked for it, and what is given up.

use crate::megatec::{RATING, STATUS, VENDOR, found, megatec, ready, says};
use qx::device::{Event, LinkChange};
use qx::options::Options;
use qx::protocols;
use qx::vocabulary::flag::{Flag, Flags};
use qx::vocabulary::moment::Moment;
use std::time::Duration;
use testbed::line::{Line, ended, lasting, seconds};

#[test]
fn the_sisters_are_found_and_nothing_asked_twice() {
    for name in ["megatec", "megatec/old", "mustek", "zinto", "q1"] {
        let protocol = protocols::named(name).unwrap();
        for unknown in ["", "echo", "(NAK", "ERROR 42"] {
            let answer = |ask: &str| {
                let known = protocol.queries.iter().position(|query| query.ask == ask);
                match (known, unknown) {
                    (Some(0), _) => ended(STATUS),
                    (Some(1), _) => ended(RATING),
                    (Some(_), _) => ended(VENDOR),
                    (None, "") => vec![],
                    (None, "echo") => ended(ask.as_bytes()),
                    (None, text) => ended(text.as_bytes()),
                }
            };
            let line = ready(Options::default(), answer);
            // a refusal by this very word is what tells a mecer, in NUT as well
            let taken = match (protocol.name, unknown) {
                ("megatec" | "zinto" | "q1", "(NAK") => "mecer",
                (name, _) => name,
            };
            assert_eq!(line.device.protocol().unwrap().name, taken, "unknown: '{unknown}'");
            // what is packed is no text that this UPS could echo
            let mut asked = line.questions();
            asked.retain(|ask| !ask.contains('\u{fffd}'));
            let count = asked.len();
            asked.sort_unstable();
            asked.dedup();
            // a refusal in words that are not known yet has to come twice, once; so has a reply
            // that would fit an earlier question, where it was missing
            let late = matches!(name, "megatec/old" | "mustek" | "zinto");
            let twice = usize::from((unknown == "ERROR 42" || late) && count > asked.len());
            assert_eq!(count, asked.len() + twice, "{} '{unknown}': {:?}", protocol.name, line.questions());
            assert!(line.now < seconds(5), "{} '{unknown}' took {:?}", protocol.name, line.now);
        }
    }
}

#[test]
fn a_dead_line_is_given_up_within_nine_seconds() {
    let mut line = Line::new(Options::default());
    let gave_up = line.run(seconds(30), &mut |_, _| vec![], |event| matches!(event, Event::NotFound(_)));
    assert!(gave_up);
    assert!(line.now <= seconds(9), "{:?}", line.now);
}

#[test]
fn a_line_that_echoes_everything_is_understood() {
    let echo_then_reply = |ask: &str| [ended(ask.as_bytes()), megatec(ask, STATUS, b"")].concat();
    let line = ready(Options::default(), echo_then_reply);
    assert_eq!(line.device.protocol().unwrap().name, "megatec");
    assert_eq!(line.text("device.model"), Some("PM 636"));
}

#[test]
fn only_the_wanted_dialect_is_tried() {
    let options = Options { protocol: Some("Q1".into()), ..Options::default() };
    let line = ready(options, |ask| megatec(ask, STATUS, b""));
    assert!(matches!(line.questions()[..], ["Q1"] | ["Q1", "F"]), "{:?}", line.questions());
    let options = Options { protocol: Some("mustek".into()), ..Options::default() };
    let mut line = Line::new(options);
    let mut ups = |ask: &str, _| megatec(ask, STATUS, b"");
    assert!(line.run(seconds(30), &mut ups, |event| matches!(event, Event::NotFound(_))));
    assert!(line.questions().iter().all(|ask| *ask == "QS"));
}

#[test]
fn norating_and_novendor_never_ask() {
    let options =
        Options { flags: Flags::default().with(Flag::NoRating).with(Flag::NoVendor), ..Options::default() };
    let mut line = ready(options, |ask| megatec(ask, STATUS, b""));
    says(&mut line, STATUS, lasting(300));
    assert_eq!(line.device.protocol().unwrap().name, "megatec");
    assert!(!line.questions().iter().any(|ask| matches!(*ask, "F" | "I")));
}

/// One reply that is lost at the start does not cost what it says for ever.
#[test]
fn what_was_met_with_silence_once_is_asked_once_more() {
    // who refuses in words is not silent because it does not know the question
    for (unknown, within) in [(b"".as_slice(), 35), (b"NAK", 1)] {
        let mut asked = 0;
        let mut ups = |ask: &str| match ask {
            "F" => {
                asked += 1;
                if asked == 1 { vec![] } else { megatec(ask, STATUS, b"") }
            }
            "Q1" | "I" => megatec(ask, STATUS, b""),
            _ if unknown.is_empty() => vec![],
            _ => ended(unknown),
        };
        let mut line = Line::new(Options::default());
        assert!(line.run(seconds(10), &mut |ask, _| ups(ask), |event| *event == Event::Ready));
        let until = line.now + lasting(within);
        line.run(until, &mut |ask, _| ups(ask), |_| false);
        assert_eq!(line.text("input.voltage.nominal"), Some("230"), "{within}: {:?}", line.questions());
        assert_eq!(asked, 2);
    }
}

#[test]
fn a_line_that_goes_while_the_ups_is_looked_for_is_not_waited_for_for_ever() {
    let mut line = Line::new(Options::default());
    line.run(Moment::after_start(Duration::from_millis(300)), &mut |_, _| vec![], |_| false);
    line.link(LinkChange::Gone);
    let not_found = |event: &Event| matches!(event, Event::NotFound(_));
    assert!(line.run(seconds(65), &mut |_, _| vec![], not_found));
}

#[test]
fn another_unit_after_the_loss_is_found_as_what_it_is() {
    let mut line = found();
    let until = line.now + lasting(30);
    line.run(until, &mut |_, _| vec![], |_| false);
    let until = line.now + lasting(120);
    let mut other = |ask: &str, _| if ask == "QS" { ended(STATUS) } else { vec![] };
    line.run(until, &mut other, |_| false);
    assert_eq!(line.device.protocol().unwrap().name, "mustek");
    assert_eq!(line.text("device.model"), None);
    assert!(!line.device.store().is_stale());
}

/// On a line of much noise it takes minutes to understand anything; looking for the dialect anew would
/// begin with nothing. After ten minutes it may be another UPS.
#[test]
fn who_is_heard_through_noise_is_listened_to() {
    let mut line = found();
    let detected = |event: &Event| matches!(event, Event::Detected(..));
    let mut turn = 0;
    let mut garbled = |_: &str, _| {
        turn += 1;
        ended(format!("(2{turn}.0 195 0").as_bytes())
    };
    let until = line.now + lasting(500);
    assert!(!line.run(until, &mut garbled, detected), "{:?}", line.events);
    assert!(line.device.store().is_stale());
    // (the eight are those it was found by)
    let others =
        |line: &Line| line.asked.iter().skip(8).any(|(_, ask)| !["Q1", "F", "I"].contains(&ask.as_str()));
    assert!(!others(&line), "{:?}", line.asked);
    let until = line.now + lasting(200);
    line.run(until, &mut garbled, |_| false);
    assert!(others(&line), "{:?}", line.asked);
    // or after one, when its cable was out
    let mut line = found();
    line.link(LinkChange::Gone);
    line.link(LinkChange::Back);
    let until = line.now + lasting(100);
    line.run(until, &mut garbled, |_| false);
    assert!(others(&line), "{:?}", line.asked);
}
