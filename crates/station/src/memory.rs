//! What is kept over restarts, of a battery and of the dialect of a UPS: small files in the directory of
//! NUT's lasting state.
//!
//! A new text is written beside the old one, and takes its place when it is on the disk. Whenever the
//! power goes or the driver is killed, the file is the old one or the new one, whole.

use nix::fcntl::OFlag;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// No memory is as long as this, in bytes.
const LONGEST: u64 = 16 * 1024;

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
    /// Whether a loss of power may cost it: then the disk is not waited for, and the text has to show by
    /// itself that it is whole.
    light: bool,
}

impl MemoryFile {
    /// The file of the battery of this UPS, whichever of the drivers watches it. None when its name cannot be
    /// that of a file.
    pub fn of_battery(lasting: &Path, ups: &str) -> Option<MemoryFile> {
        MemoryFile::named(lasting, "battery", ups, false)
    }

    /// The file of its dialect.
    pub fn of_dialect(lasting: &Path, ups: &str) -> Option<MemoryFile> {
        MemoryFile::named(lasting, "dialect", ups, true)
    }

    /// The file that says to which UPS `reset_to_default` was written.
    pub fn of_reset(lasting: &Path, ups: &str) -> Option<MemoryFile> {
        MemoryFile::named(lasting, "reset", ups, true)
    }

    /// The file that says which USB device its driver has open ([`link::Attached::mark`]).
    pub fn of_usb(state: &Path, ups: &str) -> Option<MemoryFile> {
        MemoryFile::named(state, "usb", ups, true)
    }

    /// The file that says that a shutdown is under way which ends with loads switched off, of all UPSes of a server.
    pub fn of_power_down(state: &Path) -> MemoryFile {
        MemoryFile { path: state.join("qxups-powerdown"), light: true }
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

    fn named(folder: &Path, what: &str, ups: &str, light: bool) -> Option<MemoryFile> {
        let is_name = !ups.is_empty() && !ups.contains('/') && !ups.contains('\0');
        is_name.then(|| MemoryFile { path: folder.join(format!("qxups-{what}-{ups}")), light })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What was kept. None when there is nothing, or nothing that can be read: only a regular file is, no
    /// longer than a memory, and never through a link.
    pub fn read(&self) -> Option<String> {
        // a pipe would be waited for, but for this flag
        let flags = (OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits();
        let file = OpenOptions::new().read(true).custom_flags(flags).open(&self.path).ok()?;
        let about = file.metadata().ok()?;
        if !about.is_file() || about.len() > LONGEST {
            return None;
        }
        let mut text = String::new();
        file.take(LONGEST).read_to_string(&mut text).ok()?;
        (!text.is_empty()).then_some(text)
    }

    /// Keeps a text. It waits for the disk, but for that of a dialect: a process that is killed meanwhile
    /// would hold its port until the disk is done.
    ///
    /// # Errors
    /// What the system says; then the old text is there still.
    pub fn write(&self, text: &str) -> io::Result<()> {
        let new = self.new_path();
        let written = self.write_beside(&new, text);
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
        if self.light {
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
            MemoryFile::named(&folder, "dialect", "u", true).unwrap(),
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

    /// A disk that is full: an error, and the old text is there.
    #[test]
    fn a_disk_that_is_full_costs_nothing_that_was_there() {
        let full = MemoryFile { path: "/dev/full".into(), light: true };
        assert_eq!(full.read(), None);
        assert!(MemoryFile::of_battery(Path::new("/proc/self"), "u").unwrap().write("x").is_err());
    }
}
