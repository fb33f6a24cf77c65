//! Best UPS: Best Power and Sola Australia units.

use super::megatec::{LOAD, STATUS_BITS, STATUS_FIELDS, STATUS_PICTURE, TEMPLATE, TESTS, TIMED_TEST};
use crate::vocabulary::flag::Flag;
use crate::vocabulary::status::Status;
use crate::vocabulary::variable::*;
use crate::wire::acknowledgement::Acknowledgement;
use crate::wire::command::Part::{Lit, Minutes, MinutesUp, Short};
use crate::wire::command::{Arg, Command, command};
use crate::wire::fact::{Derived, Facts, Raised};
use crate::wire::protocol::{Fixed, Protocol, Sign};
use crate::wire::query::{Bit, Field, Query, UNKNOWN_BIT, bits, number, query, text};
use crate::wire::setting::{Allowed, Delay, Rounding, Setting, delay, setting};
use crate::wire::settle;
use crate::wire::spelling::Part::Digits;
use crate::wire::when::When;

const SOURCE: &str = "NUT 2.8.0 nutdrv_qx_bestups.c";

/// The beeper's bit is always 0.
const BITS: &[Bit] = &[
    STATUS_BITS[0],
    STATUS_BITS[1],
    STATUS_BITS[2],
    STATUS_BITS[3],
    STATUS_BITS[4],
    STATUS_BITS[5],
    STATUS_BITS[6],
    UNKNOWN_BIT,
];

const FIELDS: &[Field] = &[
    STATUS_FIELDS[0],
    STATUS_FIELDS[1],
    STATUS_FIELDS[2],
    STATUS_FIELDS[3],
    STATUS_FIELDS[4],
    STATUS_FIELDS[5],
    STATUS_FIELDS[6],
    bits('b', BITS),
];

/// The status without a beeper.
pub(super) static STATUS: Query = query("Q1", "status", STATUS_PICTURE, FIELDS).source(SOURCE);

#[rustfmt::skip]
static IDENTITY: Query = query("ID", "model and ratings", "mmm,PPPP,VVV,OOO,LL.L,HH.H", &[
    text('m', &MODEL_CODE),
    number('P', &UPS_POWER_NOMINAL),
    number('V', &INPUT_VOLTAGE_NOMINAL),
    number('O', &OUTPUT_VOLTAGE_NOMINAL).places(0),
    number('L', &BATTERY_VOLTAGE_LOW).places(1),
    number('H', &BATTERY_VOLTAGE_HIGH).places(1),
]).after_change().source(SOURCE);

static RUNTIME: Query = query("RT", "runtime in minutes", "RRR", &[number('R', &BATTERY_RUNTIME).times(60)])
    .when(When::IsNot(&MODEL_CODE, &["PRO", "320"]))
    .source(SOURCE);

static PACKS: Query = query("BP?", "battery packs", "NN", &[number('N', &BATTERY_PACKS)])
    .after_change()
    .when(HAS_PACKS)
    .source(SOURCE);
const HAS_PACKS: When = When::Is(&MODEL_CODE, &["AX1", "620"]);

static PINS: Query = query("SS?", "function of pins 1 and 7", "S", &[number('S', &PINS_SHUTDOWN_MODE)])
    .after_change()
    .source("NUT 2.8.0 nutdrv_qx_bestups.c; Best Power EPS-0059");

static TRANSFER: Query = query("M", "transfer voltages", "T", &[number('T', &TRANSFER_TABLE)]).source(SOURCE);

/// Volts: low, end of boost, rated, begin of trim, high; for units of up to 160 V, and above.
const TRANSFERS: [[[u16; 5]; 10]; 2] = [
    [
        [96, 109, 120, 130, 146],
        [96, 109, 120, 138, 156],
        [90, 104, 120, 130, 146],
        [90, 104, 120, 138, 156],
        [90, 104, 110, 120, 130],
        [90, 104, 110, 130, 146],
        [90, 96, 110, 120, 130],
        [90, 96, 110, 130, 146],
        [96, 109, 128, 146, 156],
        [90, 104, 128, 146, 156],
    ],
    [
        [200, 222, 240, 250, 284],
        [200, 222, 240, 264, 290],
        [188, 210, 240, 250, 284],
        [188, 210, 240, 264, 290],
        [188, 210, 230, 244, 270],
        [188, 210, 230, 250, 284],
        [180, 200, 230, 244, 270],
        [180, 200, 230, 250, 284],
        [165, 188, 208, 222, 244],
        [165, 188, 208, 244, 270],
    ],
];

fn transfer(facts: &Facts, column: usize) -> Option<String> {
    let row = usize::try_from(facts.number(&TRANSFER_TABLE)?.whole()).ok()?;
    let high = facts.f64(&INPUT_VOLTAGE_NOMINAL)? > 160.0;
    TRANSFERS[usize::from(high)].get(row).map(|row| row[column].to_string())
}

const MODELS: &[(&str, &str, &str)] = &[
    ("AX1", "Best Power", "Axxium Rackmount"),
    ("FOR", "Best Power", "Fortress"),
    ("FTC", "Best Power", "Fortress Telecom"),
    ("PR2", "Best Power", "Patriot Pro II"),
    ("PRO", "Best Power", "Patriot Pro"),
    ("320", "Sola Australia", "Sola 320"),
    ("325", "Sola Australia", "Sola 325"),
    ("520", "Sola Australia", "Sola 520"),
    ("525", "Sola Australia", "Sola 525"),
    ("620", "Sola Australia", "Sola 620"),
];

