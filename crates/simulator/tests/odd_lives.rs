//! Lives with UPSes that are odd but honest, drawn from seeds, in virtual time; the judge is the world alone. CI
//! lives some hundred of them; thousands:
//! `QXUPS_LIVES=5000 cargo test --release -p simulator --test odd_lives -- --nocapture`.
//! `QXUPS_EXAMPLES=5` shrinks so many of each kind; `QXUPS_LIFE=17` lives one and tells it; `QXUPS_RECIPE=FILE` one that is written down; with
//! `QXUPS_EXCHANGES` every exchange of it is told.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

mod odd;

use odd::bench::{live, tell};
use odd::life::Life;
use odd::shrink::shrink;
use std::collections::BTreeMap;

/// Lives of one kind, each drawn from its seed.
struct Family {
    draw: fn(u64) -> Life,
    /// So many in CI.
    few: u64,
}

/// UPSes that are odd in any way.
const ODD: Family = Family { draw: odd::draw::draw, few: 240 };
/// UPSes that hear nothing for a while behind a reply.
const RESTS: Family = Family { draw: odd::draw_rests::draw, few: 12 };
/// UPSes that are ordered to switch their load off, and drivers that are run for that alone.
const ORDERS: Family = Family { draw: odd::draw_orders::draw, few: 80 };

/// The life of a seed; with `QXUPS_PLAIN` nothing in it is odd or hurt, so that a finding is the device's with any
/// UPS, or the judge's.
fn draw(family: &Family, seed: u64) -> Life {
    let mut life = (family.draw)(seed);
    if std::env::var_os("QXUPS_PLAIN").is_some() {
        life.knobs.retain(|knob| !knob.starts_with("odd"));
        life.events.retain(|(_, event)| !event.to_string().starts_with("hurt"));
    }
    life
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

fn tell_all(life: &Life) {
    let (found, diary) = tell(life);
    println!("{life}\n{}", diary.join("\n"));
    found.iter().for_each(|finding| println!("FOUND {finding}"));
}

/// Lives each second one, and tells what was found: kinds, and the smallest life of each.
fn lives(family: &Family, first: u64) {
    if let Ok(path) = std::env::var("QXUPS_RECIPE") {
        return tell_all(&Life::parse(&std::fs::read_to_string(path).unwrap()));
    }
    if let Some(seed) = number("QXUPS_LIFE") {
        return tell_all(&draw(family, seed));
    }
    let count = number("QXUPS_LIVES").unwrap_or(family.few);
    let from = number("QXUPS_FROM").unwrap_or(0);
    let examples = number("QXUPS_EXAMPLES").unwrap_or(1);
    let mut kinds: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let mut recipes = vec![];
    for seed in (from + first..from + count).step_by(2) {
        for finding in live(&draw(family, seed)) {
            let seeds = kinds.entry(finding.kind.to_string()).or_default();
            seeds.push(seed);
            if seeds.len() as u64 <= examples {
                let (life, finding) = shrink(&draw(family, seed), finding.kind);
                recipes.push(format!("seed {seed}: {finding}\n{life}"));
            }
        }
    }
    for (kind, seeds) in &kinds {
        let some = &seeds[..seeds.len().min(8)];
        println!("{kind}: {} lives, such as {some:?}", seeds.len());
    }
    println!("{}", recipes.join("\n"));
    assert!(kinds.is_empty(), "{kinds:?}");
}

#[test]
fn half_of_the_lives() {
    lives(&ODD, 0);
}

#[test]
fn the_other_half_of_the_lives() {
    lives(&ODD, 1);
}

#[test]
fn half_of_the_lives_of_those_that_rest() {
    lives(&RESTS, 0);
}

#[test]
fn the_other_half_of_the_lives_of_those_that_rest() {
    lives(&RESTS, 1);
}

#[test]
fn half_of_the_lives_with_orders() {
    lives(&ORDERS, 0);
}

#[test]
fn the_other_half_of_the_lives_with_orders() {
    lives(&ORDERS, 1);
}

/// Lives that found something, as small as they could be made; each was seen to fail.
const FOUND_ONCE: &[&str] = &[
    // a width that lost a digit was waited for, and the bits beside it as well
    "dialect mustek\nnamed\nseed 9715235\nknob baud 2400\nknob odd narrow after:80\nat 49600ms mains fail\n\
     at 67500ms mains back\nat 104400ms mains fail\nuntil 108s",
    // a question that is silent was taken for a slow one, though another one was answered after it
    "dialect ablerex\nnamed\nseed 9716671\nknob latency 250\nknob baud 2400\nknob mains fail\n\
     knob odd nuls ask:At every:2 phase:1\nuntil 13s",
    // and for a UPS that rests
    "dialect ablerex\nnamed\nseed 9727549\noption pollinterval=1\nknob latency 250\nknob baud 2400\n\
     knob odd silent ask:At on:battery\nknob odd refuses ask:TR on:battery\nat 52200ms mains fail\nuntil 76s",
    // each question was answered by the tail of the reply before it, of which the head was read away
    "dialect megatec\nnamed\nseed 9729540\nknob latency 250\nknob baud 2400\nknob odd gap=200 on:battery\n\
     knob odd gap=200 on:battery\nknob odd letter=B on:battery\nat 50500ms mains fail\nuntil 62s",
    // after two orders numbers went before mains
    "dialect q2\nnamed\nseed 9722429\noption pollinterval=1\nknob latency 250\nknob baud 2400\n\
     at 53600ms kill\nat 58700ms mains fail\nuntil 63s",
    // two garbled replies in a row showed the same bit
    "dialect mecer\nnamed\nseed 9726893\noption pollinterval=10\nknob latency 100\nknob baud 2400\n\
     knob odd bits=1 after:180\nat 49600ms mains fail\nat 70900ms charge 14\nat 91400ms mains back\n\
     at 179200ms hurt 3\nuntil 184s",
];

#[test]
fn lives_that_found_something_once() {
    for recipe in FOUND_ONCE {
        let found = live(&Life::parse(recipe));
        assert!(
            found.is_empty(),
            "{recipe}\n{}",
            found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        );
    }
}
