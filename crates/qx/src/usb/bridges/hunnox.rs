//! Hunnox: as Fabula, in lock-step.

use super::fabula::{FABULA_STRINGS, command, index};
use crate::usb::bridge::{Bridge, Carriage, Strings, usb};

fn index_with_charge(name: &str) -> Option<u8> {
    if name == "BL" { Some(0xf3) } else { index(name) }
}

fn command_with_charge(index: u8) -> Option<String> {
    if index == 0xf3 { Some("BL".into()) } else { command(index) }
}

/// The bridge.
pub static HUNNOX: Bridge = Bridge {
    name: "hunnox",
    about: "as fabula; before each command another string is read, or the bridge falls silent",
    ids: &[usb(0x0001, 0x0000).called("MEC0003")],
    carriage: Carriage::Strings(Strings {
        index: index_with_charge,
        command: command_with_charge,
        longest: 102,
        steps: &[0x0d, 0x03, 0x0c],
        ..FABULA_STRINGS
    }),
    answerless: &[],
    deaf_to: &[],
    dialect: None,
    sibling: None,
    source: "NUT 2.8.0 nutdrv_qx.c, hunnox_command and hunnox_protocol; BL: 2.8.5",
};
