//! What the replies say of each candidate.

use super::{Detection, DetectionStep, MANY_TRIES, MUCH, SignReply, is_refusal};
use crate::detect::known::KnownDialect;
use crate::wire::protocol::{Protocol, Sign};
use crate::wire::query::Query;
use crate::wire::read::Fit;

/// What is known of one candidate.
pub(super) enum Verdict {
    Yes,
    No,
    /// It depends on these.
    Open(Vec<&'static Query>),
}

impl Detection {
    /// Which of two dialects goes before the other in the list.
    pub fn goes_before(&self, one: &Protocol, other: &Protocol) -> bool {
        self.candidates
            .iter()
            .find(|protocol| std::ptr::eq(**protocol, one) || std::ptr::eq(**protocol, other))
            .is_some_and(|first| std::ptr::eq(*first, one))
    }

    /// The dialect that was found before, as long as nothing speaks against it: when the UPS names itself as
    /// before. One that named nothing has to show all signs.
    pub(super) fn step_by_what_is_known(&self, known: &KnownDialect) -> Option<DetectionStep> {
        let protocol = *self.candidates.iter().find(|protocol| protocol.name == known.protocol)?;
        // what goes first anyway shows whether it is a UPS of this family at all
        let opening = self.opening().filter(|opening| {
            self.heard.is_empty() && protocol.queries.iter().any(|query| query.wire(0) == opening.wire(0))
        });
        if let Some(opening) = opening.filter(|_| self.restarts == 0) {
            return Some(DetectionStep::Ask(opening));
        }
        match (known.names.first(), self.judge(protocol)) {
            _ if self.restarts > 0 => None,
            (Some((ask, line)), _) => match self.said(ask) {
                Some(heard) if heard.line.as_ref() == Some(line) => Some(DetectionStep::Found(protocol)),
                // a UPS is there: the reply may have been lost
                Some(heard) if heard.line.is_none() && heard.tries == 1 && self.anything_heard() => {
                    Some(DetectionStep::Ask(heard.query))
                }
                Some(_) => None,
                None => protocol
                    .queries
                    .iter()
                    .find(|query| query.wire(0) == *ask)
                    .map(|ask| DetectionStep::Ask(ask)),
            },
            (None, Verdict::Open(asks)) => asks.last().map(|ask| DetectionStep::Ask(ask)),
            (None, Verdict::No) => None,
            (None, Verdict::Yes) => (!self.has_a_double(protocol)).then_some(DetectionStep::Found(protocol)),
        }
    }

    /// Whether a dialect that goes before it, and may be the one, makes other values of the reply to one of
    /// its signs. The plain one, which is the last, is true of all.
    pub(super) fn has_a_double(&self, protocol: &Protocol) -> bool {
        let same = |one: &Query, other: &Query| one.wire(0) == other.wire(0) && one.picture == other.picture;
        let doubles = |other: &&&Protocol| {
            let read_otherwise = |sign: &Sign| {
                let mut others = other.signs.iter().map(Sign::query);
                others.any(|other| same(other, sign.query()) && !std::ptr::eq(other, sign.query()))
            };
            protocol.signs.iter().any(read_otherwise)
        };
        let is_last = self.candidates.last().is_some_and(|last| std::ptr::eq(*last, protocol));
        let mut before = self.candidates.iter().take_while(|other| !std::ptr::eq(**other, protocol));
        !is_last && before.any(|other| doubles(&other) && !matches!(self.judge(other), Verdict::No))
    }

    /// What was surely heard to a question.
    pub(super) fn said(&self, ask: &[u8]) -> Option<&SignReply> {
        self.heard.iter().find(|heard| heard.ask == ask && heard.sure)
    }

    /// What to ask before missing signs rule out a candidate that much speaks for: replies may have been lost,
    /// or be late. Another sign of it, or the same one again; often, when more speaks for it than for the next.
    pub(super) fn lost(&self, protocol: &Protocol) -> Option<&'static Query> {
        let (held, missed) = self.signs_heard(protocol);
        let tries = match (held, missed.len()) {
            (MUCH, 1) => 2,
            (MUCH, _) | (..MUCH, _) => return None,
            _ => MANY_TRIES,
        };
        let unasked = protocol.signs.iter().map(Sign::query).find(|query| self.heard_to(query).is_none());
        let again = missed.iter().find(|missed| missed.tries < tries && !(missed.agreed && tries == 2));
        unasked.or(again.map(|missed| missed.query))
    }

    /// How many signs of a candidate were heard, and what was heard in place of the others.
    pub(super) fn signs_heard(&self, protocol: &Protocol) -> (usize, Vec<&SignReply>) {
        let heard = protocol.signs.iter().filter_map(|sign| Some((sign, self.heard_to(sign.query())?)));
        let (held, missed): (Vec<_>, Vec<_>) =
            heard.partition(|(sign, heard)| self.holds(sign, heard.line.as_deref()));
        (held.len(), missed.into_iter().map(|(_, heard)| heard).collect())
    }

    /// Forgets the silences that alone ruled out candidates that much speaks for.
    pub(super) fn forget_doubtful_silence(&mut self) {
        let much = self.candidates.iter().map(|protocol| self.signs_heard(protocol));
        let much = much.filter(|(held, _)| *held >= MUCH).flat_map(|(_, missed)| missed);
        let doubtful: Vec<Vec<u8>> = much.map(|missed| missed.ask.clone()).collect();
        self.heard.retain(|heard| !doubtful.contains(&heard.ask));
    }

    /// The readings of one question on which the candidates that are left depend.
    pub(super) fn rivals(&self, ask: &[u8]) -> Vec<&'static Query> {
        let mut rivals: Vec<&'static Query> = vec![];
        for protocol in &self.candidates {
            let Verdict::Open(asks) = self.judge(protocol) else { continue };
            let new = |query: &&'static Query| {
                query.wire(0) == ask && rivals.iter().all(|rival| !std::ptr::eq(*rival, *query))
            };
            let new: Vec<_> = asks.into_iter().filter(new).collect();
            rivals.extend(new);
        }
        rivals
    }

    /// One sign that is missing is enough, whatever else is not known yet.
    pub(super) fn judge(&self, protocol: &Protocol) -> Verdict {
        let mut open = vec![];
        for sign in protocol.signs.iter().filter(|sign| !sign.given(self.flags)) {
            match self.heard_to(sign.query()) {
                None => open.push(sign.query()),
                Some(heard) if self.holds(sign, heard.line.as_deref()) => {}
                Some(_) => return Verdict::No,
            }
        }
        if open.is_empty() { Verdict::Yes } else { Verdict::Open(open) }
    }

    pub(super) fn holds(&self, sign: &Sign, line: Option<&[u8]>) -> bool {
        let words = |line: &&[u8]| !is_refusal(&sign.query().wire(0), line);
        let fit = line.filter(words).and_then(|line| sign.query().read(line).ok());
        match (sign, fit) {
            (Sign::AnswersOr(_, refusal), None) => line == Some(refusal.as_bytes()),
            (_, None) => false,
            (Sign::Answers(_) | Sign::AnswersOr(..), Some(fit)) => self.is_addressed(&fit),
            (Sign::Says(_, var), Some(fit)) => fit.readings.value(var).is_some(),
        }
    }

    /// Whether the UPS has the number that was asked for, if it has one.
    pub(super) fn is_addressed(&self, fit: &Fit) -> bool {
        match (self.address, fit.readings.number(&crate::vocabulary::variable::UPS_ID)) {
            (Some(wanted), Some(said)) => said.whole() == i64::from(wanted),
            _ => true,
        }
    }
}
