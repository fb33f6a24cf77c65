//! Protection in words: for pages and metrics, and for `qxups plan`.

use ::protect::{OutagePlan, Phase, Policy, PowerView, ProtectReport, SecondaryState};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;
use web::view::{ExpectedState, ProtectedGroupView, ProtectionView};

/// As pages and metrics show it.
pub(super) fn view(
    report: &ProtectReport,
    secondaries: Vec<(String, SecondaryState)>,
    host_works: Option<bool>,
) -> ProtectionView {
    let groups = report.groups.iter().map(|group| ProtectedGroupView {
        name: group.name.clone(),
        phase: phase(group.phase),
        reason: group.reason.as_ref().map(ToString::to_string),
        supplies: group.supplies.0,
        needed: group.supplies.1,
        down: group.down.len(),
    });
    let state = |state| match state {
        SecondaryState::Awaited => ExpectedState::Awaited,
        SecondaryState::LoggedIn => ExpectedState::LoggedIn,
        SecondaryState::NotLoggedIn => ExpectedState::NotLoggedIn,
        SecondaryState::Absent => ExpectedState::Absent,
    };
    ProtectionView {
        is_armed: report.armed,
        host_works,
        groups: groups.collect(),
        secondaries: secondaries.into_iter().map(|(name, known)| (name, state(known))).collect(),
    }
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Watching => "watching",
        Phase::Paused => "paused",
        Phase::Stages => "stages",
        Phase::Settling => "settling",
        Phase::Ordering => "ordering",
        Phase::HostDown => "host_down",
        Phase::Down => "down",
        Phase::Recovering => "recovering",
    }
}

/// What would happen if mains failed now.
pub(super) fn plan(
    policy: &Policy,
    views: &BTreeMap<String, PowerView>,
    report: &ProtectReport,
    secondaries: &[(String, SecondaryState)],
) -> String {
    let mut out = String::new();
    let _ =
        writeln!(out, "{}", if policy.armed { "armed" } else { "not armed: nothing of this would be done" });
    for fault in ::protect::check(policy) {
        let of = fault.group.map(|group| format!("group {group}: ")).unwrap_or_default();
        let _ = writeln!(out, "{}: {of}{}", if fault.grave { "error" } else { "warning" }, fault.text);
    }
    for (name, state) in secondaries {
        let what = match state {
            SecondaryState::Absent => "is absent",
            SecondaryState::NotLoggedIn => "asks without being logged in",
            SecondaryState::Awaited | SecondaryState::LoggedIn => continue,
        };
        let _ = writeln!(out, "warning: secondary {name} {what}");
    }
    for plan in ::protect::timeline(policy, views) {
        let now = report.groups.iter().find(|group| group.name == plan.group);
        let now = now.map_or("watching", |group| phase(group.phase)).replace('_', " ");
        let _ = writeln!(out, "\ngroup {} (now: {now}), if mains failed now:", plan.group);
        group(&plan, &mut out);
    }
    out
}

fn group(plan: &OutagePlan, out: &mut String) {
    for line in &plan.lines {
        let _ = writeln!(out, "{:>9}  {}", at(line.at), line.text);
    }
    let _ = match plan.margin_s {
        Some(margin) if margin < 0 => writeln!(
            out,
            "  margin: {margin} s: the battery ends before the last host is down; begin earlier, or give stages less time"
        ),
        Some(margin) => {
            writeln!(out, "  margin: {margin} s between the last host and the end of the battery")
        }
        None => writeln!(out, "  margin: not known"),
    };
    for remark in &plan.remarks {
        let _ = writeln!(out, "  {remark}");
    }
}

fn at(at: Option<Duration>) -> String {
    match at {
        Some(at) => format!("{}:{:02}", at.as_secs() / 60, at.as_secs() % 60),
        None => "?".into(),
    }
}
