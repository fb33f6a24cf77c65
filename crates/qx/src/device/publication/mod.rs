//! Publication: what the last readings come to, from words and numbers to the store.

mod compose;
mod level;
mod low_battery;
mod pack_volts;
mod plausible;
mod reckoning;
mod snapshot;
mod trust;

use compose::{Composed, Outline};
use low_battery::LowBattery;
use plausible::Plausibility;
use reckoning::Reckoning;

/// What was made of the readings. Only the files of this folder change it by hand.
#[derive(Debug)]
pub(super) struct Publication {
    /// What the last readings come to, until one of them changes.
    said: Option<Composed>,
    /// What was written down last, until more than a number changes.
    outline: Option<Outline>,
    /// More than a number changed, and what is asked of this UPS may change by it.
    unsettled: bool,
    plausibility: Plausibility,
    reckoning: Reckoning,
    low_battery: LowBattery,
    /// The log has it that LB is ignored in this outage.
    said_ignored_lb: bool,
}

impl Publication {
    /// Nothing was read yet.
    pub(super) fn new() -> Publication {
        Publication {
            said: None,
            outline: None,
            unsettled: true,
            plausibility: Plausibility::default(),
            reckoning: Reckoning::default(),
            low_battery: LowBattery::default(),
            said_ignored_lb: false,
        }
    }

    /// A reading changed, or what is made of it: nothing made of it before counts any more.
    pub(super) fn readings_changed(&mut self) {
        self.said = None;
    }

    /// More than numbers of a status changed: what is asked of this UPS, and what it offers, may be another.
    pub(super) fn words_changed(&mut self) {
        self.readings_changed();
        self.outline = None;
        self.unsettled = true;
    }

    /// Whether more than a number changed since the last call.
    pub(super) fn take_unsettled(&mut self) -> bool {
        std::mem::take(&mut self.unsettled)
    }

    /// Another UPS answers: its bits and its battery are others.
    pub(super) fn forget_unit(&mut self) {
        self.plausibility = Plausibility::default();
        self.reckoning = Reckoning::default();
        self.low_battery = LowBattery::default();
    }

    /// Whether "shutdown active" was always said.
    pub(super) fn shutdown_is_stuck(&self) -> bool {
        self.plausibility.shutdown_is_stuck()
    }

    /// Whether the UPS was seen to say that no shutdown is active: then it means something when it says that one is.
    pub(super) fn shutdown_was_clear(&self) -> bool {
        self.plausibility.shutdown_was_clear()
    }
}
