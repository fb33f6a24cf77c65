//! Hosts come back.

use std::time::Duration;

use super::standing::Energy;
use super::timing::{CUT_LONG_SLACK, LOGIN_DEAD, ORPHAN_WAIT, STARTS};
use super::{DownHost, Machine};
use crate::{Phase, ProtectAction, StageLogin};

impl Machine {
    /// Counts the time for which hosts wait without a known outage.
    pub(crate) fn count_waiting(&mut self, step: Duration) {
        for group in 0..self.courses.len() {
            let waits = match self.courses[group].phase {
                Phase::Recovering | Phase::Down => true,
                Phase::HostDown => self.is_past_host_window(),
                _ => false,
            };
            if waits && !self.standing(group).is_short_now() {
                self.courses[group].waited += step;
            }
        }
    }

    /// Hosts that log out in an outage before a course begins go down by themselves, by low battery or by a rule of their
    /// own; they are woken as all others.
    pub(crate) fn see_who_left(&mut self, group: &str, stage: usize, former: &[StageLogin]) {
        let Some(at) = self.courses.iter().position(|course| course.plan.name == group) else { return };
        if self.courses[at].is_running() || !self.standing(at).is_short_now() {
            return;
        }
        let now = self.now;
        let course = &mut self.courses[at];
        let (plan, logins) =
            (&course.plan.stages[stage], course.stages[stage].logins.as_deref().unwrap_or_default());
        for target in &plan.wake {
            let host = DownHost::new(&plan.name, target, now.saturating_add(plan.down));
            let left =
                former.iter().any(|login| host.is(login)) && !logins.iter().any(|login| host.is(login));
            if left && course.down.iter().all(|down| down.target.host != target.host) {
                course.down.push(host);
            }
        }
    }

    /// The outage ended without a course, and hosts went down by themselves.
    pub(crate) fn recover_who_left(&mut self, group: usize) -> bool {
        let (course, standing) = (&self.courses[group], self.standing(group));
        if course.phase != Phase::Watching || course.down.is_empty() || !standing.is_steady() {
            return false;
        }
        self.go(group, Phase::Recovering, "mains are back, and hosts went down by themselves".into());
        true
    }

    /// Wakes who went down, once mains and battery allow it.
    pub(crate) fn recover(&mut self, group: usize) -> bool {
        if self.courses[group].phase != Phase::Recovering {
            return false;
        }
        self.see_who_is_up(group);
        let standing = self.standing(group);
        let cut = self.all_cut_at(group).is_some_and(|cut| self.now < cut.saturating_add(CUT_LONG_SLACK));
        if cut || standing.is_short_now() || self.now < self.connected_at {
            return false;
        }
        let course = &self.courses[group];
        let orphan = standing.total == 0 && course.waited >= ORPHAN_WAIT;
        let late = orphan || course.waited >= course.plan.recovery.at_latest;
        let enough = match self.energy(group) {
            Energy::Enough => true,
            Energy::NotEnough => false,
            Energy::Unknown => self.mains_last(group, course.plan.recovery.unknown_wait),
        };
        let carried = enough && standing.is_steady() && standing.live >= standing.need;
        if !(late || carried) {
            return false;
        }
        if !carried && !course.down.is_empty() {
            let text =
                "hosts are woken though it is not known that mains and battery carry them: they waited long";
            self.say_once(group, "late", text.into());
        }
        if carried && self.courses[group].blind {
            self.begin_to_wake_anew(group);
        }
        self.courses[group].blind = !carried;
        self.wake(group, carried || orphan)
    }

    /// Tries before mains were known to be back may all have been in vain.
    fn begin_to_wake_anew(&mut self, group: usize) {
        let course = &mut self.courses[group];
        course.waited = Duration::ZERO;
        for host in course.down.iter_mut().filter(|host| !host.up) {
            (host.woken, host.given_up) = (0, false);
        }
    }

    /// Whether enough supplies have been on mains for so long.
    fn mains_last(&self, group: usize, time: Duration) -> bool {
        let feeds = self.courses[group].plan.feeds.iter().filter(|feed| {
            let held = self.supplies.get(&feed.ups).and_then(|supply| supply.mains_held(self.now));
            held.is_some_and(|held| held >= time)
        });
        feeds.fold(0u32, |sum, feed| sum.saturating_add(feed.supplies)) >= self.standing(group).need
    }

