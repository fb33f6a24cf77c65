//! Requests: instant commands and settings.

use super::asker::{NextRequest, QueuedRequest, Requester};
use super::complaints::Say;
use super::unconfirmed::{Unconfirmed, is_of_the_load};
use crate::device::bounds::{
    ANSWER, KILL_LOOKS, LATE, ORDER_REST, ORDER_REST_ANSWERED, REQUEST_LASTS, STATUS_IS_NEW, WAITING,
};
use crate::device::{Device, Event, LogLevel, Moment, Outcome, Ticket};
use crate::line::exchange::Reply;
use crate::vocabulary::variable::{
    DEVICE_MFR, DEVICE_MODEL, DEVICE_SERIAL, UPS_DELAY_SHUTDOWN, UPS_DELAY_START, UPS_MODEL, UPS_SERIAL, Var,
};
use crate::wire::acknowledgement::{Acceptance, Acknowledgement};
use crate::wire::command::{Args, Command, NotAllowed};
use crate::wire::fact::Facts;
use crate::wire::query::Cadence;
use crate::wire::setting::{Delay, Setting};
use std::collections::VecDeque;
use std::time::Duration;

/// The setting that sets the others to what the maker chose.
const RESET: &str = "reset_to_default";

impl Device {
    /// Sends an instant command as soon as the line is free; [`Event::Answered`] tells the outcome.
    pub fn instant_command(&mut self, ticket: Ticket, name: &str, parameter: Option<&str>) {
        self.command_for(Requester::Client(ticket), name, parameter);
    }

    /// The same for any asker.
    pub(super) fn command_for(&mut self, asker: Requester, name: &str, parameter: Option<&str>) {
        match self.prepare(name, parameter).and_then(|request| self.enqueue(asker, request)) {
            Ok(()) => {}
            Err(outcome) => self.answer(asker, outcome),
        }
    }

