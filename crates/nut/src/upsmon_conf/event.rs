//! What upsmon tells of: the types that NOTIFYMSG, NOTIFYFLAG and `AT` of upssched.conf name, and where a notice goes.

use std::fmt;

/// What happened, by NUT's word (NUT 2.8.0 and newest, clients/upsmon.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "each is the word itself, and its text says what happened")]
pub enum UpsmonEvent {
    Online,
    OnBattery,
    LowBattery,
    ForcedShutdown,
    CommOk,
    CommBad,
    Shutdown,
    ShutdownHostSync,
    ReplaceBattery,
    NoComm,
    NoParent,
    Calibration,
    NotCalibration,
    Off,
    NotOff,
    Bypass,
    NotBypass,
    Eco,
    NotEco,
    Alarm,
    NotAlarm,
    Overload,
    NotOverload,
    Trim,
    NotTrim,
    Boost,
    NotBoost,
    Other,
    NotOther,
    SuspendTimeJump,
    SuspendStarting,
    SuspendFinished,
}

/// Each with its word, the release that has it first where that is not 2.8.0, and whether it is of one UPS.
const EVENTS: [(UpsmonEvent, &str, &str, bool); 32] = [
    (UpsmonEvent::Online, "ONLINE", "", true),
    (UpsmonEvent::OnBattery, "ONBATT", "", true),
    (UpsmonEvent::LowBattery, "LOWBATT", "", true),
    (UpsmonEvent::ForcedShutdown, "FSD", "", true),
    (UpsmonEvent::CommOk, "COMMOK", "", true),
    (UpsmonEvent::CommBad, "COMMBAD", "", true),
    (UpsmonEvent::Shutdown, "SHUTDOWN", "", false),
    (UpsmonEvent::ShutdownHostSync, "SHUTDOWN_HOSTSYNC", "2.8.5", false),
    (UpsmonEvent::ReplaceBattery, "REPLBATT", "", true),
    (UpsmonEvent::NoComm, "NOCOMM", "", true),
    (UpsmonEvent::NoParent, "NOPARENT", "", false),
    (UpsmonEvent::Calibration, "CAL", "", true),
    (UpsmonEvent::NotCalibration, "NOTCAL", "2.8.2", true),
    (UpsmonEvent::Off, "OFF", "2.8.1", true),
    (UpsmonEvent::NotOff, "NOTOFF", "2.8.1", true),
    (UpsmonEvent::Bypass, "BYPASS", "2.8.1", true),
    (UpsmonEvent::NotBypass, "NOTBYPASS", "2.8.1", true),
    (UpsmonEvent::Eco, "ECO", "2.8.3", true),
    (UpsmonEvent::NotEco, "NOTECO", "2.8.3", true),
    (UpsmonEvent::Alarm, "ALARM", "2.8.3", true),
    (UpsmonEvent::NotAlarm, "NOTALARM", "2.8.3", true),
    (UpsmonEvent::Overload, "OVER", "2.8.3", true),
    (UpsmonEvent::NotOverload, "NOTOVER", "2.8.3", true),
    (UpsmonEvent::Trim, "TRIM", "2.8.3", true),
    (UpsmonEvent::NotTrim, "NOTTRIM", "2.8.3", true),
    (UpsmonEvent::Boost, "BOOST", "2.8.3", true),
    (UpsmonEvent::NotBoost, "NOTBOOST", "2.8.3", true),
    (UpsmonEvent::Other, "OTHER", "2.8.3", true),
    (UpsmonEvent::NotOther, "NOTOTHER", "2.8.3", true),
    (UpsmonEvent::SuspendTimeJump, "SUSPEND_TIMEJUMP_UNEXPECTED", "after 2.8.5", false),
    (UpsmonEvent::SuspendStarting, "SUSPEND_STARTING", "2.8.3", false),
    (UpsmonEvent::SuspendFinished, "SUSPEND_FINISHED", "2.8.3", false),
];

impl UpsmonEvent {
    /// Every one there is.
    pub fn all() -> impl Iterator<Item = UpsmonEvent> + Clone {
        EVENTS.iter().map(|(event, ..)| *event)
    }

    /// The event of a word, in any case, as in upsmon.
    pub fn named(word: &str) -> Option<UpsmonEvent> {
        EVENTS.iter().find(|(_, name, ..)| name.eq_ignore_ascii_case(word)).map(|(event, ..)| *event)
    }

    /// NUT's word for it, as NOTIFYTYPE has it.
    pub fn word(self) -> &'static str {
        EVENTS.iter().find(|(event, ..)| *event == self).map_or("", |(_, word, ..)| word)
    }

    /// The release of NUT that has it first; none where 2.8.0 has it.
    pub fn since(self) -> Option<&'static str> {
        let row = EVENTS.iter().find(|(event, ..)| *event == self);
        row.map(|(_, _, since, _)| *since).filter(|since| !since.is_empty())
    }

    /// Whether it is of one UPS; others are of the host.
    pub fn is_of_ups(self) -> bool {
        EVENTS.iter().any(|(event, _, _, is_of_ups)| *event == self && *is_of_ups)
    }
}

impl fmt::Display for UpsmonEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Where a notice goes. IGNORE beside others wins, as in upsmon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NotifyFlags {
    /// SYSLOG.
    pub syslog: bool,
    /// WALL: to the terminals of all that are logged in.
    pub wall: bool,
    /// EXEC: to NOTIFYCMD.
    pub exec: bool,
    /// IGNORE: nowhere.
    pub ignore: bool,
}

impl NotifyFlags {
    /// What upsmon does with an event that no NOTIFYFLAG names.
    pub const USUAL: NotifyFlags = NotifyFlags { syslog: true, wall: true, exec: false, ignore: false };
    /// The words there are.
    pub const WORDS: [&'static str; 4] = ["SYSLOG", "WALL", "EXEC", "IGNORE"];

    /// Whether NOTIFYCMD runs.
    pub fn runs(self) -> bool {
        self.exec && !self.ignore
    }

    /// Those of `SYSLOG+WALL`, and the words that are none; capitals matter, as in upsmon.
    pub(super) fn of(text: &str) -> (NotifyFlags, Vec<&str>) {
        let (mut flags, mut others) = (NotifyFlags::default(), vec![]);
        for word in text.split('+') {
            match word {
                "SYSLOG" => flags.syslog = true,
                "WALL" => flags.wall = true,
                "EXEC" => flags.exec = true,
                "IGNORE" => flags.ignore = true,
                other => others.push(other),
            }
        }
        (flags, others)
    }
}
