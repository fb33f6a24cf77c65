//! The server as one of its connections sees it.

use crate::descriptions::Descriptions;
use crate::fleet::{Ended, Source, Ups, WhenEnded};
use crate::server::{Peer, Server};
use crate::views::{ExtraName, with_low_battery};
use history::EventKind;
use nut::network::TrackedOutcome;
use nut::network::server::{
    Client, Freshness, Handed, Note, Order, Permission, Right, ServerIdentity, Site, UpsId, Variable,
};
use nut::upsd_users::{AllowedAction, Password, UpsdUsers, User};
use protect::StageSignal;
use std::cell::RefCell;
use std::rc::Rc;
use tokio::time::Instant;

/// It is not known yet.
struct Later;

/// Of what a client says without proof, so many letters go to the log.
const SHOWN: usize = 64;

fn short(text: &str) -> String {
    let mut letters = text.chars();
    let mut shown: String = letters.by_ref().take(SHOWN).collect();
    if letters.next().is_some() {
        shown += "...";
    }
    shown
}

/// The server, before one client.
pub(crate) struct Desk<'s> {
    server: &'s Server,
    peer: &'s Rc<Peer>,
    descriptions: Rc<Descriptions>,
    /// The UPS that was named last: a request asks for it several times.
    found: RefCell<Option<Seen>>,
}

/// A UPS as a client named it, and what the client is shown besides.
#[derive(Clone)]
struct Seen {
    id: UpsId,
    ups: Rc<Ups>,
    extra: Option<Rc<ExtraName>>,
    signal: Option<StageSignal>,
}

impl<'s> Desk<'s> {
    pub fn new(server: &'s Server, peer: &'s Rc<Peer>) -> Desk<'s> {
        let descriptions = server.descriptions.borrow().clone();
        Desk { server, peer, descriptions, found: RefCell::default() }
    }

    fn seen(&self, id: UpsId) -> Option<Seen> {
        let found = self.found.borrow().as_ref().filter(|seen| seen.id == id).cloned();
        found.or_else(|| {
            let fleet = self.server.fleet.borrow();
            match self.server.views.get(id) {
                Some(extra) => self.see(fleet.find(&extra.ups).cloned()?, Some(extra), None),
                None => self.see(fleet.get(id).cloned()?, None, None),
            }
        })
    }

    fn see(&self, ups: Rc<Ups>, extra: Option<Rc<ExtraName>>, user: Option<&str>) -> Option<Seen> {
        let id = extra.as_ref().map_or(ups.id(), |extra| extra.id);
        let signal = self.server.views.signal_for(ups.name(), extra.as_deref(), user, self.peer.address);
        Some(Seen { id, ups, extra, signal })
    }

    /// For the list of secondaries that are expected, where there is one.
    fn say_heard(&self, client: &Client, seen: &Seen, logged_in: bool) {
        let protection = self.server.protection.borrow();
        let Some(protector) = &*protection else { return };
        let address = self.peer.address.to_canonical().to_string();
        for name in [Some(seen.ups.name()), seen.extra.as_ref().map(|extra| extra.name.as_str())] {
            if let Some(name) = name {
                protector.ears().heard(&address, client.username.as_deref(), name, logged_in);
            }
        }
    }

    fn ups(&self, id: UpsId) -> Option<Rc<Ups>> {
        self.seen(id).map(|seen| seen.ups)
    }

    fn signal(&self, id: UpsId) -> Option<StageSignal> {
        self.seen(id)?.signal
    }

    /// The number of the UPS itself, whatever name was used.
    fn own_id(&self, id: UpsId) -> UpsId {
        self.ups(id).map_or(id, |ups| ups.id())
    }

    fn with_source<T>(&self, id: UpsId, nothing: T, act: impl FnOnce(&dyn Source) -> T) -> T {
        match self.ups(id) {
            Some(ups) => ups.with_source(nothing, act),
            None => nothing,
        }
    }

    fn name(&self, id: UpsId) -> String {
        let name = |seen: Seen| match seen.extra {
            Some(extra) => extra.name.clone(),
            None => seen.ups.name().to_string(),
        };
        self.seen(id).map(name).unwrap_or_default()
    }

    /// Who it is, for the log: as upsd writes it, `user@address`.
    fn who(&self, client: &Client) -> String {
        match &client.username {
            Some(name) => format!("{name}@{}", client.address),
            None => client.address.clone(),
        }
    }

    fn log(&self, text: &str) {
        self.server.log.info(text);
    }

    /// The user, if name and password fit and the user may come from there; where that is not known yet, later.
    fn user<'u>(&self, client: &Client, users: &'u UpsdUsers) -> Result<Option<&'u User>, Later> {
        let Some((name, given)) = client.username.as_deref().zip(client.password.as_deref()) else {
            return Ok(None);
        };
        let user = users.user(name).filter(|user| user.may_come_from(self.peer.address));
        let Some((user, password)) = user.and_then(|user| Some((user, user.password.as_ref()?))) else {
            return Ok(None);
        };
        let is_right = match password {
            Password::Hash(hash) => {
                let failures = self.server.guard.borrow().failures(self.peer.address);
                self.server.checks.outcome(self.peer, hash, given, failures).ok_or(Later)?
            }
            Password::Plain(_) => password.is(given, &mut |_, _| false),
        };
        Ok(is_right.then_some(user))
    }

    fn has_right(&self, user: &User, right: Right<'_>, ups: Option<UpsId>) -> bool {
        match right {
            // who may do anything at all may read
            Right::Read => true,
            Right::Login => user.may_do(AllowedAction::Login),
            Right::Primary => user.may_do(AllowedAction::Primary),
            Right::ForceShutdown => user.may_do(AllowedAction::ForceShutdown),
            Right::Set(_) => user.may_do(AllowedAction::Set),
            Right::Command(command) => {
                ups.and_then(|ups| self.ups(ups)).is_some_and(|ups| user.may_run(command, ups.name()))
            }
        }
    }

    /// What becomes of an order: for the client that tracks it, and the log.
    fn answer(&self, tracked: Option<nut::network::TrackingId>, ups: &str, what: String) -> WhenEnded {
        let tracking = self.server.tracking.clone();
        let report = report(self.server, ups, what);
        Box::new(move |ended| {
            if let Some(id) = tracked {
                tracking.borrow_mut().end(id, ended.outcome);
            }
            report(&ended);
        })
    }
}

