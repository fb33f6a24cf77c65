//! One connection after another to a broker, as a state machine: what it says comes in as bytes, what is to be said goes out
//! as bytes, and time is an argument.
//!
//! A connection begins with a session that is new: no order that was given before it can come. First what the broker still has
//! of earlier lives is read, and what is not true any more is taken off it; then all UPSes are sent, and only then the server is
//! said to be `online`.

mod orders;
mod sweep;

use crate::board::{FleetBoard, OutMessage};
use crate::command::{AllowedCommands, BrokerOrder};
use crate::fault::{MqttFault, MqttNote};
use crate::frames::FrameReader;
use crate::packet::{self, BrokerLimits, FromBroker, Greeting, MqttVersion, TakenNot};
use crate::topic::{COMMAND, TopicTree};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;
use sweep::Sweep;

/// A broker that does not answer for so long is taken for lost.
const ANSWERS: Duration = Duration::from_secs(10);
/// So many messages wait for an acknowledgement at most.
const UNACKNOWLEDGED: usize = 64;
/// So many bytes are handed out at once, about: what changes meanwhile is sent as it is then.
const AT_ONCE: usize = 16 * 1024;
/// Home Assistant may say that it has begun anew; all is sent again, once in so long.
const AGAIN: Duration = Duration::from_secs(10);
/// The same where the broker takes no more for now.
const WHILE_FULL: Duration = Duration::from_secs(60);
/// So many orders, outcomes and notes wait at most.
const WAITING: usize = 64;

/// A password, which no log shows.
#[derive(Clone, PartialEq, Eq)]
pub struct BrokerSecret(pub String);

impl std::fmt::Debug for BrokerSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BrokerSecret")
    }
}

/// How a broker is spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MqttSettings {
    /// The version of MQTT.
    pub version: MqttVersion,
    /// The name of this client, which no other client of the broker has.
    pub client: String,
    /// The user, where the broker wants one.
    pub user: Option<String>,
    /// The password.
    pub password: Option<BrokerSecret>,
    /// After so many seconds of silence broker and client take the connection for lost.
    pub keep_alive: u16,
    /// In so long all values are sent once more, one UPS after the other, for brokers that lose what they keep; zero: never.
    pub repeat: Duration,
    /// How topics are named.
    pub tree: TopicTree,
    /// Orders that are followed.
    pub commands: AllowedCommands,
}

/// Where a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// There is none.
    Closed,
    /// The broker was greeted, and has not answered.
    Greeted,
    /// The broker takes messages.
    Open,
}

/// A client of a broker.
#[derive(Debug)]
pub struct MqttClient {
    settings: MqttSettings,
    /// What the broker is to have.
    pub board: FleetBoard,
    phase: Phase,
    frames: FrameReader,
    /// Packets that go out before all messages.
    control: Vec<u8>,
    limits: BrokerLimits,
    /// Numbers that wait for an acknowledgement, with the time they were given out.
    unacknowledged: VecDeque<(u16, Duration)>,
    last_number: u16,
    sweep: Sweep,
    /// Topics that are to be taken off the broker, and how many were in this connection.
    to_clear: VecDeque<String>,
    cleared: usize,
    /// A prefix under which UPSes were announced before.
    former_discovery: Option<String>,
    /// When the broker was heard last, and spoken to last.
    heard: Duration,
    spoken: Duration,
    /// When it was asked whether it lives.
    asked: Option<Duration>,
    /// It was said that the server is there.
    is_online: bool,
    /// When all was sent again last because Home Assistant asked, and whether it asked since.
    sent_again: Option<Duration>,
    is_asked_again: bool,
    /// The UPS that was repeated last, and when the next one is.
    repeated: Option<Rc<str>>,
    next_repeat: Duration,
    /// It was said that this server is gone.
    is_contradicted: bool,
    /// The broker takes no more for now.
    is_full: bool,
    orders: VecDeque<BrokerOrder>,
    outcomes: VecDeque<OutMessage>,
    notes: Vec<MqttNote>,
}

