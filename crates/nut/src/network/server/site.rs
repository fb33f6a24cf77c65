//! What a connection asks of the server around it.

use crate::network::{TrackedOutcome, TrackingId};
use std::fmt;

/// A UPS, as the [`Site`] numbers them. A connection keeps the number of the UPS it logged in to, so
/// no other UPS may ever get it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UpsId(pub u64);

/// The peer of a connection, and what it said of itself. Its text for debugging has no password.
#[derive(Clone, PartialEq, Eq)]
pub struct Client {
    /// Its address without the port, as LIST CLIENT shows it.
    pub address: String,
    /// What USERNAME said; nothing is checked by that.
    pub username: Option<String>,
    /// What PASSWORD said; nothing is checked by that.
    pub password: Option<String>,
    /// Whether TLS is on.
    pub encrypted: bool,
    /// Whether the peer proved who it is by a certificate that the server accepts.
    pub certified: bool,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Client { address, username, password, encrypted, certified } = self;
        f.debug_struct("Client")
            .field("address", address)
            .field("username", username)
            .field("password", &password.as_ref().map(|_| ".."))
            .field("encrypted", encrypted)
            .field("certified", certified)
            .finish()
    }
}

/// How the server calls itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerIdentity {
    /// The answer to VER, and the value of `server.info`. WinNUT wants `Network` as first of at least
    /// five words and takes the fifth for the version: `Network UPS Tools upsd 2.8.0 - ...`.
    pub info: String,
    /// The value of `server.version`.
    pub version: String,
}

/// Whether a UPS has data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Its data is fresh.
    Fresh,
    /// Its driver is there, but has no fresh data.
    Stale,
    /// Its driver is not there.
    NotConnected,
}

/// What kind of value a variable has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// A text.
    Text {
        /// Most bytes that may be written. Below 1, a SET fails, as in upsd.
        longest: i64,
    },
    /// A number, which is everything that is not flagged as a text.
    Number,
}

/// A variable of a UPS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variable<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its value as it is, not escaped. Of `ups.status` without the FSD of
    /// [`Site::forced_shutdown`].
    pub value: &'a str,
    /// Whether it can be written.
    pub writable: bool,
    /// Whether [`Site::each_choice`] has values for it.
    pub has_choices: bool,
    /// Whether [`Site::each_range`] has ranges for it.
    pub has_ranges: bool,
    /// What kind of value it has.
    pub kind: ValueKind,
}

/// What a user needs a right for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right<'a> {
    /// GET and LIST, where [`Site::reading_needs_user`].
    Read,
    /// LOGIN.
    Login,
    /// PRIMARY and MASTER: the actions PRIMARY or MASTER, either is enough.
    Primary,
    /// FSD, and taking it back.
    ForceShutdown,
    /// SET VAR of this variable.
    Set(&'a str),
    /// INSTCMD of this command.
    Command(&'a str),
}

/// Whether a user has a right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// The user has it.
    Granted,
    /// The user has it not, or name and password do not fit: ACCESS-DENIED.
    Denied,
    /// It is not known yet: a hash takes its time, or a failed login of this address is to be slowed
    /// down. The connection keeps the request, takes no further bytes, and asks once more at
    /// [`Connection::go_on`](super::Connection::go_on).
    Later,
}

/// What is to be done to a UPS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order<'a> {
    /// INSTCMD.
    Command {
        /// The command, as the client wrote it; [`Site::has_command`] knew it.
        name: &'a str,
        /// Its parameter.
        parameter: Option<&'a str>,
    },
    /// SET VAR.
    Set {
        /// The variable, as the client wrote it.
        variable: &'a str,
        /// Its new value, which fits flags, choices and ranges.
        value: &'a str,
    },
}

/// What became of an [`Order`] so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handed {
    /// It was handed to the driver, untracked: `OK`, which does not mean that it was done.
    Over,
    /// It was handed to the driver, and [`Site::outcome`] knows what becomes of it.
    Tracked(TrackingId),
    /// It could not be handed over: INSTCMD-FAILED or SET-FAILED.
    Failed,
}

