//! Findings: what is wrong, and what to do.

use serde_json::{Value, json};
use std::fmt;

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingKind {
    /// `ups.conf` cannot be read.
    NoConfiguration,
    /// `ups.conf` has no section, or not the one that was asked for.
    NoSection,
    /// A line of `ups.conf` is none.
    BadLine,
    /// The driver would refuse its section.
    BadSection,
    /// There is no such driver.
    NoSuchDriver,
    /// Two sections share a port.
    SamePort,
    /// The driver's user does not exist.
    NoUser,
    /// The state directory is missing, or the driver's user may not write there.
    StateDirectory,
    /// A PID file names a process that is no driver.
    StalePidFile,
    /// A driver's socket with no driver behind it.
    DeadSocket,
    /// Two drivers for one UPS.
    TwinDrivers,
    /// No driver runs.
    NotRunning,
    /// The server runs, and has not found the UPS.
    NotFound,
    /// The driver runs, but its data is old.
    StaleData,
    /// The driver runs, but does not answer.
    DriverHangs,
    /// The port does not exist.
    NoPort,
    /// The port is something else.
    NotASerialPort,
    /// The driver's user may not open the port.
    PortForbidden,
    /// Another program uses the port.
    PortInUse,
    /// No USB device fits.
    NoUsbDevice,
    /// The driver's user may not open the USB device, and no rule of udev names it.
    UdevRuleMissing,
    /// The same although a rule names it.
    UdevRuleNotApplied,
    /// The port cannot be opened for another reason.
    CannotOpen,
    /// Every question comes back, and nothing else.
    Echo,
    /// What comes is no text.
    Garbage,
    /// Nothing comes.
    Silence,
    /// Nothing comes, but it would with other modem lines.
    CablePower,
    /// The UPS speaks another dialect than `protocol` says.
    OtherDialect,
    /// The UPS speaks no known dialect.
    UnknownDialect,
    /// Something else than a UPS of this family answers: an APC in smart mode, a modem, a login.
    OtherDevice,
    /// The converter answers, the UPS behind it does not.
    DeadUps,
}

impl FindingKind {
    /// Its name, for programs: `port-forbidden`.
    pub fn name(self) -> String {
        let mut name = String::new();
        for letter in format!("{self:?}").chars() {
            if letter.is_uppercase() && !name.is_empty() {
                name.push('-');
            }
            name.push(letter.to_ascii_lowercase());
        }
        name
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its kind.
    pub kind: FindingKind,
    /// The UPS or file it is about.
    pub about: String,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // a port that was named is said once
        match self.what.starts_with(&self.about) {
            true => write!(f, "{}; {}", self.what, self.remedy),
            false => write!(f, "{}: {}; {}", self.about, self.what, self.remedy),
        }
    }
}

/// All that was found.
#[derive(Debug, Default)]
pub struct Report {
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// What is as it should be, or only worth knowing.
    pub notes: Vec<String>,
}

impl Report {
    /// Something is wrong.
    pub fn add(
        &mut self,
        kind: FindingKind,
        about: impl fmt::Display,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let (about, what, remedy) = (about.to_string(), what.into(), remedy.into());
        self.findings.push(Finding { kind, about, what, remedy });
    }

    /// Something is worth knowing.
    pub fn note(&mut self, about: impl fmt::Display, text: impl fmt::Display) {
        self.notes.push(format!("{about}: {text}"));
    }

    /// For people: one thing a line.
    pub fn text(&self) -> String {
        let mut lines: Vec<String> = self.findings.iter().map(ToString::to_string).collect();
        lines.extend(self.notes.iter().map(|note| format!("# {note}")));
        if self.findings.is_empty() {
            lines.push("nothing wrong was found".into());
        }
        // what a device says of itself begins no line and moves no cursor
        let plain = |line: &String| {
            line.chars().map(|letter| if letter.is_control() { '?' } else { letter }).collect::<String>()
        };
        lines.iter().map(|line| plain(line) + "\n").collect()
    }

    /// For programs.
    pub fn json(&self) -> String {
        let entry = |finding: &Finding| {
            json!({
                "kind": finding.kind.name(),
                "about": finding.about,
                "what": finding.what,
                "remedy": finding.remedy,
            })
        };
        let findings: Vec<Value> = self.findings.iter().map(entry).collect();
        format!("{:#}\n", json!({ "findings": findings, "notes": self.notes }))
    }

    #[cfg(test)]
    pub fn kinds(&self) -> Vec<FindingKind> {
        self.findings.iter().map(|finding| finding.kind).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn for_people_and_for_programs() {
        let mut report = Report::default();
        report.note("u", "OL");
        assert_eq!(report.text(), "# u: OL\nnothing wrong was found\n");
        report.add(FindingKind::UdevRuleMissing, "u", "a\nb", "do this");
        assert_eq!(report.text(), "u: a?b; do this\n# u: OL\n");
        let mut named = Report::default();
        named.add(FindingKind::NoPort, "/dev/ttyS9", "/dev/ttyS9 is not there", "name another");
        assert_eq!(named.text(), "/dev/ttyS9 is not there; name another\n");
        let read: Value = serde_json::from_str(&report.json()).unwrap();
        assert_eq!(read["findings"][0]["kind"], "udev-rule-missing");
        assert_eq!((&read["findings"][0]["what"], &read["notes"][0]), (&"a\nb".into(), &"u: OL".into()));
    }
}
