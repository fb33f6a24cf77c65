//! What tests of the file share.
#![allow(dead_code)]

use history::{HistoryBatch, HistoryReader, HistoryRecorder, MinuteRow, Quantity, SampledValue, SeriesKey};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

pub const LOAD: SeriesKey = SeriesKey::said(Quantity::Load);

/// A folder of its own, which is removed at the end.
pub struct Folder {
    pub path: PathBuf,
}

static LAST: AtomicU32 = AtomicU32::new(0);

impl Folder {
    pub fn new(name: &str) -> Folder {
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        let memory = PathBuf::from("/dev/shm");
        let place = if memory.is_dir() { memory } else { std::env::temp_dir() };
        let path = place.join(format!("qxups-history-{}-{number}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder { path }
    }

    pub fn file(&self) -> PathBuf {
        self.path.join("history.sqlite")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// A minute of the load, six times the same value.
pub fn row(ups: &str, minute: i64, value: f64) -> MinuteRow {
    row_of(ups, minute, &[SampledValue { key: LOAD, value }])
}

pub fn row_of(ups: &str, minute: i64, values: &[SampledValue]) -> MinuteRow {
    let mut recorder = HistoryRecorder::default();
    for second in 0..6 {
        recorder.record(ups, minute * 60_000 + second * 10_000, values.iter().copied());
    }
    recorder.take_all().remove(0)
}

/// So many minutes of one UPS from this one on.
pub fn batch(minute: i64, ups: &str, minutes: i64) -> HistoryBatch {
    let rows = (minute..minute + minutes).map(|minute| row(ups, minute, 20.0)).collect();
    HistoryBatch { at_ms: (minute + minutes) * 60_000, rows, ..HistoryBatch::default() }
}

/// How many samples there are in all.
pub fn counted(reader: &HistoryReader, ups: &str, points: u32) -> u32 {
    let all = reader.series(ups, LOAD, (0, 4_000_000_000_000), points).unwrap();
    all.iter().map(|point| point.count).sum()
}
