//! Polling: which query is next, and what its answer means.

use super::slot::{Odd, QueryState, ReadingChange};
use crate::device::timing::{EVIDENCE_LASTS, REPEATS, SURVEY_POLLS, SURVEY_TAKES};
use crate::device::{Device, Event, LogLevel, Moment};
use crate::judge::bounds::{SAME_AGAIN, VALUES_COUNT_FOR, VALUES_COUNT_INTERVALS};
use crate::judge::{Judged, Quality};
use crate::vocabulary::value::Value;
use crate::vocabulary::variable::Var;
use crate::wire::query::Cadence;
use std::time::Duration;

/// What came back to a question.
enum Came {
    /// Something of it was read.
    Reply(Judged),
    Silence,
    /// A refusal, or something that cannot be read.
    Nothing,
}

impl Device {
    /// The query to ask now: a doubted one first, then status, then what is asked once, then the
    /// rest; among equals the one that waits longest. Where the line is too slow for the status alone, it
    /// gives way to one other in each round.
    pub(in crate::device) fn next_query(&self, now: Moment) -> Option<usize> {
        let noisy = self.line.quality().is_noisy();
        let gives_way = !noisy && self.status_gives_way(now);
        let patience = self.options.pollinterval;
        let overdue =
            |slot: &QueryState| slot.says_mains && slot.due.is_some_and(|due| due + patience <= now);
        let mains_waits = self.schedule.slots.iter().any(overdue);
        // after orders, which take their time, half of it may be over until data is stale
        let half_is_over = self.ready && self.schedule.last_good + self.stale_after() / 2 <= now;
        // (where a reply takes longer than that allows, status and the rest take turns)
        let is_fast = self.line.usual().is_some_and(|usual| 4 * usual < self.stale_after());
        let is_urgent = |slot: &QueryState| {
            let answers = slot.repeats == 0 && slot.odd.is_none();
            half_is_over && is_fast && !noisy && !gives_way && slot.says_mains && answers
        };
        // what is asked again and again does not keep back what says mains
        let often = |slot: &QueryState| mains_waits && !slot.says_mains && slot.repeats >= REPEATS;
        // of a UPS that rests each question takes long: the parts of the status take turns once mains is settled
        let rests = self.line.longest_rest() > Duration::ZERO;
        let waits_longer = |slot: &QueryState, than: &QueryState| {
            let is_due = slot.query.cadence == Cadence::Quick
                && slot.repeats == 0
                && !slot.refused
                && slot.due < than.due;
            is_due && slot.due.is_some_and(|due| due <= now)
        };
        let gives_turn = |slot: &QueryState| {
            rests
                && slot.mains_is_settled()
                && self.schedule.slots.iter().any(|other| waits_longer(other, slot))
        };
        let rank = |slot: &QueryState| match slot.query.cadence {
            _ if is_urgent(slot) && !gives_turn(slot) => 0,
            _ if slot.repeats > 0 && gives_turn(slot) => {
                if gives_way {
                    8
                } else {
                    2
                }
            }
            // on a noisy line this may take long, and the status must not wait for it
            _ if slot.repeats > 0 && !noisy && self.goes_first(slot) && !often(slot) => {
                u8::from(!slot.says_mains)
            }
            Cadence::Quick if gives_way => 8,
            Cadence::Quick => 2,
            // nor may it wait for what may be many questions
            _ if slot.tells_status() && slot.reading.is_none() => 3,
            // in an outage how full the battery is goes before what may wait for its end
            Cadence::Full if slot.counts_on_battery && self.schedule.alert => 4,
            Cadence::Once => 5,
            Cadence::AfterChange => 6,
            Cadence::Full => 7,
        };
        let until = now + self.goes_along(now);
        let due = |slot: &QueryState| {
            // what is asked again, or once, is not asked before its time
            let is_regular = self.ready && slot.repeats == 0 && slot.reading.is_some() && !slot.refused;
            let until = if is_regular { until } else { now };
            let waits = self.schedule.waits(slot);
            slot.due.filter(|due| *due <= until && !waits).map(|due| (rank(slot), due))
        };
        let waiting = self.schedule.slots.iter().enumerate().filter_map(|(at, slot)| Some((due(slot)?, at)));
        waiting.min().map(|(_, at)| at)
    }

    /// Whether a question that is asked again goes before all others: nothing but what may change the status, and
    /// of that nothing that is silent where another question says whether mains is there.
    fn goes_first(&self, slot: &QueryState) -> bool {
        let is_silent = matches!(slot.odd, Some((Odd::Silence, _)));
        let is_of_status = slot.tells_status() || slot.query.cadence != Cadence::Once;
        !self.ready || slot.says_mains || is_of_status && !is_silent
    }

