//! The device in virtual time: detection, polling, judging, commands, loss and return.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

use qx::device::{Event, LinkChange, LogLevel, Outcome};
use qx::options::Options;
use qx::protocols;
use qx::vocabulary::flag::{Flag, Flags};
use qx::vocabulary::moment::Moment;
use std::time::Duration;
use testbed::line::{Line, ended, lasting, seconds};

const STATUS: &[u8] = b"(226.0 195.0 226.0 014 49.0 27.5 30.0 00001000";
const OUTAGE: &[u8] = b"(000.0 195.0 226.0 014 49.0 25.5 30.0 10001000";
const RATING: &[u8] = b"#230.0 003 024.0 50.0";
const VENDOR: &[u8] = b"#MUSTEK          PM 636     V1.2      ";

/// A Megatec UPS with this status; what it does not know is answered by `unknown`.
fn megatec(ask: &str, status: &[u8], unknown: &[u8]) -> Vec<u8> {
    match ask {
        "Q1" => ended(status),
        "F" => ended(RATING),
        "I" => ended(VENDOR),
        _ if unknown.is_empty() => vec![],
        _ => ended(unknown),
    }
}

fn ready(options: Options, mut ups: impl FnMut(&str) -> Vec<u8>) -> Line {
    let mut line = Line::new(options);
    let found = line.run(seconds(30), &mut |ask, _| ups(ask), |event| *event == Event::Ready);
    assert!(found, "{:?}", line.events);
    line
}

/// A Megatec UPS that was found.
fn found() -> Line {
    ready(Options::default(), |ask| megatec(ask, STATUS, b""))
}

/// Lets the UPS say `status` for a while.
fn says(line: &mut Line, status: &'static [u8], time: Duration) {
    let until = line.now + time;
    line.run(until, &mut |ask, _| megatec(ask, status, b""), |_| false);
}

fn told(line: &Line, wanted: &Event) -> usize {
    line.events.iter().filter(|(_, event)| event == wanted).count()
}

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

#[test]
fn everything_is_published_with_the_first_round() {
    // nut-faults 4: NUT shows alarms only after half a minute
    let line =
        ready(Options::default(), |ask| megatec(ask, b"(226.0 195.0 226.0 014 49.0 27.5 30.0 00011001", b""));
    assert_eq!(line.text("ups.alarm"), Some("UPS selftest failed!"));
    assert_eq!(line.text("ups.status"), Some("ALARM OL"));
    assert_eq!(line.text("ups.beeper.status"), Some("enabled"));
    assert_eq!(line.text("battery.charge"), Some("100"));
    assert_eq!(line.text("battery.voltage.low"), Some("20.80"));
    assert_eq!(line.text("input.voltage.nominal"), Some("230"));
    assert_eq!(line.text("device.mfr"), Some("MUSTEK"));
}

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
fn bypass_leaves_with_the_next_poll() {
    // nut-faults 3: NUT keeps it for half a minute
    let mut line =
        ready(Options::default(), |ask| megatec(ask, b"(226.0 195.0 226.0 014 49.0 27.5 30.0 00101000", b""));
    assert_eq!(line.text("ups.status"), Some("OL BYPASS"));
    says(&mut line, STATUS, lasting(3));
    assert_eq!(line.text("ups.status"), Some("OL"));
}

#[test]
fn regulation_follows_the_voltages_of_the_same_reply() {
    for (voltages, status) in [
        ("180.0 195.0 226.0", "OL BOOST"),
        ("260.0 195.0 226.0", "OL TRIM"),
        ("226.0 195.0 226.0", "OL BYPASS"),
        ("000.0 195.0 226.0", "OL"), // nut-faults 7: an impossible ratio must not end the driver
        ("226.0 195.0 000.0", "OL"),
        ("100.0 195.0 226.0", "OL"),
    ] {
        let reply = format!("({voltages} 014 49.0 27.5 30.0 00101000");
        let line = ready(Options::default(), |ask| megatec(ask, reply.as_bytes(), b""));
        assert_eq!(line.text("ups.status"), Some(status), "{reply}");
    }
}

