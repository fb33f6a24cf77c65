//! A UPS whose driver is another process: its socket in the state path, as upsd uses it (NUT 2.8.0 server/sstate.c).
//!
//! The data of a connection is shown once its first dump is complete, and goes with the connection: no value
//! outlives the driver that said it.

use super::mirror::Mirror;
use super::source::{Ended, HearsStatus, Mirrored, WhenEnded};
use super::stands::Stands;
use nut::driver_lines::DriverLine;
use nut::driver_socket::{LineBuffer, SocketRequest};
use nut::network::server::{Freshness, Order};
use nut::network::{TrackedOutcome, TrackingId};
use qx::vocabulary::moment::Moment;
use station::clock::DeviceClock;
use station::log::Log;
use station::seldom::{Seldom, counted};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::{Rc, Weak};
use std::time::Duration;
use tokio::net::UnixStream;
use tokio::sync::Notify;
use tokio::task::{JoinHandle, yield_now};
use tokio::time::{Instant, sleep, timeout};

/// The first pause after a lost connection, and the longest: upsd tries again every 2 s.
const PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// A driver whose queue of clients is full is tried again.
const CONNECT: Duration = Duration::from_secs(1);
/// Newer NUT lets this pass beyond MAXAGE: times of upsd are whole seconds.
const GRACE: Duration = Duration::from_secs(1);
/// A driver that does not read gets no more than this.
const UNREAD: usize = 64 * 1024;
/// So many orders may wait for their outcome.
const ORDERS: usize = 256;
/// An outcome that has not come after so long does not come any more.
const ANSWERS_IN: Duration = Duration::from_secs(60);
/// So many bytes are read before other tasks have their turn.
const AT_ONCE: usize = 64 * 1024;

/// The socket of a driver.
pub(crate) struct SocketSource {
    inner: Rc<Inner>,
    task: JoinHandle<()>,
}

struct Inner {
    path: PathBuf,
    log: Log,
    /// MAXAGE.
    max_age: Rc<Cell<Duration>>,
    clock: DeviceClock,
    new_id: Rc<dyn Fn() -> TrackingId>,
    state: RefCell<State>,
    /// Something is to be written.
    wake: Notify,
    /// What holds of the driver, for the log.
    stands: RefCell<Stands>,
    bad_lines: RefCell<Seldom>,
    strange: RefCell<Seldom>,
    refused: RefCell<Seldom>,
    /// Who hears each status, and of which UPS it is.
    hearer: RefCell<Option<(String, Weak<dyn HearsStatus>)>>,
}

/// What is known of the driver.
#[derive(Default)]
struct State {
    connected: bool,
    /// The first dump is complete.
    dumped: bool,
    /// The driver's last word on its data.
    says_fresh: bool,
    /// When it said anything last, and when it was last pinged.
    heard: Moment,
    pinged: Moment,
    /// What is shown.
    mirror: Mirror,
    /// What comes in by the first dump.
    arriving: Mirror,
    unread: Vec<u8>,
    orders: BTreeMap<String, Waiting>,
    /// How many orders were tracked.
    tracked: u64,
}

struct Waiting {
    /// The how manieth order it is.
    number: u64,
    since: Moment,
    answer: WhenEnded,
}

impl SocketSource {
    /// Connects to a driver's socket in a task of its own, again and again.
    pub fn spawn(
        path: &Path,
        max_age: Rc<Cell<Duration>>,
        new_id: Rc<dyn Fn() -> TrackingId>,
        log: Log,
    ) -> SocketSource {
        let inner = Rc::new(Inner {
            path: path.to_path_buf(),
            log,
            max_age,
            clock: DeviceClock::start(),
            new_id,
            state: RefCell::default(),
            wake: Notify::new(),
            stands: RefCell::default(),
            bad_lines: RefCell::default(),
            strange: RefCell::default(),
            refused: RefCell::default(),
            hearer: RefCell::default(),
        });
        let task = tokio::task::spawn_local(inner.clone().run());
        SocketSource { inner, task }
    }
}

impl Drop for SocketSource {
    fn drop(&mut self) {
        self.task.abort();
        self.inner.lose();
    }
}

