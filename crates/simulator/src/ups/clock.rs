//! The time of a simulated UPS, which may be faster than real time.

use qx::vocabulary::moment::Moment;
use std::time::Duration;

/// Real time to simulated time, and back.
#[derive(Clone, Debug)]
pub(crate) struct SimulatedClock {
    /// Simulated seconds in a real one.
    speed: f64,
    /// When the speed was last changed, in real and in simulated time.
    epoch: (Moment, Duration),
}

impl Default for SimulatedClock {
    fn default() -> SimulatedClock {
        SimulatedClock { speed: 1.0, epoch: (Moment::ZERO, Duration::ZERO) }
    }
}

impl SimulatedClock {
    /// Simulated time at the real time `now`.
    pub(super) fn simulated(&self, now: Moment) -> Duration {
        self.epoch.1 + now.saturating_sub(self.epoch.0).mul_f64(self.speed)
    }

    /// Real time at the simulated time `at`, which is not before the last change of speed.
    pub(super) fn real(&self, at: Duration) -> Moment {
        self.epoch.0 + at.saturating_sub(self.epoch.1).div_f64(self.speed)
    }

    /// Lets time run so fast from the real time `now` on.
    pub(crate) fn set_speed(&mut self, speed: f64, now: Moment) {
        self.epoch = (now, self.simulated(now));
        self.speed = speed;
    }
}
