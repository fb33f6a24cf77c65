//! How well doubt is told: batteries drawn at random, of physics that are not the estimator's.
#![allow(
    missing_docs,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::disallowed_macros
)]

mod bench;

use battery::{Bank, Chemistry, Confidence, Estimator, PowerSource, Sample};
use bench::cell::Cell;
use bench::porous::{Course, POROUS, Porous};
use bench::sheets::SHEETS;
use bench::ups::{Dice, Meter, Pattern, Trace, Ups, watts_for};

const DAY_S: f64 = 86_400.0;

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
fn pattern(ups: &Ups, dice: &mut Dice) -> Pattern {
    if ups.seconds_at(80.0) < 100.0 {
        return Pattern::Steady(15.0 + 30.0 * dice.even());
    }
    match (8.0 * dice.even()) as usize {
        0 => Pattern::Steps,
        1 => Pattern::Ramp,
        2 => Pattern::Random,
        _ => Pattern::Steady(25.0 + 65.0 * dice.even()),
    }
}

/// What is known before the exam.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Before,
    AfterHalf,
    AfterWhole,
}

fn feed(estimator: &mut Estimator, samples: &[Sample]) {
    samples.iter().for_each(|sample| estimator.take(*sample));
}

/// A moment of an outage: what was told, and what was so.
#[derive(Clone, Copy, Debug)]
struct Moment {
    passed: f64,
    left: f64,
    told: Option<f64>,
    low: Option<f64>,
    confidence: Confidence,
}

/// Where samples come from.
#[derive(Clone)]
enum World {
    Wells(Ups),
    Pores(Pores),
}

/// A UPS with cells of [`POROUS`].
#[derive(Clone)]
struct Pores {
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

impl World {
    fn bank(&self) -> Bank {
        match self {
            World::Wells(ups) => ups.bank,
            World::Pores(ups) => ups.bank,
        }
    }

    fn outage(&self, every_s: f64, from_s: f64, dice: &mut Dice) -> Trace {
        match self {
            World::Wells(ups) => ups.outage(pattern(ups, dice), every_s, from_s, dice),
            World::Pores(ups) => ups.outage(every_s, from_s, dice),
        }
    }

    fn mains(&self, from_s: f64, hours: f64, dice: &mut Dice) -> Vec<Sample> {
        match self {
            World::Wells(ups) => ups.mains(from_s, hours, 40.0, dice),
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

fn taught(ups: &World, stage: Stage, dice: &mut Dice) -> Estimator {
    let mut estimator = Estimator::new(ups.bank());
    feed(&mut estimator, &ups.mains(0.0, 14.0, dice));
    if stage != Stage::Before {
        let lesson = ups.outage(2.0, DAY_S, dice);
        let whole = lesson.samples.len();
        let seen = if stage == Stage::AfterHalf { whole / 2 } else { whole };
        feed(&mut estimator, &lesson.samples[..seen]);
        let end = lesson.samples[seen - 1].at.as_secs_f64();
        let back = if seen == whole { 900.0 } else { 2.0 };
        feed(&mut estimator, &ups.mains(end + back, 20.0, dice));
    }
    estimator
}

fn exam(ups: &World, estimator: &mut Estimator, every_s: f64, dice: &mut Dice) -> Vec<Moment> {
    let Trace { samples, left_s, .. } = ups.outage(every_s, 10.0 * DAY_S, dice);
    let mut moments = vec![];
    for (sample, left) in samples.iter().zip(left_s) {
        estimator.take(*sample);
        let passed = sample.at.as_secs_f64() - 10.0 * DAY_S;
        let Some(left) = left.filter(|left| *left >= 20.0 && passed >= 15.0) else { continue };
        let estimate = estimator.estimate();
        moments.push(Moment {
            passed,
            left,
            told: estimate.runtime_s,
            low: estimate.runtime_least_s,
            confidence: estimate.confidence,
        });
    }
    moments
}

fn quantile(values: &mut [f64], part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    if values.is_empty() { f64::NAN } else { values[(part * (values.len() - 1) as f64).round() as usize] }
}

/// The moments of one drawn UPS after one stage of lessons, forty at most: each outage counts alike.
fn life(seed: u64, pores: bool, lfp: bool, stage: Stage) -> Vec<Moment> {
    let mut dice = Dice(seed * 7919 + 13);
    let ups = match pores {
        true => World::Pores(Pores::drawn(lfp, &mut dice)),
        false => World::Wells(drawn(lfp, &mut dice)),
    };
    let mut estimator = taught(&ups, stage, &mut dice);
    let every_s = [1.0, 2.0, 5.0][(3.0 * dice.even()) as usize];
    let exam = exam(&ups, &mut estimator, every_s, &mut dice);
    let step = (exam.len() / 40).max(1);
    exam.into_iter().step_by(step).collect()
}

/// In two threads.
fn lives(seeds: std::ops::Range<u64>, pores: bool, lfp: bool, stage: Stage) -> Vec<Vec<Moment>> {
    let middle = seeds.start + (seeds.end - seeds.start) / 2;
    let part =
        |seeds: std::ops::Range<u64>| seeds.map(|seed| life(seed, pores, lfp, stage)).collect::<Vec<_>>();
    std::thread::scope(|scope| {
        let other = scope.spawn(move || part(middle..seeds.end));
        let mut all = part(seeds.start..middle);
        all.extend(other.join().unwrap());
        all
    })
}

/// What is measured of many lives at one stage.
struct Row {
    name: String,
    stage: Stage,
    /// Of the errors of the runtime: the middle one, and the ninth decile.
    error: (f64, f64),
    /// Of the moments: how many had a runtime of at least `runtime_least_s`; how many were told a quarter too long.
    held: f64,
    too_long: f64,
    /// The same share of the first, second and last third of the outages.
    thirds: [f64; 3],
}

fn share(moments: &[Moment], which: impl Fn(&Moment) -> bool) -> f64 {
    moments.iter().filter(|moment| which(moment)).count() as f64 / moments.len().max(1) as f64
}

fn row(name: &str, stage: Stage, lives: Vec<Vec<Moment>>) -> Row {
    let told: Vec<Moment> = lives.into_iter().flatten().filter(|moment| moment.told.is_some()).collect();
    let mut errors: Vec<f64> = told.iter().map(|m| (m.told.unwrap() / m.left - 1.0).abs()).collect();
    let holds = |m: &Moment| m.low.is_some_and(|low| low <= m.left);
    let third = |n: usize| {
        let of = |m: &&Moment| ((3.0 * m.passed / (m.passed + m.left)) as usize).min(2) == n;
        share(&told.iter().filter(of).copied().collect::<Vec<_>>(), holds)
    };
    Row {
        name: name.into(),
        stage,
        error: (quantile(&mut errors, 0.5), quantile(&mut errors, 0.9)),
        held: share(&told, holds),
        too_long: share(&told, |m| m.told.unwrap() > 1.25 * m.left),
        thirds: [third(0), third(1), third(2)],
    }
}

const STAGES: [Stage; 3] = [Stage::Before, Stage::AfterHalf, Stage::AfterWhole];

impl std::fmt::Display for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Stage::Before => "before any outage",
            Stage::AfterHalf => "after half of one",
            Stage::AfterWhole => "after a whole one",
        })
    }
}

