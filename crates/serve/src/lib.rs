//! Every UPS of a site in one process, and the server that clients of NUT connect to, in place of upsd.
//!
//! * [`fleet`]: all UPSes by name. Each has a source: a station of its own (also for a simulated UPS), or the socket of
//!   another driver.
//! * [`server`]: the fleet, the users and the clients; `site` is how one connection sees them, and
//!   [`nut::network::server`] is the protocol, which does no I/O.
//! * `connection` moves the bytes of one client, `listener` lets clients in.
//! * [`chronicle`]: feeds the history, where there is one.
//! * [`extras`]: `qxups.toml`, what this server does besides what upsd does.
//! * `notices`: notifications, where `qxups.toml` asks for them.
//! * `pages`: a page, JSON and metrics over HTTP, where `qxups.toml` asks for them.
//! * `snmp`: an SNMP agent for each UPS that `qxups.toml` names.
//! * `mqtt`: all UPSes to an MQTT broker, where `qxups.toml` names one.
//! * `protect`: hosts go down in order and come back, where `[protect]` asks for it.
//! * [`drill`]: an outage in virtual time, on a model.
//! * `views`: further names of UPSes, and what clients of a stage are shown, where `[protect]` asks for them.
//! * [`passwords`]: hashed passwords; `checks` has them checked beside the thread.
//! * [`program`]: the command line of upsd, the files, signals, the reload.
//!
//! Everything but checks of hashes runs on one thread, in tasks of tokio's `LocalRuntime`. Nothing blocks, nothing grows without bound, and
//! one client or UPS waits for no other.

mod checks;
pub mod chronicle;
mod complaints;
mod connection;
mod descriptions;
pub mod drill;
mod encryption;
pub mod extras;
pub mod fleet;
mod guard;
pub mod listener;
mod mqtt;
mod notices;
mod pages;
pub mod passwords;
pub mod program;
mod protect;
pub mod server;
mod settings;
mod site;
mod snmp;
mod tracking;
mod views;
mod wire;

pub use encryption::{CheckedCertificate, check_certificate};
