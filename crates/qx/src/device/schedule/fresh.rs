//! How long what the UPS said counts: when data is stale, and what is withdrawn before that.
//!
//! Data is as fresh as the last reading that says whether mains is there. Everything else has a life of a few
//! intervals of its own question; then it is withdrawn, and the log says so once.

use super::QueryState;
use crate::device::timing::{DETECT_AGAIN, JUST_NOW, SLOWEST};
use crate::device::{Device, Event, LogLevel, Moment};
use crate::judge::bounds::{
    LIFE_AT_LEAST, LIFE_IN_NOISE, LIFE_IN_TURN, LIFE_INTERVALS, STALE_AT_LEAST, STALE_AT_MOST,
    STALE_INTERVALS, UNSAID_AT_LEAST, UNSAID_INTERVALS,
};
use crate::judge::{Cell, CellKind, GRAVE, Withdrawn};
use crate::vocabulary::status::Status;
use crate::vocabulary::variable::{INPUT_L1_N_VOLTAGE, INPUT_VOLTAGE, OUTPUT_L1_N_VOLTAGE, OUTPUT_VOLTAGE};
use crate::wire::fact::Facts;
use crate::wire::query::Cadence;
use crate::wire::readings::Readings;
use std::time::Duration;

/// Why data is stale where nothing is known of the UPS.
pub const STOPPED: &str =
    "this process did not run for a while (it was stopped, or the host slept or was overloaded)";
/// That data is stale is noticed so late where the process did not run.
const NOTICED_LATE: Duration = Duration::from_secs(2);
/// An output with less is off for some dialect.
const DEAD_VOLTS: f64 = 50.0;

impl Device {
    /// How long after the last reading of mains data is stale.
    pub(in crate::device) fn stale_after(&self) -> Duration {
        let interval = self.options.pollinterval;
        (interval * STALE_INTERVALS).max(STALE_AT_LEAST).min(interval + STALE_AT_MOST)
    }

    /// When it was read last whether mains is there: the oldest of what has to be read for it.
    pub(super) fn mains_read(&mut self) -> Option<Moment> {
        let is_known = self.says_mains();
        let slots = || self.schedule.slots.iter().filter(|slot| slot.applies && slot.reading.is_some());
        let says_mains = |slot: &&QueryState| {
            slot.reading.as_ref().is_some_and(|reading| reading.covers.has(Status::Online))
        };
        let quick = |slot: &&QueryState| slot.query.cadence == Cadence::Quick;
        let own = slots().filter(says_mains).map(|slot| slot.answered).min();
        // else it is the voltage of the grid that tells
        let of_grid = |slot: &&QueryState| {
            quick(slot) && [&INPUT_VOLTAGE, &INPUT_L1_N_VOLTAGE].iter().any(|var| slot.query.speaks_of(var))
        };
        let of_grid = || slots().filter(of_grid).map(|slot| slot.answered).min();
        let own = own.or_else(of_grid).or_else(|| slots().filter(quick).map(|slot| slot.answered).max());
        own.filter(|_| is_known)
    }

    /// Whether mains is there was read.
    pub(super) fn heard_from(&mut self, now: Moment) {
        let Some(read) = self.mains_read() else { return };
        self.schedule.last_good = read;
        self.search.understood(now);
        let is_fresh = now.saturating_sub(self.schedule.last_good) < self.stale_after();
        if self.store.is_stale() && is_fresh && self.ready {
            self.become_fresh(now);
        }
    }

    /// The UPS is heard again: what was read before that and is old by now does not count, and it may be another
    /// unit.
    fn become_fresh(&mut self, now: Moment) {
        // while it is stale still: nothing of before is shown as fresh
        self.doubt_identity(self.schedule.last_good, now);
        self.store.set_stale(false);
        self.schedule.noticed_late = false;
        self.events.push_back(Event::Fresh);
        self.withdraw_old(now);
        self.withdraw_dead(now);
        self.show_words_heard();
        for slot in self.schedule.slots.iter_mut().filter(|slot| slot.applies) {
            let again = match slot.query.cadence {
                Cadence::Once => !slot.refused,
                Cadence::Full => slot.is_asked_on(),
                Cadence::Quick | Cadence::AfterChange => false,
            };
            if again {
                slot.due = Some(now);
            }
        }
    }

