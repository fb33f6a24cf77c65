//! Numbers and texts: which value is taken.
//!
//! On a clean line a number that drifts is taken at once, and one that leaps when it is read again near by.
//! A digit that noise made of another one looks like any other number, so on a line that was hurt the last
//! readings elect one: what most of them say, or of numbers that run the middle one.

use super::bounds::{ELECTED, IN_A_ROW, MOVED_TEXT_IN_NOISE, RAISED, TEXT_IN_NOISE};
use super::compare::{alike, compare};
use super::recent::Recent;
use super::{Hearing, Quality};
use crate::vocabulary::value::{Decimal, Value};
use crate::wire::drift::{near, rests};
use crate::wire::readings::Readings;

/// What is taken of a number or text by its last readings, if anything changes.
pub fn take(taken: Option<&Readings>, recent: &Recent, hearing: &Hearing) -> Option<Readings> {
    let newest = recent.newest()?;
    match hearing.quality {
        Quality::Hurt | Quality::Noisy | Quality::Garbled => elected(taken, recent, hearing),
        _ if taken.is_none() => Some(newest.clone()),
        Quality::Clean if taken.is_some_and(|taken| alike(taken, newest)) => Some(newest.clone()),
        Quality::Clean | Quality::Unproven => {
            let before = recent.iter().rev().nth(IN_A_ROW - 1).filter(|before| Some(*before) != taken);
            let confirmed = before.is_some_and(|before| alike(before, newest));
            // one of two between which it goes to and fro
            let again = recent.count(RAISED.last, newest) >= RAISED.some;
            match (confirmed, again || hearing.let_run) {
                (true, _) => Some(between(taken, before, newest)),
                (false, true) => Some(newest.clone()),
                (false, false) => None,
            }
        }
    }
}

/// The reading that confirmed another. Of each number the middle one of the last three: one of them may
/// still be noise.
fn between(taken: Option<&Readings>, before: Option<&Readings>, newest: &Readings) -> Readings {
    let mut confirmed = newest.clone();
    let (Some(taken), Some(before)) = (taken, before) else { return confirmed };
    for (var, value) in &mut confirmed.values {
        let said = [taken.number(var), before.number(var), value.as_ref().and_then(Value::number)];
        if let [Some(one), Some(two), Some(three)] = said {
            *value = Some(Value::Number(middle_of([one, two, three])));
        }
    }
    confirmed
}

fn middle_of(mut numbers: [Decimal; 3]) -> Decimal {
    numbers.sort_by(|one, other| one.as_f64().total_cmp(&other.as_f64()));
    numbers[1]
}

/// On a line that was hurt: what was elected, when it is what was said last, or near by if it never comes to rest;
/// while a word is news also what the last three readings say alike.
fn elected(taken: Option<&Readings>, recent: &Recent, hearing: &Hearing) -> Option<Readings> {
    let newest = recent.newest()?;
    let elected = elect(recent).filter(|elected| is_accepted(elected, taken, recent, hearing.quality));
    let at_rest = |elected: &Readings| compare(elected, newest, |_, one, other| rests(one, other));
    let near_by = |elected: &Readings| hearing.let_run && alike(elected, newest);
    match elected {
        Some(elected) if at_rest(&elected) || near_by(&elected) => Some(elected),
        None if taken.is_some() && hearing.word_is_news => three_alike(recent).cloned(),
        _ => None,
    }
}

/// Whether the newest reading is what the last readings elect, within what a converter's last digit does.
pub fn is_at_rest(recent: &Recent) -> bool {
    let newest = recent.newest();
    let elected = elect(recent);
    elected
        .zip(newest)
        .is_some_and(|(elected, newest)| compare(&elected, newest, |_, one, other| rests(one, other)))
}

/// What most of all say, or of numbers that run the middle one.
fn elect(recent: &Recent) -> Option<Readings> {
    let most = recent.iter().find(|one| recent.count(ELECTED.last, one) >= ELECTED.some);
    most.cloned().or_else(|| (recent.len() == ELECTED.last).then(|| middle(recent))?)
}

/// Whether a text that was elected is accepted: a byte too many or too few before it moves it, and that happens
/// again and again where there is much noise.
fn is_accepted(elected: &Readings, taken: Option<&Readings>, recent: &Recent, quality: Quality) -> bool {
    let texts = texts_of(elected);
    if !quality.is_noisy() || texts.is_empty() || taken == Some(elected) {
        return true;
    }
    let before = taken.map(texts_of).unwrap_or_default();
    let moved = |(now, before): (&&str, &&str)| now.contains(before) || before.contains(now);
    let is_moved = texts.iter().zip(&before).any(moved);
    let needed = if is_moved { MOVED_TEXT_IN_NOISE } else { TEXT_IN_NOISE };
    recent.count(needed.last, elected) >= needed.some
}

fn texts_of(readings: &Readings) -> Vec<&str> {
    let values = readings.values.iter().filter_map(|(_, value)| value.as_ref());
    let mut texts = vec![];
    for value in values {
        if let Value::Text(text) = value {
            texts.push(text.as_str());
        }
    }
    texts
}

/// What the last three say, when they say the same.
fn three_alike(recent: &Recent) -> Option<&Readings> {
    recent.newest().filter(|_| recent.in_a_row() >= 3)
}

/// Of each number the one in the middle, with another beside it: while what is measured leaps, the middle
/// between before and after is what noise made (50.0, 50.0, 50.0, 10.0, 0, 0, 0).
fn middle(recent: &Recent) -> Option<Readings> {
    let mut elected = recent.newest()?.clone();
    for (var, value) in &mut elected.values {
        let mut numbers: Vec<Decimal> = recent.iter().filter_map(|reading| reading.number(var)).collect();
        numbers.sort_by(|one, other| one.as_f64().total_cmp(&other.as_f64()));
        let at = numbers.len() / 2;
        let middle = *numbers.get(at).filter(|_| numbers.len() == recent.len())?;
        let beside = [at.checked_sub(1), at.checked_add(1)].into_iter().flatten();
        let mut beside = beside.filter_map(|at| numbers.get(at));
        if !beside.any(|other| near(var, middle.as_f64(), other.as_f64())) {
            return None;
        }
        *value = Some(Value::Number(middle));
    }
    Some(elected)
}
