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
    pub(super) fn measure(&mut self, latency: Duration) {
        if self.replies == REPLIES {
            self.before = self.lately.take();
            self.replies = 0;
        }
        self.replies += 1;
        self.lately = self.lately.max(Some(latency.min(SLOWEST)));
    }

    /// Takes a time that is not known, but was no longer than this: the slowest may be forgotten by it, and is
    /// never raised.
    pub(super) fn measure_at_most(&mut self, bound: Duration) {
        if let Some(slowest) = self.slowest() {
            self.measure(bound.min(slowest));
        }
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

#[cfg(test)]
mod tests {
    use super::Latency;
    use std::time::Duration;

    #[test]
    fn a_bound_forgets_and_never_raises() {
        let ms = Duration::from_millis;
        let mut latency = Latency::default();
        latency.measure_at_most(ms(210));
        assert_eq!(latency.slowest(), None, "a bound is no time");
        latency.measure(ms(10));
        (0..200).for_each(|_| latency.measure_at_most(ms(210)));
        assert_eq!(latency.slowest(), Some(ms(10)));
        latency.measure(ms(900));
        assert_eq!(latency.slowest(), Some(ms(900)));
        (0..128).for_each(|_| latency.measure_at_most(ms(210)));
        assert_eq!(latency.slowest(), Some(ms(210)), "that was minutes ago");
    }
}
