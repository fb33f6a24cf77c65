//! Requests of those who log in, give commands and change settings. What may be refused is refused before a byte of the body is
//! read, and nothing here is done twice: see [`crate::access`].

use crate::access::{
    AccessRefused, AccessSite, Answered, BrowserSigns, Caller, FORM_COOKIE, LONGEST_FORM, LoginSeen,
    PageAccount, PageOrder, PageOutcome, PageSession, PageSessions, PostedForm, SESSION_COOKIE, Wire, forget,
    is_form, is_same, only, set,
};
use crate::answer::{OTHER_NAME, PageSource, Whole};
use crate::escape;
use crate::page::{self, LoginView, Visitor};
use crate::request::Place;
use hyper::body::{Body, Incoming};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, header};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::time::timeout;

/// A form is whole within so long.
pub const FORM_WITHIN: Duration = Duration::from_secs(20);
/// The page of an outcome waits for it so long.
pub const OUTCOME_WITHIN: Duration = Duration::from_secs(10);
/// So many logins of one address are under way at once.
pub const LOGINS_AT_ONCE: usize = 4;

/// Where those go in who may do more than read.
pub struct Entrance {
    site: Rc<dyn AccessSite>,
    sessions: RefCell<PageSessions>,
    /// How many logins of an address are under way.
    trying: RefCell<BTreeMap<IpAddr, usize>>,
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
}

/// An answer with what only these need.
#[derive(Debug)]
pub(super) struct EntranceAnswer {
    pub whole: Whole,
    pub cookies: Vec<String>,
    pub location: Option<String>,
    /// The methods that there are, where another was used.
    pub allow: Option<&'static str>,
}

impl EntranceAnswer {
    fn of(whole: Whole) -> EntranceAnswer {
        EntranceAnswer { whole, cookies: vec![], location: None, allow: None }
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
        let name = |part: &str| escape::decoded(part, false).filter(|_| !part.is_empty());
        match path {
            "/login" => return Some(Door::Login),
            "/account" => return Some(Door::Account),
            "/logout" => return Some(Door::Logout),
            _ => {}
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
            Door::Account | Door::Logout => "POST",
            Door::Page(_) | Door::Outcome(_) => "GET, HEAD",
        }
    }

    /// The way from there to the first page.
    fn up(&self) -> &'static str {
        match self {
            Door::Login | Door::Account | Door::Logout => "./",
            Door::Page(_) => "../",
            Door::Order(_) | Door::Outcome(_) => "../../",
        }
    }
}

/// A request, as far as it counts here.
struct Visit<'r> {
    parts: &'r Parts,
    cookies: Vec<&'r str>,
    signs: BrowserSigns<'r>,
    caller: Caller,
    place: &'r Place,
}

/// The only header of that name; another text than any good one where there are several.
fn single(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    let mut all = headers.get_all(name).iter();
    let first = all.next()?;
    Some(first.to_str().ok().filter(|_| all.next().is_none()).unwrap_or("?"))
}

impl<'r> Visit<'r> {
    fn of(parts: &'r Parts, place: &'r Place, caller: Caller) -> Visit<'r> {
        let headers = &parts.headers;
        let named = header::HeaderName::from_static;
        let of_proxy = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"];
        let signs = BrowserSigns {
            origin: single(headers, header::ORIGIN),
            fetch_site: single(headers, named("sec-fetch-site")),
            host: super::host_of(&parts.uri, headers, place),
            forwarded_proto: single(headers, named("x-forwarded-proto")),
            is_forwarded: of_proxy.iter().any(|name| headers.contains_key(*name)),
        };
        let cookies =
            headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok()).collect();
        Visit { parts, cookies, signs, caller, place }
    }

    fn wire(&self) -> Result<Wire, AccessRefused> {
        self.signs.wire(&self.caller).map_err(|exposed| AccessRefused::new(403, exposed.to_string()))
    }

    /// The form that a page of this server sent.
    async fn form(&self, body: Incoming) -> Result<PostedForm, AccessRefused> {
        self.wire()?;
        if !self.signs.is_own_page(self.place) {
            let sentence = "Another page sent this form, or the browser does not say which one did: open the page of this \
                            server, by a name that 'hosts' in [web] of qxups.toml has, and send it from there.";
            return Err(AccessRefused::new(403, sentence));
        }
        if !single(&self.parts.headers, header::CONTENT_TYPE).is_some_and(is_form) {
            return Err(AccessRefused::new(415, "This is no form: send application/x-www-form-urlencoded."));
        }
        let bytes = timeout(FORM_WITHIN, whole(body)).await;
        let bytes =
            bytes.map_err(|_| AccessRefused::new(408, "The form did not come in time: send it again."))??;
        PostedForm::parse(&bytes).map_err(|wrong| AccessRefused::new(400, wrong.to_string()))
    }
}

