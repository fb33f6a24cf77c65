//! Finding out which dialect the UPS speaks, and beginning to speak it.

use super::{Proof, Stage};
use crate::detect::{Detection, DetectionStep};
use crate::device::timing::{BETWEEN_ROUNDS, DETECT_AGAIN, ROUNDS, SURVEY_WAITS};
use crate::device::{Device, Event, LogLevel, Moment};
use crate::wire::protocol::Protocol;
use crate::wire::query::{Cadence, Query};

impl Device {
    /// The exchange to the next sign, or the next stage.
    pub(in crate::device) fn next_sign(&mut self, now: Moment) -> Option<&'static Query> {
        let Stage::Detecting { detection, round, not_before, until } = &mut self.search.stage else {
            return None;
        };
        match detection.step() {
            DetectionStep::Ask(_) | DetectionStep::Nothing | DetectionStep::Foreign(_)
                if *not_before > now =>
            {
                return None;
            }
            DetectionStep::Ask(ask) => return Some(ask),
            DetectionStep::Found(protocol) => {
                let detection = detection.clone();
                self.adopt(protocol, &detection, now);
                return None;
            }
            // once more, and slowly: the first replies may have been lost or late, or the line may echo
            DetectionStep::Nothing
                if *round == 1
                    || detection.anything_said()
                        && (*round < ROUNDS || now < *until)
                        && (!self.options.tentative || detection.anything_fits()) =>
            {
                **detection = detection.as_ref().clone().again();
                *round = round.saturating_add(1);
                if *round > ROUNDS {
                    *not_before = now + BETWEEN_ROUNDS;
                }
                self.line.forget_echo();
                self.line.settle_first();
            }
            DetectionStep::Nothing | DetectionStep::Foreign(_) => {
                self.give_up(now);
                return None;
            }
        }
        self.next_sign(now)
    }

    /// The converter on USB says which dialect its UPS speaks: it comes first as long as none was found
    /// ([`crate::options::Options::first_dialect`], for a link that is opened later).
    pub fn prefer_dialect(&mut self, dialect: Option<&'static str>, now: Moment) {
        if self.protocol.is_none() && dialect.is_some() && self.options.first_dialect != dialect {
            self.options.first_dialect = dialect;
            self.search.begin(&self.options, now);
        }
    }

    /// What was found, for [`crate::options::Options::dialect_memory`] at the next start; once, when there is news.
    pub fn dialect_memory(&mut self) -> Option<String> {
        self.search.dialect_memory.take()
    }

    /// How the questions were answered by which the dialect was found, and why it is none of its variants.
    pub fn evidence(&self) -> &[String] {
        &self.search.evidence
    }

    fn give_up(&mut self, now: Moment) {
        let Stage::Detecting { detection, .. } = &self.search.stage else { return };
        let why = match (detection.anything_heard(), &self.options.protocol) {
            _ if detection.foreign().is_some() => {
                let said = detection.foreign().map(|(who, said)| format!("'{}' answers Q1, {who}", crate::vocabulary::escape::escape(said)));
                said.unwrap_or_default()
            }
            (false, None) if self.options.tentative => "nothing answers Q1, and no port was named, so nothing else was asked: if a UPS is there, name its port".to_string(),
            (true, None) if self.options.tentative && !detection.anything_fits() => "the device that answers is no known UPS, so nothing more was asked: if it is a UPS, name its port".to_string(),
            (false, _) if detection.anything_said() => "the UPS answers now and then, and nothing that is understood: check the cable; -DDD shows every exchange".to_string(),
            (false, _) => "the UPS does not answer: check the cable, the port and cablepower".to_string(),
            (true, Some(name)) => format!("the UPS answers, but does not speak {name}: remove 'protocol' to detect the dialect"),
            (true, None) => "the UPS answers, but in no known dialect: run with -DDD and report what it says".to_string(),
        };
        let is_foreign = detection.foreign().is_some();
        self.events.push_back(Event::NotFound(why));
        if self.ready && is_foreign {
            self.search.begin(&self.options, now + DETECT_AGAIN);
        } else if self.ready {
            self.search.stage = Stage::Polling;
            for slot in self
                .schedule
                .slots_mut()
                .iter_mut()
                .filter(|slot| slot.applies && slot.query.cadence != Cadence::Once)
            {
                slot.due = Some(now);
            }
        } else {
            self.search.begin(&self.options, now + self.options.pollinterval);
        }
    }

    /// A client must not wait for ever: for a UPS that was found and cannot be read, because
    /// of noise or because it is gone again; nor for a line that went away before it was found.
    pub(in crate::device) fn give_up_survey(&mut self, now: Moment) {
        self.search.detect_again = now + SURVEY_WAITS;
        match self.search.stage {
            Stage::Polling => self.tell_stale(),
            Stage::Detecting { .. } if !self.line.is_up() => {
                let why = "the port disconnected during detection: check the cable";
                self.events.push_back(Event::NotFound(why.into()));
            }
            Stage::Detecting { .. } => {}
        }
    }

    pub(super) fn adopt(&mut self, protocol: &'static Protocol, detection: &Detection, now: Moment) {
        self.events.push_back(Event::Detected(protocol.name, detection.exchanges()));
        self.search.proof = Proof::of(protocol, detection);
        self.search.is_new = detection.known().is_none_or(|known| known.protocol != protocol.name);
        self.adopts(protocol, now);
        self.schedule.begin(protocol);
        self.words_changed();
        let is_another = self.protocol.is_none_or(|before| before.name != protocol.name);
        if is_another {
            self.protocol = Some(protocol);
            self.start_delays();
        }
        let not_before = match self.search.stage {
            Stage::Detecting { not_before, .. } => not_before,
            Stage::Polling => now,
        };
        self.search.stage = Stage::Polling;
        self.search.understood(now);
        self.search.adopted = now;
        if !self.ready {
            self.search.detect_again = now + SURVEY_WAITS;
        }
        self.search.evidence = detection.evidence(protocol);
        for line in self.search.evidence.clone() {
            self.note(LogLevel::Debug, line);
        }
        let as_before = if matches!(self.search.proof, Proof::Whole) { "" } else { ", as at the last start" };
        let text = format!("speaks {}{as_before}: {}", protocol.name, detection.summary(protocol));
        self.note(LogLevel::Info, text);
        self.reconsider(now);
        if detection.refuses_in_words() {
            self.line.met_refusal();
        }
        self.line.go_on(detection.latency(), detection.suspected(), not_before);
        if detection.met_late_replies() {
            self.was_late(now);
        }
        if detection.is_noisy() {
            self.line.heard(false);
        }
        // what was heard while looking for the dialect is not asked again
        for at in 0..self.schedule.slots().len() {
            let slot = &mut self.schedule.slots_mut()[at];
            if let Some(line) = detection.reply(slot.query).filter(|_| slot.applies) {
                if let Some(form) = slot.query.read(line).ok().and_then(|fit| fit.odd) {
                    slot.judge.adopt(&form);
                }
                self.handle_answer(at, Some(line), now, now);
            } else if slot.applies
                && slot.query.cadence == Cadence::Once
                && detection.is_silent_on(slot.query)
            {
                slot.had_silence = true;
                self.refused(at, Some(now + self.full_interval()));
            }
        }
        if self.ready && is_another {
            self.keep_dialect();
        }
    }
}
