//! Orders to the load in virtual time: what is sent, what is tried instead, and what is told of it.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

use qx::device::{Device, Event, LogLevel, NoProof, Outcome, SwitchOffProof, shows_shutdown};
use qx::options::Options;
use qx::vocabulary::flag::{Flag, Flags};
use qx::vocabulary::moment::Moment;
use std::time::Duration;
use testbed::line::{Line, ended, lasting, seconds};

const STATUS: &[u8] = b"(226.0 195.0 226.0 014 49.0 27.5 30.0 00001000";
const PENDING: &[u8] = b"(226.0 195.0 226.0 014 49.0 27.5 30.0 00001010";
const DEAD: &[u8] = b"(226.0 195.0 000.0 000 49.0 27.5 30.0 00001000";
const VENDOR: &[u8] = b"#MUSTEK          PM 636     V1.2      ";

/// A Megatec UPS: `knows` says which commands it takes, and every other it sends back; `shows` what
/// status it has once it took one.
struct Ups {
    knows: fn(&str) -> bool,
    shows: &'static [u8],
    took: bool,
}

impl Ups {
    fn new(knows: fn(&str) -> bool, shows: &'static [u8]) -> Ups {
        Ups { knows, shows, took: false }
    }

    fn reply(&mut self, ask: &str) -> Vec<u8> {
        match ask {
            "Q1" if self.took => ended(self.shows),
            "Q1" => ended(STATUS),
            "F" => ended(b"#230.0 003 024.0 50.0"),
            "I" => ended(VENDOR),
            ask if is_order(ask) && (self.knows)(ask) => {
                self.took = ask != "C";
                vec![]
            }
            ask if is_order(ask) => ended(ask.as_bytes()),
            _ => vec![],
        }
    }
}

fn is_order(ask: &str) -> bool {
    ask == "C" || ask.starts_with('S')
}

fn found(options: Options, ups: &mut Ups) -> Line {
    let options = Options { protocol: Some("megatec".into()), ..options };
    let mut line = Line::new(options);
    assert!(line.run(seconds(30), &mut |ask, _| ups.reply(ask), |event| *event == Event::Ready));
    line
}

/// Lets time pass, until the answer if there is one.
fn answer(line: &mut Line, ups: &mut Ups, time: Duration) -> Option<Outcome> {
    let until = line.now + time;
    line.run(until, &mut |ask, _| ups.reply(ask), |event| matches!(event, Event::Answered(..)));
    line.events.iter().rev().find_map(|(_, event)| match event {
        Event::Answered(7, outcome) => Some(outcome.clone()),
        _ => None,
    })
}

fn orders(line: &Line) -> Vec<&str> {
    line.questions().into_iter().filter(|ask| is_order(ask)).collect()
}

fn noted(line: &Line, level: LogLevel, part: &str) -> bool {
    let fits = |event: &Event| matches!(event, Event::Noted(of, text) if *of == level && text.contains(part));
    line.events.iter().any(|(_, event)| fits(event))
}

/// One command at a UPS.
fn commanded(name: &str, knows: fn(&str) -> bool, shows: &'static [u8]) -> (Line, Option<Outcome>) {
    let mut ups = Ups::new(knows, shows);
    let mut line = found(Options::default(), &mut ups);
    line.device.instant_command(7, name, None);
    let outcome = answer(&mut line, &mut ups, lasting(10));
    // long enough for the load to go off, and to be missed if it does not
    let until = line.now + lasting(120);
    line.run(until, &mut |ask, _| ups.reply(ask), |_| false);
    (line, outcome)
}

#[test]
fn what_the_ups_shows_is_told() {
    let (line, outcome) = commanded("shutdown.return", |_| true, PENDING);
    assert_eq!(outcome, Some(Outcome::Done));
    assert_eq!(orders(&line), ["S.5R0003"]);
    assert!(noted(&line, LogLevel::Info, "shutdown.return: the UPS says that a shutdown is active"));
    assert!(!noted(&line, LogLevel::Warning, "still on"), "{:?}", line.events);
    let (line, outcome) = commanded("load.off", |_| true, DEAD);
    assert_eq!(outcome, Some(Outcome::Done));
    assert!(noted(&line, LogLevel::Info, "load.off: the UPS says that the load is off"));
}

