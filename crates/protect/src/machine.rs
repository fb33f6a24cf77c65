//! The machine: the courses of all groups.

use std::time::Duration;

use crate::{Policy, ProtectAction, ProtectEvent, ProtectRecord, ProtectReport, Start};

/// Decides. One for a server: groups that share a UPS, and the host that goes down last, have to wait for one another.
///
/// The caller gives it events with the time, does its actions in their order, and calls again at [`Machine::next_wakeup`].
#[derive(Debug, Clone)]
pub struct Machine {
    policy: Policy,
}

impl Machine {
    /// A machine that goes on where the record ends. The actions are due as those of [`Machine::handle`].
    pub fn new(policy: Policy, _record: &ProtectRecord, _start: &Start) -> (Machine, Vec<ProtectAction>) {
        (Machine { policy }, vec![])
    }

    /// Something happened at `now`. What is to be done, in order.
    pub fn handle(&mut self, _now: Duration, _event: ProtectEvent) -> Vec<ProtectAction> {
        vec![]
    }

    /// Another policy. A course that runs goes on by the one with which it began; disarmed, what can be stopped is stopped.
    pub fn reconfigure(&mut self, _now: Duration, policy: Policy) -> Vec<ProtectAction> {
        self.policy = policy;
        vec![]
    }

    /// When [`ProtectEvent::Tick`] is due at the latest; `None`: nothing waits for time.
    pub fn next_wakeup(&self) -> Option<Duration> {
        None
    }

    /// Where protection stands.
    pub fn report(&self) -> ProtectReport {
        ProtectReport { armed: self.policy.armed, groups: vec![] }
    }

    /// What is to outlive the process, as of now.
    pub fn record(&self) -> ProtectRecord {
        ProtectRecord::default()
    }
}
