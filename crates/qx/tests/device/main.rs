//! The device in virtual time: detection, polling, judging, commands, loss and return.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

mod commands;
mod corrupt;
mod finding;
mod freshness;
mod log;
mod megatec;
mod publishing;
mod rhythm;
