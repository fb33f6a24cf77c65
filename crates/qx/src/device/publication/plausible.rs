//! What the UPS says, weighed against what it says besides (see [`crate::options::quirk`]).

use crate::device::timing::{TEST_ENDS, TEST_LASTS};
use crate::device::{Device, LogLevel, Moment};
use crate::options::quirk::{ECO_ALARM, Quirk, STUCK_BYPASS, STUCK_FSD, STUCK_OFF, TEST_OUTAGE};
use crate::vocabulary::status::Status;
use crate::vocabulary::variable::{
    INPUT_FREQUENCY, INPUT_FREQUENCY_NOMINAL, INPUT_L1_N_VOLTAGE, INPUT_L2_N_VOLTAGE, INPUT_L3_N_VOLTAGE,
    INPUT_VOLTAGE, INPUT_VOLTAGE_NOMINAL, OUTPUT_L1_N_VOLTAGE, OUTPUT_VOLTAGE, OUTPUT_VOLTAGE_NOMINAL, Var,
};
use crate::wire::fact::Raised;
use std::time::Duration;

/// Mains that is good is within so much of what it was before, or of what it is rated: a brown-out is not.
const MAINS_WITHIN: f64 = 0.15;
/// The same of its frequency: no grid leaves it, a generator does.
const FREQUENCY_WITHIN: f64 = 0.05;
/// An output of so many volts, or more, carries a load.
const LIVE_VOLTS: f64 = 80.0;

/// What is said of mains besides its first phase.
const FURTHER_PHASES: [&Var; 2] = [&INPUT_L2_N_VOLTAGE, &INPUT_L3_N_VOLTAGE];

/// A load that comes back shows by its volts before the mode says so: a bit is called stuck after so long.
const STUCK_AFTER: Duration = Duration::from_secs(10);

/// What is remembered of a UPS's bits.
#[derive(Debug, Default)]
pub(super) struct Plausibility {
    /// "Shutdown active" was said on mains at first, and never anything else: `None` before the first reading.
    fsd_is_stuck: Option<bool>,
    /// It was said once that none is active.
    fsd_was_clear: bool,
    /// The voltage of mains when the UPS said last that it is good, and that no test runs.
    good_mains_volts: Option<f64>,
    /// Those of its second and third phase then; 0 of a phase that is not connected.
    good_phase_volts: [Option<f64>; 2],
    /// Its frequency then, in Hz.
    good_mains_hz: Option<f64>,
    /// The test that is under way, of which the UPS says that mains failed.
    test: Option<Test>,
    /// Since when the load is said to be off while there are volts.
    off_and_live: Option<Moment>,
    /// What stands in the log already.
    told: Vec<&'static str>,
}

/// A self test in which the UPS says that mains failed.
#[derive(Clone, Copy, Debug)]
struct Test {
    since: Moment,
    /// Since when the battery is low in it.
    low_since: Option<Moment>,
}

impl Test {
    /// Whether it goes on for longer than a test does.
    fn is_too_long(self, now: Moment) -> bool {
        now >= self.since + TEST_LASTS || self.low_since.is_some_and(|low| now >= low + TEST_ENDS)
    }
}

impl Plausibility {
    /// Whether "shutdown active" was always said.
    pub(super) fn shutdown_is_stuck(&self) -> bool {
        self.fsd_is_stuck == Some(true)
    }

    /// Whether it was ever said that no shutdown is active.
    pub(super) fn shutdown_was_clear(&self) -> bool {
        self.fsd_was_clear
    }
}

impl Device {
    /// Takes back what cannot be.
    pub(in crate::device) fn weigh(&mut self, raised: &mut Raised) {
        self.weigh_shutdown(raised);
        self.weigh_off(raised);
        if raised.status.has(Status::Bypass) {
            self.withhold(&STUCK_BYPASS, Status::Bypass, raised);
        }
        self.weigh_test(raised);
        let eco = |text: &str| text == "UPS is in ECO Mode.";
        if raised.alarms.iter().any(|alarm| eco(alarm.text)) && self.applies(&ECO_ALARM) {
            raised.alarms.retain(|alarm| !eco(alarm.text));
        }
    }

