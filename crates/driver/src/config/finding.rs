//! What there is to say of a configuration, and of which line.

use std::fmt;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// The driver does not start, or not as was meant.
    Wrong,
    /// It is good to know.
    Remark,
}

/// Something to say of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The line of `ups.conf`, from 1; none for the command line.
    pub line: Option<usize>,
    /// How bad it is.
    pub weight: Weight,
    /// A sentence: what it is, and what to write.
    pub text: String,
}

impl Finding {
    /// Something that is wrong.
    pub fn wrong(line: Option<usize>, text: String) -> Finding {
        Finding { line, weight: Weight::Wrong, text }
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
