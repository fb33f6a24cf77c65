//! A question that was not answered, or whose reply is doubted: how often it is repeated at once, and when it is asked
//! again after that.

use crate::device::timing::{ASKED_ON, NOISY_REPEATS, REPEATS, RETRY};
use crate::device::{Device, Moment};
use crate::wire::query::Cadence;

impl Device {
    /// Asks again at once, or later when that was done often enough.
    pub(super) fn ask_again(
        &mut self,
        at: usize,
        (silent, read, mains): (bool, bool, bool),
        next: Option<Moment>,
        now: Moment,
    ) {
        let slot = &mut self.schedule.slots[at];
        // that something else was asked for again and again does not keep back what mains turns out to be
        slot.asked_for_mains &= slot.repeats > 0;
        if slot.says_mains && !mains && !std::mem::replace(&mut slot.asked_for_mains, true) {
            slot.repeats = 0;
        }
        slot.repeats += 1;
        slot.misses = slot.misses.saturating_add(u8::from(!read));
        if slot.repeats <= self.most_repeats(at, silent) {
            self.schedule.slots[at].due = Some(now);
            return;
        }
        let slot = &self.schedule.slots[at];
        if slot.is_silent() && slot.reading.is_none() && !slot.says_mains {
            self.asked_in_vain(at, silent, next, now);
        } else if !slot.is_asked_on() {
            self.asked_once_enough(at, silent, now);
        } else {
            self.asked_on_enough(at, next, now);
        }
    }

    /// How often a question is repeated at once.
    fn most_repeats(&self, at: usize, silent: bool) -> u8 {
        let quality = self.line.quality();
        let slot = &self.schedule.slots[at];
        match (silent, quality.is_hurt() || self.line.is_hurt()) {
            // it is known already that it does not answer
            _ if slot.refused || !slot.says_mains && slot.is_silent() => 0,
            // silence to a question asked once is an answer, unless the line loses bytes, or the UPS says so
            // when it does not know a question
            (true, false) if !slot.is_asked_on() => u8::from(self.line.refuses()),
            (false, true) => NOISY_REPEATS,
            (true, true) if slot.tells_status() && quality.is_noisy() => NOISY_REPEATS,
            _ => REPEATS,
        }
    }

    /// The same again and again is no noise: the UPS does not know the question.
    fn asked_in_vain(&mut self, at: usize, silent: bool, next: Option<Moment>, now: Moment) {
        let full = self.full_interval();
        let slot = &mut self.schedule.slots[at];
        let answered = slot.answered > Moment::ZERO;
        let again = match (answered, silent) {
            (true, false) => next,
            (true, true) => Some(now + ASKED_ON),
            (false, _) if slot.query.cadence == Cadence::Quick => Some(now + full),
            (false, _) => (!std::mem::replace(&mut slot.had_silence, true)).then_some(now + full),
        };
        self.refused(at, again);
    }

    /// What is asked only once was repeated often enough.
    fn asked_once_enough(&mut self, at: usize, silent: bool, now: Moment) {
        let (full, hurt) = (self.full_interval(), self.line.quality().is_hurt());
        let slot = &mut self.schedule.slots[at];
        if hurt && (!silent || slot.answers || slot.reading.is_some()) {
            // one that is not known may come back garbled, and is not asked that often
            slot.due = Some(now + if slot.answers { self.options.pollinterval } else { full });
            slot.put_off = true;
            slot.answers = false;
            slot.repeats = 0;
            self.settle_survey(now);
        } else if slot.reading.is_some() {
            // what could be read of it counts
            slot.repeats = 0;
            slot.due = None;
        } else {
            // one reply may have been lost: later there is time to ask once more
            let again = silent && !std::mem::replace(&mut slot.had_silence, true);
            self.refused(at, again.then_some(now + full));
        }
    }

    /// What is asked at each poll was repeated often enough.
    fn asked_on_enough(&mut self, at: usize, next: Option<Moment>, now: Moment) {
        let full = self.full_interval();
        let slot = &mut self.schedule.slots[at];
        if slot.says_mains {
            slot.repeats = 0;
            // another question may tell it; without any there is no data
            slot.refused |= slot.reading.is_none() && slot.is_silent();
            slot.due = next.map(|next| next.min(now + self.options.pollinterval.min(RETRY)));
        } else if slot.reading.is_none() {
            // nothing waits for what is not answered while something else tells mains
            let answered = slot.answered > Moment::ZERO;
            self.refused(at, Some(now + if answered { ASKED_ON } else { full }));
        } else {
            slot.repeats = 0;
            slot.due = next;
        }
    }
}
