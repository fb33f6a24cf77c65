//! What outages of all depths teach over the life of a battery: batteries drawn at random, of physics that are not the
//! estimator's.
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
const KINDS: [(Kind, bool); 6] = [
    (Kind::Wells, false),
    (Kind::Pores, false),
    (Kind::Blocks, false),
    (Kind::Wells, true),
    (Kind::Pores, true),
    (Kind::Blocks, true),
];

fn count() -> u64 {
    std::env::var("QXUPS_WORLDS").ok().and_then(|n| n.parse().ok()).unwrap_or(12)
}

fn from() -> u64 {
    std::env::var("QXUPS_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(3000)
}

/// One UPS from its first day on.
struct Life {
    ups: World,
    estimator: Estimator,
    day: f64,
    dice: Dice,
}

impl Life {
    fn drawn(seed: u64, kind: Kind, lfp: bool) -> Life {
        let mut dice = Dice(seed * 6271 + 29);
        let ups = World::drawn(kind, lfp, &mut dice);
        let mut estimator = Estimator::new(ups.bank());
        feed(&mut estimator, &ups.mains(0.0, 14.0, &mut dice));
        Life { ups, estimator, day: 1.0, dice }
    }

    /// An outage that ends after this share of the time that the battery would last, and a night on mains.
    fn outage(&mut self, share: f64) {
        let Trace { samples, .. } = self.ups.outage(2.0, self.day * DAY_S, &mut self.dice);
        let seen = ((samples.len() as f64 * share) as usize).clamp(1, samples.len());
        feed(&mut self.estimator, &samples[..seen]);
        let back = if share >= 1.0 { 900.0 } else { 2.0 };
        let end = samples[seen - 1].at.as_secs_f64() + back;
        let night = self.ups.mains(end, 12.0 + 6.0 * self.dice.even(), &mut self.dice);
        feed(&mut self.estimator, &night);
        self.day += 2.0;
    }

    /// The strength and its deviation, as they are kept.
    fn strength(&self) -> Option<(f64, f64)> {
        let memory = self.estimator.memory()?;
        let line = memory.lines().find_map(|line| line.strip_prefix("strength "))?;
        let (strength, deviation) = line.split_once(' ')?;
        Some((strength.parse().ok()?, deviation.parse().ok()?))
    }

    /// Errors of the runtime in one of its outages, as logarithms: the middle one of each of three.
    fn error(&self, seed: u64) -> f64 {
        let mut errors = vec![];
        for n in 0..3 {
            let trace = self.ups.outage(4.0, self.day * DAY_S, &mut Dice(seed * 31 + n));
            let mut estimator = self.estimator.clone();
            let mut each = vec![];
            for (sample, left) in trace.samples.iter().zip(&trace.left_s) {
                estimator.take(*sample);
                let passed = sample.at.as_secs_f64() - self.day * DAY_S;
                let Some(left) = left.filter(|left| *left >= 20.0 && passed >= 15.0) else { continue };
                each.push(estimator.estimate().runtime_s.map_or(1.0, |told| (told / left).ln().abs()));
            }
            errors.push(quantile(&mut each, 0.5));
        }
        errors.iter().sum::<f64>() / 3.0
    }
}

fn feed(estimator: &mut Estimator, samples: &[Sample]) {
    samples.iter().for_each(|sample| estimator.take(*sample));
}

fn quantile(values: &mut [f64], part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    if values.is_empty() { 0.0 } else { values[(part * (values.len() - 1) as f64).round() as usize] }
}

#[test]
#[ignore]
fn scan() {
    for (kind, lfp) in KINDS {
        let (mut e, mut half) = ([vec![], vec![], vec![], vec![]], vec![]);
        let mut worse = 0;
        let mut less = 0;
        let mut bad = vec![];
        for seed in from()..from() + count() {
            let mut life = Life::drawn(seed, kind, lfp);
            let none = life.error(seed);
            let half_of = {
                let mut half = Life::drawn(seed, kind, lfp);
                half.outage(0.5);
                half.error(seed)
            };
            life.outage(1.0);
            let whole = life.error(seed);
            let Some(before) = life.strength() else { println!("{kind:?} {lfp} {seed}: nothing after a whole outage"); continue };
            let mut last = before;
            for _ in 0..4 {
                let depth = 0.01 + 0.39 * life.dice.even();
                life.outage(depth);
                let now = life.strength().unwrap();
                less += u32::from(now.1 > last.1 + 0.002);
                last = now;
            }
            let shallow = life.error(seed);
            let after = last;
            if shallow > whole + 0.1 {
                worse += 1;
                bad.push(format!("{seed}: {whole:.2} -> {shallow:.2}, {before:?} -> {after:?} {:?}", life.estimator.estimate().confidence));
            }
            e[0].push(none); e[1].push(half_of); e[2].push(whole); e[3].push(shallow);
            half.push(half_of - none);
        }
        let q = e.each_mut().map(|v| format!("{:.2}/{:.2}", quantile(v, 0.5), quantile(v, 0.9)));
        println!("{kind:?} lfp={lfp}: none {} half {} whole {} whole+4 shallow {}; worse by 0.1: {worse}, less known {less}; half-none median {:.2} 9/10 {:.2}", q[0], q[1], q[2], q[3], quantile(&mut half, 0.5), quantile(&mut half, 0.9));
        for b in bad { println!("   {b}"); }
    }
}
