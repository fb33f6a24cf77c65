//! How the supplies of a group stand.

use std::time::Duration;

use super::Machine;
use super::timing::HOST_LATE;
use crate::{PowerOrigin, PowerView, Reason};

/// How the supplies of a group stand.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Standing {
    /// All supplies.
    pub(crate) total: u32,
    /// How many must live.
    pub(crate) need: u32,
    /// How many live.
    pub(crate) live: u32,
    /// How many are on mains, by fresh readings.
    pub(crate) on_mains: u32,
    /// How many are on steady mains.
    pub(crate) steady: u32,
    /// How many are on battery by fresh readings.
    pub(crate) on_battery: u32,
    /// How many have been on battery for long enough to be no blip.
    pub(crate) long_on_battery: u32,
    /// How many say something.
    pub(crate) fresh: u32,
    /// Why the first one that does not live does not.
    pub(crate) reason: Option<Reason>,
}

impl Standing {
    /// Whether so many supplies are on battery that the group could not live without them.
    pub(crate) fn is_short_now(&self) -> bool {
        self.on_battery > 0 && self.total - self.on_battery < self.need
    }

    /// The same, and no blip.
    pub(crate) fn is_short(&self) -> bool {
        self.long_on_battery > 0 && self.total - self.long_on_battery < self.need
    }

    /// Whether enough is on mains at this moment.
    pub(crate) fn has_mains(&self) -> bool {
        self.total > 0 && self.on_mains >= self.need
    }

    /// Whether enough has been on mains for long enough.
    pub(crate) fn is_steady(&self) -> bool {
        self.total > 0 && self.steady >= self.need
    }
}

/// Whether a battery holds enough for one more shutdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Energy {
    Enough,
    NotEnough,
    Unknown,
}

impl Machine {
    pub(crate) fn standing(&self, group: usize) -> Standing {
        let (course, now) = (&self.courses[group], self.now);
        let total = course.plan.feeds.iter().fold(0u32, |sum, feed| sum.saturating_add(feed.supplies));
        let mut standing = Standing {
            total,
            need: course.plan.need.clamp(1, total.max(1)),
            live: 0,
            on_mains: 0,
            steady: 0,
            on_battery: 0,
            long_on_battery: 0,
            fresh: 0,
            reason: None,
        };
        for (feed, watch) in course.plan.feeds.iter().zip(&course.feeds).filter(|(feed, _)| feed.supplies > 0)
        {
            let dead = watch.critical.is_some() || watch.off;
            let begin = feed.begin.as_ref().unwrap_or(&course.plan.begin);
            let Some(supply) = self.supplies.get(&feed.ups) else { continue };
            let mains = supply.mains_held(now).filter(|_| !dead);
            let battery = supply.battery_held(now);
            let count = |holds: bool| if holds { feed.supplies } else { 0 };
            standing.live += count(!dead);
            standing.on_mains += count(mains.is_some());
            standing.steady += count(mains.is_some_and(|held| held >= course.plan.steady));
            standing.on_battery += count(battery.is_some());
            standing.long_on_battery += count(battery.is_some_and(|held| held >= begin.confirm));
            standing.fresh += count(supply.fresh(now).is_some());
            standing.reason = standing.reason.or_else(|| watch.critical.clone());
        }
        standing
    }

    /// Whether a group lives on without these UPSes. One that says nothing counts as a supply, as for upsmon, where it
    /// need not be `sure`.
    pub(crate) fn survives(&self, group: usize, without: &[String], sure: bool) -> bool {
        let (course, standing) = (&self.courses[group], self.standing(group));
        let feeds = course.plan.feeds.iter().zip(&course.feeds);
        let live = feeds.filter(|(feed, watch)| {
            let supply = self.supplies.get(&feed.ups);
            let carries = match sure {
                true => supply.and_then(|supply| supply.origin(self.now)) == Some(PowerOrigin::Mains),
                // a blip takes nothing away
                false => {
                    let begin = feed.begin.as_ref().unwrap_or(&course.plan.begin);
                    let held = supply.and_then(|supply| supply.battery_held(self.now));
                    held.is_none_or(|held| held < begin.confirm)
                }
            };
            !without.contains(&feed.ups) && watch.critical.is_none() && !watch.off && carries
        });
        live.fold(0u32, |sum, (feed, _)| sum.saturating_add(feed.supplies)) >= standing.need
    }

    /// Whether two groups hang on a UPS.
    pub(crate) fn share_a_ups(&self, one: usize, other: usize) -> bool {
        self.courses[one]
            .plan
            .feeds
            .iter()
            .any(|feed| feed.supplies > 0 && self.courses[other].is_fed_by(&feed.ups))
    }

    /// How long one whole shutdown of a group takes at most.
    pub(crate) fn whole_shutdown(&self, group: usize) -> Duration {
        let plan = &self.courses[group].plan;
        let stages = plan.stages.iter().fold(Duration::ZERO, |sum, stage| sum.saturating_add(stage.time));
        let down = plan.stages.iter().map(|stage| stage.down).max().unwrap_or_default();
        let host = self.policy.host.as_ref().filter(|host| host.group == plan.name);
        let host = host.map_or(Duration::ZERO, |host| host.down.saturating_add(host.proof_wait));
        stages.saturating_add(down.max(host)).max(HOST_LATE)
    }

    /// Whether the batteries of a group hold enough for one more shutdown.
    pub(crate) fn energy(&self, group: usize) -> Energy {
        let (course, standing) = (&self.courses[group], self.standing(group));
        let (mut enough, mut not) = (0u32, 0u32);
        for feed in course.plan.feeds.iter() {
            let Some(view) = self.supplies.get(&feed.ups).and_then(|supply| supply.fresh(self.now)) else {
                continue;
            };
            match self.energy_of(group, view) {
                Energy::Enough => enough = enough.saturating_add(feed.supplies),
                Energy::NotEnough => not = not.saturating_add(feed.supplies),
                Energy::Unknown => {}
            }
        }
        if standing.total > 0 && enough >= standing.need {
            Energy::Enough
        } else if not > 0 && standing.total.saturating_sub(not) < standing.need {
            Energy::NotEnough
        } else {
            Energy::Unknown
        }
    }

    fn energy_of(&self, group: usize, view: &PowerView) -> Energy {
        let plan = &self.courses[group].plan;
        if view.words.low_battery && view.origin() != PowerOrigin::Unclear {
            return Energy::NotEnough;
        }
        let recovery = &plan.recovery;
        let runtime_bound = match (recovery.runtime, recovery.charge) {
            (Some(bound), _) => Some(bound),
            (None, Some(_)) => None,
            (None, None) => Some(self.whole_shutdown(group).mul_f64(1.5)),
        };
        let charge = recovery.charge.zip(view.charge).map(|(bound, charge)| charge >= bound);
        let runtime = view.runtime.filter(|_| view.runtime_confidence >= plan.begin.runtime_confidence);
        let runtime = runtime_bound.zip(runtime).map(|(bound, runtime)| runtime >= bound);
        match (charge, runtime) {
            (Some(false), _) | (_, Some(false)) => Energy::NotEnough,
            (Some(true), _) | (_, Some(true)) => Energy::Enough,
            (None, None) => Energy::Unknown,
        }
    }
}