impl MqttClient {
    /// Without a connection.
    pub fn new(settings: MqttSettings) -> MqttClient {
        let board = FleetBoard::new(settings.tree.clone());
        MqttClient {
            settings,
            board,
            phase: Phase::Closed,
            frames: FrameReader::default(),
            control: vec![],
            limits: BrokerLimits::default(),
            unacknowledged: VecDeque::new(),
            last_number: 0,
            sweep: Sweep::default(),
            to_clear: VecDeque::new(),
            cleared: 0,
            former_discovery: None,
            heard: Duration::ZERO,
            spoken: Duration::ZERO,
            asked: None,
            is_online: false,
            sent_again: None,
            is_asked_again: false,
            repeated: None,
            next_repeat: Duration::ZERO,
            is_contradicted: false,
            is_full: false,
            orders: VecDeque::new(),
            outcomes: VecDeque::new(),
            notes: vec![],
        }
    }

    /// How the broker is spoken to.
    pub fn settings(&self) -> &MqttSettings {
        &self.settings
    }

    /// The password of the next connection.
    pub fn set_password(&mut self, password: Option<BrokerSecret>) {
        self.settings.password = password;
    }

    /// UPSes were announced to Home Assistant under this prefix, and are to be there no more.
    pub fn withdraw_discovery(&mut self, prefix: String) {
        self.former_discovery = Some(prefix);
    }

