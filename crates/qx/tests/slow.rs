//! UPSes that need time: a rest between two questions, long for each reply, silent at first. "Found by a review" each.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

use qx::device::{Event, Outcome};
use qx::options::Options;
use qx::vocabulary::moment::Moment;
use std::time::Duration;
use testbed::line::{Line, ended, lasting, seconds};

const OK: &str = "(226.0 195.0 226.0 014 49.0 27.5 30.0 00001000";
const OB: &str = "(000.0 195.0 226.0 014 49.0 25.5 30.0 10001000";
const OBLB: &str = "(000.0 195.0 226.0 014 49.0 22.5 30.0 11001000";

fn named(protocol: &str) -> Options {
    Options { protocol: Some(protocol.into()), ..Options::default() }
}

fn has(line: &Line, word: &str) -> bool {
    let fresh = !line.device.store().is_stale();
    fresh && line.text("ups.status").is_some_and(|status| status.split(' ').any(|said| said == word))
}

/// How long after `at` the status has that word (or has it no more) while fresh.
fn until(
    line: &mut Line,
    ups: &mut dyn FnMut(&str, Moment) -> Vec<u8>,
    at: Moment,
    word: &str,
    is: bool,
) -> Duration {
    while line.now < at + lasting(40) {
        line.run(line.now + Duration::from_millis(20), ups, |_| false);
        if has(line, word) == is && !line.device.store().is_stale() {
            return line.now - at;
        }
    }
    panic!("{word} is not {is} after 40 s: {:?}", line.text("ups.status"));
}

/// Asked once each two seconds, such a UPS answers each time: NUT tells what it says within that.
#[test]
fn a_ups_that_rests_between_two_questions_is_told_as_soon_as_by_a_driver_that_asks_once() {
    for (rest, again) in [600, 1000, 1500, 1900].into_iter().flat_map(|rest| [(rest, false), (rest, true)]) {
        for offset in [0, 500, 1000, 1500] {
            let rest = Duration::from_millis(rest);
            let [fails, low, back] = [60, 70, 80].map(|at| seconds(at) + Duration::from_millis(offset));
            let mut free = Moment::ZERO;
            let mut ups = |ask: &str, now: Moment| {
                if ask != "Q1" {
                    return vec![];
                }
                let heard = now >= free;
                if heard || again {
                    free = now + rest + Duration::from_millis(30);
                }
                let status = match now {
                    now if now < fails => OK,
                    now if now < low => OB,
                    now if now < back => OBLB,
                    _ => OK,
                };
                if heard { ended(status.as_bytes()) } else { vec![] }
            };
            let mut line = Line::new(named("q1"));
            line.run(fails, &mut ups, |_| false);
            assert!(has(&line, "OL"), "{rest:?} {again}");
            // two readings, each when it may be read
            let ob = until(&mut line, &mut ups, fails, "OB", true);
            let lb = until(&mut line, &mut ups, low, "LB", true);
            let ol = until(&mut line, &mut ups, back, "OL", true);
            let gone = until(&mut line, &mut ups, back, "LB", false);
            // what one reply says twice is told when the next one does not come
            assert!(ob <= Duration::from_millis(3400), "OB {ob:?}, rest {rest:?} {again} {offset}");
            for (what, took) in [("LB", lb), ("OL", ol), ("LB's end", gone)] {
                // then it is found how long it rests, which costs one question more
                let is_soon = took <= Duration::from_millis(if what == "LB" { 5400 } else { 4400 });
                assert!(is_soon, "{what} {took:?}, rest {rest:?} {again} {offset}");
            }
        }
    }
}

