//! What a reload refuses: what the start would refuse. A driver that works goes on with what it has.

use crate::config::{Config, Paths};
use link::{Address, check_terminal};
use nix::unistd::User;
use qx::store::Store;

/// With `ignorelb`, what says that the battery is low: a bound, and something to compare with it.
const LOW: [[&str; 2]; 2] =
    [["battery.charge", "battery.charge.low"], ["battery.runtime", "battery.runtime.low"]];

/// Whether the battery can be low at all, when these variables are there. With `ignorelb` the UPS itself is not
/// heard (NUT 2.8.0 drivers/main.c).
///
/// # Errors
/// A sentence.
pub fn check_ignorelb(ignorelb: bool, has: impl Fn(&str) -> bool) -> Result<(), String> {
    if !ignorelb || LOW.iter().any(|pair| pair.iter().all(|name| has(name))) {
        return Ok(());
    }
    Err("ignorelb is set, but nothing else says when the battery is low: set default.battery.charge.low (with \
         default.battery.voltage.low and .high) or default.battery.runtime.low (with runtimecal)"
        .into())
}

/// Looks whether a driver that was configured like this would start, as far as that is known without trying.
///
/// # Errors
/// A sentence.
pub fn check(before: &Config, after: &Config, store: &Store) -> Result<(), String> {
    check_ignorelb(after.options.ignorelb, |name| will_have(name, before, after, store))?;
    // a driver in a root of its own sees other files than its next start
    if after.chroot.is_some() || before.chroot.is_some() {
        return Ok(());
    }
    let user = &after.user;
    if *user != before.user && !matches!(User::from_name(user), Ok(Some(_))) {
        return Err(format!("there is no user '{user}': create it, or take 'user' out of ups.conf"));
    }
    if after.state != before.state {
        let state = Paths::from_environment().with_statepath(after.state.as_ref()).state;
        if !state.is_dir() {
            let (state, user) = (state.display(), &after.user);
            return Err(format!("there is no state directory {state}: create it for user '{user}'"));
        }
    }
    match &after.opening.address {
        Address::Serial(port) if after.opening.address != before.opening.address => {
            check_terminal(port).map_err(|error| error.to_string())
        }
        _ => Ok(()),
    }
}

/// Whether a variable will be there: what is configured, and what is there already by something else.
fn will_have(name: &str, before: &Config, after: &Config, store: &Store) -> bool {
    let configures = |config: &Config| {
        let options = &config.options;
        options.overrides.iter().chain(&options.defaults).any(|(known, _)| known == name)
    };
    configures(after) || store.text(name).is_some() && !configures(before)
}
