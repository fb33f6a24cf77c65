//! The question before each order. Its mark is good for one order, so neither a reload of the page nor a second click gives an
//! order twice.

use super::secret::PageSecret;
use super::{PageOrder, PageOutcome};
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// So many of a session are kept, with what came of them; the oldest go.
pub const QUESTIONS: usize = 16;
/// A question that was asked so long ago is asked anew: the UPS may be in another state by now.
pub const ANSWERED_WITHIN: Duration = Duration::from_secs(600);

/// What is known of an order: nothing until its outcome came, and no more when the other end is gone.
pub type OutcomeSeen = watch::Receiver<Option<PageOutcome>>;

/// One question.
#[derive(Debug)]
struct Question {
    number: u64,
    mark: PageSecret,
    ups: String,
    /// Which UPS that was.
    unit: u128,
    order: PageOrder,
    asked: Instant,
    given: Option<OutcomeSeen>,
}

/// Those of one session.
#[derive(Debug, Default)]
pub struct Questions {
    last: u64,
    kept: VecDeque<Question>,
}

/// What an answer to a question means.
#[derive(Debug)]
pub enum Answered {
    /// The order is to be given: its number, and what it is.
    Give(u64, PageOrder),
    /// It was given already, under this number.
    Before(u64),
    /// No such question waits: it is too old, of another UPS, or was never asked.
    Unasked,
}

impl Questions {
    /// A question is shown.
    pub fn ask(&mut self, mark: PageSecret, (ups, unit): (&str, u128), order: PageOrder, now: Instant) {
        if self.kept.len() >= QUESTIONS {
            self.kept.pop_front();
        }
        self.last += 1;
        self.kept.push_back(Question {
            number: self.last,
            mark,
            ups: ups.into(),
            unit,
            order,
            asked: now,
            given: None,
        });
    }

    /// The question of that mark is answered by yes.
    pub fn answer(&mut self, mark: &str, (ups, unit): (&str, u128), now: Instant) -> Answered {
        let known = self.kept.iter().find(|question| question.mark.is(mark));
        match known.filter(|question| question.ups.eq_ignore_ascii_case(ups)) {
            None => Answered::Unasked,
            Some(known) if known.given.is_some() => Answered::Before(known.number),
            // another UPS has the name now
            Some(known) if known.unit != unit => Answered::Unasked,
            Some(known) if now.saturating_duration_since(known.asked) >= ANSWERED_WITHIN => Answered::Unasked,
            Some(known) => Answered::Give(known.number, known.order.clone()),
        }
    }

    /// The order of that number is given from now on.
    pub fn give(&mut self, number: u64, seen: OutcomeSeen) {
        if let Some(known) = self.kept.iter_mut().find(|question| question.number == number) {
            known.given = Some(seen);
        }
    }

    /// What became of an order that was given to this UPS.
    pub fn outcome(&self, number: u64, ups: &str) -> Option<(PageOrder, OutcomeSeen)> {
        let known = self.kept.iter().find(|question| question.number == number)?;
        let is_of = known.ups.eq_ignore_ascii_case(ups);
        known.given.clone().filter(|_| is_of).map(|seen| (known.order.clone(), seen))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(number: u8) -> PageSecret {
        PageSecret::from_random([number; 32])
    }

    fn order(name: &str) -> PageOrder {
        PageOrder::Command { name: name.into(), value: None }
    }

    #[test]
    fn an_order_is_given_once() {
        let (now, mut questions) = (Instant::now(), Questions::default());
        questions.ask(mark(1), ("rack", 1), order("load.off"), now);
        assert!(matches!(questions.answer(&mark(2).text(), ("rack", 1), now), Answered::Unasked));
        assert!(matches!(questions.answer(&mark(1).text(), ("other", 1), now), Answered::Unasked));
        let other = questions.answer(&mark(1).text(), ("rack", 2), now);
        assert!(matches!(other, Answered::Unasked), "another UPS has the name");
        let Answered::Give(number, given) = questions.answer(&mark(1).text(), ("RACK", 1), now) else {
            panic!()
        };
        assert_eq!(given, order("load.off"));
        assert!(questions.outcome(number, "rack").is_none());
        questions.give(number, watch::channel(None).1);
        for _ in 0..3 {
            let again = questions.answer(&mark(1).text(), ("rack", 1), now);
            assert!(matches!(again, Answered::Before(known) if known == number));
        }
        assert!(questions.outcome(number, "rack").is_some() && questions.outcome(number, "other").is_none());
    }

    #[test]
    fn an_old_question_is_asked_anew() {
        let (now, mut questions) = (Instant::now(), Questions::default());
        questions.ask(mark(1), ("rack", 1), order("load.off"), now);
        let almost = now + ANSWERED_WITHIN - Duration::from_nanos(1);
        assert!(matches!(questions.answer(&mark(1).text(), ("rack", 1), almost), Answered::Give(..)));
        let late = questions.answer(&mark(1).text(), ("rack", 1), now + ANSWERED_WITHIN);
        assert!(matches!(late, Answered::Unasked));
    }

    #[test]
    fn questions_are_bounded() {
        let (now, mut questions) = (Instant::now(), Questions::default());
        for number in 0..=QUESTIONS {
            questions.ask(mark(number as u8), ("rack", 1), order("beeper.mute"), now);
        }
        assert_eq!(questions.kept.len(), QUESTIONS);
        assert!(matches!(questions.answer(&mark(0).text(), ("rack", 1), now), Answered::Unasked));
        assert!(matches!(questions.answer(&mark(1).text(), ("rack", 1), now), Answered::Give(2, _)));
    }
}
