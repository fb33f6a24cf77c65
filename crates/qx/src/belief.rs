//! Belief: which reading is believed at once, and which only when asked again.
//!
//! These dialects have no checksum. One flipped bit makes a 1 of a 0, and a lost byte shifts
//! columns. So a reading that surprises (another status, an alarm, a number that leaps, a form
//! that was not drawn) is asked again at once, and believed when two in a row agree. A true outage
//! costs one exchange more; noise has to strike twice in the same place.

use crate::read::{Fit, Form, Readings};
use crate::status::{Status, StatusSet};
use crate::value::Value;
use crate::variable::{Unit, Var};

/// At most so many odd forms are remembered for one query.
const FORMS: usize = 8;

/// What is believed of the replies to one query.
#[derive(Clone, Debug, Default)]
pub struct Belief {
    forms: Vec<Form>,
    doubted: Option<Fit>,
}

/// Whether a reading is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is.
    Believed,
    /// Ask again.
    AskAgain,
}

impl Belief {
    /// Judges a reading by the `last` one believed. On a line that was seen to be `noisy` even a
    /// first reading has to come twice.
    pub fn judge(&mut self, fit: &Fit, last: Option<&Readings>, noisy: bool) -> Verdict {
        let known_form = fit.odd.as_ref().is_none_or(|form| self.forms.contains(form));
        let expected = match last {
            Some(last) => alike(&fit.readings, last),
            None => quiet(&fit.readings) && !noisy,
        };
        let confirmed = || {
            let agrees = |doubted: &Fit| doubted.odd == fit.odd && alike(&doubted.readings, &fit.readings);
            self.doubted.as_ref().is_some_and(agrees)
        };
        if (known_form && expected) || confirmed() {
            self.doubted = None;
            self.learn(fit.odd.as_ref());
            Verdict::Believed
        } else {
            self.doubted = Some(fit.clone());
            Verdict::AskAgain
        }
    }

    /// Forgets a doubted reading: what comes next is not to be compared with it.
    pub fn forget_doubt(&mut self) {
        self.doubted = None;
    }

    /// Takes an odd form for the way this UPS draws.
    pub fn learn(&mut self, form: Option<&Form>) {
        if let Some(form) = form.filter(|form| !self.forms.contains(form)) {
            if self.forms.len() == FORMS {
                self.forms.remove(0);
            }
            self.forms.push(form.clone());
        }
    }
}

/// A first reading that raises nothing.
fn quiet(readings: &Readings) -> bool {
    let raised = readings.status.and(readings.covers).without(Status::Online);
    let online = readings.status.has(Status::Online) || !readings.covers.has(Status::Online);
    online && raised == StatusSet::EMPTY && readings.alarms.is_empty()
}

/// Whether two readings say the same, but for numbers that drift.
pub fn alike(one: &Readings, other: &Readings) -> bool {
    one.status == other.status
        && one.alarms == other.alarms
        && one.values.len() == other.values.len()
        && one.values.iter().zip(&other.values).all(|((var, a), (same, b))| {
            var == same
                && match (a, b) {
                    (Some(Value::Number(a)), Some(Value::Number(b))) => near(var, a.as_f64(), b.as_f64()),
                    _ => a == b,
                }
        })
}

/// Whether a number may drift from one value to the other without a leap.
fn near(var: &Var, one: f64, other: f64) -> bool {
    let allowed = match var.unit {
        Unit::Volt => one.abs().max(other.abs()) / 8.0,
        Unit::Hertz => 1.0,
        Unit::Celsius => 5.0,
        Unit::Percent => 20.0,
        _ => one.abs().max(other.abs()) / 4.0,
    };
    (one - other).abs() <= allowed
}
