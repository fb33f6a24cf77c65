//! The guess of NUT: charge from two voltages, runtime from `runtimecal`. It counts where the
//! administrator configured it; else the model of the crate `battery` knows better, once it knows.
//!
//! The formulas are those of NUT's qx drivers (2.8.0), so that a listing shows the same numbers;
//! unlike there, the packs are settled before anything is computed from them, nothing follows
//! from a rated voltage that is missing or zero, and estimates move with every reading.

use crate::option::RuntimeCal;
use std::time::Duration;

/// What the estimate starts from: said by the UPS, or given by the configuration.
#[derive(Clone, Copy, Debug, Default)]
pub struct Inputs {
    /// `battery.voltage`, as the UPS says it.
    pub voltage: Option<f64>,
    /// `battery.voltage.nominal`.
    pub nominal: Option<f64>,
    /// `battery.voltage.low`.
    pub low: Option<f64>,
    /// `battery.voltage.high`.
    pub high: Option<f64>,
    /// `battery.packs`.
    pub packs: Option<f64>,
    /// `ups.load` in percent.
    pub load_percent: Option<f64>,
    /// `battery.charge`, when the UPS says it.
    pub charge: Option<f64>,
    /// Whether mains is there.
    pub online: bool,
}

/// What is estimated.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Estimate {
    /// Volts of the empty and the full battery.
    pub bounds: Option<(f64, f64)>,
    /// Charge in percent.
    pub charge: Option<f64>,
    /// Seconds left.
    pub runtime_s: Option<f64>,
}

/// How the runtime is estimated.
#[derive(Clone, Copy, Debug)]
pub struct RuntimeModel {
    /// Two known runtimes.
    pub cal: RuntimeCal,
    /// Time to charge the empty battery.
    pub chargetime: Duration,
    /// Least load in percent.
    pub idleload_percent: f64,
}

/// The estimator: remembers the packs it settled on and how full the battery was.
#[derive(Debug, Default)]
pub struct Estimator {
    packs: Option<f64>,
    model: Option<RuntimeModel>,
    /// Seconds left at full load, and when that was.
    left: Option<(f64, Duration)>,
}

/// The multipliers that occur, the highest first.
const PACKS: [f64; 17] =
    [120.0, 100.0, 80.0, 60.0, 48.0, 36.0, 30.0, 24.0, 18.0, 12.0, 8.0, 6.0, 4.0, 3.0, 2.0, 1.0, 0.5];

/// How many times a voltage makes up a battery of this rated voltage. A discharged battery soon
/// returns to its rated voltage, so it is the highest one that fits (NUT 2.8.0 nutdrv_qx.c).
pub fn packs(voltage: f64, nominal: f64) -> Option<f64> {
    let highest = PACKS.into_iter().find(|packs| packs * voltage <= 1.2 * nominal);
    highest.filter(|packs| packs * voltage >= 0.8 * nominal)
}

impl Estimator {
    /// An estimator; without a model there is no runtime.
    pub fn new(model: Option<RuntimeModel>) -> Estimator {
        Estimator { model, ..Estimator::default() }
    }

    /// How many times the voltage that the UPS says makes up the battery. Settled at the first
    /// reading with both voltages: an emptier battery later must not change it.
    pub fn packs(&mut self, inputs: &Inputs) -> f64 {
        if let Some(packs) = inputs.packs.filter(|packs| *packs > 0.0).or(self.packs) {
            return packs;
        }
        let (Some(voltage), Some(nominal)) = (inputs.voltage, inputs.nominal) else { return 1.0 };
        if voltage <= 0.0 || nominal <= 0.0 {
            return 1.0;
        }
        let packs = packs(voltage, nominal).unwrap_or(1.0);
        self.packs = Some(packs);
        packs
    }

