//! The store: everything that is known of one UPS, for every publisher.

use crate::wire::setting::{Choice, Delay};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What clients may do with a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read it.
    Read,
    /// Set it to one of these.
    Write(Choice),
}

/// A variable in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its text, as published.
    pub text: String,
    /// What clients may do with it.
    pub access: Access,
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
    entries: BTreeMap<Cow<'static, str>, Entry>,
    commands: Vec<&'static str>,
    /// What the driver offers itself, besides the commands of the UPS.
    own: Vec<&'static str>,
    stale: bool,
    changes: Vec<Change>,
}

impl Store {
    /// The variable of that name.
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.get(name)
    }
    /// The text of the variable of that name.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.entries.get(name).map(|entry| entry.text.as_str())
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
        self.put(name.into(), Entry { text: text.into(), access: Access::Read });
    }
    /// Sets a variable that clients can change.
    pub fn set_writable(&mut self, name: &'static str, text: String, choice: Choice) {
        self.put(name.into(), Entry { text, access: Access::Write(choice) });
    }
    /// Sets a delay that clients can change, or only read when it is `fixed`.
    pub fn set_delay(&mut self, delay: &'static Delay, seconds: u32, fixed: bool) {
        let fixed = fixed || !delay.settable;
        let access = if fixed { Access::Read } else { Access::Write(Choice::Range(delay.least, delay.most)) };
        self.put(delay.var.name.into(), Entry { text: seconds.to_string(), access });
    }
    /// Removes a variable.
    pub fn remove(&mut self, name: &str) {
        if let Some((name, _)) = self.entries.remove_entry(name) {
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

    fn put(&mut self, name: Cow<'static, str>, entry: Entry) {
        match self.entries.get(&name) {
            Some(old) if *old == entry => return,
            Some(old) if old.access == entry.access => self.changes.push(Change::Set(name.clone())),
            old => {
                self.changes.extend(old.map(|_| Change::Removed(name.clone())));
                self.changes.push(Change::New(name.clone()));
            }
        }
        self.entries.insert(name, entry);
    }
}
