//! What stands behind `ERR`.

use std::fmt;

/// A word that stands behind `ERR` (NUT 2.8.0 server/neterr.h). Clients compare it as it stands, and
/// some fail with one they do not know, so nothing is ever added to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ErrorWord {
    /// The user may not do this, or name and password do not fit.
    AccessDenied,
    /// There is no UPS of that name.
    UnknownUps,
    /// The UPS has no such variable.
    VarNotSupported,
    /// The UPS has no such command.
    CmdNotSupported,
    /// Words are missing, or too many, or not those of any request.
    InvalidArgument,
    /// The command could not be handed to the driver.
    InstcmdFailed,
    /// The value could not be handed to the driver.
    SetFailed,
    /// The variable cannot be written.
    ReadOnly,
    /// The value is longer than the variable takes.
    TooLong,
    /// The server has no TLS.
    FeatureNotSupported,
    /// TLS has no certificate, or tracking is off for this client.
    FeatureNotConfigured,
    /// The connection is encrypted already.
    AlreadySslMode,
    /// The server has no connection to the driver of the UPS.
    DriverNotConnected,
    /// The driver has no fresh data of the UPS.
    DataStale,
    /// This client did LOGIN before.
    AlreadyLoggedIn,
    /// Never sent by upsd 2.8.0; other servers send it.
    InvalidPassword,
    /// PASSWORD came before.
    AlreadySetPassword,
    /// Never sent by upsd 2.8.0; other servers send it.
    InvalidUsername,
    /// USERNAME came before.
    AlreadySetUsername,
    /// The request needs USERNAME first.
    UsernameRequired,
    /// The request needs PASSWORD first.
    PasswordRequired,
    /// No request begins with this word.
    UnknownCommand,
    /// The variable cannot have this value.
    InvalidValue,
}

/// Each with what stands on the wire.
const TEXTS: [(ErrorWord, &str); 23] = [
    (ErrorWord::AccessDenied, "ACCESS-DENIED"),
    (ErrorWord::UnknownUps, "UNKNOWN-UPS"),
    (ErrorWord::VarNotSupported, "VAR-NOT-SUPPORTED"),
    (ErrorWord::CmdNotSupported, "CMD-NOT-SUPPORTED"),
    (ErrorWord::InvalidArgument, "INVALID-ARGUMENT"),
    (ErrorWord::InstcmdFailed, "INSTCMD-FAILED"),
    (ErrorWord::SetFailed, "SET-FAILED"),
    (ErrorWord::ReadOnly, "READONLY"),
    (ErrorWord::TooLong, "TOO-LONG"),
    (ErrorWord::FeatureNotSupported, "FEATURE-NOT-SUPPORTED"),
    (ErrorWord::FeatureNotConfigured, "FEATURE-NOT-CONFIGURED"),
    (ErrorWord::AlreadySslMode, "ALREADY-SSL-MODE"),
    (ErrorWord::DriverNotConnected, "DRIVER-NOT-CONNECTED"),
    (ErrorWord::DataStale, "DATA-STALE"),
    (ErrorWord::AlreadyLoggedIn, "ALREADY-LOGGED-IN"),
    (ErrorWord::InvalidPassword, "INVALID-PASSWORD"),
    (ErrorWord::AlreadySetPassword, "ALREADY-SET-PASSWORD"),
    (ErrorWord::InvalidUsername, "INVALID-USERNAME"),
    (ErrorWord::AlreadySetUsername, "ALREADY-SET-USERNAME"),
    (ErrorWord::UsernameRequired, "USERNAME-REQUIRED"),
    (ErrorWord::PasswordRequired, "PASSWORD-REQUIRED"),
    (ErrorWord::UnknownCommand, "UNKNOWN-COMMAND"),
    (ErrorWord::InvalidValue, "INVALID-VALUE"),
];

impl ErrorWord {
    /// Every word there is.
    pub fn all() -> impl Iterator<Item = ErrorWord> {
        TEXTS.iter().map(|(word, _)| *word)
    }

    /// As it stands on the wire.
    pub fn text(self) -> &'static str {
        TEXTS.iter().find(|(word, _)| *word == self).map_or("", |(_, text)| text)
    }

    /// The word of this text; capitals matter.
    pub fn of(text: &str) -> Option<ErrorWord> {
        TEXTS.iter().find(|(_, known)| *known == text).map(|(word, _)| *word)
    }
}

impl fmt::Display for ErrorWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}
