//! The lines of an answer, written where they are sent from.

use crate::network::ErrorWord;

/// Why a request has no answer but an error, or none yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Halt {
    /// `ERR` and this word.
    Error(ErrorWord),
    /// The right is not known yet.
    Later,
}

impl From<ErrorWord> for Halt {
    fn from(word: ErrorWord) -> Halt {
        Halt::Error(word)
    }
}

/// Appends the parts as they are, and a line feed.
pub(super) fn line(out: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
    out.push(b'\n');
}

/// Appends the parts, then a text in quotes, and a line feed.
pub(super) fn quoted_line(out: &mut Vec<u8>, parts: &[&str], text: &str) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
    out.push(b'"');
    escaped(out, text);
    out.extend_from_slice(b"\"\n");
}

/// Appends a text with `"`, `\` and `#` escaped (NUT 2.8.0 common/parseconf.c), without what no reader
/// keeps: some clients fail with a byte that is not ASCII, and a line feed would be the end.
pub(super) fn escaped(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    // without a branch for each byte, which most texts need none for
    let plain = bytes.iter().fold(true, |plain, byte| plain & is_plain(*byte));
    if plain {
        out.extend_from_slice(bytes);
        return;
    }
    for byte in bytes {
        match byte {
            b'"' | b'\\' | b'#' => out.extend_from_slice(&[b'\\', *byte]),
            b' '..=0x7f => out.push(*byte),
            _ => {}
        }
    }
}

fn is_plain(byte: u8) -> bool {
    byte.wrapping_sub(b' ') < 0x60 && byte != b'"' && byte != b'\\' && byte != b'#'
}

/// Whether two words are the same but for case, as those of requests are compared.
pub(super) fn is(word: &str, expected: &str) -> bool {
    word.eq_ignore_ascii_case(expected)
}
