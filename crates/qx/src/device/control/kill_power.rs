//! Killing the power: what `-k`, `driver.killpower` and `shutdown.default` do.
//!
//! It has one aim and goes on for its time with whatever the line still carries: it waits for a line that
//! is away, tries again what the UPS did not confirm, and sends blind to a UPS that cannot be understood.

use super::asker::{Generation, QueuedRequest, Requester};
use super::plan::{KillStep, Planned, PowerRace, plan, power_race, steps};
use super::unconfirmed::{Shown, Unconfirmed, is_of_the_load};
use crate::device::bounds::{
    KILL, KILL_LOOKS, KILL_PAUSE, KILL_REST, KILL_RESTS_AT_MOST, KILL_TRIES, KILL_UNKNOWN_TRIES,
};
use crate::device::{Asked, Device, Event, LogLevel, Moment, Outcome, Ticket};
use crate::vocabulary::variable::UPS_DELAY_SHUTDOWN;
use crate::wire::protocol::Protocol;
use crate::wire::query::Cadence;
use std::time::Duration;

/// The sequence while it runs.
#[derive(Debug)]
pub(super) struct KillPower {
    ticket: Ticket,
    unit: Generation,
    began: Option<Moment>,
    steps: Vec<KillStep>,
    at: usize,
    /// How often the step was tried.
    tries: u8,
    /// Nothing is sent before that.
    again: Moment,
    /// A command of it is on its way, or waits.
    waits: bool,
    /// What the status showed before the first order, and when that was sent.
    ordered: Option<(Shown, Moment)>,
    /// An order went out, and the UPS did not confirm it.
    unconfirmed: Option<String>,
    /// What came of the last order that failed.
    refused: Option<String>,
    /// The port was open at some time.
    met_line: bool,
    said_blind: bool,
    /// Something was said to the last command.
    answered: bool,
    /// What the status showed before it.
    before: Shown,
}

impl KillPower {
    /// It goes on with this unit.
    pub(super) fn is_of(&mut self, unit: Generation) {
        self.unit = unit;
    }
}

impl Device {
    /// Switches the load off; [`Event::Answered`] tells whether a command was taken. It goes on for
    /// [`KILL`], also while the line is away.
    pub fn kill_power(&mut self, ticket: Ticket) {
        if self.control.kill_power.is_some() {
            let why = "the load is being switched off already".into();
            self.answer(Requester::Client(ticket), Outcome::Failed(why));
            return;
        }
        self.control.kill_power = Some(Box::new(KillPower {
            ticket,
            unit: self.control.unit,
            began: None,
            steps: steps(&self.options),
            at: 0,
            tries: 0,
            again: Moment::ZERO,
            waits: false,
            ordered: None,
            unconfirmed: None,
            refused: None,
            met_line: false,
            said_blind: false,
            answered: false,
            before: Shown::default(),
        }));
    }

    /// Whether the sequence of [`Device::kill_power`] is under way: it ends within [`KILL`] and what its last
    /// command takes.
    pub fn kills_power(&self) -> bool {
        self.control.kill_power.is_some()
    }

    /// Ends that sequence before its time; [`Event::Answered`] tells what is known of it.
    pub fn stop_killing_power(&mut self, why: &str) {
        if self.control.kill_power.is_none() {
            return;
        }
        self.kill_ends(match self.killed_by() {
            Some(sent) => Outcome::NotConfirmed(format!(
                "switching the load off was interrupted ({why}): {sent}, and whether the UPS obeys was not seen"
            )),
            None => Outcome::Failed(format!(
                "switching the load off was interrupted ({why}): the load was not switched off"
            )),
        });
    }

    /// The order of that sequence that was sent, and what is known of it.
    fn killed_by(&self) -> Option<String> {
        let is_order =
            |request: &QueuedRequest| request.asker == Requester::KillPower && is_of_the_load(&request.name);
        let line = |name: &str, sent: &str, answered: &str| format!("{name} ({sent}) was {answered}");
        match (&self.asked, &self.control.unconfirmed) {
            (Some((Asked::Request(request), _)), _) if is_order(request) => {
                let sent = request.steps.front().map_or("", String::as_str);
                Some(line(&request.name, sent, "sent"))
            }
            (_, Some(unconfirmed)) if is_order(&unconfirmed.request) => {
                Some(line(&unconfirmed.request.name, &unconfirmed.sent, &unconfirmed.answered()))
            }
            _ => self.control.kill_power.as_ref()?.unconfirmed.clone(),
        }
    }

    /// What [`Device::kill_power`] would send now.
    pub fn kill_plan(&self) -> Vec<Planned> {
        let facts = self.facts();
        let offered: Vec<_> = self.offered(&facts).collect();
        plan(&steps(&self.options), offered.into_iter(), &self.args())
    }

    /// What would become of the load by [`Device::kill_plan`] when mains are back before it goes off; what a USB bridge
    /// makes of the order is not in it.
    pub fn power_race(&self) -> PowerRace {
        self.protocol.map_or(PowerRace::NoOrder, |found| power_race(found.name, &self.kill_plan()))
    }

