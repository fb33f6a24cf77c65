//! What outlives the process: which course is under way, what went down, what was ordered.
//!
//! Lines of text, each with a checksum: a file that was torn or damaged is read up to there.

mod lines;

use std::collections::BTreeSet;
use std::time::Duration;

use crate::Phase;
use crate::machine::{DownHost, HostRun, UpsOrder};

/// What outlives the process. Made by [`crate::Machine::record`], written as [`ProtectRecord::to_text`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ProtectRecord {
    pub(crate) boot: String,
    /// When it was made.
    pub(crate) at: Duration,
    pub(crate) wall_s: u64,
    pub(crate) armed: bool,
    pub(crate) courses: Vec<KeptCourse>,
    pub(crate) supplies: Vec<KeptSupply>,
    pub(crate) host: Option<HostRun>,
}

/// A course that is under way.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KeptCourse {
    pub(crate) group: String,
    pub(crate) phase: Phase,
    pub(crate) since: Duration,
    pub(crate) phase_at: Duration,
    pub(crate) armed: bool,
    pub(crate) on_battery: bool,
    pub(crate) waited: Duration,
    pub(crate) stages: Vec<KeptStage>,
    pub(crate) down: Vec<DownHost>,
}

/// A stage that began.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KeptStage {
    pub(crate) stage: String,
    pub(crate) began: Duration,
    pub(crate) over: Option<Duration>,
    pub(crate) gone: Option<Duration>,
    pub(crate) running: BTreeSet<usize>,
}

/// What is kept of a UPS.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KeptSupply {
    pub(crate) ups: String,
    pub(crate) unit: Option<String>,
    /// Time on battery, counted up to when.
    pub(crate) time: Option<(Duration, Duration)>,
    pub(crate) order: Option<UpsOrder>,
}

/// What is wrong with a record that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordFault {
    /// Of a newer version, this one; nothing of it was taken, and it is not to be written.
    Newer(u32),
    /// No record of any version; nothing of it was taken.
    Version,
    /// Damaged; the lines before were taken.
    Damaged {
        /// Which line, from 1.
        line: usize,
    },
    /// Its end is missing; the lines before were taken.
    Torn,
}

impl std::fmt::Display for RecordFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let lost = "look which hosts are still off, and start them";
        match self {
            RecordFault::Newer(version) => write!(
                f,
                "a newer qxups wrote the record of protection (version {version}, this one knows {}), so it is neither read nor changed, and a restart in an outage would know nothing of it: install that one again, or move the file away and restart; {lost}",
                ProtectRecord::VERSION
            ),
            RecordFault::Version => write!(f, "the record of protection is none of this program; {lost}"),
            RecordFault::Damaged { line } => {
                write!(f, "the record of protection is damaged from line {line} on; {lost}")
            }
            RecordFault::Torn => write!(f, "the end of the record of protection is missing; {lost}"),
        }
    }
}

impl ProtectRecord {
    /// The version that is written; this one is read, and those before.
    pub const VERSION: u32 = 1;

    /// Whether nothing is under way.
    pub fn is_empty(&self) -> bool {
        self.courses.is_empty() && self.supplies.is_empty()
    }

    /// Whether a shutdown of this host is under way that was begun in this boot: what `qxups killpower` may rest on.
    pub fn host_goes_down(&self, boot: &str) -> bool {
        self.host.is_some() && self.boot == boot && self.courses.iter().any(|course| course.armed)
    }

    /// What differs only when something happened.
    pub(crate) fn essence(&self) -> ProtectRecord {
        let mut record = self.clone();
        (record.at, record.wall_s) = (Duration::ZERO, 0);
        record.supplies.retain_mut(|supply| {
            supply.time = None;
            supply.order.is_some()
        });
        record.courses.iter_mut().for_each(|course| course.waited = Duration::ZERO);
        record
    }

    /// Its times in a later boot: all of them were before its beginning.
    pub(crate) fn of_another_boot(&self) -> ProtectRecord {
        let (mut record, zero) = (self.clone(), Duration::ZERO);
        for course in &mut record.courses {
            (course.since, course.phase_at) = (zero, zero);
            for stage in &mut course.stages {
                (stage.began, stage.over, stage.gone) =
                    (zero, stage.over.map(|_| zero), stage.gone.map(|_| zero));
            }
            course.down.iter_mut().for_each(|host| (host.off_at, host.next) = (zero, zero));
        }
        for supply in &mut record.supplies {
            supply.time = supply.time.map(|(spent, _)| (spent, zero));
            if let Some(order) = &mut supply.order {
                (order.sent, order.state_at) = (zero, zero);
            }
        }
        record
    }

    /// The record as text.
    pub fn to_text(&self) -> String {
        lines::write(self)
    }

    /// What can be read of a text, and what is wrong with it. Any text is taken; an empty one is an empty record.
    pub fn read(text: &str) -> (ProtectRecord, Option<RecordFault>) {
        lines::read(text)
    }
}
