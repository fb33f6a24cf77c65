//! Gleaning: what a reply still says, field by field, where noise spoilt some of it.
//!
//! One lost byte spoils a reply, but not all of its fields: each stands between marks that the picture
//! draws. It is read where it has its width and its marks, a few places from where it is drawn.

use crate::picture::{Slot, Slots};
use crate::query::{Field, Meaning, Query};
use crate::read::{Form, Readings};

/// Noise moves fields by so many places at most, from one to the next. (By one more than its width a
/// field would stand where its neighbour is drawn.)
const MOVED: usize = 3;

/// Fields between two marks.
struct Run<'a> {
    slots: &'a [Slot],
    fields: &'a [Field],
    /// What stands before it and behind it; nothing at the ends of a reply.
    marks: [Option<u8>; 2],
}

impl Query {
    /// What each field of a reply says by itself, `None` where it cannot be read. A form that was not
    /// drawn is read as one if it is `known`. Where less than three fifths of the fields stand, so
    /// much is garbled that what stands may be wrong as well: then nothing is said.
    pub fn glean(&self, reply: &[u8], known: impl Fn(&Form) -> bool) -> Vec<Option<Readings>> {
        let nothing = || vec![None; self.fields.len()];
        let (packed_right, plain) = match self.armour {
            None => (true, Some(reply.to_vec())),
            Some(armour) => match (armour.unpack_reply)(reply) {
                Some(plain) => (true, Some(plain)),
                None => (false, (armour.bare_reply)(reply)),
            },
        };
        let Some(plain) = plain else { return nothing() };
        if packed_right
            && let Ok((pieces, fit)) = self.lay(&plain)
            && fit.odd.as_ref().is_none_or(known)
        {
            return pieces.iter().map(|(field, at)| field.alone(&plain[at.clone()], true)).collect();
        }
        let said = self.glean_runs(&plain);
        let standing = said.iter().flatten().count();
        if 5 * standing >= 3 * said.len() { said } else { nothing() }
    }

    /// Whether a checksum vouches for a reply.
    pub fn vouches(&self, reply: &[u8]) -> bool {
        self.armour.is_some_and(|armour| armour.checks && (armour.unpack_reply)(reply).is_some())
    }

    fn glean_runs(&self, reply: &[u8]) -> Vec<Option<Readings>> {
        let slots: Vec<Slot> = Slots::of(self.picture).collect();
        let (mut said, mut at, mut before) = (vec![], 0, None);
        let mut rest = slots.as_slice();
        while let Some(slot) = rest.first() {
            let length = rest.iter().take_while(|slot| mark(slot).is_none()).count();
            if length == 0 {
                (before, at, rest) = (mark(slot), at + 1, &rest[1..]);
                continue;
            }
            let (slots, behind) = rest.split_at(length);
            let fields = &self.fields[said.len()..said.len() + length];
            let run = Run { slots, fields, marks: [before, behind.first().and_then(mark)] };
            let found = run.find(reply, at);
            match found {
                Some(at) => said.extend(run.read(reply, at)),
                None => said.extend(vec![None; length]),
            }
            (at, rest) = (found.unwrap_or(at) + run.width(), behind);
        }
        said
    }
}

impl Run<'_> {
    fn width(&self) -> usize {
        self.slots.iter().map(|slot| slot.width()).sum()
    }

    /// Where it stands in a reply, near `expected`.
    fn find(&self, reply: &[u8], expected: usize) -> Option<usize> {
        let width = self.width();
        let [before, behind] = self.marks;
        let begins = |at: usize| match before {
            Some(mark) => at > 0 && reply.get(at - 1) == Some(&mark),
            None => at == 0,
        };
        let ends = |at: usize| match self.slots {
            [Slot::Rest { .. }] => at <= reply.len(),
            // in what goes on behind it a byte too many or too few does not show
            [.., Slot::Rest { .. }] => false,
            _ => reply.get(at + width) == behind.as_ref() && at + width <= reply.len(),
        };
        let reach = MOVED.min(width);
        let near = (0..=reach).flat_map(|by| [expected.checked_sub(by), Some(expected + by)]);
        near.flatten().find(|at| begins(*at) && ends(*at))
    }

    fn read(&self, reply: &[u8], mut at: usize) -> Vec<Option<Readings>> {
        let pieces = self.slots.iter().zip(self.fields).map(|(slot, field)| {
            let end = if matches!(slot, Slot::Rest { .. }) { reply.len() } else { at + slot.width() };
            let piece = &reply[at..end];
            at = end;
            field.alone(piece, false)
        });
        pieces.collect()
    }
}

fn mark(slot: &Slot) -> Option<u8> {
    match slot {
        Slot::Literal(byte) => Some(*byte),
        _ => None,
    }
}

impl Field {
    /// What it says by itself; `lenient` takes a field without its number for one that is not known.
    fn alone(&self, piece: &[u8], lenient: bool) -> Option<Readings> {
        let mut says = Readings::default();
        let unread = says.take(self, piece, &(0..piece.len())).ok()?;
        let legible =
            !matches!(self.meaning, Meaning::Text(_)) || piece.iter().all(|byte| (0x20..0x7f).contains(byte));
        (lenient || unread.is_none() && legible).then_some(says)
    }
}
