//! Reading a history, also while a server writes it.

mod walk;

use crate::block::SampleBlock;
use crate::bucket::Bucket;
use crate::event::EventKind;
use crate::file::{PendingEntry, entries, keys_of};
use crate::outage::Outage;
use crate::quantity::{Provenance, Quantity, SeriesKey};
use crate::schema::{self, FileKind, VERSION};
use crate::tier::Tier;
use crate::trouble::HistoryTrouble;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;
use walk::RingWalk;

/// Another process that writes takes no longer.
const BUSY: Duration = Duration::from_secs(2);
/// In so many of the newest rows of hours it is looked which series there are: of some weeks.
const SERIES_FROM: usize = 20;

/// A point of a plot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SeriesPoint {
    /// When it begins, in milliseconds since 1970, UTC.
    pub at_ms: i64,
    /// So many seconds it stands for.
    pub step_s: i64,
    /// The lowest, the mean and the highest value, in the quantity's unit.
    pub min: f64,
    /// See `min`.
    pub mean: f64,
    /// See `min`.
    pub max: f64,
    /// So many samples.
    pub count: u32,
}

/// An event, as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRecord {
    /// Its number: a later one is higher, whatever the clock says.
    pub number: i64,
    /// Milliseconds since 1970, UTC.
    pub at_ms: i64,
    /// Of which UPS; none for the server.
    pub ups: Option<String>,
    /// What kind; none where a newer program knows it.
    pub kind: Option<EventKind>,
    /// What there is to say of it.
    pub text: String,
}

/// An outage, as it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct OutageRecord {
    /// Of which UPS.
    pub ups: String,
    /// What it was.
    pub outage: Outage,
    /// When it was seen last, in milliseconds since 1970.
    pub last_ms: i64,
}

/// The energy that a load took since it is counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EnergyCounter {
    /// Whether the UPS says the power.
    pub provenance: Provenance,
    /// Watt-hours.
    pub wh: f64,
    /// Since when, in milliseconds since 1970.
    pub since_ms: i64,
}

/// How a file is opened.
const READS: OpenFlags = OpenFlags::SQLITE_OPEN_READ_ONLY.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);

/// An open history, to read.
#[derive(Debug)]
pub struct HistoryReader {
    db: Connection,
}

impl HistoryReader {
    /// Opens a file that is there.
    ///
    /// # Errors
    /// [`HistoryTrouble`].
    pub fn open(path: &Path) -> Result<HistoryReader, HistoryTrouble> {
        HistoryReader::of(Connection::open_with_flags(path, READS)?)
    }

