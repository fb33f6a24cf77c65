//! UPSes drawn at random, on batteries of three physics that are not the estimator's: wells, pores, and the equations of
//! Shepherd with diffusion.

use super::cell::{Cell, Draw, Physics};
use super::porous::{Course, POROUS, Porous};
use super::sheets::SHEETS;
use super::shepherd::{self, Block};
use super::ups::{Dice, Meter, Pattern, Trace, Ups, watts_for};
use battery::{Bank, Chemistry, PowerSource, Sample};

/// A number between two, evenly in its logarithm.
fn between(dice: &mut Dice, low: f64, high: f64) -> f64 {
    (low.ln() + dice.even() * (high / low).ln()).exp()
}

/// A UPS drawn at random: make, size, age, cells that differ from the sheet, cut-off, inverter and meter.
fn drawn(lfp: bool, dice: &mut Dice) -> Ups {
    let sheets: Vec<_> = SHEETS.iter().filter(|sheet| sheet.rows.is_empty() == lfp).collect();
    let sheet = sheets[(dice.even() * sheets.len() as f64) as usize];
    let age = 0.5 * dice.even();
    let mut ups = Ups::aged(sheet, age);
    let jitter = |dice: &mut Dice, deviation: f64| (deviation * dice.normal()).exp();
    let Cell { reach, levels, ohms, ah, .. } = ups.cell;
    ups.cell.levels = levels * jitter(dice, 0.3);
    ups.cell.reach = (reach * jitter(dice, 0.1)).min(0.95);
    // the one LFP sheet is of a battery that is no good at high rates; those of UPSes are
    let better = if lfp { between(dice, 0.1, 0.6) } else { 1.0 };
    ups.cell.ohms = ohms * better * jitter(dice, 0.2);
    let minutes = if lfp { between(dice, 6.0, 40.0) } else { between(dice, 2.5, 15.0) };
    (ups.cut_off_v, ups.idle_percent) =
        (if lfp { 2.4 + 0.5 * dice.even() } else { 1.60 + 0.2 * dice.even() }, 2.0 + 6.0 * dice.even());
    let new = Cell { ah: ah / (1.0 - age), ohms: ups.cell.ohms / (1.0 + 1.5 * age), ..ups.cell };
    ups.watts_of_percent = watts_for(new, ups.cut_off_v, 60.0 * minutes) / (100.0 + ups.idle_percent);
    let step_v = [0.1, 0.1, 0.01 * f64::from(ups.bank.cells)][(3.0 * dice.even()) as usize];
    ups.meter = Meter {
        noise_v: 0.1 * dice.even(),
        step_v,
        dip_v: 0.06 * dice.even(),
        float_v: if lfp { 3.38 + 0.1 * dice.even() } else { 2.23 + 0.07 * dice.even() },
    };
    ups
}

/// A course of the load that this battery carries for a while.
fn pattern(seconds_at_80: f64, dice: &mut Dice) -> Pattern {
    if seconds_at_80 < 100.0 {
        return Pattern::Steady(15.0 + 30.0 * dice.even());
    }
    match (8.0 * dice.even()) as usize {
        0 => Pattern::Steps,
        1 => Pattern::Ramp,
        2 => Pattern::Random,
        _ => Pattern::Steady(25.0 + 65.0 * dice.even()),
    }
}

/// Where samples come from.
#[derive(Clone)]
pub enum World {
    Wells(Ups),
    Pores(Pores),
    Blocks(Blocks),
}

/// Which physics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Wells,
    Pores,
    Blocks,
}

/// A UPS with cells of [`POROUS`].
#[derive(Clone)]
pub struct Pores {
    cell: &'static Porous,
    /// What 100 percent of load is, as a rate; how much larger or smaller the cells are in time.
    rate: f64,
    time: f64,
    cut_off_v: f64,
    idle_percent: f64,
    meter: Meter,
    bank: Bank,
}

impl Pores {
    fn drawn(lfp: bool, dice: &mut Dice) -> Pores {
        let cells: Vec<_> = POROUS.iter().filter(|cell| cell.lfp == lfp).collect();
        let cell = cells[(dice.even() * cells.len() as f64) as usize];
        let step_v = [0.1, 0.1, 0.01 * if lfp { 8.0 } else { 12.0 }][(3.0 * dice.even()) as usize];
        Pores {
            cell,
            rate: if lfp { between(dice, 3.0, 7.0) } else { between(dice, 5.0, 10.0) },
            time: between(dice, 0.6, 1.2),
            cut_off_v: if lfp { 2.4 + 0.5 * dice.even() } else { 1.60 + 0.2 * dice.even() },
            idle_percent: 2.0 + 6.0 * dice.even(),
            meter: Meter {
                noise_v: 0.1 * dice.even(),
                step_v,
                dip_v: 0.06 * dice.even(),
                float_v: if lfp { 3.38 + 0.1 * dice.even() } else { 2.23 + 0.07 * dice.even() },
            },
            bank: Bank::new(if lfp { 8 } else { 12 }, if lfp { Chemistry::Lfp } else { Chemistry::LeadAcid }),
        }
    }

