//! Voltronic Axpert and their like: solar inverters whose lines carry a checksum.

use super::megatec::TEMPLATE;
use crate::vocabulary::flag::Flag;
use crate::vocabulary::status::Alarm;
use crate::vocabulary::status::Status::{Charging, LowBattery, Off, Online, Overload};
use crate::vocabulary::value::{Value, presentable};
use crate::vocabulary::variable::*;
use crate::wire::acknowledgement::Acknowledgement;
use crate::wire::codec::Codec;
use crate::wire::fact::{Facts, Raised};
use crate::wire::protocol::{Fixed, Protocol, Sign};
use crate::wire::query::Effect::{All, Clear, Nothing, Says, Set};
use crate::wire::query::{
    Bit, Code, Custom, Effect, Query, UNKNOWN_BIT, Words, alarm, bit, bits, code, codes, custom, number,
    query, text, unknown, word,
};
use crate::wire::readings::Readings;
use crate::wire::settle;

const SOURCE: &str = "NUT 2.8.5 nutdrv_qx_voltronic-axpert.c";

/// CRC-16 (0x1021, from 0); a byte of it that would disturb the line is one more.
fn checksum(line: &[u8]) -> [u8; 2] {
    let mut crc = 0u16;
    for byte in line {
        crc ^= u16::from(*byte) << 8;
        for _ in 0..8 {
            crc = if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 };
        }
    }
    crc.to_be_bytes().map(|byte| if matches!(byte, b'\n' | b'\r' | b'(') { byte + 1 } else { byte })
}

fn pack(line: &[u8]) -> Vec<u8> {
    [line, &checksum(line)].concat()
}

fn unpack(line: &[u8]) -> Option<Vec<u8>> {
    let (plain, sum) = line.split_at_checked(line.len().checked_sub(2)?)?;
    (checksum(plain) == sum).then(|| plain.to_vec())
}

static CHECKSUM: Codec = Codec {
    about: "two bytes of CRC-16 (polynomial 1021, start 0, the greater first; LF, CR and `(` plus one) stand behind it",
    pack_question: pack,
    unpack_question: unpack,
    pack_reply: pack,
    unpack_reply: unpack,
    checks: true,
    bare_reply: |line| Some(line.get(..line.len().checked_sub(2)?)?.to_vec()),
};

const fn axpert(query: Query) -> Query {
    query.with_codec(&CHECKSUM).source(SOURCE)
}

static FAMILY: Query =
    axpert(query("QPI", "family", "('P''I'FF", &[word('F', &DEVICE_FIRMWARE_AUX, &[("30", "P30")])]).once());

macro_rules! firmware {
    ($id:ident $ask:literal $picture:literal $custom:ident $var:ident $about:literal) => {
        static $custom: Custom = Custom {
            about: "published behind `0X`",
            vars: &[&$var],
            read: |piece, readings| {
                readings.say(&$var, Some(Value::text(format!("0X{}", presentable(piece)))));
                Some(())
            },
            write: |readings, width| write_firmware(readings, &$var, width),
        };
        static $id: Query = axpert(query($ask, $about, $picture, &[custom('V', &$custom)]).columns().once());
    };
}
static MAIN: Custom = Custom {
    about: "published behind `0X`",
    vars: &[&DEVICE_FIRMWARE_MAIN, &DEVICE_FIRMWARE],
    read: |piece, readings| {
        for var in [&DEVICE_FIRMWARE_MAIN, &DEVICE_FIRMWARE] {
            readings.say(var, Some(Value::text(format!("0X{}", presentable(piece)))));
        }
        Some(())
    },
    write: |readings, width| write_firmware(readings, &DEVICE_FIRMWARE_MAIN, width),
};
static FIRMWARE: Query =
    axpert(query("QVFW", "firmware", "('V''E''R''F''W':VVVVVVVV", &[custom('V', &MAIN)]).columns().once());

fn write_firmware(readings: &Readings, var: &Var, width: usize) -> Vec<u8> {
    let text = readings.value(var).map_or("00000.00".into(), Value::to_string);
    format!("{:0>width$.width$}", text.trim_start_matches("0X")).into()
}
firmware!(FIRMWARE_2 "QVFW2" "('V''E''R''F''W'2:VVVVVVVV" SCC_1 DEVICE_FIRMWARE_SCC1 "firmware of the solar charger");
firmware!(FIRMWARE_3 "QVFW3" "('V''E''R''F''W'3:VVVVVVVV" SCC_2 DEVICE_FIRMWARE_SCC2 "firmware of the second solar charger");
firmware!(FIRMWARE_4 "QVFW4" "('V''E''R''F''W'4:VVVVVVVV" SCC_3 DEVICE_FIRMWARE_SCC3 "firmware of the third solar charger");

