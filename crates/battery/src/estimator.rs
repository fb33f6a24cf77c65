//! From samples to estimates.

use crate::bank::{Bank, Nature};
use crate::belief::{ADAPTS_S, Belief, Learned};
use crate::discharge::{Discharge, Lowest, Reading, Word};
use crate::endurance::Endurance;
use crate::estimate::{Confidence, Estimate, Health, RelativeTo, Sample, Source};
use crate::memory::Kept;
use crate::surprise::Surprise;
use crate::unit::{Likeness, Unit};
use crate::{MemoryError, charging, memory};
use std::time::Duration;

/// The estimator: takes samples, keeps what it measured.
#[derive(Clone, Debug)]
pub struct Estimator {
    bank: Bank,
    curve: Endurance,
    learned: Option<Learned>,
    /// How much that counts.
    trust: Trust,
    /// Whether it is of this UPS for certain.
    own: bool,
    /// Whose battery it is.
    unit: Unit,
    /// Share of the charge that is missing, once it is known.
    missing: Option<f64>,
    /// Whether that is no more than a guess: nothing is measured from such a beginning.
    guessed: bool,
    /// What `memory` tells to be missing: it does not change with every sample.
    told_missing: f64,
    discharge: Option<Discharge>,
    last: Option<Duration>,
    load: Load,
    /// Logarithm of what the temperature makes of the strength.
    warmth: f64,
    /// How many readings of volts in a row no battery can have.
    senseless: u32,
    charging: bool,
    floating: bool,
}

/// How much what was measured before counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Trust {
    /// The volts of a discharge were at odds with it.
    Contradicted,
    /// It may be of the battery of another UPS.
    Doubted,
    /// The UPS has no name: it may be another one of the same ratings.
    Unnamed,
    /// It was measured or confirmed in this life, or it is of the UPS of this name.
    Full,
}

/// The load, without the noise of its last digit.
#[derive(Clone, Copy, Debug, Default)]
struct Load {
    smooth: Option<f64>,
    apart: u32,
}

/// What the inverter itself takes, in percent of the rated load: between 2 and 8 in small UPSes.
const IDLE_PERCENT: f64 = 5.0;
/// Readings nearer than this tell much the same.
const TELLS_NEWS_S: f64 = 30.0;
/// How the open volts drift, squared, in each second.
const DRIFT: f64 = 1.0e-7;
/// The first dip (coup de fouet) and what the charger left are gone after some of these.
const DIP_S: f64 = 15.0;
const DIP_WEIGHT: f64 = 30.0;
/// A gap between samples counts at most so long.
const LONGEST_S: f64 = 3600.0;
/// What is taken to be missing when it is not known and the charger holds its final volts: they are
/// reached at about three quarters.
const UNKNOWN_MISSING: f64 = 0.25;
/// What a guess has to charge up to before it counts as known.
const NEARLY_FULL: f64 = 0.03;

impl Estimator {
    /// An estimator that knows nothing of this battery.
    pub fn new(bank: Bank) -> Estimator {
        Estimator {
            bank,
            curve: Endurance::of(bank.chemistry.nature()),
            learned: None,
            trust: Trust::Full,
            own: true,
            unit: Unit::default(),
            missing: None,
            guessed: true,
            told_missing: 0.0,
            discharge: None,
            last: None,
            load: Load::default(),
            warmth: 0.0,
            senseless: 0,
            charging: false,
            floating: false,
        }
    }

    /// An estimator that goes on from what [`Estimator::memory`] said, for the battery of this UPS. A memory
    /// of an unknown UPS counts as a guess, until a discharge confirms it.
    ///
    /// # Errors
    /// When the text is damaged, of another version, bank or UPS, or cannot be right.
    pub fn remembering(bank: Bank, unit: &Unit, text: &str) -> Result<Estimator, MemoryError> {
        let kept = memory::read(&bank, text)?;
        let likeness = kept.unit.as_ref().map_or(Likeness::Unknown, |kept| kept.compare(unit));
        let trust = match (kept.contradicted, likeness) {
            (_, Likeness::Other) => return Err(MemoryError::OtherUnit),
            (true, _) => Trust::Contradicted,
            (false, Likeness::Same) => Trust::Full,
            (false, Likeness::Unnamed) => Trust::Unnamed,
            (false, Likeness::Unknown) => Trust::Doubted,
        };
        let mut whose = kept.unit.unwrap_or_default();
        whose.join(unit);
        Ok(Estimator {
            learned: Some(kept.learned),
            trust,
            own: likeness == Likeness::Same,
            unit: whose,
            missing: Some(kept.missing),
            guessed: false,
            told_missing: kept.missing,
            ..Estimator::new(bank)
        })
    }

