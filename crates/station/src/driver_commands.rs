//! What clients may ask of the driver itself, not of the UPS: the commands and the flag of newer NUT
//! (2.8.1 and later, drivers/main.c).

use crate::config::yes_or_no;
use crate::publisher::Reload;
use crate::request::RequestedAction;
use qx::device::{Device, Outcome, SHUTDOWN_DEFAULT, Ticket};
use qx::wire::setting::Choice;

const RELOADS: [(&str, Reload); 3] = [
    ("driver.reload", Reload { or_exit: false }),
    ("driver.reload-or-error", Reload { or_exit: false }),
    ("driver.reload-or-exit", Reload { or_exit: true }),
];
const KILL_POWER: &str = "driver.killpower";
/// Whether [`KILL_POWER`] is obeyed: 1 or 0.
const ALLOW: &str = "driver.flag.allow_killpower";

/// A request that is for the driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DriverCommand {
    /// To read the configuration again.
    Reload(Reload),
    /// To switch the load off, under this name.
    KillPower(String),
    /// To allow that, or not.
    Allow(String),
}

/// Offers the commands and the flag.
pub(crate) fn offer(device: &mut Device, can_reload: bool, allow_killpower: bool) {
    let reloads = RELOADS.iter().map(|(name, _)| *name).filter(|_| can_reload);
    device.store_mut().offer(reloads.chain([KILL_POWER, SHUTDOWN_DEFAULT]).collect());
    allow(device, allow_killpower);
}

fn allow(device: &mut Device, yes: bool) {
    device.store_mut().set_writable(ALLOW, u8::from(yes).to_string(), Choice::Range(0, 1));
}

/// The command that is for the driver; none when it is for the UPS.
pub(crate) fn meant_by(what: &RequestedAction, can_reload: bool) -> Option<DriverCommand> {
    let name = what.name();
    let is = |known: &str| name.eq_ignore_ascii_case(known);
    match what {
        RequestedAction::Set { value, .. } => is(ALLOW).then(|| DriverCommand::Allow(value.clone())),
        RequestedAction::Command { .. } if is(KILL_POWER) || is(SHUTDOWN_DEFAULT) => {
            Some(DriverCommand::KillPower(name.into()))
        }
        RequestedAction::Command { .. } => {
            let reload = RELOADS.iter().find(|(known, _)| can_reload && is(known));
            reload.map(|(_, how)| DriverCommand::Reload(*how))
        }
    }
}

/// Obeys a command at once; a reload is for the owner.
pub(crate) fn obey(command: DriverCommand, device: &mut Device, ticket: Ticket) {
    match command {
        DriverCommand::KillPower(name) => kill_power(&name, device, ticket),
        DriverCommand::Allow(value) => {
            let outcome = match yes_or_no(&value) {
                Some(yes) => {
                    allow(device, yes);
                    Outcome::Done
                }
                None => Outcome::Invalid(format!("{ALLOW}: '{value}' is neither 1 nor 0")),
            };
            device.report(ticket, outcome);
        }
        DriverCommand::Reload(_) => device.report(ticket, Outcome::Unknown),
    }
}

fn kill_power(name: &str, device: &mut Device, ticket: Ticket) {
    let is_allowed = name.eq_ignore_ascii_case(SHUTDOWN_DEFAULT) || device.store().text(ALLOW) == Some("1");
    if !is_allowed {
        let why = format!("{KILL_POWER}: not allowed; set {ALLOW} to 1, or allow_killpower = 1 in ups.conf");
        device.report(ticket, Outcome::Failed(why));
    } else if device.kills_power() {
        let why = format!("{name}: the load is being switched off already");
        device.report(ticket, Outcome::Failed(why));
    } else {
        device.kill_power(ticket);
    }
}
