//! Polling: which query is next, what its answer means, and when the data is old.

use super::finding::Stage;
use super::{DETECT_AGAIN, Device, Event, LISTENS_ON, Loudness, Moment, NOISY_REPEATS, REPEATS};
use crate::belief::{Belief, Light, Quality, Verdict, same_words};
use crate::exchange::Echo;
use crate::option::Options;
use crate::query::{Cadence, Query};
use crate::read::{Fit, Form, Readings};
use crate::value::Value;
use crate::variable::Var;
use crate::votes::Poll;
use std::time::Duration;

/// Replies vote on what comes until so many polls later. (The newest has to agree all the same.)
const VOTES_LAST: u32 = 10;
/// After so long what tells the status is enough to begin with.
const SURVEY_TAKES: Duration = Duration::from_secs(8);
/// Before the first data, what tells the status is asked not more often than this.
const SURVEY_POLLS: Duration = Duration::from_secs(5);

/// One query of the protocol and what is known from it.
#[derive(Debug)]
pub(super) struct Slot {
    pub query: &'static Query,
    pub reading: Option<Readings>,
    pub belief: Belief,
    pub due: Option<Moment>,
    pub repeats: u8,
    pub refused: bool,
    /// It was met with silence; the next time that counts.
    pub had_silence: bool,
    /// When it was last answered by what is believed.
    pub answered: Moment,
    /// Whether it is asked of this UPS at all.
    pub applies: bool,
    /// Its last reading has other status words than the one before.
    pub changed: bool,
    /// What its last reading says that the one before did not.
    pub news: News,
    /// The reply to a question that is asked once.
    pub said: Option<Vec<u8>>,
    /// The reply that did not fit, until one does.
    pub misfit: Option<Vec<u8>>,
    /// Something that it asks for was read since it was put off, be it believed or not.
    pub answers: bool,
    /// It could not be read on a noisy line, and is asked again later.
    pub put_off: bool,
    /// When it would be due if clients saw data already.
    pub usually_due: Option<Moment>,
}

impl Device {
    /// The query to ask now: a doubted one first, then status, then what is asked once, then the
    /// rest; among equals the one that waits longest. Where the line is too slow for the status alone, it
    /// gives way to one other in each round.
    pub(super) fn next_query(&self, now: Moment) -> Option<usize> {
        let noisy = self.line.quality() == Quality::Noisy;
        let gives_way = !noisy && self.status_gives_way(now);
        let rank = |slot: &Slot| match slot.query.cadence {
            // on a noisy line this may take long, and the status must not wait for it
            _ if slot.repeats > 0 && !noisy && !(self.ready && slot.query.cadence == Cadence::Once) => 0,
            Cadence::Quick if gives_way => 6,
            Cadence::Quick => 1,
            // nor may it wait for what may be many questions
            _ if slot.tells_status() && slot.reading.is_none() => 2,
            Cadence::Once => 3,
            Cadence::AfterChange => 4,
            Cadence::Full => 5,
        };
        let due = |slot: &Slot| slot.due.filter(|due| *due <= now).map(|due| (rank(slot), due));
        let waiting = self.slots.iter().enumerate().filter_map(|(at, slot)| Some((due(slot)?, at)));
        waiting.min().map(|(_, at)| at)
    }

    /// What came back to the query at `at`, which was asked at `since`.
    pub(super) fn handle_answer(&mut self, at: usize, line: Option<&[u8]>, since: Moment, now: Moment) {
        let interval = self.interval(self.slots[at].query.cadence, now);
        self.slots[at].usually_due = interval.map(|usual| since + usual).filter(|_| !self.ready);
        let interval = interval.map(|usual| if self.ready { usual } else { usual.max(SURVEY_POLLS) });
        let next = interval.map(|interval| (since + interval).max(now));
        let address = self.address();
        let votes_since = now.saturating_sub(match interval {
            Some(interval) => self.stale_after().max(VOTES_LAST * interval),
            None => self.full_interval(),
        });
        let was_noisy = self.line.quality() == Quality::Noisy;
        let slot = &mut self.slots[at];
        let is_refusal = line.is_some_and(|line| crate::detect::is_refusal(&slot.query.wire(address), line));
        let believed = match line {
            // a question that arrived garbled is refused as well
            Some(_) if is_refusal && slot.reading.is_none() && !was_noisy => {
                let next = next.filter(|_| slot.query.cadence == Cadence::Quick);
                self.line.refuses = true;
                self.refused(at, next);
                return;
            }
            Some(_) if is_refusal => false,
            Some(line) => self.hear(at, line, votes_since, now),
            None => {
                self.line.settle = true;
                self.line.heard(slot.reading.is_none());
                slot.belief.forget_doubt();
                false
            }
        };
        if !was_noisy && self.line.quality() == Quality::Noisy {
            self.look_again(now);
        }
        if believed {
            self.believed(at, next, now);
        } else {
            self.ask_again(at, line.is_none(), next, now);
        }
    }

