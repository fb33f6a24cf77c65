//! Outages, from what `ups.status` says.

use crate::quantity::Provenance;
use std::time::Duration;

/// A time by both clocks: the one that people read, which may be set, and one that only goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HistoryTime {
    /// Milliseconds since 1970, UTC.
    pub wall_ms: i64,
    /// Of a clock that is never set.
    pub steady: Duration,
}

/// An outage: from the first status with OB to the first one with OL.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outage {
    /// When it was seen first, in milliseconds since 1970.
    pub begin_ms: i64,
    /// When mains was seen again; none while it lasts. Where the end was not seen, when the outage was seen last.
    pub end_ms: Option<i64>,
    /// How long it was seen, or is so far, whatever became of the wall clock.
    pub length: Duration,
    /// The UPS was seen on mains right before.
    pub begin_seen: bool,
    /// It was seen all the time, and so was its end.
    pub end_seen: bool,
    /// The UPS itself said meanwhile that it is being tested (CAL).
    pub test: bool,
    /// It said that the battery is low.
    pub low_battery: bool,
    /// The lowest charge in percent, and whose word that is.
    pub lowest_charge: Option<(f64, Provenance)>,
    /// The lowest volts of the battery, and whose word that is.
    pub lowest_voltage: Option<(f64, Provenance)>,
    /// The mean of the load in percent, and whether all of it is the UPS's word.
    pub mean_load: Option<(f64, Provenance)>,
    /// What the load took in watt-hours, and whether all of it is the UPS's word.
    pub energy_wh: Option<(f64, Provenance)>,
}

/// What a status changed.
#[derive(Clone, Debug, PartialEq)]
pub enum OutageChange {
    /// One began.
    Begun(Outage),
    /// One ended.
    Ended(Outage),
}

/// What was read during an outage.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct OutageReadings {
    /// Charge in percent.
    pub charge: Option<(f64, Provenance)>,
    /// Volts of the battery.
    pub voltage: Option<(f64, Provenance)>,
    /// Load in percent.
    pub load: Option<(f64, Provenance)>,
    /// Watt-hours since the last readings.
    pub energy_wh: Option<(f64, Provenance)>,
}

/// Follows one UPS.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OutageTracker {
    open: Option<Open>,
    /// Mains was there by the last status, of which nothing was lost since.
    on_mains: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Open {
    outage: Outage,
    /// When this part of it began, and how long it was before.
    since: Duration,
    before: Duration,
    last_wall_ms: i64,
    last_steady: Duration,
    /// Nothing was heard since then.
    lost: bool,
    /// It was not seen all of the time.
    gap: bool,
    loads: (f64, u32),
}

impl OutageTracker {
    /// Goes on with an outage that was not over when it was written down. `last_ms` is when that was.
    pub fn resume(&mut self, outage: Outage, last_ms: i64, now: HistoryTime) {
        let missed = u64::try_from(now.wall_ms.saturating_sub(last_ms)).unwrap_or(0);
        let before = outage.length;
        self.open = Some(Open {
            since: now.steady,
            before: before + Duration::from_millis(missed),
            last_wall_ms: last_ms,
            last_steady: now.steady,
            lost: true,
            gap: true,
            loads: outage.mean_load.map_or((0.0, 0), |(load, _)| (load, 1)),
            outage,
        });
    }

    /// A status came.
    pub fn status(&mut self, words: &str, now: HistoryTime) -> Option<OutageChange> {
        let has = |word: &str| words.split_ascii_whitespace().any(|there| there == word);
        match (has("OB"), has("OL")) {
            (true, false) => {
                let begun = self.on_battery(now);
                self.on_mains = false;
                if let Some(open) = &mut self.open {
                    open.outage.test |= has("CAL");
                    open.outage.low_battery |= has("LB");
                    (open.last_wall_ms, open.last_steady) = (now.wall_ms, now.steady);
                    open.gap |= std::mem::take(&mut open.lost);
                }
                let outage = self.open.as_ref().map(|open| open.outage.clone());
                outage.filter(|_| begun).map(OutageChange::Begun)
            }
            (false, true) => {
                self.on_mains = true;
                self.open.take().map(|open| OutageChange::Ended(open.end(now)))
            }
            // neither is said, or both: what is so is not known
            _ => {
                self.lost();
                None
            }
        }
    }

    /// Whether this one began it.
    fn on_battery(&mut self, now: HistoryTime) -> bool {
        let is_new = self.open.is_none();
        let on_mains = self.on_mains;
        self.open.get_or_insert_with(|| Open {
            outage: Outage {
                begin_ms: now.wall_ms,
                begin_seen: on_mains,
                end_seen: true,
                ..Outage::default()
            },
            since: now.steady,
            ..Open::default()
        });
        is_new
    }

