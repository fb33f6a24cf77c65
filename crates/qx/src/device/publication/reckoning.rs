//! Whether the UPS has reckoned charge and runtime in this outage yet. Some say 0, or next to nothing, when the battery
//! takes the load, until they know better.

use crate::device::Moment;
use crate::device::timing::{RECKONS, VOLTS_SETTLE};
use crate::vocabulary::variable::{BATTERY_CHARGE, BATTERY_RUNTIME, Var};

/// Volts that are no less than this part of those on mains have not fallen: 1.8 V of a cell that was charged with 2.27.
const STANDS: f64 = 0.8;
/// From more percent, or seconds, than this no battery comes to nothing between two readings.
const LEAP_TO_NOTHING: [f64; 2] = [10.0, 120.0];
/// So many percent no battery loses between two readings. (A runtime on mains is that of another load.)
const LEAP: f64 = 40.0;

/// What a UPS says of itself at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Figures {
    pub volts: Option<f64>,
    pub charge: Option<f64>,
    pub runtime: Option<f64>,
}

/// What a figure of the UPS is worth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Reckoned {
    /// It is what the UPS knows.
    #[default]
    Yes,
    /// It is no evidence yet.
    Leaps,
    /// It says that the UPS does not know yet.
    Unknown,
}

/// The same of charge and runtime.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct BothReckoned {
    pub charge: Reckoned,
    pub runtime: Reckoned,
}

impl BothReckoned {
    pub(super) fn of(self, var: &Var) -> Reckoned {
        match var {
            var if *var == BATTERY_CHARGE => self.charge,
            var if *var == BATTERY_RUNTIME => self.runtime,
            _ => Reckoned::Yes,
        }
    }
}

/// What is remembered of it.
#[derive(Debug, Default)]
pub(super) struct Reckoning {
    /// The volts on mains, while no test ran.
    volts: Option<f64>,
    outage: Option<Moment>,
    figures: [Figure; 2],
}

/// One of the two.
#[derive(Clone, Copy, Debug, Default)]
struct Figure {
    /// What it was on mains.
    before: Option<f64>,
    /// What the UPS said first in this outage that was not so before.
    first: Option<f64>,
    /// It said something else since.
    moved: bool,
}

impl Figure {
    fn on_mains(&mut self, number: Option<f64>) {
        // what was not known in the outage is not known yet
        let is_known = !(number == Some(0.0) && self.first == number && !self.moved);
        if let Some(number) = number.filter(|_| is_known) {
            *self = Figure { before: Some(number), ..Figure::default() };
        }
    }

    /// Whether it is what it leapt to from what it was on mains.
    fn has_leapt(&mut self, number: f64) -> bool {
        match self.first {
            None if self.before == Some(number) => {}
            None => self.first = Some(number),
            Some(first) => self.moved |= first != number,
        }
        self.first.is_some() && !self.moved
    }
}

impl Reckoning {
    /// Takes what the UPS says on mains.
    pub(super) fn on_mains(&mut self, said: Figures, tests: bool) {
        self.outage = None;
        if !tests {
            self.volts = said.volts.filter(|volts| *volts > 0.0).or(self.volts);
        }
        self.figures[0].on_mains(said.charge);
        // that nothing is left means on mains that it does not know
        self.figures[1].on_mains(said.runtime.filter(|seconds| *seconds > 0.0));
    }

    /// The same on battery: what the figures are worth.
    pub(super) fn on_battery(&mut self, said: Figures, now: Moment) -> BothReckoned {
        let outage = now.saturating_sub(*self.outage.get_or_insert(now));
        let stands = self.volts.zip(said.volts).is_some_and(|(before, volts)| volts >= STANDS * before);
        let mut judge = |at: usize, number: Option<f64>| {
            let figure = &mut self.figures[at];
            let Some(number) = number else { return Reckoned::Yes };
            if !figure.has_leapt(number) || !stands {
                return Reckoned::Yes;
            }
            let by = |least: f64| figure.before.is_none_or(|before| before - number > least);
            match number {
                number if number <= 0.0 && outage < RECKONS && by(LEAP_TO_NOTHING[at]) => Reckoned::Unknown,
                _ if at == 0 && outage < VOLTS_SETTLE && figure.before.is_some() && by(LEAP) => {
                    Reckoned::Leaps
                }
                _ => Reckoned::Yes,
            }
        };
        BothReckoned { charge: judge(0, said.charge), runtime: judge(1, said.runtime) }
    }
}