    /// Reads a reply; true when something is believed.
    fn hear(&mut self, at: usize, line: &[u8], votes_since: Moment, now: Moment) -> bool {
        let slot = &mut self.slots[at];
        let fit = slot.fit(line, &self.options);
        match &fit {
            Ok(_) => {
                slot.answers = true;
                self.line.heard(slot.misfit.take().is_none());
            }
            Err(why) => {
                self.line.settle = true;
                // what comes the same again is what the UPS says; noise is never the same
                match slot.misfit.replace(line.to_vec()) {
                    None => self.events.push_back(Event::Noted(Loudness::Debug, why.clone())),
                    Some(before) => self.line.heard(before == line),
                }
            }
        }
        let verdict = match (fit, self.line.quality()) {
            (fit, Quality::Noisy) => {
                let odd = fit.ok().map(|fit| fit.odd);
                slot.poll(line, odd, (now, votes_since), &self.options)
            }
            (Ok(fit), quality) => slot.judge(fit, quality),
            (Err(_), _) => Verdict::AskAgain,
        };
        let believed = slot.take(verdict);
        if believed && slot.query.cadence == Cadence::Once && self.line.quality() != Quality::Noisy {
            slot.said = Some(line.to_vec());
        }
        believed
    }

    /// The line turned out to be noisy: what was asked only once may have been noise.
    pub(super) fn look_again(&mut self, now: Moment) {
        let once = |slot: &&mut Slot| matches!(slot.query.cadence, Cadence::Once | Cadence::AfterChange);
        for slot in self.slots.iter_mut().filter(once).filter(|slot| slot.reading.is_some()) {
            slot.due = Some(now);
        }
    }

    /// Asks again at once what could not be believed, or later when that was done often enough.
    fn ask_again(&mut self, at: usize, silent: bool, next: Option<Moment>, now: Moment) {
        let noisy = self.line.quality() == Quality::Noisy;
        let full = self.full_interval();
        let slot = &mut self.slots[at];
        // one that is not known may come back garbled, and is not asked that often
        let later = now + if slot.answers { self.options.pollinterval } else { full };
        // as long as it never answered it, a question that is no status may be one it does not know
        let once = matches!(slot.query.cadence, Cadence::Once | Cadence::AfterChange)
            || slot.query.cadence == Cadence::Full && slot.reading.is_none();
        slot.repeats += 1;
        // silence to a question asked once is an answer, unless the line loses bytes, or the UPS says so when
        // it does not know a question
        let enough = match (silent, noisy) {
            (true, false) if once => u8::from(self.line.refuses),
            (_, true) if !silent || slot.tells_status() => NOISY_REPEATS,
            _ => REPEATS,
        };
        if slot.repeats <= enough {
            slot.due = Some(now);
        } else if once && noisy && (!silent || slot.answers || slot.reading.is_some()) {
            slot.put_off = true;
            slot.answers = false;
            slot.repeats = 0;
            slot.due = Some(later);
            self.settle_survey(now);
        } else if once {
            // one reply may have been lost: later there is time to ask once more
            let again = silent && !std::mem::replace(&mut slot.had_silence, true);
            self.refused(at, again.then_some(now + full));
        } else {
            slot.repeats = 0;
            slot.due = next;
        }
    }

    /// A reading was believed.
    fn believed(&mut self, at: usize, next: Option<Moment>, now: Moment) {
        let slot = &mut self.slots[at];
        slot.repeats = 0;
        slot.put_off = false;
        slot.refused = false;
        slot.due = next;
        slot.answered = now;
        let changed = std::mem::take(&mut slot.changed);
        let cadence = slot.query.cadence;
        match std::mem::take(&mut slot.news) {
            News::Nothing => {}
            // limits and conditions rest on what is asked less often, and on words
            News::Numbers if cadence == Cadence::Quick => self.heard_news(),
            News::Numbers | News::Words => self.heard_words(),
        }
        if cadence == Cadence::Quick {
            self.heard_from(now);
            self.watch_closer(changed, now);
            let soon = self.interval(cadence, now).filter(|_| self.ready).map(|interval| now + interval);
            self.slots[at].due = next.into_iter().chain(soon).min();
            self.compare_with_order();
            if changed && self.ready {
                self.look_closer(now);
            }
        }
        self.reconsider(now);
        self.settle_survey(now);
    }

    /// The answer to the query at `at` came too late to be news: it counts for nothing.
    pub(super) fn ask_anew(&mut self, at: usize, now: Moment) {
        self.line.settle = true;
        let slot = &mut self.slots[at];
        slot.belief.forget_doubt();
        slot.due = Some(now);
    }

