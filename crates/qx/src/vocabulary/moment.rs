//! Moments: what the clock of the driver shows.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::time::Duration;

/// A point of time, as time since the driver was started by a clock that only goes forward. It is no [`Duration`], so
/// that "when" and "how long" cannot be mistaken for one another.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment {
    /// Nanoseconds since the start: half of what a [`Duration`] takes, and a device keeps many. They last for 584 years.
    nanos: u64,
}

impl Moment {
    /// The start of the clock.
    pub const ZERO: Moment = Moment { nanos: 0 };
    /// Later than any other: what never happens.
    pub const MAX: Moment = Moment { nanos: u64::MAX };

    /// So long after the start.
    pub const fn after_start(time: Duration) -> Moment {
        Moment { nanos: nanos(time) }
    }
    /// How long after the start it is.
    pub const fn since_start(self) -> Duration {
        Duration::from_nanos(self.nanos)
    }
    /// How long it is after `earlier`; nothing when it is before.
    pub const fn saturating_sub(self, earlier: Moment) -> Duration {
        Duration::from_nanos(self.nanos.saturating_sub(earlier.nanos))
    }
}

/// At most as many as there are.
#[allow(clippy::cast_possible_truncation)]
const fn nanos(time: Duration) -> u64 {
    let nanos = time.as_nanos();
    if nanos > u64::MAX as u128 { u64::MAX } else { nanos as u64 }
}

/// As its time since the start.
impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.since_start().fmt(f)
    }
}

impl Add<Duration> for Moment {
    type Output = Moment;
    fn add(self, time: Duration) -> Moment {
        Moment { nanos: self.nanos.saturating_add(nanos(time)) }
    }
}

impl AddAssign<Duration> for Moment {
    fn add_assign(&mut self, time: Duration) {
        *self = *self + time;
    }
}

/// How long it is after the other; nothing when it is before.
impl Sub for Moment {
    type Output = Duration;
    fn sub(self, earlier: Moment) -> Duration {
        self.saturating_sub(earlier)
    }
}

impl Sub<Duration> for Moment {
    type Output = Moment;
    fn sub(self, time: Duration) -> Moment {
        Moment { nanos: self.nanos.saturating_sub(nanos(time)) }
    }
}
