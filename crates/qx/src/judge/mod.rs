//! Judging: what is taken of what a UPS says.
//!
//! These dialects have no checksum: one flipped bit makes a 1 of a 0, and a lost byte shifts columns. So
//! what is news has to be read again before it is taken. Each word and each number ([`cell`]) is judged by
//! its own evidence: a bit that flickers, a field that cannot be read, a form that alternates keeps nothing
//! else back. How much evidence it takes stands in one table, [`bounds`]; `word` and `number` apply it.
//! What is not read any more is withdrawn.

pub mod bounds;
pub mod cell;
mod compare;
mod form;
mod mute;
mod number;
mod recent;
mod slip;
mod word;

use crate::options::Options;
use crate::vocabulary::moment::Moment;
use crate::vocabulary::status::Status;
use crate::vocabulary::value::Decimal;
use crate::vocabulary::variable::Var;
use crate::wire::query::{Cadence, Query};
use crate::wire::read::Form;
use crate::wire::readings::Readings;
use cell::Strange;
pub use cell::{Cell, CellKind, Claims, GRAVE};
pub use compare::{alike, alike_but_for_words, same_words};
use form::Forms;
use recent::Recent;
use slip::Slips;

/// A word that changed so often among the last readings is not asked for again at once.
const FLICKERS: usize = 3;

/// What is known of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quality {
    /// Little was heard yet: a number that changed is read again.
    Unproven,
    /// Every reply was whole for a long time.
    Clean,
    /// A reply was garbled or lost lately: numbers are elected.
    Hurt,
    /// Replies are garbled or lost all the time: words are elected as well.
    Noisy,
    /// The same, and at least half of them are.
    Garbled,
}

impl Quality {
    /// Whether anything was garbled or lost lately.
    pub fn is_hurt(self) -> bool {
        self == Quality::Hurt || self.is_noisy()
    }

    /// Whether replies are garbled or lost all the time.
    pub fn is_noisy(self) -> bool {
        matches!(self, Quality::Noisy | Quality::Garbled)
    }
}

/// When a reply came, and by what it is judged.
#[derive(Clone, Copy, Debug)]
pub struct Hearing {
    /// Since the driver was started.
    pub now: Moment,
    /// What came before this is too old to count.
    pub since: Moment,
    /// The same of numbers and texts on a line that was hurt.
    pub values_since: Moment,
    /// What is known of the line.
    pub quality: Quality,
    /// The UPS is on battery, as far as that is taken.
    pub on_battery: bool,
    /// The question was asked often enough: numbers that keep leaping are the UPS's own.
    pub let_run: bool,
    /// A word of this reply was taken that was not so before. (Filled in by [`Judge::hear`].)
    pub word_is_news: bool,
}

/// What came of a reply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// Something is taken that was not taken before.
    pub news: bool,
    /// Something of it was read.
    pub read: bool,
    /// It was read as a whole.
    pub whole: bool,
    /// Where it says whether mains is there, that was read, and is what is taken.
    pub mains: bool,
    /// Something is between two states, and asking again would tell.
    pub ask_again: bool,
    /// The same of a word.
    pub word_is_open: bool,
    /// Everything was read at some time, and is what is taken.
    pub complete: bool,
    /// Everything that is taken was read anew.
    pub all: bool,
}

/// What was withdrawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawn {
    /// The variables, or what the bits say.
    pub names: Vec<&'static str>,
    /// Something else of the replies was read since.
    pub is_answered: bool,
}

/// What was read of one cell.
#[derive(Clone, Debug, Default)]
struct CellState {
    taken: Option<Readings>,
    recent: Recent,
    /// When it was read last,
    read: Moment,
    /// and when that was what is taken.
    said: Moment,
    /// What it said last is what is taken.
    settled: bool,
    /// In so many replies it could not be read since its readings say the same.
    missed: u8,
}

