//! The outbox's file, written by a thread of its own: a disk that hangs holds up nothing else.

use crate::journal;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// No file is longer, in bytes: what is longer was not written here.
const LONGEST: u64 = 32 * 1024 * 1024;
/// So many jobs wait at most; then the disk counts as one that hangs.
const JOBS: usize = 256;
/// A file that grew by so much is written anew.
const GROWN: usize = 256 * 1024;

/// What is asked of the thread.
enum DiskJob {
    /// These bytes at the end.
    Append(Vec<u8>, oneshot::Sender<()>),
    /// The file becomes this.
    Become(Vec<u8>),
    /// The file goes.
    Remove,
}

/// How the file does.
#[derive(Clone, Debug, Default)]
struct DiskStand {
    trouble: Option<String>,
    /// So many bytes were appended since it was written whole.
    grown: usize,
    /// So many jobs wait.
    waiting: usize,
    /// It has to be written whole before anything is appended.
    is_behind: bool,
}

/// The file of an outbox.
#[derive(Debug)]
pub struct OutboxDisk {
    path: PathBuf,
    jobs: mpsc::Sender<DiskJob>,
    stand: Arc<Mutex<DiskStand>>,
}

impl OutboxDisk {
    /// Reads the file, if there is one, and starts the thread that writes it; the file is first to be written whole.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn open(path: &Path) -> io::Result<OutboxDisk> {
        let stand = Arc::new(Mutex::new(DiskStand { is_behind: true, ..DiskStand::default() }));
        let (jobs, work) = mpsc::channel();
        let mut writer = DiskWriter { path: path.into(), file: None, stand: stand.clone() };
        std::thread::Builder::new().name("outbox".into()).spawn(move || writer.work(&work))?;
        Ok(OutboxDisk { path: path.into(), jobs, stand })
    }

    /// What the file holds; nothing where it is not there.
    ///
    /// # Errors
    /// What the system says.
    pub fn read(path: &Path) -> io::Result<Vec<u8>> {
        let mut bytes = vec![];
        match File::open(path) {
            Ok(file) => file.take(LONGEST).read_to_end(&mut bytes).map(|_| bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(bytes),
            Err(error) => Err(error),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends a line. What is given back ends when it is on the disk, or will not be.
    pub fn append(&self, line: String) -> oneshot::Receiver<()> {
        let (done, came) = oneshot::channel();
        let mut stand = locked(&self.stand);
        if stand.waiting >= JOBS {
            stand.is_behind = true;
            stand.trouble.get_or_insert_with(|| "the disk does not answer".into());
        }
        if !stand.is_behind {
            stand.waiting += 1;
            let _ = self.jobs.send(DiskJob::Append(line.into_bytes(), done));
        }
        came
    }

    /// The file becomes this.
    pub fn become_(&self, text: String) {
        let mut stand = locked(&self.stand);
        if stand.waiting < JOBS {
            stand.waiting += 1;
            (stand.is_behind, stand.grown) = (false, 0);
            let _ = self.jobs.send(DiskJob::Become(text.into_bytes()));
        } else {
            // what changed since is in no line
            stand.is_behind = true;
        }
    }

    /// The file goes.
    pub fn remove(&self) {
        let _ = self.jobs.send(DiskJob::Remove);
    }

    /// Whether the file should be written whole: it has grown, or something is missing in it.
    pub fn wants_whole(&self) -> bool {
        let stand = locked(&self.stand);
        stand.is_behind || stand.grown > GROWN || stand.trouble.is_some()
    }

    /// Why it is not written.
    pub fn trouble(&self) -> Option<String> {
        locked(&self.stand).trouble.clone()
    }
}

fn locked(stand: &Mutex<DiskStand>) -> std::sync::MutexGuard<'_, DiskStand> {
    stand.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The thread's own.
struct DiskWriter {
    path: PathBuf,
    file: Option<File>,
    stand: Arc<Mutex<DiskStand>>,
}

impl DiskWriter {
    fn work(&mut self, jobs: &mpsc::Receiver<DiskJob>) {
        while let Ok(first) = jobs.recv() {
            let (mut batch, mut waiters) = (vec![], vec![]);
            let mut next = Some(first);
            // what waits is one write
            while let Some(job) = next {
                locked(&self.stand).waiting -= usize::from(!matches!(job, DiskJob::Remove));
                match job {
                    DiskJob::Append(bytes, done) => {
                        batch.extend_from_slice(&bytes);
                        waiters.push(done);
                    }
                    DiskJob::Become(bytes) => {
                        self.append(&std::mem::take(&mut batch));
                        self.become_(&bytes);
                    }
                    DiskJob::Remove => {
                        batch.clear();
                        self.file = None;
                        let _ = std::fs::remove_file(&self.path);
                    }
                }
                next = jobs.try_recv().ok();
            }
            self.append(&batch);
            for done in waiters {
                let _ = done.send(());
            }
        }
    }

    fn append(&mut self, bytes: &[u8]) {
        let Some(file) = self.file.as_mut().filter(|_| !bytes.is_empty()) else { return };
        let written = file.write_all(bytes).and_then(|()| file.sync_data());
        locked(&self.stand).grown += bytes.len();
        if let Err(error) = written {
            self.failed(&error);
        }
    }

    fn become_(&mut self, bytes: &[u8]) {
        let Err(error) = self.replace(bytes) else {
            locked(&self.stand).trouble = None;
            return;
        };
        // a disk that is full has room for what is shorter than before; it is in trouble all the same
        if self.overwrite(bytes).is_ok() {
            locked(&self.stand).trouble = Some(error.to_string());
        } else {
            self.failed(&error);
        }
    }

    /// Either the file of before, or this one.
    fn replace(&mut self, bytes: &[u8]) -> io::Result<()> {
        let new = self.path.with_extension("new");
        let written = options().truncate(true).write(true).open(&new).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_data()?;
            std::fs::rename(&new, &self.path)?;
            // the name is on the disk as well
            self.path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
        });
        if let Err(error) = written {
            let _ = std::fs::remove_file(&new);
            return Err(error);
        }
        self.file = Some(options().append(true).open(&self.path)?);
        Ok(())
    }

    fn overwrite(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut file = options().append(true).open(&self.path)?;
        file.set_len(0)?;
        let written = file.write_all(bytes).and_then(|()| file.sync_data());
        if written.is_err() {
            // a part of it says less than is so, and nothing that is not so
            let _ = file.set_len(0);
            let _ = file.write_all(journal::head().as_bytes());
        }
        self.file = written.is_ok().then_some(file);
        written
    }

    fn failed(&mut self, error: &io::Error) {
        // what is appended behind a torn line would not be read
        self.file = None;
        let mut stand = locked(&self.stand);
        stand.is_behind = true;
        stand.trouble = Some(error.to_string());
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true).mode(0o600);
    options
}
