//! The device: one UPS as a state machine. It does no I/O and is told the time.
//!
//! A caller drives it: [`Device::poll_exchange`] says what to send next, the outcome goes into
//! [`Device::handle_reply`], news come from [`Device::poll_event`] and the store, and
//! [`Device::poll_timeout`] says until when nothing is to be done. Drain events and exchanges
//! after every change.
//!
//! Stages: detect the dialect, survey (every query once), then poll. Requests go before polls, a
//! doubted reading before the next question, and one exchange is on its way at a time.

pub mod bank;
mod battery;
pub mod bounds;
mod course;
mod finding;
mod fresh;
pub mod guess;
mod identity;
mod kill_power;
mod late;
mod latency;
mod low_battery;
mod order;
mod pace;
pub mod plan;
mod plate;
mod plausible;
mod polling;
mod request;
mod second_look;
mod sheet;
mod sight;
mod slot;
pub mod store;

use crate::detect::Worth;
use crate::device::store::{Change, Store};
use crate::judge::Quality;
use crate::judge::bounds::{CALM_AFTER, HALF, NOISY, PROVEN_AFTER};
use crate::line::exchange::{Echo, Exchange, Reply};
use crate::options::Options;
use crate::vocabulary::moment::Moment;
use crate::vocabulary::variable::UPS_ID;
use crate::wire::fact::Facts;
use crate::wire::protocol::Protocol;
use crate::wire::query::{Cadence, Query};
use crate::wire::setting::Delay;
use battery::Battery;
use bounds::ANSWER;
use finding::Stage;
use identity::Identity;
use kill_power::KillPower;
pub use kill_power::{DEFAULT as SHUTDOWN_DEFAULT, Step as KillStep, steps as kill_steps};
use late::Late;
use latency::Latency;
use low_battery::LowBattery;
use order::{Doubt, Order};
use plate::Plate;
use plausible::Plausibility;
pub use request::Generation;
use request::{Complaints, Request};
use second_look::Proof;
use sheet::{Frame, Said};
use sight::Sight;
use slot::Slot;
use std::collections::VecDeque;
use std::time::Duration;

/// Identifies a request until it is answered.
pub type Ticket = u64;

/// How long a question waits while nothing is known of the speed of this UPS.
const FIRST_PATIENCE: Duration = Duration::from_millis(1100);
/// How long a poll waits.
const POLL_PATIENCE: Duration = Duration::from_millis(1000);
/// Silence to a question is not known earlier, however fast the UPS is.
const LEAST_PATIENCE: Duration = Duration::from_millis(250);
/// A reply may be held up for so long.
const HELD_UP: Duration = Duration::from_millis(400);
/// How long each further byte may take, as in NUT.
const GAP: Duration = Duration::from_millis(1000);
/// The same where the UPS ends its replies by no carriage return, so that only time tells.
const GAP_WITHOUT_END: Duration = Duration::from_millis(300);
/// Where no reply has gaps.
const LEAST_GAP: Duration = Duration::from_millis(300);
/// How often a question is repeated at once, when its reply was garbled, doubted or missing.
const REPEATS: u8 = 3;
/// The same on a noisy line: of replies that are whole now and then, three have to agree.
const NOISY_REPEATS: u8 = 9;
/// No exchange takes so long: 512 bytes at 2400 baud are two seconds.
const LONGEST_EXCHANGE: Duration = Duration::from_secs(30);
/// Detection is repeated when a stale UPS stays silent for so long: it may be another one.
const DETECT_AGAIN: Duration = Duration::from_secs(60);
/// Who is heard through noise and was not understood for so long may speak another dialect.
const LISTENS_ON: Duration = Duration::from_secs(600);

/// What happened to the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkChange {
    /// The port is gone or cannot be used.
    Gone,
    /// The port is open (again).
    Back,
    /// The same, and what is behind it may be another unit, as far as the link can tell: only the UPS's own
    /// name proves that it is not.
    BackInDoubt,
}

impl LinkChange {
    /// Whether the port is open from then on.
    fn is_back(self) -> bool {
        self != LinkChange::Gone
    }
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
    /// It was sent, and nobody saw whether it was done; the sentence says what is known.
    NotConfirmed(String),
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
    /// Everything was asked once: the store is complete; or of a slow UPS all that tells the status.
    Ready,
    /// The UPS has not answered for a while.
    Stale,
    /// It answers again.
    Fresh,
    /// [`Device::dialect_memory`] or [`Device::reset_memory`] has something to keep.
    WorthKeeping,
    /// A request ended.
    Answered(Ticket, Outcome),
    /// Something for the log.
    Noted(Loudness, String),
}