/// Says in the log and in the history what became of an order.
pub(crate) fn report(server: &Server, ups: &str, what: String) -> impl FnOnce(&Ended) + 'static {
    let (ups, log) = (ups.to_string(), server.log.clone());
    let history = server.chronicle.borrow().as_ref().map(Rc::downgrade);
    move |Ended { outcome, why, is_seen }| {
        let is_done = *outcome == TrackedOutcome::Success;
        let came = match (outcome, why) {
            (_, Some(why)) if !is_seen => format!("not confirmed: {why}"),
            (TrackedOutcome::Pending, _) => "not confirmed: its driver does not say what came of it".into(),
            (TrackedOutcome::Success, _) => "done".into(),
            (TrackedOutcome::Unknown, None) => "its driver does not know it".into(),
            (TrackedOutcome::Invalid, None) => "its driver takes no such value".into(),
            (_, None) => "failed".to_string(),
            (_, Some(why)) => why.clone(),
        };
        let said = format!("{ups}: {what}: {came}");
        if is_done {
            log.info(&said)
        } else {
            log.warning(&said)
        }
        if let Some(history) = history.and_then(|history| history.upgrade()) {
            history.note(EventKind::Command, Some(&ups), &format!("{what}: {came}"));
        }
    }
}

/// Variables as the clients of a stage are shown them.
fn shown(signal: Option<StageSignal>, tell: &mut dyn FnMut(&Variable<'_>)) -> impl FnMut(&Variable<'_>) {
    move |variable| match signal {
        Some(StageSignal::LowBattery) if variable.name == "ups.status" => {
            tell(&Variable { value: &with_low_battery(variable.value), ..*variable });
        }
        _ => tell(variable),
    }
}

impl Site for Desk<'_> {
    fn identity(&self) -> &ServerIdentity {
        &self.server.identity
    }

    fn reading_needs_user(&self) -> bool {
        self.server.settings.borrow().login_to_read
    }

    fn find(&self, client: &Client, name: &str) -> Option<UpsId> {
        let fleet = self.server.fleet.borrow();
        let mut extra = None;
        let ups = fleet.find(name).or_else(|| {
            extra = self.server.views.find(name);
            fleet.find(&extra.as_ref()?.ups)
        });
        let found = ups.and_then(|ups| self.see(ups.clone(), extra, client.username.as_deref()));
        let id = found.as_ref().map(|seen| seen.id);
        if let Some(seen) = &found {
            self.say_heard(client, seen, self.peer.login.get().is_some());
        }
        self.found.replace(found);
        id
    }

    fn each_ups(&self, _: &Client, each: &mut dyn FnMut(&str, Option<&str>)) {
        for ups in self.server.fleet.borrow().all() {
            ups.with_description(|description| {
                each(ups.name(), description);
                for extra in self.server.views.names_of(ups.name()) {
                    each(&extra.name, description);
                }
            });
        }
    }

    fn about(&self, ups: UpsId, tell: &mut dyn FnMut(&str, Option<&str>)) {
        if let Some(Seen { ups, extra, .. }) = self.seen(ups) {
            let name = extra.as_ref().map_or(ups.name(), |extra| &extra.name);
            ups.with_description(|description| tell(name, description));
        }
    }

    fn freshness(&self, ups: UpsId) -> Freshness {
        self.ups(ups).map_or(Freshness::NotConnected, |ups| ups.freshness())
    }

    fn path(&self, ups: UpsId) -> Option<String> {
        let ups = self.ups(ups)?;
        let before = ups.with_source(String::new(), |source| source.path());
        let here = self.server.fleet.borrow().node(ups.name());
        Some(format!("{before} {here}").trim_start().to_string())
    }

    fn forced_shutdown(&self, ups: UpsId) -> bool {
        let is_shown = |seen: Seen| seen.ups.forced_shutdown() || seen.signal == Some(StageSignal::Forced);
        self.seen(ups).is_some_and(is_shown)
    }

    fn each_variable(&self, ups: UpsId, each: &mut dyn FnMut(&Variable<'_>)) {
        let each = &mut shown(self.signal(ups), each);
        self.with_source(ups, (), |source| source.each_variable(each));
    }

    fn variable(&self, ups: UpsId, name: &str, tell: &mut dyn FnMut(&Variable<'_>)) {
        let tell = &mut shown(self.signal(ups), tell);
        self.with_source(ups, (), |source| source.variable(name, tell));
    }

    fn each_choice(&self, ups: UpsId, name: &str, each: &mut dyn FnMut(&str)) {
        self.with_source(ups, (), |source| source.each_choice(name, each));
    }

    fn each_range(&self, ups: UpsId, name: &str, each: &mut dyn FnMut(i64, i64)) {
        self.with_source(ups, (), |source| source.each_range(name, each));
    }

    fn each_command(&self, ups: UpsId, each: &mut dyn FnMut(&str)) {
        self.with_source(ups, (), |source| source.each_command(each));
    }

    fn has_command(&self, ups: UpsId, name: &str) -> bool {
        self.with_source(ups, false, |source| source.has_command(name))
    }

    fn variable_description(&self, name: &str) -> Option<&str> {
        self.descriptions.of_variable(name)
    }

    fn command_description(&self, name: &str) -> Option<&str> {
        self.descriptions.of_command(name)
    }

    fn logins(&self, ups: UpsId) -> usize {
        let ups = self.own_id(ups);
        self.server.peers.borrow().values().filter(|peer| peer.login.get() == Some(ups)).count()
    }

    fn each_login(&self, ups: UpsId, each: &mut dyn FnMut(&str)) {
        let ups = self.own_id(ups);
        let peers = self.server.peers.borrow();
        let logged_in = peers.values().rev().filter(|peer| peer.login.get() == Some(ups));
        logged_in.for_each(|peer| each(&peer.address.to_string()));
    }

    fn outcome(&self, id: &str) -> Option<TrackedOutcome> {
        let keep = self.server.settings.borrow().tracking_delay;
        self.server.tracking.borrow().outcome(id, keep)
    }

    fn may(&mut self, client: &Client, right: Right<'_>, ups: Option<UpsId>) -> Permission {
        // an upsmon that is logged in forces its shutdown at once, whatever others try from the same address
        let since = self.peer.waits_since.get().unwrap_or_else(Instant::now);
        let waits = match self.peer.proven.get() {
            true => None,
            false => self.server.guard.borrow().waits(self.peer.address, since),
        };
        self.peer.waits_since.set(Some(since));
        self.peer.later.set(waits);
        self.peer.is_slowed.set(waits.is_some());
        if waits.is_some() {
            return Permission::Later;
        }
        let users = self.server.users.borrow();
        let Ok(user) = self.user(client, &users) else { return Permission::Later };
        self.peer.waits_since.set(None);
        self.peer.proven.set(user.is_some());
        match user {
            Some(user) if self.has_right(user, right, ups) => Permission::Granted,
            Some(_) => Permission::Denied,
            None => {
                self.server.guard.borrow_mut().failed(self.peer.address);
                Permission::Denied
            }
        }
    }

    fn log_in(&mut self, client: &Client, ups: UpsId) {
        self.peer.login.set(Some(self.own_id(ups)));
        self.peer.extra_name.replace(self.seen(ups).and_then(|seen| seen.extra));
        self.peer.user.replace(client.username.clone());
        if let Some(seen) = self.seen(ups) {
            self.say_heard(client, &seen, true);
        }
        if let Some(protector) = &*self.server.protection.borrow() {
            protector.look_again();
        }
        self.log(&format!("{} logged in to UPS {}", self.who(client), self.name(ups)));
    }

    fn set_forced_shutdown(&mut self, client: &Client, ups: UpsId, on: bool) {
        if let Some(ups) = self.ups(ups) {
            ups.set_forced_shutdown(on);
            let what = if on { "sets" } else { "clears" };
            let text = format!("{} {what} the forced shutdown (FSD) of UPS {}", self.who(client), ups.name());
            self.server.log.warning(&text);
        }
    }

    fn hand_over(&mut self, client: &Client, ups: UpsId, order: Order<'_>, tracked: bool) -> Handed {
        let Some(ups) = self.ups(ups) else { return Handed::Failed };
        let what = match order {
            Order::Command { name, parameter: None } => name.to_string(),
            Order::Command { name, parameter: Some(parameter) } => format!("{name} {parameter}"),
            Order::Set { variable, value } => format!("{variable} = {value}"),
        };
        self.log(&format!("{} asks UPS {} for {what}", self.who(client), ups.name()));
        let id = tracked.then(|| self.server.random.id());
        if let Some(id) = id {
            let keep = self.server.settings.borrow().tracking_delay;
            self.server.tracking.borrow_mut().begin(id, keep);
        }
        let asked = format!("{} asks for {what}", self.who(client));
        self.server.note_event(EventKind::Command, Some(ups.name()), &asked);
        let answer = self.answer(id, ups.name(), what);
        match (ups.with_source(false, |source| source.hand_over(order, tracked, answer)), id) {
            (true, Some(id)) => Handed::Tracked(id),
            (true, None) => Handed::Over,
            (false, id) => {
                if let Some(id) = id {
                    self.server.tracking.borrow_mut().forget(id);
                }
                Handed::Failed
            }
        }
    }

    fn note(&mut self, client: &Client, note: Note<'_>) {
        let who = self.who(client);
        match note {
            Note::LoggedOut(Some(ups)) => {
                self.log(&format!("{who} logged out of UPS {}", self.name(ups)));
            }
            Note::Denied(right) => {
                let (kind, of) = match right {
                    Right::Read => ("read", ""),
                    Right::Login => ("log in", ""),
                    Right::Primary => ("be the primary", ""),
                    Right::ForceShutdown => ("force a shutdown", ""),
                    Right::Set(variable) => ("set", variable),
                    Right::Command(command) => ("run", command),
                };
                let who = match &client.username {
                    Some(name) => format!("{}@{}", short(name), client.address),
                    None => client.address.clone(),
                };
                let what = format!("{kind} {}", short(of));
                let text = format!(
                    "{who} may not {}: name and password do not fit, or upsd.users does not allow it",
                    what.trim_end()
                );
                self.server.say_seldom(kind, Some(self.peer.address), &text);
            }
            other => self.server.log.debug(1, || format!("{who}: {other:?}")),
        }
    }
}
