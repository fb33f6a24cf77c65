//! The line: how fast and how well replies come.

mod hearing;
mod late;
mod latency;
mod rest;
mod sight;

use super::Moment;
use super::timing::{
    FIRST_PATIENCE, GAP, GAP_WITHOUT_END, HELD_UP, LEAST_GAP, LEAST_PATIENCE, POLL_PATIENCE,
};
use crate::judge::Quality;
use crate::judge::bounds::{CALM_AFTER, HALF, NOISY, PROVEN_AFTER};
use crate::line::exchange::{Echo, Reply};
use late::Late;
use latency::Latency;
use rest::Rest;
pub(super) use sight::{SeenReply, Sight};
use std::time::Duration;

/// What is known of the line. Only the files of this folder change it by hand.
#[derive(Debug)]
pub(super) struct LineState {
    up: bool,
    latency: Latency,
    echo: Echo,
    settle: bool,
    /// The UPS says so when it does not know a question.
    refuses: bool,
    /// When the port went away, until it is back.
    gone_at: Option<Moment>,
    /// Something was garbled or lost lately.
    hurt: bool,
    /// Replies that were whole since then.
    whole: u32,
    /// The last 64 replies, the newest first: a bit is set for one that was garbled or lost.
    lately: u64,
    /// Something was garbled while it was hurt: not all was lost whole.
    garbled: bool,
    /// How many replies were whole, and how many were not.
    replies: (u64, u64),
    /// When something was heard last, be it garbled.
    heard_at: Moment,
    /// A whole reply had a carriage return at its end.
    ends: bool,
    /// The last whole reply had none, and no reply of this UPS had one.
    endless: bool,
    /// A reply had none, was not known to be whole, and no whole one came since.
    torn: bool,
    /// The longest gaps within replies.
    gaps: Latency,
    /// Replies that came late.
    late: Late,
    /// How long the UPS hears nothing behind its own replies.
    rest: Rest,
}

impl LineState {
    /// An open line of which nothing is known, on which polls are so far apart.
    pub(super) fn new(interval: Duration) -> LineState {
        LineState {
            up: true,
            latency: Latency::default(),
            echo: Echo::Unknown,
            settle: false,
            refuses: false,
            gone_at: None,
            hurt: false,
            whole: 0,
            lately: 0,
            garbled: false,
            replies: (0, 0),
            heard_at: Moment::ZERO,
            ends: false,
            endless: false,
            torn: false,
            gaps: Latency::default(),
            late: Late::default(),
            rest: Rest::new(interval),
        }
    }

    /// Whether the port is open.
    pub(super) fn is_up(&self) -> bool {
        self.up
    }

    /// The port was opened or lost; whether that is news. What is on its way is not read.
    pub(super) fn change(&mut self, up: bool, now: Moment) -> bool {
        let was_up = std::mem::replace(&mut self.up, up);
        self.gone_at = (!up).then(|| self.gone_at.unwrap_or(now));
        self.settle = true;
        self.rest.reopen();
        was_up != up
    }

    /// When the port went away, until it is back.
    pub(super) fn gone_at(&self) -> Option<Moment> {
        self.gone_at
    }

    /// When something was heard last, be it garbled.
    pub(super) fn heard_at(&self) -> Moment {
        self.heard_at
    }

    /// What an echo means.
    pub(super) fn echo(&self) -> Echo {
        self.echo
    }

    /// Whether it echoes is found out anew.
    pub(super) fn forget_echo(&mut self) {
        self.echo = Echo::Unknown;
    }

    /// Another UPS answers: of its speed, its echo and its refusals nothing is known.
    pub(super) fn forget_unit(&mut self) {
        self.latency = Latency::default();
        self.forget_echo();
        (self.refuses, self.ends) = (false, false);
        self.rest.forget();
        self.settle = true;
    }

    /// The next command waits until the line is quiet.
    pub(super) fn settle_first(&mut self) {
        self.settle = true;
    }

    /// Whether the next command waits until the line is quiet.
    pub(super) fn set_settle(&mut self, settle: bool) {
        self.settle = settle;
    }

