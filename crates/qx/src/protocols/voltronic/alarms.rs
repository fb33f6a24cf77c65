//! Warnings (`QWS`), kinds of faults (`QFS`) and modes (`QMOD`).

use super::SOURCE;
use crate::vocabulary::status::Alarm;
use crate::vocabulary::status::Status::{
    Bypass, Calibrating, ForcedShutdown, LowBattery, Off, Overload, ReplaceBattery,
};
use crate::vocabulary::variable::{UPS_FAULT, UPS_FIRMWARE_AUX, WORKING_MODE};
use crate::wire::query::Effect::{self, All, Nothing, Says, Set};
use crate::wire::query::{Bit, Code, Query, alarm, bit, bits, code, codes, query, unknown};
use crate::wire::when::When;

const fn warning(number: u8, text: &'static str) -> Bit {
    bit(text, Effect::Alarm(Alarm::warning(number, text)), Nothing)
}
/// A warning whose meaning is not published.
const fn unheard(number: u8) -> Bit {
    bit("unknown", Effect::Alarm(Alarm::warning(number, "")), Nothing)
}
/// A warning that is a status word as well.
const fn with_word(text: &'static str, effects: &'static [Effect]) -> Bit {
    bit(text, All(effects), Nothing)
}

const LOW: &[Effect] = &[Effect::Alarm(Alarm::warning(8, "Low battery.")), Set(LowBattery)];
const OVER: &[Effect] = &[Effect::Alarm(Alarm::warning(9, "Overload alarm.")), Set(Overload)];
const REPLACE: &[Effect] =
    &[Effect::Alarm(Alarm::warning(56, "Warning for Battery replace.")), Set(ReplaceBattery)];

#[rustfmt::skip]
const WARNINGS_ROWS: &[Bit] = &[
    warning( 1, "Battery disconnected."),
    warning( 2, "Neutral not connected."),
    warning( 3, "Site fault."),
    warning( 4, "Phase sequence incorrect."),
    warning( 5, "Phase sequence incorrect in bypass."),
    warning( 6, "Input frequency unstable in bypass."),
    warning( 7, "Battery overcharged."),
    with_word("Low battery.", LOW),
    with_word("Overload alarm.", OVER),
    warning(10, "Fan alarm."),
    warning(11, "EPO enabled."),
    warning(12, "Unable to turn on UPS."),
    warning(13, "Over temperature alarm."),
    warning(14, "Charger alarm."),
    warning(15, "Remote auto shutdown."),
    warning(16, "L1 input fuse not working."),
    warning(17, "L2 input fuse not working."),
    warning(18, "L3 input fuse not working."),
    warning(19, "Positive PFC abnormal in L1."),
    warning(20, "Negative PFC abnormal in L1."),
    warning(21, "Positive PFC abnormal in L2."),
    warning(22, "Negative PFC abnormal in L2."),
    warning(23, "Positive PFC abnormal in L3."),
    warning(24, "Negative PFC abnormal in L3."),
    warning(25, "Abnormal in CAN-bus communication."),
    warning(26, "Abnormal in synchronous signal circuit."),
    warning(27, "Abnormal in synchronous pulse signal circuit."),
    warning(28, "Abnormal in host signal circuit."),
    warning(29, "Male connector of parallel cable not connected well."),
    warning(30, "Female connector of parallel cable not connected well."),
    warning(31, "Parallel cable not connected well."),
    warning(32, "Battery connection not consistent in parallel systems."),
    warning(33, "AC connection not consistent in parallel systems."),
    warning(34, "Bypass connection not consistent in parallel systems."),
    warning(35, "UPS model types not consistent in parallel systems."),
    warning(36, "Capacity of UPSes not consistent in parallel systems."),
    warning(37, "Auto restart setting not consistent in parallel systems."),
    warning(38, "Battery cell over charge."),
    warning(39, "Battery protection setting not consistent in parallel systems."),
    warning(40, "Battery detection setting not consistent in parallel systems."),
    warning(41, "Bypass not allowed setting not consistent in parallel systems."),
    warning(42, "Converter setting not consistent in parallel systems."),
    warning(43, "High loss point for frequency in bypass mode not consistent in parallel systems."),
    warning(44, "Low loss point for frequency in bypass mode not consistent in parallel systems."),
    warning(45, "High loss point for voltage in bypass mode not consistent in parallel systems."),
    warning(46, "Low loss point for voltage in bypass mode not consistent in parallel systems."),
    warning(47, "High loss point for frequency in AC mode not consistent in parallel systems."),
    warning(48, "Low loss point for frequency in AC mode not consistent in parallel systems."),
    warning(49, "High loss point for voltage in AC mode not consistent in parallel systems."),
    warning(50, "Low loss point for voltage in AC mode not consistent in parallel systems."),
    warning(51, "Warning for locking in bypass mode after 3 consecutive overloads within 30 min."),
    warning(52, "Warning for three-phase AC input current unbalance."),
    warning(53, "Warning for a three-phase input current unbalance detected in battery mode."),
    warning(54, "Warning for Inverter inter-current unbalance."),
    warning(55, "Programmable outlets cut off pre-alarm."),
    with_word("Warning for Battery replace.", REPLACE),
    warning(57, "Abnormal warning on input phase angle."),
    warning(58, "Warning!! Cover of maintain switch is open."),
    unheard(59),
    unheard(60),
    unheard(61),
    warning(62, "EEPROM operation error."),
    unheard(63),
    unheard(64),
];

pub(super) static WARNINGS: Query = query(
    "QWS",
    "warnings",
    "(bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
    &[bits('b', WARNINGS_ROWS)],
)
.full()
.source(SOURCE);

