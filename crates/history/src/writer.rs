//! The thread that writes. A disk that hangs holds it up and nothing else: what comes meanwhile waits in a queue that is
//! bounded, and what does not fit is counted.

use crate::event::{EventKind, HistoryEvent};
use crate::file::{HistoryBatch, HistoryFile};
use crate::lock::WriterLock;
use crate::outage::Outage;
use crate::quantity::Provenance;
use crate::trouble::HistoryTrouble;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// So many batches wait for the thread.
const QUEUE: usize = 64;
/// Of samples that wait for a disk that fails, so many rows are kept: an hour of a hundred UPSes.
const ROWS: usize = 6000;
/// And so many events.
const EVENTS: usize = 2000;
/// Between two commits at least: events that come in a flood are written together.
const APART: Duration = Duration::from_secs(1);
/// A disk that failed is tried again after so long.
const AGAIN: Duration = Duration::from_secs(10);
/// At the end the disk is waited for no longer.
const LAST: Duration = Duration::from_secs(2);

/// How a history does.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HistoryState {
    /// Why it is not written; none while it is.
    pub trouble: Option<String>,
    /// Whether the file was open once.
    pub opened: bool,
    /// Outages that were not over when the file was opened first; taken by the first who asks.
    pub unfinished: Vec<(String, Outage, i64)>,
    /// The energy that the file had counted when it was opened first, by UPS; taken by the first who asks.
    pub counted: Vec<(String, Provenance, f64)>,
    /// How many batches were written.
    pub written: u64,
    /// How often the disk was tried in vain.
    pub failed: u64,
    /// How many rows and events were lost and no event says so yet.
    pub lost: u64,
    /// How many rows and events were lost in all.
    pub lost_ever: u64,
}

impl HistoryState {
    fn lose(&mut self, rows_and_events: usize) {
        let more = u64::try_from(rows_and_events).unwrap_or(u64::MAX);
        self.lost = self.lost.saturating_add(more);
        self.lost_ever = self.lost_ever.saturating_add(more);
    }
}

#[derive(Debug)]
enum Message {
    Batch(Box<HistoryBatch>),
    Stop(SyncSender<()>),
}

/// A history that is written. It ends when this is dropped: what waits is written first, if the disk takes it in 2 s.
#[derive(Debug)]
pub struct HistoryWriter {
    sender: SyncSender<Message>,
    state: Arc<Mutex<HistoryState>>,
}

impl HistoryWriter {
    /// Starts the thread. `size_mib` is as for [`HistoryFile::open`]; the one before it, if any, ends first.
    ///
    /// # Errors
    /// The system has no thread.
    pub fn start(
        path: &Path,
        size_mib: u64,
        before: Option<HistoryWriter>,
    ) -> std::io::Result<HistoryWriter> {
        let (sender, messages) = sync_channel(QUEUE);
        let state = Arc::new(Mutex::new(HistoryState::default()));
        let thread = WriterThread {
            path: path.into(),
            size_mib,
            file: None,
            lock: None,
            is_kept_out: false,
            state: state.clone(),
            token: 0,
            current: None,
            next: HistoryBatch::default(),
        };
        let builder = std::thread::Builder::new().name("history".into()).stack_size(256 * 1024);
        builder.spawn(move || {
            drop(before);
            thread.run(&messages);
        })?;
        Ok(HistoryWriter { sender, state })
    }

    /// Has a batch written, soon. It never waits; a batch that finds no room is lost and counted.
    pub fn send(&self, batch: HistoryBatch) {
        let (rows, events) = (batch.rows.len(), batch.events.len());
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) =
            self.sender.try_send(Message::Batch(Box::new(batch)))
        {
            lock(&self.state).lose(rows + events);
        }
    }

    /// How it does.
    pub fn state(&self) -> HistoryState {
        lock(&self.state).clone()
    }

    /// The energy that the file had counted when it was opened, once; none while it was not open yet.
    pub fn take_counted(&self) -> Vec<(String, Provenance, f64)> {
        std::mem::take(&mut lock(&self.state).counted)
    }

    /// The outages that were not over when the file was opened, once.
    pub fn take_unfinished(&self) -> Vec<(String, Outage, i64)> {
        std::mem::take(&mut lock(&self.state).unfinished)
    }
}

impl Drop for HistoryWriter {
    fn drop(&mut self) {
        let (done, is_done) = sync_channel(1);
        if self.sender.try_send(Message::Stop(done)).is_ok() {
            let _ = is_done.recv_timeout(LAST);
        }
    }
}

fn lock(state: &Mutex<HistoryState>) -> MutexGuard<'_, HistoryState> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A number that no other batch has, nor 0.
fn new_token() -> i64 {
    let random = RandomState::new().build_hasher().finish();
    i64::from_ne_bytes(random.to_ne_bytes()) | 1
}

