//! `/ups/NAME/history`: the plots of a UPS, and its energy.

use super::Page;
use super::plot::figures;
use super::tabs::{UP, begin, length, zone};
use crate::escape;
use crate::past::{Past, PastEnergy, PlotSpan, SpanEnergy, day};
use crate::view::UpsView;

/// The page of plots over a span of time.
pub(crate) fn plots(ups: &UpsView, span: PlotSpan, past: &Past) -> String {
    let mut page = begin(ups, "history");
    let mut name = String::new();
    escape::segment(&ups.name, &mut name);
    page.raw("<section id=\"plots\" aria-label=\"Plots\" ");
    page.raw(&format!("data-from=\"{}\" data-to=\"{}\" data-outages=\"", past.from_s, past.to_s));
    for (at, outage) in past.outages.iter().enumerate() {
        let end_ms = outage.end_ms.unwrap_or(past.now_s.saturating_mul(1000));
        let comma = if at > 0 { " " } else { "" };
        page.raw(&format!("{comma}{}-{}", outage.begin_ms.div_euclid(1000), end_ms.div_euclid(1000)));
    }
    page.raw("\">\n<nav class=\"spans\" aria-label=\"How far back\"><ul>");
    for other in PlotSpan::ALL {
        let (word, text) = other.words();
        let current = if other == span { " aria-current=\"true\"" } else { "" };
        page.raw(&format!("<li><a href=\"history?range={word}\"{current}>{text}</a></li>"));
    }
    page.raw("</ul></nav>\n<div class=\"plots\">\n");
    let any = figures(&name, past, &mut page);
    page.raw("</div>\n");
    if any {
        notes(past, &mut page);
    } else {
        page.raw("<p>The history has nothing of this time. Values are written once a minute, and come from the UPS every 10 s.</p>\n");
    }
    page.raw("</section>\n");
    energy(past, &mut page);
    page.raw(&format!("<script src=\"{UP}plots.js\" defer></script>\n"));
    page.end(UP)
}

fn notes(past: &Past, page: &mut Page) {
    zone(page);
    page.raw("<p class=\"note\">A line is the mean, and the band around it reaches from the lowest to the highest value. Where there is no line, there was no data.");
    if !past.outages.is_empty() {
        page.raw(" Outages are shaded.");
    }
    if past.series.iter().any(|series| !series.is_said) {
        page.raw(" Dashed lines are estimated or computed by the server; the UPS does not say these values.");
    }
    page.raw("</p>\n");
}

fn energy(past: &Past, page: &mut Page) {
    page.raw("<section aria-labelledby=\"energy\">\n<h2 id=\"energy\">Energy of the load</h2>\n");
    if past.energy.is_empty() {
        page.raw(
            "<p>None was counted: the UPS says neither its power nor what it is rated for.</p>\n</section>\n",
        );
        return;
    }
    for energy in &past.energy {
        page.raw("<dl class=\"figures\">");
        figure("Last 24 hours", &seen(energy.day, 86_400), energy, page);
        figure("Last 30 days", &seen(energy.month, 30 * 86_400), energy, page);
        figure(
            &format!("Since {}", day(energy.since_ms.div_euclid(1000))),
            &watt_hours(energy.wh),
            energy,
            page,
        );
        page.raw("</dl>\n");
    }
    if past.energy.iter().any(|energy| !energy.is_said) {
        page.raw("<p class=\"note\">Computed: from the load and what the UPS is rated for, or from its apparent power and its power factor.</p>\n");
    }
    page.raw("</section>\n");
}

fn figure(what: &str, value: &str, energy: &PastEnergy, page: &mut Page) {
    let mark = if energy.is_said { "" } else { "<small>computed</small>" };
    page.raw(&format!("<div><dt>{what}</dt><dd>{value}{mark}</dd></div>"));
}

/// The energy, and how much of the time was seen where that is not nearly all.
fn seen(span: SpanEnergy, whole_s: i64) -> String {
    let energy = watt_hours(span.wh);
    if span.seen_s == 0 {
        return "no data".into();
    }
    if span.seen_s.saturating_mul(100) >= whole_s.saturating_mul(97) {
        return energy;
    }
    #[allow(clippy::cast_precision_loss)]
    let seen = length(span.seen_s as f64);
    format!("{energy}<small>of {seen} that were seen</small>")
}

fn watt_hours(wh: f64) -> String {
    match wh {
        ..1000.0 => format!("{wh:.0}\u{a0}Wh"),
        _ => format!("{:.2}\u{a0}kWh", wh / 1000.0),
    }
}
