//! What a session says: to the log, and to its owner in one line. A line for each change of state, with what the UPS
//! said to raise it; none for a reply that failed.

use crate::board::{Condition, SessionBoard};
use crate::log::Log;
use crate::publisher::Owner;
use crate::state::State;
use link::Address;
use qx::device::store::Store;
use qx::device::{Event, LogLevel};
use qx::vocabulary::moment::Moment;
use std::rc::Rc;

/// What was said so far.
pub(crate) struct StateReport {
    place: Address,
    board: Rc<SessionBoard>,
    owner: Rc<dyn Owner>,
    log: Rc<Log>,
    /// The state that was logged last.
    state: State,
    /// That the data is stale was said.
    said_stale: bool,
}

impl StateReport {
    pub fn new(place: Address, board: Rc<SessionBoard>, owner: Rc<dyn Owner>, log: Rc<Log>) -> StateReport {
        StateReport { place, board, owner, log, state: State::default(), said_stale: false }
    }

    /// Logs an event.
    pub fn event(&mut self, event: &Event, now: Moment) {
        match event {
            Event::Noted(level, text) => self.log.say(*level, text),
            Event::Stale => self.log.warning("the UPS does not answer: data is stale"),
            Event::Fresh if self.said_stale => self.log.say(LogLevel::Warning, "the UPS answers again"),
            // another UPS was found: that stands in the log
            Event::Fresh => {}
            Event::NotFound(why) => self.log.debug(1, || why.clone()),
            Event::Detected(name, exchanges) => {
                let found = || {
                    format!("found {name} after {exchanges} exchanges, {} ms", now.since_start().as_millis())
                };
                self.log.debug(1, found);
            }
            Event::Ready => self.log.debug(1, || format!("ready after {} ms", now.since_start().as_millis())),
            Event::Answered(..) | Event::WorthKeeping => {}
        }
        match event {
            Event::Stale => self.said_stale = true,
            Event::Fresh => self.said_stale = false,
            _ => {}
        }
    }

    /// Logs the state, if it is another one; `cause` is the last question and its reply.
    pub fn state(&mut self, store: &Store, cause: Option<(Vec<u8>, Vec<u8>)>, is_open: bool) {
        let Some(state) = State::of(store) else { return };
        if state != self.state {
            // the first state is told when everything was asked, not by the last reply
            let cause = cause.filter(|_| !self.state.text.is_empty());
            let shown = |bytes: &[u8]| bytes.trim_ascii_end().escape_ascii().to_string();
            let cause = cause.map(|(question, reply)| format!("; {}: {}", shown(&question), shown(&reply)));
            let cause = cause.unwrap_or_default();
            // that it is over is as worth knowing as that it began
            let level = if state.serious || self.state.serious { LogLevel::Warning } else { LogLevel::Info };
            self.log.say(level, &format!("{}{cause}", state.text));
            self.state = state;
        }
        self.status(store, is_open);
    }

    /// Tells the owner how the UPS does.
    pub fn status(&self, store: &Store, is_open: bool) {
        let was = match self.state.text.as_str() {
            "" => String::new(),
            text => format!("; it was {text}"),
        };
        let line = match self.board.condition() {
            Condition::CannotOpen(error) => error.to_string(),
            _ if !is_open => format!("{} is lost{was}", self.place),
            _ if store.is_stale() => format!("the UPS does not answer{was}"),
            _ if !self.state.text.is_empty() => self.state.text.clone(),
            _ => return,
        };
        self.owner.status(&line);
        *self.board.status.borrow_mut() = line;
    }
}
