//! One writer for a file: two servers would write the same time twice. The lock is that of a file beside it; the system lets
//! go of it with the process, however that ends. SQLite's own locks last no longer than a transaction.

use crate::trouble::HistoryTrouble;
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg, OFlag};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Its name is that of the file, and this.
const SUFFIX: &str = "-lock";
/// It has the number of a process in it.
const LONGEST: u64 = 32;

/// Keeps other servers from a file, as long as it is there.
#[derive(Debug)]
pub(crate) struct WriterLock {
    _file: Flock<File>,
}

impl WriterLock {
    /// Of this history.
    ///
    /// # Errors
    /// [`HistoryTrouble::Taken`]; what the system says.
    pub fn take(path: &Path) -> Result<WriterLock, HistoryTrouble> {
        let flags = (OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits();
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o640).custom_flags(flags);
        let file = options.open(beside(path)?)?;
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(mut file) => {
                // only for the message of another server: a disk without room for it may have room again later
                let _ = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
                Ok(WriterLock { _file: file })
            }
            Err((file, Errno::EWOULDBLOCK)) => Err(HistoryTrouble::Taken(number_in(file))),
            Err((_, error)) => Err(io::Error::from(error).into()),
        }
    }
}

/// The same file for every name of the history.
fn beside(path: &Path) -> io::Result<PathBuf> {
    let real = path.canonicalize().or_else(|_| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        folder.canonicalize().map(|folder| folder.join(path.file_name().unwrap_or_default()))
    })?;
    let mut name = real.into_os_string();
    name.push(SUFFIX);
    Ok(name.into())
}

fn number_in(file: File) -> Option<u32> {
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
