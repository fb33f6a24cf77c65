//! Q1: nothing but the status.

use super::megatec::{STATUS, TEMPLATE};
use crate::option::Flag;
use crate::protocol::{Protocol, Sign};

/// The dialect.
pub static Q1: Protocol = Protocol {
    name: "q1",
    about: "as megatec, but nothing is asked except the status by Q1",
    signs: &[Sign::Answers(&STATUS)],
    queries: &[&STATUS],
    flags: &[Flag::IgnoreSab],
    ..TEMPLATE
};
