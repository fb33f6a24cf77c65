//! The clock of a session: it only goes forward, and it goes on while the machine is suspended, so that what
//! was read before that is old after it.

use nix::time::{ClockId, clock_gettime};
use qx::vocabulary::moment::Moment;
use std::time::Duration;
use tokio::time::Instant;

/// Where the device's moments begin.
#[derive(Clone, Copy, Debug)]
pub struct DeviceClock {
    /// By the clock of the system that counts suspension, where it has one.
    booted: Option<Duration>,
    started: Instant,
}

impl DeviceClock {
    /// A clock that starts now.
    pub fn start() -> DeviceClock {
        DeviceClock { booted: since_boot(), started: Instant::now() }
    }

    /// The time since it was started.
    pub fn now(&self) -> Moment {
        let running = self.started.elapsed();
        let passed = self.booted.zip(since_boot()).map(|(booted, now)| now.saturating_sub(booted));
        Moment::after_start(passed.map_or(running, |passed| passed.max(running)))
    }

    /// When a moment comes, if the machine is not suspended until then.
    pub fn instant(&self, moment: Moment) -> Instant {
        Instant::now() + moment.saturating_sub(self.now())
    }
}

/// The time since the system was started, with that in which it was suspended.
fn since_boot() -> Option<Duration> {
    clock_gettime(ClockId::CLOCK_BOOTTIME).ok().map(Duration::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_forward() {
        let clock = DeviceClock::start();
        let now = clock.now();
        assert!(clock.now() >= now);
        let wait = clock.instant(now + Duration::from_secs(5)).saturating_duration_since(Instant::now());
        assert!(wait > Duration::from_secs(4) && wait <= Duration::from_secs(5), "{wait:?}");
    }
}
