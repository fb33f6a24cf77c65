//! Masterguard: series A and E, several of which may share a line.

use super::megatec::TEMPLATE;
use crate::vocabulary::status::Status::{
    Bypass, Calibrating, ForcedShutdown, LowBattery, Online, ReplaceBattery,
};
use crate::vocabulary::value::{Decimal, Value, presentable};
use crate::vocabulary::variable::*;
use crate::wire::acknowledgement::Acknowledgement;
use crate::wire::command::Part::{Digits, Lit, Minutes, MinutesUp, Short, Text};
use crate::wire::command::{Arg, Args, Command, command};
use crate::wire::fact::{Derived, Facts, Raised};
use crate::wire::protocol::{Fixed, Protocol, Sign};
use crate::wire::query::Effect::{Clear, Nothing, Says, Set};
use crate::wire::query::{
    Bit, Custom, Query, UNKNOWN_BIT, Words, alarm, bit, bits, custom, number, query, text, unknown, word,
};
use crate::wire::readings::Readings;
use crate::wire::setting::{Allowed, CustomValue, Delay, Rounding, Setting, delay, setting};
use crate::wire::settle;

const SOURCE: &str = "NUT 2.8.5 nutdrv_qx_masterguard.c";

#[rustfmt::skip]
static IDENTITY: Query = query("WH", "model and ratings",
    "(II VV.VV PP.PP TTTTTTTTTTTTTTTTTTTTTTTTTTTTTT B MMM FF.FF CCC SS.SS HHH.HH GGG.GG RRR LL UU NNN XXX KK.KK JJ.JJ", &[
    number('I', &UPS_ID),
    text('V', &UPS_FIRMWARE),
    text('P', &UPS_FIRMWARE_AUX),
    custom('T', &MODEL),
    unknown('B'),
    number('M', &INPUT_VOLTAGE_NOMINAL),
    number('F', &INPUT_FREQUENCY_NOMINAL).places(2),
    number('C', &EXPERIMENTAL_NUMBER_OF_BATTERY_CELLS),
    number('S', &EXPERIMENTAL_NOMINAL_CELL_VOLTAGE),
    custom('H', &RUNTIME_HALF),
    custom('G', &RUNTIME_FULL),
    number('R', &EXPERIMENTAL_RECHARGE_TIME).times(3600),
    number('L', &AMBIENT_0_TEMPERATURE_LOW),
    number('U', &AMBIENT_0_TEMPERATURE_HIGH),
    number('N', &INPUT_VOLTAGE_LOW_CRITICAL),
    number('X', &INPUT_VOLTAGE_HIGH_CRITICAL),
    number('K', &INPUT_FREQUENCY_LOW).places(2),
    number('J', &INPUT_FREQUENCY_HIGH).places(2),
]).columns().after_change().source(SOURCE);

#[rustfmt::skip]
const STATUS_BITS: &[Bit] = &[
    bit("mains failed",        Clear(Online),       Set(Online)),
    bit("battery low",         Set(LowBattery),     Clear(LowBattery)),
    bit("bypass",              Set(Bypass),         Clear(Bypass)),
    bit("UPS failed",          alarm("UPS Failed"), Nothing),
    bit("offline (1) or online (0)", Says(&UPS_TYPE, "offline"), Says(&UPS_TYPE, "online")),
    bit("test in progress",    Set(Calibrating),    Clear(Calibrating)),
    bit("shutdown active",     Set(ForcedShutdown), Clear(ForcedShutdown)),
    UNKNOWN_BIT,
];

#[rustfmt::skip]
const MORE_BITS: &[Bit] = &[
    UNKNOWN_BIT,
    bit("parallel operation",  alarm("problems in parallel operation mode"), Nothing),
    bit("part of a parallel set", Nothing, Nothing),
    bit("battery at its end",  Set(ReplaceBattery), Clear(ReplaceBattery)),
    bit("battery missing",     alarm("no battery connected"), Nothing),
];

const TEST_RESULTS: Words = &[
    ("000", "no test in progress"),
    ("001", "in progress"),
    ("010", "OK"),
    ("011", "failed"),
    ("100", "not possible"),
    ("101", "aborted"),
    ("110", "autonomy time calibration in progress"),
    ("111", "unknown"),
];

