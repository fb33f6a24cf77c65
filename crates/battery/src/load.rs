//! The load: as it is now, and as it will be.
//!
//! A load that goes up and down and up again will do so once more: what counts for the runtime then is what it
//! draws in the mean. One that steps up counts at once, one that steps down after a while.

/// The load, in percent of what the UPS can deliver.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Load {
    /// Without the noise of its last digit.
    smooth: Option<f64>,
    /// So many readings in a row were far from it.
    apart: u32,
    /// What it draws in the mean, as the power [`CONVEX`] of it.
    mean: f64,
    /// What the runtime counts with.
    ahead: f64,
    /// Which way it leapt last, and the times since the last turns.
    rose: Option<bool>,
    turns_s: [Option<f64>; 2],
    /// Seconds since it leapt.
    leapt_s: Option<f64>,
    /// It was read as more than nothing once.
    seen: bool,
}

const SMOOTH_S: f64 = 40.0;
const FAR_PERCENT: f64 = 7.0;
/// It swings when it turned twice within this time.
const SWINGS_S: f64 = 240.0;
const MEAN_S: f64 = 120.0;
/// A load that fell counts after so long.
const FALLS_S: f64 = 20.0;
/// Volts settle in this time after it leapt.
const SETTLES_S: f64 = 30.0;
/// High loads take more from a battery than the energy that they draw.
const CONVEX: f64 = 2.0;
/// What is assumed where the UPS says 0 all the time: some say nothing of small loads, some of none.
const UNKNOWN_PERCENT: f64 = 15.0;

impl Load {
    /// Takes a reading, so many seconds after the one before. Readings far from the last ones count at once when
    /// they come twice.
    pub fn take(&mut self, percent: f64, passed: f64) {
        self.seen |= percent > 0.0;
        let first = self.smooth.is_none();
        let before = self.smooth.unwrap_or(percent);
        self.apart = if (percent - before).abs() > FAR_PERCENT { self.apart.saturating_add(1) } else { 0 };
        self.turns_s.iter_mut().flatten().for_each(|since| *since += passed);
        let leaps = self.apart >= 2;
        self.leapt_s = self.leapt_s.map(|since| since + passed);
        if leaps {
            self.leapt_s = Some(0.0);
            let rises = percent > before;
            if self.rose.replace(rises).is_some_and(|rose| rose != rises) {
                self.turns_s = [self.turns_s[1], Some(0.0)];
            }
        }
        let moves = if leaps { 1.0 } else { 1.0 - (-passed / SMOOTH_S).exp() };
        let now = before + moves * (percent - before);
        self.smooth = Some(now);
        // what was drawn since the reading before
        let drawn = before.powf(CONVEX);
        let share = 1.0 - (-passed / MEAN_S).exp();
        self.mean = if first { drawn } else { self.mean + share * (drawn - self.mean) };
        self.look_ahead(now, first, passed);
    }

    fn look_ahead(&mut self, now: f64, first: bool, passed: f64) {
        let swings = self.turns_s.iter().all(|turn| turn.is_some_and(|since| since <= SWINGS_S));
        let (aim, time) = match swings {
            true => (self.mean.powf(1.0 / CONVEX), FALLS_S),
            false if now < self.ahead => (now, FALLS_S),
            false => (now, 0.0),
        };
        let share = if first || time == 0.0 { 1.0 } else { 1.0 - (-passed / time).exp() };
        self.ahead += share * (aim - self.ahead);
    }

    /// Whether the last reading is far from the others: the volts beside it may be those of another load.
    pub fn is_leaping(&self) -> bool {
        self.apart == 1
    }

    /// How far the volts are from where they settle at this load: 1 just after a leap.
    pub fn unrest(&self) -> f64 {
        self.leapt_s.map_or(0.0, |since| (-since / SETTLES_S).exp())
    }

    /// Whether the UPS says nothing of the load: 0 is all that it ever said.
    pub fn is_unknown(&self) -> bool {
        !self.seen
    }

    /// What is drawn now. None before the first reading.
    pub fn now(&self) -> Option<f64> {
        self.smooth.map(|smooth| if self.seen { smooth } else { UNKNOWN_PERCENT })
    }

    /// What will be drawn from now on.
    pub fn ahead(&self) -> Option<f64> {
        self.smooth.map(|_| if self.seen { self.ahead } else { UNKNOWN_PERCENT })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What counts after each of these seconds.
    fn ahead(percent: impl Fn(u32) -> f64, seconds: u32) -> Vec<f64> {
        let mut load = Load::default();
        let mut take = |second| {
            load.take(percent(second), if second == 0 { 0.0 } else { 1.0 });
            load.ahead().unwrap()
        };
        (0..seconds).map(&mut take).collect()
    }

    #[test]
    fn a_step_up_counts_at_once_and_a_step_down_soon() {
        let course = ahead(|second| if (100..400).contains(&second) { 80.0 } else { 30.0 }, 600);
        assert!(course[99] < 31.0 && course[102] > 79.0 && course[399] > 79.0, "{course:?}");
        assert!(course[410] > 50.0 && course[500] < 31.0, "{course:?}");
    }

    #[test]
    fn a_load_that_swings_counts_in_the_mean() {
        for each in [5, 15, 30, 60] {
            let course = ahead(|second| [10.0, 90.0][(second / each) as usize % 2], 900);
            let after = &course[300..];
            assert!(after.iter().all(|load| (45.0..80.0).contains(load)), "{each}: {after:?}");
        }
    }

    #[test]
    fn nothing_but_zeros_is_no_load() {
        let mut load = Load::default();
        (0..100).for_each(|_| load.take(0.0, 1.0));
        assert!(load.is_unknown() && load.now() == Some(UNKNOWN_PERCENT));
        load.take(1.0, 1.0);
        assert!(!load.is_unknown() && load.now().is_some_and(|load| load < 1.0));
    }
}
