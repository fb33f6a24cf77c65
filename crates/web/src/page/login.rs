//! `/login`: the way in, the first account, and the way out.

use super::Page;
use super::control::{hidden, logged_in};
use crate::access::Exposed;

/// What the page of the login shows.
#[derive(Clone, Copy, Debug)]
pub struct LoginView<'a> {
    /// What each form has in it, which the browser has as a cookie too.
    pub token: &'a str,
    /// As whom, and the token of the session, where the browser is logged in.
    pub session: Option<(&'a str, &'a str)>,
    /// Why no password is taken here.
    pub exposed: Option<Exposed>,
    /// No user may do anything yet: a first account can be created.
    pub may_create: bool,
    /// The UPS to whose page it goes on.
    pub ups: Option<&'a str>,
    /// What went wrong before.
    pub trouble: Option<&'a str>,
    /// The name that was given before.
    pub name: &'a str,
}

/// The page.
pub fn login(view: &LoginView<'_>) -> String {
    let mut page = Page::still("Log in - qxups", "./");
    page.raw("<h1>Log in</h1>\n");
    if let Some(trouble) = view.trouble {
        page.raw("<p class=\"trouble\" role=\"alert\">");
        page.text(trouble);
        page.raw("</p>\n");
    }
    match (view.exposed, view.session) {
        (Some(exposed), _) => {
            page.raw("<p class=\"trouble\">");
            page.text(&exposed.to_string());
            page.raw("</p>\n");
        }
        (None, Some((name, token))) => {
            logged_in(name, token, "./", &mut page);
            page.raw(
                "<p>Commands and settings are on the page of each UPS. <a href=\"./\">All UPSes</a></p>\n",
            );
        }
        (None, None) if view.may_create => create(view, &mut page),
        (None, None) => enter(view, &mut page),
    }
    page.end("./")
}

fn enter(view: &LoginView<'_>, page: &mut Page) {
    page.raw("<p>For users of upsd.users, each with the rights that the file gives.</p>\n");
    page.raw("<form class=\"card\" method=\"post\" action=\"login\">");
    hidden("token", view.token, page);
    if let Some(ups) = view.ups {
        hidden("ups", ups, page);
    }
    name_field(view.name, "", page);
    page.raw("<label for=\"password\">Password</label><input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"current-password\" required maxlength=\"1000\">");
    page.raw("<button>Log in</button></form>\n");
}

fn create(view: &LoginView<'_>, page: &mut Page) {
    page.raw("<p>No user of upsd.users may give a command or change a setting yet. Add one there and reload, or create an account for this page here. It may give every command and change every setting.</p>\n");
    page.raw("<form class=\"card\" method=\"post\" action=\"account\">");
    hidden("token", view.token, page);
    page.raw("<label for=\"code\">Code</label><p id=\"code-hint\">It stands in the log of the server, and is good once.</p><input id=\"code\" name=\"code\" autocomplete=\"off\" autocapitalize=\"none\" spellcheck=\"false\" required maxlength=\"64\" aria-describedby=\"code-hint\">");
    name_field(view.name, " pattern=\"[A-Za-z0-9._\\-]{1,32}\" aria-describedby=\"name-hint\"", page);
    page.raw("<p id=\"name-hint\">Letters a to z, digits, dots, hyphens and underscores.</p>");
    page.raw("<label for=\"password\">New password</label><input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"new-password\" required minlength=\"8\" maxlength=\"1000\" aria-describedby=\"password-hint\"><p id=\"password-hint\">8 characters or more.</p>");
    page.raw("<button>Create the account</button></form>\n");
}

fn name_field(name: &str, more: &str, page: &mut Page) {
    page.raw("<label for=\"name\">Name</label><input id=\"name\" name=\"name\" autocomplete=\"username\" autocapitalize=\"none\" spellcheck=\"false\" required maxlength=\"250\" value=\"");
    page.text(name);
    page.raw(&format!("\"{more}>"));
}

/// One sentence, and a way on; `up` leads to the first page, `back` to where it goes on.
pub fn notice(title: &str, sentence: &str, up: &str, back: (&str, &str)) -> String {
    let mut page = Page::still(&format!("{title} - qxups"), up);
    page.raw("<h1>");
    page.text(title);
    page.raw("</h1>\n<p class=\"trouble\" role=\"alert\">");
    page.text(sentence);
    page.raw("</p>\n<p><a href=\"");
    page.text(back.0);
    page.raw("\">");
    page.text(back.1);
    page.raw("</a></p>\n");
    page.end(up)
}
