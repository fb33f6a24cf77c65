//! Voltronic Power: families P00 to P99, of one to three phases, with capabilities and settings.

mod alarms;
mod commands;
mod flags;
mod limits;
mod phases;

use super::megatec::{TEMPLATE, VENDOR as MEGATEC_VENDOR};
use crate::vocabulary::flag::Flag;
use crate::vocabulary::status::Alarm;
use crate::vocabulary::status::Status::{Bypass, Calibrating, ForcedShutdown, LowBattery, Online};
use crate::vocabulary::value::{Value, presentable};
use crate::vocabulary::variable::*;
use crate::wire::acknowledgement::Acknowledgement;
use crate::wire::fact::{Derived, Facts, Raised};
use crate::wire::protocol::{Fixed, Protocol, Sign};
use crate::wire::query::Effect::{All, Clear, Nothing, Regulating, Says, Set};
use crate::wire::query::{
    Bit, Code, Custom, Effect, Query, UNKNOWN_BIT, Words, alarm, bit, bits, code, codes, custom, number,
    query, text, unknown, word,
};
use crate::wire::setting::Delay;
use crate::wire::settle;
use crate::wire::when::When;

const SOURCE: &str = "NUT 2.8.0 nutdrv_qx_voltronic.c";

const FAMILIES: Words = &[
    ("00", "P00"),
    ("01", "P01"),
    ("02", "P02"),
    ("03", "P03"),
    ("08", "P08"),
    ("09", "P09"),
    ("10", "P10"),
    ("13", "P13"),
    ("14", "P14"),
    ("31", "P31"),
    ("99", "P99"),
];

static FAMILY: Query =
    query("QPI", "family", "('P''I'FF", &[word('F', &UPS_FIRMWARE_AUX, FAMILIES)]).once().source(SOURCE);

#[rustfmt::skip]
static RATING: Query = query("QRI", "ratings of the output", "(VVV.V CCC BBB.B FF.F", &[
    number('V', &OUTPUT_VOLTAGE_NOMINAL),
    number('C', &OUTPUT_CURRENT_NOMINAL).places(0),
    number('B', &BATTERY_VOLTAGE_NOMINAL),
    number('F', &OUTPUT_FREQUENCY_NOMINAL),
]).after_change().source(SOURCE);

#[rustfmt::skip]
static MODEL: Query = query("QMD", "model", "(MMMMMMMMMMMMMMM PPPPPPP FF I/O VVV UUU NN BB.B", &[
    text('M', &DEVICE_MODEL),
    text('P', &UPS_POWER_NOMINAL),
    number('F', &OUTPUT_POWERFACTOR).hundredths(),
    number('I', &INPUT_PHASES),
    number('O', &OUTPUT_PHASES),
    number('V', &INPUT_VOLTAGE_NOMINAL).places(1),
    number('U', &OUTPUT_VOLTAGE_NOMINAL),
    unknown('N'),
    unknown('B'),
]).columns().once().source(SOURCE);

#[rustfmt::skip]
static INPUT_RATING: Query = query("F", "ratings of the input", "#VVV.V CCC BBB.B FF.F", &[
    number('V', &INPUT_VOLTAGE_NOMINAL).places(1),
    number('C', &INPUT_CURRENT_NOMINAL),
    number('B', &BATTERY_VOLTAGE_NOMINAL),
    number('F', &INPUT_FREQUENCY_NOMINAL).places(1),
]).once().source(SOURCE);

static MAKER: Query = query("QMF", "maker", "(M*", &[text('M', &DEVICE_MFR)]).columns().once().source(SOURCE);
static FIRMWARE: Query = query("QVFW", "firmware", "('V''E''R''F''W':VVVVVVVV", &[text('V', &UPS_FIRMWARE)])
    .columns()
    .once()
    .source(SOURCE);
static SERIAL: Query =
    query("QID", "serial number", "(S*", &[custom('S', &SERIAL_NUMBER)]).columns().once().source(SOURCE);
static VENDOR: Query = MEGATEC_VENDOR.when(When::Always).source(SOURCE);

