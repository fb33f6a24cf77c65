//! Estimates charge, remaining runtime and health of the battery of a UPS from what Q* UPSes say:
//! volts of the battery, load in percent, and whether it works on battery.
//!
//! ```
//! use battery::{Bank, Chemistry, Confidence, Estimator, PowerSource, Sample};
//! use std::time::Duration;
//!
//! let bank = Bank::of_nominal(24.0, Chemistry::LeadAcid).ok_or("no bank has this voltage")?;
//! let mut estimator = Estimator::new(bank);
//! let sample = |second, volts, source| Sample {
//!     at: Duration::from_secs(second),
//!     volts,
//!     load_percent: 40.0,
//!     source,
//!     temperature_c: None,
//! };
//! (0..600).for_each(|second| estimator.take(sample(second, 27.4, PowerSource::Mains)));
//! (600..900).for_each(|second| estimator.take(sample(second, 24.6, PowerSource::Battery)));
//! let estimate = estimator.estimate();
//! assert!(estimate.runtime_s.is_some());
//! // five minutes show little: on mains it would be too early to publish this
//! assert_eq!(estimate.confidence, Confidence::Guess);
//! # Ok::<(), &str>(())
//! ```
//!
//! It needs no calibration: it measures the battery in real outages and self tests, and keeps the result
//! over a restart as a short text ([`Estimator::memory`]). No I/O, no clock: every
//! [`Sample`] brings its time. What is assumed, and how good it is: `docs/battery.md` of the project. The example
//! `estimate` is a whole outage.
//!
//! Energy is in percent of load times seconds, so the watts of the UPS need not be known.
//!
//! All that is public here is meant to stay; before version 1.0 a new minor version may change it, and the changelog says
//! what. The text of the memory has a version of its own: an older one is refused, and the estimator begins anew.
//!
//! Read the modules in this order: `bank` (cells and what is known of their kind), `endurance` (how
//! long a load is carried), `hypothesis` (what the volts say of one possible battery), `posterior` (all
//! possible batteries), `surprise` (whether it is none of them), `discharge`, `charging`, `unit`, `memory`, `estimate` (what goes in and comes out),
//! `estimator`.

mod bank;
mod charging;
mod discharge;
mod endurance;
mod estimate;
mod estimator;
mod hypothesis;
mod lesson;
mod load;
mod memory;
mod outlook;
mod posterior;
mod surprise;
mod trend;
mod unit;

pub use bank::{Bank, Chemistry, Rating};
pub use estimate::{Confidence, Estimate, Health, PowerSource, RelativeTo, Sample};
pub use estimator::Estimator;
pub use memory::MemoryError;
pub use unit::UpsIdentity;
