//! `ups.conf`, `upsd.conf`, `upsd.users` and `qxups.toml`: read, and checked as far as that needs no fleet.

use crate::extras::{self, BrokerPassword, CommunityPlace, Extras, MqttOptions};
use crate::passwords::check_hash;
use link::read_bounded;
use nut::ups_conf::{self, UpsConf};
use nut::upsd_conf::{self, UpsdConf};
use nut::upsd_users::{self, Password, UpsdUsers, User};
use std::io;
use std::path::{Path, PathBuf};

/// No such file is longer, in bytes.
const LONGEST: u64 = 16 * 1024 * 1024;

/// Where a configuration comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Where {
    /// The folder of NUT's files, as upsd reads them: `upsd.conf` has to be there.
    Upsd(PathBuf),
    /// A folder in which `upsd.conf` may be missing.
    Folder(PathBuf),
    /// Texts in place of files, for a demonstration.
    Texts {
        /// `ups.conf`.
        ups: String,
        /// `upsd.conf`.
        upsd: String,
        /// `upsd.users`.
        users: String,
        /// `qxups.toml`.
        extras: String,
    },
}

impl Where {
    /// The folder, for messages and for files that are named relative to it.
    pub fn folder(&self) -> &Path {
        match self {
            Where::Upsd(folder) | Where::Folder(folder) => folder,
            Where::Texts { .. } => Path::new("."),
        }
    }

    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let text = match (self, name) {
            (Where::Texts { ups, .. }, "ups.conf") => ups,
            (Where::Texts { upsd, .. }, "upsd.conf") => upsd,
            (Where::Texts { extras, .. }, extras::FILE) => extras,
            (Where::Texts { users, .. }, _) => users,
            (Where::Upsd(folder) | Where::Folder(folder), name) => {
                return match read_bounded(&folder.join(name), LONGEST) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                    read => read.map(Some),
                };
            }
        };
        Ok(Some(text.clone().into_bytes()))
    }

    fn path(&self, name: &str) -> String {
        self.folder().join(name).display().to_string()
    }

    fn cannot_read(&self, name: &str, error: &io::Error) -> String {
        let then = match error.kind() {
            io::ErrorKind::PermissionDenied => "run this as root, or let the server's user read it",
            _ => "name a folder of files that can be read",
        };
        format!("cannot read {}: {error}; {then}", self.path(name))
    }

    /// `upsd.conf`.
    ///
    /// # Errors
    /// A sentence with file, line and remedy.
    pub fn upsd_conf(&self, hints: &mut Vec<String>) -> Result<UpsdConf, String> {
        let name = "upsd.conf";
        let text = match self.read(name).map_err(|error| self.cannot_read(name, &error))? {
            Some(text) => text,
            None if matches!(self, Where::Upsd(_)) => {
                return Err(format!(
                    "{} is not there; create it, empty if all is to be as upsd has it",
                    self.path(name)
                ));
            }
            None => vec![],
        };
        let conf = upsd_conf::parse(&text);
        if let Some(wrong) = conf.wrong.first() {
            return Err(format!("{}, {wrong}", self.path(name)));
        }
        hints.extend(conf.remarks.iter().map(|remark| format!("{}, {remark}", self.path(name))));
        Ok(conf)
    }

    /// `ups.conf`.
    ///
    /// # Errors
    /// A sentence.
    pub fn ups_conf(&self) -> Result<UpsConf, String> {
        let name = "ups.conf";
        match self.read(name).map_err(|error| self.cannot_read(name, &error))? {
            Some(text) => Ok(ups_conf::parse(&text)),
            None => Err(format!(
                "{} is not there; 'qxups setup' writes it for the UPSes that it finds; 'qxups demo' shows simulated ones",
                self.path(name)
            )),
        }
    }

    /// `upsd.users`; without it there is no user, as in upsd.
    ///
    /// # Errors
    /// A sentence.
    pub fn users(&self, hints: &mut Vec<String>) -> Result<UpsdUsers, String> {
        let name = "upsd.users";
        let Some(text) = self.read(name).map_err(|error| self.cannot_read(name, &error))? else {
            hints.push(format!("{} is not there: no client can log in or command", self.path(name)));
            return Ok(UpsdUsers::default());
        };
        let users = upsd_users::parse(&text);
        if let Some(wrong) = users.wrong.first() {
            return Err(format!("{}, {wrong}", self.path(name)));
        }
        hints.extend(users.remarks.iter().map(|remark| format!("{}, {remark}", self.path(name))));
        for User { password_line: line, name, password, .. } in &users.users {
            if let Some(Password::Hash(hash)) = password {
                let wrong = |why| format!("{}, line {line}: [{name}]: {why}", self.path("upsd.users"));
                check_hash(hash).map_err(wrong)?;
            }
        }
        Ok(users)
    }

    /// `qxups.toml`; without it all that it may ask for is off.
    ///
    /// # Errors
    /// A sentence with file, line and remedy: the first thing that is wrong.
    pub fn extras(&self) -> Result<Extras, String> {
        let name = extras::FILE;
        let Some(text) = self.read(name).map_err(|error| self.cannot_read(name, &error))? else {
            return Ok(Extras::default());
        };
        let mut extras = extras::parse(&text).map_err(|wrong| {
            let first = wrong.first().map_or((1, ""), |first| (first.line.unwrap_or(1), first.text.as_str()));
            format!("{}, line {}: {}", self.path(name), first.0, first.1)
        })?;
        if let Some(snmp) = &mut extras.snmp {
            snmp.read_community(self.folder()).map_err(|why| format!("{}: {why}", self.path(name)))?;
        }
        Ok(extras)
    }

    /// The file of SNMP's community string, where every user of the machine may read it.
    pub fn communities_open_to_all(&self) -> Vec<String> {
        let (Where::Upsd(folder) | Where::Folder(folder)) = self else { return vec![] };
        let text = self.read(extras::FILE).ok().flatten().unwrap_or_default();
        let Some(snmp) = extras::parse(&text).ok().and_then(|extras| extras.snmp) else { return vec![] };
        let path = match &snmp.community {
            CommunityPlace::Inline(_) => folder.join(extras::FILE),
            CommunityPlace::File(file) => folder.join(file),
        };
        let text = format!(
            "{}: every user of this machine can read the community string; run 'chmod o= {0}'",
            path.display()
        );
        is_open_to_all(&path).then_some(text).into_iter().collect()
    }

    /// What others may read though they should not: passwords in `upsd.users`, and in `ups.conf` and
    /// `qxups.toml` where they have some.
    pub fn open_to_all(&self, conf: &UpsConf) -> Vec<String> {
        let (Where::Upsd(folder) | Where::Folder(folder)) = self else { return vec![] };
        let sections = conf.sections.iter().flat_map(|section| &section.settings);
        let mut names = sections.chain(&conf.global).map(|setting| setting.name.to_ascii_lowercase());
        // of ours upstream_password; authPassword and privPassword of snmp-ups, password of netxml-ups
        let has_password = names.any(|name| name.ends_with("password"));
        let says = |mqtt: &MqttOptions| matches!(mqtt.password, Some(BrokerPassword::Text(_)));
        let is_open = |extras: Extras| {
            extras.mqtt.as_deref().is_some_and(says)
                || extras.notify.is_some_and(|notify| notify.has_secrets())
        };
        let has_secrets = self.extras().is_ok_and(is_open);
        let files =
            [Some("upsd.users"), has_password.then_some("ups.conf"), has_secrets.then_some(extras::FILE)];
        let open =
            files.into_iter().flatten().map(|name| folder.join(name)).filter(|path| is_open_to_all(path));
        open.map(|path| {
            format!(
                "{}: every user of this machine can read the passwords; run 'chmod o= {0}'",
                path.display()
            )
        })
        .collect()
    }

    /// The same place, whatever the working directory becomes.
    #[must_use]
    pub fn absolute(self) -> Where {
        let whole = |folder: PathBuf| std::path::absolute(&folder).unwrap_or(folder);
        match self {
            Where::Upsd(folder) => Where::Upsd(whole(folder)),
            Where::Folder(folder) => Where::Folder(whole(folder)),
            texts @ Where::Texts { .. } => texts,
        }
    }
}

fn is_open_to_all(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|meta| meta.permissions().mode() & 0o004 != 0)
}
