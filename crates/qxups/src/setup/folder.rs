//! What stands in the folder before anything is written.

use crate::conf_file::{ConfFile, NewFile};
use driver::config::USER;
use nix::unistd::{Uid, User};
use nut::ups_conf::{self, UpsConf};
use nut::upsd_users::{self, UpsdUsers};
use nut::{upsd_conf, words};
use serve::extras;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The folder of NUT's files.
pub struct ConfFolder {
    /// Where it is.
    pub path: PathBuf,
    /// Whether it was there.
    pub is_there: bool,
    /// What a new file in it is.
    pub new: NewFile,
    /// The UPSes.
    pub ups_conf: ConfFile,
    /// Where to listen.
    pub upsd_conf: ConfFile,
    /// Who may log in.
    pub upsd_users: ConfFile,
    /// What upsd does not do.
    pub extras: ConfFile,
    /// What shuts this host down.
    pub upsmon_conf: ConfFile,
    /// What Debian's units of NUT go by.
    pub nut_conf: ConfFile,
}

impl ConfFolder {
    /// Reads all files.
    ///
    /// # Errors
    /// A sentence.
    pub fn read(path: &Path) -> Result<ConfFolder, String> {
        let whole = std::path::absolute(path).unwrap_or_else(|_| path.into());
        let meta = whole.metadata();
        let is_there = match meta {
            Ok(meta) if meta.is_dir() => true,
            Ok(_) => return Err(format!("{} is no folder; name the one of ups.conf", whole.display())),
            Err(error) if error.kind() == ErrorKind::NotFound && !whole.is_symlink() => false,
            Err(error) => {
                return Err(format!("cannot look at {}: {error}; name another folder", whole.display()));
            }
        };
        let read = |name: &str| {
            let file = whole.join(name);
            ConfFile::read_or_none(&file).map_err(|error| {
                let remedy = match error.kind() {
                    ErrorKind::PermissionDenied => "run it with sudo",
                    _ => "put a file that can be read there, or take it away",
                };
                format!("cannot read {}: {error}; {remedy}", file.display())
            })
        };
        Ok(ConfFolder {
            ups_conf: read("ups.conf")?,
            upsd_conf: read("upsd.conf")?,
            upsd_users: read("upsd.users")?,
            extras: read(extras::FILE)?,
            upsmon_conf: read("upsmon.conf")?,
            nut_conf: read("nut.conf")?,
            path: whole.clone(),
            is_there,
            new: new_file(),
        })
    }

    /// The files that the server reads, which 'qxups check-config' checks.
    pub fn server_files(&self) -> [(&'static str, &ConfFile); 4] {
        [
            ("ups.conf", &self.ups_conf),
            ("upsd.conf", &self.upsd_conf),
            ("upsd.users", &self.upsd_users),
            (extras::FILE, &self.extras),
        ]
    }

    /// The folder, for the terminal.
    pub fn about(&self) -> String {
        let files = self.server_files().into_iter().filter(|(_, file)| file.is_there());
        let there: Vec<&str> = files.map(|(name, _)| name).collect();
        let what = match (self.is_there, there.is_empty()) {
            (false, _) => "which is not there yet".into(),
            (true, true) => "with none of the server's files".into(),
            (true, false) => format!("with {}", there.join(", ")),
        };
        format!("{}, {what}", self.path.display())
    }

    /// The UPSes, as they are read.
    pub fn upses(&self) -> UpsConf {
        ups_conf::parse(&self.ups_conf.text)
    }

    /// The users, as they are read.
    pub fn users(&self) -> UpsdUsers {
        upsd_users::parse(&self.upsd_users.text)
    }

    /// Whether `upsd.conf` says where to listen.
    pub fn listens(&self) -> bool {
        !upsd_conf::parse(&self.upsd_conf.text).listen.is_empty()
    }

    /// Whether `qxups.toml` says something of the history, and of the page.
    ///
    /// # Errors
    /// The file cannot be used.
    pub fn extras_there(&self) -> Result<(bool, bool), String> {
        let file = &self.extras;
        let tables = extras::tables(&file.text).map_err(|line| {
            format!(
                "{}, line {line}: this is no TOML; 'qxups check-config' says what is wrong",
                file.path.display()
            )
        })?;
        let has = |name: &str| tables.iter().any(|table| table == name);
        Ok((has("history"), has("web")))
    }

    /// Whether upsmon is installed and watches a UPS already: none where it is not there.
    pub fn upsmon_watches(&self) -> Option<bool> {
        let file = &self.upsmon_conf;
        let is_monitor = |line: &words::SplitLine| {
            line.words.as_ref().is_ok_and(|words| words.first().is_some_and(|word| word == "MONITOR"))
        };
        file.is_there().then(|| words::lines(&file.text).iter().any(is_monitor))
    }
}

/// A new file is for root and the group of the server's user, as the packages of NUT have it; for another user's own
/// server, for that user.
fn new_file() -> NewFile {
    let of_server = || User::from_name(USER).ok().flatten().map(|user| user.gid.as_raw());
    match Uid::effective().is_root().then(of_server).flatten() {
        Some(group) => NewFile { mode: 0o640, group: Some(group) },
        None => NewFile { mode: 0o600, group: None },
    }
}
