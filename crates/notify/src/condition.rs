//! On what a rule is raised.

use crate::said::{SaidNumber, UpsSaid, UpsSight};
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

/// A condition, as `when` of a rule spells it. What is not said decides nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum NotifyCondition {
    /// OB, until OL.
    OnBattery,
    /// LB.
    LowBattery,
    /// FSD, of the UPS or by the latch of the server.
    ForcedShutdown,
    /// There is no fresh data.
    Lost,
    /// RB.
    ReplaceBattery,
    /// OVER.
    Overload,
    /// BYPASS.
    Bypass,
    /// OFF.
    OutputOff,
    /// ALARM, or a text in `ups.alarm`.
    Alarm,
    /// `battery.charge` is below so many percent.
    ChargeBelow(f64),
    /// `battery.runtime` is below so many seconds.
    RuntimeBelow(f64),
    /// `ups.temperature` is above so many degrees Celsius.
    TemperatureAbove(f64),
    /// One of these hosts is not logged in.
    SecondaryMissing(Vec<IpAddr>),
}

/// The conditions without a number, as they are written.
const PLAIN: [(&str, NotifyCondition); 9] = [
    ("on battery", NotifyCondition::OnBattery),
    ("low battery", NotifyCondition::LowBattery),
    ("forced shutdown", NotifyCondition::ForcedShutdown),
    ("lost", NotifyCondition::Lost),
    ("replace battery", NotifyCondition::ReplaceBattery),
    ("overload", NotifyCondition::Overload),
    ("bypass", NotifyCondition::Bypass),
    ("output off", NotifyCondition::OutputOff),
    ("alarm", NotifyCondition::Alarm),
];
/// Those with one: what it is made of, its unit, the least and the most.
type Numbered = (&'static str, &'static str, f64, f64, fn(f64) -> NotifyCondition);
const NUMBERED: [Numbered; 3] = [
    ("charge below", "%", 1.0, 100.0, NotifyCondition::ChargeBelow),
    ("runtime below", "s", 1.0, 1_000_000.0, NotifyCondition::RuntimeBelow),
    ("temperature above", "C", -50.0, 150.0, NotifyCondition::TemperatureAbove),
];
/// The one with hosts.
const MISSING: &str = "secondary missing";

/// A charge that rose by so much above its bound, in percent, is not below it any more.
const CHARGE_SLACK: f64 = 2.0;
/// The same of a runtime, as a part of the bound.
const RUNTIME_SLACK: f64 = 0.1;
/// The same of a temperature, downwards, in degrees.
const TEMPERATURE_SLACK: f64 = 1.0;

impl NotifyCondition {
    /// The words that can be written, for messages.
    pub fn spellings() -> Vec<&'static str> {
        let plain = PLAIN.iter().map(|(words, _)| *words);
        plain.chain(NUMBERED.iter().map(|numbered| numbered.0)).chain([MISSING]).collect()
    }

    /// Reads it: `on battery`, `charge below 30`, `secondary missing`.
    ///
    /// # Errors
    /// What to write instead, where the words are known and the number is not; an empty text where they are not.
    pub fn parse(text: &str) -> Result<NotifyCondition, String> {
        let text = text.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        if let Some((_, condition)) = PLAIN.iter().find(|(words, _)| *words == text) {
            return Ok(condition.clone());
        }
        if text == MISSING {
            return Ok(NotifyCondition::SecondaryMissing(vec![]));
        }
        for (words, unit, least, most, make) in NUMBERED {
            let Some(rest) = text.strip_prefix(words) else { continue };
            let number = rest.trim().strip_suffix(unit).unwrap_or(rest).trim();
            let number = number.parse::<f64>().ok().filter(|number| (least..=most).contains(number));
            return number.map(make).ok_or_else(|| {
                format!("write \"{words} N\" with a number from {least} to {most}, in {}", unit_name(unit))
            });
        }
        Err(String::new())
    }

    /// How long it has to hold where the rule does not say that: mains that fail are told at once, a server or a host that
    /// starts again is not.
    pub fn usual_after(&self) -> Duration {
        match self {
            NotifyCondition::Lost => Duration::from_secs(15),
            NotifyCondition::SecondaryMissing(_) => Duration::from_secs(60),
            _ => Duration::ZERO,
        }
    }

    /// Whether it holds; none where what is seen does not say so. A number at its bound does not flicker: what is raised
    /// ends a little beyond.
    pub(crate) fn holds(&self, sight: UpsSight<'_>, is_raised: bool) -> Option<bool> {
        match self {
            NotifyCondition::Lost => return Some(sight.said.is_none()),
            NotifyCondition::SecondaryMissing(hosts) => {
                return Some(hosts.iter().any(|host| !sight.hosts.contains(host)));
            }
            _ => {}
        }
        let said = sight.said?;
        let slack = |slack: f64| if is_raised { slack } else { 0.0 };
        match self {
            NotifyCondition::OnBattery if said.has("OB") => Some(true),
            // bypass and off say nothing of mains
            NotifyCondition::OnBattery => said.has("OL").then_some(false),
            NotifyCondition::LowBattery => Some(said.has("LB")),
            NotifyCondition::ForcedShutdown => Some(said.has("FSD")),
            NotifyCondition::ReplaceBattery => Some(said.has("RB")),
            NotifyCondition::Overload => Some(said.has("OVER")),
            NotifyCondition::Bypass => Some(said.has("BYPASS")),
            NotifyCondition::OutputOff => Some(said.has("OFF")),
            NotifyCondition::Alarm => Some(said.has("ALARM") || !said.alarm.is_empty()),
            NotifyCondition::ChargeBelow(bound) => {
                let end = (bound + slack(CHARGE_SLACK)).min(100.0);
                below(said.charge, end)
            }
            NotifyCondition::RuntimeBelow(bound) => below(said.runtime, bound * (1.0 + slack(RUNTIME_SLACK))),
            NotifyCondition::TemperatureAbove(bound) => {
                said.temperature.map(|now| now.value > bound - slack(TEMPERATURE_SLACK))
            }
            NotifyCondition::Lost | NotifyCondition::SecondaryMissing(_) => None,
        }
    }
}

