//! Replies that come late: to the question after their own, or unasked.
//!
//! A reply tells by its form whose it is, if that form is telling. What came late once says how slow the UPS
//! is, so that the next one is waited for; and what was asked meanwhile may have got another's reply, so it is
//! asked again when the line is well.

use super::sight::Sight;
use crate::detect::SLOWEST;
use crate::device::timing::{UNASKED, WELL_AGAIN};
use crate::device::{Device, Moment};
use crate::line::exchange::Reply;
use crate::vocabulary::status::Status;
use crate::wire::query::Query;
use std::collections::VecDeque;
use std::time::Duration;

/// So many questions are remembered.
const QUESTIONS: usize = 6;
/// A reply of so many bytes fits no other query by chance.
const TELLING: usize = 20;

/// What was asked last, and what came of it.
#[derive(Debug)]
struct Question {
    query: &'static Query,
    asked: Moment,
    answered: bool,
}

/// What is known of late replies.
#[derive(Debug, Default)]
pub(super) struct Late {
    questions: VecDeque<Question>,
    /// So slow the UPS is, if something comes unasked before the next question.
    pub(super) suspected: Option<Duration>,
    /// Nothing is asked before.
    pub(super) pause: Moment,
    /// The last reply was late and said another thing of mains: those to the questions after it are on their way.
    follows: bool,
    /// When all is asked anew that was asked once.
    again: Option<Moment>,
}

impl Late {
    /// Goes on from what was seen while the dialect was looked for.
    pub(super) fn go_on(&mut self, suspected: Option<Duration>, pause: Moment) {
        (self.suspected, self.pause) = (suspected, pause);
    }

    fn push(&mut self, question: Question) {
        self.questions.push_back(question);
        if self.questions.len() > QUESTIONS {
            self.questions.pop_front();
        }
    }

    /// When a query was asked whose reply may come yet, and did not: the first time, or on a noisy line the last.
    fn asked_in_vain(&self, own: &'static Query, came: Moment, is_noisy: bool) -> Option<Moment> {
        let in_vain = |question: &&Question| {
            std::ptr::eq(question.query, own) && !question.answered && came - question.asked <= SLOWEST
        };
        // a UPS answers in turn: what was asked before a question that is answered comes no more
        let in_turn = |question: &Question| {
            question.answered && !std::ptr::eq(question.query, own) && question.query.picture.len() >= TELLING
        };
        let since_turn = self.questions.iter().rposition(in_turn).unwrap_or(0);
        let mut vain = self.questions.iter().skip(since_turn).filter(in_vain);
        let found = if is_noisy { vain.next_back() } else { vain.next() };
        found.map(|question| question.asked)
    }

    /// A query is answered, whenever it was asked.
    fn all_answered(&mut self, own: &'static Query) {
        let same = self.questions.iter_mut().filter(|one| std::ptr::eq(one.query, own));
        same.for_each(|one| one.answered = true);
    }
}

impl Device {
    /// Takes a reply to a query away that is the late one to another; notes how slow the UPS is, if it is slower
    /// than `usual`.
    pub(in crate::device) fn sort_out_late(
        &mut self,
        at: usize,
        reply: &mut Reply,
        sight: Option<Sight>,
        usual: Option<Duration>,
        (since, now): (Moment, Moment),
    ) {
        let own = self.schedule.slots()[at].query;
        if let Some(slow) = self.line.late.suspected.take().filter(|_| reply.stray) {
            self.line.latency.measure(slow);
        }
        let came = since + reply.latency;
        let owner = reply.line.as_deref().and_then(|line| self.late_owner(own, line, sight, came));
        if let Some((asked, answered)) = owner {
            reply.line = None;
            if !answered {
                self.line.latency.measure(came - asked);
            }
            self.line.late.pause = now + (came - asked).min(SLOWEST) + UNASKED;
            self.line.late.again = Some(now + WELL_AGAIN);
        }
        let follows = std::mem::take(&mut self.line.late.follows);
        let answered = reply.line.is_some() && sight.is_some_and(|sight| sight.fits);
        // what comes as fast as ever is no late reply: the one before was lost
        // (nor is what was seen only when it was whole, in the time that it usually takes)
        let is_usual = !follows && usual.is_some_and(|usual| reply.by_lines || reply.latency <= 2 * usual);
        let before = self.line.late.asked_in_vain(own, came, self.line.hurt);
        let before = before.filter(|_| answered && !is_usual);
        let mut question = Question { query: own, asked: since, answered };
        if let Some(before) = before {
            question.answered &= !self.expect_more(at, reply.line.as_deref(), before, (since, came), follows);
        }
        if question.answered {
            self.line.late.all_answered(own);
        }
        self.line.late.push(question);
    }

