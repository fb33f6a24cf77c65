//! The device: one UPS as a state machine. It does no I/O and is told the time.
//!
//! A caller drives it: [`Device::poll_exchange`] says what to send next, the outcome goes into
//! [`Device::handle_reply`], news come from [`Device::poll_event`] and the store, and
//! [`Device::poll_timeout`] says until when nothing is to be done. Drain events and exchanges
//! after every change.
//!
//! Stages: detect the dialect, survey (every query once), then poll. Requests go before polls, a
//! doubted reading before the next question, and one exchange is on its way at a time.

mod request;
mod sheet;

use crate::battery::{Estimator, RuntimeModel};
use crate::belief::{Belief, Verdict};
use crate::detect::{Detection, Step};
use crate::exchange::{Echo, Exchange, Reply};
use crate::option::Options;
use crate::protocol::Protocol;
use crate::protocols;
use crate::query::{Cadence, Query};
use crate::read::Readings;
use crate::setting::Delay;
use crate::store::Store;
use request::Request;
use std::collections::VecDeque;
use std::time::Duration;

/// Time since the driver was started, by a clock that only goes forward.
pub type Moment = Duration;

/// Identifies a request until it is answered.
pub type Ticket = u64;

/// How long the first question waits: nothing is known of this UPS yet. Two rounds of three
/// questions on a dead line stay below six seconds.
const FIRST_PATIENCE: Duration = Duration::from_millis(950);
/// How long a poll waits.
const POLL_PATIENCE: Duration = Duration::from_millis(1000);
/// Silence to a question is not known earlier, however fast the UPS is.
const LEAST_PATIENCE: Duration = Duration::from_millis(250);
/// A command is answered by silence, which is not known earlier.
const COMMAND_PATIENCE: Duration = Duration::from_millis(500);
/// How long each further byte may take.
const GAP: Duration = Duration::from_millis(300);
/// How often a question is repeated at once, when its reply was garbled, doubted or missing.
const REPEATS: u8 = 3;
/// Stale after so many missed polls, or after [`STALE_AT_LEAST`].
const STALE_POLLS: u32 = 3;
/// Stale not earlier than this.
const STALE_AT_LEAST: Duration = Duration::from_secs(5);
/// Detection is repeated when a stale UPS stays silent for so long: it may be another one.
const DETECT_AGAIN: Duration = Duration::from_secs(60);

/// What happened to the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkChange {
    /// The port is gone or cannot be used.
    Gone,
    /// The port is open (again).
    Back,
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done: accepted by the UPS, by word or by silence.
    Done,
    /// There is no such command or setting.
    Unknown,
    /// The parameter or value is not allowed; the sentence says what would be.
    Invalid(String),
    /// It was not done; the sentence says why.
    Failed(String),
}

/// How loud a note is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loudness {
    /// For whoever is looking for a fault.
    Debug,
    /// Worth a line in the log.
    Info,
    /// Somebody should look at it.
    Warning,
}

/// What a device tells its caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The dialect was found, after so many exchanges.
    Detected(&'static str, u32),
    /// No dialect fits.
    NotFound(String),
    /// Everything was asked once: the store is complete.
    Ready,
    /// The UPS has not answered for a while.
    Stale,
    /// It answers again.
    Fresh,
    /// A request ended.
    Answered(Ticket, Outcome),
    /// Something for the log.
    Noted(Loudness, String),
}

#[derive(Debug)]
enum Stage {
    Detecting { detection: Detection, round: u8, not_before: Moment },
    Polling,
}

