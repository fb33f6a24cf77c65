//! Detection: which dialect the UPS speaks.
//!
//! Replies are kept in one table that all candidates share, and a verdict is a function of that
//! table: yes, no, or "ask these first". So nothing is asked twice, and the outcome is that of the
//! list, whatever the order of asking: the first dialect that fits, as in NUT. The question that
//! rules out most goes first.
//!
//! Silence is an answer as well, and the dear one. How long it is waited for follows from how fast
//! this UPS answers; silence that turns out to have been too short is forgotten.

use crate::capture::escape;
use crate::exchange::Reply;
use crate::known::Known;
use crate::option::Flags;
use crate::protocol::{Protocol, Sign};
use crate::protocols;
use crate::query::Query;
use crate::read::Fit;
use std::time::Duration;

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
/// A reply of less may be another one with a flipped bit, if nothing packs it.
const SHORT: usize = 10;
/// How often a question with doubtful replies is asked.
const TRIES: u8 = 3;
/// The same for the last sign of a candidate that much speaks for.
const MANY_TRIES: u8 = 6;
/// A candidate with so many signs is not ruled out by one silence.
const MUCH: usize = 3;
/// How often all is asked anew because replies came late. Who is late still is not understood.
const RESTARTS: u8 = 2;

/// How long the first question waits when nothing is known of this UPS, and how long the further ones.
const UNKNOWN: [Duration; 2] = [Duration::from_millis(950), Duration::from_millis(500)];
/// The same at the first attempt, which is repeated when nobody answers.
const QUICK: [Duration; 2] = [Duration::from_millis(400), Duration::from_millis(200)];
/// Silence is not known earlier, however fast the UPS is.
const LEAST: Duration = Duration::from_millis(165);
/// One that takes longer was held up once.
const SLOWEST: Duration = Duration::from_secs(1);
/// By so many percent a reply may come later than the slowest before it. What comes later still is
/// seen when it runs into the next question, as long as that has another form.
const SLOWER_PERCENT: u32 = 65;
/// The same for silence that was before this was known.
const SLOWER_BEFORE_PERCENT: u32 = 40;

/// What was heard to one question.
#[derive(Clone, Debug)]
struct Heard {
    query: &'static Query,
    ask: Vec<u8>,
    line: Option<Vec<u8>>,
    patience: Duration,
    tries: u8,
    sure: bool,
    /// It is in some form of a reply to this question.
    fits: bool,
    /// One of several attempts was answered by silence: that reply may come yet.
    owes: bool,
    /// The same came twice in a row, or silence did.
    agreed: bool,
    /// Doubted because it may be the late reply to another question.
    late: bool,
}

impl Heard {
    /// Nothing came that would be a reply to it.
    fn is_unanswered(&self) -> bool {
        !self.fits
    }
}

/// What a reply is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worth {
    /// It counts.
    Sure,
    /// It has to come again, on a line that was quiet before, and after such a pause.
    Doubted(Duration),
    /// It came late, and belongs to another question. All that was heard is forgotten; so much time has
    /// to pass for what is still on its way.
    Late(Duration),
}

/// The questions asked so far and what was heard.
#[derive(Clone, Debug)]
pub struct Detection {
    candidates: Vec<&'static Protocol>,
    flags: Flags,
    address: Option<u32>,
    heard: Vec<Heard>,
    /// What was heard in the attempt before, in which nothing fitted.
    given_up: Vec<Heard>,
    refusal: Option<Vec<u8>>,
    quick: bool,
    /// The slowest reply that was no late one.
    latency: Option<Duration>,
    /// How often all was forgotten because replies came later than they were waited for.
    restarts: u8,
    /// What was found at the last start.
    known: Option<Known>,
    exchanges: u32,
    /// Some question got two different replies.
    noisy: bool,
    /// Some reply was of more than a few bytes.
    anything_long: bool,
    /// Something was said that is no refusal, though it may be forgotten by now.
    anything_said: bool,
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

fn slower(latency: Duration, percent: u32) -> Duration {
    latency + latency * percent / 100
}

/// What is known of one candidate.
enum Verdict {
    Yes,
    No,
    /// It depends on these.
    Open(Vec<&'static Query>),
}

impl Detection {
    /// Detection among `candidates`, the more particular first.
    pub fn new(candidates: Vec<&'static Protocol>, flags: Flags, address: Option<u32>) -> Detection {
        Detection {
            candidates,
            flags,
            address,
            heard: vec![],
            given_up: vec![],
            refusal: None,
            quick: false,
            latency: None,
            restarts: 0,
            known: None,
            exchanges: 0,
            noisy: false,
            anything_long: false,
            anything_said: false,
        }
    }

