//! What strength and tilt the battery may have, and how likely each is.
//!
//! A grid of hypotheses rather than one extended Kalman filter: before the end of a discharge the
//! volts fit several strengths nearly as well, and a filter that linearises settles on one of them.

use crate::bank::{Bank, Nature};
use crate::endurance::Endurance;
use crate::hypothesis::{NUMBERS, Volts, levers};

/// What was measured of this battery. Strengths are logarithms of percent of load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Measured {
    pub strength: (f64, f64),
    pub tilt: (f64, f64),
    pub volts: [(f64, f64); NUMBERS],
    /// The greatest strength that it has shown.
    pub best: f64,
    pub discharges: u32,
}

impl Measured {
    /// Whether a battery can be like this. Nothing else is kept, and nothing else is taken back.
    pub fn is_sensible(&self, bank: &Bank) -> bool {
        let bounds = bank.chemistry.nature().bounds;
        let mut numbers = self.volts.iter().chain([&self.strength, &self.tilt]);
        numbers.all(|(_, deviation)| (0.0..=5.0).contains(deviation))
            && (0.0..=10.0).contains(&self.strength.0)
            && (0.0..=10.0).contains(&self.best)
            && (0.5..=2.0).contains(&self.tilt.0)
            && self.volts.iter().zip(bounds).all(|((mean, _), (low, high))| (low..=high).contains(mean))
    }
}

/// One point of the grid.
#[derive(Clone, Debug)]
struct Case {
    ln_strength: f64,
    tilt: f64,
    ln_weight: f64,
    volts: Volts,
}

/// The grid.
#[derive(Clone, Debug)]
pub(crate) struct Posterior {
    cases: Vec<Case>,
    /// Logarithm of what was taken off all weights so far.
    taken_off: f64,
}

/// A discharge so far, as all hypotheses see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Drain {
    /// Energy given since the beginning, in percent of load times seconds.
    pub energy: f64,
    /// Share that was missing at the beginning.
    pub missing: f64,
    /// The load, and the load to which the battery has adapted, in percent.
    pub load: f64,
    pub adapted: f64,
}

/// A mean and a deviation of what follows from all hypotheses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    pub mean: f64,
    pub deviation: f64,
}

/// Seconds in which a battery adapts to another load: acid diffuses into the plates.
pub(crate) const ADAPTS_S: f64 = 120.0;

/// Seconds left that change by less are found.
const SETTLED_S: f64 = 0.05;

/// The grid of strengths: percent of load at its beginning, and its step as a ratio.
const WEAKEST: f64 = 8.0;
const STEP: f64 = 0.05;
const STEPS: usize = 110;

/// How exactly an observed end tells the used share and the volts of the end.
const EMPTY_DEVIATION: f64 = 0.03;
const EMPTY_V: f64 = 0.012;
/// How exact what was measured still counts as at the next discharge: the least deviations.
pub(crate) const LEAST_STRENGTH: f64 = 0.05;
pub(crate) const LEAST_VOLTS: [f64; NUMBERS] = [0.006, 0.01, 0.015, 0.01];
/// The least density, so that a battery that was replaced or broke down can become likely.
const NEVER: f64 = 1e-9;

/// The chance (small enough that other batteries contradict it first) that it is not what it was at the last discharge, and how strong it is then: weaker, mostly.
const CHANGED: f64 = 0.002;
const AGED: f64 = 0.1;
const CHANGED_DEVIATION: f64 = 0.3;
/// The volts of one that changed, in parts of how far those of all batteries differ.
const LOOSE: f64 = 0.5;

/// So many deviations from all that was foretold are a surprise.
const SURPRISE: f64 = 5.0;
/// Who used more than it gives is empty, whatever load and curve have wrong.
const OVER: f64 = 1.1;
/// Logarithm of the weight of the likeliest batteries.
const LIKELY: f64 = -9.0;

