//! Moments: what the clock of the driver shows.

use std::time::Duration;

/// Time since the driver was started, by a clock that only goes forward.
pub type Moment = Duration;
