//! Requests: instant commands and settings.

use super::{Device, Event, Loudness, Moment, Outcome, Ticket};
use crate::command::{Args, Command, NotAllowed};
use crate::fact::Facts;
use crate::protocol::Consent;
use crate::query::Cadence;
use crate::setting::{Delay, Setting};
use crate::variable::{UPS_DELAY_SHUTDOWN, UPS_DELAY_START, Var};
use std::collections::VecDeque;

/// At most so many requests wait; what the configuration asks for is not counted.
const WAITING: usize = 16;

/// Who wants to know how a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asker {
    /// Nobody: the configuration asked.
    Nobody,
    /// Whoever holds the ticket.
    Client(Ticket),
    /// The sequence that switches the load off.
    KillPower,
}

/// A command or setting that waits for the line, or for its reply.
#[derive(Clone, Debug)]
pub(super) struct Request {
    /// Who asked.
    asker: Asker,
    /// Of the command, or `variable = value`.
    name: String,
    /// What is sent in each exchange.
    steps: VecDeque<String>,
    /// What is sent instead when the UPS refuses it, the nearest first.
    otherwise: VecDeque<Vec<String>>,
    /// The variable that it sets.
    sets: Option<&'static Var>,
    /// How it is packed.
    armour: Option<&'static crate::armour::Armour>,
}

impl Request {
    /// The line of the next exchange.
    pub(super) fn step(&self) -> Vec<u8> {
        let plain = self.steps.front().map_or(&[][..], |step| step.as_bytes());
        self.armour.map_or_else(|| plain.to_vec(), |armour| (armour.pack_question)(plain))
    }
}

impl Device {
    /// Sends an instant command as soon as the line is free; [`Event::Answered`] tells the outcome.
    pub fn instant_command(&mut self, ticket: Ticket, name: &str, parameter: Option<&str>) {
        self.command_for(Asker::Client(ticket), name, parameter);
    }

    /// The same for any asker.
    pub(super) fn command_for(&mut self, asker: Asker, name: &str, parameter: Option<&str>) {
        match self.prepare(name, parameter).and_then(|request| self.enqueue(asker, request)) {
            Ok(()) => {}
            Err(outcome) => self.answer(asker, outcome),
        }
    }

    /// Sets a variable; [`Event::Answered`] tells the outcome.
    pub fn set(&mut self, ticket: Ticket, variable: &str, value: &str) {
        let asker = Asker::Client(ticket);
        if self.protocol.is_some_and(|protocol| protocol.delay(variable).is_some()) {
            let outcome = self.set_delay(variable, value);
            self.answer(asker, outcome);
            return;
        }
        match self.prepare_setting(variable, value) {
            Ok(None) => self.answer(asker, Outcome::Done),
            Ok(Some(request)) => {
                if let Err(outcome) = self.enqueue(asker, request) {
                    self.answer(asker, outcome);
                }
            }
            Err(outcome) => self.answer(asker, outcome),
        }
    }

    fn enqueue(&mut self, asker: Asker, mut request: Request) -> Result<(), Outcome> {
        if self.store.is_stale() || !self.line.up {
            return Err(Outcome::Failed("the UPS does not answer, so nothing was sent".into()));
        }
        if self.requests.len() >= WAITING {
            return Err(Outcome::Failed(format!("{WAITING} commands wait already, so nothing was sent")));
        }
        request.asker = asker;
        self.requests.push_back(request);
        Ok(())
    }

    fn request(&self, name: String, steps: Vec<String>, sets: Option<&'static Var>) -> Request {
        let armour = self.protocol.and_then(|protocol| protocol.armour);
        Request { asker: Asker::Nobody, name, steps: steps.into(), otherwise: VecDeque::new(), sets, armour }
    }

