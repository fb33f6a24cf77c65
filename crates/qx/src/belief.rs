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

use crate::read::{Fit, Form, Readings};
use crate::status::{Alarm, Status, StatusSet};
use crate::value::{Decimal, Value};
use crate::variable::{Unit, Var};
use std::collections::VecDeque;
use std::time::Duration;

/// So many replies vote on a noisy line,
const VOTERS: usize = 5;
/// and so many have to agree.
const MAJORITY: usize = 3;

/// At most so many odd forms are remembered for one query.
const FORMS: usize = 8;

/// What is believed of the replies to one query.
#[derive(Clone, Debug, Default)]
pub struct Belief {
    forms: Vec<Form>,
    doubted: Option<Fit>,
    /// The last replies and when they came, the oldest first; only on a noisy line.
    voters: VecDeque<(Duration, Readings)>,
}

/// What a reading is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Light<'a> {
    /// The last reading believed.
    pub last: Option<&'a Readings>,
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
    pub fn judge(&mut self, fit: Fit, light: Light) -> Verdict {
        let known_form = fit.odd.as_ref().is_none_or(|form| self.forms.contains(form));
        if light.line == Quality::Noisy {
            return self.count_votes(fit, known_form, light);
        }
        self.voters.clear();
        let expected = match light.last {
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
        } else if let Some(doubted) =
            self.doubted.take().filter(|doubted| confirms(doubted, &fit, light.last))
        {
            self.learn(fit.odd.as_ref());
            Verdict::Believed(between(light.last, &doubted.readings, fit.readings))
        } else {
            self.doubted = Some(fit);
            Verdict::AskAgain
        }
    }

    /// Lets the last replies vote. A reply of unusual form has no vote until its form came twice.
    fn count_votes(&mut self, fit: Fit, known_form: bool, light: Light) -> Verdict {
        if !known_form && self.doubted.as_ref().is_none_or(|doubted| doubted.odd != fit.odd) {
            self.doubted = Some(fit);
            return Verdict::AskAgain;
        }
        self.doubted = None;
        self.learn(fit.odd.as_ref());
        self.voters.retain(|(came, _)| *came >= light.since);
        if self.voters.is_empty() {
            // what was believed before has its weight
            self.voters
                .extend(light.last.iter().flat_map(|last| vec![(light.now, (*last).clone()); MAJORITY]));
        }
        if self.voters.len() == VOTERS {
            self.voters.pop_front();
        }
        self.voters.push_back((light.now, fit.readings.clone()));
        let voters: Vec<&Readings> = self.voters.iter().map(|(_, voter)| voter).collect();
        match elect(&voters) {
            Some(elected) if agrees(&fit.readings, &elected, light.last_try) => Verdict::Believed(elected),
            _ => Verdict::AskAgain,
        }
    }

    /// Forgets a doubted reading: what comes next is not to be compared with it.
    pub fn forget_doubt(&mut self) {
        self.doubted = None;
    }

    /// Forgets what was heard, but for the forms: it is too long ago to vote.
    pub fn forget_votes(&mut self) {
        self.doubted = None;
        self.voters.clear();
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

/// What a majority of the replies says, each value by itself; `None` as long as there is none.
fn elect(voters: &[&Readings]) -> Option<Readings> {
    let covers = voters.last()?.covers;
    let mut elected = Readings { covers, ..Readings::default() };
    for status in Status::ALL.into_iter().chain([Status::Regulating]) {
        let votes = voters.iter().filter(|voter| voter.status.has(status)).count();
        if votes >= MAJORITY {
            elected.status = elected.status.with(status);
        } else if voters.len() - votes < MAJORITY {
            return None;
        }
    }
    let alarms: Vec<&[Alarm]> = voters.iter().map(|voter| voter.alarms.as_slice()).collect();
    elected.alarms = majority(&alarms)?.to_vec();
    // a variable that most do not speak of was made by noise
    let mut vars: Vec<&'static Var> = vec![];
    for (var, _) in voters.iter().flat_map(|voter| &voter.values) {
        if !vars.contains(var) {
            vars.push(var);
        }
    }
    for var in vars {
        let said = |voter: &&Readings| {
            voter.values.iter().find(|(known, _)| *known == var).map(|(_, value)| value.clone())
        };
        let votes: Vec<Option<Option<Value>>> = voters.iter().map(said).collect();
        let number = || middle(&votes).map(|number| Some(Some(Value::Number(number))));
        let said = majority(&votes).or_else(number)?;
        elected.values.extend(said.map(|value| (var, value)));
    }
    Some(elected)
}

/// What most of all say.
fn majority<T: Clone + PartialEq>(votes: &[T]) -> Option<T> {
    let of = |one: &&T| votes.iter().filter(|vote| vote == one).count();
    votes.iter().find(|vote| of(vote) >= MAJORITY).cloned()
}

/// A number that runs is never the same: the one in the middle, once all have voted and at most one
/// of them said no number.
fn middle(votes: &[Option<Option<Value>>]) -> Option<Decimal> {
    let numbers = votes.iter().filter_map(|vote| vote.as_ref()?.as_ref()?.number());
    let mut numbers: Vec<Decimal> = numbers.collect();
    numbers.sort_by(|one, other| one.as_f64().total_cmp(&other.as_f64()));
    (votes.len() == VOTERS && numbers.len() + 1 >= VOTERS).then(|| numbers[numbers.len() / 2])
}

/// Whether the last reply says what was elected, so that there is nothing to ask: numbers may run a
/// little, and on the last try as they like.
fn agrees(last: &Readings, elected: &Readings, last_try: bool) -> bool {
    if last_try {
        same_words(last, elected)
    } else {
        compare(last, elected, |_, one, other| runs(one, other))
    }
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
