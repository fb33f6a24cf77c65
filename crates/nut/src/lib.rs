#![forbid(unsafe_code)]
//! The texts NUT speaks: [`ups_conf`], [`upsd_conf`], [`upsd_users`], the lines of the
//! [`driver_socket`] and of the [`network`] protocol, all made of [`words`]. Pure: no I/O, no clock,
//! and no input panics.

pub mod driver_socket;
pub mod network;
pub mod ups_conf;
pub mod upsd_conf;
pub mod upsd_users;
pub mod words;
