//! What the questions of detection mean to other families of UPSes: what would do least harm goes first.
//!
//! UPS-Link (APC, "smart mode") has no lines: each letter is an order by itself, so a question does the worst of
//! its letters. The other families in NUT's source read lines, frames, or single bytes that no question has.

use crate::protocols;
use crate::vocabulary::escape::escape;
use std::fmt::Write;

/// What a question would do to a UPS that takes it for something else, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Harm {
    /// Nothing: all its letters ask, or mean nothing.
    Nothing,
    /// It leaves its language, and falls silent to its own driver for a while.
    Muteness,
    /// A soft shutdown, obeyed on battery only.
    SoftShutdown,
    /// A test of the panel.
    PanelTest,
    /// A test of the battery, or its end.
    BatteryTest,
    /// A calibration of the runtime, which empties the battery, or its end.
    Calibration,
    /// A power failure is simulated, the bypass or the load is switched.
    Switching,
}

impl Harm {
    /// For people.
    pub const fn about(self) -> &'static str {
        match self {
            Harm::Nothing => "none",
            Harm::Muteness => "leaves UPS-Link mode",
            Harm::SoftShutdown => "soft shutdown, if it is on battery",
            Harm::PanelTest => "panel test",
            Harm::BatteryTest => "battery test",
            Harm::Calibration => "runtime calibration: empties the battery",
            Harm::Switching => "switches",
        }
    }
}

/// A letter of UPS-Link, what it does, and what it is (NUT 2.8.0 apcsmart_tabs.h, apcsmart_tabs.c, apcsmart.h).
type Letter = (u8, Harm, &'static str);

/// The letters that NUT knows.
#[rustfmt::skip]
const UPS_LINK: &[Letter] = &[
    (b'A', Harm::PanelTest, "panel test"),
    (b'B', Harm::Nothing, "battery volts?"),
    (b'C', Harm::Nothing, "temperature?"),
    (b'D', Harm::Calibration, "calibration on or off"),
    (b'E', Harm::Nothing, "test interval?"),
    (b'F', Harm::Nothing, "input frequency?"),
    (b'G', Harm::Nothing, "reason of transfer?"),
    (b'H', Harm::Nothing, "humidity?"),
    (b'I', Harm::Nothing, "alarms enabled?"),
    (b'J', Harm::Nothing, "alarms raised?"),
    (b'K', Harm::Switching, "shutdown, when sent twice"),
    (b'L', Harm::Nothing, "input volts?"),
    (b'M', Harm::Nothing, "highest input volts?"),
    (b'N', Harm::Nothing, "lowest input volts?"),
    (b'O', Harm::Nothing, "output volts?"),
    (b'P', Harm::Nothing, "load?"),
    (b'Q', Harm::Nothing, "status?"),
    (b'R', Harm::Muteness, "leave UPS-Link mode"),
    (b'S', Harm::SoftShutdown, "soft shutdown, on battery"),
    (b'T', Harm::Nothing, "uptime?"),
    (b'U', Harm::Switching, "simulate a power failure"),
    (b'V', Harm::Nothing, "firmware?"),
    (b'W', Harm::BatteryTest, "battery test on or off"),
    (b'X', Harm::Nothing, "test result?"),
    (b'Y', Harm::Nothing, "enter UPS-Link mode"),
    (b'Z', Harm::Switching, "load off, when sent twice"),
    (b'7', Harm::Nothing, "a register?"),
    (b'8', Harm::Nothing, "a register?"),
    (b'9', Harm::Nothing, "line quality?"),
    (b'@', Harm::Switching, "shutdown after a grace"),
    (b'^', Harm::Switching, "bypass on or off"),
    (b'-', Harm::Switching, "change a setting"),
    (0x0e, Harm::Switching, "load on, when sent twice"),
];

/// What other families in NUT's source make of a whole question: those that read lines, or letters with their end.
#[rustfmt::skip]
const ELSEWHERE: &[(&str, &str)] = &[
    ("D",   "CyberPower (powerpanel): status?; Oneac: display code?; Best Ferrups: shows a parameter"),
    ("I",   "Oneac: inverter ready?"),
    ("ID",  "Best Ferrups: identification?; Oneac: by letters, as D and I"),
    ("M",   "Oneac: maker?"),
    ("FW?", "IVT: status? (F); Oneac: family?, last transfer?"),
    ("WA",  "Oneac: last transfer?, lowest volts?"),
    ("WH",  "Oneac: last transfer?, nominal frequency?"),
    ("MSO", "Oneac: maker?, output volts?, shutdown?"),
    ("QPI", "Axpert: its own question; Powercom and Ever read single bytes, none of which are those of its checksum"),
    ("QGS", "Axpert: refused, without a checksum"),
];

/// The harm that a question may do, as it goes over the wire.
pub fn harm(wire: &[u8]) -> Harm {
    let of = |byte: &u8| UPS_LINK.iter().find(|(letter, ..)| letter == byte).map(|(_, harm, _)| *harm);
    wire.iter().filter_map(of).max().unwrap_or(Harm::Nothing)
}

/// Every question by which detection finds a dialect, the least harmful first: a table for `docs/detection.md`.
pub fn table() -> String {
    let signs =
        protocols::ALL.iter().flat_map(|protocol| protocol.signs.iter().map(move |sign| (sign, protocol)));
    let mut rows: Vec<(Harm, &str, Vec<u8>, Vec<&str>)> = vec![];
    for (sign, protocol) in signs {
        let (ask, wire) = (sign.query().ask, sign.query().wire(0));
        match rows.iter_mut().find(|(_, known, bytes, _)| *known == ask && *bytes == wire) {
            Some((.., of)) => of.push(protocol.name),
            None => rows.push((harm(&wire), ask, wire, vec![protocol.name])),
        }
    }
    rows.sort_by_key(|(harm, ask, wire, _)| (*ask != "Q1", *harm, *ask, wire.clone()));
    let mut out = String::from(
        "| bytes | sign of | worst in UPS-Link | its letters in UPS-Link | elsewhere |\n|---|---|---|---|---|\n",
    );
    for (harm, ask, wire, of) in rows {
        let letter = |byte: &u8| {
            let known = UPS_LINK.iter().find(|(letter, ..)| letter == byte);
            known.map(|(letter, _, means)| format!("{} {means}", char::from(*letter)))
        };
        let letters: Vec<String> = wire.iter().filter_map(letter).collect();
        let elsewhere = ELSEWHERE.iter().find(|(known, _)| *known == ask).map_or("", |(_, means)| means);
        let _ = writeln!(
            out,
            "| `{}` | {} | {} | {} | {elsewhere} |",
            escape(&wire),
            of.join(", "),
            harm.about(),
            letters.join(", ")
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Harm, UPS_LINK, harm};

    #[test]
    fn a_question_does_the_worst_of_its_letters() {
        // by hand, from apcsmart_tabs.c
        for (ask, wanted) in [
            ("Q1", Harm::Nothing),
            ("QPI", Harm::Nothing),
            ("QS", Harm::SoftShutdown),
            ("D", Harm::Calibration),
            ("ID", Harm::Calibration),
            ("WH", Harm::BatteryTest),
            ("WA", Harm::BatteryTest),
            ("SASV07?", Harm::PanelTest),
            ("FW?", Harm::BatteryTest),
        ] {
            assert_eq!(harm(ask.as_bytes()), wanted, "{ask}");
        }
        let mut letters: Vec<u8> = UPS_LINK.iter().map(|(letter, ..)| *letter).collect();
        let count = letters.len();
        letters.sort_unstable();
        letters.dedup();
        assert_eq!(letters.len(), count);
    }
}
