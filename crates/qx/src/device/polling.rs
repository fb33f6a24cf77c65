//! Polling: which query is next, what its answer means, and when the data is old.

use super::finding::Stage;
use super::{DETECT_AGAIN, Device, Event, Loudness, Moment, REPEATS};
use crate::belief::{Belief, Light, Verdict};
use crate::exchange::Echo;
use crate::option::Options;
use crate::query::{Cadence, Query};
use crate::read::Readings;
use crate::value::Value;
use crate::variable::Var;

/// One query of the protocol and what is known from it.
#[derive(Debug)]
pub(super) struct Slot {
    pub query: &'static Query,
    pub reading: Option<Readings>,
    pub belief: Belief,
    pub due: Option<Moment>,
    pub repeats: u8,
    pub refused: bool,
    /// When it was last answered by what is believed.
    pub answered: Moment,
    /// Whether it is asked of this UPS at all.
    pub applies: bool,
    /// Its last reading has other status words than the one before.
    pub changed: bool,
    /// Log it once when it begins.
    pub garbled: bool,
}

impl Device {
    /// The query to ask now: a doubted one first, then status, then what is asked once, then the
    /// rest; among equals the one that waits longest.
    pub(super) fn next_query(&self, now: Moment) -> Option<usize> {
        let rank = |slot: &Slot| match slot.query.cadence {
            _ if slot.repeats > 0 => 0,
            Cadence::Quick => 1,
            Cadence::Once => 2,
            Cadence::AfterChange => 3,
            Cadence::Full => 4,
        };
        let due = |slot: &Slot| slot.due.filter(|due| *due <= now).map(|due| (rank(slot), due));
        let waiting = self.slots.iter().enumerate().filter_map(|(at, slot)| Some((due(slot)?, at)));
        waiting.min().map(|(_, at)| at)
    }

    /// What came back to the query at `at`, which was asked at `since`.
    pub(super) fn handle_answer(&mut self, at: usize, line: Option<&[u8]>, since: Moment, now: Moment) {
        let interval = self.interval(self.slots[at].query.cadence);
        let next = interval.map(|interval| (since + interval).max(now));
        let noisy = self.line.noisy;
        let address = self.address();
        let slot = &mut self.slots[at];
        let verdict = match line.map(|line| slot.judge(line, &self.options, address, noisy)) {
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
            // as long as it never answered it, a question that is no status may be one it does not know
            let once = matches!(slot.query.cadence, Cadence::Once | Cadence::AfterChange)
                || slot.query.cadence == Cadence::Full && slot.reading.is_none();
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
        slot.answered = now;
        let changed = std::mem::take(&mut slot.changed);
        if slot.query.cadence == Cadence::Quick {
            self.heard_from(now);
            self.compare_with_order();
            if changed && self.ready {
                self.look_closer(now);
            }
        }
        self.reconsider(now);
        self.settle_survey(now);
    }

    /// The answer to the query at `at` came too late to be news: it counts for nothing.
    pub(super) fn ask_anew(&mut self, at: usize, now: Moment) {
        self.line.settle = true;
        let slot = &mut self.slots[at];
        slot.belief.forget_doubt();
        slot.due = Some(now);
    }

    /// What is asked of this UPS depends on what it said.
    pub(super) fn reconsider(&mut self, now: Moment) {
        let facts = self.facts();
        let applies: Vec<bool> = self.slots.iter().map(|slot| slot.query.when.holds(&facts)).collect();
        for (slot, applies) in self.slots.iter_mut().zip(applies) {
            if applies != slot.applies {
                *slot = Slot { applies, due: applies.then_some(now), ..Slot::new(slot.query) };
            }
        }
    }

    /// What the status changed may have changed more: alarms, modes.
    fn look_closer(&mut self, now: Moment) {
        let closer =
            |slot: &&mut Slot| slot.applies && slot.query.cadence == Cadence::Full && slot.query.raises();
        for slot in self.slots.iter_mut().filter(closer) {
            slot.due = slot.due.map(|due| due.min(now));
        }
    }

    pub(super) fn refused(&mut self, at: usize, next: Option<Moment>) {
        let slot = &mut self.slots[at];
        slot.repeats = 0;
        slot.refused = true;
        slot.due = next.filter(|_| slot.query.cadence == Cadence::Quick);
        let text = format!("does not answer {} ({})", slot.query.ask, slot.query.about);
        self.events.push_back(Event::Noted(Loudness::Info, text));
        self.settle_survey(self.last_good);
    }

    /// A believed status: the data is as fresh as the oldest part of the status.
    fn heard_from(&mut self, now: Moment) {
        let parts = self.slots.iter().filter(|slot| {
            slot.query.cadence == Cadence::Quick && slot.applies && !slot.refused && slot.reading.is_some()
        });
        self.last_good = parts.map(|slot| slot.answered).min().unwrap_or(now);
        let is_fresh = now.saturating_sub(self.last_good) < self.stale_after();
        if self.store.is_stale() && is_fresh {
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
        let surveyed = self.slots.iter().all(|slot| !slot.applies || slot.reading.is_some() || slot.refused);
        let status = self.slots.iter().any(|s| s.query.cadence == Cadence::Quick && s.reading.is_some());
        let complete = surveyed && status;
        if !self.ready && !complete {
            return;
        }
        self.publish(now);
        if !self.ready {
            self.tell_what_is_kept();
            self.ready = true;
            self.last_good = now;
            self.events.push_back(Event::Ready);
        }
        if surveyed && !std::mem::replace(&mut self.settings_sent, true) {
            self.send_settings();
        }
    }

    /// What clients do not see stands in the log once.
    fn tell_what_is_kept(&mut self) {
        let kept = |(var, value): &(&Var, Option<Value>)| {
            value.as_ref().filter(|_| !var.public).map(|value| format!("{} = {value}", var.name))
        };
        let readings = self.slots.iter().filter_map(|slot| slot.reading.as_ref());
        let lines: Vec<String> =
            readings.flat_map(|readings| readings.values.iter().filter_map(kept)).collect();
        if !lines.is_empty() {
            self.note(Loudness::Info, format!("the UPS says {}", lines.join(", ")));
        }
    }

    pub(super) fn look_for_staleness(&mut self, now: Moment) {
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
}

enum Trouble {
    Refused,
    Garbled(String),
}

impl Slot {
    pub(super) fn new(query: &'static Query) -> Slot {
        Slot {
            query,
            reading: None,
            belief: Belief::default(),
            due: None,
            repeats: 0,
            refused: false,
            answered: Moment::ZERO,
            applies: false,
            changed: false,
            garbled: false,
        }
    }

    fn judge(
        &mut self,
        line: &[u8],
        options: &Options,
        address: u32,
        noisy: bool,
    ) -> Result<Verdict, Trouble> {
        if crate::detect::is_refusal(&self.query.wire(address), line) {
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
        let light = Light { last: self.reading.as_ref(), noisy, last_try: self.repeats == REPEATS };
        let verdict = self.belief.judge(&fit, light);
        if verdict == Verdict::Believed {
            self.changed = self.reading.as_ref().is_some_and(|last| last.status != fit.readings.status);
            self.reading = Some(fit.readings);
        }
        Ok(verdict)
    }
}
