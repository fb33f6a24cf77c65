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

/// What a reading is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Light<'a> {
    /// The last reading believed.
    pub last: Option<&'a Readings>,
    /// The line was seen to be noisy: even a first reading has to come twice.
    pub noisy: bool,
    /// The question was asked often enough: numbers that keep leaping are the UPS's own.
    pub last_try: bool,
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
    /// Judges a reading.
    pub fn judge(&mut self, fit: &Fit, light: Light) -> Verdict {
        let known_form = fit.odd.as_ref().is_none_or(|form| self.forms.contains(form));
        let expected = match light.last {
            Some(last) => alike(&fit.readings, last) || light.last_try && same_words(&fit.readings, last),
            None => quiet(&fit.readings) && !light.noisy,
        };
        if (known_form && expected) || self.is_confirmed(fit, light.last) {
            self.doubted = None;
            self.learn(fit.odd.as_ref());
            Verdict::Believed
        } else {
            self.doubted = Some(fit.clone());
            Verdict::AskAgain
        }
    }

    /// Whether the reading before said the same. While the status changes, voltages run, so then
    /// the numbers need not agree: they are right again with the next reading, but an outage must
    /// not wait for them.
    fn is_confirmed(&self, fit: &Fit, last: Option<&Readings>) -> bool {
        let Some(doubted) = self.doubted.as_ref().filter(|doubted| doubted.odd == fit.odd) else {
            return false;
        };
        let changes = last.is_none_or(|last| !same_words(&fit.readings, last));
        alike(&doubted.readings, &fit.readings) || changes && same_words(&doubted.readings, &fit.readings)
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
    compare(one, other, near)
}

/// Whether two readings say the same, but for numbers.
fn same_words(one: &Readings, other: &Readings) -> bool {
    compare(one, other, |_, _, _| true)
}

fn compare(one: &Readings, other: &Readings, numbers: impl Fn(&Var, f64, f64) -> bool) -> bool {
    one.status == other.status
        && one.alarms == other.alarms
        && one.values.len() == other.values.len()
        && one.values.iter().zip(&other.values).all(|((var, a), (same, b))| {
            var == same
                && match (a, b) {
                    (Some(Value::Number(a)), Some(Value::Number(b))) => numbers(var, a.as_f64(), b.as_f64()),
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
