//! Votes: on a noisy line the last replies vote, each field by itself.
//!
//! Three of the last five that could read a field have to agree; of a number that runs, the middle one
//! counts. `docs/trouble.md` says what that is worth.

use crate::read::Readings;
use crate::value::{Decimal, Value};
use std::collections::VecDeque;
use std::time::Duration;

/// So many replies vote on a field,
const VOTERS: usize = 5;
/// and so many have to agree.
const MAJORITY: usize = 3;

/// What the last replies to one question said of each field of its picture, and when.
#[derive(Clone, Debug, Default)]
pub struct Votes {
    fields: Vec<VecDeque<(Duration, Readings)>>,
}

impl Votes {
    /// Takes what a reply says, field by field; what came before `since` is too old to vote.
    pub fn cast(&mut self, said: &[Option<Readings>], now: Duration, since: Duration) {
        self.fields.resize(said.len(), VecDeque::new());
        for (votes, said) in self.fields.iter_mut().zip(said) {
            votes.retain(|(came, _)| *came >= since);
            if let Some(said) = said {
                if votes.len() == VOTERS {
                    votes.pop_front();
                }
                votes.push_back((now, said.clone()));
            }
        }
    }

    /// What was elected for each field; `None` as long as too few agree.
    pub fn elect(&self) -> Vec<Option<Readings>> {
        self.fields.iter().map(|votes| majority(votes).or_else(|| middle(votes))).collect()
    }

    /// What was said of a field last.
    pub fn newest(&self, field: usize) -> Option<&Readings> {
        self.fields.get(field)?.back().map(|(_, said)| said)
    }

    /// Forgets all.
    pub fn forget(&mut self) {
        self.fields.clear();
    }
}

/// What most of all say.
fn majority(votes: &VecDeque<(Duration, Readings)>) -> Option<Readings> {
    let of = |one: &Readings| votes.iter().filter(|(_, vote)| vote == one).count();
    votes.iter().find(|(_, vote)| of(vote) >= MAJORITY).map(|(_, vote)| vote.clone())
}

/// Numbers that run are never the same: of each the one in the middle, once all have voted.
fn middle(votes: &VecDeque<(Duration, Readings)>) -> Option<Readings> {
    let (_, newest) = votes.back().filter(|_| votes.len() == VOTERS)?;
    let mut elected = newest.clone();
    for (var, value) in &mut elected.values {
        let mut numbers: Vec<Decimal> = votes.iter().filter_map(|(_, vote)| vote.number(var)).collect();
        numbers.sort_by(|one, other| one.as_f64().total_cmp(&other.as_f64()));
        *value = (numbers.len() == VOTERS).then(|| Value::Number(numbers[numbers.len() / 2]));
    }
    let numbers_only = newest.alarms.is_empty() && elected.values.iter().all(|(_, value)| value.is_some());
    (numbers_only && !elected.values.is_empty() && newest.covers == Default::default()).then_some(elected)
}
