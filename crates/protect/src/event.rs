//! What the machine takes in.

use std::time::Duration;

use crate::PowerView;

/// The moment of a start, and which boot of the host it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// Since boot, on a clock that goes on in suspend (CLOCK_BOOTTIME); [`crate::Machine::handle`] goes on with it.
    pub now: Duration,
    /// What tells boots apart: /proc/sys/kernel/random/boot_id. Empty where it cannot be read: then the two clocks do.
    pub boot: String,
    /// Seconds since 1970, for the record and where `boot` is empty.
    pub wall_s: u64,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum ProtectEvent {
    /// Time went on. Due at [`crate::Machine::next_wakeup`].
    Tick,
    /// A UPS was read, or ceased to be fresh. Due with each reading, and before each `Tick`.
    View {
        /// The name of the UPS.
        ups: String,
        /// What it says.
        view: PowerView,
    },
    /// A UPS is no longer there: it was taken out of the configuration.
    UpsGone {
        /// The name of the UPS.
        ups: String,
    },
    /// Who of a stage is logged in now: all of them, also when none is. Due with each change, and once after the start.
    Logins {
        /// The group.
        group: String,
        /// The stage.
        stage: String,
        /// The logins.
        logins: Vec<StageLogin>,
    },
    /// A program of a stage ended, or could not be started.
    ProgramEnded {
        /// The group.
        group: String,
        /// The stage.
        stage: String,
        /// Which of its programs.
        program: usize,
        /// Its code; `None` when it was killed, did not start or took too long.
        code: Option<i32>,
    },
    /// What came of an order to a UPS.
    Ordered {
        /// The name of the UPS.
        ups: String,
        /// What came of it.
        outcome: OrderOutcome,
    },
    /// The command that shuts this host down ended.
    HostShutdown {
        /// Whether it succeeded.
        done: bool,
    },
}

/// One login of a client.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StageLogin {
    /// From where.
    pub address: String,
    /// By which user.
    pub user: String,
}

/// What came of an order to switch off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderOutcome {
    /// The UPS confirmed it.
    Accepted,
    /// The UPS refused it: nothing is pending.
    Refused,
    /// It was sent, and it is not known whether the UPS took it.
    NotConfirmed,
    /// It was never sent: no link, no driver.
    NotSent,
}
