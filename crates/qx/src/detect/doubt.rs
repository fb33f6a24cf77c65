//! What a reply is worth: whether it belongs to this question, came late from another, or has to come again.

use super::{
    Detection, SHORT, SLOWER_BEFORE_PERCENT, SLOWEST, SignReply, TELLING, TRIES, UNASKED, UNKNOWN,
    is_refusal, slower, takes_any,
};
use crate::vocabulary::moment::Moment;
use crate::wire::protocol::Protocol;
use crate::wire::query::Query;
use crate::wire::read::Fit;
use std::time::Duration;

impl Detection {
    /// The questions that this reply could be to, were it late: those that were answered by silence. As
    /// soon as it is known how fast the UPS is, only the last one, and only the last exchange.
    pub(super) fn unanswered(&self, ask: &[u8]) -> impl Iterator<Item = &SignReply> {
        let recent = if self.latency.is_some() { 1 } else { self.heard.len() };
        let silent = |before: &&SignReply| before.line.is_none();
        let ask = ask.to_vec();
        self.heard.iter().rev().filter(move |before| before.ask != ask).take(recent).filter(silent)
    }

    /// Whether a line is the late reply to a question before, and none to this one.
    pub(super) fn belongs_elsewhere(&self, ask: &[u8], line: &[u8]) -> bool {
        let drawn = |query: &Query| query.read(line).is_ok_and(|fit| fit.odd.is_none());
        // what takes nearly any text takes that of others as well
        // what comes to the same question each time is its reply, be it drawn oddly: another row may draw it so
        let oddly = |query: &Query| self.restarts > 1 && !takes_any(query) && query.read(line).is_ok();
        let takes =
            |query: &Query| drawn(query) && (!takes_any(query) || line.len() < TELLING) || oddly(query);
        let own = is_refusal(ask, line) || self.queries(ask).any(takes);
        // what is packed is as telling as what is long
        let telling = |query: &Query| {
            let is_long = line.len() >= SHORT && !takes_any(query);
            (is_long || query.codec.is_some()) && drawn(query)
        };
        let other = |before: &SignReply| before.ask == line || self.queries(&before.ask).any(telling);
        // who refuses in words is not silent on others: that was to an earlier question, but once only, as
        // a UPS may be odd
        let refused = self.latency.is_none() && self.restarts == 0 && line != ask && is_refusal(ask, line);
        let long_ago = |before: &SignReply| before.ask != ask && before.is_unanswered() && other(before);
        // it was there once, and could not be repeated
        let unrepeated = |before: &SignReply| {
            before.ask != ask
                && before.tries >= TRIES
                && !before.agreed
                && before.line.as_deref() == Some(line)
        };
        self.unanswered(ask).any(|before| refused || !own && other(before))
            || !own && line.len() >= TELLING && self.heard.iter().chain(&self.given_up).any(long_ago)
            || line.len() >= SHORT && self.heard.iter().any(unrepeated)
    }

    /// A question before that comes back now was refused by its echo, and nothing else was late: then the UPS answered
    /// others in time. How late it came.
    pub(super) fn late_echo(&mut self, ask: &[u8], line: &[u8], now: Moment) -> Option<Duration> {
        let answers_in_time = self.latency.is_some() && self.restarts == 0;
        let is_its_own = |heard: &&mut SignReply| heard.ask == line && heard.line.is_none();
        let before = self.heard.iter_mut().find(is_its_own).filter(|_| answers_in_time && ask != line)?;
        let late = Some(now.saturating_sub(before.asked)).filter(|late| *late <= SLOWEST)?;
        (before.line, before.came, before.sure) = (Some(line.to_vec()), now, true);
        self.echoes = self.echoes.max(Some(late));
        Some(late)
    }

    /// How late a line is, had it come to one of the questions that were asked in vain: the longest time that may
    /// be.
    pub(super) fn overdue(&self, ask: &[u8], line: &[u8], now: Moment) -> Option<Duration> {
        let late = |before: &SignReply| now.saturating_sub(before.asked);
        let longest = |tells: fn(&Query) -> bool| {
            let drawn = |query: &Query| tells(query) && query.read(line).is_ok_and(|fit| fit.odd.is_none());
            let fits = |before: &&SignReply| {
                before.ask != ask
                    && before.is_unanswered()
                    && (before.ask == line || self.queries(&before.ask).any(drawn))
            };
            let asked = self.heard.iter().chain(&self.given_up).filter(fits).map(late);
            asked.filter(|late| *late <= SLOWEST).max()
        };
        // what takes any text owns what nobody else does
        longest(|query| !takes_any(query)).or_else(|| longest(takes_any))
    }