    /// Says whose battery it is, as far as that is known by now; what is measured is kept under that name.
    pub fn set_unit(&mut self, unit: &Unit) {
        self.unit.join(unit);
    }

    /// What is worth keeping, as short lines of text. None until something was measured; changes
    /// only when something is measured, with each twentieth of a discharge, when the battery is
    /// full again, and when a discharge is at odds with it.
    pub fn memory(&self) -> Option<String> {
        let learned = self.learned?;
        let kept = Kept {
            learned,
            missing: self.told_missing,
            unit: Some(self.unit.clone()),
            contradicted: self.trust == Trust::Contradicted,
        };
        Some(memory::write(&self.bank, &kept))
    }

    /// Takes what the UPS said.
    pub fn take(&mut self, sample: Sample) {
        let passed =
            self.last.map_or(0.0, |last| sample.at.saturating_sub(last).as_secs_f64()).min(LONGEST_S);
        self.last = Some(self.last.map_or(sample.at, |last| last.max(sample.at)));
        if let Some(temperature) = sample.temperature_c.filter(|celsius| celsius.is_finite()) {
            self.warmth = (1.0 + WARMTH * (temperature - 25.0)).clamp(0.7, 1.1).ln();
        }
        if sample.load_percent.is_finite() {
            self.load.take(sample.load_percent.clamp(0.0, 300.0), passed);
        }
        let volts = sample.volts / f64::from(self.bank.cells.max(1));
        let (low, high) = self.nature().sane_v;
        let volts = Some(volts).filter(|volts| (low..=high).contains(volts));
        self.senseless = if volts.is_some() { 0 } else { self.senseless.saturating_add(1) };
        match sample.source {
            Source::Mains => self.charge(volts, passed),
            Source::Battery | Source::Test => self.drain(volts, passed),
        }
    }

    /// What is estimated now.
    pub fn estimate(&self) -> Estimate {
        let nothing = Estimate {
            charge_percent: None,
            runtime_s: None,
            health: self.health(),
            confidence: Confidence::Nothing,
        };
        let Some(load) = self.drawn().filter(|_| self.senseless < ABSENT_AFTER) else { return nothing };
        if let Some(discharge) = &self.discharge {
            if !discharge.begun || discharge.surprise.is_lost() {
                return nothing;
            }
            let (ln_seconds, share) = discharge.belief.left(&self.curve, &discharge.drain(load));
            return Estimate {
                charge_percent: Some((100.0 * share).clamp(0.0, 100.0)),
                runtime_s: Some((ln_seconds.mean - self.caution() * ln_seconds.deviation).exp()),
                confidence: Confidence::of(ln_seconds.deviation).min(self.at_most(discharge)),
                ..nothing
            };
        }
        let Some(missing) = self.missing else { return nothing };
        let charge = if missing < charging::FULL && self.floating {
            100.0
        } else {
            (100.0 * (1.0 - missing)).clamp(0.0, 99.0)
        };
        let Some(learned) = self.learned else { return Estimate { charge_percent: Some(charge), ..nothing } };
        let full = self.curve.ln_seconds(load.ln(), learned.strength.0, learned.tilt.0).exp();
        // on mains nothing runs out: next to nothing is not told
        let runtime_s = Some(full * charge / 100.0).filter(|seconds| *seconds >= 1.0);
        let known = Confidence::of(learned.strength.1).min(self.trust.at_most());
        let confidence = runtime_s.map_or(Confidence::Nothing, |_| known);
        Estimate { charge_percent: Some(charge), runtime_s, confidence, ..nothing }
    }

