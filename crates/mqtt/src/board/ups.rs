//! One UPS, as a broker is to have it.

use super::{OutMessage, below};
use crate::discovery::{DeviceFacts, describe};
use crate::json::{JsonObject, texts};
use crate::topic::{AVAILABILITY, STATE, TopicTree};
use std::collections::BTreeMap;

/// The variable that is sent before all others.
const STATUS: &str = "ups.status";
/// No more variables than these are known of one UPS, those included that were withdrawn; NUT knows 400.
const MOST: usize = 1024;

/// A variable.
#[derive(Debug, Default)]
struct Slot {
    /// None: withdrawn. Home Assistant goes on knowing the variable.
    value: Option<Box<str>>,
    is_due: bool,
    is_estimate: bool,
    /// The update that goes on has it.
    is_seen: bool,
}

/// One UPS.
#[derive(Debug)]
pub struct UpsBoard {
    /// Its topics begin so.
    topic: String,
    level: String,
    slots: BTreeMap<Box<str>, Slot>,
    is_fresh: bool,
    leaves: bool,
    status_due: bool,
    availability_due: bool,
    state_due: bool,
    discovery_due: bool,
    facts: DeviceFacts,
    pub is_queued_urgent: bool,
    pub is_queued: bool,
    pub is_incomplete: bool,
}

impl UpsBoard {
    /// One of which nothing is known.
    pub fn new(topic: String, level: String) -> UpsBoard {
        UpsBoard {
            topic,
            level,
            slots: BTreeMap::new(),
            is_fresh: false,
            leaves: false,
            status_due: false,
            availability_due: true,
            state_due: true,
            discovery_due: false,
            facts: DeviceFacts::default(),
            is_queued_urgent: false,
            is_queued: false,
            is_incomplete: true,
        }
    }

    pub fn level(&self) -> &str {
        &self.level
    }

    pub fn is_fresh(&self) -> bool {
        self.is_fresh
    }

    pub fn leaves(&self) -> bool {
        self.leaves
    }

    /// Whether a variable has a value, by the levels of its topic.
    pub fn has_variable(&self, levels: &str) -> bool {
        self.slots.get(levels.replace('/', ".").as_str()).is_some_and(|slot| slot.value.is_some())
    }

    pub fn hear_status(&mut self, words: &str) {
        if self.set(STATUS, words, false) {
            self.state_due = true;
        }
    }

    /// A value that may be new; whether it is.
    fn set(&mut self, name: &str, value: &str, is_estimate: bool) -> bool {
        let is_status = name == STATUS;
        if let Some(slot) = self.slots.get_mut(name) {
            slot.is_seen = true;
            let is_new = slot.value.as_deref() != Some(value);
            let is_other = is_new || slot.is_estimate != is_estimate;
            if is_new {
                (slot.value, slot.is_due) = (Some(value.into()), !is_status);
                self.status_due |= is_status;
            }
            slot.is_estimate = is_estimate;
            return is_other;
        }
        if below(name).is_none() || !self.has_room() {
            return false;
        }
        let slot = Slot { value: Some(value.into()), is_due: !is_status, is_estimate, is_seen: true };
        self.slots.insert(name.into(), slot);
        self.status_due |= is_status;
        self.discovery_due = true;
        true
    }

    /// Whether one more variable may come. What was withdrawn gives way: the next connection takes it off the broker.
    fn has_room(&mut self) -> bool {
        if self.slots.len() < MOST {
            return true;
        }
        let gone = self.slots.iter().find(|(_, slot)| slot.value.is_none()).map(|(name, _)| name.clone());
        gone.is_some_and(|name| self.slots.remove(&name).is_some())
    }

    /// All values of a kind are withdrawn; whether there were any.
    fn withdraw(&mut self, which: impl Fn(&Slot) -> bool) -> bool {
        let mut any = false;
        for (name, slot) in &mut self.slots {
            if slot.value.is_some() && which(slot) {
                slot.value = None;
                if **name == *STATUS {
                    self.status_due = true;
                } else {
                    slot.is_due = true;
                }
                any = true;
            }
        }
        any
    }

    pub fn lose(&mut self) {
        if self.withdraw(|_| true) {
            self.state_due = true;
        }
        if std::mem::replace(&mut self.is_fresh, false) {
            self.availability_due = true;
        }
    }

    pub fn leave(&mut self) {
        if !std::mem::replace(&mut self.leaves, true) {
            self.lose();
            (self.availability_due, self.state_due, self.discovery_due) = (true, true, true);
        }
    }

    /// It is there again before it was taken off.
    pub fn stay(&mut self) {
        if std::mem::replace(&mut self.leaves, false) {
            self.send_all();
        }
    }

    pub fn send_all(&mut self) {
        self.is_incomplete = true;
        self.discovery_due = !self.slots.is_empty() || self.leaves;
        (self.is_queued, self.is_queued_urgent) = (false, false);
        self.repeat();
    }