    /// There is no data: what happens meanwhile is not seen.
    pub fn lost(&mut self) {
        self.on_mains = false;
        if let Some(open) = &mut self.open {
            open.lost = true;
        }
    }

    /// Readings came.
    pub fn read(&mut self, readings: OutageReadings) {
        let Some(Open { outage, loads, .. }) = &mut self.open else { return };
        for (lowest, read) in
            [(&mut outage.lowest_charge, readings.charge), (&mut outage.lowest_voltage, readings.voltage)]
        {
            if let Some(read) = read.filter(|read| lowest.is_none_or(|lowest| read.0 < lowest.0)) {
                *lowest = Some(read);
            }
        }
        if let Some((load, whose)) = readings.load {
            *loads = (loads.0 + load, loads.1.saturating_add(1));
            let whose = outage.mean_load.map_or(whose, |(_, before)| before.max(whose));
            outage.mean_load = Some((loads.0 / f64::from(loads.1), whose));
        }
        if let Some((more, whose)) = readings.energy_wh {
            let (before, whose_before) = outage.energy_wh.unwrap_or((0.0, whose));
            outage.energy_wh = Some((before + more, whose.max(whose_before)));
        }
    }

    /// The outage that lasts, as it is so far, and when it was seen last.
    pub fn open(&self, now: HistoryTime) -> Option<(Outage, i64)> {
        let open = self.open.as_ref()?;
        let until = if open.lost { open.last_steady } else { now.steady };
        let at = if open.lost { open.last_wall_ms } else { now.wall_ms };
        let length = if open.is_untouched() { open.outage.length } else { open.length(until) };
        Some((Outage { length, end_seen: !open.lost && !open.gap, ..open.outage.clone() }, at))
    }
}

impl Open {
    fn length(&self, until: Duration) -> Duration {
        self.before + until.saturating_sub(self.since)
    }

    /// It was not seen since it was resumed: how long it was is what was written down.
    fn is_untouched(&self) -> bool {
        self.lost && self.last_steady == self.since
    }

    fn end(self, now: HistoryTime) -> Outage {
        // not seen: it ended some time after it was seen last
        let (at, until) = match self.lost {
            true => (self.last_wall_ms, self.last_steady),
            false => (now.wall_ms, now.steady),
        };
        let length = if self.is_untouched() { self.outage.length } else { self.length(until) };
        Outage { end_ms: Some(at), length, end_seen: !self.lost && !self.gap, ..self.outage }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: u64) -> HistoryTime {
        HistoryTime { wall_ms: i64::try_from(seconds * 1000).unwrap(), steady: Duration::from_secs(seconds) }
    }

