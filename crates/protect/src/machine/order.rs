//! The order to one UPS to switch its load off.

use std::time::Duration;

/// How an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OrderState {
    /// Under way. Kept on disk before it is sent, so it may be one that was never sent.
    Sent,
    /// The UPS confirmed it.
    Accepted,
    /// It may be taken.
    Unconfirmed,
    /// It was not taken; another try is due.
    NotTaken,
    /// It was not taken, and its tries are over.
    Failed,
    /// Its delay does not outlast this host: only the hook at the end of the shutdown sends it.
    HookOnly,
}

/// The order to one UPS.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct UpsOrder {
    /// From the order to the cut.
    pub(crate) delay: Duration,
    /// Which try, from 1.
    pub(crate) attempt: u32,
    /// When it was sent.
    pub(crate) sent: Duration,
    /// How it stands.
    pub(crate) state: OrderState,
    /// Since when it stands so.
    pub(crate) state_at: Duration,
    /// Whether the UPS was read to say that it will switch off.
    pub(crate) proven: bool,
}

impl UpsOrder {
    /// Whether the load may be cut by it.
    pub(crate) fn may_be_taken(&self) -> bool {
        matches!(self.state, OrderState::Sent | OrderState::Accepted | OrderState::Unconfirmed)
    }

    /// When the load goes off, where it may.
    pub(crate) fn cut_at(&self) -> Option<Duration> {
        self.may_be_taken().then(|| self.sent.saturating_add(self.delay))
    }

    /// Whether it was due long ago, and nothing ever said that it was taken: it may never have been sent.
    pub(crate) fn is_lost(&self, now: Duration, slack: Duration) -> bool {
        let due = self.sent.saturating_add(self.delay).saturating_add(slack);
        self.state == OrderState::Unconfirmed && !self.proven && now >= due
    }

    /// Whether nothing more is waited for.
    pub(crate) fn is_settled(&self, now: Duration, proof_wait: Duration) -> bool {
        match self.state {
            OrderState::Failed | OrderState::HookOnly => true,
            OrderState::Sent | OrderState::NotTaken => false,
            OrderState::Accepted | OrderState::Unconfirmed => {
                self.proven || now >= self.state_at.saturating_add(proof_wait)
            }
        }
    }

    /// Goes to another state.
    pub(crate) fn becomes(&mut self, now: Duration, state: OrderState) {
        (self.state, self.state_at) = (state, now);
    }
}
