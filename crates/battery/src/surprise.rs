//! Whether the volts still are those of a battery that the model knows.
//!
//! A reading that none of the likely batteries would show teaches nothing: it may be an error of the UPS, a
//! load that it does not tell, or a battery that breaks down. While such surprises go on nothing is estimated.

/// The surprises of a discharge, in seconds and readings: they add up, and wear off as fast.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Surprise {
    seconds: f64,
    readings: u32,
    lost: bool,
}

/// More surprises than this, and the model is lost.
const LOST_S: f64 = 8.0;
/// Surprises count no longer than this: so long after the last one there are estimates again, at the latest.
const MOST_S: f64 = 30.0;
/// One reading, or two, may always be wrong.
const READINGS: u32 = 3;

impl Surprise {
    /// Takes whether a reading was foretold, and the time since the one before.
    pub fn take(&mut self, foretold: bool, passed: f64) {
        if foretold {
            self.seconds = (self.seconds - passed).max(0.0);
            if self.seconds == 0.0 {
                (self.readings, self.lost) = (0, false);
            }
        } else {
            self.seconds = (self.seconds + passed).min(MOST_S);
            self.readings = self.readings.saturating_add(1);
            self.lost |= self.seconds >= LOST_S && self.readings >= READINGS;
        }
    }

    /// Whether the last readings were too many surprises: nothing is known then.
    pub fn is_lost(&self) -> bool {
        self.lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(foretold: &[(bool, u32)], every_s: f64) -> Vec<bool> {
        let mut surprise = Surprise::default();
        let foretold = foretold.iter().flat_map(|(foretold, times)| (0..*times).map(move |_| *foretold));
        let mut lost = |foretold| {
            surprise.take(foretold, every_s);
            surprise.is_lost()
        };
        foretold.map(&mut lost).collect()
    }

    #[test]
    fn surprises_add_up_and_wear_off() {
        assert!(lost(&[(false, 7), (true, 7)], 1.0).iter().all(|lost| !lost), "seven seconds are not lost");
        let course = lost(&[(false, 8), (true, 8)], 1.0);
        assert!(!course[6] && course[7] && course[14] && !course[15], "{course:?}");
        let course = lost(&[(false, 2), (true, 1), (false, 6), (true, 7)], 60.0);
        assert!(!course[4] && course[5], "two readings may be wrong however seldom they come: {course:?}");
        assert!(course[9..].iter().all(|lost| !lost), "{course:?}");
        let course = lost(&[(false, 1000), (true, 30)], 1.0);
        assert!(course[1028] && !course[1029], "half a minute is enough to trust it again");
    }
}
