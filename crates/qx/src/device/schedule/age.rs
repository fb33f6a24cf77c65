//! How old what is published is, for pages and metrics that show it.

use crate::device::{Device, Moment};
use crate::vocabulary::variable::Var;

impl Device {
    /// When it was read last whether mains is there; none where it never was.
    pub fn mains_read_at(&self) -> Option<Moment> {
        Some(self.schedule.last_good).filter(|read| *read > Moment::ZERO)
    }

    /// When a variable was read last, by the reply that says it: where a part of a reply is withheld, when all of it was
    /// taken last, so that no value is shown as newer than it is. None for what no reply says in its own words: estimates,
    /// and what the administrator wrote.
    pub fn read_at(&self, var: &Var) -> Option<Moment> {
        let says = |reading: &crate::wire::readings::Readings| reading.value(var).is_some();
        let slots =
            self.schedule.slots.iter().filter(|slot| slot.applies && slot.reading.as_ref().is_some_and(says));
        slots.map(|slot| if slot.whole > Moment::ZERO { slot.whole } else { slot.answered }).min()
    }

    /// How many replies could be read, and how many were lost or garbled, since the start. Silence to what the UPS never
    /// answered is neither.
    pub fn replies(&self) -> (u64, u64) {
        self.line.replies()
    }
}
