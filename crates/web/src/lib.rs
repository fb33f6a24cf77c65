//! What a browser, a program or Prometheus gets from `qxups serve` over HTTP.
//!
//! * [`view`]: the fleet as a snapshot. Values of a UPS without fresh data cannot be had from it.
//! * [`request`] takes an address apart and checks by which name the server is called; [`answer`](answer()) is a function of a
//!   request and a snapshot: [`metrics`], `json`, pages.
//! * [`PastQuestion`], [`Past`]: what is asked of the history, and what is there; series, plots, outages, the battery.
//! * [`access`]: who is logged in, and what is asked before an order.
//! * [`events`]: what a client of server-sent events has not heard yet.
//! * [`http`]: hyper between all of this and a connection, with bounds on headers, bodies, times and what is unread.
//!
//! Everything but [`http`] is pure: no I/O, no clock. Every text of a UPS or of a user goes through `escape`.

pub mod access;
mod answer;
mod assets;
mod condition;
mod escape;
pub mod events;
pub mod http;
mod json;
pub mod metrics;
mod number;
mod page;
mod past;
pub mod request;
#[cfg(test)]
mod testing;
pub mod view;

pub use answer::{PageAnswer, PageSource, Whole, answer};
pub use condition::{Seriousness, condition};
pub use number::unit_of;
pub use past::{
    Past, PastAsk, PastEnergy, PastOutage, PastPoint, PastQuestion, PastSeries, PastTrouble, SourcedNumber,
    SpanEnergy, VARIABLES, past_answer, thinned,
};
pub use request::{Asked, Place};