impl Posterior {
    /// Before a discharge: by what was measured, for certain of its `own` UPS or not, or by the strength that is expected at
    /// first.
    pub fn before(bank: &Bank, measured: Option<&Measured>, own: bool, first: (f64, f64)) -> Posterior {
        let nature = bank.chemistry.nature();
        let (strength, tilt, volts) = match measured {
            None => (first, (1.0, nature.tilt_deviation), nature.volts),
            Some(measured) => (
                (measured.strength.0, measured.strength.1.max(LEAST_STRENGTH)),
                measured.tilt,
                std::array::from_fn(|n| (measured.volts[n].0, measured.volts[n].1.max(LEAST_VOLTS[n]))),
            ),
        };
        // what was measured may have changed since; of another UPS it is contradicted instead
        let changed = (strength.0 - AGED, CHANGED_DEVIATION);
        let may_change = own && measured.is_some();
        let chance = if may_change { CHANGED } else { 0.0 };
        let density = |ln: f64| (1.0 - chance) * bell(ln, strength) + chance * bell(ln, changed) + NEVER;
        let cases = (0..STEPS * nature.tilts.len()).map(|n| {
            let ln_strength = WEAKEST.ln() + STEP * (n % STEPS) as f64;
            let own_tilt = nature.tilts[n / STEPS];
            let weight = density(ln_strength)
                * (bell(own_tilt, (tilt.0, tilt.1.max(0.4 * nature.tilt_deviation))) + NEVER);
            let mut volts = volts;
            if measured.is_none() {
                volts[1].0 += nature.drop_by_tilt * (own_tilt - 1.0);
            } else if may_change && (ln_strength - strength.0).abs() > 3.0 * strength.1 {
                // one that changed has other volts as well
                volts.iter_mut().zip(nature.volts).for_each(|(own, any)| own.1 = own.1.max(LOOSE * any.1));
            }
            Case { ln_strength, tilt: own_tilt, ln_weight: weight.ln(), volts: Volts::of(volts) }
        });
        let mut posterior = Posterior { cases: cases.collect(), taken_off: 0.0 };
        posterior.taken_off = -posterior.evidence();
        posterior
    }

    /// Logarithm of how likely all that was read is, by this posterior.
    pub fn evidence(&self) -> f64 {
        self.taken_off + self.cases.iter().map(|case| case.ln_weight.exp()).sum::<f64>().ln()
    }

    /// Whether one of the likely batteries would show these volts of a cell under load.
    pub fn foretells(
        &self,
        nature: &Nature,
        curve: &Endurance,
        drain: &Drain,
        volts: f64,
        variance: f64,
    ) -> bool {
        let flow = drain.load * nature.nominal_v / volts;
        self.cases.iter().filter(|case| case.ln_weight > LIKELY).any(|case| {
            let (at, used) = case.levers(nature, curve, drain, flow);
            // one that is empty has no more than the volts of the end
            let is_over = used > OVER && volts > nature.bounds[3].1;
            !is_over && case.volts.surprise(volts, &at, variance) <= SURPRISE * SURPRISE
        })
    }

    /// Takes a reading of volts of a cell under load.
    pub fn take(
        &mut self,
        nature: &Nature,
        curve: &Endurance,
        drain: &Drain,
        volts: f64,
        variance: f64,
        drift: f64,
    ) {
        let flow = drain.load * nature.nominal_v / volts;
        for case in &mut self.cases {
            let (at, _) = case.levers(nature, curve, drain, flow);
            case.ln_weight += case.volts.take(volts, &at, variance, drift, &nature.bounds);
        }
        self.settle();
    }

    /// The battery was empty now, at these volts of a cell.
    pub fn end(&mut self, nature: &Nature, curve: &Endurance, drain: &Drain, volts: f64) {
        for case in &mut self.cases {
            let used =
                drain.missing + drain.energy / curve.energy(drain.adapted, case.ln_strength, case.tilt);
            case.ln_weight -= (0.5 * ((used - 1.0) / EMPTY_DEVIATION).powi(2)).min(20.0);
            case.volts.take(volts, &[0.0, 0.0, 0.0, 1.0], EMPTY_V * EMPTY_V, 0.0, &nature.bounds);
        }
        self.settle();
    }

    /// Keeps weights in range.
    fn settle(&mut self) {
        let most = self.cases.iter().map(|case| case.ln_weight).fold(f64::NEG_INFINITY, f64::max);
        self.taken_off += most;
        for case in &mut self.cases {
            case.ln_weight = (case.ln_weight - most).max(-60.0);
        }
    }

    /// Logarithm of the seconds left, and the share of what the battery gives at this load that is left.
    pub fn left(&self, curve: &Endurance, drain: &Drain) -> (Spread, f64) {
        let ln_load = drain.load.ln();
        let [ln_seconds, share] = self.spreads(
            |_| true,
            |case| {
                let seconds = case.seconds_left(curve, drain);
                let full = curve.ln_seconds(ln_load, case.ln_strength, case.tilt).exp();
                [seconds.max(1.0).ln(), (seconds / full).min(1.0 - drain.missing).max(0.0)]
            },
        );
        (ln_seconds, share.mean)
    }

