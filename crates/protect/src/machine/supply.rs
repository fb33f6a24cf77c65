//! What is known of one UPS.

use std::time::Duration;

use super::order::UpsOrder;
use super::timing::{CARRY, VIEW_LIFE};
use crate::{PowerOrigin, PowerView};

/// What is known of one UPS from its readings in this process, and what its former one left.
#[derive(Debug, Clone, Default)]
pub(crate) struct SupplyState {
    /// The newest view.
    view: Option<PowerView>,
    /// Readings from before count no more.
    valid_from: Duration,
    /// Which unit it is.
    pub(crate) unit: Option<String>,
    /// Mains for so long are steady.
    pub(crate) steady: Duration,
    /// What the last reading said, also when it is stale now.
    last: Option<PowerOrigin>,
    stale_since: Option<Duration>,
    mains_since: Option<Duration>,
    battery_since: Option<Duration>,
    /// Time on battery since mains were last steady.
    spent: Duration,
    /// Up to which reading it is counted, while on battery.
    counted: Option<Duration>,
    /// Up to when it was counted before a gap of knowledge.
    gap_from: Option<Duration>,
    /// Before, time on battery that was carried over a long gap decides nothing.
    guard_until: Duration,
    /// The order to it.
    pub(crate) order: Option<UpsOrder>,
}

impl SupplyState {
    /// Nothing is known; readings count from `now` on.
    pub(crate) fn new(now: Duration, steady: Duration) -> SupplyState {
        SupplyState { valid_from: now, steady, ..SupplyState::default() }
    }

    /// What a former process counted.
    pub(crate) fn carry(&mut self, spent: Duration, until: Duration) {
        (self.spent, self.gap_from) = (spent, Some(until));
    }

    /// What is worth keeping of the time on battery: how long, counted up to when.
    pub(crate) fn kept_time(&self) -> Option<(Duration, Duration)> {
        self.counted.or(self.gap_from).map(|until| (self.spent, until))
    }

    /// The newest view, where it is fresh.
    pub(crate) fn fresh(&self, now: Duration) -> Option<&PowerView> {
        self.view.as_ref().filter(|view| {
            view.fresh && view.read_at >= self.valid_from && now <= view.read_at.saturating_add(VIEW_LIFE)
        })
    }

    /// What a fresh view says of mains.
    pub(crate) fn origin(&self, now: Duration) -> Option<PowerOrigin> {
        self.fresh(now).map(PowerView::origin)
    }

    /// Whether a fresh view says that it is on battery.
    pub(crate) fn on_battery(&self, now: Duration) -> bool {
        self.origin(now) == Some(PowerOrigin::Battery)
    }

    /// For how long readings in a row said "on battery".
    pub(crate) fn battery_held(&self, now: Duration) -> Option<Duration> {
        Some(self.fresh(now)?.read_at.saturating_sub(self.battery_since?))
    }

    /// For how long readings in a row said "mains".
    pub(crate) fn mains_held(&self, now: Duration) -> Option<Duration> {
        Some(self.fresh(now)?.read_at.saturating_sub(self.mains_since?))
    }

    /// Time on battery since mains were steady, where it may decide.
    pub(crate) fn spent(&self, now: Duration) -> Option<Duration> {
        let view = self.fresh(now).filter(|view| view.origin() == PowerOrigin::Battery)?;
        (view.read_at >= self.guard_until).then_some(self.spent)
    }

    /// For how long nothing fresh came, where the last reading said "on battery".
    pub(crate) fn lost_on_battery(&self, now: Duration) -> Option<Duration> {
        let since = self.stale_since.filter(|_| self.last == Some(PowerOrigin::Battery))?;
        Some(now.saturating_sub(since))
    }

    /// What it said before it fell silent means nothing more.
    pub(crate) fn forget_lost(&mut self, now: Duration) {
        if self.fresh(now).is_none() {
            self.last = None;
        }
    }

    /// Whether time matters: it is on battery, unclear, or was lost so.
    pub(crate) fn is_busy(&self) -> bool {
        self.last.is_some_and(|last| last != PowerOrigin::Mains)
            || !self.spent.is_zero()
            || self.gap_from.is_some()
    }

    /// Takes a view.
    pub(crate) fn take(&mut self, now: Duration, mut view: PowerView) {
        view.read_at = view.read_at.min(now);
        if let (Some(former), Some(unit)) = (&self.unit, &view.unit) {
            if former != unit {
                *self = SupplyState::new(self.valid_from, self.steady);
            }
        }
        self.unit = view.unit.clone().or(self.unit.take());
        self.view = Some(view);
        self.age(now);
        let Some(view) = self.fresh(now) else { return };
        let (read_at, origin) = (view.read_at, view.origin());
        self.stale_since = None;
        self.close_gap(read_at, origin);
        if let (PowerOrigin::Battery, Some(counted)) = (origin, self.counted) {
            self.spent += read_at.saturating_sub(counted);
        }
        let keep = |since: Option<Duration>, of| (origin == of).then(|| since.unwrap_or(read_at));
        self.counted = (origin == PowerOrigin::Battery).then_some(read_at);
        self.battery_since = keep(self.battery_since, PowerOrigin::Battery);
        self.mains_since = keep(self.mains_since, PowerOrigin::Mains);
        if self.mains_since.is_some_and(|since| read_at.saturating_sub(since) >= self.steady) {
            self.spent = Duration::ZERO;
        }
        self.last = Some(origin);
    }

    /// After a gap of knowledge: mains cannot have been steady in a short one, so it counts; after a long one what was
    /// counted before stays; after a very long one it is another outage.
    fn close_gap(&mut self, read_at: Duration, origin: PowerOrigin) {
        let Some(from) = self.gap_from.take() else { return };
        let gap = read_at.saturating_sub(from);
        if gap > CARRY {
            self.spent = Duration::ZERO;
        } else if origin == PowerOrigin::Battery && gap <= self.steady {
            self.spent += gap;
        } else if gap > self.steady {
            self.guard_until = read_at.saturating_add(self.steady);
        }
    }

    /// Time went on: what is stale now begins a gap.
    pub(crate) fn age(&mut self, now: Duration) {
        if self.view.is_none() || self.fresh(now).is_some() || self.stale_since.is_some() {
            return;
        }
        self.stale_since = Some(now);
        self.gap_from = self.counted.take().or(self.gap_from);
        (self.mains_since, self.battery_since) = (None, None);
    }

    /// The process was stopped until now: only readings from now on count.
    pub(crate) fn lapse(&mut self, now: Duration) {
        self.valid_from = now;
        self.stale_since = None;
        self.age(now);
    }
}
