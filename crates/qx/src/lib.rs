#![forbid(unsafe_code)]
//! The Q* dialects of UPSes as tables, and the device that speaks them as a state machine.
//!
//! This crate does no I/O, starts no thread and never asks what time it is: everything in it can
//! be tested, fuzzed and simulated. Its rooms, each resting on those before it alone:
//!
//! * [`vocabulary`]: variables, values, status words, flags.
//! * [`wire`]: a reply, drawn, and both directions of it; what can be commanded and set; what a dialect is.
//! * [`protocols`]: the dialects, each a table of these.
//! * [`line`]: one exchange on the line, and a recorded conversation; [`usb`]: through a bridge.
//! * [`options`]: what `ups.conf` may say.
//! * [`judge`]: what is taken of a reply; [`detect`]: which dialect the UPS speaks.
//! * [`device`]: one UPS, and what is known of it.
//! * [`text`]: reference pages, explanations, what to conceal in a recording.

pub mod detect;
pub mod device;
pub mod judge;
pub mod line;
pub mod options;
pub mod protocols;
pub mod text;
pub mod usb;
pub mod vocabulary;
pub mod wire;
