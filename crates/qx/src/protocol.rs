//! Protocols: everything that is known of one dialect, as a constant.

use crate::command::Command;
use crate::option::{Flag, Flags};
use crate::query::Query;
use crate::setting::Delay;
use crate::variable::Var;

/// By what a protocol is recognised.
#[derive(Clone, Copy, Debug)]
pub enum Sign {
    /// The query is answered with a reply that fits its picture.
    Answers(&'static Query),
    /// The query is answered, and the reply says something of this variable. Not asked for, and
    /// taken as given, when an option keeps the query from being asked.
    Says(&'static Query, &'static Var),
}

/// One dialect.
#[derive(Debug)]
pub struct Protocol {
    /// Its name in `protocol = …`.
    pub name: &'static str,
    /// Which devices speak it, in a sentence.
    pub about: &'static str,
    /// By what it is recognised: all of them.
    pub signs: &'static [Sign],
    /// What is asked.
    pub queries: &'static [&'static Query],
    /// What can be commanded.
    pub commands: &'static [&'static [Command]],
    /// The delays kept by the driver.
    pub delays: &'static [Delay],
    /// The reply that means yes to a command; silence means yes as well, anything else no.
    pub accepts: &'static str,
    /// The flags it takes.
    pub flags: &'static [Flag],
}

impl Protocol {
    /// The command of that name (names do not mind case, as in NUT).
    pub fn command(&self, name: &str) -> Option<&'static Command> {
        self.all_commands().find(|command| command.name.eq_ignore_ascii_case(name))
    }

    /// All commands, in the order of the tables.
    pub fn all_commands(&self) -> impl Iterator<Item = &'static Command> + use<> {
        self.commands.iter().flat_map(|table| table.iter())
    }

    /// The delay of that name.
    pub fn delay(&self, name: &str) -> Option<&'static Delay> {
        self.delays.iter().find(|delay| delay.var.name.eq_ignore_ascii_case(name))
    }
}

impl Sign {
    /// The query it rests on.
    pub const fn query(&self) -> &'static Query {
        match self {
            Sign::Answers(query) | Sign::Says(query, _) => query,
        }
    }

    /// Whether options make it needless to ask.
    pub fn given(&self, flags: Flags) -> bool {
        self.query().unless.is_some_and(|flag| flags.has(flag))
    }
}
