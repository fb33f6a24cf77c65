//! What is to be written: for each file the text that is new, with all that stood there.

use super::ask::NewPassword;
use super::folder::ConfFolder;
use super::upses::NewUps;
use super::users::{NewMonitor, NewUser, UserRole};
use super::{PageChoice, Reachable};
use crate::conf_file::ConfFile;
use nut::network::PORT;
use nut::{ups_conf, upsd_conf, upsd_users, upsmon_conf};
use serve::extras;
use std::net::{Ipv6Addr, TcpListener};

/// The port of the page.
pub const PAGE_PORT: u16 = 3494;

/// What was answered.
#[derive(Default)]
pub struct SetupPlan {
    /// UPSes to add.
    pub upses: Vec<NewUps>,
    /// Users to add.
    pub users: Vec<NewUser>,
    /// Where to listen; none where the file says it.
    pub listen: Option<Reachable>,
    /// Whether to keep a history, where the file says nothing of it.
    pub history: bool,
    /// Where to serve the page, where the file says nothing of it.
    pub page: Option<PageChoice>,
    /// What upsmon is to watch.
    pub monitor: Option<NewMonitor>,
}

/// A file as it is to be.
pub struct FileChange<'f> {
    /// Its name.
    pub name: &'static str,
    /// What stood there.
    pub before: &'f ConfFile,
    /// What is to stand there.
    pub text: Vec<u8>,
}

impl SetupPlan {
    /// One of each kind that may come, to see whether the files can be added to. It is never written.
    ///
    /// # Errors
    /// A file cannot be used.
    pub fn trial(folder: &ConfFolder) -> Result<SetupPlan, String> {
        // a name that no file has
        let name = "qxups-setup-trial";
        let (has_history, has_page) = folder.extras_there()?;
        let password = NewPassword { text: "x".into(), is_made: true };
        Ok(SetupPlan {
            upses: vec![NewUps {
                name: name.into(),
                about: String::new(),
                // an address for documentation (RFC 5737), which is no UPS
                lines: "\tdriver = nutdrv_qx\n\tport = tcp://192.0.2.255:1\n".into(),
            }],
            users: vec![NewUser { name: name.into(), role: UserRole::Watches, stored: "x".into(), password }],
            listen: (!folder.listens()).then_some(Reachable::Loopback),
            history: !has_history,
            page: (!has_page).then_some(PageChoice::Loopback),
            monitor: None,
        })
    }

    /// The names of all UPSes that there will be.
    pub fn all_upses(&self, folder: &ConfFolder) -> Vec<String> {
        let there = folder.upses().sections.into_iter().map(|section| section.name);
        there.chain(self.upses.iter().map(|ups| ups.name.clone())).collect()
    }

