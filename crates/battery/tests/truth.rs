//! What is told of volts that no battery has, and of memories that are of another battery: nothing that is not so.
#![allow(missing_docs, dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bench;

use battery::{Confidence, Estimate, Estimator, MemoryError, Sample, UpsIdentity};
use bench::sheets::SHEETS;
use bench::ups::{Dice, Pattern, Ups};

const DAY_S: f64 = 86_400.0;

/// A battery that carries this load for about this long.
fn ups(sheet: usize) -> Ups {
    Ups::aged(&SHEETS[sheet], 0.0)
}

fn feed(estimator: &mut Estimator, samples: &[Sample]) {
    samples.iter().for_each(|sample| estimator.take(*sample));
}

/// One that was on mains for a day, and was taught or not.
fn on_mains(ups: &Ups, taught: bool) -> Estimator {
    let mut dice = Dice(3);
    let mut estimator = Estimator::new(ups.bank);
    feed(&mut estimator, &ups.mains(0.0, 24.0, 40.0, &mut dice));
    if taught {
        let outage = ups.outage(Pattern::Steady(40.0), 1.0, DAY_S, &mut dice);
        feed(&mut estimator, &outage.samples);
        feed(&mut estimator, &ups.mains(outage.end_s + 60.0, 24.0, 40.0, &mut dice));
    }
    estimator
}

/// An outage at 40 percent from day 10 on, whose volts this makes into others.
fn course(
    estimator: &mut Estimator,
    ups: &Ups,
    volts: impl Fn(f64, f64) -> f64,
) -> Vec<(f64, f64, Estimate)> {
    let outage = ups.outage(Pattern::Steady(40.0), 1.0, 10.0 * DAY_S, &mut Dice(5));
    let mut told = vec![];
    for mut sample in outage.samples {
        let passed = sample.at.as_secs_f64() - 10.0 * DAY_S;
        sample.volts = volts(passed, sample.volts);
        estimator.take(sample);
        told.push((passed, outage.end_s - sample.at.as_secs_f64(), estimator.estimate()));
    }
    told
}

/// Every battery of the proof, taught or not.
fn all() -> impl Iterator<Item = (Ups, bool)> {
    (0..SHEETS.len())
        .filter(|n| !SHEETS[*n].name.contains("LFP"))
        .flat_map(|n| [(ups(n), false), (ups(n), true)])
}

fn is_nothing(estimate: &Estimate) -> bool {
    estimate.runtime_s.is_none() && estimate.charge_percent.is_none()
}

/// 27.3 V of 12 cells on battery, at every load and battery: a stuck reading, or no reading at all.
#[test]
fn volts_that_do_not_fall_say_nothing() {
    for (ups, taught) in all() {
        for stuck in [26.9, 27.3, 28.5] {
            let told = course(&mut on_mains(&ups, taught), &ups, |_, _| stuck);
            for (passed, _, estimate) in told {
                let runtime = estimate.runtime_s.unwrap_or(f64::MAX);
                assert!(runtime > 300.0, "{stuck} after {passed}: {estimate:?}");
                assert!(passed < 60.0 || is_nothing(&estimate), "{stuck} after {passed}: {estimate:?}");
            }
        }
    }
}

#[test]
fn volts_that_rise_say_nothing() {
    for (ups, taught) in all() {
        for minutes in [2.0, 5.0, 10.0] {
            let rising = |passed: f64, _| 22.0 + 4.8 * (passed / (60.0 * minutes)).min(1.0);
            for (passed, _, estimate) in course(&mut on_mains(&ups, taught), &ups, rising) {
                // a volt of twelve cells more than at first
                let risen = rising(passed - 12.0, 0.0) > rising(30.0, 0.0) + 0.8;
                assert!(!risen || is_nothing(&estimate), "{minutes} min, after {passed}: {estimate:?}");
            }
        }
    }
}

/// A volt and a half more or less, for half a minute: nothing is told that is far from what was told before.
#[test]
fn a_bump_is_no_other_battery() {
    for (ups, taught) in all() {
        let end = ups.seconds_at(40.0);
        for (from, bump) in [(100.0, 1.5), (100.0, -1.5), (end - 220.0, 1.5), (0.5 * end, 1.5)] {
            let volts = |passed: f64, v| if (from..from + 30.0).contains(&passed) { v + bump } else { v };
            let mut before = f64::MAX;
            for (passed, left, estimate) in course(&mut on_mains(&ups, taught), &ups, volts) {
                if passed < from {
                    before = estimate.runtime_s.unwrap();
                } else if passed < from + 60.0 {
                    let runtime = estimate.runtime_s.unwrap_or(before - (passed - from));
                    let least = (0.7 * before - 1.3 * (passed - from)).max(1.0);
                    assert!(
                        (least..=1.5 * before).contains(&runtime),
                        "{bump} at {from}: {before} before, after {passed} {runtime}, {left} left"
                    );
                }
            }
        }
    }
}

