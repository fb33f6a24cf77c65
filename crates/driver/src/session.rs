//! A session: one device on one link. This is the only loop that knows a clock.
//!
//! Publishers hold the same [`Shared`] device: they read its store at any time and send [`Wish`]es
//! through a bounded queue; the session tells them what changed. Nothing here blocks, so a slow
//! UPS delays no client, and a slow client no poll.

use crate::clock::Clock;
use crate::log::Log;
use crate::memory::Memory;
use crate::own;
use crate::reopening::{AGAIN, Loss, Reopening, comes_and_goes, times_more};
use crate::state::State;
use crate::supervisor::Supervisor;
use link::{Address, Arrivals, Kind, Link, LinkError, Opening};
use nut::driver_socket as text;
use qx::detect::looks_like_reply;
use qx::device::bounds;
use qx::device::{Device, Event, Generation, LinkChange, Loudness, Moment, Outcome, Ticket};
use qx::exchange::{Exchange, Reply};
use qx::store::{Change, Store};
use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// How long a lost port waits where the system tells of what is plugged in; in a container, say, it may not.
const REOPEN_UNTOLD: Duration = Duration::from_secs(5);
/// A device that says nothing for so long is shaken.
const SHAKE: Duration = Duration::from_secs(10);
/// And again, when that did not help.
const SHAKE_AGAIN: Duration = Duration::from_secs(120);

/// How often the session looks whether something was learned of the battery.
const REMEMBER: Duration = Duration::from_secs(30);

/// A device that a session drives and publishers read. Never borrowed across a wait.
pub type Shared = Rc<RefCell<Device>>;

/// What a client wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// An instant command, with its parameter.
    Command(Ticket, String, Option<String>),
    /// To set a variable.
    Set(Ticket, String, String),
}

/// A wish on its way to the session: since when somebody waits, and the link and the UPS that it is meant for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// None when the device was told already, and has to be looked after.
    wish: Option<Wish>,
    since: Instant,
    meant_for: Generation,
}

/// Where wishes are left for a session.
#[derive(Clone)]
pub struct Wishes {
    sender: mpsc::Sender<Waiting>,
    device: Shared,
}

impl Wishes {
    /// For the session that drives `device`: at most so many wait.
    pub fn new(device: Shared, most: usize) -> (Wishes, mpsc::Receiver<Waiting>) {
        let (sender, receiver) = mpsc::channel(most);
        (Wishes { sender, device }, receiver)
    }

    /// Leaves a wish; false when too many wait already. What is asked of the driver itself waits for nobody.
    pub fn leave(&self, wish: Wish) -> bool {
        let mut device = self.device.borrow_mut();
        let is_own = match &wish {
            Wish::Command(ticket, name, _) => own::command(&mut device, *ticket, name),
            Wish::Set(ticket, variable, value) => own::set(&mut device, *ticket, variable, value),
        };
        let meant_for = device.generation();
        if is_own {
            self.look();
            return true;
        }
        self.sender.try_send(Waiting { wish: Some(wish), since: Instant::now(), meant_for }).is_ok()
    }

    /// Has the session look after its device, which was told something.
    pub fn look(&self) {
        // while others wait, it does anyway
        let _ = self.sender.try_send(Waiting { wish: None, since: Instant::now(), meant_for: 0 });
    }
}

/// Opening a link: it may take seconds, and nobody waits for it.
type Opens = Pin<Box<dyn Future<Output = Result<Link, LinkError>>>>;

/// Whoever wants to know what happens.
pub trait Publisher {
    /// The store changed.
    fn changed(&mut self, store: &Store, changes: &[Change]);
    /// A request ended.
    fn answered(&mut self, ticket: Ticket, outcome: &Outcome);
    /// Something happened.
    fn happened(&mut self, event: &Event, store: &Store);
}

