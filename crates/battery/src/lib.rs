//! Estimates charge, remaining runtime and health of the battery of a UPS from what Q* UPSes say:
//! volts of the battery, load in percent, and whether it works on battery.
//!
//! It needs no calibration: it learns the battery from real outages and self tests, and what it
//! learned goes over a restart as a short text ([`Estimator::memory`]). No I/O, no clock: every
//! [`Sample`] brings its time. What is assumed, and how good it is: `docs/battery.md`.
//!
//! Energy is told in percent of load times seconds, so nobody has to know the watts of the UPS.
//!
//! Read the modules in this order: `bank` (cells and what is known of their kind), `endurance` (how
//! long a load is carried), `hypothesis` (what the volts say of one possible battery), `belief` (all
//! possible batteries), `surprise` (whether it is none of them), `discharge`, `charging`, `unit`, `memory`, `estimate` (what goes in and comes out),
//! `estimator`.

mod bank;
mod belief;
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
mod surprise;
mod trend;
mod unit;

pub use bank::{Bank, Chemistry, Rating};
pub use estimate::{Confidence, Estimate, Health, RelativeTo, Sample, Source};
pub use estimator::Estimator;
pub use memory::MemoryError;
pub use unit::Unit;
