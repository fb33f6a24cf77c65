//! A life with a UPS that rests, drawn from a seed: it hears nothing for a while behind a reply.

use super::draw::Draw;
use super::life::Life;
use qx::wire::query::Cadence;
use simulator::trouble::Random;

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
    draw.end(20 + 4 * interval)
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