#[derive(Debug)]
enum Asked {
    Sign(&'static str),
    Query(usize),
    Request(Request),
}

/// One query of the protocol and what is known from it.
#[derive(Debug)]
struct Slot {
    query: &'static Query,
    reading: Option<Readings>,
    belief: Belief,
    due: Option<Moment>,
    repeats: u8,
    refused: bool,
    /// Log it once when it begins.
    garbled: bool,
}

/// What was learned of the line.
#[derive(Debug)]
struct Line {
    up: bool,
    latency: Option<Duration>,
    echo: Echo,
    noisy: bool,
    settle: bool,
}

/// One UPS.
#[derive(Debug)]
pub struct Device {
    options: Options,
    stage: Stage,
    protocol: Option<&'static Protocol>,
    slots: Vec<Slot>,
    delays: Vec<(&'static Delay, u32)>,
    estimator: Estimator,
    line: Line,
    asked: Option<(Asked, Moment)>,
    requests: VecDeque<Request>,
    ready: bool,
    last_good: Moment,
    detect_again: Moment,
    store: Store,
    events: VecDeque<Event>,
}

impl Device {
    /// A device that has to be found yet, among the dialects that `options` leave.
    pub fn new(options: Options) -> Device {
        let model = options.runtimecal.map(|cal| RuntimeModel {
            cal,
            chargetime: options.chargetime,
            idleload_percent: options.idleload_percent,
        });
        let stage = Stage::detecting(&options, 1, Moment::ZERO);
        Device {
            options,
            stage,
            protocol: None,
            slots: vec![],
            delays: vec![],
            estimator: Estimator::new(model),
            line: Line { up: true, latency: None, echo: Echo::Unknown, noisy: false, settle: false },
            asked: None,
            requests: VecDeque::new(),
            ready: false,
            last_good: Moment::ZERO,
            detect_again: Moment::ZERO,
            store: Store::default(),
            events: VecDeque::new(),
        }
    }

    /// What is known of the UPS.
    pub fn store(&self) -> &Store {
        &self.store
    }
    /// The store, for those who add what they know themselves (`driver.…`), or take the changes.
    pub fn store_mut(&mut self) -> &mut Store {
        &mut self.store
    }
    /// The dialect, once it is found.
    pub fn protocol(&self) -> Option<&'static Protocol> {
        self.protocol
    }
    /// Whether everything was asked once.
    pub fn is_ready(&self) -> bool {
        self.ready
    }
    /// The options it was made with.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// What came back to the exchange that [`Device::poll_exchange`] gave.
    pub fn handle_reply(&mut self, reply: Reply, now: Moment) {
        let Some((asked, since)) = self.asked.take() else { return };
        self.line.learn(&reply);
        match asked {
            Asked::Sign(ask) => {
                if let Stage::Detecting { detection, .. } = &mut self.stage {
                    detection.hear(ask, reply.line);
                }
            }
            Asked::Query(at) => self.handle_answer(at, reply.line.as_deref(), since, now),
            Asked::Request(request) => self.handle_request_reply(request, reply.line, now),
        }
        self.look_for_staleness(now);
    }

    /// What happened to the link.
    pub fn handle_link(&mut self, change: LinkChange, now: Moment) {
        self.line.up = change == LinkChange::Back;
        self.detect_again = now + DETECT_AGAIN;
        self.line.settle = true;
        if let Some((Asked::Request(request), _)) = self.asked.take() {
            self.answer(
                request.ticket,
                Outcome::Failed("the line was lost while the command was sent".into()),
            );
        }
        for slot in &mut self.slots {
            slot.belief.forget_doubt();
            slot.repeats = 0;
            if slot.query.cadence != Cadence::Once && change == LinkChange::Back {
                slot.due = Some(now);
            }
        }
        self.look_for_staleness(now);
    }

