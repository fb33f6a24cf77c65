//! What is kept over restarts, of a battery and of the dialect of a UPS: small files in the directory of
//! NUT's lasting state.
//!
//! A new text is written beside the old one, and takes its place when it is on the disk. Whenever the
//! power goes or the driver is killed, the file is the old one or the new one, whole.

mod kind;

pub use kind::{MemoryKind, NewerMemory};

use nix::fcntl::OFlag;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// No memory is as long as this, in bytes.
const LONGEST: u64 = 16 * 1024;
/// No first line is longer, in bytes.
const LONGEST_HEAD: u64 = 64;

/// Where the files of UPSes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folders {
    /// What lasts over a start of the machine.
    pub lasting: PathBuf,
    /// What means something until the machine is started again.
    pub state: PathBuf,
}

/// A file of one UPS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryFile {
    path: PathBuf,
    kind: MemoryKind,
}

impl MemoryFile {
    /// The file of the battery of this UPS, whichever of the drivers watches it. None when its name cannot be
    /// that of a file.
    pub fn of_battery(lasting: &Path, ups: &str) -> Option<MemoryFile> {
        MemoryFile::named(lasting, "battery", ups, MemoryKind::Battery)
    }

    /// The file of its dialect.
    pub fn of_dialect(lasting: &Path, ups: &str) -> Option<MemoryFile> {
        MemoryFile::named(lasting, "dialect", ups, MemoryKind::Dialect)
    }

    /// The file that says to which UPS `reset_to_default` was written.
    pub fn of_reset(lasting: &Path, ups: &str) -> Option<MemoryFile> {
        MemoryFile::named(lasting, "reset", ups, MemoryKind::Reset)
    }

    /// The file that says which USB device its driver has open ([`link::Attached::mark`]).
    pub fn of_usb(state: &Path, ups: &str) -> Option<MemoryFile> {
        MemoryFile::named(state, "usb", ups, MemoryKind::Usb)
    }

    /// The file that says that a shutdown is under way which ends with loads switched off, of all UPSes of a server.
    pub fn of_power_down(state: &Path) -> MemoryFile {
        MemoryFile { path: state.join("qxups-powerdown"), kind: MemoryKind::PowerDown }
    }