    /// Sets a variable; [`Event::Answered`] tells the outcome.
    pub fn set(&mut self, ticket: Ticket, variable: &str, value: &str) {
        let asker = Requester::Client(ticket);
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

    fn enqueue(&mut self, asker: Requester, mut request: QueuedRequest) -> Result<(), Outcome> {
        // killing the power waits for the UPS to come back
        if (self.store.is_stale() || !self.line.is_up()) && asker != Requester::KillPower {
            let why = format!("{}: {}, so it was not sent", request.name, self.why_stale());
            return Err(Outcome::Failed(why));
        }
        request.asker = asker;
        // the time of the exchange that is under way is known, and it came since; any other begins with the next poll
        request.until = self.asked.as_ref().map(|(_, since)| *since + REQUEST_LASTS);
        // who kills the power goes first, however many wait
        if asker == Requester::KillPower {
            self.control.requests.push_front(request);
            return Ok(());
        }
        if self.control.requests.len() >= WAITING {
            let why = format!("{}: {WAITING} commands wait already, so it was not sent", request.name);
            return Err(Outcome::Failed(why));
        }
        self.control.requests.push_back(request);
        Ok(())
    }

    fn request(&self, name: String, steps: Vec<String>, sets: Option<&'static Var>) -> QueuedRequest {
        let codec = self.protocol.and_then(|protocol| protocol.codec);
        let (asker, steps, otherwise) = (Requester::Configuration, steps.into(), VecDeque::new());
        let (until, meant_for, begun, blind) = (None, self.control.generation, false, false);
        QueuedRequest { asker, name, steps, otherwise, sets, codec, until, meant_for, begun, blind }
    }

    fn prepare(&self, name: &str, parameter: Option<&str>) -> Result<QueuedRequest, Outcome> {
        // former names, as in NUT
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
                    return Ok(QueuedRequest { otherwise: command.write_otherwise(&args).into(), ..request });
                }
                Err(NotAllowed(why)) => refused = Outcome::Invalid(format!("{}: {why}", command.name)),
            }
        }
        Err(refused)
    }

    /// The commands that are offered now.
    pub(in crate::device) fn offered<'f>(
        &self,
        facts: &'f Facts,
    ) -> impl Iterator<Item = &'static Command> + use<'f> {
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
    fn prepare_setting(&self, variable: &str, value: &str) -> Result<Option<QueuedRequest>, Outcome> {
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

    fn setting_request(&self, setting: &'static Setting, value: &str, args: Args) -> QueuedRequest {
        let args = Args { given: args.given, tenths: args.tenths, code: args.code, ..self.args() };
        self.request(format!("{} = {value}", setting.var.name), setting.write(&args), Some(setting.var))
    }

    pub(in crate::device) fn settings(&self) -> impl Iterator<Item = &'static Setting> + use<> {
        self.protocol.into_iter().flat_map(|protocol| protocol.all_settings())
    }

    /// What the configuration asks to be written to the UPS, once, where it is not so already.
    pub(in crate::device) fn send_settings(&mut self) {
        let mut wanted = self.options.settings.clone();
        let has = |name: &str| self.options.settings.iter().any(|(known, _)| known == name);
        if self.options.has(crate::vocabulary::flag::Flag::ResetToDefault) && !has(RESET) {
            // its memory wears with each writing
            if self.options.reset_memory.as_deref() == Some(&self.name_of_unit()) {
                let text = format!(
                    "{RESET} was done before; to repeat it, remove the line, start once, and add it again"
                );
                self.note(LogLevel::Info, text);
            } else {
                wanted.insert(0, (RESET.into(), "yes".into()));
            }
        }
        for (name, value) in wanted {
            let facts = self.facts();
            let mut rows = self.settings().filter(|setting| !setting.var.public && setting.var.name == name);
            let Some(setting) = rows.find(|setting| setting.choice(&facts).is_some()) else {
                self.note(
                    LogLevel::Warning,
                    format!("{name}: this UPS does not accept it, so nothing was sent"),
                );
                continue;
            };
            if setting.holds(&value, &facts) {
                self.note(LogLevel::Info, format!("{name} is {value} already"));
                continue;
            }
            match setting.args(&value, &facts) {
                Ok(args) => {
                    let request = self.setting_request(setting, &value, args);
                    self.control.requests.push_back(request);
                }
                Err(NotAllowed(why)) => self.note(LogLevel::Warning, format!("{why}; nothing was sent")),
            }
        }
    }

    /// What the UPS says of itself, in a line.
    fn name_of_unit(&self) -> String {
        let facts = self.facts();
        let said = [&DEVICE_MFR, &DEVICE_MODEL, &UPS_MODEL, &DEVICE_SERIAL, &UPS_SERIAL];
        let said = said.into_iter().filter_map(|var| facts.text(var));
        let words: Vec<&str> = ["unit"].into_iter().chain(said.flat_map(str::split_whitespace)).collect();
        words.join(" ")
    }

    /// To which UPS `reset_to_default` was written, for [`crate::options::Options::reset_memory`] at the next
    /// start; once, when there is news.
    pub fn reset_memory(&mut self) -> Option<String> {
        self.control.reset_memory.take()
    }

    /// A command or setting was taken.
    pub(super) fn keep_reset(&mut self, sets: Option<&'static Var>) {
        if sets.is_some_and(|var| var.name == RESET) {
            let unit = self.name_of_unit();
            self.options.reset_memory = Some(unit.clone());
            self.control.reset_memory = Some(unit);
            self.events.push_back(Event::WorthKeeping);
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
                self.note(LogLevel::Info, format!("{} = {seconds}", delay.var.name));
                Outcome::Done
            }
            Err(NotAllowed(why)) => Outcome::Invalid(format!("{}: {why}", delay.var.name)),
        }
    }

    /// Takes the first values of the delays from the options. The driver has checked them; what is
    /// not allowed falls back to the default with a warning.
    pub(in crate::device) fn start_delays(&mut self) {
        self.control.delays.clear();
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
                    self.note(LogLevel::Warning, format!("{}: {why}; using {}", delay.option, delay.default));
                    delay.default
                }
            };
            self.keep_delay(delay, seconds);
        }
    }

    fn keep_delay(&mut self, delay: &'static Delay, seconds: u32) {
        self.control.delays.retain(|(kept, _)| kept.var != delay.var);
        self.control.delays.push((delay, seconds));
        let mut overrides = self.options.overrides.iter();
        let shown = overrides.find(|(name, _)| name == delay.var.name && !delay.settable);
        match shown {
            Some((_, text)) => self.store.set(delay.var.name, text.clone()),
            None => self.store.set_delay(delay, seconds, self.overridden(delay.var.name)),
        }
    }

    pub(super) fn delay(&self, name: &str) -> u32 {
        self.control
            .delays
            .iter()
            .find(|(delay, _)| delay.var.name == name)
            .map_or(0, |(_, seconds)| *seconds)
    }

    pub(in crate::device) fn overridden(&self, name: &str) -> bool {
        self.options.overrides.iter().any(|(overridden, _)| overridden == name)
    }

    /// The command to send now, if there is any. Between two commands the status is asked, and nothing is sent to a UPS
    /// that was not heard just now, or that is not known to be the one that was meant; nor right behind its reply.
    pub(in crate::device) fn next_request(&mut self, now: Moment) -> NextRequest {
        self.let_requests_die(now);
        if self.control.unconfirmed.is_some() {
            return NextRequest::None;
        }
        let Some(first) = self.control.requests.front() else { return NextRequest::None };
        let of_the_kill = first.asker == Requester::KillPower;
        let begun = first.begun;
        let was_heard = self.schedule.was_heard_since(now - self.status_is_new());
        // who kills the power does not wait for long until it is proven who answers
        let known = self.doubted_since().is_none_or(|since| of_the_kill && now >= since + KILL_LOOKS);
        let known = known && (of_the_kill || !self.reads_plate(now) && !self.is_two_units());
        let may = begun || known && was_heard || of_the_kill && self.goes_blind(now);
        if !may && !was_heard {
            self.schedule.ask_status(now);
        }
        if !may {
            return NextRequest::None;
        }
        if now < self.rested_at() {
            return NextRequest::Rests;
        }
        let Some(mut request) = self.control.requests.pop_front() else { return NextRequest::None };
        request.blind |= !begun && !was_heard;
        NextRequest::Send(request)
    }

    /// For how long a status is new: a UPS that needs a long rest before an order is asked before that rest.
    pub(super) fn status_is_new(&self) -> Duration {
        STATUS_IS_NEW.max(self.order_rest() + ANSWER)
    }

    /// When a command that waits may be sent, as far as the line goes.
    fn rested_at(&self) -> Moment {
        self.line.at_rest(self.order_rest())
    }

    /// How long the line is at rest before a command.
    fn order_rest(&self) -> Duration {
        let by_silence = self.acknowledgement().by_silence();
        let rest = if by_silence { ORDER_REST } else { ORDER_REST_ANSWERED };
        rest.max(self.line.rest_before_order())
    }

    /// Requests that waited for too long, or were meant for another UPS, are not sent.
    fn let_requests_die(&mut self, now: Moment) {
        let generation = self.control.generation;
        let mut dead = vec![];
        self.control.requests.retain_mut(|request| {
            let is_late = now >= *request.until.get_or_insert(now + REQUEST_LASTS);
            // the others are no client's: the configuration waits for as long as it takes, and killing the
            // power has a time of its own
            let is_clients = matches!(request.asker, Requester::Client(_));
            let why = match () {
                () if is_clients && request.meant_for != generation => "was meant for the previous UPS",
                () if is_clients && is_late => "could not be sent in time",
                () => return true,
            };
            dead.push((request.asker, request.unsent(why)));
            false
        });
        for (asker, outcome) in dead {
            self.answer(asker, outcome);
        }
    }

    /// When something is to be done about requests that wait.
    pub(in crate::device) fn requests_due(&self) -> Option<Moment> {
        let of_clients =
            self.control.requests.iter().filter(|request| matches!(request.asker, Requester::Client(_)));
        let ends = of_clients.map(|request| request.until.unwrap_or_default()).min();
        let waits = self.control.unconfirmed.is_none() && !self.control.requests.is_empty();
        let rested = Some(self.rested_at()).filter(|rested| waits && *rested > self.clock);
        ends.into_iter().chain(rested).min()
    }

    /// What came back to a command that was sent at `sent_at`.
    pub(in crate::device) fn handle_request_reply(
        &mut self,
        mut request: QueuedRequest,
        reply: Reply,
        sent_at: Moment,
        now: Moment,
    ) {
        let acknowledgement =
            self.protocol.map_or(Acknowledgement::Silence, |protocol| protocol.acknowledgement);
        let wire = request.step();
        let sent = request.steps.pop_front().unwrap_or_default();
        request.begun = true;
        let failed = reply.failed || request.blind;
        let said = reply.line.as_deref().map(|line| match request.codec {
            Some(codec) if line != wire => (codec.unpack_reply)(line).unwrap_or_else(|| line.to_vec()),
            _ => line.to_vec(),
        });
        let is_echo = said.as_deref() == Some(&wire[..]) || said.as_deref() == Some(sent.as_bytes());
        let answer =
            if is_echo { Acceptance::No } else { acknowledgement.acceptance(&wire, said.as_deref()) };
        // the answer to the one before may come as late as this
        let counts = is_of_the_load(&request.name) || !acknowledgement.by_silence();
        let before = self.control.unanswered.take().filter(|before| counts && now < *before + LATE);
        let mixed = before.is_some() && !is_echo;
        if answer == Acceptance::Nothing || failed {
            self.control.unanswered = Some(sent_at);
            // what came just after the wait is read, and not thrown away; what comes later still is heard as the answer to
            // the next question
            self.line.settle_first();
        }
        let answer = match answer {
            Acceptance::Yes if mixed && acknowledgement.by_silence() => Acceptance::Nothing,
            Acceptance::No | Acceptance::Yes if mixed => Acceptance::Odd,
            // whether it has arrived, or was refused, is not known: a transfer failed, or the UPS was not heard
            Acceptance::Nothing if failed => Acceptance::Odd,
            answer => answer,
        };
        let said = said.map(|said| said.escape_ascii().to_string());
        let next_step =
            answer == Acceptance::Yes || answer == Acceptance::Nothing && acknowledgement.by_silence();
        if next_step && !request.steps.is_empty() {
            self.note(LogLevel::Info, format!("{}: sent {sent}, accepted", request.name));
            self.control.requests.push_front(request);
            return;
        }
        self.ask_what_it_changed(&request, now);
        if is_of_the_load(&request.name) {
            self.control.load_ordered = Some(now);
        }
        let unconfirmed = Unconfirmed::new(request, (sent, wire), (answer, said), (sent_at, now));
        let unconfirmed = if reply.failed { unconfirmed.failed() } else { unconfirmed };
        self.control.unconfirmed = Some(Box::new(unconfirmed.after(before)));
        self.await_proof(now);
    }

    /// What a command may have changed is asked again.
    fn ask_what_it_changed(&mut self, request: &QueuedRequest, now: Moment) {
        let sets = request.sets;
        let again = |query: &crate::wire::query::Query| {
            query.cadence != Cadence::Once || sets.is_some_and(|var| query.speaks_of(var))
        };
        for slot in self
            .schedule
            .slots_mut()
            .iter_mut()
            .filter(|slot| slot.applies && !slot.refused && again(slot.query))
        {
            // what waits already does not wait longer for it
            slot.due = Some(slot.due.map_or(now, |due| due.min(now)));
        }
    }

    /// The line was lost while a request was on its way.
    pub(in crate::device) fn lose(&mut self, request: &QueuedRequest) {
        let why = format!(
            "the link was lost while {} was being sent: whether the UPS accepted it is not known",
            request.name
        );
        self.answer(request.asker, Outcome::NotConfirmed(why));
    }

    /// What waits is not sent any more, but for what the configuration asks for, and for what goes on
    /// until the load is off.
    pub(in crate::device) fn fail_requests(&mut self) {
        let (stay, gone): (VecDeque<_>, VecDeque<_>) = std::mem::take(&mut self.control.requests)
            .into_iter()
            .partition(|request| !matches!(request.asker, Requester::Client(_)));
        self.control.requests = stay;
        for request in gone {
            let outcome = request.unsent(&format!("waited, and {}", self.why_stale()));
            self.answer(request.asker, outcome);
        }
    }

    /// Tells how a request ended that is not for the UPS.
    pub fn report(&mut self, ticket: Ticket, outcome: Outcome) {
        self.answer(Requester::Client(ticket), outcome);
    }

    pub(in crate::device) fn answer(&mut self, asker: Requester, outcome: Outcome) {
        if let Outcome::Invalid(why) | Outcome::Failed(why) | Outcome::NotConfirmed(why) = &outcome {
            // a client that asks again and again fills no log
            let is_counted = matches!(asker, Requester::Client(_));
            let level = match self.control.complaints.take(why, is_counted, self.clock) {
                Say::Aloud => LogLevel::Warning,
                Say::Softly => LogLevel::Debug,
                Say::TooMany => {
                    let text = "many client requests fail: further ones are not logged for a minute; -D shows them, and 'lsof -U' the connected clients";
                    self.note(LogLevel::Warning, text.into());
                    LogLevel::Debug
                }
            };
            self.note(level, why.clone());
        }
        match asker {
            Requester::Configuration => {}
            Requester::Client(ticket) => self.events.push_back(Event::Answered(ticket, outcome)),
            Requester::KillPower => self.kill_power_went(&outcome),
        }
    }

    pub(in crate::device) fn note(&mut self, level: LogLevel, text: String) {
        self.events.push_back(Event::Noted(level, text));
    }
}
