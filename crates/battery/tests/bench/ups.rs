//! A UPS on such a battery, and what it says: rounded, noisy, and with a dip at the beginning.

use super::cell::{Cell, Draw, Emptying, Physics, seconds_to};
use super::sheets::Sheet;
use battery::{Bank, Chemistry, PowerSource, Sample};
use std::time::Duration;

/// Random numbers from a seed (SplitMix64).
pub struct Dice(pub u64);

impl Dice {
    pub fn even(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
    /// About normal, of deviation 1.
    pub fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.even()).sum::<f64>() - 6.0
    }
}

/// How the load goes, in percent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pattern {
    Steady(f64),
    Steps,
    Ramp,
    Random,
    /// Between two loads, each for so many seconds.
    Swing(f64, f64, f64),
}

pub const PATTERNS: [Pattern; 6] = [
    Pattern::Steady(20.0),
    Pattern::Steady(50.0),
    Pattern::Steady(80.0),
    Pattern::Steps,
    Pattern::Ramp,
    Pattern::Random,
];

impl std::fmt::Display for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Pattern::Steady(load) => write!(f, "steady {load} %"),
            Pattern::Steps => f.write_str("steps 30, 70, 40 %"),
            Pattern::Ramp => f.write_str("ramp 20 to 80 %"),
            Pattern::Random => f.write_str("random 20 to 80 %"),
            Pattern::Swing(low, high, seconds) => write!(f, "{low} and {high} % in turn, {seconds} s each"),
        }
    }
}

impl Pattern {
    pub fn load(self, seconds: f64, dice: &mut Dice, before: f64) -> f64 {
        match self {
            Pattern::Steady(load) => load,
            Pattern::Steps => [30.0, 70.0, 40.0][(seconds / 180.0) as usize % 3],
            Pattern::Ramp => (20.0 + seconds / 20.0).min(80.0),
            Pattern::Random if before == 0.0 || dice.even() < 1.0 / 240.0 => 20.0 + 60.0 * dice.even(),
            Pattern::Random => before,
            Pattern::Swing(low, high, each) => [low, high][(seconds / each) as usize % 2],
        }
    }
}

/// A UPS with 12 cells of lead or 8 of LFP in series.
#[derive(Clone)]
pub struct Ups {
    pub cell: Cell,
    pub bank: Bank,
    pub cut_off_v: f64,
    pub idle_percent: f64,
    /// Watts that each cell gives for one percent of load.
    pub watts_of_percent: f64,
    pub meter: Meter,
}

/// How a UPS reads its battery.
#[derive(Clone, Copy, Debug)]
pub struct Meter {
    /// Deviation of the noise, and the step of the last digit: volts of the bank.
    pub noise_v: f64,
    pub step_v: f64,
    /// How deep a cell dips at first, in volts.
    pub dip_v: f64,
    /// Volts of a cell on mains.
    pub float_v: f64,
}

/// What a UPS said while its battery was emptied.
pub struct Trace {
    pub samples: Vec<Sample>,
    /// Seconds for which the battery would have carried the load of each sample on; told every 10 s.
    pub left_s: Vec<Option<f64>>,
    pub end_s: f64,
}

impl Ups {
    /// With a battery that has lost this share of its capacity.
    pub fn aged(sheet: &Sheet, age: f64) -> Ups {
        let lfp = sheet.name.contains("LFP");
        let bank = if lfp { Bank::new(8, Chemistry::Lfp) } else { Bank::new(12, Chemistry::LeadAcid) };
        let full = sheet.cell;
        let watts = watts_for(full, sheet.cut_off_v, 60.0 * sheet.minutes_at_full_load);
        let cell = Cell { ah: full.ah * (1.0 - age), ohms: full.ohms * (1.0 + 1.5 * age), ..full };
        let watts_of_percent = watts / (100.0 + sheet.idle_percent);
        let meter =
            Meter { noise_v: 0.05, step_v: 0.1, dip_v: 0.04, float_v: if lfp { 3.45 } else { 2.275 } };
        Ups {
            cell,
            bank,
            cut_off_v: sheet.cut_off_v,
            idle_percent: sheet.idle_percent,
            watts_of_percent,
            meter,
        }
    }

    /// Rated volts of the bank.
    pub fn nominal_v(&self) -> f64 {
        f64::from(self.bank.cells) * if self.bank.chemistry == Chemistry::Lfp { 3.2 } else { 2.0 }
    }

    /// Seconds for which the full battery carries this load.
    pub fn seconds_at(&self, load: f64) -> f64 {
        let watts = (load + self.idle_percent) * self.watts_of_percent;
        seconds_to(self.cell, Draw::Watts(watts), self.cut_off_v, 0.5)
    }

    /// Empties the full battery from `from_s` on.
    pub fn outage(&self, pattern: Pattern, every_s: f64, from_s: f64, dice: &mut Dice) -> Trace {
        self.empty(Emptying::full(self.cell), pattern, every_s, from_s, dice)
    }

    /// The same with a battery of another physics.
    pub fn empty(
        &self,
        mut emptying: impl Physics,
        pattern: Pattern,
        every_s: f64,
        from_s: f64,
        dice: &mut Dice,
    ) -> Trace {
        let (mut passed, mut due, mut load) = (0.0, 0.0, 0.0);
        let (mut samples, mut left_s, mut told) = (vec![], vec![], f64::NEG_INFINITY);
        loop {
            load = pattern.load(passed, dice, load);
            let draw = Draw::Watts((load + self.idle_percent) * self.watts_of_percent);
            let Some((volts, amperes)) = emptying.under(draw).filter(|(volts, _)| *volts > self.cut_off_v)
            else {
                return Trace { samples, left_s, end_s: from_s + passed };
            };
            if passed >= due {
                let dip = self.meter.dip_v * (-passed / 20.0_f64).exp();
                samples.push(self.says(from_s + passed, volts - dip, load, PowerSource::Battery, dice));
                left_s.push(
                    (passed >= told + 10.0).then(|| emptying.clone().seconds_to(draw, self.cut_off_v, 2.0)),
                );
                told = if left_s.last().is_some_and(Option::is_some) { passed } else { told };
                due += every_s;
            }
            emptying.pass(0.5, amperes);
            passed += 0.5;
        }
    }

    /// What it says in between, for so long.
    pub fn mains(&self, from_s: f64, hours: f64, load: f64, dice: &mut Dice) -> Vec<Sample> {
        let float = self.meter.float_v;
        let minutes = (60.0 * hours) as u32;
        (0..minutes)
            .map(|n| self.says(from_s + 60.0 * f64::from(n), float, load, PowerSource::Mains, dice))
            .collect()
    }

    fn says(&self, at_s: f64, volts: f64, load: f64, source: PowerSource, dice: &mut Dice) -> Sample {
        let volts = f64::from(self.bank.cells) * volts + self.meter.noise_v * dice.normal();
        Sample {
            at: Duration::from_secs_f64(at_s),
            volts: (volts / self.meter.step_v).round() * self.meter.step_v,
            load_percent: (load + 0.7 * dice.normal()).round().max(0.0),
            source,
            temperature_c: None,
        }
    }
}

/// Watts that empty a full cell in this time.
pub fn watts_for(cell: Cell, cut_off_v: f64, seconds: f64) -> f64 {
    let (mut low, mut high): (f64, f64) = (0.1, 20_000.0);
    for _ in 0..50 {
        let middle = (low * high).sqrt();
        if seconds_to(cell, Draw::Watts(middle), cut_off_v, 0.5) > seconds {
            low = middle
        } else {
            high = middle
        }
    }
    low
}
