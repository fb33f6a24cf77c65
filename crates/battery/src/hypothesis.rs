//! One possible battery: a strength and a tilt, and what the volts would have to be.
//!
//! Given the strength, the volts under load are linear in four numbers: the open volts, the drop at
//! the 15-minute power, the fall until empty, and the volts at the end. A Kalman filter keeps them;
//! how well it foretold the next reading tells how likely this strength is.

use crate::bank::Nature;

/// How many numbers describe the volts.
pub(crate) const NUMBERS: usize = 4;
type Row = [f64; NUMBERS];
/// How many covariances they have: each pair once, and each by itself.
const PAIRS: usize = NUMBERS * (NUMBERS + 1) / 2;
/// Between what each number lies.
pub(crate) type Bounds = [(f64, f64); NUMBERS];

/// The numbers that describe the volts, and how uncertain they are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Volts {
    pub mean: Row,
    covariance: Covariance,
}

/// A symmetric matrix, of which the half below the diagonal is kept: there are hundreds of them while on battery.
#[derive(Clone, Copy, Debug)]
struct Covariance([f64; PAIRS]);

impl Covariance {
    /// Where the covariance of two numbers stands.
    const fn place(n: usize, m: usize) -> usize {
        if n < m { m * (m + 1) / 2 + n } else { n * (n + 1) / 2 + m }
    }

    /// Of one number by itself.
    fn variance(&self, n: usize) -> f64 {
        self.0[Covariance::place(n, n)]
    }

    /// What a lever makes of it.
    fn times(&self, at: &Row) -> Row {
        std::array::from_fn(|n| dot(&std::array::from_fn(|m| self.0[Covariance::place(n, m)]), at))
    }
}

impl Volts {
    /// Independent numbers: mean and deviation of each.
    pub fn of(numbers: [(f64, f64); NUMBERS]) -> Volts {
        let mut covariance = Covariance([0.0; PAIRS]);
        for (n, (_, deviation)) in numbers.iter().enumerate() {
            covariance.0[Covariance::place(n, n)] = deviation * deviation;
        }
        Volts { mean: numbers.map(|(mean, _)| mean), covariance }
    }

    /// The square of the deviation of a number.
    pub fn variance(&self, n: usize) -> f64 {
        self.covariance.variance(n).max(0.0)
    }

    /// How far a reading is from what was foretold, squared, in deviations.
    pub fn surprise(&self, volts: f64, at: &Row, variance: f64) -> f64 {
        let lever = self.covariance.times(at);
        (volts - dot(&self.mean, at)).powi(2) / (dot(&lever, at).max(0.0) + variance)
    }

    /// Takes one reading of volts. Says the logarithm of how likely it was. The numbers stay between their
    /// `bounds`.
    pub fn take(&mut self, volts: f64, at: &Row, variance: f64, drift: f64, bounds: &Bounds) -> f64 {
        self.covariance.0[Covariance::place(0, 0)] += drift;
        let lever = self.covariance.times(at);
        let surprise = volts - dot(&self.mean, at);
        let expected = dot(&lever, at).max(0.0) + variance;
        // an unexpected reading counts as one of great uncertainty
        let spread = expected.max(surprise * surprise / OUTLIER);
        for n in 0..NUMBERS {
            self.mean[n] += lever[n] / spread * surprise;
            for m in 0..=n {
                self.covariance.0[Covariance::place(n, m)] -= lever[n] * lever[m] / spread;
            }
            self.mean[n] = self.mean[n].clamp(bounds[n].0, bounds[n].1);
        }
        -0.5 * (surprise * surprise / spread + spread.ln())
    }
}

/// Squared deviations beyond which a reading is taken for an error.
const OUTLIER: f64 = 9.0;

/// How the four numbers make the volts of a cell when `used` of what it gives at this rate is used
/// and `current` flows (that of the 15-minute power at the rated volts is 1).
pub(crate) fn levers(nature: &Nature, used: f64, current: f64) -> Row {
    let bent = used.clamp(0.0, 2.0).powi(nature.knee).min(3.0);
    [1.0 - bent, -current * (1.0 - bent), -used * (1.0 - bent), bent]
}

fn dot(a: &Row, b: &Row) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
