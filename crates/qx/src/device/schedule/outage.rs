//! An outage that is told before the same question said it twice: where another question says it as well, and where the
//! reply that is to confirm it does not come.

use crate::device::{Device, Moment};
use crate::judge::Quality;
use crate::vocabulary::variable::{INPUT_L1_N_VOLTAGE, INPUT_VOLTAGE, Var};
use crate::wire::query::Cadence;

/// What falls to nothing when mains fails.
const OF_THE_GRID: [&Var; 2] = [&INPUT_VOLTAGE, &INPUT_L1_N_VOLTAGE];

impl Device {
    /// The last replies to two questions say that mains is away: those are two in a row.
    pub(super) fn take_outage_of_two(&mut self, now: Moment) {
        if !self.ready || self.store.is_stale() || self.line.quality().is_noisy() {
            return;
        }
        let since = now - self.stale_after();
        let mut says = vec![];
        for (at, slot) in self.schedule.slots.iter().enumerate() {
            let is_quick = slot.applies && slot.query.cadence == Cadence::Quick;
            if is_quick && slot.judge.outage_read().is_some_and(|read| read >= since) {
                says.push(at);
            }
        }
        if says.len() > 1 {
            says.into_iter().for_each(|at| self.take_outage(at, now));
        }
    }

    /// The reply that was to confirm an outage does not come: a UPS that hears nothing for a while on battery said it twice in
    /// one reply, by its bit and by the volts of its input, and what other questions said before that is old.
    pub(super) fn take_outage_in_silence(&mut self, at: usize, now: Moment) {
        let is_well = matches!(self.line.quality(), Quality::Clean | Quality::Unproven);
        if !self.ready || self.store.is_stale() || !is_well {
            return;
        }
        if self.schedule.slots[at].judge.says_outage_twice(&OF_THE_GRID) {
            self.take_outage(at, now);
            self.line.note_outage_told();
            self.heard_from(now);
            self.prefer_newer(true, now);
            self.reconsider(now);
            self.settle_survey(now);
        }
    }

    /// Takes the outage that the last reply to the query at `at` said.
    fn take_outage(&mut self, at: usize, now: Moment) {
        let quality = self.line.quality();
        let slot = &mut self.schedule.slots[at];
        let Some(read) = slot.judge.outage_read() else { return };
        slot.judge.take_outage();
        slot.take(quality);
        slot.answered = slot.answered.max(read);
        self.note_change(at);
        if std::mem::take(&mut self.schedule.slots[at].changed) {
            self.watch_closer(true, now);
            self.ask_related(now);
        }
    }
}
