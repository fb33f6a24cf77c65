//! Status words and alarms.

use std::fmt;

/// One word of `ups.status`, in the order in which NUT prints them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Status {
    /// `OL`: mains is good. Its absence is printed as `OB`.
    Online,
    /// `DISCHRG`: the battery discharges.
    Discharging,
    /// `CHRG`: the battery charges.
    Charging,
    /// `LB`: the battery is low.
    LowBattery,
    /// `OVER`: the load is too high.
    Overload,
    /// `RB`: the battery has to be replaced.
    ReplaceBattery,
    /// `TRIM`: the voltage is lowered.
    Trim,
    /// `BOOST`: the voltage is raised.
    Boost,
    /// `BYPASS`: mains goes straight to the load.
    Bypass,
    /// `OFF`: the load is not powered.
    Off,
    /// `CAL`: a battery test is running.
    Calibrating,
    /// `FSD`: the UPS is about to switch off.
    ForcedShutdown,
    /// Never published: the UPS boosts, trims or bypasses, and its voltages have to tell which.
    Regulating,
}

use Status::*;

impl Status {
    /// Every word that is published.
    pub const ALL: [Status; 12] = [
        Online,
        Discharging,
        Charging,
        LowBattery,
        Overload,
        ReplaceBattery,
        Trim,
        Boost,
        Bypass,
        Off,
        Calibrating,
        ForcedShutdown,
    ];

    /// NUT's word.
    pub const fn word(self) -> &'static str {
        match self {
            Online => "OL",
            Discharging => "DISCHRG",
            Charging => "CHRG",
            LowBattery => "LB",
            Overload => "OVER",
            ReplaceBattery => "RB",
            Trim => "TRIM",
            Boost => "BOOST",
            Bypass => "BYPASS",
            Off => "OFF",
            Calibrating => "CAL",
            ForcedShutdown => "FSD",
            Regulating => "(TRIM, BOOST or BYPASS)",
        }
    }

    /// The alarm that NUT raises with this word.
    pub const fn alarm(self) -> Option<Alarm> {
        match self {
            ReplaceBattery => Some(Alarm::text("Replace battery!")),
            ForcedShutdown => Some(Alarm::text("Shutdown imminent!")),
            _ => None,
        }
    }
}

/// A set of status words.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct StatusSet(u16);

impl StatusSet {
    /// No word.
    pub const EMPTY: StatusSet = StatusSet(0);

    /// This set and one word more.
    pub const fn with(self, status: Status) -> StatusSet {
        StatusSet(self.0 | 1 << status as u8)
    }
    /// This set without a word.
    pub const fn without(self, status: Status) -> StatusSet {
        StatusSet(self.0 & !(1 << status as u8))
    }
    /// This set without the words of another.
    pub const fn without_all(self, other: StatusSet) -> StatusSet {
        StatusSet(self.0 & !other.0)
    }
    /// Whether the word is in the set.
    pub const fn has(self, status: Status) -> bool {
        self.0 & 1 << status as u8 != 0
    }
    /// The words in either.
    pub const fn or(self, other: StatusSet) -> StatusSet {
        StatusSet(self.0 | other.0)
    }
    /// The words in both.
    pub const fn and(self, other: StatusSet) -> StatusSet {
        StatusSet(self.0 & other.0)
    }
    /// The alarms that come with its words.
    pub fn alarms(self) -> impl Iterator<Item = Alarm> {
        Status::ALL.into_iter().filter(move |status| self.has(*status)).filter_map(Status::alarm)
    }
    /// The text of `ups.status`: `OL` or `OB` first, then the other words.
    pub fn published(self, alarm: bool) -> String {
        let mut words = Vec::with_capacity(4);
        if alarm {
            words.push("ALARM");
        }
        if !self.has(Online) {
            words.push("OB");
        }
        words.extend(Status::ALL.into_iter().filter(|s| self.has(*s)).map(Status::word));
        words.join(" ")
    }
}

impl fmt::Debug for StatusSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.published(false))?;
        if self.has(Regulating) { write!(f, " {}", Regulating.word()) } else { Ok(()) }
    }
}

/// A sentence of `ups.alarm`. Alarms come from the tables only, never from the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// The text NUT gives it, which scripts look for.
    pub text: &'static str,
    /// It is one of the numbered warnings of voltronic, which are published together.
    pub warning: Option<Warning>,
}

/// The number of a warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Warning {
    /// What stands before all warnings.
    pub of: &'static str,
    /// Its number, counted from 1.
    pub number: u8,
}

