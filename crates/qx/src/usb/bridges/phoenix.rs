//! Phoenix: as Cypress, but old replies may wait in it.

use super::cypress::REPORTS;
use crate::usb::bridge::{Bridge, Carriage, Reports, usb};

/// The bridge.
pub static PHOENIX: Bridge = Bridge {
    name: "phoenix",
    about: "as cypress; what is left of an old reply is read away before each command",
    ids: &[usb(0x06da, 0x0601), usb(0x14f0, 0x00c9)],
    carriage: Carriage::Reports(Reports { flush: 8, ..REPORTS }),
    answerless: &[],
    deaf_to: &[],
    dialect: None,
    sibling: None,
    source: "NUT 2.8.0 nutdrv_qx.c, phoenix_command",
};
