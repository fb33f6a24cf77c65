//! Rest: some UPSes hear nothing for a while behind their own reply, or behind a question that they did not hear.
//!
//! NUT asks one question each `pollinterval` and never meets it. What is asked again at once meets silence then, time
//! after time, and what is asked later is answered: from that it is known how long such a UPS rests. Where nothing is
//! answered any more, the line is left alone now and then for as long as NUT leaves it alone.

use crate::device::Moment;
use std::time::Duration;

/// No UPS needs longer; one that does is one that does not answer.
const LONGEST: Duration = Duration::from_secs(10);
/// So often a question right behind another was lost, and one later answered, with none right behind answered meanwhile.
const KNOWN_AFTER: u8 = 2;
/// After so many questions in a row that were not answered, the line is left alone: asking may be what keeps it silent.
const IN_A_ROW: u8 = 5;
/// It is left alone for so long; not for longer, as a UPS that is back is to be seen soon.
const ALONE: Duration = Duration::from_secs(4);
/// Nor does an order wait for longer, where polls are no farther apart.
const BEFORE_ORDER: Duration = Duration::from_millis(2500);
/// A question that was answered sooner than this after one that was lost shows that nothing rests there, and so does one
/// that was lost after a rest as long as NUT's; if that happens
const SOON: Duration = Duration::from_secs(1);
/// so often. (Once the lost one may not have reached the UPS.)
const SHOWN_AFTER: u8 = 2;
/// It counts no more after so many replies in a row: a line that lost one in a month loses none at random.
const FORGOTTEN_AFTER: u16 = 300;

/// What is known of the rest that a UPS needs.
#[derive(Debug, Default)]
pub(super) struct Rest {
    /// When the line was in use last: the end of a reply, or a question that was not answered.
    used: Moment,
    /// The end of the last reply.
    said: Moment,
    /// How far polls are apart. NUT asks no sooner, so no rest is longer.
    interval: Duration,
    /// The shortest rest behind a reply after which a question was answered, and the longest after which one was not.
    enough: Option<Duration>,
    too_short: Option<Duration>,
    /// The question that was lost and not answered since. (Another one that is answered tells nothing of it: it may be
    /// one that this UPS does not answer any more.)
    lost: Option<usize>,
    /// How often the two were seen in turn.
    times: u8,
    /// So many questions were lost since the last reply.
    in_a_row: u8,
    /// When a question right behind a reply was answered.
    right_behind: Moment,
    /// A question was answered after the rest that was found, and none was lost before it.
    is_proven: bool,
    /// How often it was seen that questions are lost at random, and how many replies came since the last loss.
    at_random: u8,
    replies: u16,
}

impl Rest {
    /// Of a line on which polls are so far apart.
    pub(super) fn new(interval: Duration) -> Rest {
        Rest { interval: interval.min(LONGEST), ..Rest::default() }
    }

    /// It is another line, or the same that was away: all that is known is how often it is asked.
    pub(super) fn forget(&mut self) {
        *self = Rest::new(self.interval);
    }

    /// Polls are so far apart from now on.
    pub(super) fn set_interval(&mut self, interval: Duration) {
        self.interval = interval.min(LONGEST);
    }

