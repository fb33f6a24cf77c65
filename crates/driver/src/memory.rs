//! What was learned of a battery, and of the dialect of a UPS, over restarts: small files in the directory of
//! NUT's lasting state.
//!
//! A new text is written beside the old one, and takes its place when it is on the disk. Whenever the
//! power goes or the driver is killed, the file is the old one or the new one, whole.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Built for this directory; `QXUPS_VARPATH` in the environment names another.
const VARPATH: &str = match option_env!("QXUPS_VARPATH") {
    Some(path) => path,
    None => "/var/lib/nut",
};
/// No memory is as long as this, in bytes.
const LONGEST: u64 = 16 * 1024;

fn folder() -> PathBuf {
    let folder = std::env::var_os("QXUPS_VARPATH").filter(|path| !path.is_empty());
    folder.unwrap_or_else(|| VARPATH.into()).into()
}

/// A file of one UPS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memory {
    path: PathBuf,
    /// Whether a loss of power may cost it: then nobody waits for the disk, and the text has to show by
    /// itself that it is whole.
    light: bool,
}

impl Memory {
    /// The file of the battery of this UPS, whichever of the drivers watches it. None when its name cannot be
    /// that of a file.
    pub fn of(ups: &str) -> Option<Memory> {
        Memory::at(&folder(), ups)
    }

    /// The same in another directory.
    pub fn at(folder: &Path, ups: &str) -> Option<Memory> {
        Memory::named(folder, "battery", ups, false)
    }

    /// The file of its dialect.
    pub fn of_dialect(ups: &str) -> Option<Memory> {
        Memory::named(&folder(), "dialect", ups, true)
    }

    /// The file that says to which UPS `reset_to_default` was written.
    pub fn of_reset(ups: &str) -> Option<Memory> {
        Memory::named(&folder(), "reset", ups, true)
    }

    /// Forgets it.
    ///
    /// # Errors
    /// What the system says.
    pub fn forget(&self) -> io::Result<()> {
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn named(folder: &Path, what: &str, ups: &str, light: bool) -> Option<Memory> {
        let is_name = !ups.is_empty() && !ups.contains('/') && !ups.contains('\0');
        is_name.then(|| Memory { path: folder.join(format!("qxups-{what}-{ups}")), light })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What was kept. None when there is nothing, or nothing that can be read.
    pub fn read(&self) -> Option<String> {
        let mut text = String::new();
        File::open(&self.path).ok()?.take(LONGEST).read_to_string(&mut text).ok()?;
        (!text.is_empty()).then_some(text)
    }

    /// Keeps a text. It waits for the disk, but for that of a dialect: a process that is killed meanwhile
    /// would hold its port until the disk is done.
    ///
    /// # Errors
    /// What the system says; then the old text is there still.
    pub fn write(&self, text: &str) -> io::Result<()> {
        let new = self.path.with_extension("new");
        let written = self.write_beside(&new, text);
        if written.is_err() {
            // it would be overwritten the next time anyway
            let _ = std::fs::remove_file(&new);
        }
        written
    }

    fn write_beside(&self, new: &Path, text: &str) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o640).open(new)?;
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
        let memory = Memory::at(&folder, "cellar").unwrap();
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
            assert_eq!(Memory::at(&folder, name), None, "{name}");
        }
    }
}
