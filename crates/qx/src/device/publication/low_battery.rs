//! When the battery is low: by the word of the UPS, or by bounds that the administrator set.

use super::snapshot::Snapshot;
use super::trust::{Trust, Word};
use crate::device::timing::{LOW_AFTER, LOW_POLLS, LOW_WEIGHS_LESS};
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
    /// The log has it that a bound does not count.
    told: bool,
    /// The volts that were shown last and can be this battery's.
    volts: Option<f64>,
    /// The log has it that volts cannot be this battery's.
    told_of_volts: bool,
}

/// Volts that are less than this part of those before are not those of a battery that carries the load: the UPS says those
/// of one cell, or drew the number otherwise.
const STILL_THE_BATTERY: f64 = 0.5;

/// How long a value was below its bound. The time above it is taken off again, but weighs a third: so a value that
/// is below in two of four polls counts, one that is below in one of four does not, and once it was low it stays low
/// until mains is back.
#[derive(Debug, Default)]
struct Level {
    time: Duration,
    /// When the last value came, and whether it was below.
    last: Option<(Moment, bool)>,
    /// Which value was below which bound last.
    why: Option<Below>,
    low: bool,
}

/// A value that is below its bound.
#[derive(Clone, Debug)]
struct Below {
    /// For the log.
    text: String,
    /// Whether these options still ask for it.
    still: Still,
}

/// Which bound it was, and how high.
#[derive(Clone, Copy, Debug)]
enum Still {
    /// This one.
    Bound(fn(&Options) -> Option<f64>, f64),
    /// Any of charge and runtime: the battery is at its end.
    Any,
}

impl Still {
    /// Whether it is asked for by these options, or by more than that.
    fn holds(self, options: &Options) -> bool {
        match self {
            Still::Bound(bound, was) => bound(options).is_some_and(|now| now >= was),
            Still::Any => options.low_charge_percent.or(options.low_runtime_s).is_some(),
        }
    }
}

impl Level {
    /// Takes a value, which is below its bound for a reason; true when it is low from now on.
    fn take(&mut self, below: Option<Below>, poll: Duration, now: Moment) -> bool {
        let whole = poll * LOW_POLLS;
        if let Some((since, was_below)) = self.last.replace((now, below.is_some())) {
            let passed = now.saturating_sub(since).min(poll);
            self.time = match was_below {
                true => (self.time + passed).min(whole),
                false => self.time.saturating_sub(passed / LOW_WEIGHS_LESS),
            };
        }
        self.why = below.or_else(|| self.why.take());
        let news = self.time >= whole && !self.low;
        self.low |= news;
        news
    }
}