    /// The share that is used at the load to which the battery has adapted.
    pub fn used(&self, curve: &Endurance, drain: &Drain) -> f64 {
        self.spread(|case| {
            (drain.missing + drain.energy / curve.energy(drain.adapted, case.ln_strength, case.tilt)).min(1.0)
        })
        .mean
    }

    /// The volts of a cell at which the UPS switches off.
    pub fn end_volts(&self) -> Spread {
        let [mean, within] =
            self.spreads(|_| true, |case| [case.volts.mean[3], case.volts.variance(3).sqrt()]);
        Spread { mean: mean.mean, deviation: mean.deviation.hypot(within.mean) }
    }

    /// What is to be remembered: the likeliest strength and what lies around it.
    pub fn measured(&self) -> (Spread, Spread, [(f64, f64); NUMBERS]) {
        let whole = self.spread(|case| case.ln_strength);
        let near =
            |case: &Case| (case.ln_strength - whole.mean).abs() <= 3.0 * whole.deviation.clamp(STEP, 0.2);
        let [mut strength, tilt] = self.spreads(near, |case| [case.ln_strength, case.tilt]);
        // between the points of the grid nothing is known
        strength.deviation = strength.deviation.hypot(0.29 * STEP);
        let between: [Spread; NUMBERS] = self.spreads(near, |case| case.volts.mean);
        let within: [Spread; NUMBERS] =
            self.spreads(near, |case| std::array::from_fn(|n| case.volts.variance(n)));
        let volts = std::array::from_fn(|n| {
            let (mean, deviation) = (between[n].mean, between[n].deviation);
            (mean, (deviation.powi(2) + within[n].mean).sqrt())
        });
        (strength, tilt, volts)
    }

    fn spread(&self, what: impl Fn(&Case) -> f64) -> Spread {
        let [spread] = self.spreads(|_| true, |case| [what(case)]);
        spread
    }

    /// The spreads of several numbers, of the hypotheses `which` counts, in one pass: each of them costs exponentials.
    fn spreads<const COUNT: usize>(
        &self,
        which: impl Fn(&Case) -> bool,
        what: impl Fn(&Case) -> [f64; COUNT],
    ) -> [Spread; COUNT] {
        let (mut weights, mut sums, mut squares) = (0.0, [0.0; COUNT], [0.0; COUNT]);
        // those that are all but impossible change nothing
        for case in self.cases.iter().filter(|case| case.ln_weight > -16.0 && which(case)) {
            let weight = case.ln_weight.exp();
            weights += weight;
            for (n, value) in what(case).into_iter().enumerate() {
                sums[n] += weight * value;
                squares[n] += weight * value * value;
            }
        }
        std::array::from_fn(|n| {
            if weights <= 0.0 {
                return Spread { mean: 0.0, deviation: f64::MAX };
            }
            let mean = sums[n] / weights;
            Spread { mean, deviation: (squares[n] / weights - mean * mean).max(0.0).sqrt() }
        })
    }
}

impl Case {
    /// How its four numbers make the volts now, and what is used.
    fn levers(&self, nature: &Nature, curve: &Endurance, drain: &Drain, flow: f64) -> ([f64; NUMBERS], f64) {
        let used = drain.missing + drain.energy / curve.energy(drain.adapted, self.ln_strength, self.tilt);
        let whole = if nature.drop_tells { self.ln_strength } else { nature.strength.0 };
        (levers(nature, used, flow / whole.exp()), used)
    }

    /// Seconds until empty if the load stays. Less of what a lower load would get out is out of
    /// reach by then, the longer it lasts.
    fn seconds_left(&self, curve: &Endurance, drain: &Drain) -> f64 {
        let mut left = ADAPTS_S;
        for _ in 0..4 {
            let adapted = drain.load + (drain.adapted - drain.load) * (-left / ADAPTS_S).exp();
            let whole = curve.energy(adapted, self.ln_strength, self.tilt) * (1.0 - drain.missing);
            let before = std::mem::replace(&mut left, ((whole - drain.energy) / drain.load).max(0.0));
            if (left - before).abs() < SETTLED_S {
                break;
            }
        }
        left
    }
}

/// A normal density, but for its constant.
fn bell(value: f64, (mean, deviation): (f64, f64)) -> f64 {
    (-0.5 * ((value - mean) / deviation).powi(2)).exp() / deviation
}
