//! What a unit says to a line: to a question, to a command, to what it does not know; and what is odd about it.

use super::SimulatedUps;
use super::act::Act;
use super::port::Saying;
use super::record::Record;
use crate::claims::StatusClaims;
use crate::oddity::{Behaviour, PlateOddity};
use crate::profile::RefusalReply;
use crate::readings::readings;
use qx::vocabulary::flag::{Flag, Flags};
use qx::vocabulary::moment::Moment;
use qx::vocabulary::variable::{INPUT_VOLTAGE, UPS_ID, Var};
use qx::wire::fact::Facts;
use qx::wire::query::{Meaning, Query};
use qx::wire::readings::Readings;
use std::time::Duration;

/// Zero bytes that stand for an answer where there is none.
const NULS: usize = 8;
/// From so many volts on the grid counts as there, where nothing but its volts tell.
const GRID_VOLTS: f64 = 60.0;

impl SimulatedUps {
    /// What it would report of everything.
    pub(super) fn readings(&self) -> Readings {
        readings(self.protocol, &self.world, &self.profile, &self.memory)
    }

    /// What is said to a line, before its end and its troubles.
    pub(super) fn reply(&mut self, raw: &[u8], line: &str, now: Moment) -> Option<Saying> {
        if let Some(bytes) = self.forced.reply(line) {
            return Some(Saying { bytes: bytes.clone(), ..Saying::default() });
        }
        let readings = self.readings();
        let facts = Facts::of(self.protocol.queries[0], &readings, every_flag());
        let is_ignorant = self.profile.ignorant_of.iter().any(|question| question == line);
        let query = if is_ignorant { None } else { self.query(raw, &readings, &facts) };
        let act = if query.is_some() || is_ignorant { None } else { Act::of(self.protocol, line, &facts) };
        let at = (&self.world, self.clock.simulated(now));
        let named = query.map_or(line, |query| query.ask);
        let odd = self.oddness.strike(&self.profile.oddities, named, query, at);
        let said = match (query, act) {
            (Some(query), _) => self.answer(query, line, readings, &odd, now),
            (None, Some(act)) => self.obey_in_words(act, raw, line, &odd, now),
            (None, None) => {
                self.journal.record(Record::Unknown(line.into()), now);
                self.profile.unknown.reply(raw)
            }
        };
        let said = said.or_else(|| odd.contains(&Behaviour::Nuls).then(|| vec![0; NULS]));
        let said = if odd.contains(&Behaviour::Behind) { self.oddness.held.replace(said?) } else { said };
        Some(in_time(said?, &odd, query.is_none()))
    }

