//! Lines of the log that a question could raise for ever, as one that is answered now and then: the same is said once
//! in a while.

use super::Moment;
use super::timing::{SAID_OF_QUESTION_AGAIN, SAID_OF_QUESTION_KEPT};
use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

/// What was said lately, by its hash: a site has a thousand of these.
#[derive(Debug, Default)]
pub(super) struct SaidLately(VecDeque<(u64, Moment)>);

impl SaidLately {
    /// Another UPS answers: of that nothing was said.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }

    /// Whether a line is to be said at `now`: the same was not said within [`SAID_OF_QUESTION_AGAIN`].
    pub(super) fn is_due(&mut self, text: &str, now: Moment) -> bool {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let text = hasher.finish();
        self.0.retain(|(_, at)| now < *at + SAID_OF_QUESTION_AGAIN);
        if self.0.iter().any(|(said, _)| *said == text) {
            return false;
        }
        if self.0.len() >= SAID_OF_QUESTION_KEPT {
            self.0.pop_front();
        }
        self.0.push_back((text, now));
        true
    }
}
