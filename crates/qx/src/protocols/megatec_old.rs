//! Megatec/old: asks for the status by `D`.

use super::megatec::{RATING, STATUS, TEMPLATE, VENDOR};
use crate::wire::protocol::{Protocol, Sign};
use crate::wire::query::Query;

pub(super) static STATUS_D: Query = STATUS.asked("D").source("NUT 2.8.0 nutdrv_qx_megatec-old.c");

/// The dialect.
pub static MEGATEC_OLD: Protocol = Protocol {
    name: "megatec/old",
    about: "as megatec, but status by D; vendor and ratings may be missing",
    signs: &[Sign::Answers(&STATUS_D)],
    queries: &[&STATUS_D, &RATING, &VENDOR],
    ..TEMPLATE
};
