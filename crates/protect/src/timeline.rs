//! What would happen at which second if mains failed now.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::{Begin, GroupPlan, OnMains, Policy, PowerView};

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
    policy.groups.iter().map(|group| group_plan(policy, group, views)).collect()
}

fn group_plan(policy: &Policy, group: &GroupPlan, views: &BTreeMap<String, PowerView>) -> OutagePlan {
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
    let last_down = course_lines(policy, group, begins, &mut lines);
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
fn course_lines(
    policy: &Policy,
    group: &GroupPlan,
    begins: Option<Duration>,
    lines: &mut Vec<PlanLine>,
) -> Option<Duration> {
    let after = |time: Duration| begins.map(|begins| begins.saturating_add(time));
    let (mut time, mut off) = (Duration::ZERO, Duration::ZERO);
    for stage in &group.stages {
        lines.push(PlanLine { at: after(time), text: format!("stage {} begins", stage.name) });
        time = time.saturating_add(stage.time);
        off = off.max(time.saturating_add(stage.down));
        let text = format!("stage {} is over at the latest", stage.name);
        lines.push(PlanLine { at: after(time), text });
    }
    let load = policy.loads.iter().find(|load| group.feeds.iter().any(|feed| feed.ups == load.ups));
    let delay = load.map(|load| load.longest.map_or(load.delay, |longest| longest.min(load.delay)));
    let ordered = time.max(off.saturating_sub(delay.unwrap_or_default()));
    if let (Some(load), Some(delay)) = (load, delay) {
        let text = format!("UPS {} is ordered to switch off {} s later", load.ups, delay.as_secs());
        lines.push(PlanLine { at: after(ordered), text });
        let cut = after(ordered.saturating_add(delay));
        lines.push(PlanLine { at: cut, text: format!("UPS {} switches its load off", load.ups) });
    }
    lines.push(PlanLine { at: after(off), text: "the hosts of all stages are off at the latest".into() });
    if let Some(host) = policy.host.as_ref().filter(|host| host.group == group.name) {
        let begins = ordered.saturating_add(if load.is_some() { host.proof_wait } else { Duration::ZERO });
        lines.push(PlanLine { at: after(begins), text: "this host goes down at the latest".into() });
        let down = begins.saturating_add(host.down);
        lines.push(PlanLine { at: after(down), text: "this host is off at the latest".into() });
        off = off.max(down);
    }
    if load.is_some_and(|load| load.on_mains == OnMains::StaysOn) {
        let text = "if mains are back just before the load goes off, this UPS leaves it on: hosts stay off until a \
                    person, or a wake-up, starts them";
        lines.push(PlanLine { at: None, text: text.into() });
    }
    after(off)
}
