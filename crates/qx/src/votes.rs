//! Votes: on a noisy line the last replies vote, each field by itself, also in replies that are garbled
//! elsewhere.
//!
//! Of what raises status words three of the last five have to agree, of anything else four of seven; of
//! a number that runs, the middle one counts. `docs/trouble.md` says what that is worth.

use crate::drift::{near, rests};
use crate::query::{Field, Query};
use crate::read::Readings;
use crate::status::Status::Regulating;
use crate::value::{Decimal, Value};
use crate::variable::Unit;
use std::collections::VecDeque;
use std::time::Duration;

/// What the last replies to one question said of each field of its picture, and when.
#[derive(Clone, Debug, Default)]
pub struct Votes {
    fields: Vec<Ballots>,
}

/// What was said of one field, the newest last.
type Ballots = VecDeque<(Duration, Readings)>;

/// When a reply came, and how it is judged.
#[derive(Clone, Copy, Debug)]
pub struct Poll {
    /// Since the driver was started.
    pub now: Duration,
    /// What came before this is too old to vote.
    pub since: Duration,
    /// A checksum vouches for the reply: it has two votes.
    pub vouched: bool,
    /// It was asked often enough: numbers that keep leaping are the UPS's own.
    pub let_run: bool,
}

/// How many votes count, and how many of them have to agree.
const fn quorum(field: &Field) -> (usize, usize) {
    if field.raises() { (5, 3) } else { (7, 4) }
}

impl Votes {
    /// Takes the vote of a reply and says what is believed, if anything is: `said` is what each field of
    /// it says, `last` what was believed last.
    ///
    /// What raises status words has to be elected and to be said by this very reply. When that is news,
    /// nothing else is waited for: numbers that are not elected yet are what the last three replies said
    /// alike, or stay as they were. Otherwise everything has to be elected, and to be what was said of it last.
    pub fn take(
        &mut self,
        query: &Query,
        said: &[Option<Readings>],
        last: Option<&Readings>,
        poll: Poll,
    ) -> Option<Readings> {
        self.cast(query, said, poll);
        let elected: Vec<Option<Readings>> =
            query.fields.iter().zip(&self.fields).map(|(field, ballots)| elect(field, ballots)).collect();
        let mut raised =
            query.fields.iter().zip(said.iter().zip(&elected)).filter(|(field, _)| field.raises());
        let certain = raised.all(|(_, (said, elected))| said.is_some() && said == elected);
        if !certain || said.iter().all(Option::is_none) {
            return None;
        }
        let mut readings = self.fill(query, &elected, last);
        let complete = elected.iter().all(Option::is_some);
        let Some(last) = last.filter(|_| query.raises()) else {
            return (complete && (poll.let_run || self.rests(&elected, |_| true))).then_some(readings);
        };
        // which way it regulates is for the voltages to tell
        if !last.status.has(Regulating) && !self.rests(&elected, |unit| unit == Unit::Volt) {
            readings.status = readings.status.without(Regulating);
        }
        let news = last.status != readings.status || last.alarms != readings.alarms;
        (news || poll.let_run || complete && self.rests(&elected, |_| true)).then_some(readings)
    }

    /// Forgets all.
    pub fn forget(&mut self) {
        self.fields.clear();
    }

    fn cast(&mut self, query: &Query, said: &[Option<Readings>], poll: Poll) {
        self.fields.resize(query.fields.len(), Ballots::new());
        for (field, (ballots, said)) in query.fields.iter().zip(self.fields.iter_mut().zip(said)) {
            ballots.retain(|(came, _)| *came >= poll.since);
            let times = if poll.vouched { 2 } else { 1 };
            for said in said.iter().flat_map(|said| std::iter::repeat_n(said, times)) {
                if ballots.len() == quorum(field).0 {
                    ballots.pop_front();
                }
                ballots.push_back((poll.now, said.clone()));
            }
        }
    }

    /// What was elected, and of what was not the last that was believed, unless nothing was heard of it.
    fn fill(&self, query: &Query, elected: &[Option<Readings>], last: Option<&Readings>) -> Readings {
        let mut readings = Readings::default();
        for (field, (ballots, elected)) in query.fields.iter().zip(self.fields.iter().zip(elected)) {
            // an outage is told with the volts that were said with it, three times in a row
            match (elected.as_ref().or_else(|| three_alike(ballots)), last) {
                (Some(elected), _) => readings.join(elected),
                (None, Some(last)) if !ballots.is_empty() => {
                    field.vars().iter().for_each(|var| readings.say(var, last.value(var).cloned()));
                }
                _ => {}
            }
        }
        readings
    }

    /// Whether what was said last of such units was elected; numbers may run a little.
    fn rests(&self, elected: &[Option<Readings>], of: impl Fn(Unit) -> bool) -> bool {
        let newest = self.fields.iter().zip(elected);
        let mut newest = newest.filter_map(|(ballots, elected)| Some((elected, &ballots.back()?.1)));
        newest.all(|(elected, newest)| {
            newest.values.iter().filter(|(var, _)| of(var.unit)).all(|(var, said)| {
                let elected = elected.as_ref().map(|elected| elected.value(var));
                match (elected, said) {
                    (Some(Some(Value::Number(one))), Some(Value::Number(other))) => {
                        rests(one.as_f64(), other.as_f64())
                    }
                    (elected, said) => elected == Some(said.as_ref()),
                }
            })
        })
    }
}

/// What most of all say, or of numbers that run the middle one.
fn elect(field: &Field, ballots: &Ballots) -> Option<Readings> {
    let (voters, majority) = quorum(field);
    let votes = |one: &Readings| ballots.iter().filter(|(_, vote)| vote == one).count();
    let most = ballots.iter().find(|(_, vote)| votes(vote) >= majority).map(|(_, vote)| vote.clone());
    most.or_else(|| (!field.raises() && ballots.len() == voters).then(|| middle(ballots))?)
}

/// What the last three say, when they say the same.
fn three_alike(ballots: &Ballots) -> Option<&Readings> {
    let mut newest = ballots.iter().rev().take(3).map(|(_, said)| said);
    let last = newest.next()?;
    (ballots.len() >= 3 && newest.all(|said| said == last)).then_some(last)
}

/// Of each number the one in the middle, with another beside it: while what is measured leaps, the middle
/// between before and after is what noise made (50.0, 50.0, 50.0, 10.0, 0, 0, 0).
fn middle(ballots: &Ballots) -> Option<Readings> {
    let mut elected = ballots.back()?.1.clone();
    for (var, value) in &mut elected.values {
        let mut numbers: Vec<Decimal> = ballots.iter().filter_map(|(_, vote)| vote.number(var)).collect();
        numbers.sort_by(|one, other| one.as_f64().total_cmp(&other.as_f64()));
        let at = numbers.len() / 2;
        let middle = *numbers.get(at).filter(|_| numbers.len() == ballots.len())?;
        let beside = [at.checked_sub(1), at.checked_add(1)].into_iter().flatten();
        let mut beside = beside.filter_map(|at| numbers.get(at));
        if !beside.any(|other| near(var, middle.as_f64(), other.as_f64())) {
            return None;
        }
        *value = Some(Value::Number(middle));
    }
    Some(elected)
}