    /// The same for a first attempt: while nobody answers, it waits for a short time only.
    #[must_use]
    pub fn quick(mut self) -> Detection {
        self.quick = self.candidates.len() > 1;
        self
    }

    /// Another attempt after this one, with time: what is late may come yet.
    #[must_use]
    pub fn again(self) -> Detection {
        let (given_up, anything_said) = (self.heard, self.anything_said);
        Detection { given_up, anything_said, ..Detection::new(self.candidates, self.flags, self.address) }
    }

    /// The same, when the UPS is likely to be one that was found before.
    #[must_use]
    pub fn expecting(mut self, known: Option<Known>) -> Detection {
        self.known = known;
        self
    }

    /// What was heard, without what was found before and without silences that are in doubt: by this alone a
    /// dialect is proven.
    #[must_use]
    pub fn unprejudiced(&self) -> Detection {
        let mut rest = Detection { known: None, quick: false, ..self.clone() };
        rest.forget_doubtful_silence();
        rest
    }

    /// What was found before.
    pub fn known(&self) -> Option<&Known> {
        self.known.as_ref()
    }

    /// Which of two dialects goes before the other in the list.
    pub fn goes_before(&self, one: &Protocol, other: &Protocol) -> bool {
        self.candidates
            .iter()
            .find(|protocol| std::ptr::eq(**protocol, one) || std::ptr::eq(**protocol, other))
            .is_some_and(|first| std::ptr::eq(*first, one))
    }

    /// The dialect that was found before, as long as nothing speaks against it: when the UPS names itself as
    /// before. One that named nothing has to show all signs.
    fn step_by_what_is_known(&self, known: &Known) -> Option<Step> {
        let protocol = *self.candidates.iter().find(|protocol| protocol.name == known.protocol)?;
        match (known.names.first(), self.judge(protocol)) {
            _ if self.restarts > 0 => None,
            (Some((ask, line)), _) => match self.said(ask) {
                Some(heard) if heard.line.as_ref() == Some(line) => Some(Step::Found(protocol)),
                // somebody is there: the reply may have been lost
                Some(heard) if heard.line.is_none() && heard.tries == 1 && self.anything_heard() => {
                    Some(Step::Ask(heard.query))
                }
                Some(_) => None,
                None => protocol.queries.iter().find(|query| query.wire(0) == *ask).map(|ask| Step::Ask(ask)),
            },
            (None, Verdict::Open(asks)) => asks.last().map(|ask| Step::Ask(ask)),
            (None, Verdict::No) => None,
            (None, Verdict::Yes) => (!self.has_a_double(protocol)).then_some(Step::Found(protocol)),
        }
    }

