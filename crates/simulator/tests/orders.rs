//! Orders on a line where every byte has its moment: late words, words of others, lines that blink, UPSes
//! that were exchanged. The pretended UPS knows what it did, and is the judge.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use qx::device::bounds;
use qx::device::{Event, LinkChange, LogLevel, Outcome};
use qx::line::exchange::Reply;
use qx::options::Options;
use qx::vocabulary::moment::Moment;
use std::time::Duration;
use testbed::wire;
use testbed::wire::Wire;

const STATUS: &str = "(226.0 195.0 226.0 014 49.0 27.5 30.0 00001000";
const PENDING: &str = "(226.0 195.0 226.0 014 49.0 27.5 30.0 00001010";
/// How long each reply takes.
const SOON: Duration = Duration::from_millis(60);

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// A UPS that answers orders late, in words, or not at all.
struct Ups {
    /// What it says to its questions.
    says: fn(&str, bool) -> Option<&'static str>,
    /// What it says to an order, and how late; the order itself is an echo.
    word: Option<&'static str>,
    late: Duration,
    /// Whether it obeys.
    obeys: bool,
    /// It shows that a shutdown is active.
    shows: bool,
    /// It is there.
    there: bool,
    pending: bool,
    heard: Vec<(Moment, String)>,
}

fn megatec(ask: &str, pending: bool) -> Option<&'static str> {
    match ask {
        "Q1" => Some(if pending { PENDING } else { STATUS }),
        "F" => Some("#230.0 003 024.0 50.0"),
        "I" => Some("#MUSTEK          PM 636     V1.2      "),
        _ => None,
    }
}

fn voltronic(ask: &str, pending: bool) -> Option<&'static str> {
    match ask {
        "QPI" => Some("(PI01"),
        "QGS" if pending => {
            Some("(234.0 50.0 234.0 50.0 001.0 015 365.0 ---.- 041.0 ---.- 024.6 100000001001")
        }
        "QGS" => Some("(234.0 50.0 234.0 50.0 001.0 015 365.0 ---.- 041.0 ---.- 024.6 100000000001"),
        "QMOD" => Some("(L"),
        "QRI" => Some("(230.0 004 024.0 50.0"),
        "QBV" => Some("(024.8 02 01 068 255"),
        _ if is_order(ask) => None,
        _ => Some("(NAK"),
    }
}

fn is_order(ask: &str) -> bool {
    ask == "C" || ask == "CS" || ask == "Q" || (ask.starts_with('S') && !ask.ends_with('?'))
}

impl Ups {
    fn new(says: fn(&str, bool) -> Option<&'static str>) -> Ups {
        let (word, late) = (None, SOON);
        Ups { says, word, late, obeys: true, shows: false, there: true, pending: false, heard: vec![] }
    }

    fn hear(&mut self, raw: &[u8], now: Moment) -> Vec<(Moment, Vec<u8>)> {
        let ask = String::from_utf8_lossy(raw).trim_end().to_string();
        self.heard.push((now, ask.clone()));
        if !self.there {
            return vec![];
        }
        if is_order(&ask) {
            self.pending |= self.obeys && self.shows && ask.starts_with('S');
            self.pending &= !(ask == "C" || ask == "CS") || !self.obeys;
            let word = self.word.map(|word| if word == "echo" { ask.clone() } else { word.into() });
            return word
                .map(|word: String| (now + self.late, format!("{word}\r").into_bytes()))
                .into_iter()
                .collect();
        }
        let said = (self.says)(&ask, self.pending);
        said.map(|said| (now + SOON, format!("{said}\r").into_bytes())).into_iter().collect()
    }

    fn orders(&self) -> Vec<&str> {
        self.heard.iter().map(|(_, ask)| ask.as_str()).filter(|ask| is_order(ask)).collect()
    }
}

fn options(protocol: &str) -> Options {
    Options { protocol: Some(protocol.into()), ..Options::default() }
}

fn ready(protocol: &str, ups: &mut Ups) -> Wire {
    let mut wire = Wire::new(options(protocol));
    let found = wire.run(Moment::after_start(seconds(60)), &mut |ask, now| ups.hear(ask, now), |event| {
        *event == Event::Ready
    });
    assert!(found, "{:?}", wire.events);
    ups.heard.clear();
    wire
}

fn go(wire: &mut Wire, ups: &mut Ups, time: Duration) {
    let until = wire.now + time;
    wire.run(until, &mut |ask, now| ups.hear(ask, now), |_| false);
}