/// On mains a day long, then at 1.55 V a cell at once: whatever that is, it is no full battery.
#[test]
fn volts_of_an_empty_battery_are_not_those_of_a_full_one() {
    for (ups, taught) in all() {
        for (passed, _, estimate) in course(&mut on_mains(&ups, taught), &ups, |_, _| 18.6) {
            let charge = estimate.charge_percent.unwrap_or(0.0);
            assert!(passed < 60.0 || charge < 60.0, "after {passed}: {estimate:?}");
        }
    }
}

/// What a UPS says of itself.
fn unit(model: &str) -> UpsIdentity {
    UpsIdentity::new([("device.model", model)])
}

/// A battery of another unit, that carries a load for a tenth of the time.
fn small() -> Ups {
    let mut ups = ups(2);
    while ups.seconds_at(40.0) > 300.0 {
        ups.watts_of_percent *= 1.05;
    }
    ups
}

#[test]
fn a_memory_is_of_one_ups() {
    let mut big = on_mains(&ups(2), true);
    big.set_unit(&unit("A 1"));
    let memory = big.memory().unwrap();
    let bank = ups(2).bank;
    let read = |unit: &UpsIdentity, text: &str| Estimator::remembering(bank, unit, text);
    assert_eq!(read(&unit("A 2"), &memory).err(), Some(MemoryError::OtherUnit));
    let confidence = |read: Result<Estimator, MemoryError>| {
        let mut estimator = read.unwrap();
        feed(&mut estimator, &ups(2).mains(0.0, 24.0, 40.0, &mut Dice(1)));
        let estimate = estimator.estimate();
        (estimate.confidence, estimate.health.is_some())
    };
    assert_eq!(confidence(read(&unit("A 1"), &memory)), (Confidence::Good, true));
    // it does not say its name this time
    assert_eq!(confidence(read(&UpsIdentity::default(), &memory)), (Confidence::Guess, false));
    // it never says one
    let unnamed = on_mains(&ups(2), true).memory().unwrap();
    assert_eq!(confidence(read(&UpsIdentity::default(), &unnamed)), (Confidence::Low, true));
    // a version that did not write it down
    let old = version_1(&unnamed);
    assert_eq!(confidence(read(&unit("A 1"), &old)), (Confidence::Guess, false));
    assert_eq!(confidence(read(&UpsIdentity::default(), &old)), (Confidence::Guess, false));
}

