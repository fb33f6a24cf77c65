//! Where a machine goes on: after a start from its record, and with another policy.

use std::time::Duration;

use super::supply::SupplyState;
use super::timing::{CARRY, CLOCKS_APART, CUT_LONG_SLACK};
use super::{GroupCourse, Machine, OrderState};
use crate::record::KeptCourse;
use crate::{GroupPlan, Phase, Policy, ProtectAction, ProtectRecord, Reason};

impl Machine {
    /// Takes another policy once no course runs.
    pub(crate) fn adopt_next(&mut self) {
        if self.courses.iter().any(GroupCourse::is_running) {
            return;
        }
        if let Some(policy) = self.next_policy.take() {
            self.adopt(policy);
        }
    }

    /// Takes a policy. What is known of UPSes and of hosts that are down stays.
    pub(crate) fn adopt(&mut self, policy: Policy) {
        let mut former = std::mem::take(&mut self.courses);
        for plan in &policy.groups {
            let at = former.iter().position(|course| course.plan.name == plan.name);
            let course = match at.map(|at| former.remove(at)) {
                Some(mut course) => {
                    course.replan(plan.clone());
                    course
                }
                None => GroupCourse::new(plan.clone(), policy.armed, self.now),
            };
            self.courses.push(course);
        }
        // hosts of a group that is no longer configured are woken all the same
        self.courses.extend(former.into_iter().filter(GroupCourse::has_something_to_do));
        for course in self.courses.iter_mut().filter(|course| course.phase == Phase::Watching) {
            course.armed = policy.armed;
        }
        self.policy = policy;
        self.take_supplies();
    }

    fn take_supplies(&mut self) {
        let mut steady = std::collections::BTreeMap::<String, Duration>::new();
        for course in &self.courses {
            for feed in &course.plan.feeds {
                let longest = steady.entry(feed.ups.clone()).or_default();
                *longest = (*longest).max(course.plan.steady);
            }
        }
        self.supplies.retain(|ups, _| steady.contains_key(ups));
        for (ups, steady) in steady {
            let now = self.now;
            self.supplies.entry(ups).or_insert_with(|| SupplyState::new(now, steady)).steady = steady;
        }
    }

    /// A UPS is gone: what it said is no reason to begin anything.
    pub(crate) fn forget_feed(&mut self, ups: &str) {
        for course in self.courses.iter_mut().filter(|course| !course.is_running()) {
            for (feed, watch) in course.plan.feeds.iter().zip(&mut course.feeds) {
                if feed.ups == ups {
                    watch.course_over();
                }
            }
        }
    }

    /// Goes on where the record ends. Times of another boot of the host mean nothing: they become its beginning.
    pub(crate) fn restore(&mut self, record: &ProtectRecord) {
        let same_boot = record.at <= self.now && self.is_of_this_boot(record);
        let record = if same_boot { record.clone() } else { record.of_another_boot() };
        let gap = if same_boot {
            self.now.saturating_sub(record.at)
        } else {
            // a clock that was set back says nothing
            let wall = self.start.wall_s.checked_sub(record.wall_s);
            wall.map_or(Duration::MAX, Duration::from_secs)
        };
        let host_was_down = record.courses.iter().any(|kept| kept.phase == Phase::HostDown);
        for kept in record.courses.iter().filter(|kept| kept.armed) {
            self.restore_course(kept, gap);
        }
        self.take_supplies();
        for kept in &record.supplies {
            let Some(supply) = self.supplies.get_mut(&kept.ups) else { continue };
            supply.unit = kept.unit.clone();
            if let Some((spent, until)) = kept.time.filter(|_| gap <= CARRY && (same_boot || !host_was_down))
            {
                supply.carry(spent, until);
            }
            supply.order = kept.order.clone();
            if let Some(order) = supply.order.as_mut().filter(|order| order.state == OrderState::Sent) {
                // it may never have been sent, and it may be taken: it is not sent again by this course
                order.becomes(self.now, OrderState::Unconfirmed);
            }
        }
        self.host = record.host.clone().filter(|_| same_boot);
        self.place_courses(same_boot);
    }

