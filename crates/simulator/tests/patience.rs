//! What NUT serves is served, and not later: over delays of answers, gaps within them and dialects, in virtual
//! time. What NUT 2.8.0 does was measured with its driver on a pseudo-terminal, each UPS answering as the
//! simulated one does: seconds to the first data.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

use qx::device::Event;
use qx::options::Options;
use qx::protocols;
use qx::vocabulary::moment::Moment;
use qx::wire::protocol::Protocol;
use qx::wire::query::Cadence;
use simulator::profile::Profile;
use simulator::script::Script;
use simulator::trouble::{Random, Trouble};
use simulator::ups::SimulatedUps;
use std::fmt::Write;
use std::time::Duration;
use testbed::wire::{Wire, say};

/// How the replies come.
#[derive(Clone, Copy, Debug)]
struct Manner {
    delay: f64,
    gap: f64,
}

/// What came of it.
#[derive(Debug)]
struct Served {
    ready: Option<f64>,
    claim: Option<&'static str>,
    /// Seconds of a minute after that in which the data was stale.
    stale: f64,
    gave_up: bool,
}

fn serve(protocol: &'static Protocol, named: bool, manner: Manner) -> (Served, Wire) {
    let profile = Profile { latency: Duration::ZERO, ..Profile::default() };
    let mut ups = SimulatedUps::new(protocol, profile, Trouble::new(1), Script::default());
    let options = Options { protocol: named.then(|| protocol.name.to_string()), ..Options::default() };
    let mut wire = Wire::new(options);
    let delay = Duration::from_secs_f64(manner.delay);
    let mut slow = |command: &[u8], now: Moment| {
        let whole: Vec<u8> = say(&mut ups, command, now).into_iter().flat_map(|(_, bytes)| bytes).collect();
        if whole.is_empty() {
            return vec![];
        }
        if manner.gap == 0.0 {
            return vec![(now + delay, whole)];
        }
        let (head, tail) = whole.split_at(whole.len() / 2);
        let gap = Duration::from_secs_f64(manner.gap);
        vec![(now + delay, head.to_vec()), (now + delay + gap, tail.to_vec())]
    };
    let end = Moment::after_start(Duration::from_secs(90));
    let over = |event: &Event| matches!(event, Event::Ready | Event::NotFound(_));
    wire.run(end, &mut slow, over);
    let gave_up = wire.events.iter().any(|(_, event)| matches!(event, Event::NotFound(_)));
    let ready = wire.device.is_ready().then_some(wire.now.since_start().as_secs_f64());
    let claim = wire.claim();
    let from = wire.now;
    wire.run(from + Duration::from_secs(60), &mut slow, |_| false);
    let (mut stale, mut since) = (0.0, None);
    for (at, event) in &wire.events {
        match event {
            Event::Stale => since = Some(*at),
            Event::Fresh => stale += since.take().map_or(0.0, |since| (*at - since).as_secs_f64()),
            _ => {}
        }
    }
    stale += since.map_or(0.0, |since| (wire.now - since).as_secs_f64());
    (Served { ready, claim, stale, gave_up }, wire)
}

/// Answers after so many seconds: what NUT's driver did was measured for these.
const MEASURED: [f64; 14] = [0.4, 0.5, 0.7, 0.9, 0.95, 0.98, 1.0, 1.02, 1.05, 1.15, 1.5, 2.0, 2.5, 3.0];

