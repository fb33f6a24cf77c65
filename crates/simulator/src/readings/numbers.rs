//! The numbers that a UPS in some world would report.

use crate::profile::Profile;
use crate::world::World;
use qx::vocabulary::variable::*;

/// Rated volts of the battery of the samples.
const SAMPLE_VOLTS: f64 = 24.0;
/// From a phase to another in a net of three.
const THREE: f64 = 1.732_050_807_568_877_2;

/// What the numbers follow from.
struct Said<'w> {
    world: &'w World,
    /// Volts of mains and of the output,
    input: f64,
    output: f64,
    /// and their hertz.
    hertz: f64,
    output_hertz: f64,
    /// Percent of the load, its volt-amperes and amperes.
    load: f64,
    power: f64,
    amperes: f64,
    /// What part of the volts of the battery is reported: all, or those of one cell.
    battery: f64,
}

impl Said<'_> {
    fn of<'w>(world: &'w World, profile: &Profile) -> Said<'w> {
        let load = if world.powered() { world.load_percent } else { 0.0 };
        let (input, output) = (world.mains_volts, world.output_volts());
        let power = world.rating.power * load / 100.0;
        Said {
            world,
            input,
            output,
            hertz: if input > 0.0 { world.mains_hertz } else { 0.0 },
            output_hertz: if output > 0.0 { world.rating.mains_hertz } else { 0.0 },
            load,
            power,
            amperes: if output > 0.0 { power / output } else { 0.0 },
            battery: if profile.per_cell { 2.0 / world.rating.battery_volts } else { 1.0 },
        }
    }
}