fn outcome(wire: &Wire, ticket: u64) -> Option<Outcome> {
    wire.events.iter().find_map(|(_, event)| match event {
        Event::Answered(answered, outcome) if *answered == ticket => Some(outcome.clone()),
        _ => None,
    })
}

fn told_at(wire: &Wire, ticket: u64) -> Moment {
    let answered = |event: &Event| matches!(event, Event::Answered(answered, _) if *answered == ticket);
    wire.events.iter().find(|(_, event)| answered(event)).map(|(at, _)| *at).expect("an answer")
}

/// Words that come after half a second, a second, two seconds: each is the answer to its own order.
#[test]
fn a_late_word_is_the_answer_to_the_order_before_it() {
    let answer = bounds::ANSWER.as_millis() as u64;
    for late in [60, 500, 700, answer - 50, answer - 10, answer + 20, 1300, 1700, 1950] {
        for (word, obeys, done) in [
            ("(NAK", false, false),
            ("NAK", false, false),
            ("echo", false, false),
            ("ACK", true, true),
            ("(ACK", true, true),
        ] {
            for name in ["shutdown.return", "load.off", "shutdown.stayoff"] {
                let mut ups = Ups { word: Some(word), late: ms(late), obeys, ..Ups::new(megatec) };
                let mut wire = ready("megatec", &mut ups);
                wire.device.instant_command(7, name, None);
                go(&mut wire, &mut ups, seconds(20));
                let came = outcome(&wire, 7).expect("an answer");
                assert_eq!(came == Outcome::Done, done, "{name} {word} after {late} ms: {came:?}");
                if done {
                    assert_eq!(ups.orders().len(), 1, "{name} {word} after {late} ms: {:?}", ups.orders());
                }
            }
        }
    }
}

/// A dialect of words: the late word of one order is not the next one's.
#[test]
fn a_late_word_is_never_the_next_orders() {
    for late in [60, 700, 950, 1050, 1300, 2500] {
        // it says yes to CS, and no to the order itself
        let mut ups = Ups { late: ms(late), obeys: false, ..Ups::new(voltronic) };
        let mut wire = ready("voltronic", &mut ups);
        wire.device.kill_power(7);
        let until = wire.now + seconds(100);
        wire.run(
            until,
            &mut |ask, now| {
                ups.word = Some(if ask == b"CS\r" { "(ACK" } else { "(NAK" });
                ups.hear(ask, now)
            },
            |event| matches!(event, Event::Answered(..)),
        );
        let came = outcome(&wire, 7);
        assert!(came.is_some() && came != Some(Outcome::Done), "{late}: {came:?} {:?}", ups.orders());
        // and this one takes both
        let mut ups = Ups { late: ms(late), word: Some("(ACK"), shows: true, ..Ups::new(voltronic) };
        let mut wire = ready("voltronic", &mut ups);
        wire.device.kill_power(7);
        go(&mut wire, &mut ups, seconds(30));
        assert_eq!(outcome(&wire, 7), Some(Outcome::Done), "{late}: {:?}", ups.orders());
        assert_eq!(ups.orders(), ["CS", "S.5R0003"], "{late}");
    }
}

#[test]
fn acknowledgement_in_words_is_no_refusal() {
    for protocol in ["megatec", "q1", "mustek", "voltronic-qs", "zinto", "bestups", "megatec/old"] {
        let mut says: fn(&str, bool) -> Option<&'static str> = megatec;
        if protocol != "megatec" {
            says = |ask, pending| match ask {
                "QS" | "D" => Some(if pending { PENDING } else { STATUS }),
                "FW?" => Some("#MUSTEK          PM 636     V1.2      "),
                ask => megatec(ask, pending),
            };
        }
        for word in ["(ACK", "ACK", "OK"] {
            let mut ups = Ups { word: Some(word), ..Ups::new(says) };
            let mut wire = Wire::new(options(protocol));
            if !wire.run(Moment::after_start(seconds(60)), &mut |ask, now| ups.hear(ask, now), |event| {
                *event == Event::Ready
            }) {
                // its status is another one
                assert!(["bestups", "voltronic-qs"].contains(&protocol), "{protocol}");
                continue;
            }
            ups.heard.clear();
            wire.device.kill_power(7);
            go(&mut wire, &mut ups, seconds(10));
            assert_eq!(outcome(&wire, 7), Some(Outcome::Done), "{protocol} {word}");
            assert_eq!(ups.orders(), ["C", "S.5R0003"], "{protocol} {word}");
        }
    }
}

