//! What would happen at which second if mains failed now.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::machine::timing::{HOST_SLACK, ORDER_TIME};
use crate::{Begin, GroupPlan, HostPlan, LoadPlan, OnMains, Policy, PowerView};

/// What would happen in an outage that begins now.
#[derive(Debug, Clone, PartialEq)]
pub struct OutagePlan {
    /// The group.
    pub group: String,
    /// When what would happen, from the beginning of the outage, in order of time.
    pub lines: Vec<PlanLine>,
    /// When the group's course begins at the latest; `None` when it is not known.
    pub begins: Option<Duration>,
    /// When the last host is down at the latest; `None` when it is not known.
    pub last_down: Option<Duration>,
    /// When the battery is empty; `None` when it is not known.
    pub battery_end: Option<Duration>,
    /// Between the last host and the end of the battery, in seconds; negative: hosts crash.
    pub margin_s: Option<i64>,
    /// What is not known, and what is wrong.
    pub remarks: Vec<String>,
}

/// One moment of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanLine {
    /// From the beginning of the outage; `None` when it is not known.
    pub at: Option<Duration>,
    /// What happens.
    pub text: String,
}

/// When one UPS would be no supply any more, and when its battery is empty.
struct FeedEnd {
    begins: Option<(Duration, String)>,
    empty: Option<Duration>,
}

/// What would happen to each group if mains of all its UPSes failed now, and every stage took its whole time.
pub fn timeline(policy: &Policy, views: &BTreeMap<String, PowerView>) -> Vec<OutagePlan> {
    let supplies: Vec<GroupSupplies> = policy.groups.iter().map(|group| supplies(group, views)).collect();
    let courses = CoursePlans::new(policy, &supplies);
    supplies.into_iter().enumerate().map(|(at, known)| group_plan(policy, at, known, &courses)).collect()
}

/// The UPSes of a group.
struct GroupSupplies {
    ends: Vec<(u32, FeedEnd)>,
    begins: Option<Duration>,
    battery_end: Option<Duration>,
    remarks: Vec<String>,
}

fn supplies(group: &GroupPlan, views: &BTreeMap<String, PowerView>) -> GroupSupplies {
    let mut remarks = vec![];
    let mut ends = vec![];
    for feed in group.feeds.iter().filter(|feed| feed.supplies > 0) {
        let begin = feed.begin.as_ref().unwrap_or(&group.begin);
        let view = views.get(&feed.ups).filter(|view| view.fresh);
        if view.is_none() {
            remarks.push(format!("UPS {} says nothing now; what it would do is not known", feed.ups));
        }
        ends.push((feed.supplies, feed_end(&feed.ups, begin, view, &mut remarks)));
    }
    let total = ends.iter().fold(0u32, |sum, end| sum.saturating_add(end.0));
    let need = group.need.clamp(1, total.max(1));
    let begins = nth_end(&ends, total, need, |end| end.begins.as_ref().map(|begins| begins.0));
    let battery_end = nth_end(&ends, total, need, |end| end.empty);
    GroupSupplies { ends, begins, battery_end, remarks }
}

/// When the courses of all groups begin, and how long they take: this host waits for all of them.
struct CoursePlans {
    /// The group of this host.
    host: Option<usize>,
    begins: Vec<Option<Duration>>,
}

impl CoursePlans {
    /// The group of this host takes all others with it.
    fn new(policy: &Policy, supplies: &[GroupSupplies]) -> CoursePlans {
        let named = |name: &String| policy.groups.iter().position(|group| group.name == *name);
        let host = policy.host.as_ref().and_then(|host| named(&host.group));
        let of_host = host.and_then(|at| supplies[at].begins);
        let earliest = |own: Option<Duration>| own.into_iter().chain(of_host).min();
        CoursePlans { host, begins: supplies.iter().map(|known| earliest(known.begins)).collect() }
    }

    /// The groups whose loads are ordered off together with that of this one.
    fn together(&self, policy: &Policy, group: usize) -> Vec<usize> {
        let Some((host, begins)) = self.host.and_then(|host| Some((host, self.begins[host]?))) else {
            return vec![group];
        };
        // the others are over by then
        let runs = |at: usize| {
            let over = ordered_after(&policy.groups[at], delay_of(policy, &[at]));
            at == host || self.begins[at].is_some_and(|began| began.saturating_add(over) >= begins)
        };
        match runs(group) {
            true => (0..policy.groups.len()).filter(|at| runs(*at)).collect(),
            false => vec![group],
        }
    }

