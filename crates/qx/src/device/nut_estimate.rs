//! The guess of NUT: charge from two voltages, runtime from `runtimecal`. It counts where the
//! administrator configured it; else the model of the crate `battery` knows better, once it knows.
//!
//! The formulas are those of NUT's qx drivers (2.8.0), so that a listing shows the same numbers;
//! unlike there, the packs are settled before anything is computed from them, nothing follows
//! from a rated voltage that is missing or zero, and estimates move with every reading.

use crate::options::RuntimeCal;
use crate::vocabulary::moment::Moment;
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
pub struct NutEstimate {
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
pub struct NutEstimator {
    packs: Option<Settled>,
    model: Option<RuntimeModel>,
    /// Seconds left at full load, and when that was.
    left: Option<(f64, Moment)>,
}

/// How many times the voltage is taken, and why no longer.
#[derive(Clone, Copy, Debug)]
struct Settled {
    packs: f64,
    /// The rated voltage that it was settled by.
    nominal: f64,
    contradiction: Contradiction,
}

/// Readings that speak against what was settled. More volts than a battery can have always do. Fewer may be those
/// of one that is dead or overloaded: they count only on mains, and only until enough readings agreed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Contradiction {
    agreed: u32,
    against: u32,
}

impl Contradiction {
    /// Takes a reading, in parts of the least and the most that can be; true when what was settled is wrong.
    pub fn take(&mut self, volts: f64, (least, most): (f64, f64), online: bool) -> bool {
        let speaks = volts > most || volts < least && online && self.agreed < AGREED;
        if (least..=most).contains(&volts) {
            self.agreed = self.agreed.saturating_add(1);
        }
        self.against = if speaks { self.against.saturating_add(1) } else { 0 };
        self.against >= CONTRADICTED
    }
}

/// A cell of 2 V is between 1.5 and 2.75 V (one of 3.2 V between 2.2 and 3.75), however empty or full: that in
/// parts of its rating.
const SANE: (f64, f64) = (0.75, 1.375);
const SANE_LFP: (f64, f64) = (0.68, 1.175);
/// On battery no cell has more than this, in parts of its rating.
const MOST_ON_BATTERY: f64 = 1.175;
/// After so many readings that can be, one that is too low is that of a dead battery.
const AGREED: u32 = 10;
/// So many readings in a row that cannot be contradict what was settled.
const CONTRADICTED: u32 = 3;

/// What a battery of this rated voltage can have, in parts of it.
fn sane(nominal: f64) -> (f64, f64) {
    if is_lfp(nominal) { SANE_LFP } else { SANE }
}

/// Whether cells of 3.2 V make up this rated voltage, four in a block, and cells of 2 V, three in a block, do not:
/// 12.8, 25.6, 38.4, 51.2 V and so on, but not 192 V.
pub fn is_lfp(nominal: f64) -> bool {
    let divides = |block: f64| {
        (nominal / block).round() >= 1.0 && (nominal - (nominal / block).round() * block).abs() < 0.05
    };
    divides(12.8) && !divides(6.0)
}

/// The multipliers that occur, the highest first.
const PACKS: [f64; 17] =
    [120.0, 100.0, 80.0, 60.0, 48.0, 36.0, 30.0, 24.0, 18.0, 12.0, 8.0, 6.0, 4.0, 3.0, 2.0, 1.0, 0.5];

/// How many times a voltage makes up a battery of this rated voltage: it is that of the whole, of a block of
/// 12 V, or of a cell. What is none of them is taken the highest number of times that fits, because a discharged
/// battery soon returns to its rated voltage (NUT 2.8.0 nutdrv_qx.c).
pub fn packs(voltage: f64, nominal: f64, online: bool) -> Option<f64> {
    let (least, most) = sane(nominal);
    let most = if online { most } else { most.min(MOST_ON_BATTERY) };
    let (block, cell) = if is_lfp(nominal) { (12.8, 3.2) } else { (12.0, 2.0) };
    let times = [1.0, (nominal / block).round(), (nominal / cell).round()];
    let fits = |times: &f64| *times >= 1.0 && (least..=most).contains(&(times * voltage / nominal));
    if let Some(times) = times.into_iter().find(fits) {
        return Some(times);
    }
    let highest = PACKS.into_iter().find(|packs| packs * voltage <= 1.2 * nominal);
    highest.filter(|packs| packs * voltage >= 0.8 * nominal)
}

