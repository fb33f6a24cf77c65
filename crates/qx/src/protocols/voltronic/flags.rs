//! Capabilities: what `QFLAG` lists, enabled behind an E, disabled behind a D; `PE` or `PD` and the
//! letter switch one.

use super::SOURCE;
use crate::vocabulary::value::Value;
use crate::vocabulary::variable::*;
use crate::wire::query::{Custom, Query, Words, custom, query};
use crate::wire::readings::Readings;
use crate::wire::setting::{Allowed, Setting};
use crate::wire::spelling::Part;
use crate::wire::spelling::Part::{Code, Lit};
use crate::wire::when::When;

/// One capability.
struct Capability {
    letter: u8,
    var: &'static Var,
    wire: &'static [Part],
}

macro_rules! capabilities {
    ($($letter:literal $upper:literal $var:ident;)*) => {
        const CAPABILITIES: &[Capability] =
            &[$(Capability { letter: $letter, var: &$var, wire: &[Lit("P"), Code, Lit($upper)] }),*];
        const VARS: &[&Var] = &[$(&$var),*];
    };
}

// Those that are published are yes or no; the others are options, enabled or disabled.
capabilities! {
    b'a' "A" ALARM_CONTROL;
    b'b' "B" BATTERY_ALARM;
    b'c' "C" UPS_START_BATTERY;
    b'd' "D" BATTERY_OPEN_STATUS_CHECK;
    b'e' "E" ECO_MODE;
    b'f' "F" BYPASS_FORBIDDING;
    b'g' "G" BATTERY_ENERGYSAVE;
    b'j' "J" OUTLET_0_SWITCHABLE;
    b'l' "L" SITE_FAULT_DETECTION;
    b'n' "N" ADVANCED_ECO_MODE;
    b'o' "O" BYPASS_WHEN_OFF;
    b'p' "P" BYPASS_ALARM;
    b'q' "Q" CONSTANT_PHASE_ANGLE;
    b'r' "R" UPS_START_AUTO;
    b's' "S" BATTERY_PROTECTION;
    b'v' "V" CONVERTER_MODE;
    b'w' "W" LIMITED_RUNTIME_ON_BATTERY;
}

const YES_NO: Words = &[("D", "no"), ("E", "yes")];
const ENABLED_DISABLED: Words = &[("D", "disabled"), ("E", "enabled")];

const fn words(var: &Var) -> Words {
    if var.public { YES_NO } else { ENABLED_DISABLED }
}

/// The commands that switch them.
pub(super) const SETTINGS: &[Setting] = &{
    const NONE: Setting =
        Setting { var: &ECO_MODE, wire: &[], allowed: Allowed::Words(YES_NO), when: When::Always };
    let mut rows = [NONE; CAPABILITIES.len()];
    let mut at = 0;
    while at < rows.len() {
        let Capability { var, wire, .. } = CAPABILITIES[at];
        rows[at] = Setting { var, wire, allowed: Allowed::Words(words(var)), when: When::Known(var) };
        at += 1;
    }
    rows
};

pub(super) static FLAGS: Query = query("QFLAG", "capabilities", "('E'F*", &[custom('F', &LETTERS)])
    .columns()
    .after_change()
    .source(SOURCE);

static LETTERS: Custom = Custom {
    about: "letters of what is enabled, `D`, letters of what is disabled: a alarm_control, b battery_alarm, c ups.start.battery, d battery_open_status_check, e eco_mode, f bypass_forbidding, g battery.energysave, j outlet.0.switchable, l site_fault_detection, n advanced_eco_mode, o bypass_when_off, p bypass_alarm, q constant_phase_angle, r ups.start.auto, s battery.protection, v converter_mode, w limited_runtime_on_battery",
    vars: VARS,
    read,
    write,
};

fn read(piece: &[u8], readings: &mut Readings) -> Option<()> {
    let middle = piece.iter().position(|byte| *byte == b'D').unwrap_or(piece.len());
    let (enabled, disabled) = piece.split_at(middle);
    let disabled = disabled.get(1..).unwrap_or_default();
    // noise shows in what is no letter, or stands on both sides
    let letters = enabled.iter().chain(disabled).all(u8::is_ascii_lowercase);
    let apart = !enabled.iter().any(|letter| disabled.contains(letter));
    (letters && apart).then_some(())?;
    for Capability { letter, var, .. } in CAPABILITIES {
        let code = match (enabled.contains(letter), disabled.contains(letter)) {
            (true, _) => "E",
            (_, true) => "D",
            _ => continue,
        };
        let word = words(var).iter().find(|(known, _)| *known == code).map(|(_, word)| Value::text(*word));
        readings.say(var, word);
    }
    Some(())
}

fn write(readings: &Readings, _: usize) -> Vec<u8> {
    let with = |code: &str| {
        let word = |var: &Var| {
            words(var).iter().find(|(known, _)| *known == code).map(|(_, word)| Value::text(*word))
        };
        let said = move |row: &&Capability| {
            readings.value(row.var).is_some_and(|value| word(row.var).as_ref() == Some(value))
        };
        CAPABILITIES.iter().filter(said).map(|row| row.letter).collect::<Vec<u8>>()
    };
    let (enabled, disabled) = (with("E"), with("D"));
    [enabled.as_slice(), b"D", disabled.as_slice()].concat()
}
