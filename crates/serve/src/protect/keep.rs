//! The record on the disk: what went down in an outage is known after a kill, and after a start of the machine.

use link::read_bounded;
use nix::fcntl::OFlag;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// Its name in the folder of what lasts.
const NAME: &str = "protect.record";
/// No record is longer, in bytes.
const LONGEST: u64 = 1024 * 1024;
/// A disk that takes longer is not waited for: hosts go down all the same.
const TAKES: Duration = Duration::from_secs(2);
/// So many records wait for a disk that hangs; each is whole, so the last one counts.
const WAITING: usize = 64;

/// A record to be written, and who waits for it.
type Job = (String, oneshot::Sender<Result<(), String>>);

/// Writes records, on a thread of its own.
#[derive(Debug)]
pub(super) struct RecordKeeper {
    path: PathBuf,
    jobs: Option<mpsc::Sender<Job>>,
    /// A newer program wrote the file: nothing is written there.
    leaves_alone: bool,
}

impl RecordKeeper {
    /// Of this folder, with what the file says; nothing where there is none.
    pub fn open(lasting: &Path) -> (RecordKeeper, Result<String, String>) {
        let path = lasting.join(NAME);
        let text = match read_bounded(&path, LONGEST) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
            Err(error) => Err(format!("cannot read {}: {error}", path.display())),
            Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        };
        let (jobs, mut todo) = mpsc::channel::<Job>(WAITING);
        let file = path.clone();
        let thread = std::thread::Builder::new().name("protect".into()).spawn(move || {
            while let Some((mut text, mut waits)) = todo.blocking_recv() {
                // the last one counts
                let mut others = vec![];
                while let Ok((later, who)) = todo.try_recv() {
                    others.push(std::mem::replace(&mut waits, who));
                    text = later;
                }
                let done =
                    put(&file, &text).map_err(|error| format!("cannot write {}: {error}", file.display()));
                for waits in others.into_iter().chain([waits]) {
                    let _ = waits.send(done.clone());
                }
            }
        });
        (RecordKeeper { path, jobs: thread.is_ok().then_some(jobs), leaves_alone: false }, text)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// From here on nothing is written: the file is of a newer program.
    pub fn leave_alone(&mut self) {
        self.leaves_alone = true;
    }

    /// Writes a record, and waits until it is on the disk.
    ///
    /// # Errors
    /// A sentence: it is not, or not yet. Where the file is left alone, that was said before, and is no error.
    pub async fn keep(&self, text: String) -> Result<(), String> {
        if self.leaves_alone {
            return Ok(());
        }
        let slow = || format!("{} is not written yet: its disk is slow, or hangs", self.path.display());
        let jobs = self.jobs.as_ref().ok_or("cannot write the record: there is no thread for it")?;
        let (sender, done) = oneshot::channel();
        jobs.try_send((text, sender)).map_err(|_| slow())?;
        match timeout(TAKES, done).await {
            Ok(Ok(done)) => done,
            _ => Err(slow()),
        }
    }
}

/// Whenever the process is killed, the file is the one before or this one.
fn put(path: &Path, text: &str) -> io::Result<()> {
    let draft = path.with_extension("new");
    let written = write_draft(&draft, text).and_then(|()| std::fs::rename(&draft, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&draft);
    }
    written?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

fn write_draft(draft: &Path, text: &str) -> io::Result<()> {
    // what a process that was killed left there, or a link that another user put there
    match std::fs::remove_file(draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    let options = options.write(true).create_new(true).mode(0o600).custom_flags(OFlag::O_NOFOLLOW.bits());
    let mut file = options.open(draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_after_another_start() {
        let folder = std::env::temp_dir().join(format!("qxups-protect-keep-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (keeper, text) = RecordKeeper::open(&folder);
        assert_eq!(text.as_deref(), Ok(""));
        std::os::unix::fs::symlink("/dev/full", folder.join("protect.new")).unwrap();
        assert_eq!(runtime.block_on(keeper.keep("one\n".into())), Ok(()));
        assert_eq!(runtime.block_on(keeper.keep("two\n".into())), Ok(()));
        assert_eq!(RecordKeeper::open(&folder).1.as_deref(), Ok("two\n"));
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
        let (mut keeper, _) = RecordKeeper::open(&folder);
        keeper.leave_alone();
        assert_eq!(runtime.block_on(keeper.keep("three\n".into())), Ok(()));
        assert_eq!(RecordKeeper::open(&folder).1.as_deref(), Ok("two\n"));
        let (keeper, _) = RecordKeeper::open(&folder);
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(runtime.block_on(keeper.keep("x".into())).unwrap_err().contains("cannot write"));
    }
}