/// As many clients as may wait want something of a UPS that is silent to commands.
#[test]
fn commands_in_a_row_do_not_starve_the_status() {
    let mut ups = Ups::new(megatec);
    let mut wire = ready("megatec", &mut ups);
    for ticket in 1..=bounds::WAITING as u64 {
        wire.device.instant_command(ticket, "beeper.toggle", None);
    }
    wire.device.instant_command(99, "beeper.toggle", None);
    go(&mut wire, &mut ups, bounds::REQUEST_LASTS);
    assert!(matches!(outcome(&wire, 99), Some(Outcome::Failed(_))), "one too many");
    for ticket in 1..=bounds::WAITING as u64 {
        assert_eq!(outcome(&wire, ticket), Some(Outcome::Done), "{ticket}");
    }
    assert!(wire.events.iter().all(|(_, event)| *event != Event::Stale), "{:?}", wire.events);
    let asked: Vec<&str> = ups.heard.iter().map(|(_, ask)| ask.as_str()).collect();
    assert!(!asked.windows(2).any(|two| two == ["Q", "Q"]), "{asked:?}");
    assert_eq!(ups.orders().len(), bounds::WAITING);
}

#[test]
fn what_waits_when_the_line_goes_is_answered_at_once_and_never_sent() {
    let mut ups = Ups::new(megatec);
    let mut wire = ready("megatec", &mut ups);
    wire.device.instant_command(1, "load.off", None);
    wire.device.instant_command(2, "shutdown.return", None);
    wire.device.handle_link(LinkChange::Gone, wire.now);
    let gone = wire.now;
    wire.device.instant_command(3, "load.off", None);
    go(&mut wire, &mut ups, ms(1));
    for ticket in 1..=3 {
        assert!(matches!(outcome(&wire, ticket), Some(Outcome::Failed(_))), "{ticket}");
        assert!(told_at(&wire, ticket) <= gone + ms(1));
    }
    go(&mut wire, &mut ups, seconds(38));
    wire.device.handle_link(LinkChange::Back, wire.now);
    go(&mut wire, &mut ups, seconds(60));
    assert!(ups.orders().is_empty(), "{:?}", ups.heard);
}

/// After the line came back, nothing is sent before the status and the names were asked.
#[test]
fn an_order_waits_until_it_is_known_who_answers() {
    let mut ups = Ups::new(megatec);
    let mut wire = ready("megatec", &mut ups);
    go(&mut wire, &mut ups, seconds(5));
    wire.device.handle_link(LinkChange::Gone, wire.now);
    wire.device.handle_link(LinkChange::Back, wire.now);
    ups.heard.clear();
    wire.device.instant_command(1, "shutdown.return", None);
    go(&mut wire, &mut ups, seconds(6));
    assert_eq!(outcome(&wire, 1), Some(Outcome::Done));
    let asked: Vec<&str> = ups.heard.iter().map(|(_, ask)| ask.as_str()).take(4).collect();
    assert_eq!(asked, ["Q1", "F", "I", "S.5R0003"]);
    // a request that cannot be proven to be for this one is not obeyed
    let mut wire = ready("megatec", &mut ups);
    wire.device.handle_link(LinkChange::Gone, wire.now);
    wire.device.handle_link(LinkChange::Back, wire.now);
    ups.heard.clear();
    wire.device.instant_command(1, "shutdown.return", None);
    ups.says = |ask, _| match ask {
        "Q1" => Some(STATUS),
        "F" => Some("#120.0 003 012.0 60.0"),
        "I" => Some("#OTHER           UPS 12     V3        "),
        _ => None,
    };
    go(&mut wire, &mut ups, seconds(60));
    assert!(matches!(outcome(&wire, 1), Some(Outcome::Failed(_))));
    assert!(ups.orders().is_empty());
}