#[rustfmt::skip]
static STATUS: Query = query("Q3", "status",
    "(xx MMM.M NNN.N PPP.P QQQ RR.R SS.SS TT.T HHH.HH CCC bbbbbbbb tttttrrr", &[
    unknown('x'),
    number('M', &INPUT_VOLTAGE),
    number('N', &EXPERIMENTAL_INPUT_FAULT_VOLTAGE),
    number('P', &OUTPUT_VOLTAGE),
    number('Q', &UPS_LOAD),
    number('R', &INPUT_FREQUENCY),
    number('S', &CELL_VOLTAGE),
    number('T', &UPS_TEMPERATURE),
    custom('H', &RUNTIME),
    number('C', &BATTERY_CHARGE),
    bits('b', STATUS_BITS),
    bits('t', MORE_BITS),
    word('r', &UPS_TEST_RESULT, TEST_RESULTS),
]).source(SOURCE);

#[rustfmt::skip]
static CONFIGURATION: Query = query("GS,", "packs and beeper", "(xx,ii P B", &[
    unknown('x'),
    unknown('i'),
    number('P', &BATTERY_PACKS),
    word('B', &UPS_BEEPER_STATUS, &[("0", "disabled"), ("1", "enabled")]),
]).after_change().addressed().source(SOURCE);

#[rustfmt::skip]
static BATTERY: Query = query("GBS,", "battery", "(xx,CCC hhhh HHHH AAAA BBBB DDDD EEE SS.SS", &[
    unknown('x'),
    number('C', &BATTERY_CHARGE),
    unknown('h'),
    unknown('H'),
    number('A', &EXPERIMENTAL_BATTERY_AGEING_FACTOR),
    unknown('B'),
    unknown('D'),
    number('E', &EXPERIMENTAL_BATTERY_CALIBRATION_FACTOR),
    number('S', &CELL_VOLTAGE),
]).addressed().source(SOURCE);

#[rustfmt::skip]
static NUMBERS: Query = query("GSN,", "part and serial number", "(xx,'S''S''N'=PPPPPPPPPPP SSSS", &[
    unknown('x'),
    text('P', &DEVICE_PART),
    text('S', &DEVICE_SERIAL),
]).columns().once().addressed().source(SOURCE);

static UPTIME: Query = query(
    "DRC,",
    "time since the last maintenance",
    "(xx,TTTTTTTTTTTTT",
    &[unknown('x'), custom('T', &SERVICE_TIME)],
)
.after_change()
.addressed()
.source(SOURCE);

static VOLTAGES: Query =
    query("MSO", "output voltages to choose from", "(V*", &[text('V', &EXPERIMENTAL_OUTPUT_VOLTAGES)])
        .columns()
        .once()
        .source(SOURCE);

static VOLTAGE: Query =
    query("PNV", "output voltage", "('P''N''V'=VVV", &[number('V', &OUTPUT_VOLTAGE_NOMINAL).places(0)])
        .after_change()
        .source(SOURCE);

#[rustfmt::skip]
static FAULTS: Query = query("FLT,", "fault memory",
    "(xx,AAAAAAAAAAAAAAAAAAAA BBBBBBBBBBBBBBBBBBBB CCCCCCCCCCCCCCCCCCCC DDDDDDDDDDDDDDDDDDDD EEEEEEEEEEEEEEEEEEEE", &[
    unknown('x'),
    custom('A', &FAULT_1),
    custom('B', &FAULT_2),
    custom('C', &FAULT_3),
    custom('D', &FAULT_4),
    custom('E', &FAULT_5),
]).columns().addressed().source(SOURCE);

/// Models: as on the wire, name, volt-amperes, greatest number of packs of a tower.
const MODELS: &[(&str, &str, u32, u32)] = &[
    ("A  700", "A700", 700, 0),
    ("A 1000", "A1000", 1000, 2),
    ("A 2000", "A2000", 2000, 2),
    ("A 3000", "A3000", 3000, 2),
    ("E 60", "E60", 6000, 1),
    ("E100", "E100", 10_000, 1),
    ("E200", "E200", 20_000, 1),
];
/// What stands in the model of a unit for racks.
const RACK: &str = "-19";

