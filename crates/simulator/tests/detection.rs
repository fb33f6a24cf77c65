//! How fast every unit is found, in virtual time: the aims, and the table of `docs/detection.md`.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

use qx::device::Event;
use qx::options::Options;
use qx::protocols;
use qx::vocabulary::moment::Moment;
use qx::wire::protocol::Protocol;
use qx::wire::query::Cadence;
use simulator::profile::{Profile, RefusalReply};
use simulator::script::Script;
use simulator::trouble::Trouble;
use simulator::ups::SimulatedUps;
use std::fmt::Write;
use std::time::Duration;
use testbed::wire::{Wire, families, say};

/// How a unit and its line are.
#[derive(Clone, Copy)]
struct Manner {
    unknown: &'static str,
    latency_ms: u64,
    baud: Option<u32>,
}

const fn manner(unknown: &'static str, latency_ms: u64, baud: Option<u32>) -> Manner {
    Manner { unknown, latency_ms, baud }
}

const MANNERS: [Manner; 12] = [
    manner("silent", 20, None),
    manner("silent", 100, None),
    manner("silent", 20, Some(2400)),
    manner("silent", 100, Some(2400)),
    manner("echo", 20, None),
    manner("echo", 100, None),
    manner("echo", 20, Some(2400)),
    manner("echo", 100, Some(2400)),
    manner("(NAK", 20, None),
    manner("(NAK", 100, None),
    manner("(NAK", 20, Some(2400)),
    manner("(NAK", 100, Some(2400)),
];

/// What it took to find a unit.
#[derive(Clone, Copy, Default)]
struct Effort {
    asked: usize,
    detected: Moment,
    ready: Moment,
    /// How many questions were asked again.
    again: usize,
    /// What the line needs for the questions that were answered.
    wire: Duration,
    /// Waiting for silence.
    silent: Duration,
}

fn unit(protocol: &'static Protocol, family: Option<&str>, manner: Manner) -> SimulatedUps {
    let profile = Profile {
        family: family.map(String::from),
        unknown: RefusalReply::parse(manner.unknown),
        latency: Duration::from_millis(manner.latency_ms),
        baud: manner.baud,
        ..Profile::default()
    };
    SimulatedUps::new(protocol, profile, Trouble::new(1), Script::default())
}

fn find(protocol: &'static Protocol, family: Option<&str>, manner: Manner) -> (Wire, Effort) {
    let mut ups = unit(protocol, family, manner);
    let mut wire = Wire::new(Options::default());
    let ready = wire.run(
        Moment::after_start(Duration::from_secs(60)),
        &mut |command, now| say(&mut ups, command, now),
        |event| *event == Event::Ready,
    );
    assert!(ready, "{}: {:?}", protocol.name, wire.events);
    let (asked, detected) = wire.detected.unwrap();
    let mut effort = Effort { asked, detected, ready: wire.now, ..Effort::default() };
    let byte = Duration::from_secs_f64(manner.baud.map_or(0.0, |baud| 10.0 / f64::from(baud)));
    // what was heard, or refused, is not asked again by the survey either; the polls are
    let is_poll = |question: &[u8]| {
        let mut polls = protocol.queries.iter().filter(|query| query.cadence != Cadence::Once);
        polls.any(|query| query.wire(0) == question)
    };
    for (at, made) in wire.made.iter().enumerate() {
        let counts = at < asked || !is_poll(&made.question);
        let before = wire.made[..at].iter().any(|before| before.question == made.question);
        effort.again += usize::from(counts && before);
    }
    for made in &wire.made[..asked] {
        match &made.line {
            None => effort.silent += made.patience,
            Some(line) => {
                let bytes = u32::try_from(made.question.len() + line.len() + 2).unwrap();
                effort.wire += Duration::from_millis(manner.latency_ms) + byte * bytes;
            }
        }
    }
    (wire, effort)
}

/// By the word (NAK a megatec says that it is a mecer: NUT takes it for one as well.
fn taken(protocol: &Protocol, manner: Manner) -> &'static str {
    match (protocol.name, manner.unknown) {
        ("megatec" | "zinto" | "q1" | "innovart31" | "q2" | "q6", "(NAK") => "mecer",
        (name, _) => name,
    }
}

/// What a sister could have said a little later, or by a flipped bit, has to come twice; so has silence to
/// the last of many signs.
const TWICE: [&str; 7] = ["q6", "innovart31", "voltronic-qs", "mustek", "megatec/old", "mecer", "zinto"];

