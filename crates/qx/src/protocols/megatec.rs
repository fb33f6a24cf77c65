//! Megatec: the dialect most of the family descends from. Its variants differ in a word.

use crate::vocabulary::flag::Flag;
use crate::vocabulary::status::Status::{Calibrating, ForcedShutdown, LowBattery, Online};
use crate::vocabulary::variable::*;
use crate::wire::acknowledgement::Acknowledgement;
use crate::wire::command::Part::{Lit, Minutes, MinutesUp, Short, Unless0};
use crate::wire::command::{Arg, Command, Part, command};
use crate::wire::protocol::{Protocol, Sign};
use crate::wire::query::Effect::{Clear, Nothing, Regulating, Says, Set};
use crate::wire::query::{Bit, Field, Query, alarm, bit, bits, number, query, text};
use crate::wire::setting::{Delay, Rounding, delay};
use crate::wire::settle;

#[rustfmt::skip]
pub(super) const STATUS_BITS: &[Bit] = &[
    bit("mains failed",              Clear(Online),          Set(Online)),
    bit("battery low",               Set(LowBattery),        Clear(LowBattery)),
    bit("boost, trim or bypass",     Regulating,             Nothing),
    bit("UPS failed",                alarm("UPS selftest failed!"), Nothing),
    bit("standby (1) or online (0)", Says(&UPS_TYPE, "offline / line interactive"), Says(&UPS_TYPE, "online")),
    bit("test in progress",          Set(Calibrating),       Clear(Calibrating)),
    bit("shutdown active",           Set(ForcedShutdown),     Clear(ForcedShutdown)).unless(Flag::IgnoreSab),
    bit("beeper on",                 Says(&UPS_BEEPER_STATUS, "enabled"), Says(&UPS_BEEPER_STATUS, "disabled")),
];

/// The fields of the status block.
#[rustfmt::skip]
pub(super) const STATUS_FIELDS: &[Field] = &[
    number('M', &INPUT_VOLTAGE),
    number('N', &INPUT_VOLTAGE_FAULT),
    number('P', &OUTPUT_VOLTAGE),
    number('Q', &UPS_LOAD),
    number('R', &INPUT_FREQUENCY),
    number('S', &BATTERY_VOLTAGE),
    number('T', &UPS_TEMPERATURE),
    bits('b', STATUS_BITS),
];

/// Its picture.
pub(super) const STATUS_PICTURE: &str = "(MMM.M NNN.N PPP.P QQQ RR.R SS.S TT.T bbbbbbbb";

/// The status block, which the whole family shares.
pub static STATUS: Query = query("Q1", "status", STATUS_PICTURE, STATUS_FIELDS)
    .source("Megatec protocol paper; NUT 2.8.0 nutdrv_qx_megatec.c");

/// The rating block.
#[rustfmt::skip]
pub static RATING: Query = query("F", "ratings", "#VVV.V CCC BB.BB FF.F", &[
    number('V', &INPUT_VOLTAGE_NOMINAL),
    number('C', &INPUT_CURRENT_NOMINAL),
    number('B', &BATTERY_VOLTAGE_NOMINAL),
    number('F', &INPUT_FREQUENCY_NOMINAL),
]).once().unless(Flag::NoRating).source("Megatec protocol paper; NUT 2.8.0 nutdrv_qx_megatec.c");

/// The vendor block.
#[rustfmt::skip]
pub static VENDOR: Query = query("I", "maker, model, firmware", "#MMMMMMMMMMMMMMM NNNNNNNNNN VVVVVVVVVV", &[
    text('M', &DEVICE_MFR),
    text('N', &DEVICE_MODEL),
    text('V', &UPS_FIRMWARE),
]).columns().once().unless(Flag::NoVendor).source("Megatec protocol paper; NUT 2.8.0 nutdrv_qx_megatec.c");

#[rustfmt::skip]
pub(super) const BEEPER: &[Command] = &[
    command("beeper.toggle",            &[Lit("Q")]),
];

#[rustfmt::skip]
pub(super) const LOAD: &[Command] = &[
    command("load.off",                 &[Lit("S00R0000")]).otherwise(&[&[Lit("S.2R0000")]]),
    command("load.on",                  &[Lit("C")]),
    command("shutdown.stop",            &[Lit("C")]),
];

/// The protocol paper draws the delay as .2 to .9 or 01 to 10 minutes; some units know one of both. (`S`
/// without a time of return means something else: with some units the load stays off.)
pub(super) const RETURN_OTHERWISE: &[&[Part]] =
    &[&[Lit("S"), MinutesUp(Arg::Shutdown, 2), Unless0("R", Arg::Start, 4)]];

/// `S` alone would return: only the delay can be said otherwise.
pub(super) const STAYOFF_OTHERWISE: &[&[Part]] = &[&[Lit("S"), MinutesUp(Arg::Shutdown, 2), Lit("R0000")]];

#[rustfmt::skip]
pub(super) const SHUTDOWN: &[Command] = &[
    command("shutdown.return",          &[Lit("S"), Short(Arg::Shutdown), Unless0("R", Arg::Start, 4)]).otherwise(RETURN_OTHERWISE),
    command("shutdown.stayoff",         &[Lit("S"), Short(Arg::Shutdown), Lit("R0000")]).otherwise(STAYOFF_OTHERWISE),
];

#[rustfmt::skip]
pub(super) const TIMED_TEST: &[Command] = &[
    command("test.battery.start",       &[Lit("T"), Minutes(Arg::Given, 2)]).seconds(60, 5940, 600),
];

#[rustfmt::skip]
pub(super) const TESTS: &[Command] = &[
    command("test.battery.start.deep",  &[Lit("TL")]),
    command("test.battery.start.quick", &[Lit("T")]),
    command("test.battery.stop",        &[Lit("CT")]),
];

#[rustfmt::skip]
const DELAYS: &[Delay] = &[
    delay(&UPS_DELAY_START,    "ondelay",  (0, 599_940), 180, Rounding::Minutes),
    delay(&UPS_DELAY_SHUTDOWN, "offdelay", (12, 600), 30, Rounding::TenthsThenMinutes),
];

/// The dialect.
pub static MEGATEC: Protocol = TEMPLATE;

/// The dialect as a constant, from which its variants take what they do not change.
pub(super) const TEMPLATE: Protocol = Protocol {
    name: "megatec",
    about: "most small units: status by Q1, ratings by F, vendor by I",
    signs: &[Sign::Answers(&STATUS), Sign::Says(&VENDOR, &UPS_FIRMWARE)],
    by_name: false,
    queries: &[&STATUS, &RATING, &VENDOR],
    fixed: &[],
    sample: &[],
    derived: &[],
    settle: settle::by_ratio,
    commands: &[BEEPER, LOAD, SHUTDOWN, TIMED_TEST, TESTS],
    settings: &[],
    delays: DELAYS,
    acknowledgement: Acknowledgement::SilenceOr("ACK"),
    codec: None,
    flags: &[Flag::NoRating, Flag::NoVendor, Flag::IgnoreSab],
};