    /// When the same was asked before and met with silence, if what comes now may be the reply to that.
    pub(super) fn asked_in_vain(&self, ask: &[u8], now: Moment) -> Option<Moment> {
        let same = |before: &&SignReply| before.ask == ask && before.line.is_none();
        let asked = self.heard.iter().chain(&self.given_up).filter(same).map(|before| before.asked);
        asked.filter(|asked| now.saturating_sub(*asked) <= SLOWEST && self.may_come_yet(*asked, now)).min()
    }

    /// Whether a reply to what was asked then may be on its way still.
    fn may_come_yet(&self, asked: Moment, now: Moment) -> bool {
        let late = self.lateness.map(|late| slower(late, SLOWER_BEFORE_PERCENT) + UNASKED);
        // where that happened again, replies may come with the next question, and not by the clock
        self.times_late > 1 || late.is_none_or(|late| now.saturating_sub(asked) <= late)
    }

    /// Whether a line is in the drawn form of the reply to a question, or its echo.
    fn may_answer(&self, ask: &[u8], line: &[u8]) -> bool {
        ask == line || self.queries(ask).any(|query| query.read(line).is_ok_and(|fit| fit.odd.is_none()))
    }

    /// The silences that stay what they are when `line` turns out to have come so late: those after which it was
    /// waited for longer, and those that are true if nothing comes unasked any more.
    pub(super) fn true_silences(
        &self,
        line: Option<(&[u8], Moment)>,
        late: Option<Duration>,
        now: Moment,
        nobodys: Option<Moment>,
    ) -> (Vec<SignReply>, Vec<SignReply>) {
        let (Some((line, came)), Some(late)) = (line, late) else { return (vec![], vec![]) };
        let enough = (slower(late, SLOWER_BEFORE_PERCENT) + UNASKED).max(UNKNOWN[0]);
        let asked_since = |before: &&SignReply| self.heard.iter().all(|heard| heard.ask != before.ask);
        let heard: Vec<&SignReply> =
            self.heard.iter().chain(self.given_up.iter().filter(asked_since)).collect();
        // a line that nobody owns may have been the reply to any question before
        let owned = |heard: &SignReply, line: &[u8]| {
            let mut queries = self.queries(&heard.ask);
            heard.fits && !heard.late && queries.any(|query| !takes_any(query) && query.read(line).is_ok())
        };
        let unowned = |heard: &&&SignReply| {
            heard.came != came && heard.line.as_deref().is_some_and(|line| !owned(heard, line))
        };
        let unowned: Vec<Moment> =
            heard.iter().filter(unowned).map(|heard| heard.came).chain(nobodys).collect();
        let is_silence = |heard: &&SignReply| {
            let swallowed = unowned.iter().any(|came| (heard.asked..=heard.asked + enough).contains(came));
            let may_be_its_own =
                self.may_answer(&heard.ask, line) && came.saturating_sub(heard.asked) <= SLOWEST;
            heard.line.is_none() && !swallowed && !may_be_its_own
        };
        let kept = heard.into_iter().filter(is_silence).map(|heard| {
            let patience = heard.patience.max(now.saturating_sub(heard.asked));
            SignReply { patience, tries: heard.tries.max(2), sure: true, ..heard.clone() }
        });
        kept.partition(|heard| heard.patience >= enough)
    }

    /// Questions that were answered by silence have to be asked again: a reply that could be to them came
    /// once, to another.
    pub(super) fn doubt_silences(&mut self, reply: &[u8]) {
        let asks: Vec<Vec<u8>> = self.heard.iter().map(|heard| heard.ask.clone()).collect();
        let drawn = |ask: &Vec<u8>| {
            let mut queries = self.queries(ask);
            queries.any(|query| query.read(reply).is_ok_and(|fit| fit.odd.is_none()))
        };
        let doubtful: Vec<bool> = asks.iter().map(drawn).collect();
        for (heard, doubtful) in self.heard.iter_mut().zip(doubtful) {
            if doubtful && heard.line.is_none() && heard.tries == 1 {
                heard.sure = false;
            }
        }
    }

    /// Whether a line may be the late reply to a question before: one that would fit there as well, and
    /// was missing there; or a refusal, which may be said to any.
    pub(super) fn may_be_late(&self, ask: &[u8], line: &[u8], now: Moment) -> bool {
        let refused = |before: &SignReply| is_refusal(&before.ask, line);
        line != ask && (self.unanswered(ask).any(refused) || self.owing(ask, line, now).next().is_some())
    }

