//! Fuji: a frame that names the length of the reply.

use super::cypress::REPORTS;
use crate::usb::bridge::{Bridge, Carriage, Frame, Framing, Outlet, Reports, usb};

/// Lengths of the replies that are known, with their ends.
const LENGTHS: [(&str, u8); 3] = [("Q1", 47), ("F", 22), ("I", 39)];
/// A frame has room for so many letters.
const ROOM: usize = 3;

static FRAME: Frame = Frame {
    about: "`80 06`, length of the command plus one, `03`, three bytes of command (a shutdown with return goes without its time of return), length of the reply",
    pack: |line| {
        let command = line.strip_suffix(b"\r")?;
        let name = std::str::from_utf8(command).ok()?;
        let (name, command) = match without_return(name) {
            Some(short) => (short, short.as_bytes()),
            None => (name, command),
        };
        if command.len() > ROOM {
            return None;
        }
        let length = LENGTHS.iter().find(|(known, _)| *known == name).map_or(0, |(_, length)| *length);
        let mut frame = vec![0x80, 0x06, command.len() as u8 + 1, 0x03];
        frame.extend(command);
        frame.resize(4 + ROOM, 0);
        frame.push(length);
        Some(frame)
    },
    unpack: |frame| {
        let [0x80, 0x06, length, 0x03, rest @ ..] = frame else { return None };
        let command = rest.get(..usize::from(length.checked_sub(1)?))?;
        Some([command, b"\r"].concat())
    },
};

/// A shutdown with return, without its time of return, for which there is no room: a load that comes
/// back sooner is better than one that is never switched off. One that does not return stays whole,
/// and is refused.
fn without_return(command: &str) -> Option<&str> {
    let (shutdown, minutes) = command.strip_prefix('S').and(command.split_once('R'))?;
    (minutes.parse::<u16>().ok()? > 0).then_some(shutdown)
}

/// The bridge.
pub static FUJI: Bridge = Bridge {
    name: "fuji",
    about: "interrupt transfers of eight bytes, a frame with three letters of command out",
    ids: &[usb(0x0001, 0x0000).by("ATCL FOR UPS").called("ATCL FOR UPS")],
    carriage: Carriage::Reports(Reports {
        outlet: Outlet::Interrupt(0x02),
        packing: Framing::Custom(&FRAME),
        ..REPORTS
    }),
    answerless: &[],
    deaf_to: &[],
    dialect: None,
    sibling: None,
    source: "NUT 2.8.0 nutdrv_qx.c, fuji_command",
};
