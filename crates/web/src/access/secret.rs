//! Random secrets, which clients get as text and give back.

use std::fmt;
use std::hint::black_box;

/// 256 random bits: the key of a session, a token, the mark of a question. Its text for debugging does not show it.
#[derive(Clone, Copy)]
pub struct PageSecret([u8; 32]);

impl fmt::Debug for PageSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PageSecret(..)")
    }
}

impl PageSecret {
    /// Of bytes that the caller has from the operating system.
    pub fn from_random(bytes: [u8; 32]) -> PageSecret {
        PageSecret(bytes)
    }

    /// As a client gets it: 64 hexadecimal digits.
    pub fn text(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether a client gave this one. The time that it takes says nothing of where they differ.
    pub fn is(&self, given: &str) -> bool {
        is_same(self.text().as_bytes(), given.as_bytes())
    }
}

/// Whether two texts are the same. The time that it takes says nothing but their lengths.
pub fn is_same(one: &[u8], other: &[u8]) -> bool {
    let differ = one.iter().zip(other).fold(0, |differ, (one, other)| black_box(differ | (one ^ other)));
    (one.len() == other.len()) & (differ == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_text_is_the_secret() {
        let mut bytes = [0xa5; 32];
        bytes[31] = 7;
        let secret = PageSecret::from_random(bytes);
        let text = secret.text();
        assert_eq!((text.len(), &text[..4], &text[62..]), (64, "a5a5", "07"));
        assert!(secret.is(&text));
        for wrong in ["", &text[..63], &text.to_uppercase(), &format!("{text}0"), &text.replace("07", "08")] {
            assert!(!secret.is(wrong), "{wrong}");
        }
        assert_eq!(format!("{secret:?}"), "PageSecret(..)");
    }
}
