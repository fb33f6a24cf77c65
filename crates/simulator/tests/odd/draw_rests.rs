//! A life with a UPS that rests, drawn from a seed: it hears nothing for a while behind a reply. In some of them it does not rest,
//! and is silent once, just when mains fails.

use super::draw::Draw;
use super::life::{Event, Life};
use qx::vocabulary::moment::Moment;
use qx::wire::query::Cadence;
use simulator::trouble::Random;
use std::time::Duration;

/// Seconds between polls.
const INTERVALS: [u64; 8] = [2, 2, 3, 5, 5, 10, 15, 30];
/// No UPS rests for longer, in milliseconds,
const LONGEST_MS: u64 = 12_000;
/// nor for less.
const SHORTEST_MS: u64 = 300;

/// The life of a seed.
pub fn draw(seed: u64) -> Life {
    let mut draw = Draw::begin(seed, 0x2545_F491);
    draw.plug();
    let interval = draw.one(&INTERVALS);
    draw.life.options.push(("pollinterval".into(), interval.to_string()));
    let knob = rests(&mut draw, interval);
    draw.life.knobs.push(knob);
    for _ in 0..1 + draw.below(2) {
        draw.long_outage(interval);
    }
    let mut life = draw.end(20 + 4 * interval);
    be_silent_once(&mut life);
    life
}

/// In one of six lives it does not rest, and nothing is heard of it for a while from its first outage on.
fn be_silent_once(life: &mut Life) {
    // drawn apart, so that all else of a seed stays as it was
    let mut apart = Random::new(life.seed.wrapping_mul(0x61_C886).wrapping_add(11));
    if !apart.chance(1.0 / 6.0) {
        return;
    }
    let at = |text: &str| life.events.iter().find(|(_, event)| event.to_string() == text).map(|(at, _)| *at);
    let (Some(fails), Some(back)) = (at("mains fail"), at("mains back")) else { return };
    let begins = fails + Duration::from_millis(100 * apart.below(20) as u64);
    let ends = begins + Duration::from_millis(2000 + 100 * apart.below(400) as u64);
    let (begins, ends): (Moment, Moment) = (begins, ends.min(back));
    life.knobs.retain(|knob| !knob.starts_with("odd rests"));
    life.events.extend([(begins, Event::Out), (ends, Event::In)]);
    life.events.sort_by_key(|(at, _)| *at);
}

/// How it rests. One that hears nothing behind everything for longer than polls are apart is heard by no driver; behind one
/// question that is asked once it may.
fn rests(draw: &mut Draw, interval: u64) -> String {
    let protocol = draw.life.protocol();
    let once = protocol.queries.iter().filter(|query| query.cadence == Cadence::Once);
    let once: Vec<String> = once.map(|query| query.ask.replace(' ', "_")).collect();
    let quick = protocol.queries.iter().filter(|query| query.cadence == Cadence::Quick);
    let quick: Vec<String> = quick.map(|query| query.ask.replace(' ', "_")).collect();
    let (ask, most_ms) = match draw.below(5) {
        0 if !once.is_empty() => (format!(" ask:{}", draw.one(&once)), LONGEST_MS),
        1 if !quick.is_empty() => (format!(" ask:{}", draw.one(&quick)), 930 * interval),
        _ => (String::new(), 930 * interval),
    };
    let rest = draw.between(SHORTEST_MS, most_ms.min(LONGEST_MS)) / 100 * 100;
    let on = draw.one(&["", "", " on:battery", " on:battery", " on:low"]);
    // behind the first question by which a dialect is found NUT asks the next one at once
    let is_found_by_one = draw.life.named && protocol.signs.len() == 1 && quick.len() == 1;
    let after = if is_found_by_one { draw.one(&["", " after:30", " after:120"]) } else { " after:60" };
    // drawn apart, so that all else of a seed stays as it was
    let rests = rests_from(draw.life.seed);
    format!("odd {rests}={rest}{ask}{on}{after}")
}

/// From what its rest counts: in two of five lives from its reply alone, however often it is asked.
pub fn rests_from(seed: u64) -> &'static str {
    let mut apart = Random::new(seed.wrapping_mul(0x2C_1B3C).wrapping_add(5));
    if apart.chance(0.4) { "rests-from-reply" } else { "rests" }
}
