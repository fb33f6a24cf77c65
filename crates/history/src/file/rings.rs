//! The rings: minutes of the journal go into each of them once, and what is oldest goes where there is no room.

use crate::block::SampleBlock;
use crate::bucket::Bucket;
use crate::tier::Tier;
use crate::trouble::HistoryTrouble;
use rusqlite::{OptionalExtension, Transaction, params};
use std::collections::BTreeMap;

/// So many UPSes at a time: the rest with the next batch. Their minutes lie beside each other in the journal, so that whole
/// pages are given up when they have gone into the rings.
const GROUP: i64 = 128;
/// Of the pages that there may be, so many hundredths are used; the rest is for what comes before the next look.
const FULL: u64 = 85;
/// So many rows of a ring are removed at a time, for each UPS.
const ROUNDS: usize = 64;

/// The key of a row of samples: rows of a UPS and a ring lie beside each other, in the order of time.
pub(crate) fn key_of(ups: i64, tier: Tier, begin_s: i64) -> i64 {
    let minutes = begin_s.div_euclid(60).clamp(0, i64::from(u32::MAX));
    (ups << 36) | ((tier as i64) << 32) | minutes
}

/// Where the row of a key begins, in seconds since 1970.
pub(crate) fn begin_of(key: i64) -> i64 {
    (key & i64::from(u32::MAX)) * 60
}

/// Between which keys minutes of this UPS lie in the journal.
pub(crate) fn journal_of(ups: i64) -> (i64, i64) {
    let group = ups / GROUP;
    (group << 40, (group + 1) << 40)
}

/// Takes minutes of the journal into all rings, each once: those that are not of the current hour, and all of them where
/// the journal is longer than so many bytes.
pub(super) fn roll_up(db: &Transaction<'_>, now_ms: i64, most: u64) -> Result<(), HistoryTrouble> {
    let hour = now_ms.div_euclid(3_600_000) * 60;
    let waits: u64 = db
        .prepare_cached("SELECT coalesce(sum(length(data) + 16), 0) FROM journal")?
        .query_row([], |row| row.get(0))?;
    let (from, to) = if waits > most { (i64::MAX, i64::MIN) } else { (hour, hour + 60) };
    let mut first = db.prepare_cached("SELECT ups FROM journal WHERE minute < ?1 OR minute >= ?2 LIMIT 1")?;
    let Some(ups) = first.query_row([from, to], |row| row.get::<_, i64>(0)).optional()? else {
        return Ok(());
    };
    let (least, most) = journal_of(ups);
    let mut due: BTreeMap<i64, Vec<(i64, i64, Vec<u8>)>> = BTreeMap::new();
    let mut select = db.prepare_cached(
        "SELECT id, minute, ups, data FROM journal WHERE id >= ?1 AND id < ?2 AND (minute < ?3 OR minute >= ?4)",
    )?;
    let mut rows = select.query([least, most, from, to])?;
    while let Some(row) = rows.next()? {
        due.entry(row.get(2)?).or_default().push((row.get(0)?, row.get(1)?, row.get(3)?));
    }
    drop(rows);
    for (ups, minutes) in due {
        for (key, more) in rows_of(ups, &minutes) {
            merge(db, key, &more)?;
        }
        let mut delete = db.prepare_cached("DELETE FROM journal WHERE id = ?1")?;
        for (id, ..) in minutes {
            delete.execute([id])?;
        }
    }
    Ok(())
}

/// What minutes add to the rows of all rings. A minute that cannot be read adds nothing.
fn rows_of(ups: i64, minutes: &[(i64, i64, Vec<u8>)]) -> BTreeMap<(Tier, i64), SampleBlock> {
    let mut rows: BTreeMap<(Tier, i64), SampleBlock> = BTreeMap::new();
    for (_, minute, data) in minutes {
        let Ok(block) = SampleBlock::decode(data) else { continue };
        let begin_s = minute.saturating_mul(60);
        for (key, points) in block.series() {
            let mut whole: Option<Bucket> = None;
            let mut add = |tier: Tier, at_s: i64, bucket: Bucket| {
                let begin = tier.block_of(at_s);
                let place = u32::try_from((at_s - begin) / tier.step_s()).unwrap_or(u32::MAX);
                rows.entry((tier, key_of(ups, tier, begin))).or_default().add(key, place, bucket);
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

fn merge(db: &Transaction<'_>, (tier, key): (Tier, i64), more: &SampleBlock) -> Result<(), HistoryTrouble> {
    let mut find = db.prepare_cached("SELECT data FROM block WHERE key = ?1")?;
    let there: Option<Vec<u8>> = find.query_row([key], |row| row.get(0)).optional()?;
    let before = there.as_ref().map_or(0, Vec::len);
    // one that the disk has damaged is begun anew
    let mut block = there.and_then(|data| SampleBlock::decode(&data).ok()).unwrap_or_default();
    for (series, points) in more.series() {
        points.iter().for_each(|(place, bucket)| block.add(series, *place, *bucket));
    }
    let data = block.encode();
    count(db, tier, as_i64(data.len()) - as_i64(before))?;
    db.prepare_cached("INSERT OR REPLACE INTO block VALUES (?1, ?2)")?.execute(params![key, data])?;
    Ok(())
}

fn count(db: &Transaction<'_>, tier: Tier, bytes: i64) -> Result<(), HistoryTrouble> {
    let mut add = db.prepare_cached(
        "INSERT INTO ring VALUES (?1, ?2) ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes",
    )?;
    add.execute(params![tier as u8, bytes])?;
    Ok(())
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
            let mut find = db.prepare_cached("SELECT bytes FROM ring WHERE tier = ?1")?;
            let bytes: i64 = find.query_row([tier as u8], |row| row.get(0)).optional()?.unwrap_or(0);
            let weight = u64::try_from(bytes).unwrap_or(0).saturating_mul(100) / tier.share();
            fullest = fullest.max(Some((weight, tier)));
        }
        let removed = fullest.map_or(Ok(false), |(_, tier)| remove_oldest(db, tier))?;
        if !removed {
            return Ok(());
        }
    }
    Ok(())
}

/// Removes the rows of a ring that begin first, of all UPSes; false where there are none.
fn remove_oldest(db: &Transaction<'_>, tier: Tier) -> Result<bool, HistoryTrouble> {
    let mut all = db.prepare_cached("SELECT id FROM ups")?;
    let upses: Vec<i64> = all.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut find = db.prepare_cached(
        "SELECT key, length(data) FROM block WHERE key >= ?1 AND key <= ?2 ORDER BY key LIMIT 1",
    )?;
    let mut first: Vec<(i64, i64)> = vec![];
    for ups in upses {
        let range = [key_of(ups, tier, 0), key_of(ups, tier, i64::MAX)];
        first.extend(find.query_row(range, |row| Ok((row.get(0)?, row.get(1)?))).optional()?);
    }
    let oldest = first.iter().map(|(key, _)| begin_of(*key)).min();
    let mut delete = db.prepare_cached("DELETE FROM block WHERE key = ?1")?;
    for (key, bytes) in first.into_iter().filter(|(key, _)| Some(begin_of(*key)) == oldest) {
        delete.execute([key])?;
        count(db, tier, -bytes)?;
    }
    Ok(oldest.is_some())
}

fn as_i64(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