/// What is worth a line of log and is not seen otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note<'a> {
    /// A second LOGIN.
    LoginTwice,
    /// A second USERNAME.
    UsernameTwice,
    /// A second PASSWORD.
    PasswordTwice,
    /// LOGOUT; the UPS when there was a LOGIN.
    LoggedOut(Option<UpsId>),
    /// The user lacks this right.
    Denied(Right<'a>),
    /// A line that no request can be read from.
    BadLine,
    /// A variable flagged as a text with a longest length below 1 was to be set: a fault of its driver.
    NoLength(UpsId, &'a str),
}

/// A server as its connections see it. Nothing here waits.
///
/// Names of UPSes, variables and commands are compared without case (ASCII). Lists are given to
/// closures so that the server need not build any; a closure must not call the site. What is
/// alphabetical in upsd's answers the site gives in alphabetical order without case.
pub trait Site {
    /// How the server calls itself.
    fn identity(&self) -> &ServerIdentity;

    /// Whether GET and LIST need USERNAME, PASSWORD and [`Right::Read`]. upsd asks for none.
    fn reading_needs_user(&self) -> bool {
        false
    }

    /// The UPS of that name for this client.
    fn find(&self, client: &Client, name: &str) -> Option<UpsId>;

    /// Every UPS with name and description, in the order of ups.conf.
    fn each_ups(&self, client: &Client, each: &mut dyn FnMut(&str, Option<&str>));

    /// The name of a UPS as configured, and its description.
    fn about(&self, ups: UpsId, tell: &mut dyn FnMut(&str, Option<&str>));

    /// Whether a UPS has data.
    fn freshness(&self, ups: UpsId) -> Freshness;

    /// The servers that its data came through, this one included, each with its name of the UPS: `server.path`, ours. A
    /// server that finds itself in it reads its own answers.
    fn path(&self, ups: UpsId) -> Option<String> {
        let _ = ups;
        None
    }

    /// Whether its FSD latch is set.
    fn forced_shutdown(&self, ups: UpsId) -> bool;

    /// Its variables, in alphabetical order.
    fn each_variable(&self, ups: UpsId, each: &mut dyn FnMut(&Variable<'_>));

    /// One variable; nothing is told when there is none of that name.
    fn variable(&self, ups: UpsId, name: &str, tell: &mut dyn FnMut(&Variable<'_>));

    /// The values that a variable can be set to, in the order in which the driver named them (seen with
    /// upsd 2.8.0).
    fn each_choice(&self, ups: UpsId, name: &str, each: &mut dyn FnMut(&str));

    /// The ranges in which whole numbers can be set, least and most.
    fn each_range(&self, ups: UpsId, name: &str, each: &mut dyn FnMut(i64, i64));

    /// Its commands, in alphabetical order.
    fn each_command(&self, ups: UpsId, each: &mut dyn FnMut(&str));

    /// Whether it has this command.
    fn has_command(&self, ups: UpsId, name: &str) -> bool;

    /// What a variable is, by cmdvartab.
    fn variable_description(&self, name: &str) -> Option<&str>;

    /// What a command does, by cmdvartab.
    fn command_description(&self, name: &str) -> Option<&str>;

    /// How many connections are logged in to a UPS.
    fn logins(&self, ups: UpsId) -> usize;

    /// The addresses of those connections, the newest connection first.
    fn each_login(&self, ups: UpsId, each: &mut dyn FnMut(&str));

    /// What becomes of the request of that id (compared without case); `None` for one that is not
    /// known, or not any more.
    fn outcome(&self, id: &str) -> Option<TrackedOutcome>;

    /// Whether this client may do that. `ups` is `None` for what concerns none.
    fn may(&mut self, client: &Client, right: Right<'_>, ups: Option<UpsId>) -> Permission;

    /// This client is logged in to a UPS from now on, until the connection ends: see
    /// [`Connection::logged_in`](super::Connection::logged_in).
    fn log_in(&mut self, client: &Client, ups: UpsId);

    /// Sets the FSD latch of a UPS, or clears it.
    fn set_forced_shutdown(&mut self, client: &Client, ups: UpsId, on: bool);

    /// Hands an order to the driver. When `tracked`, the answer is [`Handed::Tracked`] or
    /// [`Handed::Failed`].
    fn hand_over(&mut self, client: &Client, ups: UpsId, order: Order<'_>, tracked: bool) -> Handed;

    /// What is worth a line of log.
    fn note(&mut self, client: &Client, note: Note<'_>) {
        let _ = (client, note);
    }
}
