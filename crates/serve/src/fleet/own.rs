//! A UPS that this process drives itself: a station. Its store is shown as its driver's socket would say it to upsd.

use super::simulated::Simulated;
use super::source::{Ended, HearsStatus, Source, WhenEnded};
use driver::instance::listener;
use driver::socket::DriverSocket;
use nut::driver_socket::LONGEST_VALUE;
use nut::network::TrackedOutcome;
use nut::network::server::{Freshness, Order, ValueKind, Variable};
use qx::device::plan::PowerRace;
use qx::device::store::{Access, Change, Entry, Store};
use qx::device::{self, SwitchOffProof};
use qx::vocabulary::variable::Var;
use qx::wire::setting::Choice;
use station::config::UpsConfig;
use station::log::Log;
use station::{Condition, Publisher, Reloaded, Request, RequestedAction, Setup, Station};
use std::cell::{Cell, OnceCell, RefCell};
use std::path::{Path, PathBuf};
use std::rc::{Rc, Weak};
use std::time::Duration;
use tokio::task::JoinHandle;

/// A station and what looks after it.
pub(crate) struct OwnSource {
    station: Rc<Station>,
    /// What is found wrong once there is data: its driver would not have started.
    refused: Rc<Cell<bool>>,
    /// Until the UPS is found.
    watch: Rc<RefCell<Option<JoinHandle<()>>>>,
    log: Log,
    /// What a driver of its own would listen at; from when the UPS is found.
    socket: Rc<RefCell<Option<DriverSocket>>>,
    /// Who hears each status; a publisher is there once this was asked for.
    hearer: OnceCell<Rc<RefCell<Weak<dyn HearsStatus>>>>,
    /// The UPS itself, where it is a simulated one.
    _simulated: Option<Simulated>,
}

impl OwnSource {
    /// Starts to drive the UPS, after a pause.
    pub fn spawn(setup: Setup, simulated: Option<Simulated>, socket: PathBuf, pause: Duration) -> OwnSource {
        let log = setup.log.clone();
        let station = Rc::new(Station::spawn_after(setup, pause));
        let refused = Rc::new(Cell::new(false));
        let open = Rc::new(RefCell::new(None));
        let described = describe(station.clone(), refused.clone(), log.clone(), (socket, open.clone()));
        let watch = Rc::new(RefCell::new(None));
        let done = watch.clone();
        let task = tokio::task::spawn_local(async move {
            described.await;
            // what the task took is given back when no handle of it is left
            done.borrow_mut().take();
        });
        *watch.borrow_mut() = Some(task);
        OwnSource {
            station,
            refused,
            watch,
            log,
            socket: open,
            hearer: OnceCell::new(),
            _simulated: simulated,
        }
    }

    /// Takes what can change while the UPS is watched.
    ///
    /// # Errors
    /// What the start would refuse: then all goes on as before.
    pub fn reload(&self, config: UpsConfig) -> Result<Reloaded, station::config::ConfigError> {
        self.station.reload(config)
    }

    /// Whether [`OwnSource::reload`] would be refused.
    ///
    /// # Errors
    /// Why.
    pub fn check(&self, config: &UpsConfig) -> Result<(), station::config::ConfigError> {
        self.station.check(config)
    }

    /// Whether its load is being switched off, or an answer is on its way.
    pub fn is_busy(&self) -> bool {
        let device = self.station.device().borrow();
        device.kills_power() || device.has_news()
    }

    /// Whether its load is being switched off.
    pub fn kills_power(&self) -> bool {
        self.station.device().borrow().kills_power()
    }

    /// Whether an order is under way: it was sent, perhaps, and what came of it is not known yet.
    pub fn has_orders(&self) -> bool {
        self.station.requests().are_open()
    }

    fn with_entry(&self, name: &str, then: impl FnOnce(&str, &Entry)) {
        let device = self.station.device().borrow();
        let store = device.store();
        let exact = store.get(name).map(|entry| (name, entry));
        let found = exact.or_else(|| store.entries().find(|(known, _)| known.eq_ignore_ascii_case(name)));
        if let Some((known, entry)) = found {
            then(known, entry);
        }
    }
}

impl Drop for OwnSource {
    fn drop(&mut self) {
        if let Some(watch) = self.watch.borrow_mut().take() {
            watch.abort();
        }
    }
}

