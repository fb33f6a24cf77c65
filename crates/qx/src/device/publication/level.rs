//! How long figures were below the bounds that the administrator set for them.

use crate::device::Moment;
use crate::device::timing::{LOW_LETS_GO, LOW_POLLS, LOW_WEIGHS_LESS};
use crate::options::Options;
use crate::vocabulary::variable::*;
use std::time::Duration;

/// A bound that the administrator set: the option, what is bounded, where the bound is shown.
pub(super) type Bound = (&'static str, &'static Var, &'static Var, fn(&Options) -> Option<f64>);

pub(super) const BOUNDS: [Bound; 3] = [
    ("lowbatt_charge", &BATTERY_CHARGE, &BATTERY_CHARGE_LOW, |options| options.low_charge_percent),
    ("lowbatt_runtime", &BATTERY_RUNTIME, &BATTERY_RUNTIME_LOW, |options| options.low_runtime_s),
    ("lowbatt_voltage", &BATTERY_VOLTAGE, &BATTERY_VOLTAGE_LOW, |options| options.low_volts),
];

/// A figure that is below its bound, or was.
#[derive(Clone, Debug)]
pub(super) struct Below {
    pub var: &'static Var,
    /// For the log.
    pub text: String,
    pub which: WhichBound,
}

/// Which bound it was, and how high.
#[derive(Clone, Copy, Debug)]
pub(super) enum WhichBound {
    /// This one.
    One(fn(&Options) -> Option<f64>, f64),
    /// Any of charge and runtime: the battery is at its end.
    Any,
}

impl WhichBound {
    /// Whether these options still ask for it, or for more than that.
    fn holds(self, options: &Options) -> bool {
        match self {
            WhichBound::One(bound, was) => bound(options).is_some_and(|now| now >= was),
            WhichBound::Any => options.low_charge_percent.or(options.low_runtime_s).is_some(),
        }
    }

    /// Whether a figure is so far above it that a battery which is low does not get there by itself: half of the way
    /// to full, or three times the runtime. Volts recover when the load goes, and say nothing.
    fn is_far_below(self, var: &Var, number: f64) -> bool {
        match self {
            WhichBound::One(_, was) if *var == BATTERY_CHARGE => number >= was + (100.0 - was) / 2.0,
            WhichBound::One(_, was) if *var == BATTERY_RUNTIME => number >= 3.0 * was,
            _ => false,
        }
    }
}

/// How long figures were below. The time above is taken off again, but weighs a third: so a value that
/// is below in two of four polls counts, one that is below in one of four does not. Once it was low it stays low
/// until mains is back, unless what said so is gone.
#[derive(Debug, Default)]
pub(super) struct Level {
    time: Duration,
    /// When the last figures came, and whether one was below; time counts once the first dip is over.
    last: Option<(Moment, bool, bool)>,
    /// Each figure that was below, as it was then, and since when it is far above.
    why: Vec<(Below, Option<Moment>)>,
    pub low: bool,
}

/// How figures are taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    pub poll: Duration,
    /// The first dip is over.
    pub settled: bool,
    /// What is below was so before this outage.
    pub at_once: bool,
}

impl Level {
    /// Takes the figures that are below their bounds; the reason when it is low from now on.
    pub(super) fn take(&mut self, below: Vec<Below>, pace: Pace, now: Moment) -> Option<&str> {
        let whole = pace.poll * LOW_POLLS;
        let is_below = !below.is_empty();
        let mut was_below = false;
        let last = self.last.replace((now, is_below, pace.settled));
        if let Some((since, was, _)) = last.filter(|(.., settled)| *settled) {
            let passed = now.saturating_sub(since).min(pace.poll);
            was_below = was;
            self.time = match was {
                true => (self.time + passed).min(whole),
                false => self.time.saturating_sub(passed / LOW_WEIGHS_LESS),
            };
        }
        if pace.at_once && is_below {
            self.time = whole;
        }
        for figure in below {
            self.why.retain(|(was, _)| was.var != figure.var);
            self.why.push((figure, None));
        }
        let counts = pace.settled || pace.at_once;
        let news = counts && (is_below || was_below) && self.time >= whole && !self.low;
        self.low |= news;
        self.why.last().filter(|_| news).map(|(below, _)| below.text.as_str())
    }

    /// Lets what it was low by go where the bound is gone, or where the UPS itself says for some polls that the figure
    /// (`said`) is far above; why it is not low any more, when nothing is left.
    pub(super) fn let_go(
        &mut self,
        options: &Options,
        said: impl Fn(&Var) -> Option<f64>,
        now: Moment,
    ) -> Option<String> {
        if !self.low || self.last.is_some_and(|(_, below, _)| below) {
            return None;
        }
        let mut gone = "the bound that said so is gone".into();
        self.why.retain_mut(|(below, above_since)| {
            let above = said(below.var).filter(|number| below.which.is_far_below(below.var, *number));
            let Some(number) = above else {
                *above_since = None;
                return below.which.holds(options);
            };
            let since = *above_since.get_or_insert(now);
            let is_above = now.saturating_sub(since) >= options.pollinterval * LOW_LETS_GO;
            if is_above {
                gone = format!("the UPS says by now that {} is {number}", below.var.name);
            }
            !is_above && below.which.holds(options)
        });
        let is_over = self.why.is_empty();
        is_over.then(|| std::mem::take(self)).map(|_| gone)
    }

    /// Whether the next figures may say that it is low.
    pub(super) fn is_open(&self) -> bool {
        !self.low && self.last.is_some_and(|(_, below, settled)| below && settled)
    }

    /// Whether all of the time below is taken off again.
    pub(super) fn is_above(&self) -> bool {
        self.time.is_zero()
    }

    /// Mains is back: what was below to the end goes on from there in an outage that follows soon. Whether it was.
    pub(super) fn pause(&mut self) -> bool {
        let below = self.last.is_some_and(|(_, below, _)| below);
        if !below {
            *self = Level::default();
        }
        (self.low, self.last) = (false, None);
        below
    }
}
