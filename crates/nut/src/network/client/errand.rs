//! One order, followed until it is known what became of it.

use super::Next;
use super::answer::{Answer, Refusal};
use super::request::NetworkRequest;
use crate::network::TrackedOutcome;
use std::time::Duration;

/// How long to wait before the outcome is asked for the first time; then twice as long each time.
const FIRST_WAIT: Duration = Duration::from_millis(50);
/// The longest of these waits: upscmd's (NUT 2.8.0 clients/upscmd.c).
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// What is to be done to a UPS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientOrder {
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
pub enum OrderEnd {
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
    order: ClientOrder,
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
    /// [`SessionOpening`](super::SessionOpening).
    pub fn new(order: ClientOrder) -> Errand {
        Errand { order, step: Step::Begin, wait: FIRST_WAIT }
    }

    /// An order that ends once it is handed over.
    pub fn without_outcome(order: ClientOrder) -> Errand {
        Errand { order, step: Step::Tracking, wait: FIRST_WAIT }
    }

    /// What comes next: `None` at first, then the answer to what was asked.
    pub fn next(&mut self, answer: Option<Result<Answer, Refusal>>) -> Next<OrderEnd> {
        match (&self.step, answer) {
            (Step::Begin, _) => {
                self.step = Step::Tracking;
                Next::Ask(NetworkRequest::SetTracking(true))
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
            (Step::Order, Some(Ok(_))) => Next::End(OrderEnd::Accepted),
            (Step::Order, Some(Err(refusal))) => Next::End(OrderEnd::Refused(refusal)),
            (Step::Outcome(_), Some(Ok(Answer::Outcome(TrackedOutcome::Pending)))) => self.ask_again(),
            (Step::Outcome(_), Some(Ok(Answer::Outcome(TrackedOutcome::Success)))) => {
                Next::End(OrderEnd::Done)
            }
            (Step::Outcome(_), Some(Ok(Answer::Outcome(outcome)))) => Next::End(OrderEnd::Failed(outcome)),
            (Step::Outcome(_), Some(Err(refusal))) => Next::End(OrderEnd::Lost(refusal)),
            (Step::Order | Step::Outcome(_), _) => Next::End(OrderEnd::Accepted),
        }
    }

    fn ask_again(&mut self) -> Next<OrderEnd> {
        let Step::Outcome(id) = &self.step else { return Next::End(OrderEnd::Accepted) };
        let wait = self.wait;
        self.wait = (wait * 2).min(LONGEST_WAIT);
        Next::AskAfter(wait, NetworkRequest::Outcome(id.clone()))
    }

    fn request(&self) -> NetworkRequest {
        match self.order.clone() {
            ClientOrder::Command { ups, name, parameter } => NetworkRequest::Command { ups, name, parameter },
            ClientOrder::Set { ups, variable, value } => NetworkRequest::Set { ups, variable, value },
        }
    }
}
