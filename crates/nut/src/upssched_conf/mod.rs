//! `upssched.conf` (NUT 2.8.0 and newest, clients/upssched.c), which says what NOTIFYCMD does when it is upssched.
//!
//! upssched reads the file anew for each event, line by line, and ends at the first `AT` above which CMDSCRIPT, PIPEFN or
//! LOCKFN is missing: such a line is an [`UpsschedConfError`] here, and the others are read all the same.

mod fault;
#[cfg(test)]
mod tests;

pub use fault::{UpsschedConfError, UpsschedConfFault, UpsschedConfMatter, UpsschedConfRemark};

use crate::upsmon_conf::UpsmonEvent;
use crate::words::lines;

/// A whole file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpsschedConf {
    /// CMDSCRIPT: up to NUT 2.8.5 a line for a shell, since then a program and its arguments.
    pub script: Vec<String>,
    /// PIPEFN.
    pub pipe: Option<String>,
    /// LOCKFN.
    pub lock: Option<String>,
    /// AT, in order.
    pub rules: Vec<UpsschedRule>,
    /// The lines that cannot be used, all of them.
    pub wrong: Vec<UpsschedConfError>,
    /// The lines that have no effect, or another one than they seem to.
    pub remarks: Vec<UpsschedConfRemark>,
}

/// `AT event ups action`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpsschedRule {
    /// At what.
    pub event: UpsmonEvent,
    /// Of which UPS, as MONITOR of upsmon.conf names it; none for all.
    pub ups: Option<String>,
    /// What is done.
    pub action: UpsschedAction,
    /// The line it stands in, from 1.
    pub line: usize,
}

/// What is done at an event. The script gets the name of the timer, or the word, as its last argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpsschedAction {
    /// START-TIMER: the script runs after so many seconds.
    StartTimer {
        /// The timer, and the word for the script.
        name: String,
        /// After how many seconds.
        after_s: u32,
        /// START-TIMER-SHARED (since NUT 2.8.5): a timer of this name that runs goes on, and no second one starts.
        shared: bool,
    },
    /// CANCEL-TIMER: the first timer of this name that runs ends; where none runs, the script runs with the other word.
    CancelTimer {
        /// The timer.
        name: String,
        /// The word for the script, if there is one.
        otherwise: Option<String>,
    },
    /// EXECUTE: the script runs with this word.
    Execute(String),
}

/// What an `AT` does, by its word.
const ACTIONS: [&str; 4] = ["START-TIMER", "START-TIMER-SHARED", "CANCEL-TIMER", "EXECUTE"];
/// The directives, with what follows each.
const DIRECTIVES: [(&str, &str); 5] = [
    ("CMDSCRIPT", "and the path of a program"),
    ("PIPEFN", "and the path of the pipe to be made"),
    ("LOCKFN", "and the path of the lock to be made"),
    ("AT", "ONBATT * START-TIMER name 30, or EXECUTE name, or CANCEL-TIMER name"),
    ("DEBUG_MIN", "and a number from 0 on"),
];

/// The words that lines of the file begin with.
pub fn directives() -> impl Iterator<Item = &'static str> + Clone {
    DIRECTIVES.iter().map(|(word, _)| *word)
}

/// Reads a file; nothing in it stops the rest.
pub fn parse(text: &[u8]) -> UpsschedConf {
    let mut conf = UpsschedConf::default();
    for line in lines(text) {
        let taken = line.words.map_err(UpsschedConfFault::Words).and_then(|words| {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            conf.take(line.number, &words)
        });
        if let Err(fault) = taken {
            conf.wrong.push(UpsschedConfError { line: line.number, fault });
        }
    }
    conf
}

