//! What is sampled, and who says it.

use std::fmt;

/// A quantity of which samples are kept. The numbers stand in files: none is ever given a second meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Quantity {
    /// Volts of mains.
    InputVoltage = 1,
    /// Volts at the load.
    OutputVoltage = 2,
    /// Load in percent.
    Load = 3,
    /// Charge of the battery in percent.
    Charge = 4,
    /// Volts of the battery.
    BatteryVoltage = 5,
    /// Temperature of the UPS in degrees Celsius.
    Temperature = 6,
    /// Seconds that the battery lasts.
    Runtime = 7,
    /// Real power of the load in watts.
    RealPower = 8,
    /// Frequency of mains in hertz.
    InputFrequency = 9,
    /// Frequency at the load in hertz.
    OutputFrequency = 10,
}

use Quantity::{
    BatteryVoltage, Charge, InputFrequency, InputVoltage, Load, OutputFrequency, OutputVoltage, RealPower,
    Runtime, Temperature,
};

impl Quantity {
    /// All of them.
    pub const ALL: [Quantity; 10] = [
        InputVoltage,
        OutputVoltage,
        Load,
        Charge,
        BatteryVoltage,
        Temperature,
        Runtime,
        RealPower,
        InputFrequency,
        OutputFrequency,
    ];

    /// NUT's name of the variable.
    pub const fn variable(self) -> &'static str {
        match self {
            InputVoltage => "input.voltage",
            OutputVoltage => "output.voltage",
            Load => "ups.load",
            Charge => "battery.charge",
            BatteryVoltage => "battery.voltage",
            Temperature => "ups.temperature",
            Runtime => "battery.runtime",
            RealPower => "ups.realpower",
            InputFrequency => "input.frequency",
            OutputFrequency => "output.frequency",
        }
    }

    /// The unit of its values.
    pub const fn unit(self) -> &'static str {
        match self {
            InputVoltage | OutputVoltage | BatteryVoltage => "V",
            Load | Charge => "%",
            Temperature => "°C",
            Runtime => "s",
            RealPower => "W",
            InputFrequency | OutputFrequency => "Hz",
        }
    }

    /// So many decimals are kept.
    pub const fn decimals(self) -> u8 {
        match self {
            InputVoltage | OutputVoltage | Load | Charge | Temperature => 1,
            BatteryVoltage | InputFrequency | OutputFrequency => 2,
            Runtime | RealPower => 0,
        }
    }

    /// The quantity of a variable.
    pub fn named(variable: &str) -> Option<Quantity> {
        Quantity::ALL.into_iter().find(|quantity| quantity.variable().eq_ignore_ascii_case(variable))
    }

    fn of_code(code: u8) -> Option<Quantity> {
        Quantity::ALL.into_iter().find(|quantity| *quantity as u8 == code)
    }

    /// A value as it is kept: in units of the last decimal. None of what is no number or beyond any UPS.
    pub fn scaled(self, value: f64) -> Option<i32> {
        const MOST: f64 = 1e9;
        let scaled = (value * self.step_inverse()).round();
        // it fits: the bound is below that of i32
        #[allow(clippy::cast_possible_truncation)]
        (scaled.is_finite() && scaled.abs() <= MOST).then_some(scaled as i32)
    }

    /// A kept value in its unit.
    pub fn value(self, scaled: f64) -> f64 {
        scaled / self.step_inverse()
    }

    fn step_inverse(self) -> f64 {
        10_f64.powi(i32::from(self.decimals()))
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.variable())
    }
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Provenance {
    /// The UPS says it; of a driver that is another process, or of another server: it does.
    Said,
    /// It was computed or estimated here.
    Computed,
}

impl Provenance {
    /// In one word.
    pub const fn word(self) -> &'static str {
        match self {
            Provenance::Said => "said",
            Provenance::Computed => "computed",
        }
    }
}

/// Which series of a UPS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesKey {
    /// Of what.
    pub quantity: Quantity,
    /// Whose word it is.
    pub provenance: Provenance,
}

/// This bit of a code says that values are computed.
const COMPUTED: u8 = 0x80;

impl SeriesKey {
    /// A series of what the UPS says.
    pub const fn said(quantity: Quantity) -> SeriesKey {
        SeriesKey { quantity, provenance: Provenance::Said }
    }

    /// A series of what was computed.
    pub const fn computed(quantity: Quantity) -> SeriesKey {
        SeriesKey { quantity, provenance: Provenance::Computed }
    }

    pub(crate) fn code(self) -> u8 {
        let computed = if self.provenance == Provenance::Computed { COMPUTED } else { 0 };
        self.quantity as u8 | computed
    }

    pub(crate) fn of_code(code: u8) -> Option<SeriesKey> {
        let provenance = if code & COMPUTED == 0 { Provenance::Said } else { Provenance::Computed };
        Quantity::of_code(code & !COMPUTED).map(|quantity| SeriesKey { quantity, provenance })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_lead_back() {
        for quantity in Quantity::ALL {
            for key in [SeriesKey::said(quantity), SeriesKey::computed(quantity)] {
                assert_eq!(SeriesKey::of_code(key.code()), Some(key));
            }
            assert_eq!(Quantity::named(&quantity.variable().to_uppercase()), Some(quantity));
        }
        assert_eq!((SeriesKey::of_code(0), SeriesKey::of_code(0x7f)), (None, None));
    }

    #[test]
    fn what_is_no_number_of_a_ups_is_not_kept() {
        assert_eq!(InputVoltage.scaled(229.96), Some(2300));
        assert_eq!(Runtime.scaled(1800.4), Some(1800));
        for wrong in [f64::NAN, f64::INFINITY, -1e300, 1e12] {
            assert_eq!(InputVoltage.scaled(wrong), None);
        }
    }
}
