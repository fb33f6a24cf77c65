//! What outages of all lengths teach and tell: the simulated battery is the judge.
#![allow(missing_docs, dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bench;

use battery::{Confidence, Estimate, Estimator, PowerSource, Sample};
use bench::sheets::SHEETS;
use bench::ups::{Dice, Pattern, Ups};
use std::time::Duration;

const DAY_S: f64 = 86_400.0;

fn feed(estimator: &mut Estimator, samples: &[Sample]) {
    samples.iter().for_each(|sample| estimator.take(*sample));
}

fn ups(n: usize) -> Ups {
    Ups::aged(&SHEETS[n], 0.0)
}

fn is_lfp(n: usize) -> bool {
    SHEETS[n].rows.is_empty()
}

/// A day on mains.
fn rested(ups: &Ups) -> Estimator {
    let mut estimator = Estimator::new(ups.bank);
    feed(&mut estimator, &ups.mains(0.0, 24.0, 40.0, &mut Dice(3)));
    estimator
}

/// The beginning of an outage from this day on, as a share of the whole, and a night on mains.
fn outage(estimator: &mut Estimator, ups: &Ups, day: f64, share: f64) {
    let mut dice = Dice(day as u64);
    let outage = ups.outage(Pattern::Steady(40.0), 2.0, day * DAY_S, &mut dice);
    let seen = ((outage.samples.len() as f64 * share) as usize).clamp(1, outage.samples.len());
    feed(estimator, &outage.samples[..seen]);
    let end = outage.samples[seen - 1].at.as_secs_f64();
    let back = if share >= 1.0 { 900.0 } else { 2.0 };
    feed(estimator, &ups.mains(end + back, 20.0, 40.0, &mut dice));
}

/// Taught by a whole outage.
fn taught(ups: &Ups) -> Estimator {
    let mut estimator = rested(ups);
    outage(&mut estimator, ups, 1.0, 1.0);
    estimator
}

/// The strength and its deviation, as they are kept.
fn strength(estimator: &Estimator) -> (f64, f64) {
    let memory = estimator.memory().unwrap();
    let line = memory.lines().find_map(|line| line.strip_prefix("strength ")).unwrap();
    let (strength, deviation) = line.split_once(' ').unwrap();
    (strength.parse().unwrap(), deviation.parse().unwrap())
}

/// Every estimate of a whole outage at this load, with the seconds passed and left.
fn course(estimator: &mut Estimator, ups: &Ups, pattern: Pattern, day: f64) -> Vec<(f64, f64, Estimate)> {
    let outage = ups.outage(pattern, 1.0, day * DAY_S, &mut Dice(5));
    let mut told = |sample: &Sample| {
        estimator.take(*sample);
        let at = sample.at.as_secs_f64();
        (at - day * DAY_S, outage.end_s - at, estimator.estimate())
    };
    outage.samples.iter().map(&mut told).collect()
}

/// Issue: known to 0.014 after a whole outage, to 0.27 after 12 percent of the next, and so it stayed.
#[test]
fn a_short_outage_takes_nothing_of_what_a_whole_one_taught() {
    for n in 0..SHEETS.len() {
        for share in [0.02, 0.12, 0.3, 0.5, 0.8] {
            let ups = ups(n);
            let mut estimator = taught(&ups);
            let before = estimator.estimate();
            let health = before.health.unwrap_or_else(|| panic!("{n}: {}", estimator.memory().unwrap()));
            for day in 10..14 {
                let (was, known) = strength(&estimator);
                outage(&mut estimator, &ups, f64::from(day), share);
                let (is, knows) = strength(&estimator);
                // a strength that moves is known no better than it moved
                let moved = (is / was).ln().abs();
                assert!(knows <= known.hypot(moved) + 0.001, "{n} {share}: {known} {knows}, moved {moved}");
                assert!(moved < 0.12, "{n} {share}: {was} {is}");
            }
            let after = estimator.estimate();
            assert!(after.confidence >= before.confidence.min(Confidence::Fair), "{n} {share}: {after:?}");
            let now = after.health.unwrap_or_else(|| panic!("{n} {share}: no health"));
            let change = (now.capacity_percent - health.capacity_percent).abs();
            assert!(change < 15.0, "{n} {share}: {health:?} {now:?}");
        }
    }
}

