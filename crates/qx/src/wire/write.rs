//! Writing: the reply a UPS with these readings would give. It serves the simulator and the
//! round-trip tests.

use crate::vocabulary::status::Status;
use crate::vocabulary::value::{Decimal, Value};
use crate::wire::picture::{Slot, Slots};
use crate::wire::query::{Bit, Effect, Field, Meaning, Query};
use crate::wire::readings::Readings;

impl Query {
    /// The reply that says `readings`, without its end mark. Numbers that do not fit their field
    /// are written as the largest that does; what is not known is written as dashes.
    pub fn write(&self, readings: &Readings) -> Vec<u8> {
        let mut reply = Vec::with_capacity(self.picture.len());
        let mut fields = self.fields.iter();
        for slot in Slots::of(self.picture) {
            match slot {
                Slot::Literal(byte) => reply.push(byte),
                Slot::Field { width, places, .. } => {
                    reply.extend(
                        fields.next().map(|field| readings.drawn(field, width, places)).unwrap_or_default(),
                    );
                }
                Slot::Rest { .. } => {
                    reply.extend(fields.next().map(|field| readings.drawn(field, 0, 0)).unwrap_or_default());
                }
            }
        }
        self.codec.map_or(reply.clone(), |codec| (codec.pack_reply)(&reply))
    }
}

impl Readings {
    /// A field; one without a width goes up to the end.
    fn drawn(&self, field: &Field, width: usize, places: u8) -> Vec<u8> {
        match field.meaning {
            Meaning::Number(var) => match self.number(var) {
                Some(number) => number_in(unscaled(number, field, places), width, places).into_bytes(),
                None => unknown(width, usize::from(places)).into_bytes(),
            },
            Meaning::Text(var) => {
                let text = self.value(var).map_or(String::new(), Value::to_string);
                if width == 0 { text.into_bytes() } else { format!("{text:<width$.width$}").into_bytes() }
            }
            Meaning::Word(var, words) => {
                let said = self.value(var);
                let code =
                    words.iter().find(|(_, word)| said == Some(&Value::text(*word))).map(|(code, _)| *code);
                code.map_or_else(|| "-".repeat(width), String::from).into_bytes()
            }
            Meaning::Bits(rows) => {
                let one = |row: &Bit| match (row.one, row.zero) {
                    (Effect::Nothing, Effect::Set(status)) => !self.status.has(status),
                    _ => self.shows(&row.one),
                };
                rows.iter().map(|row| if one(row) { b'1' } else { b'0' }).collect()
            }
            Meaning::Codes(rows) => {
                let mut codes = rows.iter().filter(|row| self.shows(&row.effect));
                let silent = rows.iter().find(|row| matches!(row.effect, Effect::Nothing));
                match width {
                    0 => codes.map(|row| row.code).collect::<String>().into_bytes(),
                    _ => {
                        codes.next().or(silent).map_or("-".repeat(width), |row| row.code.into()).into_bytes()
                    }
                }
            }
            Meaning::Custom(pair) => (pair.write)(self, width),
            Meaning::Unknown if !field.sample.is_empty() => field.sample.into(),
            Meaning::Unknown if width == 0 => vec![],
            Meaning::Unknown => number_in(Decimal::new(0, places), width, places).into_bytes(),
        }
    }

    /// Whether what a bit or code says is so.
    fn shows(&self, effect: &Effect) -> bool {
        !matches!(effect, Effect::Nothing)
            && effect.parts().iter().all(|part| match part {
                Effect::Set(status) => self.status.has(*status),
                Effect::Clear(status) => !self.status.has(*status),
                Effect::Alarm(alarm) => self.alarms.contains(alarm),
                Effect::Says(var, word) => self.value(var) == Some(&Value::text(*word)),
                Effect::Regulating => self.status.has(Status::Regulating),
                Effect::Nothing | Effect::All(_) => true,
            })
    }
}

/// The number as it stands in the field.
fn unscaled(number: Decimal, field: &Field, places: u8) -> Decimal {
    if field.times == 1 && field.shift == 0 {
        return number;
    }
    let raw = number.as_f64() * 10f64.powi(i32::from(field.shift)) / f64::from(field.times);
    Decimal::from_f64(raw, places)
}

fn number_in(number: Decimal, width: usize, places: u8) -> String {
    if width == 0 {
        return number.to_string();
    }
    // S.SS and SS.S stand in the same field: the point goes where the digits fill it
    let own = number.to_string();
    let text = if own.len() == width { own } else { number.text(places) };
    match text.strip_prefix('-') {
        _ if text.len() > width => "9".repeat(width),
        Some(digits) => format!("-{digits:0>rest$}", rest = width - 1),
        None => format!("{text:0>width$}"),
    }
}

/// Dashes, with a point where it is drawn: `--.-`.
fn unknown(width: usize, places: usize) -> String {
    let point = if places == 0 { width } else { width - places - 1 };
    (0..width).map(|at| if at == point { '.' } else { '-' }).collect()
}
