//! What the process of a driver is to be: by the command line, `ups.conf` and the environment, which is read here
//! and nowhere else.

use crate::command_line::CommandLine;
use station::config::ProcessSettings;
use station::memory::Folders;
use std::path::PathBuf;

/// Built for these directories; the environment may name others.
const CONFPATH: &str = match option_env!("QXUPS_CONFPATH") {
    Some(path) => path,
    None => "/etc/nut",
};
const STATEPATH: &str = match option_env!("QXUPS_STATEPATH") {
    Some(path) => path,
    None => "/run/nut",
};
const VARPATH: &str = match option_env!("QXUPS_VARPATH") {
    Some(path) => path,
    None => "/var/lib/nut",
};
/// The user that drivers run as.
pub const USER: &str = match option_env!("QXUPS_USER") {
    Some(user) => user,
    None => "nut",
};
const GROUP: &str = match option_env!("QXUPS_GROUP") {
    Some(group) => group,
    None => "nut",
};

/// Where NUT keeps its files.
#[derive(Clone, Debug)]
pub struct Paths {
    /// `ups.conf` is here (`NUT_CONFPATH`).
    pub conf: PathBuf,
    /// Sockets are here (`NUT_STATEPATH`).
    pub state: PathBuf,
    /// PID files are here (`NUT_ALTPIDPATH`).
    pub pid: PathBuf,
    /// What lasts over a start of the machine is here (`QXUPS_VARPATH`).
    pub lasting: PathBuf,
}

impl Paths {
    /// From the environment, else as built.
    pub fn from_environment() -> Paths {
        let path = |name: &str| std::env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from);
        let state = path("NUT_STATEPATH").unwrap_or_else(|| STATEPATH.into());
        Paths {
            conf: path("NUT_CONFPATH").unwrap_or_else(|| CONFPATH.into()),
            pid: path("NUT_ALTPIDPATH").unwrap_or_else(|| state.clone()),
            lasting: path("QXUPS_VARPATH").unwrap_or_else(|| VARPATH.into()),
            state,
        }
    }

    /// The same, where `ups.conf` says `statepath` and the environment does not (newer NUT).
    #[must_use]
    pub fn with_statepath(mut self, path: Option<&PathBuf>) -> Paths {
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|path| !path.is_empty());
        if let Some(path) = path.filter(|_| !is_set("NUT_STATEPATH")) {
            self.state.clone_from(path);
            if !is_set("NUT_ALTPIDPATH") {
                self.pid.clone_from(path);
            }
        }
        self
    }

    /// Where a station keeps its files.
    pub fn folders(&self) -> Folders {
        Folders { lasting: self.lasting.clone(), state: self.state.clone() }
    }
}

/// What the process of a driver is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessConfig {
    /// The driver's user.
    pub user: String,
    /// Whether `-u` or `ups.conf` names this user.
    pub user_was_named: bool,
    /// Group of the socket, where it is not that of the user.
    pub group: Option<String>,
    /// Root directory.
    pub chroot: Option<PathBuf>,
    /// `statepath`.
    pub statepath: Option<PathBuf>,
    /// `debug_min`.
    pub debug_min: u8,
}

impl ProcessConfig {
    /// What `ups.conf` says, where the command line does not.
    pub fn new(settings: &ProcessSettings, line: &CommandLine) -> ProcessConfig {
        let user = line.user.clone().or_else(|| settings.user.clone());
        let group = line.group.clone().or_else(|| settings.group.clone());
        // another user than upsd's: the group lets it in
        let group = group.or_else(|| user.as_ref().filter(|user| *user != USER).map(|_| GROUP.into()));
        ProcessConfig {
            user_was_named: user.is_some(),
            user: user.unwrap_or_else(|| USER.into()),
            group,
            chroot: line.chroot.clone().or_else(|| settings.chroot.clone()),
            statepath: settings.statepath.clone(),
            debug_min: settings.debug_min,
        }
    }
}
