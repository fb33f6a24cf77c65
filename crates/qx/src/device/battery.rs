//! The battery of one UPS: what NUT would guess of it, and what the model has learned.
//!
//! What the administrator configured counts: with `runtimecal`, or with both voltages of the empty and
//! the full battery, the numbers are those of NUT's formulas. Else the model of the crate `battery`
//! says what it knows, and the formulas only what it does not.

use super::{Device, Loudness, Moment};
use crate::bank::{self, FoundBank};
use crate::guess::{self, Inputs, RuntimeModel};
use crate::option::Options;
use battery::{Confidence, Estimator, Sample, Source};
use std::time::Duration;

/// The first volts of a discharge dip and recover: nothing is guessed by them.
const DIP: Duration = Duration::from_secs(30);

/// What is known besides the [`Inputs`].
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// `battery.runtime` of the UPS.
    pub runtime: Option<f64>,
    /// Words that may name the kind of cells.
    pub kind: String,
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
pub(super) struct Estimate {
    pub bounds: Option<(f64, f64)>,
    pub charge: Option<f64>,
    pub runtime_s: Option<f64>,
    pub health_percent: Option<f64>,
    pub confidence: Option<&'static str>,
    /// `battery.voltage` times this is the voltage of the bank.
    pub packs: f64,
}

/// Guess and model.
#[derive(Debug)]
pub(super) struct Battery {
    guess: guess::Estimator,
    /// The administrator gave `runtimecal`.
    calibrated: bool,
    model: Option<(FoundBank, Estimator)>,
    /// What was learned before this start, until the bank is known.
    remembered: Option<String>,
    /// Since when the battery carries the load.
    outage: Option<Moment>,
    /// What was learned, as it was given out last.
    kept: Option<String>,
    /// For the log.
    pub notes: Vec<(Loudness, String)>,
}

impl Battery {
    pub(super) fn new(options: &Options) -> Battery {
        let model = |cal| RuntimeModel {
            cal,
            chargetime: options.chargetime,
            idleload_percent: options.idleload_percent,
        };
        Battery {
            guess: guess::Estimator::new(options.runtimecal.map(model)),
            calibrated: options.runtimecal.is_some(),
            model: None,
            outage: None,
            remembered: options.battery_memory.clone(),
            kept: options.battery_memory.clone(),
            notes: vec![],
        }
    }

    /// The estimates for these readings.
    pub(super) fn estimate(&mut self, inputs: &Inputs, known: &Known, now: Moment) -> Estimate {
        let packs = self.guess.packs(inputs);
        let guess = self.guess.estimate(inputs, now);
        let mut estimate = Estimate {
            bounds: guess.bounds,
            charge: guess.charge,
            runtime_s: guess.runtime_s,
            packs,
            ..Estimate::default()
        };
        let Some(learned) = self.learn(inputs, known, now) else { return estimate };
        estimate.health_percent = learned.health.map(|health| health.capacity_percent.min(100.0));
        estimate.confidence = learned.health.and_then(|_| word(learned.confidence));
        if self.calibrated || known.by_hand {
            return estimate;
        }
        if inputs.online {
            self.outage = None;
        }
        let outage = (!inputs.online).then(|| now.saturating_sub(*self.outage.get_or_insert(now)));
        // a guess is better than nothing when the lights are out, once it saw more than the first dip
        let trusted = learned.confidence >= Confidence::Low || outage.is_some_and(|time| time >= DIP);
        if inputs.charge.is_none() && trusted {
            estimate.charge = learned.charge_percent.or(guess.charge);
        }
        estimate.runtime_s = learned.runtime_s.filter(|_| trusted && known.powers).map(rounded);
        estimate
    }

    /// Shows the model what the UPS says.
    fn learn(&mut self, inputs: &Inputs, known: &Known, now: Moment) -> Option<battery::Estimate> {
        if self.model.is_none() {
            let found = bank::find(inputs, &known.kind)?;
            self.notes.push((Loudness::Info, format!("battery: {}", found.why)));
            let estimator = self.estimator(&found);
            self.model = Some((found, estimator));
        }
        let (found, estimator) = self.model.as_mut()?;
        // a battery whose load is off recovers, which would look like strength
        if let (Some(volts), Some(load_percent), true) = (inputs.voltage, inputs.load_percent, known.powers) {
            let source = match (known.tests, inputs.online) {
                (true, _) => Source::Test,
                (_, true) => Source::Mains,
                (_, false) => Source::Battery,
            };
            let temperature_c = known.temperature;
            estimator.take(Sample {
                at: now,
                volts: volts * found.times,
                load_percent,
                source,
                temperature_c,
            });
        }
        Some(estimator.estimate())
    }

    fn estimator(&mut self, found: &FoundBank) -> Estimator {
        let Some(text) = self.remembered.take() else { return Estimator::new(found.bank) };
        match Estimator::remembering(found.bank, &text) {
            Ok(estimator) => estimator,
            Err(error) => {
                let text = format!("battery: what was learned before is not used: {error}");
                self.notes.push((Loudness::Warning, text));
                Estimator::new(found.bank)
            }
        }
    }

    /// What was learned, once there is anything.
    pub(super) fn memory(&self) -> Option<&str> {
        self.kept.as_deref()
    }

    /// The same, when it changed since the last call.
    fn take_memory(&mut self) -> Option<String> {
        let memory = self.model.as_ref().and_then(|(_, estimator)| estimator.memory())?;
        (self.kept.as_deref() != Some(memory.as_str())).then(|| {
            self.kept = Some(memory.clone());
            memory
        })
    }
}

impl Device {
    /// What was learned of the battery, when that changed: to be kept for the next start, as
    /// [`Options::battery_memory`].
    pub fn battery_memory(&mut self) -> Option<String> {
        self.battery.take_memory()
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
