//! The device: one UPS as a state machine. It does no I/O and takes the time as an argument.
//!
//! [`Device`] has the contract for its caller. What it knows is in parts, each a type with private fields in a folder
//! of its own, whose files alone change them by hand; the others use its methods:
//!
//! | part | what it knows |
//! |---|---|
//! | `line` | how fast and how well replies come |
//! | `search` | which dialect it is, and how sure that is |
//! | `schedule` | the queries, what was read by each, and when each is due |
//! | `control` | requests, orders, what came of them, and the sequence that switches the load off |
//! | `identity` | who answers after a loss of the line |
//! | `battery` | charge, runtime and health |
//! | `publication` | what the last readings come to |
//! | `store` | what is published, and what changed of it |
//!
//! `timer` is the table of everything that is due by the clock, `timing` and [`bounds`] have every number of patience.
//!
//! Stages: detect the dialect, survey (every query once), then poll. Requests go before polls, a
//! doubted reading before the next question, and one exchange is on its way at a time.

pub mod bank;
mod battery;
pub mod bounds;
mod control;
mod course;
mod identity;
mod line;
pub mod nut_estimate;
mod publication;
mod said;
mod schedule;
mod search;
pub mod store;
mod timer;
mod timing;

use crate::detect::Worth;
use crate::device::store::{Change, Store};
use crate::line::exchange::{Exchange, Reply};
use crate::options::Options;
use crate::vocabulary::moment::Moment;
use crate::vocabulary::variable::UPS_ID;
use crate::wire::fact::Facts;
use crate::wire::protocol::Protocol;
use crate::wire::query::{Cadence, Query};
use battery::Battery;
use bounds::ANSWER;
pub use control::Generation;
pub use control::plan::{self, DEFAULT as SHUTDOWN_DEFAULT, KillStep, steps as kill_steps};
pub use control::proof::{NoProof, SwitchOffProof, SwitchOffReading, shows_shutdown};
use control::{Control, NextRequest, QueuedRequest};
use identity::Identity;
use line::LineState;
use publication::Publication;
use said::SaidLately;
pub use schedule::STOPPED;
use schedule::{QueryState, Schedule};
use search::Search;
use std::collections::VecDeque;
use std::time::Duration;
use timing::{CAUSE_IS_NEW, LONGEST_EXCHANGE, PATIENCE_IN_SILENCE, POLL_PATIENCE, RELOAD_ASKS};

/// Identifies a request until it is answered.
pub type Ticket = u64;

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
    /// It was sent, and whether it was done was not seen; the sentence says what is known.
    NotConfirmed(String),
}

/// How much a note matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// For finding a fault.
    Debug,
    /// Worth a line in the log.
    Info,
    /// The administrator should look at it.
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
    Noted(LogLevel, String),
}

