//! The store: everything that is known of one UPS, for every publisher.

use crate::setting::Delay;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What clients may do with a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read it.
    Read,
    /// Set it to a whole number between these two.
    Range(u32, u32),
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
    /// This variable has a new value.
    Set(Cow<'static, str>),
    /// This variable is gone.
    Removed(Cow<'static, str>),
    /// The data is stale (true) or fresh.
    Stale(bool),
}

/// All variables and commands of one UPS. Changes are kept until a publisher takes them.
#[derive(Debug, Default)]
pub struct Store {
    entries: BTreeMap<Cow<'static, str>, Entry>,
    commands: Vec<&'static str>,
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
    /// Sets a delay that clients can change, or only read when it is `fixed`.
    pub fn set_delay(&mut self, delay: &'static Delay, seconds: u32, fixed: bool) {
        let access = if fixed { Access::Read } else { Access::Range(delay.least, delay.most) };
        self.put(delay.var.name.into(), Entry { text: seconds.to_string(), access });
    }
    /// Removes a variable.
    pub fn remove(&mut self, name: &str) {
        if let Some((name, _)) = self.entries.remove_entry(name) {
            self.changes.push(Change::Removed(name));
        }
    }
    /// Sets the instant commands.
    pub fn set_commands(&mut self, commands: Vec<&'static str>) {
        self.commands = commands;
    }
    /// Says whether the data is stale.
    pub fn set_stale(&mut self, stale: bool) {
        if self.stale != stale {
            self.stale = stale;
            self.changes.push(Change::Stale(stale));
        }
    }

    fn put(&mut self, name: Cow<'static, str>, entry: Entry) {
        if self.entries.get(&name) == Some(&entry) {
            return;
        }
        self.changes.push(Change::Set(name.clone()));
        self.entries.insert(name, entry);
    }
}