/// What is taken of the replies to one query.
#[derive(Clone, Debug)]
pub struct Judge {
    query: &'static Query,
    cells: Vec<Cell>,
    states: Vec<CellState>,
    forms: Forms,
    slips: Slips,
    /// The last reply of the drawn form, and what it says of its cells; none where that is what is taken of them.
    last: Option<(Vec<u8>, Option<Claims>)>,
    /// The variables that are others each time: what is taken of them stays, and is not asked for again.
    restless: Vec<&'static str>,
}

impl Judge {
    /// A judge of the replies to `query` that has heard nothing.
    pub fn new(query: &'static Query) -> Judge {
        let cells = query.cells();
        Judge {
            query,
            states: vec![CellState::default(); cells.len()],
            cells,
            forms: Forms::new(query),
            slips: Slips::default(),
            last: None,
            restless: vec![],
        }
    }

    /// The variables that are known to be others each time.
    pub fn restless(&self) -> &[&'static str] {
        &self.restless
    }

    /// These variables are others each time.
    pub fn let_change(&mut self, names: &[&'static str]) {
        self.restless.extend(names);
    }

    /// Whether this UPS draws its replies to the query so.
    pub fn knows(&self, form: &Form) -> bool {
        self.forms.knows(form)
    }

    /// Takes an odd form for the way this UPS draws.
    pub fn adopt(&mut self, form: &Form) {
        self.forms.adopt(form);
    }

    /// What a reply says, cell by cell. `options` are always the same, or [`Judge::forget_claims`] is called
    /// before.
    pub fn claims(&mut self, reply: &[u8], quality: Quality, options: &Options) -> Claims {
        if let Some((_, claims)) = self.last.as_mut().filter(|(bytes, _)| bytes == reply) {
            let claims = claims.take();
            self.slips.keep(reply);
            self.forms.meet(None, quality);
            self.forms.doubts(bits_of(reply), quality);
            return claims.unwrap_or(Claims { whole: true, as_taken: true, ..Claims::default() });
        }
        let noisy = quality.is_noisy();
        let usual = self.forms.usual();
        let usual = noisy.then_some(usual.as_slice());
        let claims = self.query.claims(&self.cells, reply, usual, |form| self.forms.knows(form));
        if let Some(strange) = &claims.strange {
            self.forms.meet_strange(strange);
        }
        let mut claims = self.claims_of_form(reply, claims, (quality, usual));
        claims.said.iter_mut().flatten().for_each(|said| said.mute(self.query, options));
        claims
    }

    /// The same where its form was looked at: whether it is this UPS's own, or a byte was lost or doubled.
    fn claims_of_form(
        &mut self,
        reply: &[u8],
        mut claims: Claims,
        (quality, usual): (Quality, Option<&[Strange]>),
    ) -> Claims {
        let slipped = if claims.vouched { None } else { self.slips.of(self.query, reply) };
        if let Some(field) = slipped {
            self.forms.meet(None, quality);
            // the others have the widths of the reply before, so they stand where they can be read
            let mut others = self.query.claims(&self.cells, reply, usual, |_| true);
            let cells = self.cells.iter().zip(&mut others.said);
            cells.filter(|(cell, _)| cell.field() == field).for_each(|(_, said)| *said = None);
            return Claims { odd: None, whole: false, ..others };
        }
        self.forms.meet(claims.odd.as_ref().filter(|_| !claims.whole), quality);
        let is_adopted = !claims.whole && claims.odd.as_ref().is_some_and(|form| self.forms.knows(form));
        if is_adopted {
            claims = self.query.claims(&self.cells, reply, usual, |form| self.forms.knows(form));
        }
        if claims.whole {
            self.slips.keep(reply);
        }
        if self.query.ends_in_bits() && claims.whole && !claims.vouched {
            if is_adopted {
                self.forms.settle(bits_of(reply));
            } else if self.forms.doubts(bits_of(reply), quality) {
                self.withhold_bits(&mut claims);
            }
        }
        claims
    }

    /// The bits at the end are not read.
    fn withhold_bits(&self, claims: &mut Claims) {
        claims.doubted = true;
        for (cell, said) in self.cells.iter().zip(&mut claims.said) {
            if cell.is_at_the_end(self.query) {
                *said = None;
            }
        }
    }

    /// Keeps what a reply says for the next one of the same bytes. A reply of the drawn form says that whatever
    /// was heard before it, and on any line; of others it depends on the forms that are known.
    pub fn keep_claims(&mut self, reply: &[u8], claims: Claims) {
        if claims.as_taken {
            return;
        }
        let asked_on = matches!(self.query.cadence, Cadence::Quick | Cadence::Full);
        let keeps = asked_on && claims.whole && claims.odd.is_none() && !claims.doubted;
        self.last = keeps.then(|| {
            let same = |(state, said): (&CellState, &Option<Readings>)| match (&state.taken, said) {
                (Some(taken), Some(said)) => taken.is_same(said),
                (taken, said) => taken.is_none() && said.is_none(),
            };
            let is_taken = !claims.vouched
                && self.states.iter().any(|state| state.taken.is_some())
                && self.states.iter().zip(&claims.said).all(same);
            (reply.to_vec(), (!is_taken).then_some(claims))
        });
    }

    /// What a reply of the drawn form says that says what is taken.
    fn claims_taken(&self) -> Claims {
        let said = self.states.iter().map(|state| state.taken.clone()).collect();
        Claims { said, whole: true, ..Claims::default() }
    }

    /// The options changed, and some of them mute bits; or what is taken changed without a reply.
    pub fn forget_claims(&mut self) {
        self.last = None;
    }

    /// Takes what a reply says.
    pub fn hear(&mut self, claims: &Claims, hearing: Hearing) -> Judged {
        if !claims.as_taken {
            return self.hear_claims(claims, hearing);
        }
        // most replies of a UPS on mains are the same as the one before: nothing is weighed again
        let at_rest = !hearing.quality.is_hurt() && self.states.iter().all(|state| state.recent.is_empty());
        if at_rest { self.hear_as_taken(&hearing) } else { self.hear_claims(&self.claims_taken(), hearing) }
    }

    /// Each cell says what is taken of it, and said so before.
    fn hear_as_taken(&mut self, hearing: &Hearing) -> Judged {
        for state in &mut self.states {
            if state.taken.is_some() {
                (state.read, state.said, state.settled) = (hearing.now, hearing.now, true);
                state.missed = 0;
            } else {
                state.missed = state.missed.saturating_add(1);
            }
        }
        let is_open =
            |(cell, state): &(&Cell, &CellState)| state.is_open(cell, state.taken.is_some(), hearing.quality);
        Judged {
            news: false,
            read: true,
            whole: true,
            mains: self.each().all(|(cell, state)| cell.kind != CellKind::Mains || state.taken.is_some()),
            ask_again: self.each().any(|each| is_open(&each)),
            word_is_open: self.each().any(|each| each.0.kind != CellKind::Value && is_open(&each)),
            complete: true,
            all: true,
        }
    }

    fn hear_claims(&mut self, claims: &Claims, mut hearing: Hearing) -> Judged {
        let mut news = false;
        for (cell, (state, said)) in self.cells.iter().zip(self.states.iter_mut().zip(&claims.said)) {
            if let (CellKind::Mains | CellKind::Word, Some(said)) = (cell.kind, said) {
                news |= state.hear_word(cell, said, claims.vouched, &hearing);
            } else if said.is_none() {
                state.missed = state.missed.saturating_add(1);
            }
        }
        hearing.word_is_news = news;
        for (cell, (state, said)) in self.cells.iter().zip(self.states.iter_mut().zip(&claims.said)) {
            if let (CellKind::Value, Some(said)) = (cell.kind, said) {
                let is_restless = said.values.iter().any(|(var, _)| self.restless.contains(&var.name));
                if is_restless && state.taken.is_some() {
                    state.rest(hearing.now);
                } else {
                    news |= state.hear_value(said, claims.vouched, &hearing);
                }
            }
        }
        let each = || self.cells.iter().zip(self.states.iter().zip(&claims.said));
        let mains_read = |(cell, (state, said)): (&Cell, (&CellState, &Option<Readings>))| {
            cell.kind != CellKind::Mains || said.is_some() && state.settled
        };
        Judged {
            news,
            read: claims.says_anything(),
            whole: claims.whole,
            mains: each().all(mains_read) && claims.says_anything(),
            ask_again: each()
                .any(|(cell, (state, said))| state.is_open(cell, said.is_some(), hearing.quality)),
            word_is_open: each().any(|(cell, (state, said))| {
                cell.kind != CellKind::Value && state.is_open(cell, said.is_some(), hearing.quality)
            }),
            complete: self.states.iter().all(|state| state.settled || state.taken.is_none() && claims.whole),
            all: each().all(|(_, (state, said))| said.is_some() || state.taken.is_none()),
        }
    }

    /// What is taken of all its cells; nothing before it is known whether it says that mains is there.
    pub fn readings(&self) -> Option<Readings> {
        if self.each().any(|(cell, state)| cell.kind == CellKind::Mains && state.taken.is_none()) {
            return None;
        }
        let mut taken = self.states.iter().filter_map(|state| state.taken.as_ref()).peekable();
        taken.peek()?;
        let mut readings = Readings::default();
        taken.for_each(|one| readings.join(one));
        readings.values.shrink_to_fit();
        Some(readings)
    }

    /// Whether a number of such a unit is between two values.
    pub fn runs(&self, of: impl Fn(&Readings) -> bool) -> bool {
        self.cells.iter().zip(&self.states).any(|(cell, state)| {
            let runs = !state.settled || !state.recent.is_empty() && !number::is_at_rest(&state.recent);
            cell.kind == CellKind::Value
                && runs
                && state.recent.newest().or(state.taken.as_ref()).is_some_and(&of)
        })
    }

    /// Whether any of its cells is of this kind.
    pub fn has(&self, kind: CellKind) -> bool {
        self.cells.iter().any(|cell| cell.kind == kind)
    }

    /// The number that was read of `var` last, be it taken or not.
    pub fn newest_number(&self, var: &Var) -> Option<f64> {
        let newest = |state: &CellState| state.recent.newest().or(state.taken.as_ref())?.number(var);
        self.states.iter().find_map(newest).map(Decimal::as_f64)
    }

    /// Whether mains was there when it was read last, be that taken or not.
    pub fn newest_mains(&self) -> Option<bool> {
        let of_mains = self.each().filter(|(cell, _)| cell.kind == CellKind::Mains);
        let mut newest = of_mains.filter_map(|(_, state)| state.recent.newest().or(state.taken.as_ref()));
        newest.next().map(|said| said.status.has(Status::Online))
    }

    /// The cells that say an outage by their newest reading, which is not taken yet.
    fn in_outage(&mut self) -> impl Iterator<Item = &mut CellState> {
        let of_mains =
            self.cells.iter().zip(&mut self.states).filter(|(cell, _)| cell.kind == CellKind::Mains);
        of_mains.map(|(_, state)| state).filter(|state| {
            let is_taken = state.taken.as_ref().is_none_or(word::off_mains);
            !is_taken && state.recent.newest().is_some_and(word::off_mains)
        })
    }

    /// Whether one reply said twice that mains is away, which is not taken yet: by a bit or letter, and by `volts` that fell
    /// to nothing. Noise does not make both.
    pub fn says_outage_twice(&mut self, volts: &[&Var]) -> bool {
        let Some(read) = self.in_outage().map(|state| state.read).max() else { return false };
        let fell = |state: &CellState, var: &Var| {
            let number = |said: Option<&Readings>| said?.number(var).map(Decimal::as_f64);
            let before = number(state.taken.as_ref()).is_some_and(|volts| volts > bounds::SOME_VOLTS);
            let newest = number(state.recent.newest()).is_some_and(|volts| volts < bounds::NO_VOLTS);
            state.read == read && before && newest
        };
        self.states.iter().any(|state| volts.iter().any(|var| fell(state, var)))
    }

    /// Takes the outage that its newest reading says; when that came.
    pub fn take_outage(&mut self) -> Option<Moment> {
        let mut read = None;
        for state in self.in_outage() {
            state.taken = state.recent.newest().cloned();
            (state.settled, state.said) = (true, state.read);
            read = read.max(Some(state.read));
        }
        self.last = None;
        read
    }

    /// Whether anything that makes hosts halt is taken of it, or could be.
    pub fn is_grave(&self) -> bool {
        self.cells.iter().any(|cell| cell.grave)
    }

    /// Withdraws what `is_dead`, by its cell, by what is taken of it and by when it was read last; what that was,
    /// if anything.
    pub fn withdraw(&mut self, is_dead: impl FnMut(&Cell, &Readings, Moment) -> bool) -> Option<Withdrawn> {
        self.withdraw_by(|state| state.read, is_dead)
    }

    /// The same by when it was read last that it is so.
    pub fn withdraw_unsaid(
        &mut self,
        is_dead: impl FnMut(&Cell, &Readings, Moment) -> bool,
    ) -> Option<Withdrawn> {
        self.withdraw_by(|state| state.said, is_dead)
    }

    fn withdraw_by(
        &mut self,
        when: fn(&CellState) -> Moment,
        mut is_dead: impl FnMut(&Cell, &Readings, Moment) -> bool,
    ) -> Option<Withdrawn> {
        let (mut names, mut read) = (vec![], Moment::ZERO);
        for (cell, state) in self.cells.iter().zip(&mut self.states) {
            if state.taken.as_ref().is_some_and(|taken| is_dead(cell, taken, when(state))) {
                read = read.max(state.read);
                let mut before = std::mem::take(state);
                // an outage that was read once is half of what proves it
                if let Some(taken) = before.taken.filter(|_| cell.kind == CellKind::Mains) {
                    before.recent.forget(&taken);
                    state.recent = before.recent;
                }
                self.last = None;
                names.push(cell.name(self.query));
            }
        }
        let is_answered = self.states.iter().any(|state| state.read > read);
        (!names.is_empty()).then_some(Withdrawn { names, is_answered })
    }

    /// What was taken of numbers and texts was read once, before the line turned out to be hurt: it is evidence, as
    /// what comes will be, and is not taken. Whether there was any.
    pub fn doubt_values(&mut self) -> bool {
        let mut doubted = false;
        for (cell, state) in self.cells.iter().zip(&mut self.states) {
            let Some(taken) = state.taken.take_if(|_| cell.kind == CellKind::Value) else { continue };
            if state.recent.is_empty() {
                state.recent.push(state.read, Moment::ZERO, &taken, bounds::ELECTED.last);
            }
            state.settled = false;
            self.last = None;
            doubted = true;
        }
        doubted
    }

    /// Numbers and texts that were said last before `since`, and were read otherwise after it, are not taken any more.
    /// What was read counts in their place where it `is_harmless`, as the first reading at a start does; else it is
    /// evidence. Whether there were any.
    pub fn take_after_silence(&mut self, since: Moment, is_harmless: impl Fn(&Readings) -> bool) -> bool {
        let mut changed = false;
        for (cell, state) in self.cells.iter().zip(&mut self.states) {
            let is_old = state.taken.is_some() && !state.settled && state.said < since;
            if is_old && cell.kind == CellKind::Value {
                state.taken = state.recent.newest().filter(|newest| is_harmless(newest)).cloned();
                self.last = None;
                changed = true;
            }
        }
        changed
    }

    /// Forgets what was heard lately, but neither what is taken nor the forms: it is too long ago.
    pub fn forget_recent(&mut self) {
        self.states.iter_mut().for_each(|state| state.recent.clear());
        self.forms.forget_met();
    }

    /// The same of what was heard up to then.
    pub fn forget_before(&mut self, since: Moment) {
        self.states.iter_mut().for_each(|state| state.recent.forget_before(since));
        self.forms.forget_met();
    }

    fn each(&self) -> impl Iterator<Item = (&Cell, &CellState)> {
        self.cells.iter().zip(&self.states)
    }
}

impl CellState {
    /// Takes a reading of a word; whether another one is taken than before.
    fn hear_word(&mut self, cell: &Cell, said: &Readings, vouched: bool, hearing: &Hearing) -> bool {
        self.read = hearing.now;
        if self.recent.newest() != Some(said) {
            self.missed = 0;
        }
        let is_taken = self.taken.as_ref() == Some(said);
        if is_taken && self.recent.is_empty() {
            (self.settled, self.said) = (true, hearing.now);
            return false;
        }
        let noisy = hearing.quality.is_noisy();
        let kept = if cell.grave { bounds::LOW_ON_BATTERY.last } else { bounds::ELECTED.last };
        self.push(said, vouched && noisy, (hearing.now, hearing.since), kept);
        let missed =
            if cell.grave { usize::from(self.missed).min(bounds::CLEARED - bounds::IN_A_ROW) } else { 0 };
        let takes = word::takes(cell.kind, self.taken.as_ref(), &self.recent, (hearing.quality, missed))
            || hearing.on_battery
                && !hearing.quality.is_hurt()
                && word::is_low(self.taken.as_ref(), &self.recent);
        self.settled = is_taken || takes;
        if self.settled {
            self.said = hearing.now;
        }
        if is_taken {
            let rests = if cell.grave && hearing.on_battery { kept - 1 } else { bounds::CLEARED };
            if self.recent.in_a_row() > rests {
                self.recent.clear();
            }
            return false;
        }
        if takes {
            self.taken = Some(said.clone());
        }
        takes
    }

