//! Ablerex: as Megatec, with binary replies for what Q1 does not say.

use super::megatec::{
    BEEPER, SHUTDOWN, STATUS_BITS, STATUS_FIELDS, STATUS_PICTURE, TEMPLATE, TESTS, TIMED_TEST, VENDOR,
};
use crate::vocabulary::flag::Flag;
use crate::vocabulary::status::Alarm;
use crate::vocabulary::status::Status::{Bypass, Off, ReplaceBattery};
use crate::vocabulary::value::{Decimal, Value};
use crate::vocabulary::variable::*;
use crate::wire::command::Part::Lit;
use crate::wire::command::{Command, command};
use crate::wire::fact::{Derived, Facts, Raised};
use crate::wire::protocol::{Fixed, Protocol, Sign};
use crate::wire::query::Effect::{All, Nothing, Set};
use crate::wire::query::{Bit, Custom, Effect, Field, Query, alarm, bit, bits, custom, number, query, text};
use crate::wire::readings::Readings;
use crate::wire::settle;

const SOURCE: &str = "NUT 2.8.0 nutdrv_qx_ablerex.c";

const FAILED: &[Effect] = &[alarm("UPS selftest failed!"), Set(ReplaceBattery)];

#[rustfmt::skip]
const BITS: &[Bit] = &[
    STATUS_BITS[0],
    STATUS_BITS[1],
    STATUS_BITS[2],
    bit("UPS failed", All(FAILED), Nothing),
    STATUS_BITS[4],
    STATUS_BITS[5],
    STATUS_BITS[6],
    STATUS_BITS[7],
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

static STATUS: Query = query("Q1", "status", STATUS_PICTURE, FIELDS).source(SOURCE);

#[rustfmt::skip]
static RATING: Query = query("F", "ratings", "#VVV.V CCC BB.BB FF.F", &[
    number('V', &OUTPUT_VOLTAGE_NOMINAL),
    number('C', &OUTPUT_CURRENT_NOMINAL),
    number('B', &BATTERY_VOLTAGE_NOMINAL),
    number('F', &OUTPUT_FREQUENCY_NOMINAL),
]).once().unless(Flag::NoRating).source(SOURCE);

static BINARY: Query = query("Q5", "binary readings", "(BBBBBBBBBBBBBBBBBBBB", &[custom('B', &READINGS)])
    .columns()
    .source(SOURCE);
static RUNTIME: Query =
    query("At", "runtime in seconds, binary", "(RRRR", &[custom('R', &SECONDS)]).columns().source(SOURCE);
static TEST: Query =
    query("TR", "outcome of the test", "#RRRR", &[text('R', &UPS_TEST_RESULT)]).columns().source(SOURCE);

/// Where each number stands in the binary reply, in bytes behind the `(`; two bytes, the greater first.
const PLACES: [(&Var, usize, u8); 5] = [
    (&OUTPUT_FREQUENCY, 0, 1),
    (&Q5_BATTERY_VOLTAGE, 6, 0),
    (&Q5_BATTERY_CUTOFF, 8, 0),
    (&Q5_ERROR, 12, 0),
    (&OUTPUT_CURRENT, 14, 1),
];

static READINGS: Custom = Custom {
    about: "two bytes each, the greater first: hertz in tenths from 0, battery from 6, its cut-off from 8, error number from 12, amperes in tenths from 14",
    vars: &[&OUTPUT_FREQUENCY, &Q5_BATTERY_VOLTAGE, &Q5_BATTERY_CUTOFF, &Q5_ERROR, &OUTPUT_CURRENT],
    read: |piece, readings| {
        for (var, at, places) in PLACES {
            let bytes: [u8; 2] = piece.get(at..at + 2)?.try_into().ok()?;
            let number = Decimal::new(i64::from(u16::from_be_bytes(bytes)), places);
            readings.say(var, Some(Value::Number(number)));
        }
        Some(())
    },
    write: |readings, width| {
        let mut out = vec![0; width];
        for (var, at, places) in PLACES {
            let number = readings.number(var).map_or(0.0, Decimal::as_f64) * 10f64.powi(i32::from(places));
            out[at..at + 2].copy_from_slice(&(number.round() as u16).to_be_bytes());
        }
        out
    },
};

static SECONDS: Custom = Custom {
    about: "four bytes, the greatest first",
    vars: &[&BATTERY_RUNTIME],
    read: |piece, readings: &mut Readings| {
        let bytes: [u8; 4] = piece.try_into().ok()?;
        readings.say(&BATTERY_RUNTIME, Some(Value::whole(u32::from_be_bytes(bytes))));
        Some(())
    },
    write: |readings, _| {
        let seconds = readings.number(&BATTERY_RUNTIME).map_or(0, Decimal::whole);
        u32::try_from(seconds).unwrap_or_default().to_be_bytes().to_vec()
    },
};

/// Percent by volts of a cell in hundredths: from 2.22 V down.
const BY_CELL: [u8; 56] = [
    100, 90, 88, 87, 85, 83, 82, 80, 78, 77, 75, 73, 72, 70, 68, 65, 65, 62, 62, 58, 58, 55, 55, 53, 52, 50,
    48, 47, 45, 43, 42, 40, 38, 37, 35, 33, 32, 30, 28, 27, 25, 23, 22, 20, 18, 17, 15, 13, 12, 10, 8, 7, 5,
    3, 2, 0,
];
/// Percent by volts of a block of 12 V in tenths: from 13.3 V down; 100 from 13.5 V up.
const BY_BLOCK: [u8; 34] = [
    90, 88, 86, 83, 80, 77, 74, 72, 69, 66, 63, 61, 58, 55, 52, 49, 47, 44, 41, 38, 36, 33, 30, 27, 24, 22,
    19, 16, 13, 11, 8, 5, 2, 0,
];

fn charge(facts: &Facts) -> Option<String> {
    let volts = facts.f64(&BATTERY_VOLTAGE)?;
    let nominal = facts.f64(&BATTERY_VOLTAGE_NOMINAL).filter(|nominal| *nominal > 0.0)?;
    let step =
        |below: f64, size: f64| ((below - volts_of(volts, nominal)) / size - 1e-6).ceil().max(0.0) as usize;
    let percent = match volts_of(volts, nominal) {
        cell if cell < 3.0 => BY_CELL.get(step(2.22, 0.01)).copied().unwrap_or(0),
        block if block >= 13.5 => 100,
        _ => BY_BLOCK.get(step(13.3, 0.1)).copied().unwrap_or(0),
    };
    Some(percent.to_string())
}

/// Volts of a cell as they are, of a battery for each block of 12 V.
fn volts_of(volts: f64, nominal: f64) -> f64 {
    if volts > 3.0 { volts * 12.0 / nominal } else { volts }
}

fn voltage(facts: &Facts) -> Option<String> {
    let volts = facts.f64(&BATTERY_VOLTAGE)?;
    let nominal = facts.f64(&BATTERY_VOLTAGE_NOMINAL).filter(|nominal| *nominal > 0.0);
    let binary = facts.f64(&Q5_BATTERY_VOLTAGE).filter(|raw| *raw > 0.0);
    Some(format!(
        "{:.2}",
        match (nominal, binary) {
            (Some(nominal), Some(raw)) => raw * nominal / 1200.0,
            (Some(nominal), None) if volts <= 3.0 => volts * 6.0 * nominal / 12.0,
            _ => volts,
        }
    ))
}

fn bound(facts: &Facts, raw: f64) -> Option<String> {
    let nominal = facts.f64(&BATTERY_VOLTAGE_NOMINAL).filter(|nominal| *nominal > 0.0)?;
    Some(format!("{:.2}", raw * nominal / 1200.0))
}

fn cutoff(facts: &Facts) -> f64 {
    facts.f64(&Q5_BATTERY_CUTOFF).filter(|raw| *raw > 0.0).unwrap_or(960.0)
}

#[rustfmt::skip]
const DERIVED: &[Derived] = &[
    Derived { var: &BATTERY_VOLTAGE,      about: "`Q5` × battery.voltage.nominal ÷ 1200, else `Q1`, times six cells for each 12 V where it is that of a cell", from: voltage },
    Derived { var: &BATTERY_CHARGE,       about: "a table by the volts of `Q1`", from: charge },
    Derived { var: &BATTERY_VOLTAGE_LOW,  about: "the cut-off of `Q5` (960) × battery.voltage.nominal ÷ 1200", from: |facts| bound(facts, cutoff(facts)) },
    Derived { var: &BATTERY_VOLTAGE_HIGH, about: "1365 × battery.voltage.nominal ÷ 1200", from: |facts| bound(facts, 1365.0) },
];

/// Below so many volts the output is off (NUT 2.8.0 nutdrv_qx_ablerex.c).
const DEAD_VOLTS: f64 = 50.0;

/// An online unit that regulates is on bypass; one whose output has no voltage is off.
fn settle(facts: &Facts, raised: &mut Raised) {
    let online = facts.text(&UPS_TYPE) == Some("online");
    let regulating = settle::take_regulating(raised);
    let word = if online { Some(Bypass) } else { settle::regulation(facts) };
    if let Some(word) = word.filter(|_| regulating) {
        raised.status = raised.status.with(word);
    }
    raised.covers = raised.covers.with(Off);
    if facts.f64(&OUTPUT_VOLTAGE).is_some_and(|volts| volts < DEAD_VOLTS) {
        raised.status = raised.status.with(Off);
    }
    if facts.f64(&Q5_ERROR).is_some_and(|number| number > 0.0) {
        raised.alarms.push(Alarm::text("Error reported by UPS"));
    }
}

const LOAD: &[Command] = &[
    command("load.off", &[Lit("S.2")]),
    command("load.on", &[Lit("C")]),
    command("shutdown.stop", &[Lit("C")]),
];

/// What is printed on a sample unit, or set in it.
const SAMPLE: &[Fixed] = &[(&Q5_BATTERY_CUTOFF, "960"), (&Q5_ERROR, "0")];

/// The dialect.
pub static ABLEREX: Protocol = Protocol {
    name: "ablerex",
    about: "as megatec, from which nothing tells it, with binary readings by Q5 and At",
    by_name: true,
    signs: &[Sign::Answers(&STATUS), Sign::Says(&VENDOR, &UPS_FIRMWARE)],
    sample: SAMPLE,
    queries: &[&STATUS, &RATING, &BINARY, &RUNTIME, &TEST, &VENDOR],
    derived: DERIVED,
    settle,
    commands: &[BEEPER, LOAD, SHUTDOWN, TIMED_TEST, TESTS],
    ..TEMPLATE
};
