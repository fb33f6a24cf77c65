//! What pages of one UPS share: its name and state, and the way from one view of it to another.

use super::Page;
use crate::condition::condition;
use crate::escape;
use crate::past::{clock, stamp};
use crate::view::UpsView;

/// The views of one UPS: the last part of the address, and how it is called.
const VIEWS: [(&str, &str); 4] =
    [("", "Now"), ("history", "Plots"), ("outages", "Outages"), ("battery", "Battery")];

/// Below the address of a UPS, where all of this is.
pub(super) const UP: &str = "../../";

/// Begins a page below that of a UPS.
pub(super) fn begin(ups: &UpsView, view: &str) -> Page {
    let title = VIEWS.into_iter().find(|(part, _)| *part == view).map_or("", |(_, title)| title);
    let mut events = String::from("?ups=");
    escape::segment(&ups.name, &mut events);
    let mut page = Page::begin(&format!("{title} of {} - qxups", ups.name), UP, &events);
    page.raw("<h1>");
    page.text(&ups.name);
    page.raw("</h1>\n");
    state(ups, &mut page);
    tabs(ups, view, &mut page);
    page
}

/// The state in one line, which a script keeps up to date.
pub(super) fn state(ups: &UpsView, page: &mut Page) {
    let (text, level) = condition(ups);
    page.raw("<p class=\"state\" data-ups=\"");
    page.text(&ups.name);
    page.raw("\"><span data-is=\"condition\">");
    page.badge(&text, level);
    page.raw("</span> <span data-is=\"age\">");
    page.age(ups.age);
    page.raw("</span></p>\n");
}

/// Links to the views of a UPS, where there is a history of it; `view` is the one that is shown.
pub(super) fn tabs(ups: &UpsView, view: &str, page: &mut Page) {
    if !ups.has_history {
        return;
    }
    let mut name = String::new();
    escape::segment(&ups.name, &mut name);
    page.raw("<nav class=\"tabs\" aria-label=\"Views of this UPS\"><ul>");
    for (part, title) in VIEWS {
        let address = match (view, part) {
            ("", "") => name.clone(),
            ("", part) => format!("{name}/{part}"),
            (_, "") => format!("../{name}"),
            (_, part) => part.into(),
        };
        let current = if part == view { " aria-current=\"page\"" } else { "" };
        page.raw(&format!("<li><a href=\"{address}\"{current}>{title}</a></li>"));
    }
    page.raw("</ul></nav>\n");
}

/// A time in UTC, which a script shows in the zone of the browser.
pub(super) fn time(at_s: i64, page: &mut Page) {
    page.raw(&format!("<time datetime=\"{}\">{}</time>", stamp(at_s), clock(at_s)));
}

/// Says once in which zone times are.
pub(super) fn zone(page: &mut Page) {
    page.raw("<p class=\"note\" data-is=\"zone\">Times are in UTC.</p>\n");
}

/// A view without its history, and why.
pub(crate) fn without_history(ups: &UpsView, sentence: &str) -> String {
    let mut page = Page::begin(&format!("{} - qxups", ups.name), UP, "");
    page.raw("<h1>");
    page.text(&ups.name);
    page.raw("</h1>\n<p>");
    page.text(sentence);
    page.raw("</p>\n<p><a href=\"");
    let mut address = String::from("../");
    escape::segment(&ups.name, &mut address);
    page.raw(&address);
    page.raw("\">What the UPS says now</a></p>\n");
    page.end(UP)
}

/// How long, for people.
pub(super) fn length(seconds: f64) -> String {
    if seconds < 60.0 {
        return format!("{} s", crate::number::plain((seconds * 10.0).round() / 10.0));
    }
    // it is no more than fits: what was seen of an outage
    #[allow(clippy::cast_possible_truncation)]
    let whole = seconds as i64;
    match whole {
        ..3600 => format!("{} min {} s", whole / 60, whole % 60),
        3600..172_800 => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
        _ => format!("{} days {} h", whole / 86_400, whole % 86_400 / 3600),
    }
}

/// Where the page of a UPS shows its plots of a day, once a script has fetched them; without one there is the tab.
pub(super) fn teaser(ups: &UpsView, page: &mut Page) {
    if !ups.has_history {
        return;
    }
    let mut name = String::new();
    escape::segment(&ups.name, &mut name);
    page.raw(&format!("<div id=\"teaser\" data-page=\"{name}/history?range=24h\"></div>\n"));
    page.raw("<script src=\"../plots.js\" defer></script>\n");
}

/// The page below a UPS that is not there.
pub(crate) fn missing_below(name: &str) -> String {
    let mut page = Page::begin("No such UPS - qxups", UP, "");
    page.raw("<h1>No such UPS</h1>\n<p>ups.conf of this server names no UPS '");
    page.text(name);
    page.raw("'. <a href=\"../../\">All UPSes</a></p>\n");
    page.end(UP)
}