static SERIAL_NUMBER: Custom = Custom {
    about: "all zeros when there is none",
    vars: &[&DEVICE_SERIAL],
    read: |piece, readings| {
        let text = presentable(piece);
        let text = text.trim_matches([' ', '#']);
        let none = text.bytes().all(|byte| byte == b'0');
        readings.say(&DEVICE_SERIAL, (!none).then(|| Value::text(text)));
        Some(())
    },
    write: |readings, _| {
        readings.value(&DEVICE_SERIAL).map_or("00000000000000".into(), Value::to_string).into()
    },
};

const FAULT_ROW: &[Effect] = &[alarm("UPS Fault!"), Says(&UPS_FAULT, "yes")];

#[rustfmt::skip]
const STATUS_BITS: &[Bit] = &[
    bit("mains failed",     Clear(Online),       Set(Online)),
    bit("battery low",      Set(LowBattery),     Clear(LowBattery)),
    bit("boost, trim or bypass", Regulating,     Nothing),
    bit("UPS fault",        All(FAULT_ROW),      Says(&UPS_FAULT, "no")),
    UNKNOWN_BIT,
    bit("test in progress", Set(Calibrating),    Clear(Calibrating)),
    bit("shutdown active",  Set(ForcedShutdown), Clear(ForcedShutdown)),
    bit("beeper silent",    Says(&BEEPER_BIT, "off"), Says(&BEEPER_BIT, "on")),
    UNKNOWN_BIT,
    UNKNOWN_BIT,
];

#[rustfmt::skip]
static GENERAL: Query = query("QGS", "status",
    "(MMM.M RR.R PPP.P FF.F CCC.C QQQ uuu.u vvv.v SSS.S www.w TTT.T YYbbbbbbbbbb", &[
    number('M', &INPUT_VOLTAGE),
    number('R', &INPUT_FREQUENCY),
    number('P', &OUTPUT_VOLTAGE),
    number('F', &OUTPUT_FREQUENCY),
    number('C', &OUTPUT_CURRENT),
    number('Q', &UPS_LOAD),
    unknown('u'),
    unknown('v'),
    number('S', &BATTERY_VOLTAGE),
    unknown('w'),
    number('T', &UPS_TEMPERATURE),
    word('Y', &UPS_TYPE, &[("00", "offline"), ("01", "line-interactive"), ("10", "online")]),
    bits('b', STATUS_BITS),
]).source(SOURCE);

#[rustfmt::skip]
static BATTERY: Query = query("QBV", "battery", "(SSS.S NN GG CCC RRR", &[
    number('S', &BATTERY_VOLTAGE),
    number('N', &BATTERIES_IN_PACK),
    number('G', &BATTERY_PACKS),
    number('C', &BATTERY_CHARGE),
    number('R', &BATTERY_RUNTIME).times(60),
]).source("NUT 2.8.0 nutdrv_qx_voltronic.c; runtime to its end as in 2.8.5");

#[rustfmt::skip]
static LOAD: Query = query("QLDL", "least and greatest load", "(LLL HHH", &[
    number('L', &OUTPUT_POWER_MINIMUM_PERCENT),
    number('H', &OUTPUT_POWER_MAXIMUM_PERCENT),
]).source(SOURCE);

/// An outlet that answers can be switched.
macro_rules! outlets {
    ($($query:ident $delay:ident $ask:literal $ask_delay:literal $switchable:ident $status:ident $time:ident
       $on:ident $off:ident $codes:ident;)*) => {$(
        const $on: &[Effect] = &[Says(&$switchable, "yes"), Says(&$status, "on")];
        const $off: &[Effect] = &[Says(&$switchable, "yes"), Says(&$status, "off")];
        const $codes: &[Code] = &[code("1", All($on)), code("0", All($off))];
        static $query: Query = query($ask, "outlet", "(S", &[codes('S', $codes)])
            .after_change()
            .when(When::Is(&OUTLET_0_SWITCHABLE, &["yes"]))
            .source(SOURCE);
        static $delay: Query =
            query($ask_delay, "minutes on battery until the outlet is switched off", "(TTT", &[number('T', &$time).times(60)])
                .after_change()
                .when(When::Is(&$switchable, &["yes"]))
                .source(SOURCE);
    )*};
}
outlets! {
    OUTLET_1 DELAY_1 "QSK1" "QSKT1" OUTLET_1_SWITCHABLE OUTLET_1_STATUS OUTLET_1_DELAY_SHUTDOWN ON_1 OFF_1 CODES_1;
    OUTLET_2 DELAY_2 "QSK2" "QSKT2" OUTLET_2_SWITCHABLE OUTLET_2_STATUS OUTLET_2_DELAY_SHUTDOWN ON_2 OFF_2 CODES_2;
    OUTLET_3 DELAY_3 "QSK3" "QSKT3" OUTLET_3_SWITCHABLE OUTLET_3_STATUS OUTLET_3_DELAY_SHUTDOWN ON_3 OFF_3 CODES_3;
    OUTLET_4 DELAY_4 "QSK4" "QSKT4" OUTLET_4_SWITCHABLE OUTLET_4_STATUS OUTLET_4_DELAY_SHUTDOWN ON_4 OFF_4 CODES_4;
}

