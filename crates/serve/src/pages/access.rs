//! Users on the page: those of upsd.users with their rights, and the first account. Passwords are checked as for NUT's clients,
//! beside the thread of the server; what browsers fail slows no client of NUT down.

use super::account::{AccountFile, FirstCode, check_new};
use super::control;
use crate::fleet::Ups;
use crate::guard::Guard;
use crate::passwords;
use crate::server::{Peer, Server};
use nut::upsd_users::{AllowedAction, Password, UpsdUsers, User};
use std::cell::RefCell;
use std::fmt;
use std::net::IpAddr;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use web::access::{
    AccessRefused, AccessSite, Caller, LoginSeen, PageAccount, PageOrder, PageOutcome, PageSecret, Soon,
    UpsControls,
};

/// A check of a password that takes longer has not been made.
const CHECKED_WITHIN: Duration = Duration::from_secs(30);
/// Of a name that proves nothing so many letters go to the log.
const SHOWN: usize = 64;

/// Who may do what on the pages of a server.
pub(super) struct UserDesk {
    server: Rc<Server>,
    file: AccountFile,
    /// The account of the file.
    first: RefCell<Option<User>>,
    /// By this the first account is created; there while none is, and no user may do anything.
    code: RefCell<Option<FirstCode>>,
    /// Addresses that failed here.
    guard: RefCell<Guard>,
}

impl fmt::Debug for UserDesk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserDesk").finish_non_exhaustive()
    }
}

/// Whether a user may give any command or change any setting.
fn may_act(user: &User) -> bool {
    user.password.is_some() && (user.may_do(AllowedAction::Set) || !user.commands.is_empty())
}

/// What is compared to see whether an account is still the same.
fn proof(user: &User) -> Option<&str> {
    match user.password.as_ref()? {
        Password::Plain(text) | Password::Hash(text) => Some(text),
    }
}

/// A name for the log: one line, and not a long one.
fn shown(name: &str) -> String {
    let plain = name.chars().map(|letter| if letter.is_control() { '?' } else { letter });
    plain.take(SHOWN).collect()
}

impl UserDesk {
    /// Before a server whose lasting files are in this folder.
    pub fn new(server: Rc<Server>, lasting: &Path) -> Rc<UserDesk> {
        let desk = Rc::new(UserDesk {
            server,
            file: AccountFile::of(lasting),
            first: RefCell::default(),
            code: RefCell::default(),
            guard: RefCell::new(Guard::of_pages()),
        });
        desk.look_again();
        desk
    }

    /// Users, or the file, may be others than before.
    pub fn look_again(self: &Rc<Self>) {
        let read = self.file.read();
        let is_needed = read == Ok(None) && !self.server.users.borrow().users.iter().any(may_act);
        if let Err(why) = &read {
            self.server.log.warning(&format!("the first account of the page cannot be used: {why}"));
        }
        self.first.replace(read.unwrap_or_default());
        if !is_needed {
            self.code.replace(None);
        } else if self.code.borrow().is_none() {
            let mut bytes = [0; 32];
            if let Err(error) = self.server.random.fill(&mut bytes) {
                return self
                    .server
                    .log
                    .warning(&format!("cannot read /dev/urandom: {error}; no account can be created"));
            }
            let code = FirstCode::from_random(bytes);
            let shown = code.shown();
            self.code.replace(Some(code));
            let log = self.server.log.clone();
            // once the log is where it stays: a server in the background has it in the system's
            tokio::task::spawn_local(async move {
                log.warning(&format!(
                    "no user of upsd.users may give commands or change settings; to create an account for the page, open its \
                     login and give this code: {shown}"
                ));
            });
        }
    }

    /// The user of that name, if a password fits it and it may come from there.
    fn user(&self, name: &str, caller: &Caller) -> Option<User> {
        let users = self.server.users.borrow();
        let first = self.first.borrow();
        let user = users.user(name).or_else(|| first.as_ref().filter(|user| user.name == name))?;
        user.may_come_from(caller.address.to_canonical()).then(|| user.clone())
    }

    /// The user of a session.
    fn of(&self, account: &PageAccount) -> Option<User> {
        let users = self.server.users.borrow();
        let first = self.first.borrow();
        let user =
            users.user(&account.name).or_else(|| first.as_ref().filter(|user| user.name == account.name))?;
        (proof(user) == Some(account.proof.as_str())).then(|| user.clone())
    }