impl UpsschedConf {
    fn take(&mut self, line: usize, words: &[&str]) -> Result<(), UpsschedConfFault> {
        let Some((word, values)) = words.split_first() else { return Ok(()) };
        let Some((directive, form)) = DIRECTIVES.iter().find(|(known, _)| known == word) else {
            let meant = directives().find(|known| known.eq_ignore_ascii_case(word));
            self.remark(line, UpsschedConfMatter::Unknown((*word).into(), meant));
            return Ok(());
        };
        let too_short = || UpsschedConfFault::TooShort(directive, form);
        let first = *values.first().ok_or_else(too_short)?;
        if first == "=" {
            return Err(UpsschedConfFault::Equals(directive, form));
        }
        match *directive {
            "CMDSCRIPT" => {
                if values.len() > 1 {
                    self.remark(line, UpsschedConfMatter::Arguments);
                }
                self.script = values.iter().map(|word| (*word).to_string()).collect();
            }
            "PIPEFN" => self.pipe = Some(first.into()),
            "LOCKFN" => self.lock = Some(first.into()),
            "AT" => self.at(line, values)?,
            // an older upssched takes it for no directive
            _ => {
                let number = first.parse::<u32>();
                number.map_err(|_| UpsschedConfFault::NoNumber("DEBUG_MIN", first.into()))?;
            }
        }
        let used = match *directive {
            "CMDSCRIPT" => usize::MAX,
            "AT" => 5,
            _ => 1,
        };
        if values.len() > used {
            self.remark(line, UpsschedConfMatter::More(directive));
        }
        Ok(())
    }

    fn at(&mut self, line: usize, values: &[&str]) -> Result<(), UpsschedConfFault> {
        let [event, ups, action, name, rest @ ..] = values else {
            let form = DIRECTIVES.iter().find(|(word, _)| *word == "AT").map_or("", |(_, form)| form);
            return Err(UpsschedConfFault::TooShort("AT", form));
        };
        let (event, ups, action, name) = (*event, *ups, *action, *name);
        for (is_there, word) in [
            (!self.script.is_empty(), "CMDSCRIPT"),
            (self.pipe.is_some(), "PIPEFN"),
            (self.lock.is_some(), "LOCKFN"),
        ] {
            let is_said = || self.wrong.iter().any(|wrong| wrong.fault == UpsschedConfFault::Above(word));
            if !is_there && !is_said() {
                self.wrong.push(UpsschedConfError { line, fault: UpsschedConfFault::Above(word) });
            }
        }
        let event = UpsmonEvent::named(event).ok_or_else(|| UpsschedConfFault::NoEvent(event.into()))?;
        let ups = (ups != "*").then(|| ups.to_string());
        let action = match action {
            "START-TIMER" | "START-TIMER-SHARED" => {
                let shared = action == "START-TIMER-SHARED";
                let after_s = self.seconds(line, rest.first().copied())?;
                UpsschedAction::StartTimer { name: name.into(), after_s, shared }
            }
            "CANCEL-TIMER" => {
                let otherwise = rest.first().filter(|word| !word.is_empty()).map(|word| (*word).to_string());
                UpsschedAction::CancelTimer { name: name.into(), otherwise }
            }
            "EXECUTE" if name.is_empty() => return Err(UpsschedConfFault::NoWord),
            "EXECUTE" => {
                if !rest.is_empty() {
                    self.remark(line, UpsschedConfMatter::More("EXECUTE"));
                }
                UpsschedAction::Execute(name.into())
            }
            other => return Err(UpsschedConfFault::NoAction(other.into())),
        };
        self.rules.push(UpsschedRule { event, ups, action, line });
        Ok(())
    }

    /// The digits at the beginning, as `strtol` of C reads them; upssched takes what is none for 0.
    fn seconds(&mut self, line: usize, text: Option<&str>) -> Result<u32, UpsschedConfFault> {
        let text = text.ok_or(UpsschedConfFault::NoSeconds)?;
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let number = text.get(..digits).and_then(|digits| digits.parse().ok());
        let number = number.ok_or_else(|| UpsschedConfFault::NoNumber("START-TIMER", text.into()))?;
        if digits < text.len() {
            self.remark(line, UpsschedConfMatter::Partial(text.into()));
        }
        Ok(number)
    }

    fn remark(&mut self, line: usize, matter: UpsschedConfMatter) {
        self.remarks.push(UpsschedConfRemark { line, matter });
    }
}