    fn see_who_is_up(&mut self, group: usize) {
        let now = self.now;
        // the login of a host that lost its power in the middle of it stays for a while
        let cut = self.cut_of_this_boot(group).filter(|cut| now < cut.saturating_add(LOGIN_DEAD));
        let course = &mut self.courses[group];
        let mut back = vec![];
        for host in course.down.iter_mut().filter(|host| now >= host.off_at) {
            let mut logins = course.stages.iter().flat_map(|stage| &stage.logged_in);
            let up = logins.any(|(login, since)| host.is(login) && cut.is_none_or(|cut| *since >= cut));
            if up && !host.up {
                back.push(host.target.host.clone());
                host.given_up = false;
            }
            host.up = up;
        }
        for host in back {
            self.say(group, false, format!("host {host} is back: its client logged in"));
        }
    }

    /// When the loads of a group were off, by orders that were given in this boot: all logins are newer than others.
    fn cut_of_this_boot(&self, group: usize) -> Option<Duration> {
        let feeds = self.courses[group].plan.feeds.iter();
        let orders = feeds.filter_map(|feed| self.supplies.get(&feed.ups)?.order.as_ref());
        orders.filter(|order| !order.sent.is_zero()).filter_map(|order| order.cut_at()).max()
    }

    /// Wakes the next host, the last that went down first; ends when none is left.
    fn wake(&mut self, group: usize, last: bool) -> bool {
        let now = self.now;
        let course = &mut self.courses[group];
        let recovery = course.plan.recovery.clone();
        let tries = recovery.tries.max(1);
        let over: Vec<usize> = (0..course.down.len())
            .filter(|at| {
                let host = &course.down[*at];
                !host.up && !host.given_up && host.woken >= tries && now >= host.next
            })
            .collect();
        if let Some(at) = over.first() {
            let host = &mut course.down[*at];
            host.given_up = true;
            let (name, seen) = (host.target.host.clone(), host.can_be_seen());
            let text = if seen {
                format!("host {name} did not log in after {tries} tries to wake it; look at it")
            } else {
                format!("host {name} was woken {tries} times; it is not configured how its login looks")
            };
            self.say(group, seen, text);
            return true;
        }
        let waiting = |host: &DownHost| !host.up && !host.given_up;
        if !course.down.iter().any(waiting) && course.down.iter().all(|host| now >= host.off_at) {
            if last || course.down.iter().all(|host| host.up) {
                self.back_to_watching(group);
                return true;
            }
            self.begin_to_wake_anew(group);
            return false;
        }
        let stagger = course.woken_at.is_some_and(|at| now < at.saturating_add(recovery.stagger));
        let rank = |host: &DownHost| course.plan.stages.iter().position(|plan| plan.name == host.stage);
        let due = |host: &DownHost| waiting(host) && now >= host.next && now >= host.off_at;
        let next = (0..course.down.len())
            .filter(|at| due(&course.down[*at]))
            .min_by_key(|at| (std::cmp::Reverse(rank(&course.down[*at])), course.down[*at].woken));
        let Some(next) = next.filter(|_| !stagger) else { return false };
        let host = &mut course.down[next];
        (host.woken, host.next) = (host.woken + 1, now.saturating_add(recovery.interval));
        let (name, mac, attempt) = (host.target.host.clone(), host.target.mac, host.woken);
        course.woken_at = Some(now);
        let (armed, group_name) = (course.armed, course.plan.name.clone());
        self.act(armed, ProtectAction::Wake { group: group_name, host: name, mac, attempt });
        true
    }

    fn back_to_watching(&mut self, group: usize) {
        for feed in self.courses[group].plan.feeds.clone() {
            if let Some(supply) = self.supplies.get_mut(&feed.ups) {
                supply.order = None;
            }
        }
        self.courses[group].starting_until = self.now.saturating_add(STARTS);
        self.courses[group].down.clear();
        self.courses[group].waited = Duration::ZERO;
        self.go(group, Phase::Watching, "the outage is over".into());
        self.courses[group].reason = None;
        self.courses[group].armed = self.policy.armed;
    }
}
