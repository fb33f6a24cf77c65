//! A snapshot: the variables of one UPS with what they hold, before they go into the store.

use crate::vocabulary::value::Value;
use crate::vocabulary::variable::{Unit, Var};

/// What is published, numbers with as many decimals. So few that looking through them is the quickest.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Snapshot(pub Vec<(&'static Var, Value)>);

impl Snapshot {
    pub(super) fn value(&self, var: &Var) -> Option<&Value> {
        self.0.iter().find(|(there, _)| *there == var).map(|(_, value)| value)
    }

    /// The text that would be published.
    pub(super) fn text(&self, var: &Var) -> Option<String> {
        self.value(var).map(Value::to_string)
    }

    /// Writes it, in place of what stands there.
    pub(super) fn put(&mut self, var: &'static Var, value: Value) {
        match self.0.iter_mut().find(|(there, _)| *there == var) {
            Some((_, there)) => *there = value,
            None => self.0.push((var, value)),
        }
    }

    /// The same of a text, which is a number where the variable has a unit.
    pub(super) fn put_text(&mut self, var: &'static Var, text: String) {
        self.put(var, if var.unit == Unit::None { Value::Text(text) } else { Value::written(text) });
    }

    /// Writes it where nothing stands.
    pub(super) fn fill(&mut self, var: &'static Var, value: impl FnOnce() -> Value) {
        if self.value(var).is_none() {
            self.0.push((var, value()));
        }
    }

    pub(super) fn remove(&mut self, var: &Var) {
        self.0.retain(|(there, _)| *there != var);
    }

    pub(super) fn vars(&self) -> impl Iterator<Item = &&'static Var> {
        self.0.iter().map(|(var, _)| var)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(there, _)| there.name == name)
    }
}