static MODEL: Custom = Custom {
    about: "the model, from which series and volt-amperes follow; `-19` in it for a rack",
    vars: &[&DEVICE_MODEL, &UPS_POWER_NOMINAL, &EXPERIMENTAL_SERIES],
    read: |piece, readings| {
        let text = presentable(piece);
        let (wire, name, power, _) = MODELS.iter().find(|(wire, ..)| text.starts_with(wire))?;
        let rack = if text.contains(RACK) { RACK } else { "" };
        readings.say(&DEVICE_MODEL, Some(Value::text(format!("{name}{rack}"))));
        readings.say(&UPS_POWER_NOMINAL, Some(Value::whole(*power)));
        readings.say(&EXPERIMENTAL_SERIES, Some(Value::text(&wire[..1])));
        Some(())
    },
    write: |readings, width| {
        let model = readings.value(&DEVICE_MODEL).map_or(String::new(), Value::to_string);
        let (name, rack) = model.strip_suffix(RACK).map_or((model.as_str(), ""), |name| (name, RACK));
        let wire = MODELS.iter().find(|(_, known, ..)| *known == name).map_or("?", |(wire, ..)| wire);
        format!("{:<width$}", format!("{wire}  + 0 Bat Pack{rack}")).into()
    },
};

/// Racks of the greater models take one to five packs.
fn pack_limits(facts: &Facts) -> Option<(u32, u32)> {
    let model = facts.text(&DEVICE_MODEL)?;
    let name = model.strip_suffix(RACK).unwrap_or(model);
    let (_, _, _, most) = MODELS.iter().find(|(_, known, ..)| *known == name)?;
    Some(match name {
        "A2000" | "A3000" if model.ends_with(RACK) => (1, 5),
        _ if name.starts_with('E') => (1, 1),
        _ => (0, *most),
    })
}

/// `mmm.ss`: minutes and seconds.
fn read_minutes(piece: &[u8], var: &'static Var, readings: &mut Readings) -> Option<()> {
    let (minutes, seconds) = std::str::from_utf8(piece).ok()?.split_once('.')?;
    let digits =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u32>().ok())?;
    let seconds = 60 * digits(minutes)? + digits(seconds).filter(|seconds| *seconds < 60)?;
    readings.say(var, Some(Value::whole(seconds)));
    Some(())
}

fn write_minutes(readings: &Readings, var: &Var) -> Vec<u8> {
    let seconds = readings.number(var).map_or(0, Decimal::whole).clamp(0, 59_999);
    format!("{:03}.{:02}", seconds / 60, seconds % 60).into()
}

static RUNTIME: Custom = Custom {
    about: "minutes and, behind the point, seconds",
    vars: &[&BATTERY_RUNTIME],
    read: |piece, readings| read_minutes(piece, &BATTERY_RUNTIME, readings),
    write: |readings, _| write_minutes(readings, &BATTERY_RUNTIME),
};
static RUNTIME_HALF: Custom = Custom {
    about: RUNTIME.about,
    vars: &[&EXPERIMENTAL_RUNTIME_HALF],
    read: |piece, readings| read_minutes(piece, &EXPERIMENTAL_RUNTIME_HALF, readings),
    write: |readings, _| write_minutes(readings, &EXPERIMENTAL_RUNTIME_HALF),
};
static RUNTIME_FULL: Custom = Custom {
    about: RUNTIME.about,
    vars: &[&EXPERIMENTAL_RUNTIME_FULL],
    read: |piece, readings| read_minutes(piece, &EXPERIMENTAL_RUNTIME_FULL, readings),
    write: |readings, _| write_minutes(readings, &EXPERIMENTAL_RUNTIME_FULL),
};

