//! Requests: instant commands and settings.

use super::{Device, Event, Loudness, Moment, Outcome, Ticket};
use crate::command::{Args, NotAllowed};
use crate::query::Cadence;
use crate::setting::Delay;
use crate::variable::{UPS_DELAY_SHUTDOWN, UPS_DELAY_START};

/// At most so many requests wait.
const WAITING: usize = 16;

/// A command that waits for the line, or for its reply.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub ticket: Ticket,
    pub name: &'static str,
    pub wire: String,
}

impl Device {
    /// Sends an instant command as soon as the line is free; [`Event::Answered`] tells the outcome.
    pub fn instant_command(&mut self, ticket: Ticket, name: &str, parameter: Option<&str>) {
        match self.prepare(ticket, name, parameter) {
            Ok(request) => self.requests.push_back(request),
            Err(outcome) => self.answer(ticket, outcome),
        }
    }

    /// Sets a variable; [`Event::Answered`] tells the outcome.
    pub fn set(&mut self, ticket: Ticket, variable: &str, value: &str) {
        let outcome = self.set_delay(variable, value);
        self.answer(ticket, outcome);
    }

    fn prepare(&mut self, ticket: Ticket, name: &str, parameter: Option<&str>) -> Result<Request, Outcome> {
        let command = self.protocol.and_then(|protocol| protocol.command(name)).ok_or(Outcome::Unknown)?;
        let given = match &command.parameter {
            Some(allowed) => allowed.check(parameter).map_err(|NotAllowed(why)| Outcome::Invalid(why))?,
            None => 0,
        };
        if self.store.is_stale() || !self.line.up {
            return Err(Outcome::Failed("the UPS does not answer, so nothing was sent".into()));
        }
        if self.requests.len() == WAITING {
            return Err(Outcome::Failed(format!("{WAITING} commands wait already, so nothing was sent")));
        }
        let args = Args {
            shutdown: self.delay(UPS_DELAY_SHUTDOWN.name),
            start: self.delay(UPS_DELAY_START.name),
            given,
        };
        Ok(Request { ticket, name: command.name, wire: command.write(&args) })
    }

    fn set_delay(&mut self, variable: &str, value: &str) -> Outcome {
        let Some(delay) = self.protocol.and_then(|protocol| protocol.delay(variable)) else {
            return Outcome::Unknown;
        };
        if self.overridden(delay.var.name) {
            return Outcome::Unknown;
        }
        match delay.check(value) {
            Ok(seconds) => {
                self.keep_delay(delay, seconds);
                self.note(Loudness::Info, format!("{} = {seconds}", delay.var.name));
                Outcome::Done
            }
            Err(NotAllowed(why)) => Outcome::Invalid(format!("{}: {why}", delay.var.name)),
        }
    }

    /// Takes the first values of the delays from the options. The driver has checked them; what is
    /// not allowed falls back to the default with a warning.
    pub(super) fn start_delays(&mut self) {
        self.delays.clear();
        for delay in self.protocol.map_or(&[][..], |protocol| protocol.delays) {
            let given = match delay.option {
                "ondelay" => self.options.ondelay.clone(),
                _ => self.options.offdelay.clone(),
            };
            let named = |list: &[(String, String)]| {
                list.iter().find(|(name, _)| name == delay.var.name).map(|(_, value)| value.clone())
            };
            let given = named(&self.options.overrides).or(given).or(named(&self.options.defaults));
            let seconds = match given.map(|text| delay.check(&text)) {
                None => delay.default,
                Some(Ok(seconds)) => seconds,
                Some(Err(NotAllowed(why))) => {
                    self.note(Loudness::Warning, format!("{}: {why}; using {}", delay.option, delay.default));
                    delay.default
                }
            };
            self.keep_delay(delay, seconds);
        }
    }

    fn keep_delay(&mut self, delay: &'static Delay, seconds: u32) {
        self.delays.retain(|(kept, _)| kept.var != delay.var);
        self.delays.push((delay, seconds));
        let fixed = self.overridden(delay.var.name);
        self.store.set_delay(delay, seconds, fixed);
    }

    fn delay(&self, name: &str) -> u32 {
        self.delays.iter().find(|(delay, _)| delay.var.name == name).map_or(0, |(_, seconds)| *seconds)
    }

    fn overridden(&self, name: &str) -> bool {
        self.options.overrides.iter().any(|(overridden, _)| overridden == name)
    }

    pub(super) fn next_request(&mut self) -> Option<Request> {
        self.requests.pop_front()
    }

    pub(super) fn handle_request_reply(&mut self, request: Request, reply: Option<Vec<u8>>, now: Moment) {
        let accepts = self.protocol.map_or("", |protocol| protocol.accepts).as_bytes();
        let outcome = match &reply {
            None => Outcome::Done,
            Some(line) if line.eq_ignore_ascii_case(accepts) => Outcome::Done,
            Some(line) => {
                let said = line.escape_ascii();
                Outcome::Failed(format!("the UPS refused {} ({}) by '{said}'", request.name, request.wire))
            }
        };
        if outcome == Outcome::Done {
            let by = if reply.is_some() { "by word" } else { "by silence" };
            self.note(Loudness::Info, format!("{}: sent {}, accepted {by}", request.name, request.wire));
            for slot in self.slots.iter_mut().filter(|slot| slot.query.cadence != Cadence::Once) {
                slot.due = Some(now);
            }
        }
        self.answer(request.ticket, outcome);
    }

    pub(super) fn fail_requests(&mut self) {
        while let Some(request) = self.requests.pop_front() {
            self.answer(
                request.ticket,
                Outcome::Failed("the UPS does not answer, so nothing was sent".into()),
            );
        }
    }

    pub(super) fn answer(&mut self, ticket: Ticket, outcome: Outcome) {
        if let Outcome::Invalid(why) | Outcome::Failed(why) = &outcome {
            self.note(Loudness::Warning, why.clone());
        }
        self.events.push_back(Event::Answered(ticket, outcome));
    }

    fn note(&mut self, loudness: Loudness, text: String) {
        self.events.push_back(Event::Noted(loudness, text));
    }
}
