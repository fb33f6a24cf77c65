//! A discharge from its beginning to its end.

use crate::bank::Nature;
use crate::endurance::Endurance;
use crate::estimate::Confidence;
use crate::posterior::{Drain, Measured, Posterior};
use crate::surprise::Surprise;
use crate::trend::Trend;

/// A discharge that goes on.
#[derive(Clone, Debug)]
pub(crate) struct Discharge {
    pub posterior: Posterior,
    /// Of any battery, beside a memory that may be of another one.
    pub others: Option<Posterior>,
    pub surprise: Surprise,
    pub lowest: Lowest,
    pub trend: Trend,
    /// What was known before is not of this battery.
    pub contradicted: bool,
    /// It was measured of this very UPS, and nothing was at odds with it so far.
    pub own: bool,
    /// The load was not said for a while: nothing is measured from it.
    pub blind: bool,
    pub seconds: f64,
    pub energy: f64,
    pub missing: f64,
    /// Whether it was seen from its beginning, and never surprised for long.
    pub whole: bool,
    /// The volts are still those that a charger holds, and were for so long.
    pub settles: bool,
    pub settles_s: f64,
    /// Whether anything at all is known of how full the battery was.
    pub begun: bool,
    pub adapted: f64,
    /// The last volts of a cell, and the longest gap between two samples.
    pub volts: Option<f64>,
    pub longest_s: f64,
    /// Share used when it was last evaluated.
    pub measured_at: f64,
    /// How well its runtime is known, and the share used when that was last looked at.
    pub confidence: Option<Confidence>,
    pub judged_at: f64,
    /// Whether it was known better before: it is not known well again in this discharge.
    pub fell: bool,
    /// What was known before.
    pub before: Option<Measured>,
}

/// How a reading counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    /// Of one reading, squared volts.
    pub variance: f64,
    /// So many of them tell as much as one that stands alone.
    pub news: f64,
    /// How far the open volts drifted since the last one, squared.
    pub drift: f64,
    /// Seconds since the last one.
    pub passed: f64,
}

/// The least volts of a cell so far, with the load that they carried. Volts of a battery that is emptied do not
/// rise, but after the first dip, and when less is drawn.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lowest {
    /// The last readings: one of them may be wrong.
    last: [Option<f64>; 3],
    least: Option<(f64, f64)>,
}

/// The first dip is over.
const DIPPED_S: f64 = 30.0;
/// So far below where volts begin to fall the line counts in full.
const COUNTS_V: f64 = 0.15;
/// From here on the line through the volts counts.
const RECOVERED_S: f64 = 10.0;
/// A discharge that had volts of a charger for a larger share of its time is none.
const MOST_SETTLES: f64 = 0.25;
/// Errors of one reading of a cell of LFP.
const NOISE_V: f64 = 0.03;
/// A load below this share of the other is less.
const LESS: f64 = 0.95;

impl Lowest {
    /// Whether the volts rose since, though the load did not fall.
    fn rises(&mut self, nature: &Nature, load: f64, volts: f64) -> bool {
        self.last = [self.last[1], self.last[2], Some(volts)];
        let now = self.last.iter().flatten().copied().fold(f64::MAX, f64::min);
        self.least.is_some_and(|(least, with)| load >= LESS * with && now > least + nature.rise_v)
    }

    /// Whether none were accepted yet.
    fn is_new(&self) -> bool {
        self.least.is_none()
    }

    /// The last volts were accepted.
    fn take(&mut self, load: f64) {
        let now = self.last.iter().flatten().copied().fold(0.0, f64::max);
        let lower = |(least, with): (f64, f64)| now < least || load < LESS * with;
        if self.least.is_none_or(lower) {
            self.least = Some((now, load));
        }
    }
}

/// Silence of at least so long, when it was not the usual, is a UPS that is off.
const SILENCE_S: f64 = 30.0;
/// ... and when at least this share was used.
const LOW: f64 = 0.75;
/// ... or this, at the volts at which this UPS switched off before: within this part of the way from low volts to them.
const LOW_AT_END: f64 = 0.35;
const NEAR: f64 = 0.5;
/// An end was seen of what is known to this deviation.
const SURE: f64 = 0.2;

/// The memory is at odds with the volts when they are so much likelier, as a logarithm, of any battery; and it is
/// confirmed when they are so much less likely. (Of its own battery the likeness is never 2.5 below that of
/// others in the outages of the proof, but at the very end of one with LFP, and mostly 2.5 above it.)
const CONTRADICTED: f64 = 5.0;
/// What was measured of this UPS itself outlives more once this share is used: then it is the shape of the curve that
/// differs, and the model has that wrong of some batteries of other physics (down to -14 in `tests/lives.rs`). One that
/// broke down is found by the posterior all the same.
const EARLY: f64 = 0.15;
const CONTRADICTED_OWN: f64 = 15.0;
const CONFIRMED: f64 = 2.5;