    /// The estimates for these readings.
    pub fn estimate(&mut self, inputs: &Inputs, now: Duration) -> Estimate {
        let packs = self.packs(inputs);
        let rated = inputs.nominal.filter(|nominal| *nominal > 0.0);
        let (low, high) = match (inputs.low, inputs.high, rated) {
            (Some(low), Some(high), _) => (Some(low), Some(high)),
            (_, _, Some(rated)) => (Some(104.0 * rated / 120.0), Some(130.0 * rated / 120.0)),
            (low, high, None) => (low, high),
        };
        let bounds = low.zip(high).filter(|(low, high)| *low > 0.0 && high > low);
        let fullness = bounds
            .zip(inputs.voltage)
            .map(|((low, high), voltage)| ((packs * voltage - low) / (high - low)).clamp(0.0, 1.0));
        let charge = inputs.charge.or(fullness.map(|fullness| 100.0 * fullness));
        let mut estimate = Estimate { bounds, charge, runtime_s: None };
        if let (Some(model), Some(charge)) = (self.model, charge) {
            let full = model.seconds_at_full_load();
            let left = self.discharge(&model, inputs, charge, fullness, now);
            estimate.charge = inputs.charge.or(Some(100.0 * left / full));
            estimate.runtime_s = model.load_factor(inputs).map(|factor| left / factor);
        }
        estimate
    }

    /// Seconds left at full load, after charging or discharging since the last reading.
    fn discharge(
        &mut self,
        model: &RuntimeModel,
        inputs: &Inputs,
        charge: f64,
        fullness: Option<f64>,
        now: Duration,
    ) -> f64 {
        let full = model.seconds_at_full_load();
        let (mut left, since) = self.left.unwrap_or((full * charge / 100.0, now));
        let passed = now.saturating_sub(since).as_secs_f64();
        if inputs.online {
            left = (left + full * passed / model.chargetime.as_secs_f64().max(1.0)).min(full);
        } else if let Some(factor) = model.load_factor(inputs) {
            left = (left - factor * passed).max(0.0);
        }
        // an old battery: the voltage says less than the bookkeeping
        if let Some(fullness) = fullness {
            left = left.min(fullness * full);
        }
        self.left = Some((left, now));
        left
    }
}

impl RuntimeModel {
    fn exponent(&self) -> f64 {
        (self.cal.low_runtime_s / self.cal.high_runtime_s).ln()
            / (self.cal.high_load_percent / self.cal.low_load_percent).ln()
    }
    fn seconds_at_full_load(&self) -> f64 {
        self.cal.high_runtime_s * (self.cal.high_load_percent / 100.0).powf(self.exponent())
    }
    /// How much faster or slower than at full load the battery empties.
    fn load_factor(&self, inputs: &Inputs) -> Option<f64> {
        let load = inputs.load_percent?.max(0.0) / 100.0;
        Some(load.powf(self.exponent()).max(self.idleload_percent / 100.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(voltage: f64, nominal: f64) -> Inputs {
        Inputs {
            voltage: Some(voltage),
            nominal: Some(nominal),
            load_percent: Some(50.0),
            online: true,
            ..Inputs::default()
        }
    }

    #[test]
    fn volts_of_a_cell_are_understood_at_the_first_reading() {
        // nut-faults 5: NUT shows charge 0 for the first 30 seconds here
        let mut estimator = Estimator::new(None);
        let estimate = estimator.estimate(&inputs(2.25, 24.0), Duration::ZERO);
        assert_eq!(estimator.packs(&inputs(1.7, 24.0)), 12.0);
        assert_eq!(estimate.charge, Some(100.0));
        assert_eq!(estimate.bounds, Some((20.8, 26.0)));
    }

    #[test]
    fn no_bounds_without_a_rated_voltage() {
        for nominal in [None, Some(0.0)] {
            let inputs = Inputs { voltage: Some(27.0), nominal, ..Inputs::default() };
            let estimate = Estimator::new(None).estimate(&inputs, Duration::ZERO);
            assert_eq!(estimate, Estimate::default());
        }
    }

    #[test]
    fn the_runtime_shrinks_on_battery_and_grows_on_mains() {
        let cal = RuntimeCal::parse("240,100,720,50").unwrap();
        let model = RuntimeModel { cal, chargetime: Duration::from_secs(43_200), idleload_percent: 10.0 };
        let mut estimator = Estimator::new(Some(model));
        let full = estimator.estimate(&inputs(27.0, 24.0), Duration::ZERO);
        assert_eq!(full.runtime_s.map(f64::round), Some(720.0));
        let outage = Inputs { online: false, ..inputs(26.0, 24.0) };
        let later = estimator.estimate(&outage, Duration::from_secs(120));
        assert_eq!(later.runtime_s.map(f64::round), Some(600.0));
        let back = estimator.estimate(&inputs(26.0, 24.0), Duration::from_secs(4440));
        assert_eq!(back.charge.map(f64::round), Some(93.0));
    }
}