/// What NUT's driver did then: seconds to the first data of the right dialect; -1, where it ended, or found another.
#[rustfmt::skip]
const NUT: &[(&str, bool, [f64; 14])] = &[
    ("voltronic", false, [15.25, 17.82, 23.33, 28.68, 30.06, 29.81, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0]),
    ("voltronic", true, [15.37, 17.88, 23.33, 28.71, 29.97, 30.83, 16.22, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0]),
    ("voltronic-qs", false, [5.69, 6.16, 7.35, 8.58, 8.9, 9.19, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0]),
    ("voltronic-qs", true, [2.59, 3.11, 4.32, 5.53, 5.88, 6.05, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0]),
    ("voltronic-qs-hex", false, [6.55, 7.3, 8.88, 10.44, 10.93, 11.34, 9.3, -1.0, -1.0, -1.0, -1.0, 12.22, -1.0, -1.0]),
    ("voltronic-qs-hex", true, [2.19, 2.7, 3.67, 4.75, 5.06, 5.14, 5.14, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0]),
    ("mustek", false, [11.8, 12.31, 13.5, 14.68, 15.05, 15.28, 13.2, 20.46, 27.54, 44.39, 47.23, 19.55, 15.28, 16.35]),
    ("mustek", true, [2.59, 3.32, 4.49, 5.64, 6.02, 6.04, 4.2, 4.22, 4.31, 35.0, 38.13, 18.31, 6.16, -1.0]),
    ("megatec/old", false, [14.73, 15.55, 16.55, 17.82, 18.07, 18.32, 16.4, 16.31, 48.84, 49.41, 48.54, 22.38, 20.81, -1.0]),
    ("megatec/old", true, [2.58, 3.24, 4.55, 5.61, 5.95, 4.08, 5.18, 20.4, 4.69, 36.99, 5.7, 13.22, 8.66, 9.17]),
    ("bestups", false, [15.46, 16.88, 20.02, 22.85, 23.84, 23.99, -1.0, -1.0, -1.0, 47.98, 54.7, 24.28, -1.0, -1.0]),
    ("bestups", true, [3.79, 4.81, 6.55, 8.33, 8.76, -1.0, -1.0, -1.0, -1.0, 39.13, -1.0, -1.0, -1.0, -1.0]),
    ("mecer", false, [22.52, 23.36, 25.34, 27.35, 27.8, 28.21, -1.0, -1.0, 21.49, 55.38, 23.48, -1.0, 27.29, -1.0]),
    ("mecer", true, [2.98, 3.66, 5.07, 6.67, 6.98, 7.08, 9.21, -1.0, 25.53, -1.0, -1.0, -1.0, -1.0, -1.0]),
    ("megatec", false, [26.63, 28.21, 30.59, 33.37, 33.89, 34.36, -1.0, -1.0, -1.0, 26.43, 27.44, -1.0, -1.0, -1.0]),
    ("megatec", true, [3.08, 3.81, 5.1, 6.5, 6.9, 7.15, -1.0, -1.0, 19.66, 5.87, -1.0, -1.0, -1.0, -1.0]),
    ("zinto", false, [30.93, 32.73, 35.78, 39.12, 39.77, 40.35, -1.0, -1.0, -1.0, 29.65, -1.0, 36.52, -1.0, -1.0]),
    ("zinto", true, [3.01, 3.81, 5.18, 6.55, 6.83, 6.22, 8.17, -1.0, -1.0, 38.23, -1.0, -1.0, -1.0, -1.0]),
    ("q1", false, [42.37, 44.7, 49.11, 53.5, 54.43, 55.15, 46.5, 35.66, 35.85, 37.02, 40.6, 47.39, 43.37, 47.29]),
    ("q1", true, [1.78, 2.13, 2.98, 3.73, 3.97, 4.17, 4.22, 3.23, 3.24, 3.48, 4.23, 5.16, 5.16, 5.22]),
];

/// Seconds to the first data by NUT, whose whole reply has to come within a second; between two figures that were
/// measured it is on the line between them. `None`: it serves nothing, or nobody measured it.
fn by_nut(name: &str, named: bool, manner: Manner) -> Option<f64> {
    let whole = manner.delay + manner.gap;
    let (_, _, measured) = NUT.iter().find(|(of, by_name, _)| *of == name && *by_name == named)?;
    let points: Vec<(f64, f64)> = MEASURED.iter().copied().zip(measured.iter().copied()).collect();
    if let Some((_, exactly)) = points.iter().find(|(at, _)| *at == whole) {
        return (*exactly >= 0.0).then_some(*exactly);
    }
    let (low, high) = (points[0], points[3]);
    let per_second = (high.1 - low.1) / (high.0 - low.0);
    (whole < 0.98).then_some(low.1 + (whole - low.0) * per_second)
}

/// Where NUT's driver happens to be faster above a second: the reply to one question comes just in time for the
/// next one, three times in a row.
const LUCK_OF_NUT: [(&str, bool, f64); 6] = [
    ("mustek", false, 2.5),
    ("mustek", false, 3.0),
    ("voltronic-qs-hex", false, 2.0),
    ("mustek", true, 2.5),
    ("megatec/old", true, 3.0),
    ("mecer", false, 2.5),
];

/// The driver is given the time that NUT takes to open and set a line.
const START: f64 = 0.2;

fn shown(served: &Served, name: &str) -> String {
    let ready = served.ready.map_or("none".into(), |at| format!("{at:.1}"));
    let claim =
        served.claim.filter(|claim| *claim != name).map_or(String::new(), |claim| format!(" as {claim}"));
    let stale = if served.stale > 0.0 { format!(", stale {:.0}", served.stale) } else { String::new() };
    ready + &claim + &stale
}

