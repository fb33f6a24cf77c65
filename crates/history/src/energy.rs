//! Energy of the load, counted from its power.

use crate::quantity::Provenance;
use std::time::Duration;

/// Power that was read counts for so long at most: what a UPS took while it was not heard is not known.
const LONGEST: Duration = Duration::from_secs(30);

/// The real power of a load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LoadPower {
    /// In watts, 0 or more.
    pub watts: f64,
    /// Whether the UPS says it, or it was computed from what it says.
    pub provenance: Provenance,
}

/// What a UPS says of its load.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LoadReadings {
    /// `ups.realpower` in watts.
    pub real_w: Option<f64>,
    /// `ups.power` in volt-amperes.
    pub apparent_va: Option<f64>,
    /// `output.powerfactor`, 0 to 1.
    pub factor: Option<f64>,
    /// `ups.load` in percent.
    pub load_percent: Option<f64>,
    /// `ups.realpower.nominal` in watts.
    pub nominal_w: Option<f64>,
}

/// The real power: as the UPS says it, else its apparent power by its power factor, else its load by its rating. None
/// where none of that is said: no factor is assumed.
pub fn power_of(said: LoadReadings) -> Option<LoadPower> {
    let computed = said
        .apparent_va
        .zip(said.factor.filter(|factor| (0.0..=1.0).contains(factor)))
        .map(|(power, factor)| power * factor)
        .or_else(|| said.load_percent.zip(said.nominal_w).map(|(load, nominal)| load / 100.0 * nominal));
    let power = said
        .real_w
        .map(|watts| LoadPower { watts, provenance: Provenance::Said })
        .or_else(|| computed.map(|watts| LoadPower { watts, provenance: Provenance::Computed }));
    power.filter(|power| power.watts.is_finite() && (0.0..1e8).contains(&power.watts))
}

/// Counts energy by a clock that no one sets.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct EnergyMeter {
    last: Option<(Duration, LoadPower)>,
}

impl EnergyMeter {
    /// The power from now on; none when it is not known. Returns the watt-hours since the last call, by the power that
    /// was said then.
    pub fn count(&mut self, now: Duration, power: Option<LoadPower>) -> Option<(f64, Provenance)> {
        let before = self.last.take();
        self.last = power.map(|power| (now, power));
        let (since, power) = before?;
        let passed = now.checked_sub(since)?.min(LONGEST);
        Some((power.watts * passed.as_secs_f64() / 3600.0, power.provenance))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn no_power_factor_is_assumed() {
        let said = LoadReadings { apparent_va: Some(500.0), ..LoadReadings::default() };
        assert_eq!(power_of(said), None);
        let with = LoadReadings { factor: Some(0.8), ..said };
        let computed = |watts| Some(LoadPower { watts, provenance: Provenance::Computed });
        assert_eq!(power_of(with), computed(400.0));
        assert_eq!(power_of(LoadReadings { factor: Some(80.0), ..said }), None);
        let rated =
            LoadReadings { load_percent: Some(25.0), nominal_w: Some(2000.0), ..LoadReadings::default() };
        assert_eq!(power_of(rated), computed(500.0));
        let real = LoadReadings { real_w: Some(333.0), ..rated };
        assert_eq!(power_of(real), Some(LoadPower { watts: 333.0, provenance: Provenance::Said }));
        for wrong in [-1.0, f64::NAN, 1e300] {
            assert_eq!(power_of(LoadReadings { real_w: Some(wrong), ..LoadReadings::default() }), None);
        }
    }

    proptest! {
        /// 360 W are 0.1 Wh a second, however often is looked, and what was not seen is not counted.
        #[test]
        fn how_often_is_looked_makes_no_difference(steps in proptest::collection::vec(1_u64..45_000, 1..50)) {
            let power = power_of(LoadReadings { real_w: Some(360.0), ..LoadReadings::default() });
            let (mut meter, mut now, mut counted) = (EnergyMeter::default(), Duration::ZERO, 0.0);
            meter.count(now, power);
            for step in &steps {
                now += Duration::from_millis(*step);
                counted += meter.count(now, power).unwrap().0;
            }
            let seen: u64 = steps.iter().map(|step| (*step).min(30_000)).sum();
            prop_assert!((counted - seen as f64 / 10_000.0).abs() < 1e-6, "{counted} {seen}");
        }
    }

    #[test]
    fn a_gap_is_not_counted() {
        let power = power_of(LoadReadings { real_w: Some(360.0), ..LoadReadings::default() });
        let mut meter = EnergyMeter::default();
        assert_eq!(meter.count(Duration::from_secs(1), power), None);
        assert!(meter.count(Duration::from_secs(2), None).is_some());
        assert_eq!(meter.count(Duration::from_secs(9000), power), None);
    }
}