static SERIAL: Query =
    axpert(query("QID", "serial number", "(S*", &[text('S', &DEVICE_SERIAL)]).columns().once());

static FLAGS: Query = axpert(
    query("QFLAG", "what is enabled and disabled", "('E'F*", &[custom('F', &LETTERS)])
        .columns()
        .after_change(),
);

/// Letters, what they mean, words for enabled and disabled.
const FLAG_LETTERS: [(u8, &Var, &str, &str); 2] =
    [(b'a', &UPS_BEEPER_STATUS, "enabled", "disabled"), (b'j', &BATTERY_ENERGYSAVE, "yes", "no")];

static LETTERS: Custom = Custom {
    about: "letters of what is enabled, `D`, letters of what is disabled: a beeper, j power saving",
    vars: &[&UPS_BEEPER_STATUS, &BATTERY_ENERGYSAVE],
    read: |piece, readings| {
        let middle = piece.iter().position(|byte| *byte == b'D')?;
        let (enabled, disabled) = (&piece[..middle], &piece[middle + 1..]);
        for (letter, var, yes, no) in FLAG_LETTERS {
            let word = match (enabled.contains(&letter), disabled.contains(&letter)) {
                (true, _) => Some(yes),
                (_, true) => Some(no),
                _ => None,
            };
            readings.say(var, word.map(Value::text));
        }
        Some(())
    },
    write: |readings, _| {
        let is_on = |row: &&(u8, &Var, &str, &str)| readings.value(row.1) == Some(&Value::text(row.2));
        let letters = |on: bool| -> Vec<u8> {
            FLAG_LETTERS.iter().filter(|row| is_on(row) == on).map(|row| row.0).collect()
        };
        [letters(true).as_slice(), b"D", letters(false).as_slice()].concat()
    },
};

const BATTERY_TYPES: Words = &[("0", "AGM"), ("1", "Flooded"), ("2", "User")];
const MACHINES: Words = &[
    ("00", "Grid-tie"),
    ("01", "Off-grid"),
    ("10", "Hybrid"),
    ("11", "Off Grid with 2 Trackers"),
    ("20", "Off Grid with 3 Trackers"),
];

#[rustfmt::skip]
static RATING: Query = axpert(query("QPIRI", "ratings and settings",
    "(VVV.V II.I OOO.O FF.F CC.C AAAA WWWW BB.B RR.R UU.U KK.K LL.L T HH MMM r s t u YY Z w*", &[
    number('V', &INPUT_VOLTAGE_NOMINAL).places(1),
    number('I', &INPUT_CURRENT_NOMINAL),
    number('O', &OUTPUT_VOLTAGE_NOMINAL),
    number('F', &OUTPUT_FREQUENCY_NOMINAL),
    number('C', &OUTPUT_CURRENT_NOMINAL),
    number('A', &OUTPUT_POWER_NOMINAL),
    number('W', &OUTPUT_REALPOWER_NOMINAL),
    number('B', &BATTERY_VOLTAGE_NOMINAL),
    number('R', &BATTERY_VOLTAGE_RECHARGE),
    number('U', &BATTERY_VOLTAGE_UNDER),
    number('K', &BATTERY_VOLTAGE_BULK),
    number('L', &BATTERY_VOLTAGE_FLOAT),
    word('T', &BATTERY_TYPE, BATTERY_TYPES),
    number('H', &BATTERY_CHARGING_CURRENT_AC_HIGH),
    number('M', &BATTERY_CHARGING_CURRENT_HIGH),
    unknown('r'),
    unknown('s'),
    unknown('t'),
    unknown('u'),
    word('Y', &DEVICE_MODEL_TYPE, MACHINES),
    word('Z', &DEVICE_DESCRIPTION, &[("0", "Transformerless"), ("1", "Transformer")]),
    unknown('w').sample(" 1 54.0 0 1 000"),
]).once());

