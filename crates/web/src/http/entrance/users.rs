//! The way in and out: login, the first account, logout.

use super::visit::Visit;
use super::{Entrance, EntranceAnswer, foreign_token, now};
use crate::access::{
    AccessRefused, BrowserWire, FORM_COOKIE, LoginSeen, PageAccount, PostedForm, SESSION_COOKIE, forget,
    is_same, only, set,
};
use crate::escape;
use crate::page::{self, LoginView};
use hyper::body::Incoming;

impl Entrance {
    pub(super) fn show_login(&self, visit: &Visit<'_>) -> Result<EntranceAnswer, AccessRefused> {
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
            answer.cookies.push(set(FORM_COOKIE, &token, wire == Ok(BrowserWire::Sealed)));
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

    pub(super) async fn log_in(
        &self,
        visit: &Visit<'_>,
        body: Incoming,
    ) -> Result<EntranceAnswer, AccessRefused> {
        let form = visit.form(body).await?;
        Entrance::check_first_token(visit, &form)?;
        let (name, password) =
            (form.get("name").unwrap_or_default(), form.get("password").unwrap_or_default());
        let ups = form.some("ups");
        match self.checked(visit, name, password).await? {
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

    /// Whether name and password fit, when the login has its turn.
    pub(super) async fn checked(
        &self,
        visit: &Visit<'_>,
        name: &str,
        password: &str,
    ) -> Result<LoginSeen, AccessRefused> {
        let _turn = self.turn(visit, name).await?;
        Ok(self.site.clone().log_in(visit.caller, name.into(), password.into()).await)
    }

    pub(super) async fn create(
        &self,
        visit: &Visit<'_>,
        body: Incoming,
    ) -> Result<EntranceAnswer, AccessRefused> {
        let form = visit.form(body).await?;
        Entrance::check_first_token(visit, &form)?;
        let field = |name: &str| form.get(name).unwrap_or_default().to_string();
        let turn = self.turn(visit, &field("name")).await?;
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
        let is_secure = visit.wire()? == BrowserWire::Sealed;
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

    pub(super) async fn log_out(
        &self,
        visit: &Visit<'_>,
        body: Incoming,
    ) -> Result<EntranceAnswer, AccessRefused> {
        let form = visit.form(body).await?;
        let is_secure = visit.wire()? == BrowserWire::Sealed;
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
}
