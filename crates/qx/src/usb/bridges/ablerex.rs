//! Ablerex: one long report each way.

use super::cypress::REPORTS;
use crate::usb::bridge::{Bridge, Carriage, End, Frame, Framing, Inlet, Outlet, Reports, usb};

/// Bytes of a report.
const SIZE: usize = 47;

static FRAME: Frame = Frame {
    about: "`05 00`, length of the command plus one, the command with its carriage return, zeros up to 47 bytes",
    pack: |line| {
        if line.len() + 3 > SIZE {
            return None;
        }
        let mut frame = vec![0x05, 0x00, line.len() as u8];
        frame.extend(line);
        frame.resize(SIZE, 0);
        Some(frame)
    },
    unpack: |frame| {
        let [0x05, 0x00, length, rest @ ..] = frame else { return None };
        rest.get(..usize::from(*length)).map(<[u8]>::to_vec)
    },
};

/// The bridge.
pub static ABLEREX: Bridge = Bridge {
    name: "ablerex",
    about: "one HID report of 47 bytes each way",
    ids: &[usb(0xffff, 0x0000)],
    carriage: Carriage::Reports(Reports {
        outlet: Outlet::Report(0x0305),
        packing: Framing::Custom(&FRAME),
        inlet: Inlet::Report { value: 0x0305, size: SIZE, pause_ms: 500 },
        unpacking: Framing::Padded(SIZE),
        end: End::Transfer,
        ..REPORTS
    }),
    answerless: &[],
    deaf_to: &[],
    dialect: None,
    sibling: None,
    source: "NUT 2.8.0 nutdrv_qx.c, ablerex_command",
};
