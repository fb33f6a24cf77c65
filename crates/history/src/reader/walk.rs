//! The rows of one UPS in a ring, in which those of all UPSes lie in the order of time.

use crate::file::{UPS_BITS, key_of, time_and_ups};
use crate::tier::Tier;
use crate::trouble::HistoryTrouble;
use rusqlite::{CachedStatement, Connection, OptionalExtension};

/// Goes from row to row of one UPS, over those of the others.
pub(super) struct RingWalk<'d> {
    find: CachedStatement<'d>,
    read: CachedStatement<'d>,
    ups: i64,
    /// The next row has this key, or one behind it.
    next: i64,
    /// A minute, by which it goes on.
    step: i64,
}

impl RingWalk<'_> {
    /// From this second since 1970 on.
    pub fn from(db: &Connection, tier: Tier, ups: i64, at_s: i64) -> Result<RingWalk<'_>, HistoryTrouble> {
        RingWalk::new(db, tier, ups, key_of(at_s, ups), 1)
    }

    /// From the newest row back.
    pub fn back(db: &Connection, tier: Tier, ups: i64) -> Result<RingWalk<'_>, HistoryTrouble> {
        RingWalk::new(db, tier, ups, key_of(i64::MAX, ups), -1)
    }

    fn new(
        db: &Connection,
        tier: Tier,
        ups: i64,
        next: i64,
        step: i64,
    ) -> Result<RingWalk<'_>, HistoryTrouble> {
        let table = tier.table();
        // no row has a UPS of a number that finds no place in a key
        let next = if (0..1 << UPS_BITS).contains(&ups) { next } else { i64::MAX.wrapping_mul(step) };
        let (order, way) = if step > 0 { (">=", "") } else { ("<=", "DESC") };
        let find = format!("SELECT key FROM {table} WHERE key {order} ?1 ORDER BY key {way} LIMIT 1");
        let read = format!("SELECT data FROM {table} WHERE key = ?1");
        Ok(RingWalk { find: db.prepare_cached(&find)?, read: db.prepare_cached(&read)?, ups, next, step })
    }

    /// When the next row begins, in seconds since 1970; none behind the last.
    pub fn next(&mut self) -> Result<Option<i64>, HistoryTrouble> {
        while let Some(key) = self.find.query_row([self.next], |row| row.get::<_, i64>(0)).optional()? {
            let (begin_s, ups) = time_and_ups(key);
            // another UPS's of this time: ours stands before it, if it is there at all
            let is_past = (ups - self.ups).signum() != -self.step;
            let minute = (key >> UPS_BITS) + if is_past { self.step } else { 0 };
            self.next = minute << UPS_BITS | self.ups;
            if ups == self.ups {
                return Ok(Some(begin_s));
            }
        }
        Ok(None)
    }

    /// The bytes of the row that begins then.
    pub fn data(&mut self, begin_s: i64) -> Result<Vec<u8>, HistoryTrouble> {
        Ok(self.read.query_row([key_of(begin_s, self.ups)], |row| row.get(0)).optional()?.unwrap_or_default())
    }
}