    /// A reply may be that to the same question before, asked at `before`: those to the questions after it come late as
    /// well. Whether it is read again at once, for it says another thing of mains.
    fn expect_more(
        &mut self,
        at: usize,
        line: Option<&[u8]>,
        before: Moment,
        (since, came): (Moment, Moment),
        follows: bool,
    ) -> bool {
        let slot = &self.schedule.slots()[at];
        let own = slot.query;
        let says = |line: &[u8]| own.read(line).ok().filter(|fit| fit.readings.covers.has(Status::Online));
        let mains = line.filter(|_| slot.says_mains).and_then(says);
        let is_news = mains.map(|fit| fit.readings.status.has(Status::Online)) != slot.judge.newest_mains();
        let late = &mut self.line.late;
        late.suspected = Some(came - before);
        // an outage is read again before the line is left to become quiet
        if is_news && !follows && slot.says_mains {
            late.follows = true;
            let mut questions = late.questions.iter_mut();
            questions.find(|one| one.asked == before).into_iter().for_each(|one| one.answered = true);
            return true;
        }
        // mains that is not answered does not wait until the line is quiet for another question's sake
        let mains_waits = !slot.says_mains && self.schedule.slots().iter().any(|slot| slot.awaits_mains());
        if !mains_waits {
            late.pause = since + (came - before) + UNASKED;
            self.line.settle = true;
        }
        false
    }

    /// When the question was asked to which a line is the late reply, rather than to `own`, and whether it had
    /// one already.
    fn late_owner(
        &self,
        own: &'static Query,
        line: &[u8],
        sight: Option<Sight>,
        came: Moment,
    ) -> Option<(Moment, bool)> {
        let drawn = |query: &Query| query.read(line).is_ok_and(|fit| fit.odd.is_none());
        // what takes any text takes that of others as well
        let takes_any = own.picture.len() < TELLING && line.len() >= TELLING;
        if sight.is_some_and(|sight| sight.drawn) && !takes_any
            || line.len() < TELLING
            || crate::wire::refusal::is_refusal(&own.wire(self.address()), line)
        {
            return None;
        }
        let mut before = self.line.late.questions.iter().rev();
        let owner = before.find(|one| {
            !std::ptr::eq(one.query, own)
                && came - one.asked <= SLOWEST
                && one.query.picture.len() >= TELLING
                && drawn(one.query)
        })?;
        Some((owner.asked, owner.answered))
    }

    /// Asks again what is asked once, when replies came to other questions and do so no more.
    pub(in crate::device) fn ask_once_more(&mut self, now: Moment) {
        if self.line.late.again.is_none_or(|again| again > now) || !self.ready {
            return;
        }
        self.line.late.again = None;
        self.schedule.ask_once_anew(now);
    }

    /// The line was disturbed: what was asked only once is asked again after a while.
    pub(in crate::device) fn was_late(&mut self, now: Moment) {
        self.line.late.again = Some(now + WELL_AGAIN);
    }

    /// When that is.
    pub(in crate::device) fn once_more_due(&self) -> Option<Moment> {
        self.line.late.again.filter(|_| self.ready)
    }
}
