//! From watching to the end of the stages, and back where there is a way.

use super::Machine;
use super::course::StageState;
use super::order::OrderState;
use super::standing::Energy;
use super::timing::{CARRY, PAUSE, SHORT_GAP, STARTS};
use crate::{CancelChoice, LostMeaning, Phase, ProtectAction, Reason};

impl Machine {
    /// Whether a course begins.
    pub(crate) fn watch(&mut self, group: usize) -> bool {
        let standing = self.standing(group);
        if standing.total == 0 {
            return false;
        }
        let again = || {
            let recovering = self.courses[group].phase == Phase::Recovering;
            (recovering && standing.is_short() && self.energy(group) == Energy::NotEnough).then(|| {
                let feeds = self.courses[group].plan.feeds.iter();
                let mut on_battery = feeds.filter(|feed| {
                    self.supplies.get(&feed.ups).is_some_and(|supply| supply.on_battery(self.now))
                });
                Reason::Again { ups: on_battery.next().map(|feed| feed.ups.clone()).unwrap_or_default() }
            })
        };
        let own = standing.reason.clone().filter(|_| standing.live < standing.need);
        let Some(reason) = own.or_else(again).or_else(|| self.goes_with(group)) else { return false };
        self.begin(group, reason);
        true
    }

    /// The group of this host takes down with it who could not live without its UPSes, or is on battery: no one is left to
    /// protect it.
    fn goes_with(&self, group: usize) -> Option<Reason> {
        let host = self.host_group()?;
        let course = &self.courses[host];
        if host == group || !matches!(course.phase, Phase::Stages | Phase::Settling) {
            return None;
        }
        let gone: Vec<String> = course.plan.feeds.iter().map(|feed| feed.ups.clone()).collect();
        // right after a start its UPSes were not read yet
        let sure = self.share_a_ups(group, host) && self.now >= self.start.now.saturating_add(PAUSE);
        (!self.survives(group, &gone, sure)).then(|| Reason::WithGroup { group: course.plan.name.clone() })
    }

    /// The group that this host belongs to.
    pub(crate) fn host_group(&self) -> Option<usize> {
        let name = &self.policy.host.as_ref()?.group;
        self.courses.iter().position(|course| course.plan.name == *name)
    }

    fn begin(&mut self, group: usize, reason: Reason) {
        for ups in self.own_upses(group) {
            if let Some(supply) = self.supplies.get_mut(&ups) {
                supply.order = None;
            }
        }
        let armed = self.policy.armed;
        let course = &mut self.courses[group];
        course.stages.iter_mut().for_each(|stage| *stage = stage.anew());
        course.said.clear();
        (course.since, course.armed, course.lapses) = (self.now, armed, 0);
        course.begins_early = course.phase == Phase::Recovering || self.now < course.starting_until;
        let text = format!("{reason}: shutdown begins");
        course.reason = Some(reason);
        self.go(group, Phase::Stages, text);
    }

    /// UPSes that feed this group and no other that is past its return.
    pub(crate) fn own_upses(&self, group: usize) -> Vec<String> {
        let others = |ups: &str| {
            self.courses
                .iter()
                .enumerate()
                .any(|(at, course)| at != group && course.is_past_return() && course.is_fed_by(ups))
        };
        let feeds = self.courses[group].plan.feeds.iter().map(|feed| feed.ups.clone());
        feeds.filter(|ups| !others(ups)).collect()
    }

    /// Runs stages until one has to be waited for.
    pub(crate) fn stages(&mut self, group: usize) -> bool {
        let Some(stage) = self.courses[group].stages.iter().position(|state| state.over.is_none()) else {
            self.go(group, Phase::Settling, "all stages are over".into());
            return true;
        };
        if self.courses[group].stages[stage].began.is_none() {
            self.begin_stage(group, stage);
        }
        let (now, connected) = (self.now, self.now >= self.connected_at);
        let course = &mut self.courses[group];
        let (plan, state) = (&course.plan.stages[stage], &mut course.stages[stage]);
        // who logged out is gone; who did not log in yet may be starting, and has the whole time to see its signal
        let nobody_starts = !course.begins_early || state.gone.is_some() || plan.signal.is_none();
        let ended = state.is_empty(connected) && state.running.is_empty() && nobody_starts;
        let late = now >= state.began.unwrap_or(now).saturating_add(plan.time);
        if !ended && !late {
            return false;
        }
        state.over = Some(now);
        let text = if ended {
            format!("stage {} is over: its clients logged out and its programs ended", plan.name)
        } else {
            format!("stage {} is over: its {} s are over", plan.name, plan.time.as_secs())
        };
        self.say(group, !ended, text);
        true
    }