    /// All files that change.
    ///
    /// # Errors
    /// A sentence, where a file cannot be added to without changing what stands in it.
    pub fn changes<'f>(&self, folder: &'f ConfFolder) -> Result<Vec<FileChange<'f>>, String> {
        let blocks = [
            ("ups.conf", &folder.ups_conf, "The UPSes of this host: ups.conf(5)", self.ups_conf()),
            ("upsd.conf", &folder.upsd_conf, "Where the server listens: upsd.conf(5)", self.upsd_conf()),
            ("upsd.users", &folder.upsd_users, "Who may log in: upsd.users(5)", self.upsd_users()),
            (extras::FILE, &folder.extras, "What 'qxups serve' does besides what upsd does", self.extras()),
            (
                "upsmon.conf",
                &folder.upsmon_conf,
                "What shuts this host down: upsmon.conf(5)",
                self.upsmon_conf(folder),
            ),
        ];
        let mut changes: Vec<FileChange<'f>> = blocks
            .into_iter()
            .filter(|(.., block)| !block.is_empty())
            .map(|(name, before, about, block)| FileChange {
                name,
                before,
                text: appended(before, about, &block),
            })
            .collect();
        if self.monitor.is_some() {
            let text = with_mode(&folder.nut_conf.text);
            changes.extend(text.map(|text| FileChange { name: "nut.conf", before: &folder.nut_conf, text }));
        }
        match changes.iter().find(|change| !self.is_all_kept(change)) {
            None => Ok(changes),
            Some(change) => Err(format!(
                "{} cannot be added to without changing what stands there (quotes that are not closed, a line that goes on?); \
                 'qxups check-config' says more",
                change.before.path.display()
            )),
        }
    }

    fn ups_conf(&self) -> String {
        self.upses.iter().map(NewUps::section).collect::<Vec<_>>().join("\n")
    }

    fn upsd_conf(&self) -> String {
        let (four, six) = match self.listen {
            None => return String::new(),
            Some(Reachable::Loopback) => ("127.0.0.1", "::1"),
            Some(Reachable::All) => ("0.0.0.0", "::"),
        };
        let six = if has_ipv6() { format!("LISTEN {six} {PORT}\n") } else { String::new() };
        format!("LISTEN {four} {PORT}\n{six}")
    }

    fn upsd_users(&self) -> String {
        self.users.iter().map(NewUser::section).collect::<Vec<_>>().join("\n")
    }

    fn extras(&self) -> String {
        let history = self.history.then(|| "[history]\nenabled = true\n".to_string());
        let page = self.page.map(|choice| {
            let (four, six) = match choice {
                PageChoice::All => ("0.0.0.0", "[::]"),
                PageChoice::Loopback | PageChoice::No => ("127.0.0.1", "[::1]"),
            };
            let six = if has_ipv6() { format!(", \"{six}:{PAGE_PORT}\"") } else { String::new() };
            format!("[web]\nlisten = [\"{four}:{PAGE_PORT}\"{six}]\n")
        });
        history.into_iter().chain(page).collect::<Vec<_>>().join("\n")
    }

    /// With the flag by which upsmon has the load switched off at the end, where the file has none.
    fn upsmon_conf(&self, folder: &ConfFolder) -> String {
        let Some(monitor) = &self.monitor else { return String::new() };
        let known = upsmon_conf::parse(&folder.upsmon_conf.text);
        let flag = match known.power_down_flag {
            Some(_) => "",
            None => "POWERDOWNFLAG /etc/killpower\n",
        };
        format!("{flag}{}\n", monitor.line())
    }

    /// Whether all that stood in a file is read as before, and what is new as it is meant.
    fn is_all_kept(&self, change: &FileChange<'_>) -> bool {
        let (before, after) = (&change.before.text, &change.text);
        match change.name {
            "ups.conf" => {
                let (before, after) = (ups_conf::parse(before), ups_conf::parse(after));
                let (kept, new) = after.sections.split_at(before.sections.len().min(after.sections.len()));
                let names = new.iter().map(|section| &section.name);
                kept == before.sections
                    && names.eq(self.upses.iter().map(|ups| &ups.name))
                    && (&after.global, &after.wrong) == (&before.global, &before.wrong)
            }
            "upsd.users" => {
                let (before, after) = (upsd_users::parse(before), upsd_users::parse(after));
                let (kept, new) = after.users.split_at(before.users.len().min(after.users.len()));
                kept == before.users
                    && new.iter().map(|user| &user.name).eq(self.users.iter().map(|user| &user.name))
                    && after.wrong == before.wrong
            }
            "upsd.conf" => {
                let (before, after) = (upsd_conf::parse(before), upsd_conf::parse(after));
                !after.listen.is_empty() && after.wrong == before.wrong
            }
            // a table stands alone; that it can be read is checked with all else
            _ => true,
        }
    }
}

/// A text with a block at its end; a new one begins with what it is about.
fn appended(before: &ConfFile, about: &str, block: &str) -> Vec<u8> {
    let head = match (before.is_there(), before.text.as_slice()) {
        (false, _) => format!("# {about}\n\n"),
        (true, []) => String::new(),
        (true, [.., b'\n']) => "\n".into(),
        (true, _) => "\n\n".into(),
    };
    [before.text.as_slice(), head.as_bytes(), block.as_bytes()].concat()
}

/// `nut.conf` with `MODE=standalone` where it says that NUT is not to run.
fn with_mode(text: &[u8]) -> Option<Vec<u8>> {
    let mut is_changed = false;
    let lines = text.split_inclusive(|byte| *byte == b'\n').map(|line| {
        let is_none = line.trim_ascii() == b"MODE=none";
        is_changed |= is_none;
        if is_none { &b"MODE=standalone\n"[..] } else { line }
    });
    let new: Vec<&[u8]> = lines.collect();
    is_changed.then(|| new.concat())
}

/// Whether this system has IPv6: a server of NUT ends where it is to listen on what there is not.
fn has_ipv6() -> bool {
    TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok()
}
