//! The objects of the UPS-MIB (RFC 1628), a row each: from which variable of NUT, in which unit. What the UPS does not say
//! has no value.

use crate::oid::Oid;
use crate::self_test::TestSummary;
use crate::value::SnmpValue;
use crate::view::UpsFacts;

/// `upsMIB`.
pub(crate) const UPS_MIB: &[u32] = &[1, 3, 6, 1, 2, 1, 33];
/// `upsObjects`.
pub(crate) const UPS_OBJECTS: &[u32] = &[1, 3, 6, 1, 2, 1, 33, 1];
/// `upsTraps`.
pub(crate) const UPS_TRAPS: &[u32] = &[1, 3, 6, 1, 2, 1, 33, 2];

/// One object.
pub(crate) struct ObjectRow {
    /// As the RFC calls it.
    pub name: &'static str,
    /// Where it stands below `upsObjects`.
    pub place: &'static [u32],
    pub form: ValueForm,
    pub from: ValueFrom,
}

/// How a text of NUT becomes a value.
#[derive(Clone, Copy)]
pub(crate) enum ValueForm {
    /// `DisplayString` of at most so many bytes.
    Text(usize),
    /// A whole number of parts, so many to the unit of NUT.
    Number(Parts),
    /// A named number.
    Word(&'static [(&'static str, i32)]),
    /// The row makes it.
    Own,
}

/// What a number counts.
#[derive(Clone, Copy)]
pub(crate) struct Parts {
    /// So many to NUT's unit.
    per_unit: f64,
    rounding: Rounding,
    /// Less it cannot be.
    least: i32,
    /// More it cannot be. The RFC ends loads at 200 %; what a UPS says beyond is passed on.
    most: i32,
}

#[derive(Clone, Copy)]
enum Rounding {
    Nearest,
    Down,
    Up,
}

/// Where a value comes from.
pub(crate) enum ValueFrom {
    /// From the first of these variables that is there.
    Variables(&'static [&'static str]),
    /// For each line of a group: from these variables where there is one line, else from those, `#` being the line.
    Lines(LineGroup, &'static [&'static str], &'static [&'static str]),
    /// From what is known of the UPS as a whole.
    Made(fn(&UpsFacts<'_>) -> Option<SnmpValue>),
}

/// Lines that are counted together.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineGroup {
    Input,
    Output,
    Bypass,
}

use LineGroup::{Bypass, Input, Output};
use ValueForm::{Number, Own, Text, Word};
use ValueFrom::{Lines, Made, Variables};

const fn parts(per_unit: f64, rounding: Rounding, least: i32, most: i32) -> ValueForm {
    Number(Parts { per_unit, rounding, least, most })
}

/// Whole units.
const WHOLE: ValueForm = parts(1.0, Rounding::Nearest, 0, i32::MAX);
/// Tenths.
const TENTHS: ValueForm = parts(10.0, Rounding::Nearest, 0, i32::MAX);
/// Tenths, also below zero.
const SIGNED_TENTHS: ValueForm = parts(10.0, Rounding::Nearest, i32::MIN, i32::MAX);
/// Whole units, also below zero.
const SIGNED: ValueForm = parts(1.0, Rounding::Nearest, i32::MIN, i32::MAX);
/// Percent of a charge.
const CHARGE: ValueForm = parts(1.0, Rounding::Nearest, 0, 100);
/// Whole minutes that remain: 59 s are none, where the RFC has no 0. More than there is would not be true.
const MINUTES_LEFT: ValueForm = parts(1.0 / 60.0, Rounding::Down, 0, i32::MAX);
/// Minutes of a bound (RFC 1628: rounded up).
const MINUTES_BOUND: ValueForm = parts(1.0 / 60.0, Rounding::Up, 0, i32::MAX);
/// Seconds of a countdown; -1 where none runs.
const COUNTDOWN: ValueForm = parts(1.0, Rounding::Nearest, -1, i32::MAX);

const fn row(name: &'static str, place: &'static [u32], form: ValueForm, from: ValueFrom) -> ObjectRow {
    ObjectRow { name, place, form, from }
}