    fn prepare(&self, name: &str, parameter: Option<&str>) -> Result<Request, Outcome> {
        // the names of old, as in NUT
        let name = match name {
            "beeper.off" => "beeper.disable",
            "beeper.on" => "beeper.enable",
            name => name,
        };
        let facts = self.facts();
        let mut refused = Outcome::Unknown;
        for command in self.offered(&facts).filter(|command| command.name.eq_ignore_ascii_case(name)) {
            match command.parameter.map_or(Ok(0), |allowed| allowed.check(parameter)) {
                Ok(given) => {
                    let args = Args { given, ..self.args() };
                    let request = self.request(command.name.into(), command.write(&args), None);
                    return Ok(Request { otherwise: command.write_otherwise(&args).into(), ..request });
                }
                Err(NotAllowed(why)) => refused = Outcome::Invalid(why),
            }
        }
        Err(refused)
    }

    /// The commands that are offered now.
    pub(super) fn offered<'f>(&self, facts: &'f Facts) -> impl Iterator<Item = &'static Command> + use<'f> {
        let rows = self.protocol.into_iter().flat_map(|protocol| protocol.all_commands());
        rows.filter(|command| command.when.holds(facts))
    }

    /// The numbers that every line may carry.
    pub(super) fn args(&self) -> Args {
        Args {
            shutdown: self.delay(UPS_DELAY_SHUTDOWN.name),
            start: self.delay(UPS_DELAY_START.name),
            address: self.address(),
            ..Args::default()
        }
    }

    /// The request that sets a variable of the UPS; `None` when it has this value already.
    fn prepare_setting(&self, variable: &str, value: &str) -> Result<Option<Request>, Outcome> {
        let facts = self.facts();
        let setting = self.settings().find(|setting| {
            setting.var.public
                && setting.var.name.eq_ignore_ascii_case(variable)
                && facts.value(setting.var).is_some()
        });
        let setting =
            setting.filter(|setting| setting.choice(&facts).is_some() && !self.overridden(setting.var.name));
        let setting = setting.ok_or(Outcome::Unknown)?;
        if setting.holds(value, &facts) {
            return Ok(None);
        }
        match setting.args(value, &facts) {
            Ok(args) => Ok(Some(self.setting_request(setting, value, args))),
            Err(NotAllowed(why)) => Err(Outcome::Invalid(why)),
        }
    }

    fn setting_request(&self, setting: &'static Setting, value: &str, args: Args) -> Request {
        let args = Args { given: args.given, tenths: args.tenths, code: args.code, ..self.args() };
        self.request(format!("{} = {value}", setting.var.name), setting.write(&args), Some(setting.var))
    }

    pub(super) fn settings(&self) -> impl Iterator<Item = &'static Setting> + use<> {
        self.protocol.into_iter().flat_map(|protocol| protocol.all_settings())
    }

    /// What the configuration asks to be written to the UPS, once, where it is not so already.
    pub(super) fn send_settings(&mut self) {
        let mut wanted = self.options.settings.clone();
        let has = |name: &str| self.options.settings.iter().any(|(known, _)| known == name);
        if self.options.has(crate::option::Flag::ResetToDefault) && !has("reset_to_default") {
            wanted.insert(0, ("reset_to_default".into(), "yes".into()));
        }
        for (name, value) in wanted {
            let facts = self.facts();
            let mut rows = self.settings().filter(|setting| !setting.var.public && setting.var.name == name);
            let Some(setting) = rows.find(|setting| setting.choice(&facts).is_some()) else {
                self.note(
                    Loudness::Warning,
                    format!("{name}: this UPS does not take it, so nothing was sent"),
                );
                continue;
            };
            if setting.holds(&value, &facts) {
                self.note(Loudness::Info, format!("{name} is {value} already"));
                continue;
            }
            match setting.args(&value, &facts) {
                Ok(args) => {
                    let request = self.setting_request(setting, &value, args);
                    self.requests.push_back(request);
                }
                Err(NotAllowed(why)) => self.note(Loudness::Warning, format!("{why}; nothing was sent")),
            }
        }
    }

    fn set_delay(&mut self, variable: &str, value: &str) -> Outcome {
        let Some(delay) = self.protocol.and_then(|protocol| protocol.delay(variable)) else {
            return Outcome::Unknown;
        };
        if self.overridden(delay.var.name) || !delay.settable {
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
            let checked = |list| named(list).filter(|_| delay.settable).map(|text| delay.check(&text));
            let given = checked(&self.options.overrides)
                .or(given.map(|text| delay.check_option(&text)))
                .or_else(|| checked(&self.options.defaults));
            let seconds = match given {
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
        let mut overrides = self.options.overrides.iter();
        let shown = overrides.find(|(name, _)| name == delay.var.name && !delay.settable);
        match shown {
            Some((_, text)) => self.store.set(delay.var.name, text.clone()),
            None => self.store.set_delay(delay, seconds, self.overridden(delay.var.name)),
        }
    }

    fn delay(&self, name: &str) -> u32 {
        self.delays.iter().find(|(delay, _)| delay.var.name == name).map_or(0, |(_, seconds)| *seconds)
    }

    pub(super) fn overridden(&self, name: &str) -> bool {
        self.options.overrides.iter().any(|(overridden, _)| overridden == name)
    }

    pub(super) fn next_request(&mut self) -> Option<Request> {
        self.requests.pop_front()
    }

    pub(super) fn handle_request_reply(&mut self, mut request: Request, reply: Option<Vec<u8>>, now: Moment) {
        let consent = self.protocol.map_or(Consent::Silence, |protocol| protocol.consent);
        let said = reply.as_deref().map(|line| match request.armour {
            Some(armour) => (armour.unpack_reply)(line).unwrap_or_else(|| line.to_vec()),
            None => line.to_vec(),
        });
        let sent = request.steps.pop_front().unwrap_or_default();
        if consent.is_given(said.as_deref()) {
            let by = if said.is_some() { "by word" } else { "by silence" };
            self.note(Loudness::Info, format!("{}: sent {sent}, accepted {by}", request.name));
            match request.steps.is_empty() {
                true => self.accepted(&request, &sent, now),
                false => self.requests.push_front(request),
            }
            return;
        }
        let Some(said) = said else {
            let why = format!("the UPS did not answer {} ({sent})", request.name);
            self.answer(request.asker, Outcome::Failed(why));
            return;
        };
        let why = format!("the UPS refused {} ({sent}) by '{}'", request.name, said.escape_ascii());
        match request.otherwise.pop_front() {
            Some(steps) => {
                self.note(Loudness::Warning, format!("{why}; trying {}", steps.join(", ")));
                request.steps = steps.into();
                self.requests.push_front(request);
            }
            None => self.answer(request.asker, Outcome::Failed(why)),
        }
    }

    /// The UPS took a request: what it changed is asked again.
    fn accepted(&mut self, request: &Request, sent: &str, now: Moment) {
        let sets = request.sets;
        let again = |query: &crate::query::Query| {
            query.cadence != Cadence::Once || sets.is_some_and(|var| query.speaks_of(var))
        };
        for slot in self.slots.iter_mut().filter(|slot| slot.applies && !slot.refused && again(slot.query)) {
            slot.due = Some(now);
        }
        if !self.watch_for(request.asker, &request.name, sent, now) {
            self.answer(request.asker, Outcome::Done);
        }
    }

    /// The line was lost while a request was on its way.
    pub(super) fn lose(&mut self, request: &Request) {
        self.answer(request.asker, Outcome::Failed("the line was lost while the command was sent".into()));
    }

    pub(super) fn fail_requests(&mut self) {
        while let Some(request) = self.requests.pop_front() {
            self.answer(
                request.asker,
                Outcome::Failed("the UPS does not answer, so nothing was sent".into()),
            );
        }
    }

    /// Tells how a request ended that is not for the UPS.
    pub fn report(&mut self, ticket: Ticket, outcome: Outcome) {
        self.answer(Asker::Client(ticket), outcome);
    }

    pub(super) fn answer(&mut self, asker: Asker, outcome: Outcome) {
        if let Outcome::Invalid(why) | Outcome::Failed(why) = &outcome {
            self.note(Loudness::Warning, why.clone());
        }
        match asker {
            Asker::Nobody => {}
            Asker::Client(ticket) => self.events.push_back(Event::Answered(ticket, outcome)),
            Asker::KillPower => self.kill_power_went(&outcome),
        }
    }

    pub(super) fn note(&mut self, loudness: Loudness, text: String) {
        self.events.push_back(Event::Noted(loudness, text));
    }
}