/// A bound that the administrator set: the option, what is bounded, where the bound is shown.
type Bound = (&'static str, &'static Var, &'static Var, fn(&Options) -> Option<f64>);

const BOUNDS: [Bound; 3] = [
    ("lowbatt_charge", &BATTERY_CHARGE, &BATTERY_CHARGE_LOW, |options| options.low_charge_percent),
    ("lowbatt_runtime", &BATTERY_RUNTIME, &BATTERY_RUNTIME_LOW, |options| options.low_runtime_s),
    ("lowbatt_voltage", &BATTERY_VOLTAGE, &BATTERY_VOLTAGE_LOW, |options| options.low_volts),
];

impl Device {
    /// Whether a value is below a bound that was set, on battery, for long enough. A self test while mains is
    /// there is no outage, and a word of the UPS needs no bound.
    pub(super) fn is_low_by_bounds(
        &mut self,
        snapshot: &Snapshot,
        trust: Trust,
        status: StatusSet,
        now: Moment,
    ) -> bool {
        let volts = self.shown_value(snapshot, &BATTERY_VOLTAGE).map(|(_, volts)| volts);
        if status.has(Status::Online) {
            self.publication.low_battery = LowBattery { volts, ..LowBattery::default() };
            return false;
        }
        let can_be = self.can_be_the_battery(volts);
        let since = *self.publication.low_battery.outage.get_or_insert(now);
        if now.saturating_sub(since) < LOW_AFTER {
            return false;
        }
        self.warn_of_estimates(snapshot, trust);
        let poll = self.options.pollinterval;
        for (at, word) in [Word::Said, Word::Estimated].into_iter().enumerate() {
            let counts = |var: &Var| trust.of(var) == Some(word) && (can_be || *var != BATTERY_VOLTAGE);
            let below = self.below(snapshot, counts);
            let below = below.or_else(|| self.is_empty(snapshot, trust).filter(|_| word == Word::Said));
            // a figure that counts stands, and an estimate that agrees
            let stands = self.has(snapshot, |var| trust.of(var) == Some(word)) || {
                word == Word::Said || self.below(snapshot, |var| trust.of(var).is_none()).is_some()
            };
            let is_below = below.is_some();
            let level = &mut self.publication.low_battery.levels[at];
            if level.take(below, poll, now) {
                let why = level.why.as_ref().map_or("", |below| below.text.as_str());
                let text = format!("the battery is low: {why}");
                self.note(LogLevel::Warning, text);
            } else if level.low
                && !is_below
                && level.why.as_ref().is_none_or(|below| !below.still.holds(&self.options))
            {
                *level = Level::default();
                let text = "the battery no longer counts as low: its bound was removed";
                self.note(LogLevel::Warning, text.into());
            } else if level.low && !stands && level.time.is_zero() {
                *level = Level::default();
                let text = "the battery is no longer known to be low: the estimate was withdrawn";
                self.note(LogLevel::Warning, text.into());
            }
        }
        self.publication.low_battery.levels.iter().any(|level| level.low)
    }

    /// Whether these volts can be those of the battery of which others were shown before.
    fn can_be_the_battery(&mut self, volts: Option<f64>) -> bool {
        let known = &mut self.publication.low_battery;
        let (Some(now), before) = (volts, known.volts) else { return true };
        if before.is_none_or(|before| now <= 0.0 || now >= before * STILL_THE_BATTERY) {
            known.volts = Some(now);
            return true;
        }
        if self.options.low_volts.is_some() && !std::mem::replace(&mut known.told_of_volts, true) {
            let before = before.unwrap_or_default();
            let text = format!(
                "lowbatt_voltage does not count: battery.voltage is {now} after {before}, which no battery under load does; \
                 the word of the UPS counts"
            );
            self.note(LogLevel::Warning, text);
        }
        false
    }

    /// Where charge or runtime has a bound: the volts of a battery that holds nothing any more.
    fn is_empty(&self, snapshot: &Snapshot, trust: Trust) -> Option<Below> {
        let bounded = self.options.low_charge_percent.or(self.options.low_runtime_s).is_some();
        let volts = snapshot.text(&BATTERY_VOLTAGE).filter(|_| bounded && trust.is_at_its_end)?;
        let text = format!("battery.voltage is {volts}, at which any battery is empty");
        Some(Below { text, still: Still::Any })
    }

    /// Which of these figures is below its bound.
    fn below(&self, snapshot: &Snapshot, which: impl Fn(&Var) -> bool) -> Option<Below> {
        BOUNDS.iter().filter(|(_, var, ..)| which(var)).find_map(|(option, var, _, of)| {
            let bound = of(&self.options)?;
            let (text, value) = self.shown_value(snapshot, var)?;
            let text = || format!("{} is {text}, below {option} = {bound}", var.name);
            (value < bound).then(|| Below { text: text(), still: Still::Bound(*of, bound) })
        })
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
            bound(&self.options).filter(|_| trust.of(var).is_none())?;
            let shown = self
                .shown_value(snapshot, var)
                .map_or("not known".into(), |(text, _)| format!("an estimate that does not count ({text})"));
            Some(format!("{option} has no effect: {} is {shown}", var.name))
        });
        if let Some(text) = guessed {
            self.publication.low_battery.told = true;
            let text = format!("{text}; LB of the UPS counts, and lowbatt_voltage, if it is set");
            self.note(LogLevel::Info, text);
        }
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
