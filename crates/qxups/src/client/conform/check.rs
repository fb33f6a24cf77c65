//! What a check is.

use super::probe::{CutOff, Probe};

/// How much a departure matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grade {
    /// A client stumbles.
    Fault,
    /// It is not as it should be, or older than NUT 2.8, and clients live with it.
    Note,
}

/// What a check needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// A server.
    Server,
    /// A UPS that has data.
    Ups,
    /// That, and a user.
    User,
}

/// How a check is made.
pub enum Way {
    /// One request, with `{ups}` and `{UPS}` (in capitals) for the UPS, `{rw}` for a variable that can be written; and whether the lines of
    /// the answer are as they should be.
    Ask(&'static str, fn(&[String], &Probe) -> bool),
    /// Otherwise.
    Own(fn(&Probe) -> Result<CheckResult, CutOff>),
}

/// One check: what is sent, what is expected, on what grounds, and which client stumbles.
pub struct Check {
    /// Its name.
    pub name: &'static str,
    /// What is to be answered.
    pub expected: &'static str,
    /// Where that stands.
    pub source: &'static str,
    /// Which client breaks, and how.
    pub breaks: &'static str,
    /// How much it matters.
    pub grade: Grade,
    /// What it needs.
    pub needs: Needs,
    /// How it is made.
    pub way: Way,
}

/// What came of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckResult {
    /// As the protocol says.
    Good,
    /// Not so.
    Departs {
        /// What was sent.
        sent: String,
        /// What came.
        got: String,
    },
    /// It could not be tried, and why.
    NotTried(String),
}

impl CheckResult {
    /// Good, or what came of what was sent.
    pub fn of(good: bool, sent: &str, lines: &[String]) -> CheckResult {
        match good {
            true => CheckResult::Good,
            false => CheckResult::departs(sent, lines),
        }
    }

    /// What came of what was sent; of a long answer its beginning.
    pub fn departs(sent: &str, lines: &[String]) -> CheckResult {
        const MOST: usize = 4;
        let mut got: Vec<String> =
            lines.iter().take(MOST).map(|line| line.escape_debug().to_string()).collect();
        if lines.len() > MOST {
            got.push(format!("... {} lines", lines.len()));
        }
        let got = if got.is_empty() { "nothing".into() } else { got.join(" / ") };
        CheckResult::Departs { sent: sent.escape_debug().to_string(), got }
    }
}

impl Check {
    /// Makes the check, on a connection of its own.
    pub fn run(&self, probe: &Probe) -> CheckResult {
        if self.needs != Needs::Server && probe.ups.is_none() {
            return CheckResult::NotTried("no UPS of the server has data".into());
        }
        if self.needs == Needs::User && probe.user.is_none() {
            return CheckResult::NotTried("it needs --user".into());
        }
        match &self.way {
            Way::Own(own) => own(probe).unwrap_or_else(|broken| broken.verdict(self.name)),
            Way::Ask(template, fits) => {
                if template.contains("{rw}") && probe.writable.is_none() {
                    return CheckResult::NotTried("the UPS has no variable that can be written".into());
                }
                let sent = probe.filled(template);
                match probe.ask_alone(&sent) {
                    Ok(lines) => CheckResult::of(fits(&lines, probe), &sent, &lines),
                    Err(broken) => broken.verdict(&sent),
                }
            }
        }
    }
}
