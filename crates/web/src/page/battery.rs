//! `/ups/NAME/battery`: what is known of the battery now, and what outages took from it.

use super::Page;
use super::outages::remarks;
use super::tabs::{UP, begin, length, time, zone};
use crate::number::number;
use crate::past::{Past, PastOutage, rounded};
use crate::view::UpsView;

/// What is said of a battery, in the order in which it is shown.
const KNOWN: [(&str, &str); 15] = [
    ("battery.charge", "Charge"),
    ("battery.runtime", "Runtime"),
    ("experimental.battery.health", "Health"),
    ("experimental.battery.health.confidence", "Health is known"),
    ("battery.voltage", "Volts"),
    ("battery.voltage.nominal", "Rated volts"),
    ("battery.temperature", "Temperature"),
    ("battery.current", "Current"),
    ("battery.date", "Date"),
    ("battery.mfr.date", "Made"),
    ("battery.type", "Type"),
    ("battery.capacity", "Capacity"),
    ("battery.packs", "Packs"),
    ("battery.test.status", "Last test"),
    ("ups.test.result", "Last test of the UPS"),
];
/// The charge has to fall by so many points of a hundred for anything to follow from it,
const LEAST_FALL: f64 = 5.0;
/// and the outage to last so long, in seconds.
const LEAST_LENGTH: f64 = 60.0;

/// The page.
pub(crate) fn battery(ups: &UpsView, past: &Past) -> String {
    let mut page = begin(ups, "battery");
    now(ups, &mut page);
    page.raw("<h2>In outages</h2>\n");
    if past.outages.is_empty() {
        page.raw("<p>The history has no outage of this UPS: what its battery can do was not seen yet.</p>\n");
    } else {
        capacity(past, &mut page);
    }
    page.raw(&format!("<script src=\"{UP}plots.js\" defer></script>\n"));
    page.end(UP)
}

fn now(ups: &UpsView, page: &mut Page) {
    page.raw("<h2>Now</h2>\n");
    let shown: Vec<_> = KNOWN
        .into_iter()
        .filter_map(|(name, title)| Some((name, title, ups.live().iter().find(|v| v.name == name)?)))
        .collect();
    if shown.is_empty() {
        page.raw("<p>There is no fresh word of the battery.</p>\n");
        return;
    }
    page.raw("<dl class=\"figures\">");
    for (name, title, variable) in shown {
        page.raw(&format!("<div><dt>{title}</dt><dd>"));
        match (name, number(&variable.text)) {
            ("battery.runtime", Some(seconds)) => page.raw(&length(seconds)),
            (_, Some(_)) if !variable.unit.sign().is_empty() => {
                page.text(&variable.text);
                page.raw(&format!("\u{a0}{}", variable.unit.sign()));
            }
            _ => page.text(&variable.text),
        }
        if ups.is_computed(name) {
            page.raw("<small>not said by the UPS</small>");
        }
        page.raw("</dd></div>");
    }
    page.raw("</dl>\n");
    if !ups.live().iter().any(|v| v.name == "battery.date" || v.name == "battery.mfr.date") {
        page.raw("<p class=\"note\">The UPS says no date of its battery.</p>\n");
    }
}

const HEADS: [&str; 6] = ["Length", "Mean load", "Charge", "Energy", "A whole charge would be", "Remarks"];

fn capacity(past: &Past, page: &mut Page) {
    page.raw("<table role=\"table\" class=\"stacked\">\n<caption class=\"unseen\">What outages took from the battery, the latest first</caption>\n");
    page.raw("<thead role=\"rowgroup\"><tr role=\"row\"><th role=\"columnheader\" scope=\"col\">Outage</th>");
    for head in HEADS {
        page.raw(&format!("<th role=\"columnheader\" scope=\"col\">{head}</th>"));
    }
    page.raw("</tr></thead>\n<tbody role=\"rowgroup\">\n");
    for outage in past.outages.iter().rev() {
        row(outage, page);
    }
    page.raw("</tbody>\n</table>\n");
    zone(page);
    page.raw(
        "<p class=\"note\">A whole charge is an estimate: the time and the energy of this outage, as if the charge fell on evenly to 0. \
         It is made of outages that were seen from beginning to end, of a minute and more, in which the UPS itself said a charge that \
         fell by 5 and more. At a higher load a battery gives less; compare outages of about the same load.</p>\n",
    );
}

fn row(outage: &PastOutage, page: &mut Page) {
    page.raw("<tr role=\"row\"><th role=\"rowheader\" scope=\"row\">");
    time(outage.begin_ms.div_euclid(1000), page);
    page.raw("</th>");
    let cells = [
        length(outage.length.as_secs_f64()),
        super::outages::sourced(outage.mean_load, 0, "%"),
        charges(outage),
        super::outages::sourced(outage.energy_wh, 1, "Wh"),
        whole(outage).unwrap_or_default(),
        remarks(outage),
    ];
    for (head, text) in HEADS.into_iter().zip(cells) {
        page.raw(&format!("<td role=\"cell\" data-head=\"{head}\">{text}</td>"));
    }
    page.raw("</tr>\n");
}

/// From which charge to which.
fn charges(outage: &PastOutage) -> String {
    let Some(lowest) = outage.lowest_charge else { return String::new() };
    let mark = if lowest.is_said { "" } else { "<small>estimated</small>" };
    let to = rounded(lowest.value, 0);
    match outage.charge_before {
        Some(before) => format!("{} to {to}\u{a0}%{mark}", rounded(before, 0)),
        None => format!("to {to}\u{a0}%{mark}"),
    }
}

/// What a whole charge would be by this outage. None where that would be a guess.
fn whole(outage: &PastOutage) -> Option<String> {
    let lowest = outage.lowest_charge.filter(|charge| charge.is_said)?;
    let fall = outage.charge_before? - lowest.value;
    let seconds = outage.length.as_secs_f64();
    let is_whole = outage.begin_seen && outage.all_seen && outage.end_ms.is_some();
    if !is_whole || fall < LEAST_FALL || seconds < LEAST_LENGTH {
        return None;
    }
    let times = 100.0 / fall;
    let lasting = format!("{} min", rounded(seconds * times / 60.0, 0));
    let energy = outage.energy_wh.map(|energy| format!(", {}\u{a0}Wh", rounded(energy.value * times, 0)));
    Some(format!("{lasting}{}<small>estimated</small>", energy.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::past::SourcedNumber;
    use std::time::Duration;

    fn seen() -> PastOutage {
        PastOutage {
            end_ms: Some(600_000),
            length: Duration::from_secs(600),
            begin_seen: true,
            all_seen: true,
            charge_before: Some(100.0),
            lowest_charge: Some(SourcedNumber { value: 75.0, is_said: true }),
            energy_wh: Some(SourcedNumber { value: 50.0, is_said: false }),
            ..PastOutage::default()
        }
    }

    #[test]
    fn nothing_is_made_of_what_was_not_seen() {
        for unseen in [
            PastOutage { begin_seen: false, ..seen() },
            PastOutage { all_seen: false, ..seen() },
            PastOutage { end_ms: None, ..seen() },
            PastOutage { charge_before: None, ..seen() },
            PastOutage { charge_before: Some(79.0), ..seen() },
            PastOutage { lowest_charge: None, ..seen() },
            // an estimate made of an estimate
            PastOutage { lowest_charge: Some(SourcedNumber { value: 75.0, is_said: false }), ..seen() },
            PastOutage { length: Duration::from_secs(59), ..seen() },
        ] {
            assert_eq!(whole(&unseen), None, "{unseen:?}");
        }
    }
}
