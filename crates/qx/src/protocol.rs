//! Protocols: everything that is known of one dialect, as a constant.

use crate::armour::Armour;
use crate::command::Command;
use crate::exchange::NOT_SENT;
use crate::fact::{Derived, Facts, Raised, When};
use crate::option::{Flag, Flags};
use crate::query::Query;
use crate::setting::{Delay, Setting};
use crate::variable::Var;

/// By what a protocol is recognised.
#[derive(Clone, Copy, Debug)]
pub enum Sign {
    /// The query is answered with a reply that fits its picture.
    Answers(&'static Query),
    /// The query is answered, and the reply says something of this variable. Not asked for, and
    /// taken as given, when an option keeps the query from being asked.
    Says(&'static Query, &'static Var),
    /// The query is answered with a reply that fits, or refused in this very word.
    AnswersOr(&'static Query, &'static str),
}

/// What the UPS says to a command or setting that it obeys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// Nothing.
    Silence,
    /// Nothing, or this word.
    SilenceOr(&'static str),
    /// Nothing, or a reply that begins with one of these.
    SilenceOrAny(&'static [&'static str]),
    /// This word, and something may follow it; silence means that it was not obeyed.
    Word(&'static str),
}

/// What a reply to a command or setting means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The UPS obeys.
    Yes,
    /// It refuses, in words that are used for it.
    No,
    /// It says nothing.
    Nothing,
    /// It says something that is neither.
    Odd,
}

/// Consent in any dialect, if the reply is nothing else: UPSes of silent dialects say so as well (NUT 2.8.0
/// blazer.c, where `ACK` and `(ACK` are known of all; `OK` is omron's).
const CONSENTS: [&str; 3] = ["ACK", "(ACK", "OK"];

impl Consent {
    /// What the reply to the line `sent` means.
    pub fn answer(self, sent: &[u8], reply: Option<&[u8]>) -> Answer {
        // converters answer with zeros where the UPS said nothing
        let heard = reply.map(without_zeros).filter(|heard| !heard.is_empty());
        let Some(heard) = heard else { return Answer::Nothing };
        let is = |word: &&str| heard.trim_ascii().eq_ignore_ascii_case(word.as_bytes());
        let own = match self {
            Consent::Silence => false,
            Consent::SilenceOr(word) => is(&word),
            Consent::SilenceOrAny(words) => words.iter().any(|word| heard.starts_with(word.as_bytes())),
            Consent::Word(word) => {
                heard.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word.as_bytes()))
            }
        };
        match heard {
            _ if own => Answer::Yes,
            _ if crate::detect::is_refusal(sent, heard) || heard.starts_with(NOT_SENT.as_bytes()) => {
                Answer::No
            }
            _ if CONSENTS.iter().any(|word| heard.trim_ascii() == word.as_bytes()) => Answer::Yes,
            _ => Answer::Odd,
        }
    }

    /// Whether silence is consent.
    pub const fn by_silence(self) -> bool {
        !matches!(self, Consent::Word(_))
    }

    /// Whether a reply, or silence, means yes.
    pub fn is_given(self, reply: Option<&[u8]>) -> bool {
        match self.answer(&[], reply) {
            Answer::Yes => true,
            Answer::Nothing => self.by_silence(),
            Answer::No | Answer::Odd => false,
        }
    }

    /// What a UPS says that obeys.
    pub const fn said(self) -> Option<&'static str> {
        match self {
            Consent::Word(word) => Some(word),
            _ => None,
        }
    }
}

fn without_zeros(line: &[u8]) -> &[u8] {
    let first = line.iter().position(|byte| *byte != 0).unwrap_or(line.len());
    let last = line.iter().rposition(|byte| *byte != 0).map_or(first, |at| at + 1);
    line.get(first..last).unwrap_or_default()
}

/// A variable that holds the same for every UPS of a dialect.
pub type Fixed = (&'static Var, &'static str);

/// One dialect.
#[derive(Debug)]
pub struct Protocol {
    /// Its name in `protocol = …`.
    pub name: &'static str,
    /// Which devices speak it, in a sentence.
    pub about: &'static str,
    /// By what it is recognised: all of them.
    pub signs: &'static [Sign],
    /// Taken only when it is named: nothing tells it from another dialect.
    pub by_name: bool,
    /// What is asked.
    pub queries: &'static [&'static Query],
    /// What is the same for all.
    pub fixed: &'static [Fixed],
    /// What follows from several readings.
    pub derived: &'static [Derived],
    /// Settles what the bits leave open: whether the UPS boosts, trims or bypasses.
    pub settle: fn(&Facts, &mut Raised),
    /// What can be commanded.
    pub commands: &'static [&'static [Command]],
    /// What can be written to the UPS.
    pub settings: &'static [&'static [Setting]],
    /// The delays kept by the driver.
    pub delays: &'static [Delay],
    /// What it says to what it obeys.
    pub consent: Consent,
    /// How commands are packed.
    pub armour: Option<&'static Armour>,
    /// The flags it takes.
    pub flags: &'static [Flag],
}

/// A dialect is known by its name.
impl PartialEq for Protocol {
    fn eq(&self, other: &Protocol) -> bool {
        self.name == other.name
    }
}

impl Protocol {
    /// The rows that spell the command of that name (names do not mind case, as in NUT).
    pub fn commands_named<'n>(&self, name: &'n str) -> impl Iterator<Item = &'static Command> + use<'n> {
        self.all_commands().filter(move |command| command.name.eq_ignore_ascii_case(name))
    }

    /// All rows of commands, in the order of the tables.
    pub fn all_commands(&self) -> impl Iterator<Item = &'static Command> + use<> {
        self.commands.iter().flat_map(|table| table.iter())
    }

    /// All settings, in the order of the tables.
    pub fn all_settings(&self) -> impl Iterator<Item = &'static Setting> + use<> {
        self.settings.iter().flat_map(|table| table.iter())
    }

    /// The delay of that name.
    pub fn delay(&self, name: &str) -> Option<&'static Delay> {
        self.delays.iter().find(|delay| delay.var.name.eq_ignore_ascii_case(name))
    }

    /// What readings say in this dialect, once what is open is settled, with the alarms of the words.
    pub fn raised(&self, facts: &Facts) -> Raised {
        let mut raised = facts.words();
        (self.settle)(facts, &mut raised);
        raised.alarms.extend(raised.status.alarms());
        raised
    }
}

impl Sign {
    /// The query it rests on.
    pub const fn query(&self) -> &'static Query {
        match self {
            Sign::Answers(query) | Sign::Says(query, _) | Sign::AnswersOr(query, _) => query,
        }
    }

    /// Whether options make it needless to ask.
    pub fn given(&self, flags: Flags) -> bool {
        matches!(self.query().when, When::Without(flag) if flags.has(flag))
    }
}
