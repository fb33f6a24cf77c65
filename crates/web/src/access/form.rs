//! What a form sends: `application/x-www-form-urlencoded`, as the URL Standard has it, with bounds.

use crate::escape::decoded;
use std::fmt;

/// No form is longer, in bytes.
pub const LONGEST_FORM: usize = 16 * 1024;
/// And none has more fields.
const FIELDS: usize = 16;

/// The fields of a form; each occurs once. Its text for debugging shows no values: there are passwords among them.
#[derive(Clone, PartialEq, Eq)]
pub struct PostedForm(Vec<(String, String)>);

impl fmt::Debug for PostedForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// Why a form is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrongForm {
    /// It has more than [`LONGEST_FORM`] bytes, or more fields than any form of ours.
    TooLong,
    /// A field occurs twice: which one is meant cannot be known.
    Twice,
    /// It is no text, or has control characters in it.
    NotText,
}

impl fmt::Display for WrongForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            WrongForm::TooLong => "The form is too long: send what the page asks for, 16 kB at most.",
            WrongForm::Twice => "The form has a field twice: send each once.",
            WrongForm::NotText => {
                "The form has bytes that are no text, or a line break in a field: send one line of UTF-8 for each."
            }
        })
    }
}

impl PostedForm {
    /// Reads a whole form.
    ///
    /// # Errors
    /// [`WrongForm`].
    pub fn parse(bytes: &[u8]) -> Result<PostedForm, WrongForm> {
        if bytes.len() > LONGEST_FORM {
            return Err(WrongForm::TooLong);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| WrongForm::NotText)?;
        let mut fields: Vec<(String, String)> = vec![];
        for part in text.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let field = |part: &str| {
                decoded(part, true).filter(|text| !text.contains(char::is_control)).ok_or(WrongForm::NotText)
            };
            let (name, value) = (field(name)?, field(value)?);
            if fields.iter().any(|(known, _)| *known == name) {
                return Err(WrongForm::Twice);
            }
            if fields.len() >= FIELDS {
                return Err(WrongForm::TooLong);
            }
            fields.push((name, value));
        }
        Ok(PostedForm(fields))
    }

    /// What a field holds.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether it has no other fields than this one.
    pub fn has_only(&self, name: &str) -> bool {
        self.0.iter().all(|(known, _)| known == name)
    }

    /// The same of a field that may be left out; empty is left out.
    pub fn some(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }
}

/// Whether a content type says that this is a form.
pub fn is_form(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_browsers_write_them() {
        let form = PostedForm::parse(b"name=J%C3%BCrgen+X&password=a%26b%3Dc%2B&empty=&flag&").unwrap();
        assert_eq!(form.get("name"), Some("J\u{fc}rgen X"));
        assert_eq!(form.get("password"), Some("a&b=c+"));
        assert_eq!((form.get("empty"), form.some("empty"), form.get("flag")), (Some(""), None, Some("")));
        assert_eq!(form.get("nothing"), None);
        assert!(!format!("{form:?}").contains("a&b"));
        assert_eq!(PostedForm::parse(b"").unwrap().get(""), None);
    }

    #[test]
    fn what_is_no_form_is_refused() {
        let many: String = (0..17).map(|number| format!("f{number}=x&")).collect();
        let long = format!("a={}", "b".repeat(LONGEST_FORM));
        for (bytes, why) in [
            (b"a=1&a=1".as_slice(), WrongForm::Twice),
            (b"a=1&%61=2", WrongForm::Twice),
            (b"a=%ff", WrongForm::NotText),
            (b"a=%f", WrongForm::NotText),
            (b"\xff=1", WrongForm::NotText),
            (b"a=x%0ay", WrongForm::NotText),
            (b"a=%00", WrongForm::NotText),
            (many.as_bytes(), WrongForm::TooLong),
            (long.as_bytes(), WrongForm::TooLong),
        ] {
            assert_eq!(PostedForm::parse(bytes), Err(why), "{}", String::from_utf8_lossy(bytes));
        }
        assert!(is_form("application/x-www-form-urlencoded; charset=UTF-8"));
        for other in ["", "text/plain", "multipart/form-data; boundary=x", "application/json"] {
            assert!(!is_form(other), "{other}");
        }
    }
}
