//! The driver: one UPS under NUT, as `nutdrv_qx`, `blazer_ser` or `blazer_usb`
//! ([`station::driver_kind`]).
//!
//! What was said on the command line ([`command_line`]) and in `ups.conf` becomes the configuration of a
//! [`station`] and of a process ([`config`]); [`program`] becomes the driver's user, goes to the background and
//! starts the station, whose publisher is the [`socket`] that upsd reads. How the UPS does also goes to a
//! [`supervisor`] such as systemd.

pub mod command_line;
pub mod config;
mod handover;
mod help;
pub mod instance;
pub mod name_service;
mod once;
pub mod power_down;
pub mod process;
pub mod program;
mod reload;
pub mod resident;
mod running;
pub mod signals;
pub mod socket;
pub mod supervisor;
pub mod upgrade;
mod watch;
