//! The store: everything that is known of one UPS, for every publisher.

use crate::vocabulary::value::Value;
use crate::vocabulary::variable::{Var, named};
use crate::wire::setting::{Choice, Delay};
use std::borrow::Cow;

/// Room for so many more variables is made at once.
const GROWS: usize = 4;

/// What clients may do with a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read it.
    Read,
    /// Set it to one of these.
    Write(Choice),
}

/// A variable in the store.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// What it holds. A number has as many decimals as are published; what the administrator wrote in ups.conf is a
    /// text as it stands there.
    pub value: Value,
    /// The variable of a UPS that it is, with the unit of its number; none of what else a publisher adds.
    pub var: Option<&'static Var>,
    /// What clients may do with it.
    pub access: Access,
    text: Box<str>,
}

impl Entry {
    /// Its text, as published: made once, when the value is another.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// What changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// This variable is new, or something else may be done with it.
    New(Cow<'static, str>),
    /// This variable has a new value.
    Set(Cow<'static, str>),
    /// This variable is gone.
    Removed(Cow<'static, str>),
    /// This command is offered (true), or not any more.
    Command(&'static str, bool),
    /// The data is stale (true) or fresh.
    Stale(bool),
}

/// All variables and commands of one UPS. Changes are kept until a publisher takes them.
#[derive(Debug, Default)]
pub struct Store {
    /// Sorted by name: a tree takes twice as much for so few.
    entries: Vec<(Cow<'static, str>, Entry)>,
    commands: Vec<&'static str>,
    /// What the driver offers itself, besides the commands of the UPS.
    own: Vec<&'static str>,
    stale: bool,
    changes: Vec<Change>,
}

impl Store {
    /// The variable of that name.
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.place(name).ok().map(|at| &self.entries[at].1)
    }
    /// The text of the variable of that name.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).map(Entry::text)
    }
    /// All variables, sorted by name.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries.iter().map(|(name, entry)| (name.as_ref(), entry))
    }
    /// The instant commands.
    pub fn commands(&self) -> &[&'static str] {
        &self.commands
    }
    /// Whether the data is old because the UPS does not answer.
    pub fn is_stale(&self) -> bool {
        self.stale
    }
    /// What changed since the last call.
    pub fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    /// Sets a variable that clients can read.
    pub fn set(&mut self, name: impl Into<Cow<'static, str>>, text: impl Into<String>) {
        self.put(name.into(), None, Value::text(text), Access::Read);
    }
    /// Sets a variable that clients can change.
    pub fn set_writable(&mut self, name: &'static str, text: String, choice: Choice) {
        self.put(name.into(), None, Value::Text(text), Access::Write(choice));
    }
    /// Sets a variable of the UPS.
    pub fn set_value(&mut self, var: &'static Var, value: Value, access: Access) {
        self.put(var.name.into(), Some(var), value, access);
    }
    /// Sets a delay that clients can change, or only read when it is `fixed`.
    pub fn set_delay(&mut self, delay: &'static Delay, seconds: u32, fixed: bool) {
        let fixed = fixed || !delay.settable;
        let access = if fixed { Access::Read } else { Access::Write(Choice::Range(delay.least, delay.most)) };
        self.set_value(delay.var, Value::whole(seconds), access);
    }
    /// Removes a variable.
    pub fn remove(&mut self, name: &str) {
        if let Ok(at) = self.place(name) {
            let (name, _) = self.entries.remove(at);
            self.changes.push(Change::Removed(name));
        }
    }
    /// Offers commands that are not for the UPS.
    pub fn offer(&mut self, own: Vec<&'static str>) {
        let of_the_ups = self.commands.iter().filter(|name| !self.own.contains(name)).copied().collect();
        self.own = own;
        self.set_commands(of_the_ups);
    }
    /// Sets the instant commands of the UPS.
    pub fn set_commands(&mut self, mut commands: Vec<&'static str>) {
        commands.extend(&self.own);
        if commands == self.commands {
            return;
        }
        let gone = self.commands.iter().filter(|name| !commands.contains(name)).map(|name| (*name, false));
        let new = commands.iter().filter(|name| !self.commands.contains(name)).map(|name| (*name, true));
        self.changes.extend(gone.chain(new).map(|(name, offered)| Change::Command(name, offered)));
        self.commands = commands;
    }
    /// Whether these are the commands of the UPS.
    pub(crate) fn offers(&self, of_the_ups: &[&'static str]) -> bool {
        self.commands.iter().eq(of_the_ups.iter().chain(&self.own))
    }
    /// Says whether the data is stale.
    pub fn set_stale(&mut self, stale: bool) {
        if self.stale != stale {
            self.stale = stale;
            self.changes.push(Change::Stale(stale));
        }
    }

    /// Where a variable stands, or would stand.
    fn place(&self, name: &str) -> Result<usize, usize> {
        self.entries.binary_search_by(|(there, _)| there.as_ref().cmp(name))
    }

    fn put(&mut self, name: Cow<'static, str>, var: Option<&'static Var>, value: Value, access: Access) {
        let place = self.place(&name);
        match place.map(|at| &mut self.entries[at].1) {
            Ok(old) if old.value.is_same(&value) && old.access == access => {}
            Ok(old) => {
                let text = value.to_string().into_boxed_str();
                match old.access == access {
                    true if old.text == text => {}
                    true => self.changes.push(Change::Set(name)),
                    false => self.changes.extend([Change::Removed(name.clone()), Change::New(name)]),
                }
                (old.value, old.access, old.text) = (value, access, text);
            }
            Err(at) => {
                let (var, text) = (var.or_else(|| named(&name)), value.to_string().into_boxed_str());
                self.changes.push(Change::New(name.clone()));
                if self.entries.len() == self.entries.capacity() {
                    self.entries.reserve_exact(GROWS);
                }
                self.entries.insert(at, (name, Entry { value, var, access, text }));
            }
        }
    }
}
