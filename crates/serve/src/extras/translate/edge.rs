//! Which condition an event of upsmon begins or ends.

use nut::upsmon_conf::{UpsmonConf, UpsmonEvent};

/// A side of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EventEdge {
    /// `when` of a rule.
    pub when: &'static str,
    /// Whether it is the end.
    pub is_end: bool,
    /// How long the condition holds before upsmon tells of it, in seconds.
    pub after_s: u32,
    /// After so long it tells of it again.
    pub repeat_s: Option<u32>,
}

/// No notice is repeated more often, in seconds (`repeat_s`).
const LEAST_REPEAT_S: u32 = 10;

/// The condition of an event.
///
/// # Errors
/// Why there is none, and what there is in its place.
pub(super) fn edge_of(event: UpsmonEvent, upsmon: Option<&UpsmonConf>) -> Result<EventEdge, &'static str> {
    use UpsmonEvent as E;
    let begins = |when| EventEdge { when, is_end: false, after_s: 0, repeat_s: None };
    let ends = |when| EventEdge { is_end: true, ..begins(when) };
    let repeat =
        |seconds: Option<u32>, usual: u32| Some(seconds.unwrap_or(usual).clamp(LEAST_REPEAT_S, 604_800));
    Ok(match event {
        E::OnBattery => begins("on battery"),
        E::Online => ends("on battery"),
        E::LowBattery => begins("low battery"),
        E::ForcedShutdown => begins("forced shutdown"),
        E::CommBad => begins("lost"),
        E::CommOk => ends("lost"),
        E::NoComm => {
            let after = upsmon.and_then(|conf| conf.no_comm_s);
            EventEdge {
                after_s: after.unwrap_or(300).min(604_800),
                repeat_s: repeat(after, 300),
                ..begins("lost")
            }
        }
        E::ReplaceBattery => {
            let again = upsmon.and_then(|conf| conf.replace_battery_s);
            EventEdge { repeat_s: repeat(again, 43_200), ..begins("replace battery") }
        }
        E::Off => begins("output off"),
        E::NotOff => ends("output off"),
        E::Bypass => begins("bypass"),
        E::NotBypass => ends("bypass"),
        E::Alarm => begins("alarm"),
        E::NotAlarm => ends("alarm"),
        E::Overload => begins("overload"),
        E::NotOverload => ends("overload"),
        E::Shutdown | E::ShutdownHostSync => {
            return Err("it is no condition of a UPS: let a stage of [protect] run the program");
        }
        E::NoParent => return Err("the server has no parent process that could die: leave it out"),
        E::Calibration
        | E::NotCalibration
        | E::Eco
        | E::NotEco
        | E::Trim
        | E::NotTrim
        | E::Boost
        | E::NotBoost
        | E::Other
        | E::NotOther => {
            return Err("[[notify]] has no condition for it: keep upsmon for it, or watch metrics");
        }
        E::SuspendTimeJump | E::SuspendStarting | E::SuspendFinished => {
            return Err("it is no condition of a UPS: let systemd run the program (systemd-sleep(8))");
        }
    })
}
