//! When the battery is low, by bounds that the administrator set.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

use qx::device::{Event, LogLevel};
use qx::options::{Options, RuntimeCal};
use qx::vocabulary::moment::Moment;
use testbed::line::{Line, ended, seconds};

/// A UPS that says these statuses, each from its second on; what is shown every second from the first on.
fn course(options: Options, said: &[(u64, &str)], until: u64) -> Vec<(u64, String)> {
    let mut line = Line::new(Options { protocol: Some("mustek".into()), ..options });
    let mut shown: Vec<(u64, String)> = vec![];
    for second in 1..=until {
        let mut ups = |ask: &str, now: Moment| match ask {
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
    let warned = |event: &Event| matches!(event, Event::Noted(LogLevel::Warning, text) if text.contains("the battery is low: battery."));
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

/// Found by a review: the volts of one cell, or a number without its point, on battery alone.
#[test]
fn volts_that_cannot_be_those_of_this_battery_are_not_low() {
    for volts in ["2.13", "02.5"] {
        let outage = OUTAGE.replace("25.5", volts);
        let said = [(0, MAINS), (20, outage.as_str()), (80, OUTAGE), (140, DIP)];
        let shown = course(by_voltage(), &said, 160);
        assert_eq!(words(&shown), ["OL", "OB", "OB LB"], "{volts}: {shown:?}");
        assert!((144..=148).contains(&shown[2].0), "{volts}: {shown:?}");
    }
    // of a battery that gives out under the load, down to half of its volts
    let worn = OUTAGE.replace("25.5", "14.0");
    let shown = course(by_voltage(), &[(0, MAINS), (20, worn.as_str())], 60);
    assert_eq!(words(&shown), ["OL", "OB", "OB LB"], "{shown:?}");
    // a driver that starts in an outage knows no volts before
    let shown = course(by_voltage(), &[(0, DIP)], 60);
    assert_eq!(words(&shown).last(), Some(&"OB LB"), "{shown:?}");
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

/// LB that a bound raised goes with the bound, and with nothing less; what the UPS says stays.
#[test]
fn low_battery_by_a_bound_goes_with_the_bound() {
    const VERY_LOW: &str = "(000.0 195.0 226.0 050 49.0 21.0 30.0 11001000";
    let options = |bound: Option<f64>| Options {
        protocol: Some("mustek".into()),
        low_volts: bound,
        ..Options::default()
    };
    // the bound before, the one after, what the UPS says then, and what is right
    let cases = [
        (Some(22.0), None, DIP, "OB"),
        (Some(22.0), None, VERY_LOW, "OB LB"),
        (Some(22.0), Some(22.0), DIP, "OB LB"),
        (Some(22.0), Some(21.5), DIP, "OB LB"),
        (Some(22.0), Some(20.9), DIP, "OB"),
        // it recovers a little, and is low all the same
        (Some(22.0), Some(22.0), OUTAGE, "OB LB"),
        (Some(22.0), Some(23.0), OUTAGE, "OB LB"),
        (Some(22.0), Some(21.0), OUTAGE, "OB"),
        (Some(22.0), None, OUTAGE, "OB"),
    ];
    for (before, after, says, right) in cases {
        let mut line = Line::new(options(before));
        let ups = |status: &'static str| {
            move |ask: &str, _: Moment| match ask {
                "QS" => ended(status.as_bytes()),
                "F" => ended(b"#230.0 003 024.0 50.0"),
                _ => vec![],
            }
        };
        line.run(seconds(20), &mut ups(MAINS), |_| false);
        line.run(seconds(60), &mut ups(DIP), |_| false);
        assert_eq!(line.text("ups.status"), Some("OB LB"));
        line.run(seconds(70), &mut ups(says), |_| false);
        assert!(line.text("ups.status").unwrap().contains("LB"));
        let now = line.now;
        assert!(line.device.reconfigure(options(after), now));
        line.run(seconds(90), &mut ups(says), |_| false);
        assert_eq!(line.text("ups.status"), Some(right), "{before:?} to {after:?}: {says}");
        // and the bound that is back counts again, in its time
        line.device.reconfigure(options(Some(22.0)), seconds(90));
        line.run(seconds(110), &mut ups(DIP), |_| false);
        assert_eq!(line.text("ups.status"), Some("OB LB"), "{before:?} to {after:?}");
        line.run(seconds(130), &mut ups(MAINS), |_| false);
        assert_eq!(line.text("ups.status"), Some("OL"));
    }
}

/// Found by a review: `ignorelb` ignored the word of the UPS while no charge was known, and the log did not say so.
#[test]
fn that_low_battery_is_ignored_and_nothing_stands_in_for_it_is_said() {
    let options = Options {
        protocol: Some("mustek".into()),
        ignorelb: true,
        overrides: vec![("battery.charge.low".into(), "30".into())],
        defaults: vec![
            ("battery.voltage.high".into(), "27.0".into()),
            ("battery.voltage.low".into(), "21.0".into()),
        ],
        ..Options::default()
    };
    for (volts, said) in [("--.-", 1), ("25.5", 0)] {
        let mut line = Line::new(options.clone());
        for (until, bits) in
            [(20, None), (40, Some("10001000")), (60, Some("11001000")), (80, Some("11001000"))]
        {
            let status =
                bits.map_or(MAINS.into(), |bits| OUTAGE.replace("25.5", volts).replace("10001000", bits));
            let mut ups = |ask: &str, _: Moment| if ask == "QS" { ended(status.as_bytes()) } else { vec![] };
            line.run(seconds(until), &mut ups, |_| false);
        }
        assert_eq!(line.text("ups.status"), Some("OB"), "{volts}");
        let told = |event: &Event| matches!(event, Event::Noted(LogLevel::Warning, text) if text.contains("ignorelb ignores"));
        assert_eq!(
            line.events.iter().filter(|(_, event)| told(event)).count(),
            said,
            "{volts}: {:?}",
            line.events
        );
    }
}