const OVERLOAD_FAULT: &[Effect] = &[alarm("Overload fault."), Set(Overload)];

#[rustfmt::skip]
const FAULTS_P31: &[Code] = &[
    code("OK", Nothing),
    code("01", alarm("Fan failure.")),
    code("02", alarm("Over temperature fault.")),
    code("03", alarm("Battery voltage is too high.")),
    code("04", alarm("Battery voltage too low.")),
    code("05", alarm("Inverter relay short-circuited.")),
    code("06", alarm("Inverter voltage over maximum value.")),
    code("07", All(OVERLOAD_FAULT)),
    code("08", alarm("Bus voltage exceeds its upper limit.")),
    code("09", alarm("Bus soft start fail.")),
    code("51", alarm("Over current fault.")),
    code("52", alarm("Bus voltage below its under limit.")),
    code("53", alarm("Inverter soft start fail.")),
    code("54", alarm("Self test fail.")),
    code("55", alarm("Output DC voltage exceeds its upper limit.")),
    code("56", alarm("Battery open fault.")),
    code("57", alarm("Current sensor fault.")),
    code("58", alarm("Battery short.")),
    code("59", alarm("Inverter voltage below its lower limit.")),
    code("??", alarm("Unknown fault")),
];

#[rustfmt::skip]
const FAULTS_ROWS: &[Code] = &[
    code("OK", Nothing),
    code("1A", alarm("L1 inverter negative power out of acceptable range.")),
    code("1B", alarm("L2 inverter negative power out of acceptable range.")),
    code("1C", alarm("L3 inverter negative power out of acceptable range.")),
    code("01", alarm("Bus voltage not within default setting.")),
    code("02", alarm("Bus voltage over maximum value.")),
    code("03", alarm("Bus voltage below minimum value.")),
    code("04", alarm("Bus voltage differences out of acceptable range.")),
    code("05", alarm("Bus voltage of slope rate drops too fast.")),
    code("06", alarm("Over current in PFC input inductor.")),
    code("11", alarm("Inverter voltage not within default setting.")),
    code("12", alarm("Inverter voltage over maximum value.")),
    code("13", alarm("Inverter voltage below minimum value.")),
    code("14", alarm("Inverter short-circuited.")),
    code("15", alarm("L2 phase inverter short-circuited.")),
    code("16", alarm("L3 phase inverter short-circuited.")),
    code("17", alarm("L1L2 inverter short-circuited.")),
    code("18", alarm("L2L3 inverter short-circuited.")),
    code("19", alarm("L3L1 inverter short-circuited.")),
    code("21", alarm("Battery SCR short-circuited.")),
    code("22", alarm("Line SCR short-circuited.")),
    code("23", alarm("Inverter relay open fault.")),
    code("24", alarm("Inverter relay short-circuited.")),
    code("25", alarm("Input and output wires oppositely connected.")),
    code("26", alarm("Battery oppositely connected.")),
    code("27", alarm("Battery voltage is too high.")),
    code("28", alarm("Battery voltage too low.")),
    code("29", alarm("Failure for battery fuse being open-circuited.")),
    code("31", alarm("CAN-bus communication fault.")),
    code("32", alarm("Host signal circuit fault.")),
    code("33", alarm("Synchronous signal circuit fault.")),
    code("34", alarm("Synchronous pulse signal circuit fault.")),
    code("35", alarm("Parallel cable disconnected.")),
    code("36", alarm("Load unbalanced.")),
    code("41", alarm("Over temperature fault.")),
    code("42", alarm("Communication failure between CPUs in control board.")),
    code("43", All(OVERLOAD_FAULT)),
    code("44", alarm("Fan failure.")),
    code("45", alarm("Charger failure.")),
    code("46", alarm("Model fault.")),
    code("47", alarm("MCU communication fault.")),
    code("??", alarm("Unknown fault")),
];

const FAULTY: When = When::Is(&UPS_FAULT, &["yes"]);
const P31_FAULTY: When = When::Both(const { &[FAULTY, When::Is(&UPS_FIRMWARE_AUX, &["P31"])] });
const OTHERS_FAULTY: When = When::Both(const { &[FAULTY, When::IsNot(&UPS_FIRMWARE_AUX, &["P31"])] });

pub(super) static FAULT_P31: Query =
    query("QFS", "kind of fault", "(CCr*", &[codes('C', FAULTS_P31), unknown('r')])
        .when(P31_FAULTY)
        .source(SOURCE);
pub(super) static FAULT: Query =
    query("QFS", "kind of fault", "(CCr*", &[codes('C', FAULTS_ROWS), unknown('r')])
        .when(OTHERS_FAULTY)
        .source(SOURCE);

const SHUTTING_DOWN: &[Effect] = &[alarm("UPS is shutting down!"), Set(ForcedShutdown)];

/// Mains and battery are said by the general status as well.
#[rustfmt::skip]
const MODES: &[Code] = &[
    code("D", All(SHUTTING_DOWN)),
    code("F", alarm("Fault reported by UPS.")),
    code("S", Set(Off)),
    code("T", Set(Calibrating)),
    code("Y", Set(Bypass)),
    code("P", alarm("UPS is going ON")),
    code("E", alarm("UPS is in ECO Mode.")),
    code("C", alarm("UPS is in Converter Mode.")),
    code("L", Says(&WORKING_MODE, "L")),
    code("B", Says(&WORKING_MODE, "B")),
];

/// Asked with each status: "shutting down" may be over before the next full poll.
pub(super) static MODE: Query = query("QMOD", "mode", "(M", &[codes('M', MODES)]).quick().source(SOURCE);