#[test]
fn a_ups_that_takes_an_order_and_does_not_obey_is_noticed() {
    let (line, outcome) = commanded("shutdown.return", |_| true, STATUS);
    assert_eq!(outcome, Some(Outcome::Done), "nobody can know it yet");
    assert!(noted(&line, LogLevel::Warning, "the UPS accepted shutdown.return, but its output is still on"));
    let (line, _) = commanded("shutdown.return", |_| true, DEAD);
    assert!(noted(&line, LogLevel::Info, "shutdown.return: the load was switched off"));
    assert!(!noted(&line, LogLevel::Warning, "still on"));
}

/// What the log says of a load that stays on, after `name` and what comes later: by the status, or by a command.
fn told_of_a_load_that_is_on(name: &str, later: &str) -> Vec<String> {
    let (mut took, mut polls) = (false, 0);
    let mut ups = |ask: &str, _| match ask {
        // on battery when it is told, on mains some polls later
        "Q1" if later == "mains" && took && polls < 5 => {
            polls += 1;
            ended(b"(000.0 195.0 226.0 014 49.0 25.5 30.0 10001000")
        }
        "Q1" if later == "mains" && !took => ended(b"(000.0 195.0 226.0 014 49.0 25.5 30.0 10001000"),
        "Q1" => ended(STATUS),
        "F" => ended(b"#230.0 003 024.0 50.0"),
        "I" => ended(VENDOR),
        ask if is_order(ask) => {
            took = true;
            vec![]
        }
        _ => vec![],
    };
    let mut line = Line::new(Options { protocol: Some("megatec".into()), ..Options::default() });
    assert!(line.run(seconds(30), &mut ups, |event| *event == Event::Ready));
    let until = line.now + lasting(6);
    line.run(until, &mut ups, |_| false);
    line.device.instant_command(7, name, None);
    let until = line.now + lasting(8);
    line.run(until, &mut ups, |_| false);
    if later != "mains" {
        line.device.instant_command(8, later, None);
    }
    let until = line.now + lasting(120);
    line.run(until, &mut ups, |_| false);
    let told = |event: &Event| match event {
        Event::Noted(level, text) if *level >= LogLevel::Info && text.contains("output") => {
            Some(text.clone())
        }
        _ => None,
    };
    line.events.iter().filter_map(|(_, event)| told(event)).collect()
}

/// Whoever switched the load on again reads in the log that the UPS is at fault.
#[test]
fn a_load_that_was_switched_on_again_is_no_fault() {
    for (name, later) in [
        ("load.off", "load.on"),
        ("shutdown.stayoff", "load.on"),
        ("shutdown.stayoff", "shutdown.stop"),
        ("shutdown.return", "load.on"),
    ] {
        assert!(told_of_a_load_that_is_on(name, later).is_empty(), "{name}, {later}");
    }
    // which is no fault either: the load may stay on, or come back at once
    let told = told_of_a_load_that_is_on("shutdown.return", "mains");
    assert_eq!(told, ["shutdown.return: mains came back before the load was seen off, and the output is on"]);
    // but a load that is to stay off comes back by itself
    let told = told_of_a_load_that_is_on("shutdown.stayoff", "mains");
    assert!(
        told.len() == 1 && told[0].contains("accepted shutdown.stayoff, but its output is still on"),
        "{told:?}"
    );
}

