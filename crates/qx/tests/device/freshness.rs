//! When data is stale, and fresh again.

use crate::megatec::{OUTAGE, STATUS, found, megatec, ready, says, told};
use qx::device::{Event, LinkChange, Outcome};
use qx::options::Options;
use testbed::line::{Line, lasting, seconds};

#[test]
fn a_load_that_leaps_all_the_time_does_not_make_the_data_stale() {
    let with_load = |load: u32| format!("(226.0 195.0 226.0 {load:03} 49.0 27.5 30.0 00001000").into_bytes();
    let mut line = ready(Options::default(), |ask| megatec(ask, &with_load(0), b""));
    // never near the last load believed, nor near the one before
    let mut loads = [30, 60, 90, 60].into_iter().cycle();
    let mut ups = |ask: &str, _| megatec(ask, &with_load(loads.next().unwrap_or_default()), b"");
    let until = line.now + lasting(120);
    line.run(until, &mut ups, |_| false);
    assert_eq!(told(&line, &Event::Stale), 0);
    assert_ne!(line.text("ups.load"), Some("0"));
}

#[test]
fn silence_becomes_stale_once_and_an_answer_fresh_once() {
    let mut line = found();
    let silent_from = line.now;
    let until = line.now + lasting(50);
    line.run(until, &mut |_, _| vec![], |_| false);
    assert_eq!(told(&line, &Event::Stale), 1);
    let at = line.events.iter().find(|(_, event)| *event == Event::Stale).unwrap().0;
    assert!(at - silent_from < lasting(9), "{:?}", at - silent_from);
    assert!(line.device.store().is_stale());
    assert_eq!(line.text("ups.status"), Some("OL"), "what was said last stays readable");
    let before = line.asked.len();
    says(&mut line, STATUS, lasting(10));
    assert_eq!(told(&line, &Event::Fresh), 1);
    // it may be another unit: it is asked who it is
    let asked: Vec<_> = line.asked[before..].iter().map(|(_, ask)| ask.as_str()).collect();
    assert!(asked.contains(&"F") && asked.contains(&"I"), "{asked:?}");
}

#[test]
fn what_was_found_and_cannot_be_read_is_stale() {
    let mut line = Line::new(Options::default());
    let detected = |event: &Event| matches!(event, Event::Detected(..));
    assert!(line.run(seconds(5), &mut |ask, _| megatec(ask, STATUS, b""), detected));
    line.link(LinkChange::Gone);
    let told = line.now + lasting(65);
    assert!(line.run(told, &mut |_, _| vec![], |event| *event == Event::Stale), "{:?}", line.events);
    assert!(line.device.store().is_stale());
    assert_eq!(line.text("ups.status"), None);
    line.link(LinkChange::Back);
    let until = line.now + lasting(200);
    assert!(line.run(until, &mut |ask, _| megatec(ask, STATUS, b""), |event| *event == Event::Fresh));
    assert!(!line.device.store().is_stale());
    assert_eq!(line.text("ups.status"), Some("OL"));
}

#[test]
fn a_lost_line_is_not_asked_and_found_again() {
    let mut line = found();
    line.link(LinkChange::Gone);
    let before = line.asked.len();
    says(&mut line, STATUS, lasting(60));
    assert_eq!(line.asked.len(), before);
    assert!(line.device.store().is_stale());
    line.device.instant_command(3, "load.off", None);
    let answer =
        std::iter::from_fn(|| line.device.poll_event()).find(|event| matches!(event, Event::Answered(3, _)));
    assert!(matches!(answer, Some(Event::Answered(3, Outcome::Failed(_)))), "{answer:?}");
    line.link(LinkChange::Back);
    says(&mut line, OUTAGE, lasting(5));
    assert!(!line.device.store().is_stale());
    assert_eq!(line.text("ups.status"), Some("OB"));
    assert!(!line.questions().contains(&"S00R0000"), "a command for a lost line must never be sent later");
}
