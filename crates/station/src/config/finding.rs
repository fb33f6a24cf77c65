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
pub struct ConfigError {
    /// The option, as the table of options spells it; none when the sentence is about something else.
    pub option: Option<String>,
    /// What is wrong, then what to do.
    pub sentence: String,
}

impl ConfigError {
    /// What is wrong with one option.
    pub fn of(option: &str, sentence: impl Into<String>) -> ConfigError {
        ConfigError { option: Some(option.into()), sentence: sentence.into() }
    }

    /// What is wrong with no option in particular.
    pub fn general(sentence: impl Into<String>) -> ConfigError {
        ConfigError { option: None, sentence: sentence.into() }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for ConfigError {}

impl From<ConfigError> for String {
    fn from(wrong: ConfigError) -> String {
        wrong.sentence
    }
}

/// Something to say of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineFinding {
    /// The line of `ups.conf`, from 1; none for the command line.
    pub line: Option<usize>,
    /// How bad it is.
    pub severity: Severity,
    /// A sentence: what it is, and what to write.
    pub text: String,
}

impl LineFinding {
    /// An error in a line.
    pub fn error(line: Option<usize>, text: String) -> LineFinding {
        LineFinding { line, severity: Severity::Error, text }
    }

    /// A hint about a line.
    pub fn hint(line: Option<usize>, text: String) -> LineFinding {
        LineFinding { line, severity: Severity::Hint, text }
    }
}

impl fmt::Display for LineFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "ups.conf, line {line}: {}", self.text),
            None => f.write_str(&self.text),
        }
    }
}