/// All of them, in the order of the tree. The alarm table stands in `view`. Objects of which no UPS of NUT says anything
/// (upsIdentAttachedDevices, upsShutdownType) have no row.
#[rustfmt::skip]
pub(crate) static OBJECTS: &[ObjectRow] = &[
    // NUT's snmp-ups takes no agent for a UPS without these: empty where the UPS does not name itself
    row("upsIdentManufacturer",              &[1, 1],       Own,            Made(|facts| fresh(facts, |facts| text(&first(facts, &["ups.mfr", "device.mfr"]).unwrap_or_default(), 31)))),
    row("upsIdentModel",                     &[1, 2],       Own,            Made(|facts| fresh(facts, |facts| text(&first(facts, &["ups.model", "device.model"]).unwrap_or_default(), 63)))),
    row("upsIdentUPSSoftwareVersion",        &[1, 3],       Text(63),       Variables(&["ups.firmware", "device.firmware"])),
    row("upsIdentAgentSoftwareVersion",      &[1, 4],       Own,            Made(|facts| Some(SnmpValue::Text(format!("qxups {}", facts.version))))),
    row("upsIdentName",                      &[1, 5],       Own,            Made(|facts| Some(text(facts.name, 63)))),
    row("upsBatteryStatus",                  &[2, 1],       Own,            Made(battery_status)),
    row("upsSecondsOnBattery",               &[2, 2],       Own,            Made(seconds_on_battery)),
    row("upsEstimatedMinutesRemaining",      &[2, 3],       MINUTES_LEFT,   Variables(&["battery.runtime"])),
    row("upsEstimatedChargeRemaining",       &[2, 4],       CHARGE,         Variables(&["battery.charge"])),
    row("upsBatteryVoltage",                 &[2, 5],       TENTHS,         Variables(&["battery.voltage"])),
    row("upsBatteryCurrent",                 &[2, 6],       SIGNED_TENTHS,  Variables(&["battery.current"])),
    // "at or near" the battery: cheap UPSes have one sensor in their case
    row("upsBatteryTemperature",             &[2, 7],       SIGNED,         Variables(&["battery.temperature", "ups.temperature"])),
    row("upsInputLineBads",                  &[3, 1],       Own,            Made(|facts| Some(SnmpValue::Counter(facts.watch.input_bads())))),
    row("upsInputNumLines",                  &[3, 2],       Own,            Made(|facts| lines_said(facts, Input))),
    row("upsInputFrequency",                 &[3, 3, 1, 2], TENTHS,         Lines(Input, &["input.frequency"], &["input.L#.frequency", "input.frequency"])),
    row("upsInputVoltage",                   &[3, 3, 1, 3], WHOLE,          Lines(Input, &["input.voltage"], &["input.L#-N.voltage"])),
    row("upsInputCurrent",                   &[3, 3, 1, 4], TENTHS,         Lines(Input, &["input.current"], &["input.L#.current"])),
    row("upsInputTruePower",                 &[3, 3, 1, 5], WHOLE,          Lines(Input, &["input.realpower"], &["input.L#.realpower"])),
    row("upsOutputSource",                   &[4, 1],       Own,            Made(output_source)),
    row("upsOutputFrequency",                &[4, 2],       TENTHS,         Variables(&["output.frequency"])),
    row("upsOutputNumLines",                 &[4, 3],       Own,            Made(|facts| lines_said(facts, Output))),
    row("upsOutputVoltage",                  &[4, 4, 1, 2], WHOLE,          Lines(Output, &["output.voltage"], &["output.L#-N.voltage"])),
    row("upsOutputCurrent",                  &[4, 4, 1, 3], TENTHS,         Lines(Output, &["output.current"], &["output.L#.current"])),
    row("upsOutputPower",                    &[4, 4, 1, 4], WHOLE,          Lines(Output, &["output.realpower", "ups.realpower"], &["output.L#.realpower"])),
    row("upsOutputPercentLoad",              &[4, 4, 1, 5], WHOLE,          Lines(Output, &["ups.load"], &["output.L#.power.percent", "output.L#.load"])),
    row("upsBypassFrequency",                &[5, 1],       TENTHS,         Variables(&["input.bypass.frequency"])),
    row("upsBypassNumLines",                 &[5, 2],       Own,            Made(|facts| lines_said(facts, Bypass))),
    row("upsBypassVoltage",                  &[5, 3, 1, 2], WHOLE,          Lines(Bypass, &["input.bypass.voltage"], &["input.bypass.L#-N.voltage"])),
    row("upsBypassCurrent",                  &[5, 3, 1, 3], TENTHS,         Lines(Bypass, &["input.bypass.current"], &["input.bypass.L#.current"])),
    row("upsBypassPower",                    &[5, 3, 1, 4], WHOLE,          Lines(Bypass, &["input.bypass.realpower"], &["input.bypass.L#.realpower"])),
    row("upsAlarmsPresent",                  &[6, 1],       Own,            Made(|facts| Some(SnmpValue::Gauge(u32::try_from(facts.watch.alarms().count()).unwrap_or(u32::MAX))))),
    row("upsTestId",                         &[7, 1],       Own,            Made(|facts| fresh(facts, |facts| SnmpValue::Name(Oid::below(UPS_OBJECTS, &[7, 7, facts.watch.test().which]))))),
    row("upsTestSpinLock",                   &[7, 2],       Own,            Made(|facts| fresh(facts, |_| SnmpValue::Integer(1)))),
    row("upsTestResultsSummary",             &[7, 3],       Own,            Made(|facts| fresh(facts, |facts| SnmpValue::Integer(facts.watch.test().summary as i32)))),
    row("upsTestResultsDetail",              &[7, 4],       Own,            Made(|facts| fresh(facts, |facts| text(&first(facts, TEST_TEXTS).unwrap_or_default(), 255)))),
    row("upsTestStartTime",                  &[7, 5],       Own,            Made(|facts| fresh(facts, |facts| SnmpValue::Ticks(ticks(test_times(facts).0))))),
    row("upsTestElapsedTime",                &[7, 6],       Own,            Made(|facts| fresh(facts, |facts| SnmpValue::Integer(hundredths(test_times(facts).1))))),
    row("upsShutdownAfterDelay",             &[8, 2],       COUNTDOWN,      Variables(&["ups.timer.shutdown"])),
    row("upsStartupAfterDelay",              &[8, 3],       COUNTDOWN,      Variables(&["ups.timer.start"])),
    row("upsRebootWithDuration",             &[8, 4],       COUNTDOWN,      Variables(&["ups.timer.reboot"])),
    row("upsAutoRestart",                    &[8, 5],       Word(&[("yes", 1), ("no", 2)]), Variables(&["ups.start.auto"])),
    row("upsConfigInputVoltage",             &[9, 1],       WHOLE,          Variables(&["input.voltage.nominal"])),
    row("upsConfigInputFreq",                &[9, 2],       TENTHS,         Variables(&["input.frequency.nominal"])),
    row("upsConfigOutputVoltage",            &[9, 3],       WHOLE,          Variables(&["output.voltage.nominal"])),
    row("upsConfigOutputFreq",               &[9, 4],       TENTHS,         Variables(&["output.frequency.nominal"])),
    row("upsConfigOutputVA",                 &[9, 5],       WHOLE,          Variables(&["output.power.nominal", "ups.power.nominal"])),
    row("upsConfigOutputPower",              &[9, 6],       WHOLE,          Variables(&["output.realpower.nominal", "ups.realpower.nominal"])),
    row("upsConfigLowBattTime",              &[9, 7],       MINUTES_BOUND,  Variables(&["battery.runtime.low"])),
    row("upsConfigAudibleStatus",            &[9, 8],       Word(&[("disabled", 1), ("enabled", 2), ("muted", 3)]), Variables(&["ups.beeper.status"])),
    row("upsConfigLowVoltageTransferPoint",  &[9, 9],       WHOLE,          Variables(&["input.transfer.low"])),
    row("upsConfigHighVoltageTransferPoint", &[9, 10],      WHOLE,          Variables(&["input.transfer.high"])),
];