    fn ended(change: Option<OutageChange>) -> Outage {
        match change {
            Some(OutageChange::Ended(outage)) => outage,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_outage_has_begin_end_depth_and_load() {
        let mut tracker = OutageTracker::default();
        assert_eq!(tracker.status("OL CHRG", at(1)), None);
        assert!(
            matches!(tracker.status("OB DISCHRG", at(10)), Some(OutageChange::Begun(begun)) if begun.begin_seen)
        );
        for (charge, load) in [(90.0, 20.0), (40.0, 30.0), (60.0, 25.0)] {
            tracker.read(OutageReadings {
                charge: Some((charge, Provenance::Said)),
                voltage: Some((charge / 4.0, Provenance::Said)),
                load: Some((load, Provenance::Said)),
                energy_wh: Some((1.5, Provenance::Said)),
            });
        }
        assert_eq!(tracker.status("OB LB", at(40)), None);
        let outage = ended(tracker.status("OL", at(70)));
        assert_eq!((outage.begin_ms, outage.end_ms, outage.length.as_secs()), (10_000, Some(70_000), 60));
        assert!(outage.end_seen && outage.low_battery && !outage.test);
        assert_eq!(
            (outage.lowest_charge, outage.lowest_voltage),
            (Some((40.0, Provenance::Said)), Some((10.0, Provenance::Said)))
        );
        assert_eq!(
            (outage.mean_load, outage.energy_wh),
            (Some((25.0, Provenance::Said)), Some((4.5, Provenance::Said)))
        );
    }

    /// The lowest is in the word in which it was read; of a sum all has to be the UPS's word.
    #[test]
    fn what_was_computed_is_not_the_word_of_the_ups() {
        use Provenance::{Computed, Said};
        let mut tracker = OutageTracker::default();
        tracker.status("OB", at(1));
        for (volts, whose) in [(24.0, Said), (22.0, Computed), (23.0, Said)] {
            tracker.read(OutageReadings {
                voltage: Some((volts, whose)),
                load: Some((20.0, whose)),
                energy_wh: Some((1.0, whose)),
                ..OutageReadings::default()
            });
        }
        let (outage, _) = tracker.open(at(9)).unwrap();
        assert_eq!(
            (outage.lowest_voltage, outage.mean_load, outage.energy_wh),
            (Some((22.0, Computed)), Some((20.0, Computed)), Some((3.0, Computed)))
        );
        tracker.read(OutageReadings { voltage: Some((21.0, Said)), ..OutageReadings::default() });
        assert_eq!(tracker.open(at(9)).unwrap().0.lowest_voltage, Some((21.0, Said)));
    }

    /// The clock is set by an hour in its midst.
    #[test]
    fn a_wall_clock_that_is_set_changes_no_length() {
        let mut tracker = OutageTracker::default();
        tracker.status("OL", at(1));
        tracker.status("OB", at(10));
        let back = HistoryTime { wall_ms: -3_590_000, steady: Duration::from_secs(20) };
        assert_eq!(ended(tracker.status("OL", back)).length.as_secs(), 10);
    }

    #[test]
    fn what_was_not_seen_is_not_said_to_be_seen() {
        let mut tracker = OutageTracker::default();
        // from the start
        assert!(
            matches!(tracker.status("OB", at(5)), Some(OutageChange::Begun(outage)) if !outage.begin_seen)
        );
        tracker.status("OB", at(9));
        tracker.lost();
        let outage = ended(tracker.status("OL", at(500)));
        assert_eq!((outage.end_ms, outage.length.as_secs(), outage.end_seen), (Some(9_000), 4, false));
        // a gap in its midst, and an end that was seen
        tracker.status("OB", at(510));
        tracker.lost();
        tracker.status("OB", at(540));
        let outage = ended(tracker.status("OL", at(550)));
        assert_eq!((outage.end_ms, outage.length.as_secs(), outage.end_seen), (Some(550_000), 40, false));
        // mains was there before the loss, and perhaps still when the outage began
        tracker.lost();
        assert!(
            matches!(tracker.status("OB", at(600)), Some(OutageChange::Begun(outage)) if !outage.begin_seen)
        );
    }

    #[test]
    fn an_outage_goes_on_after_a_new_start() {
        let mut first = OutageTracker::default();
        first.status("OL", at(1));
        first.status("OB", at(10));
        let (so_far, last) = first.open(at(30)).unwrap();
        assert_eq!((so_far.length.as_secs(), last), (20, 30_000));
        let now = HistoryTime { wall_ms: 40_000, steady: Duration::from_secs(2) };
        let mut second = OutageTracker::default();
        second.resume(so_far.clone(), last, now);
        assert_eq!(
            second.status("OB", HistoryTime { wall_ms: 41_000, steady: Duration::from_secs(3) }),
            None
        );
        let end = HistoryTime { wall_ms: 60_000, steady: Duration::from_secs(22) };
        let outage = ended(second.status("OL", end));
        assert_eq!((outage.begin_ms, outage.length.as_secs(), outage.end_seen), (10_000, 50, false));
        // or it was over meanwhile
        let mut third = OutageTracker::default();
        third.resume(so_far, last, now);
        let outage = ended(third.status("OL", end));
        assert_eq!((outage.end_ms, outage.length.as_secs(), outage.end_seen), (Some(30_000), 20, false));
    }

    proptest! {
        /// Begins and ends take turns, whatever is said, lost and set.
        #[test]
        fn each_outage_begins_and_ends_once(steps in proptest::collection::vec((0..5_usize, any::<i32>()), 0..60)) {
            let (mut tracker, mut open, mut steady) = (OutageTracker::default(), false, 0);
            for (what, wall) in steps {
                steady += 1;
                let now = HistoryTime { wall_ms: wall.into(), steady: Duration::from_secs(steady) };
                let words = ["OL", "OB", "OB LB", "OFF", ""][what];
                if words.is_empty() {
                    tracker.lost();
                    continue;
                }
                match tracker.status(words, now) {
                    Some(OutageChange::Begun(_)) => {
                        prop_assert!(!open && words.starts_with("OB"));
                        open = true;
                    }
                    Some(OutageChange::Ended(outage)) => {
                        prop_assert!(open && words == "OL" && outage.length < Duration::from_secs(steady));
                        open = false;
                    }
                    None => {}
                }
                prop_assert_eq!(tracker.open(now).is_some(), open);
            }
        }
    }
}
