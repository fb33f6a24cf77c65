//! Readings: what one reply says.

use crate::vocabulary::status::{Alarm, StatusSet};
use crate::vocabulary::value::{Decimal, Value};
use crate::vocabulary::variable::Var;

/// What one reply says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Readings {
    /// The variables it speaks of; `None` where the UPS says that it does not know.
    pub values: Vec<(&'static Var, Option<Value>)>,
    /// The status words that are present.
    pub status: StatusSet,
    /// The status words it speaks of, present or not.
    pub covers: StatusSet,
    /// The alarms it raises.
    pub alarms: Vec<Alarm>,
}

impl Readings {
    /// What it says of `var`, if it does.
    pub fn value(&self, var: &Var) -> Option<&Value> {
        self.values.iter().find(|(v, _)| *v == var).and_then(|(_, value)| value.as_ref())
    }
    /// The number it says of `var`, if it does.
    pub fn number(&self, var: &Var) -> Option<Decimal> {
        self.value(var).and_then(Value::number)
    }
    /// Whether the other one says the same, with the same texts: `27.5` and `27.50` are equal, and not the same.
    pub(crate) fn is_same(&self, other: &Readings) -> bool {
        let same_value = |one: &Option<Value>, other: &Option<Value>| match (one, other) {
            (Some(this), Some(that)) => this.is_same(that),
            (this, that) => this.is_none() && that.is_none(),
        };
        (self.status, self.covers) == (other.status, other.covers)
            && self.alarms == other.alarms
            && self.values.len() == other.values.len()
            && self
                .values
                .iter()
                .zip(&other.values)
                .all(|(one, other)| one.0 == other.0 && same_value(&one.1, &other.1))
    }
    /// Says it.
    pub fn say(&mut self, var: &'static Var, value: Option<Value>) {
        match self.values.iter_mut().find(|(v, _)| *v == var) {
            Some(said) => said.1 = value,
            None => {
                // nearly always the only one
                if self.values.is_empty() {
                    self.values.reserve_exact(1);
                }
                self.values.push((var, value));
            }
        }
    }
    /// Says what another one says as well.
    pub fn join(&mut self, other: &Readings) {
        self.status = self.status.or(other.status);
        self.covers = self.covers.or(other.covers);
        self.alarms.extend(&other.alarms);
        for (var, value) in &other.values {
            self.say(var, value.clone());
        }
    }
}
