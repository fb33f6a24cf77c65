//! From samples to estimates.

use crate::bank::{Bank, Nature};
use crate::charging::Charger;
use crate::discharge::{Discharge, Lowest, MemoryCheck, Reading};
use crate::endurance::Endurance;
use crate::estimate::{Confidence, Estimate, Health, PowerSource, RelativeTo, Sample};
use crate::lesson;
use crate::load::Load;
use crate::memory::Kept;
use crate::outlook;
use crate::posterior::{ADAPTS_S, Measured, Posterior};
use crate::surprise::Surprise;
use crate::trend::Trend;
use crate::unit::{Likeness, UpsIdentity};
use crate::{MemoryError, charging, memory};
use std::time::Duration;

/// The estimator: takes samples, keeps what it measured.
#[derive(Clone, Debug)]
pub struct Estimator {
    bank: Bank,
    curve: Endurance,
    measured: Option<Measured>,
    /// How much that counts.
    trust: Trust,
    /// Whether it is of this UPS for certain.
    own: bool,
    /// Whose battery it is.
    unit: UpsIdentity,
    /// What is expected of the strength by the ratings of the UPS: a logarithm and its deviation.
    expected: Option<(f64, f64)>,
    /// Share of the charge that is missing, once it is known.
    missing: Option<f64>,
    /// Whether that is no more than a guess: nothing is measured from such a beginning.
    guessed: bool,
    /// What `memory` tells to be missing: it does not change with every sample.
    told_missing: f64,
    /// Boxed: nearly always there is none.
    discharge: Option<Box<Discharge>>,
    last: Option<Duration>,
    load: Load,
    /// Logarithm of what the temperature makes of the strength.
    warmth: f64,
    /// How many readings of volts in a row no battery can have.
    senseless: u32,
    charger: Charger,
    /// How full it is may be told on mains: the charger held its final volts once, or it was known before.
    settled: bool,
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

/// What the inverter itself takes, in percent of the rated load: between 2 and 8 in small UPSes.
const IDLE_PERCENT: f64 = 5.0;
/// Readings nearer than this tell much the same.
const TELLS_NEWS_S: f64 = 30.0;
/// How the open volts drift, squared, in each second.
const DRIFT: f64 = 1.0e-7;
/// The first dip (coup de fouet) and what the charger left are gone after some of these.
const DIP_S: f64 = 15.0;
const DIP_WEIGHT: f64 = 30.0;
/// ... and what a load that leapt makes of them.
const LEAP_WEIGHT: f64 = 15.0;
/// A gap between samples counts at most so long.
const LONGEST_S: f64 = 3600.0;
/// What is taken to be missing when it is first seen on mains: where the charger holds its final volts, which are
/// reached at about three quarters, and where it does not.
const FLOATS_MISSING: f64 = 0.15;
const UNKNOWN_MISSING: f64 = 0.4;
/// What a guess has to charge up to before it counts as known.
const NEARLY_FULL: f64 = 0.03;

impl Estimator {
    /// An estimator that knows nothing of this battery.
    pub fn new(bank: Bank) -> Estimator {
        Estimator {
            bank,
            curve: Endurance::of(bank.chemistry.nature()),
            measured: None,
            trust: Trust::Full,
            own: true,
            unit: UpsIdentity::default(),
            expected: None,
            missing: None,
            guessed: true,
            told_missing: 0.0,
            discharge: None,
            last: None,
            load: Load::default(),
            warmth: 0.0,
            senseless: 0,
            charger: Charger::default(),
            settled: false,
        }
    }