const HAS_ECO: When = When::Known(&ECO_MODE);
const HAS_BYPASS: When = When::IsNot(&UPS_FIRMWARE_AUX, &["P00", "P08", "P31"]);
const P31: When = When::Is(&UPS_FIRMWARE_AUX, &["P31"]);

#[rustfmt::skip]
static ECO_VOLTS: Query = query("QHE", "limits of ECO mode", "(HHH LLL", &[
    number('H', &INPUT_TRANSFER_HIGH),
    number('L', &INPUT_TRANSFER_LOW),
]).after_change().when(HAS_ECO).source(SOURCE);

#[rustfmt::skip]
static ECO_HERTZ: Query = query("QFRE", "limits of ECO mode", "(HH.H LL.L", &[
    number('H', &INPUT_FREQUENCY_HIGH),
    number('L', &INPUT_FREQUENCY_LOW),
]).after_change().when(HAS_ECO).source(SOURCE);

#[rustfmt::skip]
static BYPASS_VOLTS: Query = query("QBYV", "limits of the bypass", "(HHH LLL", &[
    number('H', &MAX_BYPASS_VOLT),
    number('L', &MIN_BYPASS_VOLT),
]).after_change().when(HAS_BYPASS).source(SOURCE);

#[rustfmt::skip]
static BYPASS_HERTZ: Query = query("QBYF", "limits of the bypass", "(HH.H LL.L", &[
    number('H', &MAX_BYPASS_FREQ),
    number('L', &MIN_BYPASS_FREQ),
]).after_change().when(HAS_BYPASS).source(SOURCE);

const BATTERY_TYPES: Words = &[("00", "Li"), ("01", "Flooded"), ("02", "AGM")];
const WORK_RANGES: Words = &[("00", "Appliance"), ("01", "UPS")];

static BATTERY_KIND: Query = query("QBT", "battery", "(TT", &[word('T', &BATTERY_TYPE, BATTERY_TYPES)])
    .after_change()
    .when(P31)
    .source(SOURCE);
static WORK_RANGE: Query = query("QGR", "working range", "(RR", &[word('R', &WORK_RANGE_TYPE, WORK_RANGES)])
    .after_change()
    .when(P31)
    .source(SOURCE);
static BATTERY_LOW: Query =
    query("RE0", "voltage of the empty battery", "#LL", &[number('L', &BATTERY_VOLTAGE_LOW).places(1)])
        .after_change()
        .source(SOURCE);

#[rustfmt::skip]
static ANGLES: Query = query("QPD", "phase angles", "(III OOO", &[
    text('I', &INPUT_PHASE_ANGLE),
    text('O', &OUTPUT_PHASE_ANGLE),
]).columns().after_change().source(SOURCE);

const PARTS: Words = &[("001", "master"), ("002", "slave"), ("003", "slave")];
static PARALLEL: Query =
    query("QPAR", "part in a parallel system", "(PPP", &[word('P', &VOLTRONIC_PARALLEL, PARTS)])
        .once()
        .source(SOURCE);
static BAUD: Query = query("QBDR", "unknown", "(U*", &[text('U', &UNKNOWN_7)])
    .columns()
    .once()
    .when(When::With(Flag::Testing))
    .source(SOURCE);

