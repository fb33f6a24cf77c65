//! JSON, as far as it is written here.

use std::fmt::Write;

/// A text as a string of JSON, with its quotes.
pub fn text(text: &str, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            letter if letter.is_control() => {
                // writing to a String cannot fail
                let _ = write!(out, "\\u{:04x}", u32::from(letter));
            }
            letter => out.push(letter),
        }
    }
    out.push('"');
}

/// An object that is being written.
pub struct JsonObject<'o> {
    out: &'o mut String,
    is_empty: bool,
}

impl<'o> JsonObject<'o> {
    /// Begins it.
    pub fn begin(out: &'o mut String) -> JsonObject<'o> {
        out.push('{');
        JsonObject { out, is_empty: true }
    }

    /// A member whose value `write` writes.
    pub fn member(&mut self, name: &str, write: impl FnOnce(&mut String)) {
        if !std::mem::take(&mut self.is_empty) {
            self.out.push(',');
        }
        text(name, self.out);
        self.out.push(':');
        write(self.out);
    }

    /// A member that is a text.
    pub fn text(&mut self, name: &str, value: &str) {
        self.member(name, |out| text(value, out));
    }

    /// The same where there is one.
    pub fn text_if(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    /// Ends it.
    pub fn end(self) {
        self.out.push('}');
    }
}

/// A list of texts.
pub fn texts<'t>(all: impl Iterator<Item = &'t str>, out: &mut String) {
    out.push('[');
    for (at, each) in all.enumerate() {
        if at > 0 {
            out.push(',');
        }
        text(each, out);
    }
    out.push(']');
}
