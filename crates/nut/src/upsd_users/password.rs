//! Passwords: as they are, or hashed.

use super::UpsdUsersFault;
use std::fmt;

/// A password. Its text for debugging does not show it.
#[derive(Clone, PartialEq, Eq)]
pub enum Password {
    /// As it is.
    Plain(String),
    /// Ours: a PHC string, `$argon2id$...`.
    Hash(String),
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Password::Plain(_) => "Plain(..)",
            Password::Hash(_) => "Hash(..)",
        })
    }
}

/// Whether what a client gave is the password of a PHC string. The argument is that string first.
pub type HashCheck<'a> = &'a mut dyn FnMut(&str, &str) -> bool;

impl Password {
    /// Of what stands in the file.
    pub(super) fn of(text: &str) -> Result<Password, UpsdUsersFault> {
        let Some(rest) = text.strip_prefix("$argon2id$") else { return Ok(Password::Plain(text.into())) };
        // version (may be left out), costs, salt, hash
        let parts: Vec<&str> = rest.split('$').collect();
        let whole = matches!(parts.len(), 3 | 4) && parts.iter().all(|part| !part.is_empty());
        if whole { Ok(Password::Hash(text.into())) } else { Err(UpsdUsersFault::NoHash) }
    }

    /// Whether it is what the client gave. The time that a plain one takes tells nothing but its length.
    pub fn is(&self, given: &str, hash: HashCheck<'_>) -> bool {
        match self {
            Password::Plain(password) => {
                let differ = password.bytes().zip(given.bytes()).fold(0, |differ, (a, b)| differ | (a ^ b));
                (password.len() == given.len()) & (differ == 0)
            }
            Password::Hash(text) => hash(text, given),
        }
    }
}
