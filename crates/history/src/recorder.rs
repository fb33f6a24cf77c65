//! Samples become rows of a minute.

use crate::block::SampleBlock;
use crate::bucket::Bucket;
use crate::quantity::SeriesKey;
use crate::tier::Tier;
use std::collections::BTreeMap;

/// A value that was read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SampledValue {
    /// Of which series.
    pub key: SeriesKey,
    /// In the quantity's unit.
    pub value: f64,
}

/// What was sampled of one UPS within a minute of the wall clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MinuteRow {
    /// Its name.
    pub ups: String,
    /// Minutes since 1970, UTC.
    pub minute: i64,
    /// A [`SampleBlock`] whose places are steps of [`Tier::Seconds`].
    pub data: Vec<u8>,
}

/// Gathers samples of every UPS, by the minute. A clock that is set ends the minute; samples of a time that was there
/// before are further ones of it.
#[derive(Debug, Default)]
pub struct HistoryRecorder {
    units: BTreeMap<String, Gathered>,
    ready: Vec<MinuteRow>,
}

#[derive(Debug)]
struct Gathered {
    minute: i64,
    block: SampleBlock,
}

impl HistoryRecorder {
    /// Takes samples of one UPS, at this time in milliseconds since 1970. What no UPS can say is left out.
    pub fn record(&mut self, ups: &str, at_ms: i64, samples: impl IntoIterator<Item = SampledValue>) {
        let minute = at_ms.div_euclid(60_000);
        self.end_other(ups, minute);
        let place = u32::try_from(at_ms.rem_euclid(60_000) / 1000 / Tier::Seconds.step_s()).unwrap_or(0);
        let mut block = SampleBlock::default();
        std::mem::swap(&mut block, &mut self.gathered(ups, minute).block);
        for SampledValue { key, value } in samples {
            if let Some(value) = key.quantity.scaled(value) {
                block.add(key, place, Bucket::of(value));
            }
        }
        self.gathered(ups, minute).block = block;
    }

    /// The rows of all minutes but this one.
    pub fn take(&mut self, now_ms: i64) -> Vec<MinuteRow> {
        let minute = now_ms.div_euclid(60_000);
        let names: Vec<String> = self.units.keys().cloned().collect();
        names.iter().for_each(|ups| self.end_other(ups, minute));
        std::mem::take(&mut self.ready)
    }

    /// All rows, also of the minute that has not ended.
    pub fn take_all(&mut self) -> Vec<MinuteRow> {
        for (ups, Gathered { minute, block }) in std::mem::take(&mut self.units) {
            Self::end(&mut self.ready, &ups, minute, &block);
        }
        std::mem::take(&mut self.ready)
    }

    fn gathered(&mut self, ups: &str, minute: i64) -> &mut Gathered {
        if !self.units.contains_key(ups) {
            self.units.insert(ups.into(), Gathered { minute, block: SampleBlock::default() });
        }
        self.units.entry(ups.into()).or_insert_with(|| Gathered { minute, block: SampleBlock::default() })
    }

    fn end_other(&mut self, ups: &str, minute: i64) {
        if let Some(there) = self.units.get(ups).filter(|there| there.minute != minute) {
            Self::end(&mut self.ready, ups, there.minute, &there.block);
            self.units.remove(ups);
        }
    }

    fn end(ready: &mut Vec<MinuteRow>, ups: &str, minute: i64, block: &SampleBlock) {
        if !block.is_empty() {
            ready.push(MinuteRow { ups: ups.into(), minute, data: block.encode() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantity::Quantity;
    use proptest::prelude::*;

    const LOAD: SeriesKey = SeriesKey::said(Quantity::Load);

    fn counted(rows: &[MinuteRow]) -> u32 {
        let points = rows.iter().map(|row| SampleBlock::decode_one(&row.data, LOAD).unwrap());
        points.flat_map(|points| points.into_values().map(|bucket| bucket.count)).sum()
    }

    proptest! {
        /// Whatever the wall clock does.
        #[test]
        fn each_sample_is_in_one_row(times in proptest::collection::vec(-200_000_i64..200_000, 1..80)) {
            let mut recorder = HistoryRecorder::default();
            let mut rows = vec![];
            for at in &times {
                recorder.record("a", *at, [SampledValue { key: LOAD, value: 20.0 }]);
                rows.extend(recorder.take(*at));
            }
            rows.extend(recorder.take_all());
            prop_assert_eq!(counted(&rows), u32::try_from(times.len()).unwrap());
            prop_assert!(rows.iter().all(|row| times.iter().any(|at| at.div_euclid(60_000) == row.minute)));
        }
    }

    #[test]
    fn a_minute_is_a_row_of_six_points() {
        let mut recorder = HistoryRecorder::default();
        for second in 0..65 {
            recorder.record("a", second * 1000, [SampledValue { key: LOAD, value: second as f64 }]);
        }
        let rows = recorder.take(64_000);
        assert_eq!((rows.len(), rows[0].minute), (1, 0));
        let points = SampleBlock::decode_one(&rows[0].data, LOAD).unwrap();
        assert_eq!(points.len(), 6);
        assert_eq!(points[&1], Bucket { count: 10, sum: 1450, min: 100, max: 190 });
        assert_eq!(counted(&recorder.take_all()), 5);
    }
}