/// Issue: within one outage good, low at 89 percent, fair at 43, and 45 s lost in 20.
#[test]
fn confidence_and_runtime_do_not_leap_within_an_outage() {
    for n in 0..SHEETS.len() {
        let ups = ups(n);
        let mut estimator = taught(&ups);
        outage(&mut estimator, &ups, 10.0, 0.12);
        let course = course(&mut estimator, &ups, Pattern::Steady(40.0), 20.0);
        let steady =
            course.iter().filter(|(passed, left, _)| *passed >= 30.0 && *left >= 0.1 * (passed + left));
        let steady: Vec<_> = steady.collect();
        for pair in steady.windows(2) {
            let least = if is_lfp(n) { Confidence::Low } else { Confidence::Fair };
            assert!(pair[1].2.confidence >= least, "{n}: {pair:?}");
        }
        for pair in steady.windows(21).map(|part| (part[0], part[20])) {
            let (before, now) = (pair.0.2.runtime_s.unwrap(), pair.1.2.runtime_s.unwrap());
            assert!(now > before - 20.0 - before * if is_lfp(n) { 0.2 } else { 0.1 }, "{n}: {pair:?}");
            assert!(now < before - 20.0 + before * if is_lfp(n) { 0.2 } else { 0.12 }, "{n}: {pair:?}");
        }
    }
}

/// Issue: 1140 s, fair, with 658 left; after half an outage of LFP a runtime is told on mains.
#[test]
fn half_an_outage_is_no_whole_one() {
    for (n, sheet) in SHEETS.iter().enumerate() {
        for age in [0.0, 0.4] {
            let ups = Ups::aged(sheet, age);
            let mut estimator = rested(&ups);
            for (passed, left, estimate) in course(&mut estimator.clone(), &ups, Pattern::Steady(40.0), 1.0) {
                assert!(estimate.confidence <= Confidence::Low, "{n} {passed} {left}: {estimate:?}");
            }
            outage(&mut estimator, &ups, 1.0, 0.5);
            let estimate = estimator.estimate();
            let most = if is_lfp(n) { Confidence::Guess } else { Confidence::Low };
            assert!(estimate.confidence <= most, "{n}: {estimate:?}");
            assert_eq!(estimate.health, None, "{n}");
        }
    }
}

/// Issue: 75, 1230, 67, 1140 s.
#[test]
fn a_load_that_swings_has_one_runtime() {
    for n in [0, 1, 2, 3] {
        for each in [4.0, 10.0, 20.0, 45.0] {
            for known in [false, true] {
                let ups = ups(n);
                let mut estimator = if known { taught(&ups) } else { rested(&ups) };
                let course = course(&mut estimator, &ups, Pattern::Swing(10.0, 90.0, each), 20.0);
                let told =
                    course.iter().filter(|(passed, left, _)| *passed > 60.0 + 4.0 * each && *left > 90.0);
                let told: Vec<_> =
                    told.map(|(_, left, estimate)| (*left, estimate.runtime_s.unwrap())).collect();
                for pair in told.windows(2 * each as usize + 1).filter(|pair| pair[0].0 > 120.0 + 2.0 * each)
                {
                    let runtimes = pair.iter().map(|(_, told)| *told);
                    let (least, most) =
                        runtimes.fold((f64::MAX, 0.0f64), |(a, b), told| (a.min(told), b.max(told)));
                    assert!(most < 2.0 * least + 2.0 * each, "{n} {each} {known}: {least} to {most}");
                }
                // bounded by the true end
                for (left, told) in told {
                    assert!(
                        told < left * if known { 2.2 } else { 4.0 },
                        "{n} {each} {known}: {told}, {left} left"
                    );
                }
            }
        }
    }
}

fn at(seconds: f64, volts: f64, load_percent: f64, source: PowerSource) -> Sample {
    Sample { at: Duration::from_secs_f64(seconds), volts, load_percent, source, temperature_c: None }
}

/// Issue: 1320 s at first, 6600 s fifty seconds later.
#[test]
fn a_load_that_always_reads_0_does_not_make_the_runtime_climb() {
    for n in 0..4 {
        let ups = ups(n);
        for load in [15.0, 40.0, 80.0] {
            let zeros = |samples: Vec<Sample>| -> Vec<Sample> {
                samples.into_iter().map(|sample| Sample { load_percent: 0.0, ..sample }).collect()
            };
            let mut estimator = Estimator::new(ups.bank);
            feed(&mut estimator, &zeros(ups.mains(0.0, 24.0, load, &mut Dice(3))));
            let outage = ups.outage(Pattern::Steady(load), 1.0, DAY_S, &mut Dice(5));
            let mut told = vec![];
            for sample in zeros(outage.samples) {
                estimator.take(sample);
                let estimate = estimator.estimate();
                let passed = sample.at.as_secs_f64() - DAY_S;
                assert!(estimate.confidence <= Confidence::Guess, "{estimate:?}");
                told.extend(estimate.runtime_s.filter(|_| passed >= 30.0));
            }
            for part in told.windows(50) {
                assert!(part[49] < 2.0 * part[0] + 5.0, "{n} {load}: {} to {}", part[0], part[49]);
            }
            let most = told.iter().copied().fold(0.0, f64::max);
            assert!(most < 3.0 * told[0], "{n} {load}: {} at first, {most}", told[0]);
            assert_eq!(estimator.memory(), None, "what is not known teaches nothing");
        }
    }
}

