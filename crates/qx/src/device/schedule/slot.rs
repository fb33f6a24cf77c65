//! A slot: one query of the dialect, and what is known from its replies.

use crate::device::Moment;
use crate::device::line::{SeenReply, Sight};
use crate::device::timing::{REPEATS, UNREADABLE};
use crate::judge::bounds::SAME_AGAIN;
use crate::judge::{CellKind, Claims, Hearing, Judge, Judged, Quality, same_words};
use crate::vocabulary::status::{Status, StatusSet};
use crate::vocabulary::variable::{BATTERY_CHARGE, BATTERY_RUNTIME, BATTERY_VOLTAGE, Unit};
use crate::wire::query::{Cadence, Query};
use crate::wire::read::Form;
use crate::wire::readings::Readings;
use crate::wire::refusal::is_refusal;
use std::collections::VecDeque;

/// So many odd replies are remembered of each query.
const LATELY: usize = 4;

/// One query of the protocol and what is known from it.
#[derive(Debug)]
pub(in crate::device) struct QueryState {
    pub query: &'static Query,
    /// What is taken of its replies.
    pub reading: Option<Readings>,
    pub judge: Judge,
    /// Its last reply, and what it is.
    pub seen: SeenReply,
    /// Its reply says whether mains is there, in its own words.
    pub says_mains: bool,
    /// On battery it is asked as often as the status: it can say that the battery is low, or tells how full it is.
    pub counts_on_battery: bool,
    /// When everything that is taken of it was read last.
    pub whole: Moment,
    pub due: Option<Moment>,
    pub repeats: u8,
    /// It was asked again for mains since it was asked regularly last.
    pub asked_for_mains: bool,
    /// It is not answered, as far as that is known: nothing waits for it.
    pub refused: bool,
    /// It got no reply; the next time that counts.
    pub had_silence: bool,
    /// When it was last answered by what is taken; zero if it never was.
    pub answered: Moment,
    /// Whether it is asked of this UPS at all.
    pub applies: bool,
    /// Its last reading has other status words than the one before.
    pub changed: bool,
    /// What its last reading says that the one before did not.
    pub news: ReadingChange,
    /// The reply to a question that is asked once.
    pub said: Option<Vec<u8>>,
    /// What came last in place of a reply, and how often in a row; nothing after a reply.
    pub odd: Option<(Odd, u8)>,
    /// How often nothing of a reply could be read, in a row.
    pub misses: u8,
    /// What came lately in place of replies.
    pub lately_odd: VecDeque<Odd>,
    /// Something that it asks for was read since it was put off, be it taken or not.
    pub answers: bool,
    /// It could not be read on a noisy line, and is asked again later.
    pub put_off: bool,
    /// When it would be due if clients saw data already.
    pub usually_due: Option<Moment>,
    /// Something that it said was withdrawn, and the log says so.
    pub withdrawn: bool,
    /// The log says that it is not answered.
    pub said_unanswered: bool,
    /// What it said of the UPS itself while that was asked again.
    pub plates: Vec<Readings>,
}

/// What comes in place of a reply that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::device) enum Odd {
    /// Nothing.
    Silence,
    /// A refusal, or bytes that cannot be read.
    Bytes(Vec<u8>),
    /// A form that is not drawn and not known.
    Form(Form),
}

/// What a reading says that the one before did not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::device) enum ReadingChange {
    #[default]
    Nothing,
    /// Other numbers in the same places.
    Numbers,
    /// More than that.
    Words,
}

impl ReadingChange {
    fn between(before: Option<&Readings>, now: Option<&Readings>) -> ReadingChange {
        match (before, now) {
            (before, now) if before == now => ReadingChange::Nothing,
            (Some(before), Some(now)) if before.covers == now.covers && same_words(before, now) => {
                ReadingChange::Numbers
            }
            _ => ReadingChange::Words,
        }
    }
}

impl QueryState {
    pub(in crate::device) fn new(query: &'static Query) -> QueryState {
        let judge = Judge::new(query);
        let of_battery = [&BATTERY_CHARGE, &BATTERY_RUNTIME, &BATTERY_VOLTAGE];
        QueryState {
            query,
            reading: None,
            says_mains: judge.has(CellKind::Mains),
            counts_on_battery: judge.is_grave() || of_battery.iter().any(|var| query.speaks_of(var)),
            judge,
            seen: SeenReply::default(),
            whole: Moment::ZERO,
            due: None,
            repeats: 0,
            asked_for_mains: false,
            refused: false,
            had_silence: false,
            answered: Moment::ZERO,
            applies: false,
            changed: false,
            news: ReadingChange::Nothing,
            said: None,
            odd: None,
            misses: 0,
            lately_odd: VecDeque::new(),
            answers: false,
            put_off: false,
            usually_due: None,
            withdrawn: false,
            said_unanswered: false,
            plates: vec![],
        }
    }

    /// Whether `ups.status` cannot be told without it.
    pub(super) fn tells_status(&self) -> bool {
        self.query.tells_status() || self.query.cadence == Cadence::Quick
    }

    /// Whether it is asked again and again: it was answered once, or belongs to the status.
    pub(super) fn is_asked_on(&self) -> bool {
        match self.query.cadence {
            Cadence::Once | Cadence::AfterChange => false,
            Cadence::Full => self.reading.is_some() || self.answered > Moment::ZERO,
            Cadence::Quick => true,
        }
    }

    /// Whether the same came in place of a reply lately: then it is what the UPS says. Noise is never the same.
    pub(super) fn is_met(&self, odd: &Odd) -> bool {
        self.lately_odd.contains(odd)
    }

