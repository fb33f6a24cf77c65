//! Mustek: asks for the status by `QS`.

use super::megatec::{RATING, STATUS, TEMPLATE, VENDOR};
use crate::wire::protocol::{Protocol, Sign};
use crate::wire::query::Query;

pub(super) static STATUS_QS: Query = STATUS.asked("QS").source("NUT 2.8.0 nutdrv_qx_mustek.c");

/// The dialect.
pub static MUSTEK: Protocol = Protocol {
    name: "mustek",
    about: "as megatec, but status by QS; vendor and ratings may be missing",
    signs: &[Sign::Answers(&STATUS_QS)],
    queries: &[&STATUS_QS, &RATING, &VENDOR],
    ..TEMPLATE
};