    /// Whether the broker takes messages.
    pub fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }

    /// Whether all was said: the broker has every UPS, and that the server is there.
    pub fn is_settled(&self) -> bool {
        self.is_online && !self.board.has_news() && self.unacknowledged.is_empty()
    }

    /// There are bytes in both directions from now on.
    pub fn connected(&mut self, now: Duration) {
        self.lost();
        (self.phase, self.heard, self.spoken) = (Phase::Greeted, now, now);
        let MqttSettings { version, client, user, password, keep_alive, tree, .. } = &self.settings;
        let will = tree.availability();
        let greeting = Greeting {
            client,
            keep_alive: *keep_alive,
            user: user.as_deref(),
            password: password.as_ref().map(|secret| secret.0.as_bytes()),
            will: Some((&will, "offline")),
        };
        packet::connect(*version, &greeting, &mut self.control);
    }

    /// The connection is gone: nothing of it counts, and an order that was not taken is none any more.
    pub fn lost(&mut self) {
        self.phase = Phase::Closed;
        (self.frames, self.sweep) = (FrameReader::default(), Sweep::default());
        self.control.clear();
        self.to_clear.clear();
        self.cleared = 0;
        self.unacknowledged.clear();
        self.orders.clear();
        self.outcomes.clear();
        (self.asked, self.is_online) = (None, false);
        (self.limits, self.is_asked_again, self.is_contradicted) = (BrokerLimits::default(), false, false);
        self.is_full = false;
    }

    /// Bytes of the broker.
    ///
    /// # Errors
    /// Why the connection cannot go on.
    pub fn received(&mut self, mut bytes: &[u8], now: Duration) -> Result<(), MqttFault> {
        // what lay in the system while this machine slept may be an order of yesterday
        if self.is_overdue(now) {
            return Err(MqttFault::Suspended);
        }
        self.heard = now;
        while let Some(packet) = self.frames.take(&mut bytes)? {
            let said = packet::read(self.settings.version, &packet)?;
            self.heard(said, now)?;
        }
        Ok(())
    }

    /// What is to be written now, as far as it is asked for.
    pub fn fill(&mut self, out: &mut Vec<u8>, now: Duration) {
        let before = out.len();
        out.append(&mut self.control);
        if self.phase == Phase::Open {
            while out.len() < AT_ONCE && self.next(out, now) {}
        }
        if out.len() > before {
            self.spoken = now;
        }
    }

    /// What is due by the clock.
    ///
    /// # Errors
    /// The broker does not answer.
    pub fn check(&mut self, now: Duration) -> Result<(), MqttFault> {
        let waits = match self.phase {
            Phase::Closed => return Ok(()),
            Phase::Greeted => Some(self.heard),
            Phase::Open => {
                let first = self.unacknowledged.front().map(|(_, since)| *since);
                [first, self.asked, self.sweep.since()].into_iter().flatten().min()
            }
        };
        if waits.is_some_and(|since| now.saturating_sub(since) >= ANSWERS) {
            return Err(MqttFault::Silent(ANSWERS.as_secs()));
        }
        if self.phase == Phase::Open && self.asked.is_none() && now >= self.next_ping() {
            self.control.extend(packet::PING);
            self.asked = Some(now);
        }
        if self.is_asked_again && now >= self.again_at() {
            (self.is_asked_again, self.sent_again) = (false, Some(now));
            self.is_online &= !std::mem::take(&mut self.is_contradicted);
            self.is_full = false;
            self.board.send_all();
        }
        if self.repeat_at().is_some_and(|at| now >= at) {
            self.repeat(now);
        }
        Ok(())
    }

    /// When values are sent once more. What a broker took back for now, or has not got yet, comes first.
    fn repeat_at(&self) -> Option<Duration> {
        let may_be = self.is_settled() && !self.is_full && !self.settings.repeat.is_zero();
        may_be.then_some(self.next_repeat)
    }

    /// The values of one UPS are sent once more; behind the last, that the server is there.
    fn repeat(&mut self, now: Duration) {
        let count = u32::try_from(self.board.count()).unwrap_or(u32::MAX).saturating_add(1);
        self.next_repeat = now + self.settings.repeat / count;
        self.repeated = self.board.repeat_after(self.repeated.as_deref());
        self.is_online = self.repeated.is_some();
    }

    /// When [`MqttClient::check`] has something to do next.
    pub fn deadline(&self) -> Option<Duration> {
        let answer = |since: Duration| since + ANSWERS;
        match self.phase {
            Phase::Closed => None,
            Phase::Greeted => Some(answer(self.heard)),
            Phase::Open => {
                let first = self.unacknowledged.front().map(|(_, since)| answer(*since));
                let ping = Some(self.asked.map_or(self.next_ping(), answer));
                let again = self.is_asked_again.then(|| self.again_at());
                [first, ping, again, self.repeat_at(), self.sweep.since().map(answer)]
                    .into_iter()
                    .flatten()
                    .min()
            }
        }
    }

    /// The end: the broker keeps that the server is gone, and sends no last will.
    pub fn farewell(&mut self, out: &mut Vec<u8>) {
        if self.phase == Phase::Open {
            let topic = self.settings.tree.availability();
            self.control.clear();
            self.write(&OutMessage { topic, payload: b"offline".into(), is_sure: false }, true, out);
            out.extend(packet::FAREWELL);
        }
        self.lost();
    }

    /// So much waits to be written that nothing more is to be read.
    pub fn is_congested(&self) -> bool {
        self.control.len() >= AT_ONCE
    }

    /// The next order that is allowed.
    pub fn take_order(&mut self) -> Option<BrokerOrder> {
        self.orders.pop_front()
    }

    /// What is worth a line of log.
    pub fn take_notes(&mut self) -> Vec<MqttNote> {
        std::mem::take(&mut self.notes)
    }

    fn note(&mut self, kind: &'static str, text: String) {
        if self.notes.len() < WAITING {
            self.notes.push(MqttNote { kind, text });
        }
    }

    fn keep_alive(&self) -> Duration {
        Duration::from_secs(self.limits.keep_alive.unwrap_or(self.settings.keep_alive).max(1).into())
    }

    /// The broker hears from this client in time, and is asked whether it lives.
    fn next_ping(&self) -> Duration {
        self.spoken.min(self.heard) + self.keep_alive() / 2
    }

    fn again_at(&self) -> Duration {
        let pause = if self.is_full { WHILE_FULL } else { AGAIN };
        self.sent_again.map_or(Duration::ZERO, |at| at + pause)
    }

    /// Whether the broker must have taken the connection for lost long ago.
    fn is_overdue(&self, now: Duration) -> bool {
        self.phase == Phase::Open && now.saturating_sub(self.spoken) > self.keep_alive() * 3 / 2 + ANSWERS
    }

    fn number(&mut self) -> u16 {
        loop {
            self.last_number = self.last_number.wrapping_add(1);
            let number = self.last_number;
            if number != 0 && self.unacknowledged.iter().all(|(other, _)| *other != number) {
                return number;
            }
        }
    }

    fn heard(&mut self, said: FromBroker, now: Duration) -> Result<(), MqttFault> {
        match (self.phase, said) {
            (Phase::Greeted, FromBroker::Welcome(limits)) => self.opened(limits, now),
            (Phase::Open, FromBroker::Message(message)) => self.message(&message),
            (Phase::Open, FromBroker::Taken(number, refused)) => {
                self.unacknowledged.retain(|(waits, _)| *waits != number);
                if let Some(TakenNot { why, may_come_later }) = refused {
                    self.is_asked_again |= may_come_later;
                    self.is_full |= may_come_later;
                    self.note(
                        "refused",
                        format!(
                            "refuses a message: {why}; see its limits, and the rights of this user there"
                        ),
                    );
                }
            }
            (Phase::Open, FromBroker::Subscribed(number, is_refused)) => {
                self.subscribed(number, is_refused, now)
            }
            (Phase::Open, FromBroker::Unsubscribed(number)) => self.unsubscribed(number, now),
            (Phase::Open, FromBroker::Pong) => {
                self.asked = None;
                self.pong(now);
            }
            (_, said) => {
                let said = match said {
                    FromBroker::Welcome(_) => "a second welcome",
                    _ => "a packet before its welcome",
                };
                return Err(MqttFault::Malformed(said.into()));
            }
        }
        Ok(())
    }

    fn opened(&mut self, limits: BrokerLimits, now: Duration) {
        (self.phase, self.limits) = (Phase::Open, limits);
        if !limits.retains {
            self.note("retain", "keeps no messages: who connects later sees only what changes".into());
        }
        self.next_repeat = now + self.settings.repeat;
        self.board.send_all();
        if let Some(prefix) = self.former_discovery.take() {
            let former = TopicTree { discovery: Some(prefix), ..self.settings.tree.clone() };
            self.to_clear.extend(self.board.names().filter_map(|name| former.discovery_of(name)));
        }
        self.begin_sweep(now);
    }

    fn may_be_sure(&self) -> bool {
        self.unacknowledged.len() < UNACKNOWLEDGED.min(self.limits.unacknowledged.into())
    }

    /// Writes the next message; false when there is none that can go now.
    fn next(&mut self, out: &mut Vec<u8>, now: Duration) -> bool {
        if self.may_be_sure() {
            if let Some(message) = self.board.next_urgent() {
                self.send(&message, now, out);
                return true;
            }
        }
        if let Some(outcome) = self.outcomes.pop_front() {
            self.write(&outcome, false, out);
            return true;
        }
        if let Some(topic) = self.next_to_clear() {
            self.write(&OutMessage { topic, payload: vec![], is_sure: false }, true, out);
            return true;
        }
        if let Some(message) = self.board.next(self.may_be_sure()) {
            self.send(&message, now, out);
            return true;
        }
        if !self.is_online && self.sweep.is_over() && self.board.is_complete() && self.may_be_sure() {
            self.is_online = true;
            let topic = self.settings.tree.availability();
            self.send(&OutMessage { topic, payload: b"online".into(), is_sure: true }, now, out);
            return true;
        }
        false
    }

    fn send(&mut self, message: &OutMessage, now: Duration, out: &mut Vec<u8>) {
        let number = (message.is_sure && self.limits.acknowledges).then(|| self.number());
        let (version, retains) = (self.settings.version, self.limits.retains);
        let before = out.len();
        packet::publish(version, &message.topic, &message.payload, retains, number, out);
        if self.is_too_long(before, message, out) {
            return;
        }
        if let Some(number) = number {
            self.unacknowledged.push_back((number, now));
        }
    }

    fn write(&mut self, message: &OutMessage, retain: bool, out: &mut Vec<u8>) {
        let (version, retains) = (self.settings.version, self.limits.retains && retain);
        let before = out.len();
        packet::publish(version, &message.topic, &message.payload, retains, None, out);
        self.is_too_long(before, message, out);
    }

    /// A packet that the broker does not take is not sent: it would end the connection.
    fn is_too_long(&mut self, before: usize, message: &OutMessage, out: &mut Vec<u8>) -> bool {
        let length = out.len() - before;
        let is_too_long = u32::try_from(length).unwrap_or(u32::MAX) > self.limits.longest;
        if is_too_long {
            out.truncate(before);
            let (topic, longest) = (&message.topic, self.limits.longest);
            self.note(
                "too long",
                format!(
                    "takes packets of {longest} bytes at most; {topic} has {length} and is not published"
                ),
            );
        }
        is_too_long
    }
}

/// The filter of orders, where some are allowed.
fn order_filter(settings: &MqttSettings) -> Option<String> {
    (!settings.commands.is_empty()).then(|| format!("{}+/{COMMAND}", settings.tree.root()))
}

#[cfg(test)]
mod tests;