    /// One of its courses, at the load that is that rate.
    fn outage(&self, every_s: f64, from_s: f64, dice: &mut Dice) -> Trace {
        let fits = |(rate, _): &&Course| *rate <= self.rate;
        let courses: Vec<_> = self.cell.courses.iter().filter(fits).collect();
        let (rate, course) = courses[(dice.even() * courses.len() as f64) as usize];
        let load = 100.0 * rate / self.rate * (100.0 + self.idle_percent) / 100.0 - self.idle_percent;
        let volts = |at: f64| {
            let at = at / self.time;
            let n = course.iter().rposition(|(t, _)| *t <= at)?;
            let ((t0, v0), (t1, v1)) = (course[n], *course.get(n + 1)?);
            Some((v0 + (v1 - v0) * (at - t0) / (t1 - t0)) / 1000.0)
        };
        let mut end = 0.0;
        while volts(end).is_some_and(|volts| volts > self.cut_off_v || end < 5.0) {
            end += 0.5;
        }
        let (mut samples, mut left_s, mut at, mut told) = (vec![], vec![], 0.0, f64::NEG_INFINITY);
        while at < end {
            let dip = self.meter.dip_v * (-at / 20.0_f64).exp();
            let read =
                f64::from(self.bank.cells) * (volts(at).unwrap() - dip) + self.meter.noise_v * dice.normal();
            samples.push(self.says(from_s + at, read, load, PowerSource::Battery, dice));
            left_s.push((at >= told + 10.0).then_some(end - at));
            told = if left_s.last().is_some_and(Option::is_some) { at } else { told };
            at += every_s;
        }
        Trace { samples, left_s, end_s: from_s + end }
    }

    fn says(&self, at_s: f64, volts: f64, load: f64, source: PowerSource, dice: &mut Dice) -> Sample {
        Sample {
            at: std::time::Duration::from_secs_f64(at_s),
            volts: (volts / self.meter.step_v).round() * self.meter.step_v,
            load_percent: (load + 0.7 * dice.normal()).round().max(0.0),
            source,
            temperature_c: None,
        }
    }
}

/// A UPS with blocks of [`Block`].
#[derive(Clone)]
pub struct Blocks {
    ups: Ups,
    block: Block,
}

impl Blocks {
    /// Blocks of cells that differ from the paper's, some of them aged, in a UPS that carries its rated load for as long
    /// as UPSes do.
    fn drawn(lfp: bool, dice: &mut Dice) -> Blocks {
        let mut ups = drawn(lfp, dice);
        let of = if lfp { shepherd::LFP } else { shepherd::LEAD };
        let jitter = |dice: &mut Dice, deviation: f64| (deviation * dice.normal()).exp();
        let new = Block {
            volts: of.volts + 0.01 * of.cells * dice.normal(),
            zone_v: of.zone_v * jitter(dice, 0.3),
            zone_per_ah: of.zone_per_ah * jitter(dice, 0.3),
            polar: of.polar * jitter(dice, 0.3),
            ohms: of.ohms * jitter(dice, 0.3),
            diffuses: of.diffuses.map(|rate| rate * jitter(dice, 0.3)),
            ..of
        };
        let minutes = if lfp { between(dice, 6.0, 40.0) } else { between(dice, 2.5, 15.0) };
        ups.watts_of_percent = new.watts_for(ups.cut_off_v, 60.0 * minutes) / (100.0 + ups.idle_percent);
        let mut blocks = Blocks { ups, block: new };
        blocks.age(0.5 * dice.even());
        blocks
    }

    fn age(&mut self, lost: f64) {
        self.block.ah *= 1.0 - lost;
        self.block.ohms *= 1.0 + 1.5 * lost;
    }

    fn seconds_at(&self, load: f64) -> f64 {
        let watts = (load + self.ups.idle_percent) * self.ups.watts_of_percent;
        self.block.full().seconds_to(Draw::Watts(watts), self.ups.cut_off_v, 0.5)
    }
}

impl World {
    pub fn drawn(kind: Kind, lfp: bool, dice: &mut Dice) -> World {
        match kind {
            Kind::Wells => World::Wells(drawn(lfp, dice)),
            Kind::Pores => World::Pores(Pores::drawn(lfp, dice)),
            Kind::Blocks => World::Blocks(Blocks::drawn(lfp, dice)),
        }
    }

    /// It loses this share of its capacity. (Of pores there are only the published courses: they become shorter.)
    pub fn age(&mut self, lost: f64) {
        match self {
            World::Wells(ups) => {
                ups.cell.ah *= 1.0 - lost;
                ups.cell.ohms *= 1.0 + 1.5 * lost;
            }
            World::Pores(ups) => ups.time *= 1.0 - lost,
            World::Blocks(ups) => ups.age(lost),
        }
    }

    pub fn bank(&self) -> Bank {
        match self {
            World::Wells(ups) => ups.bank,
            World::Pores(ups) => ups.bank,
            World::Blocks(blocks) => blocks.ups.bank,
        }
    }

    pub fn outage(&self, every_s: f64, from_s: f64, dice: &mut Dice) -> Trace {
        match self {
            World::Wells(ups) => ups.outage(pattern(ups.seconds_at(80.0), dice), every_s, from_s, dice),
            World::Pores(ups) => ups.outage(every_s, from_s, dice),
            World::Blocks(blocks) => {
                let pattern = pattern(blocks.seconds_at(80.0), dice);
                blocks.ups.empty(blocks.block.full(), pattern, every_s, from_s, dice)
            }
        }
    }

    pub fn mains(&self, from_s: f64, hours: f64, dice: &mut Dice) -> Vec<Sample> {
        match self {
            World::Wells(ups) => ups.mains(from_s, hours, 40.0, dice),
            World::Blocks(blocks) => blocks.ups.mains(from_s, hours, 40.0, dice),
            World::Pores(ups) => {
                let float_v = f64::from(ups.bank.cells) * ups.meter.float_v;
                let minutes = (60.0 * hours) as u32;
                (0..minutes)
                    .map(|n| ups.says(from_s + 60.0 * f64::from(n), float_v, 40.0, PowerSource::Mains, dice))
                    .collect()
            }
        }
    }
}
