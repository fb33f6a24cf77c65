//! NUT's estimate (2.8.0, `runtimecal`), from the description of its behaviour.

use battery::Sample;

/// Two known runtimes.
pub struct Nut {
    exponent: f64,
    full_s: f64,
    left_s: f64,
    /// Volts of the empty and the full battery; before 2.8.0 they corrected nothing.
    bounds: Option<(f64, f64)>,
    polled: Option<f64>,
    says: f64,
}

/// Seconds between full polls, which alone move the estimate.
const POLL_S: f64 = 30.0;

impl Nut {
    /// Load and runtime at a high and a low load; the rated volts if it corrects.
    pub fn calibrated(high: (f64, f64), low: (f64, f64), nominal_v: Option<f64>) -> Nut {
        let exponent = (low.1 / high.1).ln() / (high.0 / low.0).ln();
        let full_s = high.1 * (high.0 / 100.0).powf(exponent);
        let bounds = nominal_v.map(|nominal_v| (104.0 / 120.0 * nominal_v, 130.0 / 120.0 * nominal_v));
        Nut { exponent, full_s, left_s: full_s, bounds, polled: None, says: 0.0 }
    }

    /// Seconds left, after this sample of an outage.
    pub fn take(&mut self, sample: &Sample) -> f64 {
        let now = sample.at.as_secs_f64();
        let passed = self.polled.map_or(0.0, |before| now - before);
        if self.polled.is_some() && passed < POLL_S {
            return self.says;
        }
        let factor = (sample.load_percent / 100.0).powf(self.exponent).max(0.1);
        self.left_s = (self.left_s - factor * passed).max(0.0);
        if let Some((low, high)) = self.bounds {
            let voltage = ((sample.volts - low) / (high - low)).clamp(0.0, 1.0);
            self.left_s = self.left_s.min(voltage * self.full_s);
        }
        self.polled = Some(now);
        self.says = self.left_s / factor;
        self.says
    }
}
