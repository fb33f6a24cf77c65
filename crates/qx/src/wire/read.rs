//! Reading: from the bytes of a reply to what it says.
//!
//! A reply is *exact* when it has the drawn form byte for byte. Some devices draw differently
//! (a load of four digits, a ninth bit, tabs for blanks): such a reply is *odd*. It is read too, but
//! a byte lost on the line looks the same, so an odd form counts only when this UPS is known to draw so
//! (see [`crate::judge`]).

use crate::vocabulary::status::Status;
use crate::vocabulary::value::{Decimal, Value, presentable};
use crate::vocabulary::variable::{Unit, Var};
use crate::wire::picture::{Slot, Slots};
use crate::wire::query::{Bit, Code, Effect, Field, Layout, Meaning, Query};
use crate::wire::readings::Readings;
use std::fmt;
use std::ops::Range;

/// The form of a reply that is not the drawn one: the width of each field, and of what follows; of columns also
/// what stands at the drawn marks instead of them. Nothing for one that is not printable. A field that goes up to
/// the end has no width.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form(Vec<u16>);

impl Form {
    /// The width of each field, of what follows, and of columns what is at each mark: 0 where that is the drawn one.
    pub(crate) fn widths(&self) -> &[u16] {
        &self.0
    }
}

/// A reply that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// What it says.
    pub readings: Readings,
    /// `None` for the drawn form.
    pub odd: Option<Form>,
    /// The fields that hold no number where one was drawn. They are read as unknown, and make the
    /// reply odd.
    pub unread: Vec<Misfit>,
}

/// A reply that fits no picture: where, and what was expected there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// The bytes of the reply that are wrong; empty at its end when something is missing.
    pub at: Range<usize>,
    /// What was expected.
    pub expected: Expected,
}

