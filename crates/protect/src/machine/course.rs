//! The course of one group.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::feed::FeedWatch;
use crate::{GroupPlan, Phase, Reason, StageLogin, StagePlan, WakeTarget};

/// The course of one group, and what is known of its hosts.
#[derive(Debug, Clone)]
pub(crate) struct GroupCourse {
    pub(crate) plan: GroupPlan,
    pub(crate) phase: Phase,
    pub(crate) reason: Option<Reason>,
    /// Since when it runs.
    pub(crate) since: Duration,
    /// Since when the phase lasts.
    pub(crate) phase_at: Duration,
    /// Whether its actions are done.
    pub(crate) armed: bool,
    /// One for each feed of the plan.
    pub(crate) feeds: Vec<FeedWatch>,
    /// One for each stage of the plan.
    pub(crate) stages: Vec<StageState>,
    /// Hosts that went down and are not back.
    pub(crate) down: Vec<DownHost>,
    /// How long its hosts wait to be woken without a known outage.
    pub(crate) waited: Duration,
    /// How often the process was stopped in this course.
    pub(crate) lapses: u32,
    /// Hosts were woken though it was not known that mains are back.
    pub(crate) blind: bool,
    /// When a host was woken last.
    pub(crate) woken_at: Option<Duration>,
    /// Up to then hosts may be starting that have not logged in yet.
    pub(crate) starting_until: Duration,
    /// The course began while hosts may have been starting.
    pub(crate) begins_early: bool,
    /// After a restart: how long nothing was known.
    pub(crate) gap: Duration,
    /// Whether the record says that a UPS of it was on battery.
    pub(crate) was_on_battery: bool,
    /// What was said once in this course.
    pub(crate) said: BTreeSet<&'static str>,
}

/// How one stage stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct StageState {
    pub(crate) began: Option<Duration>,
    pub(crate) over: Option<Duration>,
    /// Who is logged in, where it is known in this process.
    pub(crate) logins: Option<Vec<StageLogin>>,
    /// Since when each of them is.
    pub(crate) logged_in: BTreeMap<StageLogin, Duration>,
    /// When the last client logged out.
    pub(crate) gone: Option<Duration>,
    /// When a client logged in again after the stage was over, first.
    pub(crate) again: Option<Duration>,
    /// Programs that did not end yet.
    pub(crate) running: BTreeSet<usize>,
}

/// A host that went down.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DownHost {
    pub(crate) stage: String,
    pub(crate) target: WakeTarget,
    /// It is off from here on, or never went down.
    pub(crate) off_at: Duration,
    pub(crate) woken: u32,
    pub(crate) next: Duration,
    pub(crate) given_up: bool,
    /// Seen logged in after `off_at`.
    pub(crate) up: bool,
}

impl StageState {
    /// Whether its signal is to be seen.
    pub(crate) fn is_told(&self) -> bool {
        self.began.is_some()
    }

    /// Whether a client is logged in.
    pub(crate) fn has_logins(&self) -> bool {
        self.logins.as_ref().is_some_and(|logins| !logins.is_empty())
    }

    /// Whether it is known that no client is logged in. Right after a start none is, because all connect anew.
    pub(crate) fn is_empty(&self, connected: bool) -> bool {
        connected && self.logins.as_ref().is_some_and(Vec::is_empty)
    }

    /// Takes who is logged in now.
    pub(crate) fn take(&mut self, now: Duration, logins: Vec<StageLogin>) {
        let had = self.has_logins();
        let count = |of: &[StageLogin], login: &StageLogin| of.iter().filter(|other| *other == login).count();
        let before = self.logins.take().unwrap_or_default();
        self.logged_in.retain(|login, _| logins.contains(login));
        for login in logins.iter().filter(|login| count(&logins, login) > count(&before, login)) {
            self.logged_in.insert(login.clone(), now);
        }
        self.logins = Some(logins);
        if self.began.is_none() {
            return;
        }
        match (had, self.has_logins()) {
            (true, false) => self.gone = Some(now),
            (false, true) if self.over.is_some() && self.again.is_none() => self.again = Some(now),
            _ => {}
        }
    }

    /// The same stage before its course, or after it: who is logged in stays so.
    pub(crate) fn anew(&mut self) -> StageState {
        let (logins, logged_in) = (self.logins.take(), std::mem::take(&mut self.logged_in));
        StageState { logins, logged_in, ..StageState::default() }
    }

