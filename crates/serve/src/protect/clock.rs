//! The clocks of protection.

use nix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// Where Linux says which start of the machine this is.
pub(super) const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// The time since the system was started, with that in which it was suspended.
pub(super) fn since_boot() -> Duration {
    clock_gettime(ClockId::CLOCK_BOOTTIME).map(Duration::from).unwrap_or_default()
}

/// What tells starts of the system apart; empty where the system does not say it.
pub(super) fn boot_id() -> String {
    let text = std::fs::read_to_string(BOOT_ID).unwrap_or_default();
    text.trim().into()
}

/// Seconds since 1970, for the record; what is decided by it is which boot it is of, where the system does not say it.
pub(super) fn wall_s() -> u64 {
    u64::try_from(crate::chronicle::wall_ms() / 1000).unwrap_or(0)
}
