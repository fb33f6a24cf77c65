//! One order, followed until it is known what became of it.

use super::Next;
use super::answer::{Answer, Refusal};
use super::request::Request;
use crate::network::TrackedOutcome;
use std::time::Duration;

/// How long to wait before the outcome is asked for the first time; then twice as long each time.
const FIRST_WAIT: Duration = Duration::from_millis(50);
/// The longest of these waits: upscmd's (NUT 2.8.0 clients/upscmd.c).
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// What is to be done to a UPS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// INSTCMD.
    Command {
        /// The UPS.
        ups: String,
        /// The command.
        name: String,
        /// Its parameter.
        parameter: Option<String>,
    },
    /// SET VAR.
    Set {
        /// The UPS.
        ups: String,
        /// The variable.
        variable: String,
        /// Its new value.
        value: String,
    },
}

/// How an order ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The driver did it.
    Done,
    /// The server handed it to the driver, and cannot say what became of it: it is older than NUT 2.8, or
    /// was not to be asked. This is not "done".
    Accepted,
    /// The driver did not do it, or does not know that it was done.
    Failed(TrackedOutcome),
    /// The server refused it; nothing was handed over.
    Refused(Refusal),
    /// The server handed it over, and refuses to say what became of it.
    Lost(Refusal),
}

/// An order on its way: SET TRACKING ON, the order, GET TRACKING until there is an outcome. How long
/// that may take is for the caller to say.
#[derive(Clone, Debug)]
pub struct Errand {
    order: Order,
    step: Step,
    wait: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Begin,
    Tracking,
    Order,
    Outcome(String),
}

impl Errand {
    /// An order whose outcome is wanted. The connection has named its user before, see
    /// [`Opening`](super::Opening).
    pub fn new(order: Order) -> Errand {
        Errand { order, step: Step::Begin, wait: FIRST_WAIT }
    }

    /// An order that ends once it is handed over.
    pub fn without_outcome(order: Order) -> Errand {
        Errand { order, step: Step::Tracking, wait: FIRST_WAIT }
    }

    /// What comes next: `None` at first, then the answer to what was asked.
    pub fn next(&mut self, answer: Option<Result<Answer, Refusal>>) -> Next<End> {
        match (&self.step, answer) {
            (Step::Begin, _) => {
                self.step = Step::Tracking;
                Next::Ask(Request::SetTracking(true))
            }
            // refused: a server without tracking, which takes the order all the same
            (Step::Tracking, _) => {
                self.step = Step::Order;
                Next::Ask(self.request())
            }
            (Step::Order, Some(Ok(Answer::Tracked(id)))) => {
                self.step = Step::Outcome(id);
                self.ask_again()
            }
            (Step::Order, Some(Ok(_))) => Next::End(End::Accepted),
            (Step::Order, Some(Err(refusal))) => Next::End(End::Refused(refusal)),
            (Step::Outcome(_), Some(Ok(Answer::Outcome(TrackedOutcome::Pending)))) => self.ask_again(),
            (Step::Outcome(_), Some(Ok(Answer::Outcome(TrackedOutcome::Success)))) => Next::End(End::Done),
            (Step::Outcome(_), Some(Ok(Answer::Outcome(outcome)))) => Next::End(End::Failed(outcome)),
            (Step::Outcome(_), Some(Err(refusal))) => Next::End(End::Lost(refusal)),
            (Step::Order | Step::Outcome(_), _) => Next::End(End::Accepted),
        }
    }

    fn ask_again(&mut self) -> Next<End> {
        let Step::Outcome(id) = &self.step else { return Next::End(End::Accepted) };
        let wait = self.wait;
        self.wait = (wait * 2).min(LONGEST_WAIT);
        Next::AskAfter(wait, Request::Outcome(id.clone()))
    }

    fn request(&self) -> Request {
        match self.order.clone() {
            Order::Command { ups, name, parameter } => Request::Command { ups, name, parameter },
            Order::Set { ups, variable, value } => Request::Set { ups, variable, value },
        }
    }
}
