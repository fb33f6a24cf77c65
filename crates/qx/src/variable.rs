//! The variables: NUT's name, unit, decimals and a sentence, each said once for every publisher.

/// What a number measures; numbers without a unit are plain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Text, or a number that measures nothing.
    None,
    /// Volts.
    Volt,
    /// Amperes.
    Ampere,
    /// Hertz.
    Hertz,
    /// Percent.
    Percent,
    /// Degrees Celsius.
    Celsius,
    /// Seconds.
    Second,
}

impl Unit {
    /// The sign that is printed behind a number.
    pub const fn sign(self) -> &'static str {
        match self {
            Unit::None => "",
            Unit::Volt => "V",
            Unit::Ampere => "A",
            Unit::Hertz => "Hz",
            Unit::Percent => "%",
            Unit::Celsius => "°C",
            Unit::Second => "s",
        }
    }
}

/// One NUT variable.
#[derive(Debug)]
pub struct Var {
    /// NUT's name, as `upsc` prints it.
    pub name: &'static str,
    /// The unit of its number.
    pub unit: Unit,
    /// How many decimals are published.
    pub places: u8,
    /// One sentence for users.
    pub about: &'static str,
}

impl PartialEq for Var {
    fn eq(&self, other: &Var) -> bool {
        self.name == other.name
    }
}
impl Eq for Var {}

macro_rules! variables {
    ($($id:ident $name:literal $unit:ident $places:literal $about:literal;)*) => {
        $(#[doc = concat!("`", $name, "`: ", $about)]
        pub static $id: Var = Var { name: $name, unit: Unit::$unit, places: $places, about: $about };)*
        /// Every variable, sorted by name.
        pub static ALL: &[&Var] = &[$(&$id),*];
    };
}

// Names from NUT's data/cmdvartab, decimals from the item tables of its drivers (2.8.0).
#[rustfmt::skip]
variables! {
    BATTERY_CHARGE          "battery.charge"          Percent 0 "Battery charge, estimated from the voltage where the UPS does not say it";
    BATTERY_CHARGE_LOW      "battery.charge.low"      Percent 0 "Charge below which the battery counts as low when ignorelb is set";
    BATTERY_PACKS           "battery.packs"           None    0 "Packs or cells in series, by which battery.voltage is multiplied for the estimates";
    BATTERY_RUNTIME         "battery.runtime"         Second  0 "Time left on battery, estimated when runtimecal is set";
    BATTERY_RUNTIME_LOW     "battery.runtime.low"     Second  0 "Time left below which the battery counts as low when ignorelb is set";
    BATTERY_VOLTAGE         "battery.voltage"         Volt    2 "Battery voltage; some units report one cell or one pack of the string";
    BATTERY_VOLTAGE_HIGH    "battery.voltage.high"    Volt    2 "Voltage of the full battery";
    BATTERY_VOLTAGE_LOW     "battery.voltage.low"     Volt    2 "Voltage of the empty battery";
    BATTERY_VOLTAGE_NOMINAL "battery.voltage.nominal" Volt    1 "Rated battery voltage";
    DEVICE_MFR              "device.mfr"              None    0 "Manufacturer";
    DEVICE_MODEL            "device.model"            None    0 "Model";
    DEVICE_TYPE             "device.type"             None    0 "Kind of device, always ups";
    INPUT_CURRENT_NOMINAL   "input.current.nominal"   Ampere  1 "Rated mains current";
    INPUT_FREQUENCY         "input.frequency"         Hertz   1 "Mains frequency";
    INPUT_FREQUENCY_NOMINAL "input.frequency.nominal" Hertz   0 "Rated mains frequency";
    INPUT_VOLTAGE           "input.voltage"           Volt    1 "Mains voltage";
    INPUT_VOLTAGE_FAULT     "input.voltage.fault"     Volt    1 "Mains voltage at the last transfer to battery";
    INPUT_VOLTAGE_NOMINAL   "input.voltage.nominal"   Volt    0 "Rated mains voltage";
    OUTPUT_VOLTAGE          "output.voltage"          Volt    1 "Output voltage";
    UPS_ALARM               "ups.alarm"               None    0 "What is wrong, in words";
    UPS_BEEPER_STATUS       "ups.beeper.status"       None    0 "Whether the beeper is enabled or disabled";
    UPS_DELAY_SHUTDOWN      "ups.delay.shutdown"      Second  0 "Wait before the load is switched off after a shutdown command";
    UPS_DELAY_START         "ups.delay.start"         Second  0 "Wait before the load is switched on again after a shutdown";
    UPS_FIRMWARE            "ups.firmware"            None    0 "Firmware";
    UPS_LOAD                "ups.load"                Percent 0 "Load";
    UPS_STATUS              "ups.status"              None    0 "Status words: OL on mains, OB on battery, LB battery low and so on";
    UPS_TEMPERATURE         "ups.temperature"         Celsius 1 "Temperature inside the UPS";
    UPS_TYPE                "ups.type"                None    0 "Topology";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_sorted_and_unique() {
        assert!(ALL.windows(2).all(|pair| pair[0].name < pair[1].name));
    }
}
