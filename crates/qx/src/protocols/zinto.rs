//! Zinto: asks for the vendor by `FW?`.

use super::megatec::{RATING, STATUS, TEMPLATE, VENDOR};
use crate::vocabulary::variable::UPS_FIRMWARE;
use crate::wire::protocol::{Protocol, Sign};
use crate::wire::query::Query;

pub(super) static VENDOR_FW: Query = VENDOR.asked("FW?").source("NUT 2.8.0 nutdrv_qx_zinto.c");

/// The dialect.
pub static ZINTO: Protocol = Protocol {
    name: "zinto",
    about: "as megatec, but vendor by FW?",
    signs: &[Sign::Answers(&STATUS), Sign::Says(&VENDOR_FW, &UPS_FIRMWARE)],
    queries: &[&STATUS, &RATING, &VENDOR_FW],
    ..TEMPLATE
};
