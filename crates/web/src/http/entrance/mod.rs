//! Requests of those who log in, give commands and change settings. What may be refused is refused before a byte of the body is
//! read, and nothing here is done twice: see [`crate::access`].

mod api;
mod orders;
mod queue;
mod users;
mod visit;

pub use orders::OUTCOME_WITHIN;
pub use visit::FORM_WITHIN;

use crate::access::{
    AccessRefused, AccessSite, Caller, PageAccount, PageSession, PageSessions, SESSION_COOKIE, only,
};
use crate::answer::{OTHER_NAME, PageSource, Whole};
use crate::escape;
use crate::http::gate::GatePass;
use crate::json;
use crate::page::{self, Visitor};
use crate::request::Place;
use hyper::body::{Body, Incoming};
use hyper::http::request::Parts;
use hyper::{Method, header};
use queue::{LoginQueue, LoginTurn};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Instant;
use visit::Visit;

/// Where those go in who may do more than read.
pub struct Entrance {
    site: Rc<dyn AccessSite>,
    sessions: RefCell<PageSessions>,
    /// Logins that are under way.
    logins: LoginQueue,
}

impl std::fmt::Debug for Entrance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entrance").field("sessions", &self.sessions.borrow().count()).finish_non_exhaustive()
    }
}

/// What lies behind the entrance; each with the name of the UPS, where there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Door {
    Login,
    Account,
    Logout,
    Page(String),
    Order(String),
    Outcome(String),
    /// A command, by programs.
    Command(String, String),
    /// A variable, by programs.
    Setting(String, String),
}

/// An answer with what only these need.
#[derive(Debug)]
pub(super) struct EntranceAnswer {
    pub whole: Whole,
    pub cookies: Vec<String>,
    pub location: Option<String>,
    /// The methods that there are, where another was used.
    pub allow: Option<&'static str>,
    /// Name and password are to be sent.
    pub asks_who: bool,
}

impl EntranceAnswer {
    fn of(whole: Whole) -> EntranceAnswer {
        EntranceAnswer { whole, cookies: vec![], location: None, allow: None, asks_who: false }
    }

    fn page(status: u16, page: String) -> EntranceAnswer {
        EntranceAnswer::of(Whole::html(status, page))
    }

    /// Goes on there, by GET: a reload of what comes then sends nothing again.
    fn see(location: String) -> EntranceAnswer {
        let whole = Whole::sentence(303, "This goes on at another address.");
        EntranceAnswer { location: Some(location), ..EntranceAnswer::of(whole) }
    }
}

impl Door {
    /// What lies at a path.
    fn at(path: &str) -> Option<Door> {
        let name =
            |part: &str| escape::decoded(part, false).filter(|_| !part.is_empty() && !part.contains('/'));
        match path {
            "/login" => return Some(Door::Login),
            "/account" => return Some(Door::Account),
            "/logout" => return Some(Door::Logout),
            _ => {}
        }
        if let Some(rest) = path.strip_prefix("/api/v1/ups/") {
            let (ups, rest) = rest.split_once('/')?;
            return match rest.split_once('/')? {
                ("commands", command) => Some(Door::Command(name(ups)?, name(command)?)),
                ("settings", variable) => Some(Door::Setting(name(ups)?, name(variable)?)),
                _ => None,
            };
        }
        let rest = path.strip_prefix("/ups/")?;
        match rest.split_once('/') {
            None => Some(Door::Page(name(rest)?)),
            Some((ups, "order")) => Some(Door::Order(name(ups)?)),
            Some((ups, "outcome")) => Some(Door::Outcome(name(ups)?)),
            Some(_) => None,
        }
    }

    fn methods(&self) -> &'static str {
        match self {
            Door::Login | Door::Order(_) => "GET, HEAD, POST",
            Door::Account | Door::Logout | Door::Command(..) => "POST",
            Door::Setting(..) => "PUT",
            Door::Page(_) | Door::Outcome(_) => "GET, HEAD",
        }
    }

    /// The way from there to the first page.
    fn up(&self) -> &'static str {
        match self {
            Door::Login | Door::Account | Door::Logout => "./",
            Door::Page(_) => "../",
            Door::Order(_) | Door::Outcome(_) | Door::Command(..) | Door::Setting(..) => "../../",
        }
    }
}

/// As whom a browser is logged in, and the token of its forms.
struct Known {
    account: PageAccount,
    token: String,
}