    /// What came back to the query at `at`, which was asked at `since`.
    pub(in crate::device) fn handle_answer(
        &mut self,
        at: usize,
        line: Option<&[u8]>,
        since: Moment,
        now: Moment,
    ) {
        let interval = self.interval(at, now);
        self.schedule.slots[at].usually_due = interval.map(|usual| since + usual).filter(|_| !self.ready);
        let interval = interval.map(|usual| if self.ready { usual } else { usual.max(SURVEY_POLLS) });
        let next = interval.map(|interval| (since + interval).max(now));
        let address = self.address();
        let evidence_lasts = match interval {
            Some(interval) => self.stale_after().max(EVIDENCE_LASTS * interval.max(self.line.longest_rest())),
            None => self.full_interval(),
        };
        let evidence_since = now - evidence_lasts;
        let values_last = (VALUES_COUNT_INTERVALS * interval.unwrap_or_default()).max(VALUES_COUNT_FOR);
        let evidence_since = (evidence_since, evidence_since.max(now - values_last));
        let before = self.line.quality();
        let slot = &mut self.schedule.slots[at];
        let status = slot.status();
        let is_refusal =
            line.is_some_and(|line| crate::wire::refusal::is_refusal(&slot.query.wire(address), line));
        let came = match line {
            Some(line) if is_refusal => {
                self.line.tally(true);
                let times = slot.meet(Odd::Bytes(line.to_vec()));
                // a question that arrived garbled is refused as well
                let surely = match before {
                    Quality::Clean | Quality::Unproven => 1,
                    Quality::Hurt => 2,
                    Quality::Noisy | Quality::Garbled => SAME_AGAIN,
                };
                if slot.reading.is_none() && times >= surely {
                    let next = next.filter(|_| slot.is_asked_on()).map(|_| now + self.full_interval());
                    self.line.met_refusal();
                    self.refused(at, next);
                    return;
                }
                Came::Nothing
            }
            Some(line) => self.hear(at, line, evidence_since, now),
            None => {
                self.line.settle_first();
                if slot.reading.is_some() {
                    self.line.tally(false);
                }
                // a question that is silent again and again is not answered; a line that loses bytes loses others
                let times = slot.meet(Odd::Silence);
                if slot.reading.is_none() || times > 1 {
                    self.line.heard(true);
                } else {
                    self.line.lost();
                }
                Came::Silence
            }
        };
        if !before.is_hurt() && self.line.quality().is_hurt() {
            self.doubt_what_is_asked_once(now);
        }
        let slot = &self.schedule.slots[at];
        if let Some(line) = line.filter(|_| slot.status() != status || slot.news == ReadingChange::Words) {
            self.cause = Some((slot.query.ask, line.to_vec(), now));
        }
        self.conclude(at, &came, next, now);
    }

    /// Reads a reply.
    fn hear(&mut self, at: usize, line: &[u8], since: (Moment, Moment), now: Moment) -> Came {
        let quality = self.line.quality();
        let slot = &mut self.schedule.slots[at];
        let claims = slot.judge.claims(line, quality, &self.options);
        let odd = claims.odd.clone().filter(|form| !slot.judge.knows(form) && !claims.vouched);
        let odd = odd.map(Odd::Form).or((!claims.whole).then(|| Odd::Bytes(line.to_vec())));
        self.line.tally(odd.is_none());
        match odd {
            None => {
                slot.answers = true;
                let was_noise = slot.was_noise(claims.odd.as_ref());
                self.line.heard(!was_noise);
            }
            Some(odd) => {
                self.line.settle_first();
                let (is_first, again) = (slot.odd.is_none(), slot.is_met(&odd));
                slot.meet(odd);
                if is_first && !again {
                    self.events.push_back(Event::Noted(LogLevel::Debug, slot.misfit(line)));
                } else {
                    self.line.heard(again);
                }
            }
        }
        let quality = self.line.quality();
        let on_battery = self.schedule.is_on_battery();
        let slot = &mut self.schedule.slots[at];
        let was_withdrawn = slot.withdrawn;
        let heard = slot.hear(&claims, now, since, (quality, on_battery));
        if was_withdrawn && !slot.withdrawn {
            let text = format!("{} ({}) is answered as before again", slot.query.ask, slot.query.about);
            self.note_of_question(LogLevel::Info, text);
        }
        let slot = &mut self.schedule.slots[at];
        if !heard.read {
            return Came::Nothing;
        }
        slot.judge.keep_claims(line, claims);
        if heard.complete && heard.whole && slot.query.cadence == Cadence::Once && !quality.is_hurt() {
            slot.said = Some(line.to_vec());
        }
        Came::Reply(heard)
    }

