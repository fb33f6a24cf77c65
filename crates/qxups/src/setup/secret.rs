//! Passwords that are made, and those that every client can give.

use std::fs::File;
use std::io::Read;

/// 32 letters that are not taken for one another.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// So many of them are a password: 80 bits.
const LENGTH: usize = 16;

/// A new password.
///
/// # Errors
/// The system gives no random bytes.
pub fn make() -> Result<String, String> {
    let mut bytes = [0; LENGTH];
    let read = File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
    read.map_err(|error| format!("cannot read /dev/urandom: {error}"))?;
    Ok(bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect())
}

/// Whether every client of NUT can give it: 2.8.0 writes the word as it is, without quotes.
///
/// # Errors
/// A sentence.
pub fn check(password: &str) -> Result<(), String> {
    let is_fit = |byte: u8| byte.is_ascii_graphic() && !b"\"\\#=".contains(&byte);
    match password.len() <= 512 && password.bytes().all(is_fit) {
        true => Ok(()),
        false => Err(
            "not every client of NUT can give it: use at most 512 letters, digits and signs of ASCII, without blanks, quotes, \\, # and ="
                .into(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_can_be_given_by_every_client() {
        let (one, other) = (make().unwrap(), make().unwrap());
        assert!(one != other && one.len() == LENGTH);
        assert_eq!(check(&one), Ok(()));
        for bad in ["a b", "a#b", "a\"", "a\\", "a=b", "\u{fc}", "a\tb"] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
