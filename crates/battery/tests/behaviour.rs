//! How the estimator behaves in the days of a UPS.
#![allow(missing_docs, dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bench;

use battery::{Bank, Confidence, Estimator, PowerSource, Rating, RelativeTo, Sample, UpsIdentity};
use bench::sheets::SHEETS;
use bench::ups::{Dice, Pattern, Ups};
use std::time::Duration;

const HOUR_S: f64 = 3600.0;
const DAY_S: f64 = 24.0 * HOUR_S;

fn feed(estimator: &mut Estimator, samples: &[Sample]) {
    samples.iter().for_each(|sample| estimator.take(*sample));
}

/// The UPS of the tests, with a battery that has lost this share.
fn ups(age: f64) -> Ups {
    Ups::aged(&SHEETS[1], age)
}

/// A day on mains, a whole outage at 40 percent with a sample every so often, and a day on mains.
fn taught_every(ups: &Ups, every_s: f64) -> Estimator {
    let mut dice = Dice(3);
    let mut estimator = Estimator::new(ups.bank);
    feed(&mut estimator, &ups.mains(0.0, 24.0, 40.0, &mut dice));
    outage_and_day(&mut estimator, ups, every_s, DAY_S, &mut dice);
    estimator
}

fn taught(ups: &Ups) -> Estimator {
    taught_every(ups, 2.0)
}

fn outage_and_day(estimator: &mut Estimator, ups: &Ups, every_s: f64, from_s: f64, dice: &mut Dice) {
    let outage = ups.outage(Pattern::Steady(40.0), every_s, from_s, dice);
    feed(estimator, &outage.samples);
    feed(estimator, &ups.mains(outage.end_s + 900.0, 24.0, 40.0, dice));
}

fn at(seconds: f64, volts: f64, load_percent: f64, source: PowerSource) -> Sample {
    Sample { at: Duration::from_secs_f64(seconds), volts, load_percent, source, temperature_c: None }
}

#[test]
fn nothing_is_said_when_nothing_is_known() {
    let mut estimator = Estimator::new(ups(0.0).bank);
    assert_eq!(estimator.estimate().confidence, Confidence::Nothing);
    estimator.take(at(0.0, 26.0, 30.0, PowerSource::Mains));
    let estimate = estimator.estimate();
    assert_eq!((estimate.charge_percent, estimate.runtime_s, estimate.health), (None, None, None));
    assert_eq!(estimator.memory(), None);
}

#[test]
fn full_is_said_only_when_it_can_be() {
    let ups = ups(0.0);
    let mut estimator = taught(&ups);
    assert_eq!(estimator.estimate().charge_percent, Some(100.0));
    let mut dice = Dice(5);
    let outage = ups.outage(Pattern::Steady(40.0), 2.0, 10.0 * DAY_S, &mut dice);
    feed(&mut estimator, &outage.samples);
    let mut last = 0.0;
    for sample in ups.mains(outage.end_s + 60.0, 24.0, 40.0, &mut dice) {
        estimator.take(sample);
        let charge = estimator.estimate().charge_percent.unwrap();
        assert!(charge >= last);
        let hours = (sample.at.as_secs_f64() - outage.end_s) / HOUR_S;
        assert!(charge < 100.0 || hours > 6.0, "full after {hours} hours");
        last = charge;
    }
    assert_eq!(last, 100.0);
}

#[test]
fn a_noisy_day_on_mains_leaves_the_runtime_alone() {
    let ups = ups(0.0);
    let mut estimator = taught(&ups);
    let memory = estimator.memory();
    let (mut least, mut most) = (f64::MAX, 0.0f64);
    for sample in ups.mains(20.0 * DAY_S, 24.0, 40.0, &mut Dice(9)) {
        estimator.take(sample);
        let runtime = estimator.estimate().runtime_s.unwrap();
        (least, most) = (least.min(runtime), most.max(runtime));
    }
    assert!(most < 1.15 * least, "{least} to {most}");
    assert_eq!(estimator.memory(), memory);
}