    fn begin_stage(&mut self, group: usize, stage: usize) {
        let now = self.now;
        let course = &mut self.courses[group];
        let armed = course.armed;
        let plan = course.plan.stages[stage].clone();
        course.stages[stage].began = Some(now);
        course.stages[stage].running = if armed { (0..plan.programs).collect() } else { Default::default() };
        course.goes_down(stage, now.saturating_add(plan.time).saturating_add(plan.down));
        let names = (course.plan.name.clone(), plan.name.clone());
        self.say(group, false, format!("stage {} begins", plan.name));
        let (group, stage) = names;
        if plan.signal.is_some() {
            let (group, stage) = (group.clone(), stage.clone());
            self.act(armed, ProtectAction::Signal { group, stage, signal: plan.signal });
        }
        for program in 0..plan.programs {
            self.act(armed, ProtectAction::Run { group: group.clone(), stage: stage.clone(), program });
        }
        for webhook in 0..plan.webhooks {
            self.act(armed, ProtectAction::Webhook { group: group.clone(), stage: stage.clone(), webhook });
        }
    }

    pub(crate) fn program_ended(&mut self, group: &str, stage: &str, program: usize, code: Option<i32>) {
        let Some(at) = self.courses.iter().position(|course| course.plan.name == group) else { return };
        let course = &mut self.courses[at];
        let Some(of) = course.plan.stages.iter().position(|plan| plan.name == stage) else { return };
        let was_running = course.stages[of].running.remove(&program);
        if was_running && code != Some(0) {
            let how = code.map_or("without a code".to_string(), |code| format!("with code {code}"));
            self.say(at, true, format!("program {} of stage {stage} ended {how}", program + 1));
        }
    }

    /// Mains are back before the load's order.
    pub(crate) fn cancel(&mut self, group: usize) -> bool {
        let (course, standing) = (&self.courses[group], self.standing(group));
        if !standing.is_steady() || standing.live < standing.need || self.goes_with(group).is_some() {
            return false;
        }
        if !self.may_end(group) {
            let text = "mains are back, but not every host that was sent down can be woken: the shutdown goes on, so \
                        that the load is cycled and they come back";
            if course.plan.cancel == CancelChoice::WhenWakeable {
                self.say_once(group, "goes on", text.into());
            }
            return false;
        }
        self.end_before_order(group, "mains are back before the load was ordered off: the shutdown ends");
        true
    }

    /// The course ends here; who went down is woken.
    pub(crate) fn end_course(&mut self, group: usize, text: &str) {
        let any = self.courses[group].stages.iter().any(StageState::is_told)
            || !self.courses[group].down.is_empty();
        self.hide_signals(group);
        let course = &mut self.courses[group];
        course.feeds.iter_mut().for_each(super::feed::FeedWatch::course_over);
        course.stages.iter_mut().for_each(|stage| *stage = stage.anew());
        (course.waited, course.woken_at, course.blind) = (Default::default(), None, false);
        course.said.clear();
        course.starting_until = self.now.saturating_add(STARTS);
        // what had to be finished all the same is finished
        course.armed &= self.policy.armed;
        self.go(group, if any { Phase::Recovering } else { Phase::Watching }, text.into());
        if !any {
            self.courses[group].reason = None;
        }
    }

    /// Clients see the truth again.
    pub(crate) fn hide_signals(&mut self, group: usize) {
        let course = &self.courses[group];
        let armed = course.armed;
        let told = course.plan.stages.iter().zip(&course.stages);
        let told = told.filter(|(plan, state)| armed && state.is_told() && plan.signal.is_some());
        let names: Vec<String> = told.map(|(plan, _)| plan.name.clone()).collect();
        let group = course.plan.name.clone();
        for stage in names {
            self.act(armed, ProtectAction::Signal { group: group.clone(), stage, signal: None });
        }
    }