    /// Whether the command that is sent now waits until the line is quiet.
    pub(super) fn take_settle(&mut self) -> bool {
        std::mem::take(&mut self.settle)
    }

    /// Whether the UPS says so when it does not know a question.
    pub(super) fn refuses(&self) -> bool {
        self.refuses
    }

    /// It does.
    pub(super) fn met_refusal(&mut self) {
        self.refuses = true;
    }

    /// Whether something was garbled or lost lately.
    pub(super) fn is_hurt(&self) -> bool {
        self.hurt
    }

    /// A reply was whole, or garbled.
    pub(super) fn heard(&mut self, whole: bool) {
        self.garbled |= !whole;
        self.count(whole);
    }

    /// Nothing came at all.
    pub(super) fn lost(&mut self) {
        self.count(false);
    }

    /// How many replies could be read, and how many were lost or garbled.
    pub(super) fn replies(&self) -> (u64, u64) {
        self.replies
    }

    /// A question that the UPS answers was answered by a reply that can be read, or was not.
    pub(super) fn tally(&mut self, whole: bool) {
        let counted = if whole { &mut self.replies.0 } else { &mut self.replies.1 };
        *counted = counted.saturating_add(1);
    }

    fn count(&mut self, whole: bool) {
        self.whole = if whole { self.whole.saturating_add(1) } else { 0 };
        self.hurt = !whole || self.hurt && self.whole < CALM_AFTER;
        self.garbled &= self.hurt;
        self.lately = self.lately << 1 | u64::from(!whole);
    }

    /// How much of what comes is noise. Noise garbles many replies for each that it loses whole, as they are longer than
    /// questions: where none is garbled, what comes is as good as on a line that loses nothing.
    pub(super) fn quality(&self) -> Quality {
        match self.whole {
            whole if !self.garbled && whole >= PROVEN_AFTER => Quality::Clean,
            _ if !self.garbled => Quality::Unproven,
            _ if self.lately.count_ones() >= HALF => Quality::Garbled,
            _ if self.lately.count_ones() >= NOISY => Quality::Noisy,
            _ if self.hurt => Quality::Hurt,
            whole if whole < PROVEN_AFTER => Quality::Unproven,
            _ => Quality::Clean,
        }
    }

    /// How long each further byte of a reply may take: as long as in NUT, until it is known how long the gaps are
    /// here; and again after a reply that had no end.
    pub(super) fn gap(&self) -> Duration {
        match self.gaps.slowest() {
            _ if self.endless => GAP_WITHOUT_END,
            Some(longest) if self.gaps.is_proven() && !self.torn => (4 * longest).clamp(LEAST_GAP, GAP),
            _ => GAP,
        }
    }

    /// Whether it is not known yet how fast replies come and how long their gaps are, or changes.
    pub(super) fn measures(&self) -> bool {
        let is_open = |times: &Latency| times.slowest().is_some() && !times.is_proven();
        !self.latency.is_proven() || is_open(&self.gaps) || self.endless || self.torn
    }

    /// Takes how a reply came, of which it may be known already what it is.
    pub(super) fn measure(&mut self, reply: &Reply, sight: Option<Sight>, now: Moment) {
        let Some(line) = &reply.line else { return };
        self.heard_at = now;
        // of one that was seen only when it was whole it is known that it took no longer
        let measure = if reply.by_lines { Latency::measure_at_most } else { Latency::measure };
        measure(&mut self.latency, reply.latency);
        // a torn one is not known to be whole
        let is_whole = sight.map_or_else(|| crate::line::looks_like_reply(line), |sight| sight.whole);
        // of a UPS that ends its replies, one without an end is torn, however whole it looks
        self.ends |= is_whole && !reply.unended;
        self.endless = reply.unended && !self.ends && (self.endless || is_whole);
        // the tail of a torn reply has an end, and says nothing of how long the next one pauses
        self.torn = !self.endless && (reply.unended || self.torn && !is_whole);
        if is_whole && !reply.unended {
            measure(&mut self.gaps, reply.gap);
        }
        if self.echo == Echo::Unknown {
            let repeated = reply.echoed && is_whole;
            self.echo = if repeated { Echo::Line } else { Echo::Refusal };
        }
    }

