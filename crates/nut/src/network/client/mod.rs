//! The client's end: an [`Asker`] writes requests and reads what is answered, [`Opening`] is what is
//! said first on a connection, and [`Errand`] follows one order to its outcome.
//!
//! Servers differ: upsd since 2.4, NAS boxes, microcontrollers. What is odd and still clear is
//! understood, and told as an [`Oddity`].

mod answer;
mod asker;
mod errand;
mod oddity;
mod opening;
mod request;

pub use answer::{Answer, Item, Refusal, Type};
pub use asker::{AskError, Asker, Fault, LONGEST_LINE, MOST_ITEMS, MOST_WAITING, Said};
pub use errand::{End, Errand, Order};
pub use oddity::Oddity;
pub use opening::{Opening, Rank, TlsMode};
pub use request::{About, Having, Request, Secret, Unspeakable, Values};

use std::time::Duration;

/// What a conversation wants next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next<T> {
    /// Ask this, and give the answer back.
    Ask(Request),
    /// Ask this after a while.
    AskAfter(Duration, Request),
    /// Begin TLS as the client, then go on with the answer that led here again.
    StartTls,
    /// It is over.
    End(T),
}
