//! The search: which dialect the UPS speaks, how sure that is, and what is kept of it for the next start.

mod finding;
mod second_look;

use super::Moment;
use super::timing::{DETECT_AGAIN, LISTENS_ON, LOOKS_FOR, LOOKS_FOR_ONE, SIGN_REST};
use crate::detect::known::KnownDialect;
use crate::detect::{Detection, DetectionStep};
use crate::options::Options;
use crate::wire::protocol::Protocol;
use std::time::Duration;

/// What the device is busy with.
#[derive(Debug)]
pub(super) enum Stage {
    Detecting {
        detection: Box<Detection>,
        round: u8,
        not_before: Moment,
        /// It is looked on until then, when something answers.
        until: Moment,
    },
    Polling,
}

impl Stage {
    fn detecting(options: &Options, memory: Option<&str>, not_before: Moment) -> Stage {
        let detection = Detection::new(options.candidates(), options.flags, options.address);
        let until = not_before + if detection.is_of_one() { LOOKS_FOR_ONE } else { LOOKS_FOR };
        let detection = detection
            .quick()
            .tentative(options.tentative)
            .expecting(KnownDialect::of_memory(memory, options));
        Stage::Detecting { detection: Box::new(detection), round: 1, not_before, until }
    }
}

/// How it is known what the UPS speaks.
#[derive(Debug, Default)]
enum Proof {
    /// By what it answered now.
    #[default]
    Whole,
    /// By what was found twice before, and the name of the UPS.
    Known,
    /// It was found before; the rest is asked by and by, not before that moment.
    Pending(Box<Detection>, Moment),
}

impl Proof {
    /// How it is known, by what was heard, that it is `protocol`.
    fn of(protocol: &Protocol, detection: &Detection) -> Proof {
        let rest = detection.unprejudiced();
        match detection.known() {
            _ if matches!(rest.step(), DetectionStep::Found(_)) => Proof::Whole,
            Some(known) if known.is_enough() && known.protocol == protocol.name => Proof::Known,
            _ => Proof::Pending(Box::new(rest), Moment::ZERO),
        }
    }

    /// Since when something is to be asked, once clients see data.
    fn due(&self) -> Option<Moment> {
        match self {
            Proof::Pending(_, due) => Some(*due),
            _ => None,
        }
    }
}

/// What is known of the search for the dialect. Only the files of this folder change it by hand.
#[derive(Debug)]
pub(super) struct Search {
    stage: Stage,
    proof: Proof,
    /// The dialect is another than at the last start.
    is_new: bool,
    /// When it is looked for the dialect anew, or a UPS that cannot be read is given up.
    detect_again: Moment,
    /// Until then who is heard through noise is the UPS that was found.
    listens_until: Moment,
    /// When the dialect was found.
    adopted: Moment,
    evidence: Vec<String>,
    /// What is known of the last starts, or was found since ([`Options::dialect_memory`] to begin with).
    memory: Option<String>,
    /// What was found and is not kept yet.
    dialect_memory: Option<String>,
}

impl Search {
    /// A search that begins with the clock.
    pub(super) fn new(options: &Options) -> Search {
        Search {
            stage: Stage::detecting(options, options.dialect_memory.as_deref(), Moment::ZERO),
            proof: Proof::default(),
            is_new: false,
            detect_again: Moment::ZERO,
            listens_until: Moment::ZERO,
            adopted: Moment::ZERO,
            evidence: vec![],
            memory: options.dialect_memory.clone(),
            dialect_memory: None,
        }
    }

    /// Looks for the dialect, not before that moment.
    pub(super) fn begin(&mut self, options: &Options, not_before: Moment) {
        self.stage = Stage::detecting(options, self.memory.as_deref(), not_before);
    }

    /// What is known of the last starts, or was found since.
    pub(super) fn memory(&self) -> Option<KnownDialect> {
        self.memory.as_deref().and_then(KnownDialect::parse)
    }

    /// It is not so: another UPS answers, or it speaks another dialect.
    pub(super) fn forget(&mut self) {
        self.memory = None;
    }

    /// Takes another stage; the one before.
    pub(super) fn replace_stage(&mut self, stage: Stage) -> Stage {
        std::mem::replace(&mut self.stage, stage)
    }

    /// Whether the dialect is found.
    pub(super) fn is_polling(&self) -> bool {
        matches!(self.stage, Stage::Polling)
    }

    /// The detection, while the dialect is looked for.
    pub(super) fn detection(&self) -> Option<&Detection> {
        match &self.stage {
            Stage::Detecting { detection, .. } => Some(detection),
            Stage::Polling => None,
        }
    }

    /// The detection, for a reply to its question, and the moment before which it asks no other.
    pub(super) fn detection_mut(&mut self) -> Option<(&mut Detection, &mut Moment)> {
        match &mut self.stage {
            Stage::Detecting { detection, not_before, .. } => Some((detection, not_before)),
            Stage::Polling => None,
        }
    }

    /// How long the next question waits behind a reply: at the first attempt not at all. One that was not heard then may
    /// have come too soon.
    pub(super) fn sign_rest(&self) -> Duration {
        match &self.stage {
            Stage::Detecting { detection, round, .. } if *round > 1 && detection.answered_at_first() => {
                SIGN_REST
            }
            _ => Duration::ZERO,
        }
    }

    /// Whether anything was said since the search began; of a dialect that is found, something was.
    pub(super) fn anything_said(&self) -> bool {
        self.detection().is_none_or(Detection::anything_said)
    }

    /// When its next question is due.
    pub(super) fn sign_due(&self) -> Option<Moment> {
        match &self.stage {
            Stage::Detecting { not_before, .. } => Some(*not_before),
            Stage::Polling => None,
        }
    }

    /// When the next question for the rest of the proof is due.
    pub(super) fn proof_due(&self) -> Option<Moment> {
        self.proof.due()
    }

    /// When it is looked for the dialect anew, or a UPS that cannot be read is given up.
    pub(super) fn detect_again(&self) -> Moment {
        self.detect_again
    }

    /// Not before [`DETECT_AGAIN`] from now on.
    pub(super) fn put_off(&mut self, now: Moment) {
        self.detect_again = now + DETECT_AGAIN;
    }

    /// The link was lost or is back: what is behind it may be another UPS.
    pub(super) fn link_changed(&mut self, now: Moment) {
        self.put_off(now);
        self.listens_until = now;
    }

    /// The UPS was understood: for a while, who is heard through noise is the same.
    pub(super) fn understood(&mut self, now: Moment) {
        self.listens_until = now + LISTENS_ON;
    }

    /// Whether who is heard through noise is the UPS that was found.
    pub(super) fn listens(&self, now: Moment) -> bool {
        now < self.listens_until
    }

    /// When the dialect was found.
    pub(super) fn adopted(&self) -> Moment {
        self.adopted
    }
}
