//! A sheet: the variables of one UPS with their texts, before they go into the store.

use crate::vocabulary::variable::Var;

/// What is published. So few that looking through them is the quickest.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sheet(pub Vec<(&'static Var, String)>);

impl Sheet {
    pub(super) fn text(&self, var: &Var) -> Option<&str> {
        self.0.iter().find(|(there, _)| *there == var).map(|(_, text)| text.as_str())
    }

    /// Writes it, in place of what stands there.
    pub(super) fn put(&mut self, var: &'static Var, text: String) {
        match self.0.iter_mut().find(|(there, _)| *there == var) {
            Some((_, there)) => *there = text,
            None => self.0.push((var, text)),
        }
    }

    /// Writes it where nothing stands.
    pub(super) fn fill(&mut self, var: &'static Var, text: impl FnOnce() -> String) {
        if self.text(var).is_none() {
            self.0.push((var, text()));
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
