#![forbid(unsafe_code)]
//! The Q* dialects of UPSes as tables, and the device that speaks them as a state machine.
//!
//! ```
//! let megatec = qx::protocols::named("megatec").ok_or("no such dialect")?;
//! let status = megatec.queries.iter().find(|query| query.ask == "Q1").ok_or("no such question")?;
//! let reply = b"(226.0 195.0 226.0 014 49.0 27.5 30.0 00001000";
//! let fit = status.read(reply).map_err(|misfit| misfit.expected.to_string())?;
//! let volts = fit.readings.number(&qx::vocabulary::variable::INPUT_VOLTAGE).ok_or("not said")?;
//! assert_eq!(volts.text(1), "226.0");
//! assert_eq!(status.write(&fit.readings), reply); // and back, by the same table
//! # Ok::<(), String>(())
//! ```
//!
//! `examples/` has short programs: `read_reply`, `explain_bytes`, `drive_device`.
//!
//! This crate does no I/O, starts no thread and never asks what time it is: everything in it can
//! be tested, fuzzed and simulated. Its rooms, each resting on those before it alone:
//!
//! * [`vocabulary`]: variables, values, status words, flags.
//! * [`wire`]: a reply, drawn, and both directions of it; what can be commanded and set; what a dialect is.
//! * [`protocols`]: the dialects, each a table of these.
//! * [`mod@line`]: one exchange on the line, and a recorded conversation; [`usb`]: through a bridge.
//! * [`options`]: what `ups.conf` may say.
//! * `judge`: what is taken of a reply; [`detect`]: which dialect the UPS speaks.
//! * [`device`]: one UPS, and what is known of it.
//! * [`text`]: reference pages, explanations, what to anonymise in a recording.
//!
//! # What is stable
//!
//! Before version 1.0 a new minor version may change anything, and the changelog says what. These are meant for other
//! programs and change only for a reason: [`protocols::named`] and [`protocols::ALL`]; [`wire::query::Query`]'s `read`,
//! `write` and `wire`, with [`wire::readings`] and the types of [`vocabulary`]; [`line::exchange`]; [`line::capture`];
//! [`options::Options`] by its `Default`; [`device::Device`] with [`device::Event`], [`device::Outcome`] and
//! [`device::store`]; [`text::explain`]. What judges readings and finds the dialect is public for tests and for the
//! simulator, and changes with every improvement: `judge`, which is not shown here, [`detect`], and of [`device`] `bank`,
//! `bounds`, `nut_estimate` and `plan`.

pub mod detect;
pub mod device;
#[doc(hidden)]
pub mod judge;
pub mod line;
pub mod options;
pub mod protocols;
pub mod text;
pub mod usb;
pub mod vocabulary;
pub mod wire;