/// Seconds from `TTTT:hh:mm:ss`.
fn seconds_of(text: &str) -> Option<u32> {
    let parts: Vec<&str> = text.split(':').collect();
    let [days, hours, minutes, seconds] = parts[..] else { return None };
    let number = |text: &str, below: u32| {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse::<u32>().ok())?.filter(|number| *number < below)
    };
    Some(
        86_400 * number(days, 10_000)?
            + 3600 * number(hours, 24)?
            + 60 * number(minutes, 60)?
            + number(seconds, 60)?,
    )
}

/// `TTTT:hh:mm:ss` from seconds.
fn days_of(seconds: u32) -> String {
    let (days, rest) = ((seconds / 86_400).min(9999), seconds % 86_400);
    format!("{days:04}:{:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60)
}

static SERVICE_TIME: Custom = Custom {
    about: "days, hours, minutes, seconds",
    vars: &[&DEVICE_UPTIME],
    read: |piece, readings| {
        let seconds = seconds_of(std::str::from_utf8(piece).ok()?)?;
        readings.say(&DEVICE_UPTIME, Some(Value::whole(seconds)));
        Some(())
    },
    write: |readings, _| {
        let seconds = readings.number(&DEVICE_UPTIME).map_or(0, Decimal::whole);
        days_of(u32::try_from(seconds).unwrap_or_default()).into()
    },
};

static SERVICE_TIME_SET: CustomValue = CustomValue {
    about: "a number of seconds, or days, hours, minutes and seconds as TTTT:hh:mm:ss",
    args: |text| {
        let seconds = seconds_of(text)
            .or_else(|| crate::wire::command::number_between(text, 0, 10_000 * 86_400 - 1))?;
        Some(Args { code: days_of(seconds), ..Args::default() })
    },
    value: |args| seconds_of(&args.code).map(Value::whole),
};

/// Kinds of faults, and the unit of the number that goes with them.
const FAULT_KINDS: &[(&str, &str, &str)] = &[
    ("0", "none", ""),
    ("1", "bus fault", "V"),
    ("2", "inverter fault", "V"),
    ("3", "overheat fault", "C"),
    ("4", "battery overvoltage fault", "V"),
    ("5", "battery mode overload fault", "%"),
    ("6", "bypass mode overload fault", "%"),
    ("7", "inverter mode output short-circuit fault", "V"),
    ("8", "fan lock fault", ""),
    ("9", "battery fault", "V"),
    ("A", "charger fault", ""),
    ("B", "EPO activated", ""),
    ("C", "parallel error", ""),
    ("D", "MCU communication error", ""),
];

/// An entry `c aaaa TTTT:hh:mm:ss` of the fault memory.
fn read_fault(piece: &[u8], var: &'static Var, readings: &mut Readings) -> Option<()> {
    let text = std::str::from_utf8(piece).ok()?;
    let words: Vec<&str> = text.split(' ').collect();
    let [kind, amount, time] = words[..] else { return None };
    let (_, about, unit) = FAULT_KINDS.iter().find(|(code, ..)| *code == kind)?;
    let amount = Decimal::parse(amount)?.whole();
    let amount = if unit.is_empty() { String::new() } else { format!(" ({amount}{unit})") };
    readings.say(var, Some(Value::text(format!("{}: {about}{amount}", seconds_of(time)?))));
    Some(())
}

fn write_fault(readings: &Readings, var: &Var) -> Vec<u8> {
    let text = readings.value(var).map_or(String::new(), Value::to_string);
    let (seconds, about) = text.split_once(": ").unwrap_or(("0", "none"));
    let name = about.split(" (").next().unwrap_or_default();
    let kind = FAULT_KINDS.iter().find(|(_, known, _)| *known == name).map_or("0", |(code, ..)| code);
    let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).map(char::from).collect::<String>();
    let amount: u32 = about.split_once(" (").map_or(0, |(_, rest)| digits(rest).parse().unwrap_or_default());
    format!("{kind} {amount:04} {}", days_of(seconds.parse().unwrap_or_default())).into()
}

