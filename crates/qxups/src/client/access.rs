//! How a server is reached, and as which user: the options that every client command has.

use super::prompt;
use super::trouble::ClientTrouble;
use clap::{Args, ValueEnum};
use nut::network::client::TlsMode;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tls::{Fingerprint, Verify};

/// The variable of the environment that names the user.
const USER: &str = "QXUPS_USER";
/// The one with the password.
const PASSWORD: &str = "QXUPS_PASSWORD";

/// Whether the connection is encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum TlsChoice {
    /// In the clear
    Off,
    /// Encrypted where the server offers it; a password that goes in the clear beyond this host is warned of
    #[default]
    Try,
    /// Encrypted, or not at all
    Require,
}

/// How a server is reached.
#[derive(Args, Clone, Debug)]
pub struct AccessOptions {
    /// Whether to encrypt the connection [default: try, and require with --fingerprint or --ca]
    #[arg(long, value_enum, value_name = "WHEN", help_heading = "Connection")]
    tls: Option<TlsChoice>,
    /// Take only the server whose certificate has this SHA-256 fingerprint
    #[arg(long, value_name = "HEX", help_heading = "Connection")]
    fingerprint: Option<String>,
    /// Take only a server whose certificate is signed by one in this PEM file or folder, and names the host
    #[arg(long, value_name = "FILE", conflicts_with = "fingerprint", help_heading = "Connection")]
    ca: Option<PathBuf>,
    /// How long to wait for the connection, and for each answer
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds, help_heading = "Connection")]
    pub timeout: Duration,
}

/// [`AccessOptions`], checked.
#[derive(Clone, Debug)]
pub struct Reach {
    /// Whether to encrypt.
    pub tls: TlsMode,
    /// By what the server is known.
    pub verify: Verify,
    /// How long to wait for the connection, and for each answer.
    pub timeout: Duration,
}

impl AccessOptions {
    /// What the options say. A server that is to be verified is never spoken to in the clear: what can
    /// change bytes on the way can also refuse STARTTLS in the server's name. Without that the default is to
    /// try: it keeps readers of the network out, works with every server, and promises no more. What it does
    /// not do is fall back after OK STARTTLS, or send a password in the clear over a network without a word.
    ///
    /// # Errors
    /// Options that contradict one another.
    pub fn reach(&self) -> Result<Reach, ClientTrouble> {
        let verify = match (&self.fingerprint, &self.ca) {
            (Some(text), _) => Verify::Fingerprint(
                Fingerprint::parse(text)
                    .map_err(|error| ClientTrouble::usage(format!("--fingerprint: {error}")))?,
            ),
            (None, Some(path)) => Verify::Roots(path.clone()),
            (None, None) => Verify::Nothing,
        };
        let tls = match (self.tls, verify == Verify::Nothing) {
            (None, true) | (Some(TlsChoice::Try), true) => TlsMode::IfOffered,
            (Some(TlsChoice::Off), true) => TlsMode::Never,
            (Some(TlsChoice::Require), _) | (None, false) => TlsMode::Required,
            (Some(TlsChoice::Off | TlsChoice::Try), false) => {
                return Err(ClientTrouble::usage(
                    "--fingerprint and --ca need encryption: write --tls require, or leave --tls out",
                ));
            }
        };
        Ok(Reach { tls, verify, timeout: self.timeout })
    }
}

/// As which user orders are given.
#[derive(Args, Clone, Debug, Default)]
pub struct OrderUser {
    /// The user, as in upsd.users [default: $QXUPS_USER; an order asks on the terminal]
    #[arg(short, long, value_name = "NAME", help_heading = "User")]
    user: Option<String>,
    /// The password; other users of this host can see it in the list of processes while the command runs, but not in
    /// $QXUPS_PASSWORD [default: that; else it is asked for on the terminal]
    #[arg(short, long, value_name = "TEXT", conflicts_with = "password_file", help_heading = "User")]
    password: Option<String>,
    /// Read the password from the first line of a file
    #[arg(long, value_name = "FILE", help_heading = "User")]
    password_file: Option<PathBuf>,
}

/// A user and his password.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The name.
    pub user: String,
    /// The password.
    pub password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ..", self.user)
    }
}

impl OrderUser {
    /// Name and password; what is missing is asked for on the terminal.
    ///
    /// # Errors
    /// Something is missing and there is no terminal, or the file cannot be read.
    pub fn required(&self) -> Result<Credentials, ClientTrouble> {
        let user = match self.name() {
            Some(user) => user,
            None => prompt::shown("User: ")
                .map_err(|why| missing(&format!("name a user with --user or ${USER}"), &why))?,
        };
        if user.is_empty() {
            return Err(ClientTrouble::usage("the name of the user is empty: give one with --user"));
        }
        Ok(Credentials { password: self.password_of(&user)?, user })
    }

    /// The same when a user is named, by option or environment.
    ///
    /// # Errors
    /// As of [`OrderUser::required`].
    pub fn named(&self) -> Result<Option<Credentials>, ClientTrouble> {
        match self.name() {
            Some(user) => Ok(Some(Credentials { password: self.password_of(&user)?, user })),
            None => Ok(None),
        }
    }

    fn name(&self) -> Option<String> {
        self.user.clone().or_else(|| environment(USER))
    }

    fn password_of(&self, user: &str) -> Result<String, ClientTrouble> {
        if let Some(path) = &self.password_file {
            return first_line(path);
        }
        if let Some(password) = self.password.clone().or_else(|| environment(PASSWORD)) {
            return Ok(password);
        }
        prompt::hidden(&format!("Password of {user}: "))
            .map_err(|why| missing(&format!("give the password with ${PASSWORD} or --password-file"), &why))
    }
}

fn missing(what: &str, why: &std::io::Error) -> ClientTrouble {
    match why.kind() {
        std::io::ErrorKind::Interrupted => ClientTrouble::usage("given up at the prompt: nothing was sent"),
        _ => ClientTrouble::usage(format!("there is no terminal to ask on: {what}")),
    }
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

fn first_line(path: &Path) -> Result<String, ClientTrouble> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        ClientTrouble::usage(format!("cannot read {}: {error}; check its name and mode", path.display()))
    })?;
    Ok(text.lines().next().unwrap_or_default().to_string())
}

/// Seconds, more than none and at most a day.
///
/// # Errors
/// A sentence.
pub fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok().filter(|seconds| (0.01..=86_400.0).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| "write seconds from 0.01 to 86400".into())
}