    /// All values are sent once more.
    pub fn repeat(&mut self) {
        (self.availability_due, self.state_due) = (true, true);
        for (name, slot) in &mut self.slots {
            // what was withdrawn and said to be is read by the client, should the broker have it again
            slot.is_due |= slot.value.is_some() && **name != *STATUS;
        }
        self.status_due |= self.slots.get(STATUS).is_some_and(|slot| slot.value.is_some());
    }

    pub fn has_urgent(&self) -> bool {
        self.status_due || self.availability_due
    }

    pub fn has_rest(&self) -> bool {
        self.state_due || self.discovery_due || self.slots.values().any(|slot| slot.is_due)
    }

    fn message(&self, below: &str, payload: impl Into<Vec<u8>>, is_sure: bool) -> OutMessage {
        OutMessage { topic: format!("{}/{below}", self.topic), payload: payload.into(), is_sure }
    }

    /// Data that is lost is said to be so before it is taken off; data that is back is there before it is said to be.
    pub fn next_urgent(&mut self) -> Option<OutMessage> {
        if self.availability_due && !self.is_fresh {
            self.availability_due = false;
            let word = if self.leaves { "" } else { "offline" };
            return Some(self.message(AVAILABILITY, word, true));
        }
        if std::mem::take(&mut self.status_due) {
            let value = self.slots.get(STATUS).and_then(|slot| slot.value.as_deref()).unwrap_or_default();
            let message = self.message("ups/status", value, true);
            return Some(message);
        }
        if self.availability_due {
            if std::mem::take(&mut self.state_due) {
                return Some(self.message(STATE, self.state(), true));
            }
            self.availability_due = false;
            return Some(self.message(AVAILABILITY, "online", true));
        }
        None
    }

    pub fn next(&mut self, tree: &TopicTree, name: &str, may_be_sure: bool) -> Option<OutMessage> {
        if may_be_sure && std::mem::take(&mut self.discovery_due) {
            if let Some(topic) = tree.discovery_of(name) {
                let names: Vec<&str> = self.slots.keys().map(|name| &**name).collect();
                let payload =
                    if self.leaves { String::new() } else { describe(tree, name, &self.facts, &names) };
                return Some(OutMessage { topic, payload: payload.into(), is_sure: true });
            }
        }
        if std::mem::take(&mut self.state_due) {
            let state = if self.leaves { String::new() } else { self.state() };
            return Some(self.message(STATE, state, false));
        }
        let (name, slot) = self.slots.iter_mut().find(|(_, slot)| slot.is_due)?;
        slot.is_due = false;
        let (levels, value) = (below(name), slot.value.as_deref().unwrap_or_default().to_string());
        levels.map(|levels| self.message(&levels, value, false))
    }

    /// All variables as one document. Those that are estimates, and not the UPS's own word, are named.
    fn state(&self) -> String {
        let mut out = String::new();
        let mut object = JsonObject::begin(&mut out);
        let known = || self.slots.iter().filter(|(_, slot)| slot.value.is_some());
        for (name, slot) in known() {
            object.text_if(name, slot.value.as_deref());
        }
        if known().any(|(_, slot)| slot.is_estimate) {
            let estimates = known().filter(|(_, slot)| slot.is_estimate).map(|(name, _)| &**name);
            object.member("estimated", |out| texts(estimates, out));
        }
        object.end();
        out
    }
}

/// What a UPS with fresh data says, as it is handed over.
pub struct UpsUpdate<'b> {
    board: &'b mut UpsBoard,
    is_other: bool,
}

impl std::fmt::Debug for UpsUpdate<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UpsUpdate").finish_non_exhaustive()
    }
}

impl<'b> UpsUpdate<'b> {
    pub(super) fn begin(board: &'b mut UpsBoard) -> UpsUpdate<'b> {
        board.slots.values_mut().for_each(|slot| slot.is_seen = false);
        UpsUpdate { board, is_other: false }
    }

    /// A variable, and whether it is an estimate rather than the UPS's own word.
    pub fn variable(&mut self, name: &str, value: &str, is_estimate: bool) {
        self.is_other |= self.board.set(name, value, is_estimate);
    }

    /// What is known of the device besides its variables: a description, and the commands that a broker may give.
    pub fn about(&mut self, description: Option<&str>, commands: &[String]) {
        let facts = &mut self.board.facts;
        if facts.description.as_deref() != description || facts.commands != commands {
            facts.description = description.map(String::from);
            facts.commands = commands.to_vec();
            self.board.discovery_due = true;
        }
    }

    pub(super) fn end(self) {
        let UpsUpdate { board, mut is_other } = self;
        is_other |= board.withdraw(|slot| !slot.is_seen);
        if board.facts.read(|name| board.slots.get(name)?.value.as_deref()) {
            board.discovery_due = true;
        }
        board.state_due |= is_other;
        if !std::mem::replace(&mut board.is_fresh, true) {
            (board.availability_due, board.state_due) = (true, true);
        }
    }
}