    /// The next exchange, if one is due. Its outcome must come back by [`Device::handle_reply`] or
    /// [`Device::handle_link`] before the next.
    pub fn poll_exchange(&mut self, now: Moment) -> Option<Exchange> {
        self.look_for_staleness(now);
        if self.asked.is_some() || !self.line.up {
            return None;
        }
        let (asked, command, patience) = match self.next_request() {
            Some(request) => {
                let command = request.wire.clone();
                (Asked::Request(request), command, self.patience(COMMAND_PATIENCE, COMMAND_PATIENCE))
            }
            None if matches!(self.stage, Stage::Detecting { .. }) => {
                let ask = self.next_sign(now)?;
                (Asked::Sign(ask), ask.to_string(), self.patience(FIRST_PATIENCE, LEAST_PATIENCE))
            }
            None => {
                let at = self.next_query(now)?;
                let query = self.slots[at].query;
                let patience = match query.cadence {
                    Cadence::Quick => self.patience(POLL_PATIENCE, POLL_PATIENCE),
                    _ => self.patience(FIRST_PATIENCE, LEAST_PATIENCE),
                };
                (Asked::Query(at), query.ask.to_string(), patience)
            }
        };
        let is_command = matches!(asked, Asked::Request(_));
        self.asked = Some((asked, now));
        let settle = std::mem::take(&mut self.line.settle);
        Some(Exchange { command, patience, gap: GAP, echo: self.line.echo, settle, is_command })
    }

    /// Whether an event waits.
    pub fn has_news(&self) -> bool {
        !self.events.is_empty()
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Until when nothing is to be done, or `None` while an exchange is on its way.
    pub fn poll_timeout(&self) -> Option<Moment> {
        if self.asked.is_some() {
            return None;
        }
        let stale = (self.ready && !self.store.is_stale()).then(|| self.last_good + self.stale_after());
        let due = match &self.stage {
            _ if !self.line.up => None,
            Stage::Detecting { not_before, .. } => Some(*not_before),
            Stage::Polling => self.slots.iter().filter_map(|slot| slot.due).min(),
        };
        due.into_iter().chain(stale).min()
    }

    /// The exchange to the next sign, or the next stage.
    fn next_sign(&mut self, now: Moment) -> Option<&'static str> {
        let Stage::Detecting { detection, round, not_before } = &mut self.stage else { return None };
        if *not_before > now {
            return None;
        }
        match detection.step() {
            Step::Ask(ask) => return Some(ask),
            Step::Found(protocol) => {
                let detection = detection.clone();
                self.adopt(protocol, &detection, now);
                return None;
            }
            // once more: the first replies may have been lost, or the line may echo
            Step::Nothing if *round == 1 => {
                self.line.echo = Echo::Unknown;
                self.line.settle = true;
                self.stage = Stage::detecting(&self.options, 2, now);
            }
            Step::Nothing => self.give_up(now),
        }
        self.next_sign(now)
    }

    fn give_up(&mut self, now: Moment) {
        let Stage::Detecting { detection, .. } = &self.stage else { return };
        let why = match (detection.anything_heard(), &self.options.protocol) {
            (false, _) => "the UPS does not answer: check the cable, the port and cablepower".to_string(),
            (true, Some(name)) => format!("the UPS answers, but not as {name}: leave out 'protocol' to have the dialect found"),
            (true, None) => "the UPS answers, but speaks none of the known dialects: run with -DDD and report what it says".to_string(),
        };
        self.events.push_back(Event::NotFound(why));
        if self.ready {
            self.stage = Stage::Polling;
            self.slots.iter_mut().for_each(|slot| slot.due = Some(now));
        } else {
            self.stage = Stage::detecting(&self.options, 1, now + self.options.pollinterval);
        }
    }

    fn adopt(&mut self, protocol: &'static Protocol, detection: &Detection, now: Moment) {
        self.events.push_back(Event::Detected(protocol.name, detection.exchanges()));
        let asked = |query: &&&'static Query| query.unless.is_none_or(|flag| !self.options.has(flag));
        self.slots = protocol.queries.iter().filter(asked).map(|query| Slot::new(query, now)).collect();
        if self.protocol.is_none_or(|before| before.name != protocol.name) {
            self.protocol = Some(protocol);
            self.start_delays();
            self.store.set_commands(protocol.all_commands().map(|command| command.name).collect());
        }
        self.stage = Stage::Polling;
        self.events.push_back(Event::Noted(Loudness::Info, format!("speaks {}", protocol.name)));
        // what was heard while looking for the dialect is not asked again
        for at in 0..self.slots.len() {
            let slot = &mut self.slots[at];
            if let Some(line) = detection.reply(slot.query.ask) {
                if let Ok(fit) = slot.query.read(line) {
                    slot.belief.learn(fit.odd.as_ref());
                }
                self.handle_answer(at, Some(line), now, now);
            }
        }
    }

