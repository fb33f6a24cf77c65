//! The file: written by one connection, a batch in one transaction.

mod pending;
mod rings;

pub(crate) use pending::{PendingEntry, entries, keys_of};
pub(crate) use rings::{UPS_BITS, key_of, take_journal, time_and_ups};

use crate::event::HistoryEvent;
use crate::outage::Outage;
use crate::quantity::Provenance;
use crate::recorder::MinuteRow;
use crate::schema;
use crate::trouble::HistoryTrouble;
use pending::PendingRows;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction, TransactionBehavior, params};
use std::collections::HashMap;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

/// Bytes of a page. A commit writes whole pages, and most have little to say.
const PAGE: u64 = 1024;
/// Of the size that was asked for, so much is left to the write-ahead log.
const FOR_THE_LOG: u64 = 4 * 1024 * 1024;
/// The log is taken into the file when it is so long: a page that many commits wrote goes there once.
const LOG_LIMIT: i64 = 5 * 512 * 1024;
const CHECKPOINT_PAGES: i64 = LOG_LIMIT / PAGE as i64;
/// Another process that reads takes no longer.
const BUSY: Duration = Duration::from_secs(2);
/// One event for so many bytes of the size is kept, and one outage.
const BYTES_OF_AN_EVENT: u64 = 5 * 1024;
const BYTES_OF_AN_OUTAGE: u64 = 8 * 1024;

/// What is written together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HistoryBatch {
    /// When it was made, in milliseconds since 1970.
    pub at_ms: i64,
    /// Samples.
    pub rows: Vec<MinuteRow>,
    /// Events.
    pub events: Vec<HistoryEvent>,
    /// Outages that begin, last or end, each with its UPS and when it was seen last.
    pub outages: Vec<(String, Outage, i64)>,
    /// Watt-hours since the last batch.
    pub energy: Vec<(String, Provenance, f64)>,
}

impl HistoryBatch {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.events.is_empty() && self.outages.is_empty() && self.energy.is_empty()
    }

    /// Takes a later one in.
    pub fn append(&mut self, later: HistoryBatch) {
        self.at_ms = later.at_ms;
        self.rows.extend(later.rows);
        self.events.extend(later.events);
        for (ups, outage, last) in later.outages {
            self.outages.retain(|(there, old, _)| (there, old.begin_ms) != (&ups, outage.begin_ms));
            self.outages.push((ups, outage, last));
        }
        for (ups, whose, more) in later.energy {
            match self.energy.iter_mut().find(|(there, of, _)| (there as &String, *of) == (&ups, whose)) {
                Some((_, _, wh)) => *wh += more,
                None => self.energy.push((ups, whose, more)),
            }
        }
    }
}

/// An open history, for its only writer.
#[derive(Debug)]
pub struct HistoryFile {
    db: Connection,
    ids: HashMap<String, i64>,
    bounds: Bounds,
}

/// How much is kept.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    /// Bytes of a page.
    page: u64,
    pages: u64,
    events: u64,
    outages: u64,
}

