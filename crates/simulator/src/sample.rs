//! What is printed on, or set in, a sample unit of each dialect, beside what the world says.

use qx::vocabulary::variable::*;

/// Rows of a sample: variables and their texts.
pub type Sample = &'static [(&'static Var, &'static str)];

/// The sample of a dialect; `family` is another one of it (`P31`, `PM-T` …).
pub fn sample(protocol: &str, family: Option<&str>) -> Vec<(&'static Var, &'static str)> {
    let own: Sample = match protocol {
        "bestups" => BESTUPS,
        "mecer" => MECER,
        "masterguard" => MASTERGUARD,
        "voltronic" => VOLTRONIC,
        "voltronic-qs" => QS,
        "voltronic-qs-hex" => QS_HEX,
        "voltronic-axpert" => AXPERT,
        "omron" => OMRON,
        "innovart31" | "innovart33" => INNOVART,
        "ablerex" => ABLEREX,
        _ => &[],
    };
    let mut all: Vec<_> = COMMON.iter().chain(own).copied().collect();
    if let Some(row) = FAMILIES.iter().find(|name| Some(**name) == family) {
        all.retain(|(var, _)| *var != &UPS_FIRMWARE_AUX);
        all.push((&UPS_FIRMWARE_AUX, row));
    }
    if let Some(row) = MODELS.iter().find(|name| Some(**name) == family) {
        all.retain(|(var, _)| *var != &MODEL_CODE && *var != &DEVICE_MODEL);
        all.push((if protocol == "bestups" { &MODEL_CODE } else { &DEVICE_MODEL }, row));
    }
    if family == Some("A700") {
        all.push((&BATTERY_PACKS, "0"));
    }
    all
}

/// Families of the Voltronic dialects.
pub const FAMILIES: &[&str] = &[
    "P00",
    "P01",
    "P02",
    "P03",
    "P08",
    "P09",
    "P10",
    "P13",
    "P14",
    "P31",
    "P99",
    "PM-V",
    "PM-H",
    "PM-P",
    "PM-T",
    "Voltronic Power P98",
];
/// Models of bestups and masterguard.
pub const MODELS: &[&str] = &[
    "AX1", "FOR", "FTC", "PR2", "PRO", "320", "325", "520", "525", "620", "A700", "A1000", "A2000", "A3000",
    "A3000-19", "E60", "E100", "E200",
];

const COMMON: Sample = &[
    (&UPS_TYPE, "offline / line interactive"),
    (&UPS_POWER_NOMINAL, "1000"),
    (&DEVICE_SERIAL, "12345678"),
    (&EXPERIMENTAL_INPUT_TOPOLOGY, "star"),
    (&EXPERIMENTAL_OUTPUT_TOPOLOGY, "star"),
    (&INPUT_TRANSFER_LOW, "177"),
    (&INPUT_TRANSFER_HIGH, "290"),
];

const MECER: Sample = &[(&UPS_FIRMWARE_AUX, "Voltronic Power P98")];
const QS: Sample = &[(&UPS_FIRMWARE_AUX, "PM-V")];
const QS_HEX: Sample = &[(&UPS_FIRMWARE_AUX, "PM-P")];
const INNOVART: Sample = &[(&UPS_SERIAL, "N05K10KB100004")];
const ABLEREX: Sample = &[(&Q5_BATTERY_CUTOFF, "960"), (&Q5_ERROR, "0")];

const BESTUPS: Sample = &[
    (&MODEL_CODE, "FOR"),
    (&BATTERY_VOLTAGE_LOW, "20.0"),
    (&BATTERY_VOLTAGE_HIGH, "27.6"),
    (&BATTERY_PACKS, "2"),
    (&PINS_SHUTDOWN_MODE, "0"),
    (&TRANSFER_TABLE, "5"),
];