fn logged_out() -> AccessRefused {
    AccessRefused::new(403, "You are not logged in any more, so nothing was sent. Log in, and ask again.")
}

fn foreign_token() -> AccessRefused {
    AccessRefused::new(
        403,
        "This form is of an earlier login, so nothing was sent. Load the page again, and send it from there.",
    )
}

impl Entrance {
    /// In front of a server.
    pub fn new(site: Rc<dyn AccessSite>) -> Entrance {
        Entrance { site, sessions: RefCell::default(), logins: LoginQueue::default() }
    }

    /// Users may be others than before: ends the sessions of those who are gone or have another password.
    pub fn look_again(&self, is_still: impl Fn(&PageAccount) -> bool) {
        self.sessions.borrow_mut().keep(is_still);
    }

    /// Where a request goes in; none for what everyone may read.
    pub(super) fn door(
        &self,
        parts: &hyper::Request<Incoming>,
        place: &Place,
        caller: Caller,
    ) -> Option<Door> {
        let door = place.find(parts.uri().path(), Door::at)?;
        // the page of a UPS is for all: for those who are logged in there is more on it
        if matches!(door, Door::Page(_)) {
            let is_read =
                matches!(*parts.method(), Method::GET | Method::HEAD) && parts.body().is_end_stream();
            if !is_read || !parts.headers().contains_key(header::COOKIE) {
                return None;
            }
            let parts = head_of(parts);
            let visit = Visit::of(&parts, place, caller, None);
            place.is_ours(visit.signs.host).then_some(())?;
            self.known(&visit)?;
        }
        Some(door)
    }

    /// The answer to such a request.
    pub(super) async fn answer(
        &self,
        door: &Door,
        request: hyper::Request<Incoming>,
        source: &dyn PageSource,
        place: &Place,
        (caller, pass): (Caller, &GatePass),
    ) -> EntranceAnswer {
        let (parts, body) = request.into_parts();
        let visit = Visit::of(&parts, place, caller, Some(pass));
        if !place.is_ours(visit.signs.host) {
            return EntranceAnswer::of(Whole { is_last: true, ..Whole::sentence(421, OTHER_NAME) });
        }
        let done = match (&parts.method, door) {
            (&Method::POST, Door::Login) => self.log_in(&visit, body).await,
            (&Method::POST, Door::Account) => self.create(&visit, body).await,
            (&Method::POST, Door::Logout) => self.log_out(&visit, body).await,
            (&Method::POST, Door::Order(ups)) => self.give(ups, &visit, body).await,
            (&Method::POST, Door::Command(ups, command)) => {
                self.api_command(ups, command, &visit, body).await
            }
            (&Method::PUT, Door::Setting(ups, variable)) => self.api_set(ups, variable, &visit, body).await,
            (
                &Method::GET | &Method::HEAD,
                Door::Login | Door::Page(_) | Door::Order(_) | Door::Outcome(_),
            ) if !body.is_end_stream() => {
                Err(AccessRefused::new(413, "A request by GET has no body: send it without."))
            }
            (&Method::GET | &Method::HEAD, Door::Login) => self.show_login(&visit),
            (&Method::GET | &Method::HEAD, Door::Page(ups)) => self.show(ups, &visit, source),
            (&Method::GET | &Method::HEAD, Door::Order(ups)) => self.ask(ups, &visit, source),
            (&Method::GET | &Method::HEAD, Door::Outcome(ups)) => self.outcome(ups, &visit, source).await,
            _ => {
                let sentence = format!("This address knows no such request: use {}.", door.methods());
                Err(AccessRefused::new(405, sentence))
            }
        };
        done.unwrap_or_else(|refused| refusal(door, &refused))
    }

    /// As whom the browser is logged in. Over a connection on which no password may come it is not.
    fn known(&self, visit: &Visit<'_>) -> Option<Known> {
        let (account, token) =
            self.session(visit, |session| (session.account.clone(), session.token.text()))?;
        self.site.is_still(&account, &visit.caller).then_some(Known { account, token })
    }

    fn session<R>(&self, visit: &Visit<'_>, act: impl FnOnce(&mut PageSession) -> R) -> Option<R> {
        visit.wire().ok()?;
        let key = only(&visit.cookies, SESSION_COOKIE)?;
        self.sessions.borrow_mut().find(key, now()).map(act)
    }

