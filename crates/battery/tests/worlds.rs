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

use battery::{Confidence, Estimator, Sample};
use bench::ups::{Dice, Trace};
use bench::world::{Kind, World};

const DAY_S: f64 = 86_400.0;

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
fn life(seed: u64, kind: Kind, lfp: bool, stage: Stage) -> Vec<Moment> {
    let mut dice = Dice(seed * 7919 + 13);
    let ups = World::drawn(kind, lfp, &mut dice);
    let mut estimator = taught(&ups, stage, &mut dice);
    let every_s = [1.0, 2.0, 5.0][(3.0 * dice.even()) as usize];
    let exam = exam(&ups, &mut estimator, every_s, &mut dice);
    let step = (exam.len() / 40).max(1);
    exam.into_iter().step_by(step).collect()
}

/// In two threads.
fn lives(seeds: std::ops::Range<u64>, kind: Kind, lfp: bool, stage: Stage) -> Vec<Vec<Moment>> {
    let middle = seeds.start + (seeds.end - seeds.start) / 2;
    let part =
        |seeds: std::ops::Range<u64>| seeds.map(|seed| life(seed, kind, lfp, stage)).collect::<Vec<_>>();
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
    let from: u64 = std::env::var("QXUPS_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(1000);
    let worlds = [
        ("lead-acid, wells", Kind::Wells, false),
        ("lead-acid, pores", Kind::Pores, false),
        ("lead-acid, blocks", Kind::Blocks, false),
        ("LFP, wells", Kind::Wells, true),
        ("LFP, pores", Kind::Pores, true),
        ("LFP, blocks", Kind::Blocks, true),
    ];
    let mut rows = vec![];
    for (name, kind, lfp) in worlds {
        for stage in STAGES {
            // other seeds than those that the constants were chosen by, below 100
            rows.push(row(name, stage, lives(from..from + count, kind, lfp, stage)));
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
    for (kind, lfp) in [(Kind::Wells, false), (Kind::Pores, false), (Kind::Wells, true), (Kind::Pores, true)]
    {
        for moment in lives(1000..1020, kind, lfp, Stage::Before).iter().flatten() {
            let told = moment.told.unwrap_or(moment.left);
            assert!(moment.left < 200.0 || told > 8.0, "{moment:?}");
        }
    }
}

/// The spread of a first outage knows nothing of what the model has wrong.
#[test]
fn a_first_outage_of_any_physics_is_never_known_well() {
    for (kind, lfp) in [(Kind::Pores, false), (Kind::Pores, true)] {
        for moment in lives(1000..1020, kind, lfp, Stage::Before).iter().flatten() {
            assert!(moment.confidence <= Confidence::Low, "{moment:?}");
        }
    }
}