/// With the capability to switch the beeper, a beeper that is silent for once is muted.
fn beeper(facts: &Facts) -> Option<String> {
    let sounds = facts.text(&BEEPER_BIT)? == "on";
    Some(String::from(match (facts.text(&ALARM_CONTROL), sounds) {
        (Some("disabled"), _) | (None, false) => "disabled",
        (_, true) => "enabled",
        (Some(_), false) => "muted",
    }))
}

fn least(limits: Option<(u32, u32)>) -> Option<String> {
    limits.map(|(least, _)| least.to_string())
}
fn most(limits: Option<(u32, u32)>) -> Option<String> {
    limits.map(|(_, most)| most.to_string())
}
fn eco_low(facts: &Facts) -> Option<(u32, u32)> {
    facts.value(&INPUT_TRANSFER_LOW).and(limits::eco_volts_low(facts))
}
fn eco_high(facts: &Facts) -> Option<(u32, u32)> {
    facts.value(&INPUT_TRANSFER_HIGH).and(limits::eco_volts_high(facts))
}

const BY_RATING: &str = "family and output.voltage.nominal";

#[rustfmt::skip]
const DERIVED: &[Derived] = &[
    Derived { var: &UPS_BEEPER_STATUS,       about: "the bit of `QGS` and the capability alarm_control", from: beeper },
    Derived { var: &INPUT_TRANSFER_LOW_MIN,  about: BY_RATING, from: |facts| least(eco_low(facts)) },
    Derived { var: &INPUT_TRANSFER_LOW_MAX,  about: BY_RATING, from: |facts| most(eco_low(facts)) },
    Derived { var: &INPUT_TRANSFER_HIGH_MIN, about: BY_RATING, from: |facts| least(eco_high(facts)) },
    Derived { var: &INPUT_TRANSFER_HIGH_MAX, about: BY_RATING, from: |facts| most(eco_high(facts)) },
];

/// Families P00 and P08 have no bypass: equal voltages mean that the regulator works all the same.
fn settle(facts: &Facts, raised: &mut Raised) {
    settle_mains(facts, raised);
    let family = facts.text(&UPS_FIRMWARE_AUX);
    match settle::take_regulating(raised).then(|| settle::regulation(facts)).flatten() {
        Some(Bypass) if matches!(family, Some("P00" | "P08")) => {
            raised.alarms.insert(0, Alarm::text("UPS is in AVR Mode."));
        }
        Some(status) => raised.status = raised.status.with(status),
        None => {}
    }
}

/// Two replies say whether mains is there: the status by a bit, `QMOD` by its modes "line" and "battery". That the battery
/// carries the load is so when either says it; "line" counts where the status does not tell. (In NUT each reply takes the
/// word of the other back.)
fn settle_mains(facts: &Facts, raised: &mut Raised) {
    match facts.text(&WORKING_MODE) {
        Some("B") => {
            raised.status = raised.status.without(Online);
            raised.covers = raised.covers.with(Online);
        }
        Some("L") if !raised.covers.has(Online) => {
            raised.status = raised.status.with(Online);
            raised.covers = raised.covers.with(Online);
        }
        _ => {}
    }
}

const DELAYS: &[Delay] = &[TEMPLATE.delays[0], Delay { most: 5_940, ..TEMPLATE.delays[1] }];

