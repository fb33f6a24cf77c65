//! What can be wrong in upssched.conf, and what is to be said of it.

use super::ACTIONS;
use crate::words::WordError;
use std::fmt;

/// A line that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpsschedConfError {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub fault: UpsschedConfFault,
}

/// What can be wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpsschedConfFault {
    /// It has no proper words.
    Words(WordError),
    /// Words are missing behind the directive; what belongs there.
    TooShort(&'static str, &'static str),
    /// There is a `=`, which no directive has.
    Equals(&'static str, &'static str),
    /// A directive is missing above the first AT: upssched ends there.
    Above(&'static str),
    /// AT of an event that there is not.
    NoEvent(String),
    /// AT with an action that there is not.
    NoAction(String),
    /// EXECUTE of an empty word.
    NoWord,
    /// START-TIMER without its seconds: upssched ends with a fault of memory, or waits for ever.
    NoSeconds,
    /// The value is no number from 0 on.
    NoNumber(&'static str, String),
}

/// A line that is accepted and has no effect, or another one than it seems to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpsschedConfRemark {
    /// Its number, from 1.
    pub line: usize,
    /// What is to be said about it.
    pub matter: UpsschedConfMatter,
}

/// What is to be said about a line that is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpsschedConfMatter {
    /// There is no such directive. Of one that is written with other capitals, the right one.
    Unknown(String, Option<&'static str>),
    /// Only the number at the beginning of the seconds is taken.
    Partial(String),
    /// What follows has no effect.
    More(&'static str),
    /// What follows the command has no effect in NUT up to 2.8.5.
    Arguments,
}

impl fmt::Display for UpsschedConfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.fault)
    }
}

impl fmt::Display for UpsschedConfRemark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.matter)
    }
}

impl fmt::Display for UpsschedConfFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UpsschedConfFault::Words(error) => write!(f, "{error}"),
            UpsschedConfFault::TooShort(word, form) => write!(f, "{word} lacks words: write {word} {form}"),
            UpsschedConfFault::Equals(word, form) => write!(f, "{word} has no =: write {word} {form}"),
            UpsschedConfFault::Above(word) => {
                write!(
                    f,
                    "upssched ends here, as there is no {word} above: write one in front of the first AT"
                )
            }
            UpsschedConfFault::NoEvent(word) => {
                write!(f, "AT: there is no event '{word}': remove the line, or correct the word")
            }
            UpsschedConfFault::NoAction(word) => {
                write!(f, "'{word}' is no action: write {}", ACTIONS.join(", "))
            }
            UpsschedConfFault::NoWord => {
                f.write_str("EXECUTE has an empty word: write one for the script to go by")
            }
            UpsschedConfFault::NoSeconds => {
                f.write_str("START-TIMER has no time: write START-TIMER name 30, in seconds")
            }
            UpsschedConfFault::NoNumber(word, value) => {
                write!(f, "{word} cannot have '{value}': write a whole number of at least 0")
            }
        }
    }
}

impl fmt::Display for UpsschedConfMatter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UpsschedConfMatter::Unknown(word, None) => {
                write!(f, "'{word}' is no directive of upssched.conf: remove the line, or correct the word")
            }
            UpsschedConfMatter::Unknown(word, Some(meant)) => {
                write!(f, "'{word}' has no effect: write {meant} in capitals")
            }
            UpsschedConfMatter::Partial(value) => {
                write!(f, "of '{value}' only the number counts: remove what follows it")
            }
            UpsschedConfMatter::More(word) => {
                write!(f, "what follows the value of {word} has no effect: remove it, or put it in quotes")
            }
            UpsschedConfMatter::Arguments => f.write_str(
                "NUT up to 2.8.5 runs only the first word of CMDSCRIPT: put the whole command in quotes",
            ),
        }
    }
}
