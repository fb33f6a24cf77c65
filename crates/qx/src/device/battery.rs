//! The battery of one UPS: what NUT's formulas estimate, and what the model has measured.
//!
//! What the administrator configured counts: with `runtimecal`, or with both voltages of the empty and
//! the full battery, the numbers are those of NUT's formulas. Else the model of the crate `battery`
//! says what it knows, and the formulas only what it does not.
//!
//! A figure **counts** when the UPS says it, the administrator configured it, or the model has seen most of a
//! discharge of this very battery and is not surprised by this one. Only such figures count for a bound.

use super::course::Course;
use super::timing::VOLTS_SETTLE;
use super::{Device, LogLevel, Moment};
use crate::device::bank::{self, FoundBank};
use crate::device::nut_estimate::{Contradiction, Inputs, NutEstimator, RuntimeModel};
use crate::options::Options;
use crate::vocabulary::variable::{INPUT_CURRENT_NOMINAL, INPUT_VOLTAGE_NOMINAL, UPS_POWER_NOMINAL, Var};
use battery::{Chemistry, Confidence, Estimator, PowerSource, Sample, UpsIdentity};

/// Volts of a cell under which makers' tables of discharges at high rates do not go: 1.60 V of lead-acid (CSB
/// GP and HR series),
const LAST_VOLTS_LEAD: f64 = 1.6;
/// and of lithium iron phosphate.
const LAST_VOLTS_LFP: f64 = 2.3;

/// What is known besides the [`Inputs`].
#[derive(Clone, Debug)]
pub(super) struct BatteryFacts {
    /// `battery.runtime` of the UPS.
    pub runtime: Option<f64>,
    /// Words that may name the kind of cells.
    pub kind: String,
    /// What the UPS says of itself.
    pub unit: UpsIdentity,
    /// Both voltages were configured.
    pub by_hand: bool,
    /// Of the battery, in degrees Celsius.
    pub temperature: Option<f64>,
    /// A self test runs.
    pub tests: bool,
    /// The output is on.
    pub powers: bool,
}

/// What is published.
#[derive(Debug, Default, PartialEq)]
pub(super) struct PublishedEstimate {
    pub bounds: Option<(f64, f64)>,
    pub charge: Option<f64>,
    pub runtime_s: Option<f64>,
    /// Whether that charge, and that runtime, may decide that the battery is low.
    pub trusts_charge: bool,
    pub trusts_runtime: bool,
    /// Its volts are those of an empty battery, of whatever size.
    pub is_at_its_end: bool,
    pub health_percent: Option<f64>,
    pub confidence: Option<&'static str>,
    /// `battery.voltage` times this is the voltage of the bank.
    pub packs: f64,
    /// The bank, where a rating tells it.
    pub bank: Option<RatedBank>,
}

/// A bank that a rating tells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct RatedBank {
    /// `battery.voltage` times this is the voltage of the bank.
    pub times: f64,
    /// What it is rated for, in volts.
    pub nominal: f64,
}

/// Guess and model.
#[derive(Debug)]
pub(super) struct Battery {
    by_nut: NutEstimator,
    runtime_model: Option<RuntimeModel>,
    /// `ignorelb`: the charge is NUT's, because LB is made of it.
    ignores_low: bool,
    model: Option<Model>,
    /// What was measured before this start, or of a UPS that was here before.
    remembered: Option<String>,
    /// What the UPS that is here says of itself.
    unit: UpsIdentity,
    /// On mains its volts were those of an empty battery: it is another one than is rated.
    contradicts: bool,
    /// Since when the battery carries the load.
    outage: Option<Moment>,
    course: Course,
    /// What was measured, as it was given out last.
    kept: Option<String>,
    /// For the log.
    pub notes: Vec<(LogLevel, String)>,
}

/// The model, and by what its bank was found.
#[derive(Debug)]
struct Model {
    found: FoundBank,
    nominal: Option<f64>,
    estimator: Estimator,
    contradiction: Contradiction,
}

impl Battery {
    pub(super) fn new(options: &Options) -> Battery {
        let model = |cal| RuntimeModel {
            cal,
            chargetime: options.chargetime,
            idleload_percent: options.idleload_percent,
        };
        let runtime_model = options.runtimecal.map(model);
        Battery {
            by_nut: NutEstimator::new(runtime_model),
            runtime_model,
            ignores_low: options.ignorelb,
            model: None,
            remembered: options.battery_memory.clone(),
            unit: UpsIdentity::default(),
            outage: None,
            contradicts: false,
            course: Course::default(),
            kept: options.battery_memory.clone(),
            notes: vec![],
        }
    }

