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
mod foreign;
mod harm;
mod hear;
pub mod known;
mod verdict;

use crate::detect::known::KnownDialect;
use crate::line::TELLING;
use crate::vocabulary::flag::Flags;
use crate::vocabulary::moment::Moment;
use crate::wire::protocol::{Protocol, Sign};
use crate::wire::query::Query;
use crate::wire::refusal::is_refusal;
pub use foreign::ForeignDevice;
pub use harm::{Harm, harm, table as harm_table};
use std::time::Duration;
use verdict::Verdict;

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
/// Longer than NUT waits, which is a second.
const UNKNOWN: [Duration; 2] = [Duration::from_millis(1100), Duration::from_millis(500)];
/// The same at the first attempt, which is repeated when nothing answers.
const QUICK: [Duration; 2] = [Duration::from_millis(400), Duration::from_millis(200)];
/// Silence is not known earlier, however fast the UPS is.
const LEAST: Duration = Duration::from_millis(165);
/// A reply that takes longer is none to the question: no UPS is that slow. When nothing answered at the first
/// attempt, the first question of the next waits for so long, so that the reply of a slow UPS runs into it.
pub const SLOWEST: Duration = Duration::from_millis(3300);
/// It is never waited longer.
const LONGEST: Duration = Duration::from_millis(4500);
/// What is to come unasked comes within so much time more than was reckoned.
const UNASKED: Duration = Duration::from_millis(100);
/// Once it is known how late a UPS is, a reply may come so many percent later.
const LATER_PERCENT: u32 = 20;
/// By so many percent a reply may come later than the slowest before it. What comes later still is
/// seen when it runs into the next question, as long as that has another form.
const SLOWER_PERCENT: u32 = 65;
/// The same for silence that was before this was known.
const SLOWER_BEFORE_PERCENT: u32 = 40;

/// What was heard to one question.
#[derive(Clone, Debug)]
struct SignReply {
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
    /// When it was asked last.
    asked: Moment,
    /// When its line came.
    came: Moment,
    /// How late the line was, had it been to another question.
    overdue: Option<Duration>,
}

impl SignReply {
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
    /// It counts, and may be the reply to the same question when it was asked before: so much time has to pass
    /// for the other one, which then comes unasked.
    Behind(Duration),
    /// It came late, and belongs to another question. What was heard is forgotten; so much time has to pass for
    /// what is still on its way.
    Late(Duration),
}

impl Worth {
    /// How long nothing is to be asked.
    pub fn pause(self) -> Duration {
        match self {
            Worth::Sure => Duration::ZERO,
            Worth::Doubted(pause) | Worth::Behind(pause) | Worth::Late(pause) => pause,
        }
    }
}

/// The questions asked so far and what was heard.
#[derive(Clone, Debug)]
pub struct Detection {
    candidates: Vec<&'static Protocol>,
    flags: Flags,
    address: Option<u32>,
    heard: Vec<SignReply>,
    /// What was heard in the attempt before, in which nothing fitted.
    given_up: Vec<SignReply>,
    refusal: Option<Vec<u8>>,
    quick: bool,
    /// The slowest reply that was no late one.
    latency: Option<Duration>,
    /// How often all was forgotten because replies came later than they were waited for.
    restarts: u8,
    /// What was found at the last start.
    known: Option<KnownDialect>,
    exchanges: u32,
    /// Some question got two different replies.
    noisy: bool,
    /// Some reply was of more than a few bytes.
    anything_long: bool,
    /// Something was said that is no refusal, though it may be forgotten by now.
    anything_said: bool,
    /// How late the latest reply was that came to another question.
    lateness: Option<Duration>,
    /// How late questions come back that it does not know, where it answers others in time.
    echoes: Option<Duration>,
    /// So slow the UPS is, if something comes unasked before the next question.
    suspected: Option<Duration>,
    /// Silences that count if nothing comes unasked before the next question.
    silent: Vec<SignReply>,
    /// For callers without a clock: the time that was waited.
    waited: Moment,
    /// The port was not named by the administrator: it may hold no UPS.
    tentative: bool,
    /// A reply of this family came, be it late.
    family: bool,
    /// How often replies came late, in all attempts.
    times_late: u8,
    /// What answered the first question is no UPS of this family.
    foreign: Option<(ForeignDevice, Vec<u8>)>,
}

