//! The message of a device, held against what Home Assistant takes.

use super::home_assistant::{
    AVAILABILITY_KEYS, AVAILABILITY_MODES, BINARY_CLASSES, COMMON_KEYS, DEVICE_KEYS, MESSAGE_KEYS,
    ORIGIN_KEYS, PLATFORM_KEYS, SENSOR_CLASSES,
};
use super::*;
use serde_json::Value;

/// All keys are known, and the first few are there.
fn has_keys(value: &Value, known: &[&[&str]], needed: usize) {
    let keys = value.as_object().unwrap();
    let is_known = |key: &String| known.iter().any(|known| known.contains(&key.as_str()));
    assert!(keys.keys().all(is_known), "{:?}", keys.keys());
    let needed = known[0].iter().take(needed);
    needed.for_each(|key| assert!(keys.contains_key(*key), "{key} is missing: {:?}", keys.keys()));
}

fn check(message: &Value) {
    has_keys(message, &[MESSAGE_KEYS], 3);
    has_keys(&message["device"], &[DEVICE_KEYS], 1);
    assert!(!message["device"]["identifiers"].as_array().unwrap().is_empty());
    let texts = message["device"].as_object().unwrap().iter().filter(|(key, _)| *key != "identifiers");
    texts.for_each(|(key, value)| assert!(value.is_string(), "{key}"));
    has_keys(&message["origin"], &[ORIGIN_KEYS], 1);
    assert!(AVAILABILITY_MODES.contains(&message["availability_mode"].as_str().unwrap()));
    message["availability"].as_array().unwrap().iter().for_each(|one| has_keys(one, &[AVAILABILITY_KEYS], 1));
    let mut ids = std::collections::BTreeSet::new();
    for (key, part) in message["components"].as_object().unwrap() {
        let text = |name: &str| part.get(name).map(|value| value.as_str().unwrap());
        let platform = text("platform").unwrap();
        let (_, own) = PLATFORM_KEYS.iter().find(|(name, _)| *name == platform).unwrap();
        has_keys(part, &[own, COMMON_KEYS], 1);
        // an entity without one is refused (schemas.py, check_unique_id)
        assert!(ids.insert(text("unique_id").unwrap()), "{key}");
        for topic in ["state_topic", "command_topic"].into_iter().filter_map(text) {
            assert!(!topic.is_empty() && !topic.contains(['+', '#', '\0']), "{topic}");
        }
        assert!(text("entity_category").is_none_or(|category| ["config", "diagnostic"].contains(&category)));
        assert!(part.get("enabled_by_default").is_none_or(Value::is_boolean));
        match (platform, text("device_class")) {
            ("sensor", class) => check_sensor(key, class, text("unit_of_measurement"), text("state_class")),
            ("binary_sensor", class) => assert!(class.is_none_or(|class| BINARY_CLASSES.contains(&class))),
            (_, class) => assert_eq!(class, None, "{key}"),
        }
    }
}

/// sensor.py, validate_sensor_state_and_device_class_config; a class of numbers has a unit, or the entity is refused.
fn check_sensor(key: &str, class: Option<&str>, unit: Option<&str>, state: Option<&str>) {
    let Some(class) = class else {
        assert!(state.is_none_or(|state| state == "measurement" && unit.is_some()), "{key}");
        return;
    };
    let (_, units, states) = SENSOR_CLASSES.iter().find(|(name, ..)| *name == class).unwrap();
    assert!(units.contains(&unit.unwrap()), "{key}");
    assert!(state.is_none_or(|state| states.contains(&state)), "{key}");
}

fn message(variables: &[&str], facts: &DeviceFacts) -> Value {
    let tree =
        TopicTree { prefix: "qxups".into(), site: "home".into(), discovery: Some("homeassistant".into()) };
    serde_json::from_str(&describe(&tree, "rack \"1\"", facts, variables)).unwrap()
}

#[test]
fn a_device_with_every_variable_of_nut_is_as_home_assistant_wants_it() {
    let names: Vec<&str> = qx::vocabulary::variable::ALL.iter().map(|var| var.name).collect();
    assert!(names.len() > 50);
    let commands = vec!["beeper.toggle".to_string(), "test.battery.start".to_string()];
    let mut facts =
        DeviceFacts { description: Some("The \"rack\"".into()), commands, ..DeviceFacts::default() };
    assert!(facts.read(|name| Some(if name == "device.serial" { "0000" } else { "word" })));
    let message = message(&names, &facts);
    check(&message);
    assert_eq!(message["components"].as_object().unwrap().len(), names.len() + 5 + 2);
    assert!(message["device"].get("serial_number").is_none());
}

/// As its NUT integration has them, so that a history goes on under the same unit.
#[test]
fn units_and_classes_are_those_of_its_nut_integration() {
    for (name, unit, class, state, category) in [
        ("battery.charge", "%", "battery", "measurement", ""),
        ("battery.charge.low", "%", "battery", "", "diagnostic"),
        ("battery.runtime", "s", "duration", "measurement", ""),
        ("battery.runtime.low", "s", "duration", "", "diagnostic"),
        ("battery.voltage", "V", "voltage", "measurement", ""),
        ("battery.voltage.nominal", "V", "voltage", "", "diagnostic"),
        ("battery.temperature", "\u{b0}C", "temperature", "measurement", ""),
        ("input.voltage", "V", "voltage", "measurement", ""),
        ("input.transfer.low", "V", "voltage", "", "diagnostic"),
        ("input.transfer.reason", "", "", "", "diagnostic"),
        ("input.frequency", "Hz", "frequency", "measurement", ""),
        ("input.current", "A", "current", "measurement", ""),
        ("output.L1.current", "A", "current", "measurement", ""),
        ("ups.load", "%", "", "measurement", ""),
        ("ups.power", "VA", "apparent_power", "measurement", ""),
        ("ups.power.nominal", "VA", "apparent_power", "", "diagnostic"),
        ("ups.realpower", "W", "power", "measurement", ""),
        ("ups.delay.shutdown", "s", "duration", "", "diagnostic"),
        ("ups.status", "", "", "", ""),
        ("ups.mfr", "", "", "", "diagnostic"),
        ("battery.date", "", "", "", "diagnostic"),
        ("battery.type", "", "", "", "diagnostic"),
    ] {
        let message = message(&[name], &DeviceFacts::default());
        let part = &message["components"][key_of(name)];
        let text = |key: &str| part.get(key).and_then(Value::as_str).unwrap_or_default();
        let found =
            (text("unit_of_measurement"), text("device_class"), text("state_class"), text("entity_category"));
        assert_eq!(found, (unit, class, state, category), "{name}");
    }
}

#[test]
fn a_word_that_says_nothing_is_no_serial_number() {
    for (said, kept) in
        [("", None), ("unknown", None), ("Blank", None), ("00000000", None), ("A0017", Some("A0017"))]
    {
        let mut facts = DeviceFacts::default();
        facts.read(|name| (name == "device.serial").then_some(said));
        assert_eq!(facts.serial.as_deref(), kept, "{said}");
    }
}