    /// The estimates for these readings.
    pub(super) fn estimate(
        &mut self,
        inputs: &Inputs,
        known: &BatteryFacts,
        now: Moment,
    ) -> PublishedEstimate {
        self.meet(&known.unit);
        let packs = self.by_nut.packs(inputs);
        let by_nut = self.by_nut.estimate(inputs, now);
        let calibrated = self.runtime_model.is_some();
        let mut estimate = PublishedEstimate {
            bounds: by_nut.bounds,
            charge: by_nut.charge,
            runtime_s: by_nut.runtime_s,
            trusts_charge: calibrated || known.by_hand,
            trusts_runtime: calibrated,
            packs,
            ..PublishedEstimate::default()
        };
        let modelled = self.model_estimate(inputs, packs, known, now);
        let rated = |model: &Model| Some(RatedBank { times: model.found.times, nominal: model.nominal? });
        estimate.bank = self.model.as_ref().and_then(rated);
        let Some(modelled) = modelled else { return estimate };
        estimate.health_percent = modelled.health.map(|health| health.capacity_percent.min(100.0));
        estimate.confidence = modelled.health.and_then(|_| word(modelled.confidence));
        if calibrated || known.by_hand {
            return estimate;
        }
        if inputs.online {
            self.outage = None;
        }
        let outage = (!inputs.online).then(|| now.saturating_sub(*self.outage.get_or_insert(now)));
        // a guess is better than nothing when the lights are out, once it saw more than the first dip
        let dipped = outage.is_some_and(|time| time >= VOLTS_SETTLE);
        let told = modelled.confidence >= Confidence::Low || dipped && self.volts_tell();
        if inputs.charge.is_none() {
            estimate.charge = match outage {
                None => self.course.on_mains(modelled.charge_percent, told, by_nut.charge, now),
                Some(_) => self.course.on_battery(&modelled, dipped, by_nut.charge, now),
            };
            if self.ignores_low {
                estimate.charge = by_nut.charge;
            }
        }
        estimate.runtime_s = modelled.runtime_s.filter(|_| told && known.powers).map(rounded);
        estimate.trusts_runtime = dipped && modelled.confidence >= Confidence::Fair;
        estimate.trusts_charge = estimate.trusts_runtime && !self.ignores_low;
        // whatever battery it is, it is empty where no maker lets it be discharged further
        let at_its_end = self.is_at_its_end(inputs);
        // a bank that looks so on mains as well is not the one that is rated
        self.contradicts |= inputs.online && at_its_end;
        estimate.is_at_its_end = dipped && !self.ignores_low && at_its_end && !self.contradicts;
        estimate
    }

    fn is_at_its_end(&self, inputs: &Inputs) -> bool {
        let Some((model, volts)) = self.model.as_ref().zip(inputs.voltage) else { return false };
        let last = match model.found.bank.chemistry {
            Chemistry::Lfp => LAST_VOLTS_LFP,
            _ => LAST_VOLTS_LEAD,
        };
        volts > 0.0 && volts * model.found.times <= last * f64::from(model.found.bank.cells)
    }

    /// Whether a guess says anything: the volts of lithium do not.
    fn volts_tell(&self) -> bool {
        self.model.as_ref().is_none_or(|model| model.found.bank.chemistry != Chemistry::Lfp)
    }

    /// Looks who it is: nothing that is known of the battery of one UPS is of another's.
    fn meet(&mut self, unit: &UpsIdentity) {
        if self.unit == *unit {
            return;
        }
        if self.unit.is_other(unit) {
            self.notes.push((
                LogLevel::Warning,
                "battery: this is another UPS, so the saved data is not used".into(),
            ));
            self.by_nut = NutEstimator::new(self.runtime_model);
            (self.model, self.outage, self.course) = (None, None, Course::default());
            self.remembered.clone_from(&self.kept);
        } else if let Some(model) = &mut self.model {
            model.estimator.set_unit(unit);
            expect(&mut model.estimator, unit);
        }
        self.unit = unit.clone();
    }

    /// Shows the model what the UPS says.
    fn model_estimate(
        &mut self,
        inputs: &Inputs,
        packs: f64,
        known: &BatteryFacts,
        now: Moment,
    ) -> Option<battery::Estimate> {
        self.settle_bank(inputs, packs, known)?;
        let Model { found, estimator, .. } = self.model.as_mut()?;
        // a battery whose load is off recovers, which would look like strength
        if let (Some(volts), Some(load_percent), true) = (inputs.voltage, inputs.load_percent, known.powers) {
            let source = match (known.tests, inputs.online) {
                (true, _) => PowerSource::Test,
                (_, true) => PowerSource::Mains,
                (_, false) => PowerSource::Battery,
            };
            let temperature_c = known.temperature;
            estimator.take(Sample {
                at: now.since_start(),
                volts: volts * found.times,
                load_percent,
                source,
                temperature_c,
            });
        }
        Some(estimator.estimate())
    }