    /// The same, for a program that is not the server's and may run as another user. Where no server has the file open, nothing is
    /// made beside it: SQLite would leave its log there, as that user's, and the server could not write it.
    ///
    /// # Errors
    /// [`HistoryTrouble`].
    pub fn open_as_guest(path: &Path) -> Result<HistoryReader, HistoryTrouble> {
        let mut log = path.as_os_str().to_os_string();
        log.push("-wal");
        if Path::new(&log).exists() {
            return HistoryReader::open(path);
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
        let written = path.as_os_str().as_bytes().iter().map(|byte| match plain(*byte) {
            true => char::from(*byte).to_string(),
            false => format!("%{byte:02X}"),
        });
        let uri = format!("file:{}?immutable=1", written.collect::<String>());
        HistoryReader::of(Connection::open_with_flags(uri, READS | OpenFlags::SQLITE_OPEN_URI)?)
    }

    fn of(db: Connection) -> Result<HistoryReader, HistoryTrouble> {
        db.busy_timeout(BUSY)?;
        db.pragma_update(None, "trusted_schema", false)?;
        db.pragma_update(None, "cache_size", -512)?;
        match schema::look(&db)? {
            FileKind::Version(VERSION) => Ok(HistoryReader { db }),
            FileKind::Version(_) | FileKind::New => Err(HistoryTrouble::Older),
        }
    }

    /// All UPSes that it has anything of, by name.
    ///
    /// # Errors
    /// [`HistoryTrouble`].
    pub fn upses(&self) -> Result<Vec<String>, HistoryTrouble> {
        let mut select = self.db.prepare_cached("SELECT name FROM ups ORDER BY name")?;
        let names = select.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(names)
    }

    /// The series that there are of a UPS; none of a UPS that is not known.
    ///
    /// # Errors
    /// [`HistoryTrouble`].
    pub fn series_of(&self, ups: &str) -> Result<Vec<SeriesKey>, HistoryTrouble> {
        let Some(id) = self.id(ups)? else { return Ok(vec![]) };
        let mut keys = BTreeSet::new();
        let mut add = |data: &[u8]| {
            let block = SampleBlock::decode(data).unwrap_or_default();
            keys.extend(block.series().map(|(key, _)| key));
        };
        let mut newest = RingWalk::back(&self.db, Tier::Hours, id)?;
        for _ in 0..SERIES_FROM {
            let Some(begin_s) = newest.next()? else { break };
            add(&newest.data(begin_s)?);
        }
        each_pending(&self.db, id, |_, entry| {
            if let PendingEntry::Samples(_, data) = entry {
                add(data);
            }
        })?;
        Ok(keys.into_iter().collect())
    }

    /// A series from one time to another (milliseconds since 1970, the last one not included), in about `points`
    /// points: as fine as that allows, and coarser where what is finer is not kept any more.
    ///
    /// # Errors
    /// [`HistoryTrouble`].
    pub fn series(
        &self,
        ups: &str,
        key: SeriesKey,
        (from_ms, to_ms): (i64, i64),
        points: u32,
    ) -> Result<Vec<SeriesPoint>, HistoryTrouble> {
        // minutes may go into the rings meanwhile
        let _snapshot = self.db.unchecked_transaction()?;
        let Some(id) = self.id(ups)? else { return Ok(vec![]) };
        let (from, to) = (from_ms.div_euclid(1000), to_ms.div_euclid(1000));
        let wanted = to.saturating_sub(from) / i64::from(points.max(1));
        let finest =
            Tier::ALL.into_iter().rev().find(|tier| tier.step_s() <= wanted.max(Tier::Seconds.step_s()));
        let finest = finest.unwrap_or(Tier::Seconds);
        let recent = self.recent(id, key, (from, to))?;
        let (mut all, mut until) = (BTreeMap::new(), to);
        for tier in Tier::ALL.into_iter().filter(|tier| *tier >= finest) {
            let mut part = self.ring(id, key, tier, (from, until))?;
            let oldest = self.oldest(id, tier)?.unwrap_or(i64::MAX);
            for (at, bucket) in recent.iter().filter(|(at, _)| **at < until) {
                let at = at - at.rem_euclid(tier.step_s());
                // what is newest is in no ring yet: it belongs in the finest
                if tier == finest {
                    part.entry(at).and_modify(|there: &mut Bucket| there.merge(*bucket)).or_insert(*bucket);
                }
            }
            all.extend(
                part.into_iter().filter(|(at, _)| *at < until).map(|(at, bucket)| (at, (tier, bucket))),
            );
            until = until.min(oldest);
            if until <= from {
                break;
            }
        }
        Ok(all.into_iter().map(|(at, (tier, bucket))| point(key.quantity, at, tier, bucket)).collect())
    }

    /// When a series begins: the second since 1970 of its first sample, as far as the finest ring that has it says; none where
    /// it has no point.
    ///
    /// # Errors
    /// [`HistoryTrouble`].
    pub fn begin(&self, ups: &str, key: SeriesKey) -> Result<Option<i64>, HistoryTrouble> {
        // minutes may go into the rings meanwhile
        let _snapshot = self.db.unchecked_transaction()?;
        let Some(id) = self.id(ups)? else { return Ok(None) };
        let recent = self.recent(id, key, (i64::MIN, i64::MAX))?;
        // what is in no hour is in no other ring
        let mut in_rings = self.first(id, key, Tier::Hours, (0, i64::MAX))?;
        let mut step_s = Tier::Hours.step_s();
        for tier in [Tier::TenMinutes, Tier::Minutes, Tier::Seconds] {
            // what is finer lies within it, where it is kept still
            let Some(begin) = in_rings else { break };
            if let Some(at) = self.first(id, key, tier, (begin, begin.saturating_add(step_s)))? {
                (in_rings, step_s) = (Some(at), tier.step_s());
            }
        }
        let waiting = recent.first_key_value().map(|(at, _)| *at);
        Ok(in_rings.into_iter().chain(waiting).min())
    }

    /// Events, the latest last: of one UPS and of the server, or all; from a time on, and no more than so many.
    ///
    /// # Errors
    /// [`HistoryTrouble`].
    pub fn events(
        &self,
        ups: Option<&str>,
        since_ms: i64,
        most: u32,
    ) -> Result<Vec<EventRecord>, HistoryTrouble> {
        let id = match ups {
            Some(ups) => Some(self.id(ups)?.unwrap_or(-1)),
            None => None,
        };
        let mut select = self.db.prepare_cached(
            "SELECT event.id, at_ms, name, kind, text FROM event LEFT JOIN ups ON ups.id = event.ups
             WHERE at_ms >= ?1 AND (?2 IS NULL OR event.ups = ?2 OR event.ups IS NULL)
             ORDER BY event.id DESC LIMIT ?3",
        )?;
        let read = |row: &Row<'_>| {
            Ok(EventRecord {
                number: row.get(0)?,
                at_ms: row.get(1)?,
                ups: row.get(2)?,
                kind: EventKind::of_code(row.get(3)?),
                text: row.get(4)?,
            })
        };
        let mut events: Vec<EventRecord> =
            select.query_map(params![since_ms, id, most], read)?.collect::<Result<_, _>>()?;
        events.reverse();
        Ok(events)
    }

