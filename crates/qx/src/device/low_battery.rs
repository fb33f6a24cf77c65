//! When the battery is low: by the word of the UPS, or by bounds that the administrator set.

use super::sheet::Sheet;
use super::{Device, Loudness, Moment};
use crate::option::Options;
use crate::status::{Status, StatusSet};
use crate::variable::*;
use std::time::Duration;

/// After the load was taken over the voltage dips and recovers: nothing is judged by it meanwhile.
const DIP: Duration = Duration::from_secs(10);
/// A value has to stay below its bound for so many polls.
const POLLS: u32 = 2;

/// What is remembered of an outage.
#[derive(Debug, Default)]
pub(super) struct LowBattery {
    /// When the battery took the load.
    outage: Option<Moment>,
    /// Since when a value is below its bound.
    below: Option<Moment>,
    /// It was told: so it stays until mains is back.
    low: bool,
}

/// A bound that the administrator set: the option, what is bounded, where the bound is shown.
type Bound = (&'static str, &'static Var, &'static Var, fn(&Options) -> Option<f64>);

const BOUNDS: [Bound; 3] = [
    ("lowbatt_charge", &BATTERY_CHARGE, &BATTERY_CHARGE_LOW, |options| options.low_charge_percent),
    ("lowbatt_runtime", &BATTERY_RUNTIME, &BATTERY_RUNTIME_LOW, |options| options.low_runtime_s),
    ("lowbatt_voltage", &BATTERY_VOLTAGE, &BATTERY_VOLTAGE_LOW, |options| options.low_volts),
];

impl Device {
    /// Whether a value is below a bound that was set, on battery, for long enough. A self test is no
    /// outage, and a word of the UPS needs no bound.
    pub(super) fn is_low_by_bounds(&mut self, sheet: &Sheet, status: StatusSet, now: Moment) -> bool {
        if status.has(Status::Online) || status.has(Status::Calibrating) {
            self.low_battery = LowBattery::default();
            return false;
        }
        let since = *self.low_battery.outage.get_or_insert(now);
        let Some(why) = self.below(sheet) else {
            self.low_battery.below = None;
            return self.low_battery.low;
        };
        if now.saturating_sub(since) < DIP {
            return self.low_battery.low;
        }
        let below = *self.low_battery.below.get_or_insert(now);
        if !self.low_battery.low && now.saturating_sub(below) >= self.options.pollinterval * POLLS {
            self.low_battery.low = true;
            self.note(Loudness::Warning, format!("the battery is low: {why}"));
        }
        self.low_battery.low
    }

    /// Which value is below its bound.
    fn below(&self, sheet: &Sheet) -> Option<String> {
        let configured = self.configured(sheet);
        BOUNDS.iter().find_map(|(option, var, _, bound)| {
            let bound = bound(&self.options)?;
            let text = configured.get(var.name).map(String::as_str).or_else(|| sheet.text(var))?;
            let value: f64 = text.trim().parse().ok()?;
            (value < bound).then(|| format!("{} is {text}, below {option} = {bound}", var.name))
        })
    }

    /// Shows the bounds where nothing else stands in their place.
    pub(super) fn show_bounds(&self, sheet: &mut Sheet) {
        for (_, _, shown, bound) in BOUNDS {
            if let Some(bound) = bound(&self.options).filter(|_| shown != &BATTERY_VOLTAGE_LOW) {
                sheet.fill(shown, || format!("{bound:.0}"));
            }
        }
    }
}
