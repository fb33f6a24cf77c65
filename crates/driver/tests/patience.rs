//! NUT's driver and ours beside one another on UPSes that answer late, in real time: few and short. The rest is in
//! virtual time, in `crates/simulator/tests/patience.rs`. And what is not ours to touch, by the driver itself.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::{Duration, Instant};
use testbed::nut::{NutStation, Which, both};
use testbed::ups::SimUps;

/// How long the driver takes until it serves data.
fn start(which: Which, protocol: &str, options: &str, knobs: &[&str]) -> Option<Duration> {
    let name = format!("patience-{protocol}-{}", options.len());
    let ups = SimUps::start(&name, which, protocol, knobs);
    let station = NutStation::new(&name, which);
    station.configure(&ups.port, options);
    let begin = Instant::now();
    let said = station.run_driver(&["-a", "u"]);
    (said.code == Some(0)).then(|| begin.elapsed())
}

#[test]
fn what_nut_serves_is_served_and_not_later() {
    for (protocol, named, latency) in [
        ("megatec", true, 950),
        ("bestups", true, 900),
        ("voltronic-qs", true, 970),
        ("voltronic-qs", false, 700),
    ] {
        let options = if named { format!("protocol = {protocol}") } else { String::new() };
        let knobs = [format!("latency {latency}")];
        let knobs: Vec<&str> = knobs.iter().map(String::as_str).collect();
        let (nut, ours) = both(|which| start(which, protocol, &options, &knobs));
        let (nut, ours) = (nut.expect("NUT serves it"), ours.expect("ours serves it"));
        // a loaded machine may be late
        assert!(ours <= nut + Duration::from_millis(500), "{protocol} {latency} ms: {ours:?}, NUT {nut:?}");
    }
}

/// Where NUT gives up, a UPS that is slower than a second is served all the same.
#[test]
fn a_ups_that_answers_after_more_than_a_second_is_served() {
    for (protocol, latency) in [("bestups", 1050), ("voltronic-qs-hex", 1150), ("q1", 2000)] {
        let options = format!("protocol = {protocol}");
        let time = start(Which::Ours, protocol, &options, &[&format!("latency {latency}")]);
        assert!(time.is_some_and(|time| time < Duration::from_secs(12)), "{protocol}: {time:?}");
    }
}

/// To an APC in smart mode each letter is an order.
#[test]
fn an_apc_is_asked_for_its_status_and_nothing_more() {
    let ups = SimUps::start(
        "patience-apc",
        Which::Ours,
        "megatec",
        &["reply Q1 \"08\"", "unknown NA", "refuse NA"],
    );
    let station = NutStation::new("patience-apc", Which::Ours);
    station.configure(&ups.port, "");
    let said = station.run_driver(&["-a", "u"]);
    assert!(said.code.is_some_and(|code| code != 0), "{said:?}");
    assert!(said.err.contains("'08' answers Q1") && said.err.contains("apcsmart"), "{said:?}");
    assert_eq!(ups.heard(), ["Q1"]);
}