    /// Whether a dialect that goes before it, and may be the one, makes other values of the reply to one of
    /// its signs. The plain one, which is the last, is true of all.
    fn has_a_double(&self, protocol: &Protocol) -> bool {
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
    fn said(&self, ask: &[u8]) -> Option<&Heard> {
        self.heard.iter().find(|heard| heard.ask == ask && heard.sure)
    }

    /// What to do next. The question that most candidates share goes first: it is harmless, and
    /// its answer shows how fast this UPS is.
    pub fn step(&self) -> Step {
        if self.restarts > RESTARTS {
            return Step::Nothing;
        }
        if let Some(doubted) = self.heard.iter().find(|heard| !heard.sure) {
            return Step::Ask(doubted.query);
        }
        if let Some(step) = self.known.as_ref().and_then(|known| self.step_by_what_is_known(known)) {
            return step;
        }
        if let Some(ask) = self.opening().filter(|ask| self.heard_to(ask).is_none()) {
            return Step::Ask(ask);
        }
        let mut open: Vec<Vec<&'static Query>> = vec![];
        for protocol in &self.candidates {
            match self.judge(protocol) {
                Verdict::Yes if open.is_empty() => return Step::Found(protocol),
                // those behind it do not count any more
                Verdict::Yes => break,
                Verdict::Open(asks) => open.push(asks),
                Verdict::No => open.extend(self.lost(protocol).map(|lost| vec![lost])),
            }
        }
        let Some(first) = open.first() else { return Step::Nothing };
        let shared = |ask: &&&'static Query| {
            let wire = ask.wire(0);
            open.iter().filter(|asks| asks.iter().any(|other| other.wire(0) == wire)).count()
        };
        first.iter().rev().max_by_key(shared).map_or(Step::Nothing, |ask| Step::Ask(ask))
    }

    /// How long the next question waits for its first byte.
    pub fn patience(&self) -> Duration {
        let learned = self.latency.map(|latency| slower(latency, SLOWER_PERCENT));
        match learned {
            _ if self.restarts > 0 => self.long().max(learned.unwrap_or_default()),
            // a converter may hand on a reply when it has all of it: short ones do not tell how slow it is
            Some(learned) if self.quick && !self.anything_long => learned.max(QUICK[0]),
            // what came once may have been late
            None if self.anything_heard() => UNKNOWN[0],
            None if self.quick => QUICK[usize::from(!self.heard.is_empty())],
            None => UNKNOWN[usize::from(!self.heard.is_empty())],
            // nothing fitted at the first attempt: there is time now
            Some(learned) if !self.quick && !self.given_up.is_empty() => (2 * learned).max(UNKNOWN[1]),
            Some(learned) if !self.quick => (2 * learned).max(LEAST),
            Some(learned) => learned.max(LEAST),
        }
    }

    /// Keeps what came back to a question for which it was waited long.
    pub fn hear(&mut self, query: &'static Query, line: Option<Vec<u8>>) {
        self.hear_within(query, line, UNKNOWN[0], Duration::ZERO);
    }

    /// Keeps what came back to a question within `patience`, its first byte after `latency`.
    pub fn hear_within(
        &mut self,
        query: &'static Query,
        line: Option<Vec<u8>>,
        patience: Duration,
        latency: Duration,
    ) -> Worth {
        self.exchanges += 1;
        let ask = query.wire(0);
        let said = line.as_deref().filter(|line| !is_refusal(&ask, line));
        self.anything_said |= said.is_some();
        if line.as_deref().is_some_and(|line| self.belongs_elsewhere(&ask, line)) {
            return self.start_again();
        }
        let before = self.heard.iter().position(|heard| heard.ask == ask).map(|at| self.heard.remove(at));
        let tries = before.as_ref().map_or(0, |heard| heard.tries) + 1;
        self.noisy |= before.as_ref().is_some_and(|before| before.line != line);
        let owed = |before: &Heard| line.is_none() || before.line.is_none() || before.owes;
        let owes = before.as_ref().is_some_and(owed);
        let agreed = before.as_ref().is_some_and(|before| before.line == line);
        let late = line.as_deref().is_some_and(|line| self.may_be_late(&ask, line));
        let seems_sure = self.is_sure(&ask, line.as_deref(), before.as_ref(), late);
        // what does not come again was late
        if before.as_ref().is_some_and(|before| before.late) && !seems_sure {
            return self.start_again();
        }
        let sure = seems_sure || tries >= TRIES;
        if let Some(doubted) = before.as_ref().and_then(|before| before.line.clone())
            && line.as_ref() != Some(&doubted)
        {
            self.doubt_silences(&doubted);
        }
        // a reply is lost more easily than made up
        let line = line.or_else(|| before.filter(|_| !seems_sure).and_then(|before| before.line));
        if let Some(line) = line.as_deref().filter(|_| seems_sure) {
            self.anything_long |= line.len() >= TELLING;
            self.latency = Some(self.latency.unwrap_or_default().max(latency.min(SLOWEST)));
        }
        let in_form =
            |line: &[u8]| !is_refusal(&ask, line) && self.queries(&ask).any(|query| query.read(line).is_ok());
        let fits = line.as_deref().is_some_and(in_form);
        // of several late replies two would come to the same question
        let many = |line: &[u8]| self.owing(&ask, line).any(|owing| owing.tries > 1);
        let pause = if late && line.as_deref().is_some_and(many) { self.long() } else { Duration::ZERO };
        self.heard.push(Heard { query, ask, line, patience, tries, sure, fits, owes, agreed, late });
        if sure { Worth::Sure } else { Worth::Doubted(pause) }
    }

