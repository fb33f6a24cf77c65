#![forbid(unsafe_code)]
//! The texts NUT speaks: [`ups_conf`] and the lines of the [`driver_socket`], both made of
//! [`words`]. Pure: no I/O, no clock, and no input panics.

pub mod driver_socket;
pub mod ups_conf;
pub mod words;
