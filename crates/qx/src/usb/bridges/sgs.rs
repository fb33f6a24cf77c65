//! TS Shara (sgs): reports that count their bytes.

use super::cypress::REPORTS;
use crate::usb::bridge::{Bridge, Carriage, End, Framing, Reports, usb};

/// One byte of count, seven of data.
const COUNTED: Framing = Framing::Counted { size: 8, tag: 0, mask: 0x07 };

/// The bridge. Replies may come without their carriage return, so silence ends them too.
pub static SGS: Bridge = Bridge {
    name: "sgs",
    about: "HID reports of a count and seven bytes, both ways",
    ids: &[usb(0x0483, 0x0035)],
    carriage: Carriage::Reports(Reports {
        packing: COUNTED,
        unpacking: COUNTED,
        end: End::Silence,
        ..REPORTS
    }),
    answerless: &[],
    deaf_to: &[],
    dialect: None,
    sibling: None,
    source: "NUT 2.8.0 nutdrv_qx.c, sgs_command",
};
