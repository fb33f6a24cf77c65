//! Omron: Q1 with words of its own for the rest.

use super::megatec::{STATUS_BITS, STATUS_FIELDS, STATUS_PICTURE, TEMPLATE};
use crate::vocabulary::flag::Flag;
use crate::vocabulary::value::{Decimal, Value};
use crate::vocabulary::variable::*;
use crate::wire::acknowledgement::Acknowledgement;
use crate::wire::command::Part::{Lit, Short, Then};
use crate::wire::command::{Arg, Command, command};
use crate::wire::protocol::{Fixed, Protocol, Sign};
use crate::wire::query::{
    Bit, Custom, Field, Query, UNKNOWN_BIT, bits, custom, number, query, text, unknown,
};
use crate::wire::readings::Readings;

const SOURCE: &str = "NUT 2.8.5 nutdrv_qx_omron.c";

/// Regulation and beeper are not said here.
const BITS: &[Bit] = &[
    STATUS_BITS[0],
    STATUS_BITS[1],
    UNKNOWN_BIT,
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

static STATUS: Query = query("Q1", "status", STATUS_PICTURE, FIELDS).source(SOURCE);

static CHARGE: Query =
    query("Bl ?", "charge", "CCC", &[number('C', &BATTERY_CHARGE).places(1)]).source(SOURCE);
static RUNTIME: Query =
    query("RTS", "runtime in minutes", "RRRR", &[number('R', &BATTERY_RUNTIME).times(60)]).source(SOURCE);
static FREQUENCY: Query =
    query("Lf ?", "output frequency", "F*", &[number('F', &OUTPUT_FREQUENCY)]).source(SOURCE);
static TEMPERATURE: Query =
    query("TPb", "temperature of the battery", "T*", &[custom('T', &SIGNED)]).source(SOURCE);
static SERIAL: Query = query("PSNR", "serial number", "SSSSSSSSSSSSSSSS", &[text('S', &UPS_SERIAL)])
    .columns()
    .once()
    .source(SOURCE);
static FIRMWARE: Query = query("FWV", "firmware", "V*", &[custom('V', &VERSIONS)]).once().source(SOURCE);
static DATE: Query = query("BRR", "date of the battery", "D*", &[custom('D', &DAY)]).once().source(SOURCE);

#[rustfmt::skip]
static RATING: Query = query("UN", "ratings", "WWWW'W'/AAAA'V''A'/BBB'V'/xxx'W'/yyy'W'", &[
    number('W', &UPS_REALPOWER_NOMINAL),
    number('A', &UPS_POWER_NOMINAL),
    number('B', &BATTERY_VOLTAGE_NOMINAL).places(0),
    unknown('x'),
    unknown('y'),
]).once().source(SOURCE);

static SIGNED: Custom = Custom {
    about: "degrees with a sign",
    vars: &[&BATTERY_TEMPERATURE],
    read: |piece, readings| {
        let text = std::str::from_utf8(piece).ok()?.trim();
        let number = Decimal::parse(text.strip_prefix('+').unwrap_or(text))?;
        readings.say(&BATTERY_TEMPERATURE, Some(Value::text(number.to_string())));
        Some(())
    },
    write: |readings, _| {
        let text = readings.value(&BATTERY_TEMPERATURE).map_or(String::new(), Value::to_string);
        if text.starts_with('-') { text.into_bytes() } else { format!("+{text}").into_bytes() }
    },
};

static VERSIONS: Custom = Custom {
    about: "`M:` firmware `(S:` second firmware `)`",
    vars: &[&UPS_FIRMWARE, &UPS_FIRMWARE_AUX],
    read: |piece, readings| {
        let text = std::str::from_utf8(piece).ok()?.trim();
        let (main, second) = text.strip_prefix("M:")?.strip_suffix(')')?.split_once("(S:")?;
        for (var, version) in [(&UPS_FIRMWARE, main), (&UPS_FIRMWARE_AUX, second)] {
            readings.say(var, Some(Value::text(Decimal::parse(version)?.text(2))));
        }
        Some(())
    },
    write: |readings, _| {
        format!("M:{}(S:{})", said(readings, &UPS_FIRMWARE), said(readings, &UPS_FIRMWARE_AUX)).into()
    },
};

static DAY: Custom = Custom {
    about: "a day as YYYYMMDD",
    vars: &[&BATTERY_DATE],
    read: |piece, readings| {
        let text = std::str::from_utf8(piece).ok()?.trim();
        let digits = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
        let (year, month, day) = digits.then(|| (&text[..4], &text[4..6], &text[6..]))?;
        is_a_day(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).then_some(())?;
        readings.say(&BATTERY_DATE, Some(Value::text(format!("{year}-{month}-{day}"))));
        Some(())
    },
    write: |readings, _| said(readings, &BATTERY_DATE).replace('-', "").into(),
};

fn is_a_day(year: u32, month: u32, day: u32) -> bool {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        1..=12 => 31,
        _ => 0,
    };
    year > 0 && (1..=days).contains(&day)
}

fn said(readings: &Readings, var: &Var) -> String {
    readings.value(var).map_or(String::new(), Value::to_string)
}

/// Whether it comes back is told before the shutdown itself.
#[rustfmt::skip]
const COMMANDS: &[Command] = &[
    command("shutdown.return",  &[Lit("An"), Then, Lit("S"), Short(Arg::Shutdown)]),
    command("shutdown.stayoff", &[Lit("Af"), Then, Lit("Sf"), Short(Arg::Shutdown)]),
    command("shutdown.stop",    &[Lit("C")]),
];

/// What is printed on a sample unit, or set in it.
const SAMPLE: &[Fixed] = &[
    (&UPS_SERIAL, "A0Z25110005109G"),
    (&UPS_FIRMWARE, "0.17"),
    (&UPS_FIRMWARE_AUX, "2.00"),
    (&BATTERY_DATE, "2026-07-30"),
    (&UPS_REALPOWER_NOMINAL, "1125"),
    (&UPS_POWER_NOMINAL, "1125"),
];

/// The dialect.
pub static OMRON: Protocol = Protocol {
    name: "omron",
    about: "Omron units: status by Q1, from which nothing on a serial line tells them",
    by_name: true,
    signs: &[Sign::Answers(&STATUS)],
    sample: SAMPLE,
    queries: &[&STATUS, &CHARGE, &RUNTIME, &TEMPERATURE, &FREQUENCY, &SERIAL, &FIRMWARE, &DATE, &RATING],
    commands: &[COMMANDS],
    acknowledgement: Acknowledgement::Word("OK"),
    flags: &[Flag::IgnoreSab],
    ..TEMPLATE
};
