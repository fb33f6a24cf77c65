//! What a UPS in some world would report: everything that any dialect could ask for.

mod numbers;

use crate::profile::Profile;
use crate::sample::sample;
use crate::world::World;
use numbers::numbers;
use qx::vocabulary::status::{Alarm, Status, StatusSet};
use qx::vocabulary::value::{Decimal, Value};
use qx::vocabulary::variable::*;
use qx::wire::protocol::Protocol;
use qx::wire::readings::Readings;
use std::collections::BTreeMap;

/// What the unit was told and keeps: variables, status words, warnings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UnitMemory {
    /// Variables, by name.
    pub values: BTreeMap<&'static str, (&'static Var, Value)>,
    /// Status words forced to be present or absent.
    pub words: BTreeMap<Status, bool>,
    /// Numbered warnings that are raised.
    pub warnings: Vec<u8>,
}

impl UnitMemory {
    /// Keeps a value.
    pub fn keep(&mut self, var: &'static Var, value: Value) {
        self.values.insert(var.name, (var, value));
    }
}

/// The readings of the whole unit; a query's table picks what it carries.
pub fn readings(protocol: &Protocol, world: &World, profile: &Profile, memory: &UnitMemory) -> Readings {
    let mut readings = Readings::default();
    for (var, text) in sample(protocol, profile.family.as_deref()) {
        readings.say(var, Some(value(protocol, var, text)));
    }
    for (var, number, places) in numbers(world, profile) {
        readings.say(var, Some(Value::Number(Decimal::from_f64(number, places))));
    }
    for (var, text) in texts(protocol, world, profile) {
        readings.say(var, (!text.is_empty()).then(|| Value::text(text)));
    }
    for (var, value) in memory.values.values() {
        readings.say(var, Some(value.clone()));
    }
    for (var, value) in &mut readings.values {
        if profile.does_not_know.iter().any(|name| var.name.contains(name.as_str())) {
            *value = None;
        }
    }
    readings.status = words(world, memory);
    readings.alarms = alarms(protocol, world, memory, readings.status);
    readings
}

/// The value that a text is: a number, where the dialect does not take it for a text.
pub fn value(protocol: &Protocol, var: &Var, text: &str) -> Value {
    use qx::wire::query::Meaning::{Text, Word};
    let is_text =
        |field: &qx::wire::query::Field| matches!(field.meaning, Text(said) | Word(said, _) if said == var);
    let as_text = protocol.queries.iter().flat_map(|query| query.fields).any(is_text);
    Decimal::parse(text).filter(|_| !as_text).map_or_else(|| Value::text(text), Value::Number)
}

fn texts(protocol: &Protocol, world: &World, profile: &Profile) -> Vec<(&'static Var, String)> {
    let on_off = |on: bool, yes: &str, no: &str| String::from(if on { yes } else { no });
    let mut texts = vec![
        (&UPS_BEEPER_STATUS, on_off(world.beeper, "enabled", "disabled")),
        (&BEEPER_BIT, on_off(world.beeper, "on", "off")),
        (&UPS_FAULT, on_off(world.fault, "yes", "no")),
        (&UPS_TEST_RESULT, on_off(world.test.is_some(), "in progress", "no test in progress")),
        (&BATTERY_TEST_STATUS, on_off(world.test.is_some(), "Test in progress", "Test passed - Result: OK")),
        (&WORKING_MODE, on_off(world.mains_good(), "L", "B")),
    ];
    if !world.mains_good() {
        texts.push((&MAINS_FAILED, "yes".into()));
    }
    // some dialects have names of their own, which the sample knows
    let own = |var: &Var| sample(protocol, None).iter().any(|(known, _)| *known == var);
    let names =
        [(&DEVICE_MFR, &profile.maker), (&DEVICE_MODEL, &profile.model), (&UPS_FIRMWARE, &profile.firmware)];
    texts.extend(names.into_iter().filter(|(var, _)| !own(var)).map(|(var, text)| (var, text.clone())));
    texts
}

fn words(world: &World, memory: &UnitMemory) -> StatusSet {
    let ratio = world.output_volts() / world.mains_volts.max(0.1);
    let present = [
        (Status::Online, world.mains_good()),
        (Status::LowBattery, world.battery_low()),
        (Status::Overload, world.powered() && world.load_percent > 100.0),
        (Status::Regulating, world.regulating() || world.bypassed()),
        (Status::Boost, world.regulating() && ratio > 1.0),
        (Status::Trim, world.regulating() && ratio < 1.0),
        (Status::Bypass, world.bypassed()),
        (Status::Off, !world.powered()),
        (Status::Charging, world.mains_good() && world.charge < 1.0),
        (Status::Discharging, world.on_battery()),
        (Status::Calibrating, world.test.is_some()),
        (Status::ForcedShutdown, world.countdown.is_some()),
    ];
    let set = |set: StatusSet, (status, present): (Status, bool)| {
        if present { set.with(status) } else { set.without(status) }
    };
    let real = present.into_iter().fold(StatusSet::EMPTY, set);
    memory.words.iter().map(|(status, present)| (*status, *present)).fold(real, set)
}

/// Everything that some dialect would call the fault, and what is warned of.
fn alarms(protocol: &Protocol, world: &World, memory: &UnitMemory, status: StatusSet) -> Vec<Alarm> {
    let mut warned = memory.warnings.clone();
    for (word, text) in [
        (Status::LowBattery, "Low battery."),
        (Status::LowBattery, "Battery low"),
        (Status::Overload, "Overload"),
    ] {
        let rows = all_alarms(protocol).into_iter().filter(|alarm| alarm.text.starts_with(text));
        warned.extend(
            rows.filter_map(|alarm| alarm.warning).map(|warning| warning.number).filter(|_| status.has(word)),
        );
    }
    let is_fault = |text: &str| {
        [
            "UPS selftest failed!",
            "UPS Fault!",
            "Fault reported by UPS.",
            "Fault reported by device.",
            "UPS failed",
            "UPS Failed",
            "Fan failure.",
        ]
        .contains(&text)
    };
    let raised = |alarm: &Alarm| match alarm.warning {
        Some(warning) => warned.contains(&warning.number),
        None => {
            world.fault && is_fault(alarm.text)
                || status.has(Status::ForcedShutdown) && alarm.text == "UPS is shutting down!"
        }
    };
    all_alarms(protocol).into_iter().filter(raised).collect()
}

/// Every alarm that the dialect knows.
fn all_alarms(protocol: &Protocol) -> Vec<Alarm> {
    use qx::wire::query::{Effect, Meaning};
    let mut found = vec![];
    let mut take = |effect: &Effect| {
        for part in effect.parts() {
            match part {
                Effect::Alarm(alarm) if !found.contains(alarm) => found.push(*alarm),
                _ => {}
            }
        }
    };
    for field in protocol.queries.iter().flat_map(|query| query.fields) {
        match field.meaning {
            Meaning::Bits(rows) => rows.iter().for_each(|row| take(&row.one)),
            Meaning::Codes(rows) => rows.iter().for_each(|row| take(&row.effect)),
            _ => {}
        }
    }
    found
}
