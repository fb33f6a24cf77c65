//! What a server answers.

use crate::network::{ErrorWord, TrackedOutcome};
use std::fmt;

/// What ends the answer to a request that was not refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// `OK`, with or without further words. After INSTCMD and SET: handed to the driver.
    Done,
    /// `OK TRACKING id`: what becomes of the order can be asked by this id.
    Tracked(String),
    /// `OK STARTTLS`: the client begins TLS.
    StartTls,
    /// `OK Goodbye`, or `Goodbye...` of former servers: the server closes.
    Goodbye,
    /// The line that answers VER, NETVER, PROTVER and HELP.
    Text(String),
    /// How many hosts are logged in.
    Logins(u32),
    /// A value or description.
    Value(String),
    /// The type of a variable.
    Type(Type),
    /// Whether tracking is on.
    Tracking(bool),
    /// What became of a tracked order.
    Outcome(TrackedOutcome),
    /// A list ends, after so many items.
    End(usize),
}

/// A line of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// Of LIST UPS.
    Ups {
        /// Its name.
        name: String,
        /// Its description; upsd has `Description unavailable` where there is none.
        description: String,
    },
    /// Of LIST VAR and LIST RW.
    Variable {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
    /// Of LIST CMD.
    Command(String),
    /// Of LIST ENUM.
    Choice(String),
    /// Of LIST RANGE; upsd has whole numbers, others may have decimals.
    Range {
        /// The least.
        least: String,
        /// The most.
        most: String,
    },
    /// Of LIST CLIENT: an address.
    Client(String),
}

/// The type of a variable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Type {
    /// `RW`: it can be written.
    pub writable: bool,
    /// `ENUM`: LIST ENUM has what it can be.
    pub choices: bool,
    /// `RANGE`: LIST RANGE has what it can be.
    pub ranges: bool,
    /// `STRING:n`: a text of at most n bytes.
    pub text: Option<i64>,
    /// `NUMBER`.
    pub number: bool,
}

impl Type {
    /// Of the words behind the name; unknown ones say nothing.
    pub(super) fn of<'a>(words: impl Iterator<Item = &'a str>) -> Type {
        let mut of = Type::default();
        for word in words {
            match word {
                "RW" => of.writable = true,
                "ENUM" => of.choices = true,
                "RANGE" => of.ranges = true,
                "NUMBER" => of.number = true,
                _ => {
                    of.text = word.strip_prefix("STRING:").and_then(|length| length.parse().ok()).or(of.text)
                }
            }
        }
        of
    }
}

/// `ERR`, and what stands behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The word, when it is one of upsd's.
    pub word: Option<ErrorWord>,
    /// All that stands behind `ERR`.
    pub text: String,
}

impl Refusal {
    /// Of the text behind `ERR`.
    pub(super) fn of(text: &str) -> Refusal {
        let word = text.split(' ').next().and_then(ErrorWord::of);
        Refusal { word, text: text.into() }
    }

    /// Whether the server does not know such a request, as one that is older than it.
    pub fn is_unknown_request(&self) -> bool {
        matches!(
            self.word,
            Some(ErrorWord::UnknownCommand | ErrorWord::InvalidArgument | ErrorWord::FeatureNotSupported)
        )
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(word) = self.word else {
            return write!(f, "the server answers 'ERR {}'; see its log for the reason", self.text);
        };
        write!(f, "{}", advice(word))?;
        write!(f, " (ERR {})", self.text)
    }
}

impl std::error::Error for Refusal {}

/// What happened, and what to do.
fn advice(word: ErrorWord) -> &'static str {
    match word {
        ErrorWord::AccessDenied => {
            "the server refuses: user or password are wrong, or the user may not do this; check them in \
             upsd.users"
        }
        ErrorWord::UnknownUps => {
            "the server has no UPS of that name; list its names with 'qxups list' (of another server: 'qxups list @HOST')"
        }
        ErrorWord::VarNotSupported => "the UPS has no such variable; list them with 'qxups list UPS'",
        ErrorWord::CmdNotSupported => "the UPS has no such command; list them with 'qxups list UPS commands'",
        ErrorWord::InvalidArgument => "the server does not understand the request; check its words",
        ErrorWord::InstcmdFailed | ErrorWord::SetFailed => {
            "the server cannot hand this to the driver; look at the driver's log"
        }
        ErrorWord::ReadOnly => "the variable cannot be written; choose one that can",
        ErrorWord::TooLong => "the value is too long for the variable; shorten it",
        ErrorWord::FeatureNotSupported => "the server has no such feature; go on without it",
        ErrorWord::FeatureNotConfigured => {
            "the server has no certificate for TLS, or tracking is off; configure it"
        }
        ErrorWord::AlreadySslMode => "the connection is encrypted already; go on",
        ErrorWord::DriverNotConnected => "the driver of the UPS does not run; start it",
        ErrorWord::DataStale => "the driver has no fresh data of the UPS; look at cable and driver",
        ErrorWord::AlreadyLoggedIn => "this connection is logged in already; go on",
        ErrorWord::InvalidPassword | ErrorWord::AlreadySetPassword | ErrorWord::PasswordRequired => {
            "the server does not take the password; give one, and only once"
        }
        ErrorWord::InvalidUsername | ErrorWord::AlreadySetUsername | ErrorWord::UsernameRequired => {
            "the server does not take the user; name one, and only once"
        }
        ErrorWord::UnknownCommand => "the server does not know this request; it may be older than it",
        ErrorWord::InvalidValue => "the variable cannot have this value; list what it can have",
    }
}
