//! Voltronic units that speak QS: as Mustek, but the ratings are those of the output.

use super::megatec::{BEEPER, LOAD, SHUTDOWN, STATUS_BITS, STATUS_FIELDS, STATUS_PICTURE, TEMPLATE};
use crate::vocabulary::flag::Flag;
use crate::vocabulary::variable::*;
use crate::wire::acknowledgement::Acknowledgement;
use crate::wire::command::Part::Lit;
use crate::wire::command::{Command, command};
use crate::wire::protocol::{Fixed, Protocol, Sign};
use crate::wire::query::{Field, Query, bits, number, query, unknown, word};
use crate::wire::setting::Delay;

const SOURCE: &str = "NUT 2.8.0 nutdrv_qx_voltronic-qs.c";

static FAMILY: Query =
    query("M", "family", "F", &[word('F', &UPS_FIRMWARE_AUX, &[("V", "PM-V"), ("H", "PM-H")])])
        .once()
        .source("NUT 2.8.0 (H: 2.8.5) nutdrv_qx_voltronic-qs.c");

const FIELDS: &[Field] = &[
    STATUS_FIELDS[0],
    STATUS_FIELDS[1],
    STATUS_FIELDS[2],
    STATUS_FIELDS[3],
    number('R', &OUTPUT_FREQUENCY),
    STATUS_FIELDS[5],
    STATUS_FIELDS[6],
    bits('b', STATUS_BITS),
];

static STATUS: Query = query("QS", "status", STATUS_PICTURE, FIELDS).source(SOURCE);

#[rustfmt::skip]
static RATING: Query = query("F", "ratings", "#VVV.V CCC BB.BB FF.F", &[
    number('V', &OUTPUT_VOLTAGE_NOMINAL).places(0),
    number('C', &OUTPUT_CURRENT_NOMINAL),
    number('B', &BATTERY_VOLTAGE_NOMINAL),
    number('F', &OUTPUT_FREQUENCY_NOMINAL).places(0),
]).once().source(SOURCE);

/// NUT takes the runtime for seconds; no report says otherwise.
#[rustfmt::skip]
static EXTENDED: Query = query("QI", "charge, runtime, limits", "(CCC RRRRR FF.F III.I LLL HHH x bbbbbbbbbbbbbbbb", &[
    number('C', &BATTERY_CHARGE),
    number('R', &BATTERY_RUNTIME),
    number('F', &INPUT_FREQUENCY),
    number('I', &OUTPUT_CURRENT),
    number('L', &INPUT_TRANSFER_LOW),
    number('H', &INPUT_TRANSFER_HIGH),
    unknown('x'),
    unknown('b'),
]).source("NUT 2.8.5 nutdrv_qx_voltronic-qs.c");

pub(super) const TEST: &[Command] = &[command("test.battery.start.quick", &[Lit("T")])];

pub(super) const DELAYS: &[Delay] =
    &[Delay { least: 60, ..TEMPLATE.delays[0] }, Delay { most: 540, ..TEMPLATE.delays[1] }];

/// What is printed on a sample unit, or set in it.
const SAMPLE: &[Fixed] = &[(&UPS_FIRMWARE_AUX, "PM-V")];

/// The dialect.
pub static VOLTRONIC_QS: Protocol = Protocol {
    name: "voltronic-qs",
    about: "Voltronic units of families V and H: family by M, status by QS",
    signs: &[Sign::Answers(&FAMILY), Sign::Answers(&STATUS)],
    sample: SAMPLE,
    queries: &[&FAMILY, &STATUS, &RATING, &EXTENDED],
    commands: &[BEEPER, LOAD, SHUTDOWN, TEST],
    delays: DELAYS,
    acknowledgement: Acknowledgement::Silence,
    flags: &[Flag::IgnoreSab],
    ..TEMPLATE
};
