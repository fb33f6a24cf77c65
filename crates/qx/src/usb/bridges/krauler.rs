//! Krauler: replies are string descriptors.

use crate::usb::bridge::{Bridge, Carriage, Strings, usb};

/// Commands and the strings that are their replies.
const INDEX: [(&str, u8); 7] =
    [("Q1", 0x03), ("F", 0x0d), ("I", 0x0c), ("T", 0x04), ("TL", 0x05), ("Q", 0x07), ("C", 0x0b)];

fn index(command: &str) -> Option<u8> {
    // to stop a test and to stop a shutdown is the same
    let command = if command == "CT" { "C" } else { command };
    INDEX.iter().find(|(name, _)| *name == command).map(|(_, index)| *index)
}

fn command(index: u8) -> Option<String> {
    INDEX.iter().find(|(_, number)| *number == index).map(|(name, _)| (*name).to_string())
}

/// The first byte that comes is none of the reply's; replies to commands say nothing.
fn lead(command: &str) -> Option<u8> {
    Some(match command {
        "Q1" => b'(',
        "F" | "I" => b'#',
        _ => b'\r',
    })
}

/// What most bridges of strings share.
pub(super) const STRINGS: Strings = Strings {
    index,
    command,
    lead,
    no_reply: "UPS No Ack",
    attempts: 10,
    longest: 255,
    needs_language: false,
    steps: &[],
    dummy_read: 0,
};

/// The bridge.
pub static KRAULER: Bridge = Bridge {
    name: "krauler",
    about: "replies are string descriptors; a command has a number",
    ids: &[usb(0x0001, 0x0000), usb(0x1cb0, 0x0035)],
    carriage: Carriage::Strings(STRINGS),
    answerless: &[],
    deaf_to: &[],
    dialect: None,
    sibling: None,
    source: "NUT 2.8.0 nutdrv_qx.c, krauler_command",
};
