//! The rings: what was pending goes into each of them once, and what is oldest goes where there is no room. Rows of a ring
//! lie in the order of time, so that those of an hour are written side by side.

use super::pending::{PendingEntry, entries};
use crate::block::SampleBlock;
use crate::bucket::Bucket;
use crate::quantity::Provenance;
use crate::tier::Tier;
use crate::trouble::HistoryTrouble;
use rusqlite::{OptionalExtension, Transaction, params};
use std::collections::BTreeMap;

/// Of the pages that there may be, so many hundredths are used; the rest is for what comes before the next look.
const FULL: u64 = 85;
/// So often a ring is shortened at a time.
const ROUNDS: usize = 64;
/// By so many hundredths of its bytes.
const SHORTER: i64 = 1;
/// So many bits of a key are the UPS; one of a higher number has no samples.
pub(crate) const UPS_BITS: u32 = 20;

/// The key of a row of samples.
pub(crate) fn key_of(begin_s: i64, ups: i64) -> i64 {
    let minutes = begin_s.div_euclid(60).clamp(0, i64::from(u32::MAX));
    minutes << UPS_BITS | ups
}

/// Where the row of a key begins, in seconds since 1970, and of which UPS it is.
pub(crate) fn time_and_ups(key: i64) -> (i64, i64) {
    ((key >> UPS_BITS) * 60, key & ((1 << UPS_BITS) - 1))
}

/// A minute of samples: minutes since 1970, and the bytes of a [`SampleBlock`].
pub(super) type Minute = (i64, Vec<u8>);

/// The hour by which a batch is counted: minutes are written when they are over.
fn hour_of(at_ms: i64) -> i64 {
    (at_ms - 60_000) / 3_600_000
}

/// Takes pending rows into all rings, each once: those of other hours than this one, and all of them where there are more
/// than so many bytes. One group of UPSes at a time: the rest with the next batch.
pub(super) fn roll_up(db: &Transaction<'_>, now_ms: i64, most: u64) -> Result<(), HistoryTrouble> {
    let waits: u64 = db
        .prepare_cached("SELECT coalesce(sum(length(data) + 16), 0) FROM pending")?
        .query_row([], |row| row.get(0))?;
    let hour = if waits > most { i64::MIN } else { hour_of(now_ms) };
    let sql = "SELECT id / (1 << 40) FROM pending WHERE (at_ms - 60000) / 3600000 <> ?1 LIMIT 1";
    let group: Option<i64> = db.prepare_cached(sql)?.query_row([hour], |row| row.get(0)).optional()?;
    let Some(group) = group else { return Ok(()) };
    let [least, most] = [group << 40, ((group + 1) << 40) - 1];
    let mut select = db.prepare_cached(
        "SELECT id, at_ms, data FROM pending WHERE id BETWEEN ?1 AND ?2 AND (at_ms - 60000) / 3600000 <> ?3",
    )?;
    let mut minutes: BTreeMap<i64, Vec<Minute>> = BTreeMap::new();
    let (mut energy, mut ids) = (BTreeMap::new(), vec![]);
    let mut rows = select.query([least, most, hour])?;
    while let Some(row) = rows.next()? {
        let (id, at_ms): (i64, i64) = (row.get(0)?, row.get(1)?);
        ids.push(id);
        for (ups, entry) in entries(at_ms, row.get_ref(2)?.as_blob().unwrap_or_default()) {
            match entry {
                PendingEntry::Samples(minute, block) => {
                    minutes.entry(ups).or_default().push((minute, block.to_vec()));
                }
                PendingEntry::Energy(whose, wh) => {
                    energy.entry((ups, whose)).or_insert((0.0, at_ms)).0 += wh;
                }
            }
        }
    }
    drop(rows);
    // first, for what follows to use their pages
    let mut delete = db.prepare_cached("DELETE FROM pending WHERE id = ?1")?;
    for id in ids {
        delete.execute([id])?;
    }
    add_energy(db, &energy)?;
    take_in(db, minutes)
}

/// Takes the minutes of a file of version 2 into the rings.
pub(crate) fn take_journal(db: &Transaction<'_>) -> Result<(), HistoryTrouble> {
    let mut select = db.prepare("SELECT ups, minute, data FROM journal")?;
    let mut minutes: BTreeMap<i64, Vec<Minute>> = BTreeMap::new();
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        minutes.entry(row.get(0)?).or_default().push((row.get(1)?, row.get(2)?));
    }
    drop(rows);
    drop(select);
    db.execute_batch("DROP TABLE journal")?;
    take_in(db, minutes)
}

fn add_energy(
    db: &Transaction<'_>,
    energy: &BTreeMap<(i64, Provenance), (f64, i64)>,
) -> Result<(), HistoryTrouble> {
    let mut add = db.prepare_cached(
        "INSERT INTO energy VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET wh = wh + excluded.wh",
    )?;
    for ((ups, whose), (wh, since_ms)) in energy {
        add.execute(params![ups, *whose == Provenance::Computed, wh, since_ms])?;
    }
    Ok(())
}

/// Takes minutes of UPSes into all rings.
pub(super) fn take_in(
    db: &Transaction<'_>,
    minutes: BTreeMap<i64, Vec<Minute>>,
) -> Result<(), HistoryTrouble> {
    let mut added: BTreeMap<Tier, i64> = BTreeMap::new();
    for (ups, minutes) in minutes.into_iter().filter(|(ups, _)| *ups < 1 << UPS_BITS) {
        for ((tier, begin), more) in rows_of(&minutes) {
            *added.entry(tier).or_default() += merge(db, tier, key_of(begin, ups), more)?;
        }
    }
    added.into_iter().try_for_each(|(tier, bytes)| count(db, tier, bytes))
}

