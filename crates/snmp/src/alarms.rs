//! Alarm conditions: the well known ones of RFC 1628, by the status words and the alarms of NUT.

use crate::oid::Oid;
use crate::ups_mib::UPS_OBJECTS;

/// Alarm conditions that hold at a time, each by its number below upsWellKnownAlarms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Conditions(u32);

pub(crate) const BATTERY_BAD: u8 = 1;
pub(crate) const ON_BATTERY: u8 = 2;
pub(crate) const LOW_BATTERY: u8 = 3;
pub(crate) const TEMPERATURE_BAD: u8 = 5;
pub(crate) const INPUT_BAD: u8 = 6;
pub(crate) const OVERLOAD: u8 = 8;
pub(crate) const ON_BYPASS: u8 = 9;
pub(crate) const CHARGER_FAILED: u8 = 13;
pub(crate) const OUTPUT_OFF: u8 = 14;
pub(crate) const FAN_FAILURE: u8 = 16;
pub(crate) const FUSE_FAILURE: u8 = 17;
pub(crate) const GENERAL_FAULT: u8 = 18;
pub(crate) const TEST_FAILED: u8 = 19;
pub(crate) const COMMUNICATIONS_LOST: u8 = 20;
pub(crate) const SHUTDOWN_PENDING: u8 = 22;
pub(crate) const TEST_IN_PROGRESS: u8 = 24;

/// Status words of NUT, and the conditions that they are.
const WORDS: &[(&str, u8)] = &[
    ("RB", BATTERY_BAD),
    ("OB", ON_BATTERY),
    ("LB", LOW_BATTERY),
    ("OVER", OVERLOAD),
    ("BYPASS", ON_BYPASS),
    ("OFF", OUTPUT_OFF),
    ("FSD", SHUTDOWN_PENDING),
    ("CAL", TEST_IN_PROGRESS),
    ("TEST", TEST_IN_PROGRESS),
];

/// What stands in ups.alarm, without capitals, and the condition that it is; 0 where it is no fault. What a text has
/// besides is a general fault. The first five are sentences of NUT's drivers for what status words say as well.
const TEXTS: &[(&str, u8)] = &[
    ("replace battery", BATTERY_BAD),
    ("shutdown imminent", SHUTDOWN_PENDING),
    ("battery charge is low", LOW_BATTERY),
    ("low battery", LOW_BATTERY),
    ("overload fault", OVERLOAD),
    ("over temperature fault", TEMPERATURE_BAD),
    ("temperature too high", TEMPERATURE_BAD),
    ("charger failure", CHARGER_FAILED),
    ("fan failure", FAN_FAILURE),
    ("failure for battery fuse being open-circuited", FUSE_FAILURE),
    ("ups selftest failed", TEST_FAILED),
    ("self test fail", TEST_FAILED),
    ("ups is in eco mode", 0),
    ("ups is in converter mode", 0),
    ("ups is going on", 0),
    ("device is going on", 0),
];

impl Conditions {
    /// What the words of `ups.status` say.
    pub fn of_words(words: &str) -> Conditions {
        let has = |word: &str| words.split_whitespace().any(|said| said == word);
        let mut all = Conditions::default();
        WORDS.iter().filter(|(word, _)| has(word)).for_each(|(_, alarm)| all.add(*alarm));
        // on battery for a test, mains may be good
        if has("OB") && !all.has(TEST_IN_PROGRESS) {
            all.add(INPUT_BAD);
        }
        all
    }

    /// What `ups.alarm` says.
    pub fn of_alarm(text: &str) -> Conditions {
        let (mut all, mut rest) = (Conditions::default(), text.to_ascii_lowercase());
        for (known, alarm) in TEXTS {
            if rest.contains(known) {
                rest = rest.replace(known, "");
                all.add(*alarm);
            }
        }
        if rest.contains(|letter: char| letter.is_alphanumeric()) {
            all.add(GENERAL_FAULT);
        }
        all
    }

    /// Adds one; 0 is none.
    pub fn add(&mut self, alarm: u8) {
        if alarm != 0 {
            self.0 |= 1 << alarm;
        }
    }

    pub fn has(self, alarm: u8) -> bool {
        self.0 & 1 << alarm != 0
    }

    pub fn or(self, other: Conditions) -> Conditions {
        Conditions(self.0 | other.0)
    }

    /// Their numbers.
    pub fn numbers(self) -> impl Iterator<Item = u8> {
        (1..32).filter(move |alarm| self.has(*alarm))
    }
}

/// The name of an alarm condition: `upsWellKnownAlarms` and its number.
pub(crate) fn name(alarm: u8) -> Oid {
    Oid::below(UPS_OBJECTS, &[6, 3, alarm.into()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(conditions: Conditions) -> Vec<u8> {
        conditions.numbers().collect()
    }

    /// The numbers are those of RFC 1628, upsWellKnownAlarms.
    #[test]
    fn status_words_are_the_conditions_of_the_rfc() {
        for (words, expected) in [
            ("OL", &[][..]),
            ("OL CHRG TRIM BOOST HB", &[]),
            ("OB DISCHRG", &[2, 6]),
            ("OB LB", &[2, 3, 6]),
            ("OL RB", &[1]),
            ("OL OVER BYPASS", &[8, 9]),
            ("FSD OB OFF", &[2, 6, 14, 22]),
            ("OB CAL", &[2, 24]),
            ("OL TEST", &[24]),
            ("WAIT", &[]),
        ] {
            assert_eq!(numbers(Conditions::of_words(words)), expected, "{words}");
        }
    }

    #[test]
    fn texts_of_alarms_are_the_conditions_of_the_rfc() {
        for (text, expected) in [
            ("", &[][..]),
            ("Replace battery!", &[1]),
            ("Replace battery! Shutdown imminent!", &[1, 22]),
            ("Fan failure. Charger failure.", &[13, 16]),
            ("Over temperature fault.", &[5]),
            ("UPS is in ECO Mode.", &[]),
            ("Bus voltage below minimum value. UPS selftest failed!", &[18, 19]),
            ("Failure for battery fuse being open-circuited.", &[17]),
            ("EPROM fail", &[18]),
        ] {
            assert_eq!(numbers(Conditions::of_alarm(text)), expected, "{text}");
        }
        assert_eq!(name(20).to_string(), "1.3.6.1.2.1.33.1.6.3.20");
    }
}
