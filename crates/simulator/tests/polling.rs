//! What is asked when, of every unit on the slowest line, in virtual time: the status as often as the line
//! allows, and all else in between.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::disallowed_methods)]

use qx::device::Event;
use qx::options::Options;
use qx::protocols;
use qx::vocabulary::moment::Moment;
use qx::wire::protocol::Protocol;
use qx::wire::query::Cadence;
use simulator::profile::Profile;
use simulator::script::Script;
use simulator::trouble::Trouble;
use simulator::ups::SimulatedUps;
use std::collections::BTreeMap;
use std::time::Duration;
use testbed::wire::{Wire, families, say};

const SECOND: Duration = Duration::from_secs(1);

/// What was asked of a unit at 2400 baud that is polled each second, and when: in its first two minutes.
fn asked(protocol: &'static Protocol, family: Option<&str>) -> (Moment, Vec<(Moment, String)>) {
    let profile = Profile {
        family: family.map(String::from),
        latency: Duration::from_millis(100),
        baud: Some(2400),
        ..Profile::default()
    };
    let mut ups = SimulatedUps::new(protocol, profile, Trouble::new(1), Script::default());
    let options =
        Options { pollinterval: SECOND, protocol: Some(protocol.name.into()), ..Options::default() };
    let mut wire = Wire::new(options);
    let mut asked = vec![];
    let mut hear = |command: &[u8], now| {
        asked.push((now, String::from_utf8_lossy(command.trim_ascii_end()).into_owned()));
        say(&mut ups, command, now)
    };
    assert!(
        wire.run(Moment::after_start(30 * SECOND), &mut hear, |event| *event == Event::Ready),
        "{} {family:?}",
        protocol.name
    );
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

/// A full poll at 2400 baud takes what its bytes take on the wire: what falls due a little later goes along with the
/// round, and is asked no more often by that.
#[test]
fn a_full_poll_takes_what_the_wire_takes() {
    // their surveys take so long that their questions fall due seconds apart, and make rounds of their own
    let spread = |protocol: &Protocol| ["voltronic", "voltronic-axpert"].contains(&protocol.name);
    for protocol in protocols::ALL.iter().filter(|protocol| !spread(protocol)) {
        for family in families(protocol.name) {
            let (busy, waits, most) = rounds(protocol, family);
            let ratio = (busy + waits).as_secs_f64() / busy.as_secs_f64();
            assert!(ratio <= 1.02, "{} {family:?}: {ratio:.3} of what the wire takes", protocol.name);
            assert!(most <= 9, "{} {family:?}: asked {most} times in 80 s", protocol.name);
        }
    }
}

/// Eighty seconds of full polls every ten: how long the line was busy and how long it waited within a round, and how
/// often one question was asked at most.
fn rounds(protocol: &'static Protocol, family: Option<&str>) -> (Duration, Duration, usize) {
    let profile = Profile {
        family: family.map(String::from),
        latency: Duration::from_millis(10),
        baud: Some(2400),
        ..Profile::default()
    };
    let mut ups = SimulatedUps::new(protocol, profile, Trouble::new(1), Script::default());
    let pace = 10 * SECOND;
    let name = Some(protocol.name.into());
    let mut wire =
        Wire::new(Options { pollinterval: pace, pollfreq: pace, protocol: name, ..Options::default() });
    let mut asked: Vec<(Moment, Moment)> = vec![];
    let mut times: BTreeMap<Vec<u8>, Vec<Moment>> = BTreeMap::new();
    let mut hear = |command: &[u8], now| {
        let said = say(&mut ups, command, now);
        asked.push((now, said.last().map_or(now, |(at, _)| *at)));
        times.entry(command.to_vec()).or_default().push(now);
        said
    };
    wire.run(Moment::after_start(60 * SECOND), &mut hear, |event| *event == Event::Ready);
    let ready = wire.now;
    wire.run(ready + 120 * SECOND, &mut hear, |_| false);
    // what is asked on is the survey no more
    let from = ready + 40 * SECOND;
    let (mut waits, mut busy) = (Duration::ZERO, Duration::ZERO);
    let late: Vec<_> = asked.iter().filter(|(at, _)| *at > from).collect();
    for pair in late.windows(2) {
        busy += pair[0].1 - pair[0].0;
        waits +=
            Some(pair[1].0.saturating_sub(pair[0].1)).filter(|wait| *wait < 5 * SECOND).unwrap_or_default();
    }
    let most = times.values().map(|times| times.iter().filter(|at| **at > from).count()).max();
    (busy, waits, most.unwrap_or_default())
}
