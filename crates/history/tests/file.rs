//! The file: what is written is read again, once, whatever the clock, the disk and earlier programs did.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod common;

use common::{Folder, LOAD, batch, counted, row, row_of};
use history::{
    EventKind, HistoryBatch, HistoryEvent, HistoryFile, HistoryReader, HistoryRecorder, HistoryTrouble,
    Outage, Provenance, Quantity, SampledValue, SeriesKey,
};
use proptest::prelude::*;
use std::time::Duration;

const HOUR: i64 = 3_600_000;

#[test]
fn what_was_written_is_read() {
    let folder = Folder::new("written");
    let path = folder.file();
    let mut file = HistoryFile::open(&path, 16).unwrap();
    let outage = Outage {
        begin_ms: 5_000,
        end_ms: Some(65_000),
        length: Duration::from_secs(60),
        begin_seen: true,
        low_battery: true,
        lowest_charge: Some((41.5, Provenance::Computed)),
        lowest_voltage: Some((22.25, Provenance::Said)),
        mean_load: Some((17.0, Provenance::Computed)),
        energy_wh: Some((3.5, Provenance::Said)),
        ..Outage::default()
    };
    let lasts = Outage { end_ms: None, ..outage.clone() };
    let event = |at, ups, kind, text| HistoryEvent::new(at, ups, kind, text);
    let events =
        vec![event(1, None, EventKind::Start, ""), event(5_000, Some("a"), EventKind::Status, "OB DISCHRG")];
    let first = HistoryBatch {
        at_ms: 6_000,
        rows: vec![row("a", 0, 23.0), row("b", 0, 1.0)],
        events,
        outages: vec![("a".into(), lasts, 6_000)],
        energy: vec![("a".into(), Provenance::Said, 1.5)],
    };
    file.write(1, &first).unwrap();
    assert_eq!(file.open_outages().unwrap().len(), 1);
    let second = HistoryBatch {
        at_ms: 66_000,
        events: vec![event(65_000, Some("A"), EventKind::Status, "OL")],
        outages: vec![("a".into(), outage.clone(), 65_000)],
        energy: vec![("a".into(), Provenance::Said, 2.0), ("a".into(), Provenance::Computed, 0.25)],
        ..HistoryBatch::default()
    };
    file.write(2, &second).unwrap();
    // the disk said that it had failed, and had not
    file.write(2, &second).unwrap();
    assert!(file.open_outages().unwrap().is_empty());

    let reader = HistoryReader::open(&path).unwrap();
    assert_eq!(reader.upses().unwrap(), ["a", "b"]);
    assert_eq!(reader.series_of("A").unwrap(), [LOAD]);
    let points = reader.series("a", LOAD, (0, 60_000), 100).unwrap();
    assert_eq!(points.len(), 6);
    assert_eq!((points[1].at_ms, points[1].step_s, points[1].mean, points[1].count), (10_000, 10, 23.0, 1));
    let events = reader.events(Some("a"), 0, 10).unwrap();
    let texts: Vec<_> = events.iter().map(|event| (event.kind.unwrap(), event.text.as_str())).collect();
    let expected = [(EventKind::Start, ""), (EventKind::Status, "OB DISCHRG"), (EventKind::Status, "OL")];
    assert_eq!(texts, expected);
    assert_eq!(reader.events(Some("b"), 0, 10).unwrap().len(), 1);
    assert_eq!(reader.events(None, 6_000, 10).unwrap().len(), 1);
    let outages = reader.outages(Some("a"), 0, 10).unwrap();
    assert_eq!((outages.len(), &outages[0].outage), (1, &outage));
    assert!(reader.outages(Some("b"), 0, 10).unwrap().is_empty());
    let energy = reader.energy("a").unwrap();
    assert_eq!((energy.len(), energy[0].wh, energy[0].since_ms, energy[1].wh), (2, 3.5, 6_000, 0.25));
}

