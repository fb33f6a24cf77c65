//! What would happen at which second if mains failed now, and what of a policy contradicts itself.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::{Policy, PowerView};

/// What would happen in an outage that begins now.
#[derive(Debug, Clone, PartialEq)]
pub struct OutagePlan {
    /// The group.
    pub group: String,
    /// When what would happen, from the beginning of the outage, in order of time.
    pub lines: Vec<PlanLine>,
    /// When the group's course begins; `None` when it is not known.
    pub begins: Option<Duration>,
    /// When the last host is down; `None` when it is not known.
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

/// What of a policy contradicts itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFault {
    /// The group, where it is about one.
    pub group: Option<String>,
    /// Whether protection cannot be armed with it; else it is a warning.
    pub grave: bool,
    /// What is wrong, and what to do.
    pub text: String,
}

/// What of a policy contradicts itself.
pub fn check(_policy: &Policy) -> Vec<PolicyFault> {
    vec![]
}

/// What would happen to each group if mains of all its UPSes failed now.
pub fn timeline(_policy: &Policy, _views: &BTreeMap<String, PowerView>) -> Vec<OutagePlan> {
    vec![]
}
