//! What is in no ring yet: each batch is one row for up to 128 UPSes, all of it packed, so that a commit touches as few
//! pages as can be. Energy stands there as well.

use crate::quantity::Provenance;
use crate::trouble::HistoryTrouble;
use crate::varint::{CutShort, folded, put, take, unfolded};
use rusqlite::{OptionalExtension, Transaction, params};
use std::collections::BTreeMap;

/// So many UPSes share a row, and go into the rings together.
const GROUP: i64 = 128;
/// Energy is kept in millionths of a watt-hour.
const PARTS: f64 = 1e6;

/// What the lowest two bits of an entry's first number say.
const SAMPLES: u64 = 0;
const SAID: u64 = 1;
const COMPUTED: u64 = 2;

/// An entry of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum PendingEntry<'d> {
    /// A minute's samples: minutes since 1970, and the bytes of a [`crate::SampleBlock`].
    Samples(i64, &'d [u8]),
    /// Watt-hours.
    Energy(Provenance, f64),
}

/// Between which keys the rows lie that have this UPS.
pub(crate) fn keys_of(ups: i64) -> [i64; 2] {
    let group = ups / GROUP;
    [group << 40, ((group + 1) << 40) - 1]
}

/// The minute that counts for a row as that of its batch, which was made when it was over.
pub(crate) fn minute_of(at_ms: i64) -> i64 {
    at_ms.div_euclid(60_000)
}

/// The entries of a row, with their UPSes, up to what cannot be read.
pub(crate) fn entries(at_ms: i64, mut data: &[u8]) -> impl Iterator<Item = (i64, PendingEntry<'_>)> {
    std::iter::from_fn(move || match data.is_empty() {
        true => None,
        false => entry(minute_of(at_ms), &mut data).ok(),
    })
}

fn entry<'d>(minute: i64, data: &mut &'d [u8]) -> Result<(i64, PendingEntry<'d>), CutShort> {
    let head = take(data)?;
    let ups = i64::try_from(head >> 2).map_err(|_| CutShort)?;
    let entry = match head & 3 {
        SAMPLES => {
            let minute = minute.saturating_add(unfolded(take(data)?));
            let length = usize::try_from(take(data)?).map_err(|_| CutShort)?;
            let (block, rest) = data.split_at_checked(length).ok_or(CutShort)?;
            *data = rest;
            PendingEntry::Samples(minute, block)
        }
        #[allow(clippy::cast_precision_loss)]
        SAID => PendingEntry::Energy(Provenance::Said, take(data)? as f64 / PARTS),
        #[allow(clippy::cast_precision_loss)]
        COMPUTED => PendingEntry::Energy(Provenance::Computed, take(data)? as f64 / PARTS),
        _ => return Err(CutShort),
    };
    Ok((ups, entry))
}

/// Rows of one batch, as they are made.
#[derive(Debug, Default)]
pub(super) struct PendingRows {
    minute: i64,
    groups: BTreeMap<i64, Vec<u8>>,
}

impl PendingRows {
    pub fn new(at_ms: i64) -> PendingRows {
        PendingRows { minute: minute_of(at_ms), groups: BTreeMap::new() }
    }

    fn of(&mut self, ups: i64, kind: u64) -> &mut Vec<u8> {
        let row = self.groups.entry(ups / GROUP).or_default();
        put(row, ups.unsigned_abs() << 2 | kind);
        row
    }

    pub fn add_samples(&mut self, ups: i64, minute: i64, block: &[u8]) {
        let from = self.minute;
        let row = self.of(ups, SAMPLES);
        put(row, folded(minute.saturating_sub(from)));
        put(row, block.len() as u64);
        row.extend(block);
    }

    /// Energy that is no number, or less than nothing, is not added.
    pub fn add_energy(&mut self, ups: i64, whose: Provenance, wh: f64) {
        let parts = (wh * PARTS).round();
        if parts > 0.0 && parts.is_finite() {
            let kind = if whose == Provenance::Said { SAID } else { COMPUTED };
            // beyond any load it is cut
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            put(self.of(ups, kind), parts as u64);
        }
    }

    /// The group of the first row, in which a batch is looked for that was written already.
    fn first(&self) -> i64 {
        self.groups.first_key_value().map_or(0, |(group, _)| *group)
    }

    /// Whether it was written last.
    pub fn are_written(&self, db: &Transaction<'_>, token: i64) -> Result<bool, HistoryTrouble> {
        let mut find = db.prepare_cached(
            "SELECT token FROM pending WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT 1",
        )?;
        let last: Option<i64> = find.query_row(keys_of(self.first() * GROUP), |row| row.get(0)).optional()?;
        Ok(last == Some(token))
    }

    /// Writes them. A batch without any leaves its token in the last row of the first group.
    pub fn write(self, db: &Transaction<'_>, token: i64, at_ms: i64) -> Result<(), HistoryTrouble> {
        let first = self.first();
        if self.groups.is_empty() {
            let mut mark = db.prepare_cached(
                "UPDATE pending SET token = ?1
                 WHERE id = (SELECT max(id) FROM pending WHERE id BETWEEN ?2 AND ?3)",
            )?;
            let [least, most] = keys_of(0);
            if mark.execute([token, least, most])? > 0 {
                return Ok(());
            }
        }
        let empty = self.groups.is_empty().then(|| (first, vec![]));
        let mut insert = db.prepare_cached(
            "INSERT INTO pending (id, token, at_ms, data)
             SELECT coalesce(max(id), ?1) + 1, ?3, ?4, ?5 FROM pending WHERE id BETWEEN ?1 AND ?2",
        )?;
        for (group, data) in self.groups.into_iter().chain(empty) {
            let [least, most] = keys_of(group * GROUP);
            insert.execute(params![least, most, token, at_ms, data])?;
        }
        Ok(())
    }
}
