//! What a UPS says now, of what is sampled.

use crate::fleet::Source;
use history::{LoadPower, LoadReadings, Provenance, Quantity, SampledValue, SeriesKey, power_of};

/// The values of one moment.
#[derive(Debug, Default)]
pub(super) struct Readout {
    values: Vec<SampledValue>,
    power: Option<LoadPower>,
}

impl Readout {
    /// Of a load alone.
    #[cfg(test)]
    pub fn of_power(power: LoadPower) -> Readout {
        Readout { values: vec![], power: Some(power) }
    }

    /// Reads them. A value of which it is not known whose word it is is left out.
    pub fn of(source: &dyn Source) -> Readout {
        let read = |name: &str| {
            let mut number = None;
            source.variable(name, &mut |variable| number = variable.value.trim().parse::<f64>().ok());
            number.filter(|number| number.is_finite())
        };
        let mut readout = Readout::default();
        for quantity in Quantity::ALL {
            let Some(value) = read(quantity.variable()) else { continue };
            let Some(is_said) = source.is_said(quantity.variable()) else { continue };
            let provenance = if is_said { Provenance::Said } else { Provenance::Computed };
            readout.values.push(SampledValue { key: SeriesKey { quantity, provenance }, value });
        }
        let real = readout.get(Quantity::RealPower);
        let power = power_of(LoadReadings {
            real_w: real.filter(|(_, whose)| *whose == Provenance::Said).map(|(watts, _)| watts),
            apparent_va: read("ups.power"),
            factor: read("output.powerfactor"),
            load_percent: readout.load().map(|(load, _)| load),
            nominal_w: read("ups.realpower.nominal"),
        });
        let computed = real.map(|(watts, provenance)| LoadPower { watts, provenance });
        readout.power = power.filter(|power| power.provenance == Provenance::Said).or(computed).or(power);
        if let Some(LoadPower { watts, provenance }) = readout.power.filter(|_| real.is_none()) {
            let key = SeriesKey { quantity: Quantity::RealPower, provenance };
            readout.values.push(SampledValue { key, value: watts });
        }
        readout
    }

    fn get(&self, quantity: Quantity) -> Option<(f64, Provenance)> {
        let found = self.values.iter().find(|sample| sample.key.quantity == quantity);
        found.map(|sample| (sample.value, sample.key.provenance))
    }

    /// All of them.
    pub fn samples(&self) -> impl Iterator<Item = SampledValue> {
        self.values.iter().copied()
    }

    /// The power of the load.
    pub fn power(&self) -> Option<LoadPower> {
        self.power
    }

    /// Charge in percent, and whose word it is.
    pub fn charge(&self) -> Option<(f64, Provenance)> {
        self.get(Quantity::Charge)
    }

    /// Volts of the battery, and whose word they are.
    pub fn battery_voltage(&self) -> Option<(f64, Provenance)> {
        self.get(Quantity::BatteryVoltage)
    }

    /// Load in percent, and whose word it is.
    pub fn load(&self) -> Option<(f64, Provenance)> {
        self.get(Quantity::Load)
    }
}
