//! What is told of volts that no battery has, and of memories that are of another battery: nothing that is not so.
#![allow(missing_docs, dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "proof/cell.rs"]
mod cell;
#[path = "proof/sheets.rs"]
mod sheets;
#[path = "proof/ups.rs"]
mod ups;

use battery::{Bank, Chemistry, Confidence, Estimate, Estimator, MemoryError, Sample, Source, Unit};
use sheets::SHEETS;
use std::time::Duration;
use ups::{Dice, Pattern, Ups};

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
fn course(estimator: &mut Estimator, ups: &Ups, volts: impl Fn(f64, f64) -> f64) -> Vec<(f64, f64, Estimate)> {
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

#[test]
#[ignore]
fn look() {
    let which: usize = std::env::var("SHEET").ok().and_then(|s| s.parse().ok()).unwrap_or(1);
    let ups = ups(which);
    println!("{} lasts {}", SHEETS[which].name, ups.seconds_at(40.0));
    let end = ups.seconds_at(40.0);
    let cases: Vec<(&str, Box<dyn Fn(f64, f64) -> f64>)> = vec![
        ("as it is", Box::new(|_, v| v)),
        ("stuck 27.3", Box::new(|_, _| 27.3)),
        ("stuck 25.5", Box::new(|_, _| 25.5)),
        ("rising", Box::new(|t, _| 22.0 + 4.8 * (t / 300.0).min(1.0))),
        ("bump up", Box::new(move |t, v| if (end - 220.0..end - 190.0).contains(&t) { v + 1.5 } else { v })),
        ("bump down", Box::new(move |t, v| if (end - 220.0..end - 190.0).contains(&t) { v - 1.5 } else { v })),
        ("bump up early", Box::new(move |t, v| if (100.0..130.0).contains(&t) { v + 1.5 } else { v })),
        ("bump down early", Box::new(move |t, v| if (100.0..130.0).contains(&t) { v - 1.5 } else { v })),
        ("1.55", Box::new(|_, _| 18.6)),
    ];
    for (name, volts) in cases {
        for taught in [false, true] {
            println!("--- {name} taught {taught}");
            let told = course(&mut on_mains(&ups, taught), &ups, &volts);
            let mut last = None;
            for (n, (t, left, e)) in told.iter().enumerate() {
                let now = (e.runtime_s.map(|r| r.round()), e.charge_percent.map(|c| c.round()), e.confidence);
                let leap = last.as_ref().is_some_and(|(r, c, _): &(Option<f64>, Option<f64>, Confidence)| r.is_some() != now.0.is_some() || r.zip(now.0).is_some_and(|(a, b)| (a - b).abs() > 0.15 * a.max(20.0)) || c.zip(now.1).is_some_and(|(a, b)| (a - b).abs() > 4.0));
                if n % (told.len() / 12) == 0 || leap {
                    println!("{t:.0} left {left:.0}: {now:?} {}", if leap { "LEAP" } else { "" });
                }
                last = Some(now);
            }
        }
    }
}
