//! What can be wrong in upsmon.conf, and what is to be said of it.

use super::directive::UpsmonDirective;
use super::event::NotifyFlags;
use crate::words::WordError;
use std::fmt;

/// A line that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpsmonConfError {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub fault: UpsmonConfFault,
}

/// What can be wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpsmonConfFault {
    /// It has no proper words.
    Words(WordError),
    /// Words are missing behind the directive.
    TooShort(UpsmonDirective),
    /// There is a `=`, which no directive has: upsmon takes it for the value, and as a number for 0.
    Equals(UpsmonDirective),
    /// The value is no whole number from the least on. upsmon takes the ones without a digit for 0.
    NoNumber(UpsmonDirective, String),
    /// MONITOR without a user, of before NUT 1.4: upsmon does not start.
    NoUser,
    /// MONITOR with a power value that is none.
    NoPowerValue(String),
    /// MONITOR of a UPS whose place cannot be read.
    NoPlace(String),
    /// NOTIFYMSG or NOTIFYFLAG of an event that there is not.
    NoEvent(UpsmonDirective, String),
}

/// A line that is accepted and has no effect, or another one than it seems to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpsmonConfRemark {
    /// Its number, from 1.
    pub line: usize,
    /// What is to be said about it.
    pub matter: UpsmonConfMatter,
}

/// What is to be said about a line that is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpsmonConfMatter {
    /// There is no such directive. Of one that is written with other capitals, the right one.
    Unknown(String, Option<UpsmonDirective>),
    /// Only the number at the beginning of the value is taken.
    Partial(UpsmonDirective, String),
    /// What follows the value has no effect.
    More(UpsmonDirective),
    /// What follows the command has no effect in NUT up to 2.8.5.
    Arguments(UpsmonDirective),
    /// Neither primary nor secondary, which upsmon takes for secondary.
    Role(String),
    /// A second MONITOR of the same text, which has no effect.
    Twice(String),
    /// SHUTDOWNEXIT that is neither yes, no nor a number, which upsmon takes for yes.
    NoExit(String),
    /// NOTIFYFLAG with a word that is no flag.
    NoFlag(String),
    /// IGNORE beside other flags, which have no effect then.
    Ignored,
}

impl UpsmonConfMatter {
    /// Whether what was meant does not happen: a directive that is lost, a role that is another one.
    pub fn is_grave(&self) -> bool {
        !matches!(self, UpsmonConfMatter::Partial(..) | UpsmonConfMatter::More(UpsmonDirective::Monitor))
            && !matches!(self, UpsmonConfMatter::Ignored | UpsmonConfMatter::Twice(_))
    }
}

impl fmt::Display for UpsmonConfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.fault)
    }
}

impl fmt::Display for UpsmonConfRemark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.matter)
    }
}

impl fmt::Display for UpsmonConfFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UpsmonConfFault::Words(error) => write!(f, "{error}"),
            UpsmonConfFault::TooShort(directive) => {
                write!(f, "{directive} lacks words: write {directive} {}", directive.form())
            }
            UpsmonConfFault::Equals(directive) => {
                write!(f, "{directive} has no =: write {directive} {}", directive.form())
            }
            UpsmonConfFault::NoNumber(directive, value) => write!(
                f,
                "{directive} cannot be '{value}': write a whole number of at least {}",
                directive.least()
            ),
            UpsmonConfFault::NoUser => {
                write!(
                    f,
                    "MONITOR has no user, and upsmon does not start: write MONITOR {}",
                    UpsmonDirective::Monitor.form()
                )
            }
            UpsmonConfFault::NoPowerValue(value) => write!(
                f,
                "the power value of MONITOR cannot be '{value}': write how many supplies of this host the UPS feeds, 0 for none"
            ),
            UpsmonConfFault::NoPlace(text) => {
                write!(f, "'{text}' names no UPS: write ups@host, or ups@host:port")
            }
            UpsmonConfFault::NoEvent(directive, word) => {
                write!(f, "{directive}: there is no event '{word}': remove the line, or correct the word")
            }
        }
    }
}

impl fmt::Display for UpsmonConfMatter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UpsmonConfMatter::Unknown(word, None) => {
                write!(f, "'{word}' is no directive of upsmon.conf: remove the line, or correct the word")
            }
            UpsmonConfMatter::Unknown(word, Some(directive)) => {
                write!(f, "'{word}' has no effect: write {directive} in capitals")
            }
            UpsmonConfMatter::Partial(directive, value) => {
                write!(f, "of {directive} '{value}' only the number counts: remove what follows it")
            }
            UpsmonConfMatter::More(directive) => {
                write!(
                    f,
                    "what follows the value of {directive} has no effect: remove it, or put it in quotes"
                )
            }
            UpsmonConfMatter::Arguments(directive) => write!(
                f,
                "NUT up to 2.8.5 runs only the first word of {directive}: put the whole command in quotes"
            ),
            UpsmonConfMatter::Role(word) => {
                write!(
                    f,
                    "'{word}' is neither primary nor secondary, and upsmon takes it for secondary: write one of them"
                )
            }
            UpsmonConfMatter::Twice(system) => {
                write!(
                    f,
                    "there is a MONITOR of {system} above, and this one has no effect: remove one of them"
                )
            }
            UpsmonConfMatter::NoExit(word) => {
                write!(
                    f,
                    "SHUTDOWNEXIT cannot be '{word}', and upsmon takes it for yes: write yes, no, or a number of seconds"
                )
            }
            UpsmonConfMatter::NoFlag(word) => write!(
                f,
                "'{word}' is no flag, and has no effect: write {}, with + in between and no blanks",
                NotifyFlags::WORDS.join(", ")
            ),
            UpsmonConfMatter::Ignored => {
                f.write_str("beside IGNORE no other flag has an effect: remove one or the other")
            }
        }
    }
}
