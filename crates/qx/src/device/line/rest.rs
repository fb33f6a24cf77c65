//! Rest: some UPSes hear nothing for a while behind their own reply, or behind a question that they did not hear.
//!
//! NUT asks one question each `pollinterval` and never meets it. What is asked again at once meets silence then, time
//! after time, and what is asked later is answered: from that it is known how long such a UPS rests. Where nothing is
//! answered any more, the line is left alone now and then for as long as NUT leaves it alone; what is answered then
//! shows behind which question the UPS rests, and for how long.

use super::hearing::{BeforeSending, OrderHearing};
use crate::device::Moment;
use std::time::Duration;

/// No UPS needs longer; one that does is one that does not answer.
const LONGEST: Duration = Duration::from_secs(30);
/// So often a question right behind another was lost, and one later answered, with none right behind answered meanwhile.
const KNOWN_AFTER: u8 = 2;
/// After so many questions in a row that were not answered, the line is left alone: asking may be what keeps it silent.
const IN_A_ROW: u8 = 5;
/// It is left alone for so long, or for this part of the time that it has been silent for if that is more, so that one that
/// is back is found soon; or as long as NUT leaves it alone if that is shorter.
const ALONE: Duration = Duration::from_secs(4);
const PART_OF_SILENCE: u32 = 3;
/// The same after fewer, where the last reply told of an outage and that is published: then nothing is urgent, and the line is
/// left alone for as long as NUT leaves it alone, but for this.
const TOLD_IN_A_ROW: u8 = 3;
const TOLD_AT_MOST: Duration = Duration::from_millis(12_500);
/// Each time after so many, for no less than [`ALONE`], however often NUT asks.
const FOR_LONG: u8 = 21;
/// So many questions after that are asked later, and no sooner than NUT asks them once a rest was seen twice;
const CAREFUL: u8 = 3;
/// before that after so long: one that was silent for another reason has news.
const NEWS_WAITS: Duration = Duration::from_millis(1500);
/// An order does not wait for longer than this,
const BEFORE_ORDER: Duration = Duration::from_millis(2500);
/// than this where polls are farther apart,
const SUSPECTED_AT_MOST: Duration = Duration::from_secs(10);
/// or than this, where it was seen that the UPS does not hear sooner.
const BEFORE_ORDER_AT_MOST: Duration = Duration::from_millis(12_500);
/// A question that was answered sooner than this after one that was lost shows that nothing rests there, and so does one
/// that was lost after a rest as long as NUT's; if that happens
const SOON: Duration = Duration::from_secs(1);
/// so often. (Once the lost one may not have reached the UPS.)
const SHOWN_AFTER: u8 = 2;
/// It counts no more after so many replies in a row: a line that lost one in a month loses none at random.
const FORGOTTEN_AFTER: u16 = 300;

/// A rest behind the reply to one question, after which a UPS answered that had not answered sooner.
#[derive(Clone, Copy, Debug)]
struct RestBehind {
    question: &'static str,
    rest: Duration,
    /// It was seen twice, and nothing was answered sooner meanwhile.
    is_known: bool,
}