    /// A reply came as it is drawn: whether what came before it was noise, and not what the UPS says now and then.
    pub(super) fn was_noise(&mut self, form: Option<&Form>) -> bool {
        let Some((odd, _)) = self.odd.take() else { return false };
        let again = matches!(&odd, Odd::Form(before) if Some(before) == form);
        // silence was counted when it came
        odd != Odd::Silence && !again && self.lately_odd.iter().filter(|met| **met == odd).count() < 2
    }

    /// Takes note of what came in place of a reply; how often it came in a row.
    pub(super) fn meet(&mut self, odd: Odd) -> u8 {
        if self.lately_odd.len() == LATELY {
            self.lately_odd.pop_front();
        }
        self.lately_odd.push_back(odd.clone());
        let times = match self.odd.take() {
            Some((before, times)) if before == odd => times.saturating_add(1),
            _ => 1,
        };
        self.odd = Some((odd, times));
        times
    }

    /// Whether it got no reply, or the same words more than once.
    pub(in crate::device) fn says_the_same(&self) -> bool {
        self.odd.as_ref().is_some_and(|(odd, times)| *odd == Odd::Silence || *times > 1)
    }

    /// Whether silence, the same refusal, or nothing that can be read is all that came lately.
    pub(super) fn is_silent(&self) -> bool {
        self.misses >= UNREADABLE
            || self
                .odd
                .as_ref()
                .is_some_and(|(odd, times)| !matches!(odd, Odd::Form(_)) && *times > SAME_AGAIN)
    }

    /// Whether it says whether mains is there, was answered before, and met silence twice in a row now.
    pub(in crate::device) fn is_silent_again(&self) -> bool {
        self.says_mains && self.reading.is_some() && self.odd == Some((Odd::Silence, 2))
    }

    /// Whether it says whether mains is there, was answered before, and meets silence now.
    pub(in crate::device) fn awaits_mains(&self) -> bool {
        self.says_mains && self.reading.is_some() && matches!(self.odd, Some((Odd::Silence, _)))
    }

    /// Whether what it said of mains last is what is taken.
    pub(super) fn mains_is_settled(&self) -> bool {
        let taken = self.reading.as_ref().map(|reading| reading.status.has(Status::Online));
        self.says_mains && self.judge.newest_mains() == taken
    }

    /// Whether its last reply said all that is taken of it.
    pub(super) fn says_all(&self) -> bool {
        self.odd.is_none() && self.misses == 0 && self.whole >= self.answered && !self.refused
    }

    /// Whether it was asked more than once since its last reply, and met silence or a refusal.
    pub(super) fn is_unanswered(&self) -> bool {
        self.refused
            || self.odd.as_ref().is_some_and(|(odd, times)| !matches!(odd, Odd::Form(_)) && *times > 1)
    }

    /// The words that its replies say.
    pub(super) fn status(&self) -> Option<StatusSet> {
        self.reading.as_ref().map(|reading| reading.status)
    }

    /// What a reply is by itself.
    pub(in crate::device) fn sight(&mut self, line: &[u8]) -> Sight {
        self.seen.sight(self.query, line)
    }

    /// That it is not answered, for the log: by silence, in words, or by what is no reply to it.
    pub(super) fn unanswered(&self, address: u32) -> String {
        let (ask, about) = (self.query.ask, self.query.about);
        match &self.odd {
            Some((Odd::Bytes(line), _)) if is_refusal(&self.query.wire(address), line) => {
                format!("refuses {ask} ({about})")
            }
            Some((Odd::Bytes(_) | Odd::Form(_), _)) => {
                format!("answers {ask} ({about}) in a form that cannot be read; -DDD shows it")
            }
            Some((Odd::Silence, _)) | None => format!("does not answer {ask} ({about})"),
        }
    }

    /// Why a reply cannot be read as it is drawn.
    pub(super) fn misfit(&self, line: &[u8]) -> String {
        let (ask, reply) = (self.query.ask, line.escape_ascii());
        match self.query.read(line) {
            Err(misfit) => {
                format!("{ask}: '{reply}' does not fit at {}: {}", misfit.at.start, misfit.expected)
            }
            Ok(_) => format!("{ask}: '{reply}' is drawn in another form"),
        }
    }

    /// Takes what a reply says.
    pub(super) fn hear(
        &mut self,
        claims: &Claims,
        now: Moment,
        (since, values_since): (Moment, Moment),
        (quality, on_battery): (Quality, bool),
    ) -> Judged {
        self.answers |= claims.says_anything();
        let let_run = self.repeats >= REPEATS;
        let hearing = Hearing { now, since, values_since, quality, on_battery, let_run, word_is_news: false };
        let heard = self.judge.hear(claims, hearing);
        if heard.all {
            self.whole = now;
            self.withdrawn = false;
        }
        if heard.news {
            self.take(quality);
        }
        heard
    }

    /// Takes what is taken of its cells for its reading.
    pub(super) fn take(&mut self, quality: Quality) {
        let mut readings = self.judge.readings();
        // which way it regulates is for the voltages to tell
        let regulated = self.reading.as_ref().is_some_and(|last| last.status.has(Status::Regulating));
        if let Some(readings) = readings.as_mut().filter(|_| quality.is_hurt() && !regulated) {
            let volts = |said: &Readings| said.values.iter().any(|(var, _)| var.unit == Unit::Volt);
            if readings.status.has(Status::Regulating) && self.judge.runs(volts) {
                readings.status = readings.status.without(Status::Regulating);
            }
        }
        let status = |readings: &Option<Readings>| readings.as_ref().map(|readings| readings.status);
        self.changed |= self.reading.is_some() && status(&readings) != status(&self.reading);
        self.news = self.news.max(ReadingChange::between(self.reading.as_ref(), readings.as_ref()));
        self.reading = readings;
    }
}