    /// Outages, the latest last: of one UPS or of all; those that ended after a time or last still, and no more than so
    /// many.
    ///
    /// # Errors
    /// [`HistoryTrouble`].
    pub fn outages(
        &self,
        ups: Option<&str>,
        since_ms: i64,
        most: u32,
    ) -> Result<Vec<OutageRecord>, HistoryTrouble> {
        let sql = format!(
            "{OUTAGES} WHERE (end_ms IS NULL OR end_ms >= ?1) AND (?2 IS NULL OR name = ?2)
             ORDER BY outage.id DESC LIMIT ?3"
        );
        let mut select = self.db.prepare_cached(&sql)?;
        let found = select.query_map(params![since_ms, ups, most], outage)?;
        let mut outages: Vec<OutageRecord> = found.collect::<Result<_, _>>()?;
        outages.reverse();
        Ok(outages)
    }

    /// The energy that the load of a UPS took: by the power that the UPS says, and by what was computed; either may be
    /// missing.
    ///
    /// # Errors
    /// [`HistoryTrouble`].
    pub fn energy(&self, ups: &str) -> Result<Vec<EnergyCounter>, HistoryTrouble> {
        // what is pending may be added meanwhile
        let _snapshot = self.db.unchecked_transaction()?;
        self.id(ups)?.map_or(Ok(vec![]), |id| energy_of(&self.db, id))
    }

    fn id(&self, ups: &str) -> Result<Option<i64>, HistoryTrouble> {
        let mut find = self.db.prepare_cached("SELECT id FROM ups WHERE name = ?1")?;
        Ok(find.query_row([ups], |row| row.get(0)).optional()?)
    }

    /// Where a ring begins, in seconds since 1970.
    fn oldest(&self, ups: i64, tier: Tier) -> Result<Option<i64>, HistoryTrouble> {
        RingWalk::from(&self.db, tier, ups, 0)?.next()
    }

