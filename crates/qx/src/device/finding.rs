//! Finding out which dialect the UPS speaks, and beginning to speak it.

use super::polling::Slot;
use super::{Device, Event, Loudness, Moment};
use crate::detect::{Detection, Step};
use crate::exchange::Echo;
use crate::option::Options;
use crate::protocol::Protocol;
use crate::query::{Cadence, Query};

/// What the device is busy with.
#[derive(Debug)]
pub(super) enum Stage {
    Detecting { detection: Detection, round: u8, not_before: Moment },
    Polling,
}

impl Device {
    /// The exchange to the next sign, or the next stage.
    pub(super) fn next_sign(&mut self, now: Moment) -> Option<&'static Query> {
        let Stage::Detecting { detection, round, not_before } = &mut self.stage else { return None };
        if *not_before > now {
            return None;
        }
        match detection.step() {
            Step::Ask(ask) => return Some(ask),
            Step::Found(protocol) => {
                let detection = detection.clone();
                self.adopt(protocol, &detection, now);
                return None;
            }
            // once more: the first replies may have been lost, or the line may echo
            Step::Nothing
                if *round == 1 && (detection.anything_heard() || self.options.protocol.is_some()) =>
            {
                self.line.echo = Echo::Unknown;
                self.line.settle = true;
                self.stage = Stage::detecting(&self.options, 2, now);
            }
            Step::Nothing => self.give_up(now),
        }
        self.next_sign(now)
    }

    fn give_up(&mut self, now: Moment) {
        let Stage::Detecting { detection, .. } = &self.stage else { return };
        let why = match (detection.anything_heard(), &self.options.protocol) {
            (false, _) => "the UPS does not answer: check the cable, the port and cablepower".to_string(),
            (true, Some(name)) => format!("the UPS answers, but not as {name}: leave out 'protocol' to have the dialect found"),
            (true, None) => "the UPS answers, but speaks none of the known dialects: run with -DDD and report what it says".to_string(),
        };
        self.events.push_back(Event::NotFound(why));
        if self.ready {
            self.stage = Stage::Polling;
            for slot in
                self.slots.iter_mut().filter(|slot| slot.applies && slot.query.cadence != Cadence::Once)
            {
                slot.due = Some(now);
            }
        } else {
            self.stage = Stage::detecting(&self.options, 1, now + self.options.pollinterval);
        }
    }

    fn adopt(&mut self, protocol: &'static Protocol, detection: &Detection, now: Moment) {
        self.events.push_back(Event::Detected(protocol.name, detection.exchanges()));
        self.slots = protocol.queries.iter().map(|query| Slot::new(query)).collect();
        if self.protocol.is_none_or(|before| before.name != protocol.name) {
            self.protocol = Some(protocol);
            self.start_delays();
        }
        self.stage = Stage::Polling;
        self.events.push_back(Event::Noted(Loudness::Info, format!("speaks {}", protocol.name)));
        self.reconsider(now);
        if detection.is_noisy() {
            self.line.heard(false);
        }
        // what was heard while looking for the dialect is not asked again
        for at in 0..self.slots.len() {
            let slot = &mut self.slots[at];
            if let Some(line) = detection.reply(slot.query).filter(|_| slot.applies) {
                if let Ok(fit) = slot.query.read(line) {
                    slot.belief.learn(fit.odd.as_ref());
                }
                self.handle_answer(at, Some(line), now, now);
            }
        }
    }
}

impl Stage {
    pub(super) fn detecting(options: &Options, round: u8, not_before: Moment) -> Stage {
        Stage::Detecting {
            detection: Detection::new(options.candidates(), options.flags, options.address),
            round,
            not_before,
        }
    }
}
