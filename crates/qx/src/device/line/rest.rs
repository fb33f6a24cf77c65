//! Rest: some UPSes hear nothing for a while behind their own reply, or behind a question that they did not hear.
//!
//! NUT asks one question each `pollinterval` and never meets it. What is asked again at once meets silence then, time
//! after time, and what is asked later is answered: from that it is known how long such a UPS rests.

use crate::device::Moment;
use std::time::Duration;

/// No UPS needs longer; one that does is one that does not answer.
const LONGEST: Duration = Duration::from_secs(2);
/// So often a question right behind another was lost, and one later answered, with none right behind answered meanwhile.
const KNOWN_AFTER: u8 = 2;

/// What is known of the rest that a UPS needs.
#[derive(Debug, Default)]
pub(super) struct Rest {
    /// When the line was in use last: the end of a reply, or a question that was not answered.
    used: Moment,
    /// The end of the last reply.
    said: Moment,
    /// The shortest rest behind a reply after which a question was answered, and the longest after which one was not.
    enough: Option<Duration>,
    too_short: Option<Duration>,
    /// The question that was lost and not answered since. (Another one that is answered tells nothing of it: it may be
    /// one that this UPS does not answer any more.)
    lost: Option<usize>,
    /// How often the two were seen in turn.
    times: u8,
}

impl Rest {
    /// What became of a question that was sent at `asked`: `known`, when it is one that this UPS answers, is which.
    pub(super) fn conclude(&mut self, answered: bool, known: Option<usize>, asked: Moment, now: Moment) {
        // some count from their reply, some from a question that they did not hear as well
        let (gap, behind_reply) = (asked.saturating_sub(self.used), asked.saturating_sub(self.said));
        self.used = if answered { now } else { asked };
        if answered {
            self.said = now;
        }
        let contradicts = match (answered, self.enough, self.too_short) {
            _ if known.is_none() => return,
            (true, _, Some(too_short)) => behind_reply <= too_short,
            (false, Some(enough), _) => gap >= enough.min(LONGEST),
            _ => false,
        };
        if contradicts {
            // it is the line that loses some
            (self.enough, self.too_short, self.lost, self.times) = (None, None, None, 0);
        } else if answered {
            if gap == behind_reply {
                self.enough = Some(self.enough.map_or(gap, |enough| enough.min(gap)));
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

    /// Until when this UPS hears nothing, as far as that is known.
    pub(super) fn over(&self) -> Moment {
        self.used + self.enough.filter(|_| self.times >= KNOWN_AFTER).unwrap_or_default().min(LONGEST)
    }

    /// When the line was in use last.
    pub(super) fn used(&self) -> Moment {
        self.used
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asks so long after the line was used; the UPS rests for `rest`.
    fn ask(rest: &mut Rest, after: u64, needs: u64) -> Moment {
        let asked = rest.used() + Duration::from_millis(after);
        rest.conclude(after >= needs, Some(0), asked, asked + Duration::from_millis(30));
        rest.over()
    }

    #[test]
    fn a_rest_is_found_from_questions_that_are_lost_right_behind_others() {
        let mut rest = Rest::default();
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
        let mut rest = Rest::default();
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
        let mut rest = Rest::default();
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
}
