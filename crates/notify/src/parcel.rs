//! One notice for one output, and how several become one.

use crate::journal::ParcelRecord;
use crate::notice::{NoticeWeight, UpsNotice};
use std::rc::Rc;

/// So many of what was held back have a line of their own.
const HELD_LINES: usize = 20;
/// The same of what shuts machines down.
const HEAVY_LINES: usize = 200;
/// A line of what shuts machines down begins so: it is the last to go.
const HEAVY: &str = "! ";

/// One notice for one output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// Its number, one of a kind in this outbox.
    pub number: u64,
    /// What is sent.
    pub notice: Rc<UpsNotice>,
    /// It was sent before, and it is not known whether it was taken.
    pub may_have_come: bool,
    /// The lines of what was held back before it. Those of what shuts machines down, and was not over, begin with `! `.
    pub held_back: Vec<String>,
    /// So many more without a line.
    pub untold: u32,
}

impl Parcel {
    /// Others are not sent by themselves, in their order: this one has a line for each, as far as there is room.
    pub(crate) fn take_over(&mut self, others: Vec<(Parcel, bool)>) {
        let mut lines = vec![];
        for (other, is_heavy) in others {
            self.untold = self.untold.saturating_add(other.untold);
            lines.extend(other.held_back);
            let mark = if is_heavy { HEAVY } else { "" };
            lines.push(format!(
                "{mark}{}: {}",
                crate::time::utc_stamp(other.notice.at_ms),
                other.notice.title
            ));
        }
        lines.append(&mut self.held_back);
        self.held_back = lines;
        self.cut(false, HELD_LINES);
        self.cut(true, HEAVY_LINES);
    }

    /// The earliest lines of a kind go, until so many are left.
    fn cut(&mut self, heavy: bool, most: usize) -> usize {
        let is_it = |line: &String| line.starts_with(HEAVY) == heavy;
        let more = self.held_back.iter().filter(|line| is_it(line)).count().saturating_sub(most);
        let mut left = more;
        self.held_back.retain(|line| {
            let goes = left > 0 && is_it(line);
            left -= usize::from(goes);
            !goes
        });
        self.untold = self.untold.saturating_add(u32::try_from(more).unwrap_or(u32::MAX));
        more
    }

    /// A server that refuses it may take a shorter one: usual lines go first, then all. False where there are none.
    pub(crate) fn shorten(&mut self) -> bool {
        self.cut(false, 0) > 0 || self.cut(true, 0) > 0
    }

    /// As it is kept.
    pub(crate) fn record(&self, output: &str, is_under_way: bool) -> ParcelRecord {
        ParcelRecord {
            number: self.number,
            output: output.into(),
            notice: (*self.notice).clone(),
            may_have_come: self.may_have_come,
            is_under_way,
            held_back: self.held_back.clone(),
            untold: self.untold,
        }
    }
}

/// Which of what waits shuts machines down, and is neither over nor said again by a later one.
pub(crate) fn heavy<'p>(waiting: impl DoubleEndedIterator<Item = &'p Parcel>) -> Vec<bool> {
    let mut later: std::collections::BTreeSet<(&str, &str)> = std::collections::BTreeSet::new();
    let mut heavy: Vec<bool> = waiting
        .rev()
        .map(|parcel| {
            let is_last = later.insert((parcel.notice.rule.as_str(), parcel.notice.ups.as_str()));
            is_last && parcel.notice.weight() > NoticeWeight::Usual
        })
        .collect();
    heavy.reverse();
    heavy
}
