//! What a session says: to the log, and to its owner in one line. A line for each change of state, with what the UPS
//! said to raise it; none for a reply that failed.

use crate::board::{Condition, SessionBoard};
use crate::log::Log;
use crate::publisher::Owner;
use crate::state::State;
use link::Address;
use qx::device::{Device, Event, LogLevel, STOPPED};
use qx::vocabulary::moment::Moment;
use std::rc::Rc;
use std::time::Duration;

/// Data that was fresh for so long stays.
const STAYS: Duration = Duration::from_secs(60);

/// How often data became stale lately: a UPS that answers now and then would fill the log.
#[derive(Default)]
struct StaleFlaps {
    /// When it did, and was not fresh for long before.
    times: u32,
    fresh_since: Option<Moment>,
}

#[derive(Debug, PartialEq, Eq)]
enum Flap {
    Plain,
    ComesAndGoes,
    Known,
}

impl StaleFlaps {
    fn stale(&mut self, now: Moment) -> Flap {
        let stayed = self.fresh_since.take().is_none_or(|since| now.saturating_sub(since) >= STAYS);
        self.times = if stayed { 1 } else { self.times.saturating_add(1) };
        match self.times {
            0..=2 => Flap::Plain,
            3 => Flap::ComesAndGoes,
            _ => Flap::Known,
        }
    }

    /// Whether each change is said.
    fn is_steady(&self) -> bool {
        self.times < 3
    }

    /// How often it was stale since it was said that it comes and goes, once it has stayed fresh.
    fn fresh(&mut self, now: Moment) -> Option<u32> {
        let stays = self.fresh_since.is_some_and(|since| now.saturating_sub(since) >= STAYS);
        let more = self.times.checked_sub(3).filter(|_| stays)?;
        self.times = 0;
        Some(more)
    }
}

fn stale_times(times: u32) -> String {
    match times {
        0 => "it was not stale again".into(),
        1 => "it was stale once more until then".into(),
        times => format!("it was stale {times} times more until then"),
    }
}

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
    flaps: StaleFlaps,
}

impl StateReport {
    pub fn new(place: Address, board: Rc<SessionBoard>, owner: Rc<dyn Owner>, log: Rc<Log>) -> StateReport {
        StateReport {
            place,
            board,
            owner,
            log,
            state: State::default(),
            said_stale: false,
            flaps: StaleFlaps::default(),
        }
    }

    /// Logs an event; `why_stale` says why there is no fresh data.
    pub fn event(&mut self, event: &Event, why_stale: &'static str, now: Moment) {
        match event {
            Event::Noted(level, text) => self.log.say(*level, text),
            Event::Stale => self.stale(why_stale, now),
            Event::Fresh if self.said_stale && self.flaps.is_steady() => {
                self.log.warning("the UPS answers again")
            }
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
            Event::Fresh => {
                self.said_stale = false;
                self.flaps.fresh_since = Some(now);
            }
            _ => {}
        }
    }

    fn stale(&mut self, why: &'static str, now: Moment) {
        // what the process itself missed says nothing of the UPS
        let flap = if why == STOPPED { Flap::Plain } else { self.flaps.stale(now) };
        let (level, more) = match flap {
            Flap::Plain => (LogLevel::Warning, ""),
            Flap::ComesAndGoes => (
                LogLevel::Warning,
                "; it comes and goes: check the cable, and whether another program uses the port; the log says no \
                 more of it until data stays fresh for a minute",
            ),
            Flap::Known => (LogLevel::Debug, ""),
        };
        self.log.say(level, &format!("{why}: data is stale{more}"));
    }

    /// The UPS answers, and data is fresh.
    pub fn fresh(&mut self, now: Moment) {
        if let Some(times) = self.flaps.fresh(now) {
            self.log.warning(&format!("the UPS answers again, and data stays fresh; {}", stale_times(times)));
        }
    }

    /// Logs the state, if it is another one, with the reply that raised it.
    pub fn state(&mut self, device: &mut Device, is_open: bool) {
        let Some(state) = State::of(device.store()) else { return };
        if state != self.state {
            // the first state is told when everything was asked, not by the last reply
            let cause = device.take_cause().filter(|_| !self.state.text.is_empty());
            let shown = |bytes: &[u8]| bytes.trim_ascii_end().escape_ascii().to_string();
            let cause = cause.map(|(question, reply)| format!("; {question}: {}", shown(&reply)));
            let cause = cause.unwrap_or_default();
            // that it is over is as worth knowing as that it began
            let level = if state.serious || self.state.serious { LogLevel::Warning } else { LogLevel::Info };
            self.log.say(level, &format!("{}{cause}", state.text));
            self.state = state;
        }
        self.status(device, is_open);
    }

    /// Tells the owner how the UPS does.
    pub fn status(&self, device: &Device, is_open: bool) {
        let was = match self.state.text.as_str() {
            "" => String::new(),
            text => format!("; it was {text}"),
        };
        let line = match self.board.condition() {
            Condition::CannotOpen(error) => error.to_string(),
            _ if !is_open => format!("{} is lost{was}", self.place),
            _ if device.store().is_stale() => format!("{}{was}", device.why_stale()),
            _ if !self.state.text.is_empty() => self.state.text.clone(),
            _ => return,
        };
        self.owner.status(&line);
        *self.board.status.borrow_mut() = line;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::after_start(Duration::from_secs(seconds))
    }

    /// A UPS that answers for some seconds of each ten: the lines of its first hour, and what is said when it is well.
    fn hour(fresh_for: u64) -> (usize, Option<u32>) {
        let (mut flaps, mut lines) = (StaleFlaps::default(), 0);
        for round in 0..360 {
            lines += usize::from(flaps.stale(at(10 * round)) != Flap::Known);
            flaps.fresh_since = Some(at(10 * round + 10 - fresh_for));
            lines += usize::from(flaps.is_steady());
            assert_eq!(flaps.fresh(at(10 * round + 9)), None);
        }
        (lines, flaps.fresh(at(3670)))
    }

    #[test]
    fn data_that_comes_and_goes_is_said_once() {
        assert_eq!(hour(2), (5, Some(357)));
        assert_eq!(hour(8), (5, Some(357)));
        // once a day each time is said
        let mut flaps = StaleFlaps::default();
        for day in 0..30 {
            assert_eq!(flaps.stale(at(86_400 * day)), Flap::Plain);
            assert!(flaps.is_steady());
            flaps.fresh_since = Some(at(86_400 * day + 10));
            assert_eq!(flaps.fresh(at(86_400 * day + 100)), None);
        }
    }
}