    /// When the loads of these groups are ordered off.
    fn ordered_at(&self, policy: &Policy, groups: &[usize]) -> Option<Duration> {
        let delay = delay_of(policy, groups);
        let each =
            |at: &usize| Some(self.begins[*at]?.saturating_add(ordered_after(&policy.groups[*at], delay)));
        groups.iter().map(each).collect::<Option<Vec<_>>>()?.into_iter().max()
    }
}

/// From the beginning of a course until all stages are over, and until all of their hosts are off.
fn course_times(group: &GroupPlan) -> (Duration, Duration) {
    group.stages.iter().fold((Duration::ZERO, Duration::ZERO), |(time, off), stage| {
        let over = time.saturating_add(stage.time);
        (over, off.max(over.saturating_add(stage.down)))
    })
}

fn ordered_after(group: &GroupPlan, delay: Option<Duration>) -> Duration {
    let (over, off) = course_times(group);
    over.max(off.saturating_sub(delay.unwrap_or_default()))
}

fn loads_of<'p>(policy: &'p Policy, group: &'p GroupPlan) -> impl Iterator<Item = &'p LoadPlan> {
    let feeds = |ups: &String| group.feeds.iter().any(|feed| feed.supplies > 0 && feed.ups == *ups);
    policy.loads.iter().filter(move |load| feeds(&load.ups))
}

/// From the order to the cut, for all UPSes of these groups.
fn delay_of(policy: &Policy, groups: &[usize]) -> Option<Duration> {
    let loads = || groups.iter().flat_map(|at| loads_of(policy, &policy.groups[*at]));
    let longest = loads().filter_map(|load| load.longest).min();
    let delay = loads().map(|load| load.delay).max()?;
    Some(longest.map_or(delay, |longest| longest.min(delay)))
}

fn group_plan(policy: &Policy, at: usize, known: GroupSupplies, courses: &CoursePlans) -> OutagePlan {
    let group = &policy.groups[at];
    let GroupSupplies { ends, begins: own, battery_end, mut remarks } = known;
    let begins = courses.begins[at];
    let mut lines = vec![PlanLine { at: Some(Duration::ZERO), text: "mains fail".into() }];
    for (_, end) in &ends {
        if let Some((at, why)) = &end.begins {
            lines.push(PlanLine { at: Some(*at), text: why.clone() });
        }
    }
    if begins.is_none() {
        remarks.push(
            "when the shutdown begins is not known: set a time on battery, or a charge or runtime that the \
                      UPS reports"
                .into(),
        );
    }
    if let Some(host) = courses.host.filter(|_| begins != own) {
        let text = format!("this group goes down with group {}, that of this host", policy.groups[host].name);
        lines.push(PlanLine { at: begins, text });
    }
    let last_down = course_lines(policy, at, courses, &mut lines);
    if let Some(at) = battery_end {
        lines.push(PlanLine { at: Some(at), text: "the battery is empty".into() });
    } else {
        remarks
            .push("when the battery is empty is not known: no runtime that can be used is reported".into());
    }
    let seconds = |time: Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    let margin_s = last_down.zip(battery_end).map(|(last, end)| seconds(end) - seconds(last));
    if let Some(margin) = margin_s.filter(|margin| *margin < 0) {
        remarks.push(format!(
            "the battery is empty {} s before the last host is down: begin earlier, or shorten stages",
            -margin
        ));
    }
    // what is not known stands last
    lines.sort_by_key(|line| (line.at.is_none(), line.at));
    OutagePlan { group: group.name.clone(), lines, begins, last_down, battery_end, margin_s, remarks }
}

/// When so many supplies have ended that fewer than needed are left. One that is not known counts as living.
fn nth_end(
    ends: &[(u32, FeedEnd)],
    total: u32,
    need: u32,
    when: impl Fn(&FeedEnd) -> Option<Duration>,
) -> Option<Duration> {
    let mut times: Vec<(Duration, u32)> =
        ends.iter().filter_map(|(supplies, end)| Some((when(end)?, *supplies))).collect();
    times.sort();
    let mut live = total;
    times.into_iter().find_map(|(at, supplies)| {
        live = live.saturating_sub(supplies);
        (live < need).then_some(at)
    })
}

