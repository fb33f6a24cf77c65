//! Every dialect on a line with trouble, in virtual time; docs/trouble.md has what came of it. For as
//! many polls as you like: `QXUPS_TROUBLE_POLLS=100000 cargo test --release -p simulator --test
//! trouble_matrix -- --nocapture`.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

mod trouble;

use qx::protocols;
use trouble::{Bench, Pace};

const RATES: [f64; 5] = [0.0, 0.001, 0.01, 0.05, 0.2];

fn polls() -> u64 {
    std::env::var("QXUPS_TROUBLE_POLLS").ok().and_then(|text| text.parse().ok()).unwrap_or(400)
}

#[test]
fn the_matrix() {
    let only = std::env::var("QXUPS_TROUBLE_ONLY").ok();
    for protocol in protocols::ALL
        .iter()
        .filter(|p| only.as_ref().is_none_or(|only| only.split(',').any(|o| o == p.name)))
    {
        for pace in [Pace::Fast, Pace::Slow] {
            for rate in RATES {
                let began = std::time::Instant::now();
                let mut bench = Bench::new(protocol, 7, |trouble| trouble.noise = rate, pace, true);
                bench.run(2 * polls());
                let found = bench.found();
                println!(
                    "{} {pace:?} {rate}: {found:?} {:?} stale {:?} ready {} x {} polls {} took {:?}",
                    protocol.name,
                    bench.commands,
                    bench.stale,
                    bench.ready,
                    bench.exchanges,
                    bench.polls,
                    began.elapsed()
                );
            }
        }
    }
}