    /// When something is to be done for it.
    pub(in crate::device) fn kill_due(&self) -> Option<Moment> {
        let killing = self.control.kill_power.as_ref()?;
        let Some(began) = killing.began else { return Some(Moment::ZERO) };
        let looks = Some(self.looks_until(killing));
        let looks = looks.filter(|_| killing.waits || self.protocol.is_none()).filter(|_| self.line.is_up());
        let dues = [Some(began + KILL), Some(killing.again), looks];
        dues.into_iter().flatten().filter(|due| *due > self.clock).min()
    }

    /// The next step, when it is time for it.
    pub(in crate::device) fn continue_killing(&mut self, now: Moment) {
        let Some(killing) = &mut self.control.kill_power else { return };
        let end = *killing.began.get_or_insert(now) + KILL;
        killing.met_line |= self.line.is_up();
        if killing.unit != self.control.unit {
            return self
                .kill_ends(Outcome::Failed("another UPS answers: the load was not switched off".into()));
        }
        let ordered = killing.ordered.filter(|(_, since)| self.schedule.status_is_whole_since(*since));
        if let Some(shown) = ordered.and_then(|(before, _)| self.shown().since(before)) {
            self.note(LogLevel::Info, shown.into());
            return self.kill_ends(Outcome::Done);
        }
        if now >= end {
            return self.kill_runs_out();
        }
        self.kill_sees_again(now);
        let Some(killing) = &self.control.kill_power else { return };
        if killing.waits || now < killing.again || !self.line.is_up() {
            return;
        }
        if self.protocol.is_none() {
            let Some(assumed) = self.assumed(now) else { return };
            self.protocol = Some(assumed);
            self.start_delays();
        }
        self.next_step(now);
    }

    /// What was sent blind was not heard when the UPS answers at last and shows nothing: then it is told at once.
    fn kill_sees_again(&mut self, now: Moment) {
        let is_read =
            self.schedule.was_heard_since(now - self.status_is_new()) && !self.schedule.status_is_open();
        let is_idle = self.ready && is_read && !self.shown().pending;
        let sent_blind =
            |killing: &&mut Box<KillPower>| killing.said_blind && !killing.waits && killing.again > now;
        if let Some(killing) = self.control.kill_power.as_mut().filter(sent_blind).filter(|_| is_idle) {
            killing.said_blind = false;
            killing.start_again(now);
        }
    }

    fn next_step(&mut self, now: Moment) {
        let before = self.shown_before(now);
        let Some(killing) = &mut self.control.kill_power else { return };
        let Some(step) = killing.steps.get(killing.at) else { return self.kill_rests(now) };
        (killing.waits, killing.before) = (true, before);
        killing.tries += 1;
        let name = step.name.clone();
        self.command_for(Requester::KillPower, &name, None);
    }

    /// Whether the sequence sends without having understood the UPS: it looked for long enough.
    pub(super) fn goes_blind(&mut self, now: Moment) -> bool {
        let Some(killing) = &self.control.kill_power else { return false };
        if now < self.looks_until(killing) {
            return false;
        }
        let said = killing.said_blind;
        if let Some(killing) = &mut self.control.kill_power {
            killing.said_blind = true;
        }
        if let Some(protocol) = self.protocol.filter(|_| !said) {
            let name = protocol.name;
            let text = format!("the UPS is not understood: sending the commands of {name} anyway");
            self.note(LogLevel::Warning, text);
        }
        true
    }

    /// So long it waits for the status.
    fn looks_until(&self, killing: &KillPower) -> Moment {
        let began = killing.began.unwrap_or_default();
        let of_status =
            self.schedule.slots().iter().filter(|slot| slot.query.cadence == Cadence::Quick && slot.applies);
        let heard = of_status.map(|slot| slot.answered).max().unwrap_or_default();
        let patience =
            if self.protocol.is_some() || self.named().is_some() { KILL_LOOKS } else { KILL_UNKNOWN_TRIES };
        began.max(heard).max(self.identity.back_at()) + patience
    }

