//! A row of samples: all series of one UPS over one span of time, packed. A value that stays costs nothing, one that
//! moves a little a few bits.

mod bits;
mod first;
mod packed;

use crate::bucket::Bucket;
use crate::quantity::SeriesKey;
use crate::varint::CutShort;
use std::collections::BTreeMap;
use std::fmt;

/// The form of a row, which is its first byte: the one that is written, and the one of files of version 2.
const FORM: u8 = 2;
const FIRST_FORM: u8 = 1;
/// No row has more points of a series.
const MOST: u32 = 1024;

/// The points of a series, by their place in the row.
pub type Points = BTreeMap<u32, Bucket>;

/// All series of a row. A point's place is its time in steps from the row's begin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SampleBlock {
    series: BTreeMap<SeriesKey, Points>,
}

/// A row cannot be read: it was not written by this program, or the disk has lost some of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockError;

impl fmt::Display for BlockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row of samples is damaged")
    }
}

impl std::error::Error for BlockError {}

impl From<CutShort> for BlockError {
    fn from(_: CutShort) -> BlockError {
        BlockError
    }
}

impl SampleBlock {
    /// Takes samples in; those of a place that is beyond any row are not taken.
    pub fn add(&mut self, key: SeriesKey, place: u32, bucket: Bucket) {
        if place < MOST && bucket.is_possible() {
            let points = self.series.entry(key).or_default();
            points.entry(place).and_modify(|there| there.merge(bucket)).or_insert(bucket);
        }
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    /// All series.
    pub fn series(&self) -> impl Iterator<Item = (SeriesKey, &Points)> {
        self.series.iter().map(|(key, points)| (*key, points))
    }

    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![FORM];
        out.extend(packed::pack(&self.series));
        out
    }

    /// From bytes.
    ///
    /// # Errors
    /// [`BlockError`]. Series of a newer program's quantities are passed over.
    pub fn decode(bytes: &[u8]) -> Result<SampleBlock, BlockError> {
        let mut block = SampleBlock::default();
        walk(bytes, |key, points| {
            if !points.is_empty() {
                block.series.insert(key, points);
            }
        })?;
        Ok(block)
    }

    /// One series of the bytes of a row.
    ///
    /// # Errors
    /// [`BlockError`].
    pub fn decode_one(bytes: &[u8], wanted: SeriesKey) -> Result<Points, BlockError> {
        let mut found = Points::new();
        walk(bytes, |key, points| {
            if key == wanted {
                found = points;
            }
        })?;
        Ok(found)
    }
}

fn walk(bytes: &[u8], each: impl FnMut(SeriesKey, Points)) -> Result<(), BlockError> {
    match bytes.split_first() {
        Some((&FORM, rest)) => packed::walk(rest, each),
        Some((&FIRST_FORM, rest)) => first::walk(rest, each),
        _ => Err(BlockError),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantity::Quantity;
    use proptest::prelude::*;

    fn samples() -> impl Strategy<Value = Vec<(usize, bool, u32, i32)>> {
        let steady = prop_oneof![Just(1000), 995..1005, any::<i32>()];
        proptest::collection::vec((0..Quantity::ALL.len(), any::<bool>(), 0..MOST, steady), 0..200)
    }

    fn key(at: usize, computed: bool) -> SeriesKey {
        let quantity = Quantity::ALL[at];
        if computed { SeriesKey::computed(quantity) } else { SeriesKey::said(quantity) }
    }

    proptest! {
        #[test]
        fn what_was_packed_comes_out_again(samples in samples()) {
            let mut block = SampleBlock::default();
            for (at, computed, place, value) in samples {
                block.add(key(at, computed), place, Bucket::of(value));
            }
            let bytes = block.encode();
            for (key, points) in block.series() {
                let read = SampleBlock::decode_one(&bytes, key);
                prop_assert_eq!(read.as_ref(), Ok(points));
            }
            prop_assert_eq!(SampleBlock::decode(&bytes), Ok(block));
        }

        #[test]
        fn the_order_of_samples_makes_no_difference(mut samples in samples()) {
            let make = |samples: &[(usize, bool, u32, i32)]| {
                let mut block = SampleBlock::default();
                for (at, computed, place, value) in samples {
                    block.add(key(*at, *computed), *place, Bucket::of(*value));
                }
                block.encode()
            };
            let first = make(&samples);
            samples.reverse();
            prop_assert_eq!(first, make(&samples));
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = SampleBlock::decode(&bytes);
            for head in [[FORM, 1, 3].as_slice(), &[FORM], &[FIRST_FORM, 1, 20]] {
                let _ = SampleBlock::decode(&[head, bytes.as_slice()].concat());
            }
        }
    }

    #[test]
    fn what_stays_costs_nothing_and_what_moves_a_little_few_bits() {
        let size = |value: &dyn Fn(u32) -> i32| {
            let mut block = SampleBlock::default();
            (0..360).for_each(|at| block.add(SeriesKey::said(Quantity::Charge), at, Bucket::of(value(at))));
            block.encode().len()
        };
        assert!(size(&|_| 1000) < 12);
        // seven values in turn, by which a step is 3 bits of news
        let moving = |step: i32| move |at: u32| 2300 + step * i32::try_from(at * 5 % 7).unwrap();
        assert!(size(&moving(1)) < 360 * 5 / 8, "{}", size(&moving(1)));
        // a UPS that says whole volts only says no more
        assert!(size(&moving(10)) <= size(&moving(1)) + 1);
    }

    /// Written by hand, by the form that files of version 2 have: 230.0 twice, 230.1, and a point of two samples.
    #[test]
    fn the_first_form_is_read() {
        let whole = [0_u8, 1, 0xf8, 0x23, 0, 0];
        let (same, next) = ([1 << 2 | 2], [1, 2]);
        // 2301 and 2303: 2 above twice 2301, floor 2302
        let two = [2 << 2, 2, 4, 2, 2];
        let packed = [whole.as_slice(), &same, &next, &two].concat();
        let bytes = [&[FIRST_FORM, 1, packed.len() as u8], packed.as_slice()].concat();
        let points = SampleBlock::decode_one(&bytes, SeriesKey::said(Quantity::InputVoltage)).unwrap();
        let last = Bucket { count: 2, sum: 4604, min: 2301, max: 2303 };
        let expected = [(0, Bucket::of(2300)), (1, Bucket::of(2300)), (2, Bucket::of(2301)), (4, last)];
        assert_eq!(points, expected.into());
        assert_eq!(SampleBlock::decode(&bytes[..bytes.len() - 1]), Err(BlockError));
    }
}