#[test]
fn a_load_that_trembles_leaves_the_runtime_alone() {
    let ups = ups(0.0);
    let mut estimator = taught(&ups);
    let mut dice = Dice(9);
    let (mut least, mut most) = (f64::MAX, 0.0f64);
    for n in 0..1800 {
        let load = 34.0 + 12.0 * dice.even();
        estimator.take(at(20.0 * DAY_S + 2.0 * f64::from(n), 27.3, load, PowerSource::Mains));
        let runtime = estimator.estimate().runtime_s.unwrap();
        (least, most) = (least.min(runtime), most.max(runtime));
    }
    assert!(most < 1.2 * least, "{least} to {most}");
}

#[test]
fn ten_seconds_of_outage_teach_nothing() {
    let ups = ups(0.0);
    let mut estimator = taught(&ups);
    let memory = estimator.memory();
    let runtime = estimator.estimate().runtime_s.unwrap();
    for n in 0..50 {
        let from = (20.0 + f64::from(n)) * DAY_S;
        let mut dice = Dice(n as u64);
        let outage = ups.outage(Pattern::Steady(40.0), 1.0, from, &mut dice);
        feed(&mut estimator, &outage.samples[..10]);
        feed(&mut estimator, &ups.mains(from + 10.0, 20.0, 40.0, &mut dice));
    }
    assert_eq!(estimator.memory(), memory);
    let later = estimator.estimate().runtime_s.unwrap();
    assert!((later / runtime - 1.0).abs() < 0.1, "{runtime} {later}");
}

#[test]
fn forty_percent_of_ageing_is_said_after_one_outage() {
    let mut estimator = taught(&ups(0.0));
    assert_eq!(estimator.estimate().health.unwrap().of, RelativeTo::BestSeen);
    assert!(estimator.estimate().health.unwrap().capacity_percent > 95.0);
    outage_and_day(&mut estimator, &ups(0.4), 2.0, 400.0 * DAY_S, &mut Dice(11));
    let health = estimator.estimate().health.unwrap().capacity_percent;
    assert!((50.0..=75.0).contains(&health), "{health}");
}

#[test]
fn another_battery_is_the_new_best() {
    let mut estimator = taught(&ups(0.0));
    outage_and_day(&mut estimator, &ups(0.4), 2.0, 400.0 * DAY_S, &mut Dice(11));
    outage_and_day(&mut estimator, &ups(0.1), 2.0, 500.0 * DAY_S, &mut Dice(12));
    let health = estimator.estimate().health.unwrap().capacity_percent;
    assert!(health > 95.0, "{health}");
}

#[test]
fn health_is_relative_to_the_rating_when_there_is_one() {
    let ups = ups(0.0);
    let mut dice = Dice(3);
    let rating = Some(Rating { ampere_hours: 14.0, watts: 800.0 });
    let mut estimator = Estimator::new(Bank { rating, ..ups.bank });
    feed(&mut estimator, &ups.mains(0.0, 24.0, 40.0, &mut dice));
    outage_and_day(&mut estimator, &ups, 2.0, DAY_S, &mut dice);
    let health = estimator.estimate().health.unwrap();
    assert_eq!(health.of, RelativeTo::Rating);
    assert!((60.0..=140.0).contains(&health.capacity_percent), "{health:?}");
}

#[test]
fn a_battery_that_is_unplugged_has_no_estimates() {
    let ups = ups(0.0);
    let mut estimator = taught(&ups);
    let memory = estimator.memory();
    for source in [PowerSource::Mains, PowerSource::Battery] {
        for n in 0..5 {
            let seconds = 20.0 * DAY_S + f64::from(n);
            estimator.take(at(seconds, 0.0, 40.0, source));
        }
        let estimate = estimator.estimate();
        assert_eq!((estimate.charge_percent, estimate.runtime_s), (None, None));
    }
    feed(&mut estimator, &ups.mains(21.0 * DAY_S, 1.0, 40.0, &mut Dice(1)));
    assert!(estimator.estimate().runtime_s.is_some());
    assert_eq!(estimator.memory(), memory);
}

#[test]
fn one_reading_that_leaps_ruins_nothing() {
    let ups = ups(0.0);
    let runtime = |leap: Option<f64>| {
        let mut dice = Dice(3);
        let mut estimator = Estimator::new(ups.bank);
        feed(&mut estimator, &ups.mains(0.0, 24.0, 40.0, &mut dice));
        let mut outage = ups.outage(Pattern::Steady(40.0), 2.0, DAY_S, &mut dice);
        for n in [100, 300, 500] {
            outage.samples[n].volts = leap.unwrap_or(outage.samples[n].volts);
        }
        feed(&mut estimator, &outage.samples);
        feed(&mut estimator, &ups.mains(outage.end_s + 900.0, 24.0, 40.0, &mut dice));
        estimator.estimate().runtime_s.unwrap()
    };
    let right = runtime(None);
    for leap in [0.0, 15.0, 21.0, 28.0, 99.9, f64::NAN] {
        let other = runtime(Some(leap));
        assert!((other / right - 1.0).abs() < 0.1, "{leap}: {right} {other}");
    }
}

