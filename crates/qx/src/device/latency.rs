//! How fast this UPS answers.

use std::time::Duration;

/// So many replies are remembered at least, and twice as many at most: some minutes of polls.
const REPLIES: u8 = 64;
/// A reply that took longer was none of a UPS that is merely slow.
const SLOWEST: Duration = crate::detect::SLOWEST;

/// The slowest of the last replies. One that came late once is forgotten after some minutes.
#[derive(Debug, Default)]
pub(super) struct Latency {
    before: Option<Duration>,
    lately: Option<Duration>,
    replies: u8,
}

impl Latency {
    /// Takes the time to the first byte of a reply.
    pub(super) fn learn(&mut self, latency: Duration) {
        if self.replies == REPLIES {
            self.before = self.lately.take();
            self.replies = 0;
        }
        self.replies += 1;
        self.lately = self.lately.max(Some(latency.min(SLOWEST)));
    }

    /// Whether enough replies were seen to rely on it.
    pub(super) fn is_proven(&self) -> bool {
        self.before.is_some() || self.replies >= REPLIES / 4
    }

    /// The slowest, once anything was heard.
    pub(super) fn slowest(&self) -> Option<Duration> {
        self.before.max(self.lately)
    }
}