/// A request dies with its time: the UPS answers its status, but nobody can tell who it is.
#[test]
fn a_request_ends_when_its_time_is_over() {
    let mut ups = Ups::new(megatec);
    let mut wire = ready("megatec", &mut ups);
    wire.device.handle_link(LinkChange::Gone, wire.now);
    wire.device.handle_link(LinkChange::Back, wire.now);
    // names come garbled for a while, each time otherwise
    let mut count = 0;
    let begun = wire.now;
    wire.device.instant_command(1, "load.off", None);
    let until = begun + bounds::REQUEST_LASTS + seconds(30);
    wire.run(
        until,
        &mut |ask, now| match ask {
            b"I\r" | b"F\r" if now < begun + bounds::REQUEST_LASTS + seconds(5) => {
                count += 1;
                vec![(now + SOON, format!("#M{count}\r").into_bytes())]
            }
            ask => ups.hear(ask, now),
        },
        |_| false,
    );
    assert!(matches!(outcome(&wire, 1), Some(Outcome::Failed(_))), "{:?}", wire.events);
    let told = told_at(&wire, 1);
    assert!(
        (begun + bounds::REQUEST_LASTS..begun + bounds::REQUEST_LASTS + seconds(3)).contains(&told),
        "{told:?}"
    );
    assert!(ups.orders().is_empty());
}

/// The connection died, and nobody said so: what is written into it would be delivered when it is back.
#[test]
fn whoever_was_not_heard_lately_is_not_given_an_order() {
    let mut ups = Ups::new(megatec);
    let mut wire = Wire::new(Options { pollinterval: seconds(60), ..options("megatec") });
    wire.run(Moment::after_start(seconds(60)), &mut |ask, now| ups.hear(ask, now), |event| {
        *event == Event::Ready
    });
    go(&mut wire, &mut ups, seconds(10));
    ups.there = false;
    wire.device.instant_command(1, "load.off", None);
    go(&mut wire, &mut ups, seconds(300));
    assert!(ups.orders().is_empty(), "{:?}", ups.heard);
    assert!(matches!(outcome(&wire, 1), Some(Outcome::Failed(_))));
}

/// Until the UPS has said nothing for long enough for a command.
fn rest(wire: &mut Wire) {
    wire.now += bounds::ORDER_REST;
}

/// The line goes while an order is on its way: whether it was taken is not known, and it is not sent again.
#[test]
fn an_order_that_was_on_its_way_is_not_confirmed() {
    let mut ups = Ups::new(megatec);
    let mut wire = ready("megatec", &mut ups);
    wire.device.instant_command(1, "shutdown.return", None);
    rest(&mut wire);
    assert_eq!(wire.device.poll_exchange(wire.now).unwrap().command, b"S.5R0003");
    wire.device.handle_link(LinkChange::Gone, wire.now);
    wire.device.handle_link(LinkChange::Back, wire.now + seconds(1));
    go(&mut wire, &mut ups, seconds(30));
    assert!(matches!(outcome(&wire, 1), Some(Outcome::NotConfirmed(_))));
    assert!(ups.orders().is_empty());
}

/// A transfer on USB failed while an order went out: half of it may have arrived, or all, or nothing. Silence says
/// nothing then, whatever silence means in the dialect.
#[test]
fn an_order_that_was_half_sent_is_not_confirmed() {
    for (protocol, name, failed) in [
        ("megatec", "shutdown.return", true),
        ("megatec", "shutdown.return", false),
        ("megatec", "load.off", true),
        ("megatec", "test.battery.start.quick", true),
        ("megatec", "beeper.toggle", true),
        ("omron", "shutdown.return", true),
        // there, silence is no acknowledgement in any case
        ("omron", "shutdown.return", false),
    ] {
        let mut ups = Ups::new(megatec);
        let mut wire = ready(protocol, &mut ups);
        wire.device.instant_command(1, name, None);
        rest(&mut wire);
        assert!(wire.device.poll_exchange(wire.now).is_some(), "{protocol} {name}");
        wire.now += ms(100);
        wire.device.handle_reply(Reply { failed, ..Reply::default() }, wire.now);
        go(&mut wire, &mut ups, seconds(30));
        let came = outcome(&wire, 1).expect("an answer");
        let is_unknown = matches!(came, Outcome::NotConfirmed(_));
        assert_eq!(is_unknown, failed || protocol == "omron", "{protocol} {name} {failed}: {came:?}");
        assert!(ups.orders().is_empty(), "{protocol} {name}: and it is not sent again");
    }
}

/// The power is killed before anything that waits, however much that is.
#[test]
fn killing_the_power_goes_before_what_waits() {
    for waiting in [1, bounds::WAITING as u64, 40] {
        let mut ups = Ups { shows: true, ..Ups::new(megatec) };
        let mut wire = ready("megatec", &mut ups);
        (0..waiting).for_each(|ticket| wire.device.instant_command(100 + ticket, "beeper.toggle", None));
        wire.device.kill_power(7);
        go(&mut wire, &mut ups, seconds(60));
        assert_eq!(ups.orders()[..2], ["C", "S.5R0003"], "{waiting}: {:?}", ups.orders());
        assert_eq!(outcome(&wire, 7), Some(Outcome::Done));
    }
}

