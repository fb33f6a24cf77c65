//! Every dialect for a long time with outages and a troubled line, in virtual time: nothing is
//! invented, and the device does not grow. Twenty minutes each in CI; for a day each:
//! `QXUPS_SOAK_HOURS=24 cargo test --release -p simulator --test trouble_soak -- --nocapture`.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

mod trouble;

use qx::protocols;
use trouble::{Bench, CYCLE_S, Pace};

/// Cycles of events, where nobody asks for more.
const CYCLES: u64 = 2;

/// The size of everything that the device remembers: its collections, printed.
fn size(bench: &Bench) -> usize {
    format!("{:?}", bench.device).len()
}

fn soak(first: usize) {
    let hours: Option<u64> = std::env::var("QXUPS_SOAK_HOURS").ok().and_then(|text| text.parse().ok());
    let cycles = hours.map_or(CYCLES, |hours| hours * 3600 / CYCLE_S);
    let mut failed = vec![];
    let seed = std::env::var("QXUPS_SOAK_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(3);
    let only = std::env::var("QXUPS_TROUBLE_ONLY").ok();
    let asked = |name: &str| only.as_ref().is_none_or(|only| only == name);
    for protocol in protocols::ALL.iter().skip(first).step_by(2).filter(|protocol| asked(protocol.name)) {
        let trouble = |trouble: &mut simulator::trouble::Trouble| {
            trouble.noise = 0.001;
            trouble.lose = 0.01;
            trouble.double = 0.01;
            trouble.late = 0.005;
        };
        let mut bench = Bench::new(protocol, seed, trouble, Pace::Fast, true);
        bench.run(CYCLE_S);
        let early = size(&bench);
        for _ in 1..cycles {
            bench.run(CYCLE_S);
        }
        let (late, found) = (size(&bench), bench.found());
        println!(
            "{}: {} h, {} exchanges, size {early} then {late}, stale {:.0} s, {found:?} {:?}",
            protocol.name,
            cycles * CYCLE_S / 3600,
            bench.exchanges,
            bench.stale.as_secs_f64(),
            bench.commands
        );
        let what = format!("{}: {found:?}", protocol.name);
        // a binary reply that holds a carriage return is cut, for the twin that judges as well
        let wrong = if protocol.name == "ablerex" { 0 } else { found.wrong };
        let nothing = (wrong, found.false_ob, found.false_grave, found.missed) == (0, 0, 0, 0);
        if !nothing || late >= early + early / 2 {
            failed.push(format!("{what}: {early} bytes, then {late}"));
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn half_of_the_dialects_for_long() {
    soak(0);
}

#[test]
fn the_other_half_for_long() {
    soak(1);
}
