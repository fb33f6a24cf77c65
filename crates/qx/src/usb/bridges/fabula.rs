//! Fabula: replies are string descriptors, and a shutdown is a number that counts its delay.

use super::krauler::STRINGS;
use crate::usb::bridge::{Bridge, Carriage, Strings, usb};

const INDEX: [(&str, u8); 5] = [("Q1", 0x03), ("F", 0x0d), ("I", 0x0c), ("Q", 0x07), ("C", 0x0a)];

/// The number of a command. A shutdown after half a minute is 0x10, each tenth of a minute more is 0x10
/// more, one minute 0x60, each minute more 0x10 more, up to ten; 8 more for one that returns. A delay
/// that is longer has no number; one that is shorter becomes half a minute, the least there is.
pub(super) fn index(command: &str) -> Option<u8> {
    let shutdown = || {
        let (delay, back) =
            command.strip_prefix('S')?.split_once('R').unwrap_or((command.strip_prefix('S')?, "1"));
        let tenths = match delay.strip_prefix('.') {
            Some(tenth) => tenth.parse::<u8>().ok().filter(|tenth| *tenth < 10)?,
            None => delay.parse::<u8>().ok()?.checked_mul(10)?,
        };
        let returns = if back.parse::<u32>().ok()? > 0 { 8 } else { 0 };
        match tenths {
            0..10 => Some(16 + (tenths.max(5) - 5) * 16 + returns),
            10..=100 => Some(96 + (tenths / 10 - 1) * 16 + returns),
            _ => None,
        }
    };
    INDEX.iter().find(|(name, _)| *name == command).map(|(_, index)| *index).or_else(shutdown)
}

/// The command of a number.
pub(super) fn command(index: u8) -> Option<String> {
    if let Some((name, _)) = INDEX.iter().find(|(_, number)| *number == index) {
        return Some((*name).to_string());
    }
    let back = if index & 0x0f == 8 { "R0001" } else { "R0000" };
    match (index & 0x0f, index >> 4) {
        (0 | 8, sixteenths @ 1..=5) => Some(format!("S.{}{back}", sixteenths + 4)),
        (0 | 8, sixteenths @ 6..=15) => Some(format!("S{:02}{back}", sixteenths - 5)),
        _ => None,
    }
}

fn lead(_: &str) -> Option<u8> {
    None
}

/// Strings as Fabula reads them.
pub(super) const FABULA_STRINGS: Strings = Strings { index, command, lead, attempts: 1, ..STRINGS };

/// The bridge.
pub static FABULA: Bridge = Bridge {
    name: "fabula",
    about: "replies are string descriptors; a shutdown has a number for its delay of half to ten minutes",
    ids: &[usb(0x0001, 0x0000).by("MEC").called("MEC0003")],
    carriage: Carriage::Strings(FABULA_STRINGS),
    answerless: &[],
    deaf_to: &[],
    dialect: None,
    sibling: None,
    source: "NUT 2.8.0 nutdrv_qx.c, fabula_command",
};