impl Inner {
    async fn run(self: Rc<Self>) {
        let mut pause = PAUSE;
        loop {
            match timeout(CONNECT, UnixStream::connect(&self.path)).await {
                Ok(Ok(stream)) => {
                    self.begin();
                    let why = self.talk(&stream).await;
                    let was_whole = self.state.borrow().dumped;
                    self.lose();
                    if was_whole {
                        pause = PAUSE;
                    }
                    self.say_stands(&format!("the connection to its driver is lost: {why}"));
                }
                Ok(Err(error)) => {
                    let text = format!(
                        "cannot connect to its driver at {}: {error}; start the driver",
                        self.path.display()
                    );
                    self.say_stands(&text);
                }
                Err(_) => self.say_stands("its driver takes no connection"),
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Says what holds of the driver now, where that is not what was said last.
    fn say_stands(&self, text: &str) {
        let line = self.stands.borrow_mut().are(text, Instant::now());
        match (line, self.freshness()) {
            (Some(line), Freshness::Fresh) => self.log.info(&line),
            (Some(line), Freshness::Stale | Freshness::NotConnected) => self.log.warning(&line),
            (None, _) => {}
        }
    }

    fn complain(&self, seldom: &RefCell<Seldom>, text: &str) {
        if let Some(times) = seldom.borrow_mut().happened(Instant::now()) {
            self.log.warning(&counted(text, times));
        }
    }

    fn begin(&self) {
        let now = self.clock.now();
        let mut state = self.state.borrow_mut();
        *state = State {
            connected: true,
            heard: now,
            pinged: now,
            mirror: Mirror::waiting(),
            unread: SocketRequest::DumpAll.line().into_bytes(),
            ..State::default()
        };
    }

    /// All that the driver said goes, and what waits for it has failed.
    fn lose(&self) {
        let orders = std::mem::take(&mut *self.state.borrow_mut()).orders;
        for waiting in orders.into_values() {
            let why = "the connection to the driver was lost before it said what became of it";
            (waiting.answer)(Ended::unseen(why));
        }
    }

    /// Talks until the connection is lost; returns why.
    async fn talk(&self, stream: &UnixStream) -> String {
        let mut lines = LineBuffer::default();
        loop {
            self.tell_freshness();
            let wait = self.look_at_the_clock();
            let writes = !self.state.borrow().unread.is_empty();
            let came = tokio::select! {
                ready = stream.readable() => ready.and_then(|()| self.read(stream, &mut lines)),
                ready = stream.writable(), if writes => ready.and_then(|()| self.write(stream)),
                () = self.wake.notified() => Ok(false),
                () = sleep(wait) => Ok(false),
            };
            match came {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return "the driver closed it".into();
                }
                Err(error) => return error.to_string(),
                Ok(true) => yield_now().await,
                Ok(false) => {}
            }
        }
    }

    /// Reads what is there; true when there was much.
    fn read(&self, stream: &UnixStream, lines: &mut LineBuffer) -> io::Result<bool> {
        let (mut buffer, mut read) = ([0; 4096], 0);
        while read < AT_ONCE {
            match stream.try_read(&mut buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    lines.push(&buffer[..count]);
                    self.take_lines(lines);
                    read += count;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    fn take_lines(&self, lines: &mut LineBuffer) {
        while let Some(line) = lines.next_line() {
            match line.and_then(|line| DriverLine::parse(&line)) {
                Ok(line) => {
                    let is_status =
                        matches!(&line, DriverLine::SetInfo { variable, .. } if variable == "ups.status");
                    self.take(line);
                    if is_status {
                        self.tell_status();
                    }
                    self.say_strange();
                }
                Err(error) => {
                    self.complain(&self.bad_lines, &format!("its driver says what cannot be read: {error}"));
                }
            }
        }
    }

    /// Says the status, of a driver whose data is complete and fresh.
    fn tell_status(&self) {
        let hearer = self.hearer.borrow();
        let Some((ups, hearer)) = hearer.as_ref() else { return };
        let state = self.state.borrow();
        let Some(hearer) = hearer.upgrade().filter(|_| state.dumped && state.says_fresh) else { return };
        state.mirror.variable("ups.status", &mut |variable| hearer.status(ups, variable.value));
    }

    fn say_strange(&self) {
        let mut state = self.state.borrow_mut();
        let name = state.mirror.take_strange().or_else(|| state.arriving.take_strange());
        drop(state);
        if let Some(name) = name {
            let text = format!(
                "its driver names a variable or command that clients cannot read, which is left out: {name}"
            );
            self.complain(&self.strange, &text);
        }
    }

    fn take(&self, line: DriverLine) {
        let now = self.clock.now();
        let mut state = self.state.borrow_mut();
        state.heard = now;
        match line {
            DriverLine::DataOk => state.says_fresh = true,
            DriverLine::DataStale => state.says_fresh = false,
            DriverLine::DumpDone if !state.dumped => {
                state.dumped = true;
                state.mirror = std::mem::take(&mut state.arriving);
                let is_full = state.mirror.is_full();
                drop(state);
                if is_full {
                    self.complain(
                        &self.bad_lines,
                        "its driver says more variables or commands than are kept: some are not shown",
                    );
                }
            }
            DriverLine::Tracking { id, code } => {
                let waiting = state.orders.remove(&id.to_ascii_lowercase());
                drop(state);
                let outcome = u8::try_from(code)
                    .ok()
                    .and_then(TrackedOutcome::of_driver)
                    .unwrap_or(TrackedOutcome::Unknown);
                if let Some(waiting) = waiting {
                    (waiting.answer)(Ended {
                        outcome,
                        why: None,
                        is_seen: outcome != TrackedOutcome::Pending,
                    });
                }
            }
            line if state.dumped => state.mirror.take(line),
            line => {
                // one that says nothing of its status is shown as upsd shows it
                if state.arriving == Mirror::default() {
                    state.arriving = Mirror::waiting();
                }
                state.arriving.take(line);
            }
        }
    }

    fn write(&self, stream: &UnixStream) -> io::Result<bool> {
        let mut state = self.state.borrow_mut();
        match stream.try_write(&state.unread) {
            Ok(written) => drop(state.unread.drain(..written)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        Ok(false)
    }

    /// Prods a driver that says nothing, gives up orders without an outcome, and says when to look again.
    fn look_at_the_clock(&self) -> Duration {
        let (now, third) = (self.clock.now(), self.max_age.get() / 3);
        let mut state = self.state.borrow_mut();
        let is_silent = |since: Moment| now.saturating_sub(since) > third;
        if is_silent(state.heard) && is_silent(state.pinged) {
            state.pinged = now;
            if state.unread.len() < UNREAD {
                state.unread.extend_from_slice(SocketRequest::Ping.line().as_bytes());
            }
        }
        let is_late = |waiting: &Waiting| now.saturating_sub(waiting.since) > ANSWERS_IN;
        let late: Vec<String> =
            state.orders.iter().filter(|(_, waiting)| is_late(waiting)).map(|(id, _)| id.clone()).collect();
        let late: Vec<Waiting> = late.iter().filter_map(|id| state.orders.remove(id)).collect();
        drop(state);
        for waiting in late {
            let why = format!("the driver did not say for {} s what became of it", ANSWERS_IN.as_secs());
            (waiting.answer)(Ended::unseen(why));
        }
        (third / 2).clamp(Duration::from_millis(50), Duration::from_secs(2))
    }

    /// How long ago it said something; none where it never did.
    fn age(&self) -> Option<Duration> {
        let heard = self.state.borrow().heard;
        (heard > Moment::ZERO).then(|| self.clock.now().saturating_sub(heard))
    }

    fn freshness(&self) -> Freshness {
        let state = self.state.borrow();
        let silent = self.clock.now().saturating_sub(state.heard);
        match () {
            () if !state.connected => Freshness::NotConnected,
            () if state.dumped && !state.says_fresh => Freshness::Stale,
            () if silent > self.max_age.get() + GRACE => Freshness::Stale,
            () => Freshness::Fresh,
        }
    }

    /// Says whether the driver has fresh data.
    fn tell_freshness(&self) {
        let is_dumped = self.state.borrow().dumped;
        match self.freshness() {
            Freshness::Fresh if !is_dumped => {}
            Freshness::Fresh => {
                self.say_stands(&format!(
                    "connected to its driver at {}; data is fresh",
                    self.path.display()
                ));
            }
            Freshness::Stale => self.say_stands("data is stale: check its driver"),
            Freshness::NotConnected => {}
        }
    }
}

impl Mirrored for SocketSource {
    fn with_mirror(&self, act: &mut dyn FnMut(&Mirror)) {
        act(&self.inner.state.borrow().mirror);
    }

    fn tell_status_of_mirror(&self, ups: &str, hearer: &Rc<dyn HearsStatus>) {
        let hearer = Rc::downgrade(hearer);
        let mut there = self.inner.hearer.borrow_mut();
        if there.as_ref().is_none_or(|(_, there)| !there.ptr_eq(&hearer)) {
            *there = Some((ups.into(), hearer));
        }
    }

    fn age_of_mirror(&self) -> Option<Duration> {
        self.inner.age()
    }

    fn freshness_of_mirror(&self) -> Freshness {
        self.inner.freshness()
    }

    fn pass_on(&self, order: Order<'_>, tracked: bool, answer: WhenEnded) -> bool {
        let tracking = tracked.then(|| (self.inner.new_id)().to_string());
        let id = tracking.clone();
        let request = match order {
            Order::Command { name, parameter } => {
                SocketRequest::InstCmd { name: name.into(), parameter: parameter.map(Into::into), tracking }
            }
            Order::Set { variable, value } => {
                SocketRequest::Set { variable: variable.into(), value: value.into(), tracking }
            }
        };
        let line = request.line();
        let mut state = self.inner.state.borrow_mut();
        let why = match () {
            () if !state.connected => Some("there is no connection to its driver; start it"),
            () if state.unread.len() + line.len() > UNREAD => {
                Some("its driver reads nothing; start it again")
            }
            () => None,
        };
        if let Some(why) = why {
            drop(state);
            self.inner.complain(&self.inner.refused, &format!("an order was refused: {why}"));
            return false;
        }
        state.unread.extend_from_slice(line.as_bytes());
        let mut given_up = None;
        if let Some(id) = id {
            // orders without an outcome keep no other away
            if state.orders.len() >= ORDERS {
                let oldest = state.orders.iter().min_by_key(|(_, waiting)| waiting.number);
                let oldest = oldest.map(|(id, _)| id.clone());
                given_up = oldest.and_then(|id| state.orders.remove(&id));
            }
            state.tracked += 1;
            let waiting = Waiting { number: state.tracked, since: self.inner.clock.now(), answer };
            state.orders.insert(id.to_ascii_lowercase(), waiting);
        }
        drop(state);
        if let Some(waiting) = given_up {
            let why = format!("the driver owes the outcome of {ORDERS} orders, of which this is the oldest");
            (waiting.answer)(Ended::unseen(why));
        }
        self.inner.wake.notify_one();
        true
    }
}
