//! What is asked when, of every unit on the slowest line, in virtual time: the status as often as the line
//! allows, and all else in between.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::disallowed_methods)]

mod wire;

use qx::device::{Event, Moment};
use qx::option::Options;
use qx::protocol::Protocol;
use qx::protocols;
use qx::query::Cadence;
use simulator::personality::Personality;
use simulator::script::Script;
use simulator::trouble::Trouble;
use simulator::ups::SimulatedUps;
use std::collections::BTreeMap;
use std::time::Duration;
use wire::{Wire, families, say};

const SECOND: Duration = Duration::from_secs(1);

/// What was asked of a unit at 2400 baud that is polled each second, and when: in its first two minutes.
fn asked(protocol: &'static Protocol, family: Option<&str>) -> (Moment, Vec<(Moment, String)>) {
    let personality = Personality {
        family: family.map(String::from),
        latency: Duration::from_millis(100),
        baud: Some(2400),
        ..Personality::default()
    };
    let mut ups = SimulatedUps::new(protocol, personality, Trouble::new(1), Script::default());
    let options =
        Options { pollinterval: SECOND, protocol: Some(protocol.name.into()), ..Options::default() };
    let mut wire = Wire::new(options);
    let mut asked = vec![];
    let mut hear = |command: &[u8], now| {
        asked.push((now, String::from_utf8_lossy(command.trim_ascii_end()).into_owned()));
        say(&mut ups, command, now)
    };
    assert!(wire.run(30 * SECOND, &mut hear, |event| *event == Event::Ready), "{} {family:?}", protocol.name);
    let ready = wire.now;
    wire.run(ready + 120 * SECOND, &mut hear, |_| false);
    (ready, asked)
}

#[test]
fn a_slow_line_starves_nothing() {
    for protocol in protocols::ALL {
        for family in families(protocol.name) {
            let unit = format!("{} {family:?}", protocol.name);
            let (ready, asked) = asked(protocol, family);
            let is = |ask: &str, cadence| {
                let rows = protocol.queries.iter().filter(|query| query.cadence == cadence);
                rows.into_iter().any(|query| String::from_utf8_lossy(&query.wire(0)) == ask)
            };
            let mut times: BTreeMap<&str, Vec<Moment>> = BTreeMap::new();
            for (at, ask) in &asked {
                times.entry(ask).or_default().push(*at);
            }
            for (ask, times) in times.iter().filter(|(ask, _)| is(ask, Cadence::Full)) {
                let since = times.iter().filter(|at| **at > ready).count();
                assert!((3..=5).contains(&since), "{unit}: {ask} was asked {since} times in two minutes");
            }
            // between two questions for the status there is one other at most
            let quick: Vec<bool> = asked.iter().map(|(_, ask)| is(ask, Cadence::Quick)).collect();
            for (n, pair) in quick.windows(2).enumerate().filter(|(n, _)| asked[*n].0 > ready) {
                let now = asked[n + 1].0;
                let last = times.iter().filter(|(ask, _)| is(ask, Cadence::Quick));
                let last = last.filter_map(|(_, times)| times.iter().rfind(|at| **at < now)).min().unwrap();
                // after silence the line settles for a moment
                let waits = now - *last >= SECOND + Duration::from_millis(60);
                assert!(pair[0] || pair[1] || !waits, "{unit}: the status waits at {now:?}");
            }
        }
    }
}
