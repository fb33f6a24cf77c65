//! The dialects, in the order in which they are tried: the more particular first, as NUT does. A
//! new dialect is one file here and one line in [`ALL`].

mod ablerex;
mod axpert;
mod bestups;
mod blazer;
mod gtec;
mod hunnox;
mod innovart;
mod masterguard;
mod mecer;
mod megatec;
mod megatec_old;
mod mustek;
mod omron;
mod q1;
mod q6;
mod voltronic;
mod voltronic_qs;
mod voltronic_qs_hex;
mod zinto;

use crate::wire::protocol::Protocol;
pub use ablerex::ABLEREX;
pub use axpert::VOLTRONIC_AXPERT;
pub use bestups::BESTUPS;
pub use blazer::ALL as BLAZER;
pub use gtec::GTEC;
pub use hunnox::HUNNOX;
pub use innovart::{INNOVART31, INNOVART33, INNOVATAE};
pub use masterguard::MASTERGUARD;
pub use mecer::MECER;
pub use megatec::{MEGATEC, RATING, STATUS, VENDOR};
pub use megatec_old::MEGATEC_OLD;
pub use mustek::MUSTEK;
pub use omron::OMRON;
pub use q1::Q1;
pub use q6::{Q2, Q6};
pub use voltronic::VOLTRONIC;
pub use voltronic_qs::VOLTRONIC_QS;
pub use voltronic_qs_hex::VOLTRONIC_QS_HEX;
pub use zinto::ZINTO;

/// Every dialect of `nutdrv_qx`, in the order of trying.
pub static ALL: &[&Protocol] = &[
    &OMRON,
    &VOLTRONIC,
    &VOLTRONIC_AXPERT,
    &VOLTRONIC_QS,
    &VOLTRONIC_QS_HEX,
    &MUSTEK,
    &MEGATEC_OLD,
    &BESTUPS,
    &MECER,
    &MEGATEC,
    &ZINTO,
    &MASTERGUARD,
    &HUNNOX,
    &ABLEREX,
    &INNOVART31,
    &INNOVART33,
    &INNOVATAE,
    &Q2,
    &Q6,
    &GTEC,
    &Q1,
];

/// The dialect of that name (case does not matter, as in NUT).
pub fn named(name: &str) -> Option<&'static Protocol> {
    ALL.iter().find(|protocol| protocol.name.eq_ignore_ascii_case(name)).copied()
}