impl NutEstimator {
    /// An estimator; without a model there is no runtime.
    pub fn new(model: Option<RuntimeModel>) -> NutEstimator {
        NutEstimator { model, ..NutEstimator::default() }
    }

    /// How many times the voltage that the UPS says makes up the battery. Settled at the first
    /// reading with both voltages: an emptier battery later does not change it; another rated voltage does, and
    /// readings that no such battery can have.
    pub fn packs(&mut self, inputs: &Inputs) -> f64 {
        if let Some(packs) = inputs.packs.filter(|packs| *packs > 0.0) {
            return packs;
        }
        let known = self.packs.map(|settled| settled.packs);
        let (Some(voltage), Some(nominal)) = (inputs.voltage, inputs.nominal) else {
            return known.unwrap_or(1.0);
        };
        if voltage <= 0.0 || nominal <= 0.0 {
            return known.unwrap_or(1.0);
        }
        if let Some(settled) = self.packs.as_mut().filter(|settled| settled.nominal == nominal) {
            let volts = settled.packs * voltage / nominal;
            if !settled.contradiction.take(volts, sane(nominal), inputs.online) {
                return settled.packs;
            }
        } else if known.is_some() {
            self.packs = None;
        }
        match packs(voltage, nominal, inputs.online) {
            Some(packs) => {
                self.packs = Some(Settled { packs, nominal, contradiction: Contradiction::default() })
            }
            None if self.packs.is_none() => return 1.0,
            None => {}
        }
        self.packs.map_or(1.0, |settled| settled.packs)
    }

    /// The estimates for these readings.
    pub fn estimate(&mut self, inputs: &Inputs, now: Moment) -> NutEstimate {
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
        let mut estimate = NutEstimate { bounds, charge, runtime_s: None };
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
        now: Moment,
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
        let mut estimator = NutEstimator::new(None);
        let estimate = estimator.estimate(&inputs(2.25, 24.0), Moment::ZERO);
        assert_eq!(estimator.packs(&inputs(1.7, 24.0)), 12.0);
        assert_eq!(estimate.charge, Some(100.0));
        assert_eq!(estimate.bounds, Some((20.8, 26.0)));
    }

    /// `Q1` and `F` of a public dump: 2.45 V of one cell of 36 V; blazer takes it 12 times.
    #[test]
    fn a_cell_is_charged_with_more_than_its_rating() {
        for nominal in [12.0, 24.0, 36.0, 48.0, 72.0, 96.0, 192.0, 240.0] {
            for cell in [1.5, 1.55, 1.9, 2.0, 2.27, 2.4, 2.41, 2.45, 2.6, 2.75] {
                let cells = nominal / 2.0;
                assert_eq!(packs(cell, nominal, true), Some(cells), "a cell {cell} of {nominal}");
                assert_eq!(packs(cell * cells, nominal, true), Some(1.0), "all of {nominal}: {cell} each");
                let blocks = (nominal / 12.0).max(1.0);
                assert_eq!(
                    packs(6.0 * cell, nominal, true),
                    Some(blocks),
                    "a block of {nominal}: {cell} each"
                );
            }
        }
        let mut estimator = NutEstimator::new(None);
        for (voltage, charge) in [(2.45, 100.0), (2.27, 100.0), (1.95, 50.0), (2.45, 100.0)] {
            let estimate = estimator.estimate(&inputs(voltage, 36.0), Moment::ZERO);
            assert_eq!(estimate.charge.map(f64::round), Some(charge), "{voltage}");
        }
    }

