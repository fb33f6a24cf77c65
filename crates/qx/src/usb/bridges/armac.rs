//! Armac: short reports with a tag, or long ones where the device has other endpoints.

use super::cypress::REPORTS;
use crate::usb::bridge::{Bridge, Carriage, End, Frame, Framing, Inlet, Outlet, Reports, Sibling, usb};

/// What its units are known not to answer; nothing is asked of that.
const DEAF_TO: &[&str] = &["QGS", "QS", "QPI", "M", "D"];
/// The status bits of a reply to Q1 begin here.
const STATUS_BITS: usize = 38;

const SHORT: Reports = Reports {
    packing: Framing::Counted { size: 4, tag: 0xa0, mask: 0x0f },
    inlet: Inlet::Interrupt { endpoint: 0x81, size: 6 },
    unpacking: Framing::Counted { size: 6, tag: 0, mask: 0x0f },
    end: End::Empty,
    zero_digits_from: Some(STATUS_BITS),
    ..REPORTS
};

/// The bridge.
pub static ARMAC: Bridge = Bridge {
    name: "armac",
    about: "HID reports of a tag with a count and three bytes out; a count and five bytes back",
    ids: &[usb(0x0925, 0x1234)],
    carriage: Carriage::Reports(SHORT),
    answerless: &[],
    deaf_to: DEAF_TO,
    dialect: None,
    sibling: Some(Sibling { inlet: 0x82, outlet: 0x02, packet: 64, bridge: &ARMAC_LONG }),
    source: "NUT 2.8.0 nutdrv_qx.c, armac_command; long reports and zero bytes: 2.8.5",
};

/// The whole line in one report.
static FRAME: Frame = Frame {
    about: "`A0` plus the count of what follows, the line",
    pack: |line| {
        let count = u8::try_from(line.len()).ok().filter(|count| *count < 63)?;
        Some([&[0xa0 + count][..], line].concat())
    },
    unpack: |report| {
        let count = usize::from(report.first()?.checked_sub(0xa0)?);
        report.get(1..=count).map(<[u8]>::to_vec)
    },
};

/// How newer devices of these numbers work.
pub static ARMAC_LONG: Bridge = Bridge {
    name: "armac",
    about: "a tag with a count and the whole line in one interrupt transfer, both ways",
    ids: &[],
    carriage: Carriage::Reports(Reports {
        outlet: Outlet::Interrupt(0x02),
        packing: Framing::Custom(&FRAME),
        inlet: Inlet::Interrupt { endpoint: 0x82, size: 64 },
        unpacking: Framing::Counted { size: 64, tag: 0, mask: 0x3f },
        end: End::Silence,
        ..SHORT
    }),
    answerless: &[],
    deaf_to: DEAF_TO,
    dialect: None,
    sibling: None,
    source: "NUT 2.8.5 nutdrv_qx.c, armac_command",
};
