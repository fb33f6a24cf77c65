//! `upsmon.conf` (NUT 2.8.0 and newest, clients/upsmon.c).
//!
//! What upsmon uses is used, and what it passes over or takes for something else is an [`UpsmonConfRemark`]. What is an
//! [`UpsmonConfError`] upsmon cannot use either, or reads as the number 0 where no number stands. Where a directive occurs
//! twice the later counts, but for MONITOR, as in upsmon.

mod directive;
mod event;
mod fault;
mod place;
mod read;
#[cfg(test)]
mod tests;

pub use directive::UpsmonDirective;
pub use event::{NotifyFlags, UpsmonEvent};
pub use fault::{UpsmonConfError, UpsmonConfFault, UpsmonConfMatter, UpsmonConfRemark};
pub use place::UpsPlace;
pub use read::parse;

use std::collections::BTreeMap;
use std::fmt;

/// A whole file. Times are in seconds; none stands for what upsmon does without the line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpsmonConf {
    /// MONITOR, in order.
    pub monitors: Vec<UpsmonMonitor>,
    /// MINSUPPLIES: how many supplies have to live. upsmon: 1.
    pub min_supplies: Option<u32>,
    /// SHUTDOWNCMD: the first word is a line for a shell, the others are its arguments (NUT after 2.8.5; before, only the
    /// first is used). Empty: none, and upsmon shuts nothing down.
    pub shutdown_command: Vec<String>,
    /// SHUTDOWNEXIT. upsmon: at once.
    pub shutdown_exit: Option<ShutdownExit>,
    /// NOTIFYCMD: up to 2.8.5 a line for a shell, since then a program and its arguments.
    pub notify_command: Vec<String>,
    /// NOTIFYMSG: the texts, in which `%s` is the UPS as MONITOR names it.
    pub messages: BTreeMap<UpsmonEvent, String>,
    /// NOTIFYFLAG, where it is named: [`UpsmonConf::flags_of`] has the others.
    pub flags: BTreeMap<UpsmonEvent, NotifyFlags>,
    /// POLLFREQ. upsmon: 5.
    pub poll_s: Option<u32>,
    /// POLLFREQALERT, on battery. upsmon: 5.
    pub poll_alert_s: Option<u32>,
    /// HOSTSYNC: how long the primary waits for secondaries, and these for FSD. upsmon: 15.
    pub host_sync_s: Option<u32>,
    /// DEADTIME: after so long without data a UPS that was on battery counts as OB LB. upsmon: 15.
    pub dead_time_s: Option<u32>,
    /// OFFDURATION: after so long a UPS that is OFF counts as lost; below 0 never. upsmon: 30.
    pub off_duration_s: Option<i32>,
    /// OVERDURATION: the same of one that was overloaded when it was lost; below 0 never. upsmon: -1.
    pub over_duration_s: Option<i32>,
    /// OBLBDURATION: so long OB LB has to hold. upsmon: 0.
    pub oblb_duration_s: Option<u32>,
    /// ALARMCRITICAL: whether a UPS that was lost while it had ALARM counts as lost. upsmon: yes.
    pub alarm_critical: Option<bool>,
    /// FINALDELAY: between the notice SHUTDOWN and SHUTDOWNCMD. upsmon: 5.
    pub final_delay_s: Option<u32>,
    /// RBWARNTIME: REPLBATT is told again after so long. upsmon: 43200.
    pub replace_battery_s: Option<u32>,
    /// NOCOMMWARNTIME: NOCOMM is told after so long, and again. upsmon: 300.
    pub no_comm_s: Option<u32>,
    /// POWERDOWNFLAG: the file that says to the end of the shutdown that the UPS is to switch off.
    pub power_down_flag: Option<String>,
    /// Each directive that was taken, with its line, in order.
    pub directives: Vec<(UpsmonDirective, usize)>,
    /// The lines that cannot be used, all of them.
    pub wrong: Vec<UpsmonConfError>,
    /// The lines that have no effect, or another one than they seem to.
    pub remarks: Vec<UpsmonConfRemark>,
}

/// `MONITOR ups@host 1 user password primary`. Its text for debugging has no password.
#[derive(Clone, PartialEq, Eq)]
pub struct UpsmonMonitor {
    /// As it is written, which is UPSNAME of NOTIFYCMD.
    pub system: String,
    /// The UPS and its server.
    pub place: UpsPlace,
    /// How many supplies of this host it feeds.
    pub power_value: u32,
    /// The user of upsd.users.
    pub user: String,
    /// Its password.
    pub password: String,
    /// Whether this host is the one that waits for the others, and switches the UPS off.
    pub is_primary: bool,
    /// The line it stands in, from 1.
    pub line: usize,
}

impl fmt::Debug for UpsmonMonitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpsmonMonitor")
            .field("system", &self.system)
            .field("power_value", &self.power_value)
            .field("is_primary", &self.is_primary)
            .finish_non_exhaustive()
    }
}

/// When upsmon ends after it started SHUTDOWNCMD.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShutdownExit {
    /// At once: yes.
    AtOnce,
    /// After so many seconds.
    After(u32),
    /// When it is ended by others: no.
    Never,
}

impl UpsmonConf {
    /// Where a notice of an event goes.
    pub fn flags_of(&self, event: UpsmonEvent) -> NotifyFlags {
        self.flags.get(&event).copied().unwrap_or(NotifyFlags::USUAL)
    }

    /// How many supplies have to live, as upsmon counts it.
    pub fn supplies_needed(&self) -> u32 {
        self.min_supplies.unwrap_or(1)
    }

    /// How many supplies all its UPSes feed together.
    pub fn supplies_fed(&self) -> u64 {
        self.monitors.iter().map(|monitor| u64::from(monitor.power_value)).sum()
    }

    /// The line of the last such directive.
    pub fn line_of(&self, directive: UpsmonDirective) -> Option<usize> {
        self.directives.iter().rfind(|(of, _)| *of == directive).map(|(_, line)| *line)
    }
}