/// Waits for the UPS, then publishes what a driver says of itself. What its driver would not start with is said.
async fn describe(
    station: Rc<Station>,
    refused: Rc<Cell<bool>>,
    log: Log,
    (path, slot): (PathBuf, Rc<RefCell<Option<DriverSocket>>>),
) {
    let is_found = |station: &Station| matches!(station.condition(), Condition::Ready);
    station.until(is_found).await;
    station.describe();
    if let Err(wrong) = station.check_ignorelb() {
        refused.set(true);
        log.warning(&format!("{}; it is not served until that is changed", wrong.sentence));
        return;
    }
    *slot.borrow_mut() = open_socket(&station, &path, &log);
}

/// Listens where the driver would: upsd and scripts of the same machine find the UPS, and `-k` of the driver finds that
/// the line is in use.
fn open_socket(station: &Station, path: &Path, log: &Log) -> Option<DriverSocket> {
    if listener(path).is_some() {
        log.warning(&format!(
            "another process listens at {}: two programs may drive this UPS; end the other one and reload",
            path.display()
        ));
        return None;
    }
    match DriverSocket::open(path, station.device().clone(), station.requests().clone(), log.clone()) {
        Ok(socket) => {
            station.subscribe(Box::new(socket.publisher()));
            Some(socket)
        }
        Err(error) => {
            log.warning(&format!(
                "cannot open the socket {}: {error}; other servers on this machine do not see the UPS",
                path.display()
            ));
            None
        }
    }
}

/// A value as a driver says it and upsd keeps it: no longer than upsd takes, in printable ASCII.
fn said(text: &str) -> std::borrow::Cow<'_, str> {
    let is_plain = |byte: u8| (0x20..0x7f).contains(&byte);
    match text.len() <= LONGEST_VALUE && text.bytes().all(is_plain) {
        true => text.into(),
        false => {
            let kept = text.bytes().filter(|byte| is_plain(*byte)).take(LONGEST_VALUE);
            kept.map(char::from).collect::<String>().into()
        }
    }
}

