//! The pages: HTML that is whole without a script. With one, the same elements are kept up to date: each that a script may
//! change has `data-...` attributes, and gets text only, never markup.
//!
//! Links are relative, so that pages work behind any path of a proxy.

mod battery;
mod control;
mod login;
mod one;
mod outages;
mod overview;
mod plot;
mod plots;
mod question;
mod tabs;

pub(crate) use battery::battery;
pub use control::Visitor;
pub use login::{LoginView, login, notice};
pub use one::{missing, one};
pub(crate) use outages::outages;
pub use overview::overview;
pub(crate) use plot::{SVG_POINTS, plotted};
pub(crate) use plots::plots;
pub use question::{outcome, question};
pub(crate) use tabs::{missing_below, without_history};

use crate::condition::Seriousness;
use crate::escape;
use std::time::Duration;

/// A page in the making; `up` leads from it to the first page (`./` or `../`).
struct Page {
    out: String,
}

impl Page {
    /// One that is kept up to date by these events.
    fn begin(title: &str, up: &str, events: &str) -> Page {
        Page::open(title, up, Some(events))
    }

    /// One that is not.
    fn still(title: &str, up: &str) -> Page {
        Page::open(title, up, None)
    }

    fn open(title: &str, up: &str, events: Option<&str>) -> Page {
        let mut page = Page { out: String::with_capacity(8 * 1024) };
        page.raw("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>");
        page.text(title);
        page.raw("</title>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
        page.raw("<meta name=\"color-scheme\" content=\"light dark\">\n");
        for (rel, file) in [("stylesheet", "page.css"), ("icon", "icon.svg")] {
            page.raw(&format!("<link rel=\"{rel}\" href=\"{up}{file}\">\n"));
        }
        match events {
            Some(events) => {
                page.raw(&format!("<script src=\"{up}page.js\" defer></script>\n</head>\n"));
                page.raw(&format!("<body data-events=\"{up}api/v1/events"));
                page.text(events);
                page.raw("\">");
            }
            None => page.raw("</head>\n<body>"),
        }
        page.raw("\n<a class=\"skip\" href=\"#main\">Skip to content</a>\n");
        page.raw(&format!("<header><a class=\"home\" href=\"{up}\">qxups</a>"));
        if events.is_some() {
            page.raw(
                "<p id=\"live\" class=\"live\">As of when this page was loaded. <a href=\"\">Reload</a></p>",
            );
        }
        page.raw("</header>\n");
        page.raw("<main id=\"main\" tabindex=\"-1\">\n");
        page
    }

    /// Markup.
    fn raw(&mut self, markup: &str) {
        self.out.push_str(markup);
    }

    /// A text.
    fn text(&mut self, text: &str) {
        escape::html(text, &mut self.out);
    }

    /// The end; `up` as at the beginning.
    fn end(mut self, up: &str) -> String {
        // what changes is said by screen readers
        self.raw("<p id=\"news\" class=\"unseen\" role=\"status\"></p>\n</main>\n<footer><nav aria-label=\"Data\"><ul>");
        for (path, what) in
            [("metrics", "Metrics"), ("api/v1/ups", "JSON"), ("api/v1/openapi.json", "API description")]
        {
            self.raw(&format!("<li><a href=\"{up}{path}\">{what}</a></li>"));
        }
        self.raw("</ul></nav></footer>\n</body>\n</html>\n");
        self.out
    }

    /// A state in words, with a sign for those who see no colours.
    fn badge(&mut self, text: &str, level: Seriousness) {
        self.raw(&format!("<span class=\"badge\" data-level=\"{}\">", level.word()));
        self.text(text);
        self.raw("</span>");
    }

    /// An age that the script counts on from.
    fn age(&mut self, age: Option<Duration>) {
        match age {
            Some(age) => {
                self.raw(&format!("<span class=\"age\" data-age=\"{:.1}\">", age.as_secs_f64()));
                self.text(&aged(age));
            }
            None => self.raw("<span class=\"age\" data-age=\"\">never"),
        }
        self.raw("</span>");
    }
}

/// How long ago, for people; page.js has the same.
fn aged(age: Duration) -> String {
    let seconds = age.as_secs();
    match seconds {
        0..120 => format!("{seconds} s ago"),
        120..7200 => format!("{} min ago", seconds / 60),
        7200..172_800 => format!("{} h ago", seconds / 3600),
        _ => format!("{} days ago", seconds / 86400),
    }
}

/// A number with its unit; a runtime in minutes and seconds, as page.js has it.
fn quantity(name: &str, value: f64) -> String {
    let shown = crate::number::plain((value * 10.0).round() / 10.0);
    match name {
        "charge_percent" | "load_percent" => format!("{shown} %"),
        "input_volts" => format!("{shown} V"),
        "runtime_s" if value >= 7200.0 => {
            format!("{} h {} min", (value / 3600.0).floor(), (value % 3600.0 / 60.0).floor())
        }
        "runtime_s" if value >= 60.0 => {
            format!("{} min {} s", (value / 60.0).floor(), (value % 60.0).floor())
        }
        "runtime_s" => format!("{shown} s"),
        _ => shown,
    }
}
