//! Queries: what is asked, the picture of the reply, and what each letter of it means.

use crate::vocabulary::flag::Flag;
use crate::vocabulary::status::{Alarm, Status};
use crate::vocabulary::variable::Var;
use crate::wire::codec::Codec;
use crate::wire::picture::{Slot, slot};
use crate::wire::readings::Readings;
use crate::wire::when::When;

/// What a status bit or a code does.
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
    /// The variable holds this word.
    Says(&'static Var, &'static str),
    /// The UPS boosts, trims or bypasses; its voltages tell which.
    Regulating,
    /// All of these.
    All(&'static [Effect]),
}

/// An alarm.
pub const fn alarm(text: &'static str) -> Effect {
    Effect::Alarm(Alarm::text(text))
}

impl Effect {
    /// It, or what it consists of.
    pub fn parts(&self) -> &[Effect] {
        match self {
            Effect::All(parts) => parts,
            _ => std::slice::from_ref(self),
        }
    }

    /// Whether this part of an effect says that the status word is there, or that it is not.
    pub fn speaks_of(&self, word: Status) -> bool {
        matches!(self, Effect::Set(status) | Effect::Clear(status) if *status == word)
    }

    /// Whether this part of an effect raises a status word or an alarm.
    pub fn raises(&self) -> bool {
        matches!(self, Effect::Set(_) | Effect::Clear(_) | Effect::Alarm(_) | Effect::Regulating)
    }
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

/// A bit of which nothing is known.
pub const UNKNOWN_BIT: Bit = bit("unknown", Effect::Nothing, Effect::Nothing);

impl Bit {
    /// The same bit, muted by an option.
    pub const fn unless(mut self, flag: Flag) -> Bit {
        self.unless = Some(flag);
        self
    }
}

/// A code and what it does.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    /// As it stands in the reply.
    pub code: &'static str,
    /// What it does.
    pub effect: Effect,
}

/// A code.
pub const fn code(code: &'static str, effect: Effect) -> Code {
    Code { code, effect }
}

/// Words for codes: as on the wire, as published.
pub type Words = &'static [(&'static str, &'static str)];

/// A field that no table describes: a pair of functions, so that it can be simulated as well.
#[derive(Debug)]
pub struct Custom {
    /// How the field is made, for the reference.
    pub about: &'static str,
    /// The variables it speaks of.
    pub vars: &'static [&'static Var],
    /// Reads the piece; `None` when it is not what it should be.
    pub read: fn(&[u8], &mut Readings) -> Option<()>,
    /// Writes the piece, in so many bytes (0 when it goes up to the end).
    pub write: fn(&Readings, usize) -> Vec<u8>,
}

