//! Tests.

use super::{Hearing, Judge, Quality};
use crate::options::Options;
use crate::options::quirk::{INVERTED_REGULATION, Quirks};
use crate::protocols;
use std::time::Duration;

/// Replies of the drawn form of many dialects, others of the same, and what is garbled.
fn replies() -> Vec<Vec<u8>> {
    let samples = [
        "(226.0 195.0 226.0 014 49.0 27.5 30.0 00001000",
        "(226.0 195.0 226.0 014 49.0 27.5 30.0 00101000",
        "(226.0 195.0 226.0 014 49.0 27.5 30.0 10001000",
        "(226.0 195.0 226.0 0014 49.0 27.5 30.0 00001000",
        "(226.0 195.0 226.0 014 49.0 27.5 --.- 00001000",
        "(226.0 195.0 2x6.0 014 49.0 27.5 30.0 00001000",
        "(226.0\t195.0\t226.0\t014\t49.0\t27.5\t30.0\t00001000",
        "(231.4 50.0 230.0 50.0 001.0 015 365.0 365.0 041.0 ---.- 024.6 000000000001",
        "#230.0 003 24.00 50.0",
        "(L",
        "(B",
        "(NAK",
    ];
    samples.iter().map(|line| line.as_bytes().to_vec()).collect()
}

/// A reply of the same bytes says the same, whatever was heard and whatever the line is like.
#[test]
fn what_the_same_bytes_say_is_kept_and_nothing_else() {
    let qualities = [Quality::Unproven, Quality::Clean, Quality::Hurt, Quality::Noisy, Quality::Garbled];
    let mut options = Options::default();
    for query in protocols::ALL.iter().flat_map(|protocol| protocol.queries) {
        let (mut keeps, mut reads) = (Judge::new(query), Judge::new(query));
        let mut at: usize = 0;
        for _ in 0..8 {
            for reply in replies() {
                // the same several times in a row, as a UPS does that nothing happens to
                for _ in 0..1 + (at * 7) % 5 {
                    let quality = qualities[(at / 3) % qualities.len()];
                    let now = Duration::from_secs(2 * at as u64);
                    let hearing = Hearing {
                        now,
                        since: now.saturating_sub(Duration::from_secs(20)),
                        values_since: now.saturating_sub(Duration::from_secs(20)),
                        quality,
                        let_run: matches!(at % 11, 0),
                        word_is_news: false,
                    };
                    let claims =
                        [&mut keeps, &mut reads].map(|judge| judge.claims(&reply, quality, &options));
                    let said = claims.each_ref().map(|claims| format!("{claims:?}"));
                    assert_eq!(said[0], said[1], "{} {}", query.ask, reply.escape_ascii());
                    assert_eq!(keeps.hear(&claims[0], hearing), reads.hear(&claims[1], hearing));
                    assert_eq!(keeps.readings(), reads.readings());
                    let [kept, _] = claims;
                    keeps.keep_claims(&reply, kept);
                    at += 1;
                    if matches!(at % 5, 0) {
                        options.quirks = match at % 2 {
                            0 => Quirks { on: vec![INVERTED_REGULATION.name], ..Quirks::default() },
                            _ => Options::default().quirks,
                        };
                        keeps.forget_claims();
                    }
                }
            }
        }
    }
}
