//! Hearing: how soon behind its replies a UPS hears, as far as orders need it. An order that is not heard looks as if it
//! was taken.

use crate::device::Moment;
use std::time::Duration;

/// What was heard so long ago may be so no more: a rest begins with an outage, or by itself.
const FRESH: Duration = Duration::from_secs(10);
/// Two rests that differ by less than this are one: the driver does not wake to the millisecond.
const AS_LONG: Duration = Duration::from_millis(30);

/// What is known of the rest behind the replies to one question.
#[derive(Clone, Copy, Debug)]
struct Behind {
    question: &'static str,
    /// The shortest rest after which a question was heard, since one was lost that came no sooner.
    heard: Option<Duration>,
    /// The shortest lately, and when that was.
    lately: Option<(Duration, Moment)>,
    /// The longest rest after which a question was lost, and none that came as soon was heard since.
    lost: Option<Duration>,
}

impl Behind {
    /// After which rest a question is heard, as far as that is known: NUT asks once an interval and is heard, unless one
    /// was lost that came no sooner.
    fn enough(&self, interval: Duration) -> Option<Duration> {
        let is_heard_as_by_nut = self.lost.is_none_or(|lost| lost < interval);
        self.heard.map(|heard| if is_heard_as_by_nut { heard.min(interval) } else { heard })
    }
}

/// How an order was sent, and what came of the questions behind it.
#[derive(Clone, Copy, Debug)]
struct SentOrder {
    /// Behind the reply to which question,
    behind: Option<&'static str>,
    /// and for how long the line had been left alone then.
    rested: Duration,
    /// Behind the same question as this order another one was heard as soon, or nothing was ever lost.
    hears: bool,
    /// And that was so lately,
    is_fresh: bool,
    /// or is so since.
    is_proven: bool,
    /// A word came to it.
    was_answered: bool,
    /// A question behind it was lost.
    lost: bool,
    /// The UPS had answered something before it.
    was_there: bool,
    /// Nothing was answered behind it as soon as that: the UPS may have been at rest still, or is busy with it.
    is_in_doubt: bool,
    /// A question was answered since.
    is_over: bool,
}

/// The line as it is when something is sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct BeforeSending {
    /// For how long it was left alone, and how long ago the last reply ended.
    pub gap: Duration,
    pub behind_reply: Duration,
    /// How far polls are apart.
    pub interval: Duration,
    /// To which question that was.
    pub said_to: Option<&'static str>,
    /// The UPS answered something before.
    pub was_there: bool,
    /// A question was lost since the last reply.
    pub lost_before: bool,
    /// Nothing was lost right behind another one so far.
    pub never_missed: bool,
}

/// How soon a UPS hears, behind which of its replies.
#[derive(Clone, Debug, Default)]
pub(super) struct OrderHearing {
    behind: Vec<Behind>,
    /// The last order.
    order: Option<SentOrder>,
}

impl OrderHearing {
    fn behind(&mut self, question: &'static str) -> &mut Behind {
        let at = self.behind.iter().position(|behind| behind.question == question);
        let at = at.unwrap_or_else(|| {
            // few questions are asked for years, by a thousand devices
            self.behind.reserve_exact(1);
            self.behind.push(Behind { question, heard: None, lately: None, lost: None });
            self.behind.len() - 1
        });
        &mut self.behind[at]
    }

    fn of(&self, question: Option<&str>) -> Option<&Behind> {
        self.behind.iter().find(|behind| Some(behind.question) == question)
    }

