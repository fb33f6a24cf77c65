//! Takes in what came back to a question: whose reply it is, whether it has to come again, and how fast the UPS is.

use super::{Detection, ForeignDevice, SLOWEST, SignReply, TRIES, UNASKED, UNKNOWN, Worth, takes_any};
use crate::line::TELLING;
use crate::line::exchange::Reply;
use crate::line::looks_like_reply;
use crate::vocabulary::moment::Moment;
use crate::wire::query::Query;
use crate::wire::refusal::is_refusal;
use std::time::Duration;

impl Detection {
    /// Keeps what came back to a question for which it was waited long, by a caller without a clock.
    pub fn hear(&mut self, query: &'static Query, line: Option<Vec<u8>>) {
        let reply = Reply { line, ..Reply::default() };
        self.silent.clear();
        self.hear_reply(query, reply, UNKNOWN[0], self.waited);
        self.waited += UNKNOWN[0];
    }

    /// Whether `line` shows a device of another family; then nothing more is asked.
    fn is_of_foreign_device(&mut self, ask: &[u8], line: Option<&[u8]>) -> bool {
        let Some(line) = line.filter(|_| self.candidates.len() > 1 && !self.sounds_like_family()) else {
            return false;
        };
        let Some(who) = ForeignDevice::who_says(ask, line) else { return false };
        let again =
            self.heard.iter().chain(&self.given_up).any(|before| before.line.as_deref() == Some(line));
        let sure = again || !who.may_be_a_torn_reply(line);
        if sure {
            self.foreign = Some((who, line.to_vec()));
        }
        sure
    }

    /// Keeps what came back to a question within `patience`, its first byte after `latency`; it was asked at
    /// `asked`.
    fn hear_within(
        &mut self,
        query: &'static Query,
        line: Option<Vec<u8>>,
        (patience, latency): (Duration, Duration),
        asked: Moment,
    ) -> Worth {
        self.exchanges += 1;
        let ask = query.wire(0);
        let said = line.as_deref().filter(|line| !is_refusal(&ask, line));
        self.anything_said |= said.is_some();
        if self.is_of_foreign_device(&ask, line.as_deref()) {
            return Worth::Sure;
        }
        self.family |= line.as_deref().is_some_and(looks_like_reply);
        let came = asked + if line.is_some() { latency } else { patience };
        let overdue = line.as_deref().and_then(|line| self.overdue(&ask, line, came));
        let asked_before = self.asked_in_vain(&ask, came).filter(|_| line.is_some());
        let of_another = line
            .as_deref()
            .and_then(|line| self.is_of_another_question(&ask, line, (overdue, asked_before), (asked, came)));
        if let Some(worth) = of_another {
            return worth;
        }
        let before = self.heard.iter().position(|heard| heard.ask == ask).map(|at| self.heard.remove(at));
        let before = before.as_ref();
        let late = line.as_deref().is_some_and(|line| self.comes_late(&ask, line, overdue, came));
        let seems_sure = self.is_sure(&ask, line.as_deref(), before, late);
        // what does not come again was late
        if let Some(before) = before.filter(|before| before.late && !seems_sure) {
            let doubted = before.line.as_deref().map(|line| (line, before.came));
            // so may what came in place of it have been the reply to anything
            let of_no_query = line.is_some().then_some(came);
            return self.start_again(doubted, before.overdue, (asked, came), of_no_query);
        }
        self.noisy |= asked_before.is_none() && before.is_some_and(|before| before.line != line);
        let doubted = before.and_then(|before| before.line.as_deref());
        if let Some(doubted) = doubted.filter(|doubted| line.as_deref() != Some(doubted)) {
            self.doubt_silences(doubted);
        }
        let tries = before.map_or(0, |heard| heard.tries).saturating_add(1);
        let seen = SignReply {
            query,
            patience,
            tries,
            sure: seems_sure || tries >= TRIES,
            fits: false,
            owes: before.is_some_and(|before| line.is_none() || before.line.is_none() || before.owes),
            agreed: before.is_some_and(|before| before.line == line),
            late,
            asked,
            came,
            overdue,
            ask,
            // a reply is lost more easily than made up
            line: line.or_else(|| before.filter(|_| !seems_sure).and_then(|before| before.line.clone())),
        };
        self.keep(seen, latency, seems_sure, asked_before)
    }