/// A body of bounded length.
async fn whole(mut body: Incoming) -> Result<Vec<u8>, AccessRefused> {
    let too_long = || AccessRefused::new(413, "This is too long: a form has 16 kB at most.");
    let longest = LONGEST_FORM as u64;
    if body.size_hint().lower() > longest {
        return Err(too_long());
    }
    let mut bytes = vec![];
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame = frame.map_err(|_| AccessRefused::new(400, "The form is not whole: send it again."))?;
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > LONGEST_FORM {
            return Err(too_long());
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

/// One login that is under way.
struct Turn<'e> {
    entrance: &'e Entrance,
    address: IpAddr,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut trying = self.entrance.trying.borrow_mut();
        if let Some(count) = trying.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                trying.remove(&self.address);
            }
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
        Entrance { site, sessions: RefCell::default(), trying: RefCell::default() }
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
            let visit = Visit::of(&parts, place, caller);
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
        caller: Caller,
    ) -> EntranceAnswer {
        let (parts, body) = request.into_parts();
        let visit = Visit::of(&parts, place, caller);
        if !place.is_ours(visit.signs.host) {
            return EntranceAnswer::of(Whole { is_last: true, ..Whole::sentence(421, OTHER_NAME) });
        }
        let done = match (&parts.method, door) {
            (&Method::POST, Door::Login) => self.log_in(&visit, body).await,
            (&Method::POST, Door::Account) => self.create(&visit, body).await,
            (&Method::POST, Door::Logout) => self.log_out(&visit, body).await,
            (&Method::POST, Door::Order(ups)) => self.give(ups, &visit, body).await,
            (&Method::GET | &Method::HEAD, _) if !body.is_end_stream() => {
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

    /// One more login of this address, if there is room.
    fn turn(&self, address: IpAddr) -> Result<Turn<'_>, AccessRefused> {
        let address = super::gate::neighbourhood(address);
        let mut trying = self.trying.borrow_mut();
        let count = trying.entry(address).or_default();
        if *count >= LOGINS_AT_ONCE {
            let sentence =
                "Several logins from your address are under way already: wait a moment, and try again.";
            return Err(AccessRefused::new(429, sentence));
        }
        *count += 1;
        Ok(Turn { entrance: self, address })
    }

    fn show_login(&self, visit: &Visit<'_>) -> Result<EntranceAnswer, AccessRefused> {
        let query = PostedForm::parse(visit.parts.uri.query().unwrap_or_default().as_bytes()).ok();
        let ups = query.as_ref().and_then(|query| query.some("ups"));
        self.login_page(200, visit, ups, None, "")
    }

    /// The page of the login, with what went wrong before.
    fn login_page(
        &self,
        status: u16,
        visit: &Visit<'_>,
        ups: Option<&str>,
        trouble: Option<&str>,
        name: &str,
    ) -> Result<EntranceAnswer, AccessRefused> {
        let is_token = |text: &&str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let had = only(&visit.cookies, FORM_COOKIE).filter(is_token);
        let token = had.map_or_else(|| self.site.secret().map(|made| made.text()), |had| Ok(had.into()))?;
        let known = self.known(visit);
        let wire = visit.signs.wire(&visit.caller);
        let view = LoginView {
            token: &token,
            session: known.as_ref().map(|known| (known.account.name.as_str(), known.token.as_str())),
            exposed: wire.err(),
            may_create: self.site.may_create(),
            ups,
            trouble,
            name,
        };
        let mut answer = EntranceAnswer::page(status, page::login(&view));
        if had.is_none() && wire.is_ok() {
            answer.cookies.push(set(FORM_COOKIE, &token, wire == Ok(Wire::Sealed)));
        }
        Ok(answer)
    }

    /// Whether the form has what the browser got with its page.
    fn check_first_token(visit: &Visit<'_>, form: &PostedForm) -> Result<(), AccessRefused> {
        let cookie = only(&visit.cookies, FORM_COOKIE).unwrap_or_default();
        let token = form.get("token").unwrap_or_default();
        if token.len() == 64 && is_same(cookie.as_bytes(), token.as_bytes()) {
            return Ok(());
        }
        let sentence = "The form is not of a page that this browser got lately. Allow cookies for this server, load the page \
                        of the login again, and send it from there.";
        Err(AccessRefused::new(403, sentence))
    }

    async fn log_in(&self, visit: &Visit<'_>, body: Incoming) -> Result<EntranceAnswer, AccessRefused> {
        let form = visit.form(body).await?;
        Entrance::check_first_token(visit, &form)?;
        let (name, password) =
            (form.get("name").unwrap_or_default(), form.get("password").unwrap_or_default());
        let ups = form.some("ups");
        let turn = self.turn(visit.caller.address)?;
        let seen = self.site.clone().log_in(visit.caller, name.into(), password.into()).await;
        drop(turn);
        match seen {
            LoginSeen::Fits(account) => self.enter(visit, account, ups),
            LoginSeen::Wrong => {
                let trouble = "Name and password do not fit, or the user may not log in from here.";
                self.login_page(403, visit, ups, Some(trouble), name)
            }
            LoginSeen::Later => {
                let trouble = "Too many passwords wait to be checked. Try again in a minute.";
                self.login_page(503, visit, ups, Some(trouble), name)
            }
        }
    }

    async fn create(&self, visit: &Visit<'_>, body: Incoming) -> Result<EntranceAnswer, AccessRefused> {
        let form = visit.form(body).await?;
        Entrance::check_first_token(visit, &form)?;
        let field = |name: &str| form.get(name).unwrap_or_default().to_string();
        let turn = self.turn(visit.caller.address)?;
        let made =
            self.site.clone().create(visit.caller, field("code"), field("name"), field("password")).await;
        drop(turn);
        match made {
            Ok(account) => self.enter(visit, account, None),
            Err(refused) => {
                self.login_page(refused.status, visit, None, Some(&refused.sentence), &field("name"))
            }
        }
    }

    /// Begins a session with a key of its own, in place of any that the browser had.
    fn enter(
        &self,
        visit: &Visit<'_>,
        account: PageAccount,
        ups: Option<&str>,
    ) -> Result<EntranceAnswer, AccessRefused> {
        let is_secure = visit.wire()? == Wire::Sealed;
        let (key, token) = (self.site.secret()?, self.site.secret()?);
        let mut sessions = self.sessions.borrow_mut();
        if let Some(before) = only(&visit.cookies, SESSION_COOKIE) {
            sessions.end(before);
        }
        sessions.begin(key, token, account, now());
        let mut location = String::from("./");
        if let Some(ups) = ups {
            location.push_str("ups/");
            escape::segment(ups, &mut location);
        }
        let cookies = vec![set(SESSION_COOKIE, &key.text(), is_secure), forget(FORM_COOKIE, is_secure)];
        Ok(EntranceAnswer { cookies, ..EntranceAnswer::see(location) })
    }

    async fn log_out(&self, visit: &Visit<'_>, body: Incoming) -> Result<EntranceAnswer, AccessRefused> {
        let form = visit.form(body).await?;
        let is_secure = visit.wire()? == Wire::Sealed;
        if let Some(known) = self.known(visit) {
            if !is_same(known.token.as_bytes(), form.get("token").unwrap_or_default().as_bytes()) {
                return Err(foreign_token());
            }
            self.site.logged_out(&known.account, &visit.caller);
        }
        if let Some(key) = only(&visit.cookies, SESSION_COOKIE) {
            self.sessions.borrow_mut().end(key);
        }
        let cookies = vec![forget(SESSION_COOKIE, is_secure)];
        Ok(EntranceAnswer { cookies, ..EntranceAnswer::see("./".into()) })
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

    /// The question before an order.
    fn ask(
        &self,
        name: &str,
        visit: &Visit<'_>,
        source: &dyn PageSource,
    ) -> Result<EntranceAnswer, AccessRefused> {
        let Some(known) = self.known(visit) else { return Ok(to_login(name)) };
        let query = PostedForm::parse(visit.parts.uri.query().unwrap_or_default().as_bytes());
        let query = query.map_err(|wrong| AccessRefused::new(400, wrong.to_string()))?;
        let order = order_of(&query)?;
        let fleet = source.one(name);
        let ups = fleet.find(name).ok_or_else(|| no_such_ups(name))?;
        self.site.check(&known.account, &ups.name, &order)?;
        let controls = self.site.controls(&known.account, &ups.name);
        let about = match &order {
            PageOrder::Command { name, .. } => {
                controls.commands.iter().find(|command| command.name == *name).map(|command| &command.about)
            }
            PageOrder::Set { variable, .. } => controls
                .settings
                .iter()
                .find(|setting| setting.name == *variable)
                .map(|setting| &setting.about),
        };
        let about = about.map(String::as_str).filter(|about| !about.is_empty());
        let mark = self.site.secret()?;
        self.session(visit, |session| session.questions.ask(mark, &ups.name, order.clone(), now()))
            .ok_or_else(logged_out)?;
        Ok(EntranceAnswer::page(200, page::question(ups, &order, about, &known.token, &mark.text())))
    }

    /// Gives the order that a question was about, once.
    async fn give(
        &self,
        name: &str,
        visit: &Visit<'_>,
        body: Incoming,
    ) -> Result<EntranceAnswer, AccessRefused> {
        let form = visit.form(body).await?;
        let known = self.known(visit).ok_or_else(logged_out)?;
        if !is_same(known.token.as_bytes(), form.get("token").unwrap_or_default().as_bytes()) {
            return Err(foreign_token());
        }
        let mark = form.get("mark").unwrap_or_default();
        let answered = self.session(visit, |session| session.questions.answer(mark, name, now()));
        let number = match answered.ok_or_else(logged_out)? {
            Answered::Before(number) => number,
            Answered::Unasked => {
                let sentence = "Nothing was sent: the question was asked too long ago, or before others. Go back, and ask again.";
                return Err(AccessRefused::new(409, sentence));
            }
            Answered::Give(number, order) => {
                let (sender, seen) = watch::channel(None);
                // it counts as given before anything is done: whatever comes then, it is not given again
                self.session(visit, |session| session.questions.give(number, seen)).ok_or_else(logged_out)?;
                let given = self.site.give(&known.account, &visit.caller, name, &order, sender.clone());
                if let Err(refused) = given {
                    sender.send_replace(Some(PageOutcome::NotGiven(refused.sentence)));
                }
                number
            }
        };
        Ok(EntranceAnswer::see(format!("outcome?id={number}")))
    }

    /// What became of an order; a moment is waited for it.
    async fn outcome(
        &self,
        name: &str,
        visit: &Visit<'_>,
        source: &dyn PageSource,
    ) -> Result<EntranceAnswer, AccessRefused> {
        if self.known(visit).is_none() {
            return Ok(to_login(name));
        }
        let unknown = || AccessRefused::new(404, "Nothing is known of such an order in this session.");
        let query = PostedForm::parse(visit.parts.uri.query().unwrap_or_default().as_bytes()).ok();
        let number = query.as_ref().and_then(|query| query.get("id")?.parse().ok()).ok_or_else(unknown)?;
        let given = self.session(visit, |session| session.questions.outcome(number, name)).flatten();
        let (order, mut seen) = given.ok_or_else(unknown)?;
        let seen = match timeout(OUTCOME_WITHIN, seen.wait_for(Option::is_some)).await {
            Ok(Ok(outcome)) => outcome.clone(),
            // the driver is gone, and says nothing any more
            Ok(Err(_)) => Some(PageOutcome::Unseen),
            Err(_) => None,
        };
        let fleet = source.one(name);
        let ups = fleet.find(name).ok_or_else(|| no_such_ups(name))?;
        Ok(EntranceAnswer::page(200, page::outcome(ups, &order, seen.as_ref())))
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

fn no_such_ups(name: &str) -> AccessRefused {
    AccessRefused::new(
        404,
        format!("No UPS here is called '{name}'; see ups.conf of the server for the names."),
    )
}

fn to_login(ups: &str) -> EntranceAnswer {
    let mut location = String::from("../../login?ups=");
    escape::segment(ups, &mut location);
    EntranceAnswer::see(location)
}

/// What is asked for: a command with its parameter, or a variable with its new value.
fn order_of(query: &PostedForm) -> Result<PageOrder, AccessRefused> {
    match (query.some("command"), query.some("setting"), query.get("value")) {
        (Some(name), None, value) => {
            let value = value.filter(|value| !value.is_empty()).map(String::from);
            Ok(PageOrder::Command { name: name.into(), value })
        }
        (None, Some(variable), Some(value)) => {
            Ok(PageOrder::Set { variable: variable.into(), value: value.into() })
        }
        _ => Err(AccessRefused::new(
            400,
            "This asks for nothing: choose a command or a setting on the page of the UPS.",
        )),
    }
}

/// What is not done, as a page.
fn refusal(door: &Door, refused: &AccessRefused) -> EntranceAnswer {
    let (title, back) = match door {
        Door::Login | Door::Account | Door::Logout => ("Not done", ("login".to_string(), "To the login")),
        Door::Page(ups) | Door::Order(ups) | Door::Outcome(ups) => {
            let mut back = String::from("../");
            escape::segment(ups, &mut back);
            ("Not sent", (back, "Back to the UPS"))
        }
    };
    let page = page::notice(title, &refused.sentence, door.up(), (&back.0, back.1));
    let mut answer = EntranceAnswer::page(refused.status, page);
    // of a body that is not whole the rest is not read
    answer.whole.is_last = matches!(refused.status, 403 | 405 | 408 | 413 | 415);
    answer.allow = (refused.status == 405).then_some(door.methods());
    answer
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

    #[test]
    fn an_order_is_a_command_or_a_setting() {
        let order = |text: &str| order_of(&PostedForm::parse(text.as_bytes()).unwrap()).ok();
        let command = |name: &str, value: Option<&str>| {
            Some(PageOrder::Command { name: name.into(), value: value.map(String::from) })
        };
        assert_eq!(order("command=load.off"), command("load.off", None));
        assert_eq!(order("command=load.off&value="), command("load.off", None));
        assert_eq!(order("command=test.battery.start&value=60"), command("test.battery.start", Some("60")));
        let set = Some(PageOrder::Set { variable: "ups.id".into(), value: String::new() });
        assert_eq!(order("setting=ups.id&value="), set);
        for nothing in ["", "command=", "setting=ups.id", "command=a&setting=b&value=c", "value=1"] {
            assert_eq!(order(nothing), None, "{nothing}");
        }
    }
}
