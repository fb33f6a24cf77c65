//! The load: when it may be ordered off, and what becomes of the order.

use std::time::Duration;

use super::timing::{
    CUT_LONG_SLACK, CUT_SLACK, HOST_SLACK, ORDER_AGAIN, ORDER_RETRY, ORDER_TIME, PAUSE, PROOF_AGE,
};
use super::{Machine, OrderState, UpsOrder};
use crate::{LoadPlan, OrderOutcome, Phase, ProtectAction};

impl Machine {
    pub(crate) fn load_plan(&self, ups: &str) -> Option<&LoadPlan> {
        self.policy.loads.iter().find(|load| load.ups == ups)
    }

    /// From the order until the load is off, for UPSes that are ordered together: one delay for all, which each of them
    /// takes. A host with two supplies loses its power, and so comes back, only when both are off at the same time.
    fn common_delay(&self, upses: &[String]) -> Option<Duration> {
        let plans = || upses.iter().filter_map(|ups| self.load_plan(ups));
        let longest = plans().filter_map(|load| load.longest).min();
        let delay = plans().map(|load| load.delay).max()?;
        Some(longest.map_or(delay, |longest| longest.min(delay)))
    }

    /// UPSes of a group whose load is to be switched off.
    fn loads_of(&self, group: usize) -> Vec<String> {
        let feeds = self.courses[group].plan.feeds.iter().filter(|feed| feed.supplies > 0);
        feeds.map(|feed| feed.ups.clone()).filter(|ups| self.load_plan(ups).is_some()).collect()
    }

    /// When the load of one UPS of a group may be off first, where an order may be taken.
    pub(crate) fn cut_at(&self, group: usize) -> Option<Duration> {
        let feeds = self.courses[group].plan.feeds.iter();
        feeds.filter_map(|feed| self.supplies.get(&feed.ups)?.order.as_ref()?.cut_at()).min()
    }

    /// When the loads of all UPSes of a group are off at the latest, where orders may be taken.
    pub(crate) fn all_cut_at(&self, group: usize) -> Option<Duration> {
        let feeds = self.courses[group].plan.feeds.iter();
        feeds.filter_map(|feed| self.supplies.get(&feed.ups)?.order.as_ref()?.cut_at()).max()
    }

    /// Whether all hosts of these groups are off before the load could be.
    fn are_ready(&self, groups: &[usize]) -> bool {
        let upses: Vec<String> = groups.iter().flat_map(|group| self.loads_of(*group)).collect();
        let off_before = self.now.saturating_add(self.common_delay(&upses).unwrap_or_default());
        groups
            .iter()
            .all(|group| self.courses[*group].off_at(self.now).is_some_and(|off_at| off_at <= off_before))
    }

    /// The group that would lose its last supply with these UPSes while its hosts run.
    fn blocker(&self, ups: &str, ordered: &[String], moving: &[usize]) -> Option<usize> {
        let delay = self.common_delay(ordered).unwrap_or_default();
        (0..self.courses.len()).filter(|at| !moving.contains(at)).find(|at| {
            let course = &self.courses[*at];
            course.is_fed_by(ups)
                && match course.phase {
                    Phase::Ordering | Phase::HostDown | Phase::Down => false,
                    Phase::Settling => {
                        let off_at = course.off_at(self.now);
                        off_at.is_none_or(|off_at| off_at > self.now.saturating_add(delay))
                    }
                    _ => !self.survives(*at, ordered, true),
                }
        })
    }

