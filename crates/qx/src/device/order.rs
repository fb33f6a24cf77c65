//! What came of an order to the load: most of these UPSes say nothing when they accept a command, so
//! what they show afterwards is compared with what they were told.

use super::request::Asker;
use super::{Device, Loudness, Moment, Outcome};
use crate::spelling::Args;
use crate::status::Status;
use crate::variable::{OUTPUT_L1_N_VOLTAGE, OUTPUT_VOLTAGE};
use std::time::Duration;

/// A status that was asked for after an order comes within this, or not at all.
const SHOWS_WITHIN: Duration = Duration::from_secs(3);
/// A load that should be off is given so much longer.
const GRACE: Duration = Duration::from_secs(10);
/// Below so many volts nothing is powered.
pub(super) const DEAD_VOLTS: f64 = 20.0;

/// What was ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// That the load goes off, now or later.
    Off,
    /// That nothing of the kind happens any more.
    Stop,
}

/// An order that the UPS has accepted.
#[derive(Debug)]
pub(super) struct Order {
    what: What,
    name: String,
    /// Who waits for what the UPS shows.
    asker: Option<Asker>,
    accepted: Moment,
    /// When the load should be off.
    off: Moment,
    /// The load was seen off.
    seen_off: bool,
}

impl Order {
    /// Until when nothing is to be done about it.
    pub(super) fn due(&self) -> Moment {
        match self.asker {
            Some(_) => self.accepted + SHOWS_WITHIN,
            None => self.off + GRACE,
        }
    }
}

impl Device {
    /// Whether the answer to an accepted command waits for what the UPS shows.
    pub(super) fn watch_for(&mut self, asker: Asker, name: &str, sent: &str, now: Moment) -> bool {
        let what = match name {
            "shutdown.return" | "shutdown.stayoff" | "load.off" => What::Off,
            "shutdown.stop" => What::Stop,
            _ => return false,
        };
        let delay = self.protocol.and_then(|protocol| {
            let mut rows = protocol.commands_named(name);
            rows.find_map(|row| row.understand(sent).map(|args: Args| args.shutdown))
        });
        if let (What::Off, Some(seconds)) = (what, delay) {
            self.note(Loudness::Info, format!("{name}: the load goes off after {seconds} s"));
        }
        let off = now + Duration::from_secs(delay.unwrap_or_default().into()) + self.options.pollinterval;
        if let Some(asker) = self.order.take().and_then(|before| before.asker) {
            self.answer(asker, Outcome::Done);
        }
        self.order =
            Some(Order { what, name: name.into(), asker: Some(asker), accepted: now, off, seen_off: false });
        true
    }

    /// What a believed status shows of the order.
    pub(super) fn compare_with_order(&mut self) {
        if self.order.is_none() {
            return;
        }
        let (pending, dead) = (self.shows_shutdown(), self.is_output_dead());
        let Some(order) = &mut self.order else { return };
        order.seen_off |= dead == Some(true);
        if order.asker.is_none() {
            return;
        }
        let name = order.name.clone();
        match (order.what, pending) {
            // it may take the UPS a moment: until the time is up
            (What::Stop, true) => {}
            (What::Stop, false) => self.end_order(Outcome::Done),
            (What::Off, _) => {
                let asker = order.asker.take();
                let shown = match (pending, dead) {
                    (true, _) => "the UPS says that a shutdown is active",
                    (_, Some(true)) => "the UPS says that the load is off",
                    _ => "taken, and the UPS does not show it (many never do)",
                };
                self.note(Loudness::Info, format!("{name}: {shown}"));
                if let Some(asker) = asker {
                    self.answer(asker, Outcome::Done);
                }
            }
        }
    }

    /// Looks after an order when its time is up.
    pub(super) fn look_after_order(&mut self, now: Moment) {
        let Some(order) = self.order.as_ref().filter(|order| order.due() <= now) else { return };
        let (name, seen_off) = (order.name.clone(), order.seen_off);
        match (order.asker, order.what) {
            (Some(_), What::Stop) if self.shows_shutdown() && !self.store.is_stale() => {
                let why = "the UPS took shutdown.stop, but still says that a shutdown is active".into();
                self.end_order(Outcome::Failed(why));
            }
            (Some(_), What::Stop) => self.end_order(Outcome::Done),
            (Some(asker), What::Off) => {
                if let Some(order) = &mut self.order {
                    order.asker = None;
                }
                self.note(Loudness::Info, format!("{name}: taken, and the UPS says nothing since"));
                self.answer(asker, Outcome::Done);
            }
            (None, _) => {
                let alive = self.is_output_dead() == Some(false) && !self.shows_shutdown();
                let heard_since = self.last_good > order.off;
                self.order = None;
                if seen_off {
                    self.note(Loudness::Info, format!("{name}: the load was switched off"));
                } else if alive && heard_since {
                    self.note(
                        Loudness::Warning,
                        format!(
                            "{name} was taken, but the UPS still powers its output: it does not obey this command; \
                             try another by hand (upscmd) and name it in sdcommands of ups.conf"
                        ),
                    );
                }
            }
        }
    }

    fn end_order(&mut self, outcome: Outcome) {
        if let Some(asker) = self.order.take().and_then(|order| order.asker) {
            self.answer(asker, outcome);
        }
    }

    /// Whether the UPS has an order to switch its load off.
    pub(super) fn is_told_to_shut_down(&self) -> bool {
        self.order.as_ref().is_some_and(|order| order.what == What::Off)
    }

    /// Whether the UPS says that a shutdown is active.
    fn shows_shutdown(&self) -> bool {
        self.facts().words().status.has(Status::ForcedShutdown)
    }

    /// Whether the UPS says that its output is dead, where it says anything of it.
    fn is_output_dead(&self) -> Option<bool> {
        let facts = self.facts();
        let volts = facts.f64(&OUTPUT_VOLTAGE).or_else(|| facts.f64(&OUTPUT_L1_N_VOLTAGE));
        let off = facts.words().status.has(Status::Off);
        if off { Some(true) } else { volts.map(|volts| volts < DEAD_VOLTS) }
    }
}