    /// Forgets it.
    ///
    /// # Errors
    /// What the system says.
    pub fn forget(&self) -> io::Result<()> {
        // of a system that is read-only, nothing can be removed, though it is not there
        if matches!(self.path.symlink_metadata(), Err(error) if error.kind() == io::ErrorKind::NotFound) {
            return Ok(());
        }
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn named(folder: &Path, what: &str, ups: &str, kind: MemoryKind) -> Option<MemoryFile> {
        let is_name = !ups.is_empty() && !ups.contains('/') && !ups.contains('\0');
        is_name.then(|| MemoryFile { path: folder.join(format!("qxups-{what}-{ups}")), kind })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What was kept. None when there is nothing, or nothing that can be read: only a regular file is, no
    /// longer than a memory, never through a link, and of no newer program.
    pub fn read(&self) -> Option<String> {
        let (file, length) = self.open()?;
        if length > LONGEST {
            return None;
        }
        let mut text = String::new();
        file.take(LONGEST).read_to_string(&mut text).ok()?;
        let version = self.kind.version_in(text.as_bytes());
        if text.is_empty() || version.is_some_and(|version| version > self.kind.version()) {
            return None;
        }
        if self.kind.gets_its_head_here() && version.is_some() {
            // the first version had no head
            return text.split_once('\n').map(|(_, rest)| rest.to_owned());
        }
        Some(text)
    }

    /// Whether a newer program wrote it, however long it is.
    pub fn newer(&self) -> Option<NewerMemory> {
        let mut head = vec![];
        self.open()?.0.take(LONGEST_HEAD).read_to_end(&mut head).ok()?;
        let version = self.kind.version_in(&head)?;
        (version > self.kind.version()).then_some(NewerMemory { kind: self.kind, version })
    }

    /// The file and its length, where it is a regular one.
    fn open(&self) -> Option<(File, u64)> {
        // a pipe would be waited for, but for this flag
        let flags = (OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits();
        let file = OpenOptions::new().read(true).custom_flags(flags).open(&self.path).ok()?;
        let about = file.metadata().ok()?;
        about.is_file().then_some((file, about.len()))
    }

    /// Keeps a text. It waits for the disk, but for that of a dialect: a process that is killed meanwhile
    /// would hold its port until the disk is done.
    ///
    /// # Errors
    /// What the system says, or that a newer program wrote the file ([`NewerMemory`]); then the old text is there still. A flag
    /// of a shutdown is replaced all the same: the server that runs is who says whose loads go off.
    pub fn write(&self, text: &str) -> io::Result<()> {
        if let Some(newer) = self.newer().filter(|_| self.kind != MemoryKind::PowerDown) {
            return Err(io::Error::other(newer));
        }
        let new = self.new_path();
        let written = if self.kind.gets_its_head_here() {
            self.write_beside(&new, &format!("{}{}\n{text}", self.kind.head(), self.kind.version()))
        } else {
            self.write_beside(&new, text)
        };
        if written.is_err() {
            // it would be removed the next time anyway
            let _ = std::fs::remove_file(&new);
        }
        written
    }

    /// Where the new text is written: no other UPS has its file there, whatever it is called.
    fn new_path(&self) -> PathBuf {
        let name = self.path.file_name().unwrap_or_default();
        let mut new = OsString::from("new-");
        new.push(name);
        self.path.with_file_name(new)
    }

    fn write_beside(&self, new: &Path, text: &str) -> io::Result<()> {
        // what a driver that was killed left there, or what another user put there, a link perhaps
        match std::fs::remove_file(new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let flags = (OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits();
        // a file that is made here, or none
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o640).custom_flags(flags).open(new)?;
        file.write_all(text.as_bytes())?;
        if self.kind.is_light() {
            return std::fs::rename(new, &self.path);
        }
        file.sync_all()?;
        std::fs::rename(new, &self.path)?;
        // the new name has to be on the disk as well
        self.path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let folder = std::env::temp_dir().join(format!("qxups-memory-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let memory = MemoryFile::of_battery(&folder, "cellar").unwrap();
        assert_eq!(memory.read(), None);
        for text in ["one\n", "another\n"] {
            memory.write(text).unwrap();
            assert_eq!(memory.read().as_deref(), Some(text));
        }
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
        // a directory that is gone is an error and no panic
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(memory.write("three\n").is_err());
        for name in ["", "a/b", "../x"] {
            assert_eq!(MemoryFile::of_battery(&folder, name), None, "{name}");
        }
    }

    /// A folder of one test, empty.
    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("qxups-memory-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn names_with_points_share_nothing() {
        let folder = folder("points");
        let names = ["rack", "rack.1", "rack.2", "rack.1.new", "rack.new"];
        let memories = names.map(|name| MemoryFile::of_battery(&folder, name).unwrap());
        let mut paths: Vec<PathBuf> = memories.iter().flat_map(|m| [m.path.clone(), m.new_path()]).collect();
        paths.sort();
        paths.dedup();
        assert_eq!(paths.len(), 2 * names.len(), "{paths:?}");
        let [one, two] = ["rack.1", "rack.2"].map(|name| MemoryFile::of_battery(&folder, name).unwrap());
        std::thread::scope(|scope| {
            for (memory, text) in [(&one, "1".repeat(5000)), (&two, "2".repeat(9000))] {
                let text = text.clone();
                scope.spawn(move || (0..200).for_each(|_| memory.write(&text).unwrap()));
                scope.spawn(move || {
                    let name = memory.path.to_str().unwrap();
                    for text in (0..300).filter_map(|_| memory.read()) {
                        assert!(text.chars().all(|digit| name.ends_with(digit)), "{name} is torn");
                        assert!([5000, 9000].contains(&text.len()), "{name} is cut");
                    }
                });
            }
        });
        std::fs::remove_dir_all(&folder).unwrap();
    }

    /// A pipe without a writer, a folder, a file without end, a link: none is a memory, none is waited for.
    #[test]
    fn only_a_file_of_its_own_is_read() {
        let folder = folder("pipe");
        let memory = MemoryFile::of_battery(&folder, "u").unwrap();
        let mode = nix::sys::stat::Mode::from_bits_truncate(0o600);
        nix::unistd::mkfifo(&memory.path, mode).unwrap();
        assert_eq!(memory.read(), None);
        std::fs::remove_file(&memory.path).unwrap();
        std::fs::create_dir(&memory.path).unwrap();
        assert_eq!(memory.read(), None);
        std::fs::remove_dir(&memory.path).unwrap();
        std::fs::write(folder.join("other"), "of another\n").unwrap();
        std::os::unix::fs::symlink(folder.join("other"), &memory.path).unwrap();
        assert_eq!(memory.read(), None);
        std::fs::remove_file(&memory.path).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &memory.path).unwrap();
        assert_eq!(memory.read(), None);
        std::fs::remove_file(&memory.path).unwrap();
        for (length, is_read) in [(LONGEST, true), (LONGEST + 1, false)] {
            std::fs::write(&memory.path, "x".repeat(usize::try_from(length).unwrap())).unwrap();
            assert_eq!(memory.read().is_some(), is_read, "{length}");
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }

    /// Who may write to the folder must not make the driver write elsewhere.
    #[test]
    fn a_link_that_was_planted_is_not_followed() {
        let folder = folder("link");
        let target = folder.join("target");
        std::fs::write(&target, "as it was").unwrap();
        for named in [
            MemoryFile::of_battery(&folder, "u").unwrap(),
            MemoryFile::named(&folder, "dialect", "u", MemoryKind::Dialect).unwrap(),
        ] {
            let new = named.new_path();
            for plant in 0..3 {
                match plant {
                    0 => std::os::unix::fs::symlink(&target, &new).unwrap(),
                    1 => std::fs::hard_link(&target, &new).unwrap(),
                    _ => nix::unistd::mkfifo(&new, nix::sys::stat::Mode::from_bits_truncate(0o600)).unwrap(),
                }
                named.write("a memory\n").unwrap();
                assert_eq!(std::fs::read_to_string(&target).unwrap(), "as it was");
                assert_eq!(named.read().as_deref(), Some("a memory\n"));
                assert!(!new.exists());
            }
            // nothing else can be removed in its place
            std::fs::create_dir(&new).unwrap();
            assert!(named.write("another\n").is_err());
            assert_eq!(named.read().as_deref(), Some("a memory\n"));
            // and a link in the place of the file is replaced, not followed
            std::fs::remove_dir(&new).unwrap();
            std::fs::remove_file(named.path()).unwrap();
            std::os::unix::fs::symlink(&target, named.path()).unwrap();
            named.write("a memory\n").unwrap();
            assert_eq!(std::fs::read_to_string(&target).unwrap(), "as it was");
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }

    /// Whatever is longer, or no text, in a newer file: its first line is enough to leave it alone.
    #[test]
    fn a_newer_file_is_neither_read_nor_changed() {
        let folder = folder("newer");
        let of = |name: &str, kind| MemoryFile::named(&folder, name, "u", kind).unwrap();
        for kind in MemoryKind::ALL.into_iter().filter(|kind| *kind != MemoryKind::PowerDown) {
            for more in [b"unit a\n".to_vec(), vec![0xff; 20_000], vec![]] {
                for version in ["3", "40", "99999999999999999999"] {
                    let memory = of("kind", kind);
                    let bytes = [format!("{}{version}\n", kind.head()).as_bytes(), &more].concat();
                    std::fs::write(&memory.path, &bytes).unwrap();
                    assert_eq!(memory.read(), None, "{kind:?} {version}");
                    let said = memory.write("of this version\n").unwrap_err().to_string();
                    assert!(said.contains("a newer qxups") && said.contains("move the file away"), "{said}");
                    assert_eq!(std::fs::read(&memory.path).unwrap(), bytes);
                }
            }
        }
        // the order of the server that runs counts
        let flag = MemoryFile::of_power_down(&folder);
        std::fs::write(&flag.path, "qxups-powerdown 9\n").unwrap();
        assert!(flag.newer().is_some() && flag.read().is_none());
        flag.write("qxups-powerdown 1\n").unwrap();
        assert!(flag.newer().is_none());
        std::fs::remove_dir_all(&folder).unwrap();
    }

    /// Files of each version as the programs wrote them, from the first one on.
    #[test]
    fn files_of_all_versions_are_read() {
        let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testbed/state");
        let memory = |name: &str, kind| MemoryFile { path: kept.join(name), kind };
        let said = |name: &str, kind| memory(name, kind).read().unwrap_or_default();
        for reset in ["reset-0", "reset-1"] {
            assert_eq!(said(reset, MemoryKind::Reset), "unit SIMULATED LAB 1000 V1.0", "{reset}");
        }
        for usb in ["usb-0", "usb-1"] {
            assert_eq!(said(usb, MemoryKind::Usb), "0665:5161 1-2 ", "{usb}");
        }
        let known = qx::detect::known::KnownDialect::parse(&said("dialect-1", MemoryKind::Dialect)).unwrap();
        assert!(known.protocol == "megatec" && known.names.len() == 1, "{known:?}");
        for battery in ["battery-1", "battery-2"] {
            assert!(said(battery, MemoryKind::Battery).contains("discharges "), "{battery}");
        }
        assert!(said("powerdown-1", MemoryKind::PowerDown).contains("ups rack"));
        for kind in MemoryKind::ALL {
            let name = format!("{kind:?}-{}", kind.version()).to_lowercase();
            assert!(kept.join(&name).exists(), "a file of today's version is to be kept as {name}");
        }
    }

    /// A disk that is full: an error, and the old text is there.
    #[test]
    fn a_disk_that_is_full_costs_nothing_that_was_there() {
        let full = MemoryFile { path: "/dev/full".into(), kind: MemoryKind::Dialect };
        assert_eq!(full.read(), None);
        assert!(MemoryFile::of_battery(Path::new("/proc/self"), "u").unwrap().write("x").is_err());
    }
}
