//! The system as the doctor sees it: a few folders, so that a test can build one.

use driver::config::Paths;
use nut::{ups_conf, upsd_conf};
use serve::program::state_paths;
use station::config::LONGEST_CONF;
use std::collections::BTreeSet;
use std::fs::Metadata;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Where things are.
#[derive(Clone, Debug)]
pub struct System {
    /// Processes: `/proc`.
    pub proc: PathBuf,
    /// Nodes of USB devices are in `bus/usb` here: `/dev`.
    pub dev: PathBuf,
    /// `passwd` and `group`: `/etc`.
    pub etc: PathBuf,
    /// Folders with rules for udev.
    pub rules: Vec<PathBuf>,
    /// Which files are diverted: dpkg's list.
    pub diversions: PathBuf,
    /// Drivers, where `driverpath` does not say otherwise.
    pub drivers: PathBuf,
    /// NUT's folders.
    pub nut: Paths,
}

/// A process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Its name, at most fifteen letters.
    pub name: String,
    /// How it was called.
    pub arguments: Vec<String>,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemUser {
    /// Its name.
    pub name: String,
    uid: u32,
    gids: BTreeSet<u32>,
}

impl System {
    /// This machine, with NUT's folders from the environment.
    pub fn real() -> System {
        let rules = ["/etc/udev/rules.d", "/run/udev/rules.d", "/usr/lib/udev/rules.d", "/lib/udev/rules.d"];
        System {
            proc: "/proc".into(),
            dev: "/dev".into(),
            etc: "/etc".into(),
            rules: rules.map(PathBuf::from).to_vec(),
            diversions: "/var/lib/dpkg/diversions".into(),
            drivers: "/lib/nut".into(),
            nut: Paths::from_environment(),
        }
    }

    /// The same with the state directory that `ups.conf` or `upsd.conf` names, where the environment does not.
    pub fn with_its_state(&self) -> System {
        let read =
            |name: &str| link::read_bounded(&self.nut.conf.join(name), LONGEST_CONF).unwrap_or_default();
        let (upsd, ups) = (upsd_conf::parse(&read("upsd.conf")), ups_conf::parse(&read("ups.conf")));
        // the server's PID file stays where the environment has it
        let nut = Paths { pid: self.nut.pid.clone(), ..state_paths(&self.nut, &upsd, &ups, None) };
        System { nut, ..self.clone() }
    }

    /// All processes but this one.
    pub fn processes(&self) -> Vec<Process> {
        let entries = std::fs::read_dir(&self.proc).into_iter().flatten().flatten();
        let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let mut processes: Vec<Process> = numbers.filter_map(|pid| self.process(pid)).collect();
        processes.retain(|process| process.pid != std::process::id());
        processes.sort_by_key(|process| process.pid);
        processes
    }