/// One device on one link.
pub struct Session {
    device: Shared,
    opening: Opening,
    link: Option<Link>,
    reopen: Instant,
    reopening: Reopening,
    /// Why the link is not open; once it was, that is forgotten.
    never_open: Option<String>,
    /// The link is being opened.
    opens: Option<Opens>,
    /// What is plugged in, while the link is lost.
    arrivals: Option<Arrivals>,
    /// When to shake a silent device, and how loud that is.
    shake: Option<(Instant, Loudness)>,
    /// How loud it is when the link is open again.
    opened: Loudness,
    /// That another device is where its own was, has yet to be said.
    misses_its_own: bool,
    wishes: mpsc::Receiver<Waiting>,
    publishers: Vec<Box<dyn Publisher>>,
    supervisor: Rc<Supervisor>,
    /// Where it is kept what was learned of the battery, and when to look next.
    memory: Option<(Memory, Instant)>,
    /// Where the dialect is kept that was found.
    dialect: Option<Memory>,
    /// Where it is kept to which UPS `reset_to_default` was written.
    reset: Option<Memory>,
    /// Where it is kept which USB device is open.
    usb: Option<Memory>,
    log: Rc<Log>,
    /// The state that was logged last.
    state: State,
    /// That the data is stale was said.
    said_stale: bool,
    /// The last question and its reply, until what it changed is told.
    cause: Option<(Vec<u8>, Vec<u8>)>,
    clock: Clock,
}

impl Session {
    /// A session whose link is open already.
    pub fn new(
        device: Shared,
        opening: Opening,
        link: Link,
        wishes: mpsc::Receiver<Waiting>,
        log: Rc<Log>,
    ) -> Session {
        Session::with(device, opening, Some(link), wishes, log)
    }

    /// A session whose link could not be opened yet: it goes on trying.
    pub fn unopened(
        device: Shared,
        opening: Opening,
        error: &LinkError,
        wishes: mpsc::Receiver<Waiting>,
        log: Rc<Log>,
    ) -> Session {
        let mut session = Session::with(device, opening, None, wishes, log);
        session.never_open = Some(error.to_string());
        session.lost(error, Loudness::Warning);
        session
    }

    fn with(
        device: Shared,
        opening: Opening,
        link: Option<Link>,
        wishes: mpsc::Receiver<Waiting>,
        log: Rc<Log>,
    ) -> Session {
        let now = Instant::now();
        Session {
            device,
            opening,
            link,
            reopen: now,
            reopening: Reopening::new(now),
            never_open: None,
            opens: None,
            arrivals: None,
            shake: None,
            opened: Loudness::Info,
            misses_its_own: false,
            wishes,
            publishers: vec![],
            supervisor: Rc::new(Supervisor::nobody()),
            memory: None,
            dialect: None,
            reset: None,
            usb: None,
            log,
            state: State::default(),
            said_stale: false,
            cause: None,
            clock: Clock::start(),
        }
    }

    /// Tells `publisher` what happens from now on.
    pub fn publish_to(&mut self, publisher: Box<dyn Publisher>) {
        self.publishers.push(publisher);
    }

    /// Tells `supervisor` how it goes from now on, and that this session lives.
    pub fn supervised_by(&mut self, supervisor: Rc<Supervisor>) {
        self.supervisor = supervisor;
    }

    /// Keeps what is learned of the battery there from now on.
    pub fn remember_in(&mut self, memory: Memory) {
        self.memory = Some((memory, Instant::now() + REMEMBER));
    }

    /// Keeps the dialect there that is found from now on.
    pub fn remember_dialect_in(&mut self, memory: Memory) {
        self.dialect = Some(memory);
    }

    /// Keeps there to which UPS `reset_to_default` was written.
    pub fn remember_reset_in(&mut self, memory: Memory) {
        self.reset = Some(memory);
    }

    /// Keeps there which USB device is open.
    pub fn remember_usb_in(&mut self, memory: Memory) {
        self.usb = Some(memory);
    }

    fn remember_usb(&self) {
        if let Some((memory, usb)) = self.usb.clone().zip(self.link.as_ref().and_then(Link::usb_device)) {
            // without it, who kills the power has to be told by the configuration which one is meant
            keep(memory, usb.mark(), ("usb", Loudness::Debug), self.log.clone());
        }
    }

    /// Keeps what was learned, beside the session: a slow disk delays no poll.
    fn remember(&mut self) {
        let now = Instant::now();
        let Some((memory, look)) = self.memory.as_mut().filter(|(_, look)| *look <= now) else { return };
        *look = now + REMEMBER;
        let Some(text) = self.device.borrow_mut().battery_memory() else { return };
        let memory = memory.clone();
        self.log.debug(1, || format!("battery: learned something, kept in {}", memory.path().display()));
        keep(memory, text, ("battery", Loudness::Warning), self.log.clone());
    }

