//! `/ups/NAME/outages`: when mains was away, how long and how deep.

use super::Page;
use super::tabs::{UP, begin, length, time, zone};
use crate::past::{Past, PastOutage, SourcedNumber, rounded};
use crate::view::UpsView;

/// The heads of the table.
const HEADS: [&str; 6] = ["Length", "Lowest charge", "Lowest volts", "Mean load", "Energy", "Remarks"];

/// The log, the latest first.
pub(crate) fn outages(ups: &UpsView, past: &Past) -> String {
    let mut page = begin(ups, "outages");
    if past.outages.is_empty() {
        page.raw("<p>The history has no outage of this UPS.</p>\n");
    } else {
        log(past, &mut page);
    }
    page.raw(&format!("<script src=\"{UP}plots.js\" defer></script>\n"));
    page.end(UP)
}

fn log(past: &Past, page: &mut Page) {
    page.raw("<table role=\"table\" class=\"stacked\">\n<caption class=\"unseen\">Outages, the latest first</caption>\n");
    page.raw("<thead role=\"rowgroup\"><tr role=\"row\"><th role=\"columnheader\" scope=\"col\">Began</th>");
    for head in HEADS {
        page.raw(&format!("<th role=\"columnheader\" scope=\"col\">{head}</th>"));
    }
    page.raw("</tr></thead>\n<tbody role=\"rowgroup\">\n");
    for outage in past.outages.iter().rev() {
        row(outage, page);
    }
    page.raw("</tbody>\n</table>\n");
    zone(page);
    page.raw("<p class=\"note\">The length is that of a clock which is never set. Estimated values are not the UPS's own word.</p>\n");
}

fn row(outage: &PastOutage, page: &mut Page) {
    page.raw("<tr role=\"row\"><th role=\"rowheader\" scope=\"row\">");
    time(outage.begin_ms.div_euclid(1000), page);
    page.raw("</th>");
    let cells = [
        length(outage.length.as_secs_f64()),
        sourced(outage.lowest_charge, 0, "%"),
        sourced(outage.lowest_voltage, 2, "V"),
        sourced(outage.mean_load, 0, "%"),
        sourced(outage.energy_wh, 1, "Wh"),
        remarks(outage),
    ];
    for (head, text) in HEADS.into_iter().zip(cells) {
        page.raw(&format!("<td role=\"cell\" data-head=\"{head}\">{text}</td>"));
    }
    page.raw("</tr>\n");
}

/// A number that may be an estimate.
pub(super) fn sourced(number: Option<SourcedNumber>, decimals: u8, unit: &str) -> String {
    let Some(SourcedNumber { value, is_said }) = number else { return String::new() };
    let mark = if is_said { "" } else { "<small>estimated</small>" };
    format!("{}\u{a0}{unit}{mark}", rounded(value, decimals))
}

/// What is to be known of it.
pub(super) fn remarks(outage: &PastOutage) -> String {
    let lasts = outage.end_ms.is_none();
    let all = [
        (lasts, "It lasts."),
        (!outage.begin_seen, "Its beginning was not seen."),
        (!lasts && !outage.all_seen, "Not all of it was seen: it may have lasted longer."),
        (outage.battery_low, "The battery was low."),
        (outage.is_test, "The UPS tested itself."),
    ];
    all.into_iter().filter(|(is_so, _)| *is_so).map(|(_, text)| text).collect::<Vec<_>>().join(" ")
}
