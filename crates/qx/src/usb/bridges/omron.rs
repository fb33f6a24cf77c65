//! Omron: pieces of sixteen bytes out, one transfer back.

use super::cypress::REPORTS;
use crate::usb::bridge::{Bridge, Carriage, End, Framing, Inlet, Outlet, Reports, usb};

/// The bridge.
pub static OMRON: Bridge = Bridge {
    name: "omron",
    about: "HID reports of sixteen bytes out, the reply in one transfer of 64",
    ids: &[usb(0x0590, 0x00b7)],
    carriage: Carriage::Reports(Reports {
        outlet: Outlet::Report(0x0002),
        packing: Framing::Padded(16),
        inlet: Inlet::Interrupt { endpoint: 0x81, size: 64 },
        end: End::Transfer,
        ..REPORTS
    }),
    answerless: &[],
    deaf_to: &[],
    dialect: Some("omron"),
    sibling: None,
    source: "NUT 2.8.5 nutdrv_qx.c, omron_command; dialect: nutdrv_qx_omron.c, omron_claim",
};