    /// Whether what is published may still be shown at this time. Where a process was stopped, this knows it before the
    /// device has been asked what is due.
    pub fn is_fresh_at(&self, now: Moment) -> bool {
        self.ready && !self.store.is_stale() && now < self.fresh_until()
    }

    /// Looks whether data is stale by now. `was_idle`: nothing was asked since the device was looked at last, so that it
    /// should have been looked at in time; an exchange may take long by itself.
    pub(in crate::device) fn check_freshness(&mut self, was_idle: bool, now: Moment) {
        if self.ready && !self.store.is_stale() {
            // that all of it is old is told before anything else
            if self.is_overdue(now) && !self.mains_is_known_otherwise(now) {
                let late = now.saturating_sub(self.fresh_until());
                self.schedule.noticed_late = was_idle && self.line.is_up() && late >= NOTICED_LATE;
                self.become_stale(now);
            } else {
                self.withdraw_dead(now);
            }
        }
        if !self.ready && !self.store.is_stale() && now >= self.search.detect_again() {
            self.give_up_survey(now);
        }
        let silent = self.store.is_stale() && self.line.is_up() && self.asked.is_none();
        let polling = self.search.is_polling();
        if silent && polling && now >= self.search.detect_again() && !self.hears_through_noise(now) {
            self.search.put_off(now);
            self.line.forget_echo();
            self.search.begin(&self.options, now);
        }
    }

