//! A session: one device on one link. This is the only loop that knows a clock.
//!
//! It starts with its link closed. Publishers and clients hold the same device: they read its store at any time and
//! leave requests in a bounded queue; the session tells them what changed. Nothing here blocks, so a slow UPS delays
//! no client, and a slow client no poll.

use crate::board::{Condition, SessionBoard};
use crate::clock::DeviceClock;
use crate::keeping::Keeping;
use crate::log::Log;
use crate::publisher::Owner;
use crate::reopening::{AGAIN, Loss, Reopening, comes_and_goes, times_more};
use crate::report::StateReport;
use crate::request::{Message, Tickets};
use crate::state::State;
use crate::station::SharedDevice;
use link::{Address, Arrivals, Link, LinkError, LinkErrorKind, Opening};
use qx::device::{Event, LinkChange, LogLevel};
use qx::line::exchange::Reply;
use qx::line::looks_like_reply;
use qx::vocabulary::moment::Moment;
use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep, sleep_until};

/// How long a lost port waits where the system tells of what is plugged in; in a container, say, it may not.
const REOPEN_UNTOLD: Duration = Duration::from_secs(5);
/// A device that says nothing for so long is reset.
const RESET: Duration = Duration::from_secs(10);
/// And again, when that did not help.
const RESET_AGAIN: Duration = Duration::from_secs(120);
/// The session comes round at least so often, so that its last turn says something.
const IDLE: Duration = Duration::from_secs(3600);
/// So many events are told before the session gives way: an answer may lead to the next request.
const EVENTS_AT_ONCE: usize = 64;

/// Opening a link: it may take seconds, and nothing waits for it.
type Opens = Pin<Box<dyn Future<Output = Result<Link, LinkError>>>>;

/// One device on one link.
pub(crate) struct Session {
    device: SharedDevice,
    opening: Opening,
    link: Option<Box<Link>>,
    reopen: Instant,
    reopening: Reopening,
    /// The link is being opened.
    opens: Option<Opens>,
    /// What is plugged in, while the link is lost.
    arrivals: Option<Arrivals>,
    /// When to reset a silent device, and how loud that is.
    reset: Option<(Instant, LogLevel)>,
    /// How loud it is when the link is open again.
    opened: LogLevel,
    /// That another device is where its own was, has yet to be said.
    misses_its_own: bool,
    messages: mpsc::Receiver<Message>,
    tickets: Rc<Tickets>,
    board: Rc<SessionBoard>,
    keeping: Rc<RefCell<Keeping>>,
    owner: Rc<dyn Owner>,
    /// When the session has to come round again, for its owner.
    next_turn: Option<Instant>,
    log: Rc<Log>,
    report: StateReport,
    clock: DeviceClock,
}

impl Session {
    /// A session whose link is closed.
    pub fn new(
        device: SharedDevice,
        opening: Opening,
        (messages, tickets): (mpsc::Receiver<Message>, Rc<Tickets>),
        board: Rc<SessionBoard>,
        keeping: Rc<RefCell<Keeping>>,
        owner: Rc<dyn Owner>,
        log: Rc<Log>,
    ) -> Session {
        let now = Instant::now();
        let report = StateReport::new(opening.address.clone(), board.clone(), owner.clone(), log.clone());
        Session {
            device,
            opening,
            link: None,
            reopen: now,
            reopening: Reopening::new(now),
            opens: None,
            arrivals: None,
            reset: None,
            opened: LogLevel::Info,
            misses_its_own: false,
            messages,
            tickets,
            board,
            keeping,
            owner,
            next_turn: None,
            log,
            report,
            clock: DeviceClock::start(),
        }
    }

    /// Drives the device until this is dropped, after a pause.
    pub async fn run(mut self: Box<Session>, pause: Duration) {
        if !pause.is_zero() {
            sleep(pause).await;
        }
        self.open_first().await;
        loop {
            let is_news = self.tell_events();
            self.tell_changes();
            if is_news {
                // a task that waited for it acts before the session goes on
                self.board.wake();
                yield_now().await;
            } else {
                self.turn().await;
            }
        }
    }

    fn now(&self) -> Moment {
        self.clock.now()
    }

    /// Until the link was opened, or could not be. The time of the device begins then; requests wait so long.
    async fn open_first(&mut self) {
        let opening = self.opening.clone();
        let mut opens: Opens = Box::pin(async move { Link::open(&opening).await });
        let opened = loop {
            self.come_round();
            tokio::select! {
                opened = &mut opens => break opened,
                () = sleep_until(self.next_turn.unwrap_or_else(|| Instant::now() + IDLE)) => {}
            }
        };
        self.clock = DeviceClock::start();
        self.board.clock.set(Some(self.clock));
        match opened {
            Ok(link) => {
                if let Some(remark) = link.remark() {
                    self.log.debug(1, || remark.to_string());
                }
                if let Some(advice) = link.advice() {
                    self.log.warning(advice);
                }
                self.take_link(link);
            }
            Err(error) => {
                self.device.borrow_mut().handle_link(LinkChange::Gone, Moment::ZERO);
                self.board.set(Condition::CannotOpen(error.clone()));
                // an owner that gives up here leaves no line of log
                yield_now().await;
                self.lost(&error, LogLevel::Warning);
            }
        }
    }

