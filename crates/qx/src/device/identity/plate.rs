//! The name plate of a UPS that was never seen away: a cable may be put into another unit
//! faster than three questions for the status.
//!
//! After one that was not answered, and after volts that no battery and no mains leaps to, the UPS is asked again
//! what it is called and rated. That is cheap, and proves nothing but another answer. Where such leaps go to and
//! fro, and the answers differ, two units answer in turn: nothing of one is shown as the other's then.

use super::name::{difference, restless};
use crate::device::bounds::{IDENTITY, IDENTITY_VOLTS, PLATE_AGAIN, PLATE_TAKES, TWO_UNITS};
use crate::device::control::DEAD_VOLTS;
use crate::device::schedule::QueryState;
use crate::device::{Device, LogLevel, Moment};
use crate::vocabulary::variable::{BATTERY_VOLTAGE, OUTPUT_L1_N_VOLTAGE, OUTPUT_VOLTAGE};
use crate::wire::query::{Cadence, Query};
use crate::wire::readings::Readings;
use std::collections::VecDeque;

/// So many readings are remembered.
const READINGS: usize = 8;
/// So many of them went back to what was before: two units, and no unit that was swapped.
const TO_AND_FRO: usize = 2;

/// A value that is another one in so many answers in a row is so each time.
const RESTLESS: usize = 3;

/// What is known of the name plate.
#[derive(Debug, Default)]
pub(super) struct NamePlate {
    asked: Option<PlateCheck>,
    /// Not asked again before.
    not_before: Moment,
    /// The last volts of battery and output.
    volts: [VecDeque<Volts>; 2],
    /// When another unit answered last on a line that was not lost.
    changed: Option<Moment>,
    /// Until then it is taken for true that two units answer.
    two_until: Option<Moment>,
}

/// Volts, and whether mains was there when they were read, as far as the UPS said so.
#[derive(Clone, Copy, Debug)]
struct Volts {
    volts: f64,
    on_mains: Option<bool>,
}

/// The plate is being asked for again.
#[derive(Debug)]
struct PlateCheck {
    since: Moment,
    before: Vec<(&'static Query, Readings)>,
}

/// Whether volts leap where neither battery nor mains does.
fn leaps(from: Volts, to: Volts) -> bool {
    from.volts > 0.0 && !(IDENTITY_VOLTS..=1.0 / IDENTITY_VOLTS).contains(&(to.volts / from.volts))
}

/// How often volts leapt and came back.
fn returns(known: &[Volts]) -> usize {
    let back =
        |three: &&[Volts]| matches!(three, [a, b, c] if leaps(*a, *b) && leaps(*b, *c) && !leaps(*a, *c));
    known.windows(3).filter(back).count()
}

impl NamePlate {
    /// That of another unit that answers from now on.
    pub(super) fn of_another(&self) -> NamePlate {
        NamePlate { two_until: self.two_until, ..NamePlate::default() }
    }

    /// Takes the newest volts; whether they leapt.
    fn take(&mut self, at: usize, volts: Option<f64>, on_mains: Option<bool>) -> bool {
        let Some(volts) = volts.filter(|volts| *volts > 0.0) else { return false };
        let Some(known) = self.volts.get_mut(at) else { return false };
        let volts = Volts { volts, on_mains };
        let leapt = known.back().is_some_and(|before| leaps(*before, volts));
        if known.len() == READINGS {
            known.pop_front();
        }
        known.push_back(volts);
        leapt
    }

    /// Whether the last volts of the battery, or of the output, went to and fro.
    fn goes_to_and_fro(&self) -> bool {
        let of = |known: &VecDeque<Volts>| {
            let known: Vec<Volts> = known.iter().copied().collect();
            returns(&known) >= TO_AND_FRO
        };
        self.volts.iter().any(of)
    }

    /// Whether those of battery and output both went to and fro while mains was there all the time, or was not: no unit
    /// does so. Mains that comes and goes takes both with it, in a brown-out with each reply.
    fn is_torn(&self) -> bool {
        let of = |known: &VecDeque<Volts>| {
            [Some(true), Some(false), None].into_iter().any(|state| {
                let same: Vec<Volts> =
                    known.iter().copied().filter(|volts| volts.on_mains == state).collect();
                returns(&same) >= TO_AND_FRO
            })
        };
        self.volts.iter().all(of)
    }
}

impl Device {
    /// Whether two units answer in turn, as far as that is known.
    pub(in crate::device) fn is_two_units(&self) -> bool {
        self.identity.plate.two_until.is_some()
    }

    /// Whether it is being asked who answers, since volts leapt or a status was lost.
    pub(in crate::device) fn reads_plate(&self, now: Moment) -> bool {
        let waits = |asked: &PlateCheck| {
            let is_its_own =
                |slot: &QueryState| asked.before.iter().any(|(query, _)| std::ptr::eq(*query, slot.query));
            let unanswered = |slot: &QueryState| slot.answered < asked.since && !slot.refused;
            now < asked.since + IDENTITY
                && self.schedule.slots().iter().any(|slot| is_its_own(slot) && unanswered(slot))
        };
        self.identity.plate.asked.as_ref().is_some_and(waits)
    }

