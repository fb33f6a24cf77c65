//! Queries: what is asked, the picture of the reply, and what each letter of it means.

use crate::option::Flag;
use crate::picture::{Slot, slot};
use crate::status::{Alarm, Status};
use crate::variable::Var;

/// What a status bit does.
#[derive(Clone, Copy, Debug)]
pub enum Effect {
    /// Nothing.
    Nothing,
    /// The status word is present.
    Set(Status),
    /// The status word is absent.
    Clear(Status),
    /// The alarm is raised.
    Alarm(Alarm),
    /// The status word is present, and the alarm raised.
    SetAlarm(Status, Alarm),
    /// The variable holds this word.
    Says(&'static Var, &'static str),
    /// The UPS boosts, trims or bypasses; the two voltages of the same reply tell which.
    Regulating,
}

/// One status bit: what it means when it is 1 and when it is 0.
#[derive(Clone, Copy, Debug)]
pub struct Bit {
    /// Its name in the protocol sheet.
    pub about: &'static str,
    /// What a 1 does.
    pub one: Effect,
    /// What a 0 does.
    pub zero: Effect,
    /// The option that makes the bit mean nothing.
    pub unless: Option<Flag>,
}

/// A status bit.
pub const fn bit(about: &'static str, one: Effect, zero: Effect) -> Bit {
    Bit { about, one, zero, unless: None }
}

impl Bit {
    /// The same bit, muted by an option.
    pub const fn unless(mut self, flag: Flag) -> Bit {
        self.unless = Some(flag);
        self
    }
}

/// What a letter of the picture means.
#[derive(Clone, Copy, Debug)]
pub enum Meaning {
    /// A number. Dashes or blanks instead of digits say that the UPS does not know it.
    Number(&'static Var),
    /// A text, without the blanks and `#` that pad it.
    Text(&'static Var),
    /// Status bits, one row each, from left to right as on the wire.
    Bits(&'static [Bit]),
}

/// A letter and its meaning.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The letter in the picture.
    pub letter: u8,
    /// What it means.
    pub meaning: Meaning,
}

/// A number.
pub const fn number(letter: char, var: &'static Var) -> Field {
    Field { letter: letter as u8, meaning: Meaning::Number(var) }
}
/// A text.
pub const fn text(letter: char, var: &'static Var) -> Field {
    Field { letter: letter as u8, meaning: Meaning::Text(var) }
}
/// Status bits.
pub const fn bits(letter: char, rows: &'static [Bit]) -> Field {
    Field { letter: letter as u8, meaning: Meaning::Bits(rows) }
}

/// How often a query is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cadence {
    /// Once, at the survey, and again after the line was lost.
    Once,
    /// Every `pollinterval`, and after each command that the UPS accepted.
    Quick,
    /// Every `pollfreq`, and after each command that the UPS accepted.
    Full,
}

/// How a reply whose widths differ from the drawn ones is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// At the drawn separators: no field contains one.
    Words,
    /// At the drawn columns: texts contain blanks.
    Columns,
}

/// A question and its reply.
#[derive(Clone, Copy, Debug)]
pub struct Query {
    /// What is sent, without the carriage return.
    pub ask: &'static str,
    /// What it is about, in a few words.
    pub about: &'static str,
    /// The reply, drawn, without the carriage return.
    pub picture: &'static str,
    /// What the letters mean, in the order of the picture.
    pub fields: &'static [Field],
    /// How often it is asked.
    pub cadence: Cadence,
    /// How an odd reply is cut.
    pub layout: Layout,
    /// The option that keeps the question from being asked.
    pub unless: Option<Flag>,
    /// Where the facts come from.
    pub source: &'static str,
}

/// A query, checked while the program is compiled: every field of the picture has one meaning, in
/// the same order, and every drawn bit has a row.
///
/// # Panics
/// At compile time, when picture and meanings do not fit.
pub const fn query(
    ask: &'static str,
    about: &'static str,
    picture: &'static str,
    fields: &'static [Field],
) -> Query {
    let drawn = picture.as_bytes();
    let (mut at, mut seen) = (0, 0);
    let mut cadence = Cadence::Full;
    while at < drawn.len() {
        let (found, next) = slot(drawn, at);
        if let Slot::Field { letter, width, .. } = found {
            assert!(seen < fields.len(), "a field of the picture has no meaning");
            assert!(fields[seen].letter == letter, "meanings stand in the order of the picture");
            if let Meaning::Bits(rows) = fields[seen].meaning {
                assert!(rows.len() == width, "one row for each bit");
                cadence = Cadence::Quick;
            }
            seen += 1;
        }
        at = next;
    }
    assert!(seen == fields.len(), "a meaning has no field in the picture");
    Query { ask, about, picture, fields, cadence, layout: Layout::Words, unless: None, source: "" }
}

impl Query {
    /// The same query, asked once.
    pub const fn once(mut self) -> Query {
        self.cadence = Cadence::Once;
        self
    }
    /// The same query, cut by columns.
    pub const fn columns(mut self) -> Query {
        self.layout = Layout::Columns;
        self
    }
    /// The same reply to another question.
    pub const fn asked(mut self, ask: &'static str) -> Query {
        self.ask = ask;
        self
    }
    /// The same query, not asked when the option is given.
    pub const fn unless(mut self, flag: Flag) -> Query {
        self.unless = Some(flag);
        self
    }
    /// The same query, with the source of its facts.
    pub const fn source(mut self, source: &'static str) -> Query {
        self.source = source;
        self
    }
}
