//! Every dialect on lines with noise, in virtual time, judged by what the same UPS says without it. CI
//! takes some cells and few polls; docs/trouble.md has all of them, from
//! `QXUPS_TROUBLE_POLLS=1000 cargo test --release -p simulator --test trouble_matrix -- --nocapture`.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

mod trouble;

use qx::protocols;
use qx::wire::protocol::Protocol;
use std::time::Duration;
use trouble::{Bench, Pace};

const RATES: [f64; 5] = [0.0, 0.001, 0.01, 0.05, 0.2];
/// Those that CI takes.
const FEW_RATES: [f64; 3] = [0.0, 0.01, 0.05];
/// So many polls of every cell in CI.
const FEW_POLLS: u64 = 150;
/// Up to this rate nothing at all may be wrong.
const HONEST: f64 = 0.01;
/// And an outage is told within this.
const THREE_POLLS: Duration = Duration::from_secs(6);

/// Of the troubles, unless QXUPS_TROUBLE_SEED says another.
const SEED: u64 = 7;

fn seed() -> u64 {
    std::env::var("QXUPS_TROUBLE_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(SEED)
}

/// Runs one cell and prints its row; what must not be is told.
fn cell(protocol: &'static Protocol, pace: Pace, rate: f64, polls: u64) -> Option<String> {
    let mut bench = Bench::new(protocol, seed(), |trouble| trouble.noise = rate, pace, true);
    bench.run(2 * polls);
    let (found, commands) = (bench.found(), &bench.commands);
    println!(
        "| {} | {pace:?} | {rate} | {} of {} | {} | {} | {} | {} of {} | {:.1} | {} of {} | {} | {} | {:.1} |",
        protocol.name,
        found.wrong,
        found.published,
        found.wrong_at_start,
        found.false_ob,
        found.false_grave,
        found.missed,
        found.happened,
        found.slowest.as_secs_f64(),
        commands.lost,
        commands.given,
        commands.repeated,
        commands.unasked,
        100.0 * bench.stale.as_secs_f64() / (2 * polls) as f64,
    );
    let what = format!("{} {pace:?} {rate}: {found:?}", protocol.name);
    if std::env::var_os("QXUPS_TROUBLE_EXAMPLES").is_some() {
        println!("{:?}", found.examples);
    }
    let mut holds = (found.false_ob, found.false_grave, commands.repeated) == (0, 0, 0);
    if rate <= HONEST {
        holds &= (found.wrong, found.missed) == (0, 0) && found.published > 0;
        // the truth is looked at once a second
        holds &= found.slowest <= THREE_POLLS + Duration::from_secs(1);
    }
    (!holds).then_some(what)
}

/// Every second dialect, so that two cores have work.
fn matrix(first: usize) {
    let asked = |name: &str| std::env::var(name).ok();
    let polls: Option<u64> = asked("QXUPS_TROUBLE_POLLS").and_then(|text| text.parse().ok());
    let only = asked("QXUPS_TROUBLE_ONLY");
    let rate: Option<f64> = asked("QXUPS_TROUBLE_RATE").and_then(|text| text.parse().ok());
    let usual = if polls.is_some() { &RATES[..] } else { &FEW_RATES };
    let rates = rate.as_ref().map_or(usual, std::slice::from_ref);
    let mut failed = vec![];
    let wanted = |protocol: &&&Protocol| only.as_ref().is_none_or(|only| *only == protocol.name);
    for (n, protocol) in protocols::ALL.iter().enumerate().filter(|(_, protocol)| wanted(protocol)) {
        for rate in rates.iter().filter(|_| n % 2 == first) {
            let paces = if n % 4 < 2 { [Pace::Fast, Pace::Slow] } else { [Pace::Slow, Pace::Fast] };
            for pace in paces.into_iter().take(if polls.is_some() { 2 } else { 1 }) {
                failed.extend(cell(protocol, pace, *rate, polls.unwrap_or(FEW_POLLS)));
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn half_of_the_dialects_on_lines_with_noise() {
    matrix(0);
}

#[test]
fn the_other_half_on_lines_with_noise() {
    matrix(1);
}
