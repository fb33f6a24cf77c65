//! Text for people: the reference pages, a reply explained, and what to anonymise in a recording.

pub mod anonymise;
pub mod bridge_reference;
pub mod explain;
pub mod reference;
