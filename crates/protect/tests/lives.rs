//! Whole lives in virtual time. The world alone is the judge: no host goes down for nothing, no load is cut under a
//! running host that obeyed in time, no host stays off for ever, nothing is lost by kill -9 at any moment.
//!
//! `QXUPS_PROTECT_LIVES=5000` lives more, `QXUPS_PROTECT_SEED=7` begins elsewhere.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, missing_docs)]

mod world;

use std::collections::BTreeMap;

use world::story::{live, shrink, story};

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn lives(first: u64, count: u64, armed: bool) -> BTreeMap<&'static str, u32> {
    let mut counts = BTreeMap::new();
    for seed in first..first + count {
        let whole = story(seed);
        let site = live(&whole, armed);
        if !site.faults.is_empty() {
            let short = shrink(whole, armed);
            let site = live(&short, armed);
            panic!(
                "seed {seed}: {:#?}\nevents: {:#?}\npolicy: {:#?}\nUPSes: {:#?}\nhosts: {:#?}\n{}",
                site.faults,
                short.events,
                site.policy,
                site.upses,
                site.hosts,
                site.log.join("\n")
            );
        }
        for (what, times) in site.counts {
            *counts.entry(what).or_insert(0) += times;
        }
    }
    counts
}

#[test]
fn the_world_finds_no_fault() {
    let counts = lives(number("QXUPS_PROTECT_SEED", 1), number("QXUPS_PROTECT_LIVES", 240), true);
    let report: Vec<String> = counts.iter().map(|(what, times)| format!("{times} {what}")).collect();
    let report = report.join(", ");
    for what in ["courses", "orders", "wakes", "hosts that went down in order", "the server came back"] {
        assert!(counts.contains_key(what), "nothing of this happened: {what}; {report}");
    }
}

#[test]
fn nothing_acts_while_it_is_not_armed() {
    let counts = lives(number("QXUPS_PROTECT_SEED", 1), number("QXUPS_PROTECT_LIVES", 240) / 6, false);
    assert!(counts.contains_key("courses"), "{counts:?}");
    for what in ["orders", "wakes", "the server went down in order"] {
        assert!(!counts.contains_key(what), "{what}: {counts:?}");
    }
}