fn feed_end(ups: &str, begin: &Begin, view: Option<&PowerView>, remarks: &mut Vec<String>) -> FeedEnd {
    let runtime =
        view.and_then(|view| view.runtime.filter(|_| view.runtime_confidence >= begin.runtime_confidence));
    if view.is_some_and(|view| view.runtime.is_some()) && runtime.is_none() {
        remarks.push(format!("the runtime of UPS {ups} is not sure enough to count"));
    }
    let mut ways: Vec<(Duration, String)> = vec![];
    if let Some(time) = begin.on_battery_for {
        let at = time.max(begin.confirm);
        ways.push((at, format!("UPS {ups} has been on battery for {} s", time.as_secs())));
    }
    if let (Some(bound), Some(runtime)) = (begin.runtime_below, runtime) {
        let at = runtime.saturating_sub(bound).saturating_add(begin.confirm);
        ways.push((at, format!("UPS {ups} has a runtime below {} s", bound.as_secs())));
    }
    let charge = view.and_then(|view| view.charge).filter(|charge| *charge > 0.0);
    if let (Some(bound), Some(charge), Some(runtime)) = (begin.charge_below, charge, runtime) {
        let part = ((charge - bound) / charge).clamp(0.0, 1.0);
        let at = runtime.mul_f64(part).saturating_add(begin.confirm);
        ways.push((at, format!("UPS {ups} has a charge below {bound:.0} %")));
    }
    if begin.low_battery && ways.is_empty() {
        remarks.push(format!(
            "UPS {ups}: the shutdown begins with its low battery, and when that comes is not known before"
        ));
    }
    FeedEnd { begins: ways.into_iter().min(), empty: runtime }
}

/// The course itself. Returns when the last host is down.
/// From the order to the UPSes until this host goes down, at most: for its outcome and its proof, as far as the delay has room.
fn waits_at_most(host: &HostPlan, delay: Option<Duration>) -> Duration {
    let Some(delay) = delay else { return Duration::ZERO };
    let room = delay.saturating_sub(host.down.saturating_add(HOST_SLACK));
    ORDER_TIME.saturating_add(host.proof_wait).min(room)
}

fn course_lines(
    policy: &Policy,
    at: usize,
    courses: &CoursePlans,
    lines: &mut Vec<PlanLine>,
) -> Option<Duration> {
    let (group, begins) = (&policy.groups[at], courses.begins[at]);
    let add = |at: Option<Duration>, time: Duration| at.map(|at| at.saturating_add(time));
    let mut time = Duration::ZERO;
    for stage in &group.stages {
        lines.push(PlanLine { at: add(begins, time), text: format!("stage {} begins", stage.name) });
        time = time.saturating_add(stage.time);
        let text = format!("stage {} is over at the latest", stage.name);
        lines.push(PlanLine { at: add(begins, time), text });
    }
    let off = add(begins, course_times(group).1);
    lines.push(PlanLine { at: off, text: "the hosts of all stages are off at the latest".into() });
    let together = courses.together(policy, at);
    let (ordered, delay) = (courses.ordered_at(policy, &together), delay_of(policy, &together));
    let host = policy.host.as_ref().filter(|_| courses.host.is_some_and(|host| together.contains(&host)));
    let by_hook = delay.zip(host).is_some_and(|(delay, host)| delay < host.down.saturating_add(HOST_SLACK));
    let goes = host.and_then(|host| add(ordered, waits_at_most(host, delay.filter(|_| !by_hook))));
    let host_off = host.and_then(|host| add(goes, host.down));
    for load in loads_of(policy, group) {
        if by_hook {
            let text = format!("'qxups killpower' orders UPS {} to switch off, as this host ends", load.ups);
            lines.push(PlanLine { at: host_off, text });
            continue;
        }
        let delay = delay.unwrap_or_default();
        let text = format!("UPS {} is ordered to switch off {} s later", load.ups, delay.as_secs());
        lines.push(PlanLine { at: ordered, text });
        let text = format!("UPS {} switches its load off", load.ups);
        lines.push(PlanLine { at: add(ordered, delay), text });
    }
    if loads_of(policy, group).any(|load| load.on_mains == OnMains::StaysOn) {
        let text = "if mains are back just before the load goes off, this UPS leaves it on: hosts stay off until a \
                    person, or a wake-up, starts them";
        lines.push(PlanLine { at: None, text: text.into() });
    }
    if courses.host != Some(at) || host.is_none() {
        return off;
    }
    lines.push(PlanLine { at: goes, text: "this host goes down at the latest".into() });
    lines.push(PlanLine { at: host_off, text: "this host is off at the latest".into() });
    off.max(host_off)
}