    /// Nothing is off that has volts at its output.
    fn weigh_off(&mut self, raised: &mut Raised) {
        let is_live = self.volts(&OUTPUT_VOLTAGE, &OUTPUT_L1_N_VOLTAGE) >= LIVE_VOLTS;
        if !raised.status.has(Status::Off) || !is_live || !self.options.quirks.has(&STUCK_OFF) {
            self.publication.plausibility.off_and_live = None;
            return;
        }
        let since = *self.publication.plausibility.off_and_live.get_or_insert(self.clock);
        if self.clock >= since + STUCK_AFTER {
            self.withhold(&STUCK_OFF, Status::Off, raised);
        } else {
            self.withhold_quietly(Status::Off, raised);
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
        let stuck = *self.publication.plausibility.fsd_is_stuck.get_or_insert(says && on_mains);
        if !says {
            self.publication.plausibility.fsd_is_stuck = Some(false);
            self.publication.plausibility.fsd_was_clear = true;
        } else if stuck && !self.is_told_to_shut_down() {
            self.withhold(&STUCK_FSD, Status::ForcedShutdown, raised);
        }
    }

    /// In a self test some units say that mains failed: that is not so where the input has voltage and frequency of good
    /// mains, as long as a test lasts.
    fn weigh_test(&mut self, raised: &mut Raised) {
        let input = self.volts(&INPUT_VOLTAGE, &INPUT_L1_N_VOLTAGE);
        let in_test = raised.status.has(Status::Calibrating) && !raised.status.has(Status::Online);
        if in_test {
            if self.tests(raised.status.has(Status::LowBattery))
                && self.is_good_mains(input)
                && self.has_good_frequency()
                && self.applies(&TEST_OUTAGE)
            {
                raised.status = raised.status.with(Status::Online);
            }
            return;
        }
        let hz = self.facts().f64(&INPUT_FREQUENCY);
        let phases = FURTHER_PHASES.map(|var| self.facts().f64(var));
        let known = &mut self.publication.plausibility;
        known.test = None;
        if raised.status.has(Status::Online) && !raised.status.has(Status::Calibrating) {
            known.good_mains_volts = Some(input).filter(|volts| *volts > 0.0);
            known.good_phase_volts = phases;
            known.good_mains_hz = hz.filter(|hz| *hz > 0.0);
        }
    }

    /// Takes note of a test; whether it may still be one.
    fn tests(&mut self, low: bool) -> bool {
        let now = self.clock;
        let test = self.publication.plausibility.test.get_or_insert(Test { since: now, low_since: None });
        test.low_since = test.low_since.or(Some(now)).filter(|_| low);
        !test.is_too_long(now)
    }

    /// Whether the frequency of mains, where the UPS says it, is that of good mains.
    fn has_good_frequency(&self) -> bool {
        let facts = self.facts();
        let good = self.publication.plausibility.good_mains_hz;
        let good = good.or_else(|| facts.f64(&INPUT_FREQUENCY_NOMINAL)).filter(|hz| *hz > 0.0);
        good.zip(facts.f64(&INPUT_FREQUENCY))
            .is_none_or(|(good, hz)| (hz - good).abs() <= FREQUENCY_WITHIN * good)
    }

    fn is_good_mains(&self, input: f64) -> bool {
        let facts = self.facts();
        let rated = || facts.f64(&INPUT_VOLTAGE_NOMINAL).or_else(|| facts.f64(&OUTPUT_VOLTAGE_NOMINAL));
        let output = || facts.f64(&OUTPUT_VOLTAGE).or_else(|| facts.f64(&OUTPUT_L1_N_VOLTAGE));
        let good = self.publication.plausibility.good_mains_volts.or_else(rated).or_else(output);
        // what was read last counts as well, though it is not settled yet
        let newest = self.schedule.slots().iter().find_map(|slot| {
            slot.judge.newest_number(&INPUT_VOLTAGE).or_else(|| slot.judge.newest_number(&INPUT_L1_N_VOLTAGE))
        });
        let is_good = |volts: f64, good: f64| (volts - good).abs() <= MAINS_WITHIN * good;
        good.is_some_and(|good| {
            let newest_is_good = newest.is_none_or(|newest| is_good(newest, good));
            good > 0.0 && is_good(input, good) && newest_is_good && self.has_good_phases(good)
        })
    }

    /// Whether the second and third phase, where the UPS says their volts, are good as well: each is what it was before,
    /// else what the first one is.
    fn has_good_phases(&self, first: f64) -> bool {
        let facts = self.facts();
        let before = self.publication.plausibility.good_phase_volts;
        FURTHER_PHASES.iter().zip(before).all(|(var, before)| {
            let newest = self.schedule.slots().iter().find_map(|slot| slot.judge.newest_number(var));
            let good = before.unwrap_or(first);
            let is_good = |volts: f64| (volts - good).abs() <= MAINS_WITHIN * good;
            facts.f64(var).into_iter().chain(newest).all(is_good)
        })
    }

    fn withhold(&mut self, quirk: &'static Quirk, status: Status, raised: &mut Raised) {
        if !self.applies(quirk) {
            return;
        }
        self.withhold_quietly(status, raised);
    }

    fn withhold_quietly(&self, status: Status, raised: &mut Raised) {
        raised.status = raised.status.without(status);
        if let Some(alarm) = status.alarm() {
            raised.alarms.retain(|raised| *raised != alarm);
        }
    }

    /// Whether it is looked for; the log is told when it is met first.
    fn applies(&mut self, quirk: &'static Quirk) -> bool {
        let applies = self.options.quirks.has(quirk);
        if applies && !self.publication.plausibility.told.contains(&quirk.name) {
            self.publication.plausibility.told.push(quirk.name);
            let text = format!("{} (to accept it anyway, write noquirks = {})", quirk.about, quirk.name);
            self.note(LogLevel::Warning, text);
        }
        applies
    }

    fn volts(&self, var: &Var, of_phase: &Var) -> f64 {
        let facts = self.facts();
        facts.f64(var).or_else(|| facts.f64(of_phase)).unwrap_or_default()
    }
}
