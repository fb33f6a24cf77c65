//! For comparisons with Debian's upsd: the same UPSes for both, and requests by chance.
#![allow(
    dead_code,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    clippy::new_without_default
)]

pub mod model;
pub mod random;
