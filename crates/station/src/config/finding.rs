//! What there is to say of a configuration, of which option and of which line.

use std::fmt;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The driver does not start, or not as was meant.
    Error,
    /// The driver starts; the administrator should know it.
    Hint,
}

/// What is wrong with an option, or with the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The option, as the table of options spells it; none when the sentence is about something else.
    pub option: Option<String>,
    /// What is wrong, then what to do.
    pub sentence: String,
}

impl Wrong {
    /// What is wrong with one option.
    pub fn of(option: &str, sentence: impl Into<String>) -> Wrong {
        Wrong { option: Some(option.into()), sentence: sentence.into() }
    }

    /// What is wrong with no option in particular.
    pub fn general(sentence: impl Into<String>) -> Wrong {
        Wrong { option: None, sentence: sentence.into() }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for Wrong {}

impl From<Wrong> for String {
    fn from(wrong: Wrong) -> String {
        wrong.sentence
    }
}

/// Something to say of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The line of `ups.conf`, from 1; none for the command line.
    pub line: Option<usize>,
    /// How bad it is.
    pub severity: Severity,
    /// A sentence: what it is, and what to write.
    pub text: String,
}

impl Finding {
    /// An error in a line.
    pub fn error(line: Option<usize>, text: String) -> Finding {
        Finding { line, severity: Severity::Error, text }
    }

    /// A hint about a line.
    pub fn hint(line: Option<usize>, text: String) -> Finding {
        Finding { line, severity: Severity::Hint, text }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "ups.conf, line {line}: {}", self.text),
            None => f.write_str(&self.text),
        }
    }
}
