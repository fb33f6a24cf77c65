//! A file of configuration that is changed as a whole: it is the former or the new one at any moment, with its owner
//! and mode. What another program wrote meanwhile is not lost.

use link::read_bounded;
use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

/// No such file is longer, in bytes.
const LONGEST: u64 = 16 * 1024 * 1024;
/// Which bits of a mode say what the group may do.
const OF_GROUP: u32 = 0o070;

/// A file as it was when it was read, or a place where there is none.
#[derive(Debug)]
pub struct ConfFile {
    /// Where it is; a symbolic link stays one, and this is where it leads.
    pub path: PathBuf,
    /// What stands in it; empty where there is none.
    pub text: Vec<u8>,
    /// What it is; none where there is none.
    known: Option<Metadata>,
}

/// What a new file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewFile {
    /// Its mode.
    pub mode: u32,
    /// Its group, where that is not the one of who creates it.
    pub group: Option<u32>,
}

impl ConfFile {
    /// Reads a file.
    ///
    /// # Errors
    /// The system's word, `NotFound` among them; `InvalidInput` for what is no regular file.
    pub fn read(path: &Path) -> io::Result<ConfFile> {
        let path = path.canonicalize()?;
        let known = path.metadata()?;
        if !known.is_file() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "it is no regular file"));
        }
        let text = read_bounded(&path, LONGEST)?;
        Ok(ConfFile { path, text, known: Some(known) })
    }

    /// The same, also where there is none yet.
    ///
    /// # Errors
    /// As of [`ConfFile::read`]; a link that leads nowhere.
    pub fn read_or_none(path: &Path) -> io::Result<ConfFile> {
        match ConfFile::read(path) {
            Err(error) if error.kind() == ErrorKind::NotFound && !path.is_symlink() => {
                Ok(ConfFile { path: path.into(), text: vec![], known: None })
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Err(io::Error::other("it is a symbolic link that leads nowhere"))
            }
            read => read,
        }
    }

    /// Whether it was there.
    pub fn is_there(&self) -> bool {
        self.known.is_some()
    }

    /// Writes a text beside it, on the disk, with the owner and mode of the file; of one that is not there, those of
    /// `new`.
    ///
    /// # Errors
    /// The system's word; then nothing is left behind.
    pub fn draft(&self, text: &[u8], new: NewFile) -> io::Result<ConfDraft<'_>> {
        let mut name = self.path.file_name().unwrap_or_default().to_os_string();
        name.push(format!(".{}.new", std::process::id()));
        let path = self.path.with_file_name(name);
        // for its owner alone until it is what it is to be
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        let draft = ConfDraft { of: self, path };
        match &self.known {
            Some(known) => become_as(&file, known)?,
            None => {
                if new.group.is_some() {
                    fchown(&file, None, new.group)?;
                }
                file.set_permissions(Permissions::from_mode(new.mode))?;
            }
        }
        file.write_all(text)?;
        file.sync_all()?;
        Ok(draft)
    }

    /// Whether the file is still what it was when it was read.
    fn is_as_read(&self) -> io::Result<bool> {
        let stamp = |of: &Metadata| (of.ino(), of.len(), of.mtime(), of.mtime_nsec());
        match (&self.known, self.path.symlink_metadata()) {
            (None, Err(error)) if error.kind() == ErrorKind::NotFound => Ok(true),
            (None, Ok(_)) => Ok(false),
            (Some(known), Ok(now)) => Ok(stamp(&now) == stamp(known)),
            (_, Err(error)) => Err(error),
        }
    }
}

/// Gives a new file the owner, group and mode of another. Its owner may be in another group than the file: where that
/// group has no right in it, the group makes no difference, and is not kept.
fn become_as(file: &File, known: &Metadata) -> io::Result<()> {
    let made = file.metadata()?;
    if (made.uid(), made.gid()) != (known.uid(), known.gid()) {
        let given = fchown(file, Some(known.uid()), Some(known.gid()));
        let is_same_owner = made.uid() == known.uid() && known.mode() & OF_GROUP == 0;
        given.or_else(|error| if is_same_owner { Ok(()) } else { Err(error) })?;
    }
    file.set_permissions(known.permissions())
}

/// A new text beside its file. It goes when this is dropped.
#[derive(Debug)]
pub struct ConfDraft<'f> {
    of: &'f ConfFile,
    path: PathBuf,
}

impl ConfDraft<'_> {
    /// Whether its file is as it was read.
    ///
    /// # Errors
    /// Another program changed it; the system's word.
    pub fn check(&self) -> io::Result<()> {
        match self.of.is_as_read()? {
            true => Ok(()),
            false => Err(io::Error::other("another program changed it meanwhile; run this again")),
        }
    }

    /// Puts it in place of its file.
    ///
    /// # Errors
    /// Another program changed the file meanwhile; the system's word. Then the file is as before.
    pub fn put(self) -> io::Result<()> {
        self.check()?;
        match self.of.known {
            Some(_) => std::fs::rename(&self.path, &self.of.path)?,
            // fails where another program has just created one
            None => std::fs::hard_link(&self.path, &self.of.path)?,
        }
        match self.of.path.parent() {
            Some(folder) => File::open(folder)?.sync_all(),
            None => Ok(()),
        }
    }
}

impl Drop for ConfDraft<'_> {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: NewFile = NewFile { mode: 0o640, group: None };

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("qxups-conf-file-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn put(path: &Path, text: &str) -> io::Result<()> {
        ConfFile::read_or_none(path)?.draft(text.as_bytes(), NEW)?.put()
    }

    #[test]
    fn a_new_file_is_what_was_asked_for_and_a_known_one_stays_what_it_is() {
        let folder = folder("modes");
        let path = folder.join("upsd.users");
        put(&path, "one").unwrap();
        assert_eq!(path.metadata().unwrap().mode() & 0o7777, 0o640);
        std::fs::set_permissions(&path, Permissions::from_mode(0o604)).unwrap();
        put(&path, "two").unwrap();
        assert_eq!(path.metadata().unwrap().mode() & 0o7777, 0o604);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "no draft stays behind");
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_another_program_wrote_meanwhile_stays() {
        let folder = folder("meanwhile");
        let path = folder.join("ups.conf");
        let none = ConfFile::read_or_none(&path).unwrap();
        let draft = none.draft(b"ours", NEW).unwrap();
        std::fs::write(&path, "theirs").unwrap();
        assert!(draft.put().unwrap_err().to_string().contains("another program"));
        let known = ConfFile::read(&path).unwrap();
        let draft = known.draft(b"ours", NEW).unwrap();
        std::fs::write(&path, "theirs too").unwrap();
        assert!(draft.check().is_err() && draft.put().is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "theirs too");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "no draft stays behind");
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_link_stays_one_and_what_is_no_file_is_refused() {
        let folder = folder("links");
        let (real, link) = (folder.join("real"), folder.join("ups.conf"));
        std::fs::write(&real, "before").unwrap();
        std::os::unix::fs::symlink("real", &link).unwrap();
        put(&link, "after").unwrap();
        assert!(link.is_symlink() && std::fs::read_to_string(&real).unwrap() == "after");
        let nowhere = folder.join("upsd.conf");
        std::os::unix::fs::symlink("nothing", &nowhere).unwrap();
        assert!(put(&nowhere, "x").unwrap_err().to_string().contains("leads nowhere"));
        assert!(put(Path::new("/dev/null"), "x").unwrap_err().to_string().contains("no regular file"));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