impl HistoryFile {
    /// Opens the file, or makes it; `size_mib` is how many MiB it may take on the disk, with its log.
    ///
    /// # Errors
    /// [`HistoryTrouble`].
    pub fn open(path: &Path, size_mib: u64) -> Result<HistoryFile, HistoryTrouble> {
        // as readable as NUT's other files
        let made = OpenOptions::new().write(true).create_new(true).mode(0o640).open(path);
        if let Err(error) = made {
            if error.kind() != std::io::ErrorKind::AlreadyExists {
                return Err(error.into());
            }
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut db = Connection::open_with_flags(path, flags)?;
        db.busy_timeout(BUSY)?;
        // before anything is changed: the file may be another program's, or a newer one's, whose log is left as it is as well
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        let kind = schema::look(&db)?;
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
        db.pragma_update(None, "page_size", PAGE)?;
        db.pragma_update(None, "auto_vacuum", "incremental")?;
        db.pragma_update(None, "journal_mode", "wal")?;
        // what was said to be written outlives a loss of power: that is what this is about
        db.pragma_update(None, "synchronous", "full")?;
        db.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        db.pragma_update(None, "journal_size_limit", LOG_LIMIT)?;
        // in KiB
        db.pragma_update(None, "cache_size", -512)?;
        db.pragma_update(None, "trusted_schema", false)?;
        schema::bring_up_to_date(&mut db)?;
        if kind.has_larger_pages() {
            // where that fails, no more than this is lost: that it writes less
            let _ = make_pages_smaller(&db);
            db.pragma_update(None, "journal_mode", "wal")?;
        }
        db.pragma_update(None, "temp_store", "memory")?;
        // those of an older program's file may have stayed as they were
        let page: u64 = db.pragma_query_value(None, "page_size", |row| row.get(0))?;
        let size = size_mib.saturating_mul(1024 * 1024);
        let bounds = Bounds {
            page,
            pages: size.saturating_sub(FOR_THE_LOG).max(FOR_THE_LOG) / page.max(512),
            events: size / BYTES_OF_AN_EVENT,
            outages: size / BYTES_OF_AN_OUTAGE,
        };
        db.pragma_update(None, "max_page_count", i64::try_from(bounds.pages).unwrap_or(i64::MAX))?;
        Ok(HistoryFile { db, ids: HashMap::new(), bounds })
    }

    /// The outages that were not over when they were written last: UPS, outage, and when it was seen last.
    ///
    /// # Errors
    /// [`HistoryTrouble`].
    pub fn open_outages(&self) -> Result<Vec<(String, Outage, i64)>, HistoryTrouble> {
        crate::reader::open_outages(&self.db)
    }

    /// The energy that was counted, of each UPS: by the power that it says, and by what was computed; in watt-hours.
    ///
    /// # Errors
    /// [`HistoryTrouble`].
    pub fn energy(&self) -> Result<Vec<(String, Provenance, f64)>, HistoryTrouble> {
        crate::reader::energy_of_all(&self.db)
    }

    /// Writes a batch, all or nothing. `token` is a number that no other batch has: where it is that of the batch that
    /// was written last, nothing changes, for a disk that failed may have taken it all the same. After an error the file has to be opened again.
    ///
    /// # Errors
    /// [`HistoryTrouble`].
    pub fn write(&mut self, token: i64, batch: &HistoryBatch) -> Result<(), HistoryTrouble> {
        let HistoryFile { db, ids, bounds } = self;
        let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut tables = Tables { db: &transaction, ids };
        let pending = tables.pending(batch)?;
        if pending.are_written(&transaction, token)? {
            return Ok(());
        }
        rings::prune(&transaction, bounds.pages)?;
        if !batch.rows.is_empty() {
            rings::roll_up(&transaction, batch.at_ms, bounds.pages * bounds.page / 8)?;
        }
        tables.write(batch)?;
        pending.write(&transaction, token, batch.at_ms)?;
        if !batch.events.is_empty() {
            forget(&transaction, "event", bounds.events)?;
        }
        if !batch.outages.is_empty() {
            forget(&transaction, "outage", bounds.outages)?;
        }
        transaction.commit()?;
        if !batch.rows.is_empty() {
            self.give_back()?;
        }
        Ok(())
    }

    /// Gives pages back to the system where the file is longer than it may be.
    fn give_back(&self) -> Result<(), HistoryTrouble> {
        let pages: u64 = self.db.pragma_query_value(None, "page_count", |row| row.get(0))?;
        let more = pages.saturating_sub(self.bounds.pages).min(256);
        if more > 0 {
            let mut vacuum = self.db.prepare(&format!("PRAGMA incremental_vacuum({more})"))?;
            let mut rows = vacuum.query([])?;
            while rows.next()?.is_some() {}
        }
        Ok(())
    }

    /// Takes the log into the file, at the end.
    ///
    /// # Errors
    /// [`HistoryTrouble`].
    pub fn checkpoint(&self) -> Result<(), HistoryTrouble> {
        Ok(self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    }
}

/// Writes a file anew with pages of this program. It needs as much room again, once.
fn make_pages_smaller(db: &Connection) -> Result<(), HistoryTrouble> {
    db.pragma_update(None, "journal_mode", "delete")?;
    db.pragma_update(None, "page_size", PAGE)?;
    Ok(db.execute_batch("VACUUM")?)
}

/// Keeps the last so many rows of a table.
fn forget(db: &Transaction<'_>, table: &str, most: u64) -> Result<(), HistoryTrouble> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let delete = format!("DELETE FROM {table} WHERE id <= (SELECT max(id) FROM {table}) - ?1");
    db.prepare_cached(&delete)?.execute([most])?;
    Ok(())
}

/// The tables, within a transaction.
struct Tables<'t> {
    db: &'t Transaction<'t>,
    ids: &'t mut HashMap<String, i64>,
}

impl Tables<'_> {
    /// What of a batch waits for the rings.
    fn pending(&mut self, batch: &HistoryBatch) -> Result<PendingRows, HistoryTrouble> {
        let mut pending = PendingRows::new(batch.at_ms);
        for row in &batch.rows {
            pending.add_samples(self.id(&row.ups)?, row.minute, &row.data);
        }
        for (ups, whose, wh) in &batch.energy {
            pending.add_energy(self.id(ups)?, *whose, *wh);
        }
        Ok(pending)
    }

