//! The history in the JSON API.

use super::{
    Past, PastOutage, PastQuestion, PastSeries, SourcedNumber, SpanEnergy, gap_behind, known, rounded, stamp,
};
use crate::escape;
use crate::view::UpsView;
use std::fmt::Write;

/// Whose word a value is.
fn source(is_said: bool) -> &'static str {
    if is_said { "said" } else { "computed" }
}

fn begin(ups: &UpsView) -> String {
    let mut out = String::from("{\"ups\":");
    escape::json(&ups.name, &mut out);
    out
}

/// `/api/v1/ups/NAME/history`.
pub(super) fn series(ups: &UpsView, question: &PastQuestion, past: &Past) -> String {
    let mut out = begin(ups);
    let variable = question.variables.first().copied().unwrap_or_default();
    let (_, unit, decimals) = known(variable);
    // writing to a String cannot fail
    let _ = write!(out, ",\"variable\":\"{variable}\",\"unit\":");
    escape::json(unit, &mut out);
    // what was before the history has no part in it
    let from_s = past.from_s.max(past.begin_s).min(past.to_s);
    let _ = write!(out, ",\"from_s\":{from_s},\"to_s\":{},\"series\":[", past.to_s);
    for (at, series) in past.series.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        columns(series, decimals, &mut out);
    }
    out.push_str("]}");
    out
}

/// A point, or a gap.
struct Row {
    at_s: i64,
    span_s: i64,
    values: Option<[f64; 3]>,
    samples: u32,
}

/// The points, and between them where there are none.
fn rows(series: &PastSeries) -> Vec<Row> {
    let mut rows = vec![];
    let mut next = series.points.iter().skip(1);
    for point in &series.points {
        let values = Some([point.lowest, point.mean, point.highest]);
        rows.push(Row { at_s: point.at_s, span_s: point.span_s, values, samples: point.samples });
        if let Some(gap) = next.next().and_then(|next| gap_behind(point, next)) {
            let at_s = point.at_s.saturating_add(point.span_s);
            rows.push(Row { at_s, span_s: gap, values: None, samples: 0 });
        }
    }
    rows
}

fn columns(series: &PastSeries, decimals: u8, out: &mut String) {
    let rows = rows(series);
    let _ = write!(out, "{{\"source\":\"{}\"", source(series.is_said));
    column("at_s", &rows, out, |row| row.at_s.to_string());
    column("span_s", &rows, out, |row| row.span_s.to_string());
    // a mean has a decimal more than its samples
    for (place, (name, decimals)) in
        [("lowest", decimals), ("mean", decimals.saturating_add(1)), ("highest", decimals)]
            .into_iter()
            .enumerate()
    {
        column(name, &rows, out, |row| {
            row.values.map_or("null".into(), |values| rounded(values[place], decimals))
        });
    }
    column("samples", &rows, out, |row| row.samples.to_string());
    out.push('}');
}

fn column(name: &str, rows: &[Row], out: &mut String, text: impl Fn(&Row) -> String) {
    let _ = write!(out, ",\"{name}\":[");
    for (at, row) in rows.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        out.push_str(&text(row));
    }
    out.push(']');
}

/// `/api/v1/ups/NAME/outages`: the latest first.
pub(super) fn outages(ups: &UpsView, past: &Past) -> String {
    let mut out = begin(ups);
    out.push_str(",\"outages\":[");
    for (at, found) in past.outages.iter().rev().enumerate() {
        if at > 0 {
            out.push(',');
        }
        outage(found, &mut out);
    }
    out.push_str("]}");
    out
}

