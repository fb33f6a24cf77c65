//! When the battery is low: by the word of the UPS, or by bounds that the administrator set.

use super::level::{BOUNDS, Below, Level, Pace, WhichBound};
use super::pack_volts::{PackVolts, VoltsForBound};
use super::reckoning::Reckoned;
use super::snapshot::Snapshot;
use super::trust::{Trust, Word};
use crate::device::battery::RatedBank;
use crate::device::timing::{CHARGES, LOW_AFTER, LOW_ASKS_AGAIN};
use crate::device::{Device, LogLevel, Moment};
use crate::options::Options;
use crate::vocabulary::status::{Status, StatusSet};
use crate::vocabulary::value::Value;
use crate::vocabulary::variable::*;
use std::time::Duration;

/// What is remembered of an outage.
#[derive(Debug, Default)]
pub(super) struct LowBattery {
    /// When the battery took the load.
    outage: Option<Moment>,
    /// By what is said, and by what is estimated.
    levels: [Level; 2],
    /// Charge and runtime, as far as they were below their bounds on mains already.
    below_on_mains: Vec<&'static Var>,
    /// When mains came back, and how long the battery had carried the load, if it was below a bound to the end.
    back: Option<(Moment, Option<Duration>)>,
    volts: PackVolts,
    /// The log has it that a bound does not count.
    told: bool,
    /// The log has it that volts cannot be compared.
    told_of_volts: bool,
}

impl LowBattery {
    /// Mains is there: an outage is over.
    fn on_mains(&mut self, volts: Option<f64>, below: Vec<&'static Var>, now: Moment) {
        self.volts.on_mains(volts);
        self.below_on_mains = below;
        let Some(outage) = self.outage.take() else { return };
        let mut is_below = false;
        for level in &mut self.levels {
            is_below |= level.pause();
        }
        self.back = Some((now, is_below.then_some(now.saturating_sub(outage))));
        (self.told, self.told_of_volts) = (false, false);
    }

    /// The battery carries the load: how long already. One that was below a bound, and was not charged since, goes on
    /// from there.
    fn on_battery(&mut self, volts: Option<f64>, now: Moment) -> Duration {
        self.volts.on_battery(volts);
        if let Some((back, before)) = self.back.take() {
            let before = before.filter(|_| now.saturating_sub(back) < CHARGES);
            if before.is_none() {
                self.levels = Default::default();
            }
            self.outage = Some(now - before.unwrap_or_default());
        }
        now.saturating_sub(*self.outage.get_or_insert(now))
    }
}

impl Device {
    /// Whether a value is below a bound that was set, on battery, for long enough. A self test while mains is
    /// there is no outage, and a word of the UPS needs no bound.
    pub(super) fn is_low_by_bounds(
        &mut self,
        snapshot: &Snapshot,
        trust: Trust,
        bank: Option<RatedBank>,
        status: StatusSet,
        now: Moment,
    ) -> bool {
        let volts = self.shown_value(snapshot, &BATTERY_VOLTAGE).map(|(_, volts)| volts);
        if status.has(Status::Online) {
            let below = self.below_on_mains(snapshot, trust, bank);
            self.publication.low_battery.on_mains(volts, below, now);
            return false;
        }
        let settled = self.publication.low_battery.on_battery(volts, now) >= LOW_AFTER;
        if settled {
            self.warn_of_estimates(snapshot, trust);
            self.warn_of_volts(snapshot, bank);
        }
        for (at, word) in [Word::Said, Word::Estimated].into_iter().enumerate() {
            let mut below = self.below(snapshot, bank, |var| trust.of(var) == Some(word));
            below.extend(self.is_empty(snapshot, trust).filter(|_| word == Word::Said && settled));
            let was = &self.publication.low_battery.below_on_mains;
            let at_once = word == Word::Said && below.iter().any(|figure| was.contains(&figure.var));
            self.take_level(at, below, (settled, at_once), now);
            self.let_level_go(at, word, snapshot, (trust, bank), now);
        }
        let levels = &self.publication.low_battery.levels;
        let (is_low, is_open) =
            (levels.iter().any(|level| level.low), levels.iter().any(|level| level.is_open()));
        if is_open && !is_low {
            self.ask_of_the_battery(now + LOW_ASKS_AGAIN);
        }
        is_low
    }