/// A memory as version 1 wrote it.
fn version_1(memory: &str) -> String {
    let body = memory.replace("battery 2", "battery 1");
    let lines =
        body.lines().filter(|line| !["unit ", "contradicted ", "sum "].iter().any(|s| line.starts_with(s)));
    let body: String = lines.map(|line| format!("{line}\n")).collect();
    let sum =
        body.bytes().fold(0x811c_9dc5_u32, |sum, byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("{body}sum {sum:08x}\n")
}

/// A UPS whose battery carries the load for some minutes, with what was kept of one that carries it for an hour.
#[test]
fn a_memory_of_another_battery_is_dropped_by_the_next_discharge() {
    let big = ups(2);
    for (kept, now) in [
        (UpsIdentity::default(), UpsIdentity::default()),
        (UpsIdentity::default(), unit("A 1")),
        (unit("A 1"), UpsIdentity::default()),
        (unit("A 1"), unit("A 1")),
    ] {
        let mut taught = on_mains(&big, true);
        taught.set_unit(&kept);
        let small = small();
        let mut estimator = Estimator::remembering(small.bank, &now, &taught.memory().unwrap()).unwrap();
        feed(&mut estimator, &small.mains(0.0, 24.0, 40.0, &mut Dice(2)));
        let outage = small.outage(Pattern::Steady(40.0), 1.0, 10.0 * DAY_S, &mut Dice(5));
        let whole = outage.end_s - 10.0 * DAY_S;
        assert!((200.0..400.0).contains(&whole), "{whole}");
        // one that was never taught is a guess as well, but no worse a one
        let mut untaught = on_mains(&small, false);
        for sample in &outage.samples {
            estimator.take(*sample);
            untaught.take(*sample);
            let left = outage.end_s - sample.at.as_secs_f64();
            let (told, other) = (estimator.estimate(), untaught.estimate());
            if left < 0.8 * whole {
                let less = |told: Option<f64>, most: Option<f64>| {
                    told.zip(most).is_none_or(|(a, b)| a <= 1.05 * b + 2.0)
                };
                assert!(less(told.runtime_s, other.runtime_s), "{left} left: {told:?}, {other:?}");
                assert!(less(told.charge_percent, other.charge_percent), "{left} left: {told:?}, {other:?}");
                assert!(told.confidence <= Confidence::Low || left < 0.3 * whole, "{left} left: {told:?}");
            }
        }
        feed(&mut estimator, &small.mains(outage.end_s + 60.0, 24.0, 40.0, &mut Dice(2)));
        // on mains a guess is not told
        let estimate = estimator.estimate();
        let told = estimate.runtime_s.filter(|_| estimate.confidence >= Confidence::Low);
        assert!(told.is_none_or(|told| told < 2.0 * whole), "{estimate:?}, not an hour");
        // one that broke down is the same; one of a UPS that nobody knows is another
        let health = estimate.health.map(|health| health.capacity_percent);
        let same = kept == now && kept != UpsIdentity::default();
        assert!(health.is_none_or(|health| if same { health < 50.0 } else { health > 90.0 }), "{estimate:?}");
        let memory = estimator.memory().unwrap();
        assert!(told.is_some() || memory.contains("contradicted yes"), "{memory}");
    }
}

/// It was contradicted, and the outage was too short to teach anything in its place: the next start does not
/// believe it either.
#[test]
fn what_was_contradicted_stays_doubted_over_a_restart() {
    let big = ups(2);
    let mut taught = on_mains(&big, true);
    taught.set_unit(&unit("A 1"));
    let mut estimator = Estimator::remembering(big.bank, &unit("A 1"), &taught.memory().unwrap()).unwrap();
    feed(&mut estimator, &big.mains(0.0, 24.0, 40.0, &mut Dice(2)));
    assert_eq!(estimator.estimate().confidence, Confidence::Good);
    // under the same load its volts are a volt lower: those of another
    let mut outage = big.outage(Pattern::Steady(40.0), 1.0, 10.0 * DAY_S, &mut Dice(5)).samples;
    outage.iter_mut().for_each(|sample| sample.volts -= 1.0);
    // the host fails as soon as that is clear
    let at = outage.iter().position(|sample| {
        estimator.take(*sample);
        estimator.memory().unwrap().contains("contradicted yes")
    });
    assert!(at.is_some_and(|at| at < 90), "{at:?}");
    let memory = estimator.memory().unwrap();
    let mut again = Estimator::remembering(big.bank, &unit("A 1"), &memory).unwrap();
    assert_eq!(again.memory().as_deref(), Some(memory.as_str()));
    feed(&mut again, &big.mains(12.0 * DAY_S, 1.0, 40.0, &mut Dice(2)));
    let estimate = again.estimate();
    assert!(estimate.confidence <= Confidence::Guess && estimate.health.is_none(), "{estimate:?}");
}

/// Outages of all kinds are none of that: nothing is withheld for long, and nothing doubted.
#[test]
fn batteries_as_they_are_surprise_nobody_for_long() {
    for (n, sheet) in SHEETS.iter().enumerate() {
        for age in [0.0, 0.4] {
            let ups = Ups::aged(sheet, age);
            for pattern in bench::ups::PATTERNS {
                let mut estimator = on_mains(&ups, true);
                let mut outage = ups.outage(pattern, 4.0, 10.0 * DAY_S, &mut Dice(5)).samples;
                outage.truncate(outage.len() * 49 / 50);
                let mut nothing = 0;
                for sample in &outage {
                    estimator.take(*sample);
                    nothing += u32::from(is_nothing(&estimator.estimate()));
                }
                assert!(
                    f64::from(nothing) <= 0.1 * outage.len() as f64,
                    "{n} {age} {pattern}: {nothing} of {}",
                    outage.len()
                );
                assert!(!estimator.memory().unwrap().contains("contradicted yes"), "{n} {age} {pattern}");
            }
        }
    }
}

/// What a discharge teaches while it goes on is no reason to trust it: a battery that was never seen before is known
/// to a third at most until it is over, whatever its volts.
#[test]
fn a_first_outage_is_never_known_well_to_its_end() {
    for n in 0..SHEETS.len() {
        let ups = ups(n);
        for volts in [None, Some(15.0), Some(18.6), Some(20.8), Some(22.0)] {
            let of = |_: f64, read: f64| volts.unwrap_or(read);
            for (passed, _, estimate) in course(&mut on_mains(&ups, false), &ups, of) {
                assert!(estimate.confidence <= Confidence::Low, "{n} {volts:?} after {passed}: {estimate:?}");
            }
        }
    }
}