/// What is known of the rest that a UPS needs.
#[derive(Debug, Default)]
pub(super) struct Rest {
    /// When the line was in use last: the end of a reply, or a question that was not answered.
    used: Moment,
    /// The end of the last reply, and to which question it was.
    said: Moment,
    said_to: Option<&'static str>,
    /// How far polls are apart. NUT asks no sooner, so a rest behind what NUT asks is no longer.
    interval: Duration,
    /// The shortest rest behind a reply after which a question was answered, and the longest after which one was not.
    enough: Option<Duration>,
    too_short: Option<Duration>,
    /// The question that was lost and not answered since. (Another one that is answered tells nothing of it: it may be
    /// one that this UPS does not answer any more.)
    lost: Option<usize>,
    /// How often the two were seen in turn.
    times: u8,
    /// What this UPS answered, and how many such questions were lost since the last reply.
    answered: Vec<&'static str>,
    in_a_row: u8,
    /// When the first of them was sent.
    silent_since: Moment,
    /// The longest time without any question after which one was lost all the same, in this silence.
    longest_lost: Duration,
    /// The line was opened since: it is asked at once.
    is_reopened: bool,
    /// What the last reply said of mains is published.
    is_told: bool,
    /// It was when the silence began behind which it is asked carefully.
    was_told: bool,
    /// When a question right behind a reply was answered.
    right_behind: Moment,
    /// A question was not answered, be it one that this UPS does not know.
    met_silence: bool,
    /// A question was answered after the rest that was found, and none was lost before it.
    is_proven: bool,
    /// How often it was seen that questions are lost at random, and how many replies came since the last loss.
    at_random: u8,
    replies: u16,
    /// Rests behind single questions.
    behind: Vec<RestBehind>,
    /// After how short a rest behind a question another one was answered, since the last such rest was seen.
    heard_behind: Vec<(&'static str, Duration)>,
    /// So many of the next questions are not asked sooner than NUT would ask them.
    careful: u8,
    /// How soon it hears, as far as orders need it.
    hearing: OrderHearing,
    /// Replies are garbled all the time.
    is_noisy: bool,
}

impl Rest {
    /// Of a line on which polls are so far apart.
    pub(super) fn new(interval: Duration) -> Rest {
        Rest { interval: interval.min(LONGEST), ..Rest::default() }
    }

    /// Another UPS answers: all that is known is how often it is asked.
    pub(super) fn forget(&mut self) {
        *self = Rest::new(self.interval);
    }

    /// The line was away, or was opened anew, and is asked at once: what was seen behind single questions stays.
    pub(super) fn reopen(&mut self) {
        let before = std::mem::take(self);
        *self = Rest {
            interval: before.interval,
            used: before.used,
            said_to: before.said_to,
            answered: before.answered,
            in_a_row: before.in_a_row,
            silent_since: before.silent_since,
            longest_lost: before.longest_lost,
            behind: before.behind,
            heard_behind: before.heard_behind,
            hearing: before.hearing,
            is_reopened: true,
            ..Rest::default()
        };
    }

    /// Polls are so far apart from now on.
    pub(super) fn set_interval(&mut self, interval: Duration) {
        self.interval = interval.min(LONGEST);
    }

    /// Whether replies are garbled all the time: then most questions that are lost were garbled as well.
    pub(super) fn note_noise(&mut self, is_noisy: bool) {
        self.is_noisy = is_noisy;
    }

    /// What the last reply said of mains is published, though none came to the question behind it.
    pub(super) fn note_told(&mut self) {
        self.is_told = true;
    }

