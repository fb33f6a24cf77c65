//! The client's end: an [`Asker`] writes requests and reads what is answered, [`SessionOpening`] is what is
//! said first on a connection, and [`Errand`] follows one order to its outcome.
//!
//! Servers differ: upsd since 2.4, NAS boxes, microcontrollers. What is odd and still clear is
//! understood, and told as an [`AnswerOddity`].

mod answer;
mod asker;
mod errand;
mod oddity;
mod opening;
mod request;

pub use answer::{Answer, Item, Refusal, Type};
pub use asker::{AskError, Asker, ConnectionFault, LONGEST_LINE, MOST_ITEMS, MOST_WAITING, Received};
pub use errand::{ClientOrder, Errand, OrderEnd};
pub use oddity::AnswerOddity;
pub use opening::{Rank, SessionOpening, TlsMode};
pub use request::{About, Having, NetworkRequest, Secret, Unspeakable, Values};

use std::time::Duration;

/// What a conversation wants next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next<T> {
    /// Ask this, and give the answer back.
    Ask(NetworkRequest),
    /// Ask this after a while.
    AskAfter(Duration, NetworkRequest),
    /// Begin TLS as the client, then go on with the answer that led here again.
    StartTls,
    /// It is over.
    End(T),
}