/// What minutes add to the rows of all rings. A minute that cannot be read adds nothing.
fn rows_of(minutes: &[Minute]) -> BTreeMap<(Tier, i64), SampleBlock> {
    let mut rows: BTreeMap<(Tier, i64), SampleBlock> = BTreeMap::new();
    for (minute, data) in minutes {
        let Ok(block) = SampleBlock::decode(data) else { continue };
        let begin_s = minute.saturating_mul(60);
        for (key, points) in block.series() {
            let mut whole: Option<Bucket> = None;
            let mut add = |tier: Tier, at_s: i64, bucket: Bucket| {
                let begin = tier.block_of(at_s);
                let place = u32::try_from((at_s - begin) / tier.step_s()).unwrap_or(u32::MAX);
                rows.entry((tier, begin)).or_default().add(key, place, bucket);
            };
            for (place, bucket) in points {
                let at_s = begin_s.saturating_add(i64::from(*place) * Tier::Seconds.step_s());
                add(Tier::Seconds, at_s, *bucket);
                match &mut whole {
                    Some(whole) => whole.merge(*bucket),
                    None => whole = Some(*bucket),
                }
            }
            // a minute lies in one point of each other ring
            for tier in [Tier::Minutes, Tier::TenMinutes, Tier::Hours] {
                whole.into_iter().for_each(|whole| add(tier, begin_s, whole));
            }
        }
    }
    rows
}

/// Takes a row into the one that is there; by so many bytes it is longer.
fn merge(db: &Transaction<'_>, tier: Tier, key: i64, more: SampleBlock) -> Result<i64, HistoryTrouble> {
    let mut find = db.prepare_cached(&format!("SELECT data FROM {} WHERE key = ?1", tier.table()))?;
    let there: Option<Vec<u8>> = find.query_row([key], |row| row.get(0)).optional()?;
    let before = there.as_ref().map_or(0, Vec::len);
    // one that the disk has damaged is begun anew
    let block = match there.and_then(|data| SampleBlock::decode(&data).ok()) {
        Some(mut block) => {
            for (series, points) in more.series() {
                points.iter().for_each(|(place, bucket)| block.add(series, *place, *bucket));
            }
            block
        }
        None => more,
    };
    let data = block.encode();
    let longer = as_i64(data.len()) - as_i64(before);
    let put = format!("INSERT OR REPLACE INTO {} VALUES (?1, ?2)", tier.table());
    db.prepare_cached(&put)?.execute(params![key, data])?;
    Ok(longer)
}

pub(super) fn count(db: &Transaction<'_>, tier: Tier, bytes: i64) -> Result<(), HistoryTrouble> {
    let mut add = db.prepare_cached(
        "INSERT INTO ring VALUES (?1, ?2) ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes",
    )?;
    add.execute(params![tier as u8, bytes])?;
    Ok(())
}

fn bytes_of(db: &Transaction<'_>, tier: Tier) -> Result<i64, HistoryTrouble> {
    let mut find = db.prepare_cached("SELECT bytes FROM ring WHERE tier = ?1")?;
    Ok(find.query_row([tier as u8], |row| row.get(0)).optional()?.unwrap_or(0))
}

/// Removes what is oldest, of the ring that has most beyond its share, until there is room.
pub(super) fn prune(db: &Transaction<'_>, pages: u64) -> Result<(), HistoryTrouble> {
    for _ in 0..ROUNDS {
        let number = |name: &str| db.pragma_query_value(None, name, |row| row.get::<_, u64>(0));
        let used = number("page_count")?.saturating_sub(number("freelist_count")?);
        if used * 100 <= pages * FULL {
            return Ok(());
        }
        let mut fullest = None;
        for tier in Tier::ALL {
            let bytes = u64::try_from(bytes_of(db, tier)?).unwrap_or(0);
            fullest = fullest.max(Some((bytes.saturating_mul(100) / tier.share(), tier)));
        }
        let removed = fullest.map_or(Ok(false), |(_, tier)| shorten(db, tier))?;
        if !removed {
            return Ok(());
        }
    }
    Ok(())
}

/// Removes the rows of a ring that begin first, of all UPSes; false where there are none.
fn shorten(db: &Transaction<'_>, tier: Tier) -> Result<bool, HistoryTrouble> {
    let enough = bytes_of(db, tier)? * SHORTER / 100;
    let sql = format!("SELECT key, length(data) FROM {} ORDER BY key", tier.table());
    let mut oldest = db.prepare_cached(&sql)?;
    let mut rows = oldest.query([])?;
    let (mut last, mut bytes) = (None::<i64>, 0);
    while let Some(row) = rows.next()? {
        let (key, length): (i64, i64) = (row.get(0)?, row.get(1)?);
        // whole hours of all UPSes
        if bytes > enough && last.is_some_and(|last| last >> UPS_BITS != key >> UPS_BITS) {
            break;
        }
        (last, bytes) = (Some(key), bytes + length);
    }
    drop(rows);
    let Some(last) = last else { return Ok(false) };
    let delete = format!("DELETE FROM {} WHERE key <= ?1", tier.table());
    db.prepare_cached(&delete)?.execute([last])?;
    count(db, tier, -bytes)?;
    Ok(true)
}

fn as_i64(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
