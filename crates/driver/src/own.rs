//! What clients may ask of the driver itself, not of the UPS: the commands and the flag of newer NUT
//! (2.8.1 and later, drivers/main.c).

use crate::config::yes_or_no;
use nix::sys::signal::{Signal, raise};
use qx::device::{Device, Outcome, SHUTDOWN_DEFAULT, Ticket};
use qx::setting::Choice;

/// The commands; a reload is what the signal of that meaning does.
const RELOADS: [(&str, Signal); 3] = [
    ("driver.reload", Signal::SIGHUP),
    ("driver.reload-or-error", Signal::SIGHUP),
    ("driver.reload-or-exit", Signal::SIGUSR1),
];
const KILL_POWER: &str = "driver.killpower";
/// Whether [`KILL_POWER`] is obeyed: 1 or 0.
const ALLOW: &str = "driver.flag.allow_killpower";

/// Offers the commands and the flag.
pub fn offer(device: &mut Device, allow_killpower: bool) {
    let names = RELOADS.iter().map(|(name, _)| *name).chain([KILL_POWER, SHUTDOWN_DEFAULT]);
    device.store_mut().offer(names.collect());
    allow(device, allow_killpower);
}

fn allow(device: &mut Device, yes: bool) {
    device.store_mut().set_writable(ALLOW, u8::from(yes).to_string(), Choice::Range(0, 1));
}

/// Obeys a command that is for the driver, at once: it waits for nothing that others want of the UPS. False when
/// it is for the UPS.
pub fn command(device: &mut Device, ticket: Ticket, name: &str) -> bool {
    let is = |known: &str| name.eq_ignore_ascii_case(known);
    let allowed = device.store().text(ALLOW) == Some("1");
    let may = is(SHUTDOWN_DEFAULT) || is(KILL_POWER) && allowed;
    if may && device.kills_power() {
        let why = format!("{name}: the load is being switched off already");
        device.report(ticket, Outcome::Failed(why));
    } else if may {
        device.kill_power(ticket);
    } else if is(KILL_POWER) {
        let why = format!("{KILL_POWER}: not allowed; set {ALLOW} to 1, or allow_killpower = 1 in ups.conf");
        device.report(ticket, Outcome::Failed(why));
    } else if let Some((_, signal)) = RELOADS.iter().find(|(known, _)| is(known)) {
        let outcome = match raise(*signal) {
            Ok(()) => Outcome::Done,
            Err(error) => Outcome::Failed(format!("{name}: {error}")),
        };
        device.report(ticket, outcome);
    } else {
        return false;
    }
    true
}

/// Sets the flag. False when it is another variable.
pub fn set(device: &mut Device, ticket: Ticket, variable: &str, value: &str) -> bool {
    if !variable.eq_ignore_ascii_case(ALLOW) {
        return false;
    }
    let outcome = match yes_or_no(value) {
        Some(yes) => {
            allow(device, yes);
            Outcome::Done
        }
        None => Outcome::Invalid(format!("{ALLOW}: '{value}' is neither 1 nor 0")),
    };
    device.report(ticket, outcome);
    true
}