struct WriterThread {
    path: PathBuf,
    size_mib: u64,
    file: Option<HistoryFile>,
    /// Stays while the disk fails: no other server begins meanwhile.
    lock: Option<WriterLock>,
    /// What was lost last was lost as another server wrote the file.
    is_kept_out: bool,
    state: Arc<Mutex<HistoryState>>,
    /// The mark of the batch that is being written, which no other has.
    token: i64,
    /// The batch that is being written. It stays as it is until it is known to be in the file.
    current: Option<HistoryBatch>,
    /// What comes meanwhile.
    next: HistoryBatch,
}

impl WriterThread {
    fn run(mut self, messages: &Receiver<Message>) {
        // also where there is nothing to write: unfinished outages are asked for
        let mut due = self.attempt();
        loop {
            // a file that is not open is tried also where there is nothing to write
            let wait = match self.has_work() || self.file.is_none() {
                true => due.saturating_duration_since(Instant::now()),
                false => Duration::from_secs(3600),
            };
            match messages.recv_timeout(wait) {
                Ok(Message::Batch(batch)) => self.gather(*batch),
                Ok(Message::Stop(done)) => {
                    self.end();
                    let _ = done.send(());
                    return;
                }
                Err(RecvTimeoutError::Timeout) => {}
                // its owner has left without a word
                Err(RecvTimeoutError::Disconnected) => return self.end(),
            }
            if (self.has_work() || self.file.is_none()) && Instant::now() >= due {
                due = self.attempt();
            }
        }
    }

    fn has_work(&self) -> bool {
        self.current.is_some() || !self.next.is_empty()
    }

    fn gather(&mut self, batch: HistoryBatch) {
        self.next.append(batch);
        // what is oldest is lost first
        let rows = self.next.rows.len().saturating_sub(ROWS);
        let events = self.next.events.len().saturating_sub(EVENTS);
        self.next.rows.drain(..rows);
        self.next.events.drain(..events);
        if rows + events > 0 {
            lock(&self.state).lose(rows + events);
        }
    }

    /// Writes what there is; when to try again.
    fn attempt(&mut self) -> Instant {
        match self.write() {
            Ok(()) => {
                lock(&self.state).trouble = None;
                Instant::now() + APART
            }
            Err(why) => {
                self.file = None;
                if why.is_of_another() {
                    self.forget();
                }
                let mut state = lock(&self.state);
                state.failed += 1;
                state.trouble = Some(why.to_string());
                Instant::now() + AGAIN
            }
        }
    }

    /// What another server writes at this time is not written once more.
    fn forget(&mut self) {
        let waiting = std::mem::take(&mut self.next);
        self.is_kept_out = true;
        lock(&self.state).lose(waiting.rows.len() + waiting.events.len());
    }

    fn write(&mut self) -> Result<(), HistoryTrouble> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => self.open()?,
        };
        if self.current.is_none() && !self.next.is_empty() {
            self.token = new_token();
            self.say_what_was_lost();
            self.current = Some(std::mem::take(&mut self.next));
        }
        if let Some(batch) = &self.current {
            file.write(self.token, batch)?;
            self.current = None;
            lock(&self.state).written += 1;
        }
        self.file = Some(file);
        Ok(())
    }

    fn open(&mut self) -> Result<HistoryFile, HistoryTrouble> {
        if self.lock.is_none() {
            self.lock = Some(WriterLock::take(&self.path)?);
        }
        let file = HistoryFile::open(&self.path, self.size_mib)?;
        let mut state = lock(&self.state);
        if !state.opened {
            drop(state);
            let (unfinished, counted) = (file.open_outages()?, file.energy()?);
            state = lock(&self.state);
            (state.opened, state.unfinished, state.counted) = (true, unfinished, counted);
        }
        drop(state);
        Ok(file)
    }

    fn say_what_was_lost(&mut self) {
        let lost = std::mem::take(&mut lock(&self.state).lost);
        if lost > 0 {
            let why = match std::mem::take(&mut self.is_kept_out) {
                true => "another server wrote the file",
                false => "the disk did not take them",
            };
            let text = format!("{lost} rows and events are missing: {why}");
            self.next.events.push(HistoryEvent::new(self.next.at_ms, None, EventKind::Gap, &text));
        }
    }

    fn end(&mut self) {
        // what was under way, and what came after it
        while self.has_work() && self.write().is_ok() {}
        if let Some(file) = self.file.take() {
            let _ = file.checkpoint();
        }
        // before it is said that this has ended: the next writer may be waiting
        self.lock = None;
    }
}
