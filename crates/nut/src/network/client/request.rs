//! What a client asks.

use crate::words::{LONGEST_WORD, quoted};
use std::fmt;

/// A request of a client (NUT 2.8.0 docs/net-protocol.txt).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetworkRequest {
    /// `VER`.
    Version,
    /// `NETVER`, the name that every server knows.
    NetVersion,
    /// `PROTVER`, its name since NUT 2.8.0.
    ProtocolVersion,
    /// `HELP`.
    Help,
    /// `STARTTLS`.
    StartTls,
    /// `USERNAME`.
    Username(String),
    /// `PASSWORD`.
    Password(Secret),
    /// `LOGIN`: this host is fed by the UPS.
    Login(String),
    /// `LOGOUT`.
    Logout,
    /// `PRIMARY`, since NUT 2.8.0.
    Primary(String),
    /// `MASTER`, its name before.
    Master(String),
    /// `FSD`.
    ForceShutdown(String),
    /// Ours: `FSD ups CLEAR`. upsd answers INVALID-ARGUMENT.
    ClearForcedShutdown(String),
    /// `GET NUMLOGINS`.
    Logins(String),
    /// `GET UPSDESC`.
    UpsDescription(String),
    /// `GET` of what one variable or command of a UPS is.
    Get(About, String, String),
    /// `GET TRACKING`: whether it is on.
    Tracking,
    /// `GET TRACKING id`.
    Outcome(String),
    /// `LIST UPS`.
    ListUps,
    /// `LIST` of what a UPS has.
    List(Having, String),
    /// `LIST` of what a variable of a UPS can be.
    ListValues(Values, String, String),
    /// `SET VAR`.
    Set {
        /// The UPS.
        ups: String,
        /// The variable.
        variable: String,
        /// Its new value.
        value: String,
    },
    /// `SET TRACKING`.
    SetTracking(bool),
    /// `INSTCMD`.
    Command {
        /// The UPS.
        ups: String,
        /// The command.
        name: String,
        /// Its parameter.
        parameter: Option<String>,
    },
}

/// A text that no log shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}

/// What [`NetworkRequest::Get`] asks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// `VAR`: the value of a variable.
    Value,
    /// `TYPE` of a variable.
    Type,
    /// `DESC`: what a variable is.
    Description,
    /// `CMDDESC`: what a command does.
    CommandDescription,
}

/// What [`NetworkRequest::List`] lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Having {
    /// `VAR`.
    Variables,
    /// `RW`: the variables that can be written.
    Writables,
    /// `CMD`.
    Commands,
    /// `CLIENT`: the hosts that are logged in.
    Clients,
}

/// What [`NetworkRequest::ListValues`] lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// `ENUM`.
    Choices,
    /// `RANGE`.
    Ranges,
}

impl About {
    /// Its word on the wire.
    pub fn word(self) -> &'static str {
        match self {
            About::Value => "VAR",
            About::Type => "TYPE",
            About::Description => "DESC",
            About::CommandDescription => "CMDDESC",
        }
    }
}

impl Having {
    /// Its word on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Having::Variables => "VAR",
            Having::Writables => "RW",
            Having::Commands => "CMD",
            Having::Clients => "CLIENT",
        }
    }
}

impl Values {
    /// Its word on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Values::Choices => "ENUM",
            Values::Ranges => "RANGE",
        }
    }
}

/// A text that no request can carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unspeakable {
    /// It has characters that servers drop: all but printable ASCII.
    Letters(String),
    /// It has more than [`LONGEST_WORD`] bytes.
    Long(String),
}

impl fmt::Display for Unspeakable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unspeakable::Letters(text) => {
                write!(
                    f,
                    "NUT's protocol has no letters but ASCII: write '{}' without others",
                    text.escape_debug()
                )
            }
            Unspeakable::Long(text) => write!(
                f,
                "a text of {} bytes is too long for NUT's protocol: use at most {LONGEST_WORD}",
                text.len()
            ),
        }
    }
}

impl std::error::Error for Unspeakable {}

impl fmt::Display for NetworkRequest {
    /// The words of the request, without a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let NetworkRequest::Password(_) = self {
            return f.write_str("PASSWORD");
        }
        let (words, text) = self.words();
        f.write_str(&words.join(" "))?;
        text.map_or(Ok(()), |text| write!(f, " {}", quoted(text)))
    }
}