#[test]
fn what_the_ups_does_not_know_is_not_published() {
    // nut-faults 6: NUT makes a rated voltage of 0 from blanks, and bounds from that
    let mut line = ready(Options::default(), |ask| match ask {
        "F" => ended(b"#230.0 003       50.0"),
        _ => megatec(ask, STATUS, b""),
    });
    for name in ["battery.voltage.nominal", "battery.voltage.low", "battery.voltage.high", "battery.charge"] {
        assert_eq!(line.text(name), None, "{name}");
    }
    assert_eq!(line.text("ups.temperature"), Some("30.0"));
    let until = line.now + lasting(10);
    let unknown = b"(226.0 195.0 226.0 014 49.0 27.5 --.- 00001000";
    line.run(until, &mut |ask, _| megatec(ask, unknown, b""), |_| false);
    assert_eq!(line.text("ups.temperature"), None);
}

#[test]
fn volts_of_one_cell_give_the_right_charge_at_once() {
    // nut-faults 5
    let line =
        ready(Options::default(), |ask| megatec(ask, b"(226.0 195.0 226.0 014 49.0 2.25 30.0 00001000", b""));
    assert_eq!(line.text("battery.voltage"), Some("2.25"));
    assert_eq!(line.text("battery.charge"), Some("100"));
    let options = Options { one_pack: true, ..Options::default() };
    let line = ready(options, |ask| megatec(ask, b"(226.0 195.0 226.0 014 49.0 2.25 30.0 00001000", b""));
    assert_eq!(line.text("battery.voltage"), Some("27.00"));
}

#[test]
fn ignoresab_ignores_the_bit() {
    let stuck = b"(226.0 195.0 226.0 014 49.0 27.5 30.0 00001010";
    let mut line = found();
    says(&mut line, stuck, lasting(5));
    assert_eq!(line.text("ups.status"), Some("ALARM OL FSD"));
    assert_eq!(line.text("ups.alarm"), Some("Shutdown imminent!"));
    let options = Options { flags: Flags::default().with(Flag::IgnoreSab), ..Options::default() };
    let line = ready(options, |ask| megatec(ask, stuck, b""));
    assert_eq!(line.text("ups.status"), Some("OL"));
    assert_eq!(line.text("ups.alarm"), None);
}

#[test]
fn ignorelb_takes_low_battery_from_the_values() {
    let options = Options {
        ignorelb: true,
        defaults: vec![("battery.charge.low".into(), "20".into())],
        ..Options::default()
    };
    let mut line = ready(options, |ask| megatec(ask, b"(226.0 195.0 226.0 014 49.0 27.5 30.0 01001000", b""));
    assert_eq!(line.text("ups.status"), Some("OL"));
    says(&mut line, b"(000.0 195.0 226.0 014 49.0 21.0 30.0 10001000", lasting(5));
    assert_eq!(line.text("battery.charge"), Some("4"));
    assert_eq!(line.text("ups.status"), Some("OB LB"));
}

#[test]
fn overrides_win_and_defaults_give_way() {
    let options = Options {
        overrides: vec![("battery.voltage.nominal".into(), "36".into()), ("ups.mfr".into(), "ACME".into())],
        defaults: vec![("ups.temperature".into(), "1".into()), ("battery.date".into(), "2026".into())],
        ..Options::default()
    };
    let line = ready(options, |ask| megatec(ask, STATUS, b""));
    assert_eq!(line.text("battery.voltage.nominal"), Some("36"));
    assert_eq!(line.text("battery.voltage.low"), Some("31.20"));
    assert_eq!(line.text("ups.mfr"), Some("ACME"));
    assert_eq!(line.text("ups.temperature"), Some("30.0"));
    assert_eq!(line.text("battery.date"), Some("2026"));
}

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