    /// Something came after the last question had been given up: that was no silence. Once only: a line may
    /// babble.
    fn hear_stray(&mut self) -> Option<Worth> {
        let silence = self.heard.last().is_some_and(|last| last.line.is_none());
        (silence && self.restarts == 0).then(|| self.start_again())
    }

    /// What came back to a question, by a link.
    pub fn hear_reply(&mut self, query: &'static Query, reply: Reply, patience: Duration) -> Worth {
        let stray = if reply.stray { self.hear_stray() } else { None };
        stray.unwrap_or_else(|| self.hear_within(query, reply.line, patience, reply.latency))
    }

    /// Forgets everything, and has more patience from now on.
    fn start_again(&mut self) -> Worth {
        self.heard.clear();
        self.latency = None;
        self.refusal = None;
        self.restarts += 1;
        Worth::Late(2 * self.long())
    }

    /// How long it is waited at most.
    fn long(&self) -> Duration {
        UNKNOWN[0] * u32::from(self.restarts.max(1))
    }

    /// The reply to a question, if there was one to rely on.
    pub fn reply(&self, query: &Query) -> Option<&[u8]> {
        self.heard_to(query).and_then(|heard| heard.line.as_deref())
    }

    /// Whether a question was answered by silence, and surely so.
    pub fn is_silent_on(&self, query: &Query) -> bool {
        self.heard_to(query).is_some_and(|heard| heard.line.is_none())
    }

    /// Why it is this dialect, for people: how each question was answered, and which sign each dialect that
    /// goes before it lacks.
    pub fn evidence(&self, protocol: &Protocol) -> Vec<String> {
        let heard = |heard: &Heard| {
            let ask = escape(&heard.ask);
            match &heard.line {
                None => format!("{ask}: silence, {} ms", heard.patience.as_millis()),
                Some(line) if is_refusal(&heard.ask, line) => format!("{ask}: refused by '{}'", escape(line)),
                Some(line) => format!("{ask}: '{}'", escape(line)),
            }
        };
        let lacks = |other: &&'static Protocol| {
            let missing = |sign: &&Sign| {
                self.heard_to(sign.query()).is_some_and(|heard| !self.holds(sign, heard.line.as_deref()))
            };
            let sign = other.signs.iter().find(missing)?;
            Some(format!("not {}: no such answer to {}", other.name, sign.query().ask))
        };
        let before = self.candidates.iter().take_while(|other| !std::ptr::eq(**other, protocol));
        self.heard.iter().map(heard).chain(before.filter_map(lacks)).collect()
    }

    /// How many exchanges were made.
    pub fn exchanges(&self) -> u32 {
        self.exchanges
    }

    /// Whether any question got a reply.
    pub fn anything_heard(&self) -> bool {
        self.heard.iter().any(|heard| heard.line.is_some())
    }

