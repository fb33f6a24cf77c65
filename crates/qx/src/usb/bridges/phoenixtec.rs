//! Phoenixtec: a vendor's request out, the reply in transfers of any length.

use super::cypress::REPORTS;
use crate::usb::bridge::{Bridge, Carriage, Framing, Inlet, Outlet, Reports, usb};

/// The bridge of Masterguard's series A.
pub static PHOENIXTEC: Bridge = Bridge {
    name: "phoenixtec",
    about: "a vendor's request out, transfers of any length back; commands have no reply",
    ids: &[usb(0x06da, 0x0002).by("Phoenixtec Power").called("USB Cable (V2.00)")],
    carriage: Carriage::Reports(Reports {
        outlet: Outlet::Vendor(0x0d),
        packing: Framing::Whole,
        inlet: Inlet::Interrupt { endpoint: 0x81, size: 64 },
        unpacking: Framing::Whole,
        ..REPORTS
    }),
    answerless: &["T", "TL", "S", "C", "CT", "M", "N", "O", "SRC", "FCLR", "SS", "TUD", "SSN"],
    deaf_to: &[],
    dialect: None,
    sibling: None,
    source: "NUT 2.8.0 nutdrv_qx.c, phoenixtec_command",
};
