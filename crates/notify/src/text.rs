//! What a notice says: what happened, since when, what the UPS says now, and what to do.

use crate::condition::NotifyCondition;
use crate::notice::{NoticeKind, UpsNotice};
use crate::said::UpsSaid;
use crate::time::span;
use std::net::IpAddr;
use std::time::Duration;

/// The words of one condition.
struct Wording {
    /// What the UPS is or does.
    is: &'static str,
    /// What it is or does afterwards.
    ended: &'static str,
    /// What to do while it holds.
    advice: &'static str,
    /// What upsmon calls it, and its end.
    types: [&'static str; 2],
}

fn wording(condition: &NotifyCondition) -> Wording {
    let row = |is, ended, advice, types| Wording { is, ended, advice, types };
    match condition {
        NotifyCondition::OnBattery => row(
            "is on battery",
            "is on mains again",
            "Look at fuses and at the mains of the building. Hosts shut down when the battery is low; save what is open, and \
             switch off what can be spared.",
            ["ONBATT", "ONLINE"],
        ),
        NotifyCondition::LowBattery => row(
            "says that its battery is low",
            "says no more that its battery is low",
            "On battery, hosts shut down now: save what is open. On mains, let it charge; if that lasts, test the battery.",
            ["LOWBATT", "NOTLOWBATT"],
        ),
        NotifyCondition::ForcedShutdown => row(
            "is in a forced shutdown",
            "is in no forced shutdown any more",
            "Hosts shut down now, and the UPS may switch its output off: save what is open.",
            ["FSD", "NOTFSD"],
        ),
        NotifyCondition::Lost => row(
            "sends no data",
            "sends data again",
            "Look at its cable, its driver and the log of the server; 'qxups doctor' finds most causes. An outage would not be \
             seen meanwhile.",
            ["COMMBAD", "COMMOK"],
        ),
        NotifyCondition::ReplaceBattery => row(
            "says that its battery is to be replaced",
            "says no more that its battery is to be replaced",
            "Replace the battery soon: an outage may end without a warning.",
            ["REPLBATT", "NOTREPLBATT"],
        ),
        NotifyCondition::Overload => row(
            "is overloaded",
            "is not overloaded any more",
            "Take loads off it: an overloaded UPS may switch off, at the latest on battery.",
            ["OVER", "NOTOVER"],
        ),
        NotifyCondition::Bypass => row(
            "is on bypass",
            "is not on bypass any more",
            "The load is not protected. Look at the display of the UPS, and switch the bypass off if nothing needs it.",
            ["BYPASS", "NOTBYPASS"],
        ),
        NotifyCondition::OutputOff => row(
            "has its output switched off",
            "has its output switched on again",
            "What hangs on it has no power. Switch the output on if that was not meant.",
            ["OFF", "NOTOFF"],
        ),
        NotifyCondition::Alarm => row(
            "has an alarm",
            "has no alarm any more",
            "Look at the display of the UPS and in its manual.",
            ["ALARM", "NOTALARM"],
        ),
        NotifyCondition::ChargeBelow(_) => row(
            "has a low charge",
            "has enough charge again",
            "On battery, save what is open and switch off what can be spared. On mains, let it charge.",
            ["CHARGEBELOW", "NOTCHARGEBELOW"],
        ),
        NotifyCondition::RuntimeBelow(_) => row(
            "has a short runtime",
            "has enough runtime again",
            "On battery, save what is open and switch off what can be spared. On mains, take loads off it, or test the battery.",
            ["RUNTIMEBELOW", "NOTRUNTIMEBELOW"],
        ),
        NotifyCondition::TemperatureAbove(_) => row(
            "is too warm",
            "is not too warm any more",
            "Look at its fan and at the air of the room: heat wears the battery out.",
            ["TEMPERATUREABOVE", "NOTTEMPERATUREABOVE"],
        ),
        NotifyCondition::SecondaryMissing(_) => row(
            "misses a host that is to be logged in",
            "has that host logged in again",
            "Look at upsmon on that host and at its network: it would not shut down in an outage. 'qxups list --clients' shows who \
             is there.",
            ["SECONDARYMISSING", "NOTSECONDARYMISSING"],
        ),
    }
}

/// What is known of what happened.
#[derive(Clone, Debug)]
pub struct NoticeText<'n> {
    /// Began, repeated, ended.
    pub kind: NoticeKind,
    /// The rule's name.
    pub rule: &'n str,
    /// On what it is raised.
    pub condition: &'n NotifyCondition,
    /// The UPS.
    pub ups: &'n str,
    /// What it says; none without fresh data.
    pub said: Option<&'n UpsSaid>,
    /// The wall clock, in milliseconds since 1970.
    pub at_ms: i64,
    /// The same of when the condition began.
    pub since_ms: i64,
    /// How long it holds, or held.
    pub lasted: Duration,
    /// The end was not seen: there was no data, or the server did not run.
    pub ended_unseen: bool,
    /// The host that is missed.
    pub host: Option<IpAddr>,
}

impl NoticeText<'_> {
    /// Puts it in words; `clock` writes a time as people of this place read it.
    pub fn compose(&self, clock: &dyn Fn(i64) -> String) -> UpsNotice {
        let words = wording(self.condition);
        let (ups, lasted) = (self.ups, span(self.lasted));
        let host = self.host.map(|host| format!(" ({host})")).unwrap_or_default();
        let (is, ended) = (words.is, words.ended);
        let number = self.said.and_then(|said| said.number_of(self.condition));
        let (title, happened) = match self.kind {
            NoticeKind::Began => {
                (format!("{ups} {is}{host}"), format!("UPS {ups} {is}{host} since {}.", clock(self.since_ms)))
            }
            NoticeKind::Repeated => (
                format!("{ups} still {is}{host}, for {lasted}"),
                format!("UPS {ups} still {is}{host}, for {lasted}, since {}.", clock(self.since_ms)),
            ),
            NoticeKind::Ended if self.ended_unseen => (
                format!("{ups} {ended}{host}"),
                format!(
                    "UPS {ups} {ended}{host}, as seen at {}. It began at {}; the end was not seen, as there was no data meanwhile.",
                    clock(self.at_ms),
                    clock(self.since_ms)
                ),
            ),
            NoticeKind::Ended => (
                format!("{ups} {ended}{host} after {lasted}"),
                format!(
                    "UPS {ups} {ended}{host} at {}, after {lasted}. It began at {}.",
                    clock(self.at_ms),
                    clock(self.since_ms)
                ),
            ),
        };
        let bound = match (self.kind, number) {
            (NoticeKind::Ended, _) | (_, None) => String::new(),
            (_, Some(now)) => {
                let estimate = if now.is_estimate { ", by an estimate: the UPS does not say it" } else { "" };
                format!("\nThe rule is: {} (now {}{estimate}).", self.condition, now.value)
            }
        };
        let now = match self.said {
            Some(said) => format!("The UPS says: {}.", said.line()),
            None => "The UPS says nothing: there is no fresh data.".into(),
        };
        let advice = match self.kind {
            NoticeKind::Ended => String::new(),
            NoticeKind::Began | NoticeKind::Repeated => format!("\n{}", words.advice),
        };
        UpsNotice {
            id: String::new(),
            rule: self.rule.into(),
            ups: ups.into(),
            kind: self.kind,
            notify_type: words.types[usize::from(self.kind == NoticeKind::Ended)].into(),
            at_ms: self.at_ms,
            since_ms: self.since_ms,
            title,
            text: format!("{happened}{bound}\n{now}{advice}"),
            status: self.said.map(|said| said.status.clone()).unwrap_or_default(),
        }
    }
}