    /// Where the first point of a series in a range of a ring begins.
    fn first(
        &self,
        ups: i64,
        key: SeriesKey,
        tier: Tier,
        (from, to): (i64, i64),
    ) -> Result<Option<i64>, HistoryTrouble> {
        let mut rows = RingWalk::from(&self.db, tier, ups, tier.block_of(from))?;
        while let Some(begin) = rows.next()?.filter(|begin| *begin < to) {
            let points = SampleBlock::decode_one(&rows.data(begin)?, key).unwrap_or_default();
            let times = points.into_keys().map(|place| begin + i64::from(place) * tier.step_s());
            if let Some(first) = times.filter(|at| (from..to).contains(at)).min() {
                return Ok(Some(first));
            }
        }
        Ok(None)
    }

    /// What a ring has of a series, by the second at which a point begins.
    fn ring(
        &self,
        ups: i64,
        key: SeriesKey,
        tier: Tier,
        (from, to): (i64, i64),
    ) -> Result<BTreeMap<i64, Bucket>, HistoryTrouble> {
        let mut points = BTreeMap::new();
        let mut rows = RingWalk::from(&self.db, tier, ups, tier.block_of(from))?;
        while let Some(begin) = rows.next()?.filter(|begin| *begin < to) {
            // one that the disk has damaged is a gap
            for (place, bucket) in SampleBlock::decode_one(&rows.data(begin)?, key).unwrap_or_default() {
                let at = begin + i64::from(place) * tier.step_s();
                if at + tier.step_s() > from && at < to {
                    // rows of version 2 were shorter, and may be of the same time
                    points.entry(at).and_modify(|there: &mut Bucket| there.merge(bucket)).or_insert(bucket);
                }
            }
        }
        Ok(points)
    }

    /// What of a series is in no ring yet, in the finest steps.
    fn recent(
        &self,
        ups: i64,
        key: SeriesKey,
        (from, to): (i64, i64),
    ) -> Result<BTreeMap<i64, Bucket>, HistoryTrouble> {
        let mut points = BTreeMap::new();
        each_pending(&self.db, ups, |_, entry| {
            let PendingEntry::Samples(minute, data) = entry else { return };
            let begin = minute.saturating_mul(60);
            for (place, bucket) in SampleBlock::decode_one(data, key).unwrap_or_default() {
                let at = begin.saturating_add(i64::from(place) * Tier::Seconds.step_s());
                if at >= from && at < to {
                    points.entry(at).and_modify(|there: &mut Bucket| there.merge(bucket)).or_insert(bucket);
                }
            }
        })?;
        Ok(points)
    }
}

/// Takes what is in no ring yet of a UPS, with the time when it was written.
fn each_pending(
    db: &Connection,
    ups: i64,
    mut each: impl FnMut(i64, PendingEntry<'_>),
) -> Result<(), HistoryTrouble> {
    let mut select =
        db.prepare_cached("SELECT at_ms, data FROM pending WHERE id BETWEEN ?1 AND ?2 ORDER BY id")?;
    let mut rows = select.query(keys_of(ups))?;
    while let Some(row) = rows.next()? {
        let at_ms = row.get(0)?;
        let data = row.get_ref(1)?.as_blob().unwrap_or_default();
        entries(at_ms, data).filter(|(of, _)| *of == ups).for_each(|(_, entry)| each(at_ms, entry));
    }
    Ok(())
}

fn energy_of(db: &Connection, ups: i64) -> Result<Vec<EnergyCounter>, HistoryTrouble> {
    let mut select = db.prepare_cached("SELECT computed, wh, since_ms FROM energy WHERE ups = ?1")?;
    let read = |row: &Row<'_>| {
        let provenance = provenance(row.get(0)?);
        Ok(EnergyCounter { provenance, wh: row.get(1)?, since_ms: row.get(2)? })
    };
    let mut counters: Vec<EnergyCounter> = select.query_map([ups], read)?.collect::<Result<_, _>>()?;
    each_pending(db, ups, |at_ms, entry| {
        let PendingEntry::Energy(whose, more) = entry else { return };
        match counters.iter_mut().find(|counter| counter.provenance == whose) {
            Some(counter) => counter.wh += more,
            None => counters.push(EnergyCounter { provenance: whose, wh: more, since_ms: at_ms }),
        }
    })?;
    counters.sort_by_key(|counter| counter.provenance);
    Ok(counters)
}