fn model(facts: &Facts) -> Option<(&'static str, String)> {
    let code = facts.text(&MODEL_CODE)?;
    let row = MODELS.iter().find(|(known, ..)| *known == code);
    Some(row.map_or(("Unknown", format!("Unknown ({code})")), |(_, maker, model)| (maker, (*model).into())))
}

const BY_TABLE: &str = "the row of `M`, in the half for units up to or above 160 V";

#[rustfmt::skip]
const DERIVED: &[Derived] = &[
    Derived { var: &DEVICE_MFR,                about: "the model's code", from: |facts| Some(model(facts)?.0.into()) },
    Derived { var: &DEVICE_MODEL,              about: "the model's code", from: |facts| Some(model(facts)?.1) },
    Derived { var: &INPUT_TRANSFER_LOW,        about: BY_TABLE, from: |facts| transfer(facts, 0) },
    Derived { var: &INPUT_TRANSFER_BOOST_LOW,  about: BY_TABLE, from: |facts| transfer(facts, 0) },
    Derived { var: &INPUT_TRANSFER_BOOST_HIGH, about: BY_TABLE, from: |facts| transfer(facts, 1) },
    Derived { var: &INPUT_VOLTAGE_NOMINAL,     about: BY_TABLE, from: |facts| transfer(facts, 2) },
    Derived { var: &OUTPUT_VOLTAGE_NOMINAL,    about: BY_TABLE, from: |facts| transfer(facts, 2) },
    Derived { var: &INPUT_TRANSFER_TRIM_LOW,   about: BY_TABLE, from: |facts| transfer(facts, 3) },
    Derived { var: &INPUT_TRANSFER_TRIM_HIGH,  about: BY_TABLE, from: |facts| transfer(facts, 4) },
    Derived { var: &INPUT_TRANSFER_HIGH,       about: BY_TABLE, from: |facts| transfer(facts, 4) },
];

/// The bit means nothing on battery, in a test and while shutting down; the Patriot Pro has it upside
/// down.
fn settle(facts: &Facts, raised: &mut Raised) {
    let inverted = facts.text(&MODEL_CODE).is_some_and(|code| matches!(code, "PR2" | "PRO"));
    let busy = !raised.status.has(Status::Online)
        || raised.status.has(Status::Calibrating)
        || raised.status.has(Status::ForcedShutdown);
    let regulating = settle::take_regulating(raised) != inverted;
    if let Some(status) = (regulating && !busy).then(|| settle::regulation(facts)).flatten() {
        raised.status = raised.status.with(status);
    }
}

/// Without a time of return the unit stays off.
#[rustfmt::skip]
const SHUTDOWNS: &[Command] = &[
    command("shutdown.return",  &[Lit("S"), Short(Arg::Shutdown), Lit("R"), Minutes(Arg::Start, 4)])
        .otherwise(&[&[Lit("S"), MinutesUp(Arg::Shutdown, 2), Lit("R"), Minutes(Arg::Start, 4)]]),
    command("shutdown.stayoff", &[Lit("S"), Short(Arg::Shutdown)])
        .otherwise(&[&[Lit("S"), MinutesUp(Arg::Shutdown, 2)]]),
];

#[rustfmt::skip]
const SETTINGS: &[Setting] = &[
    setting(&BATTERY_PACKS,      &[Lit("BP"), Digits(Arg::Given, 1)], Allowed::Range(0, 5)).when(HAS_PACKS),
    setting(&PINS_SHUTDOWN_MODE, &[Lit("SS"), Digits(Arg::Given, 1)], Allowed::Range(0, 6)),
];

#[rustfmt::skip]
const DELAYS: &[Delay] = &[
    delay(&UPS_DELAY_START,    "ondelay",  (60, 599_940), 180, Rounding::Minutes),
    delay(&UPS_DELAY_SHUTDOWN, "offdelay", (12, 5_940), 30, Rounding::TenthsThenMinutes),
];

/// What is printed on a sample unit, or set in it.
const SAMPLE: &[Fixed] = &[
    (&MODEL_CODE, "FOR"),
    (&BATTERY_VOLTAGE_LOW, "20.0"),
    (&BATTERY_VOLTAGE_HIGH, "27.6"),
    (&BATTERY_PACKS, "2"),
    (&PINS_SHUTDOWN_MODE, "0"),
    (&TRANSFER_TABLE, "5"),
];

/// The dialect.
pub static BESTUPS: Protocol = Protocol {
    name: "bestups",
    about: "Best Power and Sola Australia units: status by Q1, identity by ID",
    signs: &[Sign::Answers(&STATUS), Sign::Answers(&IDENTITY)],
    sample: SAMPLE,
    queries: &[&STATUS, &IDENTITY, &RUNTIME, &PACKS, &PINS, &TRANSFER],
    derived: DERIVED,
    settle,
    commands: &[LOAD, SHUTDOWNS, TIMED_TEST, TESTS],
    settings: &[SETTINGS],
    delays: DELAYS,
    acknowledgement: Acknowledgement::Silence,
    flags: &[Flag::IgnoreSab],
    ..TEMPLATE
};
