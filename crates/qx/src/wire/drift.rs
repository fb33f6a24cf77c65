//! Drift: how far a measured number goes between two replies without anything having happened.

use crate::vocabulary::variable::{Unit, Var};

/// Whether a number may drift from one value to the other without a leap.
pub(crate) fn near(var: &Var, one: f64, other: f64) -> bool {
    let allowed = match var.unit {
        Unit::Volt => one.abs().max(other.abs()) / 8.0,
        Unit::Hertz => 1.0,
        Unit::Celsius => 5.0,
        Unit::Percent => 20.0,
        _ => one.abs().max(other.abs()) / 4.0,
    };
    (one - other).abs() <= allowed
}

/// Whether the one is the other but for the last digit of what a converter measures.
pub(crate) fn rests(one: f64, other: f64) -> bool {
    (one - other).abs() <= one.abs().max(other.abs()) / 200.0
}