    /// After a restart in the middle of the stages: nothing is done before a UPS was read.
    pub(crate) fn paused(&mut self, group: usize) -> bool {
        let (course, standing) = (&self.courses[group], self.standing(group));
        let waiting = standing.fresh < standing.total;
        if waiting && self.now < self.start.now.saturating_add(PAUSE) && !standing.is_short_now() {
            return false;
        }
        let soon = course.gap <= CARRY;
        if standing.has_mains() {
            if soon && !self.may_end(group) {
                self.resume(group, "mains are back, but the load has to be cycled");
            } else if standing.is_steady() {
                self.end_before_order(group, "mains were back after the restart: the shutdown ends");
            } else {
                return false;
            }
            return true;
        }
        if standing.is_short_now() && soon {
            self.resume(group, "still on battery");
            return true;
        }
        let begins = course.plan.feeds.iter().map(|feed| feed.begin.as_ref().unwrap_or(&course.plan.begin));
        let lost = begins.into_iter().any(|begin| matches!(begin.lost, LostMeaning::Shutdown(_)));
        if standing.fresh == 0 && lost && course.was_on_battery && course.gap <= SHORT_GAP {
            self.resume(group, "its UPSes were on battery and cannot be read");
        } else {
            self.end_course(group, "after the restart nothing says that it has to go on: the shutdown ends");
        }
        true
    }

    fn resume(&mut self, group: usize, why: &str) {
        self.go(group, Phase::Stages, format!("{why}: the shutdown goes on after the restart"));
        self.show_signals(group);
        self.stage_time_begins_anew(group);
        let course = &self.courses[group];
        let (armed, name) = (course.armed, course.plan.name.clone());
        let told = course.plan.stages.iter().zip(&course.stages);
        let unfinished = told.map(|(plan, state)| (plan.name.clone(), state.running.clone()));
        for (stage, running) in unfinished.collect::<Vec<_>>() {
            // the former process may have been killed before it ran them
            for program in running {
                self.act(armed, ProtectAction::Run { group: name.clone(), stage: stage.clone(), program });
            }
        }
    }

    /// While the process was stopped or gone no client could see its signal: the stage has its whole time again.
    pub(crate) fn stage_time_begins_anew(&mut self, group: usize) {
        let now = self.now;
        for stage in self.courses[group].stages.iter_mut().filter(|stage| stage.over.is_none()) {
            stage.began = stage.began.map(|_| now);
        }
    }

    /// Clients of stages that began see their signals, after a restart.
    pub(crate) fn show_signals(&mut self, group: usize) {
        let course = &self.courses[group];
        let (armed, name) = (course.armed, course.plan.name.clone());
        let told = course.plan.stages.iter().zip(&course.stages);
        let told = told.filter(|(plan, state)| state.is_told() && plan.signal.is_some());
        let told: Vec<_> = told.map(|(plan, _)| (plan.name.clone(), plan.signal)).collect();
        for (stage, signal) in told {
            self.act(armed, ProtectAction::Signal { group: name.clone(), stage, signal });
        }
    }

    /// Not armed any more: courses end where they can. Where a UPS may cut the load, the hosts have to go first.
    pub(crate) fn disarm(&mut self) {
        self.policy.armed = false;
        for group in 0..self.courses.len() {
            let course = &self.courses[group];
            let cut = self.is_bound_by(group);
            if !course.armed || course.phase == Phase::Watching {
                continue;
            }
            if course.is_running() && !cut {
                self.end_course(group, "protection was disarmed: the shutdown ends");
            } else if course.is_running() {
                self.say(
                    group,
                    true,
                    "protection was disarmed, but the load may go off: the shutdown goes on".into(),
                );
                continue;
            }
            self.courses[group].armed = false;
            for ups in self.own_upses(group) {
                if let Some(order) = self.supplies.get_mut(&ups).and_then(|supply| supply.order.as_mut()) {
                    if !order.may_be_taken() {
                        order.state = OrderState::Failed;
                    }
                }
            }
        }
    }
}