    /// What a line is worth that is an echo that comes late, or the reply to another question; none where it may be that
    /// to `ask`. It is `overdue` by so much, where it was; `ask` was asked in vain before, at that moment.
    fn is_of_another_question(
        &mut self,
        ask: &[u8],
        line: &[u8],
        (overdue, asked_before): (Option<Duration>, Option<Moment>),
        (asked, came): (Moment, Moment),
    ) -> Option<Worth> {
        if let Some(late) = self.late_echo(ask, line, came) {
            return Some(Worth::Doubted((asked + late + UNASKED).saturating_sub(came)));
        }
        let is_elsewhere = self.belongs_elsewhere(ask, line) || asked_before.is_some() && overdue.is_some();
        let own = asked_before.map(|asked| came - asked);
        is_elsewhere.then(|| self.start_again(Some((line, came)), overdue.max(own), (asked, came), None))
    }

    /// Whether a line may be the late reply to another question.
    fn comes_late(&self, ask: &[u8], line: &[u8], overdue: Option<Duration>, came: Moment) -> bool {
        let own = || self.queries(ask).any(|query| !takes_any(query) && query.read(line).is_ok());
        self.may_be_late(ask, line, came) || overdue.is_some() && line != ask && !own()
    }

    /// Keeps what was heard, and how fast the UPS is.
    fn keep(
        &mut self,
        mut seen: SignReply,
        latency: Duration,
        seems_sure: bool,
        asked_before: Option<Moment>,
    ) -> Worth {
        let (ask, line, asked, came) = (&seen.ask, seen.line.as_deref(), seen.asked, seen.came);
        let tells = |line: &&[u8]| seems_sure && !(self.echoes.is_some() && *line == ask);
        if let Some(line) = line.filter(tells) {
            self.anything_long |= line.len() >= TELLING;
            self.latency = Some(self.latency.unwrap_or_default().max(latency.min(SLOWEST)));
        }
        let in_form =
            |line: &[u8]| !is_refusal(ask, line) && self.queries(ask).any(|query| query.read(line).is_ok());
        // who refuses in words of its own has answered
        let fits = line.is_some_and(in_form) || line.is_some() && line == self.refusal.as_deref();
        // of several late replies two would come to the same question
        let many = |line: &[u8]| self.owing(ask, line, came).any(|owing| owing.tries > 1);
        let pause = if seen.late && line.is_some_and(many) { self.overlap() } else { Duration::ZERO };
        seen.fits = fits;
        let is_sure = seen.sure;
        self.heard.push(seen);
        match asked_before {
            _ if !is_sure => Worth::Doubted(pause),
            Some(before) if fits => {
                self.suspected = Some(came - before);
                Worth::Behind(asked - before + UNASKED)
            }
            _ => Worth::Sure,
        }
    }

    /// Something came after the last question had been given up: that was no silence. Once only: a line may
    /// babble.
    fn hear_stray(&mut self, now: Moment) -> Option<Worth> {
        if let Some(latency) = self.suspected {
            self.latency = self.latency.max(Some(latency));
            return None;
        }
        let is_told = self.restarts > 0 || self.echoes.is_some();
        let last = self.heard.last().filter(|last| last.line.is_none() && !is_told)?;
        let late = Some(now.saturating_sub(last.asked)).filter(|late| *late <= SLOWEST);
        Some(self.start_again(None, late, (now, now), None))
    }

    /// What came back to a question, by a link; it was asked at `asked`.
    pub fn hear_reply(
        &mut self,
        query: &'static Query,
        reply: Reply,
        patience: Duration,
        asked: Moment,
    ) -> Worth {
        let silent = std::mem::take(&mut self.silent);
        if !reply.stray {
            self.heard.extend(silent);
        }
        let stray = if reply.stray { self.hear_stray(asked) } else { None };
        self.suspected = None;
        stray.unwrap_or_else(|| self.hear_within(query, reply.line, (patience, reply.latency), asked))
    }

    /// Forgets what was heard, and has more patience from now on; a reply to another question was so late, if
    /// that is known. Silence that was longer stays silence.
    fn start_again(
        &mut self,
        line: Option<(&[u8], Moment)>,
        late: Option<Duration>,
        (asked, now): (Moment, Moment),
        of_no_query: Option<Moment>,
    ) -> Worth {
        (self.heard, self.silent) = self.true_silences(line, late, now, of_no_query);
        self.latency = None;
        self.refusal = None;
        self.restarts += 1;
        self.times_late = self.times_late.saturating_add(1);
        self.lateness = self.lateness.max(late);
        // of what was asked twice, the second reply may be held up
        let least = if line.is_some_and(|(_, came)| came <= asked) { 2 * UNKNOWN[0] } else { UNKNOWN[0] };
        let overlap = late.map_or_else(|| self.overlap(), |late| least.max(late + UNASKED));
        Worth::Late((asked + overlap).saturating_sub(now))
    }
}
