//! Control: what clients, the configuration and `-k` want of the UPS, and what came of it.

mod asker;
mod complaints;
mod ending;
mod kill_power;
mod order;
pub mod plan;
pub mod proof;
mod request;
mod unconfirmed;

use super::Moment;
use crate::wire::setting::Delay;
pub use asker::Generation;
pub(super) use asker::{NextRequest, QueuedRequest, Requester};
use complaints::Complaints;
use kill_power::KillPower;
use std::collections::VecDeque;
pub(super) use unconfirmed::DEAD_VOLTS;
use unconfirmed::{LoadOrder, Unconfirmed};

/// What is wanted of the UPS. Only the files of this folder change it by hand.
#[derive(Debug, Default)]
pub(super) struct Control {
    requests: VecDeque<QueuedRequest>,
    /// The link and the UPS that requests are meant for.
    generation: Generation,
    /// The UPS alone.
    unit: Generation,
    delays: Vec<(&'static Delay, u32)>,
    settings_sent: bool,
    /// `reset_to_default` was written to this UPS, and that is not kept yet.
    reset_memory: Option<String>,
    /// The command that was sent last, until it is known what came of it.
    unconfirmed: Option<Box<Unconfirmed>>,
    /// A command was sent then, and not answered.
    unanswered: Option<Moment>,
    /// Why requests failed, as the log has it.
    complaints: Complaints,
    /// What the UPS was told about its load, and has to be shown yet.
    order: Option<LoadOrder>,
    /// When the exchange of the last order to switch the load off ended.
    load_ordered: Option<Moment>,
    kill_power: Option<Box<KillPower>>,
}

impl Control {
    /// The link was lost, or is open again: the command whose outcome cannot be seen any more.
    pub(super) fn new_link(&mut self) -> Option<QueuedRequest> {
        self.generation += 1;
        self.unanswered = None;
        self.unconfirmed.take().map(|unconfirmed| unconfirmed.into_request())
    }

    /// Another UPS answers: nothing that waits is meant for it.
    pub(super) fn new_unit(&mut self) {
        self.generation += 1;
        self.unit += 1;
        self.load_ordered = None;
    }

    /// Forgets what was sent to the UPS before; who asked for the command whose outcome cannot be seen any more.
    pub(super) fn forget_orders(&mut self) -> Option<Requester> {
        self.order = None;
        self.unanswered = None;
        self.unconfirmed.take().map(|unconfirmed| unconfirmed.asker())
    }

    /// What the configuration asks for is asked again once this UPS is surveyed; of what waits only the sequence
    /// that switches the load off goes on.
    pub(super) fn begin_settings_anew(&mut self) {
        self.requests.retain(|request| request.asker == Requester::KillPower);
        self.settings_sent = false;
    }

    /// The sequence that switches the load off goes on with the unit that answers now.
    pub(super) fn kill_goes_on(&mut self) {
        if let Some(killing) = &mut self.kill_power {
            killing.is_of(self.unit);
        }
    }

    /// Everything was asked once: whether that is news.
    pub(super) fn settings_are_due(&mut self) -> bool {
        !std::mem::replace(&mut self.settings_sent, true)
    }

    /// Whether everything was asked once.
    pub(super) fn settings_sent(&self) -> bool {
        self.settings_sent
    }

    /// The link and the UPS that are there now.
    pub(super) fn generation(&self) -> Generation {
        self.generation
    }

    /// A delay is the driver's own: what it will tell the UPS.
    pub(super) fn is_delay(&self, name: &str) -> bool {
        self.delays.iter().any(|(delay, _)| delay.var.name == name)
    }
}
