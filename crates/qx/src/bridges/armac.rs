//! Armac: short reports with a tag.

use super::cypress::REPORTS;
use crate::bridge::{Bridge, Carriage, End, Framing, Inlet, Reports, usb};

/// The bridge. Its units are asked nothing that they are known not to answer.
pub static ARMAC: Bridge = Bridge {
    name: "armac",
    about: "HID reports of a tag with a count and three bytes out; a count and five bytes back",
    ids: &[usb(0x0925, 0x1234)],
    carriage: Carriage::Reports(Reports {
        packing: Framing::Counted { size: 4, tag: 0xa0, mask: 0x0f },
        inlet: Inlet::Interrupt { endpoint: 0x81, size: 6 },
        unpacking: Framing::Counted { size: 6, tag: 0, mask: 0x0f },
        end: End::Silence,
        ..REPORTS
    }),
    answerless: &[],
    deaf_to: &["QGS", "QS", "QPI", "M", "D"],
    source: "NUT 2.8.0 nutdrv_qx.c, armac_command",
};