    /// When its hosts are off; `None` while a client that logged in again is waited for.
    pub(crate) fn off_at(&self, now: Duration, plan: &StagePlan) -> Option<Duration> {
        let (began, over) = (self.began?, self.over?);
        if plan.signal.is_none() && plan.programs == 0 {
            return Some(over);
        }
        let last = match (self.has_logins(), self.again) {
            // hung: it had its time
            (true, None) => over,
            (true, Some(again)) => {
                let end = again.saturating_add(plan.time);
                if now < end {
                    return None;
                }
                end
            }
            (false, None) => self.gone.unwrap_or(began).max(over),
            (false, Some(again)) => self.gone.unwrap_or(over).max(over).min(again.saturating_add(plan.time)),
        };
        Some(last.saturating_add(plan.down))
    }
}

impl GroupCourse {
    /// A group that is only watched.
    pub(crate) fn new(plan: GroupPlan, armed: bool, now: Duration) -> GroupCourse {
        let feeds = plan.feeds.iter().map(|_| FeedWatch::default()).collect();
        let stages = plan.stages.iter().map(|_| StageState::default()).collect();
        GroupCourse {
            plan,
            phase: Phase::Watching,
            reason: None,
            since: now,
            phase_at: now,
            armed,
            feeds,
            stages,
            down: vec![],
            waited: Duration::ZERO,
            lapses: 0,
            blind: false,
            woken_at: None,
            starting_until: Duration::ZERO,
            begins_early: false,
            gap: Duration::ZERO,
            was_on_battery: false,
            said: BTreeSet::new(),
        }
    }

    /// Another plan; what is known of logins and down hosts stays.
    pub(crate) fn replan(&mut self, plan: GroupPlan) {
        let stages = plan.stages.iter().map(|stage| {
            let former = self.plan.stages.iter().position(|former| former.name == stage.name);
            former.map(|at| self.stages[at].anew()).unwrap_or_default()
        });
        let stages = stages.collect();
        if plan.feeds != self.plan.feeds || plan.begin != self.plan.begin {
            self.feeds = plan.feeds.iter().map(|_| FeedWatch::default()).collect();
        }
        (self.plan, self.stages) = (plan, stages);
    }

    /// Whether a course runs that has not come to its end: hosts go down by it.
    pub(crate) fn is_running(&self) -> bool {
        !matches!(self.phase, Phase::Watching | Phase::Recovering)
    }

    /// Whether anything is under way, or hosts are down.
    pub(crate) fn has_something_to_do(&self) -> bool {
        self.phase != Phase::Watching || !self.down.is_empty()
    }

    /// Whether its load may be switched off already: no return.
    pub(crate) fn is_past_return(&self) -> bool {
        matches!(self.phase, Phase::Ordering | Phase::HostDown | Phase::Down)
    }

    /// Whether a UPS feeds it.
    pub(crate) fn is_fed_by(&self, ups: &str) -> bool {
        self.plan.feeds.iter().any(|feed| feed.supplies > 0 && feed.ups == ups)
    }

    /// When all its hosts are off; `None` while a stage is not over, or a client is waited for.
    pub(crate) fn off_at(&self, now: Duration) -> Option<Duration> {
        let mut last = Duration::ZERO;
        for (state, plan) in self.stages.iter().zip(&self.plan.stages) {
            last = last.max(state.off_at(now, plan)?);
        }
        Some(last)
    }

    /// Whether every host that was sent down comes back without the load being cycled.
    pub(crate) fn all_told_are_wakeable(&self) -> bool {
        let told = self.stages.iter().zip(&self.plan.stages).filter(|(state, _)| state.is_told());
        told.into_iter().all(|(_, plan)| plan.all_wakeable || plan.signal.is_none() && plan.programs == 0)
    }

    /// Puts the hosts of a stage on the list of those that went down.
    pub(crate) fn goes_down(&mut self, stage: usize, off_at: Duration) {
        let plan = &self.plan.stages[stage];
        for target in &plan.wake {
            self.down.retain(|host| host.target.host != target.host);
            self.down.push(DownHost::new(&plan.name, target, off_at));
        }
    }
}

impl DownHost {
    /// A host that goes down and is off at that time.
    pub(crate) fn new(stage: &str, target: &WakeTarget, off_at: Duration) -> DownHost {
        let (stage, target) = (stage.into(), target.clone());
        DownHost { stage, target, off_at, woken: 0, next: off_at, given_up: false, up: false }
    }

    /// Whether it is this client that is logged in.
    pub(crate) fn is(&self, login: &StageLogin) -> bool {
        match (&self.target.address, &self.target.user) {
            (Some(address), Some(user)) => *address == login.address && *user == login.user,
            (Some(address), None) => *address == login.address,
            (None, Some(user)) => *user == login.user,
            (None, None) => false,
        }
    }

    /// Whether a login of it can be seen at all.
    pub(crate) fn can_be_seen(&self) -> bool {
        self.target.address.is_some() || self.target.user.is_some()
    }
}
