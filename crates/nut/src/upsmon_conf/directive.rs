//! The words that lines of upsmon.conf begin with, and what follows each.

use std::fmt;

/// What stands first in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "each is the word itself; the fields of UpsmonConf say what it means")]
pub enum UpsmonDirective {
    Monitor,
    MinSupplies,
    ShutdownCmd,
    ShutdownExit,
    NotifyCmd,
    NotifyMsg,
    NotifyFlag,
    PollFreq,
    PollFreqAlert,
    PollFailLogThrottleMax,
    HostSync,
    DeadTime,
    OffDuration,
    OverDuration,
    OblbDuration,
    AlarmCritical,
    FinalDelay,
    RbWarnTime,
    NoCommWarnTime,
    PowerDownFlag,
    RunAsUser,
    CertPath,
    CertFile,
    CertIdent,
    CertHost,
    CertVerify,
    ForceSsl,
    DebugMin,
}

/// A directive: its word, what follows it, the least number it takes, and the release of NUT that has it first where that
/// is not 2.8.0.
struct DirectiveRow {
    directive: UpsmonDirective,
    word: &'static str,
    form: &'static str,
    least: i32,
    since: &'static str,
}

const fn row(
    directive: UpsmonDirective,
    word: &'static str,
    form: &'static str,
    least: i32,
    since: &'static str,
) -> DirectiveRow {
    DirectiveRow { directive, word, form, least, since }
}

/// Words, numbers of words and bounds: NUT 2.8.0 to 2.8.5 and the newest source, clients/upsmon.c.
const ROWS: [DirectiveRow; 28] = [
    row(
        UpsmonDirective::Monitor,
        "MONITOR",
        "ups@host 1 user password primary, or secondary in place of primary",
        0,
        "",
    ),
    row(UpsmonDirective::MinSupplies, "MINSUPPLIES", "and a number of supplies", 0, ""),
    row(UpsmonDirective::ShutdownCmd, "SHUTDOWNCMD", "and a command in quotes", 0, ""),
    row(UpsmonDirective::ShutdownExit, "SHUTDOWNEXIT", "yes, no, or a number of seconds", 0, "2.8.1"),
    row(UpsmonDirective::NotifyCmd, "NOTIFYCMD", "and the path of a program", 0, ""),
    row(UpsmonDirective::NotifyMsg, "NOTIFYMSG", "ONBATT \"UPS %s on battery\", or another event", 0, ""),
    row(UpsmonDirective::NotifyFlag, "NOTIFYFLAG", "ONBATT SYSLOG+EXEC, or another event", 0, ""),
    row(UpsmonDirective::PollFreq, "POLLFREQ", "and a number of seconds", 1, ""),
    row(UpsmonDirective::PollFreqAlert, "POLLFREQALERT", "and a number of seconds", 1, ""),
    row(
        UpsmonDirective::PollFailLogThrottleMax,
        "POLLFAIL_LOG_THROTTLE_MAX",
        "and a number of polls",
        0,
        "2.8.1",
    ),
    row(UpsmonDirective::HostSync, "HOSTSYNC", "and a number of seconds", 0, ""),
    row(UpsmonDirective::DeadTime, "DEADTIME", "and a number of seconds", 0, ""),
    row(UpsmonDirective::OffDuration, "OFFDURATION", "and a number of seconds, -1 for never", -1, "2.8.1"),
    row(UpsmonDirective::OverDuration, "OVERDURATION", "and a number of seconds, -1 for never", -1, "2.8.3"),
    row(UpsmonDirective::OblbDuration, "OBLBDURATION", "and a number of seconds", -1, "2.8.3"),
    row(UpsmonDirective::AlarmCritical, "ALARMCRITICAL", "0 or 1", 0, "2.8.3"),
    row(UpsmonDirective::FinalDelay, "FINALDELAY", "and a number of seconds", 0, ""),
    row(UpsmonDirective::RbWarnTime, "RBWARNTIME", "and a number of seconds", 0, ""),
    row(UpsmonDirective::NoCommWarnTime, "NOCOMMWARNTIME", "and a number of seconds", 0, ""),
    row(UpsmonDirective::PowerDownFlag, "POWERDOWNFLAG", "and the path of a file", 0, ""),
    row(UpsmonDirective::RunAsUser, "RUN_AS_USER", "and a user", 0, ""),
    row(UpsmonDirective::CertPath, "CERTPATH", "and a folder or file", 0, ""),
    row(UpsmonDirective::CertFile, "CERTFILE", "and a file", 0, "after 2.8.5"),
    row(UpsmonDirective::CertIdent, "CERTIDENT", "and the name and the password of a certificate", 0, ""),
    row(UpsmonDirective::CertHost, "CERTHOST", "and a host, the name of its certificate, 1 and 1", 0, ""),
    row(UpsmonDirective::CertVerify, "CERTVERIFY", "0 or 1", 0, ""),
    row(UpsmonDirective::ForceSsl, "FORCESSL", "0 or 1", 0, ""),
    row(UpsmonDirective::DebugMin, "DEBUG_MIN", "and a number from 0 on", 0, ""),
];

impl UpsmonDirective {
    /// Every one there is.
    pub fn all() -> impl Iterator<Item = UpsmonDirective> + Clone {
        ROWS.iter().map(|row| row.directive)
    }

    fn row(self) -> Option<&'static DirectiveRow> {
        ROWS.iter().find(|row| row.directive == self)
    }

    /// The word.
    pub fn word(self) -> &'static str {
        self.row().map_or("", |row| row.word)
    }

    /// What follows the word, for messages.
    pub fn form(self) -> &'static str {
        self.row().map_or("", |row| row.form)
    }

    /// The least number that it takes.
    pub fn least(self) -> i32 {
        self.row().map_or(0, |row| row.least)
    }

    /// The release of NUT that has it first; none where 2.8.0 has it.
    pub fn since(self) -> Option<&'static str> {
        self.row().map(|row| row.since).filter(|since| !since.is_empty())
    }

    /// The directive of this word: capitals matter, but in DEBUG_MIN, as in upsmon.
    pub(super) fn of(word: &str) -> Option<UpsmonDirective> {
        UpsmonDirective::all().find(|directive| {
            directive.word() == word
                || (*directive == UpsmonDirective::DebugMin && word.eq_ignore_ascii_case(directive.word()))
        })
    }

    /// How many words have to follow it, and how many are used; none: all of them.
    pub(super) fn words(self) -> (usize, Option<usize>) {
        match self {
            UpsmonDirective::Monitor => (5, Some(5)),
            UpsmonDirective::CertHost => (4, Some(4)),
            UpsmonDirective::NotifyMsg | UpsmonDirective::NotifyFlag | UpsmonDirective::CertIdent => {
                (2, Some(2))
            }
            UpsmonDirective::ShutdownCmd | UpsmonDirective::NotifyCmd => (1, None),
            _ => (1, Some(1)),
        }
    }
}

impl fmt::Display for UpsmonDirective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