macro_rules! fault {
    ($($id:ident $var:ident;)*) => {
        $(static $id: Custom = Custom {
            about: "kind, amount and time of a fault",
            vars: &[&$var],
            read: |piece, readings| read_fault(piece, &$var, readings),
            write: |readings, _| write_fault(readings, &$var),
        };)*
    };
}
fault! {
    FAULT_1 EXPERIMENTAL_FAULT_1;
    FAULT_2 EXPERIMENTAL_FAULT_2;
    FAULT_3 EXPERIMENTAL_FAULT_3;
    FAULT_4 EXPERIMENTAL_FAULT_4;
    FAULT_5 EXPERIMENTAL_FAULT_5;
}

fn of_cells(facts: &Facts, cell: &Var) -> Option<String> {
    Some(format!("{:.2}", facts.f64(cell)? * facts.f64(&EXPERIMENTAL_NUMBER_OF_BATTERY_CELLS)?))
}

fn power(facts: &Facts) -> Option<f64> {
    Some(facts.f64(&UPS_LOAD)? / 100.0 * facts.f64(&UPS_POWER_NOMINAL)?)
}

fn output_current(facts: &Facts) -> Option<f64> {
    let volts = facts.f64(&OUTPUT_VOLTAGE).filter(|volts| *volts > 0.0)?;
    Some(power(facts)? / volts)
}

#[rustfmt::skip]
const DERIVED: &[Derived] = &[
    Derived { var: &UPS_ID,                  about: "in two digits",                   from: |facts| Some(format!("{:02}", facts.number(&UPS_ID)?.whole())) },
    Derived { var: &BATTERY_VOLTAGE,         about: "cell voltage × cells",            from: |facts| of_cells(facts, &CELL_VOLTAGE) },
    Derived { var: &BATTERY_VOLTAGE_NOMINAL, about: "rated cell voltage × cells",      from: |facts| of_cells(facts, &EXPERIMENTAL_NOMINAL_CELL_VOLTAGE) },
    Derived { var: &UPS_POWER,               about: "load × rated volt-amperes",       from: |facts| Some(format!("{:.0}", power(facts)?)) },
    Derived { var: &OUTPUT_CURRENT,          about: "ups.power ÷ output.voltage",      from: |facts| Some(format!("{:.2}", output_current(facts)?)) },
    Derived { var: &OUTPUT_CURRENT_NOMINAL,  about: "rated volt-amperes ÷ output.voltage.nominal",
        from: |facts| Some(format!("{:.2}", facts.f64(&UPS_POWER_NOMINAL)? / facts.f64(&OUTPUT_VOLTAGE_NOMINAL).filter(|volts| *volts > 0.0)?)) },
    Derived { var: &AMBIENT_0_TEMPERATURE,   about: "ups.temperature",                 from: |facts| Some(format!("{:.1}", facts.f64(&UPS_TEMPERATURE)?)) },
];

fn nothing_open(_: &Facts, raised: &mut Raised) {
    settle::take_regulating(raised);
}

/// Minutes stand behind the R, as in the rest of the family.
#[rustfmt::skip]
const COMMANDS: &[Command] = &[
    command("shutdown.return",          &[Lit("S"), Short(Arg::Shutdown), Lit("R"), Minutes(Arg::Start, 4)])
        .otherwise(&[&[Lit("S"), MinutesUp(Arg::Shutdown, 2), Lit("R"), Minutes(Arg::Start, 4)]]),
    command("shutdown.stayoff",         &[Lit("S"), Short(Arg::Shutdown)])
        .otherwise(&[&[Lit("S"), MinutesUp(Arg::Shutdown, 2)]]),
    command("shutdown.stop",            &[Lit("C")]),
    command("test.battery.start",       &[Lit("T")]).needs_seconds(10, 10),
    command("test.battery.start",       &[Lit("T"), Minutes(Arg::Given, 2)]).needs_seconds(60, 5940),
    command("test.battery.start.quick", &[Lit("T")]),
    command("test.battery.start.low",   &[Lit("TL")]),
    command("test.battery.start.deep",  &[Lit("TUD,"), Digits(Arg::Address, 2)]),
    command("test.battery.stop",        &[Lit("CT")]),
    command("clear.fault.record",       &[Lit("FCLR,"), Digits(Arg::Address, 2)]),
    command("bypass.start",             &[Lit("FOFF")]),
    command("bypass.stop",              &[Lit("FON")]),
    command("beeper.enable",            &[Lit("SS---1,"), Digits(Arg::Address, 2)]),
    command("beeper.disable",           &[Lit("SS---0,"), Digits(Arg::Address, 2)]),
];

