//! Text for people: the reference pages, a reply explained, and what to conceal in a recording.

pub mod bridge_reference;
pub mod conceal;
pub mod explain;
pub mod reference;
