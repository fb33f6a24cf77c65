//! Whole numbers in as few bytes as they need: seven bits a byte, the lowest first.

/// The bytes end within a number, or it has more than 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CutShort;

pub(crate) fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

pub(crate) fn take(bytes: &mut &[u8]) -> Result<u64, CutShort> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first().ok_or(CutShort)?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(CutShort)
}

/// A signed number so that small ones of either sign stay small.
#[allow(clippy::cast_sign_loss)]
pub(crate) fn folded(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

/// The number that was [`folded`].
#[allow(clippy::cast_possible_wrap)]
pub(crate) fn unfolded(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lead_back() {
        for number in [0, 1, -1, 63, 64, -65, 300, i64::from(i32::MIN), i64::MAX, i64::MIN] {
            let mut bytes = vec![];
            put(&mut bytes, folded(number));
            assert_eq!(take(&mut bytes.as_slice()).map(unfolded), Ok(number));
            assert_eq!(take(&mut &bytes[..bytes.len() - 1]), Err(CutShort));
        }
        assert_eq!(take(&mut [0xff; 11].as_slice()), Err(CutShort));
    }
}
