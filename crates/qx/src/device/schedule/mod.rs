//! The schedule: the queries of the dialect, what was read by each, when each is due, and how lively the UPS is.

mod age;
mod fresh;
mod outage;
mod pace;
mod polling;
mod repeats;
mod slot;

use super::Moment;
use crate::vocabulary::flag::Flags;
use crate::vocabulary::status::Status;
use crate::wire::fact::Facts;
use crate::wire::protocol::Protocol;
use crate::wire::query::Cadence;
use crate::wire::readings::Readings;
pub use fresh::STOPPED;
pub(super) use slot::QueryState;

/// What is asked, and when. Only the files of this folder change its moments by hand.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    slots: Vec<QueryState>,
    /// When it was read last whether mains is there.
    last_good: Moment,
    /// After a reload with a shorter interval what was read before is fresh until then.
    kept_until: Moment,
    /// The UPS is on battery, or says something that makes hosts halt: since when that is so, or is not.
    alert: bool,
    /// That data is stale was noticed late: the process did not run.
    noticed_late: bool,
    /// Why data became stale the last time.
    became_stale: &'static str,
    rhythm_since: Moment,
    /// Until then the status is asked more often.
    lively_until: Moment,
    /// When something else than the status was asked last.
    gave_way: Moment,
}

impl Schedule {
    /// The queries of a dialect, of which nothing is known.
    pub(super) fn begin(&mut self, protocol: &'static Protocol) {
        self.slots = protocol.queries.iter().map(|query| QueryState::new(query)).collect();
    }

    /// What was read so far is fresh until then, and the status is asked now.
    pub(super) fn keep_until(&mut self, until: Moment, now: Moment) {
        self.kept_until = until;
        self.ask_status(now);
    }

    /// There is no dialect any more.
    pub(super) fn clear(&mut self) {
        self.slots.clear();
    }

    /// The queries of the dialect, in its order; none before it is found.
    pub(super) fn slots(&self) -> &[QueryState] {
        &self.slots
    }

    /// The same, to be changed.
    pub(super) fn slots_mut(&mut self) -> &mut [QueryState] {
        &mut self.slots
    }

    /// When the next query is due.
    pub(super) fn due(&self) -> Option<Moment> {
        self.slots.iter().filter(|slot| !self.waits(slot)).filter_map(|slot| slot.due).min()
    }

    /// Whether a question is not asked now, though it is due.
    fn waits(&self, slot: &QueryState) -> bool {
        self.waits_for_mains(slot) || self.waits_for_calm(slot)
    }

    /// In an outage nothing is asked that was not answered so far, unless it may tell of it: on a slow line it keeps the
    /// status and the battery waiting.
    fn waits_for_calm(&self, slot: &QueryState) -> bool {
        let tells = slot.tells_status() || slot.counts_on_battery || slot.query.raises();
        self.alert && slot.refused && slot.reading.is_none() && !tells
    }

    /// Whether a question waits for mains: what says whether mains is there was answered before and meets silence, and
    /// when it is answered again that comes first.
    fn waits_for_mains(&self, slot: &QueryState) -> bool {
        let tells = |slot: &&QueryState| slot.says_mains && slot.applies && !slot.refused;
        let mut of_mains = self.slots.iter().filter(tells).peekable();
        slot.query.cadence != Cadence::Quick
            && of_mains.peek().is_some()
            && of_mains.all(QueryState::awaits_mains)
    }

    /// What is known of the UPS, from its last replies.
    pub(super) fn facts(&self, flags: Flags) -> Facts<'_> {
        let heard = self.slots.iter().filter_map(|slot| Some((slot.query, slot.reading.as_ref()?)));
        Facts::new(heard, flags)
    }

    /// Whether a question was answered before.
    pub(super) fn is_known(&self, at: usize) -> bool {
        self.slots.get(at).is_some_and(|slot| slot.reading.is_some())
    }

    /// Whether a question is answered, as far as that is known.
    pub(super) fn answers(&self, at: usize) -> bool {
        self.slots.get(at).is_some_and(|slot| slot.reading.is_some() && !slot.refused)
    }

    /// When it was read last whether mains is there.
    pub(super) fn last_good(&self) -> Moment {
        self.last_good
    }

    /// Something else than the status is asked.
    pub(super) fn gives_way(&mut self, now: Moment) {
        self.gave_way = now;
    }

    /// Takes note of whether the UPS is on battery, or says something that makes hosts halt; whether that is news.
    pub(super) fn note_status(&mut self, alert: bool, now: Moment) -> bool {
        let is_news = std::mem::replace(&mut self.alert, alert) != alert;
        if is_news {
            self.rhythm_since = now;
        }
        is_news
    }

    /// Whether anything that is taken says that mains is away.
    fn is_on_battery(&self) -> bool {
        let off_mains = |said: &Readings| said.covers.has(Status::Online) && !said.status.has(Status::Online);
        self.slots.iter().filter_map(|slot| slot.reading.as_ref()).any(off_mains)
    }

    /// Whether a part of the status was taken since then.
    pub(super) fn was_heard_since(&self, since: Moment) -> bool {
        let of_status = |slot: &&QueryState| slot.query.cadence == Cadence::Quick && slot.reading.is_some();
        self.slots.iter().filter(of_status).any(|slot| slot.answered >= since && slot.applies)
    }

    /// Whether each part of the status that the UPS tells was taken after that.
    pub(super) fn status_is_whole_since(&self, since: Moment) -> bool {
        self.status_is_whole(|answered| answered > since)
    }

    /// The same, but for parts that meet silence now.
    pub(super) fn status_is_as_whole_since(&self, since: Moment) -> bool {
        let part = |slot: &&QueryState| {
            slot.query.cadence == Cadence::Quick
                && slot.applies
                && slot.reading.is_some()
                && !slot.is_unanswered()
        };
        let mut parts = self.slots.iter().filter(part).peekable();
        parts.peek().is_some() && parts.all(|slot| slot.answered >= since)
    }

    /// Whether each part of the status that the UPS tells was taken at such a moment.
    pub(super) fn status_is_whole(&self, when: impl Fn(Moment) -> bool) -> bool {
        let part = |slot: &&QueryState| {
            slot.query.cadence == Cadence::Quick && slot.applies && !slot.refused && slot.reading.is_some()
        };
        let mut parts = self.slots.iter().filter(part).peekable();
        parts.peek().is_some() && parts.all(|slot| when(slot.answered))
    }

    /// Whether something of the status is between two states, and is asked again.
    pub(super) fn status_is_open(&self) -> bool {
        let is_open =
            |slot: &QueryState| slot.query.cadence == Cadence::Quick && slot.applies && slot.repeats > 0;
        self.slots.iter().any(is_open)
    }

    /// What is asked once is asked again.
    pub(super) fn ask_once_anew(&mut self, now: Moment) {
        let once =
            |slot: &&mut QueryState| matches!(slot.query.cadence, Cadence::Once | Cadence::AfterChange);
        for slot in self.slots.iter_mut().filter(once).filter(|slot| slot.applies) {
            slot.due = Some(now);
            slot.repeats = 0;
        }
    }

    /// The status is asked next.
    pub(super) fn ask_status(&mut self, now: Moment) {
        for slot in self.slots.iter_mut().filter(|slot| slot.query.cadence == Cadence::Quick) {
            if slot.applies && !slot.refused {
                slot.due = Some(slot.due.map_or(now, |due| due.min(now)));
            }
        }
    }
}