    fn process(&self, pid: u32) -> Option<Process> {
        let folder = self.proc.join(pid.to_string());
        let name = std::fs::read_to_string(folder.join("comm")).ok()?.trim_end().to_string();
        // it ended, and its parent has not asked how
        if std::fs::read_to_string(folder.join("stat")).is_ok_and(|stat| stat.contains(") Z ")) {
            return None;
        }
        let line = std::fs::read(folder.join("cmdline")).unwrap_or_default();
        let words = line.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned());
        let arguments = words.filter(|word| !word.is_empty()).collect();
        Some(Process { pid, name, arguments })
    }

    /// The processes that have a file open, as far as we may see that.
    pub fn holders(&self, file: &Path) -> Vec<Process> {
        let Ok(file) = file.canonicalize() else { return vec![] };
        let holds = |process: &Process| {
            let folder = self.proc.join(process.pid.to_string()).join("fd");
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            entries.filter_map(|entry| std::fs::read_link(entry.path()).ok()).any(|open| open == file)
        };
        self.processes().into_iter().filter(holds).collect()
    }

    /// Whether a process called this one, or called who called it: a shell, a terminal, an SSH server.
    pub fn called_us(&self, pid: u32) -> bool {
        let parent = |pid: &u32| {
            let stat = std::fs::read_to_string(self.proc.join(pid.to_string()).join("stat")).ok()?;
            // the name before it may hold anything
            stat.rsplit_once(") ")?.1.split_whitespace().nth(1)?.parse().ok()
        };
        // bounded: a number may be given to another process meanwhile
        std::iter::successors(Some(std::process::id()), parent).take(64).any(|caller| caller == pid)
    }

    /// Whether a process works in this folder, as drivers do in their state directory; one into which we may
    /// not look may do so. (The same driver may run in a container, with a folder of its own.)
    pub fn works_in(&self, process: &Process, folder: &Path) -> bool {
        let place = |path: &Path| path.metadata().map(|meta| (meta.dev(), meta.ino())).ok();
        let own = place(&self.proc.join(process.pid.to_string()).join("cwd"));
        own.is_none() || own == place(folder)
    }

    /// Whether all that runs can be looked into: only root may.
    pub fn sees_all(&self) -> bool {
        self.proc.join("self").metadata().map_or(true, |meta| meta.uid() == 0)
    }

    /// An account, if there is one of this name.
    pub fn user(&self, name: &str) -> Option<SystemUser> {
        let passwd = std::fs::read_to_string(self.etc.join("passwd")).ok()?;
        let fields = |line: &str| line.split(':').map(String::from).collect::<Vec<_>>();
        let account = passwd.lines().map(fields).find(|fields| fields[0] == name)?;
        let (uid, gid) = (account.get(2)?.parse().ok()?, account.get(3)?.parse().ok()?);
        let mut gids = BTreeSet::from([gid]);
        for group in self.groups() {
            if group.members.iter().any(|member| member == name) {
                gids.insert(group.gid);
            }
        }
        Some(SystemUser { name: name.into(), uid, gids })
    }

    /// The name of a group, or its number.
    pub fn group(&self, gid: u32) -> String {
        let named = self.groups().into_iter().find(|group| group.gid == gid);
        named.map_or_else(|| gid.to_string(), |group| group.name)
    }

    fn groups(&self) -> Vec<Group> {
        let text = std::fs::read_to_string(self.etc.join("group")).unwrap_or_default();
        let read = |line: &str| {
            let fields: Vec<&str> = line.split(':').collect();
            let members = fields.get(3)?.split(',').map(String::from).collect();
            Some(Group { name: fields[0].into(), gid: fields[2].parse().ok()?, members })
        };
        text.lines().filter_map(read).collect()
    }

    /// Whether a rule of udev names these numbers.
    pub fn has_rule(&self, vendor: u16, product: u16) -> bool {
        let (vendor, product) = (format!("\"{vendor:04x}\""), format!("\"{product:04x}\""));
        let files = self.rules.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten();
        let rules =
            files.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "rules"));
        rules.filter_map(|path| std::fs::read_to_string(path).ok()).any(|text| {
            let text = text.to_ascii_lowercase();
            let named = |line: &str| line.contains(&vendor) && line.contains(&product);
            text.lines().any(|line| !line.trim_start().starts_with('#') && named(line))
        })
    }

    /// Where a package's own file went, if this one is in its place.
    pub fn diverted_to(&self, file: &Path) -> Option<String> {
        let text = std::fs::read_to_string(&self.diversions).ok()?;
        // three lines each: which, where to, by whom
        let lines: Vec<&str> = text.lines().collect();
        let row = lines.chunks_exact(3).find(|row| Path::new(row[0]) == file)?;
        Some(row[1].to_string())
    }
}

struct Group {
    name: String,
    gid: u32,
    members: Vec<String>,
}

impl SystemUser {
    /// Whether the account may read and write a file, or make files in a folder.
    pub fn may_use(&self, meta: &Metadata) -> bool {
        let wanted = if meta.is_dir() { 0o3 } else { 0o6 };
        self.bits(meta) & wanted == wanted
    }

    /// Whether the account may open this file to read it, as far as modes say: it and the folders above it.
    pub fn may_read(&self, file: &Path) -> bool {
        let may = |path: &Path| path.metadata().is_ok_and(|meta| self.bits(&meta) & 0o4 != 0);
        may(file) && file.parent().is_none_or(|folder| self.may_enter(folder))
    }

    /// Whether the account may work in this folder, and come to it.
    pub fn may_enter(&self, folder: &Path) -> bool {
        let real = folder.canonicalize().unwrap_or_else(|_| folder.into());
        let mut all = real.ancestors().map(Path::metadata);
        all.all(|meta| meta.is_ok_and(|meta| self.bits(&meta) & 0o1 != 0))
    }

    /// What the account may do with a file: read 4, write 2, execute 1.
    fn bits(&self, meta: &Metadata) -> u32 {
        let mode = meta.permissions().mode();
        match (self.uid, self.uid == meta.uid(), self.gids.contains(&meta.gid())) {
            (0, ..) => 0o7,
            (_, true, _) => mode >> 6 & 0o7,
            (_, false, true) => mode >> 3 & 0o7,
            (_, false, false) => mode & 0o7,
        }
    }

    /// Whether it would be enough to be in the group of the file.
    pub fn could_by_group(&self, meta: &Metadata) -> bool {
        self.uid != meta.uid() && (meta.permissions().mode() >> 3) & 0o6 == 0o6
    }
}

impl std::fmt::Display for Process {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (process {})", self.name, self.pid)
    }
}
