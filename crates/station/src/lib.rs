//! One UPS inside any process: a driver of NUT, a tool, a server with hundreds.
//!
//! A section of `ups.conf`, or a port, becomes a [`config`]; a [`Station`] opens its link, drives its device in a
//! task of its own (the session, the one loop that knows a clock), tells [`Publisher`]s what changes and answers
//! [`Request`]s. What happens goes to a [`log`]; what lasts is kept in files ([`memory`]).
//!
//! Nothing here is of a process: no user, no signal, no socket, and of the environment only where standard error goes
//! ([`log::Log::new`]). The [`Owner`] of a station is asked for what is of the process, and hears that the session lives.

pub mod advice;
mod board;
pub mod clock;
pub mod config;
mod driver_commands;
pub mod driver_kind;
mod keeping;
pub mod log;
pub mod memory;
pub mod outlet;
mod publisher;
mod reload;
mod reopening;
mod report;
mod request;
pub mod seldom;
mod session;
mod state;
mod station;

pub use publisher::{NoOwner, Owner, Publisher, Reload, ReloadAnswer};
pub use reload::Reloaded;
pub use request::{Refused, Request, RequestedAction, Requests};
pub use station::{Condition, Found, Mode, Setup, SharedDevice, Station};
