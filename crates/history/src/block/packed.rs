//! A row as bits: for each series where its points are, the lowest values by their differences, and how far the samples
//! of a point lie above its lowest one. All of it in steps of what divides all differences: many a UPS says whole percents or
//! half volts only.

use super::bits::{BitReader, BitWriter, width_of};
use super::{BlockError, MOST, Points};
use crate::bucket::Bucket;
use crate::quantity::SeriesKey;
use crate::varint::{folded, unfolded};
use std::collections::BTreeMap;

/// So many bits say how many bits the first value has: 33 at most, with its sign.
const WIDTH: u32 = 6;

/// Points that follow one another, each of as many samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    /// So many places are empty before it.
    gap: u32,
    /// Samples of each point.
    count: u32,
    /// How many points.
    length: u32,
}

/// The bytes of a row.
pub(super) fn pack(series: &BTreeMap<SeriesKey, Points>) -> Vec<u8> {
    let mut out = BitWriter::default();
    out.put(series.len() as u64, 8);
    let mut before = vec![];
    for (key, points) in series {
        out.put(key.code().into(), 8);
        let runs = runs_of(points);
        out.put((runs == before).into(), 1);
        if runs != before {
            put_runs(&mut out, &runs);
        }
        put_values(&mut out, points);
        before = runs;
    }
    out.finish()
}

/// Takes each series of a row.
pub(super) fn walk(bytes: &[u8], mut each: impl FnMut(SeriesKey, Points)) -> Result<(), BlockError> {
    let mut bits = BitReader::of(bytes);
    let mut runs = vec![];
    for _ in 0..bits.take(8)? {
        let code = bits.take(8)? as u8;
        if !bits.is_set()? {
            runs = take_runs(&mut bits)?;
        }
        let points = take_values(&mut bits, &runs)?;
        if let Some(key) = SeriesKey::of_code(code) {
            each(key, points);
        }
    }
    Ok(())
}

fn runs_of(points: &Points) -> Vec<Run> {
    let (mut runs, mut end) = (Vec::<Run>::new(), 0);
    for (place, bucket) in points {
        let gap = place - end;
        match runs.last_mut().filter(|run| gap == 0 && run.count == bucket.count) {
            Some(run) => run.length += 1,
            None => runs.push(Run { gap, count: bucket.count, length: 1 }),
        }
        end = place + 1;
    }
    runs
}

fn put_runs(out: &mut BitWriter, runs: &[Run]) {
    out.put_small(runs.len() as u64);
    for run in runs {
        out.put_small(u64::from(run.gap) + 1);
        out.put_small(run.count.into());
        out.put_small(run.length.into());
    }
}

fn take_runs(bits: &mut BitReader<'_>) -> Result<Vec<Run>, BlockError> {
    let small = |bits: &mut BitReader<'_>| u32::try_from(bits.take_small()?).map_err(|_| BlockError);
    let (mut runs, mut end) = (vec![], 0_u32);
    for _ in 0..bits.take_small()? {
        let run = Run { gap: small(bits)? - 1, count: small(bits)?, length: small(bits)? };
        let next = end.checked_add(run.gap).and_then(|begin| begin.checked_add(run.length));
        end = next.filter(|end| *end <= MOST).ok_or(BlockError)?;
        runs.push(run);
    }
    Ok(runs)
}

/// How far all samples of a point lie above its lowest one, together.
#[allow(clippy::cast_sign_loss)]
fn above(bucket: &Bucket) -> u64 {
    // it fits: no sample lies more than 2^32 above, and there are fewer than 2^32
    bucket.sum.wrapping_sub(i64::from(bucket.min) * i64::from(bucket.count)) as u64
}

fn put_values(out: &mut BitWriter, points: &Points) {
    let mut before = points.values().next().map_or(0, |bucket| i64::from(bucket.min));
    let width = width_of(folded(before));
    out.put(width.into(), WIDTH);
    out.put(folded(before), width);
    let mut changes = vec![];
    for bucket in points.values() {
        changes.push(i64::from(bucket.min) - before);
        before = bucket.min.into();
    }
    let ranges: Vec<u64> = points.values().map(|bucket| u64::from(bucket.max.abs_diff(bucket.min))).collect();
    let numbers = changes.iter().map(|change| change.unsigned_abs());
    let numbers = numbers.chain(ranges.iter().copied()).chain(points.values().map(above));
    let step = numbers.fold(0, divisor);
    out.put_small(step + 1);
    if step == 0 {
        return;
    }
    let signed = i64::try_from(step).unwrap_or(i64::MAX);
    let changes: Vec<u64> = changes.iter().skip(1).map(|change| folded(change / signed)).collect();
    let ranges: Vec<u64> = ranges.iter().map(|range| range / step).collect();
    out.put_column(&changes);
    out.put_column(&ranges);
    for (bucket, range) in points.values().zip(ranges).filter(|(_, range)| *range > 0) {
        out.put(above(bucket) / step, width_of(range * u64::from(bucket.count)));
    }
}

fn take_values(bits: &mut BitReader<'_>, runs: &[Run]) -> Result<Points, BlockError> {
    let width = bits.take(WIDTH)? as u32;
    let mut min = unfolded(bits.take(width)?);
    let step = bits.take_small()? - 1;
    let length: usize = runs.iter().map(|run| run.length as usize).sum();
    if length == 0 {
        return Err(BlockError);
    }
    let (changes, ranges) = match step {
        0 => (vec![0; length - 1], vec![0; length]),
        _ => (bits.take_column(length - 1)?, bits.take_column(length)?),
    };
    let changes = std::iter::once(0).chain(changes);
    let places = runs.iter().scan(0, |end, run| {
        let begin = *end + run.gap;
        *end = begin + run.length;
        Some((begin..*end).map(|place| (place, run.count)))
    });
    let mut points = Points::new();
    for ((place, count), (change, range)) in places.flatten().zip(changes.zip(ranges)) {
        let signed = i64::try_from(step).map_err(|_| BlockError)?;
        let change = unfolded(change).checked_mul(signed).ok_or(BlockError)?;
        min = min.checked_add(change).ok_or(BlockError)?;
        let above = match range {
            0 => 0,
            range => bits.take(width_of(range.checked_mul(count.into()).ok_or(BlockError)?))?,
        };
        points.insert(place, bucket_of(min, count, range, above, step).ok_or(BlockError)?);
    }
    Ok(points)
}

/// A point; none where no samples can be so.
fn bucket_of(min: i64, count: u32, range: u64, above: u64, step: u64) -> Option<Bucket> {
    let max = i64::try_from(range.checked_mul(step)?).ok()?.checked_add(min)?;
    let sum = i128::from(min) * i128::from(count) + i128::from(above) * i128::from(step);
    let (min, max) = (i32::try_from(min).ok()?, i32::try_from(max).ok()?);
    let bucket = Bucket { count, sum: i64::try_from(sum).ok()?, min, max };
    bucket.is_possible().then_some(bucket)
}

/// The greatest common divisor; of 0 and another number that one.
fn divisor(mut one: u64, mut other: u64) -> u64 {
    while other != 0 {
        (one, other) = (other, one % other);
    }
    one
}
