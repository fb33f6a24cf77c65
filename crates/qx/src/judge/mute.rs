//! What options make bits mean.

use crate::options::Options;
use crate::options::quirk::INVERTED_REGULATION;
use crate::vocabulary::status::Status;
use crate::wire::query::{Effect, Meaning, Query};
use crate::wire::readings::Readings;

impl Readings {
    /// Takes out what the bits say that an option mutes.
    pub(super) fn mute(&mut self, query: &Query, options: &Options) {
        if self.covers.has(Status::Regulating) && options.quirks.has(&INVERTED_REGULATION) {
            let regulates = self.status.has(Status::Regulating);
            let [with, without] =
                [self.status.with(Status::Regulating), self.status.without(Status::Regulating)];
            self.status = if regulates { without } else { with };
        }
        for field in query.fields {
            let Meaning::Bits(rows) = field.meaning else { continue };
            for row in rows.iter().filter(|row| row.unless.is_some_and(|flag| options.has(flag))) {
                match row.one {
                    Effect::Set(status) => self.status = self.status.without(status),
                    Effect::Clear(status) if self.covers.has(status) => {
                        self.status = self.status.with(status)
                    }
                    Effect::Alarm(alarm) => self.alarms.retain(|raised| *raised != alarm),
                    Effect::Clear(_)
                    | Effect::Says(..)
                    | Effect::Regulating
                    | Effect::All(_)
                    | Effect::Nothing => {}
                }
            }
        }
    }
}
