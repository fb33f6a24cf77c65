//! What the rules look at.

use std::net::IpAddr;

/// A number that a UPS has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SaidNumber {
    /// In the unit of NUT's variable.
    pub value: f64,
    /// It is an estimate, and not the word of the UPS.
    pub is_estimate: bool,
}

/// What a UPS says, by data that is fresh.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UpsSaid {
    /// `ups.status`, with FSD where the server forces the shutdown.
    pub status: String,
    /// `ups.alarm`; empty where there is none.
    pub alarm: String,
    /// `battery.charge`, in percent.
    pub charge: Option<SaidNumber>,
    /// `battery.runtime`, in seconds.
    pub runtime: Option<SaidNumber>,
    /// `ups.temperature`, in degrees Celsius.
    pub temperature: Option<SaidNumber>,
    /// `ups.load`, in percent.
    pub load: Option<SaidNumber>,
}

impl UpsSaid {
    /// Whether the status has a word.
    pub fn has(&self, word: &str) -> bool {
        self.status.split_ascii_whitespace().any(|said| said == word)
    }

    /// All of it in one line: `status OB DISCHRG, charge 87 %, runtime 1200 s (estimated)`.
    pub fn line(&self) -> String {
        let status = if self.status.is_empty() { "none" } else { &self.status };
        let mut line = format!("status {status}");
        let numbers =
            [("charge", self.charge, "%"), ("runtime", self.runtime, "s"), ("load", self.load, "%")];
        for (name, number, unit) in numbers.into_iter().chain([("temperature", self.temperature, "C")]) {
            if let Some(SaidNumber { value, is_estimate }) = number {
                let mark = if is_estimate { " (estimated)" } else { "" };
                line += &format!(", {name} {value} {unit}{mark}");
            }
        }
        if !self.alarm.is_empty() {
            line += &format!(", alarm: {}", self.alarm);
        }
        line
    }
}

/// One look at a UPS.
#[derive(Clone, Copy, Debug)]
pub struct UpsSight<'s> {
    /// What it says; none while there is no fresh data.
    pub said: Option<&'s UpsSaid>,
    /// The hosts that are logged in to it.
    pub hosts: &'s [IpAddr],
}
