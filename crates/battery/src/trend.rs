//! How fast the volts fall: a bound for the runtime that knows nothing of strengths.
//!
//! While the load stays, the volts of a battery that is emptied fall faster and faster, once the first dip is over.
//! So it does not last longer than until a straight line through its last volts meets those of the end.

use std::collections::VecDeque;

/// The volts of a cell of late, while the load stayed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trend {
    /// Means of a while each: seconds, volts, readings.
    means: VecDeque<(f64, f64, f64)>,
    load: f64,
}

/// So many means make a line.
const MEANS: usize = 12;
/// Each of at least so long.
const SHORTEST_S: f64 = 3.0;
/// A load that differs by this share is another one.
const OTHER: f64 = 0.12;

impl Trend {
    /// Takes a reading, so many seconds after the beginning. The line spans this share of that time.
    pub fn take(&mut self, at: f64, volts: f64, load: f64, spans: f64) {
        if (load - self.load).abs() > OTHER * self.load + 1.0 {
            self.means.clear();
            self.load = load;
        }
        let span = (spans * at / MEANS as f64).max(SHORTEST_S);
        match self.means.back_mut() {
            Some((since, mean, count)) if at - *since < span => {
                *count += 1.0;
                *mean += (volts - *mean) / *count;
            }
            _ => self.means.push_back((at, volts, 1.0)),
        }
        while self.means.len() > MEANS {
            self.means.pop_front();
        }
    }

    /// The volts now and their fall in a second, by the line through the last means; no more than it can be told.
    /// None while there are too few.
    fn line(&self) -> Option<(f64, f64)> {
        let points = self.means.iter().filter(|(_, _, count)| *count >= 1.0);
        let (mut n, mut t, mut v, mut tt, mut tv, mut vv) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
        let last = self.means.back()?.0;
        for (at, volts, _) in points {
            let (at, volts) = (at - last, *volts);
            (n, t, v) = (n + 1.0, t + at, v + volts);
            (tt, tv, vv) = (tt + at * at, tv + at * volts, vv + volts * volts);
        }
        let spread = tt - t * t / n;
        if n < 6.0 || spread <= 0.0 {
            return None;
        }
        let covers = tv - t * v / n;
        let slope = covers / spread;
        let rest = (vv - v * v / n - slope * covers).max(0.0);
        let error = (rest / (n - 2.0) / spread).sqrt();
        Some((v / n - slope * t / n, -slope - error))
    }

    /// Seconds until these volts are met, at the latest. None while the volts do not fall for certain, and for
    /// another load.
    pub fn seconds_to(&self, end_v: f64, load: f64) -> Option<f64> {
        let (volts, fall) = self.line().filter(|_| (load - self.load).abs() <= OTHER * self.load + 1.0)?;
        (fall > 1e-6).then(|| ((volts - end_v) / fall).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_straight_fall_ends_when_it_does() {
        let mut trend = Trend::default();
        (0..200).for_each(|n| trend.take(f64::from(n), 2.0 - 0.001 * f64::from(n), 50.0, 0.3));
        let seconds = trend.seconds_to(1.6, 50.0).unwrap();
        assert!((195.0..=215.0).contains(&seconds), "{seconds}");
        assert_eq!(Trend::default().seconds_to(1.6, 50.0), None);
    }

    #[test]
    fn another_load_begins_anew_and_flat_volts_say_nothing() {
        let mut trend = Trend::default();
        (0..200).for_each(|n| trend.take(f64::from(n), 2.0, 50.0, 0.3));
        assert_eq!(trend.seconds_to(1.6, 50.0), None);
        (200..300).for_each(|n| trend.take(f64::from(n), 2.0 - 0.001 * f64::from(n), 50.0, 0.3));
        assert!(trend.seconds_to(1.6, 50.0).is_some());
        trend.take(300.0, 1.5, 80.0, 0.3);
        assert_eq!(trend.seconds_to(1.6, 50.0), None);
    }
}