    /// Whether the account is what it was at the login.
    pub fn is_same(&self, account: &PageAccount) -> bool {
        self.of(account).is_some()
    }

    fn ups(&self, name: &str) -> Result<Rc<Ups>, AccessRefused> {
        let found = self.server.fleet.borrow().find(name).cloned();
        found.ok_or_else(|| AccessRefused::new(404, "This UPS is not served any more."))
    }

    /// Waits for the penalty of what failed before.
    async fn penalty(&self, caller: &Caller) {
        let since = Instant::now();
        loop {
            let until = self.guard.borrow().waits(caller.address.to_canonical(), since);
            let Some(until) = until else { return };
            sleep_until(until).await;
        }
    }

    fn failed(&self, caller: &Caller, text: &str) {
        self.guard.borrow_mut().failed(caller.address.to_canonical());
        self.server.say_seldom("log in to the page", Some(caller.address.to_canonical()), text);
    }

    /// Whether it is the password, as for a client of NUT.
    async fn is_hash_of(&self, caller: &Caller, hash: &str, given: &str) -> bool {
        // it is no client of NUT, and not among them: only its turn at the checks counts
        let peer = Peer::new(0, caller.address.to_canonical());
        loop {
            let failures = self.guard.borrow().failures(peer.address);
            if let Some(is_right) = self.server.checks.outcome(&peer, hash, given, failures) {
                return is_right;
            }
            let later = peer.later.get().unwrap_or_else(Instant::now);
            tokio::select! {
                () = sleep_until(later) => {}
                () = peer.wake.notified() => {}
            }
        }
    }

    async fn fits(&self, caller: &Caller, user: Option<&User>, given: &str) -> bool {
        match user.and_then(|user| user.password.as_ref()) {
            Some(password @ Password::Plain(_)) => password.is(given, &mut |_, _| false),
            Some(Password::Hash(hash)) => self.is_hash_of(caller, hash, given).await,
            None => {
                // as long as for a user that is there
                let other = any_hash(&self.server.users.borrow(), self.first.borrow().as_ref());
                if let Some(hash) = other {
                    self.is_hash_of(caller, &hash, given).await;
                }
                false
            }
        }
    }

    async fn logged_in(&self, caller: Caller, name: String, password: String) -> LoginSeen {
        self.penalty(&caller).await;
        let user = self.user(&name, &caller);
        let Ok(fits) = timeout(CHECKED_WITHIN, self.fits(&caller, user.as_ref(), &password)).await else {
            return LoginSeen::Later;
        };
        let from = caller.address.to_canonical();
        // a reload may have come meanwhile
        let user = user.filter(|user| fits && self.user(&name, &caller).as_ref() == Some(user));
        match user.as_ref().and_then(|user| Some(PageAccount::new(&user.name, proof(user)?))) {
            Some(account) => {
                self.server.log.info(&format!("{} logged in to the page from {from}", account.name));
                LoginSeen::Fits(account)
            }
            None => {
                let text = format!(
                    "{}@{from} may not log in to the page: name and password do not fit",
                    shown(&name)
                );
                self.failed(&caller, &text);
                LoginSeen::Wrong
            }
        }
    }

    async fn created(
        self: Rc<Self>,
        caller: Caller,
        code: String,
        name: String,
        password: String,
    ) -> Result<PageAccount, AccessRefused> {
        self.penalty(&caller).await;
        let from = caller.address.to_canonical();
        let Some(known) = self.code.borrow().clone() else {
            return Err(AccessRefused::new(409, "There is an account already: log in by it."));
        };
        if !known.is(&code) {
            self.failed(&caller, &format!("a wrong code for the first account of the page came from {from}"));
            return Err(AccessRefused::new(
                403,
                "The code is wrong: the log of the server has the one of its last start.",
            ));
        }
        // who does not have the code hears nothing of the users
        check_new(&name, &password).map_err(|why| AccessRefused::new(400, why))?;
        if self.server.users.borrow().users.iter().any(|user| user.name == name) {
            return Err(AccessRefused::new(409, "upsd.users has a user of this name: choose another."));
        }
        // it is good once, and no other attempt creates an account while this one is written
        self.code.replace(None);
        // to its end, also when the browser leaves meanwhile
        let finishing = tokio::task::spawn_local(self.finish(known, name, password, from));
        finishing.await.unwrap_or_else(|error| {
            Err(AccessRefused::new(500, format!("The account was not created: {error}. Try again.")))
        })
    }

