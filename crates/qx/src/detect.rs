//! Detection: which dialect the UPS speaks.
//!
//! Replies are kept in one table that all candidates share, and a verdict is a function of that
//! table: yes, no, or "ask this first". So nothing is asked twice, and the outcome is that of the
//! list, whatever the order of asking: the first dialect that fits, as in NUT.

use crate::option::Flags;
use crate::protocol::{Protocol, Sign};
use crate::protocols;
use crate::query::Query;
use crate::read::Fit;

/// Texts by which devices and bridges refuse a question.
const REFUSALS: [&[u8]; 3] = [b"(NAK", b"NAK", b"UPS No Ack"];

/// Whether a reply to `ask` says that the UPS does not know the question: the question itself, or
/// one of the texts that are used for it.
pub fn is_refusal(ask: &[u8], line: &[u8]) -> bool {
    line == ask || REFUSALS.iter().any(|refusal| line.starts_with(refusal) && line.len() <= refusal.len() + 2)
}

/// Whether a line is a reply of some dialect, so that an echo before it was only an echo.
pub fn looks_like_reply(line: &[u8]) -> bool {
    let queries = protocols::ALL.iter().flat_map(|protocol| protocol.queries);
    // short pictures fit almost everything
    let mut telling = queries.filter(|query| query.picture.len() >= TELLING);
    line.len() >= TELLING / 2 && telling.any(|query| query.read(line).is_ok_and(|fit| fit.unread.is_empty()))
}

/// A picture of so many bytes is not met by chance.
const TELLING: usize = 20;
/// How often a question with doubtful replies is asked.
const TRIES: u8 = 3;

/// What was heard to one question.
#[derive(Clone, Debug)]
struct Heard {
    ask: Vec<u8>,
    line: Option<Vec<u8>>,
    tries: u8,
    sure: bool,
}

/// The questions asked so far and what was heard.
#[derive(Clone, Debug)]
pub struct Detection {
    candidates: Vec<&'static Protocol>,
    flags: Flags,
    address: Option<u32>,
    heard: Vec<Heard>,
    refusal: Option<Vec<u8>>,
    noisy: bool,
}