    /// The link is open: what it knows of the UPS.
    fn take_link(&mut self, link: Link) {
        if matches!(self.board.condition(), Condition::Opening | Condition::CannotOpen(_)) {
            self.board.set(Condition::Searching);
        }
        {
            let mut device = self.device.borrow_mut();
            device.prefer_dialect(link.dialect(), self.clock.now());
            if let Some(usb) = link.usb_device() {
                device.store_mut().set("ups.vendorid", format!("{:04x}", usb.vendor_id));
                device.store_mut().set("ups.productid", format!("{:04x}", usb.product_id));
            }
        }
        *self.board.usb.borrow_mut() = link.usb_device().cloned();
        self.link = Some(Box::new(link));
    }

    fn keep_usb(&self) {
        if let Some(usb) = self.link.as_ref().and_then(|link| link.usb_device()) {
            self.keeping.borrow().keep_usb(usb.mark());
        }
    }

    /// Tells what happened; true when there was something.
    fn tell_events(&mut self) -> bool {
        let mut told = 0;
        while told < EVENTS_AT_ONCE && self.tell_event() {
            told += 1;
        }
        told > 0
    }

    fn tell_event(&mut self) -> bool {
        let event = self.device.borrow_mut().poll_event();
        let Some(event) = event else { return false };
        let why_stale = self.device.borrow().why_it_became_stale();
        self.report.event(&event, why_stale, self.now());
        match &event {
            Event::Stale => self.reset = Some((Instant::now() + RESET, LogLevel::Warning)),
            Event::Fresh => self.reset = None,
            Event::WorthKeeping => self.keeping.borrow().keep_findings(&mut self.device.borrow_mut()),
            Event::Ready => self.keep_usb(),
            Event::Detected(name, _) => {
                let mut device = self.device.borrow_mut();
                // it was told already, and turns out to be another
                if device.store().text("driver.version.data").is_some() {
                    device.store_mut().set("driver.version.data", *name);
                }
            }
            Event::NotFound(_) | Event::Noted(..) | Event::Answered(..) => {}
        }
        self.board.hear(&event);
        match event {
            Event::Answered(ticket, outcome) => self.tickets.close(ticket, outcome),
            event => self.board.publish_event(&event, self.device.borrow().store()),
        }
        true
    }

    fn tell_changes(&mut self) {
        let changes = self.device.borrow_mut().take_changes();
        if changes.is_empty() {
            return;
        }
        if State::may_change_by(&changes) {
            self.report.state(&mut self.device.borrow_mut(), self.link.is_some());
        }
        self.log.debug(2, || format!("changed: {changes:?}"));
        self.board.publish_changes(self.device.borrow().store(), &changes);
    }

    fn tell_status(&self) {
        self.report.status(&self.device.borrow(), self.link.is_some());
    }

    /// The session lives, and its owner says when it wants to hear that again.
    fn come_round(&mut self) {
        self.board.last_turn.set(Instant::now());
        self.next_turn = self.owner.turned();
    }