    /// The question that a line is, if it is one that this unit answers.
    fn query(&self, raw: &[u8], readings: &Readings, facts: &Facts) -> Option<&'static Query> {
        let id = readings.number(&UPS_ID).and_then(|id| u32::try_from(id.whole()).ok()).unwrap_or_default();
        let asked = |query: &&&'static Query| {
            query.wire(id) == raw && query.when.holds(facts) && knows(query, readings)
        };
        self.protocol.queries.iter().find(asked).copied()
    }

    /// What is said to a question.
    fn answer(
        &mut self,
        query: &'static Query,
        line: &str,
        mut readings: Readings,
        odd: &[Behaviour],
        now: Moment,
    ) -> Option<Vec<u8>> {
        if let Some(said) = self.kept_back(query, line, odd) {
            return said;
        }
        let per_cell = self.profile.per_cell;
        odd.iter().for_each(|odd| odd.change(&mut readings, &self.world, per_cell));
        let mut text = self.write(query, &readings);
        // bits are counted from the drawn place, so they come before what moves them
        let (bits, forms): (Vec<_>, Vec<_>) = odd.iter().partition(|odd| odd.is_of_bits());
        let (nuls, forms): (Vec<_>, Vec<_>) = forms.into_iter().partition(|odd| odd.is_around());
        bits.into_iter().chain(forms).for_each(|odd| odd.deform(&mut text, query));
        let claims = self.claims(query, &readings, odd);
        self.journal.record(Record::Said { question: line.into(), bytes: vec![], claims }, now);
        let mut reply = query.codec.map_or(text.clone(), |codec| (codec.pack_reply)(&text));
        nuls.into_iter().for_each(|odd| odd.deform(&mut reply, query));
        Some(reply)
    }

    /// What stands for an answer, or for none, where an oddity keeps the true one back.
    fn kept_back(&self, query: &Query, line: &str, odd: &[Behaviour]) -> Option<Option<Vec<u8>>> {
        let is = |behaviour| odd.contains(&behaviour);
        if is(Behaviour::Silent) || is(Behaviour::Plate(PlateOddity::Silent)) {
            return Some(None);
        } else if is(Behaviour::Refuses) || is(Behaviour::Plate(PlateOddity::Refused)) {
            let word = || RefusalReply::Text("(NAK".into()).reply(&[]);
            return Some(self.profile.unknown.reply(line.as_bytes()).or_else(word));
        } else if is(Behaviour::Empty) {
            return Some(Some(vec![]));
        }
        let named = |odd: &crate::oddity::Oddity| {
            odd.behaviour == Behaviour::Nuls && odd.ask.as_deref() == Some(query.ask)
        };
        (is(Behaviour::Nuls) && self.profile.oddities.iter().any(named)).then(|| Some(vec![0; NULS]))
    }

    /// What the answer to a question claims.
    fn claims(&self, query: &Query, readings: &Readings, odd: &[Behaviour]) -> StatusClaims {
        let claims = StatusClaims::of(query, readings);
        if odd.contains(&Behaviour::Behind) {
            StatusClaims::default()
        } else if odd.iter().any(|odd| odd.is_mode_of(query)) {
            // without its mode it still shows by its volts whether mains is there, if it says those
            // (a brown-out, for which it goes on battery, looks like mains then)
            let by_volts =
                |online: &bool| self.says_volts() && *online == (self.world.mains_volts >= GRID_VOLTS);
            StatusClaims { online: claims.online.filter(by_volts), ..StatusClaims::default() }
        } else {
            claims
        }
    }

    /// Whether no oddity keeps back, now or then, what says the volts of mains.
    fn says_volts(&self) -> bool {
        let of_volts = |ask: &String| {
            self.protocol.queries.iter().any(|query| query.ask == ask && query.speaks_of(&INPUT_VOLTAGE))
        };
        let keeps_back =
            |odd: &Behaviour| matches!(odd, Behaviour::Silent | Behaviour::Refuses | Behaviour::Empty);
        let oddities = &self.profile.oddities;
        !oddities.iter().any(|odd| keeps_back(&odd.behaviour) && odd.ask.as_ref().is_some_and(of_volts))
    }

    /// What is said to a command or setting, once it is obeyed.
    fn obey_in_words(
        &mut self,
        act: Act,
        raw: &[u8],
        line: &str,
        odd: &[Behaviour],
        now: Moment,
    ) -> Option<Vec<u8>> {
        if let Some(refusal) = &self.profile.refuses {
            let said = refusal.reply(raw);
            self.journal.record(Record::Refused(line.into()), now);
            return said;
        }
        self.journal.record(Record::Obeyed(line.into()), now);
        self.carry_out(act, odd, now);
        if odd.contains(&Behaviour::NoWord) {
            return None;
        }
        let said = self.profile.accepts.as_deref().or(self.protocol.acknowledgement.said())?;
        let text = said.as_bytes().to_vec();
        Some(self.protocol.codec.map_or(text.clone(), |codec| (codec.pack_reply)(&text)))
    }

    /// Carries a command out, now or later, and hears nothing meanwhile where it is odd in that.
    fn carry_out(&mut self, act: Act, odd: &[Behaviour], now: Moment) {
        let mut later = None;
        for odd in odd {
            match odd {
                Behaviour::Busy(time) => self.busy_until = self.busy_until.max(now + *time),
                Behaviour::ActsLate(time) => later = Some(self.simulated(now) + *time),
                _ => {}
            }
        }
        match later {
            Some(due) => self.late_acts.push_back((due, act)),
            None => act.carry_out(&mut self.world, &mut self.memory),
        }
    }

    /// The plain text of an answer.
    fn write(&self, query: &Query, readings: &Readings) -> Vec<u8> {
        let mut reply = Query { codec: None, ..*query }.write(readings);
        let last = query.fields.last().filter(|_| query.codec.is_none());
        if let Some(Meaning::Bits(rows)) = last.map(|field| field.meaning) {
            self.forced.write_bits(&mut reply, rows.len());
        }
        reply
    }
}

/// A simulated unit knows everything that it could be asked for.
fn every_flag() -> Flags {
    Flag::ALL.into_iter().fold(Flags::default(), |flags, flag| match flag {
        Flag::NoRating | Flag::NoVendor | Flag::NoOutStats | Flag::IgnoreSab => flags,
        Flag::Testing | Flag::ResetToDefault => flags.with(flag),
    })
}

/// What is said, with what is odd about its time.
fn in_time(bytes: Vec<u8>, odd: &[Behaviour], is_command: bool) -> Saying {
    let time = |of: &dyn Fn(&Behaviour) -> Option<Duration>| odd.iter().filter_map(of).sum::<Duration>();
    let late = time(&|odd| match odd {
        Behaviour::Slow(time) => Some(*time),
        Behaviour::LateWord(time) if is_command => Some(*time),
        _ => None,
    });
    let gap = time(&|odd| if let Behaviour::Gap(time) = odd { Some(*time) } else { None });
    Saying { bytes, late, gap }
}

/// Whether it can say anything to the question.
fn knows(query: &Query, readings: &Readings) -> bool {
    let has_bits = query.fields.iter().any(|field| matches!(field.meaning, Meaning::Bits(_)));
    let vars: Vec<&Var> = query.fields.iter().flat_map(|field| field.vars()).collect();
    has_bits || vars.is_empty() || vars.iter().any(|var| readings.value(var).is_some())
}