#[rustfmt::skip]
const SETTINGS: &[Setting] = &[
    setting(&UPS_ID,        &[Lit("SS"), Digits(Arg::Given, 2), Lit("--,"), Digits(Arg::Address, 2)], Allowed::Range(0, 99)),
    setting(&BATTERY_PACKS, &[Lit("SS--"), Digits(Arg::Given, 1), Lit("-,"), Digits(Arg::Address, 2)],
        Allowed::Limits("0 to 2 (A700: 0), racks 1 to 5, series E 1", pack_limits)),
    setting(&DEVICE_UPTIME, &[Lit("SRC"), Text(13), Lit(","), Digits(Arg::Address, 2)], Allowed::Custom(&SERVICE_TIME_SET)),
    setting(&OUTPUT_VOLTAGE_NOMINAL, &[Lit("PNV="), Digits(Arg::Given, 3)], Allowed::Listed(&EXPERIMENTAL_OUTPUT_VOLTAGES)),
];

#[rustfmt::skip]
const DELAYS: &[Delay] = &[
    delay(&UPS_DELAY_START,    "ondelay",  (0, 599_940), 180, Rounding::Minutes),
    delay(&UPS_DELAY_SHUTDOWN, "offdelay", (0, 5_940), 30, Rounding::TenthsThenMinutes),
];

/// What is printed on a sample unit, or set in it.
const SAMPLE: &[Fixed] = &[
    (&UPS_TYPE, "online"),
    (&UPS_ID, "0"),
    (&UPS_FIRMWARE, "10.06"),
    (&UPS_FIRMWARE_AUX, "03.09"),
    (&DEVICE_MODEL, "A3000-19"),
    (&BATTERY_PACKS, "1"),
    (&EXPERIMENTAL_RUNTIME_HALF, "720"),
    (&EXPERIMENTAL_RUNTIME_FULL, "360"),
    (&EXPERIMENTAL_RECHARGE_TIME, "64800"),
    (&AMBIENT_0_TEMPERATURE_LOW, "10"),
    (&AMBIENT_0_TEMPERATURE_HIGH, "40"),
    (&INPUT_VOLTAGE_LOW_CRITICAL, "160"),
    (&INPUT_VOLTAGE_HIGH_CRITICAL, "276"),
    (&INPUT_FREQUENCY_LOW, "47.00"),
    (&INPUT_FREQUENCY_HIGH, "53.00"),
    (&EXPERIMENTAL_BATTERY_AGEING_FACTOR, "708"),
    (&EXPERIMENTAL_BATTERY_CALIBRATION_FACTOR, "115"),
    (&DEVICE_PART, "6A1212"),
    (&DEVICE_SERIAL, "2782"),
    (&DEVICE_UPTIME, "161550397"),
    (&EXPERIMENTAL_OUTPUT_VOLTAGES, "220 230 240"),
    (&EXPERIMENTAL_FAULT_1, "60486: inverter mode output short-circuit fault (43V)"),
];

/// The dialect.
pub static MASTERGUARD: Protocol = Protocol {
    name: "masterguard",
    about: "Masterguard units of series A and E, also several on one line: identity by WH, status by Q3",
    signs: &[Sign::Answers(&IDENTITY), Sign::Answers(&VOLTAGES)],
    queries: &[&IDENTITY, &STATUS, &CONFIGURATION, &BATTERY, &NUMBERS, &UPTIME, &VOLTAGES, &VOLTAGE, &FAULTS],
    fixed: &[(&DEVICE_MFR, "Masterguard"), (&LOAD_HIGH, "140"), (&BATTERY_TYPE, "PbAc")],
    sample: SAMPLE,
    derived: DERIVED,
    settle: nothing_open,
    commands: &[COMMANDS],
    settings: &[SETTINGS],
    delays: DELAYS,
    acknowledgement: Acknowledgement::Silence,
    flags: &[],
    ..TEMPLATE
};