#[test]
fn a_line_that_goes_while_the_ups_is_looked_for_is_not_waited_for_for_ever() {
    let mut line = Line::new(Options::default());
    line.run(Moment::after_start(Duration::from_millis(300)), &mut |_, _| vec![], |_| false);
    line.link(LinkChange::Gone);
    let not_found = |event: &Event| matches!(event, Event::NotFound(_));
    assert!(line.run(seconds(65), &mut |_, _| vec![], not_found));
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

#[test]
fn texts_of_the_ups_are_harmless() {
    // nut-faults 20
    let line = ready(Options::default(), |ask| match ask {
        "I" => ended(b"#`reboot`$(id)\"; A|B>C      V1.\x00\xff     "),
        _ => megatec(ask, STATUS, b""),
    });
    for (name, entry) in line.device.store().entries() {
        assert!(
            entry.text().chars().all(|c| (' '..='~').contains(&c) && !"\"'\\`$;&|<>".contains(c)),
            "{name} {}",
            entry.text()
        );
    }
}

#[test]
fn an_odd_form_is_believed_when_it_comes_twice() {
    let odd = b"(226.0 195.0 226.0 0014 49.0 27.5 30.0 00001000 ";
    let line = ready(Options::default(), |ask| megatec(ask, odd, b""));
    assert_eq!(line.text("ups.load"), Some("14"));
    assert_eq!(line.questions().iter().filter(|ask| **ask == "Q1").count(), 2);
}

#[test]
fn a_field_that_is_never_a_number_is_unknown_and_the_rest_is_read() {
    let line = ready(Options::default(), |ask| match ask {
        "F" => ended(b"#230.0 N/A 024.0 50.0"),
        _ => megatec(ask, b"(226.0 195.0 226.0 014 49.0 27.5 **.* 00001000", b""),
    });
    assert_eq!(line.device.protocol().unwrap().name, "megatec");
    assert_eq!(line.text("input.current.nominal"), None);
    assert_eq!(line.text("battery.voltage.nominal"), Some("24.0"));
    assert_eq!(line.text("ups.temperature"), None);
    assert_eq!(line.text("ups.load"), Some("14"));
}

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

#[test]
fn what_stays_the_same_is_not_made_anew_and_what_others_write_is_looked_after() {
    let mut line = found();
    says(&mut line, STATUS, lasting(10));
    assert!(!line.device.take_changes().is_empty());
    says(&mut line, STATUS, lasting(10));
    assert!(line.device.take_changes().is_empty());
    // what the UPS says stands there again with the next poll, whoever wrote there
    line.device.store_mut().set("input.voltage", "1.0");
    says(&mut line, STATUS, lasting(4));
    assert_eq!(line.text("input.voltage"), Some("226.0"));
    let overrides = vec![("input.voltage".to_string(), "7".to_string())];
    let options = Options { overrides, ..line.device.options().clone() };
    assert!(line.device.reconfigure(options, line.now));
    assert_eq!(line.text("input.voltage"), Some("7"));
    assert!(line.device.reconfigure(Options::default(), line.now));
    says(&mut line, STATUS, lasting(4));
    assert_eq!(line.text("input.voltage"), Some("226.0"));
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

/// What pages show: an age is never less than that of the reply with the value, and every reply is counted once.
#[test]
fn ages_are_those_of_the_replies_and_replies_are_counted() {
    use qx::vocabulary::variable::{BATTERY_CHARGE, BATTERY_VOLTAGE_NOMINAL, INPUT_VOLTAGE};
    let mut line = found();
    says(&mut line, STATUS, lasting(60));
    let age = |line: &Line, read: Option<Moment>| read.map(|read| line.now.saturating_sub(read));
    let of_mains = age(&line, line.device.mains_read_at()).unwrap();
    assert!(of_mains <= lasting(2), "{of_mains:?}");
    assert_eq!(age(&line, line.device.read_at(&INPUT_VOLTAGE)), Some(of_mains));
    // asked once, at the start, and estimated
    assert!(age(&line, line.device.read_at(&BATTERY_VOLTAGE_NOMINAL)).unwrap() >= lasting(55));
    assert_eq!(line.device.read_at(&BATTERY_CHARGE), None);
    let (whole, bad) = line.device.replies();
    assert!(whole >= 28 && bad <= 3, "{whole} {bad}");
    // nothing comes for half a minute
    let until = line.now + lasting(30);
    line.run(until, &mut |_, _| vec![], |_| false);
    assert!(age(&line, line.device.mains_read_at()).unwrap() >= lasting(29));
    assert!(age(&line, line.device.read_at(&INPUT_VOLTAGE)).unwrap() >= lasting(29));
    let after = line.device.replies();
    assert!(after.0 == whole && after.1 > bad + 3, "{after:?}");
}
