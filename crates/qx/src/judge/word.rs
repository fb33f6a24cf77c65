//! Words: when a bit or a code is taken for what it says.
//!
//! These dialects have no checksum, and a flipped bit makes a 1 of a 0. So a word that is news has to be
//! read again; but what another word of the same replies does is no evidence against it.

use super::Quality;
use super::bounds::{
    CLEARED, HALTS_IF_HURT, HALTS_IN_NOISE, IN_A_ROW, LOW_ON_BATTERY, OFF_IN_NOISE, Of, RAISED,
    RAISED_IN_NOISE,
};
use super::cell::{CellKind, GRAVE};
use super::recent::Recent;
use crate::vocabulary::status::Status::{Charging, Discharging, Online};
use crate::vocabulary::status::{Status, StatusSet};
use crate::vocabulary::value::Value;
use crate::vocabulary::variable::WORKING_MODE;
use crate::wire::readings::Readings;

/// Whether a reading raises something that another one does not.
fn raises_more(one: &Readings, than: &Readings) -> bool {
    raised_in(one).without_all(raised_in(than)) != StatusSet::EMPTY
        || off_mains(one) && !off_mains(than)
        || one.alarms.iter().any(|alarm| !than.alarms.contains(alarm))
}

/// The words of a reading that say that something is not as usual.
fn raised_in(readings: &Readings) -> StatusSet {
    [Online, Charging, Discharging].into_iter().fold(readings.status, StatusSet::without)
}

/// Whether a reading says that mains is away: a bit or letter for it, or the mode "battery".
pub fn off_mains(readings: &Readings) -> bool {
    let mode = || matches!(readings.value(&WORKING_MODE), Some(Value::Text(mode)) if mode == "B");
    readings.covers.has(Status::Online) && !readings.status.has(Status::Online) || mode()
}

/// A reading that raises nothing.
pub fn is_quiet(readings: &Readings) -> bool {
    raised_in(readings) == StatusSet::EMPTY && readings.alarms.is_empty() && !off_mains(readings)
}

/// Whether what a word says by its newest reading is taken, in place of what was taken before.
/// While it said so there were `missed` replies in which it could not be read: each of them may have said what is
/// taken, so it takes as many more to clear that.
pub fn takes(
    kind: CellKind,
    taken: Option<&Readings>,
    recent: &Recent,
    (quality, missed): (Quality, usize),
) -> bool {
    let Some(newest) = recent.newest() else { return false };
    let calmer = taken.is_some_and(|taken| !raises_more(newest, taken));
    let of_mains = kind == CellKind::Mains || taken.is_some_and(off_mains);
    let flickers = !of_mains && calmer && taken.is_some_and(|taken| flickers(taken, recent));
    if quality.is_noisy() {
        let halts = GRAVE.iter().any(|word| newest.status.has(*word));
        let fails = off_mains(newest) && !taken.is_some_and(off_mains);
        let needed = match quality {
            Quality::Garbled if newest.status.has(Status::Off) => OFF_IN_NOISE,
            Quality::Garbled if halts || fails => HALTS_IN_NOISE,
            _ => RAISED_IN_NOISE,
        };
        let agreed = recent.count(needed.last, newest) >= needed.some;
        return agreed && (!flickers || recent.in_a_row() >= CLEARED);
    }
    let halts = [Status::ForcedShutdown, Status::Off].iter().any(|word| newest.status.has(*word));
    if quality == Quality::Hurt && halts && recent.count(HALTS_IF_HURT.last, newest) < HALTS_IF_HURT.some {
        return false;
    }
    let Some(_) = taken else {
        return is_quiet(newest) || recent.count(RAISED.last, newest) >= RAISED.some;
    };
    // between two others it goes to and fro, and is gone
    let gone = recent.len() >= CLEARED && taken.is_some_and(|taken| recent.count(CLEARED, taken) == 0);
    if gone && recent.count(RAISED.last, newest) >= RAISED.some {
        true
    } else if flickers {
        recent.in_a_row() >= CLEARED
    } else {
        let more = if calmer { missed } else { 0 };
        recent.in_a_row() >= IN_A_ROW + more || !calmer && recent.count(RAISED.last, newest) >= RAISED.some
    }
}

/// Whether LB, that is not taken, is said, and was said among the last readings on battery.
pub fn is_low(taken: Option<&Readings>, recent: &Recent) -> bool {
    let low = |reading: &Readings| reading.status.has(Status::LowBattery);
    recent.newest().is_some_and(|newest| {
        let Of { some, last } = LOW_ON_BATTERY;
        low(newest) && !taken.is_some_and(low) && recent.count(last, newest) >= some
    })
}

/// Whether a word that makes hosts halt was said among the last readings, and the next one may be what raises it.
pub fn may_rise(taken: Option<&Readings>, recent: &Recent) -> bool {
    let raises = |reading: &&Readings| {
        let word = |word: &Status| reading.status.has(*word) && !taken.is_some_and(|it| it.status.has(*word));
        GRAVE.iter().any(word)
    };
    recent.iter().rev().take(RAISED.last - 1).any(|reading| raises(&reading))
}

/// Whether what was taken was away and came again among the last readings.
fn flickers(taken: &Readings, recent: &Recent) -> bool {
    let mut away = false;
    recent.iter().any(|reading| {
        let is_taken = reading == taken;
        let again = away && is_taken;
        away |= !is_taken;
        again
    })
}
