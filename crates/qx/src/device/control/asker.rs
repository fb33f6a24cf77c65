//! A request on its way: who asked, for what, and what is sent for it.

use crate::device::{Moment, Outcome, Ticket};
use crate::vocabulary::variable::Var;
use crate::wire::codec::Codec;
use std::collections::VecDeque;

/// Who wants to know how a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::device) enum Requester {
    /// The configuration: nothing waits for the outcome.
    Configuration,
    /// The client that holds the ticket.
    Client(Ticket),
    /// The sequence that switches the load off.
    KillPower,
}

/// A command or setting that waits for the line, or for its reply.
#[derive(Clone, Debug)]
pub(in crate::device) struct QueuedRequest {
    /// Who asked.
    pub asker: Requester,
    /// Of the command, or `variable = value`.
    pub name: String,
    /// What is sent in each exchange.
    pub steps: VecDeque<String>,
    /// What is sent instead when the UPS refuses it, the nearest first.
    pub otherwise: VecDeque<Vec<String>>,
    /// The variable that it sets.
    pub sets: Option<&'static Var>,
    /// How it is packed.
    pub(super) codec: Option<&'static Codec>,
    /// After this it is not sent any more; known once the device was told the time.
    pub(super) until: Option<Moment>,
    /// The link and the UPS that it is meant for.
    pub(super) meant_for: Generation,
    /// A part of it was sent.
    pub begun: bool,
    /// It was sent to a UPS that was not heard, which may not have been there: silence says nothing then.
    pub blind: bool,
}

/// A link and the UPS on it: another one after each loss of the link, and when another UPS answers.
pub type Generation = u64;

/// What is to be done about the requests that wait.
#[derive(Debug)]
pub(in crate::device) enum NextRequest {
    /// Nothing now; the UPS may be asked.
    None,
    /// One is sent once the line has rested; nothing is asked before.
    Rests,
    /// This is sent.
    Send(QueuedRequest),
}

impl QueuedRequest {
    /// The outcome of what is not sent any more; a part of it may have been sent.
    pub(super) fn unsent(&self, why: &str) -> Outcome {
        let name = &self.name;
        match self.begun {
            true => Outcome::NotConfirmed(format!("{name} {why}: a part of it was sent, the rest was not")),
            false => Outcome::Failed(format!("{name} {why}, so it was not sent")),
        }
    }

    /// The line of the next exchange.
    pub(in crate::device) fn step(&self) -> Vec<u8> {
        let plain = self.steps.front().map_or(&[][..], |step| step.as_bytes());
        self.codec.map_or_else(|| plain.to_vec(), |codec| (codec.pack_question)(plain))
    }
}