/// A row: the variable, its number and its decimals.
type Row = (&'static Var, fn(&Said) -> f64, u8);

#[rustfmt::skip]
const NUMBERS: &[Row] = &[
    (&INPUT_VOLTAGE, |said| said.input, 1),
    (&INPUT_VOLTAGE_FAULT, |said| said.world.fault_volts, 1),
    (&EXPERIMENTAL_INPUT_FAULT_VOLTAGE, |said| said.world.fault_volts, 1),
    (&INPUT_BYPASS_VOLTAGE, |said| said.input, 1),
    (&INPUT_BYPASS_FREQUENCY, |said| said.hertz, 1),
    (&INPUT_FREQUENCY, |said| said.hertz, 1),
    (&INPUT_L1_N_VOLTAGE, |said| said.input, 1),
    (&INPUT_L2_N_VOLTAGE, |said| said.input * 1.01, 1),
    (&INPUT_L3_N_VOLTAGE, |said| said.input * 0.99, 1),
    (&INPUT_L1_L2_VOLTAGE, |said| said.input * THREE, 1),
    (&INPUT_L2_L3_VOLTAGE, |said| said.input * THREE * 1.01, 1),
    (&INPUT_L1_L3_VOLTAGE, |said| said.input * THREE * 0.99, 1),
    (&INPUT_BYPASS_L1_N_VOLTAGE, |said| said.input, 1),
    (&INPUT_BYPASS_L2_N_VOLTAGE, |said| said.input * 1.01, 1),
    (&INPUT_BYPASS_L3_N_VOLTAGE, |said| said.input * 0.99, 1),
    (&INPUT_L1_CURRENT, |said| said.amperes, 0),
    (&INPUT_L2_CURRENT, |said| said.amperes + 1.0, 0),
    (&INPUT_L3_CURRENT, |said| said.amperes + 2.0, 0),
    (&OUTPUT_VOLTAGE, |said| said.output, 1),
    (&OUTPUT_FREQUENCY, |said| said.output_hertz, 1),
    (&OUTPUT_CURRENT, |said| said.amperes, 1),
    (&OUTPUT_POWER, |said| said.power, 0),
    (&OUTPUT_REALPOWER, |said| said.power * 0.8, 0),
    (&OUTPUT_L1_N_VOLTAGE, |said| said.output, 1),
    (&OUTPUT_L2_N_VOLTAGE, |said| said.output * 1.01, 1),
    (&OUTPUT_L3_N_VOLTAGE, |said| said.output * 0.99, 1),
    (&OUTPUT_L1_L2_VOLTAGE, |said| said.output * THREE, 1),
    (&OUTPUT_L2_L3_VOLTAGE, |said| said.output * THREE * 1.01, 1),
    (&OUTPUT_L1_L3_VOLTAGE, |said| said.output * THREE * 0.99, 1),
    (&OUTPUT_BYPASS_L1_N_VOLTAGE, |said| said.input, 1),
    (&OUTPUT_BYPASS_L2_N_VOLTAGE, |said| said.input * 1.01, 1),
    (&OUTPUT_BYPASS_L3_N_VOLTAGE, |said| said.input * 0.99, 1),
    (&OUTPUT_BYPASS_L1_L2_VOLTAGE, |said| said.input * THREE, 1),
    (&OUTPUT_BYPASS_L2_L3_VOLTAGE, |said| said.input * THREE * 1.01, 1),
    (&OUTPUT_BYPASS_L1_L3_VOLTAGE, |said| said.input * THREE * 0.99, 1),
    (&OUTPUT_L1_CURRENT, |said| said.amperes, 0),
    (&OUTPUT_L2_CURRENT, |said| said.amperes + 1.0, 0),
    (&OUTPUT_L3_CURRENT, |said| said.amperes + 2.0, 0),
    (&OUTPUT_L1_LOAD, |said| said.load, 0),
    (&OUTPUT_L2_LOAD, |said| said.load / 2.0, 0),
    (&OUTPUT_L3_LOAD, |said| said.load / 4.0, 0),
    (&OUTPUT_L1_POWER_PERCENT, |said| said.load, 0),
    (&OUTPUT_L2_POWER_PERCENT, |said| said.load / 2.0, 0),
    (&OUTPUT_L3_POWER_PERCENT, |said| said.load / 4.0, 0),
    (&OUTPUT_L1_REALPOWER, |said| said.power * 0.4, 0),
    (&OUTPUT_L2_REALPOWER, |said| said.power * 0.3, 0),
    (&OUTPUT_L3_REALPOWER, |said| said.power * 0.1, 0),
    (&OUTPUT_L1_POWER, |said| said.power * 0.5, 0),
    (&OUTPUT_L2_POWER, |said| said.power * 0.4, 0),
    (&OUTPUT_L3_POWER, |said| said.power * 0.1, 0),
    (&UPS_REALPOWER, |said| said.power * 0.8, 0),
    (&UPS_POWER, |said| said.power, 0),
    (&UPS_LOAD, |said| said.load, 0),
    (&UPS_TEMPERATURE, |said| said.world.temperature, 1),
    (&BATTERY_TEMPERATURE, |said| said.world.temperature, 1),
    (&BATTERY_VOLTAGE, |said| said.world.battery_volts() * said.battery, 2),
    (&EXPERIMENTAL_BATTERY_VOLTAGE_NEGATIVE, |said| said.world.battery_volts(), 1),
    (&Q5_BATTERY_VOLTAGE, |said| said.world.battery_volts() * 1200.0 / said.world.rating.battery_volts, 0),
    (&CELL_VOLTAGE, |said| said.world.battery_volts() * 2.0 / said.world.rating.battery_volts, 2),
    (&BATTERY_CHARGE, |said| said.world.charge * 100.0, 0),
    (&BATTERY_RUNTIME, |said| said.world.runtime(), 0),
    (&BATTERY_CURRENT, |said| if said.world.on_battery() { said.amperes } else { 0.0 }, 0),
    (&INPUT_VOLTAGE_NOMINAL, |said| said.world.rating.mains_volts, 1),
    (&INPUT_CURRENT_NOMINAL, |said| said.world.rating.mains_amperes, 0),
    (&INPUT_FREQUENCY_NOMINAL, |said| said.world.rating.mains_hertz, 1),
    (&OUTPUT_VOLTAGE_NOMINAL, |said| said.world.rating.mains_volts, 1),
    (&OUTPUT_CURRENT_NOMINAL, |said| said.world.rating.mains_amperes, 0),
    (&OUTPUT_FREQUENCY_NOMINAL, |said| said.world.rating.mains_hertz, 1),
    (&BATTERY_VOLTAGE_NOMINAL, |said| said.world.rating.battery_volts, 2),
    (&EXPERIMENTAL_NUMBER_OF_BATTERY_CELLS, |said| said.world.rating.battery_volts / 2.0, 0),
    (&EXPERIMENTAL_NOMINAL_CELL_VOLTAGE, |_| 2.0, 2),
];

/// For batteries of other volts than the sample's: their limits.
#[rustfmt::skip]
const LIMITS: &[Row] = &[
    (&BATTERY_VOLTAGE_LOW, |said| 20.0 * said.world.rating.battery_volts / SAMPLE_VOLTS, 1),
    (&BATTERY_VOLTAGE_HIGH, |said| 27.6 * said.world.rating.battery_volts / SAMPLE_VOLTS, 1),
];

/// Variables, their numbers and decimals.
pub(super) fn numbers(world: &World, profile: &Profile) -> impl Iterator<Item = (&'static Var, f64, u8)> {
    let said = Said::of(world, profile);
    let limits = if world.rating.battery_volts == SAMPLE_VOLTS { &[] } else { LIMITS };
    NUMBERS.iter().chain(limits).map(move |(var, number, places)| (*var, number(&said), *places))
}
