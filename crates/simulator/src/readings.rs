//! What a UPS in some world would report.

use crate::personality::Personality;
use crate::world::World;
use qx::read::Readings;
use qx::status::{Alarm, Status};
use qx::value::{Decimal, Value};
use qx::variable::*;

/// The readings of the whole unit; a query's table picks what it carries.
pub fn readings(world: &World, personality: &Personality) -> Readings {
    let mut readings = Readings::default();
    let battery = if personality.per_cell { 2.0 / world.rating.battery_volts } else { 1.0 };
    let numbers: [(&'static Var, f64, u8); 11] = [
        (&INPUT_VOLTAGE, world.mains_volts, 1),
        (&INPUT_VOLTAGE_FAULT, world.fault_volts, 1),
        (&OUTPUT_VOLTAGE, world.output_volts(), 1),
        (&UPS_LOAD, if world.powered() { world.load_percent } else { 0.0 }, 0),
        (&INPUT_FREQUENCY, if world.mains_volts > 0.0 { world.mains_hertz } else { 0.0 }, 1),
        (&BATTERY_VOLTAGE, world.battery_volts() * battery, 2),
        (&UPS_TEMPERATURE, world.temperature, 1),
        (&INPUT_VOLTAGE_NOMINAL, world.rating.mains_volts, 1),
        (&INPUT_CURRENT_NOMINAL, world.rating.mains_amperes, 0),
        (&BATTERY_VOLTAGE_NOMINAL, world.rating.battery_volts, 2),
        (&INPUT_FREQUENCY_NOMINAL, world.rating.mains_hertz, 1),
    ];
    for (var, number, places) in numbers {
        let known = !personality.does_not_know.iter().any(|name| var.name.contains(name.as_str()));
        readings.say(var, known.then(|| Value::Number(Decimal::from_f64(number, places))));
    }
    let texts = [
        (&DEVICE_MFR, personality.maker.as_str()),
        (&DEVICE_MODEL, personality.model.as_str()),
        (&UPS_FIRMWARE, personality.firmware.as_str()),
        (&UPS_TYPE, "offline / line interactive"),
        (&UPS_BEEPER_STATUS, if world.beeper { "enabled" } else { "disabled" }),
    ];
    for (var, text) in texts {
        readings.say(var, (!text.is_empty()).then(|| Value::text(text)));
    }
    let status = [
        (Status::Online, world.mains_good()),
        (Status::LowBattery, world.battery_low()),
        (Status::Boost, world.regulating()),
        (Status::Calibrating, world.test.is_some()),
        (Status::ForcedShutdown, world.countdown.is_some()),
    ];
    for (status, _) in status.iter().filter(|(_, present)| *present) {
        readings.status = readings.status.with(*status);
    }
    if world.fault {
        readings.alarms.push(Alarm::SelfTestFailed);
    }
    readings
}
