//! Events.

use super::since::{read, stamp};
use super::table::{NAME, RowForm, csv, cut, line};
use ::history::{EventKind, EventRecord};
use serde_json::{Value, json};

/// Prints events.
pub fn show(events: &[EventRecord], form: RowForm) -> String {
    let kind = |event: &EventRecord| event.kind.map_or("(newer)", EventKind::word);
    let mut out = String::new();
    match form {
        RowForm::Json => {
            let row = |event: &EventRecord| {
                json!({
                    "number": event.number, "time": stamp(event.at_ms), "ups": event.ups, "kind": kind(event),
                    "text": event.text,
                })
            };
            return format!("{:#}\n", events.iter().map(row).collect::<Value>());
        }
        RowForm::Csv => {
            csv(&mut out, ["time", "ups", "kind", "text"]);
            for event in events {
                let ups = event.ups.as_deref().unwrap_or_default();
                csv(&mut out, [stamp(event.at_ms).as_str(), ups, kind(event), &event.text]);
            }
        }
        RowForm::Table => {
            for event in events {
                let ups = cut(event.ups.as_deref().unwrap_or("-"), NAME);
                let (at, kind) = (read(event.at_ms), kind(event));
                line(&mut out, &format!("{at}  {ups:<NAME$}  {kind:<7}  {}", event.text));
            }
            if events.is_empty() {
                out.push_str("nothing happened in that time\n");
            }
        }
    }
    out
}
