//! Takes notices from the rules to the disk, and from there to their outputs. Each output has a task of its own: one that
//! hangs delays no other, and no UPS.

use crate::disk::OutboxDisk;
use crate::journal::{self, JournalChange, JournalState, SeenMark, StandingChange, StandingRecord};
use crate::notice::UpsNotice;
use crate::outbox::{NextParcel, Outbox, OutputState, Recovered};
use crate::output::{Delivery, NoticeOutput};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};

/// Nothing is sent before the disk knows of it, but for a disk that takes longer than this.
const DISK: Duration = Duration::from_secs(2);
/// A disk that failed is tried again after so long.
const DISK_AGAIN: Duration = Duration::from_secs(10);

/// Where is said what happens; true for a warning.
pub type PostLog = Rc<dyn Fn(bool, &str)>;

/// An output with its task.
struct Line {
    output: RefCell<Rc<dyn NoticeOutput>>,
    wake: Notify,
}

/// The outbox with its disk and its outputs.
pub struct Post {
    outbox: RefCell<Outbox>,
    /// None where a newer program wrote the file: that one is left alone, and all stays in memory.
    disk: Option<OutboxDisk>,
    lines: RefCell<BTreeMap<String, (Rc<Line>, AbortHandle)>>,
    began: Instant,
    clock: Rc<dyn Fn(i64) -> String>,
    log: PostLog,
    trouble: RefCell<Option<String>>,
    disk_tried: Cell<Option<Instant>>,
}

impl Post {
    /// Opens the outbox of this file. What the file holds is given back; it is on the way once [`Post::recover`] takes its
    /// parcels. `mark` is a text that no other start of the server has.
    ///
    /// A file that cannot be read is put aside: what may come of this hour matters more than what waited. A file of a newer
    /// program stays as it is: what waits in it is sent by that one, and what comes meanwhile is kept in memory alone.
    ///
    /// # Errors
    /// Why the disk cannot be written at all, in a sentence.
    pub fn open(
        path: &Path,
        mark: &str,
        clock: Rc<dyn Fn(i64) -> String>,
        log: PostLog,
    ) -> Result<(Rc<Post>, JournalState), String> {
        let read = OutboxDisk::read(path).map_err(|error| error.to_string());
        let newer = read.as_ref().ok().and_then(|bytes| journal::newer(bytes));
        if let Some(version) = newer {
            log(
                true,
                &format!(
                    "{}: a newer qxups wrote it (version {version}, this one knows {}), so what waits in it is neither sent nor changed, and what comes now is lost with the process: install that one again, or move the file away and restart",
                    path.display(),
                    journal::OUTBOX_VERSION
                ),
            );
        }
        let read = if newer.is_some() { Ok(vec![]) } else { read };
        let mut state = read.and_then(|bytes| journal::read(&bytes)).unwrap_or_else(|why| {
            let aside = path.with_extension("unreadable");
            let moved = std::fs::rename(path, &aside);
            let then = match moved {
                Ok(()) => format!("it is {} now", aside.display()),
                Err(error) => format!("it cannot be moved away: {error}"),
            };
            log(true, &format!("{}: {why}; {then}, and what waited in it is not sent", path.display()));
            JournalState::default()
        });
        // the disk was read-only perhaps when these were sent
        if !state.parcels.is_empty() && !OutboxDisk::is_writable(path) {
            state.parcels.values_mut().for_each(|parcel| parcel.is_under_way = true);
        }
        let disk = match newer {
            Some(_) => None,
            None => Some(OutboxDisk::open(path).map_err(|error| format!("cannot start a thread: {error}"))?),
        };
        let post = Post {
            outbox: RefCell::new(Outbox::new(mark)),
            disk,
            lines: RefCell::default(),
            began: Instant::now(),
            clock,
            log,
            trouble: RefCell::default(),
            disk_tried: Cell::default(),
        };
        Ok((Rc::new(post), state))
    }

