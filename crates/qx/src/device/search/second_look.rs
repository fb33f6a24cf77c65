//! A dialect that was found before is taken at once, when the UPS shows itself as it was. Unless that is proof,
//! the search goes on while the device works: in the time between polls, and without losing data when it turns
//! out to be another dialect.

use super::{Proof, Stage};
use crate::detect::known::KnownDialect;
use crate::detect::{Detection, DetectionStep, Worth};
use crate::device::schedule::QueryState;
use crate::device::{Device, Event, LogLevel, Moment};
use crate::line::exchange::Reply;
use crate::wire::query::{Cadence, Query};
use std::time::Duration;

impl Device {
    /// It may be another UPS, and is taken for one of the same dialect: the rest is asked by and by.
    pub(in crate::device) fn doubt_dialect(&mut self, now: Moment) {
        let candidates = self.options.candidates();
        if candidates.len() > 1 {
            let detection = Detection::new(candidates, self.options.flags, self.options.address);
            self.search.proof = Proof::Pending(Box::new(detection), now);
        }
    }

    /// What is to be asked for the rest of the proof, when there is time for it; how long it waits.
    pub(in crate::device) fn next_look(&self, now: Moment) -> Option<(&'static Query, Duration)> {
        let Proof::Pending(rest, due) = &self.search.proof else { return None };
        let in_peace = self.ready && !self.store.is_stale() && *due <= now;
        match rest.step() {
            DetectionStep::Ask(ask) if in_peace => Some((ask, rest.patience())),
            _ => None,
        }
    }

    /// What came back to that.
    pub(in crate::device) fn look(
        &mut self,
        ask: &'static Query,
        reply: Reply,
        patience: Duration,
        (since, now): (Moment, Moment),
    ) {
        let Proof::Pending(rest, due) = &mut self.search.proof else { return };
        // a late reply must not be taken for the status
        self.line.set_settle(reply.line.is_none());
        let worth = rest.hear_reply(ask, reply, patience, since);
        if worth != Worth::Sure {
            self.line.settle_first();
            *due = now + worth.pause();
        }
        let found = match rest.step() {
            DetectionStep::Ask(_) => return,
            DetectionStep::Found(protocol) => Some(protocol),
            DetectionStep::Nothing | DetectionStep::Foreign(_) => None,
        };
        let Proof::Pending(rest, _) = std::mem::take(&mut self.search.proof) else { return };
        match (found, self.protocol) {
            (Some(found), Some(taken)) if std::ptr::eq(found, taken) => self.keep_dialect(),
            (Some(found), Some(taken)) if rest.goes_before(found, taken) => {
                let text = format!("the UPS speaks {}, not {} as before", found.name, taken.name);
                self.note(LogLevel::Warning, text);
                self.adopt(found, &rest, now);
            }
            // a reply was lost
            _ => self.search.proof = Proof::Known,
        }
    }

    /// Drops the dialect of an earlier start: the UPS does not answer its questions for the status.
    pub(in crate::device) fn drop_wrong_guess(&mut self, now: Moment) {
        let put_off = |slot: &QueryState| {
            let is_due = slot.due.is_some_and(|due| due <= now);
            slot.query.cadence == Cadence::Quick && slot.applies && slot.reading.is_none() && !is_due
        };
        let is_assumed =
            !matches!(self.search.proof, Proof::Whole) && matches!(self.search.stage, Stage::Polling);
        if is_assumed && !self.ready && self.asked.is_none() && self.schedule.slots().iter().any(put_off) {
            self.search.forget();
            self.protocol = None;
            self.search.proof = Proof::Whole;
            self.search.begin(&self.options, now);
        }
    }

    /// Whether the dialect was looked for, and not found at the last start.
    pub fn is_new(&self) -> bool {
        self.search.is_new && self.options.protocol.is_none()
    }

    /// Keeps for the next start what was proven.
    pub(in crate::device) fn keep_dialect(&mut self) {
        let Some(protocol) = self.protocol.filter(|_| matches!(self.search.proof, Proof::Whole)) else {
            return;
        };
        if self.options.protocol.is_some() {
            return;
        }
        let said = |query: &Query| {
            let slot = self.schedule.slots().iter().find(|slot| std::ptr::eq(slot.query, query))?;
            slot.said.as_deref().filter(|_| slot.reading.is_some())
        };
        let before = self.search.memory();
        let text = KnownDialect::of(protocol, said).after(before.as_ref()).text();
        if self.search.memory.as_deref() != Some(&text) {
            self.search.memory = Some(text.clone());
            self.search.dialect_memory = Some(text);
            self.events.push_back(Event::WorthKeeping);
        }
    }
}