    /// What is asked of this UPS depends on what it said.
    pub(super) fn reconsider(&mut self, now: Moment) {
        if !std::mem::take(&mut self.unsettled) {
            return;
        }
        let facts = self.facts();
        let applies: Vec<bool> = self.slots.iter().map(|slot| slot.query.when.holds(&facts)).collect();
        for (slot, applies) in self.slots.iter_mut().zip(applies) {
            if applies != slot.applies {
                *slot = Slot { applies, due: applies.then_some(now), ..Slot::new(slot.query) };
                (self.said, self.frame, self.unsettled) = (None, None, true);
            }
        }
    }

    /// What the status changed may have changed more: alarms, modes.
    fn look_closer(&mut self, now: Moment) {
        let closer =
            |slot: &&mut Slot| slot.applies && slot.query.cadence == Cadence::Full && slot.query.raises();
        for slot in self.slots.iter_mut().filter(closer) {
            slot.due = slot.due.map(|due| due.min(now));
        }
    }

    /// It does not answer this question, as far as that is known; asked again then, if at all.
    pub(super) fn refused(&mut self, at: usize, again: Option<Moment>) {
        let slot = &mut self.slots[at];
        slot.repeats = 0;
        slot.refused = true;
        slot.due = again;
        let text = format!("does not answer {} ({})", slot.query.ask, slot.query.about);
        let loudness = if again.is_some() { Loudness::Debug } else { Loudness::Info };
        self.events.push_back(Event::Noted(loudness, text));
        self.settle_survey(self.last_good);
    }

    /// A believed status: the data is as fresh as the oldest part of the status.
    fn heard_from(&mut self, now: Moment) {
        let parts = self.slots.iter().filter(|slot| {
            slot.query.cadence == Cadence::Quick && slot.applies && !slot.refused && slot.reading.is_some()
        });
        self.last_good = parts.map(|slot| slot.answered).min().unwrap_or(now);
        self.listens_until = now + LISTENS_ON;
        let is_fresh = now.saturating_sub(self.last_good) < self.stale_after();
        if self.store.is_stale() && is_fresh && self.ready {
            self.store.set_stale(false);
            self.events.push_back(Event::Fresh);
            // it may be another unit now: ask it who it is
            for slot in
                self.slots.iter_mut().filter(|slot| slot.query.cadence == Cadence::Once && !slot.refused)
            {
                slot.due = Some(now);
            }
        }
    }

    /// Publishes once everything was asked, and after each reading from then on.
    fn settle_survey(&mut self, now: Moment) {
        // without what it says of the status, a UPS on mains would look like one on battery
        let noisy = self.line.quality() == Quality::Noisy;
        let once = |slot: &Slot| matches!(slot.query.cadence, Cadence::Once | Cadence::AfterChange);
        let waits = |slot: &Slot| slot.tells_status() || !(slot.put_off || noisy && once(slot));
        let unknown = |slot: &&Slot| slot.applies && slot.reading.is_none() && !slot.refused;
        // a slow UPS is not waited for until it said all: the rest follows
        let enough = now >= self.adopted + SURVEY_TAKES && !self.options.ignorelb;
        let is_vital = |slot: &Slot| slot.tells_status() || slot.repeats > 0 && !slot.had_silence;
        let surveyed = !self.slots.iter().filter(unknown).any(waits);
        let status = self.slots.iter().any(|s| s.query.cadence == Cadence::Quick && s.reading.is_some());
        // also when the dialect was looked for again
        let quick = |slot: &Slot| slot.query.cadence == Cadence::Quick;
        let told = status && !self.slots.iter().filter(unknown).any(quick);
        let vital = enough && !self.slots.iter().filter(unknown).any(is_vital);
        if !told || !self.ready && !surveyed && !vital {
            return;
        }
        self.publish(now);
        if !self.ready {
            self.tell_what_is_kept();
            self.ready = true;
            for slot in &mut self.slots {
                slot.due =
                    slot.due.map(|due| slot.usually_due.map_or(due, |usual| usual.clamp(now, due.max(now))));
            }
            self.last_good = now;
            self.events.push_back(Event::Ready);
            if self.store.is_stale() {
                self.store.set_stale(false);
                self.events.push_back(Event::Fresh);
            }
            self.keep_dialect();
        }
        if surveyed && !std::mem::replace(&mut self.settings_sent, true) {
            self.send_settings();
        }
    }