    /// One exchange, or a wait until something is due.
    async fn turn(&mut self) {
        self.come_round();
        self.keeping.borrow_mut().keep_battery(&mut self.device.borrow_mut());
        let now = self.now();
        while let Ok(message) = self.messages.try_recv() {
            self.take(message);
        }
        if self.link.is_none() && self.opens.is_none() && Instant::now() >= self.reopen {
            let opening = self.opening.clone();
            self.opens = Some(Box::pin(async move { Link::open(&opening).await }));
        }
        self.reset_if_due().await;
        let exchange = self.device.borrow_mut().poll_exchange(now);
        // that the data is stale is told before the UPS is asked: this process may have been stopped
        self.tell_changes();
        if let (Some(exchange), Some(link)) = (exchange, &mut self.link) {
            self.log.debug(3, || format!("> {}", exchange.command.escape_ascii()));
            // boxed: between two polls nothing of it is there
            match Box::pin(link.exchange(&exchange)).await {
                Ok(reply) => self.reply(reply),
                Err(error) => self.lost(&error, LogLevel::Warning),
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
        let until = due.into_iter().chain(reopen).chain(self.next_turn).min();
        // without anything to wait for, look again some time
        let until = until.unwrap_or_else(|| Instant::now() + IDLE);
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
        // who leaves a request is answered while the link is being opened
        let (opened, message) = tokio::select! {
            opened = open(&mut self.opens) => (Some(opened), None),
            message = self.messages.recv(), if !self.messages.is_closed() || !self.messages.is_empty() => (None, message),
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
        if let Some(message) = message {
            self.take(message);
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Request(waiting) => waiting.tell(&mut self.device.borrow_mut(), &self.tickets),
            Message::Look => {}
        }
    }

    fn reply(&mut self, reply: Reply) {
        self.log.debug(3, || match &reply.line {
            Some(line) => format!("< {}", line.escape_ascii()),
            None => "-".into(),
        });
        self.log.debug(4, || {
            let what = if reply.by_lines { "line" } else { "byte" };
            format!("first {what} after {} ms", reply.latency.as_millis())
        });
        let line = reply.line.as_ref();
        let steady = line.and_then(|line| self.reopening.heard(Instant::now(), || looks_like_reply(line)));
        if let Some(times) = steady {
            self.log.info(&format!("{} stays open; {}", self.opening.address, times_more(times)));
        }
        let now = self.now();
        self.device.borrow_mut().handle_reply(reply, now);
        if !self.device.borrow().store().is_stale() {
            self.report.fresh(now);
        }
    }

    fn lost(&mut self, error: &LinkError, level: LogLevel) {
        let place = &self.opening.address;
        let (level, then) = match self.reopening.lost(Instant::now()) {
            Loss::Plain => (level, "trying to open it again"),
            Loss::ComesAndGoes => (level, comes_and_goes(place)),
            Loss::Known => (LogLevel::Debug, "trying to open it again"),
        };
        self.log.say(level, &format!("{place}: {error}; {then}"));
        self.opened = level.min(LogLevel::Info);
        self.misses_its_own = true;
        self.link = None;
        // listening first: what comes back between closing and listening is not missed
        self.arrivals = matches!(self.opening.address, Address::Usb(_)).then(Arrivals::watch).flatten();
        self.reopen = Instant::now() + self.reopening.pause();
        let now = self.now();
        self.device.borrow_mut().handle_link(LinkChange::Gone, now);
        self.tell_status();
    }

    /// A converter may hang while its UPS works: a reset of its port is what a user would do by hand. A
    /// line is opened anew. Said once: the UPS may be switched off for days.
    async fn reset_if_due(&mut self) {
        let (Some((due, level)), Some(link)) = (self.reset, &mut self.link) else { return };
        if Instant::now() < due {
            return;
        }
        self.reset = Some((Instant::now() + RESET_AGAIN, LogLevel::Debug));
        if Box::pin(link.reset()).await {
            self.lost(&LinkError::gone("the device said nothing"), level);
            self.reopen = Instant::now();
        }
    }

    fn open_again(&mut self, opened: Result<Link, LinkError>) {
        match opened {
            Ok(link) => {
                let level = self.opened.min(self.reopening.opened(Instant::now()));
                self.log.say(level, &format!("{} is open again", self.opening.address));
                if let Some(doubt) = link.doubt() {
                    self.log.say(level, doubt);
                }
                if let Some(advice) = link.advice().filter(|_| level > LogLevel::Debug) {
                    self.log.warning(advice);
                }
                let change = how_it_is_back(link.doubt());
                self.take_link(link);
                if self.device.borrow().is_ready() {
                    self.keep_usb();
                }
                self.arrivals = None;
                let now = self.now();
                self.device.borrow_mut().handle_link(change, now);
                self.tell_status();
            }
            Err(error) => {
                if matches!(self.board.condition(), Condition::CannotOpen(_)) {
                    self.board.set(Condition::CannotOpen(error.clone()));
                }
                match error.kind == LinkErrorKind::Another && std::mem::take(&mut self.misses_its_own) {
                    true => self.log.warning(&error.to_string()),
                    false => self.log.debug(1, || error.to_string()),
                }
                self.reopen = Instant::now() + if self.arrivals.is_some() { REOPEN_UNTOLD } else { AGAIN };
            }
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.board.set(Condition::Ended);
        self.tickets.drop_all();
    }
}

/// What an opening is to the device, with what the link doubts of it.
fn how_it_is_back(doubt: Option<&str>) -> LinkChange {
    if doubt.is_some() { LinkChange::BackInDoubt } else { LinkChange::Back }
}

/// The link that is being opened; without one, never.
async fn open(opens: &mut Option<Opens>) -> Result<Link, LinkError> {
    match opens {
        Some(opens) => opens.await,
        None => std::future::pending().await,
    }
}

/// The next device that is plugged in; without a list of arrivals, never.
async fn arrival(arrivals: &mut Option<Arrivals>) {
    match arrivals {
        Some(arrivals) => arrivals.next().await,
        None => std::future::pending().await,
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
