//! The tables of a history, and how a file of an older program becomes one of this program.

use crate::file;
use crate::trouble::HistoryTrouble;
use rusqlite::Connection;

/// By this a file is known as a history (`PRAGMA application_id`): "qxup".
const APPLICATION: i64 = 0x7178_7570;

/// What makes of a file of one version one of the next. A step that was published never changes.
const STEPS: &[&str] = &[
    "CREATE TABLE ups (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE COLLATE NOCASE);
     -- minutes that are in no ring yet
     CREATE TABLE journal (id INTEGER PRIMARY KEY, minute INTEGER NOT NULL, ups INTEGER NOT NULL, data BLOB NOT NULL);
     -- the rings: see key_of
     CREATE TABLE block (key INTEGER PRIMARY KEY, data BLOB NOT NULL);
     CREATE TABLE ring (tier INTEGER PRIMARY KEY, bytes INTEGER NOT NULL);
     CREATE TABLE event (id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, ups INTEGER, kind INTEGER NOT NULL,
                         text TEXT NOT NULL);
     -- the number of the batch that was written last
     CREATE TABLE written (id INTEGER PRIMARY KEY CHECK (id = 0), batch INTEGER NOT NULL);
     INSERT INTO written VALUES (0, 0);",
    "CREATE TABLE outage (id INTEGER PRIMARY KEY, ups INTEGER NOT NULL, begin_ms INTEGER NOT NULL, end_ms INTEGER,
                          last_ms INTEGER NOT NULL, length_ms INTEGER NOT NULL, flags INTEGER NOT NULL,
                          charge REAL, charge_computed INTEGER, voltage REAL, load REAL,
                          energy_wh REAL, energy_computed INTEGER, UNIQUE (ups, begin_ms));
     CREATE TABLE energy (ups INTEGER NOT NULL, computed INTEGER NOT NULL, wh REAL NOT NULL, since_ms INTEGER NOT NULL,
                          PRIMARY KEY (ups, computed)) WITHOUT ROWID;",
    "-- what is in no ring yet: see file/pending.rs
     CREATE TABLE pending (id INTEGER PRIMARY KEY, token INTEGER NOT NULL, at_ms INTEGER NOT NULL, data BLOB NOT NULL);
     -- the rings: see file/rings.rs
     CREATE TABLE ring_seconds (key INTEGER PRIMARY KEY, data BLOB NOT NULL);
     CREATE TABLE ring_minutes (key INTEGER PRIMARY KEY, data BLOB NOT NULL);
     CREATE TABLE ring_ten_minutes (key INTEGER PRIMARY KEY, data BLOB NOT NULL);
     CREATE TABLE ring_hours (key INTEGER PRIMARY KEY, data BLOB NOT NULL);
     DELETE FROM ring;
     INSERT INTO ring SELECT key >> 32 & 15, sum(length(data)) FROM block GROUP BY 1;
     INSERT INTO ring_seconds SELECT (key & 0xffffffff) << 20 | (key >> 36), data FROM block WHERE key >> 32 & 15 = 0
         ORDER BY 1;
     DELETE FROM block WHERE key >> 32 & 15 = 0;
     INSERT INTO ring_minutes SELECT (key & 0xffffffff) << 20 | (key >> 36), data FROM block WHERE key >> 32 & 15 = 1
         ORDER BY 1;
     DELETE FROM block WHERE key >> 32 & 15 = 1;
     INSERT INTO ring_ten_minutes SELECT (key & 0xffffffff) << 20 | (key >> 36), data FROM block WHERE key >> 32 & 15 = 2
         ORDER BY 1;
     DELETE FROM block WHERE key >> 32 & 15 = 2;
     INSERT INTO ring_hours SELECT (key & 0xffffffff) << 20 | (key >> 36), data FROM block WHERE key >> 32 & 15 = 3
         ORDER BY 1;
     DROP TABLE block;
     DROP TABLE written;",
];

/// The first version without a journal of single minutes.
const PENDING: i64 = 3;

/// The version that this program writes.
pub(crate) const VERSION: i64 = STEPS.len() as i64;

/// What a file is.
pub(crate) enum FileKind {
    /// Empty.
    New,
    /// A history of this version, no newer than this program's.
    Version(i64),
}

impl FileKind {
    /// Up to version 2 pages had 4096 bytes.
    pub fn has_larger_pages(&self) -> bool {
        matches!(self, FileKind::Version(version) if *version < PENDING)
    }
}

/// Looks what a file is.
pub(crate) fn look(db: &Connection) -> Result<FileKind, HistoryTrouble> {
    let number = |name: &str| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let (application, version) = (number("application_id")?, number("user_version")?);
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))?;
    match (application, tables) {
        (0, 0) => Ok(FileKind::New),
        (APPLICATION, _) if version > VERSION => Err(HistoryTrouble::Newer(version, VERSION)),
        (APPLICATION, _) => Ok(FileKind::Version(version)),
        _ => Err(HistoryTrouble::Foreign),
    }
}

/// Makes the file one of this version, all or nothing.
pub(crate) fn bring_up_to_date(db: &mut Connection) -> Result<(), HistoryTrouble> {
    let from = match look(db)? {
        FileKind::New => 0,
        FileKind::Version(VERSION) => return Ok(()),
        FileKind::Version(version) => version,
    };
    step(db, from, VERSION)
}

fn step(db: &mut Connection, from: i64, to: i64) -> Result<(), HistoryTrouble> {
    let transaction = db.transaction()?;
    for (number, step) in (0..).zip(STEPS) {
        if (from..to).contains(&number) {
            transaction.execute_batch(step)?;
        }
        if number + 1 == PENDING && (from..to).contains(&number) {
            file::take_journal(&transaction)?;
        }
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", to)?;
    Ok(transaction.commit()?)
}

/// A file as an older program made it, for tests.
#[doc(hidden)]
pub fn make_version(path: &std::path::Path, version: i64) -> Result<(), HistoryTrouble> {
    let mut db = Connection::open(path)?;
    step(&mut db, 0, version.min(VERSION))?;
    db.pragma_update(None, "user_version", version)?;
    Ok(())
}