/// What to do next.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// Ask this.
    Ask(&'static Query),
    /// The UPS speaks this.
    Found(&'static Protocol),
    /// Nothing fits.
    Nothing,
}

enum Verdict {
    Yes,
    No,
    Ask(&'static Query),
}

impl Detection {
    /// Detection among `candidates`, the more particular first.
    pub fn new(candidates: Vec<&'static Protocol>, flags: Flags, address: Option<u32>) -> Detection {
        Detection { candidates, flags, address, heard: vec![], refusal: None, noisy: false }
    }

    /// What to do next. The question that most candidates share goes first: it is harmless, and
    /// its answer shows how fast this UPS is.
    pub fn step(&self) -> Step {
        if let Some(ask) =
            self.opening().filter(|ask| self.heard(&ask.wire(0)).is_none_or(|heard| !heard.sure))
        {
            return Step::Ask(ask);
        }
        for protocol in &self.candidates {
            match self.judge(protocol) {
                Verdict::Yes => return Step::Found(protocol),
                Verdict::Ask(ask) => return Step::Ask(ask),
                Verdict::No => {}
            }
        }
        Step::Nothing
    }

    /// Keeps what came back to a question.
    pub fn hear(&mut self, query: &'static Query, line: Option<Vec<u8>>) {
        let ask = query.wire(0);
        let before = self.heard.iter().position(|heard| heard.ask == ask).map(|at| self.heard.remove(at));
        let tries = before.as_ref().map_or(0, |heard| heard.tries) + 1;
        self.noisy |= before.as_ref().is_some_and(|before| before.line != line);
        let sure = tries == TRIES || self.is_sure(&ask, line.as_deref(), before.as_ref());
        self.heard.push(Heard { ask, line, tries, sure });
    }

    /// The reply to a question, if there was one to rely on.
    pub fn reply(&self, query: &Query) -> Option<&[u8]> {
        self.heard(&query.wire(0)).filter(|heard| heard.sure).and_then(|heard| heard.line.as_deref())
    }

    /// How many exchanges were made.
    pub fn exchanges(&self) -> u32 {
        self.heard.iter().map(|heard| u32::from(heard.tries)).sum()
    }

    /// Whether any question got a reply.
    pub fn anything_heard(&self) -> bool {
        self.heard.iter().any(|heard| heard.line.is_some())
    }

    /// Whether some question got two different replies: one of them was noise, or was lost.
    pub fn is_noisy(&self) -> bool {
        self.noisy
    }

    /// How many questions were answered by silence, so far by all.
    pub fn silences(&self) -> usize {
        if self.anything_heard() { 0 } else { self.heard.len() }
    }

    fn opening(&self) -> Option<&'static Query> {
        let first = |protocol: &&'static Protocol| protocol.signs.first().map(Sign::query);
        let asks: Vec<&'static Query> = self.candidates.iter().filter_map(first).collect();
        let count = |ask: &&Query| asks.iter().filter(|other| other.ask == ask.ask).count();
        asks.iter().rev().max_by_key(|ask| count(ask)).copied()
    }

    fn heard(&self, ask: &[u8]) -> Option<&Heard> {
        self.heard.iter().find(|heard| heard.ask == ask)
    }

    /// Silence, a refusal and a reply of drawn form are what they seem; anything else has to come
    /// twice.
    fn is_sure(&mut self, ask: &[u8], line: Option<&[u8]>, before: Option<&Heard>) -> bool {
        let Some(line) = line else { return before.is_none_or(|before| before.line.is_none()) };
        let fits: Vec<Fit> = self.queries(ask).filter_map(|query| query.read(line).ok()).collect();
        if is_refusal(ask, line) || fits.iter().any(|fit| fit.odd.is_none()) {
            return true;
        }
        if fits.is_empty() && self.refusal.as_deref() == Some(line) {
            return true;
        }
        let Some(old) = before.and_then(|before| before.line.as_deref()) else { return false };
        if fits.is_empty() && old == line {
            self.refusal = Some(line.to_vec());
            return true;
        }
        let same_form = |query: &'static Query| match (query.read(line), query.read(old)) {
            (Ok(new), Ok(old)) => new.odd == old.odd && crate::belief::alike(&new.readings, &old.readings),
            _ => false,
        };
        self.queries(ask).any(same_form)
    }

    fn queries(&self, ask: &[u8]) -> impl Iterator<Item = &'static Query> + use<> {
        let of = |protocol: &&'static Protocol| protocol.queries.iter();
        let queries: Vec<&'static Query> = self.candidates.iter().flat_map(of).copied().collect();
        let ask = ask.to_vec();
        queries.into_iter().filter(move |query| query.wire(0) == ask)
    }

    fn judge(&self, protocol: &Protocol) -> Verdict {
        for sign in protocol.signs.iter().filter(|sign| !sign.given(self.flags)) {
            let query = sign.query();
            match self.heard(&query.wire(0)) {
                Some(heard) if heard.sure => {}
                _ => return Verdict::Ask(query),
            }
            let line = self.reply(query);
            let fit = line.and_then(|line| query.read(line).ok());
            let fits = match (sign, fit) {
                (Sign::AnswersOr(_, refusal), None) => line == Some(refusal.as_bytes()),
                (_, None) => false,
                (Sign::Answers(_) | Sign::AnswersOr(..), Some(fit)) => self.is_addressed(&fit),
                (Sign::Says(_, var), Some(fit)) => fit.readings.value(var).is_some(),
            };
            if !fits {
                return Verdict::No;
            }
        }
        Verdict::Yes
    }

    /// Whether the UPS has the number that was asked for, if it has one.
    fn is_addressed(&self, fit: &Fit) -> bool {
        match (self.address, fit.readings.number(&crate::variable::UPS_ID)) {
            (Some(wanted), Some(said)) => said.whole() == i64::from(wanted),
            _ => true,
        }
    }
}
