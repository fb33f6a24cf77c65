//! One plot: a figure with a drawing that the server makes, and a table. A script draws it anew, finer and with a cursor.

use super::Page;
use super::tabs::time;
use crate::past::{Past, PastPoint, PastSeries, gap_behind, known, rounded, thinned};
use std::fmt::Write;

/// The plots: how each is called, and its variables, which share a unit.
const PLOTS: [(&str, &[&str]); 6] = [
    ("Voltage", &["input.voltage", "output.voltage"]),
    ("Load", &["ups.load"]),
    ("Charge", &["battery.charge"]),
    ("Battery voltage", &["battery.voltage"]),
    ("Temperature", &["ups.temperature"]),
    ("Power", &["ups.realpower"]),
];
/// A drawing of the server has about so many points.
pub(crate) const SVG_POINTS: u32 = 300;
/// And a table so many rows.
const ROWS: u32 = 24;
/// The drawing, in units of its own.
const WIDTH: f64 = 600.0;
const HEIGHT: f64 = 150.0;

/// The variables that are in plots.
pub(crate) fn plotted() -> impl Iterator<Item = &'static str> {
    PLOTS.iter().flat_map(|(_, variables)| variables.iter().copied())
}

/// All plots that have something to show; whether there was any.
pub(super) fn figures(name: &str, past: &Past, page: &mut Page) -> bool {
    let mut any = false;
    for (title, variables) in PLOTS {
        let series: Vec<&PastSeries> =
            past.series.iter().filter(|series| variables.contains(&series.variable)).collect();
        if !series.is_empty() {
            figure(name, title, &series, past, page);
            any = true;
        }
    }
    any
}

/// What a series is called.
fn label(series: &PastSeries, is_only: bool, title: &str) -> String {
    let (label, ..) = known(series.variable);
    let label = if is_only { title } else { label };
    if series.is_said { label.into() } else { format!("{label}, estimated") }
}

fn figure(name: &str, title: &str, series: &[&PastSeries], past: &Past, page: &mut Page) {
    let is_only = series.iter().all(|other| other.variable == series[0].variable);
    let labels: Vec<String> = series.iter().map(|series| label(series, is_only, title)).collect();
    let (_, unit, decimals) = known(series[0].variable);
    let (low, high) = scale(series);
    page.raw(&format!(
        "<figure class=\"plot\" data-title=\"{title}\" data-unit=\"{unit}\" data-decimals=\"{decimals}\" data-low=\"{}\" data-high=\"{}\">\n",
        rounded(low, 3), rounded(high, 3)
    ));
    page.raw(&format!("<figcaption><h2>{title}</h2><ul class=\"keys\">"));
    for (at, (series, label)) in series.iter().zip(&labels).enumerate() {
        let source = if series.is_said { "said" } else { "computed" };
        let key = line_of(series, at);
        page.raw(&format!(
            "<li class=\"{key}\" data-source=\"{source}\" data-variable=\"{}\" ",
            series.variable
        ));
        page.raw(&format!(
            "data-src=\"{}\"><span data-is=\"label\">{label}</span> <span>{}</span></li>",
            source_of(name, series, past),
            extent(series, unit, decimals)
        ));
    }
    page.raw("</ul></figcaption>\n<div class=\"drawing\">");
    drawing(title, series, past, page);
    page.raw("</div>\n");
    if is_cut(series) {
        page.raw(
            "<p class=\"note\">What is far below the rest, as in an outage, lies below the drawing.</p>\n",
        );
    }
    page.raw("<p class=\"readout\" data-is=\"readout\"></p>\n");
    table(title, series, &labels, (unit, decimals), past, page);
    page.raw("</figure>\n");
}

/// By which its line is drawn. What was computed is drawn in another way.
fn line_of(series: &PastSeries, at: usize) -> String {
    let computed = if series.is_said { "" } else { " estimated" };
    format!("line{}{computed}", at % 4)
}

/// Where the points of a series are to be had, from a page below that of the UPS.
fn source_of(name: &str, series: &PastSeries, past: &Past) -> String {
    let (from, to) = (past.from_s, past.to_s);
    format!("../../api/v1/ups/{name}/history?variable={}&amp;from={from}&amp;to={to}", series.variable)
}

/// The lowest and the highest value.
fn extent(series: &PastSeries, unit: &str, decimals: u8) -> String {
    let lowest = series.points.iter().map(|point| point.lowest).fold(f64::INFINITY, f64::min);
    let highest = series.points.iter().map(|point| point.highest).fold(f64::NEG_INFINITY, f64::max);
    let (low, high) = (rounded(lowest, decimals), rounded(highest, decimals));
    if low == high { format!("{low}\u{a0}{unit}") } else { format!("{low} to {high}\u{a0}{unit}") }
}