    /// The questions before to which a line would be a reply, and which wait for one.
    pub(super) fn owing(&self, ask: &[u8], line: &[u8], now: Moment) -> impl Iterator<Item = &SignReply> {
        let mine: Vec<&str> =
            self.queries(ask).filter(|query| query.read(line).is_ok()).map(|query| query.picture).collect();
        let line = line.to_vec();
        let fits = move |before: &&SignReply| {
            let mut queries = self.queries(&before.ask);
            queries.any(|query| mine.contains(&query.picture) && query.read(&line).is_ok())
        };
        let ask = ask.to_vec();
        let missing = move |before: &&SignReply| {
            let may_come = self.may_come_yet(before.asked, now);
            before.ask != ask && may_come && (before.is_unanswered() || before.owes)
        };
        self.heard.iter().chain(&self.given_up).filter(missing).filter(fits)
    }

    /// Silence, a refusal and a reply of drawn form are what they seem; anything else has to come
    /// twice. So has what may be late, and what is so short that a flipped bit makes the sign of a rival
    /// of it.
    pub(super) fn is_sure(
        &mut self,
        ask: &[u8],
        line: Option<&[u8]>,
        before: Option<&SignReply>,
        late: bool,
    ) -> bool {
        let name = self.known.as_ref().filter(|_| self.restarts == 0).and_then(|known| known.names.first());
        match name.filter(|(name, _)| name == ask) {
            Some((_, name)) if line == Some(name) => return true,
            // one reply in noise makes no foreign device of it
            Some(_) if before.is_none() && line.is_some() => return false,
            _ => {}
        }
        let Some(line) = line else { return before.is_none_or(|before| before.line.is_none()) };
        let fits: Vec<(&Query, Fit)> =
            self.queries(ask).filter_map(|query| Some((query, query.read(line).ok()?))).collect();
        let rivals = self.rivals(ask);
        let alone = |query: &Query| matches!(rivals[..], [only] if std::ptr::eq(only, query));
        let drawn = |(query, fit): &(&Query, Fit)| {
            fit.odd.is_none() && (line.len() >= SHORT || query.codec.is_some() || alone(query))
        };
        if !late && (is_refusal(ask, line) || fits.iter().any(drawn)) {
            return true;
        }
        if !late && self.refusal.as_deref() == Some(line) {
            return true;
        }
        let Some(old) = before.and_then(|before| before.line.as_deref()) else { return false };
        if old == line {
            // a question that comes back is an echo, if a late one
            if fits.is_empty() && self.heard.iter().all(|heard| heard.ask != line) {
                self.refusal = Some(line.to_vec());
            }
            return true;
        }
        let same_form = |query: &'static Query| match (query.read(line), query.read(old)) {
            (Ok(new), Ok(old)) => {
                // (a form may alternate; the numbers of a long reply are the same by no chance)
                (new.odd == old.odd || line.len() >= TELLING)
                    && crate::judge::alike_but_for_words(&new.readings, &old.readings)
            }
            _ => false,
        };
        self.queries(ask).any(same_form)
    }

    /// Whether this UPS says so when it does not know a question: then silence is no answer, but a loss.
    pub(crate) fn refuses_in_words(&self) -> bool {
        let refused =
            |heard: &&SignReply| heard.line.as_deref().is_some_and(|line| is_refusal(&heard.ask, line));
        self.heard.iter().filter(refused).count() > 1
    }

    pub(super) fn queries(&self, ask: &[u8]) -> impl Iterator<Item = &'static Query> + use<> {
        let of = |protocol: &&'static Protocol| protocol.queries.iter();
        let queries: Vec<&'static Query> = self.candidates.iter().flat_map(of).copied().collect();
        let ask = ask.to_vec();
        queries.into_iter().filter(move |query| query.wire(0) == ask)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Detection, DetectionStep, Worth};
    use crate::line::exchange::Reply;
    use crate::options::Options;
    use crate::vocabulary::flag::Flags;
    use crate::vocabulary::moment::Moment;
    use std::time::Duration;

    #[test]
    fn what_was_read_away_was_no_silence() {
        let patience = Duration::from_millis(165);
        let mut now = Moment::ZERO;
        let mut detection = Detection::new(Options::default().candidates(), Flags::default(), None).quick();
        let mut hear = |line: Option<&[u8]>, stray| {
            let DetectionStep::Ask(ask) = detection.step() else { return None };
            let reply = Reply { line: line.map(<[u8]>::to_vec), stray, ..Reply::default() };
            now += patience;
            Some(detection.hear_reply(ask, reply, patience, now - patience))
        };
        let status: &[u8] = b"(226.0 195.0 226.0 014 49.0 27.5 30.0 00001000";
        assert_eq!(hear(Some(status), true), Some(Worth::Sure), "before it nothing was asked");
        assert_eq!(hear(None, true), Some(Worth::Sure), "what it said twice is no answer");
        assert!(matches!(hear(None, true), Some(Worth::Late(_))));
        // once only: a line may babble
        assert_eq!(hear(Some(status), true), Some(Worth::Sure));
        assert_eq!(hear(None, true), Some(Worth::Sure));
        assert_eq!(hear(None, true), Some(Worth::Sure));
    }
}
