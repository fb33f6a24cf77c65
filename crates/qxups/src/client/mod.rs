//! Commands that are clients of a NUT server, ours or any other: `list`, `get`, `set`, `cmd`, `log`, `watch`, `top`,
//! `conform`.
// the help of arguments has brackets, which are no links
#![allow(rustdoc::broken_intra_doc_links)]

mod access;
mod clock;
mod complete;
mod conform;
mod connection;
mod feed;
mod get;
#[cfg(test)]
mod hostile;
mod json;
mod list;
mod log;
mod order;
mod place;
mod prompt;
mod show;
mod top;
mod trouble;
mod watch;

pub use access::Reach;
pub use complete::Complete;
pub use complete::scripts::live;
pub use conform::Conform;
pub use feed::{Feed, News, Variables};
pub use get::Get;
pub use list::List;
pub use log::LogOptions;
pub use order::{Cmd, SetOptions};
pub use place::{ServerAddress, UpsPlace};
pub use top::{Top, in_plain_words};
pub use trouble::end;
pub use watch::Watch;
