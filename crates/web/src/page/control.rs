//! Commands and settings on the page of one UPS, for who may give them. Each form leads to a question, and gives nothing by
//! itself.

use super::Page;
use crate::access::{CommandControl, SettingControl, UpsControls, Weight, consequence, value_of};
use crate::escape;
use crate::view::{DataState, UpsView};

/// For whom a page is.
#[derive(Clone, Copy, Debug)]
pub enum Visitor<'a> {
    /// Who only reads, and whether it is possible to log in.
    Reader(bool),
    /// Who is logged in.
    User {
        /// As whom.
        name: &'a str,
        /// The token of the session.
        token: &'a str,
        /// What the user may do.
        controls: &'a UpsControls,
    },
}

impl Visitor<'_> {
    /// The way to it, which stands at the top.
    pub(super) fn point(&self, ups: &UpsView, page: &mut Page) {
        match self {
            Visitor::Reader(false) => {}
            Visitor::Reader(true) => {
                let mut name = String::new();
                escape::segment(&ups.name, &mut name);
                page.raw(&format!("<p class=\"enter\"><a href=\"../login?ups={name}\">Log in</a> to give commands and change settings.</p>\n"));
            }
            Visitor::User { .. } => {
                page.raw("<p class=\"enter\"><a href=\"#control\">Commands and settings</a></p>\n")
            }
        }
    }

    /// The part of the page that is for this visitor.
    pub(super) fn show(&self, ups: &UpsView, page: &mut Page) {
        match self {
            Visitor::Reader(may_log_in) => commands(ups, *may_log_in, page),
            Visitor::User { name, token, controls } => {
                page.raw("<section id=\"control\" aria-labelledby=\"control-title\">\n<h2 id=\"control-title\">Commands and settings</h2>\n");
                logged_in(name, token, "../", page);
                if ups.state != DataState::Fresh {
                    page.raw("<p>Nothing can be commanded or set while there is no fresh data.</p>\n");
                } else if **controls == UpsControls::default() {
                    page.raw(
                        "<p>This UPS offers no command and no setting that upsd.users allows you.</p>\n",
                    );
                }
                let mut base = String::new();
                escape::segment(&ups.name, &mut base);
                base.push_str("/order");
                list_commands(&controls.commands, &base, page);
                list_settings(&controls.settings, &base, page);
                page.raw("</section>\n");
            }
        }
    }
}

/// As whom, and the way out.
pub(super) fn logged_in(name: &str, token: &str, up: &str, page: &mut Page) {
    page.raw(&format!(
        "<form class=\"who\" method=\"post\" action=\"{up}logout\"><span>Logged in as <strong>"
    ));
    page.text(name);
    page.raw("</strong></span>");
    hidden("token", token, page);
    page.raw("<button>Log out</button></form>\n");
}

/// A field that is not seen.
pub(super) fn hidden(name: &str, value: &str, page: &mut Page) {
    page.raw(&format!("<input type=\"hidden\" name=\"{name}\" value=\""));
    page.text(value);
    page.raw("\">");
}

fn list_commands(commands: &[CommandControl], action: &str, page: &mut Page) {
    if commands.is_empty() {
        return;
    }
    page.raw("<h3>Commands</h3>\n<p>Each is asked about before it is sent.</p>\n<ul class=\"orders\">\n");
    for (at, command) in commands.iter().enumerate() {
        page.raw(&format!("<li><form method=\"get\" action=\"{action}\"><div id=\"command-{at}\"><strong>"));
        dotted(&command.name, page);
        page.raw("</strong>");
        if !command.about.is_empty() {
            page.raw("<small>");
            page.text(&command.about);
            page.raw("</small>");
        }
        page.raw("</div>");
        hidden("command", &command.name, page);
        if let Some(label) = value_of(&command.name) {
            page.raw(&format!("<label>{label} <input name=\"value\" inputmode=\"numeric\" size=\"5\" maxlength=\"10\"></label>"));
        }
        let weight = match consequence(&command.name).0 {
            Weight::Load | Weight::Unknown => " class=\"grave\"",
            Weight::Battery | Weight::Light => "",
        };
        page.raw(&format!(
            "<button{weight} aria-describedby=\"command-{at}\">Send\u{2026}</button></form></li>\n"
        ));
    }
    page.raw("</ul>\n");
}

fn list_settings(settings: &[SettingControl], action: &str, page: &mut Page) {
    if settings.is_empty() {
        return;
    }
    page.raw(
        "<h3>Settings</h3>\n<p>Each change is asked about before it is sent.</p>\n<ul class=\"orders\">\n",
    );
    for (at, setting) in settings.iter().enumerate() {
        page.raw(&format!(
            "<li><form method=\"get\" action=\"{action}\"><div><label for=\"setting-{at}\"><strong>"
        ));
        dotted(&setting.name, page);
        page.raw("</strong>");
        if !setting.about.is_empty() {
            page.raw("<small>");
            page.text(&setting.about);
            page.raw("</small>");
        }
        page.raw("</label></div>");
        hidden("setting", &setting.name, page);
        field(setting, at, page);
        page.raw(&format!("<button aria-describedby=\"setting-{at}\">Change\u{2026}</button></form></li>\n"));
    }
    page.raw("</ul>\n");
}

fn field(setting: &SettingControl, at: usize, page: &mut Page) {
    if !setting.choices.is_empty() {
        page.raw(&format!("<select id=\"setting-{at}\" name=\"value\">"));
        for choice in &setting.choices {
            page.raw("<option value=\"");
            page.text(choice);
            page.raw(if *choice == setting.value { "\" selected>" } else { "\">" });
            page.text(choice);
            page.raw("</option>");
        }
        return page.raw("</select>");
    }
    page.raw(&format!("<input id=\"setting-{at}\" name=\"value\" autocomplete=\"off\" value=\""));
    page.text(&setting.value);
    page.raw("\"");
    if let [(least, most)] = setting.ranges.as_slice() {
        page.raw(&format!(" type=\"number\" step=\"any\" min=\"{least}\" max=\"{most}\""));
    } else {
        page.raw(&format!(" maxlength=\"{}\"", setting.longest.unwrap_or(255)));
    }
    page.raw(">");
}

/// A long name, which breaks at its points.
pub(super) fn dotted(name: &str, page: &mut Page) {
    for (at, part) in name.split('.').enumerate() {
        if at > 0 {
            page.raw(".<wbr>");
        }
        page.text(part);
    }
}

fn commands(ups: &UpsView, may_log_in: bool, page: &mut Page) {
    if ups.commands.is_empty() {
        return;
    }
    page.raw("<details><summary>Commands that the UPS offers</summary>\n");
    if !may_log_in {
        page.raw("<p>This page gives none; use <code>qxups cmd</code> or <code>upscmd</code>.</p>\n");
    }
    page.raw("<ul>");
    for command in &ups.commands {
        page.raw("<li><code>");
        page.text(command);
        page.raw("</code></li>");
    }
    page.raw("</ul></details>\n");
}
