//! Values over time.

use super::since::{read as read_time, stamp};
use super::table::{NAME, RowForm, csv, cut, line};
use super::{both, mark};
use ::history::{HistoryReader, HistoryTrouble, Provenance, Quantity, SeriesPoint};
use serde_json::{Value, json};

/// A point of a series of a UPS.
pub struct ValueRow {
    ups: String,
    provenance: Provenance,
    point: SeriesPoint,
}

/// Reads a quantity of several UPSes, said and computed.
///
/// # Errors
/// [`HistoryTrouble`].
pub fn read(
    reader: &HistoryReader,
    upses: &[String],
    quantity: Quantity,
    range: (i64, i64),
    points: u32,
) -> Result<Vec<ValueRow>, HistoryTrouble> {
    let mut rows = vec![];
    for ups in upses {
        for key in both(quantity) {
            let series = reader.series(ups, key, range, points)?;
            rows.extend(series.into_iter().map(|point| ValueRow {
                ups: ups.clone(),
                provenance: key.provenance,
                point,
            }));
        }
    }
    Ok(rows)
}

/// Prints them.
pub fn show(rows: &[ValueRow], quantity: Quantity, form: RowForm) -> String {
    let places = usize::from(quantity.decimals());
    let (name, unit) = (quantity.variable(), quantity.unit());
    let mut out = String::new();
    match form {
        RowForm::Json => {
            let row = |row: &ValueRow| {
                json!({
                    "time": stamp(row.point.at_ms), "seconds": row.point.step_s, "ups": row.ups, "variable": name,
                    "source": row.provenance.word(), "unit": unit, "min": row.point.min, "mean": row.point.mean,
                    "max": row.point.max, "samples": row.point.count,
                })
            };
            return format!("{:#}\n", rows.iter().map(row).collect::<Value>());
        }
        RowForm::Csv => {
            csv(
                &mut out,
                ["time", "seconds", "ups", "variable", "source", "unit", "min", "mean", "max", "samples"],
            );
            for ValueRow { ups, provenance, point } in rows {
                let numbers = [point.min, point.mean, point.max].map(|number| format!("{number:.places$}"));
                let (step, count) = (point.step_s.to_string(), point.count.to_string());
                let time = stamp(point.at_ms);
                let head = [time.as_str(), &step, ups, name, provenance.word(), unit];
                csv(
                    &mut out,
                    head.into_iter().chain(numbers.iter().map(String::as_str)).chain([count.as_str()]),
                );
            }
        }
        RowForm::Table => {
            let head = format!("{name} ({unit})");
            line(&mut out, &format!("{head:<33}  {:>9} {:>9} {:>9}", "lowest", "mean", "highest"));
            for ValueRow { ups, provenance, point } in rows {
                let (at, ups) = (read_time(point.at_ms), cut(ups, NAME));
                let numbers = [point.min, point.mean, point.max].map(|number| format!("{number:>9.places$}"));
                line(&mut out, &format!("{at}  {ups:<NAME$}  {}{}", numbers.join(" "), mark(*provenance)));
            }
            if rows.is_empty() {
                return format!(
                    "no value of {name} was kept in that time; samples are written once a minute\n"
                );
            }
        }
    }
    out
}
