//! What Home Assistant is to know of a UPS: one message for the device with all its sensors (its "device discovery", since
//! 2024.11). Units and classes are those of its NUT integration, so that histories look alike.

use crate::json::{JsonObject, texts};
use crate::topic::{AVAILABILITY, COMMAND, STATE, TopicTree};

/// What is said of a device.
#[derive(Debug, Default)]
pub struct DeviceFacts {
    pub description: Option<String>,
    /// Commands that a broker may give, and the UPS has.
    pub commands: Vec<String>,
    maker: Option<String>,
    model: Option<String>,
    serial: Option<String>,
    firmware: Option<String>,
}

impl DeviceFacts {
    /// Reads them of what the UPS says now; whether they are others. What is not said any more is kept: it is still that device.
    pub fn read<'v>(&mut self, value: impl Fn(&'static str) -> Option<&'v str>) -> bool {
        let mut is_other = false;
        for (slot, names) in [
            (&mut self.maker, &["device.mfr", "ups.mfr"][..]),
            (&mut self.model, &["device.model", "ups.model"]),
            (&mut self.serial, &["device.serial", "ups.serial"]),
            (&mut self.firmware, &["ups.firmware"]),
        ] {
            let Some(said) = names.iter().find_map(|name| value(name)).map(str::trim) else { continue };
            if is_word(said) && slot.as_deref() != Some(said) {
                *slot = Some(said.into());
                is_other = true;
            }
        }
        is_other
    }
}

/// Home Assistant takes no "unknown", "blank" or zeros for a serial number; they say nothing of other things either.
fn is_word(text: &str) -> bool {
    let is_none = |word: &str| text.eq_ignore_ascii_case(word);
    !text.is_empty() && !is_none("unknown") && !is_none("blank") && text.chars().any(|letter| letter != '0')
}

/// How Home Assistant shows a variable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct SensorKind {
    unit: Option<&'static str>,
    class: Option<&'static str>,
    /// It is measured, and worth a plot.
    is_measured: bool,
    is_diagnostic: bool,
    is_shown: bool,
}

/// Variables that are shown without a hand of the administrator: those of the NUT integration, and the runtime.
const SHOWN: &[&str] = &[
    "ups.status",
    "ups.alarm",
    "ups.load",
    "battery.charge",
    "battery.runtime",
    "battery.charger.status",
    "input.voltage",
    "input.load",
    "output.voltage",
    "outlet.voltage",
    "ambient.temperature",
    "ambient.humidity",
];

fn kind(name: &str) -> SensorKind {
    let last = name.rsplit('.').next().unwrap_or_default();
    let has = |word: &str| name.split('.').any(|part| part == word);
    // nominal values, bounds and settings do not move
    let is_set = matches!(last, "nominal" | "low" | "high" | "warning" | "restart" | "minimum" | "maximum")
        || has("transfer")
        || has("delay");
    let (unit, class) = match () {
        () if matches!(last, "reason" | "status" | "date" | "type" | "id" | "sensitivity" | "source") => {
            (None, None)
        }
        () if has("charge") => (Some("%"), Some("battery")),
        () if has("load") => (Some("%"), None),
        () if has("voltage") || has("transfer") => (Some("V"), Some("voltage")),
        () if has("current") => (Some("A"), Some("current")),
        () if has("frequency") => (Some("Hz"), Some("frequency")),
        () if has("realpower") => (Some("W"), Some("power")),
        () if has("power") => (Some("VA"), Some("apparent_power")),
        () if has("temperature") => (Some("\u{b0}C"), Some("temperature")),
        () if has("humidity") => (Some("%"), Some("humidity")),
        () if has("efficiency") => (Some("%"), None),
        () if has("runtime") || has("delay") || has("timer") => (Some("s"), Some("duration")),
        () => (None, None),
    };
    let is_measured = unit.is_some() && !is_set;
    let is_shown = SHOWN.contains(&name);
    let is_diagnostic = !is_shown && !is_measured;
    SensorKind { unit, class, is_measured, is_diagnostic, is_shown }
}

/// What is true or not of a UPS, by words of its status.
struct StatusSensor {
    key: &'static str,
    name: &'static str,
    word: &'static str,
    class: Option<&'static str>,
}

const STATUS_SENSORS: &[StatusSensor] = &[
    StatusSensor { key: "on_battery", name: "On battery", word: "OB", class: Some("problem") },
    StatusSensor { key: "low_battery", name: "Low battery", word: "LB", class: Some("battery") },
    StatusSensor { key: "replace_battery", name: "Replace battery", word: "RB", class: Some("problem") },
    StatusSensor { key: "overload", name: "Overload", word: "OVER", class: Some("problem") },
    StatusSensor { key: "bypass", name: "Bypass", word: "BYPASS", class: None },
];