    /// What follows from what came back.
    fn conclude(&mut self, at: usize, came: &Came, next: Option<Moment>, now: Moment) {
        let slot = &mut self.schedule.slots[at];
        let Came::Reply(heard) = came else {
            let is_silent = matches!(came, Came::Silence);
            if is_silent {
                self.take_outage_in_silence(at, now);
            }
            self.ask_again(at, (is_silent, false, false), next, now);
            return;
        };
        let misses = std::mem::take(&mut slot.misses);
        // after a silence another state of mains is read again at once, however often it was asked in vain
        if misses > 0 && slot.says_mains && !heard.mains {
            slot.repeats = 0;
        }
        // what is between two values is not answered yet: it may be another UPS's
        let is_between = !slot.says_mains && heard.ask_again && !heard.complete;
        if heard.mains && !is_between {
            slot.answered = now;
            slot.refused = false;
            slot.had_silence = false;
        }
        self.note_change(at);
        let slot = &mut self.schedule.slots[at];
        if heard.complete && std::mem::take(&mut slot.said_unanswered) {
            let text = format!("answers {} ({}) now", slot.query.ask, slot.query.about);
            self.note_of_question(LogLevel::Info, text);
        }
        let slot = &mut self.schedule.slots[at];
        match heard.ask_again {
            // asking at once would show nothing more
            false => {
                slot.repeats = 0;
                slot.put_off = false;
                slot.due = next;
            }
            true => self.ask_again(at, (false, true, heard.mains), next, now),
        }
        self.take_change(at, *heard, now);
    }

    /// The line turned out to be noisy: what was asked only once may have been noise.
    pub(super) fn doubt_what_is_asked_once(&mut self, now: Moment) {
        let once =
            |slot: &&mut QueryState| matches!(slot.query.cadence, Cadence::Once | Cadence::AfterChange);
        for slot in self.schedule.slots.iter_mut().filter(once).filter(|slot| slot.reading.is_some()) {
            slot.due = Some(now);
        }
        // of that nothing was shown yet
        if !self.ready {
            let quality = self.line.quality();
            let once =
                |slot: &&mut QueryState| matches!(slot.query.cadence, Cadence::Once | Cadence::AfterChange);
            let mut doubted = false;
            for slot in self.schedule.slots.iter_mut().filter(once) {
                if slot.judge.doubt_values() {
                    slot.take(quality);
                    slot.news = ReadingChange::Nothing;
                    slot.said = None;
                    doubted = true;
                }
            }
            if doubted {
                self.words_changed();
            }
        }
    }

    /// What was made of the last reading of a query does not count any more.
    pub(super) fn note_change(&mut self, at: usize) {
        let slot = &mut self.schedule.slots[at];
        match std::mem::take(&mut slot.news) {
            ReadingChange::Nothing => {}
            // limits and conditions rest on what is asked less often, and on words
            ReadingChange::Numbers if slot.query.cadence == Cadence::Quick => self.readings_changed(),
            ReadingChange::Numbers | ReadingChange::Words => self.words_changed(),
        }
    }

    /// What is taken of a query that was not taken before.
    fn take_change(&mut self, at: usize, heard: Judged, now: Moment) {
        let slot = &mut self.schedule.slots[at];
        let changed = std::mem::take(&mut slot.changed);
        let cadence = slot.query.cadence;
        if changed {
            self.watch_closer(true, now);
        }
        if cadence == Cadence::Quick && heard.mains {
            // of a UPS that was silent, a word that may be over is not told as fresh; where most is noise, nothing is
            // that is between two states
            let garbled = self.line.quality() == Quality::Garbled;
            let is_open = if garbled { heard.ask_again } else { heard.word_is_open };
            if !(self.store.is_stale() && is_open && self.schedule.slots[at].repeats > 0) {
                self.heard_from(now);
            }
            self.watch_closer(false, now);
            if self.schedule.slots[at].repeats == 0 {
                let soon = self.interval(at, now).filter(|_| self.ready).map(|interval| now + interval);
                self.schedule.slots[at].due = self.schedule.slots[at].due.into_iter().chain(soon).min();
            }
            // a word that is between two states may be what the order did
            if !heard.ask_again || self.schedule.slots[at].repeats == 0 {
                self.compare_with_order();
            }
        }
        if changed && self.ready {
            self.ask_related(now);
        }
        if cadence == Cadence::Quick {
            self.prefer_newer(false, now);
        }
        self.reconsider(now);
        self.settle_survey(now);
    }

    /// The answer to the query at `at` came too late to be news: it counts for nothing.
    pub(in crate::device) fn ask_anew(&mut self, at: usize, now: Moment) {
        self.line.settle_first();
        let slot = &mut self.schedule.slots[at];
        slot.judge.forget_recent();
        slot.due = Some(now);
    }