    /// Finds the bank, and finds it anew when the UPS says another rating, or volts that this one cannot have. A rating
    /// that is not said any more is what it was.
    fn settle_bank(&mut self, inputs: &Inputs, packs: f64, known: &BatteryFacts) -> Option<()> {
        let rated = inputs.nominal.filter(|nominal| *nominal > 0.0);
        let inputs = Inputs { packs: rated.map(|_| packs), ..*inputs };
        if let Some(model) = &mut self.model {
            let wrong = inputs.voltage.is_some_and(|volts| {
                let (volts, bounds) = bank::cell(&model.found, volts);
                model.contradiction.take(volts, bounds, inputs.online)
            });
            let same = rated.is_none() || model.nominal == rated && model.found.times == packs;
            if same && !wrong {
                return Some(());
            }
        }
        let Some(found) = bank::find(&inputs, &known.kind) else {
            return self.model.is_some().then_some(());
        };
        match &mut self.model {
            // the rating says what was known
            Some(model) if model.found.bank == found.bank && model.found.times == found.times => {
                model.nominal = rated;
            }
            _ => {
                self.notes.push((LogLevel::Info, format!("battery: {}", found.why)));
                let estimator = self.estimator(&found);
                self.course = Course::default();
                self.model =
                    Some(Model { found, nominal: rated, estimator, contradiction: Contradiction::default() });
            }
        }
        Some(())
    }

    fn estimator(&mut self, found: &FoundBank) -> Estimator {
        let mut fresh = Estimator::new(found.bank);
        fresh.set_unit(&self.unit);
        expect(&mut fresh, &self.unit);
        let Some(text) = &self.remembered else { return fresh };
        match Estimator::remembering(found.bank, &self.unit, text) {
            Ok(mut estimator) => {
                expect(&mut estimator, &self.unit);
                estimator
            }
            Err(error) => {
                let text = format!("battery: the saved data is not used: {error}");
                self.notes.push((LogLevel::Warning, text));
                fresh
            }
        }
    }

    /// What was measured, once there is anything.
    pub(super) fn memory(&self) -> Option<&str> {
        self.kept.as_deref()
    }

    /// The same, when it changed since the last call.
    fn take_memory(&mut self) -> Option<String> {
        let memory = self.model.as_ref().and_then(|model| model.estimator.memory())?;
        (self.kept.as_deref() != Some(memory.as_str())).then(|| {
            self.kept = Some(memory.clone());
            memory
        })
    }
}

impl Device {
    /// What was measured of the battery, when that changed: to be kept for the next start, as
    /// [`Options::battery_memory`].
    pub fn battery_memory(&mut self) -> Option<String> {
        self.battery.take_memory()
    }
}

/// What the UPS is rated for goes with the size of its battery.
fn expect(estimator: &mut Estimator, unit: &UpsIdentity) {
    let number = |var: &Var| {
        unit.words().find(|(name, _)| *name == var.name).and_then(|(_, text)| text.trim().parse::<f64>().ok())
    };
    let product = || Some(number(&INPUT_VOLTAGE_NOMINAL)? * number(&INPUT_CURRENT_NOMINAL)?);
    if let Some(volt_amperes) = number(&UPS_POWER_NOMINAL).or_else(product) {
        estimator.expect(volt_amperes);
    }
}

fn word(confidence: Confidence) -> Option<&'static str> {
    match confidence {
        Confidence::Nothing => None,
        Confidence::Guess => Some("guess"),
        Confidence::Low => Some("low"),
        Confidence::Fair => Some("fair"),
        Confidence::Good => Some("good"),
    }
}

/// No more digits than are known: clients need not be told of every second.
fn rounded(seconds: f64) -> f64 {
    let step = match seconds {
        s if s >= 600.0 => 30.0,
        s if s >= 120.0 => 10.0,
        _ => 1.0,
    };
    (seconds / step).round() * step
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As docs/battery.md names them.
    #[test]
    fn confidence_is_said_in_the_documented_words() {
        let words = [Confidence::Guess, Confidence::Low, Confidence::Fair, Confidence::Good].map(word);
        assert_eq!(words, [Some("guess"), Some("low"), Some("fair"), Some("good")]);
        assert_eq!(word(Confidence::Nothing), None);
    }
}