    /// An order was sent; `answered` when a word came to it.
    pub(super) fn note_order(&mut self, answered: bool, line: BeforeSending, now: Moment) {
        let BeforeSending { gap, said_to, was_there, lost_before, .. } = line;
        let behind = self.of(said_to);
        let as_soon = |heard: &Duration| *heard <= gap;
        let lately = behind.and_then(|behind| behind.lately);
        let is_fresh = lately.is_some_and(|(heard, at)| as_soon(&heard) && now.saturating_sub(at) <= FRESH);
        let never_lost = line.never_missed && self.behind.iter().all(|behind| behind.lost.is_none());
        let was_heard =
            behind.and_then(|behind| behind.enough(line.interval)).is_some_and(|heard| as_soon(&heard));
        let hears = !lost_before && (never_lost || was_heard);
        self.order = Some(SentOrder {
            behind: said_to,
            rested: gap,
            hears,
            is_fresh: hears && is_fresh,
            is_proven: false,
            was_answered: answered,
            lost: false,
            was_there,
            is_in_doubt: !answered,
            is_over: answered,
        });
    }

    /// What became of a question, which is one that this UPS answers, or is not known to be one.
    pub(super) fn note_question(
        &mut self,
        (answered, is_known): (bool, bool),
        line: BeforeSending,
        now: Moment,
    ) {
        self.note_behind_order((answered, is_known), line);
        let Some(question) = line.said_to.filter(|_| answered || is_known) else { return };
        let behind = self.behind(question);
        let rest = line.behind_reply;
        if !answered {
            behind.lost = behind.lost.max(Some(rest));
            behind.heard = behind.heard.filter(|heard| *heard > rest);
            behind.lately = behind.lately.filter(|(heard, _)| *heard > rest);
            return;
        }
        // it was the line that lost one, or the UPS rests no more
        behind.lost = behind.lost.filter(|lost| line.lost_before || rest > *lost + AS_LONG);
        behind.heard = Some(behind.heard.map_or(rest, |heard| heard.min(rest)));
        let is_kept =
            |(heard, at): &(Duration, Moment)| *heard <= rest && now.saturating_sub(*at) <= FRESH / 2;
        behind.lately = behind.lately.filter(is_kept).or(Some((rest, now)));
    }

    /// What a question behind an order says of whether that was heard.
    fn note_behind_order(&mut self, (answered, is_known): (bool, bool), line: BeforeSending) {
        let of_order = self.order.and_then(|order| order.behind);
        let heard = self.of(of_order).and_then(|behind| behind.heard);
        // what was answered itself was heard
        let Some(order) = self.order.as_mut().filter(|order| !order.was_answered) else { return };
        let rest = line.behind_reply;
        if !order.is_over {
            order.lost |= !answered;
            // (the question behind it stands longer behind the last reply than the order did: that it is heard proves nothing)
            order.is_in_doubt = !answered || order.lost || !order.hears;
            order.is_over = answered;
        } else if answered && line.said_to == order.behind && !line.lost_before && rest <= order.rested {
            // another one that came as soon is heard
            order.is_in_doubt &= order.lost;
            order.is_proven = !order.is_in_doubt;
        } else if !answered && is_known && !order.is_proven {
            // it does not hear any more as soon as it did
            order.is_in_doubt |= heard.is_none_or(|heard| heard <= rest);
        }
    }

    /// Whether the last order, which was not answered, was heard, as far as that is known: a UPS that rests hears none,
    /// and nothing behind it.
    pub(super) fn heard_order(&self) -> bool {
        self.order.is_none_or(|order| !order.is_in_doubt)
    }

    /// Whether one more question is to show it: what is known of how soon this UPS hears is old.
    pub(super) fn is_order_unproven(&self) -> bool {
        self.order
            .is_some_and(|order| order.is_over && !order.is_in_doubt && !order.is_proven && !order.is_fresh)
    }

    /// How long the line is left alone before an order behind the reply to `said_to`, which is no more than `most`, and longer
    /// than before the last one where that may have met a rest.
    pub(super) fn before_order(
        &self,
        said_to: Option<&str>,
        (interval, most): (Duration, Duration),
    ) -> Duration {
        let lost = self.of(said_to).and_then(|behind| Some((behind.lost?, behind.enough(interval))));
        let rest = lost.map_or(Duration::ZERO, |(lost, enough)| enough.unwrap_or(2 * lost).min(most));
        // (of one that says nothing at all, or said nothing before, it is not known that it rests)
        let doubted = self.order.filter(|order| order.is_in_doubt && order.is_over && order.was_there);
        rest.max(doubted.map(|order| 2 * order.rested).unwrap_or_default())
    }