/// Whether a unit was found as promised: two seconds where it answers within 100 ms; on a slow line 1.3
/// times what the line needs for the questions that identify it, and the silences.
fn keeps_the_promise(protocol: &Protocol, manner: Manner, effort: &Effort) -> bool {
    let in_time = match manner.baud {
        None => effort.detected <= Moment::after_start(Duration::from_secs(2)),
        Some(_) => {
            // an echo is waited for once, to see whether a reply follows
            let echo = Duration::from_millis(if manner.unknown == "echo" { 400 } else { 0 });
            effort.detected.since_start() <= effort.wire.mul_f64(1.3) + effort.silent + echo
        }
    };
    in_time && effort.again <= usize::from(TWICE.contains(&taken(protocol, manner)))
}

#[test]
fn every_unit_is_found_in_the_time_that_is_promised() {
    let (mut wrong, mut table) = (String::new(), HEAD.to_string());
    for protocol in protocols::ALL.iter().filter(|protocol| !protocol.by_name) {
        for row in MANNERS.chunks(4) {
            let mut cells = vec![];
            for manner in row {
                let mut slowest = Effort::default();
                for family in families(protocol.name) {
                    let (wire, effort) = find(protocol, family, *manner);
                    let right = wire.claim() == Some(taken(protocol, *manner));
                    if !right || !keeps_the_promise(protocol, *manner, &effort) {
                        let Manner { unknown, latency_ms, baud } = manner;
                        let Effort { detected, wire: needed, silent, .. } = effort;
                        let _ = writeln!(
                            wrong,
                            "{} {family:?} {unknown} {latency_ms} ms {baud:?} baud: {:?} after {detected:?}, the line {needed:?}, silent {silent:?}: {:?}",
                            protocol.name,
                            wire.claim(),
                            wire.questions()
                        );
                    }
                    if effort.ready > slowest.ready {
                        slowest = effort;
                    }
                }
                cells.push(slowest);
            }
            let times = |(cell, manner): (&Effort, &Manner)| {
                let is_slow = manner.baud.is_some() && cell.detected.since_start() > cell.wire.mul_f64(1.3);
                let mark = if is_slow { " \\*" } else { "" };
                format!(
                    "{:.2}{mark} / {:.2}",
                    cell.detected.since_start().as_secs_f64(),
                    cell.ready.since_start().as_secs_f64()
                )
            };
            let times: Vec<String> = cells.iter().zip(row).map(times).collect();
            let (name, unknown) = (protocol.name, row[0].unknown);
            let found = match taken(protocol, row[0]) {
                same if same == name => String::new(),
                other => format!(" (as {other})"),
            };
            let _ =
                writeln!(table, "| {name}{found} | {unknown} | {} | {} |", cells[0].asked, times.join(" | "));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    keep_fresh(&table.replace("{questions}\n", &qx::detect::harm_table()).replace("{slow}\n", SLOW));
}

/// It hands on a reply when it has all of it, as some do on USB: long replies come later than short ones.
#[test]
fn units_behind_a_converter_that_gathers_are_found_as_well() {
    for (unknown, promise_s) in [("silent", 20), ("echo", 2), ("(NAK", 2)] {
        for protocol in protocols::ALL.iter().filter(|protocol| !protocol.by_name) {
            let manner = manner(unknown, 20, Some(2400));
            let mut ups = unit(protocol, None, manner);
            let mut wire = Wire::new(Options::default());
            wire.converter = true;
            let mut gathering = |command: &[u8], now| {
                let said = say(&mut ups, command, now);
                let whole = said.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
                said.last().map(|(due, _)| (*due, whole)).into_iter().collect()
            };
            wire.run(Moment::after_start(Duration::from_secs(60)), &mut gathering, |event| {
                matches!(event, Event::Detected(..))
            });
            assert_eq!(wire.claim(), Some(taken(protocol, manner)), "{unknown}:\n{}", wire.talk());
            let (_, detected) = wire.detected.unwrap();
            let promised = Moment::after_start(Duration::from_secs(promise_s));
            assert!(detected < promised, "{unknown} {detected:?}:\n{}", wire.talk());
        }
    }
}

#[test]
fn a_dead_port_is_given_up_when_even_a_slow_ups_would_have_answered() {
    let mut wire = Wire::new(Options::default());
    let end = Moment::after_start(Duration::from_secs(60));
    assert!(wire.run(end, &mut |_, _| vec![], |event| matches!(event, Event::NotFound(_))));
    let given_up = wire.now.since_start();
    assert!(given_up > qx::detect::SLOWEST && given_up <= Duration::from_secs(9), "{given_up:?}");
}

const HEAD: &str = include_str!("detection.md");
/// Printed by the test `patience`.
const SLOW: &str = include_str!("slow.md");

fn keep_fresh(printed: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/detection.md");
    if std::fs::read_to_string(&path).ok().as_deref() != Some(printed) {
        std::fs::write(&path, printed).unwrap();
        panic!("docs/detection.md was stale, and is written anew: look at the changes and commit them");
    }
}