/// The wells and the pores, lead and LFP. `QXUPS_WORLDS` draws more.
#[test]
fn four_of_five_runtimes_hold() {
    let count: u64 = std::env::var("QXUPS_WORLDS").ok().and_then(|n| n.parse().ok()).unwrap_or(40);
    let worlds = [
        ("lead-acid, wells", false, false),
        ("lead-acid, pores", true, false),
        ("LFP, wells", false, true),
        ("LFP, pores", true, true),
    ];
    let mut rows = vec![];
    for (name, pores, lfp) in worlds {
        for stage in STAGES {
            // other seeds than those that the constants were chosen by, below 100
            rows.push(row(name, stage, lives(1000..1000 + count, pores, lfp, stage)));
        }
    }
    println!(
        "| batteries | known | error, % | held, % | by thirds of the outage, % | told a quarter too long, % |"
    );
    println!("|---|---|---|---|---|---|");
    for Row { name, stage, error, held, too_long, thirds } in &rows {
        let [first, second, last] = thirds.map(|share| (100.0 * share).round());
        println!(
            "| {name} | {stage} | {:.0} / {:.0} | {:.0} | {first} {second} {last} | {:.0} |",
            100.0 * error.0,
            100.0 * error.1,
            100.0 * held,
            100.0 * too_long
        );
    }
    for Row { name, stage, held, error, .. } in &rows {
        assert!(*held >= 0.8, "{name} {stage}: {held}");
        assert!(error.0 <= 0.55, "{name} {stage}: {error:?}");
    }
}

/// Issue: 1 s is told with 237 left.
#[test]
fn what_goes_on_is_not_told_to_end_now() {
    for (pores, lfp) in [(false, false), (true, false), (false, true), (true, true)] {
        for moment in lives(1000..1020, pores, lfp, Stage::Before).iter().flatten() {
            let told = moment.told.unwrap_or(moment.left);
            assert!(moment.left < 200.0 || told > 8.0, "{moment:?}");
        }
    }
}

/// The spread of a first outage knows nothing of what the model has wrong.
#[test]
fn a_first_outage_of_any_physics_is_never_known_well() {
    for (pores, lfp) in [(true, false), (true, true)] {
        for moment in lives(1000..1020, pores, lfp, Stage::Before).iter().flatten() {
            assert!(moment.confidence <= Confidence::Low, "{moment:?}");
        }
    }
}