    async fn finish(
        self: Rc<Self>,
        code: FirstCode,
        name: String,
        password: String,
        from: IpAddr,
    ) -> Result<PageAccount, AccessRefused> {
        let (file, given) = (self.file.clone(), name.clone());
        let made = tokio::task::spawn_blocking(move || {
            let hash = passwords::hash(&password)?;
            file.write(&given, &hash)
        });
        let done = made.await.unwrap_or_else(|error| Err(format!("the account was not written: {error}")));
        if let Err(why) = done {
            self.code.replace(Some(code));
            self.server.log.warning(&format!("no account for the page was created: {why}"));
            return Err(AccessRefused::new(500, format!("The account was not created: {why}.")));
        }
        self.server.log.warning(&format!("the first account of the page, {name}, was created from {from}"));
        self.look_again();
        let user = self.first.borrow().clone().filter(|user| user.name == name);
        user.as_ref().and_then(|user| Some(PageAccount::new(&user.name, proof(user)?))).ok_or_else(|| {
            AccessRefused::new(500, "The account was written, and cannot be read: see the log of the server.")
        })
    }
}

/// The hash of any user.
fn any_hash(users: &UpsdUsers, first: Option<&User>) -> Option<String> {
    users.users.iter().chain(first).find_map(|user| match &user.password {
        Some(Password::Hash(hash)) => Some(hash.clone()),
        _ => None,
    })
}

impl AccessSite for UserDesk {
    fn secret(&self) -> Result<PageSecret, AccessRefused> {
        let mut bytes = [0; 32];
        match self.server.random.fill(&mut bytes) {
            Ok(()) => Ok(PageSecret::from_random(bytes)),
            Err(error) => {
                let sentence = format!("The server cannot read /dev/urandom: {error}. Start it again.");
                Err(AccessRefused::new(500, sentence))
            }
        }
    }

    fn log_in(self: Rc<Self>, caller: Caller, name: String, password: String) -> Soon<LoginSeen> {
        Box::pin(async move { self.logged_in(caller, name, password).await })
    }

    fn may_create(&self) -> bool {
        self.code.borrow().is_some()
    }

    fn create(
        self: Rc<Self>,
        caller: Caller,
        code: String,
        name: String,
        password: String,
    ) -> Soon<Result<PageAccount, AccessRefused>> {
        Box::pin(self.created(caller, code, name, password))
    }

    fn is_still(&self, account: &PageAccount, caller: &Caller) -> bool {
        self.of(account).is_some_and(|user| user.may_come_from(caller.address.to_canonical()))
    }

    fn unit(&self, ups: &str) -> Option<u128> {
        self.ups(ups).ok().map(|ups| ups.unit())
    }

    fn controls(&self, account: &PageAccount, ups: &str) -> UpsControls {
        match (self.of(account), self.ups(ups)) {
            (Some(user), Ok(ups)) => control::of(&self.server, &user, &ups),
            _ => UpsControls::default(),
        }
    }

    fn check(&self, account: &PageAccount, ups: &str, order: &PageOrder) -> Result<(), AccessRefused> {
        let user = self.of(account).ok_or_else(changed)?;
        control::check(&user, &*self.ups(ups)?, order)
    }

    fn give(
        &self,
        account: &PageAccount,
        caller: &Caller,
        ups: &str,
        order: &PageOrder,
        outcome: watch::Sender<Option<PageOutcome>>,
    ) -> Result<(), AccessRefused> {
        let user = self.of(account).ok_or_else(changed)?;
        let ups = self.ups(ups)?;
        control::check(&user, &ups, order)?;
        let who = format!("{}@{}", user.name, caller.address.to_canonical());
        control::give(&self.server, &who, &ups, order, outcome)
    }

    fn logged_out(&self, account: &PageAccount, caller: &Caller) {
        let from = caller.address.to_canonical();
        self.server.log.info(&format!("{} logged out of the page from {from}", account.name));
    }
}

fn changed() -> AccessRefused {
    AccessRefused::new(403, "Your user was changed meanwhile, so nothing was sent: log in again.")
}
