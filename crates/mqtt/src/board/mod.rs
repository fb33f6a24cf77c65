//! What a broker is to have: of each UPS whether its data is fresh, its status, all variables, each variable by itself, and what
//! Home Assistant is to know of it.
//!
//! Each topic has one value, the last, and a mark as long as the broker has not got it: what changes twice before it is sent
//! is sent once, and nothing waits in a queue. A value that is withdrawn is sent as an empty one, which takes it off the broker.

mod ups;

use crate::topic::{AVAILABILITY, COMMAND, OUTCOME, STATE, TopicPlace, TopicTree, level, levels};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use ups::UpsBoard;
pub use ups::UpsUpdate;

/// A message that is to be sent. All of them are kept by the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutMessage {
    /// Its topic.
    pub topic: String,
    /// What it says; empty where the topic is withdrawn.
    pub payload: Vec<u8>,
    /// The broker is to acknowledge it.
    pub is_sure: bool,
}

/// All UPSes of a fleet, as a broker is to have them.
#[derive(Debug)]
pub struct FleetBoard {
    tree: TopicTree,
    upses: BTreeMap<Rc<str>, UpsBoard>,
    /// Those whose status or availability is to be sent.
    urgent: VecDeque<Rc<str>>,
    /// Those of which anything else is.
    rest: VecDeque<Rc<str>>,
    /// How many of them the broker has not got as a whole.
    incomplete: usize,
}

impl FleetBoard {
    /// Without a UPS.
    pub fn new(tree: TopicTree) -> FleetBoard {
        FleetBoard {
            tree,
            upses: BTreeMap::new(),
            urgent: VecDeque::new(),
            rest: VecDeque::new(),
            incomplete: 0,
        }
    }

    /// How topics are named.
    pub fn tree(&self) -> &TopicTree {
        &self.tree
    }

    /// A status that was published just now. False where the UPS has no fresh data here yet: then it is to be looked at.
    pub fn hear_status(&mut self, ups: &str, words: &str) -> bool {
        let Some((name, board)) = self.find(ups) else { return false };
        if !board.is_fresh() {
            return false;
        }
        board.hear_status(words);
        self.queue(&name);
        true
    }

