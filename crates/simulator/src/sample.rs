//! What is printed on, or set in, a sample unit, beside what the world says: what any unit could have stands here, the rest
//! in the dialect's own table.

use qx::vocabulary::variable::*;
use qx::wire::protocol::{Fixed, Protocol};

/// The sample of a dialect; `family` is another one of it (`P31`, `PM-T` …). Of two rows for a variable the later one
/// counts.
pub fn sample(protocol: &Protocol, family: Option<&str>) -> Vec<Fixed> {
    let mut all: Vec<_> = COMMON.iter().chain(protocol.sample).copied().collect();
    if let Some(row) = FAMILIES.iter().find(|name| Some(**name) == family) {
        all.retain(|(var, _)| *var != &UPS_FIRMWARE_AUX);
        all.push((&UPS_FIRMWARE_AUX, row));
    }
    if let Some(row) = MODELS.iter().find(|name| Some(**name) == family) {
        // some dialects say their model by a code
        let by_code = all.iter().any(|(var, _)| *var == &MODEL_CODE);
        all.retain(|(var, _)| *var != &MODEL_CODE && *var != &DEVICE_MODEL);
        all.push((if by_code { &MODEL_CODE } else { &DEVICE_MODEL }, row));
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

const COMMON: &[Fixed] = &[
    (&UPS_TYPE, "offline / line interactive"),
    (&UPS_POWER_NOMINAL, "1000"),
    (&DEVICE_SERIAL, "12345678"),
    (&EXPERIMENTAL_INPUT_TOPOLOGY, "star"),
    (&EXPERIMENTAL_OUTPUT_TOPOLOGY, "star"),
    (&INPUT_TRANSFER_LOW, "177"),
    (&INPUT_TRANSFER_HIGH, "290"),
];
