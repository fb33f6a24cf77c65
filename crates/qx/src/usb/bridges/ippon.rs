//! Ippon: pieces of eight bytes out, one transfer back.

use super::cypress::REPORTS;
use crate::usb::bridge::{Bridge, Carriage, End, Inlet, Outlet, Reports, usb};

/// The bridge.
pub static IPPON: Bridge = Bridge {
    name: "ippon",
    about: "HID reports of eight bytes out, the reply in one transfer of 64",
    ids: &[usb(0x06da, 0x0003)],
    carriage: Carriage::Reports(Reports {
        outlet: Outlet::Report(0x0002),
        inlet: Inlet::Interrupt { endpoint: 0x81, size: 64 },
        end: End::Transfer,
        ..REPORTS
    }),
    answerless: &[],
    deaf_to: &[],
    dialect: None,
    sibling: None,
    source: "NUT 2.8.0 nutdrv_qx.c, ippon_command (with zeros as padding, as in 2.8.5)",
};
