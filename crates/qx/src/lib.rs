#![forbid(unsafe_code)]
//! The Q* dialects of UPSes as tables, and the device that speaks them as a state machine.
//!
//! This crate does no I/O, starts no thread and never asks what time it is: everything in it can
//! be tested, fuzzed and simulated. Read it in this order.
//!
//! * Words: [`variable`], [`value`], [`status`], [`option`].
//! * A reply, drawn: [`picture`], [`query`], and both directions of it: [`read`], [`mod@write`].
//! * What can be sent: [`command`], [`setting`].
//! * A dialect is a table of these: [`protocol`], and all of them: [`protocols`].
//! * Through USB: [`bridge`], all of them: [`bridges`], and a command on its way: [`talk`].
//! * On the line: [`exchange`], and what is no part of a reply: [`nuls`]; which dialect it is: [`detect`],
//!   and at the next start: [`known`]; what is taken of a reply: [`judge`], and what is weighed against the
//!   rest: [`quirk`].
//! * One UPS: [`device`], which [`bank`] of cells it has and what NUT would [`guess`] of it, what is
//!   known of it: [`store`], and
//!   what switching its load off would send: [`plan`].
//! * For people: a [`capture`] of a conversation, what to [`conceal`] in it, [`explain`] a reply, [`reference`](mod@reference) of the dialects,
//!   [`bridge_reference`] of the bridges.

pub mod armour;
pub mod bank;
pub mod bridge;
pub mod bridge_reference;
pub mod bridges;
pub mod capture;
pub mod command;
pub mod conceal;
pub mod detect;
pub mod device;
mod drift;
pub mod exchange;
pub mod explain;
pub mod fact;
pub mod guess;
pub mod judge;
pub mod known;
pub mod nuls;
pub mod option;
pub mod picture;
pub mod plan;
pub mod protocol;
pub mod protocols;
pub mod query;
pub mod quirk;
pub mod read;
pub mod reference;
pub mod setting;
pub mod settle;
pub mod spelling;
pub mod status;
pub mod store;
pub mod talk;
pub mod value;
pub mod variable;
pub mod write;
