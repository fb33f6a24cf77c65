//! How the charge comes back on mains.
//!
//! UPS chargers are small: about 15 percent an hour while they give all they can, then less and
//! less. (Makers say four to eight hours to 90 percent.)

/// The share that is still missing after `seconds` of charging.
pub(crate) fn after(missing: f64, seconds: f64) -> f64 {
    let bulk = ((missing - BENDS_AT) / BULK_PER_S).clamp(0.0, seconds);
    let bent = missing - bulk * BULK_PER_S;
    bent * (-(seconds - bulk) * BULK_PER_S / BENDS_AT).exp()
}

/// What counts as nothing.
pub(crate) const FULL: f64 = 0.005;

const BULK_PER_S: f64 = 0.15 / 3600.0;
/// From here on the current falls.
const BENDS_AT: f64 = 0.2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_battery_takes_most_of_a_night_and_steps_do_not_matter() {
        assert!((after(1.0, 4.0 * 3600.0) - 0.4).abs() < 1e-9);
        assert!(after(1.0, 8.0 * 3600.0) > FULL && after(1.0, 11.0 * 3600.0) < FULL);
        let stepwise = (0..3600 * 6).fold(1.0, |missing, _| after(missing, 1.0));
        assert!((stepwise - after(1.0, 6.0 * 3600.0)).abs() < 1e-9);
    }
}