#[rustfmt::skip]
static MODEL: Query = axpert(query("QMD", "model", "(MMMMMMMMMMMMMMM PPPPPPP FF I/O VVV UUU NN BB.B", &[
    text('M', &DEVICE_MODEL),
    unknown('P'),
    number('F', &OUTPUT_POWERFACTOR_NOMINAL),
    number('I', &INPUT_PHASES),
    number('O', &OUTPUT_PHASES),
    unknown('V'),
    unknown('U'),
    number('N', &BATTERY_NUMBER),
    unknown('B'),
]).columns().once());

#[rustfmt::skip]
static DEFAULTS: Query = axpert(query("QDI", "factory values", "(VVV.V FF.F CCCC UU.U LL.L KK.K RR.R HH r s t T w*", &[
    number('V', &OUTPUT_VOLTAGE_DEFAULT),
    number('F', &OUTPUT_FREQUENCY_DEFAULT),
    number('C', &EXPERIMENTAL_BATTERY_CHARGING_CURRENT_AC_HIGH_DEFAULT),
    number('U', &EXPERIMENTAL_BATTERY_VOLTAGE_UNDER_DEFAULT),
    number('L', &EXPERIMENTAL_BATTERY_VOLTAGE_FLOAT_DEFAULT),
    number('K', &EXPERIMENTAL_BATTERY_VOLTAGE_BULK_DEFAULT),
    number('R', &EXPERIMENTAL_BATTERY_VOLTAGE_RECHARGE_DEFAULT),
    number('H', &EXPERIMENTAL_BATTERY_CHARGING_CURRENT_HIGH_DEFAULT),
    unknown('r'),
    unknown('s'),
    unknown('t'),
    word('T', &EXPERIMENTAL_BATTERY_TYPE_DEFAULT, BATTERY_TYPES),
    unknown('w').sample(" 0 0 0 0 1 1 0 0 1 0 54.0 0 1 000"),
]).once());

#[rustfmt::skip]
const STATUS_BITS: &[Bit] = &[
    UNKNOWN_BIT,
    UNKNOWN_BIT,
    UNKNOWN_BIT,
    bit("load is powered", Clear(Off), Set(Off)),
    UNKNOWN_BIT,
    bit("charging",        Set(Charging), Clear(Charging)),
    UNKNOWN_BIT,
    UNKNOWN_BIT,
];

#[rustfmt::skip]
static STATUS: Query = axpert(query("QPIGS", "status",
    "(MMM.M RR.R PPP.P FF.F AAAA WWWW QQQ uuu SS.SS vvv CCC TTTT IIII VVV.V BB.BB DDDDD bbbbbbbb w*", &[
    number('M', &INPUT_VOLTAGE),
    number('R', &INPUT_FREQUENCY),
    number('P', &OUTPUT_VOLTAGE),
    number('F', &OUTPUT_FREQUENCY),
    number('A', &OUTPUT_POWER),
    number('W', &OUTPUT_REALPOWER),
    number('Q', &UPS_LOAD),
    unknown('u'),
    number('S', &BATTERY_VOLTAGE).places(1),
    unknown('v'),
    number('C', &BATTERY_CHARGE).places(1),
    number('T', &UPS_TEMPERATURE),
    number('I', &EXPERIMENTAL_INPUT_PV1_CURRENT),
    number('V', &EXPERIMENTAL_INPUT_PV1_VOLTAGE),
    number('B', &EXPERIMENTAL_BATTERY_VOLTAGE_SCC1),
    number('D', &BATTERY_CURRENT),
    bits('b', STATUS_BITS),
    unknown('w').sample(" 00 00 00000 110"),
]));

#[rustfmt::skip]
static SOLAR: Query = axpert(query("QPIGS2", "further solar inputs",
    "(IIII VVV.V BB.BB uuuuu vvvvvvvv wwww xxxx JJJJ WWW.W CC.CC y*", &[
    number('I', &EXPERIMENTAL_INPUT_PV2_CURRENT),
    number('V', &EXPERIMENTAL_INPUT_PV2_VOLTAGE),
    number('B', &EXPERIMENTAL_BATTERY_VOLTAGE_SCC2),
    unknown('u'),
    unknown('v'),
    unknown('w'),
    unknown('x'),
    number('J', &EXPERIMENTAL_INPUT_PV3_CURRENT),
    number('W', &EXPERIMENTAL_INPUT_PV3_VOLTAGE),
    number('C', &EXPERIMENTAL_BATTERY_VOLTAGE_SCC3),
    unknown('y').sample(" 00000 00000000 0000"),
]));