    /// The same for the dialect that was found, and for what is written once.
    fn remember_dialect(&mut self) {
        let reset = self.device.borrow_mut().reset_memory();
        if let Some((memory, text)) = self.reset.clone().zip(reset) {
            // without it the next start writes it again
            keep(memory, text, ("reset_to_default", Loudness::Warning), self.log.clone());
        }
        let Some(text) = self.device.borrow_mut().dialect_memory() else { return };
        if let Some(memory) = &self.dialect {
            // without it the next start takes a second more
            keep(memory.clone(), text, ("dialect", Loudness::Debug), self.log.clone());
        }
    }

    /// Goes on until an event makes `enough` say so.
    pub async fn run_until(&mut self, mut enough: impl FnMut(&Event) -> bool) -> Event {
        loop {
            while let Some(event) = self.next_event() {
                if enough(&event) {
                    self.tell_changes();
                    return event;
                }
            }
            self.tell_changes();
            self.step().await;
        }
    }

    /// When it started: the device's moments are counted from here.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Why the link could never be opened, when that is so.
    pub fn never_open(&self) -> Option<&str> {
        self.never_open.as_deref()
    }

    fn now(&self) -> Moment {
        self.clock.now()
    }

    fn next_event(&mut self) -> Option<Event> {
        let event = self.device.borrow_mut().poll_event()?;
        self.write_log(&event);
        match event {
            Event::Stale => {
                self.shake = Some((Instant::now() + SHAKE, Loudness::Warning));
                self.said_stale = true;
            }
            Event::Fresh => {
                self.shake = None;
                self.said_stale = false;
            }
            Event::WorthKeeping => self.remember_dialect(),
            Event::Ready => self.remember_usb(),
            _ => {}
        }
        let mut device = self.device.borrow_mut();
        // it was told already, and turns out to be another
        if let Event::Detected(name, _) = &event
            && device.store().text("driver.version.data").is_some()
        {
            device.store_mut().set("driver.version.data", *name);
        }
        for publisher in &mut self.publishers {
            match &event {
                Event::Answered(ticket, outcome) => publisher.answered(*ticket, outcome),
                event => publisher.happened(event, device.store()),
            }
        }
        Some(event)
    }

    fn tell_changes(&mut self) {
        let cause = self.cause.take();
        let changes = self.device.borrow_mut().take_changes();
        if changes.is_empty() {
            return;
        }
        if State::may_change_by(&changes) {
            self.tell_state(cause);
        }
        let device = self.device.borrow();
        self.log.debug(2, || format!("changed: {changes:?}"));
        for publisher in &mut self.publishers {
            publisher.changed(device.store(), &changes);
        }
    }

    /// One line for each change of state, with what the UPS said to raise it.
    fn tell_state(&mut self, cause: Option<(Vec<u8>, Vec<u8>)>) {
        let Some(state) = State::of(self.device.borrow().store()) else { return };
        if state != self.state {
            // the first state is told when everything was asked, not by the last reply
            let cause = cause.filter(|_| !self.state.text.is_empty());
            let shown = |bytes: &[u8]| bytes.trim_ascii_end().escape_ascii().to_string();
            let cause = cause.map(|(question, reply)| format!("; {}: {}", shown(&question), shown(&reply)));
            let cause = cause.unwrap_or_default();
            // that it is over is as worth knowing as that it began
            let loudness =
                if state.serious || self.state.serious { Loudness::Warning } else { Loudness::Info };
            self.log.say(loudness, &format!("{}{cause}", state.text));
            self.state = state;
        }
        self.tell_supervisor();
    }

    fn tell_supervisor(&self) {
        let place = &self.opening.address;
        let was = match self.state.text.as_str() {
            "" => String::new(),
            text => format!("; it was {text}"),
        };
        if self.link.is_none() {
            self.supervisor.status(&format!("{place} is lost{was}"));
        } else if self.device.borrow().store().is_stale() {
            self.supervisor.status(&format!("the UPS does not answer{was}"));
        } else if !self.state.text.is_empty() {
            self.supervisor.status(&self.state.text);
        }
    }

    /// One exchange, one wish, or a wait until something is due.
    async fn step(&mut self) {
        self.supervisor.turn(Instant::now());
        self.remember();
        let now = self.now();
        while let Ok(wish) = self.wishes.try_recv() {
            self.wish(wish);
        }
        if self.link.is_none() && self.opens.is_none() && Instant::now() >= self.reopen {
            let opening = self.opening.clone();
            self.opens = Some(Box::pin(async move { Link::open(&opening).await }));
        }
        self.shake_if_due().await;
        let exchange = self.device.borrow_mut().poll_exchange(now);
        // that the data is stale is told before the UPS is asked: this process may have been stopped
        self.tell_changes();
        if let (Some(exchange), Some(link)) = (exchange, &mut self.link) {
            self.log.debug(3, || format!("> {}", exchange.command.escape_ascii()));
            match link.exchange(&exchange).await {
                Ok(reply) => self.reply(exchange, reply),
                Err(error) => self.lost(&error, Loudness::Warning),
            }
            return;
        }
        if !self.device.borrow().has_news() {
            self.wait().await;
        }
    }

