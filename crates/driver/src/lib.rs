//! The driver: one UPS under NUT, as `nutdrv_qx`, `blazer_ser` or `blazer_usb` ([`persona`]).
//!
//! What was said on the command line ([`command_line`]) and in `ups.conf` becomes a [`config`];
//! [`program`] becomes the driver's user, goes to the background and starts a [`session`]
//! (the one loop that knows a clock: device on one side, link on the other) and its publisher, the
//! [`socket`] that upsd reads. What happens goes to the [`log`], the UPS's [`state`] also to a
//! [`supervisor`] such as systemd.

pub mod advice;
pub mod clock;
pub mod command_line;
pub mod config;
pub mod instance;
pub mod log;
pub mod memory;
pub mod outlet;
pub mod own;
pub mod persona;
pub mod process;
pub mod program;
pub mod reload;
pub mod reopening;
pub mod resident;
pub mod seldom;
pub mod session;
pub mod signals;
pub mod socket;
pub mod state;
pub mod supervisor;
pub mod upgrade;
