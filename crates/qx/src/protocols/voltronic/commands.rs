//! What can be commanded and set.

use super::super::megatec::{RETURN_OTHERWISE, STAYOFF_OTHERWISE};
use super::{BATTERY_TYPES, HAS_BYPASS, HAS_ECO, P31, WORK_RANGES, limits};
use crate::vocabulary::flag::Flag;
use crate::vocabulary::status::Status;
use crate::vocabulary::variable::*;
use crate::wire::command::Part::{Code, Digits, Lit, Minutes, Short, Tenths, Unless0};
use crate::wire::command::{Arg, Command, command};
use crate::wire::query::Words;
use crate::wire::setting::{Allowed, Setting, setting};
use crate::wire::when::When;

const CAN_SWITCH_BEEPER: When = When::Known(&ALARM_CONTROL);
const SOUNDS: When = When::Is(&BEEPER_BIT, &["on"]);
const SILENT: When = When::Is(&BEEPER_BIT, &["off"]);
const NO_SWITCH: When = When::Unknown(&ALARM_CONTROL);
const SWITCHED_ON: When = When::Is(&ALARM_CONTROL, &["enabled"]);

const fn outlet(switchable: &'static Var) -> When {
    When::Is(switchable, &["yes"])
}

/// `bypass.start` and `.stop` switch the ECO mode, as in NUT.
#[rustfmt::skip]
pub(super) const COMMANDS: &[Command] = &[
    command("load.off",                 &[Lit("SOFF")]),
    command("load.on",                  &[Lit("SON")]),
    command("shutdown.return",          &[Lit("S"), Short(Arg::Shutdown), Unless0("R", Arg::Start, 4)]).otherwise(RETURN_OTHERWISE),
    command("shutdown.stayoff",         &[Lit("S"), Short(Arg::Shutdown), Lit("R0000")]).otherwise(STAYOFF_OTHERWISE),
    command("shutdown.stop",            &[Lit("CS")]),
    command("test.battery.start",       &[Lit("T"), Short(Arg::Given)]).seconds(12, 5940, 600),
    command("test.battery.start.deep",  &[Lit("TL")]),
    command("test.battery.start.quick", &[Lit("T")]),
    command("test.battery.stop",        &[Lit("CT")]),
    command("beeper.toggle",            &[Lit("BZOFF")]).when(When::Both(&[SOUNDS, NO_SWITCH])),
    command("beeper.toggle",            &[Lit("BZOFF")]).when(When::Both(&[SOUNDS, SWITCHED_ON])),
    command("beeper.toggle",            &[Lit("BZON")]).when(When::Both(&[SILENT, NO_SWITCH])),
    command("beeper.toggle",            &[Lit("BZON")]).when(When::Both(&[SILENT, SWITCHED_ON])),
    command("beeper.enable",            &[Lit("PEA")]).when(CAN_SWITCH_BEEPER),
    command("beeper.disable",           &[Lit("PDA")]).when(CAN_SWITCH_BEEPER),
    command("outlet.1.load.off",        &[Lit("SKOFF1")]).when(outlet(&OUTLET_1_SWITCHABLE)),
    command("outlet.1.load.on",         &[Lit("SKON1")]).when(outlet(&OUTLET_1_SWITCHABLE)),
    command("outlet.2.load.off",        &[Lit("SKOFF2")]).when(outlet(&OUTLET_2_SWITCHABLE)),
    command("outlet.2.load.on",         &[Lit("SKON2")]).when(outlet(&OUTLET_2_SWITCHABLE)),
    command("outlet.3.load.off",        &[Lit("SKOFF3")]).when(outlet(&OUTLET_3_SWITCHABLE)),
    command("outlet.3.load.on",         &[Lit("SKON3")]).when(outlet(&OUTLET_3_SWITCHABLE)),
    command("outlet.4.load.off",        &[Lit("SKOFF4")]).when(outlet(&OUTLET_4_SWITCHABLE)),
    command("outlet.4.load.on",         &[Lit("SKON4")]).when(outlet(&OUTLET_4_SWITCHABLE)),
    command("bypass.start",             &[Lit("PEE")]).when(HAS_ECO),
    command("bypass.stop",              &[Lit("PDE")]).when(HAS_ECO),
];

