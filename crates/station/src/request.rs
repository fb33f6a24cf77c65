//! Requests of clients: each carries the channel on which its own answer goes back.
//!
//! A request waits in a bounded queue for the session of its UPS. It is meant for the link and the UPS that were
//! there when it was left, and for [`bounds::REQUEST_LASTS`] at most. One that is dropped without an answer answers that it
//! failed, so that nothing waits for ever.

use crate::driver_commands::{self, DriverCommand};
use crate::publisher::Owner;
use crate::station::SharedDevice;
use qx::device::{Device, Generation, Outcome, Ticket, bounds};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

/// So many requests may wait for one UPS.
const MOST: usize = 32;

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestedAction {
    /// An instant command.
    Command {
        /// Its name.
        name: String,
        /// Its parameter, such as the seconds of a test.
        parameter: Option<String>,
    },
    /// To set a variable.
    Set {
        /// Its name.
        variable: String,
        /// The new value.
        value: String,
    },
}

impl RequestedAction {
    /// The name of the command or variable.
    pub fn name(&self) -> &str {
        let (RequestedAction::Command { name, .. } | RequestedAction::Set { variable: name, .. }) = self;
        name
    }
}

/// A request and the channel for its answer.
#[derive(Debug)]
pub struct Request {
    what: RequestedAction,
    answer: Answer,
}

impl Request {
    /// A request whose outcome goes to a function, called once, from the session or from where the request is
    /// refused. It must not call its station; it takes a note and acts later.
    pub fn new(what: RequestedAction, answer: impl FnOnce(Outcome) + 'static) -> Request {
        let answer = Answer { name: what.name().into(), to: Some(Box::new(answer)) };
        Request { what, answer }
    }

    /// A request without an interest in its outcome.
    pub fn unheard(what: RequestedAction) -> Request {
        Request::new(what, drop)
    }

    /// A request whose outcome is waited for.
    pub fn awaited(what: RequestedAction) -> (Request, oneshot::Receiver<Outcome>) {
        let (sender, receiver) = oneshot::channel();
        // a waiter that is gone wants no answer
        let answer = move |outcome| drop(sender.send(outcome));
        (Request::new(what, answer), receiver)
    }

    /// What is asked for.
    pub fn what(&self) -> &RequestedAction {
        &self.what
    }
}

/// Where an answer goes. Dropped without one, it answers that the request failed.
struct Answer {
    name: String,
    to: Option<Box<dyn FnOnce(Outcome)>>,
}

impl Answer {
    fn give(mut self, outcome: Outcome) {
        if let Some(to) = self.to.take() {
            to(outcome);
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if let Some(to) = self.to.take() {
            to(Outcome::Failed(format!("{}: failed: this UPS is not watched any more", self.name)));
        }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answer to {}", self.name)
    }
}

/// Why a request was not left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Too many wait already.
    TooMany,
    /// The UPS is not watched any more.
    Stopped,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refused::TooMany => "too many requests of clients wait already: one was refused",
            Refused::Stopped => "the UPS is not watched any more: a request was refused",
        })
    }
}

/// A request on its way to the session: since when it waits, and the link and the UPS that it is meant for.
#[derive(Debug)]
pub(crate) struct Waiting {
    request: Request,
    since: Instant,
    meant_for: Generation,
}

/// What is left for a session.
#[derive(Debug)]
pub(crate) enum Message {
    /// A request. Boxed: a queue has room for 32 messages from its first one on.
    Request(Box<Waiting>),
    /// The device was told something, and has to be looked after.
    Look,
}

/// Where requests are left for the session of one UPS.
#[derive(Clone)]
pub struct Requests {
    sender: mpsc::Sender<Message>,
    device: SharedDevice,
    tickets: Rc<Tickets>,
    owner: Rc<dyn Owner>,
}

impl Requests {
    pub(crate) fn new(
        device: SharedDevice,
        owner: Rc<dyn Owner>,
    ) -> (Requests, mpsc::Receiver<Message>, Rc<Tickets>) {
        let (sender, receiver) = mpsc::channel(MOST);
        let tickets = Rc::new(Tickets::default());
        (Requests { sender, device, tickets: tickets.clone(), owner }, receiver, tickets)
    }