    /// The dialect that is configured, or known of the last start; the commands of all older dialects are alike.
    fn named(&self) -> Option<&'static Protocol> {
        let candidates = self.options.candidates();
        let configured = self.options.protocol.as_ref().and_then(|_| candidates.first().copied());
        let known = self.search.memory();
        let known = known.and_then(|known| candidates.iter().copied().find(|one| one.name == known.protocol));
        let of_old = std::ptr::eq(self.options.dialects, crate::protocols::BLAZER);
        configured.or(known).or_else(|| candidates.first().copied().filter(|_| of_old))
    }

    /// In what dialect it is sent blind, once it was looked for long enough.
    fn assumed(&self, now: Moment) -> Option<&'static Protocol> {
        let killing = self.control.kill_power.as_ref()?;
        if now < self.looks_until(killing) {
            return None;
        }
        let heard = self.search.anything_said();
        self.named().or_else(|| crate::protocols::named("megatec").filter(|_| heard && self.options.assumes))
    }

    /// What is known of the last command.
    pub(super) fn kill_was_answered(&mut self, unconfirmed: &Unconfirmed) {
        if let Some(killing) = &mut self.control.kill_power {
            killing.answered = unconfirmed.said.is_some();
            killing.before = unconfirmed.before;
        }
    }

    /// How a command of the sequence ended.
    pub(super) fn kill_power_went(&mut self, outcome: &Outcome) {
        let (now, before) = (self.clock, self.shown_before(self.clock));
        let noisy = self.line.quality().is_noisy() || self.schedule.slots().is_empty();
        let Some(killing) = &mut self.control.kill_power else { return };
        let Some(step) = killing.steps.get(killing.at).cloned() else { return };
        killing.waits = false;
        killing.again = now;
        if !step.ends {
            killing.next();
            if matches!(outcome, Outcome::Failed(_)) && !before.pending {
                self.note(LogLevel::Info, "no shutdown was pending".into());
            }
            return;
        }
        // an order that was answered by noise, or refused through it, may have arrived as another one: nothing
        // was started by it that another try could delay
        if noisy && std::mem::take(&mut killing.answered) {
            killing.tries = 0;
        }
        let enough = killing.tries >= KILL_TRIES;
        match outcome {
            Outcome::Done => return self.kill_ends(Outcome::Done),
            Outcome::NotConfirmed(why) => {
                killing.unconfirmed = Some(why.clone());
                killing.ordered.get_or_insert((killing.before, now));
                killing.again = now + KILL_PAUSE;
            }
            Outcome::Failed(why) => {
                killing.refused = Some(why.clone());
                killing.again = if enough { now } else { now + KILL_PAUSE };
            }
            Outcome::Unknown | Outcome::Invalid(_) => {}
        }
        let has_none = *outcome == Outcome::Unknown;
        if enough || has_none || matches!(outcome, Outcome::Invalid(_)) {
            killing.next();
        }
        let all: Vec<&str> =
            killing.steps.iter().filter(|step| step.ends).map(|step| step.name.as_str()).collect();
        let all = all.join(", ");
        let nothing_taken = killing.at >= killing.steps.len() && killing.unconfirmed.is_none();
        if has_none {
            self.note(LogLevel::Warning, format!("{}: this UPS has no such command", step.name));
        }
        // what was refused in words on a line that is well will be refused again
        if nothing_taken && !noisy && self.line.is_up() {
            let why =
                format!("the UPS accepted no command to switch the load off ({all}): the load stays on");
            self.kill_ends(Outcome::Failed(why));
        }
    }

    /// Everything was tried: again when the load should be off by what was sent.
    fn kill_rests(&mut self, now: Moment) {
        let seconds = self.delay(UPS_DELAY_SHUTDOWN.name).into();
        let rest = (Duration::from_secs(seconds) + KILL_REST).min(KILL_RESTS_AT_MOST);
        if let Some(killing) = &mut self.control.kill_power {
            // what is pending now may be what was ordered
            killing.start_again(now + rest);
        }
    }

    fn kill_runs_out(&mut self) {
        let Some(killing) = &self.control.kill_power else { return };
        let heard = self.search.anything_said();
        let stays = "nothing could be sent, and the load stays on";
        let outcome = match (&killing.unconfirmed, &killing.refused) {
            (Some(why), _) => Outcome::NotConfirmed(format!("whether the load goes off is not known: {why}")),
            (None, Some(why)) => Outcome::Failed(format!("{why}: the load stays on")),
            _ if !killing.met_line => Outcome::Failed(format!("the port could not be opened: {stays}")),
            _ if heard => Outcome::Failed(format!("the UPS answers, but is not understood: {stays}")),
            _ => Outcome::Failed(format!("the UPS does not answer: {stays}")),
        };
        self.kill_ends(outcome);
    }

    fn kill_ends(&mut self, outcome: Outcome) {
        let Some(killing) = self.control.kill_power.take() else { return };
        self.control.requests.retain(|request| request.asker != Requester::KillPower);
        // what comes of its last command yet is not the answer to another sequence
        if let Some(unconfirmed) = self
            .control
            .unconfirmed
            .as_mut()
            .filter(|unconfirmed| unconfirmed.asker() == Requester::KillPower)
        {
            unconfirmed.forget_asker();
        }
        if let Outcome::Failed(why) | Outcome::NotConfirmed(why) = &outcome {
            self.note(LogLevel::Warning, why.clone());
        }
        self.events.push_back(Event::Answered(killing.ticket, outcome));
    }
}

impl KillPower {
    /// The orders are sent again, from the first on.
    fn start_again(&mut self, at: Moment) {
        self.at = self.steps.iter().position(|step| step.ends).unwrap_or_default();
        self.tries = 0;
        self.again = at;
    }

    fn next(&mut self) {
        self.at += 1;
        self.tries = 0;
    }
}