/// What a drawing shows, from the lowest to the highest value of all, with room: a flat line lies in the middle. Volts of an
/// outage are left out where there are others, or nothing would be seen of mains.
fn scale(series: &[&PastSeries]) -> (f64, f64) {
    let points = || series.iter().flat_map(|series| series.points.iter());
    let highest = points().map(|point| point.highest).fold(f64::NEG_INFINITY, f64::max);
    let least = if is_cut(series) { highest * CUT } else { f64::NEG_INFINITY };
    let shown = points().map(|point| point.lowest).filter(|lowest| *lowest >= least);
    let lowest = shown.fold(highest, f64::min);
    let room = ((highest - lowest) * 0.08).max(0.5);
    (lowest - room, highest + room)
}

/// Of volts at mains and load, what is below this part of the highest.
const CUT: f64 = 0.6;

/// Whether some values lie below the drawing.
fn is_cut(series: &[&PastSeries]) -> bool {
    let points = || series.iter().flat_map(|series| series.points.iter());
    let highest = points().map(|point| point.highest).fold(f64::NEG_INFINITY, f64::max);
    let is_of_mains =
        series.iter().all(|series| matches!(series.variable, "input.voltage" | "output.voltage"));
    is_of_mains && points().any(|point| point.lowest < highest * CUT)
}

/// The drawing: bands from the lowest to the highest, lines of the means, and where mains was away.
#[allow(clippy::cast_precision_loss)]
fn drawing(title: &str, series: &[&PastSeries], past: &Past, page: &mut Page) {
    let (low, high) = scale(series);
    let range = (past.to_s - past.from_s).max(1) as f64;
    let x = |at_s: f64| ((at_s - past.from_s as f64) / range * WIDTH).clamp(0.0, WIDTH);
    let y = |value: f64| (HEIGHT - (value - low) / (high - low) * HEIGHT).clamp(0.0, HEIGHT);
    page.raw(&format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{title}; the table has its figures\">"
    ));
    for outage in &past.outages {
        let end_ms = outage.end_ms.unwrap_or(past.now_s.saturating_mul(1000));
        let (from, to) = (x(outage.begin_ms as f64 / 1000.0), x(end_ms as f64 / 1000.0));
        if outage.begin_ms / 1000 < past.to_s && end_ms / 1000 > past.from_s {
            let wide = (to - from).max(1.0);
            page.raw(&format!(
                "<rect class=\"away\" x=\"{from:.1}\" y=\"0\" width=\"{wide:.1}\" height=\"{HEIGHT}\"/>"
            ));
        }
    }
    for (at, series) in series.iter().enumerate() {
        let class = line_of(series, at);
        for run in runs(&series.points) {
            let middle = |point: &PastPoint| x(point.at_s as f64 + point.span_s as f64 / 2.0);
            let (mut line, mut below, mut above) = (String::new(), vec![], vec![]);
            for point in run {
                // a point alone is as wide as its span
                let ends = if run.len() == 1 {
                    vec![
                        x(point.at_s as f64),
                        x((point.at_s + point.span_s) as f64).max(x(point.at_s as f64) + 1.5),
                    ]
                } else {
                    vec![middle(point)]
                };
                for at in ends {
                    let _ = write!(line, "{at:.1},{:.1} ", y(point.mean));
                    below.push(format!("{at:.1},{:.1}", y(point.lowest)));
                    above.push(format!("{at:.1},{:.1}", y(point.highest)));
                }
            }
            below.reverse();
            page.raw(&format!(
                "<polygon class=\"band {class}\" points=\"{} {}\"/>",
                above.join(" "),
                below.join(" ")
            ));
            page.raw(&format!("<polyline class=\"{class}\" points=\"{}\"/>", line.trim_end()));
        }
    }
    page.raw("</svg>\n<p class=\"ends\">");
    time(past.from_s, page);
    page.text(" ");
    time(past.to_s, page);
    page.raw("</p>");
}

/// Points between gaps: no line leads over one.
fn runs(points: &[PastPoint]) -> Vec<&[PastPoint]> {
    let (mut runs, mut from) = (vec![], 0);
    for (at, pair) in points.windows(2).enumerate() {
        if gap_behind(&pair[0], &pair[1]).is_some() {
            runs.push(&points[from..=at]);
            from = at + 1;
        }
    }
    if from < points.len() {
        runs.push(&points[from..]);
    }
    runs
}

