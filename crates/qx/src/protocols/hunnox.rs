//! Hunnox: as Zinto, with other delays and a charge.

use super::megatec::{RATING, STATUS, TEMPLATE};
use super::zinto::VENDOR_FW;
use crate::vocabulary::variable::BATTERY_CHARGE;
use crate::wire::acknowledgement::Acknowledgement;
use crate::wire::protocol::{Protocol, Sign};
use crate::wire::query::{Query, number, query};
use crate::wire::setting::Delay;

static CHARGE: Query =
    query("BL", "charge", "'B''L'C*", &[number('C', &BATTERY_CHARGE)]).source("NUT 2.8.5 nutdrv_qx_hunnox.c");

const DELAYS: &[Delay] =
    &[Delay { default: 0, ..TEMPLATE.delays[0] }, Delay { default: 60, ..TEMPLATE.delays[1] }];

/// The dialect.
pub static HUNNOX: Protocol = Protocol {
    name: "hunnox",
    about: "as zinto, from which nothing tells it, with other delays and a charge by BL",
    // its own bridge carries no FW?, and who is only taken by name needs no proof
    signs: &[Sign::Answers(&STATUS)],
    by_name: true,
    queries: &[&STATUS, &RATING, &VENDOR_FW, &CHARGE],
    delays: DELAYS,
    acknowledgement: Acknowledgement::SilenceOr("UPS No Ack"),
    ..TEMPLATE
};
