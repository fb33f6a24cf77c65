//! As much of the Basic Encoding Rules (ITU-T X.690) as SNMP uses: tags of one byte, definite lengths.

use crate::oid::{MOST_PARTS, Oid};

pub const INTEGER: u8 = 0x02;
pub const OCTETS: u8 = 0x04;
pub const OBJECT: u8 = 0x06;
pub const SEQUENCE: u8 = 0x30;
/// The tags of RFC 2578, section 7.1, and of exceptions (RFC 3416, section 3).
pub const COUNTER: u8 = 0x41;
pub const GAUGE: u8 = 0x42;
pub const TICKS: u8 = 0x43;
pub const NO_SUCH_OBJECT: u8 = 0x80;
pub const NO_SUCH_INSTANCE: u8 = 0x81;
pub const END_OF_VIEW: u8 = 0x82;

/// These bytes are not what SNMP encodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotBer;

/// Elements one after the other.
#[derive(Clone, Copy, Debug)]
pub struct BerReader<'b>(pub &'b [u8]);

impl<'b> BerReader<'b> {
    /// Whether nothing is left.
    pub fn is_done(&self) -> bool {
        self.0.is_empty()
    }

    /// The next element: its tag and what it holds.
    pub fn element(&mut self) -> Result<(u8, &'b [u8]), NotBer> {
        let (&[tag, first], mut rest) = self.0.split_first_chunk().ok_or(NotBer)?;
        // tags of several bytes are in no message of SNMP
        if tag & 0x1f == 0x1f {
            return Err(NotBer);
        }
        let mut length = usize::from(first & 0x7f);
        if first & 0x80 != 0 {
            // no length is the form without end; more than four bytes are no datagram
            let count = length;
            if !(1..=4).contains(&count) || rest.len() < count {
                return Err(NotBer);
            }
            let (digits, behind) = rest.split_at(count);
            length = digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit));
            rest = behind;
        }
        if length > rest.len() {
            return Err(NotBer);
        }
        let (content, behind) = rest.split_at(length);
        self.0 = behind;
        Ok((tag, content))
    }

    /// What the next element holds, which has to have this tag.
    pub fn of(&mut self, wanted: u8) -> Result<&'b [u8], NotBer> {
        let (tag, content) = self.element()?;
        if tag == wanted { Ok(content) } else { Err(NotBer) }
    }

    /// A number of 32 bits.
    pub fn integer(&mut self) -> Result<i32, NotBer> {
        let content = self.of(INTEGER)?;
        let (first, rest) = content.split_first().ok_or(NotBer)?;
        if rest.len() > 3 {
            return Err(NotBer);
        }
        let start = i32::from(i8::from_be_bytes([*first]));
        Ok(rest.iter().fold(start, |sum, digit| sum << 8 | i32::from(*digit)))
    }

    /// An object identifier.
    pub fn oid(&mut self) -> Result<Oid, NotBer> {
        let content = self.of(OBJECT)?;
        let (mut parts, mut part, mut is_open) = (vec![], 0_u64, false);
        for byte in content {
            // a part begins with no empty digit
            if !is_open && *byte == 0x80 {
                return Err(NotBer);
            }
            part = part << 7 | u64::from(byte & 0x7f);
            if part > u64::from(u32::MAX) + 80 {
                return Err(NotBer);
            }
            is_open = byte & 0x80 != 0;
            if !is_open {
                push(&mut parts, part)?;
                part = 0;
            }
        }
        if is_open || parts.is_empty() { Err(NotBer) } else { Ok(Oid::new(&parts)) }
    }
}

/// The first number of an identifier stands for two parts.
fn push(parts: &mut Vec<u32>, part: u64) -> Result<(), NotBer> {
    let part = if parts.is_empty() {
        let top = (part / 40).min(2);
        parts.push(u32::try_from(top).map_err(|_| NotBer)?);
        part - top * 40
    } else {
        part
    };
    parts.push(u32::try_from(part).map_err(|_| NotBer)?);
    if parts.len() > MOST_PARTS { Err(NotBer) } else { Ok(()) }
}

/// Writes an element whose content `fill` writes.
pub fn element(out: &mut Vec<u8>, tag: u8, fill: impl FnOnce(&mut Vec<u8>)) {
    out.push(tag);
    let start = out.len();
    fill(out);
    let length = out.len() - start;
    if length < 0x80 {
        out.insert(start, u8::try_from(length).unwrap_or_default());
        return;
    }
    let digits = length.to_be_bytes();
    let digits: Vec<u8> = digits.into_iter().skip_while(|digit| *digit == 0).collect();
    let count = u8::try_from(digits.len()).unwrap_or(u8::MAX);
    out.splice(start..start, std::iter::once(0x80 | count).chain(digits));
}

/// Writes bytes.
pub fn octets(out: &mut Vec<u8>, bytes: &[u8]) {
    element(out, OCTETS, |out| out.extend(bytes));
}

