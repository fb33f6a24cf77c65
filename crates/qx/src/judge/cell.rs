//! Cells: the parts of a reply that are judged by themselves, and what a reply says of each of them.
//!
//! A cell is a field of the picture, or one bit of a field of bits, or one letter of a field of letters. A
//! reply that is garbled, or drawn oddly, still says the cells that can be read: each field stands between
//! marks that the picture draws, and is read where it has its width and its marks, a few places from where it
//! is drawn.

use crate::vocabulary::status::Status;
use crate::wire::picture::{Slot, Slots};
use crate::wire::query::{Bit, Code, Effect, Field, Layout, Meaning, Query};
use crate::wire::read::{Form, is_babble};
use crate::wire::readings::Readings;

/// Noise moves fields by so many places at most, from one to the next. (By one more than its width a
/// field would stand where its neighbour is drawn.)
const MOVED: usize = 3;
/// Where less of the fields stand than this, so much is garbled that what stands may be wrong as well.
const STANDING: (usize, usize) = (3, 5);

/// The words that make hosts halt.
pub const GRAVE: [Status; 3] = [Status::LowBattery, Status::ForcedShutdown, Status::Off];

/// How a cell is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellKind {
    /// It says whether mains is there.
    Mains,
    /// It raises another status word, an alarm, or says a word for a variable by a bit.
    Word,
    /// A number, a text, or something of both.
    Value,
}

/// Which part of its field it is.
#[derive(Clone, Copy, Debug)]
enum FieldPart {
    Whole,
    Bit(usize, &'static Bit),
    Letter(&'static Code),
}

/// A part of a reply that is judged by itself.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    field: usize,
    part: FieldPart,
    /// How it is judged.
    pub kind: CellKind,
    /// It raises a status word or an alarm.
    pub raises: bool,
    /// It raises a word that makes hosts halt.
    pub grave: bool,
}

/// A byte that is no bit, where one was drawn: its field, its place there, and itself.
pub type Strange = (usize, usize, u8);

/// What a reply says.
#[derive(Clone, Debug, Default)]
pub struct Claims {
    /// What stands where bits are drawn in a reply that was cut, and is none; nothing where bits were not found.
    pub strange: Option<Vec<Strange>>,
    /// What it says of each cell, `None` where it cannot be read; empty where it says what is taken.
    pub said: Vec<Option<Readings>>,
    /// It has the bytes of the reply before it, and says what is taken of each cell.
    pub as_taken: bool,
    /// Its form, when it can be read as a whole and has not the drawn one.
    pub odd: Option<Form>,
    /// It could be read as a whole, in the drawn form or in one that is known.
    pub whole: bool,
    /// A checksum vouches for it.
    pub vouched: bool,
    /// It ends in another number of bits than all before it, so those are not read.
    pub doubted: bool,
}

impl Claims {
    /// Whether any cell could be read.
    pub fn says_anything(&self) -> bool {
        self.as_taken || self.said.iter().any(Option::is_some)
    }
}

impl Query {
    /// The cells of its replies, in the order of the picture.
    pub fn cells(&self) -> Vec<Cell> {
        let slots = Slots::of(self.picture).filter(|slot| mark(slot).is_none());
        let rows = self.fields.iter().zip(slots).enumerate();
        rows.flat_map(|(at, (field, slot))| field.cells(at, &slot)).collect()
    }