/// Issue: a UPS that reads under 2.13 V a cell on mains never counts as charging.
#[test]
fn a_ups_that_reads_low_charges_all_the_same() {
    for float_v in [2.30, 2.20, 2.12, 2.05, 2.0] {
        let mut ups = ups(1);
        ups.meter.float_v = float_v;
        let mut estimator = rested(&ups);
        outage(&mut estimator, &ups, 1.0, 1.0);
        let charge = estimator.estimate().charge_percent;
        assert_eq!(charge, Some(100.0), "{float_v}");
    }
    // 1.9 V at rest is an empty battery, and no charger
    let mut ups = ups(1);
    let mut estimator = rested(&ups);
    outage(&mut estimator, &ups, 1.0, 1.0);
    let before = course(&mut estimator, &ups, Pattern::Steady(40.0), 20.0).last().unwrap().2.charge_percent;
    ups.meter.float_v = 1.9;
    feed(&mut estimator, &ups.mains(21.0 * DAY_S, 10.0, 40.0, &mut Dice(1)));
    let charge = estimator.estimate().charge_percent;
    assert!(charge.is_some_and(|charge| charge < before.unwrap() + 10.0), "{charge:?}");
}

/// Issue: a battery that was never seen on float counts as full, and one on float as 75 percent.
#[test]
fn what_was_never_seen_full_is_not_full() {
    let start = |volts: f64, minutes: u32| {
        let mut estimator = Estimator::new(ups(1).bank);
        for n in 0..minutes {
            estimator.take(at(60.0 * f64::from(n), volts, 40.0, PowerSource::Mains));
        }
        estimator.take(at(60.0 * f64::from(minutes), 24.6, 40.0, PowerSource::Battery));
        estimator.estimate().charge_percent.unwrap()
    };
    let (unseen, floats) = (start(12.0 * 2.08, 5), start(12.0 * 2.27, 5));
    assert!(unseen < 70.0 && floats > unseen && floats < 100.0, "{unseen} {floats}");
    assert!(start(12.0 * 2.27, 600) > 97.0);
}

/// Issue: a true end at 120 s, and 840 s told with 87 left, 440 with 57, 110 with 37.
#[test]
fn a_battery_that_carries_its_load_for_two_minutes_is_seen_to() {
    // the volts of LFP tell nothing
    for n in (0..SHEETS.len()).filter(|n| !is_lfp(*n)) {
        for load in [50.0, 100.0] {
            let mut ups = ups(n);
            while ups.seconds_at(load) > 125.0 {
                ups.watts_of_percent *= 1.02;
            }
            let mut estimator = Estimator::new(ups.bank);
            feed(&mut estimator, &ups.mains(0.0, 24.0, load, &mut Dice(3)));
            for (passed, left, estimate) in course(&mut estimator, &ups, Pattern::Steady(load), 1.0) {
                let (Some(told), true) = (estimate.runtime_s, passed >= 30.0 && left >= 20.0) else {
                    continue;
                };
                assert!(told < 5.0 * left, "{n} {load}: {told} told, {left} left");
                assert!(estimate.runtime_least_s.unwrap() <= told);
            }
        }
    }
}

/// The charge of one outage, from its first second to the end of the recharge: down, and then up.
#[test]
fn charge_does_not_leap() {
    for n in 0..SHEETS.len() {
        for (share, known) in
            [(0.1, false), (0.5, false), (1.0, false), (0.1, true), (0.5, true), (1.0, true)]
        {
            let ups = ups(n);
            let mut estimator = if known { taught(&ups) } else { rested(&ups) };
            let mut last = estimator.estimate().charge_percent.unwrap();
            let all = ups.outage(Pattern::Steady(40.0), 1.0, 20.0 * DAY_S, &mut Dice(5)).samples;
            let seen = &all[..(all.len() as f64 * share) as usize];
            for sample in seen {
                estimator.take(*sample);
                let charge = estimator.estimate().charge_percent.unwrap_or(last);
                assert!(
                    (charge - last).abs() < 4.0,
                    "{n} {share} {known}: {last} {charge} at {:?}",
                    sample.at
                );
                last = charge;
            }
            let from = seen.last().unwrap().at.as_secs_f64() + 2.0;
            for sample in ups.mains(from, 20.0, 40.0, &mut Dice(6)) {
                estimator.take(sample);
                let charge = estimator.estimate().charge_percent.unwrap();
                assert!(charge >= last - 4.0, "{n} {share} {known}: {last} {charge}");
                assert!(charge <= last + 4.0, "{n} {share} {known}: {last} {charge}");
                last = charge;
            }
            assert!(last >= 99.0, "{n} {share} {known}: {last}");
        }
    }
}
