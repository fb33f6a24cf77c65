//! How good the estimates are, on simulated batteries that keep to published tables.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

#[path = "proof/cell.rs"]
mod cell;
#[path = "proof/nut.rs"]
mod nut;
#[path = "proof/sheets.rs"]
mod sheets;
#[path = "proof/ups.rs"]
mod ups;

use battery::{Estimator, Source};
use cell::{Draw, seconds_to};
use nut::Nut;
use sheets::{SHEETS, Sheet};
use ups::{Dice, PATTERNS, Pattern, Trace, Ups};

#[test]
fn every_simulated_battery_keeps_to_its_data_sheet() {
    for sheet in SHEETS.iter().filter(|sheet| !sheet.rows.is_empty()) {
        let mut errors = vec![];
        for (volts, row) in sheet.rows {
            for (minutes, given) in sheet.minutes.iter().zip(*row) {
                let given = given / sheet.divisor;
                let draw = if sheet.watts { Draw::Watts(given) } else { Draw::Amperes(given) };
                let seconds = seconds_to(sheet.cell, draw, *volts, minutes / 10.0);
                errors.push((seconds / (60.0 * minutes) - 1.0).abs());
            }
        }
        let (median, most) = (quantile(&mut errors, 0.5), quantile(&mut errors, 1.0));
        assert!(median < 0.045 && most < 0.13, "{}: median {median}, worst {most}", sheet.name);
    }
}

/// Whose errors are told.
const RIVALS: usize = 4;

/// Median and ninth decile of |estimate - true| / true from 30 s after the beginning until 60 s
/// before the end, for NUT calibrated on the new battery, NUT calibrated on this one, ours before
/// and after one learned discharge.
type Errors = [Vec<f64>; RIVALS];

fn errors(sheet: &Sheet, age: f64, pattern: Pattern, every_s: f64, seed: u64) -> Errors {
    let (new, ups) = (Ups::aged(sheet, 0.0), Ups::aged(sheet, age));
    let mut dice = Dice(seed);
    let volts = f64::from(ups.bank.cells) * if sheet.name.contains("LFP") { 3.2 } else { 2.0 };
    let calibrated =
        |ups: &Ups| Nut::calibrated((80.0, ups.seconds_at(80.0)), (20.0, ups.seconds_at(20.0)), volts);
    let (mut nut_new, mut nut_own) = (calibrated(&new), calibrated(&ups));

    let mut fresh = Estimator::new(ups.bank);
    for sample in ups.mains(0.0, 24.0, 40.0, &mut dice) {
        fresh.take(sample);
    }
    let mut taught = fresh.clone();
    let lesson = ups.outage(Pattern::Steady(40.0), 2.0, DAY_S, &mut dice);
    for sample in lesson.samples {
        taught.take(sample);
    }
    for sample in ups.mains(lesson.end_s + 900.0, 24.0, 40.0, &mut dice) {
        taught.take(sample);
    }
    let exam = ups.outage(pattern, every_s, 10.0 * DAY_S, &mut dice);
    [
        judge(&exam, |sample| Some(nut_new.take(sample))),
        judge(&exam, |sample| Some(nut_own.take(sample))),
        judge(&exam, ours(&mut fresh)),
        judge(&exam, ours(&mut taught)),
    ]
}

const DAY_S: f64 = 86_400.0;

fn ours(estimator: &mut Estimator) -> impl FnMut(&battery::Sample) -> Option<f64> {
    |sample| {
        assert_eq!(sample.source, Source::Battery);
        estimator.take(*sample);
        estimator.estimate().runtime_s
    }
}

fn judge(exam: &Trace, mut says: impl FnMut(&battery::Sample) -> Option<f64>) -> Vec<f64> {
    let begin = exam.samples[0].at.as_secs_f64();
    let mut errors = vec![];
    for (sample, left) in exam.samples.iter().zip(&exam.left_s) {
        let said = says(sample);
        let Some(left) = *left else { continue };
        if sample.at.as_secs_f64() - begin >= 30.0 && left >= 60.0 {
            errors.push(said.map_or(1.0, |said| (said - left).abs() / left));
        }
    }
    errors
}

fn quantile(values: &mut [f64], part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[(part * (values.len() - 1) as f64).round() as usize]
}

#[test]
fn explore() {
    let only: Option<usize> = std::env::var("ONLY").ok().and_then(|n| n.parse().ok());
    for (n, sheet) in SHEETS.iter().enumerate() {
        if (sheet.held_out && std::env::var("HELD").is_err()) || only.is_some_and(|only| only != n) {
            continue;
        }
        for age in [0.0, 0.2, 0.4] {
            for pattern in PATTERNS {
                let mut errors = errors(sheet, age, pattern, 2.0, 7);
                let cells: Vec<String> = errors
                    .iter_mut()
                    .map(|e| format!("{:4.0}/{:4.0}", 100.0 * quantile(e, 0.5), 100.0 * quantile(e, 0.9)))
                    .collect();
                println!("{:22} {age} {pattern:?} {}", sheet.name, cells.join("  "));
            }
        }
    }
}

#[test]
fn shapes() {
    for sheet in &SHEETS {
        for load in [20.0, 50.0, 80.0] {
            let ups = Ups::aged(sheet, 0.0);
            let end = ups.seconds_at(load);
            let t = ups.outage(Pattern::Steady(load), end / 20.0, 0.0, &mut Dice(1));
            let v: Vec<String> = t
                .samples
                .iter()
                .step_by(2)
                .map(|s| format!("{:.3}", s.volts / f64::from(ups.bank.cells)))
                .collect();
            println!("{:22} {load} {end:6.0}s {}", sheet.name, v.join(" "));
        }
    }
}
#[test]
fn watch() {
    let sheet = &SHEETS[std::env::var("ONLY").map_or(0, |n| n.parse().unwrap())];
    let age = std::env::var("AGE").map_or(0.0, |n| n.parse().unwrap());
    let load = std::env::var("LOAD").map_or(50.0, |n| n.parse().unwrap());
    let ups = Ups::aged(sheet, age);
    let mut dice = Dice(7);
    let mut e = Estimator::new(ups.bank);
    for s in ups.mains(0.0, 24.0, 40.0, &mut dice) {
        e.take(s);
    }
    if std::env::var("TAUGHT").is_ok() {
        let t = ups.outage(Pattern::Steady(40.0), 2.0, DAY_S, &mut dice);
        for s in &t.samples {
            e.take(*s);
        }
        println!("says {}", e.debug());
        for s in ups.mains(t.end_s + 900.0, 24.0, 40.0, &mut dice) {
            e.take(s);
        }
        println!("says {}", e.memory().unwrap_or_default().replace('\n', ";"));
    }
    let t = ups.outage(Pattern::Steady(load), 2.0, 10.0 * DAY_S, &mut dice);
    for (n, s) in t.samples.iter().enumerate() {
        e.take(*s);
        if n % (t.samples.len() / 9) == 0 {
            println!(
                "{:5.0} true {:5.0} says {:5.0?} {:?} v {:.3} {}",
                s.at.as_secs_f64() - 10.0 * DAY_S,
                t.end_s - s.at.as_secs_f64(),
                e.estimate().runtime_s,
                e.estimate().confidence,
                s.volts / 12.0,
                e.debug()
            );
        }
    }
}
