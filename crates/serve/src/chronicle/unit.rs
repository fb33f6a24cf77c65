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