/// Found by its kind elsewhere: names and texts that are SQL, quotes or no text at all.
#[test]
fn no_name_or_text_breaks_it() {
    let folder = Folder::new("names '\"; DROP TABLE ups; --?mode=memory#");
    let path = folder.file();
    let mut file = HistoryFile::open(&path, 16).unwrap();
    let names = ["'; DROP TABLE ups; --", "\"", "<script>", "a\0b", "\u{1f50c}", "", "%_*"];
    for (number, name) in (1..).zip(names) {
        let batch = HistoryBatch {
            rows: vec![row(name, 0, 5.0)],
            events: vec![HistoryEvent::new(7, Some(name), EventKind::Command, name)],
            outages: vec![(name.into(), Outage::default(), 0)],
            energy: vec![(name.into(), Provenance::Said, 1.0)],
            ..HistoryBatch::default()
        };
        file.write(number, &batch).unwrap();
    }
    let reader = HistoryReader::open(&path).unwrap();
    assert_eq!(reader.upses().unwrap().len(), names.len());
    for name in names {
        assert_eq!(reader.series(name, LOAD, (0, 60_000), 100).unwrap().len(), 6, "{name:?}");
        let events = reader.events(Some(name), 0, 100).unwrap();
        assert_eq!((events.len(), events[0].ups.as_deref(), events[0].text.as_str()), (1, Some(name), name));
        assert_eq!(reader.outages(Some(name), 0, 100).unwrap().len(), 1, "{name:?}");
        assert_eq!(reader.energy(name).unwrap().len(), 1, "{name:?}");
    }
    assert!(reader.series("a' OR '1'='1", LOAD, (0, 60_000), 100).unwrap().is_empty());
}

/// To the second, while it waits for the rings and when it is in them; each UPS and series by itself.
#[test]
fn a_series_begins_with_its_first_sample() {
    let folder = Folder::new("begins");
    let mut file = HistoryFile::open(&folder.file(), 16).unwrap();
    let begin = |ups: &str, key| HistoryReader::open(&folder.file()).unwrap().begin(ups, key).unwrap();
    let other = SeriesKey::computed(Quantity::Load);
    assert_eq!(begin("a", LOAD), None);
    // 1970-01-02 00:07, amid an hour, ten minutes and a row
    let first = 24 * 60 + 7;
    file.write(1, &batch(first, "a", 2)).unwrap();
    assert_eq!((begin("a", LOAD), begin("a", other), begin("b", LOAD)), (Some(first * 60), None, None));
    // the hours that follow take it into the rings
    let later = SampledValue { key: other, value: 3.0 };
    for (token, minute) in (2..).zip((first + 2..first + 400).step_by(10)) {
        let mut batch = batch(minute, "a", 10);
        batch.rows.push(row_of("b", minute + 3, &[later]));
        file.write(token, &batch).unwrap();
    }
    assert_eq!((begin("a", LOAD), begin("A", LOAD)), (Some(first * 60), Some(first * 60)));
    assert_eq!((begin("b", other), begin("b", LOAD)), (Some((first + 5) * 60), None));
}