/// The message for a device.
pub fn describe(tree: &TopicTree, ups: &str, facts: &DeviceFacts, described: &[&str]) -> String {
    let (id, topic) = (tree.object_id(ups), tree.ups(ups));
    let mut out = String::new();
    let mut message = JsonObject::begin(&mut out);
    message.member("device", |out| {
        let mut device = JsonObject::begin(out);
        device.member("identifiers", |out| texts([id.as_str()].into_iter(), out));
        device.text("name", facts.description.as_deref().filter(|text| !text.is_empty()).unwrap_or(ups));
        device.text_if("manufacturer", facts.maker.as_deref());
        device.text_if("model", facts.model.as_deref());
        device.text_if("serial_number", facts.serial.as_deref());
        device.text_if("sw_version", facts.firmware.as_deref());
        device.end();
    });
    message.member("origin", |out| {
        let mut origin = JsonObject::begin(out);
        origin.text("name", "qxups");
        origin.text("sw_version", env!("CARGO_PKG_VERSION"));
        origin.end();
    });
    message.member("availability", |out| {
        out.push('[');
        for (at, topic) in [tree.availability(), format!("{topic}/{AVAILABILITY}")].iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            let mut one = JsonObject::begin(out);
            one.text("topic", topic);
            one.end();
        }
        out.push(']');
    });
    message.text("availability_mode", "all");
    message.member("components", |out| {
        let mut components = JsonObject::begin(out);
        let id_of = |key: &str| format!("{id}_{key}");
        if described.contains(&"ups.status") {
            for sensor in STATUS_SENSORS {
                components.member(sensor.key, |out| status_sensor(sensor, &topic, &id_of(sensor.key), out));
            }
        }
        for variable in described {
            let key = key_of(variable);
            components.member(&key, |out| sensor_of(variable, &topic, &id_of(&key), out));
        }
        for command in &facts.commands {
            let key = format!("command_{}", key_of(command));
            components.member(&key, |out| button(command, &topic, &id_of(&key), out));
        }
        components.end();
    });
    message.end();
    out
}

/// A name as the key of a component: dots become underscores, and an underscore two.
fn key_of(name: &str) -> String {
    name.replace('_', "__").replace('.', "_")
}

/// `battery.charge.low` as people read it: "Battery charge low".
fn words_of(name: &str) -> String {
    let words = name.strip_prefix("ups.").unwrap_or(name).replace('.', " ");
    let mut letters = words.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

fn sensor_of(variable: &str, topic: &str, id: &str, out: &mut String) {
    let kind = kind(variable);
    let mut sensor = JsonObject::begin(out);
    sensor.text("platform", "sensor");
    sensor.text("name", &words_of(variable));
    sensor.text("unique_id", id);
    sensor.text("state_topic", &format!("{topic}/{STATE}"));
    // without a value it is unknown
    sensor.text("value_template", &format!("{{{{ value_json.get('{variable}') }}}}"));
    sensor.text_if("unit_of_measurement", kind.unit);
    sensor.text_if("device_class", kind.class);
    if kind.is_measured {
        sensor.text("state_class", "measurement");
    }
    if kind.is_diagnostic {
        sensor.text("entity_category", "diagnostic");
    }
    if !kind.is_shown {
        sensor.member("enabled_by_default", |out| out.push_str("false"));
    }
    sensor.end();
}

/// Of the plain topic of the status, which is sent before everything else.
fn status_sensor(of: &StatusSensor, topic: &str, id: &str, out: &mut String) {
    let mut sensor = JsonObject::begin(out);
    sensor.text("platform", "binary_sensor");
    sensor.text("name", of.name);
    sensor.text("unique_id", id);
    sensor.text("state_topic", &format!("{topic}/ups/status"));
    // "None" is unknown: a status that was withdrawn says nothing of a battery
    let word = of.word;
    sensor.text(
        "value_template",
        &format!("{{{{ ('ON' if '{word}' in value.split() else 'OFF') if value else 'None' }}}}"),
    );
    sensor.text_if("device_class", of.class);
    sensor.end();
}

fn button(command: &str, topic: &str, id: &str, out: &mut String) {
    let mut button = JsonObject::begin(out);
    button.text("platform", "button");
    button.text("name", &words_of(command));
    button.text("unique_id", id);
    button.text("command_topic", &format!("{topic}/{COMMAND}"));
    button.text("payload_press", command);
    button.member("retain", |out| out.push_str("false"));
    button.end();
}

#[cfg(test)]
mod home_assistant;
#[cfg(test)]
mod tests;