/// What was expected where a reply does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// This very byte.
    Byte(u8),
    /// A number for this variable.
    Number(&'static Var),
    /// A status bit, 0 or 1, with this name.
    Bit(&'static str),
    /// A code that is known, for this variable or for the status.
    Code(&'static str),
    /// A field of this form.
    Form(&'static str),
    /// What packs the reply: a checksum, say.
    Packing(&'static str),
    /// More bytes.
    More,
    /// The end of the reply.
    End,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expected::Byte(b' ') => f.write_str("a blank was expected"),
            Expected::Byte(byte) => write!(f, "'{}' was expected", byte.escape_ascii()),
            Expected::Number(var) => write!(f, "{}: a number was expected", var.name),
            Expected::Bit(about) => write!(f, "bit \"{about}\": 0 or 1 was expected"),
            Expected::Code(what) => write!(f, "{what}: the code is not known"),
            Expected::Form(about) => write!(f, "{about} was expected"),
            Expected::Packing(about) => write!(f, "the packing is wrong: {about}"),
            Expected::More => f.write_str("the reply ends too early"),
            Expected::End => f.write_str("the reply should end here"),
        }
    }
}

/// No reply of these dialects is longer; more bytes without an end are babble, of which nothing is read.
pub const LONGEST: usize = 512;

/// The width, in a form, of a field of bits with blanks among them.
const BITS_IN_GROUPS: u16 = u16::MAX - 1;

/// So many bits of a field may be neither 0 nor 1; with more of them it is something else.
const UNREAD_BITS: usize = 2;

/// More bytes than any reply has: a field that goes up to the end would take them all.
pub(crate) fn is_babble(reply: &[u8]) -> Option<Misfit> {
    (reply.len() > LONGEST).then_some(Misfit { at: LONGEST..reply.len(), expected: Expected::End })
}

/// The byte that is drawn there, if it is a mark.
fn mark(slot: Slot) -> Option<u8> {
    match slot {
        Slot::Literal(byte) => Some(byte),
        _ => None,
    }
}

/// A field of a query and where it stands in a reply.
pub(crate) type Piece = (Field, Range<usize>);

impl Query {
    /// Reads a reply, its end mark already taken off.
    ///
    /// # Errors
    /// [`Misfit`] when the reply fits the picture neither exactly nor in an odd form.
    pub fn read(&self, reply: &[u8]) -> Result<Fit, Misfit> {
        if let Some(babble) = is_babble(reply) {
            return Err(babble);
        }
        match self.codec {
            None => self.read_plain(reply),
            Some(codec) => match (codec.unpack_reply)(reply) {
                Some(plain) => self.read_plain(&plain),
                None => Err(Misfit { at: 0..reply.len(), expected: Expected::Packing(codec.about) }),
            },
        }
    }

    fn read_plain(&self, reply: &[u8]) -> Result<Fit, Misfit> {
        match self.lay(reply) {
            Ok((_, fit)) => Ok(fit),
            Err(misfit) => self.lay_groups(reply).map(|(_, _, fit)| fit).ok_or(misfit),
        }
    }

    /// The pieces of a reply with a blank among its bits ("1000 1000" for eight), what they say, and the reply without
    /// that blank. All bits that are drawn have to be there: where noise made a blank of a bit, or cut the reply, one is
    /// missing.
    pub(crate) fn lay_groups(&self, reply: &[u8]) -> Option<(Vec<u8>, Vec<Piece>, Fit)> {
        let drawn = Slots::of(self.picture).last().map_or(0, |slot| slot.width());
        if self.layout != Layout::Words || !self.ends_in_bits() || self.picture.ends_with('*') {
            return None;
        }
        let (mut bits, mut begin) = (vec![], reply.trim_ascii_end().len());
        while bits.len() < drawn && begin > 0 {
            begin -= 1;
            match reply[begin] {
                bit @ (b'0' | b'1') => bits.push(bit),
                b' ' if !bits.is_empty() => {}
                _ => return None,
            }
        }
        if begin == 0 || reply[begin - 1] != b' ' {
            return None;
        }
        bits.reverse();
        let joined = [&reply[..begin], &bits].concat();
        let (pieces, mut fit) = self.lay(&joined).ok()?;
        let mut form = fit.odd.take().unwrap_or_else(|| self.form(&joined, &pieces, &fit.unread));
        *form.0.get_mut(pieces.len().checked_sub(1)?)? = BITS_IN_GROUPS;
        Some((joined, pieces, Fit { odd: Some(form), ..fit }))
    }

    /// The pieces of a reply that is not packed, and what they say.
    pub(crate) fn lay(&self, reply: &[u8]) -> Result<(Vec<Piece>, Fit), Misfit> {
        let exactly = |pieces: Vec<Piece>| self.take(reply, &pieces).map(|fit| (pieces, fit));
        let misfit = match self.by_columns(reply).and_then(exactly) {
            Ok((pieces, fit)) => return Ok((pieces, fit.odd_if_unprintable(reply))),
            Err(misfit) => misfit,
        };
        let pieces = match self.layout {
            Layout::Words => self.by_words(reply),
            Layout::Columns => self.by_loose_columns(reply),
        };
        // the place where the drawn form breaks helps more than where the odd one does
        let pieces = pieces.map_err(|_| misfit.clone())?;
        let fit = self.take(reply, &pieces).map_err(|_| misfit)?;
        // tabs for blanks, and more blanks than are drawn, change nothing of what stands between them
        let odd = (!fit.unread.is_empty() || !self.only_blanks_differ(reply, &pieces))
            .then(|| self.form(reply, &pieces, &fit.unread));
        Ok((pieces, Fit { odd, ..fit }))
    }

    /// Whether the pieces of a reply have the drawn widths, so that only the blanks between and behind them
    /// are others.
    fn only_blanks_differ(&self, reply: &[u8], pieces: &[Piece]) -> bool {
        let slots = Slots::of(self.picture).filter(|slot| !matches!(slot, Slot::Literal(_)));
        let drawn =
            |(slot, (_, at)): (Slot, &Piece)| matches!(slot, Slot::Field { .. }) && slot.width() == at.len();
        let end = pieces.last().map_or(0, |(_, at)| at.end);
        self.layout == Layout::Words
            && reply[end..].iter().all(|byte| is_blank(*byte))
            && slots.zip(pieces).all(drawn)
    }

    /// The pieces of a reply that has exactly the drawn form; blanks may follow words.
    fn by_columns(&self, reply: &[u8]) -> Result<Vec<Piece>, Misfit> {
        let (mut at, mut fields, mut pieces) = (0, self.fields.iter(), Vec::with_capacity(self.fields.len()));
        for slot in Slots::of(self.picture) {
            let end = at + slot.width();
            match slot {
                Slot::Literal(byte) => match reply.get(at) {
                    Some(found) if *found == byte => {}
                    Some(_) => return Err(Misfit { at: at..end, expected: Expected::Byte(byte) }),
                    None => return Err(Misfit { at: at..at, expected: Expected::More }),
                },
                Slot::Field { .. } => {
                    if reply.len() < end {
                        return Err(Misfit { at: reply.len()..reply.len(), expected: Expected::More });
                    }
                    pieces.extend(fields.next().map(|field| (*field, at..end)));
                }
                Slot::Rest { .. } => {
                    pieces.extend(fields.next().map(|field| (*field, at..reply.len())));
                    return Ok(pieces);
                }
            }
            at = end;
        }
        let blank = |byte: &u8| self.layout == Layout::Words && *byte == b' ';
        match reply[at..].iter().position(|byte| !blank(byte)) {
            Some(extra) => Err(Misfit { at: at + extra..reply.len(), expected: Expected::End }),
            None => Ok(pieces),
        }
    }

    /// The pieces of a reply with other widths: a field ends where the drawn separator stands.
    /// More words may follow the last field.
    fn by_words(&self, reply: &[u8]) -> Result<Vec<Piece>, Misfit> {
        let misfit = |at: usize, expected| Misfit { at: at..at, expected };
        let (mut at, mut fields, mut pieces) = (0, self.fields.iter(), vec![]);
        let mut slots = Slots::of(self.picture).peekable();
        while let Some(slot) = slots.next() {
            match slot {
                Slot::Literal(b' ') => match reply[at..].iter().take_while(|byte| is_blank(**byte)).count() {
                    0 => return Err(misfit(at, Expected::Byte(b' '))),
                    blanks => at += blanks,
                },
                Slot::Literal(byte) if reply.get(at) == Some(&byte) => at += 1,
                Slot::Literal(byte) => return Err(misfit(at, Expected::Byte(byte))),
                Slot::Field { .. } => {
                    let rest = &reply[at..];
                    let until = |ends: &dyn Fn(u8) -> bool| rest.iter().position(|byte| ends(*byte));
                    let width = match slots.peek() {
                        Some(Slot::Literal(b' ')) => until(&is_blank),
                        Some(Slot::Literal(end)) => until(&|byte| byte == *end),
                        // bits that are missing at the end are not known
                        Some(Slot::Rest { .. }) => Some(slot.width().min(rest.len())),
                        Some(_) => Some(slot.width()).filter(|width| *width <= rest.len()),
                        // a bit that was lost moves those behind it
                        None => Some(until(&is_blank).unwrap_or(rest.len()))
                            .filter(|width| *width >= slot.width() || !self.ends_in_bits()),
                    };
                    let width =
                        width.filter(|width| *width > 0).ok_or(misfit(reply.len(), Expected::More))?;
                    pieces.extend(fields.next().map(|field| (*field, at..at + width)));
                    at += width;
                }
                Slot::Rest { .. } => {
                    pieces.extend(fields.next().map(|field| (*field, at..reply.len())));
                    at = reply.len();
                }
            }
        }
        Ok(pieces)
    }

    /// The form that is drawn.
    pub(crate) fn drawn_form(&self) -> Form {
        let slots = Slots::of(self.picture).filter(|slot| !matches!(slot, Slot::Literal(_)));
        let width = |slot: Slot| match slot {
            Slot::Rest { .. } => 0,
            slot => u16::try_from(slot.width()).unwrap_or(u16::MAX),
        };
        let marks =
            if self.layout == Layout::Columns { Slots::of(self.picture).filter_map(mark).count() } else { 0 };
        Form(slots.map(width).chain([0]).chain(std::iter::repeat_n(0, marks)).collect())
    }

    /// What stands in a reply of columns where marks are drawn: a byte too many before them moves all columns, and
    /// is not this UPS's own form for that.
    fn at_marks(&self, reply: &[u8]) -> Vec<u16> {
        let mut at = 0;
        let mut found = vec![];
        for slot in Slots::of(self.picture).filter(|_| self.layout == Layout::Columns) {
            if let Some(mark) = mark(slot) {
                let other = reply.get(at).filter(|byte| **byte != mark);
                found.push(other.map_or(0, |byte| 1 + u16::from(*byte)));
            }
            at += slot.width();
        }
        found
    }

    /// The widths of the pieces and of what follows; a field that is unread is marked.
    fn form(&self, reply: &[u8], pieces: &[Piece], unread: &[Misfit]) -> Form {
        let width = |at: &Range<usize>| u16::try_from(at.len()).unwrap_or(u16::MAX);
        let mark = |at: &Range<usize>| {
            if unread.iter().any(|misfit| misfit.at == *at) { u16::MAX } else { width(at) }
        };
        let end = pieces.last().map_or(0, |(_, at)| at.end);
        let mut widths: Vec<u16> = pieces.iter().map(|(_, at)| mark(at)).collect();
        // what goes up to the end is as long as it is
        if let Some(rest) = widths.last_mut().filter(|_| self.picture.ends_with('*')) {
            *rest = 0;
        }
        widths.push(width(&(end..reply.len())));
        widths.extend(self.at_marks(reply));
        Form(widths)
    }

    /// Whether the last field is one of bits.
    pub(crate) fn ends_in_bits(&self) -> bool {
        self.fields.last().is_some_and(|field| matches!(field.meaning, Meaning::Bits(_)))
    }

    /// The pieces of a reply whose separators are not the drawn ones, or that is longer; only the
    /// first byte must be right (NUT reads every reply like this).
    fn by_loose_columns(&self, reply: &[u8]) -> Result<Vec<Piece>, Misfit> {
        let (mut at, mut fields, mut pieces) = (0, self.fields.iter(), vec![]);
        for slot in Slots::of(self.picture) {
            match slot {
                Slot::Literal(byte) if at == 0 && reply.first() != Some(&byte) => {
                    return Err(Misfit { at: 0..reply.len().min(1), expected: Expected::Byte(byte) });
                }
                Slot::Literal(_) => {}
                Slot::Field { width, .. } => {
                    pieces.extend(fields.next().map(|field| (*field, at..at + width)));
                }
                Slot::Rest { .. } => {
                    pieces.extend(fields.next().map(|field| (*field, at..reply.len().max(at))));
                }
            }
            at += slot.width();
        }
        if reply.len() < at {
            return Err(Misfit { at: reply.len()..reply.len(), expected: Expected::More });
        }
        Ok(pieces)
    }

    /// What the pieces say. A field without its number or word is unknown, unless all of them are; so is a
    /// bit that is neither 0 nor 1.
    fn take(&self, reply: &[u8], pieces: &[Piece]) -> Result<Fit, Misfit> {
        let values = Vec::with_capacity(pieces.len());
        let mut readings = Readings { values, ..Readings::default() };
        let (mut fallible, mut unread, mut bits) = (0, vec![], vec![]);
        for (field, at) in pieces {
            fallible += usize::from(matches!(field.meaning, Meaning::Number(_) | Meaning::Word(..)));
            match field.meaning {
                Meaning::Bits(rows) => bits.extend(readings.bits(rows, reply, at)?),
                _ => unread.extend(readings.take(field, reply, at)?),
            }
        }
        if fallible > 0 && unread.len() == fallible {
            return Err(unread.swap_remove(0));
        }
        unread.extend(bits);
        let odd = (!unread.is_empty()).then(|| self.form(reply, pieces, &unread));
        Ok(Fit { readings, odd, unread })
    }
}

impl Readings {
    /// Takes one piece of a reply. Where a number or word is not one, the field is unknown; the
    /// misfit that comes back says so.
    pub(crate) fn take(
        &mut self,
        field: &Field,
        reply: &[u8],
        at: &Range<usize>,
    ) -> Result<Option<Misfit>, Misfit> {
        let piece = &reply[at.clone()];
        let misfit = |expected| Misfit { at: at.clone(), expected };
        let mut unread = None;
        match field.meaning {
            Meaning::Number(var) => match number(piece, var) {
                Ok(number) => {
                    let scaled = number.map(|number| number.scaled(field.times, field.shift));
                    self.say(var, scaled.map(Value::Number));
                }
                Err(()) => {
                    unread = Some(misfit(Expected::Number(var)));
                    self.say(var, None);
                }
            },
            Meaning::Text(var) => {
                let text = presentable(piece);
                let text = text.trim_matches([' ', '#']);
                self.say(var, (!text.is_empty()).then(|| Value::text(text)));
            }
            Meaning::Word(var, words) => {
                let word = words.iter().find(|(code, _)| code.as_bytes() == piece).map(|(_, word)| *word);
                let dashes = piece.iter().all(|byte| matches!(byte, b'-' | b' '));
                unread = (word.is_none() && !dashes).then(|| misfit(Expected::Code(var.name)));
                self.say(var, word.map(Value::text));
            }
            Meaning::Bits(rows) => unread = self.bits(rows, reply, at)?.into_iter().next(),
            Meaning::Codes(rows) => self.codes(rows, piece).ok_or(misfit(Expected::Code("ups.status")))?,
            Meaning::Custom(pair) => {
                (pair.read)(piece, self).ok_or_else(|| misfit(Expected::Form(pair.about)))?;
            }
            Meaning::Unknown => {}
        }
        Ok(unread)
    }

    /// What the bits say; the misfits that come back say which of them say nothing. Further bits behind
    /// those that are drawn are not known, as in NUT; missing ones at the end neither.
    fn bits(&mut self, rows: &'static [Bit], reply: &[u8], at: &Range<usize>) -> Result<Vec<Misfit>, Misfit> {
        let piece = &reply[at.clone()];
        let mut unread = vec![];
        // a blank in place of a bit: those before it may have moved
        if let Some(blank) = piece.iter().take(rows.len()).position(|byte| is_blank(*byte)) {
            let about = rows.get(blank).map_or("", |row| row.about);
            let at = at.start + blank..at.start + blank + 1;
            return Err(Misfit { at, expected: Expected::Bit(about) });
        }
        for (n, row) in rows.iter().enumerate() {
            match piece.get(n).and_then(|byte| row.effect(*byte)) {
                Some(effect) => self.bit(row, effect),
                None => {
                    let end = (at.start + n + 1).min(at.end);
                    let at = (at.start + n).min(end)..end;
                    unread.push(Misfit { at, expected: Expected::Bit(row.about) });
                }
            }
        }
        let few = unread.len() <= UNREAD_BITS && unread.len() < rows.len();
        if few { Ok(unread) } else { Err(unread.swap_remove(0)) }
    }

    /// Takes what one bit says.
    pub(crate) fn bit(&mut self, row: &Bit, effect: &Effect) {
        self.undergo(effect);
        self.cover(&row.one);
        self.cover(&row.zero);
    }

    /// One code that fills the piece, or one for each of its letters; question marks stand for any
    /// other code.
    fn codes(&mut self, rows: &'static [Code], piece: &[u8]) -> Option<()> {
        let width = rows.first().map_or(1, |row| row.code.len());
        let strange = |code: &[u8]| !code.iter().all(u8::is_ascii_alphanumeric);
        // of several letters, one character that is not known withholds itself alone
        let mut spare = usize::from(piece.len() > width);
        for code in piece.chunks(width.max(1)) {
            let matches = |row: &&Code| {
                let any =
                    row.code.bytes().all(|byte| byte == b'?') && code.iter().all(u8::is_ascii_alphanumeric);
                row.code.as_bytes() == code || any && row.code.len() == code.len()
            };
            match rows.iter().find(matches) {
                Some(row) => self.undergo(&row.effect),
                None if spare > 0 && strange(code) => spare -= 1,
                None => return None,
            }
        }
        rows.iter().for_each(|row| self.cover(&row.effect));
        Some(())
    }

    pub(crate) fn undergo(&mut self, effect: &Effect) {
        for part in effect.parts() {
            match part {
                Effect::Set(status) => self.status = self.status.with(*status),
                Effect::Alarm(alarm) => self.alarms.push(*alarm),
                Effect::Says(var, word) => self.say(var, Some(Value::text(*word))),
                Effect::Regulating => self.status = self.status.with(Status::Regulating),
                Effect::Nothing | Effect::Clear(_) | Effect::All(_) => {}
            }
        }
    }

    pub(crate) fn cover(&mut self, effect: &Effect) {
        for part in effect.parts() {
            self.covers = match part {
                Effect::Set(status) | Effect::Clear(status) => self.covers.with(*status),
                Effect::Regulating => self.covers.with(Status::Regulating),
                _ => self.covers,
            };
        }
    }
}

impl Bit {
    /// What the byte in its place does, `None` where it says nothing.
    pub(crate) fn effect(&self, byte: u8) -> Option<&Effect> {
        match byte {
            b'1' => Some(&self.one),
            b'0' => Some(&self.zero),
            // some units say so that they have no such warning
            b'-' if matches!(self.zero, Effect::Nothing) => Some(&Effect::Nothing),
            // a bit of which nothing is known may be something else
            _ if matches!((self.one, self.zero), (Effect::Nothing, Effect::Nothing)) => {
                Some(&Effect::Nothing)
            }
            _ => None,
        }
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

impl Fit {
    /// Noise in a text shows only where it is not printable.
    fn odd_if_unprintable(mut self, reply: &[u8]) -> Fit {
        if self.odd.is_none() && reply.iter().any(|byte| !(0x20..0x7f).contains(byte)) {
            self.odd = Some(Form(vec![]));
        }
        self
    }
}

/// The number in a piece; `None` for dashes and blanks, by which a UPS says that it does not know.
fn number(piece: &[u8], var: &Var) -> Result<Option<Decimal>, ()> {
    let text = std::str::from_utf8(piece).map_err(|_| ())?.trim_matches(' ');
    if text.bytes().all(|byte| matches!(byte, b'-' | b'.')) {
        return Ok(None);
    }
    let number = Decimal::parse(text).ok_or(())?;
    // only temperatures and currents can be below zero
    let signed = matches!(var.unit, Unit::Celsius | Unit::Ampere);
    if text.starts_with('-') && !signed { Err(()) } else { Ok(Some(number)) }
}