/// What to do next.
#[derive(Clone, Copy, Debug)]
pub enum DetectionStep {
    /// Ask this.
    Ask(&'static Query),
    /// The UPS speaks this.
    Found(&'static Protocol),
    /// It is none of this family, and nothing more is to be asked.
    Foreign(ForeignDevice),
    /// Nothing fits.
    Nothing,
}

/// Whether a question takes nearly any text for a reply.
fn takes_any(query: &Query) -> bool {
    query.picture.len() < SHORT && query.picture.contains('*')
}

/// The question to ask when nothing is known of a UPS: of those without which nothing is known of some candidate
/// the one that does least harm to others.
fn least_harmful(open: &[Vec<&'static Query>]) -> Option<&'static Query> {
    let only = |asks: &&Vec<&'static Query>| asks.len() == 1;
    let forced: Vec<&'static Query> = open.iter().filter(only).flatten().copied().collect();
    let is_forced = |ask: &&Query| forced.iter().any(|forced| forced.wire(0) == ask.wire(0));
    let by_harm = |ask: &&'static Query| harm(&ask.wire(0));
    let of_each = open.iter().filter_map(|asks| {
        let needed = asks.iter().copied().find(|ask| is_forced(ask));
        needed.or_else(|| asks.iter().copied().min_by_key(by_harm))
    });
    of_each.min_by_key(by_harm)
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
            lateness: None,
            echoes: None,
            suspected: None,
            silent: vec![],
            waited: Moment::ZERO,
            tentative: false,
            family: false,
            times_late: 0,
            foreign: None,
        }
    }

    /// The same for a first attempt: while nothing answers, it waits for a short time only.
    #[must_use]
    pub fn quick(mut self) -> Detection {
        self.quick = self.candidates.len() > 1;
        self
    }

    /// Another attempt after this one, with time: what is late may come yet.
    #[must_use]
    pub fn again(self) -> Detection {
        let next = Detection::new(self.candidates, self.flags, self.address);
        let Detection { heard: given_up, anything_said, waited, exchanges, .. } = self;
        let Detection { tentative, family, times_late, echoes, .. } = self;
        Detection {
            given_up,
            anything_said,
            waited,
            exchanges,
            tentative,
            family,
            times_late,
            echoes,
            ..next
        }
    }

    /// The same, when the UPS is likely to be one that was found before.
    #[must_use]
    pub fn expecting(mut self, known: Option<KnownDialect>) -> Detection {
        self.known = known;
        self
    }

    /// The same, where the port may hold no UPS: nothing but the first question is asked until something
    /// answers as UPSes of this family do: by a reply, an echo or a refusal.
    #[must_use]
    pub fn tentative(mut self, tentative: bool) -> Detection {
        self.tentative = tentative;
        self.quick &= !tentative;
        self
    }

    /// The device that answered and is no UPS of this family, and what it said.
    pub fn foreign(&self) -> Option<(ForeignDevice, &[u8])> {
        self.foreign.as_ref().map(|(who, said)| (*who, said.as_slice()))
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
    pub fn known(&self) -> Option<&KnownDialect> {
        self.known.as_ref()
    }

    /// What to do next. The question that most candidates share goes first: it is harmless, and
    /// its answer shows how fast this UPS is.
    pub fn step(&self) -> DetectionStep {
        if let Some((who, _)) = self.foreign {
            return DetectionStep::Foreign(who);
        }
        if self.restarts > RESTARTS || self.tentative && !self.heard.is_empty() && !self.sounds_like_family()
        {
            return DetectionStep::Nothing;
        }
        // what is silent most likely is not asked before that is known
        if !self.silent.is_empty() {
            let mut likely = self.clone();
            likely.heard.append(&mut likely.silent);
            if let DetectionStep::Ask(ask) = likely.step() {
                return DetectionStep::Ask(ask);
            }
        }
        if let Some(doubted) = self.heard.iter().find(|heard| !heard.sure) {
            return DetectionStep::Ask(doubted.query);
        }
        if let Some(step) = self.known.as_ref().and_then(|known| self.step_by_what_is_known(known)) {
            return step;
        }
        // it went first; of what is known still when replies came late, more may follow than from asking it again
        let goes_first = self.restarts == 0 || self.heard.is_empty();
        let opening = self.opening().filter(|ask| goes_first && self.heard_to(ask).is_none());
        if let Some(ask) = opening {
            return DetectionStep::Ask(ask);
        }
        let mut open: Vec<Vec<&'static Query>> = vec![];
        for protocol in &self.candidates {
            match self.judge(protocol) {
                Verdict::Yes if open.is_empty() => return DetectionStep::Found(protocol),
                // those behind it do not count any more
                Verdict::Yes => break,
                Verdict::Open(asks) => open.push(asks),
                Verdict::No => open.extend(self.lost(protocol).map(|lost| vec![lost])),
            }
        }
        let Some(first) = open.first() else { return DetectionStep::Nothing };
        let shared = |ask: &&&'static Query| {
            let wire = ask.wire(0);
            open.iter().filter(|asks| asks.iter().any(|other| other.wire(0) == wire)).count()
        };
        // as long as nothing showed that it is a UPS of this family, what does least harm to others goes first
        let ask = if self.sounds_like_family() {
            first.iter().rev().max_by_key(shared)
        } else {
            let needed = least_harmful(&open);
            return needed.map_or(DetectionStep::Nothing, DetectionStep::Ask);
        };
        ask.map_or(DetectionStep::Nothing, |ask| DetectionStep::Ask(ask))
    }

    /// Whether anything was heard that a UPS of this family says: a reply, an echo, a refusal.
    fn sounds_like_family(&self) -> bool {
        let is_ours = |heard: &SignReply| {
            let line = heard.line.as_deref();
            line.is_some_and(|line| heard.fits || is_refusal(&heard.ask, line))
        };
        self.family || self.heard.iter().chain(&self.given_up).any(is_ours)
    }

    /// How long the next question waits for its first byte.
    pub fn patience(&self) -> Duration {
        let latency = self.latency.max(self.suspected);
        let measured = latency.map(|latency| slower(latency, SLOWER_PERCENT).min(latency + UNKNOWN[1]));
        let echoes = self.echoes.map(|late| slower(late, LATER_PERCENT) + UNASKED).unwrap_or_default();
        let measured = measured.map(|measured| measured.max(echoes));
        match measured {
            Some(measured) if self.restarts > 0 => measured.max(UNKNOWN[0]),
            None if self.restarts > 0 => self.long(),
            // a converter may hand on a reply when it has all of it: short ones do not tell how slow it is
            Some(measured) if self.quick && !self.anything_long => measured.max(QUICK[0]),
            // what came once may have been late
            None if self.anything_heard() => UNKNOWN[0],
            None if self.quick => QUICK[usize::from(!self.heard.is_empty())],
            // nothing came in time at the first attempt
            None if self.heard.is_empty() && !self.given_up.is_empty() => SLOWEST,
            None => UNKNOWN[usize::from(!self.heard.is_empty() && self.candidates.len() > 1)],
            // there are few questions, and NUT waits as long
            Some(measured) if !self.quick && self.candidates.len() == 1 => measured.max(UNKNOWN[0]),
            // nothing fitted at the first attempt: there is time now
            Some(measured) if !self.quick && !self.given_up.is_empty() => {
                measured.max((2 * measured).clamp(UNKNOWN[1], UNKNOWN[0]))
            }
            Some(measured) if !self.quick => measured.max((2 * measured).clamp(LEAST, UNKNOWN[0])),
            Some(measured) => measured.max(LEAST),
        }
    }

    /// After so long nothing comes any more that was asked for.
    fn overlap(&self) -> Duration {
        self.lateness.map_or(2 * self.long(), |late| late + UNASKED)
    }

    /// How long it is waited at most.
    fn long(&self) -> Duration {
        let measured = self.lateness.map_or(Duration::ZERO, |late| slower(late, LATER_PERCENT));
        measured.max(UNKNOWN[0] * u32::from(self.restarts.max(1))).min(LONGEST)
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

    /// Whether an attempt that was given up had a reply in time.
    pub fn answered_at_first(&self) -> bool {
        self.given_up.iter().any(|heard| heard.line.is_some())
    }

    /// Whether anything came, accepted or not.
    pub fn anything_said(&self) -> bool {
        self.anything_said
    }

    /// Whether anything was heard that a UPS of this family says.
    pub fn anything_fits(&self) -> bool {
        self.sounds_like_family()
    }

    /// Whether some question got two different replies: one of them was noise, or was lost.
    pub fn is_noisy(&self) -> bool {
        self.noisy
    }

    /// Whether replies came to other questions than their own.
    pub fn met_late_replies(&self) -> bool {
        self.restarts > 0
    }

    /// How slow it is if something comes unasked before the next question.
    pub fn suspected(&self) -> Option<Duration> {
        self.suspected
    }

    /// The slowest reply.
    pub fn latency(&self) -> Option<Duration> {
        self.latency
    }

    /// Whether there is one candidate only.
    pub fn is_of_one(&self) -> bool {
        self.candidates.len() == 1
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
    fn heard_to(&self, query: &Query) -> Option<&SignReply> {
        let ask = query.wire(0);
        let enough = match self.latency {
            _ if self.restarts > 0 => Duration::ZERO,
            Some(latency) => slower(latency, SLOWER_BEFORE_PERCENT).min(LONGEST),
            None => Duration::ZERO,
        };
        let words = self.refuses_in_words();
        let is_silence = |heard: &SignReply| heard.patience >= enough && (!words || heard.tries > 1);
        let reliable = |heard: &&SignReply| heard.sure && (heard.line.is_some() || is_silence(heard));
        self.heard.iter().find(|heard| heard.ask == ask).filter(reliable)
    }
}
