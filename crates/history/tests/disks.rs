//! Disks that are full, read-only, or have another file in its place: said once, gone on without, and come back.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod common;

use common::{Folder, batch, counted, row};
use history::{
    EventKind, HistoryBatch, HistoryEvent, HistoryFile, HistoryReader, HistoryState, HistoryWriter,
};
use std::process::Command;
use std::time::{Duration, Instant};
use testbed::disk::{EXT4, Frozen, on_a_disk};

fn until(writer: &HistoryWriter, what: &str, is_so: impl Fn(&HistoryState) -> bool) {
    let began = Instant::now();
    while !is_so(&writer.state()) {
        assert!(began.elapsed() < Duration::from_secs(60), "{what}: {:?}", writer.state());
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn event(number: i64) -> HistoryBatch {
    let events = vec![HistoryEvent::new(number, Some("a"), EventKind::Status, "OB")];
    HistoryBatch { at_ms: number, events, ..HistoryBatch::default() }
}

#[test]
fn another_file_in_its_place_is_left_alone_until_it_is_moved_away() {
    let folder = Folder::new("other");
    let path = folder.file();
    std::fs::write(&path, "not a history\n".repeat(500)).unwrap();
    let writer = HistoryWriter::start(&path, 16, None).unwrap();
    until(&writer, "it says so", |state| {
        state.trouble.as_ref().is_some_and(|why| why.contains("move it away"))
    });
    writer.send(event(1));
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("not a history"));
    std::fs::remove_file(&path).unwrap();
    until(&writer, "it is written", |state| state.trouble.is_none() && state.written == 1);
    drop(writer);
    assert_eq!(HistoryReader::open(&path).unwrap().events(None, 0, 9).unwrap().len(), 1);
}

#[test]
fn an_end_writes_what_waits_and_the_next_one_waits_for_it() {
    let folder = Folder::new("ends");
    let path = folder.file();
    let mut before = None;
    for number in 1..=20 {
        let writer = HistoryWriter::start(&path, 16, before.take()).unwrap();
        writer.send(event(number));
        before = Some(writer);
    }
    drop(before);
    let events = HistoryReader::open(&path).unwrap().events(None, 0, 99).unwrap();
    assert_eq!(events.iter().map(|event| event.at_ms).collect::<Vec<_>>(), (1..=20).collect::<Vec<_>>());
}

#[test]
fn what_finds_no_room_in_the_queue_is_counted() {
    let folder = Folder::new("queue");
    std::fs::create_dir(folder.path.join("gone")).unwrap();
    let path = folder.path.join("gone/history.sqlite");
    std::fs::remove_dir(folder.path.join("gone")).unwrap();
    let writer = HistoryWriter::start(&path, 16, None).unwrap();
    until(&writer, "it says so", |state| state.trouble.is_some());
    let began = Instant::now();
    for number in 0..5000 {
        writer.send(event(number));
    }
    assert!(began.elapsed() < Duration::from_secs(5), "a UPS would have waited");
    std::fs::create_dir(folder.path.join("gone")).unwrap();
    writer.send(event(5000));
    until(&writer, "it is written", |state| state.written > 0 && state.trouble.is_none());
    drop(writer);
    let events = HistoryReader::open(&path).unwrap().events(None, i64::MIN, 99_999).unwrap();
    let gaps: u64 = events
        .iter()
        .filter(|event| event.kind == Some(EventKind::Gap))
        .map(|event| event.text.split(' ').next().unwrap().parse::<u64>().unwrap())
        .sum();
    let kept = events.iter().filter(|event| event.kind == Some(EventKind::Status)).count() as u64;
    assert!(gaps > 0 && kept > 0 && kept + gaps == 5001, "{kept} kept, {gaps} lost");
}

/// Its own program in a mount namespace, in which a disk of 1 MiB is all there is; only root may have one.
#[test]
fn a_full_disk_costs_samples_and_no_more() {
    let folder = Folder::new("disk");
    let mount = "mount -t tmpfs -o size=1m none \"$DISK\"";
    let Some(disk) = on_a_disk("a_full_disk_costs_samples_and_no_more", &folder.path, mount) else { return };
    let path = disk.join("history.sqlite");
    let writer = HistoryWriter::start(&path, 16, None).unwrap();
    writer.send(batch(0, "a", 1));
    until(&writer, "it is written", |state| state.written == 1);
    // all but a few pages
    let ballast = disk.join("ballast");
    let mut size = 900;
    while std::fs::write(&ballast, vec![7; size * 1024]).is_err() {
        size -= 8;
    }
    for minute in 1..400 {
        let long = HistoryEvent::new(minute, Some("a"), EventKind::Status, &"OB ".repeat(150));
        let rows = vec![row("a", minute, minute as f64)];
        writer.send(HistoryBatch { rows, events: vec![long], ..event(minute) });
        std::thread::sleep(Duration::from_millis(3));
    }
    until(&writer, "the disk is full", |state| {
        state.trouble.as_ref().is_some_and(|why| why.contains("make room"))
    });
    std::fs::remove_file(&ballast).unwrap();
    until(&writer, "it comes back", |state| state.trouble.is_none());
    drop(writer);
    let reader = HistoryReader::open(&path).unwrap();
    let events = reader.events(None, 0, 9999).unwrap();
    let kept = events.iter().filter(|event| event.kind == Some(EventKind::Status)).count();
    let is_said = events.iter().any(|event| event.kind == Some(EventKind::Gap));
    assert!(kept == 399 || is_said, "{kept} events, and no word of those that are missing");
    assert!(counted(&reader, "a", u32::MAX) <= 400 * 6);
}

/// A file system that stands still, as a card does that no longer answers: writes wait in the kernel, without an error.
#[test]
fn a_disk_that_hangs_holds_up_nothing_but_the_thread_that_writes() {
    let folder = Folder::new("hangs");
    let test = "a_disk_that_hangs_holds_up_nothing_but_the_thread_that_writes";
    let Some(disk) = on_a_disk(test, &folder.path.join("disk"), EXT4) else { return };
    let path = disk.join("history.sqlite");
    let writer = HistoryWriter::start(&path, 16, None).unwrap();
    writer.send(event(0));
    until(&writer, "it is written", |state| state.written == 1);
    let frozen = Frozen::new(&disk);
    let began = Instant::now();
    writer.send(event(1));
    std::thread::sleep(Duration::from_millis(1500));
    for number in 2..=5000 {
        writer.send(HistoryBatch { rows: vec![row("a", number, 1.0)], ..event(number) });
    }
    let state = writer.state();
    assert!(began.elapsed() < Duration::from_secs(5), "a UPS would have waited");
    assert_eq!((state.written, state.trouble), (1, None));
    // what waits is bounded: 64 batches, and the one that is being written
    assert!(state.lost >= 2 * (5000 - 66), "{}", state.lost);
    drop(frozen);
    until(&writer, "it comes back", |state| state.written > 1);
    writer.send(event(6000));
    until(&writer, "what was lost is said", |state| state.lost == 0 && state.written > 2);
    let frozen = Frozen::new(&disk);
    writer.send(event(6001));
    std::thread::sleep(Duration::from_millis(1500));
    let began = Instant::now();
    drop(writer);
    assert!(began.elapsed() < Duration::from_secs(10), "the end would have waited for the disk");
    drop(frozen);
    // the next one waits for nothing but the disk, and what was under way is in the file
    let last = || {
        let reader = HistoryReader::open(&path).unwrap();
        reader.events(None, i64::MIN, 99_999).unwrap()
    };
    let began = Instant::now();
    while last().last().is_none_or(|event| event.at_ms != 6001) {
        assert!(began.elapsed() < Duration::from_secs(60), "{:?}", last().last());
        std::thread::sleep(Duration::from_millis(20));
    }
    let gaps = last().into_iter().filter(|event| event.kind == Some(EventKind::Gap));
    let lost: u64 = gaps.map(|gap| gap.text.split(' ').next().unwrap().parse::<u64>().unwrap()).sum();
    let kept = last().iter().filter(|event| event.kind == Some(EventKind::Status)).count() as u64;
    let reader = HistoryReader::open(&path).unwrap();
    let rows = u64::from(counted(&reader, "a", u32::MAX)) / 6;
    // events 0 to 5000, 6000 and 6001, and 4999 rows
    assert_eq!(kept + rows + lost, 5003 + 4999, "{kept} events, {rows} rows, {lost} lost");
}

#[test]
fn a_disk_that_can_only_be_read_is_said() {
    let folder = Folder::new("readonly");
    let mount = "mount -t tmpfs none \"$DISK\" && cp -a \"$DISK\".sqlite \"$DISK\"/history.sqlite && \
                 mount -o remount,ro \"$DISK\"";
    let place = folder.path.join("disk");
    if std::env::var_os("QXUPS_TEST_DISK").is_none() {
        let mut file = HistoryFile::open(&place.with_extension("sqlite"), 16).unwrap();
        file.write(1, &batch(0, "a", 1)).unwrap();
    }
    let Some(disk) = on_a_disk("a_disk_that_can_only_be_read_is_said", &place, mount) else { return };
    let path = disk.join("history.sqlite");
    let writer = HistoryWriter::start(&path, 16, None).unwrap();
    until(&writer, "it says so", |state| {
        state.trouble.as_ref().is_some_and(|why| {
            ["only be read", "cannot be opened", "ead-only"].iter().any(|part| why.contains(part))
        })
    });
    writer.send(event(1));
    Command::new("mount").args(["-o", "remount,rw"]).arg(&disk).status().unwrap();
    until(&writer, "it is written again", |state| state.trouble.is_none() && state.written == 1);
}