#[test]
fn refused_orders_are_tried_as_the_dialect_spells_them_otherwise() {
    for (name, knows, sent) in [
        ("shutdown.return", (|ask| ask == "S01R0003") as fn(&str) -> bool, vec!["S.5R0003", "S01R0003"]),
        // no form that returns is sent for one that stays off
        ("shutdown.stayoff", |ask| ask == "S01R0000", vec!["S.5R0000", "S01R0000"]),
        ("load.off", |ask| ask == "S.2R0000", vec!["S00R0000", "S.2R0000"]),
    ] {
        let (line, outcome) = commanded(name, knows, PENDING);
        assert_eq!((outcome, orders(&line)), (Some(Outcome::Done), sent), "{name}");
        assert!(noted(&line, LogLevel::Warning, "; trying S"), "{name}");
    }
    // without the time of return it means something else: with some units the load stays off
    for knows in [|ask: &str| ask == "S.5", |ask: &str| ask == "S01"] {
        let (line, outcome) = commanded("shutdown.return", knows, PENDING);
        assert!(matches!(outcome, Some(Outcome::Failed(_))), "{outcome:?}");
        assert_eq!(orders(&line), ["S.5R0003", "S01R0003"]);
    }
    let (line, outcome) = commanded("shutdown.stayoff", |_| false, STATUS);
    assert!(matches!(outcome, Some(Outcome::Failed(_))), "{outcome:?}");
    assert_eq!(orders(&line), ["S.5R0000", "S01R0000"]);
}

#[test]
fn a_shutdown_that_is_not_stopped_is_told() {
    let mut ups = Ups::new(|_| true, PENDING);
    let mut line = found(Options::default(), &mut ups);
    line.device.instant_command(7, "shutdown.return", None);
    answer(&mut line, &mut ups, lasting(10));
    // it takes C and goes on counting
    let mut stubborn = |ask: &str, _| if ask == "C" { vec![] } else { ups.reply(ask) };
    line.device.instant_command(8, "shutdown.stop", None);
    let until = line.now + lasting(10);
    line.run(until, &mut stubborn, |event| matches!(event, Event::Answered(8, _)));
    let failed = |event: &Event| matches!(event, Event::Answered(8, Outcome::Failed(why)) if why.contains("still says"));
    assert!(line.events.iter().any(|(_, event)| failed(event)), "{:?}", line.events);
    // this one obeys
    let until = line.now + lasting(10);
    line.device.instant_command(9, "shutdown.stop", None);
    line.run(until, &mut |ask, _| ups.reply(ask), |event| matches!(event, Event::Answered(9, _)));
    assert!(line.events.iter().any(|(_, event)| *event == Event::Answered(9, Outcome::Done)));
}

/// It may have obeyed, or its cable may have been pulled: nobody saw it.
#[test]
fn what_becomes_of_an_order_to_a_ups_that_falls_silent_is_not_known() {
    let mut ups = Ups::new(|_| true, STATUS);
    let mut line = found(Options::default(), &mut ups);
    line.device.instant_command(7, "load.off", None);
    let mut off = false;
    let mut dies = |ask: &str, _| {
        off |= is_order(ask);
        if off { vec![] } else { ups.reply(ask) }
    };
    let until = line.now + lasting(60);
    line.run(until, &mut dies, |_| false);
    let unknown = |event: &Event| matches!(event, Event::Answered(7, Outcome::NotConfirmed(_)));
    assert!(line.events.iter().any(|(_, event)| unknown(event)), "{:?}", line.events);
    assert!(!noted(&line, LogLevel::Warning, "still on"));
}

#[test]
fn the_power_is_killed_in_the_order_that_was_asked_for() {
    let list = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    for (stayoff, sdcommands, knows, sent, done) in [
        (false, list(&[]), (|_| true) as fn(&str) -> bool, vec!["C", "S.5R0003"], true),
        (true, list(&[]), |_| true, vec!["C", "S.5R0000"], true),
        (false, list(&["load.off"]), |_| true, vec!["S00R0000"], true),
        (false, list(&["shutdown.stayoff", "load.off"]), |ask| ask == "S00R0000", vec![], true),
        (false, list(&["shutdown.default"]), |_| true, vec!["C", "S.5R0003"], true),
        (false, list(&["test.battery.start.low", "load.off"]), |_| true, vec!["S00R0000"], true),
        (false, list(&[]), |_| false, vec![], false),
    ] {
        let mut ups = Ups::new(knows, PENDING);
        let mut line =
            found(Options { stayoff, sdcommands: sdcommands.clone(), ..Options::default() }, &mut ups);
        line.device.kill_power(7);
        let outcome = answer(&mut line, &mut ups, lasting(60));
        assert_eq!(outcome == Some(Outcome::Done), done, "{sdcommands:?}: {outcome:?}");
        if !sent.is_empty() {
            assert_eq!(orders(&line), sent, "{sdcommands:?}");
        }
        // what is to stop another shutdown is said once: the order must not wait for it
        assert!(done || orders(&line).len() == 1 + 3 * 2, "{:?}", orders(&line));
    }
}

