//! How long one scrape and one page of a thousand UPSes take: under 100 ms each, or this fails.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

#[path = "../tests/sites/mod.rs"]
mod sites;

use std::time::{Duration, Instant};

const MOST: Duration = Duration::from_millis(100);

fn main() {
    let site = sites::many(1000);
    for target in ["/metrics", "/", "/api/v1/ups", "/nut"] {
        let times = (0..9).map(|_| {
            let began = Instant::now();
            let length = site.get(target).body.len();
            (began.elapsed(), length)
        });
        let mut times: Vec<(Duration, usize)> = times.collect();
        times.sort();
        let (median, length) = times[times.len() / 2];
        println!("{target}: {median:?}, {length} bytes");
        assert!(median < MOST, "{target} takes {median:?}");
    }
}