const fn warning(number: u8, text: &'static str) -> Bit {
    bit(text, Effect::Alarm(Alarm::device_warning(number, text)), Nothing)
}
const fn unheard(number: u8) -> Bit {
    bit("unknown", Effect::Alarm(Alarm::device_warning(number, "")), Nothing)
}
const LOW: &[Effect] = &[Effect::Alarm(Alarm::device_warning(13, "Battery low alarm.")), Set(LowBattery)];
const UNDER: &[Effect] =
    &[Effect::Alarm(Alarm::device_warning(15, "Battery under shutdown.")), Set(LowBattery)];
const OVER: &[Effect] = &[Effect::Alarm(Alarm::device_warning(17, "Overload.")), Set(Overload)];

/// The bits of PI30 (NUT has those of another family here). A line that failed is told by the mode; in
/// a house without mains it would be an alarm for ever.
#[rustfmt::skip]
const WARNING_BITS: &[Bit] = &[
    warning( 1, "PV loss."),
    warning( 2, "Inverter fault."),
    warning( 3, "Bus voltage too high."),
    warning( 4, "Bus voltage too low."),
    warning( 5, "Bus soft start failed."),
    bit("line failed", Nothing, Nothing),
    warning( 7, "Output short-circuited."),
    warning( 8, "Inverter voltage too low."),
    warning( 9, "Inverter voltage too high."),
    warning(10, "Over temperature."),
    warning(11, "Fan locked."),
    warning(12, "Battery voltage too high."),
    bit("battery low", All(LOW), Nothing),
    unheard(14),
    bit("battery under shutdown", All(UNDER), Nothing),
    warning(16, "Battery derating."),
    bit("overload", All(OVER), Nothing),
    warning(18, "EEPROM fault."),
    warning(19, "Inverter over current."),
    warning(20, "Inverter soft start failed."),
    warning(21, "Self test failed."),
    warning(22, "Output DC voltage too high."),
    warning(23, "Battery open."),
    warning(24, "Current sensor failed."),
    unheard(25),
];

static WARNINGS: Query = axpert(query(
    "QPIWS",
    "warnings",
    "(bbbbbbbbbbbbbbbbbbbbbbbbbw*",
    &[bits('b', WARNING_BITS), unknown('w').sample("0000000")],
)).source("HS MS MSX RS232 protocol, as quoted in coxifred/pimpMySuperWatt communication/QPIWS.py and jblance/mpp-solar pi30.py");

const ON_LINE: &[Effect] = &[Says(&WORKING_MODE, "L"), Set(Online)];
const ON_BATTERY: &[Effect] = &[Says(&WORKING_MODE, "B"), Clear(Online)];
const STANDBY: &[Effect] = &[Says(&WORKING_MODE, "S"), Set(Off)];
const STARTING: &[Effect] = &[Says(&WORKING_MODE, "P"), alarm("Device is going ON.")];
const FAULTY: &[Effect] = &[Says(&WORKING_MODE, "F"), alarm("Fault reported by device.")];

#[rustfmt::skip]
const MODES: &[Code] = &[
    code("S", All(STANDBY)),
    code("P", All(STARTING)),
    code("F", All(FAULTY)),
    code("H", Says(&WORKING_MODE, "H")),
    code("L", All(ON_LINE)),
    code("B", All(ON_BATTERY)),
];

static MODE: Query = axpert(query("QMOD", "mode", "(M", &[codes('M', MODES)]).quick());

/// Volts of the grid from which on it counts as there.
const GRID_VOLTS: f64 = 60.0;

/// Only line and battery mode say whether mains is there; in all others, those of newer firmware among them
/// (charging, shutdown, ECO), the voltage of the grid does. (NUT says OB there.)
fn settle(facts: &Facts, raised: &mut Raised) {
    settle::take_regulating(raised);
    if matches!(facts.text(&WORKING_MODE), Some("L" | "B")) {
        return;
    }
    raised.covers = raised.covers.without(Online);
    if let Some(volts) = facts.f64(&INPUT_VOLTAGE) {
        raised.covers = raised.covers.with(Online);
        if volts >= GRID_VOLTS {
            raised.status = raised.status.with(Online);
        }
    }
}