impl Alarm {
    /// An alarm of its own.
    pub const fn text(text: &'static str) -> Alarm {
        Alarm { text, warning: None }
    }
    /// A numbered warning of a UPS; without a text its meaning is not known.
    pub const fn warning(number: u8, text: &'static str) -> Alarm {
        Alarm { text, warning: Some(Warning { of: "UPS", number }) }
    }
    /// The same of an inverter.
    pub const fn device_warning(number: u8, text: &'static str) -> Alarm {
        Alarm { text, warning: Some(Warning { of: "Device", number }) }
    }
}

/// Warnings that would be longer than this together are published by their numbers (NUT 2.8.0
/// nutdrv_qx_voltronic.c: the room of a variable, 256, less 32 for other alarms).
const WARNINGS_ROOM: usize = 224;

/// The text of `ups.alarm`: each alarm once, in the order given, warnings joined where the first
/// of them stands. `None` when there is none.
pub fn alarm_text(alarms: &[Alarm]) -> Option<String> {
    let mut parts: Vec<String> = vec![];
    let warnings: Vec<Alarm> = alarms.iter().filter(|alarm| alarm.warning.is_some()).copied().collect();
    let mut told = false;
    for (at, alarm) in alarms.iter().enumerate() {
        if alarm.warning.is_some() {
            if !std::mem::replace(&mut told, true) {
                parts.push(warning_text(&warnings));
            }
        } else if !alarms[..at].contains(alarm) {
            parts.push(alarm.text.into());
        }
    }
    (!parts.is_empty()).then(|| parts.join(" "))
}

fn warning_text(warnings: &[Alarm]) -> String {
    let numbers = |known: bool| -> String {
        let of_kind = warnings.iter().filter(|warning| warning.text.is_empty() != known);
        let numbers: Vec<String> = of_kind
            .filter_map(|warning| warning.warning)
            .map(|warning| format!("#{:02}", warning.number))
            .collect();
        numbers.join(", ")
    };
    let (known, unknown) = (numbers(true), numbers(false));
    let texts: Vec<&str> =
        warnings.iter().map(|warning| warning.text).filter(|text| !text.is_empty()).collect();
    let texts = texts.join(" ");
    let unknown = if unknown.is_empty() { unknown } else { format!("Unknown warnings [bit: {unknown}]") };
    let explicit = match (texts.is_empty(), unknown.is_empty()) {
        (false, false) => format!("{texts} {unknown}"),
        _ => format!("{texts}{unknown}"),
    };
    let told = if explicit.len() < WARNINGS_ROOM || texts.is_empty() {
        explicit
    } else {
        let known = format!("Known (see log or manual) [bit: {known}]");
        if unknown.is_empty() { known } else { format!("{known}; {unknown}") }
    };
    let of = warnings.first().and_then(|warning| warning.warning).map_or("UPS", |warning| warning.of);
    format!("{of} warnings: {told}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_in_the_order_of_nut() {
        let set = StatusSet::EMPTY.with(ForcedShutdown).with(Calibrating).with(LowBattery);
        assert_eq!(set.published(true), "ALARM OB LB CAL FSD");
        assert_eq!(set.with(Online).with(Boost).published(false), "OL LB BOOST CAL FSD");
    }

    #[test]
    fn warnings_are_told_in_words_or_by_number() {
        let low = Alarm::warning(8, "Low battery.");
        let fan = Alarm::warning(10, "Fan alarm.");
        let unknown = Alarm::warning(60, "");
        let other = Alarm::text("UPS Fault!");
        assert_eq!(alarm_text(&[]), None);
        assert_eq!(
            alarm_text(&[other, low, other, fan]).unwrap(),
            "UPS Fault! UPS warnings: Low battery. Fan alarm."
        );
        assert_eq!(
            alarm_text(&[low, unknown]).unwrap(),
            "UPS warnings: Low battery. Unknown warnings [bit: #60]"
        );
        assert_eq!(alarm_text(&[unknown]).unwrap(), "UPS warnings: Unknown warnings [bit: #60]");
        let long = Alarm::warning(
            29,
            "Male connector of parallel cable not connected well, and so on and so on and so on and so on.",
        );
        assert_eq!(
            alarm_text(&[long, long, low, long, unknown]).unwrap(),
            "UPS warnings: Known (see log or manual) [bit: #29, #29, #08, #29]; Unknown warnings [bit: #60]"
        );
    }
}
