//! Whose word the figures are by which the battery may be low.

use super::reckoning::BothReckoned;
use crate::vocabulary::variable::{BATTERY_CHARGE, BATTERY_RUNTIME, Var};

/// Whose word a figure is that may decide that the battery is low.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// The UPS says it, or the administrator.
    Said,
    /// The model, which knows this battery.
    Estimated,
}

/// The same for charge and runtime; none for a guess, which decides nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trust {
    pub charge: Option<Word>,
    pub runtime: Option<Word>,
    /// Whether the UPS knows them in this outage.
    pub reckoned: BothReckoned,
    /// The volts are those of an empty battery, of whatever size.
    pub is_at_its_end: bool,
}

impl Trust {
    /// Volts are always said.
    pub(super) fn of(self, var: &Var) -> Option<Word> {
        match var {
            var if *var == BATTERY_CHARGE => self.charge,
            var if *var == BATTERY_RUNTIME => self.runtime,
            _ => Some(Word::Said),
        }
    }
}