    fn take_level(&mut self, at: usize, below: Vec<Below>, (settled, at_once): (bool, bool), now: Moment) {
        let pace = Pace { poll: self.options.pollinterval.min(LOW_ASKS_AGAIN), settled, at_once };
        let level = &mut self.publication.low_battery.levels[at];
        let why = level.take(below, pace, now).map(|why| format!("the battery is low: {why}"));
        if let Some(text) = why {
            self.note(LogLevel::Warning, text);
        }
    }

    fn let_level_go(
        &mut self,
        at: usize,
        word: Word,
        snapshot: &Snapshot,
        (trust, bank): (Trust, Option<RatedBank>),
        now: Moment,
    ) {
        // a figure that counts stands, and an estimate that agrees
        let stands = word == Word::Said
            || self.has(snapshot, |var| trust.of(var) == Some(word))
            || !self.below(snapshot, bank, |var| trust.of(var).is_none()).is_empty();
        let said = |var: &Var| {
            let is_said = word == Word::Said && trust.of(var) == Some(word);
            self.shown_value(snapshot, var).filter(|_| is_said).map(|(_, number)| number)
        };
        let figures = [&BATTERY_CHARGE, &BATTERY_RUNTIME].map(|var| (var, said(var)));
        let figure = |var: &Var| figures.iter().find(|(of, _)| *of == var).and_then(|(_, number)| *number);
        let level = &mut self.publication.low_battery.levels[at];
        let gone = level.let_go(&self.options, figure, now).or_else(|| {
            let withdrawn = level.low && !stands && level.is_above();
            withdrawn.then(|| std::mem::take(level)).map(|_| "the estimate was withdrawn".into())
        });
        if let Some(why) = gone {
            self.note(LogLevel::Warning, format!("the battery no longer counts as low: {why}"));
        }
    }

