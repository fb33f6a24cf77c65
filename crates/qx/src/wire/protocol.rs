//! Protocols: everything that is known of one dialect, as a constant.

use crate::vocabulary::flag::{Flag, Flags};
use crate::vocabulary::variable::Var;
use crate::wire::acknowledgement::Acknowledgement;
use crate::wire::codec::Codec;
use crate::wire::command::Command;
use crate::wire::fact::{Derived, Facts, Raised};
use crate::wire::query::Query;
use crate::wire::setting::{Delay, Setting};
use crate::wire::when::When;

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
    /// The name plate and settings of a sample unit, where they differ from what any unit could have: for the simulator.
    pub sample: &'static [Fixed],
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
    pub acknowledgement: Acknowledgement,
    /// How commands are packed.
    pub codec: Option<&'static Codec>,
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

    /// Whether a variable is made of others where the UPS does not say it.
    pub fn derives(&self, var: &Var) -> bool {
        self.derived.iter().any(|derived| derived.var == var)
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