/// Writes a number, in as few bytes as it needs; with another tag one that is never negative.
pub fn number(out: &mut Vec<u8>, tag: u8, number: i64) {
    let bytes = number.to_be_bytes();
    let is_spare = |pair: &[u8]| matches!((pair[0], pair[1] & 0x80), (0, 0) | (0xff, 0x80));
    let spare = bytes.windows(2).take_while(|pair| is_spare(pair)).count();
    element(out, tag, |out| out.extend(&bytes[spare..]));
}

/// Writes an object identifier. One of less than two parts is written as `0.0`.
pub fn oid(out: &mut Vec<u8>, oid: &Oid) {
    element(out, OBJECT, |out| match oid.parts() {
        [first, second, rest @ ..] => {
            digits(out, u64::from(*first) * 40 + u64::from(*second));
            rest.iter().for_each(|part| digits(out, u64::from(*part)));
        }
        _ => out.push(0),
    });
}

/// Seven bits a byte, all but the last with the highest bit set.
fn digits(out: &mut Vec<u8>, part: u64) {
    let count = (1..10).find(|count| part >> (7 * count) == 0).unwrap_or(10);
    for at in (0..count).rev() {
        let digit = u8::try_from(part >> (7 * at) & 0x7f).unwrap_or_default();
        out.push(if at == 0 { digit } else { digit | 0x80 });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// From X.690: 8.1.3.5 (lengths), 8.3 (integers), 8.19 (object identifiers, with its example 2.999.3).
    #[test]
    fn bytes_are_those_of_the_standard() {
        for (value, bytes) in [
            (0, &[2, 1, 0][..]),
            (127, &[2, 1, 0x7f]),
            (128, &[2, 2, 0, 0x80]),
            (256, &[2, 2, 1, 0]),
            (-128, &[2, 1, 0x80]),
            (-129, &[2, 2, 0xff, 0x7f]),
            (i64::from(i32::MIN), &[2, 4, 0x80, 0, 0, 0]),
        ] {
            let mut out = vec![];
            number(&mut out, INTEGER, value);
            assert_eq!(out, bytes, "{value}");
            assert_eq!(BerReader(bytes).integer().map(i64::from), Ok(value));
        }
        let mut out = vec![];
        number(&mut out, COUNTER, u32::MAX.into());
        assert_eq!(out, [0x41, 5, 0, 0xff, 0xff, 0xff, 0xff]);
        out.clear();
        oid(&mut out, &Oid::new(&[2, 999, 3]));
        assert_eq!(out, [6, 3, 0x88, 0x37, 3]);
        assert_eq!(BerReader(&out).oid(), Ok(Oid::new(&[2, 999, 3])));
        out.clear();
        octets(&mut out, &[7; 201]);
        assert_eq!(out[..3], [4, 0x81, 201]);
        out.clear();
        octets(&mut out, &[7; 435]);
        assert_eq!(out[..4], [4, 0x82, 1, 0xb3]);
    }

    #[test]
    fn what_is_not_of_snmp_is_refused() {
        for bytes in
            [&[][..], &[2], &[2, 1], &[2, 0x80, 0, 0], &[2, 0x85, 0, 0, 0, 0, 1, 1], &[2, 5, 0, 0, 0, 0, 1]]
        {
            assert_eq!(BerReader(bytes).integer(), Err(NotBer), "{bytes:?}");
        }
        for bytes in [
            &[6, 0][..],
            &[6, 1, 0x80],
            &[6, 2, 0x80, 1],
            &[6, 2, 0x2b, 0x81],
            &[6, 6, 0x2b, 0x90, 0x80, 0x80, 0x80, 0],
        ] {
            assert_eq!(BerReader(bytes).oid(), Err(NotBer), "{bytes:?}");
        }
        assert_eq!(BerReader(&[0x1f, 1, 0]).element(), Err(NotBer));
        let long: Vec<u8> = [vec![6, 0x81, 200], vec![1; 200]].concat();
        assert_eq!(BerReader(&long).oid(), Err(NotBer));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(value: i32, first in 0_u32..3, second in 0_u32..40, rest: Vec<u32>, bytes: Vec<u8>) {
            let rest: Vec<u32> = rest.into_iter().take(126).collect();
            let name = Oid::below(&[first, second], &rest);
            let mut out = vec![];
            number(&mut out, INTEGER, value.into());
            oid(&mut out, &name);
            octets(&mut out, &bytes);
            let mut reader = BerReader(&out);
            prop_assert_eq!(reader.integer(), Ok(value));
            prop_assert_eq!(reader.oid(), Ok(name));
            prop_assert_eq!(reader.of(OCTETS), Ok(&bytes[..]));
            prop_assert!(reader.is_done());
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _ = (BerReader(&bytes).integer(), BerReader(&bytes).oid(), BerReader(&bytes).element());
        }
    }
}
