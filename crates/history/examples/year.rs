//! A year of a hundred UPSes in virtual time: how long the file becomes, how much is written a day, and how long the
//! slowest plot takes.
//!
//!     cargo run --release -p history --example year -- [DAYS [UPSES [SIZE_MIB [FILE]]]]
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::cast_precision_loss)]

use history::{
    HistoryBatch, HistoryFile, HistoryReader, HistoryRecorder, MinuteRow, Provenance, Quantity, SampledValue,
    SeriesKey, Tier,
};
use std::path::PathBuf;
use std::time::Instant;

/// 2026-01-01, in minutes since 1970.
const BEGIN: i64 = 1_767_225_600 / 60;
/// So many hours are made, and come again.
const HOURS: i64 = 48;

/// What a UPS says at a time: mains and load move, the rest hardly.
fn values(ups: i64, at_s: i64, noise: &mut u32) -> [SampledValue; 10] {
    let mut random = || {
        *noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(*noise >> 16) / 65_536.0
    };
    let day = (at_s as f64 / 86_400.0 * std::f64::consts::TAU).sin();
    let load = (20.0 + ups as f64 % 40.0 + 8.0 * day + 2.0 * random()).round();
    let mains = 230.0 + 3.0 * day + 0.8 * random();
    [
        (Quantity::InputVoltage, mains),
        (Quantity::OutputVoltage, mains - 0.4),
        (Quantity::Load, load),
        (Quantity::Charge, 100.0),
        (Quantity::BatteryVoltage, 27.3 + if random() > 0.9 { 0.1 } else { 0.0 }),
        (Quantity::Temperature, (27.0 + 3.0 * day).round()),
        (Quantity::Runtime, (2400.0 - 20.0 * load).round()),
        (Quantity::RealPower, load * 9.0),
        (Quantity::InputFrequency, 50.0 + (random() * 3.0).round() / 100.0),
        (Quantity::OutputFrequency, 50.0),
    ]
    .map(|(quantity, value)| SampledValue { key: SeriesKey::said(quantity), value })
}

/// What was sampled in the minutes of two days: hours are dealt out to UPSes by turns.
fn minutes() -> Vec<Vec<u8>> {
    let (mut recorder, mut noise) = (HistoryRecorder::default(), 1);
    let mut minutes = vec![];
    for minute in 0..HOURS * 60 {
        for second in (0..60).step_by(10) {
            let at_s = minute * 60 + second;
            recorder.record("one", at_s * 1000, values(minute / 60 % 40, at_s, &mut noise));
        }
        minutes.extend(recorder.take((minute + 1) * 60_000).into_iter().map(|row| row.data));
    }
    minutes
}

/// Bytes that this process has written: as it calls the system, and as whole pages for a disk (none in memory).
fn written() -> [u64; 2] {
    let io = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    ["wchar: ", "write_bytes: "].map(|what| {
        let line = io.lines().find_map(|line| line.strip_prefix(what));
        line.and_then(|number| number.parse().ok()).unwrap_or(0)
    })
}

fn main() {
    let mut words = std::env::args().skip(1);
    let mut number = |usual: i64| words.next().map_or(usual, |word| word.parse().unwrap());
    let (days, upses, size) = (number(365), number(100), number(256));
    let file = words.next().map_or_else(|| std::env::temp_dir().join("qxups-year.sqlite"), PathBuf::from);
    for more in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{more}", file.display()));
    }
    let mut history = HistoryFile::open(&file, size.unsigned_abs()).unwrap();
    let names: Vec<String> = (0..upses).map(|ups| format!("ups{ups}")).collect();
    let (began, minutes) = (Instant::now(), minutes());
    let mut last_day = [0; 2];
    for minute in 0..days * 1440 {
        let at = BEGIN + minute;
        let rows = (0..).zip(&names).map(|(ups, name)| {
            let of_day = &minutes[usize::try_from((minute / 60 + ups) % HOURS * 60 + minute % 60).unwrap()];
            MinuteRow { ups: name.clone(), minute: at, data: of_day.clone() }
        });
        let rows = rows.collect();
        let energy = names.iter().map(|name| (name.clone(), Provenance::Said, 5.25)).collect();
        if minute == (days - 1) * 1440 {
            last_day = written();
        }
        let batch = HistoryBatch { at_ms: (at + 1) * 60_000, rows, energy, ..HistoryBatch::default() };
        history.write(minute + 1, &batch).unwrap();
    }
    let now = written();
    let day = [0, 1].map(|what: usize| (now[what] - last_day[what]) as f64 / 1_048_576.0);
    history.checkpoint().unwrap();
    println!("{upses} UPSes, {days} days, size_mib = {size}: {:.0} s", began.elapsed().as_secs_f64());
    println!("file: {:.1} MiB", std::fs::metadata(&file).unwrap().len() as f64 / 1048576.0);
    println!("written on the last day, in 1440 commits: {:.1} MiB, {:.1} MiB of pages", day[0], day[1]);
    plots(&file, days);
}

fn plots(file: &std::path::Path, days: i64) {
    let end = (BEGIN + days * 1440) * 60_000;
    for (what, length) in [("hour", 1), ("day", 24), ("week", 7 * 24), ("month", 30 * 24), ("year", 365 * 24)]
    {
        let mut slowest = 0.0_f64;
        let mut points = 0;
        for quantity in Quantity::ALL {
            let began = Instant::now();
            let reader = HistoryReader::open(file).unwrap();
            let range = (end - length * 3_600_000, end);
            points = reader.series("ups0", SeriesKey::said(quantity), range, 1000).unwrap().len();
            slowest = slowest.max(began.elapsed().as_secs_f64() * 1000.0);
        }
        println!("plot of a {what}: {points} points, slowest {slowest:.1} ms");
    }
    let reader = HistoryReader::open(file).unwrap();
    let all = reader.series("ups0", SeriesKey::said(Quantity::Load), (0, end), u32::MAX).unwrap();
    for tier in Tier::ALL {
        let of_tier = all.iter().filter(|point| point.step_s == tier.step_s()).count() as i64;
        println!("steps of {} s: {:.1} days", tier.step_s(), (of_tier * tier.step_s()) as f64 / 86_400.0);
    }
}
