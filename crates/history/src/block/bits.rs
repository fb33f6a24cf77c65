//! Numbers in as few bits as they need, the lowest bit first.

use super::BlockError;

/// A number of a column whose upper part is this long or longer stands there whole.
const LONG: u32 = 24;
/// No lower part of a column has more bits.
const MOST_LOW: u32 = 31;

/// Bits that become bytes.
#[derive(Debug, Default)]
pub(super) struct BitWriter {
    bytes: Vec<u8>,
    /// Fewer than 8 bits.
    rest: u64,
    waiting: u32,
}

impl BitWriter {
    /// The lowest bits of a number, at most 64; the others are 0.
    pub fn put(&mut self, number: u64, bits: u32) {
        if bits > 32 {
            self.put(number & 0xffff_ffff, 32);
            return self.put(number >> 32, bits - 32);
        }
        self.rest |= number << self.waiting;
        self.waiting += bits;
        while self.waiting >= 8 {
            self.bytes.push(self.rest as u8);
            self.rest >>= 8;
            self.waiting -= 8;
        }
    }

    fn put_ones(&mut self, count: u32) {
        self.put((1_u64 << count) - 1, count);
    }

    /// A number of 1 and more, of which small ones are frequent (Elias gamma).
    pub fn put_small(&mut self, number: u64) {
        let below = width_of(number.max(1)) - 1;
        self.put_ones(below);
        self.put(0, 1);
        self.put(number ^ (1 << below), below);
    }

    /// Many numbers that are small, most of them (Rice).
    pub fn put_column(&mut self, numbers: &[u64]) {
        let is_any = numbers.iter().any(|number| *number > 0);
        self.put(is_any.into(), 1);
        if !is_any {
            return;
        }
        let low = low_bits(numbers);
        self.put(low.into(), 5);
        for number in numbers {
            match u32::try_from(number >> low) {
                Ok(high) if high < LONG => {
                    self.put_ones(high);
                    self.put(0, 1);
                    self.put(number & ((1 << low) - 1), low);
                }
                _ => {
                    self.put_ones(LONG);
                    self.put(*number, 64);
                }
            }
        }
    }

    pub fn finish(mut self) -> Vec<u8> {
        if self.waiting > 0 {
            self.bytes.push(self.rest as u8);
        }
        self.bytes
    }
}

/// How many bits a number has.
pub(super) fn width_of(number: u64) -> u32 {
    64 - number.leading_zeros()
}

/// With so many bits in the lower part a column is shortest, or nearly so.
fn low_bits(numbers: &[u64]) -> u32 {
    let sum = numbers.iter().fold(0_u64, |sum, number| sum.saturating_add(*number));
    let guess = width_of(sum / numbers.len().max(1) as u64).min(MOST_LOW - 1);
    let cost = |low: u32| -> u64 {
        let of_one = |number: &u64| match number >> low {
            high if high < u64::from(LONG) => high + 1 + u64::from(low),
            _ => u64::from(LONG) + 64,
        };
        numbers.iter().map(of_one).sum()
    };
    (guess.saturating_sub(2)..=guess + 1).min_by_key(|low| cost(*low)).unwrap_or(guess)
}

/// Bytes read as bits.
#[derive(Debug)]
pub(super) struct BitReader<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> BitReader<'b> {
    pub fn of(bytes: &'b [u8]) -> BitReader<'b> {
        BitReader { bytes, at: 0 }
    }

    /// The next 32 bits and more, with zeros behind the end.
    fn ahead(&self) -> u64 {
        let from = self.bytes.get(self.at / 8..).unwrap_or_default();
        let mut eight = [0; 8];
        let there = from.len().min(8);
        eight[..there].copy_from_slice(&from[..there]);
        u64::from_le_bytes(eight) >> (self.at % 8)
    }

    fn pass(&mut self, bits: u32) -> Result<(), BlockError> {
        self.at += bits as usize;
        if self.at > self.bytes.len() * 8 { Err(BlockError) } else { Ok(()) }
    }

    /// So many bits, at most 64.
    pub fn take(&mut self, bits: u32) -> Result<u64, BlockError> {
        if bits > 32 {
            let low = self.take(32)?;
            return Ok(self.take(bits - 32)? << 32 | low);
        }
        let number = self.ahead() & ((1 << bits) - 1);
        self.pass(bits)?;
        Ok(number)
    }

    pub fn is_set(&mut self) -> Result<bool, BlockError> {
        Ok(self.take(1)? == 1)
    }

    /// How many ones there are before a zero, which is taken as well; no more than so many.
    fn take_ones(&mut self, most: u32) -> Result<u32, BlockError> {
        let mut all = 0;
        loop {
            let ones = self.ahead().trailing_ones().min(32).min(most - all);
            self.pass(ones)?;
            all += ones;
            if all == most {
                return Ok(all);
            }
            if ones < 32 {
                self.pass(1)?;
                return Ok(all);
            }
        }
    }

    pub fn take_small(&mut self) -> Result<u64, BlockError> {
        match self.take_ones(64)? {
            64 => Err(BlockError),
            below => Ok(self.take(below)? | 1 << below),
        }
    }

    pub fn take_column(&mut self, length: usize) -> Result<Vec<u64>, BlockError> {
        if !self.is_set()? {
            return Ok(vec![0; length]);
        }
        let low = self.take(5)? as u32;
        let one = |reader: &mut Self| match reader.take_ones(LONG)? {
            LONG => reader.take(64),
            high => Ok(u64::from(high) << low | reader.take(low)?),
        };
        (0..length).map(|_| one(self)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn numbers() -> impl Strategy<Value = Vec<u64>> {
        let number = prop_oneof![Just(0_u64), 0..20_u64, 0..5000_u64, any::<u64>(), Just(u64::MAX)];
        proptest::collection::vec(number, 1..60)
    }

    proptest! {
        #[test]
        fn what_was_put_is_taken(numbers in numbers(), widths in proptest::collection::vec(0..=64_u32, 60)) {
            let cut = |number: u64, width: u32| number & 1_u64.checked_shl(width).map_or(u64::MAX, |bit| bit - 1);
            let mut writer = BitWriter::default();
            for (number, width) in numbers.iter().zip(&widths) {
                writer.put(cut(*number, *width), *width);
                writer.put_small((*number).max(1));
            }
            writer.put_column(&numbers);
            let bytes = writer.finish();
            let mut reader = BitReader::of(&bytes);
            for (number, width) in numbers.iter().zip(&widths) {
                prop_assert_eq!(reader.take(*width), Ok(cut(*number, *width)));
                prop_assert_eq!(reader.take_small(), Ok((*number).max(1)));
            }
            prop_assert_eq!(reader.take_column(numbers.len()), Ok(numbers));
        }

        #[test]
        fn bytes_that_end_too_soon_are_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..8)) {
            let mut reader = BitReader::of(&bytes);
            prop_assert_eq!(reader.take(64).is_ok(), bytes.len() >= 8);
            prop_assert!(BitReader::of(&[0xff; 8]).take_small().is_err());
        }
    }

    #[test]
    fn a_column_of_zeros_is_one_bit_and_one_of_small_numbers_few() {
        let length = |numbers: &[u64]| {
            let mut writer = BitWriter::default();
            writer.put_column(numbers);
            writer.finish().len()
        };
        assert_eq!(length(&[0; 1000]), 1);
        // 0 to 15 evenly: 4 bits of news each, and little more
        let even: Vec<u64> = (0..1600).map(|at| at * 7 % 16).collect();
        assert!(length(&even) < 1600 * 5 / 8, "{}", length(&even));
    }
}