    /// The query to ask now: a doubted one first, then status, then what is asked once, then the
    /// rest; among equals the one that waits longest.
    fn next_query(&self, now: Moment) -> Option<usize> {
        let rank = |slot: &Slot| match slot.query.cadence {
            _ if slot.repeats > 0 => 0,
            Cadence::Quick => 1,
            Cadence::Once => 2,
            Cadence::Full => 3,
        };
        let due = |slot: &Slot| slot.due.filter(|due| *due <= now).map(|due| (rank(slot), due));
        let waiting = self.slots.iter().enumerate().filter_map(|(at, slot)| Some((due(slot)?, at)));
        waiting.min().map(|(_, at)| at)
    }

    /// What came back to the query at `at`, which was asked at `since`.
    fn handle_answer(&mut self, at: usize, line: Option<&[u8]>, since: Moment, now: Moment) {
        let interval = self.interval(self.slots[at].query.cadence);
        let next = interval.map(|interval| (since + interval).max(now));
        let noisy = self.line.noisy;
        let slot = &mut self.slots[at];
        let verdict = match line.map(|line| slot.judge(line, &self.options, noisy)) {
            Some(Ok(verdict)) => verdict,
            Some(Err(Trouble::Refused)) => {
                self.refused(at, next);
                return;
            }
            Some(Err(Trouble::Garbled(why))) => {
                self.line.noisy = true;
                self.line.settle = true;
                if !std::mem::replace(&mut slot.garbled, true) {
                    self.events.push_back(Event::Noted(Loudness::Debug, why));
                }
                Verdict::AskAgain
            }
            None => {
                self.line.settle = true;
                slot.belief.forget_doubt();
                Verdict::AskAgain
            }
        };
        let slot = &mut self.slots[at];
        if verdict == Verdict::AskAgain {
            let once = slot.query.cadence == Cadence::Once;
            // silence to a question asked once is an answer, unless the line loses bytes
            let enough = if line.is_none() && once && !noisy { 0 } else { REPEATS };
            slot.repeats += 1;
            if slot.repeats <= enough {
                slot.due = Some(now);
            } else if once {
                self.refused(at, None);
            } else {
                slot.repeats = 0;
                slot.due = next;
            }
            return;
        }
        slot.repeats = 0;
        slot.garbled = false;
        slot.due = next;
        if slot.query.cadence == Cadence::Quick {
            self.heard_from(now);
        }
        self.settle_survey(now);
    }

    fn refused(&mut self, at: usize, next: Option<Moment>) {
        let slot = &mut self.slots[at];
        slot.repeats = 0;
        slot.refused = true;
        slot.due = next.filter(|_| slot.query.cadence == Cadence::Quick);
        let text = format!("does not answer {} ({})", slot.query.ask, slot.query.about);
        self.events.push_back(Event::Noted(Loudness::Info, text));
        self.settle_survey(self.last_good);
    }

    /// A believed status: the data is fresh.
    fn heard_from(&mut self, now: Moment) {
        self.last_good = now;
        if self.store.is_stale() {
            self.store.set_stale(false);
            self.events.push_back(Event::Fresh);
            // it may be another unit now: ask it who it is
            for slot in
                self.slots.iter_mut().filter(|slot| slot.query.cadence == Cadence::Once && !slot.refused)
            {
                slot.due = Some(now);
            }
        }
    }