    /// Whether anybody said anything, if it was believed or not.
    pub fn anything_said(&self) -> bool {
        self.anything_said
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

    /// What was heard to a question, if it can be relied on: silence has to have been long enough for
    /// this UPS.
    fn heard_to(&self, query: &Query) -> Option<&Heard> {
        let ask = query.wire(0);
        let enough = match self.latency {
            _ if self.restarts > 0 => Duration::ZERO,
            Some(latency) => slower(latency, SLOWER_BEFORE_PERCENT).min(UNKNOWN[0]),
            None => Duration::ZERO,
        };
        let words = self.refuses_in_words();
        let is_silence = |heard: &Heard| heard.patience >= enough && (!words || heard.tries > 1);
        let reliable = |heard: &&Heard| heard.sure && (heard.line.is_some() || is_silence(heard));
        self.heard.iter().find(|heard| heard.ask == ask).filter(reliable)
    }

    /// The questions that this reply could be to, were it late: those that were answered by silence. As
    /// soon as it is known how fast the UPS is, only the last one, and only the last exchange.
    fn unanswered(&self, ask: &[u8]) -> impl Iterator<Item = &Heard> {
        let recent = if self.latency.is_some() { 1 } else { self.heard.len() };
        let silent = |before: &&Heard| before.line.is_none();
        let ask = ask.to_vec();
        self.heard.iter().rev().filter(move |before| before.ask != ask).take(recent).filter(silent)
    }

    /// Whether a line is the late reply to a question before, and none to this one.
    fn belongs_elsewhere(&self, ask: &[u8], line: &[u8]) -> bool {
        let drawn = |query: &Query| query.read(line).is_ok_and(|fit| fit.odd.is_none());
        let own = is_refusal(ask, line) || self.queries(ask).any(drawn);
        let other = |before: &Heard| {
            before.ask == line || line.len() >= SHORT && self.queries(&before.ask).any(drawn)
        };
        // who refuses in words is not silent on others: that was to an earlier question, but once only, as
        // a UPS may be odd
        let refused = self.latency.is_none() && self.restarts == 0 && line != ask && is_refusal(ask, line);
        let long_ago = |before: &Heard| before.ask != ask && before.is_unanswered() && other(before);
        // it was there once, and could not be repeated
        let unrepeated = |before: &Heard| {
            before.ask != ask
                && before.tries >= TRIES
                && !before.agreed
                && before.line.as_deref() == Some(line)
        };
        self.unanswered(ask).any(|before| refused || !own && other(before))
            || !own && line.len() >= TELLING && self.heard.iter().chain(&self.given_up).any(long_ago)
            || line.len() >= SHORT && self.heard.iter().any(unrepeated)
    }

    /// Questions that were answered by silence have to be asked again: a reply that could be to them came
    /// once, to another.
    fn doubt_silences(&mut self, reply: &[u8]) {
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
    fn may_be_late(&self, ask: &[u8], line: &[u8]) -> bool {
        let refused = |before: &Heard| is_refusal(&before.ask, line);
        line != ask && (self.unanswered(ask).any(refused) || self.owing(ask, line).next().is_some())
    }

    /// The questions before to which a line would be a reply, and which wait for one.
    fn owing(&self, ask: &[u8], line: &[u8]) -> impl Iterator<Item = &Heard> {
        let mine: Vec<&str> =
            self.queries(ask).filter(|query| query.read(line).is_ok()).map(|query| query.picture).collect();
        let fits =
            move |before: &&Heard| self.queries(&before.ask).any(|query| mine.contains(&query.picture));
        let ask = ask.to_vec();
        let missing = move |before: &&Heard| before.ask != ask && (before.is_unanswered() || before.owes);
        self.heard.iter().chain(&self.given_up).filter(missing).filter(fits)
    }

    /// Silence, a refusal and a reply of drawn form are what they seem; anything else has to come
    /// twice. So has what may be late, and what is so short that a flipped bit makes the sign of a rival
    /// of it.
    fn is_sure(&mut self, ask: &[u8], line: Option<&[u8]>, before: Option<&Heard>, late: bool) -> bool {
        let name = self.known.as_ref().filter(|_| self.restarts == 0).and_then(|known| known.names.first());
        match name.filter(|(name, _)| name == ask) {
            Some((_, name)) if line == Some(name) => return true,
            // one reply in noise makes no stranger of it
            Some(_) if before.is_none() && line.is_some() => return false,
            _ => {}
        }
        let Some(line) = line else { return before.is_none_or(|before| before.line.is_none()) };
        let fits: Vec<(&Query, Fit)> =
            self.queries(ask).filter_map(|query| Some((query, query.read(line).ok()?))).collect();
        let rivals = self.rivals(ask);
        let alone = |query: &Query| matches!(rivals[..], [only] if std::ptr::eq(only, query));
        let drawn = |(query, fit): &(&Query, Fit)| {
            fit.odd.is_none() && (line.len() >= SHORT || query.armour.is_some() || alone(query))
        };
        if !late && (is_refusal(ask, line) || fits.iter().any(drawn)) {
            return true;
        }
        if !late && self.refusal.as_deref() == Some(line) {
            return true;
        }
        let Some(old) = before.and_then(|before| before.line.as_deref()) else { return false };
        if old == line {
            if fits.is_empty() {
                self.refusal = Some(line.to_vec());
            }
            return true;
        }
        let same_form = |query: &'static Query| match (query.read(line), query.read(old)) {
            (Ok(new), Ok(old)) => new.odd == old.odd && crate::belief::alike(&new.readings, &old.readings),
            _ => false,
        };
        self.queries(ask).any(same_form)
    }

    /// Whether this UPS says so when it does not know a question: then silence is no answer, but a loss.
    fn refuses_in_words(&self) -> bool {
        let refused = |heard: &&Heard| heard.line.as_deref().is_some_and(|line| is_refusal(&heard.ask, line));
        self.heard.iter().filter(refused).count() > 1
    }

    fn queries(&self, ask: &[u8]) -> impl Iterator<Item = &'static Query> + use<> {
        let of = |protocol: &&'static Protocol| protocol.queries.iter();
        let queries: Vec<&'static Query> = self.candidates.iter().flat_map(of).copied().collect();
        let ask = ask.to_vec();
        queries.into_iter().filter(move |query| query.wire(0) == ask)
    }

