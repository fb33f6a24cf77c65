//! Cypress: the converter of most Voltronic units.

use crate::usb::bridge::{Bridge, Carriage, End, Framing, Inlet, Outlet, Reports, usb};

/// Reports of eight bytes both ways, from which other bridges differ in a word.
pub(super) const REPORTS: Reports = Reports {
    outlet: Outlet::Report(0x0200),
    packing: Framing::Padded(8),
    inlet: Inlet::Interrupt { endpoint: 0x81, size: 8 },
    unpacking: Framing::Padded(8),
    end: End::Return,
    flush: 0,
    zero_digits_from: None,
};

/// The bridge.
pub static CYPRESS: Bridge = Bridge {
    name: "cypress",
    about: "HID reports of eight bytes, both ways",
    ids: &[
        usb(0x05b8, 0x0000),
        usb(0x0665, 0x5161),
        usb(0x06da, 0x0002),
        usb(0x06da, 0x0004),
        usb(0x06da, 0x0005),
        usb(0x06da, 0x0201),
        usb(0x0f03, 0x0001),
    ],
    carriage: Carriage::Reports(REPORTS),
    answerless: &[],
    deaf_to: &[],
    dialect: None,
    sibling: None,
    source: "NUT 2.8.0 nutdrv_qx.c, cypress_command",
};