    /// Publishes once everything was asked, and after each reading from then on.
    fn settle_survey(&mut self, now: Moment) {
        let surveyed = self.slots.iter().all(|slot| slot.reading.is_some() || slot.refused);
        let status = self.slots.iter().any(|s| s.query.cadence == Cadence::Quick && s.reading.is_some());
        let complete = surveyed && status;
        if !self.ready && !complete {
            return;
        }
        self.publish(now);
        if !self.ready {
            self.ready = true;
            self.last_good = now;
            self.events.push_back(Event::Ready);
        }
    }

    fn look_for_staleness(&mut self, now: Moment) {
        let silent_for = now.saturating_sub(self.last_good);
        if self.ready && !self.store.is_stale() && silent_for >= self.stale_after() {
            self.store.set_stale(true);
            self.detect_again = now + DETECT_AGAIN;
            self.events.push_back(Event::Stale);
            self.fail_requests();
        }
        let silent = self.store.is_stale() && self.line.up && self.asked.is_none();
        if silent && matches!(self.stage, Stage::Polling) && now >= self.detect_again {
            self.detect_again = now + DETECT_AGAIN;
            self.line.echo = Echo::Unknown;
            self.stage = Stage::detecting(&self.options, 1, now);
        }
    }

    fn stale_after(&self) -> Duration {
        (self.options.pollinterval * STALE_POLLS).max(STALE_AT_LEAST)
    }

    fn interval(&self, cadence: Cadence) -> Option<Duration> {
        match cadence {
            Cadence::Once => None,
            Cadence::Quick => Some(self.options.pollinterval),
            Cadence::Full => Some(self.options.pollfreq),
        }
    }

    /// How long to wait for a first byte: `unknown` until the UPS has answered once, then four
    /// times as long as it took, but `least`.
    fn patience(&self, unknown: Duration, least: Duration) -> Duration {
        self.line.latency.map_or(unknown, |latency| (4 * latency).max(least))
    }
}

impl Stage {
    fn detecting(options: &Options, round: u8, not_before: Moment) -> Stage {
        let chosen = options.protocol.as_deref().and_then(protocols::named);
        let candidates = match (&options.protocol, chosen) {
            (None, _) => protocols::ALL.to_vec(),
            (Some(_), chosen) => chosen.into_iter().collect(),
        };
        Stage::Detecting { detection: Detection::new(candidates, options.flags), round, not_before }
    }
}

enum Trouble {
    Refused,
    Garbled(String),
}

impl Slot {
    fn new(query: &'static Query, now: Moment) -> Slot {
        Slot {
            query,
            reading: None,
            belief: Belief::default(),
            due: Some(now),
            repeats: 0,
            refused: false,
            garbled: false,
        }
    }

    fn judge(&mut self, line: &[u8], options: &Options, noisy: bool) -> Result<Verdict, Trouble> {
        if crate::detect::is_refusal(self.query.ask, line) {
            return Err(Trouble::Refused);
        }
        let mut fit = self.query.read(line).map_err(|misfit| {
            let reply = line.escape_ascii();
            Trouble::Garbled(format!(
                "{}: '{reply}' does not fit at {}: {}",
                self.query.ask, misfit.at.start, misfit.expected
            ))
        })?;
        fit.readings.mute(self.query, options);
        let verdict = self.belief.judge(&fit, self.reading.as_ref(), noisy);
        if verdict == Verdict::Believed {
            self.reading = Some(fit.readings);
        }
        Ok(verdict)
    }
}

impl Line {
    fn learn(&mut self, reply: &Reply) {
        let Some(line) = &reply.line else { return };
        let latency = reply.latency.min(Duration::from_secs(1));
        self.latency = Some(self.latency.unwrap_or_default().max(latency));
        if self.echo == Echo::Unknown {
            let repeated = reply.echoed && crate::detect::looks_like_reply(line);
            self.echo = if repeated { Echo::Line } else { Echo::Refusal };
        }
    }
}
