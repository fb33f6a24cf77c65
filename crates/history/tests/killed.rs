//! A writer that is killed at any moment leaves a file that is whole, with all that was said to be written.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod common;

use common::{Folder, batch, counted};
use history::{HistoryBatch, HistoryEvent, HistoryFile, HistoryReader};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

/// The name of the variable by which the test's own program is the writer.
const WRITES: &str = "QXUPS_TEST_HISTORY";
/// So many minutes a batch has.
const MINUTES: i64 = 30;

/// Writes batches without end, and says the number of each that is written.
#[test]
fn the_writer_that_is_killed() {
    let Some(path) = std::env::var_os(WRITES) else { return };
    let mut file = HistoryFile::open(path.as_ref(), 16).unwrap();
    let reader = HistoryReader::open(path.as_ref()).unwrap();
    let done = i64::from(counted(&reader, "a", u32::MAX)) / (6 * MINUTES);
    for number in done + 1.. {
        let event = HistoryEvent::new(number, Some("a"), history::EventKind::Status, "OB");
        let batch = HistoryBatch { events: vec![event], ..batch(number * MINUTES, "a", MINUTES) };
        file.write(number, &batch).unwrap();
        println!("written {number}");
    }
}

#[test]
fn it_is_whole_after_a_kill_at_any_moment() {
    let folder = Folder::new("killed");
    let path = folder.file();
    let (mut last, mut moment) = (0, 7_u64);
    for _ in 0..25 {
        // a moment by a fixed series: the disk and the machine make it another one each time
        moment = moment * 31 % 61;
        let mut writer = Command::new(std::env::current_exe().unwrap())
            .args(["the_writer_that_is_killed", "--exact", "--nocapture"])
            .env(WRITES, &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let said = writer.stdout.take().unwrap();
        let lines = std::thread::spawn(move || {
            let numbers = BufReader::new(said).lines().map_while(Result::ok).filter_map(|line| {
                line.rsplit_once("written ").and_then(|(_, number)| number.parse::<i64>().ok())
            });
            numbers.last()
        });
        std::thread::sleep(Duration::from_millis(60 + moment * 5));
        writer.kill().unwrap();
        writer.wait().unwrap();
        last = lines.join().unwrap().unwrap_or(last);
        let db = rusqlite::Connection::open(&path).unwrap();
        let checked: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(checked, "ok");
        drop(db);
        if last == 0 {
            continue;
        }
        let reader = HistoryReader::open(&path).unwrap();
        let batches = i64::from(counted(&reader, "a", u32::MAX)) / (6 * MINUTES);
        let rest = i64::from(counted(&reader, "a", u32::MAX)) % (6 * MINUTES);
        // all that was said to be written, and at most the one that was under way
        assert!(rest == 0 && (last..=last + 1).contains(&batches), "{batches} of {last}, {rest}");
        let events = reader.events(None, 0, 100_000).unwrap();
        let numbers: Vec<i64> = events.iter().map(|event| event.at_ms).collect();
        assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
        assert_eq!(numbers.last(), Some(&batches));
        last = batches;
    }
    assert!(last > 25, "{last} batches are too few to say anything");
}