/// What becomes of the last order of one sequence is no answer to the next.
#[test]
fn what_is_in_doubt_of_one_sequence_is_no_answer_to_the_next() {
    let mut ups = Ups::new(megatec);
    let mut wire = ready("megatec", &mut ups);
    wire.device.kill_power(7);
    while !ups.orders().contains(&"S.5R0003") {
        go(&mut wire, &mut ups, ms(10));
    }
    // it was sent, and nobody knows yet what came of it
    wire.device.stop_killing_power("the test says so");
    wire.device.kill_power(8);
    go(&mut wire, &mut ups, seconds(20));
    assert!(matches!(outcome(&wire, 7), Some(Outcome::NotConfirmed(why)) if why.contains("interrupted")));
    assert_eq!(outcome(&wire, 8), Some(Outcome::Done));
    assert_eq!(ups.orders(), ["C", "S.5R0003", "C", "S.5R0003"]);
}

/// Blind orders to a UPS that hears nothing; when it can be read again, it shows a bit that was always set, and
/// refuses. The bit is no sign that it obeys.
#[test]
fn a_stuck_bit_that_is_read_after_blind_orders_confirms_nothing() {
    for heard_before in [false, true] {
        let mut ups = Ups { word: Some("(NAK"), obeys: false, ..Ups::new(stuck) };
        let mut wire = Wire::new(options("megatec"));
        if heard_before {
            wire = ready("megatec", &mut ups);
        }
        ups.there = false;
        wire.device.kill_power(7);
        go(&mut wire, &mut ups, seconds(12));
        assert!(ups.orders().contains(&"S.5R0003"), "it was sent blind");
        ups.there = true;
        go(&mut wire, &mut ups, seconds(70));
        let came = outcome(&wire, 7).expect("an answer");
        assert!(
            matches!(came, Outcome::NotConfirmed(_)),
            "{heard_before}: {came:?} {:#?} {:?}",
            wire.events,
            ups.heard
        );
    }
}

/// A client that asks for nonsense without end fills no log, whatever nonsense.
#[test]
fn what_clients_get_wrong_fills_no_log() {
    let mut ups = Ups::new(megatec);
    let mut wire = ready("megatec", &mut ups);
    let warnings = |wire: &Wire, from: usize| {
        let is_warning = |event: &Event| matches!(event, Event::Noted(LogLevel::Warning, _));
        wire.events[from..].iter().filter(|(_, event)| is_warning(event)).count()
    };
    // two minutes of values, commands and parameters that are never the same
    let from = wire.events.len();
    for tick in 0..1200u64 {
        wire.device.set(1, "ups.delay.shutdown", &format!("x{tick}"));
        wire.device.instant_command(1, &format!("no.such.{tick}"), None);
        wire.device.instant_command(1, "test.battery.start", Some(&format!("{tick}x")));
        go(&mut wire, &mut ups, ms(100));
    }
    // eight sentences and the word that there are more, in each minute
    let said = warnings(&wire, from);
    assert!((9..=27).contains(&said), "{said}");
    let names =
        |event: &Event| matches!(event, Event::Noted(_, text) if text.starts_with("test.battery.start: '"));
    assert!(wire.events.iter().any(|(_, event)| names(event)), "the command is named");
    // what becomes of the load is said all the same
    let from = wire.events.len();
    wire.device.kill_power(7);
    (ups.word, ups.obeys) = (Some("(NAK"), false);
    go(&mut wire, &mut ups, seconds(20));
    let said: Vec<_> = wire.events[from..].iter().map(|(_, event)| format!("{event:?}")).collect();
    for part in [
        "the UPS refused shutdown.return (S.5R0003) by '(NAK'",
        "accepted no command to switch the load off (shutdown.return)",
    ] {
        let is_said = |line: &String| line.contains("Warning") && line.contains(part);
        assert!(said.iter().any(is_said), "{part}: {said:#?}");
    }
}

