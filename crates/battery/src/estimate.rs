//! What goes in and what comes out.

use std::time::Duration;

/// Where the power of the load comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PowerSource {
    /// Mains; the battery is charged.
    Mains,
    /// The battery, in an outage.
    Battery,
    /// The battery, in a test of the UPS: a short discharge, never an outage.
    Test,
}

/// What the UPS said at one time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// On a clock that never jumps.
    pub at: Duration,
    /// Volts of the whole bank.
    pub volts: f64,
    /// Load in percent of what the UPS can deliver.
    pub load_percent: f64,
    /// Where the power comes from.
    pub source: PowerSource,
    /// Temperature of the battery in degrees Celsius, if it is known.
    pub temperature_c: Option<f64>,
}

/// How much is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// Nothing: there is no runtime.
    Nothing,
    /// The runtime may be wrong by a third or more: publish it only while on battery.
    Guess,
    /// Known to about a third (one standard deviation).
    Low,
    /// To about a fifth.
    Fair,
    /// To about a tenth.
    Good,
}

/// What the capacity of [`Health`] is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelativeTo {
    /// The best that this battery has shown. One that was old when it was first seen starts at 100.
    BestSeen,
    /// What is printed on it ([`crate::Rating`]); known to about 15 percent only.
    Rating,
}

/// How much of a battery is left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Health {
    /// The load that it carries for 15 minutes, in percent of that of the comparison (the
    /// rate-adjusted capacity of IEEE 450): 0 to 200. Below 80 it should be replaced (IEEE 1188).
    pub capacity_percent: f64,
    /// The comparison.
    pub of: RelativeTo,
}

/// What is estimated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Charge in percent of what it gives at this load when full: 0 to 100.
    pub charge_percent: Option<f64>,
    /// Seconds for which the battery carries the present load; on mains: would carry.
    pub runtime_s: Option<f64>,
    /// Seconds that it carries the load at least, in four of five cases: never more than `runtime_s`.
    pub runtime_least_s: Option<f64>,
    /// Known once a discharge taught it.
    pub health: Option<Health>,
    /// How exact the runtime is.
    pub confidence: Confidence,
}

impl Confidence {
    /// From the deviation of a logarithm.
    pub(crate) fn of(deviation: f64) -> Confidence {
        match deviation {
            d if d <= 0.12 => Confidence::Good,
            d if d <= 0.22 => Confidence::Fair,
            d if d <= 0.36 => Confidence::Low,
            _ => Confidence::Guess,
        }
    }
}
