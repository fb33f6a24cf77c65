//! An outage that is told before it was read twice: one reply said it twice, and the one that is to confirm it does not come.

use crate::device::{Device, Moment};
use crate::judge::Quality;
use crate::vocabulary::variable::{INPUT_L1_N_VOLTAGE, INPUT_VOLTAGE, Var};

/// What falls to nothing when mains fails.
const OF_THE_GRID: [&Var; 2] = [&INPUT_VOLTAGE, &INPUT_L1_N_VOLTAGE];

impl Device {
    /// The query at `at` met silence, where an outage was to be read again. Some UPSes hear nothing for a while on battery: one
    /// that said it by its bit and by the volts of its input is taken at its word, on a line on which nothing was garbled.
    /// What other questions said of mains before that is old.
    pub(super) fn take_outage_in_silence(&mut self, at: usize, now: Moment) {
        let quality = self.line.quality();
        let is_well = matches!(quality, Quality::Clean | Quality::Unproven);
        if !self.ready || self.store.is_stale() || !is_well {
            return;
        }
        let slot = &mut self.schedule.slots[at];
        if !slot.judge.says_outage_twice(&OF_THE_GRID) {
            return;
        }
        let Some(read) = slot.judge.take_outage() else { return };
        slot.take(quality);
        slot.answered = slot.answered.max(read);
        self.line.note_outage_told();
        self.note_change(at);
        if std::mem::take(&mut self.schedule.slots[at].changed) {
            self.watch_closer(true, now);
            self.ask_related(now);
        }
        self.heard_from(now);
        self.prefer_newer(true, now);
        self.reconsider(now);
        self.settle_survey(now);
    }
}