    /// Nothing was lost for long.
    pub(super) fn forget_losses(&mut self) {
        self.behind.iter_mut().for_each(|behind| behind.lost = None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(time: u64) -> Duration {
        Duration::from_millis(time)
    }

    /// A line that was left alone for so long behind the reply to a question.
    fn behind(question: &'static str, rest: u64) -> BeforeSending {
        BeforeSending {
            gap: ms(rest),
            behind_reply: ms(rest),
            interval: ms(2000),
            said_to: Some(question),
            was_there: true,
            lost_before: false,
            never_missed: true,
        }
    }

    fn at(seconds: u64) -> Moment {
        Moment::after_start(Duration::from_secs(seconds))
    }

    const HEARD: (bool, bool) = (true, true);
    const LOST: (bool, bool) = (false, true);

    #[test]
    fn what_is_heard_behind_one_question_says_nothing_of_another() {
        let mut hearing = OrderHearing::default();
        hearing.note_question(LOST, behind("Q1", 1000), at(1));
        hearing.note_question(HEARD, BeforeSending { lost_before: true, ..behind("Q1", 2100) }, at(2));
        hearing.note_question(HEARD, behind("F", 0), at(3));
        let most = (ms(5000), ms(2500));
        assert_eq!(hearing.before_order(Some("Q1"), most), ms(2100));
        assert_eq!(hearing.before_order(Some("F"), most), Duration::ZERO);
        hearing.note_order(false, behind("Q1", 1200), at(4));
        hearing.note_question(HEARD, behind("Q1", 2200), at(5));
        assert!(!hearing.heard_order(), "it rests behind that one");
        // once it hears as soon, it rests no more
        hearing.note_question(HEARD, behind("Q1", 900), at(6));
        assert!(hearing.heard_order(), "nor did it before the order");
        assert_eq!(hearing.before_order(Some("Q1"), most), Duration::ZERO);
        hearing.note_order(false, behind("Q1", 1200), at(7));
        hearing.note_question(HEARD, behind("Q1", 2200), at(8));
        assert!(hearing.heard_order());
        assert_eq!(hearing.before_order(Some("Q1"), most), Duration::ZERO);
    }

    #[test]
    fn a_rest_that_began_before_an_order_is_seen_behind_it() {
        let mut hearing = OrderHearing::default();
        hearing.note_question(HEARD, behind("Q1", 0), at(1));
        hearing.note_order(false, behind("Q1", 1200), at(100));
        hearing.note_question(HEARD, behind("Q1", 2200), at(101));
        assert!(hearing.heard_order() && hearing.is_order_unproven(), "that it hears as soon was long ago");
        let mut resting = hearing.clone();
        resting.note_question(LOST, behind("Q1", 900), at(102));
        assert!(!resting.heard_order());
        // and one that hears as soon shows it
        hearing.note_question(HEARD, behind("Q1", 900), at(102));
        assert!(hearing.heard_order() && !hearing.is_order_unproven());
        hearing.note_question(LOST, behind("Q1", 900), at(103));
        assert!(hearing.heard_order(), "what is lost later says nothing of it");
    }

    #[test]
    fn what_nut_asks_is_heard_and_a_word_is_an_answer() {
        let mut hearing = OrderHearing::default();
        hearing.note_question(LOST, behind("Q1", 1000), at(1));
        hearing.note_question(HEARD, BeforeSending { lost_before: true, ..behind("Q1", 3000) }, at(2));
        assert_eq!(hearing.before_order(Some("Q1"), (ms(2000), ms(2500))), ms(2000));
        hearing.note_order(true, behind("Q1", 100), at(3));
        hearing.note_question(LOST, behind("Q1", 900), at(4));
        assert!(hearing.heard_order());
    }
}
