//! What a discharge teaches beside what was known: a short look takes nothing of it away.

use crate::bank::Nature;
use crate::hypothesis::NUMBERS;
use crate::posterior::{LEAST_STRENGTH, LEAST_VOLTS, Measured, Posterior};

/// A mean and a deviation.
type Number = (f64, f64);

/// What is known after a discharge that used this share of the battery: `before` (none of a battery never seen), and
/// what the discharge shows of it, with the doubt of what it did not reach.
pub(crate) fn after(
    nature: &Nature,
    before: Option<&Measured>,
    first: Number,
    posterior: &Posterior,
    used: f64,
) -> (Number, Number, [Number; NUMBERS]) {
    let unseen = 1.0 - used.clamp(0.0, 1.0);
    let (strength, tilt, volts) = posterior.measured();
    let common = nature.volts;
    // the shape of a curve that was seen to its end is known; the first half of it says little of the rest
    let is_seen = before.is_some_and(|known| known.strength.1 < SEEN);
    let missed = unseen * (2.0 * unseen).max(1.0);
    let doubt = nature.unseen * missed * if is_seen { 0.5 } else { 1.0 };
    let began = before.map_or(first, |known| (known.strength.0, known.strength.1));
    let strength = joined(began, LEAST_STRENGTH, (strength.mean, strength.deviation), doubt);
    let tilt = match before {
        Some(known) => joined(
            known.tilt,
            0.4 * nature.tilt_deviation,
            (tilt.mean, tilt.deviation),
            nature.tilt_deviation * missed,
        ),
        None => (tilt.mean, tilt.deviation),
    };
    let volts = std::array::from_fn(|n| {
        let (mean, deviation) = volts[n];
        let doubt = common[n].1 * missed;
        let (low, high) = nature.bounds[n];
        let (mean, deviation) = match before {
            Some(known) => joined(known.volts[n], LEAST_VOLTS[n], (mean, deviation), doubt),
            None => (mean, deviation.hypot(doubt)),
        };
        // never known less than of any battery: it would grow with every short outage
        (mean.clamp(low, high), deviation.min(common[n].1))
    });
    (strength, tilt, volts)
}

/// A strength known to this deviation was seen to the end.
const SEEN: f64 = 0.2;

/// The doubt of two looks has much in common: both miss the same part of the curve.
const IN_COMMON: f64 = 0.5;

/// A conclusion so many deviations from what was known shows that it changed.
const CHANGED: f64 = 2.0;

/// What was known, joined with what was concluded from it (with at least the deviation `least`) and from new
/// readings, where these have a doubt of their own. Never known less than before, unless it moved; and never better
/// than that doubt, however many looks there are.
fn joined(known: Number, least: f64, concluded: Number, doubt: f64) -> Number {
    let began = known.1.max(least).powi(2);
    if (concluded.0 - known.0).abs() > CHANGED * began.sqrt().hypot(doubt) {
        return (concluded.0, concluded.1.hypot(doubt).min(known.1.hypot(concluded.0 - known.0)));
    }
    let news = 1.0 / concluded.1.max(1e-4).powi(2) - 1.0 / began;
    if news <= 0.0 {
        return known;
    }
    // what the readings say by themselves
    let says = (concluded.0 * (news + 1.0 / began) - known.0 / began) / news;
    let within = 1.0 / news + doubt * doubt;
    let common = IN_COMMON * began.sqrt() * doubt;
    let gain = ((began - common) / (began + within - 2.0 * common)).clamp(0.0, 1.0);
    let mean = known.0 + gain * (says - known.0);
    let variance = (1.0 - gain).powi(2) * began + gain * gain * within + 2.0 * gain * (1.0 - gain) * common;
    (mean, variance.sqrt().max(doubt).min(known.1.hypot(mean - known.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_look_takes_nothing_away() {
        let known = (4.0, 0.014);
        for concluded in [(4.0, 0.05), (4.01, 0.049), (3.99, 0.045), (4.0, 0.2)] {
            let (mean, deviation) = joined(known, 0.05, concluded, 0.25);
            assert!((mean - 4.0).abs() < 0.01 && deviation < 0.0175, "{concluded:?}: {mean} {deviation}");
        }
    }

    #[test]
    fn a_long_look_moves_what_was_known() {
        let (mean, deviation) = joined((4.0, 0.014), 0.05, (3.6, 0.02), 0.01);
        assert!((mean - 3.6).abs() < 0.03 && deviation < 0.03, "{mean} {deviation}");
        let (mean, deviation) = joined((4.0, 0.6), 0.05, (3.6, 0.1), 0.15);
        assert!((mean - 3.6).abs() < 0.05 && (0.1..0.2).contains(&deviation), "{mean} {deviation}");
    }
}