    /// Leaves a request. What is asked of the driver itself waits for no other request.
    ///
    /// # Errors
    /// [`Refused`]; the request has answered by then that it failed.
    pub fn leave(&self, request: Request) -> Result<(), Refused> {
        if self.sender.is_closed() {
            return Err(Refused::Stopped);
        }
        if let Some(command) = driver_commands::meant_by(&request.what, self.owner.can_reload()) {
            self.obey(command, request.answer);
            return Ok(());
        }
        let meant_for = self.device.borrow().generation();
        let waiting = Waiting { request, since: Instant::now(), meant_for };
        self.sender.try_send(Message::Request(Box::new(waiting))).map_err(|error| match error {
            mpsc::error::TrySendError::Full(Message::Request(waiting)) => {
                let Request { what, answer } = waiting.request;
                let why = format!("{}: too many requests wait already, so nothing was sent", what.name());
                answer.give(Outcome::Failed(why));
                Refused::TooMany
            }
            mpsc::error::TrySendError::Full(Message::Look) => Refused::TooMany,
            mpsc::error::TrySendError::Closed(_) => Refused::Stopped,
        })
    }

    fn obey(&self, command: DriverCommand, answer: Answer) {
        if let DriverCommand::Reload(how) = command {
            // no open request: a reload waits for those
            return self.owner.reload(how, Box::new(|outcome| answer.give(outcome)));
        }
        let ticket = self.tickets.open(answer);
        driver_commands::obey(command, &mut self.device.borrow_mut(), ticket);
        self.look();
    }

    /// Whether a request waits for its answer.
    pub fn are_open(&self) -> bool {
        !self.tickets.waiting.borrow().is_empty()
    }

    /// Answers for a session that has ended.
    pub(crate) fn close(&self, ticket: Ticket, outcome: Outcome) {
        self.tickets.close(ticket, outcome);
    }

    /// Has the session look after its device, which was told something.
    pub fn look(&self) {
        // while others wait, it does anyway
        let _ = self.sender.try_send(Message::Look);
    }
}

impl Waiting {
    /// Tells the device, unless the request comes too late.
    pub(crate) fn tell(self, device: &mut Device, tickets: &Tickets) {
        let Request { what, answer } = self.request;
        let ticket = tickets.open(answer);
        let late = match () {
            () if self.meant_for != device.generation() => Some("the line was lost meanwhile"),
            () if self.since.elapsed() >= bounds::REQUEST_LASTS => Some("it waited for too long"),
            () => None,
        };
        match (late, what) {
            (Some(why), what) => {
                let why = format!("{}: {why}, so nothing was sent", what.name());
                device.report(ticket, Outcome::Failed(why));
            }
            (None, RequestedAction::Command { name, parameter }) => {
                device.instant_command(ticket, &name, parameter.as_deref());
            }
            (None, RequestedAction::Set { variable, value }) => device.set(ticket, &variable, &value),
        }
    }
}

/// The answers that a device owes, by the numbers that it knows them by. No one else sees these numbers.
#[derive(Debug, Default)]
pub(crate) struct Tickets {
    last: Cell<Ticket>,
    waiting: RefCell<BTreeMap<Ticket, Answer>>,
}

impl Tickets {
    fn open(&self, answer: Answer) -> Ticket {
        let ticket = self.last.get() + 1;
        self.last.set(ticket);
        self.waiting.borrow_mut().insert(ticket, answer);
        ticket
    }

    /// Gives an answer. The device must not be borrowed.
    pub(crate) fn close(&self, ticket: Ticket, outcome: Outcome) {
        // taken out first: an answer may lead to the next request
        let answer = self.waiting.borrow_mut().remove(&ticket);
        if let Some(answer) = answer {
            answer.give(outcome);
        }
    }

    /// Nothing is answered any more.
    pub(crate) fn drop_all(&self) {
        let all = std::mem::take(&mut *self.waiting.borrow_mut());
        drop(all);
    }
}
