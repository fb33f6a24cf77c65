//! Snr: as Krauler, but only questions, and the language has to be given.

use super::krauler::STRINGS;
use crate::usb::bridge::{Bridge, Carriage, Strings};

const INDEX: [(&str, u8); 3] = [("Q1", 0x03), ("F", 0x0d), ("I", 0x0c)];

fn index(command: &str) -> Option<u8> {
    INDEX.iter().find(|(name, _)| *name == command).map(|(_, index)| *index)
}

fn command(index: u8) -> Option<String> {
    INDEX.iter().find(|(_, number)| *number == index).map(|(name, _)| (*name).to_string())
}

/// The bridge. NUT's row for it can never be reached: a hunnox has the same numbers and texts, so it is
/// taken only when it is named.
pub static SNR: Bridge = Bridge {
    name: "snr",
    about: "replies are string descriptors in the language of langid_fix; only when it is named",
    ids: &[],
    carriage: Carriage::Strings(Strings {
        index,
        command,
        needs_language: true,
        longest: 102,
        dummy_read: 102,
        ..STRINGS
    }),
    answerless: &[],
    deaf_to: &[],
    dialect: None,
    sibling: None,
    source: "NUT 2.8.0 nutdrv_qx.c, snr_command",
};