    /// Goes on from what was seen while the dialect was looked for: the slowest reply, one that is only suspected to
    /// have been so slow, and until when nothing is asked.
    pub(super) fn go_on(&mut self, slowest: Option<Duration>, suspected: Option<Duration>, pause: Moment) {
        slowest.into_iter().for_each(|slowest| self.latency.measure(slowest));
        self.late.go_on(suspected, pause);
    }

    /// Nothing is asked before: a reply may come unasked, or the UPS hears nothing yet.
    pub(super) fn pause(&self) -> Moment {
        self.late.pause.max(self.rest.over())
    }

    /// Until when the UPS hears nothing behind its last reply, as far as that is known.
    pub(super) fn rests_until(&self) -> Moment {
        self.rest.behind_reply()
    }

    /// An outage is published of which nothing but the last reply told.
    pub(super) fn note_outage_told(&mut self) {
        self.rest.note_told();
    }

    /// Polls are so far apart from now on.
    pub(super) fn set_interval(&mut self, interval: Duration) {
        self.rest.set_interval(interval);
    }

    /// What became of a question that was sent at `asked`, or of an order, which is none. `known`, when it is one that this
    /// UPS answers, is which.
    pub(super) fn conclude(
        &mut self,
        answered: bool,
        question: (Option<&'static str>, Option<usize>),
        asked: Moment,
        now: Moment,
    ) {
        self.rest.note_noise(self.quality().is_noisy());
        self.rest.conclude(answered, question, asked, now);
    }

    /// When a command may be sent, which needs a line that was at rest for so long.
    pub(super) fn at_rest(&self, rest: Duration) -> Moment {
        self.rest.used() + rest
    }

    /// Whether it is tried how long this UPS rests: of questions that are lost otherwise none is to be wasted.
    pub(super) fn rest_is_tried(&self) -> bool {
        self.rest.is_tried()
    }

    /// The longest rest that this UPS is known to need between two questions.
    pub(super) fn longest_rest(&self) -> Duration {
        self.rest.longest()
    }

    /// How long this UPS needs before an order, as far as that is known.
    pub(super) fn rest_before_order(&self) -> Duration {
        self.rest.before_order()
    }

    /// Whether the last order, which was not answered, was heard, as far as that is known.
    pub(super) fn heard_order(&self) -> bool {
        self.rest.heard_order()
    }

    /// Whether one more question is to show whether it was.
    pub(super) fn is_order_unproven(&self) -> bool {
        self.rest.is_order_unproven()
    }

    /// How long replies usually take at most, once enough came.
    pub(super) fn usual(&self) -> Option<Duration> {
        self.latency.slowest().filter(|_| self.latency.is_proven())
    }

    /// The slowest reply lately, be it one that is only suspected to have been so slow.
    pub(super) fn slowest(&self) -> Option<Duration> {
        self.latency.slowest().max(self.late.suspected)
    }

    /// How long to wait for the first byte of a reply that may never come: longer than the slowest lately, and no
    /// longer than needed, as there may be many such questions.
    pub(super) fn silence_patience(&self) -> Duration {
        let enough = |slow: Duration| (4 * slow).min((slow * 3 / 2).max(slow + HELD_UP)).max(LEAST_PATIENCE);
        self.slowest().map_or(FIRST_PATIENCE, enough)
    }

    /// How long to wait for a first byte: `unknown` until the UPS has answered once, then four
    /// times as long as it took lately, but `least`, and no longer than one late reply needs: with more,
    /// two that are lost make an outage wait for most of what is stale.
    pub(super) fn patience(&self, unknown: Duration, least: Duration) -> Duration {
        let enough = |latency: Duration| (4 * latency).min(latency + POLL_PATIENCE).max(least);
        self.slowest().map_or(unknown, enough)
    }
}
