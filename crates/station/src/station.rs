//! One UPS inside any process: it owns the device, and the task that drives it.
//!
//! A station starts with its link closed and opens it, again and again if need be; how far it is, is its
//! [`Condition`]. Outputs [`subscribe`](Station::subscribe), clients leave [`Request`]s. A task that
//! waits for something here acts before the session goes on: it gives way after each event.

use crate::advice;
pub use crate::board::Condition;
use crate::board::SessionBoard;
use crate::config::{ConfigError, UpsConfig};
use crate::driver_commands;
use crate::driver_kind::DriverKind;
use crate::keeping::Keeping;
use crate::log::Log;
use crate::memory::Folders;
use crate::publisher::{NoOwner, Owner, Publisher};
use crate::reload::{self, Reloaded};
use crate::request::{Refused, Request, Requests};
use crate::session::Session;
use link::{Address, LinkError};
use qx::device::{Device, Event, SwitchOffProof};
use qx::vocabulary::variable::Var;
use std::cell::{Cell, Ref, RefCell};
use std::rc::Rc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// A session that is due has so long to wake: it may find that what it needs was said otherwise.
const WAKES: Duration = Duration::from_millis(200);

/// A device that a session drives and publishers read. Never borrowed across a wait.
pub type SharedDevice = Rc<RefCell<Device>>;

/// What a station is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// To watch its UPS: it uses what was kept before, and keeps what is new.
    Watch,
    /// To look what is there: it keeps nothing.
    Look,
    /// To switch the load off: it also takes a line that another program has locked, and opens no USB device on a
    /// guess.
    KillPower,
}

/// What a station begins with.
pub struct Setup {
    /// Which of NUT's drivers it is.
    pub kind: &'static DriverKind,
    /// The UPS.
    pub config: UpsConfig,
    /// What it is for.
    pub mode: Mode,
    /// Where it keeps what lasts; without, it remembers nothing.
    pub folders: Option<Folders>,
    /// Where it says what happens.
    pub log: Log,
    /// The process that it works for.
    pub owner: Rc<dyn Owner>,
}

impl Setup {
    /// For a quick look: silent, without memory or owner.
    pub fn look(kind: &'static DriverKind, config: UpsConfig) -> Setup {
        Setup { kind, config, mode: Mode::Look, folders: None, log: Log::silent(), owner: Rc::new(NoOwner) }
    }
}

/// How the search for a UPS ended, or stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// There is data.
    Ready,
    /// A UPS was found, and cannot be read.
    Stale,
    /// No dialect fits: why.
    NotFound(String),
    /// The link cannot be opened.
    CannotOpen(LinkError),
    /// The session has ended.
    Ended,
}

/// One UPS. Its session ends when this is dropped.
pub struct Station {
    kind: &'static DriverKind,
    config: RefCell<UpsConfig>,
    device: SharedDevice,
    requests: Requests,
    board: Rc<SessionBoard>,
    keeping: Rc<RefCell<Keeping>>,
    owner: Rc<dyn Owner>,
    log: Rc<Log>,
    session: JoinHandle<()>,
}

impl Station {
    /// Starts to drive a UPS in a task of its own. Must be called inside of a tokio `LocalRuntime` or `LocalSet`;
    /// nothing happens before the caller waits for something.
    pub fn spawn(setup: Setup) -> Station {
        Station::spawn_after(setup, Duration::ZERO)
    }

