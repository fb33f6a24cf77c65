//! How long the machine waits, and why.

use std::time::Duration;

/// A reading that is older is none, whatever its source says: the process was stopped, or the machine suspended.
pub(crate) const VIEW_LIFE: Duration = Duration::from_secs(60);
/// Between two ticks while anything is under way.
pub(crate) const TICK: Duration = Duration::from_secs(1);
/// A tick that is later: the process was stopped. Readings from before count no more.
pub(crate) const LAPSE: Duration = Duration::from_secs(10);
/// A stage has its whole time again after so many of them in one course, and no more.
pub(crate) const LAPSES: u32 = 3;
/// Time on battery is carried over a gap of knowledge that is not longer; it is not counted in itself then.
pub(crate) const CARRY: Duration = Duration::from_secs(600);
/// Two clocks of a host that was not started again differ by less than this, unless one was set.
pub(crate) const CLOCKS_APART: Duration = Duration::from_secs(20);
/// A course goes on without a fresh reading only after a gap that is not longer, the UPS being lost on battery.
pub(crate) const SHORT_GAP: Duration = Duration::from_secs(120);
/// After a start a course waits so long for a fresh reading of each of its UPSes.
pub(crate) const PAUSE: Duration = Duration::from_secs(60);
/// After a start clients connect anew: an empty list of logins means nothing before. upsmon asks every 5 s.
pub(crate) const LOGIN_GRACE: Duration = Duration::from_secs(30);
/// Hosts that come back after an outage have logged in after so long.
pub(crate) const STARTS: Duration = Duration::from_secs(300);
/// Temperature and failing hold at least so long.
pub(crate) const SLOW_CONFIRM: Duration = Duration::from_secs(30);
/// The outcome of an order is due within this: the delay is set before it and looked at, and each answer may take 15 s.
pub const ORDER_TIME: Duration = Duration::from_secs(35);
/// Between two tries of an order.
pub(crate) const ORDER_RETRY: Duration = Duration::from_secs(3);
/// A reading so long after the outcome shows whether the order was taken.
pub(crate) const PROOF_AGE: Duration = Duration::from_secs(2);
/// Between two rounds of orders that failed, while the UPS is on battery and this host stays up.
pub(crate) const ORDER_AGAIN: Duration = Duration::from_secs(60);
/// The host's shutdown begins so long before the last moment at which it still is down before the cut: the process may be
/// killed in between, and is there again after that.
pub(crate) const HOST_SLACK: Duration = Duration::from_secs(15);
/// After the moment of the cut clients see the truth again.
pub(crate) const CUT_SLACK: Duration = Duration::from_secs(10);
/// After the moment of the cut hosts are woken: UPSes round delays up to a minute.
pub(crate) const CUT_LONG_SLACK: Duration = Duration::from_secs(60);
/// After the moment of the cut a login from before it is that of a host that runs: UPSes round delays up to a minute, and
/// a client of which nothing is heard is dropped after a minute.
pub(crate) const LOGIN_DEAD: Duration = Duration::from_secs(150);
/// Between two tries of a shutdown command that failed.
pub(crate) const HOST_RETRY: Duration = Duration::from_secs(10);
/// A host that is still up so long after the time that it takes to go down did not.
pub(crate) const HOST_LATE: Duration = Duration::from_secs(60);
/// Between two records while time itself is part of what is kept.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(15);
/// Between two records while hosts wait to be woken.
pub(crate) const SLOW_HEARTBEAT: Duration = Duration::from_secs(300);
/// Hosts of a group that is no longer configured are woken after this.
pub(crate) const ORPHAN_WAIT: Duration = Duration::from_secs(600);
