//! The last readings of one cell.

use crate::vocabulary::moment::Moment;
use crate::wire::readings::Readings;
use std::collections::VecDeque;

/// What was read of one cell lately, the newest last, and when.
#[derive(Clone, Debug, Default)]
pub struct Recent(VecDeque<(Moment, Readings)>);

impl Recent {
    /// Adds a reading to the last `kept`; what came before `since` is too old to count.
    pub fn push(&mut self, now: Moment, since: Moment, reading: &Readings, kept: usize) {
        self.0.retain(|(came, _)| *came >= since);
        if self.0.len() >= kept {
            self.0.pop_front();
        }
        self.0.reserve_exact(1);
        self.0.push_back((now, reading.clone()));
    }

    /// The newest reading.
    pub fn newest(&self) -> Option<&Readings> {
        self.0.back().map(|(_, reading)| reading)
    }

    /// All of them, the oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Readings> + Clone {
        self.0.iter().map(|(_, reading)| reading)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many of the last `last` say this.
    pub fn count(&self, last: usize, this: &Readings) -> usize {
        self.iter().rev().take(last).filter(|reading| *reading == this).count()
    }

    /// How many in a row say what the newest says.
    pub fn in_a_row(&self) -> usize {
        let newest = self.newest();
        self.iter().rev().take_while(|reading| Some(*reading) == newest).count()
    }

    /// How often it changed from one to the next.
    pub fn changes(&self) -> usize {
        self.iter().zip(self.iter().skip(1)).filter(|(one, next)| one != next).count()
    }

    /// Forgets those that came up to then.
    pub fn forget_before(&mut self, since: Moment) {
        self.0.retain(|(came, _)| *came > since);
    }

    /// Forgets those that say this.
    pub fn forget(&mut self, this: &Readings) {
        self.0.retain(|(_, reading)| reading != this);
    }

    /// Forgets them, and gives their memory back: of a cell that is at rest there are none.
    pub fn clear(&mut self) {
        self.0 = VecDeque::new();
    }
}