const MASTERGUARD: Sample = &[
    (&UPS_TYPE, "online"),
    (&UPS_ID, "0"),
    (&UPS_FIRMWARE, "10.06"),
    (&UPS_FIRMWARE_AUX, "03.09"),
    (&DEVICE_MODEL, "A3000-19"),
    (&BATTERY_PACKS, "1"),
    (&EXPERIMENTAL_RUNTIME_HALF, "720"),
    (&EXPERIMENTAL_RUNTIME_FULL, "360"),
    (&EXPERIMENTAL_RECHARGE_TIME, "64800"),
    (&AMBIENT_0_TEMPERATURE_LOW, "10"),
    (&AMBIENT_0_TEMPERATURE_HIGH, "40"),
    (&INPUT_VOLTAGE_LOW_CRITICAL, "160"),
    (&INPUT_VOLTAGE_HIGH_CRITICAL, "276"),
    (&INPUT_FREQUENCY_LOW, "47.00"),
    (&INPUT_FREQUENCY_HIGH, "53.00"),
    (&EXPERIMENTAL_BATTERY_AGEING_FACTOR, "708"),
    (&EXPERIMENTAL_BATTERY_CALIBRATION_FACTOR, "115"),
    (&DEVICE_PART, "6A1212"),
    (&DEVICE_SERIAL, "2782"),
    (&DEVICE_UPTIME, "161550397"),
    (&EXPERIMENTAL_OUTPUT_VOLTAGES, "220 230 240"),
    (&EXPERIMENTAL_FAULT_1, "60486: inverter mode output short-circuit fault (43V)"),
];

const VOLTRONIC: Sample = &[
    (&UPS_TYPE, "line-interactive"),
    (&UPS_FIRMWARE_AUX, "P01"),
    (&UPS_FIRMWARE, "00322.02"),
    (&DEVICE_MFR, "VOLTRONIC"),
    (&DEVICE_MODEL, "OLHVT1K0"),
    (&DEVICE_SERIAL, "685653211455"),
    (&OUTPUT_POWERFACTOR, "0.8"),
    (&INPUT_PHASES, "1"),
    (&OUTPUT_PHASES, "1"),
    (&OUTPUT_POWER_MINIMUM_PERCENT, "5"),
    (&OUTPUT_POWER_MAXIMUM_PERCENT, "80"),
    (&BATTERIES_IN_PACK, "2"),
    (&BATTERY_PACKS, "1"),
    (&BATTERY_VOLTAGE_LOW, "21"),
    (&ALARM_CONTROL, "enabled"),
    (&BATTERY_ALARM, "disabled"),
    (&UPS_START_BATTERY, "yes"),
    (&ECO_MODE, "disabled"),
    (&BYPASS_FORBIDDING, "disabled"),
    (&BATTERY_ENERGYSAVE, "no"),
    (&OUTLET_0_SWITCHABLE, "yes"),
    (&SITE_FAULT_DETECTION, "disabled"),
    (&BYPASS_WHEN_OFF, "disabled"),
    (&BYPASS_ALARM, "enabled"),
    (&UPS_START_AUTO, "no"),
    (&BATTERY_PROTECTION, "yes"),
    (&CONVERTER_MODE, "disabled"),
    (&OUTLET_1_SWITCHABLE, "yes"),
    (&OUTLET_1_STATUS, "on"),
    (&OUTLET_1_DELAY_SHUTDOWN, "480"),
    (&OUTLET_2_SWITCHABLE, "yes"),
    (&OUTLET_2_STATUS, "off"),
    (&OUTLET_2_DELAY_SHUTDOWN, "720"),
    (&INPUT_TRANSFER_HIGH, "242"),
    (&INPUT_TRANSFER_LOW, "218"),
    (&INPUT_FREQUENCY_HIGH, "53.0"),
    (&INPUT_FREQUENCY_LOW, "47.0"),
    (&MAX_BYPASS_VOLT, "264"),
    (&MIN_BYPASS_VOLT, "170"),
    (&MAX_BYPASS_FREQ, "53.0"),
    (&MIN_BYPASS_FREQ, "47.0"),
    (&BATTERY_TYPE, "Flooded"),
    (&WORK_RANGE_TYPE, "Appliance"),
    (&INPUT_PHASE_ANGLE, "000"),
    (&OUTPUT_PHASE_ANGLE, "240"),
    (&VOLTRONIC_PARALLEL, "slave"),
    (&UNKNOWN_7, "1234"),
];