fn outage(outage: &PastOutage, out: &mut String) {
    let time = |at_ms: i64| format!("\"{}\"", stamp(at_ms.div_euclid(1000)));
    let sourced = |name: &str, value: Option<SourcedNumber>, decimals| match value {
        Some(SourcedNumber { value, is_said }) => {
            format!("\"{name}\":{},\"{name}_source\":\"{}\"", rounded(value, decimals), source(is_said))
        }
        None => format!("\"{name}\":null,\"{name}_source\":null"),
    };
    let _ = write!(
        out,
        "{{\"begin\":{},\"end\":{},\"length_s\":{},\"lasts\":{},\"begin_seen\":{},\"all_seen\":{},\"battery_low\":{},\
         \"test\":{},{},{},{},{}}}",
        time(outage.begin_ms),
        outage.end_ms.map_or("null".into(), time),
        rounded(outage.length.as_secs_f64(), 1),
        outage.end_ms.is_none(),
        outage.begin_seen,
        outage.all_seen,
        outage.battery_low,
        outage.is_test,
        sourced("lowest_charge_percent", outage.lowest_charge, 1),
        sourced("lowest_battery_volts", outage.lowest_voltage, 2),
        sourced("mean_load_percent", outage.mean_load, 1),
        sourced("energy_wh", outage.energy_wh, 2),
    );
}

/// `/api/v1/ups/NAME/energy`.
pub(super) fn energy(ups: &UpsView, past: &Past) -> String {
    let mut out = begin(ups);
    out.push_str(",\"energy\":[");
    for (at, energy) in past.energy.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        let span =
            |span: SpanEnergy| format!("{{\"wh\":{},\"seen_s\":{}}}", rounded(span.wh, 2), span.seen_s);
        let _ = write!(
            out,
            "{{\"source\":\"{}\",\"wh\":{},\"since\":\"{}\",\"last_24h\":{},\"last_30d\":{}}}",
            source(energy.is_said),
            rounded(energy.wh, 3),
            stamp(energy.since_ms.div_euclid(1000)),
            span(energy.day),
            span(energy.month),
        );
    }
    out.push_str("]}");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::past::PastPoint;
    use crate::testing::ups;

    #[test]
    fn a_gap_is_a_row_of_null() {
        let point =
            |at_s, mean| PastPoint { at_s, span_s: 60, lowest: 229.0, mean, highest: 231.0, samples: 6 };
        let points = vec![point(60, 230.0), point(120, 230.125), point(600, 230.0)];
        let series = PastSeries { variable: "input.voltage", is_said: false, points };
        let mut out = String::new();
        columns(&series, 1, &mut out);
        assert_eq!(
            out,
            "{\"source\":\"computed\",\"at_s\":[60,120,180,600],\"span_s\":[60,60,420,60],\"lowest\":[229,229,null,229],\
             \"mean\":[230,230.13,null,230],\"highest\":[231,231,null,231],\"samples\":[6,6,0,6]}"
        );
    }

    #[test]
    fn an_outage_that_lasts_has_no_end() {
        let lasting = PastOutage { begin_ms: 951_782_400_999, begin_seen: true, ..PastOutage::default() };
        let past = Past { outages: vec![lasting], ..Past::default() };
        let json = outages(&ups("a\"<", &[]), &past);
        assert!(
            json.starts_with(
                "{\"ups\":\"a\\\"\\u003c\",\"outages\":[{\"begin\":\"2000-02-29T00:00:00Z\",\"end\":null,"
            ),
            "{json}"
        );
        assert!(
            json.contains("\"lasts\":true") && json.contains("\"energy_wh\":null,\"energy_wh_source\":null"),
            "{json}"
        );
    }

    #[test]
    fn of_each_number_of_an_outage_it_is_said_whose_word_it_is() {
        let number = |value, is_said| Some(SourcedNumber { value, is_said });
        let computed = PastOutage {
            lowest_voltage: number(22.125, false),
            mean_load: number(17.0, true),
            energy_wh: number(3.5, false),
            ..PastOutage::default()
        };
        let json = outages(&ups("rack", &[]), &Past { outages: vec![computed], ..Past::default() });
        for part in [
            "\"lowest_battery_volts\":22.13,\"lowest_battery_volts_source\":\"computed\"",
            "\"mean_load_percent\":17,\"mean_load_percent_source\":\"said\"",
            "\"energy_wh\":3.5,\"energy_wh_source\":\"computed\"",
        ] {
            assert!(json.contains(part), "{part} in {json}");
        }
    }
}
