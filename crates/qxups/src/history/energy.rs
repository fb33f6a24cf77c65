//! Energy.

use super::mark;
use super::since::{read as read_time, stamp};
use super::table::{NAME, RowForm, csv, cut, line};
use ::history::{EnergyCounter, HistoryReader, HistoryTrouble};
use serde_json::{Value, json};

/// Reads the counters of several UPSes.
///
/// # Errors
/// [`HistoryTrouble`].
pub fn read(
    reader: &HistoryReader,
    upses: &[String],
) -> Result<Vec<(String, EnergyCounter)>, HistoryTrouble> {
    let mut rows = vec![];
    for ups in upses {
        rows.extend(reader.energy(ups)?.into_iter().map(|counter| (ups.clone(), counter)));
    }
    Ok(rows)
}

/// Prints them.
pub fn show(rows: &[(String, EnergyCounter)], form: RowForm) -> String {
    let mut out = String::new();
    match form {
        RowForm::Json => {
            let row = |(ups, counter): &(String, EnergyCounter)| {
                json!({
                    "ups": ups, "source": counter.provenance.word(), "wh": counter.wh, "since": stamp(counter.since_ms),
                })
            };
            return format!("{:#}\n", rows.iter().map(row).collect::<Value>());
        }
        RowForm::Csv => {
            csv(&mut out, ["ups", "source", "wh", "since"]);
            for (ups, counter) in rows {
                let (wh, since) = (format!("{:.3}", counter.wh), stamp(counter.since_ms));
                csv(&mut out, [ups.as_str(), counter.provenance.word(), wh.as_str(), since.as_str()]);
            }
        }
        RowForm::Table => {
            for (ups, counter) in rows {
                let (ups, since) = (cut(ups, NAME), read_time(counter.since_ms));
                let (kwh, mark) = (counter.wh / 1000.0, mark(counter.provenance));
                line(&mut out, &format!("{ups:<NAME$}  {kwh:>12.3} kWh{mark:<1}  since {since}"));
            }
            if rows.is_empty() {
                out.push_str("no energy was counted: these UPSes say neither their power nor a rating\n");
            }
        }
    }
    out
}