#[test]
fn a_load_of_nothing_has_a_runtime_all_the_same() {
    let ups = ups(0.0);
    let mut estimator = taught(&ups);
    feed(&mut estimator, &ups.mains(20.0 * DAY_S, 1.0, 0.0, &mut Dice(1)));
    let runtime = estimator.estimate().runtime_s.unwrap();
    assert!((HOUR_S..=100.0 * HOUR_S).contains(&runtime), "{runtime}");
}

#[test]
fn a_clock_that_stands_still_teaches_nothing() {
    let ups = ups(0.0);
    let mut estimator = taught(&ups);
    let memory = estimator.memory();
    for n in 0..1000 {
        estimator.take(at(20.0 * DAY_S, 25.0 - 0.003 * f64::from(n), 40.0, PowerSource::Battery));
    }
    assert!(estimator.estimate().charge_percent.unwrap() > 90.0);
    estimator.take(at(10.0 * DAY_S, 27.0, 40.0, PowerSource::Mains));
    assert_eq!(estimator.memory(), memory);
}

#[test]
fn how_often_it_is_asked_makes_little_difference() {
    let ups = ups(0.0);
    let runtimes = [1.0, 2.0, 5.0, 15.0, 30.0, 60.0]
        .map(|every_s| taught_every(&ups, every_s).estimate().runtime_s.unwrap());
    let truth = ups.seconds_at(40.0);
    assert!(runtimes.iter().all(|runtime| (runtime / truth - 1.0).abs() < 0.15), "{truth}: {runtimes:?}");
}

#[test]
fn a_self_test_is_no_outage_and_takes_little() {
    let ups = ups(0.0);
    let mut estimator = taught(&ups);
    let health = estimator.estimate().health.unwrap().capacity_percent;
    let mut test = ups.outage(Pattern::Steady(40.0), 1.0, 20.0 * DAY_S, &mut Dice(2)).samples;
    test.truncate(20);
    test.iter_mut().for_each(|sample| sample.source = PowerSource::Test);
    feed(&mut estimator, &test);
    feed(&mut estimator, &ups.mains(20.0 * DAY_S + 21.0, 1.0, 40.0, &mut Dice(1)));
    assert!(estimator.estimate().charge_percent.unwrap() > 97.0);
    assert!((estimator.estimate().health.unwrap().capacity_percent - health).abs() < 3.0);
}

#[test]
fn what_was_learned_goes_over_a_restart() {
    let ups = ups(0.2);
    let mut before = taught(&ups);
    let unit = UpsIdentity::new([("device.model", "A 1")]);
    before.set_unit(&unit);
    let mut after = Estimator::remembering(ups.bank, &unit, &before.memory().unwrap()).unwrap();
    let mut dice = Dice(4);
    let mains = ups.mains(20.0 * DAY_S, 1.0, 40.0, &mut dice);
    let outage = ups.outage(Pattern::Steady(60.0), 2.0, 21.0 * DAY_S, &mut dice);
    for samples in [&mains, &outage.samples] {
        feed(&mut before, samples);
        feed(&mut after, samples);
        let (before, after) = (before.estimate(), after.estimate());
        assert!((before.runtime_s.unwrap() / after.runtime_s.unwrap() - 1.0).abs() < 0.05);
        assert_eq!(before.confidence, after.confidence);
    }
}

#[test]
fn the_memory_changes_seldom() {
    let ups = ups(0.0);
    let mut estimator = taught(&ups);
    let mut memory = estimator.memory();
    let mut changes = 0;
    for sample in ups.outage(Pattern::Steady(40.0), 1.0, 20.0 * DAY_S, &mut Dice(6)).samples {
        estimator.take(sample);
        let now = estimator.memory();
        changes += u32::from(now != memory);
        memory = now;
    }
    assert!((1..=25).contains(&changes), "{changes}");
}

