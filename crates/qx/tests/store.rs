//! What stands in the store: values with their variables, and the texts that are published.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use qx::device::Event;
use qx::device::store::{Access, Change, Store};
use qx::options::Options;
use qx::vocabulary::value::{Decimal, Value};
use qx::vocabulary::variable::{BATTERY_VOLTAGE, Unit};
use testbed::line::{Line, ended, seconds};

fn volts(units: i64, places: u8) -> Value {
    Value::Number(Decimal::new(units, places))
}

#[test]
fn a_text_that_changes_is_told_and_none_that_stays() {
    let mut store = Store::default();
    let mut set = |value: Value| {
        store.set_value(&BATTERY_VOLTAGE, value, Access::Read);
        (store.text("battery.voltage").unwrap().to_string(), store.take_changes())
    };
    let changed = || vec![Change::Set("battery.voltage".into())];
    assert_eq!(set(volts(275, 1)), ("27.5".into(), vec![Change::New("battery.voltage".into())]));
    assert_eq!(set(volts(275, 1)), ("27.5".into(), vec![]));
    // equal, and written otherwise
    assert_eq!(set(volts(2750, 2)), ("27.50".into(), changed()));
    // another kind of value, and written so
    assert_eq!(set(Value::text("27.50")), ("27.50".into(), vec![]));
    assert_eq!(set(Value::text("027.5")), ("027.5".into(), changed()));
}

/// Answers as a Megatec UPS of 24 V on mains.
fn megatec(ask: &str) -> Vec<u8> {
    match ask {
        "Q1" => ended(b"(226.0 195.0 226.0 014 49.0 27.5 30.0 00001000"),
        "F" => ended(b"#230.0 003 024.0 50.0"),
        "I" => ended(b"#MUSTEK          PM 636     V1.2      "),
        _ => vec![],
    }
}

#[test]
fn a_number_of_the_ups_has_its_unit_and_what_is_configured_is_the_text_of_the_administrator() {
    let given = |name: &str, text: &str| (name.to_string(), text.to_string());
    let options = Options {
        overrides: vec![given("battery.voltage.nominal", "024"), given("battery.packs", "many")],
        defaults: vec![given("ups.mfr", "0815")],
        ..Options::default()
    };
    let mut line = Line::new(options);
    assert!(line.run(seconds(30), &mut |ask, _| megatec(ask), |event| *event == Event::Ready));
    let store = line.device.store();
    let volts = store.get("battery.voltage").unwrap();
    assert_eq!((volts.value.number(), volts.text()), (Decimal::parse("27.50"), "27.50"));
    assert_eq!(volts.var.map(|var| var.unit), Some(Unit::Volt));
    let load = store.get("ups.load").unwrap();
    assert_eq!(
        (load.value.as_f64(), load.text(), load.var.map(|var| var.unit)),
        (Some(14.0), "14", Some(Unit::Percent))
    );
    let nominal = store.get("battery.voltage.nominal").unwrap();
    assert_eq!((&nominal.value, nominal.text()), (&Value::text("024"), "024"));
    assert_eq!(nominal.value.as_f64(), Some(24.0));
    assert_eq!(
        store.get("battery.packs").map(|packs| (packs.text(), packs.value.as_f64())),
        Some(("many", None))
    );
    assert_eq!(store.get("ups.status").unwrap().value, Value::text("OL"));
    // each text is that of its value
    for (name, entry) in store.entries() {
        assert_eq!(entry.value.to_string(), entry.text(), "{name}");
    }
}