    /// What a UPS with fresh data says now: `tell` hands all variables over.
    pub fn update(&mut self, ups: &str, tell: impl FnOnce(&mut UpsUpdate<'_>)) {
        let (name, board) = self.find_or_add(ups);
        let mut update = UpsUpdate::begin(board);
        tell(&mut update);
        update.end();
        self.queue(&name);
    }

    /// A UPS has no fresh data: nothing that it said is shown any more.
    pub fn lose(&mut self, ups: &str) {
        let (name, board) = self.find_or_add(ups);
        board.lose();
        self.queue(&name);
    }

    /// All UPSes but those that are still there are taken off the broker.
    pub fn keep(&mut self, is_there: impl Fn(&str) -> bool) {
        let gone = |name: &&Rc<str>| !is_there(name);
        let gone: Vec<Rc<str>> = self.upses.keys().filter(gone).cloned().collect();
        for name in gone {
            if let Some(board) = self.upses.get_mut(&name) {
                board.leave();
            }
            self.queue(&name);
        }
    }

    /// The broker is taken to have nothing: all is sent.
    pub fn send_all(&mut self) {
        (self.incomplete, self.urgent, self.rest) = (0, VecDeque::new(), VecDeque::new());
        let names: Vec<Rc<str>> = self.upses.keys().cloned().collect();
        for name in names {
            if let Some(board) = self.upses.get_mut(&name) {
                self.incomplete += 1;
                board.send_all();
            }
            self.queue(&name);
        }
    }

    /// All values of the UPS behind this one, in the order of their names, are sent once more; its name. None behind the last.
    pub fn repeat_after(&mut self, last: Option<&str>) -> Option<Rc<str>> {
        let name = self.upses.keys().find(|name| last.is_none_or(|last| &***name > last)).cloned()?;
        if let Some(board) = self.upses.get_mut(&name) {
            board.repeat();
        }
        self.queue(&name);
        Some(name)
    }

    /// How many UPSes there are.
    pub fn count(&self) -> usize {
        self.upses.len()
    }

    /// The broker has all UPSes as they are, or were a moment ago.
    pub fn is_complete(&self) -> bool {
        self.incomplete == 0
    }

    /// Whether something is to be sent.
    pub fn has_news(&self) -> bool {
        !self.urgent.is_empty() || !self.rest.is_empty()
    }

    /// The next message that waits for nothing: whether data is fresh, and the status. Each is sure.
    pub fn next_urgent(&mut self) -> Option<OutMessage> {
        while let Some(name) = self.urgent.front().cloned() {
            let message = self.upses.get_mut(&name).and_then(UpsBoard::next_urgent);
            if message.is_some() {
                return message;
            }
            self.urgent.pop_front();
            if let Some(board) = self.upses.get_mut(&name) {
                board.is_queued_urgent = false;
            }
            self.look_complete(&name);
        }
        None
    }

    /// The next other message. One that is sure only where the broker may be asked for another acknowledgement.
    pub fn next(&mut self, may_be_sure: bool) -> Option<OutMessage> {
        for _ in 0..self.rest.len() {
            let name = self.rest.front().cloned()?;
            let Some(board) = self.upses.get_mut(&name) else {
                self.rest.pop_front();
                continue;
            };
            if let Some(message) = board.next(&self.tree, &name, may_be_sure) {
                return Some(message);
            }
            self.rest.pop_front();
            if board.has_rest() {
                // it waits for an acknowledgement; others have their turn
                self.rest.push_back(name);
                continue;
            }
            board.is_queued = false;
            self.look_complete(&name);
        }
        None
    }

    /// Whether a topic of this server's tree has a value.
    pub fn has(&self, topic: &str) -> bool {
        match self.tree.place(topic) {
            TopicPlace::Server => true,
            TopicPlace::Other => false,
            TopicPlace::Ups(of, rest) => {
                let board = self.upses.values().find(|board| board.level() == of);
                board.is_some_and(|board| match rest {
                    AVAILABILITY | STATE => !board.leaves(),
                    COMMAND | OUTCOME => false,
                    rest => board.has_variable(rest),
                })
            }
        }
    }

    /// The names of all UPSes.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.upses.keys().map(|name| &**name)
    }

    /// The UPS of a level of a topic, where there is one.
    pub fn ups_of(&self, of: &str) -> Option<&str> {
        let found = self.upses.iter().find(|(_, board)| board.level() == of && !board.leaves());
        found.map(|(name, _)| &**name)
    }

    fn find(&mut self, ups: &str) -> Option<(Rc<str>, &mut UpsBoard)> {
        let (name, _) = self.upses.get_key_value(ups)?;
        let name = name.clone();
        let board = self.upses.get_mut(&name)?;
        Some((name, board))
    }

    fn find_or_add(&mut self, ups: &str) -> (Rc<str>, &mut UpsBoard) {
        let name = match self.upses.get_key_value(ups) {
            Some((name, _)) => name.clone(),
            None => {
                self.incomplete += 1;
                Rc::from(ups)
            }
        };
        let topic = || (self.tree.ups(ups), level(ups));
        let board = self.upses.entry(name.clone()).or_insert_with(|| {
            let (topic, level) = topic();
            UpsBoard::new(topic, level)
        });
        board.stay();
        (name, board)
    }

    fn queue(&mut self, name: &Rc<str>) {
        let Some(board) = self.upses.get_mut(name) else { return };
        if !board.is_queued_urgent && board.has_urgent() {
            board.is_queued_urgent = true;
            self.urgent.push_back(name.clone());
        }
        if !board.is_queued && board.has_rest() {
            board.is_queued = true;
            self.rest.push_back(name.clone());
        }
    }

    /// A UPS of which all was sent is complete, or gone.
    fn look_complete(&mut self, name: &Rc<str>) {
        let Some(board) = self.upses.get_mut(name) else { return };
        if board.has_urgent() || board.has_rest() {
            return;
        }
        if std::mem::take(&mut board.is_incomplete) {
            self.incomplete = self.incomplete.saturating_sub(1);
        }
        if board.leaves() {
            self.upses.remove(name);
        }
    }
}

/// The topic below a UPS of a variable.
pub(crate) fn below(variable: &str) -> Option<String> {
    levels(variable)
}

#[cfg(test)]
mod tests;