    /// An estimator that goes on from what [`Estimator::memory`] said, for the battery of this UPS. A memory
    /// of an unknown UPS counts as a guess, until a discharge confirms it.
    ///
    /// # Errors
    /// When the text is damaged, of another version, bank or UPS, or cannot be right.
    pub fn remembering(bank: Bank, unit: &UpsIdentity, text: &str) -> Result<Estimator, MemoryError> {
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
            measured: Some(kept.measured),
            trust,
            own: likeness == Likeness::Same,
            unit: whose,
            missing: Some(kept.missing),
            settled: true,
            guessed: false,
            told_missing: kept.missing,
            ..Estimator::new(bank)
        })
    }

    /// Says what the UPS is rated for, in volt-amperes: it goes with the size of its battery. That is a first guess,
    /// which any discharge overrules, and nothing that health is compared with.
    pub fn expect(&mut self, volt_amperes: f64) {
        self.expected = self.bank.usual_strength(volt_amperes).map(|usual| (usual.ln(), USUAL_DEVIATION));
    }

    /// Says whose battery it is, as far as that is known by now; what is measured is kept under that name.
    pub fn set_unit(&mut self, unit: &UpsIdentity) {
        self.unit.join(unit);
    }

    /// What is worth keeping, as short lines of text. None until something was measured; changes
    /// only when something is measured, with each twentieth of a discharge, when the battery is
    /// full again, and when a discharge is at odds with it.
    pub fn memory(&self) -> Option<String> {
        let measured = self.measured?;
        let kept = Kept {
            measured,
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
            PowerSource::Mains => self.charge(volts, passed),
            PowerSource::Battery | PowerSource::Test => self.drain(volts, passed),
        }
    }

    /// What is estimated now.
    pub fn estimate(&self) -> Estimate {
        let nothing = Estimate {
            charge_percent: None,
            runtime_s: None,
            runtime_least_s: None,
            health: self.health(),
            confidence: Confidence::Nothing,
        };
        let Some(load) = self.drawn_ahead().filter(|_| self.senseless < ABSENT_AFTER) else { return nothing };
        if let Some(discharge) = &self.discharge {
            if !discharge.begun || discharge.settles || discharge.surprise.is_lost() {
                return nothing;
            }
            let (ln_seconds, share) = discharge.posterior.left(&self.curve, &discharge.drain(load));
            let known = discharge.before.filter(|_| !discharge.contradicted);
            let known = known.map_or(f64::MAX, |known| known.strength.1);
            let outlook = outlook::of(self.nature(), discharge, (ln_seconds, share), load, known);
            return Estimate {
                charge_percent: Some((100.0 * share).clamp(0.0, 100.0)),
                runtime_s: Some(outlook.likely_s),
                runtime_least_s: Some(outlook.least_s),
                confidence: discharge.confidence.unwrap_or(Confidence::Guess).min(self.at_most(discharge)),
                ..nothing
            };
        }
        let Some(missing) = self.missing.filter(|_| self.settled) else { return nothing };
        let charge = if missing < charging::FULL && self.charger.floats() {
            100.0
        } else {
            (100.0 * (1.0 - missing)).clamp(0.0, 99.0)
        };
        let Some(measured) = self.measured else {
            return Estimate { charge_percent: Some(charge), ..nothing };
        };
        let full = self.curve.ln_seconds(load.ln(), measured.strength.0, measured.tilt.0).exp();
        // on mains nothing runs out: next to nothing is not told
        let runtime_s = Some(full * charge / 100.0).filter(|seconds| *seconds >= 1.0);
        let known = Confidence::of(measured.strength.1).min(self.trust.at_most());
        let known = if self.load.is_unknown() { known.min(Confidence::Guess) } else { known };
        let confidence = runtime_s.map_or(Confidence::Nothing, |_| known);
        Estimate { charge_percent: Some(charge), runtime_s, confidence, ..nothing }
    }

    fn nature(&self) -> &'static Nature {
        self.bank.chemistry.nature()
    }

    /// What is drawn from the battery, as a load at 25 degrees.
    fn drawn(&self) -> Option<f64> {
        self.load.now().map(|load| self.drawn_for(load))
    }

    /// The same for what will be drawn from now on.
    fn drawn_ahead(&self) -> Option<f64> {
        self.load.ahead().map(|load| self.drawn_for(load))
    }

    fn drawn_for(&self, load: f64) -> f64 {
        (load + IDLE_PERCENT) * (-self.warmth).exp()
    }

    /// What is expected of the strength before anything was seen: a logarithm and its deviation.
    fn first_strength(&self) -> (f64, f64) {
        let rated = self.bank.rated_strength().map(|rated| (rated.ln(), RATED_DEVIATION));
        rated.or(self.expected).unwrap_or(self.nature().strength)
    }

    fn charge(&mut self, volts: Option<f64>, passed: f64) {
        if let Some(mut discharge) = self.discharge.take() {
            if discharge.fell_silent(self.nature(), &self.curve, passed) {
                discharge.end(self.nature(), &self.curve);
            }
            let used = discharge.used(&self.curve);
            self.measure_from(&discharge, used);
            let lost = discharge.surprise.is_lost() || discharge.settles || !discharge.begun;
            self.guessed |= lost;
            // what was drawn is known, but not how much there was
            self.missing = (!lost || self.measured.is_some()).then_some(used);
            self.settled |= self.missing.is_some();
            self.told_missing = used;
        }
        let Some(volts) = volts else { return };
        self.charger.take(self.nature(), volts, passed);
        if self.missing.is_none() {
            let floats = volts >= self.nature().float_v;
            self.missing = Some(if floats { FLOATS_MISSING } else { UNKNOWN_MISSING });
        }
        self.settled |= self.charger.floats();
        if self.charger.charges() {
            self.missing = self.missing.map(|missing| charging::after(missing, passed));
            self.guessed &= self.missing.is_none_or(|missing| missing > NEARLY_FULL);
        }
        if self.charger.floats() && self.missing.is_some_and(|missing| missing < charging::FULL) {
            self.told_missing = 0.0;
        }
    }

    fn drain(&mut self, volts: Option<f64>, passed: f64) {
        let Some(load) = self.drawn() else { return };
        // the outage began somewhere after the last sample: that is not counted
        let (mut discharge, passed) = match self.discharge.take() {
            Some(discharge) => (discharge, passed),
            None => (Box::new(self.beginning(load)), 0.0),
        };
        discharge.blind |= self.load.is_unknown();
        discharge.seconds += passed;
        discharge.longest_s = discharge.longest_s.max(passed);
        discharge.volts = volts.or(discharge.volts);
        discharge.energy += load * passed;
        discharge.adapted += (load - discharge.adapted) * (1.0 - (-passed / ADAPTS_S).exp());
        if let (Some(volts), true) = (volts, passed > 0.0 && !self.load.is_leaping()) {
            let dip =
                1.0 + DIP_WEIGHT * (-discharge.seconds / DIP_S).exp() + LEAP_WEIGHT * self.load.unrest();
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
        if used >= discharge.measured_at + MEASURE_EACH {
            self.measure_from(&discharge, used);
            discharge.measured_at = used;
        }
        if discharge.confidence.is_none() || used >= discharge.judged_at + MEASURE_EACH {
            let ahead = discharge.drain(self.drawn_ahead().unwrap_or(load));
            let (ln_seconds, share) = discharge.posterior.left(&self.curve, &ahead);
            discharge.judge(Confidence::of(self.doubt(ln_seconds.deviation, share)));
            discharge.judged_at = used;
        }
        self.discharge = Some(discharge);
    }

    /// Whether what was remembered is of this battery.
    fn look_at_memory(&mut self, discharge: &mut Discharge) {
        match discharge.word(&self.curve) {
            MemoryCheck::Nothing => {}
            MemoryCheck::Confirmed => (self.trust, self.own) = (Trust::Full, true),
            MemoryCheck::Contradicted => {
                self.trust = Trust::Contradicted;
                discharge.contradicted = true;
                if let Some(others) = discharge.others.take() {
                    discharge.posterior = others;
                    // what the others measure begins here
                    discharge.measured_at = discharge.used(&self.curve);
                }
            }
        }
    }

    fn beginning(&self, load: f64) -> Discharge {
        let missing = self.missing.unwrap_or(0.0);
        let believed = self.trust > Trust::Contradicted;
        let first = self.first_strength();
        let own = self.own && self.trust == Trust::Full;
        let measured = self.measured.filter(|_| believed);
        let others = || Posterior::before(&self.bank, None, false, first);
        Discharge {
            posterior: Posterior::before(&self.bank, measured.as_ref(), own, first),
            others: measured.map(|_| others()),
            surprise: Surprise::default(),
            lowest: Lowest::default(),
            trend: Trend::default(),
            contradicted: !believed,
            own,
            blind: false,
            seconds: 0.0,
            energy: 0.0,
            missing,
            whole: !self.guessed,
            settles: false,
            settles_s: 0.0,
            begun: self.missing.is_some(),
            adapted: load,
            volts: None,
            longest_s: 0.0,
            measured_at: missing,
            confidence: None,
            judged_at: missing,
            fell: false,
            before: self.measured,
        }
    }

    /// Keeps what this discharge teaches, if it teaches anything.
    fn measure_from(&mut self, discharge: &Discharge, used: f64) {
        let depth = used - discharge.missing;
        if !discharge.whole || !discharge.is_plain() || discharge.seconds < SHORTEST_S || discharge.blind {
            return;
        }
        // a battery that broke down is told by what it was before; another one is not
        let outlives = discharge.own || !discharge.contradicted;
        let before = discharge.before.filter(|_| outlives && (self.own || self.trust > Trust::Doubted));
        let known = before.filter(|_| !discharge.contradicted && self.trust != Trust::Contradicted);
        let first = self.first_strength();
        let (strength, tilt, volts) =
            lesson::after(self.nature(), known.as_ref(), first, &discharge.posterior, used);
        let was = known.map_or(first.1, |known| known.strength.1);
        if depth < DEEP && strength.1 >= 0.9 * was.min(0.55) {
            return;
        }
        let best = best(before, strength.0, strength.1);
        let measured = Measured {
            strength,
            tilt,
            volts,
            best,
            discharges: before.map_or(0, |before| before.discharges).saturating_add(1),
        };
        if measured.is_sensible(&self.bank) {
            self.measured = Some(measured);
            (self.trust, self.own) = (Trust::Full, true);
            self.told_missing = used;
        }
    }

    /// How far the runtime is unknown, as a share of that of the full battery: seconds more or less weigh no more when
    /// few are left.
    fn doubt(&self, deviation: f64, share: f64) -> f64 {
        (deviation * share).hypot(0.5 * self.nature().model.0)
    }

    /// The spread knows nothing of what the model has wrong.
    fn at_most(&self, discharge: &Discharge) -> Confidence {
        let nature = self.nature();
        let before = discharge.before.filter(|_| is_sure(discharge));
        let by_discharge = match before.filter(|_| discharge.whole) {
            Some(before) => Confidence::of(before.strength.1.hypot(0.5 * nature.model.0)),
            // volts that are flat tell nothing of a battery that was never seen to its end
            None if discharge.whole && nature.drop_tells => Confidence::Low,
            None => Confidence::Guess,
        };
        let by_load = if self.load.is_unknown() { Confidence::Guess } else { by_discharge };
        if self.measured.is_some() { by_load.min(self.trust.at_most()) } else { by_load }
    }

    fn health(&self) -> Option<Health> {
        let believed = self.trust > Trust::Doubted;
        let measured = self.measured.filter(|measured| believed && measured.strength.1 < SURE)?;
        let (of, whole) = match self.bank.rated_strength() {
            Some(rated) => (RelativeTo::Rating, rated.ln()),
            None => (RelativeTo::BestSeen, measured.best),
        };
        let capacity_percent = (100.0 * (measured.strength.0 - whole).exp()).clamp(0.0, 200.0);
        Some(Health { capacity_percent, of })
    }
}

/// Whether most of an earlier discharge was seen: what this very one teaches has nothing to confirm it.
fn is_sure(discharge: &Discharge) -> bool {
    discharge.before.is_some_and(|before| before.strength.1 < SURE) && !discharge.contradicted
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
fn best(before: Option<Measured>, strength: f64, deviation: f64) -> f64 {
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
const MEASURE_EACH: f64 = 0.05;
const DEEP: f64 = 0.1;
/// How far a rating tells the strength.
const RATED_DEVIATION: f64 = 0.3;
/// ... and how far the volt-amperes of a UPS tell it.
const USUAL_DEVIATION: f64 = 0.45;
/// Shorter ones teach nothing.
const SHORTEST_S: f64 = 8.0;
/// So much stronger all at once, as a logarithm, is another battery.
const SWAPPED: f64 = 0.22;
/// A strength known to this deviation counts for health.
const SURE: f64 = 0.2;