/// Where a dialect was meant that cannot be read, none is assumed of a line that says something.
#[test]
fn a_dialect_that_was_misspelt_is_not_assumed() {
    for assumes in [true, false] {
        let mut wire = Wire::new(Options { assumes, ..Options::default() });
        wire.device.kill_power(7);
        let mut heard = vec![];
        wire.run(
            Moment::after_start(seconds(90)),
            &mut |ask, now| {
                heard.push(String::from_utf8_lossy(ask).trim_end().to_string());
                vec![(now + SOON, b"?!\r".to_vec())]
            },
            |event| matches!(event, Event::Answered(..)),
        );
        assert_eq!(heard.iter().any(|ask| ask == "S.5R0003"), assumes, "{heard:?}");
        if !assumes {
            let came = outcome(&wire, 7);
            assert!(
                matches!(&came, Some(Outcome::Failed(why)) if why.contains("is not understood")),
                "{came:?}"
            );
        }
    }
}

/// Each end says what happened.
#[test]
fn a_port_that_was_never_open_is_no_ups_that_does_not_answer() {
    for (up, part) in [(false, "the port could not be opened"), (true, "the UPS does not answer")] {
        let mut wire = Wire::new(Options::default());
        if !up {
            wire.device.handle_link(LinkChange::Gone, wire.now);
        }
        wire.device.kill_power(7);
        wire.run(Moment::after_start(seconds(90)), &mut |_, _| vec![], |event| {
            matches!(event, Event::Answered(..))
        });
        let came = outcome(&wire, 7);
        assert!(matches!(&came, Some(Outcome::Failed(why)) if why.contains(part)), "{came:?}");
        assert!(told_at(&wire, 7) < Moment::after_start(bounds::KILL) + seconds(1));
    }
}

fn stuck(ask: &str, _: bool) -> Option<&'static str> {
    megatec(ask, true)
}

#[test]
fn a_stuck_bit_does_not_keep_the_order_waiting() {
    let mut ups = Ups::new(stuck);
    let mut wire = ready("megatec", &mut ups);
    let begun = wire.now;
    wire.device.kill_power(7);
    go(&mut wire, &mut ups, seconds(10));
    assert_eq!(ups.orders(), ["C", "S.5R0003"]);
    let sent = ups.heard.iter().find(|(_, ask)| ask == "S.5R0003").unwrap().0;
    assert!(sent <= begun + seconds(2) + 2 * bounds::ORDER_REST, "{:?}", sent - begun);
    assert_eq!(outcome(&wire, 7), Some(Outcome::Done));
}

/// The line blinks again and again while the power is to be killed: the load goes off all the same.
#[test]
fn killing_the_power_outlasts_blinks_of_the_line() {
    for away in [1, 5, 20, 40] {
        for first in [0, 300, 1050, 1200] {
            let mut ups = Ups { shows: true, ..Ups::new(megatec) };
            let mut wire = ready("megatec", &mut ups);
            wire.device.kill_power(7);
            let until = wire.now + ms(first);
            wire.run(until, &mut |ask, now| ups.hear(ask, now), |_| false);
            wire.device.handle_link(LinkChange::Gone, wire.now);
            go(&mut wire, &mut ups, seconds(away));
            wire.device.handle_link(LinkChange::Back, wire.now);
            go(&mut wire, &mut ups, seconds(20));
            assert_eq!(outcome(&wire, 7), Some(Outcome::Done), "{away} s, {first} ms: {:?}", wire.events);
            assert!(ups.pending, "{away} s, {first} ms");
        }
    }
}

/// A UPS whose words cannot be read, or that says nothing at all, hears its order, and often enough.
#[test]
fn the_last_resort_is_to_send_blind() {
    for silent in [true, false] {
        for protocol in ["megatec", "voltronic", "bestups", "masterguard", "mecer", "axpert"] {
            let mut wire = Wire::new(options(protocol));
            wire.device.kill_power(7);
            let (mut heard, mut count) = (vec![], 0u8);
            wire.run(
                Moment::after_start(seconds(90)),
                &mut |ask, now| {
                    heard.push((now, String::from_utf8_lossy(ask).trim_end().to_string()));
                    count = count.wrapping_add(37);
                    let garbage = vec![count | 0x80, b'#', count / 3 + 32, b'\r'];
                    if silent { vec![] } else { vec![(now + SOON, garbage)] }
                },
                |event| matches!(event, Event::Answered(..)),
            );
            let orders: Vec<_> =
                heard.iter().filter(|(_, ask)| ask.starts_with("S.5") || ask.starts_with("S01")).collect();
            if protocol == "axpert" {
                // it has no such order
                assert!(matches!(outcome(&wire, 7), Some(Outcome::Failed(_))), "{:?}", outcome(&wire, 7));
                continue;
            }
            assert!(orders.len() >= 4, "{protocol} {silent}: {heard:?}");
            assert!(
                orders[0].0 <= Moment::after_start(bounds::KILL_LOOKS + seconds(4)),
                "{protocol} {silent}: {:?}",
                orders[0]
            );
            assert!(matches!(outcome(&wire, 7), Some(Outcome::NotConfirmed(_))), "{protocol} {silent}");
            let told = told_at(&wire, 7).since_start();
            assert!(told >= bounds::KILL && told < bounds::KILL + seconds(10), "{told:?}");
            let said = |event: &Event| matches!(event, Event::Noted(LogLevel::Warning, text) if text.contains("is not understood"));
            assert_eq!(wire.events.iter().filter(|(_, event)| said(event)).count(), 1, "{protocol}");
        }
    }
}