    fn nature(&self) -> &'static Nature {
        self.bank.chemistry.nature()
    }

    /// What is drawn from the battery, as a load at 25 degrees.
    fn drawn(&self) -> Option<f64> {
        self.load.smooth.map(|load| (load + IDLE_PERCENT) * (-self.warmth).exp())
    }

    fn charge(&mut self, volts: Option<f64>, passed: f64) {
        if let Some(mut discharge) = self.discharge.take() {
            if discharge.fell_silent(self.nature(), &self.curve, passed) {
                discharge.end(self.nature(), &self.curve);
            }
            let used = discharge.used(&self.curve);
            self.learn_from(&discharge, used);
            let lost = discharge.surprise.is_lost() || !discharge.begun;
            self.guessed |= lost;
            // what was drawn is known, but not how much there was
            self.missing = (!lost || self.learned.is_some()).then_some(used);
            self.told_missing = used;
        }
        let Some(volts) = volts else { return };
        self.charging = volts >= self.nature().charging_v;
        self.floating = volts >= self.nature().float_v;
        if self.floating && self.missing.is_none() {
            self.missing = Some(UNKNOWN_MISSING);
        }
        if self.charging {
            self.missing = self.missing.map(|missing| charging::after(missing, passed));
            self.guessed &= self.missing.is_none_or(|missing| missing > NEARLY_FULL);
        }
        if self.floating && self.missing.is_some_and(|missing| missing < charging::FULL) {
            self.told_missing = 0.0;
        }
    }

    fn drain(&mut self, volts: Option<f64>, passed: f64) {
        let Some(load) = self.drawn() else { return };
        // the outage began somewhere after the last sample: that is not counted
        let (mut discharge, passed) = match self.discharge.take() {
            Some(discharge) => (discharge, passed),
            None => (self.beginning(load), 0.0),
        };
        discharge.seconds += passed;
        discharge.longest_s = discharge.longest_s.max(passed);
        discharge.volts = volts.or(discharge.volts);
        discharge.energy += load * passed;
        discharge.adapted += (load - discharge.adapted) * (1.0 - (-passed / ADAPTS_S).exp());
        if let (Some(volts), true) = (volts, passed > 0.0) {
            let dip = 1.0 + DIP_WEIGHT * (-discharge.seconds / DIP_S).exp();
            let reading = Reading {
                variance: self.nature().reading_v.powi(2) * dip,
                news: (TELLS_NEWS_S / passed).max(0.5),
                drift: DRIFT * passed,
                passed,
            };
            discharge.take(self.nature(), &self.curve, load, volts, reading);
            self.look_at_memory(&mut discharge);
        }
        let used = discharge.used(&self.curve);
        if used >= discharge.learned_at + LEARN_EACH {
            self.learn_from(&discharge, used);
            discharge.learned_at = used;
        }
        self.discharge = Some(discharge);
    }

    /// Whether what was remembered is of this battery.
    fn look_at_memory(&mut self, discharge: &mut Discharge) {
        match discharge.word() {
            Word::Nothing => {}
            Word::Confirmed => (self.trust, self.own) = (Trust::Full, true),
            Word::Contradicted => {
                self.trust = Trust::Contradicted;
                discharge.contradicted = true;
                if let Some(others) = discharge.others.take() {
                    discharge.belief = others;
                    // what the others measure begins here
                    discharge.learned_at = discharge.used(&self.curve);
                }
            }
        }
    }

    fn beginning(&self, load: f64) -> Discharge {
        let missing = self.missing.unwrap_or(0.0);
        let believed = self.trust > Trust::Contradicted;
        Discharge {
            belief: Belief::before(&self.bank, self.learned.filter(|_| believed).as_ref()),
            others: (believed && self.learned.is_some()).then(|| Belief::before(&self.bank, None)),
            surprise: Surprise::default(),
            lowest: Lowest::default(),
            contradicted: !believed,
            seconds: 0.0,
            energy: 0.0,
            missing,
            whole: !self.guessed,
            begun: self.missing.is_some(),
            adapted: load,
            volts: None,
            longest_s: 0.0,
            learned_at: missing,
            before: self.learned,
        }
    }

    /// Keeps what this discharge teaches, if it teaches anything.
    fn learn_from(&mut self, discharge: &Discharge, used: f64) {
        let depth = used - discharge.missing;
        if !discharge.whole || discharge.seconds < SHORTEST_S {
            return;
        }
        let (mut strength, tilt, mut volts) = discharge.belief.learned();
        // what was not seen of the curve may be different from that of others
        let unseen = 1.0 - used.clamp(0.0, 1.0);
        strength.deviation = strength.deviation.hypot(UNSEEN * unseen);
        let common = self.nature().volts.into_iter().zip(self.nature().bounds);
        for (number, ((_, common), (low, high))) in volts.iter_mut().zip(common) {
            number.0 = number.0.clamp(low, high);
            // never known less than of a battery that was never seen: it would grow with every short outage
            number.1 = number.1.hypot(common * unseen).min(common);
        }
        // a battery that broke down is told by what it was before; another one is not
        let before = discharge.before.filter(|_| self.own || self.trust > Trust::Doubted);
        let known = if self.trust == Trust::Contradicted { None } else { self.learned };
        let known = known.map_or(f64::MAX, |learned| learned.strength.1);
        let teaches =
            if depth >= DEEP { strength.deviation < 0.5 } else { strength.deviation < 0.9 * known.min(0.55) };
        if !teaches {
            return;
        }
        let best = best(before, strength.mean, strength.deviation);
        let learned = Learned {
            strength: (strength.mean, strength.deviation),
            tilt: (tilt.mean, tilt.deviation),
            volts,
            best,
            discharges: before.map_or(0, |before| before.discharges).saturating_add(1),
        };
        if learned.is_sensible(&self.bank) {
            self.learned = Some(learned);
            (self.trust, self.own) = (Trust::Full, true);
            self.told_missing = used;
        }
    }

    /// The spread knows nothing of what the model has wrong.
    fn at_most(&self, discharge: &Discharge) -> Confidence {
        // what this very discharge taught has nothing to confirm it
        let known = |before: &Learned| before.strength.1 < SURE && !discharge.contradicted;
        let by_discharge = match (discharge.whole, discharge.before.as_ref().is_some_and(known)) {
            (false, _) => Confidence::Guess,
            (true, false) => Confidence::Low,
            (true, true) => Confidence::Good,
        };
        if self.learned.is_some() { by_discharge.min(self.trust.at_most()) } else { by_discharge }
    }

    /// Whether most of a discharge was seen.
    fn is_sure(&self) -> bool {
        self.learned.is_some_and(|learned| learned.strength.1 < SURE)
    }

    fn caution(&self) -> f64 {
        if self.is_sure() { CAUTION } else { CAUTION_AT_FIRST }
    }

    fn health(&self) -> Option<Health> {
        let believed = self.trust > Trust::Doubted;
        let learned = self.learned.filter(|learned| believed && learned.strength.1 < SURE)?;
        let (of, whole) = match self.bank.rated_strength() {
            Some(rated) => (RelativeTo::Rating, rated.ln()),
            None => (RelativeTo::BestSeen, learned.best),
        };
        let capacity_percent = (100.0 * (learned.strength.0 - whole).exp()).clamp(0.0, 200.0);
        Some(Health { capacity_percent, of })
    }
}