    /// The same, with a pause before its link is opened: of many that start at once the first are not to wait for all.
    pub fn spawn_after(setup: Setup, pause: Duration) -> Station {
        let Setup { kind, config, mode, folders, log, owner } = setup;
        let log = Rc::new(log);
        let keeping = Keeping::new(folders.as_ref(), &config.name, mode, log.clone());
        let mut opening = config.opening.clone();
        if mode == Mode::KillPower {
            // another program may hold the lock, and the load has to go off all the same
            opening.lock = false;
            if let Address::Usb(options) = &mut opening.address {
                options.surely = Some(keeping.last_usb());
            }
        }
        let device = Rc::new(RefCell::new(Device::new(keeping.recall(config.options.clone(), mode))));
        let (requests, waiting, tickets) = Requests::new(device.clone(), owner.clone());
        let (board, keeping) = (Rc::new(SessionBoard::new()), Rc::new(RefCell::new(keeping)));
        let session = Session::new(
            device.clone(),
            opening,
            (waiting, tickets),
            board.clone(),
            keeping.clone(),
            owner.clone(),
            log.clone(),
        );
        let session = tokio::task::spawn_local(Box::new(session).run(pause));
        let config = RefCell::new(config);
        Station { kind, config, device, requests, board, keeping, owner, log, session }
    }

    /// The name of the UPS.
    pub fn name(&self) -> String {
        self.config.borrow().name.clone()
    }

