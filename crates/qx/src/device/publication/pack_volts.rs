//! The volts that `lowbatt_voltage` is compared with: those of the battery for which it was set, and not of a cell of it.

use crate::device::battery::RatedBank;

/// A battery that carries the load keeps more than this part of the volts that it had: fewer are those of one cell, or the
/// UPS drew the number otherwise.
const STILL_THE_BATTERY: f64 = 0.5;
/// A bound for a battery is not far above what it has: a cell of 2 V has at least 1.5 under load, and a bound is 2.1 V for it
/// at most. Volts that never were so many are those of a cell, or of a block.
const OF_THE_BOUND: f64 = 0.7;

/// What is remembered of the volts that were shown.
#[derive(Debug, Default)]
pub(super) struct PackVolts {
    /// On mains, or the most in an outage since the driver started.
    reference: Option<f64>,
}

/// Volts beside a bound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum VoltsForBound {
    /// They can be compared with it: so many, and how often what is shown makes them up.
    Are(f64, f64),
    /// They cannot be this battery's, which had so many.
    LessThanItHas(f64),
    /// They are those of a part of the battery for which the bound is.
    OfAPart,
}

impl PackVolts {
    /// Takes the volts that are shown on mains.
    pub(super) fn on_mains(&mut self, volts: Option<f64>) {
        self.reference = volts.or(self.reference);
    }

    /// The same on battery.
    pub(super) fn on_battery(&mut self, volts: Option<f64>) {
        self.reference = volts.into_iter().chain(self.reference).reduce(f64::max);
    }

    /// How these volts are compared with a bound. Of a bank that is known, the bound is for all of it, or for what the
    /// UPS shows of it.
    pub(super) fn for_bound(&self, volts: f64, bound: f64, bank: Option<RatedBank>) -> VoltsForBound {
        let whole = bank.filter(|bank| bound > bank.nominal / 2.0);
        let times = whole.map_or(1.0, |bank| bank.times);
        let reference = self.reference.unwrap_or(volts);
        if volts <= 0.0 || volts < STILL_THE_BATTERY * reference {
            VoltsForBound::LessThanItHas(reference)
        } else if times * reference < OF_THE_BOUND * bound {
            VoltsForBound::OfAPart
        } else {
            VoltsForBound::Are(times * volts, times)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on_mains(volts: f64) -> PackVolts {
        PackVolts { reference: Some(volts) }
    }

    #[test]
    fn a_bound_is_compared_with_volts_of_its_own_kind() {
        let bank = |times, nominal| Some(RatedBank { times, nominal });
        let cases = [
            (on_mains(27.5), 20.0, 21.0, bank(1.0, 24.0), VoltsForBound::Are(20.0, 1.0)),
            (on_mains(27.5), 20.0, 21.0, None, VoltsForBound::Are(20.0, 1.0)),
            (on_mains(27.5), 14.0, 22.0, None, VoltsForBound::Are(14.0, 1.0)),
            (on_mains(27.5), 2.13, 22.0, bank(1.0, 24.0), VoltsForBound::LessThanItHas(27.5)),
            (on_mains(27.5), 0.0, 22.0, None, VoltsForBound::LessThanItHas(27.5)),
            // a cell, or a block of 12 V, of a bank that is known
            (on_mains(2.27), 2.0, 22.0, bank(12.0, 24.0), VoltsForBound::Are(24.0, 12.0)),
            (on_mains(13.6), 12.0, 21.0, bank(2.0, 24.0), VoltsForBound::Are(24.0, 2.0)),
            // of one that is not
            (on_mains(2.27), 2.0, 22.0, None, VoltsForBound::OfAPart),
            (PackVolts::default(), 12.6, 21.0, None, VoltsForBound::OfAPart),
            (PackVolts::default(), 20.0, 21.0, None, VoltsForBound::Are(20.0, 1.0)),
            // a bound for what the UPS shows
            (on_mains(2.27), 2.0, 1.8, bank(12.0, 24.0), VoltsForBound::Are(2.0, 1.0)),
            (on_mains(13.6), 12.0, 10.5, bank(2.0, 24.0), VoltsForBound::Are(12.0, 1.0)),
            (on_mains(2.27), 2.0, 1.8, None, VoltsForBound::Are(2.0, 1.0)),
        ];
        for (known, volts, bound, bank, right) in cases {
            assert_eq!(known.for_bound(volts, bound, bank), right, "{volts} {bound} {bank:?}");
        }
    }
}
