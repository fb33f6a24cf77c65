//! What answers and is no UPS of this family: it is recognised by its answer to `Q1`, and left alone.
//!
//! To an APC UPS that speaks UPS-Link each letter is an order of its own (NUT 2.8.0 apcsmart_tabs.h): `D` starts a
//! runtime calibration, `W` a battery test, `S` a soft shutdown. A modem, a receiver or a login is no place for
//! questions either.

use crate::wire::refusal::is_refusal;
use std::fmt;

/// A device at the other end that is no UPS of this family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForeignDevice {
    /// An APC UPS that speaks UPS-Link ("smart mode").
    UpsLink,
    /// A receiver that tells its position unasked (NMEA 0183).
    Receiver,
    /// A modem.
    Modem,
    /// A login, a shell or a boot loader.
    Console,
}

/// What modems say, beside `OK`, to what is no command (ITU-T V.250, 3GPP TS 27.007).
const MODEM: [&str; 6] = ["ERROR", "+CME ERROR", "+CMS ERROR", "NO CARRIER", "NO DIALTONE", "RING"];
/// What is said by logins and shells.
const CONSOLE: [&str; 10] = [
    "login:",
    "password:",
    "username:",
    "login incorrect",
    "command not found",
    "not found",
    "unknown command",
    "invalid command",
    "unrecognized command",
    "no such file",
];
/// Characters by which an APC tells of an event before its answer (NUT 2.8.0 apcsmart.h).
const ALERTS: &[u8] = b"!$%+?=#&|*~";
/// How a prompt ends.
const PROMPTS: [&[u8]; 4] = [b"$ ", b"# ", b"> ", b"~# "];

impl ForeignDevice {
    /// The device that answers `ask` by `line`, when that is certainly no UPS of this family.
    pub fn who_says(ask: &[u8], line: &[u8]) -> Option<ForeignDevice> {
        if is_refusal(ask, line) {
            return None;
        }
        let text = String::from_utf8_lossy(line.trim_ascii()).into_owned();
        let lower = text.to_ascii_lowercase();
        let answer = text
            .trim_start_matches(|letter: char| u8::try_from(letter).is_ok_and(|byte| ALERTS.contains(&byte)));
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte);
        if answer == "NA" || answer.len() == 2 && answer.bytes().all(is_hex) {
            return Some(ForeignDevice::UpsLink);
        }
        let sentence = text.strip_prefix('$').and_then(|rest| rest.split_once(','));
        let is_talker = |name: &str| {
            name.len() >= 5 && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        };
        if sentence.is_some_and(|(name, _)| is_talker(name)) {
            return Some(ForeignDevice::Receiver);
        }
        if MODEM
            .iter()
            .any(|said| text == *said || text.strip_prefix(said).is_some_and(|rest| rest.starts_with(':')))
        {
            return Some(ForeignDevice::Modem);
        }
        let has_letters = line.iter().filter(|byte| byte.is_ascii_alphabetic()).count() >= 2;
        let is_prompt = has_letters && PROMPTS.iter().any(|end| line.ends_with(end));
        (is_prompt || CONSOLE.iter().any(|said| lower.contains(said))).then_some(ForeignDevice::Console)
    }

    /// Whether such an answer may be the end of a reply whose beginning was lost: two status bits.
    pub(super) fn may_be_a_torn_reply(self, line: &[u8]) -> bool {
        self == ForeignDevice::UpsLink && line.trim_ascii().iter().all(|byte| matches!(byte, b'0' | b'1'))
    }
}

impl fmt::Display for ForeignDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ForeignDevice::UpsLink => {
                "as an APC UPS in UPS-Link mode does, to which further questions would be commands: use NUT's driver apcsmart"
            }
            ForeignDevice::Receiver => "as an NMEA (GPS) receiver does: name the port of the UPS",
            ForeignDevice::Modem => "as a modem does: name the port of the UPS",
            ForeignDevice::Console => "as a login or a shell does: name the port of the UPS",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::ForeignDevice;
    use crate::protocols;

    #[test]
    fn foreign_devices_are_recognised_by_their_answers() {
        let who = |line: &[u8]| ForeignDevice::who_says(b"Q1", line);
        for line in [&b"08"[..], b"NA", b"!08", b"50", b"0A", b"08 ", b"NA\n", b"?NA"] {
            assert_eq!(who(line), Some(ForeignDevice::UpsLink), "{}", line.escape_ascii());
        }
        assert_eq!(
            who(b"$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47"),
            Some(ForeignDevice::Receiver)
        );
        assert_eq!(who(b"$GNRMC,,V,,,,,,,,,,N*4D"), Some(ForeignDevice::Receiver));
        for line in [&b"ERROR"[..], b"+CME ERROR: 100", b"NO CARRIER", b"RING"] {
            assert_eq!(who(line), Some(ForeignDevice::Modem), "{}", line.escape_ascii());
        }
        for line in [
            &b"debian login: "[..],
            b"Password: ",
            b"-bash: Q1: command not found",
            b"sh: 1: Q1: not found",
            b"root@host:~# ",
            b"switch> ",
            b"Unknown command 'Q1' - try 'help'",
        ] {
            assert_eq!(who(line), Some(ForeignDevice::Console), "{}", line.escape_ascii());
        }
        for line in
            [&b"Q1"[..], b"(NAK", b"NAK", b"ERROR 42", b"", b"0", b"025", b"G1", b"0a", b"V", b"OK", b"#"]
        {
            assert_eq!(who(line), None, "{}", line.escape_ascii());
        }
    }

    /// No reply in the drawn form of any question is taken for that of a foreign device, but for those of two digits, which
    /// no dialect gives to `Q1`.
    #[test]
    fn no_ups_of_this_family_is_foreign() {
        for protocol in protocols::ALL {
            for query in protocol.queries.iter().filter(|query| query.ask == "Q1") {
                assert!(query.picture.len() > 8, "{}: {}", protocol.name, query.picture);
            }
        }
    }
}