impl Trust {
    fn at_most(self) -> Confidence {
        match self {
            Trust::Full => Confidence::Good,
            Trust::Unnamed => Confidence::Low,
            Trust::Doubted | Trust::Contradicted => Confidence::Guess,
        }
    }
}

/// The best strength, now that this one was seen.
fn best(before: Option<Learned>, strength: f64, deviation: f64) -> f64 {
    let Some(before) = before else { return strength };
    let swapped = strength - before.strength.0 > SWAPPED && deviation < SURE;
    if swapped || before.strength.1 >= SURE {
        strength
    } else if deviation < SURE {
        before.best.max(strength)
    } else {
        before.best
    }
}

/// Change of strength for each degree, at the rates of a UPS (data sheets: 0.5 to 1 percent).
const WARMTH: f64 = 0.006;
/// So many senseless readings of volts mean that there is no battery.
const ABSENT_AFTER: u32 = 3;
/// A discharge is evaluated after each such share, and teaches capacity when it is as deep.
const LEARN_EACH: f64 = 0.05;
const DEEP: f64 = 0.1;
/// Deviation of the strength for the part of the curve that was not seen.
const UNSEEN: f64 = 0.3;
/// Shorter ones teach nothing.
const SHORTEST_S: f64 = 8.0;
/// So much stronger all at once, as a logarithm, is another battery.
const SWAPPED: f64 = 0.22;
/// A strength known to this deviation counts for health.
const SURE: f64 = 0.15;

impl Load {
    /// Readings far from the last ones count at once when they come twice.
    fn take(&mut self, percent: f64, passed: f64) {
        let smooth = self.smooth.unwrap_or(percent);
        self.apart = if (percent - smooth).abs() > FAR_PERCENT { self.apart + 1 } else { 0 };
        let moves = if self.apart >= 2 { 1.0 } else { 1.0 - (-passed / SMOOTH_S).exp() };
        self.smooth = Some(smooth + moves * (percent - smooth));
    }
}

/// The less is known, the less is promised: so many deviations less than the mean, once most of a
/// discharge was seen, and before. (A promise that is too long costs more than one too short.)
const CAUTION: f64 = 0.4;
const CAUTION_AT_FIRST: f64 = 0.8;
const SMOOTH_S: f64 = 40.0;
const FAR_PERCENT: f64 = 7.0;
