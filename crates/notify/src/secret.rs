//! A text that no log and no error shows.

use std::fmt;

/// A password, a token, or a URL that may hold one.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct HiddenText(String);

impl HiddenText {
    /// Keeps a text.
    pub fn new(text: impl Into<String>) -> HiddenText {
        HiddenText(text.into())
    }

    /// The text, for who sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for HiddenText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