fn table(
    title: &str,
    series: &[&PastSeries],
    labels: &[String],
    (unit, decimals): (&str, u8),
    past: &Past,
    page: &mut Page,
) {
    let columns: Vec<Vec<PastPoint>> =
        series.iter().map(|series| thinned(&series.points, (past.from_s, past.to_s), ROWS)).collect();
    let mut times: Vec<(i64, i64)> =
        columns.iter().flatten().map(|point| (point.at_s, point.at_s + point.span_s)).collect();
    times.sort_unstable();
    times.dedup_by_key(|(at, _)| *at);
    page.raw(&format!(
        "<details><summary>Table of {}</summary>\n<table role=\"table\">\n",
        title.to_lowercase()
    ));
    page.raw(&format!("<caption class=\"unseen\">{title}: mean, and lowest to highest</caption>\n"));
    page.raw("<thead role=\"rowgroup\"><tr role=\"row\"><th role=\"columnheader\" scope=\"col\">From</th>");
    for label in labels {
        page.raw(&format!("<th role=\"columnheader\" scope=\"col\" class=\"number\">{label}</th>"));
    }
    page.raw("</tr></thead>\n<tbody role=\"rowgroup\">\n");
    let mut end = None;
    for (at, until) in times {
        if let Some(missing) = end.filter(|end| at - *end > 20) {
            row(missing, page, |page| columns.iter().for_each(|_| nothing(page)));
        }
        row(at, page, |page| {
            for column in &columns {
                match column.iter().find(|point| point.at_s == at) {
                    Some(point) => cell(point, unit, decimals, page),
                    None => nothing(page),
                }
            }
        });
        end = Some(until);
    }
    page.raw("</tbody>\n</table></details>\n");
}

fn row(at_s: i64, page: &mut Page, cells: impl FnOnce(&mut Page)) {
    page.raw("<tr role=\"row\"><th role=\"rowheader\" scope=\"row\">");
    time(at_s, page);
    page.raw("</th>");
    cells(page);
    page.raw("</tr>\n");
}

fn cell(point: &PastPoint, unit: &str, decimals: u8, page: &mut Page) {
    let shown = |value| rounded(value, decimals);
    page.raw(&format!("<td role=\"cell\" class=\"number\">{}\u{a0}{unit}", shown(point.mean)));
    let (low, high) = (shown(point.lowest), shown(point.highest));
    if low != high {
        page.raw(&format!("<small>{low} to {high}</small>"));
    }
    page.raw("</td>");
}

fn nothing(page: &mut Page) {
    page.raw("<td role=\"cell\" class=\"number none\">no data</td>");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(times: &[i64], is_said: bool) -> PastSeries {
        let point = |at: &i64| PastPoint {
            at_s: *at,
            span_s: 60,
            lowest: 229.0,
            mean: 230.0,
            highest: 231.0,
            samples: 6,
        };
        PastSeries { variable: "input.voltage", is_said, points: times.iter().map(point).collect() }
    }

    fn drawn(series: PastSeries) -> String {
        let past = Past { now_s: 3600, from_s: 0, to_s: 3600, series: vec![series], ..Past::default() };
        let mut page = Page { out: String::new() };
        assert!(figures("rack", &past, &mut page));
        page.out
    }

    #[test]
    fn no_line_leads_over_a_gap() {
        let whole = drawn(series(&[0, 60, 120, 180], true));
        assert_eq!(whole.matches("<polyline").count(), 1);
        let gap = drawn(series(&[0, 60, 1200, 1260], true));
        assert_eq!((gap.matches("<polyline").count(), gap.matches("<polygon").count()), (2, 2), "{gap}");
        // between them the table says that there is nothing, and nothing is drawn as 0
        assert!(gap.contains("no data") && !whole.contains("no data"));
        // one that stands alone is seen
        assert!(drawn(series(&[600], true)).contains("points=\"100.0,75.0 110.0,75.0\""));
    }

    #[test]
    fn what_is_estimated_is_marked_in_drawing_key_and_table() {
        let shown = drawn(series(&[0, 60], false));
        assert!(shown.contains("<polyline class=\"line0 estimated\""), "{shown}");
        assert!(shown.contains("<li class=\"line0 estimated\" data-source=\"computed\""), "{shown}");
        assert!(shown.contains("class=\"number\">Voltage, estimated</th>"), "{shown}");
        assert!(!drawn(series(&[0, 60], true)).contains("estimated"));
    }

    #[test]
    fn every_plot_has_its_own_unit() {
        for (title, variables) in PLOTS {
            let unit = known(variables[0]).1;
            assert!(
                !unit.is_empty() && variables.iter().all(|variable| known(variable).1 == unit),
                "{title}"
            );
        }
    }
}
