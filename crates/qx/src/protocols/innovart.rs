//! Innova: units of three phases with one or three phases out, and plain ones.

use super::megatec::{LOAD, RATING, SHUTDOWN, STATUS, TEMPLATE, TESTS, TIMED_TEST};
use super::q6::{BITS, OUTPUT, Q6_PICTURE, WA_PICTURE};
use crate::vocabulary::flag::Flag;
use crate::vocabulary::variable::*;
use crate::wire::command::Command;
use crate::wire::protocol::{Fixed, Protocol, Sign};
use crate::wire::query::{Query, number, query, text, unknown};

const SOURCE_31: &str = "NUT 2.8.5 nutdrv_qx_innovart31.c";
const SOURCE_33: &str = "NUT 2.8.5 nutdrv_qx_innovart33.c";

#[rustfmt::skip]
static STATUS_31: Query = query("Q6", "readings", Q6_PICTURE, &[
    number('A', &INPUT_L1_N_VOLTAGE),
    number('B', &INPUT_L2_N_VOLTAGE),
    number('C', &INPUT_L3_N_VOLTAGE),
    number('R', &INPUT_FREQUENCY),
    number('D', &OUTPUT_VOLTAGE),
    unknown('E'),
    unknown('F'),
    number('V', &OUTPUT_FREQUENCY),
    number('G', &UPS_LOAD),
    unknown('H'),
    unknown('I'),
    number('S', &BATTERY_VOLTAGE).places(1),
    unknown('N'),
    number('T', &UPS_TEMPERATURE),
    number('L', &BATTERY_RUNTIME),
    number('P', &BATTERY_CHARGE),
    unknown('x'),
    unknown('u'),
    unknown('b'),
    unknown('Y'),
    unknown('O'),
]).source(SOURCE_31);

#[rustfmt::skip]
static STATUS_33: Query = query("Q6", "readings", Q6_PICTURE, &[
    number('A', &INPUT_L1_N_VOLTAGE),
    number('B', &INPUT_L2_N_VOLTAGE),
    number('C', &INPUT_L3_N_VOLTAGE),
    number('R', &INPUT_FREQUENCY),
    number('D', &OUTPUT_L1_N_VOLTAGE),
    number('E', &OUTPUT_L2_N_VOLTAGE),
    number('F', &OUTPUT_L3_N_VOLTAGE),
    number('V', &OUTPUT_FREQUENCY),
    number('G', &OUTPUT_L1_LOAD),
    number('H', &OUTPUT_L2_LOAD),
    number('I', &OUTPUT_L3_LOAD),
    number('S', &BATTERY_VOLTAGE).places(1),
    unknown('N'),
    number('T', &UPS_TEMPERATURE),
    number('L', &BATTERY_RUNTIME),
    number('P', &BATTERY_CHARGE),
    unknown('x'),
    unknown('u'),
    unknown('b'),
    unknown('Y'),
    unknown('O'),
]).source(SOURCE_33);

#[rustfmt::skip]
static POWER_31: Query = query("WA", "power", WA_PICTURE, &[
    unknown('A'),
    unknown('B'),
    unknown('C'),
    unknown('D'),
    unknown('E'),
    unknown('F'),
    number('R', &UPS_REALPOWER).times(1000),
    number('S', &UPS_POWER).times(1000).places(2),
    number('I', &OUTPUT_CURRENT),
    unknown('J'),
    unknown('K'),
    unknown('Q'),
    unknown('b'),
]).source(SOURCE_31);

#[rustfmt::skip]
static BYPASS_31: Query = query("BPS", "bypass", "(MMM.M xxx.x yyy.y RR.R", &[
    number('M', &INPUT_BYPASS_VOLTAGE),
    unknown('x'),
    unknown('y'),
    number('R', &INPUT_BYPASS_FREQUENCY),
]).source(SOURCE_31);

