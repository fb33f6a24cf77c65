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
    /// Watts.
    Watt,
    /// Volt-amperes.
    VoltAmpere,
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
            Unit::Watt => "W",
            Unit::VoltAmpere => "VA",
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
    /// Whether clients see it. What is kept is for conditions, limits and the log.
    pub public: bool,
}

impl PartialEq for Var {
    /// Each variable is there once, in this file.
    fn eq(&self, other: &Var) -> bool {
        std::ptr::eq(self, other)
    }
}
impl Eq for Var {}

macro_rules! variables {
    ($(#[$about_list:meta])* $list:ident, public: $public:literal;
     $($id:ident $name:literal $unit:ident $places:literal $about:literal;)*) => {
        $(#[doc = concat!("`", $name, "`: ", $about)]
        pub static $id: Var =
            Var { name: $name, unit: Unit::$unit, places: $places, about: $about, public: $public };)*
        $(#[$about_list])*
        pub static $list: &[&Var] = &[$(&$id),*];
    };
}

// Names from NUT's data/cmdvartab and the item tables of its drivers (2.8.0, and the newest source for
// the dialects that only it has); decimals from these tables.
#[rustfmt::skip]
variables! {
    /// Every variable that is published, sorted by name.
    ALL, public: true;
    AMBIENT_0_TEMPERATURE                                 "ambient.0.temperature"                                 Celsius    1 "Temperature at the sensor of the UPS";
    AMBIENT_0_TEMPERATURE_HIGH                            "ambient.0.temperature.high"                            Celsius    0 "Highest temperature allowed";
    AMBIENT_0_TEMPERATURE_LOW                             "ambient.0.temperature.low"                             Celsius    0 "Lowest temperature allowed";
    BATTERY_CHARGE                                        "battery.charge"                                        Percent    0 "Battery charge, estimated from the voltage where the UPS does not say it";
    BATTERY_CHARGE_LOW                                    "battery.charge.low"                                    Percent    0 "Charge below which the battery counts as low when ignorelb is set";
    BATTERY_CHARGING_CURRENT_AC_HIGH                      "battery.charging.current.ac.high"                      Ampere     1 "Highest charging current from mains";
    BATTERY_CHARGING_CURRENT_HIGH                         "battery.charging.current.high"                         Ampere     1 "Highest charging current";
    BATTERY_CURRENT                                       "battery.current"                                       Ampere     1 "Battery current";
    BATTERY_DATE                                          "battery.date"                                          None       0 "Date of the battery";
    BATTERY_ENERGYSAVE                                    "battery.energysave"                                    None       0 "Whether the UPS switches off without load";
    BATTERY_NUMBER                                        "battery.number"                                        None       0 "Batteries in the unit";
    BATTERY_PACKS                                         "battery.packs"                                         None       0 "Packs or cells in series, by which battery.voltage is multiplied for the estimates";
    BATTERY_PROTECTION                                    "battery.protection"                                    None       0 "Whether the battery is protected from deep discharge";
    BATTERY_RUNTIME                                       "battery.runtime"                                       Second     0 "Time left on battery, estimated by runtimecal, or from measured outages";
    BATTERY_RUNTIME_LOW                                   "battery.runtime.low"                                   Second     0 "Time left below which the battery counts as low when ignorelb is set";
    BATTERY_TEMPERATURE                                   "battery.temperature"                                   Celsius    0 "Temperature of the battery";
    BATTERY_TEST_STATUS                                   "battery.test.status"                                   None       0 "Outcome of the last battery test";
    BATTERY_TYPE                                          "battery.type"                                          None       0 "Chemistry of the battery";
    BATTERY_VOLTAGE                                       "battery.voltage"                                       Volt       2 "Battery voltage; some units report one cell or one pack of the string";
    BATTERY_VOLTAGE_BULK                                  "battery.voltage.bulk"                                  Volt       1 "Voltage of bulk charging";
    BATTERY_VOLTAGE_FLOAT                                 "battery.voltage.float"                                 Volt       1 "Voltage of float charging";
    BATTERY_VOLTAGE_HIGH                                  "battery.voltage.high"                                  Volt       2 "Voltage of the full battery";
    BATTERY_VOLTAGE_LOW                                   "battery.voltage.low"                                   Volt       2 "Voltage of the empty battery";
    BATTERY_VOLTAGE_NOMINAL                               "battery.voltage.nominal"                               Volt       1 "Rated battery voltage";
    BATTERY_VOLTAGE_RECHARGE                              "battery.voltage.recharge"                              Volt       1 "Voltage below which mains takes over and charges";
    BATTERY_VOLTAGE_UNDER                                 "battery.voltage.under"                                 Volt       1 "Voltage at which the unit switches off";
    DEVICE_DESCRIPTION                                    "device.description"                                    None       0 "What the device is";
    DEVICE_FIRMWARE                                       "device.firmware"                                       None       0 "Firmware";
    DEVICE_FIRMWARE_AUX                                   "device.firmware.aux"                                   None       0 "Protocol version";
    DEVICE_FIRMWARE_MAIN                                  "device.firmware.main"                                  None       0 "Firmware of the main processor";
    DEVICE_FIRMWARE_SCC1                                  "device.firmware.scc1"                                  None       0 "Firmware of solar charger 1";
    DEVICE_FIRMWARE_SCC2                                  "device.firmware.scc2"                                  None       0 "Firmware of solar charger 2";
    DEVICE_FIRMWARE_SCC3                                  "device.firmware.scc3"                                  None       0 "Firmware of solar charger 3";
    DEVICE_MFR                                            "device.mfr"                                            None       0 "Manufacturer";
    DEVICE_MODEL                                          "device.model"                                          None       0 "Model";
    DEVICE_MODEL_TYPE                                     "device.model.type"                                     None       0 "Kind of inverter";
    DEVICE_PART                                           "device.part"                                           None       0 "Part number";
    DEVICE_SERIAL                                         "device.serial"                                         None       0 "Serial number";
    DEVICE_TYPE                                           "device.type"                                           None       0 "Kind of device, always ups";
    DEVICE_UPTIME                                         "device.uptime"                                         Second     0 "Time in service";
    EXPERIMENTAL_BATTERY_CHARGING_CURRENT_AC_HIGH_DEFAULT "experimental.battery.charging.current.ac.high.default" Ampere     1 "Factory value";
    EXPERIMENTAL_BATTERY_CHARGING_CURRENT_HIGH_DEFAULT    "experimental.battery.charging.current.high.default"    Ampere     1 "Factory value";
    EXPERIMENTAL_BATTERY_HEALTH                           "experimental.battery.health"                           Percent    0 "Capacity left, measured in outages, against the best that this battery has shown";
    EXPERIMENTAL_BATTERY_HEALTH_CONFIDENCE                "experimental.battery.health.confidence"                None       0 "How well the battery is known: guess, low, fair or good";
    EXPERIMENTAL_BATTERY_TYPE_DEFAULT                     "experimental.battery.type.default"                     None       0 "Factory value";
    EXPERIMENTAL_BATTERY_VOLTAGE_BULK_DEFAULT             "experimental.battery.voltage.bulk.default"             Volt       1 "Factory value";
    EXPERIMENTAL_BATTERY_VOLTAGE_FLOAT_DEFAULT            "experimental.battery.voltage.float.default"            Volt       1 "Factory value";
    EXPERIMENTAL_BATTERY_VOLTAGE_NEGATIVE                 "experimental.battery.voltage.negative"                 Volt       1 "Voltage of the negative battery string";
    EXPERIMENTAL_BATTERY_VOLTAGE_RECHARGE_DEFAULT         "experimental.battery.voltage.recharge.default"         Volt       1 "Factory value";
    EXPERIMENTAL_BATTERY_VOLTAGE_SCC1                     "experimental.battery.voltage.scc1"                     Volt       1 "Battery voltage at solar charger 1";
    EXPERIMENTAL_BATTERY_VOLTAGE_SCC2                     "experimental.battery.voltage.scc2"                     Volt       1 "Battery voltage at solar charger 2";
    EXPERIMENTAL_BATTERY_VOLTAGE_SCC3                     "experimental.battery.voltage.scc3"                     Volt       1 "Battery voltage at solar charger 3";
    EXPERIMENTAL_BATTERY_VOLTAGE_UNDER_DEFAULT            "experimental.battery.voltage.under.default"            Volt       1 "Factory value";
    EXPERIMENTAL_INPUT_PV1_CURRENT                        "experimental.input.pv1.current"                        Ampere     0 "Current of solar input 1";
    EXPERIMENTAL_INPUT_PV1_VOLTAGE                        "experimental.input.pv1.voltage"                        Volt       0 "Voltage of solar input 1";
    EXPERIMENTAL_INPUT_PV2_CURRENT                        "experimental.input.pv2.current"                        Ampere     0 "Current of solar input 2";
    EXPERIMENTAL_INPUT_PV2_VOLTAGE                        "experimental.input.pv2.voltage"                        Volt       0 "Voltage of solar input 2";
    EXPERIMENTAL_INPUT_PV3_CURRENT                        "experimental.input.pv3.current"                        Ampere     0 "Current of solar input 3";
    EXPERIMENTAL_INPUT_PV3_VOLTAGE                        "experimental.input.pv3.voltage"                        Volt       0 "Voltage of solar input 3";
    EXPERIMENTAL_INPUT_TOPOLOGY                           "experimental.input.topology"                           None       0 "Wiring of the input, star or delta";
    EXPERIMENTAL_OUTPUT_TOPOLOGY                          "experimental.output.topology"                          None       0 "Wiring of the output, star or delta";
    INPUT_L1_L2_VOLTAGE                                   "input.L1-L2.voltage"                                   Volt       1 "Input voltage between phases 1 and 2";
    INPUT_L1_L3_VOLTAGE                                   "input.L1-L3.voltage"                                   Volt       1 "Input voltage between phases 1 and 3";
    INPUT_L1_N_VOLTAGE                                    "input.L1-N.voltage"                                    Volt       1 "Input voltage of phase 1";
    INPUT_L1_CURRENT                                      "input.L1.current"                                      Ampere     0 "Input current of phase 1";
    INPUT_L2_L3_VOLTAGE                                   "input.L2-L3.voltage"                                   Volt       1 "Input voltage between phases 2 and 3";
    INPUT_L2_N_VOLTAGE                                    "input.L2-N.voltage"                                    Volt       1 "Input voltage of phase 2";
    INPUT_L2_CURRENT                                      "input.L2.current"                                      Ampere     0 "Input current of phase 2";
    INPUT_L3_N_VOLTAGE                                    "input.L3-N.voltage"                                    Volt       1 "Input voltage of phase 3";
    INPUT_L3_CURRENT                                      "input.L3.current"                                      Ampere     0 "Input current of phase 3";
    INPUT_BYPASS_L1_N_VOLTAGE                             "input.bypass.L1-N.voltage"                             Volt       1 "Bypass voltage of phase 1";
    INPUT_BYPASS_L2_N_VOLTAGE                             "input.bypass.L2-N.voltage"                             Volt       1 "Bypass voltage of phase 2";
    INPUT_BYPASS_L3_N_VOLTAGE                             "input.bypass.L3-N.voltage"                             Volt       1 "Bypass voltage of phase 3";
    INPUT_BYPASS_FREQUENCY                                "input.bypass.frequency"                                Hertz      1 "Frequency of the bypass";
    INPUT_BYPASS_PHASES                                   "input.bypass.phases"                                   None       0 "Phases of the bypass";
    INPUT_BYPASS_VOLTAGE                                  "input.bypass.voltage"                                  Volt       1 "Voltage of the bypass";
    INPUT_CURRENT_NOMINAL                                 "input.current.nominal"                                 Ampere     1 "Rated mains current";
    INPUT_FREQUENCY                                       "input.frequency"                                       Hertz      1 "Mains frequency";
    INPUT_FREQUENCY_HIGH                                  "input.frequency.high"                                  Hertz      1 "Highest mains frequency accepted";
    INPUT_FREQUENCY_LOW                                   "input.frequency.low"                                   Hertz      1 "Lowest mains frequency accepted";
    INPUT_FREQUENCY_NOMINAL                               "input.frequency.nominal"                               Hertz      0 "Rated mains frequency";
    INPUT_PHASES                                          "input.phases"                                          None       0 "Phases of the input";
    INPUT_TRANSFER_BOOST_HIGH                             "input.transfer.boost.high"                             Volt       0 "Mains voltage at which boosting ends";
    INPUT_TRANSFER_BOOST_LOW                              "input.transfer.boost.low"                              Volt       0 "Mains voltage at which boosting begins";
    INPUT_TRANSFER_HIGH                                   "input.transfer.high"                                   Volt       0 "Mains voltage above which the battery takes over";
    INPUT_TRANSFER_HIGH_MAX                               "input.transfer.high.max"                               Volt       0 "Greatest value of input.transfer.high";
    INPUT_TRANSFER_HIGH_MIN                               "input.transfer.high.min"                               Volt       0 "Least value of input.transfer.high";
    INPUT_TRANSFER_LOW                                    "input.transfer.low"                                    Volt       0 "Mains voltage below which the battery takes over";
    INPUT_TRANSFER_LOW_MAX                                "input.transfer.low.max"                                Volt       0 "Greatest value of input.transfer.low";
    INPUT_TRANSFER_LOW_MIN                                "input.transfer.low.min"                                Volt       0 "Least value of input.transfer.low";
    INPUT_TRANSFER_TRIM_HIGH                              "input.transfer.trim.high"                              Volt       0 "Mains voltage at which trimming ends";
    INPUT_TRANSFER_TRIM_LOW                               "input.transfer.trim.low"                               Volt       0 "Mains voltage at which trimming begins";
    INPUT_VOLTAGE                                         "input.voltage"                                         Volt       1 "Mains voltage";
    INPUT_VOLTAGE_FAULT                                   "input.voltage.fault"                                   Volt       1 "Mains voltage at the last transfer to battery";
    INPUT_VOLTAGE_HIGH_CRITICAL                           "input.voltage.high.critical"                           Volt       0 "Highest mains voltage accepted";
    INPUT_VOLTAGE_LOW_CRITICAL                            "input.voltage.low.critical"                            Volt       0 "Lowest mains voltage accepted";
    INPUT_VOLTAGE_NOMINAL                                 "input.voltage.nominal"                                 Volt       0 "Rated mains voltage";
    LOAD_HIGH                                             "load.high"                                             Percent    0 "Load above which the UPS is overloaded";
    OUTLET_0_SWITCHABLE                                   "outlet.0.switchable"                                   None       0 "Whether outlets can be switched off on battery";
    OUTLET_1_DELAY_SHUTDOWN                               "outlet.1.delay.shutdown"                               Second     0 "Time on battery after which outlet 1 is switched off";
    OUTLET_1_STATUS                                       "outlet.1.status"                                       None       0 "Whether outlet 1 is on or off";
    OUTLET_1_SWITCHABLE                                   "outlet.1.switchable"                                   None       0 "Whether outlet 1 can be switched";
    OUTLET_2_DELAY_SHUTDOWN                               "outlet.2.delay.shutdown"                               Second     0 "Time on battery after which outlet 2 is switched off";
    OUTLET_2_STATUS                                       "outlet.2.status"                                       None       0 "Whether outlet 2 is on or off";
    OUTLET_2_SWITCHABLE                                   "outlet.2.switchable"                                   None       0 "Whether outlet 2 can be switched";
    OUTLET_3_DELAY_SHUTDOWN                               "outlet.3.delay.shutdown"                               Second     0 "Time on battery after which outlet 3 is switched off";
    OUTLET_3_STATUS                                       "outlet.3.status"                                       None       0 "Whether outlet 3 is on or off";
    OUTLET_3_SWITCHABLE                                   "outlet.3.switchable"                                   None       0 "Whether outlet 3 can be switched";
    OUTLET_4_DELAY_SHUTDOWN                               "outlet.4.delay.shutdown"                               Second     0 "Time on battery after which outlet 4 is switched off";
    OUTLET_4_STATUS                                       "outlet.4.status"                                       None       0 "Whether outlet 4 is on or off";
    OUTLET_4_SWITCHABLE                                   "outlet.4.switchable"                                   None       0 "Whether outlet 4 can be switched";
    OUTPUT_L1_L2_VOLTAGE                                  "output.L1-L2.voltage"                                  Volt       1 "Output voltage between phases 1 and 2";
    OUTPUT_L1_L3_VOLTAGE                                  "output.L1-L3.voltage"                                  Volt       1 "Output voltage between phases 1 and 3";
    OUTPUT_L1_N_VOLTAGE                                   "output.L1-N.voltage"                                   Volt       1 "Output voltage of phase 1";
    OUTPUT_L1_CURRENT                                     "output.L1.current"                                     Ampere     0 "Output current of phase 1";
    OUTPUT_L1_LOAD                                        "output.L1.load"                                        Percent    0 "Load of phase 1";
    OUTPUT_L1_POWER                                       "output.L1.power"                                       VoltAmpere 2 "Apparent power of phase 1";
    OUTPUT_L1_POWER_PERCENT                               "output.L1.power.percent"                               Percent    0 "Load of phase 1";
    OUTPUT_L1_REALPOWER                                   "output.L1.realpower"                                   Watt       2 "Power of phase 1";
    OUTPUT_L2_L3_VOLTAGE                                  "output.L2-L3.voltage"                                  Volt       1 "Output voltage between phases 2 and 3";
    OUTPUT_L2_N_VOLTAGE                                   "output.L2-N.voltage"                                   Volt       1 "Output voltage of phase 2";
    OUTPUT_L2_CURRENT                                     "output.L2.current"                                     Ampere     0 "Output current of phase 2";
    OUTPUT_L2_LOAD                                        "output.L2.load"                                        Percent    0 "Load of phase 2";
    OUTPUT_L2_POWER                                       "output.L2.power"                                       VoltAmpere 2 "Apparent power of phase 2";
    OUTPUT_L2_POWER_PERCENT                               "output.L2.power.percent"                               Percent    0 "Load of phase 2";
    OUTPUT_L2_REALPOWER                                   "output.L2.realpower"                                   Watt       2 "Power of phase 2";
    OUTPUT_L3_N_VOLTAGE                                   "output.L3-N.voltage"                                   Volt       1 "Output voltage of phase 3";
    OUTPUT_L3_CURRENT                                     "output.L3.current"                                     Ampere     0 "Output current of phase 3";
    OUTPUT_L3_LOAD                                        "output.L3.load"                                        Percent    0 "Load of phase 3";
    OUTPUT_L3_POWER                                       "output.L3.power"                                       VoltAmpere 2 "Apparent power of phase 3";
    OUTPUT_L3_POWER_PERCENT                               "output.L3.power.percent"                               Percent    0 "Load of phase 3";
    OUTPUT_L3_REALPOWER                                   "output.L3.realpower"                                   Watt       2 "Power of phase 3";
    OUTPUT_BYPASS_L1_L2_VOLTAGE                           "output.bypass.L1-L2.voltage"                           Volt       1 "Bypass voltage between phases 1 and 2";
    OUTPUT_BYPASS_L1_L3_VOLTAGE                           "output.bypass.L1-L3.voltage"                           Volt       1 "Bypass voltage between phases 1 and 3";
    OUTPUT_BYPASS_L1_N_VOLTAGE                            "output.bypass.L1-N.voltage"                            Volt       1 "Bypass voltage of phase 1";
    OUTPUT_BYPASS_L2_L3_VOLTAGE                           "output.bypass.L2-L3.voltage"                           Volt       1 "Bypass voltage between phases 2 and 3";
    OUTPUT_BYPASS_L2_N_VOLTAGE                            "output.bypass.L2-N.voltage"                            Volt       1 "Bypass voltage of phase 2";
    OUTPUT_BYPASS_L3_N_VOLTAGE                            "output.bypass.L3-N.voltage"                            Volt       1 "Bypass voltage of phase 3";
    OUTPUT_CURRENT                                        "output.current"                                        Ampere     1 "Output current";
    OUTPUT_CURRENT_NOMINAL                                "output.current.nominal"                                Ampere     1 "Rated output current";
    OUTPUT_FREQUENCY                                      "output.frequency"                                      Hertz      1 "Output frequency";
    OUTPUT_FREQUENCY_DEFAULT                              "output.frequency.default"                              Hertz      1 "Factory value";
    OUTPUT_FREQUENCY_NOMINAL                              "output.frequency.nominal"                              Hertz      1 "Rated output frequency";
    OUTPUT_PHASES                                         "output.phases"                                         None       0 "Phases of the output";
    OUTPUT_POWER                                          "output.power"                                          VoltAmpere 1 "Apparent output power";
    OUTPUT_POWER_MAXIMUM_PERCENT                          "output.power.maximum.percent"                          Percent    0 "Highest load measured";
    OUTPUT_POWER_MINIMUM_PERCENT                          "output.power.minimum.percent"                          Percent    0 "Lowest load measured";
    OUTPUT_POWER_NOMINAL                                  "output.power.nominal"                                  VoltAmpere 1 "Rated apparent output power";
    OUTPUT_POWERFACTOR                                    "output.powerfactor"                                    None       1 "Rated power factor of the output";
    OUTPUT_POWERFACTOR_NOMINAL                            "output.powerfactor.nominal"                            None       0 "Rated power factor of the output";
    OUTPUT_REALPOWER                                      "output.realpower"                                      Watt       1 "Output power";
    OUTPUT_REALPOWER_NOMINAL                              "output.realpower.nominal"                              Watt       1 "Rated output power";
    OUTPUT_VOLTAGE                                        "output.voltage"                                        Volt       1 "Output voltage";
    OUTPUT_VOLTAGE_DEFAULT                                "output.voltage.default"                                Volt       1 "Factory value";
    OUTPUT_VOLTAGE_NOMINAL                                "output.voltage.nominal"                                Volt       1 "Rated output voltage";
    UPS_ALARM                                             "ups.alarm"                                             None       0 "What is wrong, in words";
    UPS_BEEPER_STATUS                                     "ups.beeper.status"                                     None       0 "Whether the beeper is enabled or disabled";
    UPS_DELAY_SHUTDOWN                                    "ups.delay.shutdown"                                    Second     0 "Wait before the load is switched off after a shutdown command";
    UPS_DELAY_START                                       "ups.delay.start"                                       Second     0 "Wait before the load is switched on again after a shutdown";
    UPS_FIRMWARE                                          "ups.firmware"                                          None       0 "Firmware";
    UPS_FIRMWARE_AUX                                      "ups.firmware.aux"                                      None       0 "Protocol version or second firmware";
    UPS_ID                                                "ups.id"                                                None       0 "Number of the UPS on a shared line";
    UPS_LOAD                                              "ups.load"                                              Percent    0 "Load";
    UPS_MFR                                               "ups.mfr"                                               None       0 "Manufacturer";
    UPS_MODE_BUZZWORDS                                    "ups.mode.buzzwords"                                    None       0 "Working modes in the words of NUT's newest drivers";
    UPS_MODEL                                             "ups.model"                                             None       0 "Model";
    UPS_POWER                                             "ups.power"                                             VoltAmpere 0 "Apparent power";
    UPS_POWER_NOMINAL                                     "ups.power.nominal"                                     VoltAmpere 0 "Rated apparent power";
    UPS_REALPOWER                                         "ups.realpower"                                         Watt       2 "Power";
    UPS_REALPOWER_NOMINAL                                 "ups.realpower.nominal"                                 Watt       0 "Rated power";
    UPS_SERIAL                                            "ups.serial"                                            None       0 "Serial number";
    UPS_START_AUTO                                        "ups.start.auto"                                        None       0 "Whether the UPS starts when mains is back";
    UPS_START_BATTERY                                     "ups.start.battery"                                     None       0 "Whether the UPS can be started without mains";
    UPS_STATUS                                            "ups.status"                                            None       0 "Status words: OL on mains, OB on battery, LB battery low and so on";
    UPS_TEMPERATURE                                       "ups.temperature"                                       Celsius    1 "Temperature inside the UPS";
    UPS_TEST_RESULT                                       "ups.test.result"                                       None       0 "Outcome of the last self test";
    UPS_TYPE                                              "ups.type"                                              None       0 "Topology";
}

// What is kept: names by which NUT logs them and takes them as options, and our own.
#[rustfmt::skip]
variables! {
    /// Every variable that is kept and never published, sorted by name.
    KEPT, public: false;
    ADVANCED_ECO_MODE                       "advanced_eco_mode"                       None       0 "Advanced ECO mode";
    ALARM_CONTROL                           "alarm_control"                           None       0 "Whether the beeper can be switched";
    BATTERY_ALARM                           "battery_alarm"                           None       0 "Beep on battery";
    BATTERIES_IN_PACK "battery_number"                          None       0 "Batteries in a pack";
    BATTERY_OPEN_STATUS_CHECK               "battery_open_status_check"               None       0 "Check for an open battery circuit";
    BEEPER_BIT                              "beeper_bit"                              None       0 "Whether the beeper sounds";
    BYPASS_ALARM                            "bypass_alarm"                            None       0 "Beep on bypass";
    BYPASS_FORBIDDING                       "bypass_forbidding"                       None       0 "Never bypass";
    BYPASS_WHEN_OFF                         "bypass_when_off"                         None       0 "Bypass when switched off";
    CELL_VOLTAGE                            "cell_voltage"                            Volt       2 "Voltage of a cell";
    CONSTANT_PHASE_ANGLE                    "constant_phase_angle"                    None       0 "Constant phase angle";
    CONVERTER_MODE                          "converter_mode"                          None       0 "Frequency converter";
    ECO_MODE                                "eco_mode"                                None       0 "ECO mode";
    EXPERIMENTAL_BATTERY_AGEING_FACTOR      "experimental.battery.ageing.factor"      None       0 "Ageing of the battery";
    EXPERIMENTAL_BATTERY_CALIBRATION_FACTOR "experimental.battery.calibration.factor" None       0 "Calibration of the battery";
    EXPERIMENTAL_FAULT_1                    "experimental.fault_1"                    None       0 "Entry 1 of the fault memory";
    EXPERIMENTAL_FAULT_2                    "experimental.fault_2"                    None       0 "Entry 2 of the fault memory";
    EXPERIMENTAL_FAULT_3                    "experimental.fault_3"                    None       0 "Entry 3 of the fault memory";
    EXPERIMENTAL_FAULT_4                    "experimental.fault_4"                    None       0 "Entry 4 of the fault memory";
    EXPERIMENTAL_FAULT_5                    "experimental.fault_5"                    None       0 "Entry 5 of the fault memory";
    EXPERIMENTAL_INPUT_FAULT_VOLTAGE        "experimental.input_fault_voltage"        Volt       1 "Mains voltage at the last transfer to battery";
    EXPERIMENTAL_NOMINAL_CELL_VOLTAGE       "experimental.nominal_cell_voltage"       Volt       2 "Rated voltage of a cell";
    EXPERIMENTAL_NUMBER_OF_BATTERY_CELLS    "experimental.number_of_battery_cells"    None       0 "Cells of the battery";
    EXPERIMENTAL_OUTPUT_VOLTAGES            "experimental.output_voltages"            None       0 "Output voltages that can be chosen";
    EXPERIMENTAL_RECHARGE_TIME              "experimental.recharge_time"              Second     0 "Time to recharge";
    EXPERIMENTAL_RUNTIME_FULL               "experimental.runtime_full"               Second     0 "Runtime at full load";
    EXPERIMENTAL_RUNTIME_HALF               "experimental.runtime_half"               Second     0 "Runtime at half load";
    EXPERIMENTAL_SERIES                     "experimental.series"                     None       0 "Series A or E";
    INPUT_PHASE_ANGLE                       "input_phase_angle"                       None       0 "Phase angle of the input in degrees";
    LIMITED_RUNTIME_ON_BATTERY              "limited_runtime_on_battery"              None       0 "Limit of the runtime on battery";
    MAINS_FAILED                              "mains_failed"                              None       0 "Whether the UPS says that mains failed";
    MAX_BYPASS_FREQ                         "max_bypass_freq"                         Hertz      1 "Highest bypass frequency";
    MAX_BYPASS_VOLT                         "max_bypass_volt"                         Volt       0 "Highest bypass voltage";
    MIN_BYPASS_FREQ                         "min_bypass_freq"                         Hertz      1 "Lowest bypass frequency";
    MIN_BYPASS_VOLT                         "min_bypass_volt"                         Volt       0 "Lowest bypass voltage";
    MODEL_CODE                              "model_code"                              None       0 "Code of the model";
    OUTPUT_PHASE_ANGLE                      "output_phase_angle"                      None       0 "Phase angle of the output in degrees";
    PINS_SHUTDOWN_MODE                      "pins_shutdown_mode"                      None       0 "Function of pins 1 and 7";
    Q5_BATTERY_CUTOFF                       "q5_battery_cutoff"                       Volt       2 "Cut-off voltage, not scaled";
    Q5_BATTERY_VOLTAGE                      "q5_battery_voltage"                      Volt       2 "Battery voltage, not scaled";
    Q5_ERROR                                "q5_error"                                None       0 "Error number";
    RESET_TO_DEFAULT                          "reset_to_default"                          None       0 "Capabilities back to their defaults";
    SITE_FAULT_DETECTION                    "site_fault_detection"                    None       0 "Detect exchanged neutral and line";
    TRANSFER_TABLE                          "transfer_table"                          None       0 "Row of the transfer voltages";
    UNKNOWN_7                               "unknown.7"                               None       0 "Answer to QBDR, of which nothing is known";
    UPS_FAULT                               "ups_fault"                               None       0 "Whether the UPS says that it has a fault";
    VOLTRONIC_PARALLEL                      "voltronic_parallel"                      None       0 "Part in a parallel system";
    WORK_RANGE_TYPE                         "work_range_type"                         None       0 "Working range of P31 units";
    WORKING_MODE                              "working_mode"                              None       0 "Working mode of an inverter";
}

/// The variable of that name, published or kept.
pub fn named(name: &str) -> Option<&'static Var> {
    ALL.iter().chain(KEPT).find(|var| var.name.eq_ignore_ascii_case(name)).copied()
}

/// The published variable of exactly that name: sooner than [`named`].
pub fn published(name: &str) -> Option<&'static Var> {
    ALL.binary_search_by_key(&name, |var| var.name).ok().map(|at| ALL[at])
}

/// Whether the published variable of a UPS has that name.
pub(crate) fn is_published(name: &str) -> bool {
    published(name).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_sorted_and_unique() {
        for list in [ALL, KEPT] {
            assert!(list.windows(2).all(|pair| pair[0].name < pair[1].name));
        }
    }
}
