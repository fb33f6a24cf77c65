//! How the charge comes back on mains.
//!
//! UPS chargers are small: about 15 percent an hour while they give all they can, then less and
//! less. (Makers say four to eight hours to 90 percent.)

use crate::bank::Nature;

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

/// What the volts on mains say of the charger. UPSes read their battery up to some percent wrong, and chargers differ:
/// the most that this one holds is what counts for its own.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Charger {
    /// The most volts of a cell that lasted.
    level: Option<f64>,
    charging: bool,
    floating: bool,
    /// It held its own final volts for so long.
    held_s: f64,
}

/// The level follows what is above it in this time, and what is below in that.
const RISES_S: f64 = 600.0;
const SINKS_S: f64 = 20.0 * 86_400.0;
/// So far below its level a charger is at work; within that of it, it holds its final volts.
const WORKS_V: f64 = 0.10;
const HOLDS_V: f64 = 0.025;
/// What it holds for so long are its final volts, wherever they are.
const SETTLES_S: f64 = 3600.0;

impl Charger {
    /// Takes the volts of a cell on mains.
    pub fn take(&mut self, nature: &Nature, volts: f64, passed: f64) {
        let before = self.level.unwrap_or(volts);
        let time = if volts > before { RISES_S } else { SINKS_S };
        let level = before + (1.0 - (-passed / time).exp()) * (volts - before);
        self.level = Some(level);
        let own = level >= nature.rest_v;
        self.charging = volts >= nature.charging_v || own && volts >= level - WORKS_V;
        let holds = own && volts >= level - HOLDS_V && level >= volts - HOLDS_V;
        self.held_s = if holds { self.held_s + passed } else { 0.0 };
        self.floating = volts >= nature.float_v || self.held_s >= SETTLES_S;
    }

    /// The battery is being charged, or full.
    pub fn charges(&self) -> bool {
        self.charging
    }

    /// The charger holds its final volts.
    pub fn floats(&self) -> bool {
        self.floating
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Chemistry;

    #[test]
    fn an_empty_battery_takes_most_of_a_night_and_steps_do_not_matter() {
        assert!((after(1.0, 4.0 * 3600.0) - 0.4).abs() < 1e-9);
        assert!(after(1.0, 8.0 * 3600.0) > FULL && after(1.0, 11.0 * 3600.0) < FULL);
        let stepwise = (0..3600 * 6).fold(1.0, |missing, _| after(missing, 1.0));
        assert!((stepwise - after(1.0, 6.0 * 3600.0)).abs() < 1e-9);
    }

    #[test]
    fn a_charger_is_known_by_its_own_volts() {
        let nature = Chemistry::LeadAcid.nature();
        // float, whether it charges, and whether it holds them
        for (volts, charges, floats) in [(2.27, true, true), (2.10, true, true), (1.9, false, false)] {
            let mut charger = Charger::default();
            (0..600).for_each(|_| charger.take(nature, volts, 60.0));
            assert_eq!((charger.charges(), charger.floats()), (charges, floats), "{volts}");
            charger.take(nature, volts - 0.2, 60.0);
            assert!(!charger.floats(), "{volts}");
        }
    }
}
