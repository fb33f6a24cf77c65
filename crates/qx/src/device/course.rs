//! The charge as it is shown through an outage and after it. A battery that is emptied has less and less, and no
//! more than what is drawn; so the figure falls as fast as the model says that it runs out, or some times
//! faster where it had promised too much, and never leaps.

use super::Moment;
use battery::Estimate;

/// So many times faster than it runs out, a charge that was shown too high comes down to what the model says.
const HURRY: f64 = 3.0;
/// Where no runtime is known: percent of the charge in a second.
const LEAST_FALL: f64 = 0.001;
/// Percent by which the guess falls in a second at most: the first volts of an outage may be read before its bit.
const ESTIMATE_FALLS: f64 = 0.5;
/// ... and by which what was shown rises at most.
const RISES: f64 = 0.05;
/// More is not shown until the model says that it is full.
const FULL_PERCENT: f64 = 99.0;

/// What was shown last.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Course {
    shown: Option<f64>,
    at: Option<Moment>,
    /// What was shown when the outage began, for one percent of the model's.
    scale: Option<f64>,
    /// At the end of the outage: what was shown, and what the model said.
    ended: Option<(f64, f64)>,
    /// When it was shown last on mains.
    mains_at: Option<Moment>,
    /// What was shown since the outage ended: it only rises.
    risen: Option<f64>,
    /// There was an outage since it was full for certain.
    drained: bool,
    /// There was an outage: from then on the figure is the model's, also when it is full again.
    modelled: bool,
}

impl Course {
    /// On mains: what the model says once an outage taught it (`taught`), or since there was one; else the
    /// `by_nut`. It goes on from where the outage ended.
    pub(super) fn on_mains(
        &mut self,
        model: Option<f64>,
        taught: bool,
        by_nut: Option<f64>,
        now: Moment,
    ) -> Option<f64> {
        (self.at, self.scale) = (None, None);
        let passed = now.saturating_sub(self.mains_at.replace(now).unwrap_or(now)).as_secs_f64();
        let charge = match model.filter(|_| taught || self.modelled) {
            None => by_nut
                .map(|by_nut| by_nut.max(self.shown.map_or(0.0, |shown| shown - ESTIMATE_FALLS * passed))),
            Some(model) => match (self.drained, self.shown) {
                (true, Some(shown)) => {
                    let (from, began) = *self.ended.get_or_insert((shown, model));
                    let share = ((100.0 - model) / (100.0 - began).max(0.1)).clamp(0.0, 1.0);
                    let aim = match model >= 100.0 {
                        true => 100.0,
                        false => (100.0 - (100.0 - from) * share).min(FULL_PERCENT.max(from)),
                    };
                    let before = self.risen.unwrap_or(from);
                    let now = aim.clamp(before, before + RISES * passed);
                    self.risen = Some(now);
                    self.drained = now < 100.0 || model < 100.0;
                    Some(now)
                }
                _ => {
                    self.drained &= model < 100.0;
                    Some(model)
                }
            },
        };
        if !self.drained {
            (self.shown, self.ended, self.risen) = (charge, None, None);
        }
        charge
    }

    /// On battery. While the volts dip it is what it was; where nothing was known on mains, it is `by_nut`;
    /// where the model does not know any more, nothing.
    pub(super) fn on_battery(
        &mut self,
        model: &Estimate,
        dipped: bool,
        by_nut: Option<f64>,
        now: Moment,
    ) -> Option<f64> {
        if let Some((from, _)) = self.ended.take() {
            self.shown = Some(self.risen.take().unwrap_or(from));
        }
        self.mains_at = None;
        let passed = now.saturating_sub(self.at.replace(now).unwrap_or(now)).as_secs_f64();
        let Some(shown) = self.shown else { return by_nut };
        (self.drained, self.modelled) = (true, true);
        let Some(charge) = model.charge_percent else { return if dipped { None } else { Some(shown) } };
        let scale = *self.scale.get_or_insert(if charge > 1.0 { shown / charge } else { 1.0 });
        if !dipped {
            return Some(shown);
        }
        let rate = model.runtime_s.map_or(LEAST_FALL, |seconds| HURRY / seconds.max(1.0));
        let fall = (shown * rate * passed).min(shown);
        let now_shown = (charge * scale).clamp(shown - fall, shown);
        self.shown = Some(now_shown);
        Some(now_shown)
    }
}
