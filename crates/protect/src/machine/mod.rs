//! The machine: the courses of all groups.

mod account;
mod course;
mod ending;
mod feed;
mod host;
mod load;
mod order;
mod restart;
mod stages;
mod standing;
mod supply;
pub(crate) mod timing;
mod wake;

use std::collections::BTreeMap;
use std::time::Duration;

pub(crate) use course::{DownHost, GroupCourse};
pub(crate) use host::HostRun;
pub(crate) use order::{OrderState, UpsOrder};
use supply::SupplyState;
use timing::{HEARTBEAT, LAPSE, LAPSES, LOGIN_GRACE, SLOW_HEARTBEAT, TICK};

use crate::{Phase, Policy, PowerOrigin, ProtectAction, ProtectEvent, ProtectRecord, Remark, Start};

/// Decides. One for a server: groups that share a UPS, and the host that goes down last, have to wait for one another.
///
/// The caller gives it events with the time, does its actions in their order, and calls again at [`Machine::next_wakeup`].
#[derive(Debug, Clone)]
pub struct Machine {
    policy: Policy,
    /// Taken when no course runs any more.
    next_policy: Option<Policy>,
    now: Duration,
    start: Start,
    /// From here on clients that are not logged in are gone.
    connected_at: Duration,
    courses: Vec<GroupCourse>,
    supplies: BTreeMap<String, SupplyState>,
    /// This host goes down.
    host: Option<HostRun>,
    out: Vec<ProtectAction>,
    kept: ProtectRecord,
    kept_at: Duration,
    busy: bool,
}

impl Machine {
    /// A machine that goes on where the record ends. The actions are due as those of [`Machine::handle`].
    pub fn new(policy: Policy, record: &ProtectRecord, start: &Start) -> (Machine, Vec<ProtectAction>) {
        let mut machine = Machine {
            policy: policy.clone(),
            next_policy: None,
            now: start.now,
            start: start.clone(),
            connected_at: start.now.saturating_add(LOGIN_GRACE),
            courses: vec![],
            supplies: BTreeMap::new(),
            host: None,
            out: vec![],
            kept: ProtectRecord::default(),
            kept_at: start.now,
            busy: false,
        };
        machine.adopt(policy);
        machine.restore(record);
        machine.run();
        let actions = machine.leave();
        (machine, actions)
    }

    /// Something happened at `now`. What is to be done, in order. A time before the last one counts as the last one.
    pub fn handle(&mut self, now: Duration, event: ProtectEvent) -> Vec<ProtectAction> {
        self.enter(now);
        self.apply(event);
        self.run();
        self.leave()
    }

    /// Another policy. While a course runs it waits for its end; a course that is disarmed ends where it can.
    pub fn reconfigure(&mut self, now: Duration, policy: Policy) -> Vec<ProtectAction> {
        self.enter(now);
        if !policy.armed {
            self.disarm();
        }
        self.next_policy = Some(policy);
        self.run();
        self.leave()
    }

    /// When [`ProtectEvent::Tick`] is due at the latest; `None`: nothing waits for time.
    pub fn next_wakeup(&self) -> Option<Duration> {
        self.busy.then(|| self.now.saturating_add(TICK))
    }

    /// Time goes on; what was read before the process was stopped counts no more.
    fn enter(&mut self, now: Duration) {
        let now = now.max(self.now);
        let step = now - self.now;
        self.now = now;
        if self.busy && step > LAPSE + TICK {
            self.connected_at = now.saturating_add(LOGIN_GRACE);
            self.supplies.values_mut().for_each(|supply| supply.lapse(now));
            self.courses.iter_mut().flat_map(|course| &mut course.feeds).for_each(feed::FeedWatch::lapse);
            for group in 0..self.courses.len() {
                self.courses[group].lapses += 1;
                // a host without time for anything must not make a stage last for ever
                if self.courses[group].lapses <= LAPSES {
                    self.stage_time_begins_anew(group);
                }
            }
        }
        self.supplies.values_mut().for_each(|supply| supply.age(now));
        self.count_waiting(step.min(LAPSE));
    }

    fn apply(&mut self, event: ProtectEvent) {
        let now = self.now;
        match event {
            ProtectEvent::Tick => {}
            ProtectEvent::View { ups, view } => {
                if let Some(supply) = self.supplies.get_mut(&ups) {
                    supply.take(now, view);
                }
            }
            ProtectEvent::UpsGone { ups } => {
                if let Some(supply) = self.supplies.get_mut(&ups) {
                    *supply = SupplyState::new(now, supply.steady);
                }
                self.forget_feed(&ups);
            }
            ProtectEvent::Logins { group, stage, logins } => {
                let course = self.courses.iter_mut().find(|course| course.plan.name == group);
                let Some(course) = course else { return };
                let at = course.plan.stages.iter().position(|plan| plan.name == stage);
                if let Some(at) = at {
                    let former = course.stages[at].logins.clone().unwrap_or_default();
                    course.stages[at].take(now, logins);
                    self.see_who_left(&group, at, &former);
                }
            }
            ProtectEvent::ProgramEnded { group, stage, program, code } => {
                self.program_ended(&group, &stage, program, code);
            }
            ProtectEvent::Ordered { ups, outcome } => self.ordered(&ups, outcome),
            ProtectEvent::HostShutdown { done } => self.host_shutdown_ended(done),
        }
    }