/// What is printed on a sample unit, or set in it.
const SAMPLE: &[Fixed] = &[
    (&DEVICE_FIRMWARE_AUX, "P30"),
    (&DEVICE_FIRMWARE_MAIN, "0X00074.50"),
    (&DEVICE_FIRMWARE_SCC1, "0X00000.31"),
    (&DEVICE_FIRMWARE_SCC2, "0X00000.31"),
    (&DEVICE_FIRMWARE_SCC3, "0X00000.31"),
    (&DEVICE_SERIAL, "12345679012345"),
    (&DEVICE_MODEL, "MKS-5K"),
    (&BATTERY_ENERGYSAVE, "no"),
    (&OUTPUT_POWER_NOMINAL, "5000"),
    (&OUTPUT_REALPOWER_NOMINAL, "4000"),
    (&BATTERY_VOLTAGE_RECHARGE, "46.0"),
    (&BATTERY_VOLTAGE_UNDER, "42.0"),
    (&BATTERY_VOLTAGE_BULK, "56.4"),
    (&BATTERY_VOLTAGE_FLOAT, "54.0"),
    (&BATTERY_TYPE, "AGM"),
    (&BATTERY_CHARGING_CURRENT_AC_HIGH, "30"),
    (&BATTERY_CHARGING_CURRENT_HIGH, "60"),
    (&DEVICE_MODEL_TYPE, "Off-grid"),
    (&DEVICE_DESCRIPTION, "Transformerless"),
    (&OUTPUT_POWERFACTOR_NOMINAL, "80"),
    (&INPUT_PHASES, "1"),
    (&OUTPUT_PHASES, "1"),
    (&BATTERY_NUMBER, "4"),
    (&OUTPUT_VOLTAGE_DEFAULT, "230.0"),
    (&OUTPUT_FREQUENCY_DEFAULT, "50.0"),
    (&EXPERIMENTAL_BATTERY_CHARGING_CURRENT_AC_HIGH_DEFAULT, "30"),
    (&EXPERIMENTAL_BATTERY_VOLTAGE_UNDER_DEFAULT, "42.0"),
    (&EXPERIMENTAL_BATTERY_VOLTAGE_FLOAT_DEFAULT, "54.0"),
    (&EXPERIMENTAL_BATTERY_VOLTAGE_BULK_DEFAULT, "56.4"),
    (&EXPERIMENTAL_BATTERY_VOLTAGE_RECHARGE_DEFAULT, "46.0"),
    (&EXPERIMENTAL_BATTERY_CHARGING_CURRENT_HIGH_DEFAULT, "60"),
    (&EXPERIMENTAL_BATTERY_TYPE_DEFAULT, "AGM"),
    (&EXPERIMENTAL_INPUT_PV1_CURRENT, "14"),
    (&EXPERIMENTAL_INPUT_PV1_VOLTAGE, "103.8"),
    (&EXPERIMENTAL_INPUT_PV2_CURRENT, "3"),
    (&EXPERIMENTAL_INPUT_PV2_VOLTAGE, "65.5"),
    (&EXPERIMENTAL_INPUT_PV3_CURRENT, "0"),
    (&EXPERIMENTAL_INPUT_PV3_VOLTAGE, "0.0"),
    (&EXPERIMENTAL_BATTERY_VOLTAGE_SCC1, "52.1"),
    (&EXPERIMENTAL_BATTERY_VOLTAGE_SCC2, "52.1"),
    (&EXPERIMENTAL_BATTERY_VOLTAGE_SCC3, "0.0"),
];

/// The dialect.
pub static VOLTRONIC_AXPERT: Protocol = Protocol {
    name: "voltronic-axpert",
    about: "Axpert, Infinisolar and other solar inverters (PI30), whose lines carry a checksum",
    signs: &[Sign::Answers(&FAMILY)],
    queries: &[
        &FAMILY,
        &FIRMWARE,
        &FIRMWARE_2,
        &FIRMWARE_3,
        &FIRMWARE_4,
        &SERIAL,
        &FLAGS,
        &RATING,
        &MODEL,
        &DEFAULTS,
        &STATUS,
        &SOLAR,
        &WARNINGS,
        &MODE,
    ],
    fixed: &[(&DEVICE_TYPE, "scd")],
    sample: SAMPLE,
    derived: &[],
    settle,
    commands: &[],
    settings: &[],
    delays: &[],
    acknowledgement: Acknowledgement::Word("(ACK"),
    codec: Some(&CHECKSUM),
    flags: &[Flag::Testing],
    ..TEMPLATE
};
