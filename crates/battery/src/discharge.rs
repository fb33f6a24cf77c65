//! A discharge from its beginning to its end.

use crate::bank::Nature;
use crate::belief::{Belief, Drain, Learned};
use crate::endurance::Endurance;

/// A discharge that goes on.
#[derive(Clone, Debug)]
pub(crate) struct Discharge {
    pub belief: Belief,
    pub seconds: f64,
    pub energy: f64,
    pub missing: f64,
    /// Whether it was seen from its beginning.
    pub whole: bool,
    pub adapted: f64,
    /// The last volts of a cell, and the longest gap between two samples.
    pub volts: Option<f64>,
    pub longest_s: f64,
    /// Share used when it was last learned from.
    pub learned_at: f64,
    /// What was known before.
    pub before: Option<Learned>,
}

/// Silence of at least so long, when it was not the usual, is a UPS that is off.
const SILENCE_S: f64 = 30.0;
/// ... and when at least this share was used.
const LOW: f64 = 0.75;

impl Discharge {
    pub fn drain(&self, load: f64) -> Drain {
        Drain { energy: self.energy, missing: self.missing, load, adapted: self.adapted }
    }

    /// Whether the UPS was silent between the last sample on battery and mains, the battery being
    /// low: it has switched off then.
    pub fn fell_silent(&self, nature: &Nature, curve: &Endurance, gap_s: f64) -> bool {
        gap_s >= SILENCE_S
            && gap_s >= 4.0 * self.longest_s
            && self.volts.is_some_and(|volts| volts <= nature.low_v)
            && self.used(curve) >= LOW
    }

    /// The UPS switched off: the battery was empty at these volts.
    pub fn end(&mut self, curve: &Endurance) {
        let drain = self.drain(self.adapted);
        if let Some(volts) = self.volts {
            self.belief.end(curve, &drain, volts);
        }
    }

    /// The share that is used.
    pub fn used(&self, curve: &Endurance) -> f64 {
        self.belief.used(curve, &self.drain(self.adapted))
    }
}