/// Whatever stands in the tables: another spelling has the same time of return, and no shorter delay.
#[test]
fn other_spellings_mean_the_same() {
    use qx::wire::command::Args;
    let mut seen = 0;
    for protocol in qx::protocols::ALL.iter().chain(qx::protocols::BLAZER) {
        for command in protocol.all_commands() {
            for (shutdown, start) in [(12, 0), (30, 180), (54, 60), (60, 600), (120, 0), (600, 180)] {
                let args = Args { shutdown, start, ..Args::default() };
                let means =
                    |lines: &[String]| lines.last().and_then(|line| command.understand(line)).unwrap();
                for lines in command.write_otherwise(&args) {
                    let (one, other) = (means(&command.write(&args)), means(&lines));
                    assert_eq!(one.start, other.start, "{} {lines:?}", command.name);
                    assert!(other.shutdown >= one.shutdown, "{} {lines:?}", command.name);
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 50, "{seen}");
}

/// What is said of an order, `after` it was left, when the driver stops.
fn said_at_the_end(name: &str, after: Duration) -> (Vec<String>, Option<Outcome>) {
    let mut ups = Ups::new(|_| true, STATUS);
    let mut line = found(Options::default(), &mut ups);
    line.device.instant_command(7, name, None);
    let until = line.now + after;
    line.run(until, &mut |ask, _| ups.reply(ask), |_| false);
    let before = line.events.len();
    line.device.end_orders(until);
    while let Some(event) = line.device.poll_event() {
        line.events.push((until, event));
    }
    let noted = |event: &Event| match event {
        Event::Noted(LogLevel::Warning, text) => Some(text.clone()),
        _ => None,
    };
    let notes = line.events[before..].iter().filter_map(|(_, event)| noted(event)).collect();
    let mut answers = line.events.iter().filter_map(|(_, event)| match event {
        Event::Answered(7, outcome) => Some(outcome.clone()),
        _ => None,
    });
    (notes, answers.next_back())
}

/// Who stops the driver with an order under way reads what is known of it.
#[test]
fn a_driver_that_stops_says_what_is_known_of_its_orders() {
    let (notes, outcome) = said_at_the_end("load.off", lasting(1) + Duration::from_millis(500));
    let why = "load.off is not confirmed: S00R0000 was not answered, and the driver stops before the UPS shows whether it does it";
    assert_eq!((notes, outcome), (vec![why.to_string()], Some(Outcome::NotConfirmed(why.into()))));
    // accepted, and the load is on yet
    let (notes, outcome) = said_at_the_end("shutdown.return", lasting(15));
    assert_eq!(outcome, Some(Outcome::Done));
    let [note] = &notes[..] else { panic!("{notes:?}") };
    assert!(note.starts_with("shutdown.return: the UPS accepted it, and the load goes off in 1"), "{note}");
    // nothing is said of what needs no word
    let (notes, outcome) = said_at_the_end("beeper.toggle", lasting(15));
    assert_eq!((notes, outcome), (vec![], Some(Outcome::Done)));
}

/// Who interrupts it reads which order is with the UPS, also while its answer is awaited.
#[test]
fn switching_the_load_off_that_is_interrupted_names_its_order() {
    let mut ups = Ups::new(|_| true, STATUS);
    let mut line = found(Options::default(), &mut ups);
    line.device.kill_power(7);
    let sent = loop {
        line.now += Duration::from_millis(50);
        match line.device.poll_exchange(line.now) {
            Some(exchange) if exchange.command.starts_with(b"S") => break exchange,
            Some(exchange) => {
                let bytes = ups.reply(&String::from_utf8_lossy(&exchange.command));
                let mut collector = qx::line::exchange::Collector::new(&exchange);
                collector.take(&bytes);
                line.device.handle_reply(collector.finish(Duration::from_millis(30)), line.now);
            }
            None => {}
        }
    };
    assert_eq!(sent.command.trim_ascii_end(), b"S.5R0003");
    line.device.stop_killing_power("SIGINT was received once more");
    let why = "switching the load off was interrupted (SIGINT was received once more): shutdown.return (S.5R0003) was sent, and whether the UPS obeys was not seen";
    let told = std::iter::from_fn(|| line.device.poll_event());
    let answers: Vec<Event> = told.filter(|event| matches!(event, Event::Answered(..))).collect();
    assert_eq!(answers, [Event::Answered(7, Outcome::NotConfirmed(why.into()))]);
}

/// Hears nothing for so long after its last reply.
struct Resting {
    ups: Ups,
    rest: Duration,
    said: Moment,
    heard: Vec<String>,
}

impl Resting {
    fn new(rest_ms: u64) -> Resting {
        Resting {
            ups: Ups::new(|_| true, STATUS),
            rest: Duration::from_millis(rest_ms),
            said: Moment::ZERO,
            heard: vec![],
        }
    }

    fn reply(&mut self, ask: &str, latency: Duration, now: Moment) -> Vec<u8> {
        if now < self.said + self.rest {
            return vec![];
        }
        self.heard.push(ask.into());
        let reply = self.ups.reply(ask);
        if !reply.is_empty() {
            self.said = now + latency;
        }
        reply
    }
}

/// Found by a review: an order right behind the reply to a question was lost by a UPS that hears nothing for a while then, and
/// its silence was told as consent.
#[test]
fn orders_are_sent_into_a_quiet_line() {
    for interval in [1, 2, 4, 15, 60] {
        for rest in [20, 100, 300, 600, 1000, 1150] {
            let mut ups = Resting::new(rest);
            // while it is found it has no rest: this is about orders
            let options = Options { pollinterval: lasting(interval), ..Options::default() };
            let mut line = found(options, &mut ups.ups);
            let latency = line.latency;
            for (at, name) in
                ["shutdown.return", "shutdown.stop", "load.off", "load.on"].into_iter().enumerate()
            {
                // at any time between two polls
                let until = line.now + Duration::from_millis(700 * at as u64);
                line.run(until, &mut |ask, now| ups.reply(ask, latency, now), |_| false);
                ups.heard.clear();
                line.events.clear();
                line.device.instant_command(7, name, None);
                let until = line.now + lasting(20);
                let over = |event: &Event| matches!(event, Event::Answered(..));
                line.run(until, &mut |ask, now| ups.reply(ask, latency, now), over);
                let outcome =
                    line.events.iter().any(|(_, event)| *event == Event::Answered(7, Outcome::Done));
                let heard = ups.heard.iter().any(|ask| is_order(ask));
                assert!(heard || !outcome, "{name} every {interval} s, rest {rest} ms: not heard, and done");
                assert!(heard, "{name} every {interval} s, rest {rest} ms");
            }
        }
    }
}

/// The same where the power is killed.
#[test]
fn the_power_is_killed_through_a_quiet_line() {
    for rest in [20, 100, 300, 600, 1000, 1150] {
        let mut ups = Resting::new(rest);
        let mut line = found(Options::default(), &mut ups.ups);
        let latency = line.latency;
        line.device.kill_power(7);
        let until = line.now + lasting(20);
        let over = |event: &Event| matches!(event, Event::Answered(..));
        assert!(line.run(until, &mut |ask, now| ups.reply(ask, latency, now), over));
        assert!(ups.heard.iter().any(|ask| ask.starts_with('S')), "rest {rest} ms: {:?}", line.asked);
    }
}

/// Found by a review: it answers `(NAK` and obeys; the first reading that shows it was passed over, and another spelling
/// began its countdown anew.
#[test]
fn an_order_that_is_refused_in_words_and_obeyed_is_sent_once() {
    for (name, shows) in [("shutdown.return", PENDING), ("load.off", DEAD)] {
        for latency in [30, 400, 900] {
            let mut ups = Ups::new(|_| true, shows);
            let mut line = found(Options::default(), &mut ups);
            line.latency = Duration::from_millis(latency);
            line.run(line.now + lasting(20), &mut |ask, _| ups.reply(ask), |_| false);
            line.asked.clear();
            line.device.instant_command(7, name, None);
            let mut liar = |ask: &str, _| {
                let reply = ups.reply(ask);
                if is_order(ask) { ended(b"(NAK") } else { reply }
            };
            let answered = |event: &Event| matches!(event, Event::Answered(..));
            assert!(line.run(line.now + lasting(30), &mut liar, answered));
            assert_eq!(orders(&line).len(), 1, "{name} at {latency} ms: {:?}", orders(&line));
            let is_done = line.events.iter().any(|(_, event)| *event == Event::Answered(7, Outcome::Done));
            assert!(is_done, "{name} at {latency} ms: {:?}", line.events.last());
            assert!(!noted(&line, LogLevel::Info, "by silence"), "{name} at {latency} ms");
        }
    }
}

/// Found by a review: a slow UPS that shows that it obeys is not told again.
#[test]
fn a_slow_ups_that_obeys_is_told_once() {
    for latency in [500, 1000, 1500, 2000, 2500] {
        let mut ups = Ups::new(|_| true, PENDING);
        let mut line = found(Options::default(), &mut ups);
        line.latency = Duration::from_millis(latency);
        line.run(line.now + lasting(60), &mut |ask, _| ups.reply(ask), |_| false);
        line.asked.clear();
        line.device.kill_power(7);
        let answered = |event: &Event| matches!(event, Event::Answered(..));
        assert!(line.run(line.now + lasting(70), &mut |ask, _| ups.reply(ask), answered), "{latency} ms");
        let sent = orders(&line).into_iter().filter(|ask| ask.starts_with('S')).count();
        assert_eq!(sent, 1, "{latency} ms: {:?}", line.asked);
        let is_done = line.events.iter().any(|(_, event)| *event == Event::Answered(7, Outcome::Done));
        assert!(is_done, "{latency} ms: {:?}", line.events.last());
    }
}

/// What comes between the end of the wait for an answer and the next question is read, and not thrown away: a refusal
/// that came then ended as "not confirmed".
#[test]
fn a_refusal_just_after_the_wait_is_heard() {
    let mut ups = Ups::new(|_| true, STATUS);
    let mut line = found(Options::default(), &mut ups);
    line.device.instant_command(7, "load.off", None);
    let mut sent = false;
    while !line.events.iter().any(|(_, event)| matches!(event, Event::Answered(..))) {
        line.now += Duration::from_millis(50);
        assert!(line.now < seconds(120), "no answer");
        while let Some(event) = line.device.poll_event() {
            line.events.push((line.now, event));
        }
        let Some(exchange) = line.device.poll_exchange(line.now) else { continue };
        let ask = String::from_utf8_lossy(&exchange.command).into_owned();
        let mut collector = qx::line::exchange::Collector::new(&exchange);
        let mut reply = if is_order(&ask) {
            line.now += exchange.patience;
            collector.finish(Duration::ZERO)
        } else {
            collector.take(&ups.reply(&ask));
            collector.finish(Duration::from_millis(30))
        };
        // a link reads the line empty only where it is to
        if std::mem::take(&mut sent) && exchange.settle {
            (reply.stray, reply.late) = (true, b"(NAK\r".to_vec());
        }
        sent = ask == "S00R0000";
        line.device.handle_reply(reply, line.now);
    }
    let refused = |event: &Event| matches!(event, Event::Noted(_, text) if text.contains("refused load.off (S00R0000) by '(NAK'"));
    assert!(line.events.iter().any(|(_, event)| refused(event)), "{:?}", line.events);
}

/// The same status with "shutdown active" read while a unit of that kind is on battery, before it was ever ordered.
const ON_BATTERY_PENDING: &[u8] = b"(000.0 195.0 226.0 014 49.0 25.5 30.0 10001010";

/// The proof after an order is what the UPS says, not that it took the order.
#[test]
fn what_the_ups_says_after_an_order_is_the_proof_and_nothing_else() {
    let proof = |shows: &'static [u8]| {
        let mut ups = Ups::new(|_| true, shows);
        let mut line = found(Options::default(), &mut ups);
        let ordered = line.now;
        assert_eq!(line.device.proof_of_order(), SwitchOffProof::Unknown(NoProof::NotOrdered));
        let before = line.device.switch_off_proof(Moment::ZERO);
        assert!(matches!(before, SwitchOffProof::Absent(seen) if seen.question == "Q1"), "{before}");
        line.device.instant_command(7, "shutdown.return", None);
        // just after it was sent nothing was read yet
        assert_eq!(
            line.device.switch_off_proof(line.now + lasting(1)),
            SwitchOffProof::Unknown(NoProof::NothingRead)
        );
        assert_eq!(answer(&mut line, &mut ups, lasting(10)), Some(Outcome::Done));
        let proof = line.device.proof_of_order();
        assert_eq!(proof, line.device.switch_off_proof(ordered));
        proof
    };
    let shown = proof(PENDING);
    assert!(matches!(shown, SwitchOffProof::Pending(seen) if seen.question == "Q1"), "{shown}");
    let off = proof(DEAD);
    assert!(matches!(off, SwitchOffProof::Off(seen) if seen.question == "Q1"), "{off}");
    // accepted by silence, and never shown
    let silent = proof(STATUS);
    assert!(matches!(silent, SwitchOffProof::Absent(_)) && !silent.is_given(), "{silent}");
}

/// A bit that is always set is no proof, be it read first on battery, after a restart in the outage.
#[test]
fn a_bit_that_was_never_clear_proves_nothing() {
    for always in [PENDING, ON_BATTERY_PENDING] {
        let mut ups = Ups::new(|_| true, always);
        ups.took = true;
        let mut line = found(Options::default(), &mut ups);
        let ordered = line.now;
        line.device.instant_command(7, "shutdown.return", None);
        answer(&mut line, &mut ups, lasting(10));
        let proof = line.device.switch_off_proof(ordered);
        assert_eq!(proof, SwitchOffProof::Unknown(NoProof::NeverSeenClear));
    }
}

/// With `ignoresab` the bit is no word of the UPS; and a line that is silent says nothing.
#[test]
fn what_is_not_read_is_no_proof() {
    let mut ups = Ups::new(|_| true, PENDING);
    let ignoring = Options { flags: Flags::default().with(Flag::IgnoreSab), ..Options::default() };
    let mut line = found(ignoring, &mut ups);
    line.device.instant_command(7, "shutdown.return", None);
    answer(&mut line, &mut ups, lasting(10));
    assert_eq!(line.device.switch_off_proof(Moment::ZERO), SwitchOffProof::Unknown(NoProof::NotSaid));
    let mut ups = Ups::new(|_| true, PENDING);
    let mut line = found(Options::default(), &mut ups);
    let ordered = line.now + lasting(1);
    line.run(line.now + lasting(20), &mut |_, _| vec![], |_| false);
    assert_eq!(line.device.switch_off_proof(ordered), SwitchOffProof::Unknown(NoProof::NothingRead));
    let unfound = Device::new(Options::default());
    assert_eq!(unfound.switch_off_proof(Moment::ZERO), SwitchOffProof::Unknown(NoProof::NoDialect));
}

/// Which dialects have a word for it: all that can be ordered to switch off, and axpert, which cannot, has none.
#[test]
fn every_dialect_that_switches_off_can_show_it() {
    for protocol in qx::protocols::ALL.iter().chain(qx::protocols::BLAZER) {
        let switches_off = protocol.commands_named("shutdown.return").next().is_some();
        assert_eq!(shows_shutdown(protocol), switches_off, "{}", protocol.name);
    }
}