/// All questions of a voltronic take longer than `pollinterval`: what waits for its turn is not withdrawn.
#[test]
fn what_waits_for_its_turn_on_a_slow_line_is_not_withdrawn() {
    let latencies = [300, 500, 700, 900, 1200];
    for (latency, fails) in
        latencies.into_iter().flat_map(|latency| [30, 35, 40, 45, 100].map(|at| (latency, at)))
    {
        let fails = seconds(fails);
        let mut ups = |ask: &str, now: Moment| {
            let on_mains = now < fails;
            ended(match ask {
                "QGS" if on_mains => {
                    b"(234.0 50.0 234.0 50.0 001.0 015 365.0 ---.- 041.0 ---.- 024.6 100000000001"
                }
                "QGS" => b"(000.0 00.0 234.0 50.0 001.0 015 365.0 ---.- 038.0 ---.- 024.6 101000000001",
                "QPI" => b"(PI09",
                "QMD" => b"(#######OLHVT1K0 ###1000 80 2/2 230 230 02 12.0",
                "QRI" => b"(230.0 004 024.0 50.0",
                "QMF" => b"(#######BOSSMAKER",
                "QVFW" => b"(VERFW:00322.02",
                "QID" => b"(#####ABC123456789",
                "QMOD" if on_mains => b"(L",
                "QMOD" => b"(B",
                "QWS" if now < fails + lasting(5) => {
                    b"(0000000000000000000000000000000000000000000000000000000000000000"
                }
                // low battery
                "QWS" => b"(0000000100000000000000000000000000000000000000000000000000000000",
                "QBV" => b"(024.5 02 01 080 255",
                _ => b"(NAK",
            })
        };
        let mut line = Line::new(named("voltronic"));
        line.latency = Duration::from_millis(latency);
        line.run(fails, &mut ups, |_| false);
        assert!(has(&line, "OL"), "{latency} ms, {fails:?}");
        let ob = until(&mut line, &mut ups, fails, "OB", true);
        assert!(ob <= lasting(8), "{latency} ms, {fails:?}: {ob:?}");
        let names = ["battery.charge", "battery.voltage", "battery.packs"];
        let (mut seen, mut low) = ([false; 3], false);
        while line.now < fails + lasting(120) {
            line.run(line.now + Duration::from_millis(50), &mut ups, |_| false);
            assert!(has(&line, "OB"), "{latency} ms, {fails:?} at {:?}", line.now);
            for (name, seen) in names.into_iter().zip(&mut seen) {
                let is_there = line.text(name).is_some();
                assert!(is_there || !*seen, "{name} is gone, {latency} ms, {fails:?} at {:?}", line.now);
                *seen |= is_there;
            }
            assert!(has(&line, "LB") || !low, "{latency} ms, {fails:?} at {:?}", line.now);
            low |= has(&line, "LB");
        }
        assert!(low && seen == [true; 3], "{latency} ms, {fails:?}: {seen:?}");
    }
}

/// The blind orders were not heard: the UPS that answers at last is told at once.
#[test]
fn a_ups_that_answers_late_is_switched_off_at_once() {
    for silent in [6, 8, 12, 20, 30] {
        let mut heard = vec![];
        let mut line = Line::new(named("megatec"));
        line.device.kill_power(7);
        let mut ups = |ask: &str, now: Moment| {
            if now < seconds(silent) {
                return vec![];
            }
            heard.push((now, ask.to_string()));
            match ask {
                "Q1" => ended(OB.as_bytes()),
                "F" => ended(b"#230.0 003 024.0 50.0"),
                "I" => ended(b"#MUSTEK          PM 636     V1.2      "),
                _ => vec![],
            }
        };
        line.run(seconds(70), &mut ups, |event| matches!(event, Event::Answered(..)));
        let answered = heard.iter().find(|(_, ask)| ask == "Q1").unwrap().0;
        let order = heard.iter().find(|(_, ask)| ask.starts_with('S')).map(|(at, _)| *at);
        let took = order.map(|at| at.saturating_sub(answered));
        assert!(took.is_some_and(|took| took <= lasting(5)), "silent for {silent} s: {took:?}, {heard:?}");
        let done = line.events.iter().any(|(_, event)| *event == Event::Answered(7, Outcome::Done));
        assert!(done, "{:?}", line.events);
    }
}

