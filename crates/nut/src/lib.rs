#![forbid(unsafe_code)]
//! The texts NUT speaks: [`ups_conf`], [`upsd_conf`], [`upsd_users`], [`upsmon_conf`], [`upssched_conf`], the lines of the
//! [`driver_socket`] and of the [`network`] protocol, all made of [`words`]. Pure: no I/O, no clock,
//! and no input panics.
//!
//! ```
//! let conf = nut::ups_conf::parse(b"[rack]\ndriver = nutdrv_qx\nport = auto\n");
//! let rack = conf.section("rack").ok_or("no such section")?;
//! assert_eq!(rack.settings[1].name, "port");
//! assert_eq!(rack.settings[1].value.as_deref(), Some("auto"));
//! assert_eq!(nut::driver_socket::setinfo("ups.status", "OL"), "SETINFO ups.status \"OL\"\n");
//! # Ok::<(), &str>(())
//! ```
//!
//! `examples/` has short programs: `read_ups_conf`, `ask_driver`.
//!
//! # What is stable
//!
//! Before version 1.0 a new minor version may change anything, and the changelog says what. [`words`], [`ups_conf`] and
//! [`driver_socket`] change only for a reason; [`network`], [`upsd_conf`], [`upsd_users`], [`upsmon_conf`] and [`upssched_conf`]
//! are new and may change.

pub mod driver_lines;
pub mod driver_socket;
pub mod network;
pub mod ups_conf;
pub mod upsd_conf;
pub mod upsd_users;
pub mod upsmon_conf;
pub mod upssched_conf;
pub mod words;