#[test]
fn an_outage_in_which_it_was_started_tells_and_teaches_nothing() {
    let ups = ups(0.0);
    let mut estimator = Estimator::new(ups.bank);
    for sample in ups.outage(Pattern::Steady(40.0), 2.0, 0.0, &mut Dice(6)).samples {
        estimator.take(sample);
        let estimate = estimator.estimate();
        assert_eq!(
            (estimate.charge_percent, estimate.runtime_s),
            (None, None),
            "how full it was nobody knows"
        );
    }
    assert_eq!(estimator.memory(), None);
}

#[test]
fn the_first_outage_is_never_known_well() {
    let ups = ups(0.0);
    let mut dice = Dice(3);
    let mut estimator = Estimator::new(ups.bank);
    feed(&mut estimator, &ups.mains(0.0, 24.0, 40.0, &mut dice));
    let outage = ups.outage(Pattern::Steady(40.0), 2.0, DAY_S, &mut dice).samples;
    for sample in &outage[..outage.len() / 2] {
        estimator.take(*sample);
        assert!(estimator.estimate().confidence <= Confidence::Low);
    }
}

#[test]
fn a_battery_that_broke_down_is_seen_as_such() {
    let mut estimator = taught(&ups(0.0));
    outage_and_day(&mut estimator, &ups(0.75), 2.0, 400.0 * DAY_S, &mut Dice(11));
    let health = estimator.estimate().health.map(|health| health.capacity_percent);
    assert!(health.is_some_and(|health| (15.0..=40.0).contains(&health)), "{health:?}");
}

#[test]
fn silence_at_the_end_is_taken_for_the_end() {
    let ups = ups(0.0);
    let runtime = |gap_s: f64| {
        let mut dice = Dice(8);
        let mut estimator = Estimator::new(ups.bank);
        feed(&mut estimator, &ups.mains(0.0, 24.0, 40.0, &mut dice));
        let outage = ups.outage(Pattern::Steady(40.0), 2.0, DAY_S, &mut dice).samples;
        let outage = &outage[..outage.len() * 9 / 10];
        feed(&mut estimator, outage);
        let back = outage[outage.len() - 1].at.as_secs_f64() + gap_s;
        feed(&mut estimator, &ups.mains(back, 24.0, 40.0, &mut dice));
        estimator.estimate().runtime_s.unwrap()
    };
    let (in_time, silent) = (runtime(10.0), runtime(600.0));
    assert!(silent < 0.97 * in_time && silent > 0.75 * in_time, "{in_time} {silent}");
}

/// Of a UPS that says what it is rated for, more is known before any outage; a battery of another size is found all
/// the same.
#[test]
fn a_rating_in_volt_amperes_is_a_first_guess() {
    // 1000 VA on 24 V with blocks of 7 Ah, and with ten times as much beside it
    for (times, expects) in [(1.0, true), (1.0, false), (10.0, true)] {
        let mut ups = ups(0.0);
        let usual = 700.0 * 14.0 / 7.0 / 12.0 / 100.0 / 0.85;
        ups.watts_of_percent = usual / times;
        let mut dice = Dice(3);
        let mut estimator = Estimator::new(ups.bank);
        if expects {
            estimator.expect(1000.0);
        }
        feed(&mut estimator, &ups.mains(0.0, 24.0, 40.0, &mut dice));
        let mut exam = estimator.clone();
        let outage = ups.outage(Pattern::Steady(50.0), 2.0, DAY_S, &mut dice);
        let minute = &outage.samples[..30];
        feed(&mut exam, minute);
        let (told, left) = (exam.estimate().runtime_s.unwrap(), outage.end_s - DAY_S - 60.0);
        assert!(times > 1.0 || !expects || (told / left).ln().abs() < 0.5, "{told} told, {left} left");
        feed(&mut estimator, &outage.samples);
        feed(&mut estimator, &ups.mains(outage.end_s + 900.0, 24.0, 50.0, &mut dice));
        let (told, whole) = (estimator.estimate().runtime_s.unwrap(), outage.end_s - DAY_S);
        assert!((told / whole - 1.0).abs() < 0.2, "{times} {expects}: {told} told, {whole} true");
        assert!(estimator.estimate().health.is_some_and(|health| health.of == RelativeTo::BestSeen));
    }
}
