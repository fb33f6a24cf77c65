//! Orders that are handed on to another server: those that wait, and those whose outcome is awaited. Each goes its own
//! way, so one whose outcome takes a minute delays no other.

use super::source::{Ended, WhenEnded};
use nut::network::TrackedOutcome;
use nut::network::client::{Answer as Said, ClientOrder, Errand, NetworkRequest, Next, OrderEnd, Refusal};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// So many orders may be on their way.
const MOST: usize = 32;
/// An order that could not be sent within this is not sent any more: upscmd waits for an outcome for so long.
const SENT_WITHIN: Duration = Duration::from_secs(10);
/// An outcome that has not come after so long does not come any more.
const OUTCOME: Duration = Duration::from_secs(60);

/// The answer to an order. Whatever becomes of the order, it is given: an order that is dropped has failed.
struct Reply {
    answer: Option<WhenEnded>,
    is_sent: bool,
}

impl Reply {
    fn end(mut self, ended: Ended) {
        if let Some(answer) = self.answer.take() {
            answer(ended);
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        let why = match self.is_sent {
            true => "the connection to the other server was lost before it said what became of it",
            false => "the connection to the other server was lost, so nothing was sent",
        };
        if let Some(answer) = self.answer.take() {
            answer(failed(why));
        }
    }
}

/// An order on its way, and what is to be asked for it next.
pub(super) struct Going {
    errand: Errand,
    began: Instant,
    reply: Reply,
    due: Instant,
    request: NetworkRequest,
}

/// All of them.
#[derive(Default)]
pub(super) struct Errands {
    waiting: VecDeque<(Instant, ClientOrder, Reply)>,
    going: Vec<Going>,
}

impl Errands {
    /// Takes an order; false when there are too many.
    pub fn take(&mut self, order: ClientOrder, answer: WhenEnded) -> bool {
        let has_room = self.waiting.len() + self.going.len() < MOST;
        if has_room {
            let reply = Reply { answer: Some(answer), is_sent: false };
            self.waiting.push_back((Instant::now(), order, reply));
        }
        has_room
    }

    /// When the next of them has something to ask.
    pub fn due(&self) -> Option<Instant> {
        if !self.waiting.is_empty() {
            return Some(Instant::now());
        }
        self.going.iter().map(|going| going.due).min()
    }

    /// The next whose time has come, with what to ask.
    pub fn next(&mut self) -> Option<(Going, NetworkRequest)> {
        while let Some((since, order, reply)) = self.waiting.pop_front() {
            if since.elapsed() >= SENT_WITHIN {
                reply.end(failed("it could not be sent in time, and is not sent any more"));
                continue;
            }
            let (mut errand, now) = (Errand::new(order), Instant::now());
            if let Next::Ask(request) = errand.next(None) {
                let going = Going { errand, began: now, reply, due: now, request: request.clone() };
                return Some((going, request));
            }
        }
        let now = Instant::now();
        let at = self.going.iter().position(|going| going.due <= now)?;
        let going = self.going.remove(at);
        let request = going.request.clone();
        Some((going, request))
    }

    /// Takes the answer to what was asked; true when the order ended by it.
    pub fn answered(&mut self, mut going: Going, answer: Result<Said, Refusal>) -> bool {
        let now = Instant::now();
        match going.errand.next(Some(answer)) {
            Next::Ask(request) => {
                going.reply.is_sent |=
                    matches!(request, NetworkRequest::Command { .. } | NetworkRequest::Set { .. });
                (going.due, going.request) = (now, request);
            }
            Next::AskAfter(wait, request) if now.saturating_duration_since(going.began) < OUTCOME => {
                (going.due, going.request) = (now + wait, request);
            }
            Next::AskAfter(..) => {
                going.reply.end(Ended::unseen("the other server did not say in time what became of it"));
                return true;
            }
            // that is of the opening
            Next::StartTls => {
                going.reply.end(failed("the order could not be handed on"));
                return true;
            }
            Next::End(end) => {
                going.reply.end(ended(end));
                return true;
            }
        }
        self.going.push(going);
        false
    }
}

fn failed(why: &str) -> Ended {
    Ended { outcome: TrackedOutcome::Failed, why: Some(why.into()), is_seen: true }
}

fn ended(end: OrderEnd) -> Ended {
    match end {
        OrderEnd::Done => Ended { outcome: TrackedOutcome::Success, why: None, is_seen: true },
        OrderEnd::Failed(outcome) => {
            Ended { outcome, why: None, is_seen: outcome != TrackedOutcome::Pending }
        }
        OrderEnd::Accepted => Ended::unseen("the other server took it, and does not say what became of it"),
        OrderEnd::Refused(refusal) => failed(&refusal.to_string()),
        OrderEnd::Lost(refusal) => Ended::unseen(refusal.to_string()),
    }
}