    /// What became of a question, which was sent at `asked`; none stands for an order. `known`, when it is one that this UPS
    /// answers, is which.
    pub(super) fn conclude(
        &mut self,
        answered: bool,
        (question, known): (Option<&'static str>, Option<usize>),
        asked: Moment,
        now: Moment,
    ) {
        // some count from their reply, some from a question that they did not hear as well
        let (gap, behind_reply) = (asked.saturating_sub(self.used), asked.saturating_sub(self.said));
        // a word to an order is no reply behind which it rests
        let is_behind_order = self.said > Moment::ZERO && self.said_to.is_none() && gap == behind_reply;
        let was_pausing = self.left_alone().is_some();
        // longer than where one was lost in the same silence
        let was_left_alone = match self.suspected() {
            Some(rest) => gap >= rest,
            None => (self.in_a_row >= IN_A_ROW || was_pausing) && gap > self.longest_lost.max(SOON),
        };
        let line = BeforeSending {
            gap,
            behind_reply,
            interval: self.interval,
            said_to: self.said_to,
            was_there: self.said > Moment::ZERO,
            lost_before: self.in_a_row > 0,
            // so does one that has answered all it knows
            never_missed: self.too_short.is_none() && self.behind.is_empty(),
        };
        match question {
            Some(question) => {
                // (one that was answered last is one that it answers)
                let is_known = known.is_some() || self.said_to == Some(question);
                self.hearing.note_question((answered, is_known), line, now);
            }
            None => self.hearing.note_order(answered, line, now),
        }
        self.used = if answered { now } else { asked };
        let lost_before = self.in_a_row > 0;
        let is_first = self.said == Moment::ZERO;
        self.met_silence |= !answered;
        if answered && !lost_before && gap < SOON && !is_first {
            self.right_behind = now;
        }
        let is_answered = question.is_some_and(|question| self.is_answered(question));
        if answered {
            self.note_rest_behind(was_left_alone, lost_before, gap);
            (self.said, self.said_to, self.in_a_row) = (now, question, 0);
            self.longest_lost = Duration::ZERO;
            self.was_told = std::mem::take(&mut self.is_told) || self.was_told && self.careful > 0;
            self.answered.extend(question.filter(|_| !is_answered));
        } else if is_answered || lost_before {
            if !lost_before {
                self.silent_since = asked;
            }
            self.in_a_row = self.in_a_row.saturating_add(1);
            self.longest_lost = if lost_before { gap.max(self.longest_lost) } else { Duration::ZERO };
            self.careful = 0;
        }
        self.is_reopened = false;
        if known.is_none() {
            return;
        }
        self.replies = if answered { self.replies.saturating_add(1) } else { 0 };
        if self.replies >= FORGOTTEN_AFTER {
            self.at_random = 0;
            self.behind.clear();
            self.hearing.forget_losses();
        }
        if answered && !was_pausing && lost_before && gap < SOON {
            self.at_random = self.at_random.saturating_add(1);
        }
        if is_behind_order {
            return;
        }
        self.is_proven |= answered && !lost_before && self.is_known();
        self.compare(answered, known, (gap, behind_reply), is_first);
    }

    /// Whether the last order, which was not answered, was heard, as far as that is known.
    pub(super) fn heard_order(&self) -> bool {
        self.hearing.heard_order()
    }

    /// Whether one more question is to show whether it was.
    pub(super) fn is_order_unproven(&self) -> bool {
        self.hearing.is_order_unproven()
    }

    /// What the reply to a question says of the rest behind the reply before it.
    fn note_rest_behind(&mut self, was_left_alone: bool, lost_before: bool, gap: Duration) {
        self.careful = self.careful.saturating_sub(1);
        let Some(question) = self.said_to else { return };
        let at = self.behind.iter().position(|behind| behind.question == question);
        if was_left_alone {
            let is_known = at.map(|at| self.behind.swap_remove(at)).is_some();
            self.behind.push(RestBehind { question, rest: gap.min(LONGEST), is_known });
            self.careful = CAREFUL;
            // what was so before may be so no more
            self.heard_behind.clear();
        } else if !lost_before {
            match at.filter(|at| gap < self.behind[*at].rest) {
                // it hears sooner
                Some(at) if gap < SOON => _ = self.behind.swap_remove(at),
                Some(at) => self.behind[at].rest = gap,
                None => {}
            }
            match self.heard_behind.iter_mut().find(|(known, _)| *known == question) {
                Some((_, shortest)) => *shortest = gap.min(*shortest),
                None => self.heard_behind.push((question, gap)),
            }
        }
    }

    /// Compares when a question was answered with when another one was not.
    fn compare(
        &mut self,
        answered: bool,
        known: Option<usize>,
        (gap, behind_reply): (Duration, Duration),
        is_first: bool,
    ) {
        let contradicts = match (answered, self.enough, self.too_short) {
            (true, _, Some(too_short)) => behind_reply <= too_short,
            (false, Some(enough), _) => gap >= enough.min(self.interval * 3 / 4),
            _ => false,
        };
        if contradicts {
            // it is the line that loses some
            (self.enough, self.too_short, self.lost, self.times) = (None, None, None, 0);
            self.at_random = self.at_random.saturating_add(1);
            self.is_proven = false;
        } else if answered {
            // behind a lost question it shows something where the line was left alone for clearly longer than before that
            let shows =
                gap == behind_reply || self.too_short.is_some_and(|too_short| 2 * gap > 3 * too_short);
            if shows && !is_first {
                self.enough = Some(self.enough.map_or(behind_reply, |enough| enough.min(behind_reply)));
            }
            if self.lost == known {
                self.lost = None;
                self.times = self.times.saturating_add(1);
            }
        } else {
            self.too_short = self.too_short.max(Some(gap));
            self.lost = known;
        }
    }

    /// Whether this UPS answered a question before.
    fn is_answered(&self, question: &str) -> bool {
        self.answered.contains(&question)
    }

    /// Whether it was seen often enough: more often where questions were lost at random as well.
    fn is_known(&self) -> bool {
        self.times >= KNOWN_AFTER.saturating_mul(1 + 2 * self.at_random.min(SHOWN_AFTER))
    }

    /// For how long nothing is asked behind questions that were lost; none where the next one may be asked.
    fn left_alone(&self) -> Option<Duration> {
        let silent = self.used.saturating_sub(self.silent_since);
        let alone = match self.in_a_row {
            TOLD_IN_A_ROW if self.is_told => Some(ALONE.min(self.interval)),
            TOLD_IN_A_ROW.. if self.is_told => Some(self.interval.min(TOLD_AT_MOST)),
            ..IN_A_ROW => None,
            lost if lost % FOR_LONG == 0 => Some(ALONE.max(self.interval)),
            _ => Some(ALONE.max(silent / PART_OF_SILENCE).min(self.interval)),
        };
        // a line that loses some at random does not lose so many, nor does noise more than that
        let most = if self.is_noisy { 2 * IN_A_ROW + 2 } else { IN_A_ROW + 2 };
        let is_random = self.in_a_row < most && (self.is_noisy || self.at_random >= SHOWN_AFTER);
        self.suspected().or(alone.filter(|_| !is_random))
    }

    /// The rest that was seen behind the same question before: there the first loss is enough.
    fn suspected(&self) -> Option<Duration> {
        self.rest_behind().filter(|_| self.in_a_row == 1).map(|behind| behind.rest)
    }

    /// What was seen of a rest behind the question that was answered last.
    fn rest_behind(&self) -> Option<&RestBehind> {
        self.behind.iter().find(|behind| Some(behind.question) == self.said_to)
    }

    /// Until when this UPS hears nothing, as far as that is known.
    pub(super) fn over(&self) -> Moment {
        if self.is_reopened {
            return self.said;
        }
        let known = self.enough.filter(|_| self.is_known()).unwrap_or_default().min(self.interval);
        let rest = match self.left_alone() {
            Some(alone) => known.max(alone),
            None if self.in_a_row > 0 => known,
            None => known.max(self.behind_last()),
        };
        self.used + rest
    }

    /// The same where none was lost since its last reply; who is looked for is not waited for otherwise.
    pub(super) fn behind_reply(&self) -> Moment {
        if self.in_a_row > 0 || self.is_reopened {
            Moment::ZERO
        } else {
            self.used + self.known_behind_last()
        }
    }

    /// How long nothing is asked behind the last reply.
    fn behind_last(&self) -> Duration {
        let known = self.known_behind_last();
        if self.careful == 0 {
            return known;
        }
        let found = self.behind.iter().map(|behind| behind.rest).max().unwrap_or_default();
        // (there is no news to be read again where it was told before the silence)
        let was_seen_twice = self.was_told || self.behind.iter().any(|behind| behind.is_known);
        known.max(self.interval.min(if was_seen_twice { 2 * found } else { NEWS_WAITS }))
    }

    /// The rest behind the last reply: behind one of which nothing is known, that behind others.
    fn known_behind_last(&self) -> Duration {
        let known = self.behind.iter().filter(|behind| behind.is_known);
        let own = self.rest_behind().filter(|behind| behind.is_known).map(|behind| behind.rest);
        let general = known.map(|behind| behind.rest).max().unwrap_or_default();
        let heard = self.heard_behind.iter().find(|(question, _)| Some(*question) == self.said_to);
        // as often as NUT asks it is to be seen whether one that is not known to need it needs it
        let needs_less = self.careful > 0 || heard.is_some_and(|(_, gap)| *gap < general);
        own.unwrap_or(if needs_less { Duration::ZERO } else { general })
    }

    /// The longest rest that it is known to need, as far as polls are not farther apart.
    pub(super) fn longest(&self) -> Duration {
        let enough = self.enough.filter(|_| self.is_known()).unwrap_or_default();
        let behind = self.behind.iter().filter(|behind| behind.is_known).map(|behind| behind.rest).max();
        enough.max(behind.unwrap_or_default()).min(self.interval)
    }

    /// Whether a rest was found, and is tried.
    pub(super) fn is_tried(&self) -> bool {
        self.is_known() && !self.is_proven || self.careful > 0
    }

    /// How long the line is left alone before an order: what is not heard looks as if it was taken, so one loss that
    /// nothing contradicts is enough to wait for longer.
    pub(super) fn before_order(&self) -> Duration {
        let behind = self.behind.iter().map(|behind| behind.rest).max().unwrap_or_default();
        let rest = match (self.enough, self.too_short) {
            (Some(enough), _) if self.is_known() => enough,
            (enough, Some(too_short)) => enough.unwrap_or(2 * too_short).min(self.suspected_at_most()),
            // nothing was answered right behind something else yet
            _ if self.met_silence && self.right_behind == Moment::ZERO => BEFORE_ORDER,
            _ => Duration::ZERO,
        };
        let own = self.hearing.before_order(self.said_to, (self.interval, self.suspected_at_most()));
        rest.max(behind).max(own).min(BEFORE_ORDER_AT_MOST)
    }

    /// How long one loss makes an order wait at most.
    fn suspected_at_most(&self) -> Duration {
        self.interval.clamp(BEFORE_ORDER, SUSPECTED_AT_MOST)
    }

    /// When the line was in use last.
    pub(super) fn used(&self) -> Moment {
        self.used
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(2);

    /// Asks so long after the line was used; the UPS rests for `rest`.
    fn ask(rest: &mut Rest, after: u64, needs: u64) -> Moment {
        let asked = rest.used() + Duration::from_millis(after);
        rest.conclude(after >= needs, (Some("Q1"), Some(0)), asked, asked + Duration::from_millis(30));
        rest.over()
    }

    #[test]
    fn a_rest_is_found_from_questions_that_are_lost_right_behind_others() {
        let mut rest = Rest::new(INTERVAL);
        for _ in 0..5 {
            ask(&mut rest, 1970, 600);
        }
        assert_eq!(rest.over(), rest.used(), "nothing was lost");
        for _ in 0..2 {
            assert_eq!(rest.over(), rest.used());
            ask(&mut rest, 0, 600);
            ask(&mut rest, 1970, 600);
        }
        assert_eq!(rest.over(), rest.used() + Duration::from_millis(1970));
        // once a shorter one was enough, that
        ask(&mut rest, 1000, 600);
        assert_eq!(rest.over(), rest.used() + Duration::from_millis(1000));
    }

    #[test]
    fn another_question_that_falls_silent_is_no_rest() {
        let mut rest = Rest::new(INTERVAL);
        for _ in 0..5 {
            let asked = rest.used() + Duration::from_millis(1970);
            rest.conclude(true, (Some("Q1"), Some(0)), asked, asked + Duration::from_millis(30));
            // right behind the status, and the status a while behind it
            rest.conclude(false, (Some("F"), Some(1)), rest.used(), rest.used() + Duration::from_secs(1));
            let asked = rest.used() + Duration::from_secs(1);
            rest.conclude(true, (Some("Q1"), Some(0)), asked, asked + Duration::from_millis(30));
            assert_eq!(rest.over(), rest.used());
        }
    }

    #[test]
    fn a_line_that_loses_some_needs_no_rest() {
        let mut rest = Rest::new(INTERVAL);
        for round in 0..30 {
            ask(&mut rest, 1970, 0);
            // one of two is lost, whenever it was asked
            let needs = if round % 2 == 0 { u64::MAX } else { 0 };
            ask(&mut rest, 0, needs);
            assert_eq!(rest.over(), rest.used(), "{round}");
        }
        for _ in 0..3 {
            ask(&mut rest, 1970, u64::MAX);
            ask(&mut rest, 1000, u64::MAX);
            ask(&mut rest, 1970, 0);
            assert_eq!(rest.over(), rest.used());
        }
    }

    #[test]
    fn what_asking_keeps_silent_is_left_alone_for_no_longer_than_nut_leaves_it() {
        let five = Duration::from_secs(5);
        let mut rest = Rest::new(five);
        ask(&mut rest, 5000, 0);
        for round in 1..=4 * FOR_LONG {
            ask(&mut rest, 1000, u64::MAX);
            // it has been silent for a second less than questions were lost
            let alone = match round {
                ..IN_A_ROW => Duration::ZERO,
                21 | 42 | 63 | 84 => five,
                IN_A_ROW..=13 => ALONE,
                14..16 => Duration::from_millis(u64::from(round - 1) * 1000 / 3),
                _ => five,
            };
            let took = rest.over() - rest.used();
            assert!(took.abs_diff(alone) < Duration::from_millis(1), "{round}: {took:?}");
        }
        // a UPS that was silent for any other reason is found soon after it is back
        let mut rest = Rest::new(LONGEST);
        ask(&mut rest, 5000, 0);
        (0..30).for_each(|_| _ = ask(&mut rest, 1000, u64::MAX));
        assert_eq!(rest.over(), rest.used() + Duration::from_secs(29) / 3);
        rest.conclude(true, (Some("Q1"), Some(0)), rest.over(), rest.over() + Duration::from_millis(30));
        assert!(rest.over() <= rest.used() + NEWS_WAITS, "what it said is read once more");
        let mut rest = Rest::new(five);
        ask(&mut rest, 5000, 0);
        (0..4 * FOR_LONG).for_each(|_| _ = ask(&mut rest, 1000, u64::MAX));
        // a line that loses questions at random shows it, and not by one that the UPS may not have got
        for is_left_alone in [true, false] {
            ask(&mut rest, 900, 0);
            (0..IN_A_ROW - 1).for_each(|_| _ = ask(&mut rest, 900, u64::MAX));
            ask(&mut rest, 900, 0);
            (0..IN_A_ROW).for_each(|_| _ = ask(&mut rest, 5000, u64::MAX));
            assert_eq!(rest.left_alone().is_some(), is_left_alone);
        }
        // which is forgotten
        (0..FORGOTTEN_AFTER).for_each(|_| _ = ask(&mut rest, 5000, 0));
        (0..IN_A_ROW).for_each(|_| _ = ask(&mut rest, 1000, u64::MAX));
        assert!(rest.left_alone().is_some());
    }

    /// Asks a question so long after the line was used, and says whether it is answered.
    fn ask_of(rest: &mut Rest, question: &'static str, after: u64, is_answered: bool) {
        let asked = rest.used() + Duration::from_millis(after);
        rest.conclude(is_answered, (Some(question), Some(0)), asked, asked + Duration::from_millis(30));
    }

    #[test]
    fn a_rest_behind_one_question_is_kept_behind_that_one() {
        let mut rest = Rest::new(INTERVAL);
        ask_of(&mut rest, "Q1", 2000, true);
        for round in 0..2 {
            ask_of(&mut rest, "F", 0, true);
            assert_eq!(rest.over(), rest.used(), "{round}: it is not known yet");
            let lost = if round == 0 { 2 * FOR_LONG } else { 1 };
            (0..lost).for_each(|_| ask_of(&mut rest, "Q1", 1000, false));
            assert_eq!(rest.over(), rest.used() + ALONE, "{round}: left alone");
            ask_of(&mut rest, "Q1", 4000, true);
            for _ in 0..CAREFUL {
                let waits = if round == 0 { NEWS_WAITS } else { INTERVAL };
                assert_eq!(rest.over(), rest.used() + waits, "{round}: later, and no sooner than NUT");
                ask_of(&mut rest, "Q1", 2000, true);
            }
            assert_eq!(rest.over(), rest.used());
        }
        ask_of(&mut rest, "F", 0, true);
        assert_eq!(rest.over(), rest.used() + ALONE);
        // what hears sooner needs none
        ask_of(&mut rest, "Q1", 100, true);
        ask_of(&mut rest, "F", 0, true);
        assert_eq!(rest.over(), rest.used());
    }

    #[test]
    fn a_rest_that_is_known_stays_when_the_line_is_opened_anew_and_goes_with_the_ups() {
        let mut rest = Rest::new(INTERVAL);
        ask_of(&mut rest, "F", 0, true);
        (0..IN_A_ROW).for_each(|_| ask_of(&mut rest, "F", 1000, false));
        ask_of(&mut rest, "F", 2000, true);
        (0..1).for_each(|_| ask_of(&mut rest, "F", 2000, false));
        ask_of(&mut rest, "F", 2000, true);
        assert!(rest.longest() > SOON);
        rest.reopen();
        assert_eq!(rest.over(), Moment::ZERO, "it is asked at once");
        assert!(rest.longest() > SOON);
        rest.forget();
        assert_eq!(rest.longest(), Duration::ZERO);
    }

    #[test]
    fn an_order_was_heard_where_it_is_known_that_the_ups_hears_as_soon() {
        let order = |rest: &mut Rest, after: u64| {
            let asked = rest.used() + Duration::from_millis(after);
            rest.conclude(false, (None, None), asked, asked + Duration::from_secs(1));
            assert!(!rest.heard_order(), "nothing was answered since");
        };
        // a question that is heard 2.3 s behind a reply says nothing of an order 1.2 s behind it, where one was lost before
        let mut rest = Rest::new(INTERVAL);
        ask(&mut rest, 1970, 0);
        ask(&mut rest, 600, 1900);
        ask(&mut rest, 1970, 0);
        order(&mut rest, 1200);
        ask(&mut rest, 1060, 0);
        assert!(!rest.heard_order());
        // one that hears at once
        let mut rest = Rest::new(INTERVAL);
        (0..2).for_each(|_| _ = ask(&mut rest, 0, 0));
        order(&mut rest, 1200);
        ask(&mut rest, 1060, 0);
        assert!(rest.heard_order());
        // where a question behind it was lost
        order(&mut rest, 1200);
        ask(&mut rest, 1060, 1900);
        ask(&mut rest, 2000, 1900);
        assert!(!rest.heard_order());
        assert!(rest.before_order() >= Duration::from_millis(2400), "{:?}", rest.before_order());
        // of a slow UPS, that is known to hear at once, the wait behind the order is longer
        let mut rest = Rest::new(INTERVAL);
        (0..2).for_each(|_| _ = ask(&mut rest, 0, 0));
        order(&mut rest, 1200);
        ask(&mut rest, 2900, 0);
        assert!(rest.heard_order());
    }

    /// The process was stopped, or the host was overloaded, behind an order.
    #[test]
    fn an_order_to_a_ups_that_misses_nothing_was_heard_however_late_it_is_asked() {
        let mut rest = Rest::new(INTERVAL);
        ask(&mut rest, 0, 0);
        ask_of(&mut rest, "F", 0, true);
        ask_of(&mut rest, "Q1", 0, true);
        let asked = rest.used() + Duration::from_millis(1200);
        rest.conclude(false, (None, None), asked, asked + Duration::from_secs(1));
        ask(&mut rest, 30_000, 0);
        assert!(rest.heard_order());
    }

    #[test]
    fn noise_that_takes_some_questions_is_no_rest() {
        let mut rest = Rest::new(Duration::from_secs(30));
        ask(&mut rest, 0, 0);
        rest.note_noise(true);
        (0..IN_A_ROW + 2).for_each(|_| _ = ask(&mut rest, 1000, u64::MAX));
        assert!(rest.left_alone().is_none());
    }

    #[test]
    fn an_order_waits_for_longer_once_a_question_was_lost() {
        let mut rest = Rest::new(INTERVAL);
        ask(&mut rest, 0, 0);
        assert_eq!(rest.before_order(), Duration::ZERO);
        ask(&mut rest, 1090, 1900);
        assert_eq!(rest.before_order(), Duration::from_millis(2180));
        // until one that came no later is answered
        ask(&mut rest, 0, 0);
        ask(&mut rest, 10, 0);
        assert_eq!(rest.before_order(), Duration::ZERO);
    }
}