const ANGLES: Words = &[("000", "000"), ("120", "120"), ("180", "180"), ("240", "240")];
const RESET: When = When::Both(&[When::With(Flag::ResetToDefault), When::Has(Status::Off)]);
const BY_FAMILY: &str = "by family and rating";

#[rustfmt::skip]
pub(super) const SETTINGS: &[Setting] = &[
    setting(&RESET_TO_DEFAULT,        &[Lit("PF")],                             Allowed::Words(&[("", "yes")])).when(RESET),
    setting(&OUTLET_1_DELAY_SHUTDOWN, &[Lit("PSK1"), Minutes(Arg::Given, 3)],   Allowed::Range(0, 59_940)),
    setting(&OUTLET_2_DELAY_SHUTDOWN, &[Lit("PSK2"), Minutes(Arg::Given, 3)],   Allowed::Range(0, 59_940)),
    setting(&OUTLET_3_DELAY_SHUTDOWN, &[Lit("PSK3"), Minutes(Arg::Given, 3)],   Allowed::Range(0, 59_940)),
    setting(&OUTLET_4_DELAY_SHUTDOWN, &[Lit("PSK4"), Minutes(Arg::Given, 3)],   Allowed::Range(0, 59_940)),
    setting(&INPUT_TRANSFER_HIGH,     &[Lit("HEH"), Digits(Arg::Given, 3)],     Allowed::Limits(BY_FAMILY, limits::eco_volts_high)),
    setting(&INPUT_TRANSFER_LOW,      &[Lit("HEL"), Digits(Arg::Given, 3)],     Allowed::Limits(BY_FAMILY, limits::eco_volts_low)),
    setting(&INPUT_FREQUENCY_HIGH,    &[Lit("FREH"), Tenths(4)],                Allowed::Limits(BY_FAMILY, limits::eco_hertz_high)),
    setting(&INPUT_FREQUENCY_LOW,     &[Lit("FREL"), Tenths(4)],                Allowed::Limits(BY_FAMILY, limits::eco_hertz_low)),
    setting(&MAX_BYPASS_VOLT,         &[Lit("PHV"), Digits(Arg::Given, 3)],     Allowed::Limits(BY_FAMILY, limits::bypass_volts_high)).when(HAS_BYPASS),
    setting(&MIN_BYPASS_VOLT,         &[Lit("PLV"), Digits(Arg::Given, 3)],     Allowed::Limits(BY_FAMILY, limits::bypass_volts_low)).when(HAS_BYPASS),
    setting(&MAX_BYPASS_FREQ,         &[Lit("PGF"), Tenths(4)],                 Allowed::Limits(BY_FAMILY, limits::bypass_hertz_high)).when(HAS_BYPASS),
    setting(&MIN_BYPASS_FREQ,         &[Lit("PSF"), Tenths(4)],                 Allowed::Limits(BY_FAMILY, limits::bypass_hertz_low)).when(HAS_BYPASS),
    setting(&BATTERIES_IN_PACK,       &[Lit("BATN"), Digits(Arg::Given, 1)],    Allowed::Range(1, 9)),
    setting(&BATTERY_PACKS,           &[Lit("BATGN"), Digits(Arg::Given, 2)],   Allowed::Range(1, 99)),
    setting(&BATTERY_TYPE,            &[Lit("PBT"), Code],                      Allowed::Words(BATTERY_TYPES)).when(P31),
    setting(&WORK_RANGE_TYPE,         &[Lit("PGR"), Code],                      Allowed::Words(WORK_RANGES)).when(P31),
    setting(&BATTERY_VOLTAGE_LOW,     &[Lit("W0E"), Digits(Arg::Given, 2)],     Allowed::Limits("20 to 24, or to 28 in units of 1000 VA and more", limits::battery_low)),
    setting(&OUTPUT_PHASE_ANGLE,      &[Lit("PPD"), Code],                      Allowed::Words(ANGLES)),
];
