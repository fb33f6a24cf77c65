//! The table of timers: everything that the device does because time passed, and when.

use super::{Device, Moment};

/// Something that is due at a moment, whatever comes from the line until then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timer {
    /// The next question by which the dialect is looked for.
    Sign,
    /// The next query of the dialect: a poll, or one that is asked again.
    Query,
    /// The next question by which it is proven that the dialect of the last start is the one.
    Proof,
    /// What is asked once is asked again, after replies that came to other questions.
    OnceMore,
    /// Data is stale unless it is read until then whether mains is there.
    Stale,
    /// A UPS that was not found, or found and not read whole, is given up.
    Survey,
    /// The load should be off by an order that the UPS has taken.
    Order,
    /// It is known what came of the last command, or the status is asked for it.
    Doubt,
    /// A client's request that waits is not sent any more.
    Request,
    /// The next step of switching the load off, or its end.
    Kill,
    /// A UPS that may be another is asked again what it is, or only what it said itself is shown.
    Identity,
    /// The answers to the name plate are all there, or two units answer no longer in turn.
    Plate,
}

impl Timer {
    /// All of them.
    const ALL: [Timer; 12] = [
        Timer::Sign,
        Timer::Query,
        Timer::Proof,
        Timer::OnceMore,
        Timer::Stale,
        Timer::Survey,
        Timer::Order,
        Timer::Doubt,
        Timer::Request,
        Timer::Kill,
        Timer::Identity,
        Timer::Plate,
    ];
}

impl Device {
    /// Until when nothing is to be done, or `None` while an exchange is on its way: the minimum of all timers.
    pub fn poll_timeout(&self) -> Option<Moment> {
        if self.asked.is_some() {
            return None;
        }
        Timer::ALL.into_iter().filter_map(|timer| self.due(timer)).min()
    }

    /// When a timer ends, if it runs.
    fn due(&self, timer: Timer) -> Option<Moment> {
        let is_up = self.line.is_up();
        let polls = is_up && self.search.is_polling();
        let is_fresh = !self.store.is_stale();
        match timer {
            Timer::Sign => self.search.sign_due().filter(|_| is_up),
            Timer::Query => self.schedule.due().filter(|_| polls).map(|due| due.max(self.line.pause())),
            Timer::Proof => {
                let due = self.search.proof_due().filter(|_| polls && self.ready && is_fresh);
                due.map(|due| due.max(self.line.pause()))
            }
            Timer::OnceMore => self.once_more_due().filter(|_| polls),
            Timer::Stale => (self.ready && is_fresh).then(|| self.fresh_until()),
            Timer::Survey => {
                let due = self.search.detect_again();
                (!self.ready && is_fresh && due > Moment::ZERO).then_some(due)
            }
            Timer::Order => self.order_due(),
            Timer::Doubt => self.doubt_due(),
            Timer::Request => self.requests_due().filter(|_| is_up),
            Timer::Kill => self.kill_due(),
            Timer::Identity => self.identity_due(),
            Timer::Plate => self.plate_due(),
        }
    }
}
