//! USB: the bridge inside the UPS from USB to its serial line, all of them, and a command on its way through one.

pub mod bridge;
pub mod bridges;
pub mod transfers;