#[test]
fn old_files_are_brought_up_to_date_and_newer_ones_refused() {
    let folder = Folder::new("versions");
    let path = folder.file();
    history::make_version(&path, 1).unwrap();
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute("INSERT INTO ups VALUES (7, 'old')", []).unwrap();
    db.execute("INSERT INTO event VALUES (1, 1000, 7, 1, 'OL')", []).unwrap();
    drop(db);
    assert!(matches!(HistoryReader::open(&path), Err(HistoryTrouble::Older)));
    let mut file = HistoryFile::open(&path, 16).unwrap();
    file.write(1, &batch(0, "old", 1)).unwrap();
    let reader = HistoryReader::open(&path).unwrap();
    assert_eq!(reader.events(Some("old"), 0, 9).unwrap()[0].text, "OL");
    assert!(reader.outages(None, 0, 9).unwrap().is_empty());
    drop((file, reader));

    let newer = folder.path.join("newer");
    history::make_version(&newer, 99).unwrap();
    let before = std::fs::read(&newer).unwrap();
    for said in [
        HistoryFile::open(&newer, 16).unwrap_err().to_string(),
        HistoryReader::open(&newer).unwrap_err().to_string(),
    ] {
        assert!(said.contains("a newer qxups") && said.contains("99") && said.lines().count() == 1, "{said}");
    }
    assert_eq!(std::fs::read(&newer).unwrap(), before);

    // of a newer program that was killed: what it committed last is in the log beside its file
    let (killed, copy) = (folder.path.join("killed"), folder.path.join("copy"));
    history::make_version(&killed, 99).unwrap();
    let db = rusqlite::Connection::open(&killed).unwrap();
    db.pragma_update(None, "journal_mode", "wal").unwrap();
    db.execute("INSERT INTO ups VALUES (7, 'new')", []).unwrap();
    let of = |path: &std::path::Path| std::path::PathBuf::from(format!("{}-wal", path.display()));
    std::fs::copy(&killed, &copy).unwrap();
    std::fs::copy(of(&killed), of(&copy)).unwrap();
    drop(db);
    let before = [&copy, &of(&copy)].map(|path| std::fs::read(path).unwrap());
    assert!(before.iter().all(|bytes| !bytes.is_empty()));
    assert!(matches!(HistoryFile::open(&copy, 16), Err(HistoryTrouble::Newer(99, _))));
    assert_eq!([&copy, &of(&copy)].map(|path| std::fs::read(path).unwrap()), before);

    let foreign = folder.path.join("foreign");
    rusqlite::Connection::open(&foreign).unwrap().execute("CREATE TABLE mail (text)", []).unwrap();
    let before = std::fs::read(&foreign).unwrap();
    assert!(matches!(HistoryFile::open(&foreign, 16), Err(HistoryTrouble::Foreign)));
    assert_eq!(std::fs::read(&foreign).unwrap(), before);
    let text = folder.path.join("text");
    std::fs::write(&text, "[a]\ndriver = nutdrv_qx\n".repeat(200)).unwrap();
    let said = HistoryFile::open(&text, 16).unwrap_err().to_string();
    assert!(said.contains("move it away"), "{said}");
    assert!(std::fs::read_to_string(&text).unwrap().starts_with("[a]"));
}

/// What `qxups serve` wrote of a UPS that was on battery for 20 s, by the program that was the first to write version 3.
#[test]
fn a_file_of_version_3_is_read_and_goes_on() {
    let folder = Folder::new("version-3");
    let path = folder.file();
    let old = rusqlite::Connection::open(&path).unwrap();
    old.execute_batch(include_str!("files/version-3.sql")).unwrap();
    drop(old);
    let mut file = HistoryFile::open(&path, 16).unwrap();
    let reader = HistoryReader::open(&path).unwrap();
    assert_eq!(reader.upses().unwrap(), ["rack"]);
    let outages = reader.outages(Some("rack"), 0, 9).unwrap();
    assert_eq!((outages.len(), outages[0].outage.length.as_secs()), (1, 20), "{outages:?}");
    assert_eq!(reader.events(None, 0, 99).unwrap().len(), 16);
    let before = counted(&reader, "rack", u32::MAX);
    file.write(1, &batch(30_000_000, "rack", 1)).unwrap();
    assert!(before > 0 && counted(&reader, "rack", u32::MAX) > before);
}