    /// The turn of a login by this name; other logins of the address may come before. A connection that waits for it gives
    /// way to a newcomer only after all others.
    async fn turn(&self, visit: &Visit<'_>, name: &str) -> Result<LoginTurn, AccessRefused> {
        let address = super::gate::neighbourhood(visit.caller.address);
        let turn = match self.logins.turn(address, name) {
            Ok(turn) => return Ok(turn),
            Err(turn) => turn,
        };
        let _waits = visit.pass.map(GatePass::waits);
        // each turn that ends begins the next
        turn.await.map_err(|_| AccessRefused::new(503, "The login was broken off: try again."))
    }

    fn show(
        &self,
        name: &str,
        visit: &Visit<'_>,
        source: &dyn PageSource,
    ) -> Result<EntranceAnswer, AccessRefused> {
        let known = self.known(visit).ok_or_else(logged_out)?;
        let fleet = source.one(name);
        let Some(ups) = fleet.find(name) else {
            return Ok(EntranceAnswer::page(404, page::missing(name)));
        };
        let controls = self.site.controls(&known.account, &ups.name);
        let visitor = Visitor::User { name: &known.account.name, token: &known.token, controls: &controls };
        Ok(EntranceAnswer::page(200, page::one(ups, &visitor)))
    }
}

/// Sessions are counted by a clock that does not jump, and that tests can turn.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// The head of a request whose body stays.
fn head_of(request: &hyper::Request<Incoming>) -> Parts {
    let mut head = hyper::Request::new(());
    *head.method_mut() = request.method().clone();
    *head.uri_mut() = request.uri().clone();
    *head.headers_mut() = request.headers().clone();
    head.into_parts().0
}

/// What is not done, as a page.
fn refusal(door: &Door, refused: &AccessRefused) -> EntranceAnswer {
    let mut answer = match door {
        Door::Command(..) | Door::Setting(..) => {
            EntranceAnswer::of(Whole::json(refused.status, json::error(&refused.sentence)))
        }
        door => EntranceAnswer::page(refused.status, refusal_page(door, refused)),
    };
    // of a body that is not whole the rest is not read
    answer.whole.is_last = matches!(refused.status, 401 | 403 | 405 | 408 | 413 | 415);
    answer.allow = (refused.status == 405).then_some(door.methods());
    answer.asks_who = refused.status == 401;
    answer
}

fn refusal_page(door: &Door, refused: &AccessRefused) -> String {
    let (title, back) = match door {
        Door::Login | Door::Account | Door::Logout | Door::Command(..) | Door::Setting(..) => {
            ("Not done", ("login".to_string(), "To the login"))
        }
        Door::Page(ups) | Door::Order(ups) | Door::Outcome(ups) => {
            let mut back = String::from("../");
            escape::segment(ups, &mut back);
            ("Not sent", (back, "Back to the UPS"))
        }
    };
    page::notice(title, &refused.sentence, door.up(), (&back.0, back.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_through_one_door() {
        let place = Place { hosts: vec![], base: "/power".into() };
        for (path, door) in [
            ("/login", Some(Door::Login)),
            ("/power/login", Some(Door::Login)),
            ("/account", Some(Door::Account)),
            ("/logout", Some(Door::Logout)),
            ("/ups/rack", Some(Door::Page("rack".into()))),
            ("/power/ups/%3Cb%3E/order", Some(Door::Order("<b>".into()))),
            ("/ups/a%2Fb/outcome", Some(Door::Outcome("a/b".into()))),
            (
                "/power/api/v1/ups/r%2Fk/commands/load.off",
                Some(Door::Command("r/k".into(), "load.off".into())),
            ),
            ("/api/v1/ups/rack/settings/ups.id", Some(Door::Setting("rack".into(), "ups.id".into()))),
            ("/api/v1/ups/rack/settings/", None),
            ("/api/v1/ups/rack/commands", None),
            ("/api/v1/ups/rack/commands/a/b", None),
            ("/api/v1/ups/rack", None),
            ("/login/", None),
            ("/ups/", None),
            ("/ups//order", None),
            ("/ups/rack/order/1", None),
            ("/ups/rack/other", None),
            ("/ups/%ff/order", None),
            ("/", None),
        ] {
            assert_eq!(place.find(path, Door::at), door, "{path}");
        }
    }
}