    /// Takes a reading of a number or text; whether another one is taken than before.
    fn hear_value(&mut self, said: &Readings, vouched: bool, hearing: &Hearing) -> bool {
        self.read = hearing.now;
        let hurt = hearing.quality.is_hurt();
        if !hurt && self.taken.as_ref() == Some(said) {
            if !self.recent.is_empty() {
                self.push(said, false, (hearing.now, hearing.since), bounds::ELECTED.last);
            }
            if self.recent.in_a_row() >= bounds::RAISED.last {
                self.recent.clear();
            }
            (self.settled, self.said) = (true, hearing.now);
            return false;
        }
        let since = if hurt { hearing.values_since } else { hearing.since };
        self.push(said, vouched && hurt, (hearing.now, since), bounds::ELECTED.last);
        let taken = number::take(self.taken.as_ref(), &self.recent, hearing);
        self.settled = taken.is_some();
        let Some(taken) = taken else { return false };
        self.said = hearing.now;
        if !hurt {
            self.recent.clear();
        }
        let is_news = self.taken.as_ref() != Some(&taken);
        self.taken = Some(taken);
        is_news
    }

    /// What is taken stays.
    fn rest(&mut self, now: Moment) {
        (self.read, self.said, self.settled) = (now, now, true);
        self.recent.clear();
    }

    /// A reply for which a checksum vouches has two votes.
    fn push(&mut self, said: &Readings, twice: bool, (now, since): (Moment, Moment), kept: usize) {
        for _ in 0..=usize::from(twice) {
            self.recent.push(now, since, said, kept);
        }
    }

    /// Whether asking again would tell more of it; of what noise may have made of it, it would not.
    fn is_open(&self, cell: &Cell, was_read: bool, quality: Quality) -> bool {
        let flickers = cell.kind != CellKind::Value && !cell.grave && self.recent.changes() >= FLICKERS;
        match was_read {
            true if !self.settled && !flickers => true,
            true => cell.grave && !quality.is_noisy() && word::may_rise(self.taken.as_ref(), &self.recent),
            false => cell.kind == CellKind::Mains || cell.raises || self.taken.is_none(),
        }
    }
}

/// How many bits stand at the end of a reply.
fn bits_of(reply: &[u8]) -> usize {
    let reply = reply.trim_ascii_end();
    reply.iter().rev().take_while(|byte| !byte.is_ascii_whitespace()).count()
}

#[cfg(test)]
mod tests;
