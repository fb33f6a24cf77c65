//! `/`: every UPS at a glance.

use super::{Page, quantity};
use crate::condition::{Seriousness, condition};
use crate::escape;
use crate::json::SUMMARY;
use crate::number::number;
use crate::view::{FleetView, UpsView};

/// Heads of the columns of numbers, as in [`SUMMARY`].
const HEADS: [&str; 4] = ["Charge", "Load", "Runtime", "Input"];

/// The first page.
pub fn overview(fleet: &FleetView) -> String {
    let mut page = Page::begin("UPSes - qxups", "./", "");
    page.raw("<h1>UPSes</h1>\n<p id=\"summary\">");
    let levels: Vec<Seriousness> = fleet.upses.iter().map(|ups| condition(ups).1).collect();
    page.text(&in_words(&levels));
    page.raw("</p>\n");
    if let Some(protection) = &fleet.server.protection {
        page.raw("<p id=\"protection\">");
        page.text(&protection.line());
        page.raw("</p>\n");
    }
    if fleet.upses.is_empty() {
        page.raw("<p>ups.conf of this server names no UPS.</p>\n");
        return page.end("./");
    }
    // the roles are said once more, as a style sheet for narrow screens takes those of tables away
    page.raw("<table role=\"table\" id=\"fleet\">\n<caption class=\"unseen\">All UPSes, in the order of ups.conf</caption>\n");
    page.raw("<thead role=\"rowgroup\"><tr role=\"row\"><th role=\"columnheader\" scope=\"col\">UPS</th>");
    page.raw("<th role=\"columnheader\" scope=\"col\">State</th>");
    for head in HEADS {
        page.raw(&format!("<th role=\"columnheader\" scope=\"col\" class=\"number\">{head}</th>"));
    }
    page.raw("<th role=\"columnheader\" scope=\"col\">Heard</th></tr></thead>\n<tbody role=\"rowgroup\">\n");
    for ups in &fleet.upses {
        row(ups, &mut page);
    }
    page.raw("</tbody>\n</table>\n");
    if fleet.server.has_login {
        page.raw(
            "<p class=\"enter\"><a href=\"login\">Log in</a> to give commands and change settings.</p>\n",
        );
    }
    page.end("./")
}

fn row(ups: &UpsView, page: &mut Page) {
    let (text, level) = condition(ups);
    page.raw(&format!("<tr role=\"row\" data-level=\"{}\" data-ups=\"", level.word()));
    page.text(&ups.name);
    page.raw("\"><th role=\"rowheader\" scope=\"row\"><a href=\"ups/");
    let mut address = String::new();
    escape::segment(&ups.name, &mut address);
    page.raw(&address);
    page.raw("\">");
    page.text(&ups.name);
    page.raw("</a>");
    if let Some(description) = &ups.description {
        page.raw("<small>");
        page.text(description);
        page.raw("</small>");
    }
    page.raw("</th><td role=\"cell\" data-is=\"condition\">");
    page.badge(&text, level);
    page.raw("</td>");
    for ((name, variable), head) in SUMMARY.iter().zip(HEADS) {
        page.raw(&format!("<td role=\"cell\" class=\"number\" data-head=\"{head}\" data-is=\"{name}\">"));
        if let Some(value) = ups.text(variable).and_then(number) {
            page.text(&quantity(name, value));
            // page.js has the same
            if ups.is_computed(variable) {
                page.raw("<small>estimated</small>");
            }
        }
        page.raw("</td>");
    }
    page.raw("<td role=\"cell\" data-head=\"Heard\" data-is=\"age\">");
    page.age(ups.age);
    page.raw("</td></tr>\n");
}

/// How many are in which state, the worst first; page.js has the same.
fn in_words(levels: &[Seriousness]) -> String {
    let count = |level: Seriousness| levels.iter().filter(|known| **known == level).count();
    let kinds = [
        (Seriousness::Bad, "at risk"),
        (Seriousness::Warning, "to look at"),
        (Seriousness::Unknown, "unclear"),
        (Seriousness::Good, "well"),
    ];
    let parts: Vec<String> = kinds
        .into_iter()
        .filter(|(level, _)| count(*level) > 0)
        .map(|(level, words)| format!("{} {words}", count(level)))
        .collect();
    format!("{} in all: {}", levels.len(), if parts.is_empty() { "none".into() } else { parts.join(", ") })
}
