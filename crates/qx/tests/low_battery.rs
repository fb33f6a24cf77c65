//! When the battery is low, by bounds that the administrator set.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

mod line;

use line::{Line, ended, seconds};
use qx::device::{Event, Loudness};
use qx::option::{Options, RuntimeCal};

/// A UPS that says these statuses, each from its second on; what is shown every second from the first on.
fn course(options: Options, said: &[(u64, &str)], until: u64) -> Vec<(u64, String)> {
    let mut line = Line::new(Options { protocol: Some("mustek".into()), ..options });
    let mut shown: Vec<(u64, String)> = vec![];
    for second in 1..=until {
        let mut ups = |ask: &str, now: std::time::Duration| match ask {
            "QS" => {
                let status = said.iter().rev().find(|(from, _)| seconds(*from) <= now).unwrap().1;
                ended(status.as_bytes())
            }
            "F" => ended(b"#230.0 003 024.0 50.0"),
            "I" => ended(b"#MUSTEK          PM 636     V1.2      "),
            _ => vec![],
        };
        line.run(seconds(second), &mut ups, |_| false);
        let status = line.text("ups.status").unwrap_or("").to_string();
        if shown.last().is_none_or(|(_, last)| *last != status) {
            shown.push((second, status));
        }
    }
    let warned = |event: &Event| matches!(event, Event::Noted(Loudness::Warning, text) if text.contains("the battery is low: battery."));
    let warnings = line.events.iter().filter(|(_, event)| warned(event)).count();
    let told = shown.iter().filter(|(_, status)| status == "OB LB").count();
    assert!(warnings == told || warnings == 0, "{shown:?}: {:?}", line.events);
    shown
}

fn words(shown: &[(u64, String)]) -> Vec<&str> {
    shown.iter().map(|(_, status)| status.as_str()).collect()
}

const MAINS: &str = "(226.0 195.0 226.0 014 49.0 27.5 30.0 00001000";
const OUTAGE: &str = "(000.0 195.0 226.0 050 49.0 25.5 30.0 10001000";
const DIP: &str = "(000.0 195.0 226.0 050 49.0 21.0 30.0 10001000";
const TEST: &str = "(226.0 195.0 226.0 050 49.0 21.0 30.0 00001100";

fn by_voltage() -> Options {
    Options { low_volts: Some(22.0), ..Options::default() }
}

#[test]
fn a_voltage_below_its_bound_is_low_until_mains_is_back() {
    let shown = course(by_voltage(), &[(0, MAINS), (20, OUTAGE), (60, DIP), (80, OUTAGE), (100, MAINS)], 120);
    // it recovers a little when the load is taken off, and is low all the same
    assert_eq!(words(&shown), ["OL", "OB", "OB LB", "OL"], "{shown:?}");
    assert!((64..=68).contains(&shown[2].0), "{shown:?}");
}

#[test]
fn a_dip_is_not_low() {
    let shown = course(by_voltage(), &[(0, MAINS), (20, DIP), (28, OUTAGE), (100, MAINS)], 120);
    assert_eq!(words(&shown), ["OL", "OB", "OL"], "{shown:?}");
    let shown = course(by_voltage(), &[(0, MAINS), (20, OUTAGE), (60, DIP), (62, OUTAGE), (100, MAINS)], 120);
    assert_eq!(words(&shown), ["OL", "OB", "OL"], "{shown:?}");
}

#[test]
fn a_self_test_is_not_low() {
    let shown = course(by_voltage(), &[(0, MAINS), (20, TEST), (100, MAINS)], 120);
    assert_eq!(words(&shown), ["OL", "OL CAL", "OL"], "{shown:?}");
}

#[test]
fn runtime_and_charge_have_bounds_as_well() {
    let cal = RuntimeCal::parse("240,100,720,50").unwrap();
    let options = Options { runtimecal: Some(cal), low_runtime_s: Some(600.0), ..Options::default() };
    let shown = course(options.clone(), &[(0, MAINS), (20, OUTAGE)], 200);
    assert_eq!(words(&shown), ["OL", "OB", "OB LB"], "{shown:?}");
    assert!((74..=80).contains(&shown[2].0), "651 seconds are left by the voltage: {shown:?}");
    let options = Options { low_charge_percent: Some(50.0), low_runtime_s: None, ..options };
    let shown = course(options, &[(0, MAINS), (20, OUTAGE)], 500);
    assert!((312..=326).contains(&shown[2].0), "{shown:?}");
    assert_eq!(words(&course(Options::default(), &[(0, MAINS), (20, DIP)], 200)), ["OL", "OB"]);
}
