//! Home Assistant's rules, written down here from its `components/mqtt/schemas.py` and `sensor/const.py` of 2025: what it asks of the
//! message of a device, and which units a class may have.

use super::*;
use serde_json::Value;

const UNITS: &[(&str, &[&str])] = &[
    ("battery", &["%"]),
    ("voltage", &["V", "mV", "\u{b5}V", "kV", "MV"]),
    ("current", &["A", "mA"]),
    ("frequency", &["Hz", "kHz", "MHz", "GHz"]),
    ("apparent_power", &["VA"]),
    ("power", &["W", "kW", "mW", "MW", "GW", "TW"]),
    ("temperature", &["\u{b0}C", "\u{b0}F", "K"]),
    ("humidity", &["%"]),
    ("duration", &["d", "h", "min", "s", "ms"]),
];
const BINARY: &[&str] = &["battery", "problem"];

fn check(message: &Value) {
    let device = message["device"].as_object().unwrap();
    assert!(!device["identifiers"].as_array().unwrap().is_empty());
    let known = ["identifiers", "name", "manufacturer", "model", "serial_number", "sw_version"];
    assert!(device.keys().all(|key| known.contains(&key.as_str())), "{device:?}");
    assert!(message["origin"]["name"].is_string());
    assert_eq!(message["availability_mode"], "all");
    assert!(message["availability"].as_array().unwrap().iter().all(|one| one["topic"].is_string()));
    let mut ids = std::collections::BTreeSet::new();
    for (key, part) in message["components"].as_object().unwrap() {
        assert!(ids.insert(part["unique_id"].as_str().unwrap()), "{key}");
        let text = |name: &str| part.get(name).map(|value| value.as_str().unwrap());
        let keys: Vec<&str> = part.as_object().unwrap().keys().map(String::as_str).collect();
        let allowed: &[&str] = match text("platform").unwrap() {
            "sensor" => {
                let (class, unit) = (text("device_class"), text("unit_of_measurement"));
                if let Some(class) = class {
                    let (_, units) = UNITS.iter().find(|(name, _)| *name == class).unwrap();
                    assert!(units.contains(&unit.unwrap()), "{key}");
                }
                assert!(
                    text("state_class").is_none_or(|state| state == "measurement" && unit.is_some()),
                    "{key}"
                );
                assert!(text("entity_category").is_none_or(|category| category == "diagnostic"));
                assert!(part["state_topic"].is_string());
                &[
                    "platform",
                    "name",
                    "unique_id",
                    "state_topic",
                    "value_template",
                    "unit_of_measurement",
                    "device_class",
                    "state_class",
                    "entity_category",
                    "enabled_by_default",
                ]
            }
            "binary_sensor" => {
                assert!(text("device_class").is_none_or(|class| BINARY.contains(&class)));
                assert!(part["state_topic"].is_string());
                &["platform", "name", "unique_id", "state_topic", "value_template", "device_class"]
            }
            "button" => {
                assert!(part["command_topic"].is_string());
                &["platform", "name", "unique_id", "command_topic", "payload_press", "retain"]
            }
            other => panic!("{other}"),
        };
        assert!(keys.iter().all(|key| allowed.contains(key)), "{key}: {keys:?}");
    }
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
