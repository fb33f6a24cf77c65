//! `/ups/NAME`: one UPS with all its variables, each with its age.

use super::{Page, Visitor, tabs};
use crate::escape;
use crate::number::number;
use crate::view::{DataState, UpsView, VariableView};

/// The groups of variables by the first part of their name, in the order in which they are shown.
const GROUPS: [(&str, &str); 8] = [
    ("ups", "UPS"),
    ("battery", "Battery"),
    ("input", "Input"),
    ("output", "Output"),
    ("outlet", "Outlets"),
    ("ambient", "Surroundings"),
    ("device", "Device"),
    ("driver", "Driver"),
];
const OTHERS: &str = "Other";

/// The page of one UPS, for this visitor.
pub fn one(ups: &UpsView, visitor: &Visitor<'_>) -> String {
    let mut events = String::from("?ups=");
    escape::segment(&ups.name, &mut events);
    let mut page = Page::begin(&format!("{} - qxups", ups.name), "../", &events);
    page.raw("<h1>");
    page.text(&ups.name);
    page.raw("</h1>\n");
    if let Some(description) = &ups.description {
        page.raw("<p class=\"about\">");
        page.text(description);
        page.raw("</p>\n");
    }
    tabs::state(ups, &mut page);
    visitor.point(ups, &mut page);
    tabs::tabs(ups, "", &mut page);
    tabs::teaser(ups, &mut page);
    page.raw("<div id=\"values\">\n");
    if ups.state != DataState::Fresh {
        page.raw("<p>There are no values: what the UPS said last is too old to be shown, or no driver gives data. The log of the server says why.</p>\n");
    }
    let group_of = |variable: &VariableView| {
        let first = variable.name.split('.').next().unwrap_or_default();
        GROUPS.iter().find(|(part, _)| *part == first).map_or(OTHERS, |(_, title)| *title)
    };
    for title in GROUPS.iter().map(|(_, title)| *title).chain([OTHERS]) {
        let mut members = ups.live().iter().filter(|variable| group_of(variable) == title).peekable();
        if members.peek().is_none() {
            continue;
        }
        // the roles are said once more: see overview.rs
        page.raw(&format!("<table role=\"table\">\n<caption>{title}</caption>\n<thead role=\"rowgroup\"><tr role=\"row\"><th role=\"columnheader\" scope=\"col\">Variable</th>"));
        page.raw("<th role=\"columnheader\" scope=\"col\">Value</th><th role=\"columnheader\" scope=\"col\">Read</th></tr></thead>\n<tbody role=\"rowgroup\">\n");
        for variable in members {
            row(ups, variable, &mut page);
        }
        page.raw("</tbody>\n</table>\n");
    }
    page.raw("</div>\n");
    visitor.show(ups, &mut page);
    page.end("../")
}

fn row(ups: &UpsView, variable: &VariableView, page: &mut Page) {
    page.raw("<tr role=\"row\" data-name=\"");
    page.text(&variable.name);
    page.raw("\"><th role=\"rowheader\" scope=\"row\">");
    // a long name breaks at its points
    for (at, part) in variable.name.split('.').enumerate() {
        if at > 0 {
            page.raw(".<wbr>");
        }
        page.text(part);
    }
    if !variable.about.is_empty() {
        page.raw("<small>");
        page.text(variable.about);
        page.raw("</small>");
    }
    // page.js shows and hides it
    if variable.name.starts_with("battery.") {
        let hidden = if ups.is_computed(&variable.name) { "" } else { " hidden" };
        page.raw(&format!("<small class=\"source\"{hidden}>Not said by the UPS</small>"));
    }
    page.raw("</th><td role=\"cell\" data-is=\"value\">");
    page.text(&variable.text);
    if !variable.unit.sign().is_empty() && number(&variable.text).is_some() {
        page.text("\u{a0}");
        page.text(variable.unit.sign());
    }
    page.raw("</td><td role=\"cell\" data-is=\"age\">");
    page.age(variable.age.or(ups.age));
    page.raw("</td></tr>\n");
}

/// The page of a UPS that is not there.
pub fn missing(name: &str) -> String {
    let mut page = Page::begin("No such UPS - qxups", "../", "");
    page.raw("<h1>No such UPS</h1>\n<p>ups.conf of this server names no UPS '");
    page.text(name);
    page.raw("'. <a href=\"../\">All UPSes</a></p>\n");
    page.end("../")
}