/// What was fresh by the interval before stays so until it was asked by the new one.
#[test]
fn a_reload_makes_nothing_stale() {
    let reply = |ask: &str, _: Moment| if ask == "Q1" { ended(OK.as_bytes()) } else { vec![] };
    for (before, after) in [(60, 10), (60, 1), (30, 1), (30, 2), (10, 2)] {
        for late in [1, before / 2, before - 1] {
            let options = Options { pollinterval: lasting(before), ..named("q1") };
            let mut line = Line::new(options);
            assert!(line.run(seconds(30), &mut { reply }, |event| *event == Event::Ready));
            line.run(seconds(200), &mut { reply }, |_| false);
            let asked = line.asked.last().unwrap().0;
            line.run((asked + lasting(before + late)).max(line.now), &mut { reply }, |_| false);
            let options = Options { pollinterval: lasting(after), ..named("q1") };
            assert!(line.device.reconfigure(options, line.now));
            line.events.clear();
            line.run(line.now + lasting(60), &mut { reply }, |_| false);
            let stale = line.events.iter().any(|(_, event)| *event == Event::Stale);
            assert!(!stale, "{before} to {after}, {late} s after a poll");
            // and where it falls silent with the reload, it is stale by the new interval
            let options = Options { pollinterval: lasting(before), ..named("q1") };
            let mut line = Line::new(options);
            assert!(line.run(seconds(30), &mut { reply }, |event| *event == Event::Ready));
            let options = Options { pollinterval: lasting(after), ..named("q1") };
            assert!(line.device.reconfigure(options, line.now));
            let is_stale = line
                .run(line.now + lasting(3 * after + 6), &mut |_, _| vec![], |event| *event == Event::Stale);
            assert!(is_stale, "{before} to {after}");
        }
    }
}

/// On battery only each second to fifth question is answered, and that reply is whole: silence makes no reply doubtful.
#[test]
fn a_ups_that_answers_seldom_on_battery_is_read_all_the_same() {
    for (protocol, nth) in ["q1", "megatec"].into_iter().flat_map(|name| [2, 3, 4, 5].map(|nth| (name, nth)))
    {
        for offset in [0, 700, 1400] {
            let [fails, low, back] = [60, 74, 92].map(|at| seconds(at) + Duration::from_millis(offset));
            let mut asked = 0;
            let mut ups = |ask: &str, now: Moment| {
                asked = if now < fails || now >= back { 0 } else { asked + 1 };
                if asked % nth != 0 {
                    return vec![];
                }
                match ask {
                    "Q1" if now < fails || now >= back => ended(OK.as_bytes()),
                    "Q1" if now < low => ended(OB.as_bytes()),
                    "Q1" => ended(OBLB.as_bytes()),
                    "F" if protocol == "megatec" => ended(b"#230.0 003 024.0 50.0"),
                    "I" if protocol == "megatec" => ended(b"#MUSTEK          PM 636     V1.2      "),
                    _ => vec![],
                }
            };
            let mut line = Line::new(named(protocol));
            line.run(fails, &mut ups, |_| false);
            let ob = until(&mut line, &mut ups, fails, "OB", true);
            let lb = until(&mut line, &mut ups, low, "LB", true);
            let ol = until(&mut line, &mut ups, back, "OL", true);
            // two readings that agree, each of them one of `nth` questions
            let soon = |more: u64| Duration::from_millis(1500 * nth + more);
            let is_told = ob <= soon(3000) && lb <= soon(1200) && ol <= lasting(5);
            assert!(is_told, "{protocol} {nth}: {ob:?} {lb:?} {ol:?}");
        }
    }
}

/// What comes to `Q1` from a minute on: the first reply, then nothing for a while.
fn shown_in_silence(first: &'static str) -> (String, bool) {
    let (mut first, mut asked) = (Some(first), 0);
    let mut ups = |ask: &str, now: Moment| match ask {
        "Q1" if now < seconds(60) => ended(OK.as_bytes()),
        "Q1" => {
            asked += 1;
            first.take().map_or(vec![], |first| ended(first.as_bytes()))
        }
        _ => vec![],
    };
    let mut line = Line::new(named("q1"));
    line.run(seconds(64) + Duration::from_millis(800), &mut ups, |_| false);
    assert!(asked > 2, "it was asked again");
    (line.text("ups.status").unwrap_or_default().to_string(), line.device.store().is_stale())
}

#[test]
fn an_outage_that_one_reply_says_twice_is_told_when_the_next_one_does_not_come() {
    assert_eq!(shown_in_silence(OB), ("OB".into(), false));
    // the bit alone, volts alone, and a brown-out, in which one may be noise
    for once in [
        "(226.0 195.0 226.0 014 49.0 27.5 30.0 10001000",
        "(000.0 195.0 226.0 014 49.0 25.5 30.0 00001000",
        "(196.0 195.0 226.0 014 49.0 25.5 30.0 10001000",
    ] {
        assert_eq!(shown_in_silence(once).0, "OL", "{once}");
    }
}
