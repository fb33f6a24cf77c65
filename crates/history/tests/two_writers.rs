//! Two servers that are to write one file: the first does, the second goes on without, and has it when the first is gone.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod common;

use common::{Folder, batch, row};
use history::{
    EventKind, HistoryBatch, HistoryEvent, HistoryReader, HistoryState, HistoryWriter, Provenance,
};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The name of the variable by which the test's own program is the first server.
const WRITES: &str = "QXUPS_TEST_FIRST_WRITER";

fn event(number: i64, text: &str) -> HistoryBatch {
    let events = vec![HistoryEvent::new(number, Some("a"), EventKind::Status, text)];
    HistoryBatch { at_ms: number, events, ..HistoryBatch::default() }
}

/// Each status, and each gap.
fn texts(path: &Path) -> Vec<String> {
    let events = HistoryReader::open(path).and_then(|reader| reader.events(None, i64::MIN, 999));
    events.unwrap_or_default().into_iter().map(|event| event.text).collect()
}

fn until(writer: &HistoryWriter, what: &str, is_so: impl Fn(&HistoryState) -> bool) {
    let began = Instant::now();
    while !is_so(&writer.state()) {
        assert!(began.elapsed() < Duration::from_secs(60), "{what}: {:?}", writer.state());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Another process that writes the file until it is killed.
struct First(Child);

impl First {
    fn start(path: &Path) -> First {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["the_first_writer", "--exact", "--nocapture"]).env(WRITES, path);
        let first = First(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        let began = Instant::now();
        while texts(path).is_empty() {
            assert!(began.elapsed() < Duration::from_secs(60), "it writes nothing");
            std::thread::sleep(Duration::from_millis(20));
        }
        first
    }

    fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for First {
    fn drop(&mut self) {
        self.kill();
    }
}

#[test]
fn the_first_writer() {
    let Some(path) = std::env::var_os(WRITES) else { return };
    let writer = HistoryWriter::start(path.as_ref(), 16, None).unwrap();
    let energy = vec![("a".to_string(), Provenance::Said, 7.0)];
    writer.send(HistoryBatch { energy, ..event(1, "of the first") });
    // it is killed
    std::thread::sleep(Duration::from_secs(600));
}

#[test]
fn the_second_waits_for_the_end_of_the_first_however_it_ends() {
    let folder = Folder::new("two");
    let path = folder.file();
    let mut first = First::start(&path);
    // by another name of the same file
    std::os::unix::fs::symlink(&path, folder.path.join("link")).unwrap();
    let second = HistoryWriter::start(&folder.path.join("link"), 16, None).unwrap();
    until(&second, "it says so", |state| state.trouble.is_some());
    let why = second.state().trouble.unwrap();
    assert!(why.contains(&format!("another server (process {}) writes it", first.0.id())), "{why}");
    // what it sees meanwhile would be there twice
    second.send(HistoryBatch { rows: vec![row("a", 5, 1.0)], ..event(2, "of both") });
    until(&second, "it tries again", |state| state.failed > 1);
    assert_eq!((second.state().written, second.state().lost, second.state().opened), (0, 2, false));
    assert_eq!(second.state().trouble, Some(why), "it is the same sentence, so it is said once");
    assert_eq!(texts(&path), ["of the first"]);
    first.kill();
    // also where there is nothing to write
    until(&second, "it has the file", |state| state.trouble.is_none() && state.opened);
    assert_eq!(second.take_counted(), [("a".to_string(), Provenance::Said, 7.0)]);
    second.send(event(9, "of the second"));
    until(&second, "it writes", |state| state.written == 1);
    drop(second);
    let texts = texts(&path);
    assert_eq!(texts[..2], ["of the first", "of the second"]);
    assert_eq!(texts[2..], ["2 rows and events are missing: another server wrote the file"]);
    // the lock says nothing once its process is gone
    let third = HistoryWriter::start(&path, 16, None).unwrap();
    until(&third, "it is open", |state| state.opened);
    assert_eq!(third.state().failed, 0);
}

/// A reload with another size begins a writer while the former one ends.
#[test]
fn a_process_keeps_its_own_file() {
    let folder = Folder::new("own");
    let mut writer = None;
    for number in 0..10 {
        let next =
            HistoryWriter::start(&folder.file(), 16 + u64::from(number % 2 == 0), writer.take()).unwrap();
        next.send(event(i64::from(number), "OB"));
        until(&next, "it writes", |state| state.written == 1);
        assert_eq!((next.state().failed, next.state().lost_ever), (0, 0));
        writer = Some(next);
    }
    drop(writer);
    assert_eq!(texts(&folder.file()).len(), 10);
}

/// The lock is no file of the history: what lies beside it is of no account.
#[test]
fn a_lock_that_lies_there_and_a_file_that_was_moved_away_change_nothing() {
    let folder = Folder::new("lies");
    std::fs::write(folder.path.join("history.sqlite-lock"), "1").unwrap();
    let writer = HistoryWriter::start(&folder.file(), 16, None).unwrap();
    writer.send(batch(1, "a", 1));
    until(&writer, "it is written", |state| state.written == 1);
    assert_eq!(writer.state().failed, 0);
}
