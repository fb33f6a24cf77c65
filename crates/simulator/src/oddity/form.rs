//! What oddities do to what is said: to the readings, and to the plain text of a reply.

use super::{Behaviour, PlateOddity};
use crate::world::World;
use qx::vocabulary::value::{Decimal, Value};
use qx::vocabulary::variable::{
    BATTERY_VOLTAGE, CELL_VOLTAGE, EXPERIMENTAL_BATTERY_VOLTAGE_NEGATIVE, Q5_BATTERY_VOLTAGE,
};
use qx::wire::picture::{Slot, Slots};
use qx::wire::query::{Bit, Code, Effect, Layout, Meaning, Query};
use qx::wire::readings::Readings;

impl Behaviour {
    /// Changes what is said of the world.
    pub(crate) fn change(&self, readings: &mut Readings, world: &World, per_cell: bool) {
        match self {
            Behaviour::Omits(status) => readings.status = readings.status.without(*status),
            Behaviour::Adds(status) => readings.status = readings.status.with(*status),
            Behaviour::Volts(hundredths) => {
                let cell = f64::from(*hundredths) / 100.0;
                let whole = cell * world.rating.battery_volts / 2.0;
                let mut say = |var, number, places| {
                    readings.say(var, Some(Value::Number(Decimal::from_f64(number, places))));
                };
                say(&BATTERY_VOLTAGE, if per_cell { cell } else { whole }, 2);
                say(&CELL_VOLTAGE, cell, 2);
                say(&EXPERIMENTAL_BATTERY_VOLTAGE_NEGATIVE, whole, 1);
                say(&Q5_BATTERY_VOLTAGE, cell * 600.0, 0);
            }
            _ => {}
        }
    }

    /// Whether it changes bits where they stand.
    pub(crate) fn is_of_bits(&self) -> bool {
        matches!(self, Behaviour::Toggles | Behaviour::Letter(_))
    }

    /// Whether it stands around a reply, packed or not.
    pub(crate) fn is_around(&self) -> bool {
        matches!(self, Behaviour::NulBefore | Behaviour::NulAfter)
    }

    /// Whether it makes the reply to this question a mode that is not known: one letter, which no row has.
    pub(crate) fn is_mode_of(&self, query: &Query) -> bool {
        let (Behaviour::Mode(letter), [field]) = (self, query.fields) else { return false };
        let known = |rows: &[Code]| rows.iter().any(|row| row.code.chars().eq([*letter]));
        matches!(field.meaning, Meaning::Codes(rows) if !known(rows)) && query.tells_status()
    }

    /// Changes the plain text of a reply.
    pub(crate) fn deform(&self, text: &mut Vec<u8>, query: &Query) {
        match self {
            Behaviour::NulBefore => text.insert(0, 0),
            Behaviour::NulAfter => text.push(0),
            Behaviour::Mode(letter) => {
                if let Some(last) = text.last_mut().filter(|_| self.is_mode_of(query)) {
                    *last = *letter as u8;
                }
            }
            Behaviour::Plate(plate) => plate.deform(text, query),
            _ if query.layout == Layout::Columns || !text.iter().all(|byte| (0x20..0x7f).contains(byte)) => {}
            Behaviour::Toggles => {
                if let Some(bit) = harmless(query).and_then(|at| text.get_mut(at)) {
                    *bit ^= 1;
                }
            }
            Behaviour::Letter(letter) => {
                if let Some(bit) = harmless(query).and_then(|at| text.get_mut(at)) {
                    *bit = *letter as u8;
                }
            }
            Behaviour::Bits(count) if has_bits(query) => match usize::try_from(*count) {
                Ok(more) => text.extend(vec![b'0'; more]),
                Err(_) => text.truncate(text.len().saturating_sub(count.unsigned_abs().into())),
            },
            Behaviour::Blank => {
                if let Some(at) = text.iter().position(|byte| *byte == b' ') {
                    text.insert(at, b' ');
                }
            }
            Behaviour::Tabs => {
                text.iter_mut().filter(|byte| **byte == b' ').for_each(|byte| *byte = b'\t');
            }
            Behaviour::Wide => {
                if let Some(at) = number(text, 0, query) {
                    text.insert(at, b'0');
                }
            }
            Behaviour::Narrow => {
                let mut from = 0;
                while let Some(at) = number(text, from, query) {
                    while text[at] == b'0' && text.get(at + 1).is_some_and(u8::is_ascii_digit) {
                        text.remove(at);
                    }
                    from = at + 1;
                }
            }
            Behaviour::Trailing => text.push(b' '),
            _ => {}
        }
    }
}

