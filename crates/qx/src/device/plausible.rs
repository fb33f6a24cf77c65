//! What the UPS says, weighed against what it says besides (see [`crate::quirk`]).

use super::{Device, Loudness};
use crate::fact::Raised;
use crate::quirk::{ECO_ALARM, Quirk, STUCK_BYPASS, STUCK_FSD, STUCK_OFF, TEST_OUTAGE};
use crate::status::Status;
use crate::variable::{INPUT_L1_N_VOLTAGE, INPUT_VOLTAGE, OUTPUT_L1_N_VOLTAGE, OUTPUT_VOLTAGE, Var};

/// An input of so many volts, or more, is mains, in any country; a dead line shows less.
const MAINS_VOLTS: f64 = 80.0;
/// An output of so many volts, or more, carries a load.
const LIVE_VOLTS: f64 = 80.0;

/// What is remembered of a UPS's bits.
#[derive(Debug, Default)]
pub(super) struct Plausibility {
    /// "Shutdown active" was said on mains at first, and never anything else: `None` before the first reading.
    fsd_is_stuck: Option<bool>,
    /// What stands in the log already.
    told: Vec<&'static str>,
}

impl Device {
    /// Takes back what cannot be.
    pub(super) fn weigh(&mut self, raised: &mut Raised) {
        self.weigh_shutdown(raised);
        if raised.status.has(Status::Off) && self.volts(&OUTPUT_VOLTAGE, &OUTPUT_L1_N_VOLTAGE) >= LIVE_VOLTS {
            self.withhold(&STUCK_OFF, Status::Off, raised);
        }
        if raised.status.has(Status::Bypass) {
            self.withhold(&STUCK_BYPASS, Status::Bypass, raised);
        }
        let tests = raised.status.has(Status::Calibrating) && !raised.status.has(Status::Online);
        let mains = self.volts(&INPUT_VOLTAGE, &INPUT_L1_N_VOLTAGE) >= MAINS_VOLTS;
        if tests && mains && self.applies(&TEST_OUTAGE) {
            raised.status = raised.status.with(Status::Online);
        }
        let eco = |text: &str| text == "UPS is in ECO Mode.";
        if raised.alarms.iter().any(|alarm| eco(alarm.text)) && self.applies(&ECO_ALARM) {
            raised.alarms.retain(|alarm| !eco(alarm.text));
        }
    }

    /// A bit that was never seen in its other state says nothing, if it was set on mains when it was read
    /// first. On battery it is taken, and so it is while the UPS has an order to shut down.
    fn weigh_shutdown(&mut self, raised: &mut Raised) {
        if !raised.covers.has(Status::ForcedShutdown) {
            return;
        }
        let says = raised.status.has(Status::ForcedShutdown);
        let on_mains = raised.status.has(Status::Online);
        let stuck = *self.plausibility.fsd_is_stuck.get_or_insert(says && on_mains);
        if !says {
            self.plausibility.fsd_is_stuck = Some(false);
        } else if stuck && !self.is_told_to_shut_down() {
            self.withhold(&STUCK_FSD, Status::ForcedShutdown, raised);
        }
    }

    fn withhold(&mut self, quirk: &'static Quirk, status: Status, raised: &mut Raised) {
        if !self.applies(quirk) {
            return;
        }
        raised.status = raised.status.without(status);
        if let Some(alarm) = status.alarm() {
            raised.alarms.retain(|raised| *raised != alarm);
        }
    }

    /// Whether it is looked for; the log is told when it is met first.
    fn applies(&mut self, quirk: &'static Quirk) -> bool {
        let applies = self.options.quirks.has(quirk);
        if applies && !self.plausibility.told.contains(&quirk.name) {
            self.plausibility.told.push(quirk.name);
            let text = format!("{} (believe it all the same: noquirks = {})", quirk.about, quirk.name);
            self.note(Loudness::Warning, text);
        }
        applies
    }

    fn volts(&self, var: &Var, of_phase: &Var) -> f64 {
        let facts = self.facts();
        facts.f64(var).or_else(|| facts.f64(of_phase)).unwrap_or_default()
    }
}