    #[test]
    fn what_a_later_reading_contradicts_is_settled_anew() {
        let mut estimator = NutEstimator::new(None);
        // another UPS by now: a cell of 24 V, then the whole
        assert_eq!(estimator.packs(&inputs(2.25, 24.0)), 12.0);
        assert_eq!(estimator.packs(&inputs(27.5, 24.0)), 12.0);
        assert_eq!(estimator.packs(&inputs(2.25, 24.0)), 12.0);
        let packs: Vec<f64> = (0..4).map(|_| estimator.packs(&inputs(27.5, 24.0))).collect();
        assert_eq!(packs, [12.0, 12.0, 1.0, 1.0], "one reading that is wrong changes nothing");
        // the other way round it may be a dead battery, unless it never was another
        let packs: Vec<f64> = (0..4).map(|_| estimator.packs(&inputs(13.7, 24.0))).collect();
        assert_eq!(packs, [1.0, 1.0, 2.0, 2.0]);
        (0..10).for_each(|_| assert_eq!(estimator.packs(&inputs(13.7, 24.0)), 2.0));
        (0..10).for_each(|_| assert_eq!(estimator.packs(&inputs(2.27, 24.0)), 2.0));
        let mut fresh = NutEstimator::new(None);
        fresh.packs(&inputs(24.5, 24.0));
        let outage = Inputs { online: false, ..inputs(14.0, 24.0) };
        (0..10).for_each(|_| assert_eq!(fresh.packs(&outage), 1.0, "a battery that breaks down"));
        // another rating is another battery
        assert_eq!(estimator.packs(&inputs(13.7, 12.0)), 1.0);
        assert_eq!(estimator.packs(&inputs(13.7, 24.0)), 2.0);
        // what no battery has changes nothing
        for _ in 0..10 {
            assert_eq!(estimator.packs(&inputs(0.1, 24.0)), 2.0);
        }
        let mut estimator = NutEstimator::new(None);
        assert_eq!(estimator.packs(&inputs(9.9, 24.0)), 2.0, "NUT's way");
        assert_eq!(estimator.packs(&inputs(0.3, 24.0)), 2.0);
    }

    #[test]
    fn ratings_of_lithium_are_not_those_of_lead() {
        for nominal in [12.8, 25.6, 38.4, 51.2, 64.0, 76.8, 102.4, 25.62] {
            assert!(is_lfp(nominal), "{nominal}");
            assert_eq!(packs(3.4, nominal, true), Some((nominal / 3.2).round()), "{nominal}");
        }
        for nominal in
            [2.0, 6.0, 12.0, 24.0, 36.0, 48.0, 60.0, 72.0, 84.0, 96.0, 192.0, 240.0, 0.0, 25.5, 13.0]
        {
            assert!(!is_lfp(nominal), "{nominal}");
        }
    }

    #[test]
    fn no_bounds_without_a_rated_voltage() {
        for nominal in [None, Some(0.0)] {
            let inputs = Inputs { voltage: Some(27.0), nominal, ..Inputs::default() };
            let estimate = NutEstimator::new(None).estimate(&inputs, Moment::ZERO);
            assert_eq!(estimate, NutEstimate::default());
        }
    }

    #[test]
    fn the_runtime_shrinks_on_battery_and_grows_on_mains() {
        let cal = RuntimeCal::parse("240,100,720,50").unwrap();
        let model = RuntimeModel { cal, chargetime: Duration::from_secs(43_200), idleload_percent: 10.0 };
        let mut estimator = NutEstimator::new(Some(model));
        let full = estimator.estimate(&inputs(27.0, 24.0), Moment::ZERO);
        assert_eq!(full.runtime_s.map(f64::round), Some(720.0));
        let outage = Inputs { online: false, ..inputs(26.0, 24.0) };
        let later = estimator.estimate(&outage, Moment::after_start(Duration::from_secs(120)));
        assert_eq!(later.runtime_s.map(f64::round), Some(600.0));
        let back = estimator.estimate(&inputs(26.0, 24.0), Moment::after_start(Duration::from_secs(4440)));
        assert_eq!(back.charge.map(f64::round), Some(93.0));
    }
}
