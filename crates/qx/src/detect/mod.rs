//! Detection: which dialect the UPS speaks.
//!
//! Replies are kept in one table that all candidates share, and a verdict is a function of that
//! table: yes, no, or "ask these first". So nothing is asked twice, and the outcome is that of the
//! list, whatever the order of asking: the first dialect that fits, as in NUT. The question that
//! rules out most goes first.
//!
//! Silence is an answer as well, and the dear one. How long it is waited for follows from how fast
//! this UPS answers; silence that turns out to have been too short is forgotten.

mod doubt;
mod evidence;
mod verdict;

use crate::exchange::Reply;
use crate::known::Known;
use crate::option::Flags;
use crate::protocol::{Protocol, Sign};
use crate::protocols;
use crate::query::Query;
use std::time::Duration;
use verdict::Verdict;

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
        // who refuses in words of its own has answered
        let fits = line.as_deref().is_some_and(in_form) || line.is_some() && line == self.refusal;
        // of several late replies two would come to the same question
        let many = |line: &[u8]| self.owing(&ask, line).any(|owing| owing.tries > 1);
        let pause = if late && line.as_deref().is_some_and(many) { 2 * self.long() } else { Duration::ZERO };
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
}
