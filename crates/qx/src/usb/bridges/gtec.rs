//! Gtec: pieces of eight bytes out, long transfers back.

use super::cypress::REPORTS;
use crate::usb::bridge::{Bridge, Carriage, Inlet, Outlet, Reports};

/// The bridge. Its numbers are not published: it is taken only by name.
pub static GTEC: Bridge = Bridge {
    name: "gtec",
    about: "HID reports of eight bytes out, transfers of 128 back; only when it is named",
    ids: &[],
    carriage: Carriage::Reports(Reports {
        outlet: Outlet::Report(0x0002),
        inlet: Inlet::Interrupt { endpoint: 0x81, size: 128 },
        ..REPORTS
    }),
    answerless: &[],
    deaf_to: &[],
    dialect: None,
    sibling: None,
    source: "NUT 2.8.5 nutdrv_qx.c, gtec_command",
};
