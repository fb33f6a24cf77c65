//! What a history knows of one UPS.

use super::readings::Readout;
use history::{EnergyMeter, HistoryTime, Outage, OutageChange, OutageReadings, OutageTracker, Provenance};

/// One UPS.
#[derive(Debug, Default)]
pub(super) struct WatchedUnit {
    /// Its last status; none while there is no fresh data.
    status: Option<String>,
    pub outages: OutageTracker,
    /// The one that ended last.
    ended: Option<Outage>,
    meter: EnergyMeter,
    /// Watt-hours that are in no batch yet: said, and computed.
    energy: [f64; 2],
    /// Those of the last batch: they may not be on the disk yet.
    handed: [f64; 2],
    /// All before, with those that the file had.
    counted: [f64; 2],
}

/// What a status means.
pub(super) struct HeardStatus {
    /// There was no fresh data before.
    pub is_back: bool,
    /// The outage that began or ended.
    pub outage: Option<Outage>,
}

impl WatchedUnit {
    pub fn is_fresh(&self) -> bool {
        self.status.is_some()
    }

    /// A status came; none where it is that of before.
    pub fn hear(&mut self, words: &str, now: HistoryTime) -> Option<HeardStatus> {
        if self.status.as_deref() == Some(words) {
            // it goes on: what is seen last is now
            self.outages.status(words, now);
            return None;
        }
        let is_back = self.status.replace(words.into()).is_none();
        let outage = match self.outages.status(words, now) {
            Some(OutageChange::Begun(outage)) => Some(outage),
            Some(OutageChange::Ended(outage)) => {
                self.ended = Some(outage.clone());
                Some(outage)
            }
            None => None,
        };
        Some(HeardStatus { is_back, outage })
    }

    /// There is no fresh data; whether there was some before.
    pub fn lose(&mut self) -> bool {
        self.outages.lost();
        self.meter = EnergyMeter::default();
        self.status.take().is_some()
    }

    /// Values were read.
    pub fn read(&mut self, said: &Readout, now: HistoryTime) {
        let energy_wh = self.meter.count(now.steady, said.power());
        if let Some((wh, provenance)) = energy_wh {
            self.energy[usize::from(provenance == Provenance::Computed)] += wh;
        }
        self.outages.read(OutageReadings {
            charge: said.charge(),
            voltage: said.battery_voltage(),
            load: said.load(),
            energy_wh,
        });
    }

    /// Watt-hours since the last call: said, and computed.
    pub fn take_energy(&mut self) -> [f64; 2] {
        for (counted, handed) in self.counted.iter_mut().zip(self.handed) {
            *counted += handed;
        }
        self.handed = std::mem::take(&mut self.energy);
        self.handed
    }

    /// So many watt-hours were counted before.
    pub fn count_on(&mut self, whose: Provenance, wh: f64) {
        self.counted[usize::from(whose == Provenance::Computed)] += wh;
    }

    /// Watt-hours since they are counted, as far as they are on the disk: what would be lost with the power is not told, for
    /// a counter must not go back.
    pub fn counted(&self) -> [f64; 2] {
        self.counted
    }

    /// The outage that lasts, as it is so far, or else the one that ended last.
    pub fn latest(&self, now: HistoryTime) -> Option<Outage> {
        self.outages.open(now).map(|(outage, _)| outage).or_else(|| self.ended.clone())
    }

    /// It is watched no more: the outage that lasts, as it was seen last.
    pub fn give_up(&mut self, now: HistoryTime) -> Option<(Outage, i64)> {
        let (outage, last_ms) = self.outages.open(now)?;
        Some((Outage { end_ms: Some(last_ms), end_seen: false, ..outage }, last_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use history::LoadPower;
    use std::time::Duration;

    /// A load of 360 W, by the UPS or computed, is 1 Wh in 10 s.
    fn read(unit: &mut WatchedUnit, second: u64, whose: Provenance) {
        let now = HistoryTime {
            wall_ms: i64::try_from(second).unwrap() * 1000,
            steady: Duration::from_secs(second),
        };
        unit.read(&Readout::of_power(LoadPower { watts: 360.0, provenance: whose }), now);
    }

    /// What a batch has may be lost with the power; what the batch before it has is on the disk.
    #[test]
    fn energy_that_is_counted_is_that_of_the_batches_before_the_last() {
        let mut unit = WatchedUnit::default();
        (0..=6).for_each(|turn| read(&mut unit, turn * 10, Provenance::Said));
        assert_eq!(unit.counted(), [0.0, 0.0], "none of it was handed over");
        assert_eq!(unit.take_energy(), [6.0, 0.0]);
        assert_eq!(unit.counted(), [0.0, 0.0], "it may not be on the disk yet");
        (7..=9).for_each(|turn| read(&mut unit, turn * 10, Provenance::Computed));
        // until the first of them it was the power that the UPS says
        assert_eq!(unit.take_energy(), [1.0, 2.0]);
        assert_eq!(unit.counted(), [6.0, 0.0]);
        // a batch without energy takes the one before it along
        assert_eq!(unit.take_energy(), [0.0, 0.0]);
        assert_eq!(unit.counted(), [7.0, 2.0]);
    }

    #[test]
    fn the_counter_never_goes_back() {
        let (mut unit, mut last) = (WatchedUnit::default(), [0.0, 0.0]);
        // what the file had comes late, where its disk did
        for turn in 0..200 {
            match turn % 17 {
                3 => drop(unit.take_energy()),
                11 => _ = unit.lose(),
                13 if turn < 100 => unit.count_on(Provenance::Computed, 5.0),
                _ => read(
                    &mut unit,
                    turn * 10,
                    if turn % 2 == 0 { Provenance::Said } else { Provenance::Computed },
                ),
            }
            let counted = unit.counted();
            assert!(
                counted.iter().zip(last).all(|(now, before)| *now >= before),
                "{counted:?} after {last:?}"
            );
            last = counted;
        }
        assert!(last.iter().all(|wh| *wh > 20.0), "{last:?} says nothing");
    }
}