impl NetworkRequest {
    /// The words of the request, and which of them is a text that stands in quotes.
    fn words(&self) -> (Vec<&str>, Option<&str>) {
        let on = |on: bool| if on { "ON" } else { "OFF" };
        let words = match self {
            NetworkRequest::Version => vec!["VER"],
            NetworkRequest::NetVersion => vec!["NETVER"],
            NetworkRequest::ProtocolVersion => vec!["PROTVER"],
            NetworkRequest::Help => vec!["HELP"],
            NetworkRequest::StartTls => vec!["STARTTLS"],
            NetworkRequest::Username(name) => vec!["USERNAME", name],
            NetworkRequest::Password(Secret(password)) => vec!["PASSWORD", password],
            NetworkRequest::Login(ups) => vec!["LOGIN", ups],
            NetworkRequest::Logout => vec!["LOGOUT"],
            NetworkRequest::Primary(ups) => vec!["PRIMARY", ups],
            NetworkRequest::Master(ups) => vec!["MASTER", ups],
            NetworkRequest::ForceShutdown(ups) => vec!["FSD", ups],
            NetworkRequest::ClearForcedShutdown(ups) => vec!["FSD", ups, "CLEAR"],
            NetworkRequest::Logins(ups) => vec!["GET", "NUMLOGINS", ups],
            NetworkRequest::UpsDescription(ups) => vec!["GET", "UPSDESC", ups],
            NetworkRequest::Get(about, ups, name) => vec!["GET", about.word(), ups, name],
            NetworkRequest::Tracking => vec!["GET", "TRACKING"],
            NetworkRequest::Outcome(id) => vec!["GET", "TRACKING", id],
            NetworkRequest::ListUps => vec!["LIST", "UPS"],
            NetworkRequest::List(having, ups) => vec!["LIST", having.word(), ups],
            NetworkRequest::ListValues(values, ups, name) => vec!["LIST", values.word(), ups, name],
            NetworkRequest::Set { ups, variable, value } => {
                return (vec!["SET", "VAR", ups, variable], Some(value));
            }
            NetworkRequest::SetTracking(state) => vec!["SET", "TRACKING", on(*state)],
            NetworkRequest::Command { ups, name, parameter } => {
                let mut words = vec!["INSTCMD", ups, name];
                words.extend(parameter.as_deref());
                words
            }
        };
        (words, None)
    }

    /// Appends the line. Quotes stand only where they are needed, and around a value that is set: small
    /// servers do not know them.
    ///
    /// # Errors
    /// [`Unspeakable`]; nothing is appended then.
    pub fn write(&self, out: &mut Vec<u8>) -> Result<(), Unspeakable> {
        let (words, text) = self.words();
        for word in words.iter().copied().chain(text) {
            if !word.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
                return Err(Unspeakable::Letters(word.into()));
            }
            if word.len() > LONGEST_WORD {
                return Err(Unspeakable::Long(word.into()));
            }
        }
        let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b'#' | b'=');
        for (at, word) in words.iter().enumerate() {
            if at > 0 {
                out.push(b' ');
            }
            if !word.is_empty() && word.bytes().all(plain) {
                out.extend_from_slice(word.as_bytes());
            } else {
                out.extend_from_slice(quoted(word).as_bytes());
            }
        }
        if let Some(text) = text {
            out.push(b' ');
            out.extend_from_slice(quoted(text).as_bytes());
        }
        out.push(b'\n');
        Ok(())
    }

    /// The words as a server repeats them: behind BEGIN and END of a list, else before an answer.
    pub(super) fn echo(&self) -> String {
        let (words, _) = self.words();
        match self {
            NetworkRequest::ListUps | NetworkRequest::List(..) | NetworkRequest::ListValues(..) => {
                words.join(" ")
            }
            _ => words.get(1..).unwrap_or_default().join(" "),
        }
    }

    /// Whether a list answers.
    pub(super) fn is_list(&self) -> bool {
        matches!(self, NetworkRequest::ListUps | NetworkRequest::List(..) | NetworkRequest::ListValues(..))
    }
}