    /// All stages are over: waits until no host is running that would lose its power.
    pub(crate) fn settle(&mut self, group: usize) -> bool {
        let host = self.host_group();
        let with_host = host.filter(|host| {
            matches!(self.courses[*host].phase, Phase::Paused | Phase::Stages | Phase::Settling)
        });
        let mut moving = vec![group];
        if let Some(host) = with_host {
            let busy = |phase| matches!(phase, Phase::Paused | Phase::Stages);
            if host != group || self.courses.iter().any(|course| busy(course.phase)) {
                return false;
            }
            moving =
                (0..self.courses.len()).filter(|at| self.courses[*at].phase == Phase::Settling).collect();
        }
        if !self.are_ready(&moving) {
            return false;
        }
        let mut upses: Vec<String> = moving.iter().flat_map(|group| self.loads_of(*group)).collect();
        upses.sort();
        upses.dedup();
        let blocked: Vec<(String, usize)> =
            upses.iter().filter_map(|ups| Some((ups.clone(), self.blocker(ups, &upses, &moving)?))).collect();
        if with_host.is_none() && !blocked.is_empty() {
            return self.wait_for(group, &blocked);
        }
        // it will go down as well, or be known to live on
        if blocked.iter().any(|(_, by)| self.share_a_ups(*by, group) && !self.courses[*by].is_running()) {
            let soon = self.start.now.saturating_add(PAUSE);
            if self.now < soon {
                return false;
            }
        }
        for (ups, by) in &blocked {
            let text = format!(
                "UPS {ups} is not switched off: group {} runs on it; hosts may have to be switched on by hand",
                self.courses[*by].plan.name
            );
            self.say(group, true, text);
        }
        for at in &moving {
            self.go(*at, Phase::Ordering, "its hosts are down, or off before the load is".into());
        }
        let delay = self.common_delay(&upses).unwrap_or_default();
        for ups in upses.iter().filter(|ups| blocked.iter().all(|(blocked, _)| blocked != *ups)) {
            self.first_order(ups, delay, with_host.is_some());
        }
        true
    }

    /// Another group runs on a UPS of this one: it stays as it is until that one goes down as well, or mains are back.
    fn wait_for(&mut self, group: usize, blocked: &[(String, usize)]) -> bool {
        let standing = self.standing(group);
        let unseen =
            standing.on_battery == 0 && standing.fresh < standing.need && self.waited_in_phase(group);
        if standing.is_steady() && standing.live >= standing.need || unseen {
            self.forget_lost(group);
            self.end_course(
                group,
                "its UPSes cannot be cycled, and nothing says that the outage goes on: the shutdown ends",
            );
            return true;
        }
        let by = self.courses[blocked[0].1].plan.name.clone();
        let text = format!("UPS {} stays on: group {by} runs on it", blocked[0].0);
        self.say_once(group, "blocked", text);
        false
    }

    fn waited_in_phase(&self, group: usize) -> bool {
        self.now >= self.courses[group].phase_at.saturating_add(ORDER_AGAIN)
    }

    /// What was on battery when it fell silent is no reason any more: the course has done what it could.
    pub(crate) fn forget_lost(&mut self, group: usize) {
        for feed in &self.courses[group].plan.feeds {
            if let Some(supply) = self.supplies.get_mut(&feed.ups) {
                supply.forget_lost(self.now);
            }
        }
    }

    fn first_order(&mut self, ups: &str, delay: Duration, with_host: bool) {
        let too_short = with_host
            && self.policy.host.as_ref().is_some_and(|host| delay < host.down.saturating_add(HOST_SLACK));
        let now = self.now;
        let Some(supply) = self.supplies.get_mut(ups) else { return };
        if supply.order.as_ref().is_some_and(UpsOrder::may_be_taken) {
            return;
        }
        let state = if too_short { OrderState::HookOnly } else { OrderState::NotTaken };
        supply.order = Some(UpsOrder { delay, attempt: 0, sent: now, state, state_at: now, proven: false });
        if too_short {
            let text = format!(
                "UPS {ups} would switch off {} s after the order, sooner than this host is off: the hook at the end \
                 of the shutdown sends it",
                delay.as_secs()
            );
            self.say_of_ups(ups, false, text);
        } else {
            self.send_order(ups);
        }
    }

    fn is_armed_for(&self, ups: &str) -> bool {
        let mut courses =
            self.courses.iter().filter(|course| course.is_past_return() && course.is_fed_by(ups));
        let first = courses.next().is_some_and(|course| course.armed);
        first && courses.all(|course| course.armed)
    }

    fn send_order(&mut self, ups: &str) {
        let (now, armed) = (self.now, self.is_armed_for(ups));
        let Some(order) = self.supplies.get_mut(ups).and_then(|supply| supply.order.as_mut()) else { return };
        (order.attempt, order.sent, order.proven) = (order.attempt + 1, now, false);
        order.becomes(now, if armed { OrderState::Sent } else { OrderState::Accepted });
        let (delay, attempt) = (order.delay, order.attempt);
        self.act(armed, ProtectAction::Order { ups: ups.into(), delay, attempt });
    }

