//! Whether a course ends on mains, what it would be in vain for, and what has to be finished all the same.

use super::{Machine, OrderState};
use crate::{CancelChoice, OnMains, Phase};

impl Machine {
    /// Whether mains that are back end the course: to go on for a load that is not cycled would only send more hosts down.
    pub(crate) fn may_end(&self, group: usize) -> bool {
        let course = &self.courses[group];
        match course.plan.cancel {
            CancelChoice::Always => true,
            CancelChoice::Never => false,
            CancelChoice::WhenWakeable => course.all_told_are_wakeable() || !self.cycles_on_mains(group),
        }
    }

    /// The course ends, and no load is cycled by it: who went down and cannot be woken stays off.
    pub(crate) fn end_before_order(&mut self, group: usize, text: &str) {
        if !self.courses[group].all_told_are_wakeable() {
            let text = "hosts that were sent down and cannot be woken stay off, as the load is not cycled: switch them on";
            self.say(group, true, text.into());
        }
        self.end_course(group, text);
    }

    /// Whether its hosts may lose their power by an order while mains are there: each of its UPSes takes one, and none is
    /// known to leave its load on.
    pub(crate) fn cycles_on_mains(&self, group: usize) -> bool {
        let feeds = self.courses[group].plan.feeds.iter().filter(|feed| feed.supplies > 0);
        feeds
            .map(|feed| self.load_plan(&feed.ups))
            .all(|load| load.is_some_and(|load| load.on_mains != OnMains::StaysOn))
    }

    /// Whether what was begun has to be finished also when it is not armed any more: a load may go off by an order, or this
    /// host goes down.
    pub fn is_bound(&self) -> bool {
        (0..self.courses.len()).any(|group| self.courses[group].armed && self.is_bound_by(group))
    }

    pub(crate) fn is_bound_by(&self, group: usize) -> bool {
        let course = &self.courses[group];
        course.is_past_return()
            && (self.cut_at(group).is_some() || self.host.is_some() && course.phase == Phase::HostDown)
    }

    /// Whether mains are there and no UPS has its order, or takes it: this host would go down, and nothing would start it
    /// again.
    pub(crate) fn are_in_vain(&self, groups: &[usize]) -> bool {
        let feeds = groups.iter().flat_map(|group| self.courses[*group].plan.feeds.iter());
        let mut orders = feeds.filter_map(|feed| self.supplies.get(&feed.ups)?.order.as_ref());
        orders.all(|order| order.state == OrderState::Failed)
            && groups.iter().all(|group| {
                let standing = self.standing(*group);
                self.courses[*group].plan.cancel != CancelChoice::Never
                    && standing.has_mains()
                    && standing.live >= standing.need
            })
    }
}