fn below(number: Option<SaidNumber>, bound: f64) -> Option<bool> {
    number.map(|now| now.value < bound)
}

fn unit_name(unit: &str) -> &'static str {
    match unit {
        "%" => "percent",
        "s" => "seconds",
        _ => "degrees Celsius",
    }
}

impl fmt::Display for NotifyCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((words, _)) = PLAIN.iter().find(|(_, condition)| condition == self) {
            return f.write_str(words);
        }
        match self {
            NotifyCondition::ChargeBelow(bound) => write!(f, "charge below {bound} %"),
            NotifyCondition::RuntimeBelow(bound) => write!(f, "runtime below {bound} s"),
            NotifyCondition::TemperatureAbove(bound) => write!(f, "temperature above {bound} C"),
            _ => f.write_str(MISSING),
        }
    }
}

impl UpsSaid {
    /// The number that a condition is about.
    pub(crate) fn number_of(&self, condition: &NotifyCondition) -> Option<SaidNumber> {
        match condition {
            NotifyCondition::ChargeBelow(_) => self.charge,
            NotifyCondition::RuntimeBelow(_) => self.runtime,
            NotifyCondition::TemperatureAbove(_) => self.temperature,
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_is_read() {
        for text in NotifyCondition::spellings() {
            let text = match NUMBERED.iter().find(|numbered| numbered.0 == text) {
                Some((words, unit, ..)) => format!("{words} 40 {unit}"),
                None => text.to_string(),
            };
            assert_eq!(NotifyCondition::parse(&text).unwrap().to_string(), text);
        }
        assert_eq!(NotifyCondition::parse("charge  below 30"), Ok(NotifyCondition::ChargeBelow(30.0)));
        for (text, part) in [
            ("charge below", "charge below N"),
            ("charge below 0", "from 1 to 100"),
            ("runtime below 5 %", "in seconds"),
            ("temperature above hot", "degrees"),
            ("on batery", ""),
            ("", ""),
        ] {
            let why = NotifyCondition::parse(text).unwrap_err();
            assert!(why.contains(part) && why.is_empty() == part.is_empty(), "{text}: {why}");
        }
    }

    #[test]
    fn a_status_without_a_word_of_mains_decides_nothing_of_mains() {
        let holds = |status: &str| {
            let said = UpsSaid { status: status.into(), ..UpsSaid::default() };
            NotifyCondition::OnBattery.holds(UpsSight { said: Some(&said), hosts: &[] }, false)
        };
        assert_eq!(holds("OB LB"), Some(true));
        assert_eq!(holds("OL CHRG"), Some(false));
        assert_eq!(holds("BYPASS"), None);
        assert_eq!(holds("OFF"), None);
    }
}