/// What the driver's socket says of a variable (RW NUMBER for each that can be set; crates/driver/src/socket.rs).
fn show(name: &str, entry: &Entry, tell: &mut dyn FnMut(&Variable<'_>)) {
    let choice = match &entry.access {
        Access::Read => None,
        Access::Write(choice) => Some(choice),
    };
    tell(&Variable {
        name,
        value: &said(entry.text()),
        writable: choice.is_some(),
        has_choices: matches!(choice, Some(Choice::OneOf(words)) if !words.is_empty()),
        has_ranges: matches!(choice, Some(Choice::Range(..))),
        kind: ValueKind::Number,
    });
}

/// The variables, in alphabetical order without case; nearly always they are.
fn each_entry(store: &Store, mut each: impl FnMut(&str, &Entry)) {
    let has_capitals = |name: &str| name.bytes().any(|byte| byte.is_ascii_uppercase());
    if store.entries().any(|(name, _)| has_capitals(name)) {
        let mut all: Vec<_> = store.entries().collect();
        all.sort_by_cached_key(|(name, _)| name.to_ascii_lowercase());
        all.into_iter().for_each(|(name, entry)| each(name, entry));
    } else {
        store.entries().for_each(|(name, entry)| each(name, entry));
    }
}

impl Source for OwnSource {
    fn freshness(&self) -> Freshness {
        match self.station.condition() {
            _ if self.refused.get() => Freshness::NotConnected,
            Condition::Opening
            | Condition::CannotOpen(_)
            | Condition::Searching
            | Condition::NotFound(_)
            | Condition::Ended => Freshness::NotConnected,
            Condition::Stale => Freshness::Stale,
            Condition::Ready if self.station.is_fresh() => Freshness::Fresh,
            Condition::Ready => Freshness::Stale,
        }
    }

    fn age(&self) -> Option<Duration> {
        self.station.age()
    }

    fn age_of(&self, var: &Var) -> Option<Duration> {
        self.station.age_of(var)
    }

    fn replies(&self) -> Option<(u64, u64)> {
        Some(self.station.device().borrow().replies())
    }

    fn each_variable(&self, each: &mut dyn FnMut(&Variable<'_>)) {
        let device = self.station.device().borrow();
        each_entry(device.store(), |name, entry| show(name, entry, each));
    }

    fn variable(&self, name: &str, tell: &mut dyn FnMut(&Variable<'_>)) {
        self.with_entry(name, |known, entry| show(known, entry, tell));
    }

    fn is_said(&self, name: &str) -> Option<bool> {
        self.station.device().borrow().is_said(name)
    }

    fn tell_status(&self, ups: &str, hearer: &Rc<dyn HearsStatus>) {
        match self.hearer.get() {
            Some(slot) => drop(slot.replace(Rc::downgrade(hearer))),
            None => {
                let slot = self.hearer.get_or_init(|| Rc::new(RefCell::new(Rc::downgrade(hearer))));
                let publisher = StatusPublisher { ups: ups.into(), hearer: slot.clone() };
                self.station.subscribe(Box::new(publisher));
            }
        }
    }

    fn each_choice(&self, name: &str, each: &mut dyn FnMut(&str)) {
        self.with_entry(name, |_, entry| {
            if let Access::Write(Choice::OneOf(words)) = &entry.access {
                words.iter().for_each(|word| each(word));
            }
        });
    }

    fn each_range(&self, name: &str, each: &mut dyn FnMut(i64, i64)) {
        self.with_entry(name, |_, entry| {
            if let Access::Write(Choice::Range(least, most)) = &entry.access {
                each((*least).into(), (*most).into());
            }
        });
    }

    fn each_command(&self, each: &mut dyn FnMut(&str)) {
        let mut commands = self.station.device().borrow().store().commands().to_vec();
        commands.sort_unstable();
        commands.into_iter().for_each(each);
    }

    fn has_command(&self, name: &str) -> bool {
        let device = self.station.device().borrow();
        device.store().commands().iter().any(|known| known.eq_ignore_ascii_case(name))
    }

    fn takes_value(&self, name: &str) -> bool {
        let device = self.station.device().borrow();
        let protocol = device.protocol();
        protocol.is_some_and(|it| it.commands_named(name).any(|command| command.parameter.is_some()))
    }

    fn unit(&self) -> u64 {
        self.station.device().borrow().generation()
    }

    fn will_switch_off(&self, since: Duration) -> Option<bool> {
        match self.station.switch_off_proof(since) {
            SwitchOffProof::Pending(_) | SwitchOffProof::Off(_) => Some(true),
            // many never show theirs, so that is no refusal
            SwitchOffProof::Absent(_) | SwitchOffProof::Unknown(_) => None,
        }
    }

    fn power_race(&self) -> Option<PowerRace> {
        let device = self.station.device().borrow();
        device.is_ready().then(|| device.power_race())
    }

    fn hand_over(&self, order: Order<'_>, _: bool, answer: WhenEnded) -> bool {
        let what = match order {
            Order::Command { name, parameter } => {
                RequestedAction::Command { name: name.into(), parameter: parameter.map(Into::into) }
            }
            Order::Set { variable, value } => {
                RequestedAction::Set { variable: variable.into(), value: value.into() }
            }
        };
        let request = Request::new(what, move |outcome| answer(ended(outcome)));
        match self.station.request(request) {
            Ok(()) => true,
            Err(refused) => {
                self.log.warning(&refused.to_string());
                false
            }
        }
    }

    fn stop(&self) {
        self.socket.borrow_mut().take();
        self.station.stop();
    }
}

/// Says each status that is published.
struct StatusPublisher {
    ups: String,
    hearer: Rc<RefCell<Weak<dyn HearsStatus>>>,
}

impl Publisher for StatusPublisher {
    fn changed(&mut self, store: &Store, changes: &[Change]) {
        let is_status =
            |change: &Change| matches!(change, Change::New(name) | Change::Set(name) if name == "ups.status");
        let Some(words) = store.text("ups.status").filter(|_| !store.is_stale()) else { return };
        if changes.iter().any(is_status) {
            if let Some(hearer) = self.hearer.borrow().upgrade() {
                hearer.status(&self.ups, words);
            }
        }
    }
}

/// What a client hears of an outcome, as from the driver's socket (NUT 2.8.0 drivers/upshandler.h).
fn ended(outcome: device::Outcome) -> Ended {
    let (outcome, why) = match outcome {
        device::Outcome::NotConfirmed(why) => return Ended::unseen(why),
        device::Outcome::Done => (TrackedOutcome::Success, None),
        device::Outcome::Unknown => (TrackedOutcome::Unknown, None),
        device::Outcome::Invalid(why) => (TrackedOutcome::Invalid, Some(why)),
        device::Outcome::Failed(why) => (TrackedOutcome::Failed, Some(why)),
    };
    Ended { outcome, why, is_seen: true }
}