/// What says how the last test ended.
pub(crate) const TEST_TEXTS: &[&str] = &["ups.test.result", "battery.test.status"];

/// Everything that one row has to say of a UPS.
pub(crate) fn each_instance(row: &ObjectRow, facts: &UpsFacts<'_>, mut each: impl FnMut(Oid, SnmpValue)) {
    let place = || Oid::below(UPS_OBJECTS, row.place);
    match &row.from {
        Made(make) => make(facts).into_iter().for_each(|value| each(place().with(0), value)),
        Variables(names) => {
            let value = first(facts, names).and_then(|text| row.form.value(&text));
            value.into_iter().for_each(|value| each(place().with(0), value));
        }
        Lines(group, single, of_line) => {
            let count = lines(facts, *group);
            for line in 1..=count {
                let text = match count {
                    1 => first(facts, single).or_else(|| first_of_line(facts, of_line, 1)),
                    _ => first_of_line(facts, of_line, line),
                };
                if let Some(value) = text.and_then(|text| row.form.value(&text)) {
                    each(place().with(line), value);
                }
            }
        }
    }
}

/// How many lines a group has: those of which the UPS says something.
fn lines(facts: &UpsFacts<'_>, wanted: LineGroup) -> u32 {
    let columns = || {
        OBJECTS.iter().filter_map(|row| match &row.from {
            Lines(group, single, of_line) if *group == wanted => Some((single, of_line)),
            _ => None,
        })
    };
    // what is said of the group as a whole makes no line
    let own =
        |names: &[&'static str]| names.iter().copied().filter(|name| name.contains('#')).collect::<Vec<_>>();
    let has = |line: u32| columns().any(|(_, of_line)| first_of_line(facts, &own(of_line), line).is_some());
    match (has(3), has(2)) {
        (true, _) => 3,
        (false, true) => 2,
        _ if columns().any(|(single, _)| first(facts, single).is_some()) => 1,
        _ => u32::from(has(1)),
    }
}

fn lines_said(facts: &UpsFacts<'_>, group: LineGroup) -> Option<SnmpValue> {
    let count = lines(facts, group);
    (count > 0).then(|| SnmpValue::Integer(i32::try_from(count).unwrap_or(0)))
}

fn first(facts: &UpsFacts<'_>, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| facts.variable(name))
}

fn first_of_line(facts: &UpsFacts<'_>, names: &[&str], line: u32) -> Option<String> {
    names.iter().find_map(|name| facts.variable(&name.replace('#', &line.to_string())))
}

impl ValueForm {
    /// The value of a text; none where it says none.
    fn value(self, said: &str) -> Option<SnmpValue> {
        match self {
            Text(most) => Some(text(said, most)),
            Number(parts) => parts.of(number(said)?).map(SnmpValue::Integer),
            Word(words) => {
                words.iter().find(|(word, _)| *word == said).map(|(_, number)| SnmpValue::Integer(*number))
            }
            Own => None,
        }
    }
}

impl Parts {
    fn of(self, number: f64) -> Option<i32> {
        let scaled = number * self.per_unit;
        // 49.95 Hz are 499.5 tenths, and a little less in binary
        let slip = scaled.abs() * 1e-12 + 1e-9;
        let whole = match self.rounding {
            Rounding::Nearest => (scaled + slip * scaled.signum()).round(),
            Rounding::Down => (scaled + slip).floor(),
            Rounding::Up => (scaled - slip).ceil(),
        };
        let is_within = f64::from(self.least) <= whole && whole <= f64::from(self.most);
        // within what an i32 holds
        #[allow(clippy::cast_possible_truncation)]
        is_within.then_some(whole as i32)
    }
}

/// The number that a text is: digits with a sign and a point, as NUT writes them.
fn number(text: &str) -> Option<f64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if !is_plain || digits.len() > 32 { None } else { text.parse().ok() }
}

