//! Why requests failed, as the log has it: a client that asks again and again fills no log.

use crate::device::Moment;
use crate::device::timing::{SAID_AGAIN, SAID_AT_MOST};
use std::collections::VecDeque;

/// Why requests failed, as the log has it.
#[derive(Debug, Default)]
pub(super) struct Complaints {
    said: VecDeque<(String, Moment)>,
    /// That there were more was said.
    more: Option<Moment>,
}

/// What becomes of a sentence.
pub(super) enum Say {
    /// It is said.
    Aloud,
    /// It is not, and that is.
    TooMany,
    /// It was said, or that there are too many.
    Softly,
}

impl Complaints {
    /// Takes a sentence at `now`; only those of clients are counted.
    pub(super) fn take(&mut self, why: &str, is_counted: bool, now: Moment) -> Say {
        let is_old = |at: Moment| now >= at + SAID_AGAIN;
        self.said.retain(|(_, at)| !is_old(*at));
        if self.said.iter().any(|(said, _)| said == why) {
            return Say::Softly;
        }
        if !is_counted || self.said.len() < SAID_AT_MOST {
            self.said.truncate(SAID_AT_MOST);
            self.said.push_back((why.into(), now));
            return Say::Aloud;
        }
        match self.more.filter(|at| !is_old(*at)) {
            Some(_) => Say::Softly,
            None => {
                self.more = Some(now);
                Say::TooMany
            }
        }
    }
}