    fn write(&mut self, batch: &HistoryBatch) -> Result<(), HistoryTrouble> {
        for event in &batch.events {
            let ups = event.ups.as_deref().map(|ups| self.id(ups)).transpose()?;
            let mut insert = self
                .db
                .prepare_cached("INSERT INTO event (at_ms, ups, kind, text) VALUES (?1, ?2, ?3, ?4)")?;
            insert.execute(params![event.at_ms, ups, event.kind as u8, event.text])?;
        }
        for (ups, outage, last_ms) in &batch.outages {
            let ups = self.id(ups)?;
            self.outage(ups, outage, *last_ms)?;
        }
        Ok(())
    }

    fn outage(&mut self, ups: i64, outage: &Outage, last_ms: i64) -> Result<(), HistoryTrouble> {
        // one before it that was never seen to end is over
        let mut close = self.db.prepare_cached(
            "UPDATE outage SET end_ms = last_ms, flags = flags & ~2 WHERE ups = ?1 AND end_ms IS NULL AND begin_ms <> ?2",
        )?;
        close.execute(params![ups, outage.begin_ms])?;
        let mut put = self.db.prepare_cached(
            "INSERT INTO outage (ups, begin_ms, end_ms, last_ms, length_ms, flags, charge, charge_computed, voltage, load,
                                 energy_wh, energy_computed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
             ON CONFLICT (ups, begin_ms) DO UPDATE SET end_ms = excluded.end_ms, last_ms = excluded.last_ms,
                 length_ms = excluded.length_ms, flags = excluded.flags, charge = excluded.charge,
                 charge_computed = excluded.charge_computed, voltage = excluded.voltage, load = excluded.load,
                 energy_wh = excluded.energy_wh, energy_computed = excluded.energy_computed",
        )?;
        let computed = |whose: Provenance| whose == Provenance::Computed;
        put.execute(params![
            ups,
            outage.begin_ms,
            outage.end_ms,
            last_ms,
            i64::try_from(outage.length.as_millis()).unwrap_or(i64::MAX),
            flags(outage),
            outage.lowest_charge.map(|(charge, _)| charge),
            outage.lowest_charge.map(|(_, whose)| computed(whose)),
            outage.lowest_voltage.map(|(volts, _)| volts),
            outage.mean_load.map(|(load, _)| load),
            outage.energy_wh.map(|(wh, _)| wh),
            outage.energy_wh.map(|(_, whose)| computed(whose)),
        ])?;
        Ok(())
    }

    /// The number of a UPS, which is new perhaps.
    fn id(&mut self, name: &str) -> Result<i64, HistoryTrouble> {
        if let Some(id) = self.ids.get(name) {
            return Ok(*id);
        }
        let mut find = self.db.prepare_cached("SELECT id FROM ups WHERE name = ?1")?;
        let known = find.query_row([name], |row| row.get(0)).optional()?;
        let id = match known {
            Some(id) => id,
            None => {
                self.db.prepare_cached("INSERT INTO ups (name) VALUES (?1)")?.execute([name])?;
                self.db.last_insert_rowid()
            }
        };
        self.ids.insert(name.into(), id);
        Ok(id)
    }
}

/// What of an outage is yes or no. Former programs know the first four.
fn flags(outage: &Outage) -> u8 {
    let computed =
        |value: Option<(f64, Provenance)>| value.is_some_and(|(_, whose)| whose == Provenance::Computed);
    let flags = [
        outage.begin_seen,
        outage.end_seen,
        outage.test,
        outage.low_battery,
        computed(outage.lowest_voltage),
        computed(outage.mean_load),
    ];
    flags.into_iter().enumerate().map(|(at, is_so)| u8::from(is_so) << at).sum()
}