    /// Why data became stale the last time.
    pub fn why_it_became_stale(&self) -> &'static str {
        self.schedule.became_stale
    }

    /// Why there is no fresh data.
    pub fn why_stale(&self) -> &'static str {
        if self.schedule.noticed_late {
            return STOPPED;
        }
        let heard = self.line.heard_at();
        // something came since the last reading of mains
        let talks = heard > Moment::ZERO && self.clock.saturating_sub(heard) < self.stale_after() / 2;
        match (self.line.is_up(), talks) {
            (false, _) => "the port is not open",
            (true, true) => "the UPS answers, but its status cannot be read",
            (true, false) => "the UPS does not answer",
        }
    }

    /// Until when data is fresh, as far as that is known.
    pub(in crate::device) fn fresh_until(&self) -> Moment {
        // one that rests between two questions is asked for its status after two others at the latest; so is one that
        // answers so slowly that its status takes as long
        let stale_after = self.stale_after().max(self.round_takes()) + 2 * self.line.longest_rest();
        let by_reading = (self.schedule.last_good + stale_after).max(self.schedule.kept_until);
        match self.line.gone_at() {
            Some(gone) => by_reading.min(gone + STALE_AT_LEAST),
            None => by_reading,
        }
    }

    /// How long it takes to ask for all of the status, and for something else before and behind.
    fn round_takes(&self) -> Duration {
        let of_status = |slot: &&QueryState| {
            slot.query.cadence == Cadence::Quick && slot.applies && !slot.refused && slot.reading.is_some()
        };
        let questions = self.schedule.slots.iter().filter(of_status).count() as u32 + 3;
        self.line.slowest().unwrap_or_default().min(SLOWEST) * questions
    }

    fn is_overdue(&self, now: Moment) -> bool {
        now >= self.fresh_until()
    }

    fn become_stale(&mut self, now: Moment) {
        self.tell_stale();
        // what was read since mains was is new: of an outage that is answered seldom, it is the first word
        let since = self.schedule.last_good;
        self.schedule.slots.iter_mut().for_each(|slot| slot.judge.forget_before(since));
        self.search.put_off(now);
        self.fail_requests();
    }

    /// Data is stale from now on, for a reason that holds now.
    pub(in crate::device) fn tell_stale(&mut self) {
        self.schedule.became_stale = self.why_stale();
        self.store.set_stale(true);
        self.events.push_back(Event::Stale);
    }

    /// What said whether mains is there is too old. Whether something else that was read lately says it.
    fn mains_is_known_otherwise(&mut self, now: Moment) -> bool {
        if !self.line.is_up() {
            return false;
        }
        let stale_after = self.stale_after();
        let is_dead = |cell: &Cell, _: &Readings, read: Moment| {
            cell.kind == CellKind::Mains && now.saturating_sub(read) >= stale_after
        };
        let others = self.schedule.slots.iter().any(|slot| {
            slot.query.cadence == Cadence::Quick && now.saturating_sub(slot.answered) < stale_after
        });
        if !others {
            return false;
        }
        for at in 0..self.schedule.slots.len() {
            let gone = self.schedule.slots[at].judge.withdraw(is_dead);
            if gone.is_some() {
                self.took_back(at, gone.as_ref(), now);
            }
        }
        let read = self.mains_read().filter(|read| now.saturating_sub(*read) < stale_after);
        self.schedule.last_good = read.unwrap_or(self.schedule.last_good);
        if read.is_some() {
            self.publish(now);
        }
        read.is_some()
    }

    /// What says that mains is there was not answered again, and something that was read since says that it is away:
    /// then that counts, without waiting for the end of the other's life.
    pub(super) fn prefer_newer(&mut self, is_silent: bool, now: Moment) {
        let quick = |slot: &&QueryState| slot.query.cadence == Cadence::Quick && slot.reading.is_some();
        let newest =
            self.schedule.slots.iter().filter(quick).map(|slot| slot.answered).max().unwrap_or_default();
        for at in 0..self.schedule.slots.len() {
            let slot = &self.schedule.slots[at];
            let on_mains = |reading: &&Readings| reading.status.has(Status::Online);
            let is_missing = slot.says_mains && slot.answered < newest && (is_silent || slot.is_unanswered());
            let Some(reading) = slot.reading.as_ref().filter(|_| is_missing).filter(on_mains) else {
                continue;
            };
            let silent = Readings {
                status: reading.status.without(Status::Online),
                covers: reading.covers.without(Status::Online),
                ..Readings::default()
            };
            let heard = self.schedule.slots.iter().enumerate().filter_map(|(n, slot)| {
                let reading = if n == at { Some(&silent) } else { slot.reading.as_ref() };
                Some((slot.query, reading?))
            });
            let facts = Facts::new(heard.collect::<Vec<_>>().into_iter(), self.options.flags);
            let raised = self.protocol.map(|protocol| protocol.raised(&facts)).unwrap_or_default();
            if raised.covers.has(Status::Online) && !raised.status.has(Status::Online) {
                let gone = self.schedule.slots[at].judge.withdraw(|cell, _, _| cell.kind == CellKind::Mains);
                self.took_back(at, gone.as_ref(), now);
                self.heard_from(now);
                self.settle_survey(now);
            }
        }
    }

    /// What makes hosts halt was read before the silence: it counts when it is read again. So do volts of an output
    /// that was dead, of which dialects make OFF. A number that is another one by now is not shown as it was.
    fn withdraw_old(&mut self, now: Moment) {
        let (since, hurt) = (now - JUST_NOW, self.line.quality().is_hurt());
        let is_dead = |taken: &Readings| {
            let volts = [&OUTPUT_VOLTAGE, &OUTPUT_L1_N_VOLTAGE].map(|var| taken.number(var));
            volts.into_iter().flatten().any(|volts| volts.as_f64() < DEAD_VOLTS)
        };
        let is_old = |_: &Cell, taken: &Readings, read: Moment| {
            read < since && (GRAVE.iter().any(|word| taken.status.has(*word)) || is_dead(taken))
        };
        for at in 0..self.schedule.slots.len() {
            let says_mains = self.schedule.slots[at].says_mains;
            let judge = &mut self.schedule.slots[at].judge;
            let gone = judge.withdraw_unsaid(|cell, taken, read| {
                !(says_mains && cell.kind == CellKind::Mains) && is_old(cell, taken, read)
            });
            let is_otherwise = judge.take_after_silence(since, |newest| !hurt && !is_dead(newest));
            if gone.is_some() || is_otherwise {
                self.took_back(at, None, now);
            }
        }
    }

    /// Withdraws what was not read for longer than its life.
    fn withdraw_dead(&mut self, now: Moment) {
        if self.store.is_stale() || !self.line.is_up() {
            return;
        }
        let hurt = self.line.quality().is_hurt();
        let noise = if self.line.quality().is_noisy() { LIFE_IN_NOISE } else { 1 };
        let mut withdrawn = false;
        for at in 0..self.schedule.slots.len() {
            let slot = &self.schedule.slots[at];
            let recent = now.saturating_sub(slot.whole) < LIFE_AT_LEAST;
            if !slot.applies || slot.reading.is_none() || recent && !hurt {
                continue;
            }
            let Some(interval) = self.interval(at, now) else { continue };
            // what says all each time it is asked waits for its turn where the line is too slow for all questions
            let turns = if slot.says_all() { LIFE_IN_TURN } else { 1 };
            let life = (interval * LIFE_INTERVALS).max(LIFE_AT_LEAST) * noise.max(turns);
            // what makes hosts halt is never made of past readings, though the rhythm be quick since a moment ago
            let rhythm_since = self.schedule.rhythm_since;
            let mut is_lost = false;
            let halts = |taken: &Readings| GRAVE.iter().any(|word| taken.status.has(*word));
            let is_dead = |cell: &Cell, taken: &Readings, read: Moment| {
                let lost = now.saturating_sub(read.max(rhythm_since)) >= life;
                let dead = lost || halts(taken) && now.saturating_sub(read) >= life;
                is_lost |= lost && cell.kind != CellKind::Mains;
                dead && cell.kind != CellKind::Mains
            };
            let gone = (!recent).then(|| self.schedule.slots[at].judge.withdraw(is_dead)).flatten();
            if gone.is_some() {
                withdrawn = true;
                self.took_back(at, gone.as_ref().filter(|_| is_lost), now);
            }
            // a number that is read, but never so: it changed, and noise keeps back what it is now
            let unsaid = (interval * UNSAID_INTERVALS).max(UNSAID_AT_LEAST);
            let is_unsaid = |cell: &Cell, _: &Readings, said: Moment| {
                cell.kind == CellKind::Value && now.saturating_sub(said.max(rhythm_since)) >= unsaid
            };
            let gone = hurt.then(|| self.schedule.slots[at].judge.withdraw_unsaid(is_unsaid)).flatten();
            if gone.is_some() {
                withdrawn = true;
                self.took_back(at, gone.as_ref(), now);
            }
        }
        if withdrawn && self.search.is_polling() {
            self.reconsider(now);
            self.publish(now);
        }
    }

    /// Something that the query at `at` said was withdrawn; `lost` is what cannot be read any more.
    pub(in crate::device) fn took_back(&mut self, at: usize, lost: Option<&Withdrawn>, now: Moment) {
        let quality = self.line.quality();
        let slot = &mut self.schedule.slots[at];
        slot.take(quality);
        slot.news = Default::default();
        if slot.reading.is_none() && !slot.says_mains {
            slot.refused = true;
            slot.due = slot.due.or(Some(now));
        }
        let (ask, about) = (slot.query.ask, slot.query.about);
        let news = lost.filter(|_| !std::mem::replace(&mut slot.withdrawn, true));
        if let Some(Withdrawn { names, is_answered }) = news {
            let text = if *is_answered {
                let what = names.join(", ");
                format!("{ask} ({about}) is answered, but {what} can no longer be read there: withdrawn")
            } else {
                format!("{ask} ({about}) is no longer answered as before: what only it reported is withdrawn")
            };
            self.note_of_question(LogLevel::Warning, text);
        }
        self.words_changed();
    }

    /// Whether it is only noise that keeps it from being understood. Looking for it anew would forget what
    /// was elected so far, and where there is much noise that takes minutes.
    fn hears_through_noise(&self, now: Moment) -> bool {
        self.line.quality().is_noisy()
            && now.saturating_sub(self.line.heard_at()) < DETECT_AGAIN
            && self.search.listens(now)
    }
}