/// Of every UPS, in watt-hours.
pub(crate) fn energy_of_all(db: &Connection) -> Result<Vec<(String, Provenance, f64)>, HistoryTrouble> {
    let mut select = db.prepare("SELECT id, name FROM ups")?;
    let names = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut all = vec![];
    for found in names {
        let (id, name): (i64, String) = found?;
        let counters = energy_of(db, id)?;
        all.extend(counters.into_iter().map(|counter| (name.clone(), counter.provenance, counter.wh)));
    }
    Ok(all)
}

fn point(quantity: Quantity, at_s: i64, tier: Tier, bucket: Bucket) -> SeriesPoint {
    SeriesPoint {
        at_ms: at_s.saturating_mul(1000),
        step_s: tier.step_s(),
        min: quantity.value(bucket.min.into()),
        mean: quantity.value(bucket.mean()),
        max: quantity.value(bucket.max.into()),
        count: bucket.count,
    }
}

/// The columns that [`outage`] reads.
const OUTAGES: &str =
    "SELECT name, begin_ms, end_ms, last_ms, length_ms, flags, charge, charge_computed, voltage, load,
                              energy_wh, energy_computed
                       FROM outage JOIN ups ON ups.id = outage.ups";

/// Those that were not over when they were written last.
pub(crate) fn open_outages(db: &Connection) -> Result<Vec<(String, Outage, i64)>, HistoryTrouble> {
    let mut select = db.prepare(&format!("{OUTAGES} WHERE end_ms IS NULL ORDER BY outage.id"))?;
    let found: Vec<OutageRecord> = select.query_map([], outage)?.collect::<Result<_, _>>()?;
    Ok(found.into_iter().map(|found| (found.ups, found.outage, found.last_ms)).collect())
}

fn outage(row: &Row<'_>) -> rusqlite::Result<OutageRecord> {
    let flags: i64 = row.get(5)?;
    let flag = |at: u8| flags & (1 << at) != 0;
    let with = |value: usize, computed: usize| -> rusqlite::Result<Option<(f64, Provenance)>> {
        let (value, computed) = (row.get::<_, Option<f64>>(value)?, row.get::<_, Option<bool>>(computed)?);
        Ok(value.map(|value| (value, provenance(computed.unwrap_or(true)))))
    };
    let by_flag = |value: usize, computed: u8| -> rusqlite::Result<Option<(f64, Provenance)>> {
        Ok(row.get::<_, Option<f64>>(value)?.map(|value| (value, provenance(flag(computed)))))
    };
    let outage = Outage {
        begin_ms: row.get(1)?,
        end_ms: row.get(2)?,
        length: Duration::from_millis(u64::try_from(row.get::<_, i64>(4)?).unwrap_or(0)),
        begin_seen: flag(0),
        end_seen: flag(1),
        test: flag(2),
        low_battery: flag(3),
        lowest_charge: with(6, 7)?,
        lowest_voltage: by_flag(8, 4)?,
        mean_load: by_flag(9, 5)?,
        energy_wh: with(10, 11)?,
    };
    Ok(OutageRecord { ups: row.get(0)?, outage, last_ms: row.get(3)? })
}

fn provenance(computed: bool) -> Provenance {
    if computed { Provenance::Computed } else { Provenance::Said }
}