/// What volts say of a memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MemoryCheck {
    Nothing,
    Confirmed,
    Contradicted,
}

impl Discharge {
    /// Takes the volts of a cell. `variance` is that of one reading; it tells so much `news`.
    pub fn take(&mut self, nature: &Nature, curve: &Endurance, load: f64, volts: f64, reading: Reading) {
        let drain = self.drain(load);
        let Reading { variance, news, drift, passed } = reading;
        let likely = |posterior: &Posterior| posterior.foretells(nature, curve, &drain, volts, variance);
        // what a charger holds, no battery has that is emptied
        let charged = self.seconds >= DIPPED_S && volts >= nature.float_v;
        // but cells of LFP keep some of the charger's volts for minutes at a small load
        self.settles = charged && !nature.drop_tells && self.lowest.is_new();
        if self.settles {
            self.settles_s += passed;
            return;
        }
        let charged = charged && (nature.drop_tells || volts >= nature.float_v + NOISE_V);
        let foretold = !charged
            && !self.lowest.rises(nature, load, volts)
            && (likely(&self.posterior) || self.others.as_ref().is_some_and(likely));
        self.surprise.take(foretold, passed);
        if foretold {
            if self.seconds >= DIPPED_S {
                self.lowest.take(load);
            }
            if self.seconds >= RECOVERED_S {
                self.trend.take(self.seconds, volts, load, nature.line_spans);
            }
            for posterior in std::iter::once(&mut self.posterior).chain(&mut self.others) {
                posterior.take(nature, curve, &drain, volts, variance * news, drift);
            }
        }
        self.whole &= !self.surprise.is_lost();
    }

    /// Whether most of it had volts of a battery that is emptied.
    pub fn is_plain(&self) -> bool {
        self.settles_s <= MOST_SETTLES * self.seconds
    }

    /// Takes how well the runtime is known now. What was doubted once stays doubted to the end.
    pub fn judge(&mut self, now: Confidence) {
        let before = self.confidence.unwrap_or(now);
        self.fell |= now < before;
        self.confidence = Some(if self.fell { now.min(before) } else { now });
    }

    /// What the volts so far say of the memory.
    pub fn word(&self, curve: &Endurance) -> MemoryCheck {
        let Some(others) = &self.others else { return MemoryCheck::Nothing };
        let outlives = self.own && self.used(curve) > self.missing + EARLY;
        let contradicted = if outlives { CONTRADICTED_OWN } else { CONTRADICTED };
        match self.posterior.evidence() - others.evidence() {
            less if less < -contradicted => MemoryCheck::Contradicted,
            more if more > CONFIRMED => MemoryCheck::Confirmed,
            _ => MemoryCheck::Nothing,
        }
    }

    pub fn drain(&self, load: f64) -> Drain {
        Drain { energy: self.energy, missing: self.missing, load, adapted: self.adapted }
    }

    /// Whether the UPS was silent between the last sample on battery and mains, the battery being
    /// low: it has switched off then.
    pub fn fell_silent(&self, nature: &Nature, curve: &Endurance, gap_s: f64) -> bool {
        let Some(volts) = self.volts.filter(|volts| *volts <= nature.low_v) else { return false };
        let used = self.used(curve);
        // one that lost much since its end was seen is at these volts before it should be empty
        let is_end = self.before.is_some_and(|before| before.strength.1 < SURE)
            && volts <= self.posterior.end_volts().mean + NEAR * (nature.low_v - nature.volts[3].0);
        let least = if is_end { LOW_AT_END } else { LOW };
        gap_s >= SILENCE_S && gap_s >= 4.0 * self.longest_s && used >= least
    }

    /// The UPS switched off: the battery was empty at these volts.
    pub fn end(&mut self, nature: &Nature, curve: &Endurance) {
        let drain = self.drain(self.adapted);
        if let Some(volts) = self.volts {
            self.posterior.end(nature, curve, &drain, volts);
        }
    }

    /// When the line through the last volts, at this load, meets those at which its UPS switches off: the likely
    /// ones, and the least of any battery; and how far its word counts, from 0 to 1.
    pub fn line_s(&self, nature: &Nature, load: f64) -> Option<(f64, f64, f64)> {
        let volts = self.volts.filter(|volts| *volts <= nature.falls_v)?;
        let end = self.posterior.end_volts();
        let to = |end_v: f64| self.trend.seconds_to(end_v.min(volts), load);
        let counts = ((nature.falls_v - volts) / COUNTS_V).clamp(0.0, 1.0);
        Some((to(end.mean)?, to(nature.bounds[3].0)?, counts))
    }

    /// The share that is used.
    pub fn used(&self, curve: &Endurance) -> f64 {
        self.posterior.used(curve, &self.drain(self.adapted))
    }
}
