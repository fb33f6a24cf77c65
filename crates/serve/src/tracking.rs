//! What becomes of orders that clients track: kept for TRACKINGDELAY, and no more of them than is good.

use nut::network::{TrackedOutcome, TrackingId};
use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::{self, Read};
use std::time::Duration;
use tokio::time::Instant;

/// More are not kept: the oldest go.
const MOST: usize = 16 * 1024;

/// The outcomes, by the names of their orders.
#[derive(Debug, Default)]
pub(crate) struct Tracking {
    outcomes: HashMap<TrackingId, (Instant, TrackedOutcome)>,
    /// In the order in which they began.
    begun: VecDeque<(Instant, TrackingId)>,
}

impl Tracking {
    /// An order is handed over.
    pub fn begin(&mut self, id: TrackingId, keep: Duration) {
        let now = Instant::now();
        let is_over = |since: Instant| now.saturating_duration_since(since) > keep;
        while self.begun.len() >= MOST || self.begun.front().is_some_and(|(since, _)| is_over(*since)) {
            let Some((_, old)) = self.begun.pop_front() else { break };
            self.outcomes.remove(&old);
        }
        self.outcomes.insert(id, (now, TrackedOutcome::Pending));
        self.begun.push_back((now, id));
    }

    /// An order has ended.
    pub fn end(&mut self, id: TrackingId, outcome: TrackedOutcome) {
        if let Some(known) = self.outcomes.get_mut(&id) {
            known.1 = outcome;
        }
    }

    /// An order was not handed over at all.
    pub fn forget(&mut self, id: TrackingId) {
        self.outcomes.remove(&id);
        self.begun.retain(|(_, known)| *known != id);
    }

    /// What is known of an order.
    pub fn outcome(&self, id: &str, keep: Duration) -> Option<TrackedOutcome> {
        let id = TrackingId::parse(id)?;
        let (since, outcome) = self.outcomes.get(&id)?;
        (since.elapsed() <= keep).then_some(*outcome)
    }
}

/// Random bytes of the system; opened before the root directory changes.
#[derive(Debug)]
pub(crate) struct SystemRandom(File);

impl SystemRandom {
    /// Opens it.
    ///
    /// # Errors
    /// What the system says.
    pub fn open() -> io::Result<SystemRandom> {
        File::open("/dev/urandom").map(SystemRandom)
    }

    /// The name of a new order.
    pub fn id(&self) -> TrackingId {
        let mut bytes = [0; 16];
        // it does not fail once it is open (urandom(4))
        let _ = (&self.0).read_exact(&mut bytes);
        TrackingId::from_random(bytes)
    }

    /// Bytes for what must not be guessed.
    ///
    /// # Errors
    /// What the system says; then they are no secret.
    pub fn fill(&self, bytes: &mut [u8]) -> io::Result<()> {
        (&self.0).read_exact(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u64) -> TrackingId {
        let mut bytes = [7; 16];
        bytes[8..].copy_from_slice(&number.to_be_bytes());
        bytes[0..8].copy_from_slice(&number.to_be_bytes());
        TrackingId::from_random(bytes)
    }

    #[tokio::test(start_paused = true)]
    async fn an_outcome_is_kept_for_its_time() {
        let (keep, mut tracking) = (Duration::from_secs(3600), Tracking::default());
        let name = id(1).to_string();
        assert_eq!(tracking.outcome(&name, keep), None);
        tracking.begin(id(1), keep);
        assert_eq!(tracking.outcome(&name.to_lowercase(), keep), Some(TrackedOutcome::Pending));
        tracking.end(id(1), TrackedOutcome::Invalid);
        tokio::time::advance(keep).await;
        assert_eq!(tracking.outcome(&name, keep), Some(TrackedOutcome::Invalid));
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(tracking.outcome(&name, keep), None);
        tracking.begin(id(2), keep);
        assert_eq!(tracking.outcomes.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_orders_is_bounded() {
        let (keep, mut tracking) = (Duration::from_secs(3600), Tracking::default());
        for number in 0..MOST as u64 + 5 {
            tracking.begin(id(number), keep);
        }
        assert_eq!((tracking.outcomes.len(), tracking.begun.len()), (MOST, MOST));
        assert_eq!(tracking.outcome(&id(4).to_string(), keep), None);
        assert_eq!(tracking.outcome(&id(5).to_string(), keep), Some(TrackedOutcome::Pending));
    }
}
