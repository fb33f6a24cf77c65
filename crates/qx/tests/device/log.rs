//! What stands in the log of a UPS.

use crate::megatec::{OUTAGE, RATING, STATUS, found, megatec, says, told};
use qx::device::{Event, LinkChange, LogLevel, Outcome};
use qx::options::Options;
use qx::vocabulary::moment::Moment;
use std::time::Duration;
use testbed::line::{Line, ended, lasting, seconds};

#[test]
fn a_loss_is_logged_once() {
    // nut-faults 17
    let mut line = found();
    let before = line.events.len();
    let until = line.now + lasting(40);
    line.run(until, &mut |_, _| ended(b"?????"), |_| false);
    let loud = line.events[before..]
        .iter()
        .filter(|(_, event)| matches!(event, Event::Noted(l, _) if *l >= LogLevel::Info));
    assert_eq!(loud.count(), 0);
    assert_eq!(told(&line, &Event::Stale), 1);
}

/// The lines of a log in an hour, of a UPS that is silent for eight of each ten seconds; `ratings` answers `F` to the
/// count of its questions.
fn log_of_an_hour(ratings: fn(u32) -> Vec<u8>) -> Vec<String> {
    let mut asked = 0;
    let mut ups = |ask: &str, now: Moment| match ask {
        "F" => {
            asked += 1;
            ratings(asked)
        }
        "Q1" if now < seconds(60) || now.since_start().as_secs() % 10 < 2 => ended(STATUS),
        _ => vec![],
    };
    let mut line = Line::new(Options { protocol: Some("q1".into()), ..Options::default() });
    line.run(seconds(3600), &mut ups, |_| false);
    assert!(told(&line, &Event::Fresh) > 300 && asked > 300, "{asked}");
    let said = |event: &Event| match event {
        Event::Noted(level, text) if *level >= LogLevel::Info => Some(text.clone()),
        _ => None,
    };
    line.events.iter().filter_map(|(_, event)| said(event)).collect()
}

/// Found by a review: 16,000 lines a day.
#[test]
fn what_is_said_of_a_question_is_not_said_again_with_each_silence_of_the_ups() {
    let count = |log: &[String], words: &str| log.iter().filter(|line| line.contains(words)).count();
    let log = log_of_an_hour(|_| vec![]);
    assert!((1..=7).contains(&count(&log, "does not answer F (ratings)")) && log.len() < 15, "{log:#?}");
    // the form of it, and that it is over
    let log = log_of_an_hour(|_| ended(b"(NAK"));
    assert!((1..=7).contains(&count(&log, "refuses F (ratings)")) && log.len() < 15, "{log:#?}");
    let log = log_of_an_hour(|_| ended(b"#23.0.0"));
    let words = "answers F (ratings) in a form that cannot be read";
    assert!((1..=7).contains(&count(&log, words)) && log.len() < 15, "{log:#?}");
    let log = log_of_an_hour(|count| if count < 50 { vec![] } else { ended(RATING) });
    assert_eq!(count(&log, "answers F (ratings) now"), 1, "{log:#?}");
    let log = log_of_an_hour(|count| if count % 7 < 3 { vec![] } else { ended(RATING) });
    assert!(log.len() < 30, "{log:#?}");
}

/// Of a UPS that talks, be it nonsense, no sentence says that it is silent.
#[test]
fn why_there_is_no_data_is_said_as_it_is() {
    for (reply, why) in [
        (&b""[..], "the UPS does not answer"),
        (b"(226.0 195.0 226.0 014 4\xb9.0 27", "the UPS answers, but its status cannot be read"),
        (b"(NAK", "the UPS answers, but its status cannot be read"),
    ] {
        let mut line = found();
        let until = line.now + lasting(20);
        let mut ups = |ask: &str, _| match ask {
            "Q1" if reply.is_empty() => vec![],
            "Q1" => ended(reply),
            _ => megatec(ask, STATUS, b""),
        };
        assert!(line.run(until, &mut ups, |event| *event == Event::Stale));
        assert_eq!(line.device.why_stale(), why);
        line.device.instant_command(7, "load.off", None);
        let said = std::iter::from_fn(|| line.device.poll_event());
        let said: Vec<Event> = said.filter(|event| matches!(event, Event::Answered(7, _))).collect();
        assert_eq!(
            said,
            [Event::Answered(7, Outcome::Failed(format!("load.off: {why}, so it was not sent")))]
        );
    }
    let mut line = found();
    line.link(LinkChange::Gone);
    assert_eq!(line.device.why_stale(), "the port is not open");
}

/// The log cites the reply that raised a state: not the answer that came last, as to who the UPS is.
#[test]
fn the_reply_that_raised_a_state_is_the_one_that_is_cited() {
    let cause = |line: &mut Line| {
        let cause = line.device.take_cause();
        cause.map(|(ask, reply)| (ask, String::from_utf8(reply).unwrap()))
    };
    let outage = || Some(("Q1", String::from_utf8(OUTAGE.to_vec()).unwrap()));
    for blinks in [false, true] {
        let mut line = found();
        says(&mut line, STATUS, lasting(30));
        cause(&mut line);
        if blinks {
            line.link(LinkChange::Gone);
            line.link(LinkChange::BackInDoubt);
        }
        while line.text("ups.status") == Some("OL") {
            says(&mut line, OUTAGE, Duration::from_millis(1));
        }
        assert_eq!(cause(&mut line), outage(), "{blinks}");
        // and what changes by the clock alone was raised by none
        says(&mut line, OUTAGE, lasting(20));
        assert_eq!(cause(&mut line), None);
    }
}
