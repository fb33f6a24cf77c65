//! Whether a UPS still counts as a supply of a group.

use std::time::Duration;

use super::supply::SupplyState;
use super::timing::SLOW_CONFIRM;
use crate::{Begin, LostMeaning, PowerOrigin, Reason};

/// The conditions of one feed of a group, with since when each holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct FeedWatch {
    held: [Option<Duration>; 7],
    /// When battery low was read last.
    low_at: Option<Duration>,
    /// Conditions that can hold on mains were seen not to hold since the start, or since the last course: without that
    /// they begin nothing, else hosts that come back into a warm room go down again for ever.
    calm: [bool; 3],
    /// Why it is no supply.
    pub(crate) critical: Option<Reason>,
    /// `OFF` for long.
    pub(crate) off: bool,
}

/// One condition on a reading.
struct Condition {
    holds: bool,
    confirm: Duration,
    calm: Option<usize>,
    /// It goes on over a break that is shorter than `confirm`.
    toggles: bool,
}

impl FeedWatch {
    /// A course ended: what holds on mains has to be seen not to hold first.
    pub(crate) fn course_over(&mut self) {
        *self = FeedWatch::default();
    }

    /// The process was stopped: nothing holds without a break.
    pub(crate) fn lapse(&mut self) {
        self.held = Default::default();
        self.critical = None;
    }

    /// Looks at the newest view. What was critical stays so while the UPS says nothing.
    pub(crate) fn look(
        &mut self,
        now: Duration,
        ups: &str,
        begin: &Begin,
        supply: &SupplyState,
        forced_counts: bool,
    ) {
        if supply.fresh(now).is_some() {
            self.critical = self.read(now, ups, begin, supply, forced_counts);
            return;
        }
        self.held = Default::default();
        if let LostMeaning::Shutdown(time) = begin.lost {
            if self.critical.is_none() && supply.lost_on_battery(now).is_some_and(|lost| lost >= time) {
                self.critical = Some(Reason::Lost { ups: ups.into() });
            }
        }
    }

    fn read(
        &mut self,
        now: Duration,
        ups: &str,
        begin: &Begin,
        supply: &SupplyState,
        forced_counts: bool,
    ) -> Option<Reason> {
        let view = supply.fresh(now)?;
        let battery = view.origin() == PowerOrigin::Battery;
        let charge = view.charge.filter(|charge| begin.charge_below.is_some_and(|bound| *charge < bound));
        let runtime = view.runtime.filter(|runtime| {
            view.runtime_confidence >= begin.runtime_confidence
                && begin.runtime_below.is_some_and(|bound| *runtime < bound)
        });
        let celsius =
            view.temperature.filter(|now| begin.temperature_above.is_some_and(|bound| *now > bound));
        let on_battery = |holds: bool| Condition {
            holds: battery && holds,
            confirm: begin.confirm,
            calm: None,
            toggles: false,
        };
        let slow = begin.confirm.max(SLOW_CONFIRM);
        let conditions = [
            // at its threshold that bit comes and goes
            Condition { toggles: battery, ..on_battery(begin.low_battery && view.words.low_battery) },
            Condition {
                holds: begin.forced && view.words.forced && (forced_counts || self.held[1].is_some()),
                confirm: begin.confirm,
                calm: Some(0),
                toggles: false,
            },
            on_battery(charge.is_some()),
            on_battery(runtime.is_some()),
            Condition { holds: celsius.is_some(), confirm: slow, calm: Some(1), toggles: false },
            Condition { holds: begin.failing && view.failing, confirm: slow, calm: Some(2), toggles: false },
            Condition {
                holds: view.words.off && begin.off_for.is_some(),
                confirm: begin.off_for.unwrap_or_default(),
                calm: None,
                toggles: false,
            },
        ];
        let read_at = view.read_at;
        if !view.words.forced {
            self.calm[0] = true;
        }
        let [low, forced, few, short, warm, failing, off] = self.hold(read_at, conditions);
        self.off = off;
        let ups = || ups.to_string();
        let no_blip = supply.battery_held(now).is_some_and(|held| held >= begin.confirm);
        let long = |spent: &Duration| no_blip && begin.on_battery_for.is_some_and(|bound| *spent >= bound);
        let spent = supply.spent(now).filter(long);
        if low {
            return Some(Reason::LowBattery { ups: ups() });
        }
        if forced {
            return Some(Reason::Forced { ups: ups() });
        }
        match (charge, runtime, spent, celsius) {
            (Some(charge), ..) if few => Some(Reason::Charge { ups: ups(), charge }),
            (_, Some(runtime), ..) if short => Some(Reason::Runtime { ups: ups(), runtime }),
            (.., Some(time), _) => Some(Reason::OnBattery { ups: ups(), time }),
            (.., Some(celsius)) if warm => Some(Reason::Temperature { ups: ups(), celsius }),
            _ => failing.then(|| Reason::Failing { ups: ups() }),
        }
    }

    /// Which conditions hold for as long as they must, by readings: one reading confirms nothing.
    fn hold(&mut self, read_at: Duration, conditions: [Condition; 7]) -> [bool; 7] {
        let mut held = [false; 7];
        for (at, condition) in conditions.into_iter().enumerate() {
            if condition.holds && condition.toggles {
                self.low_at = Some(read_at);
            }
            if !condition.holds {
                let is_short = |last: Duration| read_at.saturating_sub(last) < condition.confirm;
                if !(condition.toggles && self.low_at.is_some_and(is_short)) {
                    self.held[at] = None;
                }
                if let Some(calm) = condition.calm.filter(|calm| *calm > 0) {
                    self.calm[calm] = true;
                }
                continue;
            }
            if condition.calm.is_some_and(|calm| !self.calm[calm]) && self.held[at].is_none() {
                continue;
            }
            let since = *self.held[at].get_or_insert(read_at);
            held[at] = read_at.saturating_sub(since) >= condition.confirm;
        }
        held
    }
}
