//! `begin`, `lost` and `cancel` of a group: when it goes down, and when not.

use super::super::read::{TomlReader, shown};
use super::time;
use ::protect::{Begin, CancelChoice, LostMeaning};
use std::time::Duration;

const KEYS: &[&str] = &[
    "low_battery",
    "forced",
    "charge_below",
    "runtime_below_s",
    "runtime_confidence",
    "on_battery_s",
    "temperature_above",
    "failing",
    "off_s",
    "confirm_s",
];

/// The conditions of a group.
pub(super) fn read(reader: &mut TomlReader<'_>, group: &str) -> Begin {
    let table = format!("{group}.begin");
    if reader.has(group, "begin") && reader.names(&table).is_empty() {
        let said = "begin is a table: write begin = { low_battery = true, runtime_below_s = 600 }";
        reader.refuse(group, "begin", said);
    }
    reader.check_keys(&table, KEYS);
    let usual = Begin::default();
    let number = |reader: &mut TomlReader<'_>, key: &str, most: u64| {
        reader.number(&table, key, 1..=most).and_then(|number| u32::try_from(number).ok()).map(f64::from)
    };
    let begin = Begin {
        low_battery: reader.flag(&table, "low_battery").unwrap_or(usual.low_battery),
        forced: reader.flag(&table, "forced").unwrap_or(usual.forced),
        charge_below: number(reader, "charge_below", 100),
        runtime_below: time(reader, &table, "runtime_below_s", 1),
        runtime_confidence: number(reader, "runtime_confidence", 100)
            .map_or(usual.runtime_confidence, |percent| percent / 100.0),
        on_battery_for: time(reader, &table, "on_battery_s", 1),
        temperature_above: number(reader, "temperature_above", 150),
        failing: reader.flag(&table, "failing").unwrap_or(usual.failing),
        off_for: time(reader, &table, "off_s", 1).or(usual.off_for),
        lost: lost(reader, group),
        confirm: time(reader, &table, "confirm_s", 0).unwrap_or(usual.confirm),
    };
    let others = [
        begin.charge_below.is_some(),
        begin.runtime_below.is_some(),
        begin.on_battery_for.is_some(),
        begin.temperature_above.is_some(),
        begin.failing,
    ];
    if !begin.low_battery && others.iter().all(|is| !is) {
        let said = "low_battery = false leaves nothing by which protection begins: write another condition";
        reader.refuse(&table, "low_battery", said);
    }
    begin
}

fn lost(reader: &mut TomlReader<'_>, group: &str) -> LostMeaning {
    let dead_time = time(reader, group, "dead_time_s", 1).unwrap_or(Duration::from_secs(15));
    match reader.text(group, "lost", "lost = \"shutdown\" or \"wait\"").as_deref() {
        None | Some("shutdown") => LostMeaning::Shutdown(dead_time),
        Some("wait") => LostMeaning::Wait,
        Some(other) => {
            let said = format!("{} cannot be done: write lost = \"shutdown\" or \"wait\"", shown(other));
            reader.refuse(group, "lost", &said);
            LostMeaning::Shutdown(dead_time)
        }
    }
}

/// Whether mains that are back end a course.
pub(super) fn cancel(reader: &mut TomlReader<'_>, group: &str) -> CancelChoice {
    let wanted = "cancel = \"wakeable\", \"always\" or \"never\"";
    match reader.text(group, "cancel", wanted).as_deref() {
        None | Some("wakeable") => CancelChoice::WhenWakeable,
        Some("always") => CancelChoice::Always,
        Some("never") => CancelChoice::Never,
        Some(other) => {
            reader.refuse(group, "cancel", &format!("{} is no choice: write {wanted}", shown(other)));
            CancelChoice::WhenWakeable
        }
    }
}