#[test]
fn what_nut_serves_is_served_and_not_later() {
    let (mut wrong, mut table) = (String::new(), HEAD.to_string());
    for protocol in protocols::ALL {
        for named in [false, true] {
            if !named && protocol.by_name {
                continue;
            }
            let mut cells = vec![];
            for (delay, gap) in MANNERS {
                let manner = Manner { delay, gap };
                let (served, wire) = serve(protocol, named, manner);
                let nut = by_nut(protocol.name, named, manner);
                let lucky = LUCK_OF_NUT.contains(&(protocol.name, named, delay));
                let is_right = served.claim == Some(protocol.name) && !served.gave_up;
                // what takes longer than it is fresh cannot be: three questions of three seconds
                let parts = protocol.queries.iter().filter(|query| query.cadence == Cadence::Quick).count();
                let fresh = served.stale <= FIRST_STALE || parts as f64 * (delay + gap) > FRESH / 2.0;
                let in_time = served.ready.is_some_and(|at| nut.is_none_or(|nut| at <= nut + START || lucky));
                if !(is_right && fresh && in_time) {
                    let talk = if std::env::var("TALK").is_ok() { wire.talk() } else { String::new() };
                    let _ = writeln!(
                        wrong,
                        "{} {named} {manner:?}: {}, NUT {nut:?} {talk}",
                        protocol.name,
                        shown(&served, protocol.name)
                    );
                }
                let nut = match nut {
                    _ if delay == 0.02 => String::new(),
                    Some(nut) if lucky || delay >= 1.0 => format!(" ({nut:.1})"),
                    Some(nut) => format!(" / {nut:.1}"),
                    None => String::new(),
                };
                cells.push(shown(&served, protocol.name) + &nut);
            }
            if !named {
                let shown = SHOWN.map(|at| cells[at].clone());
                let _ = writeln!(table, "| {} | {} |", protocol.name, shown.join(" | "));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    keep_fresh(&table);
}

/// A line that is not driven until the UPS speaks: single bytes come now and then while nobody does, for two
/// seconds. NUT throws away what came before it asks, and serves bestups after 1.1 s, by name.
#[test]
fn noise_of_an_idle_line_at_the_start_keeps_nobody_waiting() {
    for protocol in protocols::ALL {
        for named in [false, true] {
            if !named && protocol.by_name {
                continue;
            }
            let mut slowest = 0.0_f64;
            for seed in 0..20 {
                let profile = Profile { latency: Duration::from_millis(50), ..Profile::default() };
                let mut ups = SimulatedUps::new(protocol, profile, Trouble::new(1), Script::default());
                let mut random = Random::new(seed);
                let mut noise: Vec<(Moment, Vec<u8>)> = (0..8)
                    .map(|_| {
                        let at = Moment::after_start(Duration::from_millis(random.below(2000) as u64));
                        (at, vec![random.below(256) as u8])
                    })
                    .collect();
                let options =
                    Options { protocol: named.then(|| protocol.name.to_string()), ..Options::default() };
                let mut wire = Wire::new(options);
                let mut noisy = |command: &[u8], now: Moment| {
                    let mut said = say(&mut ups, command, now);
                    noise.retain(|(at, _)| *at >= now);
                    said.append(&mut noise);
                    said
                };
                let over = |event: &Event| matches!(event, Event::Ready | Event::NotFound(_));
                wire.run(Moment::after_start(Duration::from_secs(60)), &mut noisy, over);
                assert!(wire.device.is_ready(), "{} {named} {seed}:\n{}", protocol.name, wire.talk());
                assert_eq!(wire.claim(), Some(protocol.name), "{named} {seed}:\n{}", wire.talk());
                slowest = slowest.max(wire.now.since_start().as_secs_f64());
            }
            let (quiet, _) = serve(protocol, named, Manner { delay: 0.05, gap: 0.0 });
            let limit = quiet.ready.unwrap() + if named { 9.0 } else { 15.0 };
            assert!(
                slowest <= limit,
                "{} {named}: {slowest:.1} s, {:?} without noise",
                protocol.name,
                quiet.ready
            );
        }
    }
}

const HEAD: &str = "| unit | 0.1 s | 0.5 s | 0.7 s | 0.95 s | 1.05 s | 1.5 s | 2 s | 3 s | 0.1 s, gap 0.3 s | 0.1 s, gap 0.8 s |\n|---|---|---|---|---|---|---|---|---|---|---|\n";
/// The columns of these manners.
const SHOWN: [usize; 10] = [1, 4, 5, 7, 11, 13, 14, 16, 17, 19];
/// Data is fresh for so many seconds.
const FRESH: f64 = 6.0;
/// Seconds of a minute in which data may be stale, when a slow UPS was not known to be slow at first.
const FIRST_STALE: f64 = 4.0;

fn keep_fresh(printed: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slow.md");
    if std::fs::read_to_string(&path).ok().as_deref() != Some(printed) {
        std::fs::write(&path, printed).unwrap();
        panic!("slow.md was stale, and is written anew; the test 'detection' puts it into docs/detection.md");
    }
}

/// Delay and gap; just below, at and above each constant.
const MANNERS: [(f64, f64); 23] = [
    (0.02, 0.0),
    (0.1, 0.0),
    (0.3, 0.0),
    (0.4, 0.0),
    (0.5, 0.0),
    (0.7, 0.0),
    (0.9, 0.0),
    (0.95, 0.0),
    (0.98, 0.0),
    (1.0, 0.0),
    (1.02, 0.0),
    (1.05, 0.0),
    (1.15, 0.0),
    (1.5, 0.0),
    (2.0, 0.0),
    (2.5, 0.0),
    (3.0, 0.0),
    (0.1, 0.3),
    (0.1, 0.5),
    (0.1, 0.8),
    (0.1, 0.95),
    (0.6, 0.3),
    (0.3, 0.6),
];