    async fn wait(&mut self) {
        let due = self.device.borrow().poll_timeout().map(|moment| self.clock.instant(moment));
        let reopen = (self.link.is_none() && self.opens.is_none()).then_some(self.reopen);
        let until = due.into_iter().chain(reopen).chain(self.supervisor.next_turn()).min();
        // without anything to wait for, look again some time
        let until = until.unwrap_or_else(|| Instant::now() + Duration::from_secs(3600));
        self.log.debug(6, || {
            format!("waiting {} ms", until.saturating_duration_since(Instant::now()).as_millis())
        });
        let link = &mut self.link;
        let pause = async {
            match link {
                Some(link) => link.wait_until(until).await,
                None => sleep_until(until).await,
            }
        };
        // who leaves a wish is answered while the link is being opened
        let (opened, wish) = tokio::select! {
            opened = open(&mut self.opens) => (Some(opened), None),
            wish = self.wishes.recv(), if !self.wishes.is_closed() || !self.wishes.is_empty() => (None, wish),
            () = arrival(&mut self.arrivals) => {
                self.reopen = Instant::now();
                (None, None)
            }
            () = pause => (None, None),
        };
        if let Some(opened) = opened {
            self.opens = None;
            self.open_again(opened);
        }
        if let Some(wish) = wish {
            self.wish(wish);
        }
    }

    fn wish(&mut self, Waiting { wish, since, meant_for }: Waiting) {
        let Some(wish) = wish else { return };
        let mut device = self.device.borrow_mut();
        let (Wish::Command(ticket, name, _) | Wish::Set(ticket, name, _)) = &wish;
        let why = match () {
            () if meant_for != device.generation() => "the line was lost meanwhile",
            () if since.elapsed() >= bounds::WISH => "it waited for too long",
            () => "",
        };
        if !why.is_empty() {
            let outcome = Outcome::Failed(format!("{name}: {why}, so nothing was sent"));
            device.report(*ticket, outcome);
            return;
        }
        match wish {
            Wish::Command(ticket, name, parameter) => {
                device.instant_command(ticket, &name, parameter.as_deref());
            }
            Wish::Set(ticket, variable, value) => device.set(ticket, &variable, &value),
        }
    }

    fn reply(&mut self, exchange: Exchange, reply: Reply) {
        self.log.debug(3, || match &reply.line {
            Some(line) => format!("< {}", line.escape_ascii()),
            None => "-".into(),
        });
        self.log.debug(4, || {
            let what = if reply.by_lines { "line" } else { "byte" };
            format!("first {what} after {} ms", reply.latency.as_millis())
        });
        if let Some(line) = &reply.line
            && let Some(times) = self.reopening.heard(Instant::now(), || looks_like_reply(line))
        {
            self.log.info(&format!("{} stays open; {}", self.opening.address, times_more(times)));
        }
        self.cause = reply.line.clone().map(|line| (exchange.command, line));
        let now = self.now();
        self.device.borrow_mut().handle_reply(reply, now);
    }

    fn lost(&mut self, error: &LinkError, loudness: Loudness) {
        let place = &self.opening.address;
        let (loudness, then) = match self.reopening.lost(Instant::now()) {
            Loss::Plain => (loudness, "trying to open it again"),
            Loss::ComesAndGoes => (loudness, comes_and_goes(place)),
            Loss::Known => (Loudness::Debug, "trying to open it again"),
        };
        self.log.say(loudness, &format!("{place}: {error}; {then}"));
        self.opened = loudness.min(Loudness::Info);
        self.misses_its_own = true;
        self.link = None;
        // listening first: what comes back between closing and listening is not missed
        self.arrivals = matches!(self.opening.address, Address::Usb(_)).then(Arrivals::watch).flatten();
        self.reopen = Instant::now() + self.reopening.pause();
        let now = self.now();
        self.device.borrow_mut().handle_link(LinkChange::Gone, now);
        self.tell_supervisor();
    }