    /// Steps until nothing changes.
    fn run(&mut self) {
        for _ in 0..64 {
            self.adopt_next();
            self.look();
            let mut changed = self.step_orders();
            for group in 0..self.courses.len() {
                changed |= self.step(group);
            }
            if !changed {
                return;
            }
        }
    }

    /// Looks at the newest views.
    fn look(&mut self) {
        let now = self.now;
        let shown: Vec<(usize, Vec<String>)> = self
            .courses
            .iter()
            .enumerate()
            .filter(|(_, course)| course.is_running())
            .map(|(at, course)| (at, course.plan.feeds.iter().map(|feed| feed.ups.clone()).collect()))
            .collect();
        for (at, course) in self.courses.iter_mut().enumerate() {
            let GroupCourse { plan, feeds, .. } = course;
            for (feed, watch) in plan.feeds.iter().zip(feeds) {
                let Some(supply) = self.supplies.get(&feed.ups) else { continue };
                // a forced shutdown that this server shows itself is no reason for anything
                let own = shown.iter().any(|(of, upses)| *of != at && upses.contains(&feed.ups));
                let begin = feed.begin.as_ref().unwrap_or(&plan.begin);
                watch.look(now, &feed.ups, begin, supply, !own);
            }
        }
    }

    fn step(&mut self, group: usize) -> bool {
        match self.courses[group].phase {
            Phase::Watching | Phase::Recovering => {
                self.watch(group) || self.recover_who_left(group) || self.recover(group)
            }
            Phase::Paused => self.paused(group),
            Phase::Stages => self.cancel(group) || self.stages(group),
            Phase::Settling => self.cancel(group) || self.settle(group),
            Phase::Ordering => self.ordering(group),
            Phase::HostDown => self.host_down(group),
            Phase::Down => self.down(group),
        }
    }

    /// What is to be done, the record before it.
    fn leave(&mut self) -> Vec<ProtectAction> {
        let now = self.now;
        self.busy = self.courses.iter().any(GroupCourse::has_something_to_do)
            || self.supplies.values().any(SupplyState::is_busy)
            || self.supplies.values().any(|supply| supply.origin(now) == Some(PowerOrigin::Unclear));
        let record = self.record();
        let essence = record.essence();
        let time_matters = self.supplies.values().any(|supply| supply.kept_time().is_some())
            || self.courses.iter().any(GroupCourse::is_running);
        let waiting = self.courses.iter().any(|course| !course.down.is_empty());
        let heartbeat = time_matters && now >= self.kept_at.saturating_add(HEARTBEAT)
            || waiting && now >= self.kept_at.saturating_add(SLOW_HEARTBEAT);
        let mut actions = std::mem::take(&mut self.out);
        if essence != self.kept || heartbeat {
            (self.kept, self.kept_at) = (essence, now);
            actions.insert(0, ProtectAction::Keep(record));
        }
        actions
    }

    /// Does something, or says what would be done.
    fn act(&mut self, armed: bool, action: ProtectAction) {
        if armed || !action.is_acting() {
            self.out.push(action);
        } else {
            self.out.push(ProtectAction::Would(Box::new(action)));
        }
    }

    fn say(&mut self, group: usize, alarm: bool, text: String) {
        let course = &self.courses[group];
        self.out.push(ProtectAction::Say(Remark {
            group: Some(course.plan.name.clone()),
            change: None,
            reason: course.reason.clone(),
            alarm,
            text: if course.armed { text } else { format!("not armed: {text}") },
        }));
    }

    /// Says something once in a course.
    fn say_once(&mut self, group: usize, key: &'static str, text: String) {
        if self.courses[group].said.insert(key) {
            self.say(group, true, text);
        }
    }

    /// Goes to another phase, with a line for the event log.
    fn go(&mut self, group: usize, phase: Phase, text: String) {
        let course = &mut self.courses[group];
        let from = std::mem::replace(&mut course.phase, phase);
        course.phase_at = self.now;
        let text = if course.armed { text } else { format!("not armed: {text}") };
        self.out.push(ProtectAction::Say(Remark {
            group: Some(course.plan.name.clone()),
            change: Some((from, phase)),
            reason: course.reason.clone(),
            alarm: false,
            text,
        }));
    }
}
