//! What a server does that the protocol does not say, and that was understood all the same.

use std::fmt;

/// An oddity of an answer. Each makes some client stumble; for `qxups conform`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnswerOddity {
    /// A line ends with a carriage return.
    CarriageReturn,
    /// A blank line.
    BlankLine,
    /// A line with a byte that is not ASCII: aionut (Home Assistant) fails with it.
    NotAscii(String),
    /// A text without quotes, or with a quote, `#` or backslash that is not escaped: PyNUT and go.nut
    /// cut it or lose the line.
    Quotes(String),
    /// Words of the request that are not repeated as they were: clients that compare them read on for
    /// ever.
    Echo {
        /// What the protocol wants.
        expected: String,
        /// What the server sent.
        said: String,
    },
    /// What stands behind ERR is none of upsd's words, or more than one: WinNUT fails with it.
    ErrorWord(String),
    /// A list ends with an error: go.nut reads on for ever.
    ErrorInList(String),
}

impl fmt::Display for AnswerOddity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AnswerOddity::CarriageReturn => f.write_str("a line ends with a carriage return"),
            AnswerOddity::BlankLine => f.write_str("a blank line"),
            AnswerOddity::NotAscii(line) => write!(f, "a byte that is not ASCII: {line}"),
            AnswerOddity::Quotes(text) => write!(f, "a text that is not quoted or escaped: {text}"),
            AnswerOddity::Echo { expected, said } => write!(f, "'{said}' where '{expected}' belongs"),
            AnswerOddity::ErrorWord(text) => write!(f, "an error word that upsd does not have: {text}"),
            AnswerOddity::ErrorInList(line) => write!(f, "an error inside of a list: {line}"),
        }
    }
}
