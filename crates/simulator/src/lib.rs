//! A UPS without hardware.
//!
//! [`world`] is the physics: mains, load, battery, timers; it knows no dialect. [`readings`] says
//! what a UPS in that world would report, and the dialect's own table writes it. A [`profile`]
//! makes it awkward, an [`oddity`] odd, [`trouble`] breaks its line from a seed, a [`script`] plays events, and a
//! [`knob`] turns any of this while it runs. All of them together are a [`ups`]; it does no I/O and
//! is told the time. Shared by an [`end`], which is [`pty`], [`tcp`] or [`usbip`], and [`control`]
//! turns knobs from outside.

pub mod claims;
pub mod control;
pub mod end;
pub mod knob;
pub mod oddity;
pub mod profile;
pub mod pty;
pub mod readings;
pub mod sample;
pub mod script;
pub mod tcp;
pub mod trouble;
pub mod ups;
mod usb_descriptors;
pub mod usbip;
pub mod world;