    /// What is asked of this UPS depends on what it said.
    pub(in crate::device) fn reconsider(&mut self, now: Moment) {
        if !self.publication.take_unsettled() {
            return;
        }
        let facts = self.facts();
        let applies: Vec<bool> =
            self.schedule.slots.iter().map(|slot| slot.query.when.holds(&facts)).collect();
        for (slot, applies) in self.schedule.slots.iter_mut().zip(applies) {
            if applies != slot.applies {
                *slot = QueryState { applies, due: applies.then_some(now), ..QueryState::new(slot.query) };
                self.publication.words_changed();
            }
        }
    }

    /// What the status changed may have changed more: alarms, modes, the battery.
    pub(in crate::device) fn ask_related(&mut self, now: Moment) {
        let counts = |slot: &QueryState| slot.query.raises() || slot.counts_on_battery;
        // where one question takes back what it said of mains, it is for the others of the status to tell
        let quick = |slot: &QueryState| slot.query.cadence == Cadence::Quick && !slot.refused;
        let full = |slot: &QueryState| slot.query.cadence == Cadence::Full && counts(slot);
        let closer =
            |slot: &&mut QueryState| slot.applies && (full(slot) || quick(slot) && slot.answered < now);
        let alert = self.schedule.alert;
        for slot in self.schedule.slots.iter_mut().filter(closer) {
            // on battery it is tried once whether what it refused before is said now
            let again = alert && slot.refused && slot.counts_on_battery;
            slot.due = slot.due.map(|due| due.min(now)).or(again.then_some(now));
        }
    }

    /// It does not answer this question, as far as that is known; asked again then, if at all.
    pub(in crate::device) fn refused(&mut self, at: usize, again: Option<Moment>) {
        let proven = self.is_proven();
        let address = self.address();
        let slot = &mut self.schedule.slots[at];
        slot.repeats = 0;
        let is_news = !std::mem::replace(&mut slot.refused, true);
        slot.due = again;
        // after a blink of the line it is no news
        if is_news || again.is_none() && proven {
            let text = slot.unanswered(address);
            let level = if again.is_some() { LogLevel::Debug } else { LogLevel::Info };
            slot.said_unanswered |= again.is_none();
            self.note_of_question(level, text);
        }
        self.settle_survey(self.schedule.last_good);
    }

    /// Publishes once everything was asked, and after each reading from then on.
    pub(super) fn settle_survey(&mut self, now: Moment) {
        let noisy = self.line.quality().is_noisy();
        let once = |slot: &QueryState| matches!(slot.query.cadence, Cadence::Once | Cadence::AfterChange);
        let waits = |slot: &QueryState| slot.says_mains || !(slot.put_off || noisy && once(slot));
        let is_open = |slot: &QueryState| slot.reading.is_none() || !self.ready && slot.repeats > 0;
        let unknown =
            |slot: &&QueryState| slot.applies && !slot.refused && !slot.query.optional && is_open(slot);
        // a slow UPS is not waited for until it said all: the rest follows
        let enough = now >= self.search.adopted() + SURVEY_TAKES && !self.options.ignorelb;
        let is_vital = |slot: &QueryState| slot.tells_status() || slot.repeats > 0 && !slot.had_silence;
        let surveyed = !self.schedule.slots.iter().filter(unknown).any(waits);
        // also when the dialect was looked for again
        let quick = |slot: &QueryState| slot.query.cadence == Cadence::Quick;
        // (what was answered before and was withdrawn since keeps nothing back)
        let is_new = |slot: &QueryState| quick(slot) && !(self.ready && slot.answered > Moment::ZERO);
        let told = !self.schedule.slots.iter().filter(unknown).any(is_new);
        let vital = enough && !self.schedule.slots.iter().filter(unknown).any(is_vital);
        if !told || !self.ready && !surveyed && !vital || !self.publish(now) {
            return;
        }
        if !self.ready {
            self.log_what_is_kept();
            self.ready = true;
            for slot in &mut self.schedule.slots {
                slot.due =
                    slot.due.map(|due| slot.usually_due.map_or(due, |usual| usual.clamp(now, due.max(now))));
            }
            self.schedule.last_good = now;
            self.events.push_back(Event::Ready);
            if self.store.is_stale() {
                self.store.set_stale(false);
                self.events.push_back(Event::Fresh);
            }
            self.keep_dialect();
        }
        if surveyed && self.control.settings_are_due() {
            self.note(LogLevel::Debug, "everything was asked once".into());
            self.send_settings();
        }
    }

    /// What clients do not see stands in the log once.
    fn log_what_is_kept(&mut self) {
        let kept = |(var, value): &(&Var, Option<Value>)| {
            value.as_ref().filter(|_| !var.public).map(|value| format!("{} = {value}", var.name))
        };
        let readings = self.schedule.slots.iter().filter_map(|slot| slot.reading.as_ref());
        let lines: Vec<String> =
            readings.flat_map(|readings| readings.values.iter().filter_map(kept)).collect();
        if !lines.is_empty() {
            self.note(LogLevel::Debug, format!("the UPS says {}", lines.join(", ")));
        }
    }
}