    /// Charge and runtime that the UPS says, and that are below their bounds on mains already. (A charge of 0 may mean
    /// that it does not know.)
    fn below_on_mains(
        &self,
        snapshot: &Snapshot,
        trust: Trust,
        bank: Option<RatedBank>,
    ) -> Vec<&'static Var> {
        let is_said = |var: &Var| {
            *var != BATTERY_VOLTAGE
                && trust.of(var) == Some(Word::Said)
                && self.shown_value(snapshot, var).is_some_and(|(_, number)| number > 0.0)
        };
        self.below(snapshot, bank, is_said).into_iter().map(|below| below.var).collect()
    }

    /// Where charge or runtime has a bound: the volts of a battery that holds nothing any more.
    fn is_empty(&self, snapshot: &Snapshot, trust: Trust) -> Option<Below> {
        let bounded = self.options.low_charge_percent.or(self.options.low_runtime_s).is_some();
        let volts = snapshot.text(&BATTERY_VOLTAGE).filter(|_| bounded && trust.is_at_its_end)?;
        let text = format!("battery.voltage is {volts}, at which any battery is empty");
        Some(Below { var: &BATTERY_VOLTAGE, text, which: WhichBound::Any })
    }

    /// Which of these figures are below their bounds.
    fn below(
        &self,
        snapshot: &Snapshot,
        bank: Option<RatedBank>,
        which: impl Fn(&Var) -> bool,
    ) -> Vec<Below> {
        let is_below = |var: &'static Var, option: &str, of: fn(&Options) -> Option<f64>| {
            let bound = of(&self.options)?;
            let (text, number) = self.shown_value(snapshot, var)?;
            let (number, times) = match self.publication.low_battery.volts.for_bound(number, bound, bank) {
                _ if *var != BATTERY_VOLTAGE => (number, 1.0),
                VoltsForBound::Are(volts, times) => (volts, times),
                VoltsForBound::LessThanItHas(_) | VoltsForBound::OfAPart => return None,
            };
            let times = if times == 1.0 { String::new() } else { format!(", times {times}") };
            let text = format!("{} is {text}{times}, below {option} = {bound}", var.name);
            (number < bound).then_some(Below { var, text, which: WhichBound::One(of, bound) })
        };
        let bounds = BOUNDS.iter().filter(|(_, var, ..)| which(var));
        bounds.filter_map(|(option, var, _, of)| is_below(var, option, *of)).collect()
    }

    /// Whether any of these figures is there and has a bound.
    fn has(&self, snapshot: &Snapshot, which: impl Fn(&Var) -> bool) -> bool {
        let bounded = |var: &Var, bound: fn(&Options) -> Option<f64>| {
            which(var) && bound(&self.options).is_some() && self.shown_value(snapshot, var).is_some()
        };
        BOUNDS.iter().any(|(_, var, _, bound)| bounded(var, *bound))
    }

    fn shown_value(&self, snapshot: &Snapshot, var: &Var) -> Option<(String, f64)> {
        let configured = self.configured(snapshot);
        let text = configured.get(var.name).cloned().or_else(|| snapshot.text(var))?;
        let number = text.trim().parse().ok()?;
        Some((text, number))
    }

    /// Says once in an outage which bound does not count yet.
    fn warn_of_estimates(&mut self, snapshot: &Snapshot, trust: Trust) {
        if self.publication.low_battery.told {
            return;
        }
        let guessed = BOUNDS.iter().find_map(|(option, var, _, bound)| {
            let knows = trust.reckoned.of(var) == Reckoned::Yes;
            bound(&self.options).filter(|_| trust.of(var).is_none() || !knows)?;
            let shown = match self.shown_value(snapshot, var) {
                Some((text, _)) if !knows => format!("{text}, to which it leapt"),
                None if !knows => "0, which the UPS says until it knows it".into(),
                Some((text, _)) if trust.of(var).is_none() => {
                    format!("an estimate that does not count ({text})")
                }
                Some(_) => return None,
                None => "not known".into(),
            };
            Some(format!("{option} has no effect: {} is {shown}", var.name))
        });
        if let Some(text) = guessed {
            self.publication.low_battery.told = true;
            let text = format!("{text}; LB of the UPS counts, and lowbatt_voltage, if it is set");
            self.note(LogLevel::Info, text);
        }
    }

    /// Says once in an outage that `lowbatt_voltage` does not count.
    fn warn_of_volts(&mut self, snapshot: &Snapshot, bank: Option<RatedBank>) {
        let shown = self.shown_value(snapshot, &BATTERY_VOLTAGE).zip(self.options.low_volts);
        let Some(((text, volts), bound)) = shown.filter(|_| !self.publication.low_battery.told_of_volts)
        else {
            return;
        };
        let why = match self.publication.low_battery.volts.for_bound(volts, bound, bank) {
            VoltsForBound::Are(..) => return,
            VoltsForBound::LessThanItHas(before) => {
                format!("{text} after {before}, which no battery under load does")
            }
            VoltsForBound::OfAPart => {
                format!("{text}, that of a part of the battery; set default.battery.voltage.nominal")
            }
        };
        self.publication.low_battery.told_of_volts = true;
        let text = format!("lowbatt_voltage has no effect: battery.voltage is {why}; LB of the UPS counts");
        self.note(LogLevel::Warning, text);
    }

    /// Shows the bounds where nothing else stands in their place.
    pub(super) fn show_bounds(&self, snapshot: &mut Snapshot) {
        for (_, _, shown, bound) in BOUNDS {
            if let Some(bound) = bound(&self.options).filter(|_| shown != &BATTERY_VOLTAGE_LOW) {
                snapshot.fill(shown, || Value::written(format!("{bound:.0}")));
            }
        }
    }
}
