//! A row of samples: all series of one UPS over one span of time, packed. A value that stays costs nothing, one that
//! moves a little two bytes.

use crate::bucket::Bucket;
use crate::quantity::SeriesKey;
use std::collections::BTreeMap;
use std::fmt;

/// The form of a row; another one is not read.
const FORM: u8 = 1;
/// No row has more points of a series.
const MOST: u32 = 1024;
/// What the lowest two bits of a point's first number say.
const WHOLE: u64 = 0;
const NEXT: u64 = 1;
const SAME: u64 = 2;

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
        for (key, points) in &self.series {
            let packed = pack(points);
            out.push(key.code());
            put(&mut out, packed.len() as u64);
            out.extend(packed);
        }
        out
    }

    /// From bytes.
    ///
    /// # Errors
    /// [`BlockError`]. Series of a newer program's quantities are passed over.
    pub fn decode(bytes: &[u8]) -> Result<SampleBlock, BlockError> {
        let mut block = SampleBlock::default();
        walk(bytes, |key, packed| {
            block.series.insert(key, unpack(packed)?);
            Ok(())
        })?;
        Ok(block)
    }

    /// One series of the bytes of a row.
    ///
    /// # Errors
    /// [`BlockError`].
    pub fn decode_one(bytes: &[u8], wanted: SeriesKey) -> Result<Points, BlockError> {
        let mut points = Points::new();
        walk(bytes, |key, packed| {
            if key == wanted {
                points = unpack(packed)?;
            }
            Ok(())
        })?;
        Ok(points)
    }
}

fn walk(
    bytes: &[u8],
    mut each: impl FnMut(SeriesKey, &[u8]) -> Result<(), BlockError>,
) -> Result<(), BlockError> {
    let (form, mut rest) = bytes.split_first().ok_or(BlockError)?;
    if *form != FORM {
        return Err(BlockError);
    }
    while let Some((code, mut tail)) = rest.split_first() {
        let length = usize::try_from(take(&mut tail)?).map_err(|_| BlockError)?;
        let (packed, next) = tail.split_at_checked(length).ok_or(BlockError)?;
        if let Some(key) = SeriesKey::of_code(*code) {
            each(key, packed)?;
        }
        rest = next;
    }
    Ok(())
}

fn pack(points: &Points) -> Vec<u8> {
    let (mut out, mut last, mut run) = (vec![], None::<(u32, Bucket)>, 0_u64);
    for (place, bucket) in points {
        let next = last.filter(|(before, there)| place - before == 1 && there.count == bucket.count);
        if next.is_some_and(|(_, there)| there == *bucket && bucket.is_flat()) {
            run += 1;
        } else {
            if run > 0 {
                put(&mut out, run << 2 | SAME);
                run = 0;
            }
            let before = last.map_or(0, |(_, there)| there.floor());
            if next.is_some() && bucket.is_flat() {
                put(&mut out, NEXT);
                put_signed(&mut out, i64::from(bucket.min) - before);
            } else {
                put_whole(&mut out, place - last.map_or(0, |(place, _)| place), before, *bucket);
            }
        }
        last = Some((*place, *bucket));
    }
    if run > 0 {
        put(&mut out, run << 2 | SAME);
    }
    out
}

fn put_whole(out: &mut Vec<u8>, gap: u32, before: i64, bucket: Bucket) {
    put(out, u64::from(gap) << 2 | WHOLE);
    put(out, bucket.count.into());
    put_signed(out, bucket.sum.wrapping_sub(before * i64::from(bucket.count)));
    put_signed(out, bucket.floor() - i64::from(bucket.min));
    put_signed(out, i64::from(bucket.max) - bucket.floor());
}

fn unpack(mut packed: &[u8]) -> Result<Points, BlockError> {
    let (mut points, mut last) = (Points::new(), None::<(u32, Bucket)>);
    while !packed.is_empty() {
        let head = take(&mut packed)?;
        let more = u32::try_from(head >> 2).map_err(|_| BlockError)?;
        let (place, bucket) = match (head & 3, last) {
            (SAME, Some((place, bucket))) => {
                let end = place.checked_add(more).filter(|end| *end < MOST).ok_or(BlockError)?;
                points.extend((place + 1..=end).map(|place| (place, bucket)));
                (end, bucket)
            }
            (NEXT, Some((place, there))) => {
                let value = there.floor().checked_add(take_signed(&mut packed)?).ok_or(BlockError)?;
                let value = i32::try_from(value).map_err(|_| BlockError)?;
                let sum = i64::from(value) * i64::from(there.count);
                (place + 1, Bucket { count: there.count, sum, min: value, max: value })
            }
            (WHOLE, last) => {
                let (place, before) = last.map_or((0, 0), |(place, there)| (place, there.floor()));
                let place = place.checked_add(more).ok_or(BlockError)?;
                (place, take_whole(&mut packed, before)?)
            }
            _ => return Err(BlockError),
        };
        if place >= MOST || !bucket.is_possible() {
            return Err(BlockError);
        }
        points.insert(place, bucket);
        last = Some((place, bucket));
    }
    Ok(points)
}

fn take_whole(packed: &mut &[u8], before: i64) -> Result<Bucket, BlockError> {
    let count = u32::try_from(take(packed)?).map_err(|_| BlockError)?;
    let more = take_signed(packed)?;
    let sum = before.wrapping_mul(count.into()).wrapping_add(more);
    let floor = Bucket { count: count.max(1), sum, min: 0, max: 0 }.floor();
    let min = floor.checked_sub(take_signed(packed)?);
    let max = floor.checked_add(take_signed(packed)?);
    let fit = |value: Option<i64>| value.and_then(|value| i32::try_from(value).ok()).ok_or(BlockError);
    Ok(Bucket { count, sum, min: fit(min)?, max: fit(max)? })
}

/// Seven bits a byte, the lowest first.
fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

#[allow(clippy::cast_sign_loss)]
fn put_signed(out: &mut Vec<u8>, number: i64) {
    put(out, ((number << 1) ^ (number >> 63)) as u64);
}

fn take(bytes: &mut &[u8]) -> Result<u64, BlockError> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first().ok_or(BlockError)?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(BlockError)
}

#[allow(clippy::cast_possible_wrap)]
fn take_signed(bytes: &mut &[u8]) -> Result<i64, BlockError> {
    let number = take(bytes)?;
    Ok((number >> 1) as i64 ^ -((number & 1) as i64))
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
            let _ = SampleBlock::decode(&[&[FORM, 1, 20], bytes.as_slice()].concat());
        }
    }

    #[test]
    fn what_stays_costs_nothing_and_what_moves_a_little_two_bytes() {
        let size = |value: &dyn Fn(u32) -> i32| {
            let mut block = SampleBlock::default();
            (0..360).for_each(|at| block.add(SeriesKey::said(Quantity::Charge), at, Bucket::of(value(at))));
            block.encode().len()
        };
        assert!(size(&|_| 1000) < 16);
        let moving = |at: u32| 2300 + i32::try_from(at % 7).unwrap();
        assert!((2 * 359..2 * 360 + 16).contains(&size(&moving)), "{}", size(&moving));
    }
}