const AXPERT: Sample = &[
    (&DEVICE_FIRMWARE_AUX, "P30"),
    (&DEVICE_FIRMWARE_MAIN, "0X00074.50"),
    (&DEVICE_FIRMWARE_SCC1, "0X00000.31"),
    (&DEVICE_FIRMWARE_SCC2, "0X00000.31"),
    (&DEVICE_FIRMWARE_SCC3, "0X00000.31"),
    (&DEVICE_SERIAL, "12345679012345"),
    (&DEVICE_MODEL, "MKS-5K"),
    (&BATTERY_ENERGYSAVE, "no"),
    (&OUTPUT_POWER_NOMINAL, "5000"),
    (&OUTPUT_REALPOWER_NOMINAL, "4000"),
    (&BATTERY_VOLTAGE_RECHARGE, "46.0"),
    (&BATTERY_VOLTAGE_UNDER, "42.0"),
    (&BATTERY_VOLTAGE_BULK, "56.4"),
    (&BATTERY_VOLTAGE_FLOAT, "54.0"),
    (&BATTERY_TYPE, "AGM"),
    (&BATTERY_CHARGING_CURRENT_AC_HIGH, "30"),
    (&BATTERY_CHARGING_CURRENT_HIGH, "60"),
    (&DEVICE_MODEL_TYPE, "Off-grid"),
    (&DEVICE_DESCRIPTION, "Transformerless"),
    (&OUTPUT_POWERFACTOR_NOMINAL, "80"),
    (&INPUT_PHASES, "1"),
    (&OUTPUT_PHASES, "1"),
    (&BATTERY_NUMBER, "4"),
    (&OUTPUT_VOLTAGE_DEFAULT, "230.0"),
    (&OUTPUT_FREQUENCY_DEFAULT, "50.0"),
    (&EXPERIMENTAL_BATTERY_CHARGING_CURRENT_AC_HIGH_DEFAULT, "30"),
    (&EXPERIMENTAL_BATTERY_VOLTAGE_UNDER_DEFAULT, "42.0"),
    (&EXPERIMENTAL_BATTERY_VOLTAGE_FLOAT_DEFAULT, "54.0"),
    (&EXPERIMENTAL_BATTERY_VOLTAGE_BULK_DEFAULT, "56.4"),
    (&EXPERIMENTAL_BATTERY_VOLTAGE_RECHARGE_DEFAULT, "46.0"),
    (&EXPERIMENTAL_BATTERY_CHARGING_CURRENT_HIGH_DEFAULT, "60"),
    (&EXPERIMENTAL_BATTERY_TYPE_DEFAULT, "AGM"),
    (&EXPERIMENTAL_INPUT_PV1_CURRENT, "14"),
    (&EXPERIMENTAL_INPUT_PV1_VOLTAGE, "103.8"),
    (&EXPERIMENTAL_INPUT_PV2_CURRENT, "3"),
    (&EXPERIMENTAL_INPUT_PV2_VOLTAGE, "65.5"),
    (&EXPERIMENTAL_INPUT_PV3_CURRENT, "0"),
    (&EXPERIMENTAL_INPUT_PV3_VOLTAGE, "0.0"),
    (&EXPERIMENTAL_BATTERY_VOLTAGE_SCC1, "52.1"),
    (&EXPERIMENTAL_BATTERY_VOLTAGE_SCC2, "52.1"),
    (&EXPERIMENTAL_BATTERY_VOLTAGE_SCC3, "0.0"),
];

const OMRON: Sample = &[
    (&UPS_SERIAL, "A0Z25110005109G"),
    (&UPS_FIRMWARE, "0.17"),
    (&UPS_FIRMWARE_AUX, "2.00"),
    (&BATTERY_DATE, "2026-07-30"),
    (&UPS_REALPOWER_NOMINAL, "1125"),
    (&UPS_POWER_NOMINAL, "1125"),
];
