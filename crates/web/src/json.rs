//! The JSON API: what `openapi.json` beside this file says.

use crate::condition::condition;
use crate::escape;
use crate::number::{number, plain};
use crate::view::{FleetView, UpsView};
use std::time::Duration;

/// The numbers of a summary: the name in the API and NUT's.
pub const SUMMARY: [(&str, &str); 4] = [
    ("charge_percent", "battery.charge"),
    ("load_percent", "ups.load"),
    ("runtime_s", "battery.runtime"),
    ("input_volts", "input.voltage"),
];

/// Of these it is said whose word they are: the name in the API and NUT's.
const SOURCES: [(&str, &str); 2] =
    [("charge_source", "battery.charge"), ("runtime_source", "battery.runtime")];

/// `/api/v1/ups`: a summary of each UPS.
pub fn list(fleet: &FleetView) -> String {
    let mut out = String::from("{\"ups\":[");
    for (at, ups) in fleet.upses.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        out.push('{');
        summary(ups, &mut out);
        out.push('}');
    }
    out.push_str("]}");
    out
}

/// A summary, as an object of its own.
pub fn short(ups: &UpsView) -> String {
    let mut out = String::from("{");
    summary(ups, &mut out);
    out.push('}');
    out
}

/// `/api/v1/ups/NAME`: the summary, all variables, the commands.
pub fn whole(ups: &UpsView) -> String {
    let mut out = String::from("{");
    summary(ups, &mut out);
    out.push_str(",\"variables\":[");
    for (at, variable) in ups.live().iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        out.push_str("{\"name\":");
        escape::json(&variable.name, &mut out);
        out.push_str(",\"value\":");
        escape::json(&variable.text, &mut out);
        out.push_str(",\"unit\":");
        escape::json(variable.unit.sign(), &mut out);
        out.push_str(",\"age_s\":");
        out.push_str(&age(variable.age.or(ups.age)));
        out.push_str(&format!(",\"computed\":{}}}", ups.is_computed(&variable.name)));
    }
    out.push_str("],\"commands\":[");
    for (at, command) in ups.commands.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        escape::json(command, &mut out);
    }
    out.push_str("],\"exchanges\":");
    match ups.exchanges {
        Some(counts) => out.push_str(&format!("{{\"ok\":{},\"bad\":{}}}", counts.whole, counts.bad)),
        None => out.push_str("null"),
    }
    out.push('}');
    out
}

fn summary(ups: &UpsView, out: &mut String) {
    out.push_str("\"name\":");
    escape::json(&ups.name, out);
    out.push_str(",\"description\":");
    match &ups.description {
        Some(description) => escape::json(description, out),
        None => out.push_str("null"),
    }
    let (text, level) = condition(ups);
    out.push_str(&format!(",\"state\":\"{}\",\"condition\":", ups.state.word()));
    escape::json(&text, out);
    out.push_str(&format!(",\"level\":\"{}\",\"age_s\":{},\"status\":[", level.word(), age(ups.age)));
    for (at, word) in ups.words().into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        escape::json(word, out);
    }
    out.push(']');
    for (name, variable) in SUMMARY {
        let value = ups.text(variable).and_then(number).map_or("null".into(), plain);
        out.push_str(&format!(",\"{name}\":{value}"));
    }
    for (name, variable) in SOURCES {
        let source = match (ups.text(variable).and_then(number), ups.is_computed(variable)) {
            (None, _) => "null",
            (Some(_), false) => "\"said\"",
            (Some(_), true) => "\"computed\"",
        };
        out.push_str(&format!(",\"{name}\":{source}"));
    }
}

/// Seconds with a tenth, or null.
pub fn age(age: Option<Duration>) -> String {
    age.map_or("null".into(), |age| format!("{:.1}", age.as_secs_f64()))
}

/// Ages of the data of all UPSes, by name.
pub fn ages(fleet: &FleetView) -> String {
    let mut out = String::from("{");
    for (at, ups) in fleet.upses.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        escape::json(&ups.name, &mut out);
        out.push(':');
        out.push_str(&age(ups.age));
    }
    out.push('}');
    out
}

/// What went wrong, in one sentence.
pub fn error(sentence: &str) -> String {
    let mut out = String::from("{\"error\":");
    escape::json(sentence, &mut out);
    out.push('}');
    out
}