    /// Where the host does not say which boot this is, by both of its clocks: since the record they went on alike.
    fn is_of_this_boot(&self, record: &ProtectRecord) -> bool {
        if !(record.boot.is_empty() && self.start.boot.is_empty()) {
            return record.boot == self.start.boot;
        }
        let passed = self.now.saturating_sub(record.at);
        let wall = self.start.wall_s.checked_sub(record.wall_s).map(Duration::from_secs);
        wall.is_some_and(|wall| wall.abs_diff(passed) <= CLOCKS_APART)
    }

    fn restore_course(&mut self, kept: &KeptCourse, gap: Duration) {
        let at = self.courses.iter().position(|course| course.plan.name == kept.group);
        let orphan = at.is_none();
        let at = at.unwrap_or_else(|| {
            self.courses.push(GroupCourse::new(GroupPlan::new(&kept.group), true, self.now));
            self.courses.len() - 1
        });
        let course = &mut self.courses[at];
        (course.phase, course.since, course.phase_at) = (kept.phase, kept.since, kept.phase_at);
        (course.armed, course.waited, course.down) = (true, kept.waited, kept.down.clone());
        // not over, so nothing was in vain for good
        course.down.iter_mut().for_each(|host| (host.woken, host.given_up) = (0, false));
        (course.gap, course.was_on_battery, course.reason) = (gap, kept.on_battery, Some(Reason::Recorded));
        if kept.phase == Phase::Watching {
            course.reason = None;
            course.phase = if orphan { Phase::Recovering } else { Phase::Watching };
        }
        for stage in &kept.stages {
            let of = course.plan.stages.iter().position(|plan| plan.name == stage.stage);
            let Some(state) = of.map(|of| &mut course.stages[of]) else { continue };
            (state.began, state.over, state.gone) = (Some(stage.began), stage.over, stage.gone);
            state.running = stage.running.clone();
        }
    }

    /// Each course goes to the phase in which it may go on.
    fn place_courses(&mut self, same_boot: bool) {
        let mut going = vec![];
        for group in 0..self.courses.len() {
            let course = &self.courses[group];
            let (phase, disarmed) = (course.phase, !self.policy.armed);
            let cut = self.all_cut_at(group).map(|cut| cut.saturating_add(CUT_LONG_SLACK));
            let cut_is_due = cut.is_some_and(|cut| self.now < cut);
            match phase {
                Phase::Watching => continue,
                _ if !same_boot => self.end_course(group, "this host was started again: hosts come back"),
                Phase::HostDown if !self.is_past_host_window() => {
                    self.show_signals(group);
                    going.push(group);
                }
                Phase::HostDown if !disarmed => {}
                Phase::Ordering | Phase::Down if cut_is_due => {
                    let text =
                        "the load may be cut by an order from before the restart: the shutdown goes on";
                    self.say(group, true, text.into());
                    self.show_signals(group);
                }
                Phase::Recovering | Phase::Down if !disarmed => {}
                _ if disarmed => {
                    self.end_course(group, "protection is not armed any more: the shutdown ends")
                }
                _ => self.pause(group),
            }
            let course = &mut self.courses[group];
            course.armed = self.policy.armed || course.is_running();
        }
        let now_going = !going.is_empty() && self.host.is_some() && !self.is_past_host_window();
        let upses = if now_going { self.second_chance(&going) } else { vec![] };
        self.act(true, ProtectAction::SecondChance { upses });
        if now_going {
            self.act(true, ProtectAction::HostDown);
        }
    }

    /// A fresh reading is waited for; orders of the former process are over.
    fn pause(&mut self, group: usize) {
        for ups in self.own_upses(group) {
            if let Some(supply) = self.supplies.get_mut(&ups) {
                supply.order = None;
            }
        }
        self.go(group, Phase::Paused, "after the restart a reading of its UPSes is waited for".into());
    }
}