/// A `DisplayString` of at most so many bytes: a letter that is not ASCII is `?`.
pub(crate) fn text(said: &str, most: usize) -> SnmpValue {
    let plain = said.chars().map(|letter| if matches!(letter, ' '..='~') { letter } else { '?' });
    SnmpValue::Text(plain.take(most).collect())
}

/// Hundredths of a second as `TimeTicks`, which wrap after 497 days.
pub(crate) fn ticks(time: std::time::Duration) -> u32 {
    u32::try_from((time.as_millis() / 10) & u128::from(u32::MAX)).unwrap_or_default()
}

/// The same as `TimeInterval`, which ends at 248 days.
fn hundredths(time: std::time::Duration) -> i32 {
    i32::try_from(time.as_millis() / 10).unwrap_or(i32::MAX)
}

fn fresh(facts: &UpsFacts<'_>, make: impl Fn(&UpsFacts<'_>) -> SnmpValue) -> Option<SnmpValue> {
    facts.is_fresh.then(|| make(facts))
}

fn test_times(facts: &UpsFacts<'_>) -> (std::time::Duration, std::time::Duration) {
    let test = facts.watch.test();
    match test.summary {
        TestSummary::None => Default::default(),
        _ => (test.began, test.took.unwrap_or_else(|| facts.now.saturating_sub(test.began))),
    }
}

fn has(facts: &UpsFacts<'_>, word: &str) -> bool {
    facts.words().split_whitespace().any(|said| said == word)
}

/// batteryDepleted(4) is what no UPS of NUT says.
fn battery_status(facts: &UpsFacts<'_>) -> Option<SnmpValue> {
    const UNKNOWN: i32 = 1;
    const NORMAL: i32 = 2;
    const LOW: i32 = 3;
    let is_said = has(facts, "OL") || has(facts, "OB");
    Some(SnmpValue::Integer(if has(facts, "LB") {
        LOW
    } else if is_said {
        NORMAL
    } else {
        UNKNOWN
    }))
}

fn seconds_on_battery(facts: &UpsFacts<'_>) -> Option<SnmpValue> {
    let seconds = match facts.watch.on_battery_since() {
        Some(since) if has(facts, "OB") => facts.now.saturating_sub(since).as_secs(),
        _ if has(facts, "OL") => 0,
        _ => return None,
    };
    Some(SnmpValue::Integer(i32::try_from(seconds).unwrap_or(i32::MAX)))
}

/// What is said of the output comes first, then what endangers it: a UPS on battery that bypasses is on battery.
fn output_source(facts: &UpsFacts<'_>) -> Option<SnmpValue> {
    const SOURCES: &[(&str, i32)] =
        &[("OFF", 2), ("OB", 5), ("BYPASS", 4), ("BOOST", 6), ("TRIM", 7), ("OL", 3)];
    SOURCES.iter().find(|(word, _)| has(facts, word)).map(|(_, source)| SnmpValue::Integer(*source))
}