    /// What a reply says of each of `cells`, which are the query's own. A form that was not drawn counts when
    /// it is `known`. On a noisy line the bits of a garbled reply count when all of them can be read, but for those
    /// that are `usual` there; on any other there is no `usual`.
    pub fn claims(
        &self,
        cells: &[Cell],
        reply: &[u8],
        usual: Option<&[Strange]>,
        known: impl Fn(&Form) -> bool,
    ) -> Claims {
        let (packed_right, plain) = match self.codec {
            _ if is_babble(reply).is_some() => (false, None),
            None => (true, Some(reply.to_vec())),
            Some(codec) => match (codec.unpack_reply)(reply) {
                Some(plain) => (true, Some(plain)),
                None => (false, (codec.bare_reply)(reply)),
            },
        };
        let vouched = packed_right && self.codec.is_some_and(|codec| codec.checks);
        // tabs for blanks change nothing of what stands between them
        let plain =
            plain.map(|plain| if self.layout == Layout::Words { blanks_for_tabs(plain) } else { plain });
        let Some(mut plain) = plain else {
            return Claims { said: vec![None; cells.len()], ..Claims::default() };
        };
        let mut laid = if packed_right { self.lay(&plain).ok() } else { None };
        if packed_right && laid.is_none() {
            if let Some((joined, pieces, fit)) = self.lay_groups(&plain) {
                (plain, laid) = (joined, Some((pieces, fit)));
            }
        }
        let odd = laid.as_ref().and_then(|(_, fit)| fit.odd.clone());
        if let Some((pieces, _)) = laid.filter(|_| vouched || odd.as_ref().is_none_or(known)) {
            let piece = |cell: &Cell| {
                let (field, at) = pieces.get(cell.field)?;
                cell.says(field, &plain[at.clone()], true)
            };
            let said = cells.iter().map(piece).collect();
            return Claims { said, odd, whole: true, vouched, ..Claims::default() };
        }
        let found = self.find_fields(&plain);
        let standing = found.iter().filter(|place| place.is_some()).count();
        let pieces = found.iter().enumerate().filter_map(|(at, place)| Some((at, place.clone()?)));
        let strange: Vec<Strange> =
            pieces.flat_map(|(at, place)| self.fields[at].strange(at, &plain[place])).collect();
        let is_legible = |at: usize| {
            usual.is_none_or(|usual| strange.iter().all(|byte| byte.0 != at || usual.contains(byte)))
        };
        let piece = |cell: &Cell| {
            let field = &self.fields[cell.field];
            let piece = &plain[found.get(cell.field)?.clone()?];
            cell.says(field, piece, false).filter(|_| is_legible(cell.field))
        };
        let enough = STANDING.1 * standing >= STANDING.0 * found.len();
        let said = cells.iter().map(|cell| if enough { piece(cell) } else { None }).collect();
        let has_bits = |(field, place): (&Field, &Option<_>)| field.raises() && place.is_some();
        let strange = self.fields.iter().zip(&found).any(has_bits).then_some(strange);
        Claims { strange, said, odd, ..Claims::default() }
    }

    /// Where each field stands in a reply that is not of the drawn form.
    fn find_fields(&self, reply: &[u8]) -> Vec<Option<std::ops::Range<usize>>> {
        let slots: Vec<Slot> = Slots::of(self.picture).collect();
        let (mut found, mut at, mut before) = (vec![], 0, None);
        let mut rest = slots.as_slice();
        while let Some(slot) = rest.first() {
            let length = rest.iter().take_while(|slot| mark(slot).is_none()).count();
            if length == 0 {
                (before, at, rest) = (mark(slot), at + 1, &rest[1..]);
                continue;
            }
            let (slots, behind) = rest.split_at(length);
            let run = Run { slots, marks: [before, behind.first().and_then(mark)] };
            let place = run.find(reply, at);
            let mut begin = place.unwrap_or_default();
            for slot in slots {
                let end = if matches!(slot, Slot::Rest { .. }) { reply.len() } else { begin + slot.width() };
                found.push(place.map(|_| begin..end));
                begin = end;
            }
            (at, rest) = (place.unwrap_or(at) + run.width(), behind);
        }
        found
    }
}

fn blanks_for_tabs(mut reply: Vec<u8>) -> Vec<u8> {
    reply.iter_mut().filter(|byte| **byte == b'\t').for_each(|byte| *byte = b' ');
    reply
}

/// Fields between two marks.
struct Run<'a> {
    slots: &'a [Slot],
    /// What stands before it and behind it; nothing at the ends of a reply.
    marks: [Option<u8>; 2],
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
}

fn mark(slot: &Slot) -> Option<u8> {
    match slot {
        Slot::Literal(byte) => Some(*byte),
        _ => None,
    }
}

impl Field {
    /// What of its bits, if it has any, cannot be read.
    fn strange(&self, at: usize, piece: &[u8]) -> Vec<Strange> {
        let Meaning::Bits(rows) = self.meaning else { return vec![] };
        let bytes = rows.iter().zip(piece).enumerate();
        bytes
            .filter(|(_, (row, byte))| row.effect(**byte).is_none())
            .map(|(n, (_, byte))| (at, n, *byte))
            .collect()
    }