#[derive(Debug)]
enum Asked {
    Sign(&'static Query, Duration),
    Query(usize),
    Look(&'static Query, Duration),
    Request(Request),
}

/// What was learned of the line.
#[derive(Debug)]
struct Line {
    up: bool,
    latency: Latency,
    echo: Echo,
    settle: bool,
    /// The UPS says so when it does not know a question.
    refuses: bool,
    /// When the port went away, until it is back.
    gone_at: Option<Moment>,
    /// Something was garbled or lost lately.
    hurt: bool,
    /// Replies that were whole since then.
    whole: u32,
    /// The last 64 replies, the newest first: a bit is set for one that was garbled or lost.
    lately: u64,
    /// When something was heard last, be it garbled.
    heard_at: Moment,
    /// The last whole reply had no carriage return at its end.
    endless: bool,
    /// The last reply had none, and is not known to be whole.
    torn: bool,
    /// The longest gaps within replies.
    gaps: Latency,
    /// Replies that came late.
    late: Late,
}

/// One UPS.
#[derive(Debug)]
pub struct Device {
    options: Options,
    stage: Stage,
    protocol: Option<&'static Protocol>,
    proof: Proof,
    is_new: bool,
    slots: Vec<Slot>,
    delays: Vec<(&'static Delay, u32)>,
    settings_sent: bool,
    battery: Battery,
    line: Line,
    asked: Option<(Asked, Moment)>,
    requests: VecDeque<Request>,
    /// The link and the UPS that wishes are meant for.
    generation: Generation,
    /// The UPS alone.
    unit: Generation,
    identity: Identity,
    plate: Plate,
    /// When the link came back last.
    back_at: Moment,
    /// When the device was told the time last.
    clock: Moment,
    /// The command that was sent last, until it is known what came of it.
    doubt: Option<Doubt>,
    /// A command was sent then, and not answered.
    unanswered: Option<Moment>,
    /// Why requests failed, as the log has it.
    complaints: Complaints,
    /// What the UPS was told about its load, and has to be shown yet.
    order: Option<Order>,
    kill_power: Option<KillPower>,
    plausibility: Plausibility,
    low_battery: LowBattery,
    ready: bool,
    /// When it was read last whether mains is there.
    last_good: Moment,
    /// The UPS is on battery, or says something that makes hosts halt: since when that is so, or is not.
    uneasy: bool,
    rhythm_since: Moment,
    /// Until then the status is asked more often.
    lively_until: Moment,
    /// When something else than the status was asked last.
    gave_way: Moment,
    detect_again: Moment,
    /// When the dialect was found.
    adopted: Moment,
    /// Until then who is heard through noise is the UPS that was found.
    listens_until: Moment,
    /// What was found and is not kept yet.
    dialect_memory: Option<String>,
    /// `reset_to_default` was written to this UPS, and that is not kept yet.
    reset_memory: Option<String>,
    evidence: Vec<String>,
    /// What the last readings come to, until one of them changes.
    said: Option<Said>,
    /// What was written down last, until more than a number changes.
    frame: Option<Frame>,
    /// More than a number changed, and what is asked of this UPS may change by it.
    unsettled: bool,
    store: Store,
    events: VecDeque<Event>,
}

impl Device {
    /// A device that has to be found yet, among the dialects that `options` leave.
    pub fn new(options: Options) -> Device {
        let battery = Battery::new(&options);
        let stage = Stage::detecting(&options, Moment::ZERO);
        Device {
            options,
            stage,
            protocol: None,
            proof: Proof::default(),
            is_new: false,
            slots: vec![],
            delays: vec![],
            settings_sent: false,
            battery,
            line: Line {
                up: true,
                latency: Latency::default(),
                echo: Echo::Unknown,
                settle: false,
                refuses: false,
                gone_at: None,
                hurt: false,
                whole: 0,
                lately: 0,
                heard_at: Moment::ZERO,
                endless: false,
                torn: false,
                gaps: Latency::default(),
                late: Late::default(),
            },
            asked: None,
            requests: VecDeque::new(),
            generation: 0,
            unit: 0,
            identity: Identity::default(),
            plate: Plate::default(),
            back_at: Moment::ZERO,
            clock: Moment::ZERO,
            doubt: None,
            unanswered: None,
            complaints: Complaints::default(),
            order: None,
            kill_power: None,
            plausibility: Plausibility::default(),
            low_battery: LowBattery::default(),
            ready: false,
            last_good: Moment::ZERO,
            uneasy: false,
            rhythm_since: Moment::ZERO,
            lively_until: Moment::ZERO,
            gave_way: Moment::ZERO,
            detect_again: Moment::ZERO,
            adopted: Moment::ZERO,
            listens_until: Moment::ZERO,
            dialect_memory: None,
            reset_memory: None,
            evidence: vec![],
            said: None,
            frame: None,
            unsettled: true,
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
        // so that the next poll looks after what the UPS does not say
        self.heard_words();
        &mut self.store
    }
    /// What changed in the store since the last call.
    pub fn take_changes(&mut self) -> Vec<Change> {
        self.store.take_changes()
    }
    /// The dialect, once it is found.
    pub fn protocol(&self) -> Option<&'static Protocol> {
        self.protocol
    }
    /// Whether clients may see data: everything was asked once, or of a slow UPS all that tells the status.
    pub fn is_ready(&self) -> bool {
        self.ready
    }
    /// Whether everything was asked once.
    pub fn is_surveyed(&self) -> bool {
        self.settings_sent
    }
    /// The options it was made with.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Takes other options while it works. Which UPS this is, and what is written to it at the start,
    /// cannot change so: then it is false, and nothing was taken.
    pub fn reconfigure(&mut self, options: Options, now: Moment) -> bool {
        let of_the_ups =
            |o: &Options| (o.protocol.clone(), o.flags, o.address, o.settings.clone(), o.one_pack);
        if of_the_ups(&options) != of_the_ups(&self.options) {
            return false;
        }
        let before = std::mem::replace(&mut self.options, options);
        self.slots.iter_mut().for_each(|slot| slot.judge.forget_claims());
        self.heard_words();
        self.options.dialect_memory.clone_from(&before.dialect_memory);
        self.options.first_dialect = before.first_dialect;
        let battery = |o: &Options| (o.runtimecal, o.chargetime, o.idleload_percent.to_bits(), o.ignorelb);
        if battery(&before) != battery(&self.options) {
            let memory = self.battery.memory().map(String::from);
            self.options.battery_memory = memory.or(before.battery_memory.clone());
            self.battery = Battery::new(&self.options);
        }
        for (name, _) in before.overrides.iter().chain(&before.defaults) {
            self.store.remove(name);
        }
        let delays =
            |o: &Options| (o.ondelay.clone(), o.offdelay.clone(), o.overrides.clone(), o.defaults.clone());
        if delays(&before) != delays(&self.options) {
            self.start_delays();
        }
        self.keep_pace(now);
        if self.ready {
            self.publish(now);
        }
        true
    }

    /// What came back to the exchange that [`Device::poll_exchange`] gave.
    pub fn handle_reply(&mut self, reply: Reply, now: Moment) {
        self.clock = now;
        let Some((asked, since)) = self.asked.take() else { return };
        // a process that was stopped meanwhile finds what the UPS said long ago
        let is_old =
            reply.line.is_some() && now.saturating_sub(since) >= self.stale_after().min(LONGEST_EXCHANGE);
        let usual = self.line.latency.slowest().filter(|_| self.line.latency.is_proven());
        let sight = reply.line.as_deref().and_then(|line| match &asked {
            Asked::Query(at) => self.slots.get_mut(*at).map(|slot| slot.sight(line)),
            _ => None,
        });
        if !is_old {
            self.line.learn(&reply, sight, now);
        }
        match asked {
            Asked::Sign(ask, patience) => {
                if let Stage::Detecting { detection, not_before, .. } = &mut self.stage {
                    let worth = detection.hear_reply(ask, reply, patience, since);
                    self.line.settle = worth != Worth::Sure;
                    *not_before = now + worth.pause();
                }
            }
            Asked::Look(..) if is_old => {}
            Asked::Look(ask, patience) => self.look(ask, reply, patience, (since, now)),
            Asked::Query(at) if is_old => self.ask_anew(at, now),
            Asked::Query(at) if self.is_late_answer(at, &reply, now) => self.ask_anew(at, now),
            Asked::Query(at) => {
                let mut reply = reply;
                self.sort_out_late(at, &mut reply, sight, usual, (since, now));
                self.handle_answer(at, reply.line.as_deref(), since, now);
                self.heard_of_identity(at, reply.line.as_deref(), now);
            }
            Asked::Request(request) => self.handle_request_reply(request, reply, since, now),
        }
        self.look_for_staleness(now);
    }

    /// What happened to the link.
    pub fn handle_link(&mut self, change: LinkChange, now: Moment) {
        self.clock = now;
        let was_up = std::mem::replace(&mut self.line.up, change.is_back());
        self.line.gone_at = (!self.line.up).then(|| self.line.gone_at.unwrap_or(now));
        self.detect_again = now + DETECT_AGAIN;
        // it may be another one
        self.listens_until = now;
        self.line.settle = true;
        if let Some((Asked::Request(request), _)) = self.asked.take() {
            self.lose(&request);
        }
        for slot in &mut self.slots {
            slot.judge.forget_recent();
            slot.repeats = 0;
            if slot.applies && slot.query.cadence != Cadence::Once && change.is_back() {
                slot.due = Some(now);
            }
        }
        if was_up != self.line.up {
            self.link_changed(change, now);
        }
        self.look_for_staleness(now);
    }

    /// The next exchange, if one is due. Its outcome must come back by [`Device::handle_reply`] or
    /// [`Device::handle_link`] before the next.
    pub fn poll_exchange(&mut self, now: Moment) -> Option<Exchange> {
        self.clock = now;
        self.look_for_staleness(now);
        self.look_after_order(now);
        self.look_at_identity(now);
        self.look_after_killing(now);
        self.look_for_misbelief(now);
        self.ask_once_more(now);
        if self.asked.is_some() || !self.line.up {
            return None;
        }
        let (asked, command, patience) = match self.next_request(now) {
            Some(request) => {
                let command = request.step();
                (Asked::Request(request), command, self.patience(ANSWER, ANSWER))
            }
            None if matches!(self.stage, Stage::Detecting { .. }) => {
                let ask = self.next_sign(now)?;
                let Stage::Detecting { detection, .. } = &self.stage else { return None };
                let patience = detection.patience();
                (Asked::Sign(ask, patience), ask.wire(0), patience)
            }
            None => {
                if self.line.late.pause > now {
                    return None;
                }
                let Some(at) = self.next_query(now) else {
                    let (ask, patience) = self.next_look(now)?;
                    return Some(self.exchange(Asked::Look(ask, patience), ask.wire(0), patience, now));
                };
                let Slot { query, repeats, reading, .. } = &self.slots[at];
                if query.cadence != Cadence::Quick {
                    self.gave_way = now;
                }
                // on a noisy line the question was lost rather than the UPS slow
                let lost = self.line.hurt && *repeats > 0;
                let patience = if !lost && (reading.is_some() || query.cadence == Cadence::Quick) {
                    self.patience(POLL_PATIENCE, POLL_PATIENCE)
                } else {
                    self.silence_patience()
                };
                (Asked::Query(at), query.wire(self.address()), patience)
            }
        };
        Some(self.exchange(asked, command, patience, now))
    }

    fn exchange(&mut self, asked: Asked, command: Vec<u8>, patience: Duration, now: Moment) -> Exchange {
        let is_command = matches!(asked, Asked::Request(_));
        self.asked = Some((asked, now));
        let settle = std::mem::take(&mut self.line.settle);
        let gap = self.line.gap();
        let measured = self.line.measures();
        Exchange { command, patience, gap, echo: self.line.echo, settle, is_command, measured }
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
        let stale = (self.ready && !self.store.is_stale()).then(|| self.fresh_until());
        let due = match &self.stage {
            _ if !self.line.up => None,
            Stage::Detecting { not_before, .. } => Some(*not_before),
            Stage::Polling => {
                let look = self.proof.due().filter(|_| self.ready && !self.store.is_stale());
                let due = self.slots.iter().filter_map(|slot| slot.due).chain(look).min();
                let due = due.map(|due| due.max(self.line.late.pause));
                due.into_iter().chain(self.once_more_due()).min()
            }
        };
        let waited = !self.ready && !self.store.is_stale();
        let waited = (waited && self.detect_again > Moment::ZERO).then_some(self.detect_again);
        let order = self.order.as_ref().map(Order::due);
        let wishes = self.requests_due().filter(|_| self.line.up);
        let orders = order.into_iter().chain(self.doubt_due()).chain(wishes).chain(self.kill_due());
        let identity = self.identity_due().into_iter().chain(self.plate_due()).min();
        due.into_iter().chain(stale).chain(orders).chain(identity).chain(waited).min()
    }

    /// What is known of the UPS, from its last replies.
    fn facts(&self) -> Facts<'_> {
        let heard = self.slots.iter().filter_map(|slot| Some((slot.query, slot.reading.as_ref()?)));
        Facts::new(heard, self.options.flags)
    }

    /// Whether a question was answered before.
    fn is_known(&self, at: usize) -> bool {
        self.slots.get(at).is_some_and(|slot| slot.reading.is_some())
    }

    /// The link and the UPS that are there now: a wish that was meant for others is not sent.
    pub fn generation(&self) -> Generation {
        self.generation
    }

    /// Its number on a shared line.
    fn address(&self) -> u32 {
        let said = self.facts().number(&UPS_ID);
        said.and_then(|said| u32::try_from(said.whole()).ok()).or(self.options.address).unwrap_or_default()
    }

    /// How long to wait for the first byte of a reply that may never come: longer than the slowest lately, and no
    /// longer than needed, as there may be many such questions.
    fn silence_patience(&self) -> Duration {
        let enough = |slow: Duration| (4 * slow).min((slow * 3 / 2).max(slow + HELD_UP)).max(LEAST_PATIENCE);
        self.slowest().map_or(FIRST_PATIENCE, enough)
    }

    /// The slowest reply lately, be it one that is only suspected to have been so slow.
    fn slowest(&self) -> Option<Duration> {
        self.line.latency.slowest().max(self.line.late.suspected)
    }

    /// How long to wait for a first byte: `unknown` until the UPS has answered once, then four
    /// times as long as it took lately, but `least`, and no longer than one late reply needs: with more,
    /// two that are lost make an outage wait for most of what is stale.
    fn patience(&self, unknown: Duration, least: Duration) -> Duration {
        let enough = |latency: Duration| (4 * latency).min(latency + POLL_PATIENCE).max(least);
        self.slowest().map_or(unknown, enough)
    }
}

impl Line {
    /// A reply was whole, or garbled or lost.
    fn heard(&mut self, whole: bool) {
        self.whole = if whole { self.whole.saturating_add(1) } else { 0 };
        self.hurt = !whole || self.hurt && self.whole < CALM_AFTER;
        self.lately = self.lately << 1 | u64::from(!whole);
    }

    fn quality(&self) -> Quality {
        match self.whole {
            _ if self.lately.count_ones() >= HALF => Quality::Garbled,
            _ if self.lately.count_ones() >= NOISY => Quality::Noisy,
            _ if self.hurt => Quality::Hurt,
            whole if whole < PROVEN_AFTER => Quality::Unproven,
            _ => Quality::Clean,
        }
    }

    /// How long each further byte of a reply may take: as long as in NUT, until it is known how long the gaps are
    /// here; and again after a reply that had no end.
    fn gap(&self) -> Duration {
        match self.gaps.slowest() {
            _ if self.endless => GAP_WITHOUT_END,
            Some(longest) if self.gaps.is_proven() && !self.torn => (4 * longest).clamp(LEAST_GAP, GAP),
            _ => GAP,
        }
    }

    /// Whether it is not known yet how fast replies come and how long their gaps are, or changes.
    fn measures(&self) -> bool {
        let is_open = |times: &Latency| times.slowest().is_some() && !times.is_proven();
        !self.latency.is_proven() || is_open(&self.gaps) || self.endless || self.torn
    }

    /// Takes how a reply came, of which it may be known already what it is.
    fn learn(&mut self, reply: &Reply, sight: Option<Sight>, now: Moment) {
        let Some(line) = &reply.line else { return };
        self.heard_at = now;
        // of one that was seen only when it was whole it is known that it took no longer
        let learn = if reply.by_lines { Latency::learn_at_most } else { Latency::learn };
        learn(&mut self.latency, reply.latency);
        // a torn one is not known to be whole
        let is_whole = sight.map_or_else(|| crate::line::looks_like_reply(line), |sight| sight.whole);
        self.endless = reply.unended && (self.endless || is_whole);
        self.torn = reply.unended && !self.endless;
        if is_whole && !reply.unended {
            learn(&mut self.gaps, reply.gap);
        }
        if self.echo == Echo::Unknown {
            let repeated = reply.echoed && is_whole;
            self.echo = if repeated { Echo::Line } else { Echo::Refusal };
        }
    }
}
