//! `/ups/NAME/order`: the question before an order; `/ups/NAME/outcome`: what became of it.

use super::Page;
use super::control::{dotted, hidden};
use crate::access::{PageOrder, PageOutcome, Weight, consequence};
use crate::condition::condition;
use crate::escape;
use crate::view::UpsView;

/// From these pages to the first one.
const UP: &str = "../../";

/// The question. `mark` is good for this order, once.
pub fn question(ups: &UpsView, order: &PageOrder, about: Option<&str>, token: &str, mark: &str) -> String {
    let mut page = Page::still("Send it? - qxups", UP);
    page.raw("<h1>");
    asked(order, &mut page);
    page.raw("</h1>\n");
    state(ups, &mut page);
    let weight = match order {
        PageOrder::Command { name, .. } => consequence(name),
        PageOrder::Set { .. } => (
            Weight::Light,
            "The UPS or its driver uses the new value from then on. The manual of the UPS says what it changes.",
        ),
    };
    page.raw(match weight.0 {
        Weight::Load | Weight::Unknown => "<p class=\"consequence\" data-level=\"bad\">",
        Weight::Battery => "<p class=\"consequence\" data-level=\"warning\">",
        Weight::Light => "<p class=\"consequence\">",
    });
    page.text(weight.1);
    page.raw("</p>\n");
    detail(ups, order, about, &mut page);
    page.raw("<form class=\"answers\" method=\"post\" action=\"order\">");
    hidden("token", token, &mut page);
    hidden("mark", mark, &mut page);
    let grave = if matches!(weight.0, Weight::Load | Weight::Unknown) { " class=\"grave\"" } else { "" };
    page.raw(&format!("<button{grave}>Yes, send "));
    page.text(&short(order));
    page.raw("</button> <a class=\"no\" href=\"");
    page.raw(&back(ups));
    page.raw("\">No, go back</a></form>\n");
    page.end(UP)
}

/// The heading: what is asked of which UPS comes below.
fn asked(order: &PageOrder, page: &mut Page) {
    match order {
        PageOrder::Command { name, .. } => {
            page.raw("Send ");
            dotted(name, page);
            page.raw("?");
        }
        PageOrder::Set { variable, .. } => {
            page.raw("Change ");
            dotted(variable, page);
            page.raw("?");
        }
    }
}

fn short(order: &PageOrder) -> String {
    match order {
        PageOrder::Command { name, .. } => name.clone(),
        PageOrder::Set { .. } => "the new value".into(),
    }
}

/// Which UPS, and how it is.
fn state(ups: &UpsView, page: &mut Page) {
    let (text, level) = condition(ups);
    page.raw("<p class=\"state\">UPS <strong>");
    page.text(&ups.name);
    page.raw("</strong> ");
    page.badge(&text, level);
    if let Some(load) = ups.text("ups.load").filter(|load| crate::number::number(load).is_some()) {
        page.raw(" load ");
        page.text(load);
        page.raw("\u{a0}%");
    }
    page.raw("</p>\n");
}

/// What exactly is sent.
fn detail(ups: &UpsView, order: &PageOrder, about: Option<&str>, page: &mut Page) {
    page.raw("<dl class=\"detail\">");
    let mut row = |name: &str, value: &str| {
        page.raw(&format!("<div><dt>{name}</dt><dd>"));
        page.text(value);
        page.raw("</dd></div>");
    };
    match order {
        PageOrder::Command { name, value } => {
            row("Command", name);
            if let Some(value) = value {
                row("With", value);
            }
        }
        PageOrder::Set { variable, value } => {
            row("Setting", variable);
            row("Now", ups.text(variable).unwrap_or("not known"));
            row("New", value);
        }
    }
    if let Some(about) = about {
        row("What it is", about);
    }
    page.raw("</dl>\n");
}

/// The page of the UPS.
fn back(ups: &UpsView) -> String {
    // a segment has no character that HTML would escape
    let mut address = String::from("../");
    escape::segment(&ups.name, &mut address);
    address
}

/// What became of an order; none while it is not known.
pub fn outcome(ups: &UpsView, order: &PageOrder, seen: Option<&PageOutcome>) -> String {
    let mut page = Page::still("What came of it - qxups", UP);
    let (title, level, text) = match seen {
        Some(PageOutcome::Done) => {
            let text = match order {
                PageOrder::Command { .. } => {
                    "The driver reports it as done. A UPS that has no word for it is taken to have obeyed when it refused nothing: its values show whether it did."
                }
                PageOrder::Set { .. } => {
                    "The driver reports it as set. A UPS may round it: what counts is the value that it says now."
                }
            };
            ("Done", "good", text.into())
        }
        Some(PageOutcome::Failed(Some(why))) => ("Not done, or not confirmed", "bad", format!("The driver reports: {why}")),
        Some(PageOutcome::Failed(None)) => (
            "Not done, or not confirmed",
            "bad",
            "The driver reports that the UPS did not do it, or does not know. The log of the driver says more.".into(),
        ),
        Some(PageOutcome::NotGiven(why)) => ("Not sent", "bad", why.clone()),
        Some(PageOutcome::Unseen) => (
            "Sent; the outcome is not known",
            "warning",
            "It was handed over, and nothing says whether the UPS did it. Look at its values.".into(),
        ),
        None => (
            "Sent; the outcome is not known yet",
            "warning",
            "It was handed over, and the driver has not said yet whether the UPS did it.".into(),
        ),
    };
    page.raw(&format!("<h1>{title}</h1>\n"));
    page.raw("<p class=\"state\">UPS <strong>");
    page.text(&ups.name);
    page.raw("</strong>: ");
    page.text(&order.in_words());
    page.raw(&format!("</p>\n<p class=\"consequence\" data-level=\"{level}\" role=\"status\">"));
    page.text(&text);
    page.raw("</p>\n<p>");
    if seen.is_none() {
        page.raw("<a href=\"\">Look again</a> &middot; ");
    }
    page.raw("<a href=\"");
    page.raw(&back(ups));
    page.raw("\">Back to the UPS</a></p>\n");
    page.end(UP)
}