/// What is printed on a sample unit, or set in it.
const SAMPLE: &[Fixed] = &[
    (&UPS_TYPE, "line-interactive"),
    (&UPS_FIRMWARE_AUX, "P01"),
    (&UPS_FIRMWARE, "00322.02"),
    (&DEVICE_MFR, "VOLTRONIC"),
    (&DEVICE_MODEL, "OLHVT1K0"),
    (&DEVICE_SERIAL, "685653211455"),
    (&OUTPUT_POWERFACTOR, "0.8"),
    (&INPUT_PHASES, "1"),
    (&OUTPUT_PHASES, "1"),
    (&OUTPUT_POWER_MINIMUM_PERCENT, "5"),
    (&OUTPUT_POWER_MAXIMUM_PERCENT, "80"),
    (&BATTERIES_IN_PACK, "2"),
    (&BATTERY_PACKS, "1"),
    (&BATTERY_VOLTAGE_LOW, "21"),
    (&ALARM_CONTROL, "enabled"),
    (&BATTERY_ALARM, "disabled"),
    (&UPS_START_BATTERY, "yes"),
    (&ECO_MODE, "disabled"),
    (&BYPASS_FORBIDDING, "disabled"),
    (&BATTERY_ENERGYSAVE, "no"),
    (&OUTLET_0_SWITCHABLE, "yes"),
    (&SITE_FAULT_DETECTION, "disabled"),
    (&BYPASS_WHEN_OFF, "disabled"),
    (&BYPASS_ALARM, "enabled"),
    (&UPS_START_AUTO, "no"),
    (&BATTERY_PROTECTION, "yes"),
    (&CONVERTER_MODE, "disabled"),
    (&OUTLET_1_SWITCHABLE, "yes"),
    (&OUTLET_1_STATUS, "on"),
    (&OUTLET_1_DELAY_SHUTDOWN, "480"),
    (&OUTLET_2_SWITCHABLE, "yes"),
    (&OUTLET_2_STATUS, "off"),
    (&OUTLET_2_DELAY_SHUTDOWN, "720"),
    (&INPUT_TRANSFER_HIGH, "242"),
    (&INPUT_TRANSFER_LOW, "218"),
    (&INPUT_FREQUENCY_HIGH, "53.0"),
    (&INPUT_FREQUENCY_LOW, "47.0"),
    (&MAX_BYPASS_VOLT, "264"),
    (&MIN_BYPASS_VOLT, "170"),
    (&MAX_BYPASS_FREQ, "53.0"),
    (&MIN_BYPASS_FREQ, "47.0"),
    (&BATTERY_TYPE, "Flooded"),
    (&WORK_RANGE_TYPE, "Appliance"),
    (&INPUT_PHASE_ANGLE, "000"),
    (&OUTPUT_PHASE_ANGLE, "240"),
    (&VOLTRONIC_PARALLEL, "slave"),
    (&UNKNOWN_7, "1234"),
];

/// The dialect.
pub static VOLTRONIC: Protocol = Protocol {
    name: "voltronic",
    about: "Voltronic Power units and what is sold under many names: status by QGS, family by QPI",
    signs: &[Sign::Answers(&GENERAL), Sign::Answers(&FAMILY)],
    by_name: false,
    queries: &[
        &FAMILY,
        &RATING,
        &MODEL,
        &INPUT_RATING,
        &MAKER,
        &FIRMWARE,
        &SERIAL,
        &VENDOR,
        &GENERAL,
        &alarms::MODE,
        &alarms::FAULT,
        &alarms::FAULT_P31,
        &alarms::WARNINGS,
        &BATTERY,
        &LOAD,
        &phases::INPUT_VOLTS,
        &phases::INPUT_VOLTS_2,
        &phases::INPUT_AMPERES,
        &phases::INPUT_AMPERES_2,
        &phases::OUTPUT_VOLTS,
        &phases::OUTPUT_VOLTS_2,
        &phases::OUTPUT_AMPERES,
        &phases::OUTPUT_AMPERES_2,
        &phases::LOADS,
        &phases::LOADS_2,
        &phases::BYPASS_VOLTS,
        &phases::BYPASS_VOLTS_2,
        &flags::FLAGS,
        &OUTLET_1,
        &OUTLET_2,
        &OUTLET_3,
        &OUTLET_4,
        &DELAY_1,
        &DELAY_2,
        &DELAY_3,
        &DELAY_4,
        &ECO_VOLTS,
        &ECO_HERTZ,
        &BYPASS_VOLTS,
        &BYPASS_HERTZ,
        &BATTERY_KIND,
        &WORK_RANGE,
        &BATTERY_LOW,
        &ANGLES,
        &PARALLEL,
        &BAUD,
    ],
    fixed: &[],
    sample: SAMPLE,
    derived: DERIVED,
    settle,
    commands: &[commands::COMMANDS],
    settings: &[flags::SETTINGS, commands::SETTINGS],
    delays: DELAYS,
    acknowledgement: Acknowledgement::Word("(ACK"),
    codec: None,
    flags: &[Flag::Testing, Flag::ResetToDefault],
};