#[rustfmt::skip]
static BYPASS_33: Query = query("BPS", "bypass", "(AAA.A BBB.B CCC.C RR.R", &[
    number('A', &INPUT_BYPASS_L1_N_VOLTAGE),
    number('B', &INPUT_BYPASS_L2_N_VOLTAGE),
    number('C', &INPUT_BYPASS_L3_N_VOLTAGE),
    number('R', &INPUT_BYPASS_FREQUENCY),
]).source(SOURCE_33);

static FIRMWARE: Query =
    query("FW?", "firmware", "V*", &[text('V', &UPS_FIRMWARE)]).columns().once().source(SOURCE_31);

static SERIAL: Query = query(
    "SASV07?",
    "serial number",
    "'G''A''S''V'07xSSSSSSSSSSSSSSSSSSSS",
    &[unknown('x').sample("D"), text('S', &UPS_SERIAL)],
)
.columns()
.once()
.source(SOURCE_31);

const COMMANDS: &[&[Command]] = &[LOAD, SHUTDOWN, TIMED_TEST, TESTS];
const PHASES_31: &[Fixed] = &[(&INPUT_PHASES, "3"), (&OUTPUT_PHASES, "1"), (&INPUT_BYPASS_PHASES, "1")];
const PHASES_33: &[Fixed] = &[(&INPUT_PHASES, "3"), (&OUTPUT_PHASES, "3"), (&INPUT_BYPASS_PHASES, "3")];

/// What is printed on a sample unit, or set in it.
const SAMPLE: &[Fixed] = &[(&UPS_SERIAL, "N05K10KB100004")];

/// Three phases in, one out.
pub static INNOVART31: Protocol = Protocol {
    name: "innovart31",
    about: "Innova RT units of three phases in and one out: readings by Q6, power by WA, bypass by BPS",
    signs: &[
        Sign::Answers(&BITS),
        Sign::Answers(&STATUS_31),
        Sign::Answers(&POWER_31),
        Sign::Answers(&BYPASS_31),
        Sign::Says(&FIRMWARE, &UPS_FIRMWARE),
        Sign::Says(&SERIAL, &UPS_SERIAL),
    ],
    queries: &[&STATUS_31, &POWER_31, &BYPASS_31, &RATING, &FIRMWARE, &SERIAL, &BITS],
    fixed: PHASES_31,
    sample: SAMPLE,
    commands: COMMANDS,
    flags: &[Flag::IgnoreSab, Flag::NoRating],
    ..TEMPLATE
};

/// Three phases in and out.
pub static INNOVART33: Protocol = Protocol {
    name: "innovart33",
    about: "as innovart31, from which nothing tells it, with three phases out",
    by_name: true,
    queries: &[&STATUS_33, &OUTPUT, &BYPASS_33, &RATING, &FIRMWARE, &SERIAL, &BITS],
    signs: &[
        Sign::Answers(&BITS),
        Sign::Answers(&STATUS_33),
        Sign::Answers(&BYPASS_33),
        Sign::Says(&FIRMWARE, &UPS_FIRMWARE),
        Sign::Says(&SERIAL, &UPS_SERIAL),
    ],
    fixed: PHASES_33,
    sample: SAMPLE,
    commands: COMMANDS,
    flags: &[Flag::IgnoreSab, Flag::NoRating],
    ..TEMPLATE
};

#[rustfmt::skip]
static VENDOR: Query = query("I", "firmware", "#xxxxxxxxxxxxxxxxxxxxxxxxxxxVVVVVVVVw*", &[
    unknown('x'),
    text('V', &UPS_FIRMWARE),
    unknown('w').sample("  "),
]).columns().once().source("NUT 2.8.5 nutdrv_qx_innovatae.c");

/// Plain units.
pub static INNOVATAE: Protocol = Protocol {
    name: "innovatae",
    about: "Ippon Innova T units: status by Q1, from which nothing tells them",
    by_name: true,
    signs: &[Sign::Answers(&STATUS)],
    queries: &[&STATUS, &RATING, &VENDOR],
    fixed: &[(&DEVICE_MFR, "Ippon")],
    flags: &[Flag::IgnoreSab, Flag::NoRating, Flag::NoVendor],
    ..TEMPLATE
};