    /// The configuration that is in use.
    pub fn config(&self) -> Ref<'_, UpsConfig> {
        self.config.borrow()
    }

    /// The device, which must not be borrowed across a wait.
    pub fn device(&self) -> &SharedDevice {
        &self.device
    }

    /// Where requests are left.
    pub fn requests(&self) -> &Requests {
        &self.requests
    }

    /// Leaves a request.
    ///
    /// # Errors
    /// [`Refused`]; the request has answered by then that it failed.
    pub fn request(&self, request: Request) -> Result<(), Refused> {
        self.requests.leave(request)
    }

    /// Tells `publisher` what happens from now on.
    pub fn subscribe(&self, publisher: Box<dyn Publisher>) {
        self.board.subscribe(publisher);
    }

    /// How far it is.
    pub fn condition(&self) -> Condition {
        self.board.condition()
    }

    /// Whether there is data, and it is not old by now: after a stop of this process the session may not know yet.
    pub fn is_fresh(&self) -> bool {
        self.device.borrow().is_fresh_at(self.board.now() - WAKES)
    }

    /// How long ago the UPS said last whether mains is there; none where it never did.
    pub fn age(&self) -> Option<Duration> {
        let read = self.device.borrow().mains_read_at()?;
        Some(self.board.now().saturating_sub(read))
    }

    /// How long ago a variable was read ([`Device::read_at`](qx::device::Device::read_at)).
    pub fn age_of(&self, var: &Var) -> Option<Duration> {
        let read = self.device.borrow().read_at(var)?;
        Some(self.board.now().saturating_sub(read))
    }

    /// Whether it is known that the load goes off by the last order that was sent for it
    /// ([`Device::proof_of_order`]).
    pub fn proof_of_order(&self) -> SwitchOffProof {
        self.device.borrow().proof_of_order()
    }

    /// The same of an order of another process: by what was read within that time
    /// ([`Device::switch_off_proof`]).
    pub fn switch_off_proof(&self, within: Duration) -> SwitchOffProof {
        self.device.borrow().switch_off_proof(self.board.now() - within)
    }

    /// How the UPS does, in one line; empty before there is anything to say.
    pub fn status(&self) -> String {
        self.board.status.borrow().clone()
    }

    /// When the session came round last. One that hangs stays behind the others.
    pub fn last_turn(&self) -> Rc<Cell<Instant>> {
        self.board.last_turn.clone()
    }

    /// Waits until something is so, which is looked at after each event, or the session has ended.
    pub async fn until(&self, is_so: impl Fn(&Station) -> bool) {
        self.board.until(|| is_so(self)).await;
    }

    /// Waits until the first opening has succeeded or failed.
    ///
    /// # Errors
    /// Why the link cannot be opened; the session goes on trying.
    pub async fn opened(&self) -> Result<(), LinkError> {
        self.until(|station| station.condition() != Condition::Opening).await;
        match self.condition() {
            Condition::CannotOpen(error) => Err(error),
            _ => Ok(()),
        }
    }

    /// Waits until there is data, or it is known why there is none. The session goes on in any case.
    pub async fn found(&self) -> Found {
        self.until(|station| !matches!(station.condition(), Condition::Opening | Condition::Searching)).await;
        match self.condition() {
            Condition::Ready => Found::Ready,
            Condition::Opening | Condition::Searching | Condition::Stale => Found::Stale,
            Condition::NotFound(why) => Found::NotFound(why),
            Condition::CannotOpen(error) => Found::CannotOpen(error),
            Condition::Ended => Found::Ended,
        }
    }

    /// Whether the battery can be low at all, by what is published now.
    ///
    /// # Errors
    /// With `ignorelb`, that nothing else says so.
    pub fn check_ignorelb(&self) -> Result<(), ConfigError> {
        let device = self.device.borrow();
        let ignorelb = self.config.borrow().options.ignorelb;
        reload::check_ignorelb(ignorelb, |name| device.store().text(name).is_some())
    }

    /// Publishes what the driver knows of itself, and offers its own commands.
    pub fn describe(&self) {
        let mut device = self.device.borrow_mut();
        let config = self.config.borrow();
        let protocol = device.protocol().map_or("none", |protocol| protocol.name);
        let store = device.store_mut();
        store.set("device.type", "ups");
        store.set("driver.name", self.kind.name);
        store.set("driver.version", env!("CARGO_PKG_VERSION"));
        store.set("driver.version.internal", concat!("qxups ", env!("CARGO_PKG_VERSION")));
        store.set("driver.version.data", protocol);
        driver_commands::offer(&mut device, self.owner.can_reload(), config.allow_killpower);
        let store = device.store_mut();
        for (name, value) in &config.published {
            store.set(name.clone(), value.clone());
        }
    }

    /// Logs the lines of `ups.conf` that make the next search unnecessary, when there was one.
    pub fn advise(&self) {
        let device = self.device.borrow();
        let Some(protocol) = device.protocol().filter(|_| device.is_new()) else { return };
        let mut lines = match &*self.board.usb.borrow() {
            Some(usb) => advice::on_usb(self.kind.name, usb),
            None => advice::at(self.kind.name, &self.config.borrow().opening.address),
        };
        lines.push(("protocol", protocol.name.into()));
        self.log.info("add these lines to ups.conf to skip detection (keep any other lines):");
        self.log.info(&format!("[{}]", self.name()));
        lines.iter().for_each(|line| self.log.info(&advice::written(line)));
    }

    /// Looks whether a new configuration would be taken at a start, as far as that is known without trying.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, new: &UpsConfig) -> Result<(), ConfigError> {
        reload::check(&self.config.borrow(), new, self.device.borrow().store())
    }

    /// Takes what can change while the UPS is watched.
    ///
    /// # Errors
    /// What the start would refuse: then all goes on as before.
    pub fn reload(&self, new: UpsConfig) -> Result<Reloaded, ConfigError> {
        self.check(&new)?;
        let mut config = self.config.borrow_mut();
        let done = reload::take(&config, &new, &self.device, self.owner.can_reload(), self.board.now())?;
        if done == Reloaded::InUse {
            *config = new;
            self.requests.look();
        }
        Ok(done)
    }

    /// Ends the session, and keeps what was last estimated of the battery. Of each order that was sent it is said what
    /// is known; other requests without an answer fail.
    pub fn stop(&self) {
        self.session.abort();
        self.device.borrow_mut().end_orders(self.board.now());
        loop {
            let event = self.device.borrow_mut().poll_event();
            match event {
                Some(Event::Noted(level, text)) => self.log.say(level, &text),
                Some(Event::Answered(ticket, outcome)) => self.requests.close(ticket, outcome),
                Some(_) => {}
                None => break,
            }
        }
        self.keeping.borrow().keep_last(&mut self.device.borrow_mut());
    }
}

impl Drop for Station {
    fn drop(&mut self) {
        self.session.abort();
    }
}
