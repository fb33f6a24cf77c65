//! Rows as files of version 2 and before have them: whole bytes, each series with its length. They are only read.

use super::{BlockError, MOST, Points};
use crate::bucket::Bucket;
use crate::quantity::SeriesKey;
use crate::varint::{take, unfolded};

/// What the lowest two bits of a point's first number say.
const WHOLE: u64 = 0;
const NEXT: u64 = 1;
const SAME: u64 = 2;

/// Takes each series of a row.
pub(super) fn walk(mut rest: &[u8], mut each: impl FnMut(SeriesKey, Points)) -> Result<(), BlockError> {
    while let Some((code, mut tail)) = rest.split_first() {
        let length = usize::try_from(take(&mut tail)?).map_err(|_| BlockError)?;
        let (packed, next) = tail.split_at_checked(length).ok_or(BlockError)?;
        if let Some(key) = SeriesKey::of_code(*code) {
            each(key, unpack(packed)?);
        }
        rest = next;
    }
    Ok(())
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
                let value = there.floor().checked_add(unfolded(take(&mut packed)?)).ok_or(BlockError)?;
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
    let more = unfolded(take(packed)?);
    let sum = before.wrapping_mul(count.into()).wrapping_add(more);
    let floor = Bucket { count: count.max(1), sum, min: 0, max: 0 }.floor();
    let min = floor.checked_sub(unfolded(take(packed)?));
    let max = floor.checked_add(unfolded(take(packed)?));
    let fit = |value: Option<i64>| value.and_then(|value| i32::try_from(value).ok()).ok_or(BlockError);
    Ok(Bucket { count, sum, min: fit(min)?, max: fit(max)? })
}
