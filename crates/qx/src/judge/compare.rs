//! Whether two readings say the same.

use crate::vocabulary::value::Value;
use crate::vocabulary::variable::Var;
use crate::wire::drift::near;
use crate::wire::readings::Readings;

/// Whether two readings say the same, but for numbers that drift.
pub fn alike(one: &Readings, other: &Readings) -> bool {
    compare(one, other, near)
}

/// Whether two readings say the same, but for numbers that drift and, where there are such, for words: a bit that
/// follows the sound of the beeper is another one each time, or a letter.
pub fn alike_but_for_words(one: &Readings, other: &Readings) -> bool {
    let numbers = |readings: &Readings| -> Vec<(&'static Var, f64)> {
        let number = |(var, value): &(&'static Var, Option<Value>)| match value {
            Some(Value::Number(number)) => Some((*var, number.as_f64())),
            _ => None,
        };
        readings.values.iter().filter_map(number).collect()
    };
    let [ones, others] = [one, other].map(numbers);
    let same = ones.len() == others.len()
        && ones.iter().zip(&others).all(|((var, a), (same, b))| var == same && near(var, *a, *b));
    same && !ones.is_empty() || alike(one, other)
}

/// Whether two readings say the same, but for numbers.
pub fn same_words(one: &Readings, other: &Readings) -> bool {
    compare(one, other, |_, _, _| true)
}

pub(super) fn compare(one: &Readings, other: &Readings, numbers: impl Fn(&Var, f64, f64) -> bool) -> bool {
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