#[derive(Debug)]
enum Asked {
    Sign(&'static Query, Duration),
    Query(usize),
    Look(&'static Query, Duration),
    Request(QueuedRequest),
}

/// One UPS.
///
/// A caller drives it by four kinds of methods:
///
/// * **Queries** ask what is known and change nothing: [`store`](Device::store), [`protocol`](Device::protocol),
///   [`is_ready`](Device::is_ready), [`is_surveyed`](Device::is_surveyed), [`evidence`](Device::evidence),
///   [`kill_plan`](Device::kill_plan), [`generation`](Device::generation) and the like. Any time.
/// * **`handle_*`** bring what happened outside, with the moment: [`handle_reply`](Device::handle_reply) what came back
///   to the exchange that is on its way, [`handle_link`](Device::handle_link) that the port is gone or back. One of the
///   two ends each exchange; a reply to none is passed over.
/// * **Commands** are what a client or the process wants: [`instant_command`](Device::instant_command), [`set`](Device::set),
///   [`kill_power`](Device::kill_power), [`reconfigure`](Device::reconfigure). Any time, also while an exchange is on its
///   way; they send nothing themselves. The outcome is an [`Event::Answered`].
/// * **`poll_*`** say what is to be done next. After each call of the other kinds, and once [`poll_timeout`]
///   is reached, in this order:
///   1. [`poll_event`](Device::poll_event) until it gives none, and [`take_changes`](Device::take_changes);
///   2. [`poll_exchange`](Device::poll_exchange): what it gives is sent, and its outcome is handled before it is called
///      again. It may make events as well, so while [`has_news`](Device::has_news), begin with 1;
///   3. [`poll_timeout`](Device::poll_timeout): nothing is to be done until then. `None`: not before a `handle_*`.
///
/// Moments never go back. A call that comes later than [`poll_timeout`](Device::poll_timeout) said does no harm but delay.
///
/// [`poll_timeout`]: Device::poll_timeout
#[derive(Debug)]
pub struct Device {
    options: Options,
    protocol: Option<&'static Protocol>,
    line: LineState,
    search: Search,
    schedule: Schedule,
    control: Control,
    identity: Identity,
    battery: Battery,
    publication: Publication,
    store: Store,
    /// The exchange that is on its way, and since when.
    asked: Option<(Asked, Moment)>,
    /// The latest moment that the caller named.
    clock: Moment,
    /// Clients may see data.
    ready: bool,
    events: VecDeque<Event>,
    /// What was said of questions.
    said: SaidLately,
    /// The last reply that changed a word: its question, itself, and when it came.
    cause: Option<(&'static str, Vec<u8>, Moment)>,
}

impl Device {
    /// A device that has to be found yet, among the dialects that `options` leave.
    pub fn new(options: Options) -> Device {
        Device {
            protocol: None,
            line: LineState::new(options.pollinterval),
            search: Search::new(&options),
            schedule: Schedule::default(),
            control: Control::default(),
            identity: Identity::default(),
            battery: Battery::new(&options),
            publication: Publication::new(),
            store: Store::default(),
            asked: None,
            clock: Moment::ZERO,
            ready: false,
            events: VecDeque::new(),
            said: SaidLately::default(),
            cause: None,
            options,
        }
    }

    /// What is known of the UPS.
    pub fn store(&self) -> &Store {
        &self.store
    }
    /// The store, for those who add what they know themselves (`driver.…`), or take the changes.
    pub fn store_mut(&mut self) -> &mut Store {
        // so that the next poll looks after what the UPS does not say
        self.words_changed();
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
        self.control.settings_sent()
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
        let was_fresh_until = self.fresh_until();
        let before = std::mem::replace(&mut self.options, options);
        self.line.set_interval(self.options.pollinterval);
        self.schedule.slots_mut().iter_mut().for_each(|slot| slot.judge.forget_claims());
        self.words_changed();
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
        if self.options.pollinterval < before.pollinterval && was_fresh_until > now {
            // it was not asked more often so far
            self.schedule.keep_until(was_fresh_until.min(now + RELOAD_ASKS), now);
        }
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
        let usual = self.line.usual();
        let sight = reply.line.as_deref().and_then(|line| match &asked {
            Asked::Query(at) => self.schedule.slots_mut().get_mut(*at).map(|slot| slot.sight(line)),
            _ => None,
        });
        if !is_old {
            self.line.measure(&reply, sight, now);
        }
        let known = match &asked {
            Asked::Query(at) => Some(*at).filter(|at| self.schedule.answers(*at) && !is_old),
            _ => None,
        };
        let question = match &asked {
            Asked::Query(at) => self.schedule.slots().get(*at).map(|slot| slot.query.ask),
            Asked::Sign(ask, _) | Asked::Look(ask, _) => Some(ask.ask),
            Asked::Request(_) => None,
        };
        self.line.conclude(reply.line.is_some(), (question, known), since, now);
        match asked {
            Asked::Sign(ask, patience) => {
                let rest = if reply.line.is_some() { self.search.sign_rest() } else { Duration::ZERO };
                if let Some((detection, not_before)) = self.search.detection_mut() {
                    let worth = detection.hear_reply(ask, reply, patience, since);
                    self.line.set_settle(worth != Worth::Sure);
                    *not_before = now + worth.pause().max(rest);
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
        self.check_freshness(false, now);
    }

    /// What happened to the link.
    pub fn handle_link(&mut self, change: LinkChange, now: Moment) {
        self.clock = now;
        let is_news = self.line.change(change.is_back(), now);
        self.search.link_changed(now);
        if let Some((Asked::Request(request), _)) = self.asked.take() {
            self.lose(&request);
        }
        for slot in self.schedule.slots_mut() {
            slot.judge.forget_recent();
            slot.repeats = 0;
            if slot.applies && slot.query.cadence != Cadence::Once && change.is_back() {
                slot.due = Some(now);
            }
        }
        if is_news {
            self.link_changed(change, now);
        }
        self.check_freshness(false, now);
    }

    /// The next exchange, if one is due. Its outcome must come back by [`Device::handle_reply`] or
    /// [`Device::handle_link`] before the next.
    pub fn poll_exchange(&mut self, now: Moment) -> Option<Exchange> {
        self.clock = now;
        self.check_freshness(self.asked.is_none(), now);
        self.settle_due_order(now);
        self.check_identity(now);
        self.continue_killing(now);
        self.drop_wrong_guess(now);
        self.ask_once_more(now);
        if self.asked.is_some() || !self.line.is_up() {
            return None;
        }
        let (asked, command, patience) = match self.next_request(now) {
            NextRequest::Rests => return None,
            NextRequest::Send(request) => {
                let command = request.step();
                (Asked::Request(request), command, self.line.patience(ANSWER, ANSWER))
            }
            NextRequest::None if !self.search.is_polling() => {
                if self.line.rests_until() > now {
                    return None;
                }
                let ask = self.next_sign(now)?;
                let patience = self.search.detection()?.patience();
                (Asked::Sign(ask, patience), ask.wire(0), patience)
            }
            NextRequest::None => {
                if self.line.pause() > now {
                    return None;
                }
                let Some(at) = self.next_query(now) else {
                    let (ask, patience) = self.next_look(now)?;
                    return Some(self.exchange(Asked::Look(ask, patience), ask.wire(0), patience, now));
                };
                let slot = &self.schedule.slots()[at];
                let QueryState { query, repeats, reading, .. } = slot;
                let gives_way = query.cadence != Cadence::Quick;
                // on a noisy line the question was lost rather than the UPS slow
                let lost = self.line.is_hurt() && *repeats > 0;
                let patience = if !lost && (reading.is_some() || query.cadence == Cadence::Quick) {
                    self.line.patience(POLL_PATIENCE, POLL_PATIENCE)
                } else {
                    self.line.silence_patience()
                };
                let patience =
                    if slot.is_silent_again() { patience.max(PATIENCE_IN_SILENCE) } else { patience };
                let command = query.wire(self.address());
                if gives_way {
                    self.schedule.gives_way(now);
                }
                (Asked::Query(at), command, patience)
            }
        };
        Some(self.exchange(asked, command, patience, now))
    }

    fn exchange(&mut self, asked: Asked, command: Vec<u8>, patience: Duration, now: Moment) -> Exchange {
        let is_command = matches!(asked, Asked::Request(_));
        self.asked = Some((asked, now));
        let settle = self.line.take_settle();
        let gap = self.line.gap();
        let measured = self.line.measures();
        Exchange { command, patience, gap, echo: self.line.echo(), settle, is_command, measured }
    }

    /// Notes something of a question, or what follows from it, that may be so again and again.
    fn note_of_question(&mut self, level: LogLevel, text: String) {
        // with what it was found by the figures differ
        let what = text.split(", by").next().unwrap_or_default();
        let is_due = level == LogLevel::Debug || self.said.is_due(what, self.clock);
        let level = if is_due { level } else { LogLevel::Debug };
        self.events.push_back(Event::Noted(level, text));
    }

    /// The reply that raised the words of the status that changed just now, with its question; once. None where they
    /// changed for another reason.
    pub fn take_cause(&mut self) -> Option<(&'static str, Vec<u8>)> {
        let (ask, line, at) = self.cause.take()?;
        (self.clock.saturating_sub(at) <= CAUSE_IS_NEW).then_some((ask, line))
    }

    /// Whether an event waits.
    pub fn has_news(&self) -> bool {
        !self.events.is_empty()
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// What is known of the UPS, from its last replies.
    fn facts(&self) -> Facts<'_> {
        self.schedule.facts(self.options.flags)
    }

    /// The link and the UPS that are there now: a request that was meant for others is not sent.
    pub fn generation(&self) -> Generation {
        self.control.generation()
    }

    /// Its number on a shared line.
    fn address(&self) -> u32 {
        let said = self.facts().number(&UPS_ID);
        said.and_then(|said| u32::try_from(said.whole()).ok()).or(self.options.address).unwrap_or_default()
    }
}