/// What the program wrote that was the last to write version 2: 250 minutes from 2026-01-01 on, of `rack` whose mains
/// and estimated charge go by a series, and of a UPS whose load rises by one percent a minute. Ten minutes are in its journal.
#[test]
fn a_file_of_version_2_has_all_its_samples_in_the_same_rings_and_goes_on() {
    const BEGIN: i64 = 1_767_225_600_000;
    let folder = Folder::new("version-2");
    let path = folder.file();
    let old = rusqlite::Connection::open(&path).unwrap();
    old.execute_batch(include_str!("files/version-2.sql")).unwrap();
    old.pragma_update(None, "journal_mode", "wal").unwrap();
    drop(old);
    assert!(matches!(HistoryReader::open(&path), Err(HistoryTrouble::Older)));
    let mut file = HistoryFile::open(&path, 16).unwrap();
    let reader = HistoryReader::open(&path).unwrap();
    assert_eq!(reader.upses().unwrap(), ["Büro <1>", "rack"]);
    let (mains, charge) = (SeriesKey::said(Quantity::InputVoltage), SeriesKey::computed(Quantity::Charge));
    let range = (BEGIN, BEGIN + 250 * 60_000);
    let fine = reader.series("rack", mains, range, u32::MAX).unwrap();
    let expected = (0..1500).map(|at| (BEGIN + at * 10_000, (2300 + at * 7 % 31) as f64 / 10.0));
    assert!(fine.iter().map(|point| (point.at_ms, point.mean)).eq(expected));
    assert!(reader.series("rack", charge, range, u32::MAX).unwrap().iter().all(|point| point.step_s == 10));
    assert_eq!(reader.series_of("rack").unwrap(), [mains, charge]);
    for (points, step_s) in [(250, 60), (25, 600), (4, 3600)] {
        let coarse = reader.series("Büro <1>", LOAD, range, points).unwrap();
        let expected = (0..250 * 60).step_by(usize::try_from(step_s).unwrap()).map(|second| {
            let last = (second + step_s - 60).min(249 * 60);
            let loads: Vec<i64> = (second / 60..=last / 60).map(|minute| minute % 90).collect();
            let mean = loads.iter().sum::<i64>() as f64 / loads.len() as f64;
            (
                BEGIN + second * 1000,
                loads.len() * 6,
                (mean * 1e6).round(),
                *loads.iter().max().unwrap() as f64,
            )
        });
        let found = coarse.iter().map(|point| {
            assert_eq!(point.step_s, step_s);
            (point.at_ms, point.count as usize, (point.mean * 1e6).round(), point.max)
        });
        assert_eq!(found.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    }
    let energy = reader.energy("Büro <1>").unwrap();
    assert_eq!(
        (energy[0].provenance, energy[0].wh, energy[0].since_ms),
        (Provenance::Computed, 62.5, BEGIN + 60_000)
    );
    assert_eq!(reader.outages(None, 0, 9).unwrap()[0].outage.length, Duration::from_secs(600));
    assert_eq!(reader.events(Some("rack"), 0, 9).unwrap().len(), 2);
    drop(reader);
    // rows of the old length, and one of the new that has their time
    let later = HistoryBatch {
        at_ms: BEGIN + 300 * 60_000,
        rows: vec![row("Büro <1>", 29_453_760 + 299, 7.0)],
        energy: vec![("Büro <1>".into(), Provenance::Computed, 0.5)],
        ..HistoryBatch::default()
    };
    file.write(1, &later).unwrap();
    file.write(
        2,
        &HistoryBatch {
            at_ms: later.at_ms + 9 * HOUR,
            rows: vec![row("rack", 0, 1.0)],
            ..HistoryBatch::default()
        },
    )
    .unwrap();
    let reader = HistoryReader::open(&path).unwrap();
    for points in [u32::MAX, 300, 30, 5] {
        assert_eq!(counted(&reader, "Büro <1>", points), 251 * 6, "{points}");
    }
    assert_eq!(reader.energy("Büro <1>").unwrap()[0].wh, 63.0);
    let db = rusqlite::Connection::open(&path).unwrap();
    let page: i64 = db.pragma_query_value(None, "page_size", |row| row.get(0)).unwrap();
    assert_eq!(page, 1024);
}

/// What a UPS said over hours, minutes apart, whatever the clock does: steps back, and on, by hours.
fn times() -> impl Strategy<Value = Vec<i64>> {
    let step = prop_oneof![8 => Just(600_000_i64), 1 => -9 * HOUR..9 * HOUR, 1 => Just(0)];
    proptest::collection::vec(step, 1..60).prop_map(|steps| {
        let mut at = 400_000 * HOUR;
        steps
            .into_iter()
            .map(|step| {
                at += step;
                at
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn wall_clocks_that_jump_neither_lose_nor_double(times in times()) {
        let folder = Folder::new("jumps");
        let mut file = HistoryFile::open(&folder.file(), 16).unwrap();
        let mut recorder = HistoryRecorder::default();
        for (number, at) in (1..).zip(&times) {
            recorder.record("a", *at, [SampledValue { key: LOAD, value: 20.0 }]);
            let rows = recorder.take(at + 60_000);
            file.write(number, &HistoryBatch { at_ms: *at, rows, ..HistoryBatch::default() }).unwrap();
        }
        let reader = HistoryReader::open(&folder.file()).unwrap();
        let expected = u32::try_from(times.len()).unwrap();
        // as fine as can be, and as coarse: what is in no ring yet is in either
        prop_assert_eq!(counted(&reader, "a", u32::MAX), expected);
        prop_assert_eq!(counted(&reader, "a", 10), expected);
        drop(reader);
        // a year later all of it is in every ring
        let later = times.last().unwrap() + 9000 * HOUR;
        let number = i64::from(expected) + 1;
        file.write(number, &HistoryBatch { at_ms: later, rows: vec![row("b", 0, 1.0)], ..HistoryBatch::default() }).unwrap();
        let reader = HistoryReader::open(&folder.file()).unwrap();
        for points in [u32::MAX, 10] {
            prop_assert_eq!(counted(&reader, "a", points), expected, "{} points", points);
        }
    }
}

/// More UPSes and values than there is room for.
#[test]
fn it_grows_no_longer_than_it_may() {
    const BATCHES: i64 = 600;
    let folder = Folder::new("bounded");
    let path = folder.file();
    let mut file = HistoryFile::open(&path, 8).unwrap();
    let mut noise = 1_u32;
    let mut random = || {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(noise >> 16) / 10.0
    };
    let mut longest = 0;
    for minute in 0..BATCHES {
        let mut recorder = HistoryRecorder::default();
        for (ups, second) in (0..40).flat_map(|ups| (0..60).step_by(10).map(move |second| (ups, second))) {
            let values = Quantity::ALL
                .map(|quantity| SampledValue { key: SeriesKey::said(quantity), value: random() });
            recorder.record(&format!("ups{ups}"), minute * 600_000 + second * 1000, values);
        }
        let event = HistoryEvent::new(minute, Some("ups1"), EventKind::Status, &"x".repeat(600));
        let batch = HistoryBatch {
            at_ms: minute * 600_000,
            rows: recorder.take_all(),
            events: vec![event; 3],
            ..HistoryBatch::default()
        };
        file.write(minute + 1, &batch).unwrap();
        let length =
            |more: &str| std::fs::metadata(format!("{}{more}", path.display())).map_or(0, |meta| meta.len());
        longest = longest.max(length("") + length("-wal") + length("-shm"));
    }
    assert!(longest <= 8 * 1024 * 1024, "{longest}");
    // and what is kept is the newest of each ring
    let reader = HistoryReader::open(&path).unwrap();
    let (from, to) = (0, BATCHES * 600_000);
    let key = SeriesKey::said(Quantity::InputVoltage);
    let fine = reader.series("ups1", key, (from, to), u32::MAX).unwrap();
    assert!(fine[0].step_s >= 600 && fine.last().unwrap().step_s == 10, "{:?}", fine[0]);
    assert!(fine.windows(2).all(|pair| pair[0].at_ms < pair[1].at_ms && pair[0].step_s >= pair[1].step_s));
    assert!(fine[0].at_ms < to / 4, "{:?}", fine[0]);
    assert_eq!(reader.events(None, 0, 99_999).unwrap().last().unwrap().at_ms, BATCHES - 1);
}
