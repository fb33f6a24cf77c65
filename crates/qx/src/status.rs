//! Status words and alarms.

use std::fmt;

/// One word of `ups.status`, in the order in which NUT prints them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Status {
    /// `OL`: mains is good. Its absence is printed as `OB`.
    Online,
    /// `LB`: the battery is low.
    LowBattery,
    /// `TRIM`: the voltage is lowered.
    Trim,
    /// `BOOST`: the voltage is raised.
    Boost,
    /// `BYPASS`: mains goes straight to the load.
    Bypass,
    /// `CAL`: a battery test is running.
    Calibrating,
    /// `FSD`: the UPS is about to switch off.
    ForcedShutdown,
}

use Status::*;

impl Status {
    /// Every word.
    pub const ALL: [Status; 7] = [Online, LowBattery, Trim, Boost, Bypass, Calibrating, ForcedShutdown];

    /// NUT's word.
    pub const fn word(self) -> &'static str {
        match self {
            Online => "OL",
            LowBattery => "LB",
            Trim => "TRIM",
            Boost => "BOOST",
            Bypass => "BYPASS",
            Calibrating => "CAL",
            ForcedShutdown => "FSD",
        }
    }
}

/// A set of status words.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct StatusSet(u16);

impl StatusSet {
    /// The words that make hosts shut down, or keep them from it: a change of one of them is
    /// believed only when two readings agree.
    pub const CRITICAL: StatusSet = StatusSet::EMPTY.with(Online).with(LowBattery).with(ForcedShutdown);
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
        f.write_str(&self.published(false))
    }
}

/// A sentence of `ups.alarm`. Alarms come from this list only, never from the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Alarm {
    /// The UPS says that its self test failed.
    SelfTestFailed,
    /// The UPS is about to switch off.
    ShutdownImminent,
}

impl Alarm {
    /// The text NUT gives it, which scripts look for.
    pub const fn text(self) -> &'static str {
        match self {
            Alarm::SelfTestFailed => "UPS selftest failed!",
            Alarm::ShutdownImminent => "Shutdown imminent!",
        }
    }
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
}
