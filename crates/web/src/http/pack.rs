//! Answers in gzip, for who accepts that (RFC 9110, 12.5.3). What never changes is packed once, as small as can be; all else as
//! it is made, and quickly.

use crate::answer::Whole;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

/// What is shorter gains nothing.
const LEAST: usize = 512;

/// Whether a client takes gzip: it names it, or all, and not with a quality of 0.
pub(super) fn accepts_gzip(accepted: &str) -> bool {
    let quality = |name: &str| {
        let mut found = accepted.split(',').filter_map(|part| {
            let (coding, rest) = part.split_once(';').unwrap_or((part, ""));
            coding.trim().eq_ignore_ascii_case(name).then(|| !is_zero(rest))
        });
        found.next()
    };
    quality("gzip").or_else(|| quality("*")).unwrap_or(false)
}

/// Whether parameters have a quality of 0, 0.0 and so on.
fn is_zero(parameters: &str) -> bool {
    parameters
        .split(';')
        .filter_map(|part| part.trim().strip_prefix(['q', 'Q'])?.trim().strip_prefix('='))
        .any(|digits| {
            let digits = digits.trim();
            digits.starts_with('0') && digits.bytes().all(|byte| matches!(byte, b'0' | b'.'))
        })
}

/// What never changes, packed: by the place of the text, which lies there as long as the program.
static PACKED: Mutex<BTreeMap<usize, &'static [u8]>> = Mutex::new(BTreeMap::new());

/// Packs an answer; whether it did. What would not be shorter stays as it is.
pub(super) fn pack(whole: &mut Whole) -> bool {
    if whole.body.len() < LEAST {
        return false;
    }
    let packed = match &whole.body {
        Cow::Borrowed(text) => once(text).map(Cow::Borrowed),
        Cow::Owned(text) => gzip(text, Compression::fast()).map(Cow::Owned),
    };
    match packed.filter(|packed| packed.len() < whole.body.len()) {
        Some(packed) => {
            whole.body = packed;
            true
        }
        None => false,
    }
}

fn once(text: &'static [u8]) -> Option<&'static [u8]> {
    let place = text.as_ptr().addr();
    let mut all = PACKED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(packed) = all.get(&place) {
        return Some(packed);
    }
    // there are a few such texts, of this version of the program
    let packed: &'static [u8] = gzip(text, Compression::best())?.leak();
    all.insert(place, packed);
    Some(packed)
}

fn gzip(text: &[u8], how: Compression) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(text.len() / 4), how);
    // writing to memory cannot fail
    encoder.write_all(text).ok()?;
    encoder.finish().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_for_who_accepts_it() {
        for (accepted, takes) in [
            ("gzip", true),
            ("gzip, deflate, br", true),
            ("br;q=1.0, GZIP;q=0.2", true),
            ("*", true),
            ("deflate, *;q=0.5", true),
            ("", false),
            ("identity", false),
            ("br", false),
            ("gzip;q=0", false),
            ("gzip;q=0.000, *", false),
            ("gzip; q=0.001", true),
            ("*;q=0", false),
            ("x-gzipped", false),
        ] {
            assert_eq!(accepts_gzip(accepted), takes, "{accepted}");
        }
    }

    #[test]
    fn what_never_changes_is_packed_once() {
        let text = crate::assets::STYLE.as_bytes();
        let mut places = [0, 1].map(|_| {
            let mut whole = Whole::sentence(200, "");
            whole.body = Cow::Borrowed(text);
            assert!(pack(&mut whole) && whole.body.len() < text.len() / 2);
            whole.body.as_ptr()
        });
        places.sort_unstable();
        assert_eq!(places[0], places[1]);
        // short ones, and what is packed already, stay
        assert!(!pack(&mut Whole::sentence(200, "ok")));
        let noise: Vec<u8> = gzip(text, Compression::best()).unwrap();
        let mut whole = Whole { body: noise.clone().into(), ..Whole::sentence(200, "") };
        assert!(!pack(&mut whole) && whole.body == noise);
    }
}