    /// What became of a question that was sent at `asked`: `known`, when it is one that this UPS answers, is which.
    pub(super) fn conclude(&mut self, answered: bool, known: Option<usize>, asked: Moment, now: Moment) {
        let was_left_alone = self.is_left_alone();
        // some count from their reply, some from a question that they did not hear as well
        let (gap, behind_reply) = (asked.saturating_sub(self.used), asked.saturating_sub(self.said));
        self.used = if answered { now } else { asked };
        let lost_before = self.in_a_row > 0;
        let is_first = self.said == Moment::ZERO;
        if answered {
            self.said = now;
            self.in_a_row = 0;
        }
        if known.is_none() {
            return;
        }
        if answered && !lost_before && gap < SOON {
            self.right_behind = now;
        }
        self.replies = if answered { self.replies.saturating_add(1) } else { 0 };
        if self.replies >= FORGOTTEN_AFTER {
            self.at_random = 0;
        }
        if !answered {
            self.in_a_row = self.in_a_row.saturating_add(1);
        } else if !was_left_alone && lost_before && gap < SOON {
            self.at_random = self.at_random.saturating_add(1);
        }
        self.is_proven |= answered && !lost_before && self.is_known();
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

    /// Whether it was seen often enough: more often where questions were lost at random as well.
    fn is_known(&self) -> bool {
        self.times >= KNOWN_AFTER.saturating_mul(1 + 2 * self.at_random.min(SHOWN_AFTER))
    }

    /// Whether nothing is asked for as long as NUT asks nothing.
    fn is_left_alone(&self) -> bool {
        let needed_none = self.right_behind + 2 * self.interval > self.said;
        let shown = self.at_random >= SHOWN_AFTER || needed_none && self.right_behind > Moment::ZERO;
        self.in_a_row > 0 && self.in_a_row % IN_A_ROW == 0 && !shown
    }

    /// Until when this UPS hears nothing, as far as that is known.
    pub(super) fn over(&self) -> Moment {
        let known = self.enough.filter(|_| self.is_known()).unwrap_or_default();
        let rest = if self.is_left_alone() { known.max(ALONE) } else { known };
        self.used + rest.min(self.interval)
    }

    /// Whether a rest was found, and is tried.
    pub(super) fn is_tried(&self) -> bool {
        self.is_known() && !self.is_proven
    }

    /// How long the line is left alone before an order: what is not heard looks as if it was taken, so one loss that
    /// nothing contradicts is enough to wait for longer.
    pub(super) fn before_order(&self) -> Duration {
        let most = self.interval.max(BEFORE_ORDER);
        match (self.enough, self.too_short) {
            (Some(enough), _) if self.is_known() => enough.min(most),
            (enough, Some(too_short)) => enough.unwrap_or(2 * too_short).min(most),
            _ => Duration::ZERO,
        }
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
        rest.conclude(after >= needs, Some(0), asked, asked + Duration::from_millis(30));
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
            rest.conclude(true, Some(0), asked, asked + Duration::from_millis(30));
            // right behind the status, and the status a while behind it
            rest.conclude(false, Some(1), rest.used(), rest.used() + Duration::from_secs(1));
            let asked = rest.used() + Duration::from_secs(1);
            rest.conclude(true, Some(0), asked, asked + Duration::from_millis(30));
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
    fn what_asking_keeps_silent_is_left_alone_for_as_long_as_nut_leaves_it() {
        let five = Duration::from_secs(5);
        let mut rest = Rest::new(five);
        ask(&mut rest, 5000, 0);
        for round in 1..=3 * IN_A_ROW {
            ask(&mut rest, 1000, u64::MAX);
            let alone = if round % IN_A_ROW == 0 { ALONE } else { Duration::ZERO };
            assert_eq!(rest.over(), rest.used() + alone, "{round}");
        }
        // a line that loses questions at random shows it, and not by one that the UPS may not have got
        for is_left_alone in [true, false] {
            ask(&mut rest, 900, 0);
            (0..IN_A_ROW - 1).for_each(|_| _ = ask(&mut rest, 900, u64::MAX));
            ask(&mut rest, 900, 0);
            (0..IN_A_ROW).for_each(|_| _ = ask(&mut rest, 5000, u64::MAX));
            assert_eq!(rest.is_left_alone(), is_left_alone);
        }
        // which is forgotten
        (0..FORGOTTEN_AFTER).for_each(|_| _ = ask(&mut rest, 5000, 0));
        (0..IN_A_ROW).for_each(|_| _ = ask(&mut rest, 1000, u64::MAX));
        assert!(rest.is_left_alone());
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
