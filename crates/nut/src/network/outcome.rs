//! What becomes of a tracked request.

use std::fmt;

/// What is known of a tracked INSTCMD or SET (NUT 2.8.0 server/upsd.c `tracking_get`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TrackedOutcome {
    /// The driver has not answered yet.
    Pending,
    /// The driver did it.
    Success,
    /// The driver has no such command or variable, or the server has no such id.
    Unknown,
    /// The driver takes no such value or parameter.
    Invalid,
    /// The driver could not do it, or does not know that it was done.
    Failed,
}

impl TrackedOutcome {
    /// The whole line that answers GET TRACKING, without its line feed.
    pub fn text(self) -> &'static str {
        match self {
            TrackedOutcome::Pending => "PENDING",
            TrackedOutcome::Success => "SUCCESS",
            TrackedOutcome::Unknown => "ERR UNKNOWN",
            TrackedOutcome::Invalid => "ERR INVALID-ARGUMENT",
            TrackedOutcome::Failed => "ERR FAILED",
        }
    }

    /// What such a line says; `None` when it is no outcome.
    pub fn of(line: &str) -> Option<TrackedOutcome> {
        [
            TrackedOutcome::Pending,
            TrackedOutcome::Success,
            TrackedOutcome::Unknown,
            TrackedOutcome::Invalid,
            TrackedOutcome::Failed,
        ]
        .into_iter()
        .find(|outcome| outcome.text() == line)
    }

    /// What the number of a driver's TRACKING line means (NUT 2.8.0 drivers/upshandler.h; 4 is of newer
    /// NUT, a value that cannot be converted). `None` for any other, of which upsd says ERR UNKNOWN.
    pub fn of_driver(code: u8) -> Option<TrackedOutcome> {
        match code {
            0 => Some(TrackedOutcome::Success),
            1 => Some(TrackedOutcome::Unknown),
            2 | 4 => Some(TrackedOutcome::Invalid),
            3 => Some(TrackedOutcome::Failed),
            _ => None,
        }
    }
}

impl fmt::Display for TrackedOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// The name of a tracked request: a UUID of version 4, written as upsd does, in capitals. Two are
/// compared without case, as upsd does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TrackingId([u8; 16]);

impl TrackingId {
    /// Of 16 random bytes, which the caller has from the operating system.
    pub fn from_random(mut bytes: [u8; 16]) -> TrackingId {
        if let Some(byte) = bytes.get_mut(6) {
            *byte = (*byte & 0x0f) | 0x40;
        }
        if let Some(byte) = bytes.get_mut(8) {
            *byte = (*byte & 0x3f) | 0x80;
        }
        TrackingId(bytes)
    }

    /// Reads one: 36 characters, hexadecimal digits of any case.
    pub fn parse(text: &str) -> Option<TrackingId> {
        let dash = |at: usize| matches!(at, 8 | 13 | 18 | 23);
        if text.len() != 36 || !text.bytes().enumerate().all(|(at, byte)| (byte == b'-') == dash(at)) {
            return None;
        }
        let digits: Option<Vec<u8>> = text
            .bytes()
            .filter(|byte| *byte != b'-')
            .map(|byte| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect();
        let bytes: Vec<u8> = digits?
            .chunks_exact(2)
            .map(|pair| pair.iter().fold(0u8, |byte, digit| byte << 4 | digit))
            .collect();
        bytes.try_into().ok().map(TrackingId)
    }
}

impl fmt::Display for TrackingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02X}")?;
        }
        Ok(())
    }
}
