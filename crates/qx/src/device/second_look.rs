//! A dialect that was found before is taken at once, when the UPS shows itself as it was. Unless that is proof,
//! the search goes on while the device works: in the time between polls, and without losing data when it turns
//! out to be another dialect.

use super::finding::Stage;
use super::{Device, Event, Loudness, Moment};
use crate::detect::known::Known;
use crate::detect::{Detection, Step, Worth};
use crate::line::exchange::Reply;
use crate::wire::protocol::Protocol;
use crate::wire::query::{Cadence, Query};
use std::time::Duration;

/// How it is known what the UPS speaks.
#[derive(Debug, Default)]
pub(super) enum Proof {
    /// By what it answered now.
    #[default]
    Whole,
    /// By what was found twice before, and the name of the UPS.
    Known,
    /// It was found before; the rest is asked by and by, not before that moment.
    Pending(Box<Detection>, Moment),
}

impl Proof {
    /// How it is known, by what was heard, that it is `protocol`.
    pub(super) fn of(protocol: &Protocol, detection: &Detection) -> Proof {
        let rest = detection.unprejudiced();
        match detection.known() {
            _ if matches!(rest.step(), Step::Found(_)) => Proof::Whole,
            Some(known) if known.is_enough() && known.protocol == protocol.name => Proof::Known,
            _ => Proof::Pending(Box::new(rest), Moment::ZERO),
        }
    }

    /// Since when something is to be asked, once clients see data.
    pub(super) fn due(&self) -> Option<Moment> {
        match self {
            Proof::Pending(_, due) => Some(*due),
            _ => None,
        }
    }
}

impl Device {
    /// It may be another UPS, and is taken for one of the same dialect: the rest is asked by and by.
    pub(super) fn doubt_dialect(&mut self, now: Moment) {
        let candidates = self.options.candidates();
        if candidates.len() > 1 {
            let detection = Detection::new(candidates, self.options.flags, self.options.address);
            self.proof = Proof::Pending(Box::new(detection), now);
        }
    }

    /// What is to be asked for the rest of the proof, when there is time for it; how long it waits.
    pub(super) fn next_look(&self, now: Moment) -> Option<(&'static Query, Duration)> {
        let Proof::Pending(rest, due) = &self.proof else { return None };
        let in_peace = self.ready && !self.store.is_stale() && *due <= now;
        match rest.step() {
            Step::Ask(ask) if in_peace => Some((ask, rest.patience())),
            _ => None,
        }
    }

    /// What came back to that.
    pub(super) fn look(
        &mut self,
        ask: &'static Query,
        reply: Reply,
        patience: Duration,
        (since, now): (Moment, Moment),
    ) {
        let Proof::Pending(rest, due) = &mut self.proof else { return };
        // a late reply must not be taken for the status
        self.line.settle = reply.line.is_none();
        let worth = rest.hear_reply(ask, reply, patience, since);
        if worth != Worth::Sure {
            self.line.settle = true;
            *due = now + worth.pause();
        }
        let found = match rest.step() {
            Step::Ask(_) => return,
            Step::Found(protocol) => Some(protocol),
            Step::Nothing | Step::Stranger(_) => None,
        };
        let Proof::Pending(rest, _) = std::mem::take(&mut self.proof) else { return };
        match (found, self.protocol) {
            (Some(found), Some(taken)) if std::ptr::eq(found, taken) => self.keep_dialect(),
            (Some(found), Some(taken)) if rest.goes_before(found, taken) => {
                let text = format!("the UPS speaks {}, not {} as before", found.name, taken.name);
                self.note(Loudness::Warning, text);
                self.adopt(found, &rest, now);
            }
            // a reply was lost
            _ => self.proof = Proof::Known,
        }
    }

    /// What was believed of an earlier start is not true: the UPS does not tell its status so.
    pub(super) fn look_for_misbelief(&mut self, now: Moment) {
        let put_off = |slot: &super::Slot| {
            let is_due = slot.due.is_some_and(|due| due <= now);
            slot.query.cadence == Cadence::Quick && slot.applies && slot.reading.is_none() && !is_due
        };
        let is_belief = !matches!(self.proof, Proof::Whole) && matches!(self.stage, Stage::Polling);
        if is_belief && !self.ready && self.asked.is_none() && self.slots.iter().any(put_off) {
            self.options.dialect_memory = None;
            self.protocol = None;
            self.proof = Proof::Whole;
            self.stage = Stage::detecting(&self.options, now);
        }
    }

    /// Whether the dialect was looked for, and not found at the last start.
    pub fn is_new(&self) -> bool {
        self.is_new && self.options.protocol.is_none()
    }

    /// Keeps for the next start what was proven.
    pub(super) fn keep_dialect(&mut self) {
        let Some(protocol) = self.protocol.filter(|_| matches!(self.proof, Proof::Whole)) else { return };
        if self.options.protocol.is_some() {
            return;
        }
        let said = |query: &Query| {
            let slot = self.slots.iter().find(|slot| std::ptr::eq(slot.query, query))?;
            slot.said.as_deref().filter(|_| slot.reading.is_some())
        };
        let before = self.options.dialect_memory.as_deref().and_then(Known::parse);
        let text = Known::of(protocol, said).after(before.as_ref()).text();
        if self.options.dialect_memory.as_deref() != Some(&text) {
            self.options.dialect_memory = Some(text.clone());
            self.dialect_memory = Some(text);
            self.events.push_back(Event::WorthKeeping);
        }
    }
}
