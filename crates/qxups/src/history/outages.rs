//! Outages.

use super::mark;
use super::since::{read, stamp};
use super::table::{NAME, RowForm, csv, cut, line, number};
use ::history::{OutageRecord, Provenance};
use serde_json::{Value, json};
use std::time::Duration;

/// Prints outages.
pub fn show(rows: &[OutageRecord], form: RowForm) -> String {
    let mut out = String::new();
    match form {
        RowForm::Json => return format!("{:#}\n", rows.iter().map(object).collect::<Value>()),
        RowForm::Csv => {
            csv(
                &mut out,
                [
                    "begin",
                    "end",
                    "ups",
                    "seconds",
                    "begin_seen",
                    "all_seen",
                    "charge",
                    "charge_source",
                    "battery_voltage",
                    "load",
                    "wh",
                    "wh_source",
                    "low_battery",
                    "test",
                    "battery_voltage_source",
                    "load_source",
                ],
            );
            rows.iter().for_each(|row| record(&mut out, row));
        }
        RowForm::Table if rows.is_empty() => out.push_str("no outage\n"),
        RowForm::Table => {
            let head = ["begin", "UPS", "length", "charge", "volts", "load", "energy"];
            let [begin, ups, length, charge, volts, load, energy] = head;
            line(
                &mut out,
                &format!(
                    "{begin:<19}  {ups:<NAME$}  {length:>10} {charge:>7} {volts:>7} {load:>5} {energy:>9}"
                ),
            );
            rows.iter().for_each(|row| table_line(&mut out, row));
        }
    }
    out
}

fn table_line(out: &mut String, OutageRecord { ups, outage, .. }: &OutageRecord) {
    let sign = match (outage.end_ms, outage.begin_seen && outage.end_seen) {
        (None, _) => ">",
        (Some(_), false) => "~",
        (Some(_), true) => "",
    };
    let with = |value: Option<(f64, Provenance)>, places: usize, unit: &str| {
        value.map_or_else(|| "-".into(), |(value, whose)| format!("{value:.places$}{unit}{}", mark(whose)))
    };
    let length = format!("{sign}{}", clock(outage.length));
    let (at, ups) = (read(outage.begin_ms), cut(ups, NAME));
    let charge = with(outage.lowest_charge, 0, "%");
    let volts = with(outage.lowest_voltage, 2, "");
    let load = with(outage.mean_load, 0, "%");
    let energy = with(outage.energy_wh, 1, "Wh");
    let low = if outage.low_battery { "L" } else { "" };
    let test = if outage.test { "T" } else { "" };
    line(
        out,
        &format!("{at}  {ups:<NAME$}  {length:>10} {charge:>7} {volts:>7} {load:>5} {energy:>9} {low}{test}"),
    );
}

/// Hours, minutes and seconds; below a minute with tenths.
fn clock(length: Duration) -> String {
    let seconds = length.as_secs();
    match seconds {
        0..60 => format!("{:.1} s", length.as_secs_f64()),
        _ => format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60),
    }
}

fn object(OutageRecord { ups, outage, last_ms }: &OutageRecord) -> Value {
    json!({
        "ups": ups,
        "begin": stamp(outage.begin_ms),
        "end": outage.end_ms.map(stamp),
        "last_seen": stamp(*last_ms),
        "seconds": outage.length.as_secs_f64(),
        "begin_seen": outage.begin_seen,
        "all_seen": outage.end_seen,
        "charge": outage.lowest_charge.map(|(charge, _)| charge),
        "charge_source": outage.lowest_charge.map(|(_, whose)| whose.word()),
        "battery_voltage": outage.lowest_voltage.map(|(volts, _)| volts),
        "battery_voltage_source": outage.lowest_voltage.map(|(_, whose)| whose.word()),
        "load": outage.mean_load.map(|(load, _)| load),
        "load_source": outage.mean_load.map(|(_, whose)| whose.word()),
        "wh": outage.energy_wh.map(|(wh, _)| wh),
        "wh_source": outage.energy_wh.map(|(_, whose)| whose.word()),
        "low_battery": outage.low_battery,
        "test": outage.test,
    })
}

fn record(out: &mut String, OutageRecord { ups, outage, .. }: &OutageRecord) {
    let flag = |is_so: bool| if is_so { "yes" } else { "no" }.to_string();
    let whose = |value: Option<(f64, Provenance)>| value.map_or("", |(_, whose)| whose.word()).to_string();
    let value = |value: Option<(f64, Provenance)>, places| number(value.map(|(value, _)| value), places);
    let fields = [
        stamp(outage.begin_ms),
        outage.end_ms.map(stamp).unwrap_or_default(),
        ups.clone(),
        format!("{:.3}", outage.length.as_secs_f64()),
        flag(outage.begin_seen),
        flag(outage.end_seen),
        value(outage.lowest_charge, 1),
        whose(outage.lowest_charge),
        value(outage.lowest_voltage, 2),
        value(outage.mean_load, 1),
        value(outage.energy_wh, 3),
        whose(outage.energy_wh),
        flag(outage.low_battery),
        flag(outage.test),
        whose(outage.lowest_voltage),
        whose(outage.mean_load),
    ];
    csv(out, fields.iter().map(String::as_str));
}
