//! Whether it is known that the load goes off, and from what reading: an order that was accepted is none. Most of these
//! UPSes accept by silence, and many never show what they will do.

use super::unconfirmed::DEAD_VOLTS;
use crate::device::schedule::QueryState;
use crate::device::{Device, Moment};
use crate::vocabulary::flag::Flag;
use crate::vocabulary::status::Status;
use crate::vocabulary::variable::{OUTPUT_L1_N_VOLTAGE, OUTPUT_VOLTAGE};
use crate::wire::protocol::Protocol;
use std::fmt::{Display, Formatter};

/// What the readings of a UPS say of its load going off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SwitchOffProof {
    /// The UPS says that a shutdown is active, and was seen to say that none is.
    Pending(SwitchOffReading),
    /// The UPS says that its output is off.
    Off(SwitchOffReading),
    /// The UPS says neither, in a reply that could: it has no order, or is one of the many that never show theirs.
    Absent(SwitchOffReading),
    /// No reading tells.
    Unknown(NoProof),
}

/// The reading that it is known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SwitchOffReading {
    /// The question that the UPS answered by it, such as `Q1`.
    pub question: &'static str,
    /// When that was.
    pub at: Moment,
}

/// Why no reading tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoProof {
    /// No order to switch the load off was sent to this UPS, by this device.
    NotOrdered,
    /// No dialect is found.
    NoDialect,
    /// No reading that could tell was taken since the moment that was asked for.
    NothingRead,
    /// "Shutdown active" is said, and the UPS was never seen without it: a bit that is always set looks the same.
    NeverSeenClear,
    /// The dialect has no word for it, or the administrator set `ignoresab`.
    NotSaid,
}

impl SwitchOffProof {
    /// Whether it is known that the load goes off, or is off.
    pub fn is_given(&self) -> bool {
        matches!(self, SwitchOffProof::Pending(_) | SwitchOffProof::Off(_))
    }
}

impl Display for SwitchOffProof {
    /// For the log, with the question.
    fn fmt(&self, f: &mut Formatter) -> std::fmt::Result {
        match self {
            SwitchOffProof::Pending(seen) => {
                write!(f, "the UPS says that a shutdown is active (reply to {})", seen.question)
            }
            SwitchOffProof::Off(seen) => {
                write!(f, "the UPS says that the load is off (reply to {})", seen.question)
            }
            SwitchOffProof::Absent(seen) => {
                write!(f, "the UPS shows no shutdown (reply to {}; many never do)", seen.question)
            }
            SwitchOffProof::Unknown(why) => f.write_str(match why {
                NoProof::NotOrdered => "not known: no order to switch the load off was sent",
                NoProof::NoDialect => "not known: no dialect is found",
                NoProof::NothingRead => "not known: the UPS has sent nothing readable since",
                NoProof::NeverSeenClear => {
                    "not known: the UPS says that a shutdown is active, and said so always"
                }
                NoProof::NotSaid => "not known: this UPS says nothing of a shutdown",
            }),
        }
    }
}

/// Whether a dialect has a word for a shutdown that is active.
pub fn shows_shutdown(protocol: &Protocol) -> bool {
    protocol.queries.iter().any(|query| query.tells_of(Status::ForcedShutdown))
}

impl Device {
    /// Whether it is known that the load goes off by the last order that was sent for it: by what was read since.
    pub fn proof_of_order(&self) -> SwitchOffProof {
        let none = SwitchOffProof::Unknown(NoProof::NotOrdered);
        self.control.load_ordered.map_or(none, |ordered| self.switch_off_proof(ordered))
    }

    /// Whether it is known that the load goes off, by what was read since that moment: that of the order, so that
    /// nothing counts that was so before. Whose order it is, and whether the load comes back, no reading tells.
    pub fn switch_off_proof(&self, since: Moment) -> SwitchOffProof {
        let Some(protocol) = self.protocol else { return SwitchOffProof::Unknown(NoProof::NoDialect) };
        let is_new = |slot: &&QueryState| slot.applies && slot.reading.is_some() && slot.answered >= since;
        let new = || self.schedule.slots().iter().filter(is_new);
        let seen = |slot: &QueryState| SwitchOffReading { question: slot.query.ask, at: slot.answered };
        let newest = |says: &dyn Fn(&QueryState) -> bool| {
            new().filter(|slot| says(slot)).max_by_key(|slot| slot.answered).map(seen)
        };
        let has_volts = new().any(|slot| output_volts(slot).is_some_and(|volts| volts >= DEAD_VOLTS));
        let is_dead = |slot: &QueryState| match output_volts(slot) {
            Some(volts) => volts < DEAD_VOLTS,
            None => says(slot, Status::Off) && !has_volts,
        };
        if let Some(seen) = newest(&is_dead) {
            return SwitchOffProof::Off(seen);
        }
        match newest(&|slot| says(slot, Status::ForcedShutdown)) {
            Some(seen) if self.publication.shutdown_was_clear() => return SwitchOffProof::Pending(seen),
            Some(_) => return SwitchOffProof::Unknown(NoProof::NeverSeenClear),
            None => {}
        }
        let covers = |slot: &QueryState| {
            slot.reading.as_ref().is_some_and(|reading| reading.covers.has(Status::ForcedShutdown))
        };
        let is_ignored = self.options.flags.has(Flag::IgnoreSab) && is_ignorable(protocol);
        match newest(&covers).filter(|_| !is_ignored) {
            Some(seen) => SwitchOffProof::Absent(seen),
            None if is_ignored || !shows_shutdown(protocol) => SwitchOffProof::Unknown(NoProof::NotSaid),
            None => SwitchOffProof::Unknown(NoProof::NothingRead),
        }
    }
}

/// Whether `ignoresab` takes the word of a dialect away.
fn is_ignorable(protocol: &Protocol) -> bool {
    protocol.flags.contains(&Flag::IgnoreSab)
}

fn says(slot: &QueryState, status: Status) -> bool {
    slot.reading.as_ref().is_some_and(|reading| reading.status.has(status))
}

/// The volts of the output, where a reply says them.
fn output_volts(slot: &QueryState) -> Option<f64> {
    let reading = slot.reading.as_ref()?;
    let volts = reading.number(&OUTPUT_VOLTAGE).or_else(|| reading.number(&OUTPUT_L1_N_VOLTAGE))?;
    Some(volts.as_f64())
}
