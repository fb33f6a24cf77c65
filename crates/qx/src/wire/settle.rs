//! Settling what the bit "boost, trim or bypass" leaves open.

use crate::vocabulary::status::Status;
use crate::vocabulary::variable::{INPUT_L1_N_VOLTAGE, INPUT_VOLTAGE, OUTPUT_L1_N_VOLTAGE, OUTPUT_VOLTAGE};
use crate::wire::fact::{Facts, Raised};

/// By the ratio of output to input voltage; a ratio outside of all bounds says nothing.
pub fn by_ratio(facts: &Facts, raised: &mut Raised) {
    if let Some(status) = take_regulating(raised).then(|| regulation(facts)).flatten() {
        raised.status = raised.status.with(status);
    }
}

/// Whether the UPS regulates; the mark is taken off.
pub fn take_regulating(raised: &mut Raised) -> bool {
    let regulating = raised.status.has(Status::Regulating);
    raised.status = raised.status.without(Status::Regulating);
    regulating
}

/// Which of trim, bypass and boost the voltages show; the bounds are those of
/// `nutdrv_qx_blazer-common.c` (2.8.0). A ratio outside of all of them says nothing: NUT fails
/// the whole poll there. Units of three phases show it in their first.
pub fn regulation(facts: &Facts) -> Option<Status> {
    let input = facts.f64(&INPUT_VOLTAGE).or_else(|| facts.f64(&INPUT_L1_N_VOLTAGE))?;
    let output = facts.f64(&OUTPUT_VOLTAGE).or_else(|| facts.f64(&OUTPUT_L1_N_VOLTAGE))?;
    match output {
        _ if input <= 0.0 || output < 0.5 * input => None,
        _ if output < 0.95 * input => Some(Status::Trim),
        _ if output < 1.05 * input => Some(Status::Bypass),
        _ if output < 1.5 * input => Some(Status::Boost),
        _ => None,
    }
}
