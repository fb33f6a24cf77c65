//! Reloading one UPS. What the start would refuse is refused, and all goes on as before.

use crate::config::{ConfigError, UpsConfig};
use crate::driver_commands;
use crate::station::SharedDevice;
use qx::device::store::Store;
use qx::vocabulary::moment::Moment;

/// With `ignorelb`, what says that the battery is low: a bound, and something to compare with it.
const LOW: [[&str; 2]; 2] =
    [["battery.charge", "battery.charge.low"], ["battery.runtime", "battery.runtime.low"]];

/// What became of a reload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reloaded {
    /// Nothing changed.
    Unchanged,
    /// What changed is in use now.
    InUse,
    /// Something changed that a running station cannot take; nothing of it was taken.
    NeedsRestart,
}

/// Whether the battery can be low at all, when these variables are there. With `ignorelb` what the UPS itself says
/// of it does not count (NUT 2.8.0 drivers/main.c).
///
/// # Errors
/// What to set.
pub(crate) fn check_ignorelb(ignorelb: bool, has: impl Fn(&str) -> bool) -> Result<(), ConfigError> {
    if !ignorelb || LOW.iter().any(|pair| pair.iter().all(|name| has(name))) {
        return Ok(());
    }
    let sentence = "ignorelb is set, but nothing else says when the battery is low: set default.battery.charge.low (with \
         default.battery.voltage.low and .high) or default.battery.runtime.low (with runtimecal)";
    Err(ConfigError::of("ignorelb", sentence))
}

/// Looks whether a station that was configured like this would start.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn check(before: &UpsConfig, after: &UpsConfig, store: &Store) -> Result<(), ConfigError> {
    check_ignorelb(after.options.ignorelb, |name| will_have(name, before, after, store))
}

/// Whether a variable will be there: what is configured, and what is there already by something else.
fn will_have(name: &str, before: &UpsConfig, after: &UpsConfig, store: &Store) -> bool {
    let configures = |config: &UpsConfig| {
        let options = &config.options;
        options.overrides.iter().chain(&options.defaults).any(|(known, _)| known == name)
    };
    configures(after) || store.text(name).is_some() && !configures(before)
}

/// Gives the device its new options, and publishes them.
pub(crate) fn take(
    before: &UpsConfig,
    after: &UpsConfig,
    device: &SharedDevice,
    can_reload: bool,
    now: Moment,
) -> Result<Reloaded, ConfigError> {
    if before == after {
        return Ok(Reloaded::Unchanged);
    }
    let mut device = device.borrow_mut();
    let is_fixed_same = before.name == after.name && before.opening == after.opening;
    if !is_fixed_same || !device.reconfigure(after.options.clone(), now) {
        return Ok(Reloaded::NeedsRestart);
    }
    let checked = check_ignorelb(after.options.ignorelb, |name| device.store().text(name).is_some());
    if let Err(wrong) = checked {
        // what was estimated by the help of the old options is gone with them
        device.reconfigure(before.options.clone(), now);
        return Err(wrong);
    }
    let is_gone = |name: &str| after.published.iter().all(|(new, _)| new != name);
    for (name, _) in before.published.iter().filter(|(name, _)| is_gone(name)) {
        device.store_mut().remove(name);
    }
    for (name, value) in &after.published {
        device.store_mut().set(name.clone(), value.clone());
    }
    driver_commands::offer(&mut device, can_reload, after.allow_killpower);
    Ok(Reloaded::InUse)
}
