//! How often the UPS is asked: as configured, and its status more often while something happens.

use super::slot::QueryState;
use crate::device::timing::{ALONG, LIVELY, QUICKEST, ROUND, SELDOM};
use crate::device::{Device, Moment};
use crate::vocabulary::status::Status;
use crate::wire::query::Cadence;
use std::time::Duration;

impl Device {
    /// How long after the question at `at` it is asked again; never what is asked once. On battery, what can
    /// say that the battery is low is asked as often as the status.
    pub(super) fn interval(&self, at: usize, now: Moment) -> Option<Duration> {
        let slot = &self.schedule.slots[at];
        match slot.query.cadence {
            Cadence::Once | Cadence::AfterChange => None,
            Cadence::Quick => Some(self.quick_interval(now)),
            Cadence::Full if self.schedule.alert && slot.counts_on_battery => {
                Some(self.quick_interval(now).min(self.full_interval()))
            }
            Cadence::Full => Some(self.full_interval()),
        }
    }

    /// Between full polls: `pollfreq`, but not more often than the status is asked, unless that is seldom.
    pub(in crate::device) fn full_interval(&self) -> Duration {
        self.options.pollfreq.max(self.options.pollinterval.clamp(QUICKEST, SELDOM))
    }

    /// What falls due within this time goes along with the round that is under way: questions that were asked one
    /// after the other once are due one after the other, a little later each. It stays with that round from then
    /// on, so nothing is asked more often.
    pub(super) fn goes_along(&self, now: Moment) -> Duration {
        let is_under_way =
            self.line.heard_at() > Moment::ZERO && now.saturating_sub(self.line.heard_at()) <= ROUND;
        if is_under_way { (self.options.pollinterval / 4).min(ALONG) } else { Duration::ZERO }
    }

    /// Nothing waits longer than it would by the options as they are now.
    pub(in crate::device) fn keep_pace(&mut self, now: Moment) {
        for at in 0..self.schedule.slots.len() {
            let longest = self.interval(at, now).unwrap_or(self.full_interval());
            let slot = &mut self.schedule.slots[at];
            slot.due = slot.due.map(|due| due.min(now + longest));
        }
    }

    /// Twice as often while something happens: an interval that was made long for a slow UPS stays long.
    /// Not on a noisy line, where each question may arrive as another one.
    fn quick_interval(&self, now: Moment) -> Duration {
        let configured = self.options.pollinterval;
        let lively = self.ready && now < self.schedule.lively_until;
        if lively && !self.line.quality().is_noisy() {
            configured.min((configured / 2).max(QUICKEST))
        } else {
            configured
        }
    }

    /// What tells how full the battery is is asked again by then: a figure is below a bound, and once more decides. Not on a
    /// noisy line.
    pub(in crate::device) fn ask_of_the_battery(&mut self, by: Moment) {
        if self.line.quality().is_noisy() {
            return;
        }
        for slot in self.schedule.slots.iter_mut().filter(|slot| slot.applies && slot.counts_on_battery) {
            slot.due = slot.due.map(|due| due.min(by));
        }
    }

    /// Whether something else may go before the status: it waits for long already, and nothing else was
    /// asked since the last round of the status.
    pub(super) fn status_gives_way(&self, now: Moment) -> bool {
        let patience = if self.ready { self.options.pollinterval } else { Duration::ZERO };
        let of_status = |slot: &&QueryState| slot.query.cadence == Cadence::Quick;
        let starves = |slot: &QueryState| slot.due.is_some_and(|due| due + patience <= now);
        let told =
            |slot: &QueryState| slot.due.is_none() || slot.refused || slot.answered > self.schedule.gave_way;
        !self.line.rest_is_tried()
            && self.schedule.slots.iter().any(|slot| !of_status(&slot) && starves(slot))
            && self.schedule.slots.iter().filter(of_status).all(told)
    }

    /// A status was accepted, which is another one than before or not.
    pub(super) fn watch_closer(&mut self, changed: bool, now: Moment) {
        let said = self.schedule.slots.iter().filter_map(|slot| slot.reading.as_ref());
        if changed || !said.into_iter().any(|reading| reading.status.has(Status::Online)) {
            self.schedule.lively_until = now + LIVELY;
        }
    }
}