/// Nobody sends to a UPS of which nothing is known.
#[test]
fn a_silent_line_without_a_dialect_is_sent_nothing() {
    let mut wire = Wire::new(Options::default());
    wire.device.kill_power(7);
    let mut heard = vec![];
    wire.run(
        Moment::after_start(seconds(90)),
        &mut |ask, _| {
            heard.push(String::from_utf8_lossy(ask).trim_end().to_string());
            vec![]
        },
        |event| matches!(event, Event::Answered(..)),
    );
    assert!(matches!(outcome(&wire, 7), Some(Outcome::Failed(_))));
    assert!(!heard.iter().any(|ask| is_order(ask)), "{heard:?}");
}

// ---- another unit in its place

fn twelve_volts(ask: &str, _: bool) -> Option<&'static str> {
    match ask {
        "Q1" => Some("(120.0 095.0 120.0 014 60.0 13.7 30.0 00001000"),
        "F" => Some("#120.0 003 012.0 60.0"),
        "I" => Some("#OTHER           UPS 12     V3        "),
        _ => None,
    }
}

/// The old one is gone for some seconds, and another answers: nothing of the old one is shown with what the
/// new one says.
#[test]
fn another_ups_in_its_place_is_another_ups() {
    for (gone_for, link) in [(0, true), (4, true), (20, true), (90, true), (20, false), (90, false)] {
        let mut ups = Ups::new(megatec);
        let mut wire = ready("megatec", &mut ups);
        go(&mut wire, &mut ups, seconds(20));
        let text = |wire: &Wire, name: &str| wire.device.store().text(name).map(String::from);
        assert_eq!(text(&wire, "battery.charge").as_deref(), Some("100"));
        ups.there = false;
        if link {
            wire.device.handle_link(LinkChange::Gone, wire.now);
        }
        go(&mut wire, &mut ups, seconds(gone_for));
        (ups.there, ups.says) = (true, twelve_volts);
        if link {
            wire.device.handle_link(LinkChange::Back, wire.now);
        }
        // at each moment what is shown together is of one UPS
        for _ in 0..2000 {
            go(&mut wire, &mut ups, ms(20));
            if wire.device.store().is_stale() {
                continue;
            }
            let volts = text(&wire, "battery.voltage");
            let nominal = text(&wire, "battery.voltage.nominal");
            let charge = text(&wire, "battery.charge");
            if volts.as_deref() == Some("13.70") || volts.as_deref() == Some("13.7") {
                assert!(
                    nominal.as_deref().is_none_or(|volts| volts.starts_with("12")),
                    "{gone_for}: {nominal:?}"
                );
                assert!(charge.as_deref().is_none_or(|charge| charge != "0"), "{gone_for}: {charge:?}");
                assert_ne!(text(&wire, "device.model").as_deref(), Some("PM 636"), "{gone_for}");
            }
        }
        assert_eq!(
            text(&wire, "device.model").as_deref(),
            Some("UPS 12"),
            "{gone_for} {link}: {:?}",
            wire.events
        );
        assert_eq!(text(&wire, "input.voltage.nominal").as_deref(), Some("120"), "{gone_for}");
        assert_eq!(text(&wire, "battery.charge").as_deref(), Some("100"), "{gone_for}");
        assert!(!wire.device.store().is_stale());
        let said =
            |event: &Event| matches!(event, Event::Noted(_, text) if text.contains("another UPS answers"));
        assert_eq!(wire.events.iter().filter(|(_, event)| said(event)).count(), 1, "{gone_for} {link}");
    }
}