/// What a letter of the picture means.
#[derive(Clone, Copy, Debug)]
pub enum Meaning {
    /// A number. Dashes or blanks instead of digits say that the UPS does not know it.
    Number(&'static Var),
    /// A text, without the blanks and `#` that pad it.
    Text(&'static Var),
    /// One of these words.
    Word(&'static Var, Words),
    /// Status bits, one row each, from left to right as on the wire.
    Bits(&'static [Bit]),
    /// A code; where the field goes up to the end, a code for each letter.
    Codes(&'static [Code]),
    /// Something else.
    Custom(&'static Custom),
    /// Nothing that is known.
    Unknown,
}

/// A letter and its meaning.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The letter in the picture.
    pub letter: u8,
    /// What it means.
    pub meaning: Meaning,
    /// The number is multiplied by this,
    pub times: u32,
    /// and then divided by ten to the power of this.
    pub shift: u8,
    /// How many decimals are published, where it is not what the variable says.
    pub places: Option<u8>,
    /// What a unit says where nothing is known of the field, for the simulator; otherwise zeros.
    pub sample: &'static str,
}

const fn field(letter: char, meaning: Meaning) -> Field {
    Field { letter: letter as u8, meaning, times: 1, shift: 0, places: None, sample: "" }
}
/// A number.
pub const fn number(letter: char, var: &'static Var) -> Field {
    field(letter, Meaning::Number(var))
}
/// A text.
pub const fn text(letter: char, var: &'static Var) -> Field {
    field(letter, Meaning::Text(var))
}
/// A word.
pub const fn word(letter: char, var: &'static Var, words: Words) -> Field {
    field(letter, Meaning::Word(var, words))
}
/// Status bits.
pub const fn bits(letter: char, rows: &'static [Bit]) -> Field {
    field(letter, Meaning::Bits(rows))
}
/// Codes.
pub const fn codes(letter: char, rows: &'static [Code]) -> Field {
    field(letter, Meaning::Codes(rows))
}
/// Something else.
pub const fn custom(letter: char, pair: &'static Custom) -> Field {
    field(letter, Meaning::Custom(pair))
}
/// A field of which nothing is known.
pub const fn unknown(letter: char) -> Field {
    field(letter, Meaning::Unknown)
}

impl Field {
    /// The same field, its number multiplied.
    pub const fn times(mut self, factor: u32) -> Field {
        self.times = factor;
        self
    }
    /// The same field, its number divided by a hundred.
    pub const fn hundredths(mut self) -> Field {
        self.shift = 2;
        self
    }
    /// The same field, of which nothing is known, as some unit fills it.
    pub const fn sample(mut self, sample: &'static str) -> Field {
        self.sample = sample;
        self
    }
    /// The same field, published with so many decimals.
    pub const fn places(mut self, places: u8) -> Field {
        self.places = Some(places);
        self
    }
    /// Whether it raises status words or alarms.
    pub const fn raises(&self) -> bool {
        matches!(self.meaning, Meaning::Bits(_) | Meaning::Codes(_))
    }
    /// Whether it tells status words.
    fn tells_status(&self) -> bool {
        let tells = |effect: &Effect| {
            let word = |part: &Effect| matches!(part, Effect::Set(_) | Effect::Clear(_) | Effect::Regulating);
            effect.parts().iter().any(word)
        };
        match self.meaning {
            Meaning::Bits(rows) => rows.iter().any(|row| tells(&row.one) || tells(&row.zero)),
            Meaning::Codes(rows) => rows.iter().any(|row| tells(&row.effect)),
            _ => false,
        }
    }
    /// The variables it speaks of.
    pub fn vars(&self) -> Vec<&'static Var> {
        let said = |effects: &[Effect]| -> Vec<&'static Var> {
            let parts = effects.iter().flat_map(Effect::parts);
            parts.filter_map(|part| if let Effect::Says(var, _) = part { Some(*var) } else { None }).collect()
        };
        match self.meaning {
            Meaning::Number(var) | Meaning::Text(var) | Meaning::Word(var, _) => vec![var],
            Meaning::Custom(pair) => pair.vars.to_vec(),
            Meaning::Bits(rows) => rows.iter().flat_map(|row| said(&[row.one, row.zero])).collect(),
            Meaning::Codes(rows) => rows.iter().flat_map(|row| said(&[row.effect])).collect(),
            Meaning::Unknown => vec![],
        }
    }
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
    /// At the survey and after each command or setting that the UPS accepted.
    AfterChange,
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
    /// Whether the number of the UPS follows, in two digits.
    pub addressed: bool,
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
    /// When it is asked.
    pub when: When,
    /// Whether clients see data without waiting for it.
    pub optional: bool,
    /// How question and reply are packed.
    pub codec: Option<&'static Codec>,
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
        let (letter, width) = match found {
            Slot::Literal(_) => (0, 0),
            Slot::Field { letter, width, .. } => (letter, width),
            Slot::Rest { letter } => (letter, 0),
        };
        if letter != 0 {
            assert!(seen < fields.len(), "a field of the picture has no meaning");
            assert!(fields[seen].letter == letter, "meanings stand in the order of the picture");
            match fields[seen].meaning {
                Meaning::Bits(rows) => {
                    assert!(rows.len() == width, "one row for each bit");
                    cadence = Cadence::Quick;
                }
                Meaning::Codes(rows) => codes_fit(rows, width),
                Meaning::Word(_, words) => words_fit(words, width),
                _ => {}
            }
            seen += 1;
        }
        at = next;
    }
    assert!(seen == fields.len(), "a meaning has no field in the picture");
    Query {
        ask,
        addressed: false,
        about,
        picture,
        fields,
        cadence,
        layout: Layout::Words,
        when: When::Always,
        optional: false,
        codec: None,
        source: "",
    }
}

const fn codes_fit(rows: &[Code], width: usize) {
    let mut at = 0;
    while at < rows.len() {
        assert!(rows[at].code.len() == if width == 0 { 1 } else { width }, "a code fills its field");
        at += 1;
    }
}

const fn words_fit(words: Words, width: usize) {
    let mut at = 0;
    while at < words.len() {
        assert!(width == 0 || words[at].0.len() == width, "a code fills its field");
        at += 1;
    }
}

impl Query {
    /// The same query, asked once.
    pub const fn once(mut self) -> Query {
        self.cadence = Cadence::Once;
        self
    }
    /// The same query, asked at full polls although it has bits.
    pub const fn full(mut self) -> Query {
        self.cadence = Cadence::Full;
        self
    }
    /// The same query, asked at quick polls although it has no bits.
    pub const fn quick(mut self) -> Query {
        self.cadence = Cadence::Quick;
        self
    }
    /// The same query, asked after changes.
    pub const fn after_change(mut self) -> Query {
        self.cadence = Cadence::AfterChange;
        self
    }
    /// The same query, for which clients do not wait: not every UPS of the dialect knows it.
    pub const fn optional(mut self) -> Query {
        self.optional = true;
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
    /// The same query with the number of the UPS behind the question.
    pub const fn addressed(mut self) -> Query {
        self.addressed = true;
        self
    }
    /// The same query, not asked when the option is given.
    pub const fn unless(self, flag: Flag) -> Query {
        self.when(When::Without(flag))
    }
    /// The same query, asked only then.
    pub const fn when(mut self, when: When) -> Query {
        self.when = when;
        self
    }
    /// The same query, packed.
    pub const fn with_codec(mut self, codec: &'static Codec) -> Query {
        self.codec = Some(codec);
        self
    }
    /// The same reply, whose letters mean something else.
    ///
    /// # Panics
    /// At compile time, when picture and meanings do not fit.
    pub const fn means(self, fields: &'static [Field]) -> Query {
        let checked = query(self.ask, self.about, self.picture, fields);
        Query { fields: checked.fields, ..self }
    }
    /// The same query, with the source of its facts.
    pub const fn source(mut self, source: &'static str) -> Query {
        self.source = source;
        self
    }

    /// What is sent to the UPS of that number, without the carriage return.
    pub fn wire(&self, address: u32) -> Vec<u8> {
        let plain = if self.addressed { format!("{}{address:02}", self.ask) } else { self.ask.to_string() };
        self.codec.map_or_else(|| plain.clone().into_bytes(), |codec| (codec.pack_question)(plain.as_bytes()))
    }

    /// How many decimals of `var` are published from its reply.
    pub fn places(&self, var: &Var) -> u8 {
        let field =
            self.fields.iter().find(|field| matches!(field.meaning, Meaning::Number(said) if said == var));
        field.and_then(|field| field.places).unwrap_or(var.places)
    }

    /// Whether its reply speaks of the variable.
    pub fn speaks_of(&self, var: &Var) -> bool {
        self.fields.iter().any(|field| field.vars().contains(&var))
    }

    /// Whether its reply raises status words or alarms.
    pub fn raises(&self) -> bool {
        self.fields.iter().any(Field::raises)
    }

    /// Whether its reply tells status words.
    pub fn tells_status(&self) -> bool {
        self.fields.iter().any(Field::tells_status)
    }

    /// Whether its reply can say this word, or its contrary.
    pub fn tells_of(&self, word: Status) -> bool {
        let speaks = |effect: &Effect| effect.parts().iter().any(|part| part.speaks_of(word));
        self.fields.iter().any(|field| match field.meaning {
            Meaning::Bits(rows) => rows.iter().any(|row| speaks(&row.one) || speaks(&row.zero)),
            Meaning::Codes(rows) => rows.iter().any(|row| speaks(&row.effect)),
            _ => false,
        })
    }
}
