//! This host goes down.

use std::time::Duration;

use super::Machine;
use super::timing::{CUT_LONG_SLACK, HOST_LATE, HOST_RETRY};
use crate::{Phase, ProtectAction};

/// This host goes down.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HostRun {
    /// Since when.
    pub(crate) begun: Duration,
    /// When the command was given last.
    pub(crate) tried: Duration,
    /// Whether it failed.
    pub(crate) failed: bool,
}

impl Machine {
    /// The orders are sent, or cannot be: this host goes down.
    pub(crate) fn host_goes(&mut self, groups: &[usize]) {
        let now = self.now;
        let armed = groups.iter().all(|group| self.courses[*group].armed);
        for group in groups {
            self.go(*group, Phase::HostDown, "this host goes down".into());
        }
        self.host = Some(HostRun { begun: now, tried: now, failed: false });
        let upses = self.second_chance(groups);
        self.act(armed, ProtectAction::SecondChance { upses });
        self.act(armed, ProtectAction::HostDown);
    }

    /// UPSes for the second chance: none when each was read to say that it will switch off; else all of them, so that
    /// they are off at the same time.
    pub(crate) fn second_chance(&self, groups: &[usize]) -> Vec<String> {
        let feeds = groups.iter().flat_map(|group| self.courses[*group].plan.feeds.iter());
        let orders =
            feeds.filter_map(|feed| Some((&feed.ups, self.supplies.get(&feed.ups)?.order.as_ref()?)));
        let mut orders: Vec<_> = orders.collect();
        orders.sort_by_key(|(ups, _)| *ups);
        orders.dedup_by_key(|(ups, _)| *ups);
        if orders.iter().all(|(_, order)| order.proven && order.may_be_taken()) {
            return vec![];
        }
        orders.into_iter().map(|(ups, _)| ups.clone()).collect()
    }

    /// The command that shuts this host down ended.
    pub(crate) fn host_shutdown_ended(&mut self, done: bool) {
        let Some(run) = self.host.as_mut() else { return };
        run.failed = !done;
        if let (false, Some(group)) = (done, self.host_group()) {
            self.say(group, true, "the command that shuts this host down failed; it is run again".into());
        }
    }

    /// After this a host that is still up did not go down, and no order is pending.
    fn host_window(&self, groups: &[usize]) -> Duration {
        let down = self.policy.host.as_ref().map_or(Duration::ZERO, |host| host.down);
        let begun = self.host.as_ref().map_or(self.now, |run| run.begun);
        let cut = groups.iter().filter_map(|group| self.all_cut_at(*group)).max().unwrap_or_default();
        begun.saturating_add(down).saturating_add(HOST_LATE).max(cut.saturating_add(CUT_LONG_SLACK))
    }

    /// Whether this host is past the time in which it had to go down.
    pub(crate) fn is_past_host_window(&self) -> bool {
        let groups = self.going_down();
        self.now >= self.host_window(&groups)
    }

    fn going_down(&self) -> Vec<usize> {
        (0..self.courses.len()).filter(|at| self.courses[*at].phase == Phase::HostDown).collect()
    }

    /// This host is going down, and still here.
    pub(crate) fn host_down(&mut self, group: usize) -> bool {
        let groups = self.going_down();
        if self.host.is_none() || self.host_group().is_none() {
            // a record of another configuration: this host is not part of it
            self.end_course(group, "this host is no longer part of it: the shutdown ends");
            return true;
        }
        if groups.first() != Some(&group) {
            return false;
        }
        let now = self.now;
        let armed = groups.iter().all(|group| self.courses[*group].armed);
        if now < self.host_window(&groups) {
            let is_due = |run: &HostRun| run.failed && now >= run.tried.saturating_add(HOST_RETRY);
            if !self.host.as_ref().is_some_and(is_due) {
                return false;
            }
            if self.are_in_vain(&groups) && groups.iter().all(|group| self.standing(*group).is_steady()) {
                self.host = None;
                self.act(armed, ProtectAction::SecondChance { upses: vec![] });
                for group in groups {
                    self.end_before_order(
                        group,
                        "this host did not go down, and mains are back: the shutdown ends",
                    );
                }
                return true;
            }
            let Some(run) = self.host.as_mut() else { return false };
            (run.tried, run.failed) = (now, false);
            self.act(armed, ProtectAction::HostDown);
            return true;
        }
        self.still_up(&groups, armed)
    }

    /// The host should be off, and the load too.
    fn still_up(&mut self, groups: &[usize], armed: bool) -> bool {
        let standings: Vec<_> = groups.iter().map(|group| self.standing(*group)).collect();
        let late = groups.iter().any(|group| {
            let course = &self.courses[*group];
            course.waited >= course.plan.recovery.at_latest
        });
        if standings.iter().all(|standing| standing.is_steady()) || late {
            self.host = None;
            self.act(armed, ProtectAction::SecondChance { upses: vec![] });
            for group in groups {
                self.forget_lost(*group);
                self.end_course(*group, "this host did not go down, and mains are back: the shutdown ends");
            }
            return true;
        }
        if armed && !self.policy.armed {
            self.host = None;
            self.act(armed, ProtectAction::SecondChance { upses: vec![] });
            for group in groups {
                self.end_course(*group, "this host did not go down, and protection is not armed any more");
            }
            return true;
        }
        if armed && standings.iter().any(|standing| standing.is_short()) {
            self.host = None;
            self.act(armed, ProtectAction::SecondChance { upses: vec![] });
            for group in groups {
                for feed in self.courses[*group].plan.feeds.clone() {
                    if let Some(supply) = self.supplies.get_mut(&feed.ups) {
                        supply.order = None;
                    }
                }
                self.say(*group, true, "this host did not go down in its time".into());
                self.go(*group, Phase::Settling, "still on battery: the last steps are done again".into());
            }
            return true;
        }
        false
    }
}