    /// What to ask before missing signs rule out a candidate that much speaks for: replies may have been lost,
    /// or be late. Another sign of it, or the same one again; often, when more speaks for it than for the next.
    fn lost(&self, protocol: &Protocol) -> Option<&'static Query> {
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
    fn signs_heard(&self, protocol: &Protocol) -> (usize, Vec<&Heard>) {
        let heard = protocol.signs.iter().filter_map(|sign| Some((sign, self.heard_to(sign.query())?)));
        let (held, missed): (Vec<_>, Vec<_>) =
            heard.partition(|(sign, heard)| self.holds(sign, heard.line.as_deref()));
        (held.len(), missed.into_iter().map(|(_, heard)| heard).collect())
    }

    /// Forgets the silences that alone ruled out candidates that much speaks for.
    fn forget_doubtful_silence(&mut self) {
        let much = self.candidates.iter().map(|protocol| self.signs_heard(protocol));
        let much = much.filter(|(held, _)| *held >= MUCH).flat_map(|(_, missed)| missed);
        let doubtful: Vec<Vec<u8>> = much.map(|missed| missed.ask.clone()).collect();
        self.heard.retain(|heard| !doubtful.contains(&heard.ask));
    }

    /// The readings of one question on which the candidates that are left depend.
    fn rivals(&self, ask: &[u8]) -> Vec<&'static Query> {
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
    fn judge(&self, protocol: &Protocol) -> Verdict {
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

    fn holds(&self, sign: &Sign, line: Option<&[u8]>) -> bool {
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
    fn is_addressed(&self, fit: &Fit) -> bool {
        match (self.address, fit.readings.number(&crate::variable::UPS_ID)) {
            (Some(wanted), Some(said)) => said.whole() == i64::from(wanted),
            _ => true,
        }
    }
}