    fn say_of_ups(&mut self, ups: &str, alarm: bool, text: String) {
        let group = self.courses.iter().position(|course| course.is_past_return() && course.is_fed_by(ups));
        if let Some(group) = group {
            self.say(group, alarm, text);
        }
    }

    /// What came of an order.
    pub(crate) fn ordered(&mut self, ups: &str, outcome: OrderOutcome) {
        let now = self.now;
        let Some(order) = self.supplies.get_mut(ups).and_then(|supply| supply.order.as_mut()) else { return };
        if order.state != OrderState::Sent {
            return;
        }
        let (state, text) = match outcome {
            OrderOutcome::Accepted => (OrderState::Accepted, "confirmed the order to switch off"),
            OrderOutcome::NotConfirmed => {
                (OrderState::Unconfirmed, "did not confirm the order to switch off")
            }
            OrderOutcome::Refused => (OrderState::NotTaken, "refused the order to switch off"),
            OrderOutcome::NotSent => {
                (OrderState::NotTaken, "could not be reached with the order to switch off")
            }
        };
        order.becomes(now, state);
        self.say_of_ups(ups, state != OrderState::Accepted, format!("UPS {ups} {text}"));
    }

    /// Orders go on: tries, time limits, proofs.
    pub(crate) fn step_orders(&mut self) -> bool {
        let names: Vec<String> = self.supplies.keys().cloned().collect();
        let mut changed = false;
        for ups in &names {
            changed |= self.step_order(ups);
        }
        changed
    }

    fn step_order(&mut self, ups: &str) -> bool {
        let now = self.now;
        let in_phase =
            |phase: Phase| self.courses.iter().any(|course| course.phase == phase && course.is_fed_by(ups));
        let (ordering, past) = (
            in_phase(Phase::Ordering),
            self.courses.iter().any(|course| course.is_past_return() && course.is_fed_by(ups)),
        );
        let tries = self.policy.host.as_ref().map_or(3, |host| host.tries.max(1));
        let is_disarmed = !self.policy.armed && self.is_armed_for(ups);
        let Some(supply) = self.supplies.get_mut(ups) else { return false };
        let word = supply.fresh(now).map(|view| (view.read_at, view.will_switch_off));
        let Some(order) = supply.order.as_mut().filter(|_| past) else { return false };
        match (order.state, word) {
            (OrderState::Sent, _) if now >= order.sent.saturating_add(ORDER_TIME) => {
                order.becomes(now, OrderState::Unconfirmed);
                self.say_of_ups(ups, true, format!("nothing came of the order to UPS {ups}"));
                true
            }
            (
                OrderState::Sent | OrderState::Accepted | OrderState::Unconfirmed,
                Some((read_at, Some(true))),
            ) if !order.proven && read_at > order.sent => {
                order.proven = true;
                self.say_of_ups(ups, false, format!("proof: UPS {ups} reports that it will switch off"));
                true
            }
            (OrderState::Accepted | OrderState::Unconfirmed, Some((read_at, Some(false))))
                if ordering
                    && !order.proven
                    && read_at >= order.state_at.saturating_add(PROOF_AGE)
                    // after the cut it has been obeyed, or not: this reading does not tell
                    && order.cut_at().is_some_and(|cut| read_at < cut) =>
            {
                order.becomes(now, OrderState::NotTaken);
                self.say_of_ups(ups, true, format!("UPS {ups} reports that it will not switch off"));
                true
            }
            (OrderState::NotTaken, _) if ordering && is_disarmed => {
                order.becomes(now, OrderState::Failed);
                true
            }
            (OrderState::NotTaken, _) if ordering && order.attempt >= tries => {
                order.becomes(now, OrderState::Failed);
                self.say_of_ups(ups, true, format!("UPS {ups} did not take the order in {tries} tries"));
                true
            }
            (OrderState::NotTaken, _) if ordering && now >= order.state_at.saturating_add(ORDER_RETRY) => {
                self.send_order(ups);
                true
            }
            _ => false,
        }
    }

