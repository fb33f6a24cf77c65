//! What tests and benchmarks of several crates share. No program depends on it, so that nothing of it is shipped.
//!
//! In virtual time: [`mod@line`] is a device and a pretended UPS, [`wire`] a device and a UPS with a wire between them on which
//! each byte has its moment, [`exchange`] one exchange on such a wire, [`twin`] what a device reads of the same UPS on a
//! line without noise, and [`judge`] judges what was published by that.
//!
//! [`disk`] is a disk that a test can freeze.
//!
//! With real programs: [`nut`] is a folder with NUT's configuration, upsd and a driver, [`ups`] a simulated UPS for it, and
//! [`tool`] one that the program `qxups` simulates; [`upsd`] is for comparisons with NUT's server. [`nats`] is the centre of a fleet.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod disk;
pub mod exchange;
pub mod judge;
pub mod line;
pub mod nats;
pub mod nut;
pub mod snmp;
pub mod tool;
pub mod twin;
pub mod units;
pub mod ups;
pub mod upsd;
pub mod wire;
