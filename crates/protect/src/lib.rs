//! Protection, decided: when hosts go down in an outage, in which order, when the load goes off, and who is woken
//! afterwards. Pure: no I/O, no clock, no thread; time is an argument.
//!
//! Read in this order: [`policy`] (what is asked for), [`view`] (what a UPS says), [`event`] and [`action`] (the two
//! sides of [`Machine`]), [`record`] (what outlives the process).
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod action;
pub mod contradiction;
pub mod event;
mod machine;
pub mod policy;
pub mod reason;
pub mod record;
pub mod report;
pub mod secondaries;
pub mod timeline;
pub mod view;

pub use action::{ProtectAction, Remark};
pub use contradiction::{PolicyFault, check};
pub use event::{OrderOutcome, ProtectEvent, StageLogin, Start};
pub use machine::Machine;
pub use machine::timing::ORDER_TIME;
pub use policy::{
    Begin, CancelChoice, GroupFeed, GroupPlan, HostPlan, LoadPlan, LostMeaning, OnMains, Policy,
    RecoveryPlan, StagePlan, StageSignal, WakeTarget,
};
pub use reason::Reason;
pub use record::{ProtectRecord, RecordFault};
pub use report::{GroupReport, HostReport, OrderReport, Phase, ProtectReport, StageReport};
pub use secondaries::{ExpectedSecondary, SecondaryFinding, SecondaryState, SecondaryWatch};
pub use timeline::{OutagePlan, PlanLine, timeline};
pub use view::{PowerOrigin, PowerView, PowerWords};
