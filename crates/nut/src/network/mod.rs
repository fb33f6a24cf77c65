//! NUT's network protocol (RFC 9271; NUT 2.8.0 server/net*.c and docs/net-protocol.txt), both ends
//! without I/O: bytes go in, bytes and typed events come out.
//!
//! * [`server`]: one connection of a client as a state machine, before a [`server::Site`] that
//!   knows the UPSes.
//! * [`client`]: requests written and answers read.
//!
//! Both ends share the [`ErrorWord`]s and what becomes of a tracked request ([`TrackedOutcome`]).

pub mod client;
mod error_word;
mod outcome;
pub mod server;

pub use error_word::ErrorWord;
pub use outcome::{TrackedOutcome, TrackingId};

/// The version of the protocol that NETVER and PROTVER answer (NUT 2.8.0 configure.ac).
pub const PROTOCOL_VERSION: &str = "1.3";
/// The port that clients connect to.
pub const PORT: u16 = 3493;
