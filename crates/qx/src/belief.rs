//! Belief: which reading is believed at once, and which only when asked again.
//!
//! These dialects have no checksum. One flipped bit makes a 1 of a 0, and a lost byte shifts
//! columns. So a reading that surprises (another status, an alarm, a number that leaps, a form
//! that was not drawn) is asked again at once, and believed when two in a row agree. A true outage
//! costs one exchange more; noise has to strike twice in the same place.
//!
//! A digit that noise made of another one looks like any other number. So on a line that was seen to
//! be noisy the last five replies vote, on each value by itself, and three have to agree: an outage
//! costs two exchanges more there. See `docs/trouble.md` for what that is worth.

use crate::query::Query;
use crate::read::{Fit, Form, Readings};
use crate::status::Status::{self, Regulating};
use crate::status::StatusSet;
use crate::value::Value;
use crate::variable::{Unit, Var};
use crate::votes::Votes;
use std::time::Duration;

/// At most so many odd forms are remembered for one query.
const FORMS: usize = 8;

/// What is believed of the replies to one query.
#[derive(Clone, Debug, Default)]
pub struct Belief {
    forms: Vec<Form>,
    doubted: Option<Fit>,
    /// Only on a noisy line.
    votes: Votes,
}

/// What a reading is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Light {
    /// What is known of the line.
    pub line: Quality,
    /// When the reading came, since the driver was started.
    pub now: Duration,
    /// A reply from before this is too old to vote.
    pub since: Duration,
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
    ///
    /// What raises status words has to be elected and said again by the newest reply. When it says
    /// something new nothing else is waited for: numbers that were not elected stay as they were.
    /// Otherwise everything has to be elected, and be what was said of it last, unless it was asked
    /// often enough.
    pub fn vote(
        &mut self,
        query: &Query,
        said: &[Option<Readings>],
        last: Option<&Readings>,
        light: Light,
    ) -> Verdict {
        self.votes.cast(said, light.now, light.since);
        let elected = self.votes.elect();
        let fields = || query.fields.iter().zip(said.iter().zip(&elected));
        let raised = fields()
            .filter(|(field, _)| field.raises())
            .all(|(_, (said, elected))| said.is_some() && said == elected);
        if !raised || said.iter().all(Option::is_none) {
            return Verdict::AskAgain;
        }
        let complete = elected.iter().all(Option::is_some);
        let is_last = |(at, elected): (usize, &Option<Readings>)| {
            elected
                .as_ref()
                .zip(self.votes.newest(at))
                .is_some_and(|(elected, newest)| agrees(newest, elected))
        };
        let settled = elected.iter().enumerate().all(is_last);
        let readings = self.fill(query, &elected, last);
        let enough = match last {
            Some(last) if query.raises() => {
                let news = last.status != readings.status || last.alarms != readings.alarms;
                // which way it regulates is for the voltages to tell
                let told = last.status.has(Regulating) || !readings.status.has(Regulating);
                news && told || light.last_try
            }
            _ => complete && light.last_try,
        };
        if settled || enough { Verdict::Believed(readings) } else { Verdict::AskAgain }
    }

    /// What was elected, and of what was not the last that was believed.
    fn fill(&self, query: &Query, elected: &[Option<Readings>], last: Option<&Readings>) -> Readings {
        let mut readings = Readings::default();
        for (at, (field, elected)) in query.fields.iter().zip(elected).enumerate() {
            match (elected, last) {
                (Some(elected), _) => readings.join(elected),
                (None, Some(last)) if self.votes.newest(at).is_some() => {
                    field.vars().iter().for_each(|var| readings.say(var, last.value(var).cloned()));
                }
                _ => {}
            }
        }
        readings
    }

    /// Forgets a doubted reading: what comes next is not to be compared with it.
    pub fn forget_doubt(&mut self) {
        self.doubted = None;
    }

    /// Forgets what was heard, but for the forms: it is too long ago to vote.
    pub fn forget_votes(&mut self) {
        self.doubted = None;
        self.votes.forget();
    }

    /// Whether this UPS draws so.
    pub fn knows(&self, form: &Form) -> bool {
        self.forms.contains(form)
    }

    /// A form that came twice in a row is known from then on.
    pub fn meet(&mut self, fit: Fit) {
        match self.doubted.take().filter(|doubted| doubted.odd == fit.odd) {
            Some(doubted) => self.learn(doubted.odd.as_ref()),
            None => self.doubted = Some(fit),
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

/// Whether a field says what was elected, so that there is nothing to ask: numbers may run a little.
fn agrees(said: &Readings, elected: &Readings) -> bool {
    compare(said, elected, |_, one, other| runs(one, other))
}

/// Whether a number may be on its way from one to the other.
fn runs(one: f64, other: f64) -> bool {
    (one - other).abs() <= one.abs().max(other.abs()) / 200.0
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
fn same_words(one: &Readings, other: &Readings) -> bool {
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

/// Whether a number may drift from one value to the other without a leap.
fn near(var: &Var, one: f64, other: f64) -> bool {
    let allowed = match var.unit {
        Unit::Volt => one.abs().max(other.abs()) / 8.0,
        Unit::Hertz => 1.0,
        Unit::Celsius => 5.0,
        Unit::Percent => 20.0,
        _ => one.abs().max(other.abs()) / 4.0,
    };
    (one - other).abs() <= allowed
}