    /// What clients do not see stands in the log once.
    fn tell_what_is_kept(&mut self) {
        let kept = |(var, value): &(&Var, Option<Value>)| {
            value.as_ref().filter(|_| !var.public).map(|value| format!("{} = {value}", var.name))
        };
        let readings = self.slots.iter().filter_map(|slot| slot.reading.as_ref());
        let lines: Vec<String> =
            readings.flat_map(|readings| readings.values.iter().filter_map(kept)).collect();
        if !lines.is_empty() {
            self.note(Loudness::Info, format!("the UPS says {}", lines.join(", ")));
        }
    }

    pub(super) fn look_for_staleness(&mut self, now: Moment) {
        let silent_for = now.saturating_sub(self.last_good);
        if self.ready && !self.store.is_stale() && silent_for >= self.stale_after() {
            self.store.set_stale(true);
            self.slots.iter_mut().for_each(|slot| slot.belief.forget_votes());
            self.detect_again = now + DETECT_AGAIN;
            self.events.push_back(Event::Stale);
            self.fail_requests();
        }
        if !self.ready && !self.store.is_stale() && now >= self.detect_again {
            self.give_up_survey(now);
        }
        let silent = self.store.is_stale() && self.line.up && self.asked.is_none();
        let polling = matches!(self.stage, Stage::Polling);
        if silent && polling && now >= self.detect_again && !self.hears_through_noise(now) {
            self.detect_again = now + DETECT_AGAIN;
            self.line.echo = Echo::Unknown;
            self.stage = Stage::detecting(&self.options, now);
        }
    }

    /// Whether it is only noise that keeps it from being understood. Looking for it anew would forget what
    /// was elected so far, and where there is much noise that takes minutes.
    fn hears_through_noise(&self, now: Moment) -> bool {
        self.line.quality() == Quality::Noisy
            && now.saturating_sub(self.line.heard_at) < DETECT_AGAIN
            && now < self.listens_until
    }
}

/// What a reading says that the one before did not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum News {
    #[default]
    Nothing,
    /// Other numbers in the same places.
    Numbers,
    /// More than that.
    Words,
}

impl News {
    fn between(before: Option<&Readings>, now: &Readings) -> News {
        match before {
            Some(before) if before == now => News::Nothing,
            Some(before) if before.covers == now.covers && same_words(before, now) => News::Numbers,
            _ => News::Words,
        }
    }
}

impl Slot {
    pub(super) fn new(query: &'static Query) -> Slot {
        Slot {
            query,
            reading: None,
            belief: Belief::default(),
            due: None,
            repeats: 0,
            refused: false,
            had_silence: false,
            answered: Moment::ZERO,
            applies: false,
            changed: false,
            news: News::Nothing,
            said: None,
            misfit: None,
            answers: false,
            put_off: false,
            usually_due: None,
        }
    }

    /// Whether `ups.status` cannot be told without it.
    fn tells_status(&self) -> bool {
        self.query.tells_status() || self.query.cadence == Cadence::Quick
    }

    /// Reads a reply, or says why it cannot be read.
    fn fit(&self, line: &[u8], options: &Options) -> Result<Fit, String> {
        let fit = self.query.read(line).map(|mut fit| {
            fit.readings.mute(self.query, options);
            fit
        });
        fit.map_err(|misfit| {
            let reply = line.escape_ascii();
            let (ask, at, expected) = (self.query.ask, misfit.at.start, misfit.expected);
            format!("{ask}: '{reply}' does not fit at {at}: {expected}")
        })
    }

    /// Judges a reply on a line that is not noisy.
    fn judge(&mut self, fit: Fit, line: Quality) -> Verdict {
        let light = Light { line, last_try: self.repeats >= REPEATS };
        self.belief.judge(fit, self.reading.as_ref(), light)
    }

    /// Lets a reply vote on a noisy line; `odd` is its form if it fits.
    fn poll(
        &mut self,
        line: &[u8],
        odd: Option<Option<Form>>,
        (now, since): (Moment, Moment),
        options: &Options,
    ) -> Verdict {
        odd.into_iter().for_each(|odd| self.belief.meet(odd));
        let mut said = self.query.glean(line, |form| self.belief.knows(form));
        said.iter_mut().flatten().for_each(|said| said.mute(self.query, options));
        self.answers |= said.iter().any(Option::is_some);
        let vouched = self.query.vouches(line);
        let poll = Poll { now, since, vouched, let_run: self.repeats >= REPEATS };
        self.belief.vote(self.query, &said, self.reading.as_ref(), poll)
    }

    /// Keeps what is believed.
    fn take(&mut self, verdict: Verdict) -> bool {
        let Verdict::Believed(readings) = verdict else { return false };
        self.news = News::between(self.reading.as_ref(), &readings);
        self.changed = self.reading.as_ref().is_some_and(|last| last.status != readings.status);
        self.reading = Some(readings);
        true
    }
}