    fn orders_are_settled(&self, groups: &[usize]) -> bool {
        let proof_wait = self.policy.host.as_ref().map_or(Duration::from_secs(15), |host| host.proof_wait);
        groups.iter().all(|group| {
            self.courses[*group].plan.feeds.iter().all(|feed| {
                let order = self.supplies.get(&feed.ups).and_then(|supply| supply.order.as_ref());
                order.is_none_or(|order| order.is_settled(self.now, proof_wait))
            })
        })
    }

    /// The orders are under way.
    pub(crate) fn ordering(&mut self, group: usize) -> bool {
        let Some(host) = self.host_group().filter(|host| self.courses[*host].phase == Phase::Ordering) else {
            if !self.orders_are_settled(&[group]) {
                return false;
            }
            self.go(group, Phase::Down, "everything of the group is down".into());
            return true;
        };
        if host != group {
            return false;
        }
        let moving: Vec<usize> =
            (0..self.courses.len()).filter(|at| self.courses[*at].phase == Phase::Ordering).collect();
        let down =
            self.policy.host.as_ref().map_or(Duration::ZERO, |host| host.down.saturating_add(HOST_SLACK));
        let first_cut = moving.iter().filter_map(|group| self.cut_at(*group)).min();
        let must_go = first_cut.is_some_and(|cut| self.now >= cut.saturating_sub(down));
        if !must_go && !self.orders_are_settled(&moving) {
            return false;
        }
        if !self.policy.armed && self.courses[group].armed && first_cut.is_none() {
            for group in moving {
                self.end_course(
                    group,
                    "protection is not armed any more, and no UPS took its order: the shutdown ends",
                );
            }
            return true;
        }
        if self.are_in_vain(&moving) {
            if !moving.iter().all(|group| self.standing(*group).is_steady()) {
                return false;
            }
            for group in moving {
                self.end_before_order(
                    group,
                    "mains are back, and no UPS is going to switch off: the shutdown ends",
                );
            }
            return true;
        }
        self.host_goes(&moving);
        true
    }

    /// Everything of a group without this host is down: its signals end as soon as the load is off and nothing says
    /// that the outage goes on, so that hosts that come back by themselves stay up.
    pub(crate) fn down(&mut self, group: usize) -> bool {
        let standing = self.standing(group);
        let off = match self.all_cut_at(group) {
            Some(cut) => self.now >= cut.saturating_add(CUT_SLACK),
            None => self.waited_in_phase(group) || standing.has_mains(),
        };
        if off && (standing.has_mains() || standing.on_battery == 0) {
            self.forget_lost(group);
            self.end_course(group, "the load was cycled, or mains are back");
            return true;
        }
        self.order_again(group)
    }

    /// Orders that failed, or came to nothing that can be seen, are tried again while the UPS is on battery: else hosts stay
    /// off when mains return.
    fn order_again(&mut self, group: usize) -> bool {
        let course = &self.courses[group];
        let is_armed = course.armed && self.policy.armed;
        if course.stages.iter().any(super::course::StageState::has_logins) || !is_armed {
            return false;
        }
        let now = self.now;
        let due = |ups: &String| {
            let Some(supply) = self.supplies.get(ups) else { return false };
            let failed = |order: &&UpsOrder| {
                order.state == OrderState::Failed && now >= order.state_at.saturating_add(ORDER_AGAIN)
                    || order.is_lost(now, CUT_LONG_SLACK)
            };
            supply.on_battery(now) && supply.order.as_ref().filter(failed).is_some()
        };
        let upses: Vec<String> = self.loads_of(group).into_iter().filter(due).collect();
        if upses.is_empty() {
            return false;
        }
        for ups in &upses {
            if let Some(order) = self.supplies.get_mut(ups).and_then(|supply| supply.order.as_mut()) {
                order.attempt = 0;
                order.becomes(now, OrderState::NotTaken);
            }
        }
        self.go(group, Phase::Ordering, "the order to switch off is tried again".into());
        upses.iter().for_each(|ups| self.send_order(ups));
        true
    }
}