    fn now_ms(&self) -> i64 {
        i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    /// Makes the outputs these, each with its name and how many notices it gets a minute. What is being sent goes on. Must be
    /// called inside of a tokio `LocalRuntime` or `LocalSet`.
    pub fn set_outputs(self: &Rc<Self>, outputs: Vec<(String, u32, Rc<dyn NoticeOutput>)>) {
        let rows = outputs.iter().map(|(name, most, output)| (name.as_str(), *most, output.sends_again()));
        let dropped = self.outbox.borrow_mut().set_outputs(rows);
        if dropped > 0 {
            (self.log)(true, &format!("{dropped} notices for outputs that are gone are dropped"));
        }
        let mut lines = self.lines.borrow_mut();
        lines.retain(|name, (_, task)| {
            let stays = outputs.iter().any(|(new, ..)| new == name);
            if !stays {
                task.abort();
            }
            stays
        });
        for (name, _, output) in outputs {
            match lines.get(&name) {
                Some((line, _)) => {
                    *line.output.borrow_mut() = output;
                    line.wake.notify_one();
                }
                None => {
                    let line = Rc::new(Line { output: RefCell::new(output), wake: Notify::new() });
                    let task = tokio::task::spawn_local(self.clone().deliver(name.clone(), line.clone()));
                    lines.insert(name, (line, task.abort_handle()));
                }
            }
        }
        drop(lines);
        self.keep(vec![]);
    }

    /// Takes what waited when the server ended. The outputs are to be there already.
    pub fn recover(&self, state: JournalState) -> Recovered {
        let recovered = self.outbox.borrow_mut().recover(state);
        for (output, title) in &recovered.not_again {
            let said =
                format!("'{title}' may not have come: the server ended meanwhile; it is not sent again");
            self.say(output, true, &said);
        }
        if recovered.homeless > 0 {
            let count = recovered.homeless;
            (self.log)(true, &format!("{count} notices of before are dropped: their outputs are gone"));
        }
        self.lines.borrow().values().for_each(|(line, _)| line.wake.notify_one());
        recovered
    }

    /// Takes notices, each with the names of its outputs, together with what they change of what stands: both are on the
    /// disk, or neither.
    pub fn submit(&self, notices: Vec<(UpsNotice, Vec<String>)>, standing: Vec<StandingChange>) {
        let mut outbox = self.outbox.borrow_mut();
        let woken: Vec<String> = notices.iter().flat_map(|(_, outputs)| outputs.clone()).collect();
        for (notice, outputs) in notices {
            outbox.add(notice, &outputs);
        }
        drop(outbox);
        self.keep(standing);
        let lines = self.lines.borrow();
        woken.iter().filter_map(|name| lines.get(name)).for_each(|(line, _)| line.wake.notify_one());
    }

    /// Appends all changes as one line; what is given back ends when it is on the disk.
    fn keep(&self, standing: Vec<StandingChange>) -> Option<tokio::sync::oneshot::Receiver<()>> {
        let mut changes: Vec<JournalChange> = standing.into_iter().map(JournalChange::Standing).collect();
        changes.extend(self.outbox.borrow_mut().take_changes());
        let disk = self.disk.as_ref().filter(|_| !changes.is_empty())?;
        Some(disk.append(journal::line(&changes)))
    }

    /// Waits until all so far is on the disk, if that takes it soon.
    pub async fn flush(&self, seen: SeenMark) {
        let Some(disk) = &self.disk else { return };
        let _ = timeout(DISK, disk.append(journal::line(&[JournalChange::Seen(seen)]))).await;
    }

    /// Writes down that the server is there.
    pub fn mark_seen(&self, seen: SeenMark, standing: Vec<StandingRecord>) {
        let mut changes = vec![JournalChange::Seen(seen)];
        let standing =
            standing.into_iter().map(|record| JournalChange::Standing(StandingChange::Stands(record)));
        changes.extend(standing);
        if let Some(disk) = &self.disk {
            drop(disk.append(journal::line(&changes)));
        }
    }

    /// Looks after the disk: says its trouble once, and writes the file whole where that is due. To be called about once a
    /// second.
    pub fn look(&self, standing: impl FnOnce() -> (Vec<StandingRecord>, SeenMark)) {
        let Some(disk) = &self.disk else { return };
        if !disk.wants_whole() {
            self.disk_tried.set(None);
        } else if self.disk_tried.get().is_none_or(|tried| tried.elapsed() > DISK_AGAIN) {
            self.disk_tried.set(Some(Instant::now()));
            self.write_whole(standing());
        }
        let now = disk.trouble();
        let before = self.trouble.replace(now.clone());
        match (before, now) {
            (None, Some(why)) => (self.log)(
                true,
                &format!(
                    "{}: {why}; going on from memory, what waits would be lost with the process; make room, or look at the disk",
                    disk.path().display()
                ),
            ),
            (Some(_), None) => (self.log)(false, &format!("{} is written again", disk.path().display())),
            _ => {}
        }
    }

    /// Writes the file whole.
    pub fn write_whole(&self, (standing, seen): (Vec<StandingRecord>, SeenMark)) {
        let mut outbox = self.outbox.borrow_mut();
        // they are in what is written
        drop(outbox.take_changes());
        if let Some(disk) = &self.disk {
            disk.become_(journal::whole(standing, Some(seen), outbox.records()));
        }
    }

    async fn deliver(self: Rc<Self>, name: String, line: Rc<Line>) {
        loop {
            let next = self.outbox.borrow_mut().next(&name, self.now_ms());
            match next {
                NextParcel::Nothing => line.wake.notified().await,
                NextParcel::At(at_ms) => {
                    let left = u64::try_from(at_ms.saturating_sub(self.now_ms())).unwrap_or(0);
                    tokio::select! {
                        () = sleep(Duration::from_millis(left.max(1))) => {}
                        () = line.wake.notified() => {}
                    }
                }
                NextParcel::Now(parcel) => {
                    if let Some(on_disk) = self.keep(vec![]) {
                        let _ = timeout(DISK, on_disk).await;
                    }
                    let delivery = Delivery::of(&parcel, &*self.clock);
                    let output = line.output.borrow().clone();
                    let outcome = output.send(&delivery).await;
                    let said = self.outbox.borrow_mut().ended(&name, outcome, self.now_ms());
                    self.keep(vec![]);
                    if let Some((is_warning, said)) = said {
                        self.say(&name, is_warning, &said);
                    }
                }
            }
        }
    }

    fn say(&self, output: &str, is_warning: bool, said: &str) {
        (self.log)(is_warning, &format!("output {output}: {said}"));
    }

    /// How outputs do, and what each is.
    pub fn states(&self) -> Vec<(OutputState, String)> {
        let lines = self.lines.borrow();
        let about = |state: OutputState| {
            let about =
                lines.get(&state.name).map(|(line, _)| line.output.borrow().about()).unwrap_or_default();
            (state, about)
        };
        self.outbox.borrow().states(self.now_ms()).into_iter().map(about).collect()
    }

    /// Lets what is being sent come to its end, for so long at most.
    pub async fn settle(&self, within: Duration) {
        let began = Instant::now();
        while self.outbox.borrow().is_sending() && began.elapsed() < within {
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Ends all tasks. What waits is in the file.
    pub fn end(&self) {
        std::mem::take(&mut *self.lines.borrow_mut()).into_values().for_each(|(_, task)| task.abort());
    }

    /// The same, and removes the file.
    pub fn remove(&self) {
        self.end();
        if let Some(disk) = &self.disk {
            disk.remove();
        }
    }
}
