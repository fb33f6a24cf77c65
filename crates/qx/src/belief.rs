//! Belief: which reading is believed at once, and which only when asked again.
//!
//! These dialects have no checksum. One flipped bit makes a 1 of a 0, and a lost byte shifts
//! columns. So a reading that surprises (another status, an alarm, a number that leaps, a form
//! that was not drawn) is asked again at once, and believed when two in a row agree. A true outage
//! costs one exchange more; noise has to strike twice in the same place.
//!
//! A digit that noise made of another one looks like any other number. So on a line that was seen to
//! be noisy the last replies vote instead (see [`crate::votes`]): an outage costs two exchanges more there.

use crate::drift::near;
use crate::query::Query;
use crate::read::{Fit, Form, Readings};
use crate::status::{Status, StatusSet};
use crate::value::Value;
use crate::variable::Var;
use crate::votes::{Poll, Votes};

/// At most so many odd forms are remembered for one query.
const FORMS: usize = 8;
/// On a noisy line an odd form is the UPS's own when it came so often in a row.
const FAMILIAR: u8 = 8;

/// What is believed of the replies to one query.
#[derive(Clone, Debug, Default)]
pub struct Belief {
    forms: Vec<Form>,
    doubted: Option<Fit>,
    /// The odd form that came last on a noisy line, and how often in a row.
    met: Option<(Form, u8)>,
    /// Only on a noisy line.
    votes: Votes,
}

/// What a reading is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Light {
    /// What is known of the line.
    pub line: Quality,
    /// The question was asked often enough: numbers that keep leaping are the UPS's own.
    pub last_try: bool,
}

/// What is known of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quality {
    /// Little was heard yet: a number that changed is asked again.
    Unproven,
    /// Every reply was whole for a long time.
    Clean,
    /// Replies were garbled or lost: they vote.
    Noisy,
}

/// Whether a reading is believed.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// This is.
    Believed(Readings),
    /// Ask again.
    AskAgain,
}

impl Belief {
    /// Judges a reading.
    pub fn judge(&mut self, fit: Fit, last: Option<&Readings>, light: Light) -> Verdict {
        let known_form = fit.odd.as_ref().is_none_or(|form| self.forms.contains(form));
        self.votes.forget();
        let expected = match last {
            Some(last) => {
                let proven = light.line == Quality::Clean && alike(&fit.readings, last);
                proven || fit.readings == *last || light.last_try && same_words(&fit.readings, last)
            }
            None => quiet(&fit.readings),
        };
        if known_form && expected {
            self.doubted = None;
            self.learn(fit.odd.as_ref());
            Verdict::Believed(fit.readings)
        } else if let Some(doubted) = self.doubted.take().filter(|doubted| confirms(doubted, &fit, last)) {
            self.learn(fit.odd.as_ref());
            Verdict::Believed(between(last, &doubted.readings, fit.readings))
        } else {
            self.doubted = Some(fit);
            Verdict::AskAgain
        }
    }

    /// Lets the last replies vote: `said` is what the newest says, field by field.
    pub fn vote(
        &mut self,
        query: &Query,
        said: &[Option<Readings>],
        last: Option<&Readings>,
        poll: Poll,
    ) -> Verdict {
        self.votes.take(query, said, last, poll).map_or(Verdict::AskAgain, Verdict::Believed)
    }

    /// Forgets a doubted reading: what comes next is not to be compared with it.
    pub fn forget_doubt(&mut self) {
        self.doubted = None;
    }

    /// Forgets what was heard, but for the forms: it is too long ago to vote.
    pub fn forget_votes(&mut self) {
        self.doubted = None;
        self.met = None;
        self.votes.forget();
    }

    /// Whether this UPS draws so.
    pub fn knows(&self, form: &Form) -> bool {
        self.forms.contains(form)
    }

    /// Takes note of the form of a reply on a noisy line. There the drawn form comes between odd ones
    /// that noise made, so one that comes so often in a row is the UPS's own.
    pub fn meet(&mut self, odd: Option<Form>) {
        self.met = odd.map(|form| match self.met.take() {
            Some((met, times)) if met == form => (met, times.saturating_add(1)),
            _ => (form, 1),
        });
        if let Some((form, _)) = self.met.clone().filter(|(_, times)| *times >= FAMILIAR) {
            self.learn(Some(&form));
        }
    }

    /// Takes an odd form for the way this UPS draws.
    pub fn learn(&mut self, form: Option<&Form>) {
        if let Some(form) = form.filter(|form| !self.forms.contains(form)) {
            if self.forms.len() == FORMS {
                self.forms.remove(0);
            }
            self.forms.push(form.clone());
        }
    }
}

/// Whether a reading says the same as the one before, which was doubted. While the status changes,
/// voltages run, so then the numbers need not agree: an outage must not wait for them.
fn confirms(doubted: &Fit, fit: &Fit, last: Option<&Readings>) -> bool {
    let changes = last.is_none_or(|last| !same_words(&fit.readings, last));
    let (one, other) = (&doubted.readings, &fit.readings);
    doubted.odd == fit.odd && (alike(one, other) || changes && same_words(one, other))
}

/// The reading that confirmed another. Of each number the middle one of the last three: one of them may
/// still be noise.
fn between(last: Option<&Readings>, doubted: &Readings, mut confirmed: Readings) -> Readings {
    let Some(last) = last else { return confirmed };
    for (var, value) in &mut confirmed.values {
        let said = [last.number(var), doubted.number(var), value.as_ref().and_then(Value::number)];
        if let [Some(one), Some(two), Some(three)] = said {
            let mut numbers = [one, two, three];
            numbers.sort_by(|one, other| one.as_f64().total_cmp(&other.as_f64()));
            *value = Some(Value::Number(numbers[1]));
        }
    }
    confirmed
}

/// A first reading that raises nothing.
fn quiet(readings: &Readings) -> bool {
    let raised = readings.status.and(readings.covers).without(Status::Online);
    let online = readings.status.has(Status::Online) || !readings.covers.has(Status::Online);
    online && raised == StatusSet::EMPTY && readings.alarms.is_empty()
}

/// Whether two readings say the same, but for numbers that drift.
pub fn alike(one: &Readings, other: &Readings) -> bool {
    compare(one, other, near)
}

/// Whether two readings say the same, but for numbers.
pub fn same_words(one: &Readings, other: &Readings) -> bool {
    compare(one, other, |_, _, _| true)
}

fn compare(one: &Readings, other: &Readings, numbers: impl Fn(&Var, f64, f64) -> bool) -> bool {
    one.status == other.status
        && one.alarms == other.alarms
        && one.values.len() == other.values.len()
        && one.values.iter().zip(&other.values).all(|((var, a), (same, b))| {
            var == same
                && match (a, b) {
                    (Some(Value::Number(a)), Some(Value::Number(b))) => numbers(var, a.as_f64(), b.as_f64()),
                    _ => a == b,
                }
        })
}
