//! Writing: the reply a UPS with these readings would give. It serves the simulator and the
//! round-trip tests.

use crate::picture::{Slot, Slots};
use crate::query::{Bit, Effect, Meaning, Query};
use crate::read::Readings;
use crate::status::Status;
use crate::value::Value;

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
                    if let Some(field) = fields.next() {
                        reply.extend(readings.drawn(field.meaning, width, places).bytes());
                    }
                }
            }
        }
        reply
    }
}

impl Readings {
    fn drawn(&self, meaning: Meaning, width: usize, places: u8) -> String {
        match meaning {
            Meaning::Number(var) => match self.number(var) {
                Some(number) => {
                    // S.SS and SS.S stand in the same field: the point goes where the digits fill it
                    let own = number.to_string();
                    let text = if own.len() == width { own } else { number.text(places) };
                    if text.len() > width { "9".repeat(width) } else { format!("{text:0>width$}") }
                }
                None => unknown(width, usize::from(places)),
            },
            Meaning::Text(var) => {
                let text = match self.value(var) {
                    Some(Value::Text(text)) => text.as_str(),
                    _ => "",
                };
                format!("{text:<width$.width$}")
            }
            Meaning::Bits(rows) => rows.iter().map(|row| if self.shows(row) { '1' } else { '0' }).collect(),
        }
    }

    fn shows(&self, row: &Bit) -> bool {
        match (row.one, row.zero) {
            (Effect::Set(status) | Effect::SetAlarm(status, _), _) => self.status.has(status),
            (Effect::Clear(status), _) => !self.status.has(status),
            (Effect::Alarm(alarm), _) => self.alarms.contains(&alarm),
            (Effect::Says(var, word), _) => self.value(var) == Some(&Value::text(word)),
            (Effect::Regulating, _) => {
                [Status::Trim, Status::Boost, Status::Bypass].iter().any(|s| self.status.has(*s))
            }
            (Effect::Nothing, Effect::Set(status)) => !self.status.has(status),
            (Effect::Nothing, _) => false,
        }
    }
}

/// Dashes, with a point where it is drawn: `--.-`.
fn unknown(width: usize, places: usize) -> String {
    let point = if places == 0 { width } else { width - places - 1 };
    (0..width).map(|at| if at == point { '.' } else { '-' }).collect()
}