impl PlateOddity {
    /// Changes what the fields of a name plate say: no words and no codes, which say what family it is of.
    fn deform(self, text: &mut [u8], query: &Query) {
        let (mut at, mut fields, length) = (0, query.fields.iter(), text.len());
        for slot in Slots::of(query.picture) {
            let (from, width) = (at, if matches!(slot, Slot::Rest { .. }) { length } else { slot.width() });
            at += width;
            let field = if matches!(slot, Slot::Literal(_)) { None } else { fields.next() };
            let Some(field) = field else { continue };
            let is_text = match field.meaning {
                Meaning::Number(_) => false,
                Meaning::Text(_) | Meaning::Custom(_) => true,
                _ => continue,
            };
            for byte in text.get_mut(from..at.min(length)).unwrap_or_default() {
                self.deform_byte(byte, is_text);
            }
        }
    }

    fn deform_byte(self, byte: &mut u8, is_text: bool) {
        match (self, *byte) {
            (PlateOddity::Zeros, b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z') => *byte = b'0',
            (PlateOddity::Blanks, 0x21..0x7f) => *byte = b' ',
            (PlateOddity::Other, b'0'..=b'8' | b'A'..=b'Y' | b'a'..=b'y') if is_text => *byte += 1,
            (PlateOddity::Other, b'9') if is_text => *byte = b'0',
            _ => {}
        }
    }
}

fn has_bits(query: &Query) -> bool {
    query.fields.iter().any(|field| matches!(field.meaning, Meaning::Bits(_)))
}

/// Where the first number of two digits or more begins behind a blank, from `from` on: one that ends at a blank,
/// and is no field of bits.
fn number(text: &[u8], from: usize, query: &Query) -> Option<usize> {
    let digits =
        |word: &[u8]| word.len() > 1 && word.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.');
    let bits = words_of_bits(query);
    (from.max(1)..text.len()).find(|at| {
        let end = text[*at..].iter().position(|byte| *byte == b' ');
        let word = text[..*at].iter().filter(|byte| **byte == b' ').count();
        text[at - 1] == b' ' && !bits.contains(&word) && end.is_some_and(|end| digits(&text[*at..*at + end]))
    })
}

/// Which words of a reply have bits.
fn words_of_bits(query: &Query) -> Vec<usize> {
    let (mut word, mut fields, mut found) = (0, query.fields.iter(), vec![]);
    for slot in Slots::of(query.picture) {
        match slot {
            Slot::Literal(b' ') => word += 1,
            Slot::Literal(_) => {}
            _ if fields.next().is_some_and(|field| matches!(field.meaning, Meaning::Bits(_))) => {
                found.push(word);
            }
            _ => {}
        }
    }
    found
}

/// Where the bit stands that does no harm: the beeper's, or the last that means nothing.
fn harmless(query: &Query) -> Option<usize> {
    let mut at = 0;
    let mut fields = query.fields.iter();
    for slot in Slots::of(query.picture) {
        let field = if matches!(slot, Slot::Literal(_)) { None } else { fields.next() };
        if let Some(Meaning::Bits(rows)) = field.map(|field| field.meaning) {
            return rows.iter().rposition(is_harmless).map(|place| at + place);
        }
        at += slot.width();
    }
    None
}

fn is_harmless(row: &Bit) -> bool {
    let means = |effect: &Effect| {
        effect.parts().iter().all(|part| matches!(part, Effect::Nothing | Effect::Says(..)))
    };
    means(&row.one) && means(&row.zero)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oddity::Oddity;
    use qx::protocols;

    #[test]
    fn forms_are_odd_as_their_names_say() {
        for (odd, reply) in [
            ("toggles", "(226.0 195.0 226.0 014 49.0 27.5 30.0 00001000"),
            ("letter=B", "(226.0 195.0 226.0 014 49.0 27.5 30.0 0000100B"),
            ("bits=1", "(226.0 195.0 226.0 014 49.0 27.5 30.0 000010010"),
            ("bits=-1", "(226.0 195.0 226.0 014 49.0 27.5 30.0 0000100"),
            ("blank", "(226.0  195.0 226.0 014 49.0 27.5 30.0 00001001"),
            ("tabs", "(226.0\t195.0\t226.0\t014\t49.0\t27.5\t30.0\t00001001"),
            ("wide", "(226.0 0195.0 226.0 014 49.0 27.5 30.0 00001001"),
            ("narrow", "(226.0 195.0 226.0 14 49.0 27.5 30.0 00001001"),
            ("trailing", "(226.0 195.0 226.0 014 49.0 27.5 30.0 00001001 "),
            ("nul-before", "\0(226.0 195.0 226.0 014 49.0 27.5 30.0 00001001"),
            ("nul-after", "(226.0 195.0 226.0 014 49.0 27.5 30.0 00001001\0"),
        ] {
            let mut text = b"(226.0 195.0 226.0 014 49.0 27.5 30.0 00001001".to_vec();
            Oddity::parse(odd).unwrap().behaviour.deform(&mut text, &protocols::STATUS);
            assert_eq!(String::from_utf8(text).unwrap(), reply, "{odd}");
        }
    }

    #[test]
    fn name_plates_read_as_their_names_say() {
        for (odd, ratings, names) in [
            ("zeros", "#000.0 000 00.00 00.0", "#00000           000 0000   00        "),
            ("blanks", "#                    ", "#                                     "),
            ("other", "#230.0 003 24.00 50.0", "#RYVQT           TJN 2111   W2        "),
        ] {
            for (query, said, right) in [
                (&protocols::RATING, "#230.0 003 24.00 50.0", ratings),
                (&protocols::VENDOR, "#QXUPS           SIM 1000   V1        ", names),
            ] {
                let mut text = said.as_bytes().to_vec();
                Oddity::parse(&format!("plate={odd}")).unwrap().behaviour.deform(&mut text, query);
                assert_eq!(String::from_utf8(text).unwrap(), right, "{odd}");
            }
        }
    }

    /// Masterguard's bits stand in the midst.
    #[test]
    fn bits_are_no_number() {
        let status = protocols::named("masterguard").unwrap().queries.iter().find(|query| query.ask == "Q3");
        for (odd, reply) in [
            ("narrow", "(00 230.0 0.0 230.0 20 50.0 2.27 25.0 24.50 99 00000000 00000000"),
            ("wide", "(00 0230.0 000.0 230.0 020 50.0 02.27 25.0 024.50 099 00000000 00000000"),
        ] {
            let mut text = b"(00 230.0 000.0 230.0 020 50.0 02.27 25.0 024.50 099 00000000 00000000".to_vec();
            Oddity::parse(odd).unwrap().behaviour.deform(&mut text, status.unwrap());
            assert_eq!(String::from_utf8(text).unwrap(), reply, "{odd}");
        }
    }

    #[test]
    fn a_bit_that_hurts_nobody_is_found_where_there_is_one() {
        let found = |name: &str| {
            let queries = protocols::named(name).unwrap().queries.iter();
            queries.filter(|query| harmless(query).is_some()).map(|query| query.ask).collect::<Vec<_>>()
        };
        assert_eq!(found("megatec"), ["Q1"]);
        assert_eq!(found("voltronic"), ["QGS"]);
        assert_eq!(found("voltronic-axpert"), ["QPIGS", "QPIWS"]);
    }
}
