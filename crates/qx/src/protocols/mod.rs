//! The dialects, in the order in which they are tried: the more particular first, as NUT 2.8.0
//! does. A new dialect is one file here and one line in [`ALL`].

mod megatec;
mod megatec_old;
mod mustek;
mod q1;
mod zinto;

use crate::protocol::Protocol;
pub use megatec::{MEGATEC, RATING, STATUS, VENDOR};
pub use megatec_old::MEGATEC_OLD;
pub use mustek::MUSTEK;
pub use q1::Q1;
pub use zinto::ZINTO;

/// Every dialect, in the order of trying.
pub static ALL: &[&Protocol] = &[&MUSTEK, &MEGATEC_OLD, &MEGATEC, &ZINTO, &Q1];

/// The dialect of that name (case does not matter, as in NUT).
pub fn named(name: &str) -> Option<&'static Protocol> {
    ALL.iter().find(|protocol| protocol.name.eq_ignore_ascii_case(name)).copied()
}