    /// A converter may hang while its UPS works: a reset of its port is what a user would do by hand. A
    /// line is opened anew. Said once: the UPS may be switched off for days.
    async fn shake_if_due(&mut self) {
        let (Some((due, loudness)), Some(link)) = (self.shake, &mut self.link) else { return };
        if Instant::now() < due {
            return;
        }
        self.shake = Some((Instant::now() + SHAKE_AGAIN, Loudness::Debug));
        if link.shake().await {
            self.lost(&LinkError::gone("the device said nothing"), loudness);
            self.reopen = Instant::now();
        }
    }

    fn open_again(&mut self, opened: Result<Link, LinkError>) {
        match opened {
            Ok(link) => {
                let loudness = self.opened.min(self.reopening.opened(Instant::now()));
                self.log.say(loudness, &format!("{} is open again", self.opening.address));
                if let Some(doubt) = link.doubt() {
                    self.log.say(loudness, doubt);
                }
                if let Some(advice) = link.advice().filter(|_| loudness > Loudness::Debug) {
                    self.log.warning(advice);
                }
                let change = how_it_is_back(link.doubt());
                self.link = Some(link);
                self.never_open = None;
                if self.device.borrow().is_ready() {
                    self.remember_usb();
                }
                self.arrivals = None;
                let now = self.now();
                self.device.borrow_mut().handle_link(change, now);
                self.tell_supervisor();
            }
            Err(error) => {
                if let Some(why) = &mut self.never_open {
                    *why = error.to_string();
                }
                match error.kind == Kind::Another && std::mem::take(&mut self.misses_its_own) {
                    true => self.log.warning(&error.to_string()),
                    false => self.log.debug(1, || error.to_string()),
                }
                self.reopen = Instant::now() + if self.arrivals.is_some() { REOPEN_UNTOLD } else { AGAIN };
            }
        }
    }

    fn write_log(&self, event: &Event) {
        match event {
            Event::Noted(loudness, text) => self.log.say(*loudness, text),
            Event::Stale => self.log.warning("the UPS does not answer: data is stale"),
            Event::Fresh if self.said_stale => self.log.say(Loudness::Warning, "the UPS answers again"),
            // another UPS was found: that stands in the log
            Event::Fresh => {}
            Event::NotFound(why) => self.log.debug(1, || why.clone()),
            Event::Detected(name, exchanges) => {
                self.log.debug(1, || {
                    format!("found {name} after {exchanges} exchanges, {} ms", self.now().as_millis())
                });
            }
            Event::Ready => self.log.debug(1, || format!("ready after {} ms", self.now().as_millis())),
            Event::Answered(..) | Event::WorthKeeping => {}
        }
    }
}

/// Writes what was learned of something, and says so loud when it cannot.
fn keep(memory: Memory, text: String, (what, loudness): (&'static str, Loudness), log: Rc<Log>) {
    tokio::task::spawn_local(async move {
        let path = memory.path().display().to_string();
        if let Ok(Err(error)) = tokio::task::spawn_blocking(move || memory.write(&text)).await {
            log.say(loudness, &format!("{what}: what was learned cannot be kept in {path}: {error}"));
        }
    });
}

/// What an opening is to the device, with what the link doubts of it.
fn how_it_is_back(doubt: Option<&str>) -> LinkChange {
    if doubt.is_some() { LinkChange::BackInDoubt } else { LinkChange::Back }
}

/// The link that is being opened, for whoever waits for one.
async fn open(opens: &mut Option<Opens>) -> Result<Link, LinkError> {
    match opens {
        Some(opens) => opens.await,
        None => std::future::pending().await,
    }
}

/// The next device that is plugged in, for whoever waits for one.
async fn arrival(arrivals: &mut Option<Arrivals>) {
    match arrivals {
        Some(arrivals) => arrivals.next().await,
        None => std::future::pending().await,
    }
}

/// NUT's number for an outcome (NUT 2.8.0 drivers/upshandler.h).
pub fn code(outcome: &Outcome) -> u8 {
    match outcome {
        Outcome::Done => text::code::HANDLED,
        Outcome::Unknown => text::code::UNKNOWN,
        Outcome::Invalid(_) => text::code::INVALID,
        Outcome::Failed(_) | Outcome::NotConfirmed(_) => text::code::FAILED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_link_doubts_is_told_to_the_device() {
        assert_eq!(how_it_is_back(None), LinkChange::Back);
        let why = "0665:5161 at 1-5 was plugged in anew and looks the same as what is at 1-1";
        assert_eq!(how_it_is_back(Some(why)), LinkChange::BackInDoubt);
    }
}