    fn cells(&self, field: usize, slot: &Slot) -> Vec<Cell> {
        let cell = |part, effects: &[Effect]| {
            let parts = || effects.iter().flat_map(|effect| effect.parts());
            let says_mains = parts().any(|part| part.speaks_of(Status::Online));
            let raises = parts().any(|part| part.raises());
            let grave = parts().any(|part| GRAVE.iter().any(|word| part.speaks_of(*word)));
            Cell {
                field,
                part,
                kind: if says_mains { CellKind::Mains } else { CellKind::Word },
                raises,
                grave,
            }
        };
        let says_something =
            |effects: &[Effect]| !effects.iter().all(|effect| matches!(effect, Effect::Nothing));
        match (self.meaning, slot) {
            (Meaning::Unknown, _) => vec![],
            (Meaning::Bits(rows), _) => {
                let rows = rows.iter().enumerate().filter(|(_, row)| says_something(&[row.one, row.zero]));
                rows.map(|(n, row)| cell(FieldPart::Bit(n, row), &[row.one, row.zero])).collect()
            }
            (Meaning::Codes(rows), Slot::Rest { .. }) => {
                let rows = rows.iter().filter(|row| says_something(&[row.effect]));
                rows.map(|row| cell(FieldPart::Letter(row), &[row.effect])).collect()
            }
            (Meaning::Codes(rows), _) => {
                let effects: Vec<_> = rows.iter().map(|row| row.effect).collect();
                vec![cell(FieldPart::Whole, &effects)]
            }
            _ => vec![Cell {
                field,
                part: FieldPart::Whole,
                kind: CellKind::Value,
                raises: false,
                grave: false,
            }],
        }
    }
}

impl Cell {
    /// Which field of the reply it is of.
    pub fn field(&self) -> usize {
        self.field
    }

    /// Whether it is of the last field of replies to `query`.
    pub fn is_at_the_end(&self, query: &Query) -> bool {
        self.field + 1 == query.fields.len()
    }

    /// Its name, for the log: the variable, or what the bit or letter says.
    pub fn name(&self, query: &Query) -> &'static str {
        match self.part {
            FieldPart::Bit(_, row) => row.about,
            FieldPart::Letter(row) => row.code,
            FieldPart::Whole => {
                let field = query.fields.get(self.field);
                field.and_then(|field| field.vars().first().map(|var| var.name)).unwrap_or("ups.status")
            }
        }
    }

    /// What a piece of a reply says of it; `lenient` takes a field without its number for one that is not
    /// known.
    fn says(&self, field: &Field, piece: &[u8], lenient: bool) -> Option<Readings> {
        let mut says = Readings::default();
        match (self.part, field.meaning) {
            (FieldPart::Bit(n, row), meaning) => {
                let Meaning::Bits(rows) = meaning else { return None };
                // a blank in place of a bit: those before it may have moved
                if piece.iter().take(rows.len()).any(u8::is_ascii_whitespace) {
                    return None;
                }
                says.bit(row, row.effect(*piece.get(n)?)?);
            }
            (FieldPart::Letter(row), _) => {
                // one character that is not known withholds itself alone
                let strange = piece.iter().filter(|byte| !byte.is_ascii_alphanumeric() && **byte != b' ');
                let letters = strange.count() <= 1;
                says.cover(&row.effect);
                match letters {
                    true if piece.contains(row.code.as_bytes().first()?) => says.undergo(&row.effect),
                    // that a letter is missing says nothing of mains
                    true => says.covers = says.covers.without(Status::Online),
                    false => return None,
                }
            }
            (FieldPart::Whole, Meaning::Codes(rows)) => {
                // a code that is not known says nothing, and takes back what the one before it said
                if says.take(field, piece, &(0..piece.len())).is_err() {
                    let is_code = !piece.is_empty() && piece.iter().all(u8::is_ascii_alphanumeric);
                    return is_code.then(Readings::default);
                }
                // one that says nothing of mains does not say that it is away
                let row = rows.iter().find(|row| row.code.as_bytes() == piece);
                let mains = |row: &Code| row.effect.parts().iter().any(|part| part.speaks_of(Status::Online));
                if !row.is_some_and(mains) {
                    says.covers = says.covers.without(Status::Online);
                }
            }
            (FieldPart::Whole, meaning) => {
                let unread = says.take(field, piece, &(0..piece.len())).ok()?;
                let printable = piece.iter().all(|byte| (0x20..0x7f).contains(byte));
                let legible = !matches!(meaning, Meaning::Text(_)) || printable;
                return (lenient || unread.is_none() && legible).then_some(says);
            }
        }
        Some(says)
    }
}
