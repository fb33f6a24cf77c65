//! Why protection begins.

use std::fmt;
use std::time::Duration;

/// Why a UPS no longer counts as a supply, or a group goes down.
#[derive(Debug, Clone, PartialEq)]
pub enum Reason {
    /// On battery and battery low.
    LowBattery {
        /// The UPS.
        ups: String,
    },
    /// Another program forced a shutdown.
    Forced {
        /// The UPS.
        ups: String,
    },
    /// On battery, and the charge is below its bound.
    Charge {
        /// The UPS.
        ups: String,
        /// In percent.
        charge: f64,
    },
    /// On battery, and the runtime is below its bound.
    Runtime {
        /// The UPS.
        ups: String,
        /// The runtime.
        runtime: Duration,
    },
    /// On battery for so long.
    OnBattery {
        /// The UPS.
        ups: String,
        /// For how long.
        time: Duration,
    },
    /// Too warm.
    Temperature {
        /// The UPS.
        ups: String,
        /// In degrees Celsius.
        celsius: f64,
    },
    /// The UPS reports that it is failing.
    Failing {
        /// The UPS.
        ups: String,
    },
    /// It was on battery when it was read last.
    Lost {
        /// The UPS.
        ups: String,
    },
    /// A group that shares its UPS, or whose host protects it, goes down.
    WithGroup {
        /// That group.
        group: String,
    },
    /// On battery again while hosts came back, and the battery does not hold enough for another shutdown.
    Again {
        /// The UPS.
        ups: String,
    },
    /// The course was found in the record after a restart.
    Recorded,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::LowBattery { ups } => write!(f, "UPS {ups} is on battery and its battery is low"),
            Reason::Forced { ups } => write!(f, "another program forced a shutdown (FSD) of UPS {ups}"),
            Reason::Charge { ups, charge } => {
                write!(f, "UPS {ups} is on battery with a charge of {charge:.0} %")
            }
            Reason::Runtime { ups, runtime } => {
                write!(f, "UPS {ups} is on battery with a runtime of {} s", runtime.as_secs())
            }
            Reason::OnBattery { ups, time } => {
                write!(f, "UPS {ups} has been on battery for {} s", time.as_secs())
            }
            Reason::Temperature { ups, celsius } => write!(f, "UPS {ups} is at {celsius:.1} degrees Celsius"),
            Reason::Failing { ups } => write!(f, "UPS {ups} reports that it is failing"),
            Reason::Lost { ups } => write!(f, "UPS {ups} was on battery when it was read last"),
            Reason::WithGroup { group } => write!(f, "group {group} goes down, and this group with it"),
            Reason::Again { ups } => {
                write!(
                    f,
                    "UPS {ups} is on battery again before its battery holds enough for another shutdown"
                )
            }
            Reason::Recorded => write!(f, "the course was under way before the restart"),
        }
    }
}
