//! What UPSes did: events, outages, energy, and samples in rings of falling resolution, in one SQLite file of bounded
//! size.
//!
//! * Without I/O and without a clock: [`Quantity`], [`SampleBlock`], [`Tier`], [`HistoryRecorder`], [`OutageTracker`],
//!   [`EnergyMeter`]. Time is an argument.
//! * [`HistoryFile`] is the file, [`HistoryWriter`] the thread that alone writes it: no UPS ever waits for a disk.
//! * [`HistoryReader`] reads it, also while it is written.

mod block;
mod bucket;
mod energy;
mod event;
mod file;
mod lock;
mod outage;
mod quantity;
mod reader;
mod recorder;
mod schema;
mod tier;
mod trouble;
mod varint;
mod writer;

pub use block::{BlockError, Points, SampleBlock};
pub use bucket::Bucket;
pub use energy::{EnergyMeter, LoadPower, LoadReadings, power_of};
pub use event::{EventKind, HistoryEvent};
pub use file::{HistoryBatch, HistoryFile};
pub use outage::{HistoryTime, Outage, OutageChange, OutageReadings, OutageTracker};
pub use quantity::{Provenance, Quantity, SeriesKey};
pub use reader::{EnergyCounter, EventRecord, HistoryReader, OutageRecord, SeriesPoint};
pub use recorder::{HistoryRecorder, MinuteRow, SampledValue};
#[doc(hidden)]
pub use schema::make_version;
pub use tier::Tier;
pub use trouble::HistoryTrouble;
pub use writer::{HistoryState, HistoryWriter};
