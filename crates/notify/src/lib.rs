#![forbid(unsafe_code)]
//! Notifications of a fleet of UPSes, in the order in which a notice goes:
//!
//! * [`NotifyCondition`] and [`NotifyRule`]: on what, for how long, to which outputs.
//! * [`RuleMachine`]: what is raised and which timers run. It takes what a UPS says and the time, and returns notices.
//! * [`NoticeText`]: what a notice says.
//! * [`Outbox`]: what waits for which output, how often it was tried, and what of that stands on the disk; [`journal`] is
//!   the form of the file.
//! * [`Post`]: takes notices to the disk (`disk`) and to their outputs ([`output`]), each in a task of its own.
//!
//! All but `post`, `disk` and `output` does no I/O and reads no clock.

mod condition;
mod disk;
pub mod journal;
mod machine;
mod notice;
mod outbox;
pub mod output;
mod pace;
mod parcel;
mod post;
mod rule;
mod said;
mod secret;
mod template;
mod text;
mod time;

pub use condition::NotifyCondition;
pub use disk::OutboxDisk;
pub use machine::{NotifyMoment, RuleMachine, TimerView};
pub use notice::{NoticeKind, NoticeWeight, UpsNotice};
pub use outbox::{NextParcel, Outbox, OutputState, Recovered};
pub use pace::NoticePace;
pub use parcel::Parcel;
pub use post::{Post, PostLog};
pub use rule::{NamePattern, NotifyRule};
pub use said::{SaidNumber, UpsSaid, UpsSight};
pub use secret::HiddenText;
pub use template::{NoticeTemplate, PlaceholderEscape};
pub use text::NoticeText;
pub use time::{span, utc_stamp};
