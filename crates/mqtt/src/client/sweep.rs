//! What the broker still has of earlier lives of this server: it is read once a connection, and what is not true any more is taken
//! off.

use super::{MqttClient, order_filter};
use crate::packet::{self, BrokerMessage};
use crate::topic::{AVAILABILITY, TopicPlace, name_of};
use std::collections::VecDeque;
use std::time::Duration;

/// So many topics are taken off in one connection; the next one goes on.
const MOST: usize = 4096;
/// Topics of ours are no longer, in bytes.
const LONGEST: usize = 512;

/// Where it stands.
#[derive(Debug, Default)]
pub(super) enum Sweep {
    /// There is no connection.
    #[default]
    Idle,
    /// What the broker has was asked for, since then, by the subscription of this number.
    Asked(Duration, u16),
    /// The subscription is there; a ping says when all of it has come.
    Comes(Duration),
    /// All of it has come, and no more is to come: the end of the subscription is waited for.
    Ends(Duration, u16),
    /// It is over. Orders, Home Assistant's word and the own availability are listened to by this subscription; none once it
    /// is there.
    Over(Option<(Duration, u16)>),
}

impl Sweep {
    /// Since when the broker is waited for.
    pub fn since(&self) -> Option<Duration> {
        match self {
            Sweep::Idle | Sweep::Over(None) => None,
            Sweep::Asked(since, _)
            | Sweep::Comes(since)
            | Sweep::Ends(since, _)
            | Sweep::Over(Some((since, _))) => Some(*since),
        }
    }

    /// Whether what the broker had is known.
    pub fn is_over(&self) -> bool {
        matches!(self, Sweep::Ends(..) | Sweep::Over(_))
    }

    fn is_on(&self) -> bool {
        matches!(self, Sweep::Asked(..) | Sweep::Comes(_) | Sweep::Ends(..))
    }
}

impl MqttClient {
    fn everything(&self) -> String {
        format!("{}#", self.settings.tree.root())
    }

    pub(super) fn begin_sweep(&mut self, now: Duration) {
        let number = self.number();
        packet::subscribe(self.settings.version, number, &[self.everything()], true, &mut self.control);
        self.sweep = Sweep::Asked(now, number);
    }

    pub(super) fn subscribed(&mut self, number: u16, is_refused: bool, now: Duration) {
        match self.sweep {
            Sweep::Asked(_, mine) if mine == number && is_refused => {
                let text = "does not let this user read its own topics: what an earlier life of this server left there stays, and no \
                            order can come";
                self.note("sweep", text.into());
                self.listen(now);
            }
            Sweep::Asked(_, mine) if mine == number => {
                self.sweep = Sweep::Comes(now);
                // brokers send what they have before they answer what comes after
                self.control.extend(packet::PING);
            }
            Sweep::Over(Some((_, mine))) if mine == number => {
                self.sweep = Sweep::Over(None);
                if is_refused {
                    self.note(
                        "listen",
                        "does not let this user read its own availability, orders, or the word of Home Assistant".into(),
                    );
                }
            }
            _ => {}
        }
    }

    /// The broker answered a ping.
    pub(super) fn pong(&mut self, now: Duration) {
        if matches!(self.sweep, Sweep::Comes(_)) {
            let number = self.number();
            let filter = self.everything();
            packet::unsubscribe(self.settings.version, number, &filter, &mut self.control);
            self.sweep = Sweep::Ends(now, number);
        }
    }

    pub(super) fn unsubscribed(&mut self, number: u16, now: Duration) {
        if matches!(self.sweep, Sweep::Ends(_, mine) if mine == number) {
            self.listen(now);
        }
    }

    /// Only now orders are listened to: two subscriptions that fit one order could bring it twice.
    fn listen(&mut self, now: Duration) {
        let mut filters: Vec<String> = order_filter(&self.settings).into_iter().collect();
        filters.extend(self.settings.tree.birth());
        filters.push(self.settings.tree.availability());
        let number = self.number();
        packet::subscribe(self.settings.version, number, &filters, false, &mut self.control);
        self.sweep = Sweep::Over(Some((now, number)));
    }

    /// A message that came by the sweep: one that is kept and not true is to be taken off. False where the sweep is over.
    pub(super) fn swept(&mut self, message: &BrokerMessage) -> bool {
        if !self.sweep.is_on() {
            return false;
        }
        if message.is_retained && !message.payload.is_empty() {
            self.clear(&message.topic);
        }
        true
    }

    /// Takes a topic off the broker, unless it has a value by the time that this is sent.
    pub(super) fn clear(&mut self, topic: &str) {
        // `a/b/#` is `a/b` as well, and a broker may send anything
        let is_ours = topic.starts_with(&self.settings.tree.root());
        if self.cleared >= MOST || topic.len() > LONGEST || !is_ours || self.board.has(topic) {
            return;
        }
        self.cleared += 1;
        if let TopicPlace::Ups(of, AVAILABILITY) = self.settings.tree.place(topic) {
            // a UPS that is gone is gone for Home Assistant as well
            let is_gone = self.board.ups_of(of).is_none();
            let discovery = name_of(of).and_then(|name| self.settings.tree.discovery_of(&name));
            self.to_clear.extend(discovery.filter(|_| is_gone));
        }
        self.to_clear.push_back(topic.into());
    }

    pub(super) fn next_to_clear(&mut self) -> Option<String> {
        let to_clear: &mut VecDeque<String> = &mut self.to_clear;
        while let Some(topic) = to_clear.pop_front() {
            // that of a UPS's discovery is below another tree, and there only for a UPS that is gone
            if !self.board.has(&topic) {
                return Some(topic);
            }
        }
        None
    }
}
