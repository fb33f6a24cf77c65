//! How long a full battery carries a load.
//!
//! Batteries of one kind have nearly one curve when loads are told in parts of the load that each
//! carries for 15 minutes, its **strength**. How batteries differ from the common curve is one
//! more number, the **tilt**: below 1 it suffers more from high loads.

use crate::bank::Nature;

/// Power against time, as logarithms; the time follows from the power.
#[derive(Clone, Debug)]
pub(crate) struct Endurance {
    /// Logarithm of power, falling, and of seconds, rising.
    points: [(f64, f64); MOST],
    count: usize,
}

const MOST: usize = 16;

impl Endurance {
    pub fn of(nature: &Nature) -> Endurance {
        let mut points = [(0.0, 0.0); MOST];
        for (point, (minutes, power)) in points.iter_mut().zip(nature.endurance) {
            *point = (power.ln(), (60.0 * minutes).ln());
        }
        Endurance { points, count: nature.endurance.len().min(MOST) }
    }

    /// Logarithm of the seconds for which a full battery of this strength and tilt carries a load.
    /// Beyond the table its ends go on straight.
    pub fn ln_seconds(&self, ln_load: f64, ln_strength: f64, tilt: f64) -> f64 {
        let power = (ln_load - ln_strength) / tilt;
        let points = &self.points[..self.count];
        let after = points.iter().position(|(p, _)| *p < power).unwrap_or(self.count);
        let after = after.clamp(1, self.count - 1);
        let ((p0, t0), (p1, t1)) = (points[after - 1], points[after]);
        (t0 + (t1 - t0) * (power - p0) / (p1 - p0)).clamp(0.0, 18.0)
    }

    /// The energy that it gives at this load before it is empty, in percent of load times seconds.
    pub fn energy(&self, load: f64, ln_strength: f64, tilt: f64) -> f64 {
        load * self.ln_seconds(load.ln(), ln_strength, tilt).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Chemistry;

    #[test]
    fn the_strength_is_carried_for_fifteen_minutes() {
        for chemistry in [Chemistry::LeadAcid, Chemistry::Lfp] {
            let curve = Endurance::of(chemistry.nature());
            for tilt in [0.9, 1.0, 1.1] {
                assert!((curve.ln_seconds(4.0, 4.0, tilt).exp() - 900.0).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn more_load_is_carried_shorter_and_gives_no_more_energy() {
        let curve = Endurance::of(Chemistry::LeadAcid.nature());
        let energies: Vec<f64> = (2..200).map(|load| curve.energy(f64::from(load), 4.0, 1.1)).collect();
        assert!(energies.windows(2).all(|pair| pair[1] <= pair[0]), "{energies:?}");
    }
}
