//! A witness of a life: what upsd told of a UPS and when, and what was so in the world then. What a driver made of
//! it is judged by these two alone.
#![allow(missing_docs, dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A word that is told was so within this: a poll may have been under way (as in
/// `crates/simulator/tests/odd/bounds.rs`).
const FALSE_AFTER: Duration = Duration::from_secs(5);
/// A battery that is full is never told to hold less, in percent (the same).
const FULL_IS_AT_LEAST: f64 = 50.0;
/// No life of these has any other word that makes hosts halt.
const WORDS: [&str; 4] = ["OB", "LB", "FSD", "OFF"];

/// What upsd tells a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// `ups.status`.
    Says(String),
    /// That the data is stale, or that there is none.
    Stale,
}

impl Shown {
    fn has(&self, word: &str) -> bool {
        matches!(self, Shown::Says(status) if status.split(' ').any(|said| said == word))
    }
}

/// A client of upsd, as upsmon is one.
pub struct Client(BufReader<TcpStream>);

impl Client {
    pub fn connect(port: u16) -> Client {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("upsd");
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Client(BufReader::new(stream))
    }

    /// The value of a variable; `None` when upsd has none that is fresh.
    pub fn value(&mut self, name: &str) -> Option<String> {
        self.0.get_mut().write_all(format!("GET VAR u {name}\n").as_bytes()).unwrap();
        let mut line = String::new();
        self.0.read_line(&mut line).expect("an answer of upsd");
        let value = line.trim_end().strip_prefix(&format!("VAR u {name} "))?;
        Some(value.trim_matches('"').to_string())
    }

    pub fn status(&mut self) -> Shown {
        match self.value("ups.status") {
            // upsd has no data of the driver yet
            Some(status) if status.contains("WAIT") => Shown::Stale,
            Some(status) => Shown::Says(status),
            None => Shown::Stale,
        }
    }
}

/// When what happened, since the witness began.
#[derive(Clone, Copy, Debug, Default)]
pub struct World {
    pub fails: Duration,
    pub low: Duration,
    pub back: Duration,
    pub end: Duration,
}

/// What came of it, in seconds; what was not told has none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    /// Until OB was told, LB, and that both are over.
    pub ob: Option<f64>,
    pub lb: Option<f64>,
    pub over: Option<f64>,
    /// Told, and not so.
    pub invented: Vec<String>,
    /// How often OB or LB was taken back that was so, or hidden behind stale data.
    pub taken_back: u32,
    /// Without fresh data.
    pub stale: f64,
}

/// Judges what was seen: each of `seen` is shown from its time on.
pub fn judge(world: World, seen: &[(Duration, Shown)], charge: Option<f64>) -> Verdict {
    let first = |from: Duration, until: Duration, is: &dyn Fn(&Shown) -> bool| {
        let ends = seen.iter().skip(1).map(|(at, _)| *at).chain([world.end]);
        let mut spans = seen.iter().zip(ends).map(|((at, shown), end)| ((*at).max(from), end, shown));
        let told = spans.find(|(at, end, shown)| at < end && *at < until && is(shown));
        told.map(|(at, ..)| (at - from).as_secs_f64())
    };
    let is_over = |shown: &Shown| shown.has("OL") && !shown.has("OB") && !shown.has("LB");
    let mut verdict = Verdict {
        ob: first(world.fails, world.back, &|shown| shown.has("OB")),
        lb: first(world.low, world.back, &|shown| shown.has("LB")),
        over: first(world.back, world.end, &is_over),
        ..Verdict::default()
    };
    for (at, (time, shown)) in seen.iter().enumerate() {
        let until = seen.get(at + 1).map_or(world.end, |(next, _)| *next);
        if *shown == Shown::Stale {
            verdict.stale += until.saturating_sub(*time).as_secs_f64();
        }
        let before = at.checked_sub(1).map(|at| &seen[at].1);
        for word in WORDS {
            let since = match word {
                "OB" => Some(world.fails),
                "LB" => Some(world.low),
                _ => None,
            };
            let was = before.is_some_and(|shown| shown.has(word));
            let may = since.is_some_and(|since| (since..world.back + FALSE_AFTER).contains(time));
            if shown.has(word) && !was && !may && !verdict.invented.iter().any(|said| said == word) {
                verdict.invented.push(word.into());
            }
            let must = since.is_some_and(|since| (since..world.back).contains(time));
            verdict.taken_back += u32::from(must && was && !shown.has(word));
        }
    }
    if let Some(charge) = charge.filter(|charge| *charge < FULL_IS_AT_LEAST) {
        verdict.invented.push(format!("charge {charge}"));
    }
    verdict
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORLD: World = World { fails: s(6), low: s(14), back: s(24), end: s(35) };

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn judged(seen: &[(u64, &str)], charge: Option<f64>) -> Verdict {
        let shown = |status: &str| if status.is_empty() { Shown::Stale } else { Shown::Says(status.into()) };
        let seen: Vec<_> = seen.iter().map(|(at, status)| (s(*at), shown(status))).collect();
        judge(WORLD, &seen, charge)
    }

    #[test]
    fn what_is_told_in_time_is_well() {
        let verdict = judged(&[(0, "OL"), (7, "OB"), (16, "OB LB"), (27, "OL")], Some(100.0));
        let well = Verdict { ob: Some(1.0), lb: Some(2.0), over: Some(3.0), ..Verdict::default() };
        assert_eq!(verdict, well);
    }

    #[test]
    fn what_is_never_told_has_no_time() {
        let verdict = judged(&[(0, "OL"), (24, "OB LB")], None);
        assert_eq!((verdict.ob, verdict.lb, verdict.over), (None, None, None));
        let verdict = judged(&[(0, "OL"), (23, "OB LB"), (34, "OL")], None);
        assert_eq!((verdict.ob, verdict.lb, verdict.over), (Some(17.0), Some(9.0), Some(10.0)));
    }

    #[test]
    fn what_is_not_so_is_invented() {
        for (seen, invented) in [
            (&[(0, "OL"), (5, "OB"), (14, "OB LB"), (25, "OL")][..], &["OB"][..]),
            (&[(0, "OL"), (7, "OB LB"), (25, "OL")], &["LB"]),
            (&[(0, "FSD OL"), (7, "FSD OB"), (14, "FSD OB LB"), (25, "OL")], &["FSD"]),
            (&[(0, "OL"), (7, "OB"), (14, "OB LB"), (25, "OL"), (28, "OB"), (29, "OL")], &[]),
            (&[(0, "OL"), (7, "OB"), (14, "OB LB"), (25, "OL"), (29, "OB"), (30, "OL")], &["OB"]),
        ] {
            assert_eq!(judged(seen, None).invented, invented, "{seen:?}");
        }
        assert_eq!(judged(&[(0, "OL")], Some(49.0)).invented, ["charge 49"]);
        assert!(judged(&[(0, "OL")], Some(50.0)).invented.is_empty());
    }

    #[test]
    fn what_is_taken_back_or_stale_is_counted() {
        let seen =
            [(0, "OL"), (7, "OB"), (8, "OL"), (9, "OB"), (15, "OB LB"), (16, "OB"), (17, ""), (20, "OL")];
        let verdict = judged(&seen, None);
        assert_eq!((verdict.taken_back, verdict.stale), (3, 3.0));
    }
}
