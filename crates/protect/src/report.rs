//! Where protection stands, for page, metrics and `plan`.

use std::time::Duration;

use crate::Reason;

/// Where the course of one group stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// No course.
    Watching,
    /// After a restart in a course: a fresh reading of the UPSes is waited for.
    Paused,
    /// Stages go down.
    Stages,
    /// All stages are over; hosts of them are still going down, or another group of the same UPS is.
    Settling,
    /// Orders to the UPSes are under way. From here on there is no return.
    Ordering,
    /// This host goes down.
    HostDown,
    /// The load goes off, or everything is down.
    Down,
    /// Hosts come back.
    Recovering,
}

/// Where protection stands.
#[derive(Debug, Clone, PartialEq)]
pub struct ProtectReport {
    /// Whether it is armed.
    pub armed: bool,
    /// The groups.
    pub groups: Vec<GroupReport>,
}

/// Where one group stands.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupReport {
    /// Its name.
    pub name: String,
    /// The phase of its course.
    pub phase: Phase,
    /// Why the course runs.
    pub reason: Option<Reason>,
    /// Since when the course runs.
    pub since: Option<Duration>,
    /// How many supplies live, and how many must.
    pub supplies: (u32, u32),
    /// Its stages.
    pub stages: Vec<StageReport>,
    /// What was ordered of which UPS.
    pub orders: Vec<OrderReport>,
    /// Hosts that went down and did not come back yet.
    pub down: Vec<HostReport>,
}

/// Where one stage stands.
#[derive(Debug, Clone, PartialEq)]
pub struct StageReport {
    /// Its name.
    pub name: String,
    /// When it began.
    pub began: Option<Duration>,
    /// When it was over.
    pub over: Option<Duration>,
    /// How many clients are logged in.
    pub logins: usize,
}

/// What is known of the order to one UPS.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderReport {
    /// The name of the UPS.
    pub ups: String,
    /// When it was sent last.
    pub sent: Option<Duration>,
    /// Whether the UPS confirmed it.
    pub accepted: bool,
    /// Whether the UPS was read to say that it will switch off.
    pub proven: bool,
}

/// A host that went down in this outage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostReport {
    /// Its name.
    pub host: String,
    /// How often it was woken.
    pub woken: u32,
    /// Whether its tries are over.
    pub given_up: bool,
}
