//! The table of timers: everything that the device does because time passed, and when.

use super::{Device, Moment};

/// Something that is due at a moment, whatever comes from the line until then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DeviceTimer {
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

impl DeviceTimer {
    /// All of them.
    const ALL: [DeviceTimer; 12] = [
        DeviceTimer::Sign,
        DeviceTimer::Query,
        DeviceTimer::Proof,
        DeviceTimer::OnceMore,
        DeviceTimer::Stale,
        DeviceTimer::Survey,
        DeviceTimer::Order,
        DeviceTimer::Doubt,
        DeviceTimer::Request,
        DeviceTimer::Kill,
        DeviceTimer::Identity,
        DeviceTimer::Plate,
    ];
}

impl Device {
    /// Until when nothing is to be done, or `None` while an exchange is on its way: the minimum of all timers.
    pub fn poll_timeout(&self) -> Option<Moment> {
        if self.asked.is_some() {
            return None;
        }
        DeviceTimer::ALL.into_iter().filter_map(|timer| self.due(timer)).min()
    }

    /// When a timer ends, if it runs.
    fn due(&self, timer: DeviceTimer) -> Option<Moment> {
        let is_up = self.line.is_up();
        let polls = is_up && self.search.is_polling();
        let is_fresh = !self.store.is_stale();
        match timer {
            DeviceTimer::Sign => {
                let due = self.search.sign_due().filter(|_| is_up);
                due.map(|due| due.max(self.line.rests_until()))
            }
            DeviceTimer::Query => self.schedule.due().filter(|_| polls).map(|due| due.max(self.line.pause())),
            DeviceTimer::Proof => {
                let due = self.search.proof_due().filter(|_| polls && self.ready && is_fresh);
                due.map(|due| due.max(self.line.pause()))
            }
            DeviceTimer::OnceMore => self.once_more_due().filter(|_| polls),
            DeviceTimer::Stale => (self.ready && is_fresh).then(|| self.fresh_until()),
            DeviceTimer::Survey => {
                let due = self.search.detect_again();
                (!self.ready && is_fresh && due > Moment::ZERO).then_some(due)
            }
            DeviceTimer::Order => self.order_due(),
            DeviceTimer::Doubt => self.command_due(),
            DeviceTimer::Request => self.requests_due().filter(|_| is_up),
            DeviceTimer::Kill => self.kill_due(),
            DeviceTimer::Identity => self.identity_due(),
            DeviceTimer::Plate => self.plate_due(),
        }
    }
}
