//! Killing the power: what `-k`, `driver.killpower` and `shutdown.default` do.

use super::request::Asker;
use super::{Device, Event, Loudness, Outcome, Ticket};
use crate::option::Options;
use crate::plan::{Planned, plan};
use std::collections::VecDeque;

/// How often a command is tried that the UPS does not answer (NUT 2.8.0 nutdrv_qx.c).
const TRIES: u8 = 3;
/// What newer NUT calls the usual way to switch the load off.
pub const DEFAULT: &str = "shutdown.default";

/// A command on the way to a load that is off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// Whether all is done when the UPS takes it; if not, the next follows whatever comes of this one.
    pub ends: bool,
}

/// The commands that switch the load off, in their order: a pending shutdown is stopped first, so that
/// the delays are those of now. The administrator's own list (`sdcommands`) stands for itself.
pub fn steps(options: &Options) -> Vec<Step> {
    let step = |name: &str, ends| Step { name: name.into(), ends };
    let usual = || {
        let name = if options.stayoff { "shutdown.stayoff" } else { "shutdown.return" };
        [step("shutdown.stop", false), step(name, true)]
    };
    if options.sdcommands.is_empty() {
        return usual().into();
    }
    let named = |name: &String| match name.as_str() {
        DEFAULT => usual().into(),
        name => vec![step(name, true)],
    };
    options.sdcommands.iter().flat_map(named).collect()
}

/// The sequence while it runs.
#[derive(Debug)]
pub(super) struct KillPower {
    ticket: Ticket,
    rest: VecDeque<Step>,
    tries: u8,
}

impl Device {
    /// Switches the load off; [`Event::Answered`] tells whether a command was taken.
    pub fn kill_power(&mut self, ticket: Ticket) {
        if self.kill_power.is_some() {
            let why = "the load is being switched off already".into();
            self.answer(Asker::Client(ticket), Outcome::Failed(why));
            return;
        }
        self.kill_power = Some(KillPower { ticket, rest: steps(&self.options).into(), tries: 0 });
        self.next_step();
    }

    /// What [`Device::kill_power`] would send now.
    pub fn kill_plan(&self) -> Vec<Planned> {
        let facts = self.facts();
        let offered: Vec<_> = self.offered(&facts).collect();
        plan(&steps(&self.options), offered.into_iter(), &self.args())
    }

    fn next_step(&mut self) {
        let Some(killing) = &mut self.kill_power else { return };
        let Some(step) = killing.rest.front() else {
            let ticket = killing.ticket;
            self.kill_power = None;
            let why = "the UPS took no command to switch the load off: the load stays on".into();
            self.answer(Asker::Client(ticket), Outcome::Failed(why));
            return;
        };
        killing.tries += 1;
        let name = step.name.clone();
        self.command_for(Asker::KillPower, &name, None);
    }

    /// How a command of the sequence ended.
    pub(super) fn kill_power_went(&mut self, outcome: &Outcome) {
        let Some(killing) = &mut self.kill_power else { return };
        let Some(step) = killing.rest.front() else { return };
        match outcome {
            Outcome::Done if step.ends => {
                let ticket = killing.ticket;
                self.kill_power = None;
                self.events.push_back(Event::Answered(ticket, Outcome::Done));
                return;
            }
            Outcome::Failed(_) if killing.tries < TRIES => {}
            Outcome::Done | Outcome::Unknown | Outcome::Invalid(_) | Outcome::Failed(_) => {
                let nothing_pending = !step.ends && *outcome != Outcome::Done;
                killing.rest.pop_front();
                killing.tries = 0;
                if nothing_pending {
                    self.note(Loudness::Info, "no shutdown was pending".into());
                }
            }
        }
        self.next_step();
    }
}