/// One that never said who it is is known by the volts of its battery.
#[test]
fn a_nameless_ups_is_told_from_another_by_its_battery() {
    let nameless: fn(&str, bool) -> Option<&'static str> = |ask, _| (ask == "Q1").then_some(STATUS);
    let other: fn(&str, bool) -> Option<&'static str> =
        |ask, _| (ask == "Q1").then_some("(120.0 095.0 120.0 014 60.0 13.7 30.0 00001000");
    for (next, differs) in [(nameless, false), (other, true)] {
        let mut ups = Ups::new(nameless);
        let mut wire = ready("q1", &mut ups);
        go(&mut wire, &mut ups, seconds(20));
        wire.device.handle_link(LinkChange::Gone, wire.now);
        go(&mut wire, &mut ups, seconds(3));
        ups.says = next;
        wire.device.handle_link(LinkChange::Back, wire.now);
        go(&mut wire, &mut ups, seconds(10));
        let said =
            |event: &Event| matches!(event, Event::Noted(_, text) if text.contains("another UPS answers"));
        assert_eq!(wire.events.iter().any(|(_, event)| said(event)), differs);
        assert_ne!(wire.device.store().text("battery.charge"), Some("0"));
    }
}

/// A blink of the same UPS: nothing vanishes, its battery is remembered, and it costs two questions.
#[test]
fn a_blink_of_the_same_ups_costs_its_names() {
    let mut ups = Ups::new(megatec);
    let mut wire = ready("megatec", &mut ups);
    go(&mut wire, &mut ups, seconds(20));
    wire.device.take_changes();
    wire.device.handle_link(LinkChange::Gone, wire.now);
    go(&mut wire, &mut ups, seconds(2));
    wire.device.handle_link(LinkChange::Back, wire.now);
    ups.heard.clear();
    go(&mut wire, &mut ups, ms(1500));
    let asked: Vec<&str> = ups.heard.iter().map(|(_, ask)| ask.as_str()).collect();
    assert_eq!(asked, ["Q1", "F", "I"]);
    assert!(wire.device.take_changes().is_empty());
    // an outage is told with the first status, before anybody knows who it is
    let outage: fn(&str, bool) -> Option<&'static str> = |ask, pending| match ask {
        "Q1" => Some("(000.0 195.0 226.0 014 49.0 25.5 30.0 10001000"),
        ask => megatec(ask, pending),
    };
    wire.device.handle_link(LinkChange::Gone, wire.now);
    ups.says = outage;
    wire.device.handle_link(LinkChange::Back, wire.now);
    let began = wire.now;
    while wire.device.store().text("ups.status") != Some("OB") && wire.now < began + seconds(5) {
        go(&mut wire, &mut ups, ms(10));
    }
    assert!(wire.now < began + ms(400), "{:?}", wire.now - began);
}

/// What is kept in a memory that wears is written once for each unit, however often the driver starts.
#[test]
fn what_is_reset_is_reset_once() {
    use qx::vocabulary::flag::{Flag, Flags};
    use simulator::knob::Knob;
    use simulator::profile::Profile;
    use simulator::script::Script;
    use simulator::trouble::Trouble;
    use simulator::ups::SimulatedUps;
    let protocol = qx::protocols::named("voltronic").unwrap();
    let mut memory = None;
    // the third start is at another unit, the fourth at the first one in standby no more
    for (start, serial, resets) in [(1, "A1", 1), (2, "A1", 0), (3, "B2", 1), (4, "B2", 0)] {
        let mut ups = SimulatedUps::new(protocol, Profile::default(), Trouble::new(1), Script::default());
        for knob in ["word OFF on".to_string(), format!("say device.serial {serial}")] {
            let knob = Knob::parse(&knob).unwrap_or_else(|why| panic!("{knob}: {why:?}"));
            ups.turn(knob, Moment::ZERO);
        }
        let flags = Flags::default().with(Flag::ResetToDefault);
        let options = Options { flags, reset_memory: memory.clone(), ..options("voltronic") };
        let mut wire = Wire::new(options);
        wire.run(Moment::after_start(seconds(90)), &mut |ask, now| wire::say(&mut ups, ask, now), |_| false);
        let sent = wire.questions().iter().filter(|ask| *ask == "PF").count();
        assert_eq!(sent, resets, "start {start}: {:?}", wire.events);
        memory = wire.device.reset_memory().or(memory);
    }
}