    /// A status was heard after `silences` that was not.
    pub(super) fn check_plate(&mut self, silences: u8, now: Moment) {
        if !self.is_proven() || !self.ready || self.line.quality().is_noisy() {
            self.identity.plate.asked = None;
            return;
        }
        let newest = |var| self.schedule.slots().iter().find_map(|slot| slot.judge.newest_number(var));
        let output = newest(&OUTPUT_VOLTAGE).or_else(|| newest(&OUTPUT_L1_N_VOLTAGE));
        let battery = newest(&BATTERY_VOLTAGE);
        let on_mains = self.schedule.slots().iter().find_map(|slot| slot.judge.newest_mains());
        let leapt = [
            self.identity.plate.take(0, battery, on_mains),
            self.identity.plate.take(1, output.filter(|volts| *volts > DEAD_VOLTS), on_mains),
        ];
        if self.is_two_units() && leapt.contains(&true) {
            self.identity.plate.two_until = Some(now + TWO_UNITS);
        }
        // no unit's battery and output leap together
        if !self.is_two_units() && leapt.contains(&true) && self.identity.plate.is_torn() {
            return self.become_two("battery and output voltage jump back and forth together", now);
        }
        if (silences > 0 || leapt.contains(&true)) && now >= self.identity.plate.not_before {
            self.ask_plate(now);
        }
    }

    fn ask_plate(&mut self, now: Moment) {
        let before: Vec<_> = self.telling().collect();
        if before.is_empty() {
            return;
        }
        for slot in self
            .schedule
            .slots_mut()
            .iter_mut()
            .filter(|slot| slot.applies && slot.query.cadence != Cadence::Quick)
        {
            if before.iter().any(|(query, _)| std::ptr::eq(*query, slot.query)) {
                (slot.due, slot.repeats) = (Some(now), 0);
            }
        }
        self.identity.plate.not_before = now + PLATE_AGAIN;
        self.identity.plate.asked = Some(PlateCheck { since: now, before });
    }

    /// Compares what the plate says now with what it said before.
    pub(super) fn compare_plate(&mut self, now: Moment) {
        let two_ended = self.identity.plate.two_until.is_some_and(|until| now >= until);
        if two_ended {
            self.identity.plate.two_until = None;
            self.words_changed();
            self.doubt_identity(now, now);
        }
        let Some(PlateCheck { since, before }) = &self.identity.plate.asked else { return };
        let differs = before.iter().find_map(|(query, before)| {
            let slot = self.schedule.slots().iter().find(|slot| std::ptr::eq(slot.query, *query))?;
            difference(
                before,
                slot.reading.as_ref().filter(|_| slot.answered >= *since)?,
                slot.judge.restless(),
            )
        });
        let over = now >= *since + PLATE_TAKES;
        let Some(why) = differs else {
            if over {
                self.identity.plate.asked = None;
            }
            return;
        };
        self.identity.plate.asked = None;
        // units are not swapped twice in a minute, and unseen
        let again = self.identity.plate.changed.is_some_and(|changed| now < changed + TWO_UNITS);
        match again || self.identity.plate.goes_to_and_fro() {
            true => self.become_two(&format!("one {why}"), now),
            false => {
                self.become_another(&why, now);
                self.identity.plate.changed = Some(now);
            }
        }
    }

    /// What was said of the UPS itself by the query at `at`, while it is asked who answers: a value that is another one
    /// each time proves nothing, and is not asked for again.
    pub(super) fn check_restless(&mut self, at: usize, line: &[u8]) {
        let asks = !self.is_proven() || self.identity.plate.asked.is_some();
        let noisy = self.line.quality().is_noisy();
        let Some(slot) = self.schedule.slots_mut().get_mut(at) else { return };
        if !asks || noisy || slot.query.cadence == Cadence::Quick {
            slot.plates.clear();
            return;
        }
        let Some(said) = slot.query.read(line).ok().filter(|fit| fit.odd.is_none()) else { return };
        if slot.plates.len() == RESTLESS {
            slot.plates.remove(0);
        }
        slot.plates.push(said.readings);
        let news = if slot.plates.len() == RESTLESS { restless(&slot.plates) } else { vec![] };
        let news: Vec<_> = news.into_iter().filter(|name| !slot.judge.restless().contains(name)).collect();
        if news.is_empty() {
            return;
        }
        slot.judge.let_change(&news);
        let text = format!(
            "{} ({}) is answered with another {} each time: that does not tell which UPS answers",
            slot.query.ask,
            slot.query.about,
            news.join(", ")
        );
        self.note(LogLevel::Info, text);
    }

    /// Two units answer in turn.
    fn become_two(&mut self, why: &str, now: Moment) {
        let text = format!(
            "two UPSes answer in turn on this line: {why}; the driver publishes only their status and sends no \
             command: leave one of them on the line"
        );
        self.note(LogLevel::Warning, text);
        self.identity.plate.asked = None;
        self.identity.plate.two_until = Some(now + TWO_UNITS);
        self.fail_requests();
        self.words_changed();
        if !self.store.is_stale() {
            self.publish(now);
        }
    }

    /// When something is to be done about it.
    pub(in crate::device) fn plate_due(&self) -> Option<Moment> {
        let reads = self.identity.plate.asked.as_ref().map(|asked| asked.since + IDENTITY);
        self.identity.plate.two_until.into_iter().chain(reads.filter(|due| *due > self.clock)).min()
    }
}
