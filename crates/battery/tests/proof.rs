//! How good the estimates are, on simulated batteries that keep to published tables.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

mod bench;

use battery::{Estimator, Sample};
use bench::cell::{Draw, seconds_to};
use bench::nut::Nut;
use bench::sheets::{SHEETS, Sheet};
use bench::ups::{Dice, PATTERNS, Pattern, Trace, Ups};

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

/// Whose errors are told: NUT calibrated on the new battery, NUT calibrated on this one, the same before
/// 2.8.0, ours before any outage, after half of one, and after a whole one.
const RIVALS: usize = 6;

/// |estimate - true| / true of each rival, every 10 s from 30 s after the beginning until 60 s are left.
type Errors = [Vec<f64>; RIVALS];

const DAY_S: f64 = 86_400.0;

/// A UPS and what is known of it.
struct School {
    ups: Ups,
    nut: [(f64, f64); 2],
    nut_new: [(f64, f64); 2],
    fresh: Estimator,
    half: Estimator,
    whole: Estimator,
}

impl School {
    fn of(sheet: &Sheet, age: f64) -> School {
        let (new, ups) = (Ups::aged(sheet, 0.0), Ups::aged(sheet, age));
        let mut dice = Dice(7);
        let mut fresh = Estimator::new(ups.bank);
        feed(&mut fresh, &ups.mains(0.0, 24.0, 40.0, &mut dice));
        let (mut half, mut whole) = (fresh.clone(), fresh.clone());
        let lesson = ups.outage(Pattern::Steady(40.0), 2.0, DAY_S, &mut dice);
        feed(&mut half, &lesson.samples[..lesson.samples.len() / 2]);
        feed(&mut half, &ups.mains((DAY_S + lesson.end_s) / 2.0, 24.0, 40.0, &mut dice));
        feed(&mut whole, &lesson.samples);
        feed(&mut whole, &ups.mains(lesson.end_s + 900.0, 24.0, 40.0, &mut dice));
        let runtimes = |ups: &Ups| [80.0, 20.0].map(|load| (load, ups.seconds_at(load)));
        School { nut: runtimes(&ups), nut_new: runtimes(&new), ups, fresh, half, whole }
    }

    fn errors(&self, pattern: Pattern, every_s: f64) -> Errors {
        let exam = self.ups.outage(pattern, every_s, 10.0 * DAY_S, &mut Dice(11));
        let nut = |[high, low]: [(f64, f64); 2], nominal_v| {
            let mut nut = Nut::calibrated(high, low, nominal_v);
            judge(&exam, |sample, _| Some(nut.take(sample)))
        };
        let ours = |estimator: &Estimator| {
            let mut estimator = estimator.clone();
            judge(&exam, |sample, asked| {
                estimator.take(*sample);
                asked.then(|| estimator.estimate().runtime_s).flatten()
            })
        };
        let volts = Some(self.ups.nominal_v());
        [
            nut(self.nut_new, volts),
            nut(self.nut, volts),
            nut(self.nut, None),
            ours(&self.fresh),
            ours(&self.half),
            ours(&self.whole),
        ]
    }
}

fn feed(estimator: &mut Estimator, samples: &[Sample]) {
    samples.iter().for_each(|sample| estimator.take(*sample));
}

/// An estimate that is missing counts as an error of 100 percent.
fn judge(exam: &Trace, mut says: impl FnMut(&Sample, bool) -> Option<f64>) -> Vec<f64> {
    let begin = exam.samples[0].at.as_secs_f64();
    let mut errors = vec![];
    for (sample, left) in exam.samples.iter().zip(&exam.left_s) {
        let left = left.filter(|left| *left >= 60.0 && sample.at.as_secs_f64() - begin >= 30.0);
        let said = says(sample, left.is_some());
        errors.extend(left.map(|left| said.map_or(1.0, |said| (said - left).abs() / left)));
    }
    errors
}

fn quantile(values: &mut [f64], part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[(part * (values.len() - 1) as f64).round() as usize]
}

/// One line of the table: median and ninth decile of each rival, in percent.
struct Row {
    sheet: &'static Sheet,
    age: f64,
    pattern: Pattern,
    errors: [(f64, f64); RIVALS],
}

fn rows_of(sheet: &'static Sheet) -> Vec<Row> {
    let mut rows = vec![];
    for (age, every_s) in [(0.0, 1.0), (0.2, 2.0), (0.4, 5.0)] {
        let school = School::of(sheet, age);
        for pattern in PATTERNS {
            let mut errors = school.errors(pattern, every_s);
            let percent =
                |values: &mut Vec<f64>| (100.0 * quantile(values, 0.5), 100.0 * quantile(values, 0.9));
            rows.push(Row { sheet, age, pattern, errors: errors.each_mut().map(percent) });
        }
    }
    rows
}

fn all_rows() -> Vec<Row> {
    std::thread::scope(|scope| {
        let workers: Vec<_> = SHEETS.iter().map(|sheet| scope.spawn(|| rows_of(sheet))).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    })
}

/// The medians of one rival.
fn medians<'a>(rows: impl Iterator<Item = &'a Row>, rival: usize) -> Vec<f64> {
    rows.map(|row| row.errors[rival].0).collect()
}

fn is_lead(row: &Row) -> bool {
    !row.sheet.rows.is_empty()
}

const BEFORE: usize = 3;
const AFTER: usize = 5;

#[test]
fn estimates_are_as_good_as_the_table_says() {
    let rows = all_rows();
    the_table_is_fresh(&printed(&rows));
    let tuned = || rows.iter().filter(|row| is_lead(row) && !row.sheet.held_out);
    let held_out = || rows.iter().filter(|row| row.sheet.held_out);
    assert!(quantile(&mut medians(tuned(), BEFORE), 0.5) <= 25.0);
    assert!(quantile(&mut medians(tuned(), AFTER), 0.5) <= 10.0);
    assert!(quantile(&mut medians(held_out(), AFTER), 0.5) <= 12.0);
    for row in rows.iter().filter(|row| is_lead(row)) {
        let [.., (after, _)] = row.errors;
        assert!(after <= 45.0, "{} {} {:?}: {after}", row.sheet.name, row.age, row.pattern);
    }
}

/// Whether a row belongs to a group.
type Kind = fn(&Row) -> bool;

fn printed(rows: &[Row]) -> String {
    let mut text = String::from(HEAD);
    let kinds: [(&str, Kind); 3] = [
        ("lead-acid", |row| is_lead(row) && !row.sheet.held_out),
        ("lead-acid, held out", |row| row.sheet.held_out),
        ("LFP", |row| !is_lead(row)),
    ];
    for (name, kind) in kinds {
        let of = || rows.iter().filter(|row| kind(row));
        text += &format!("| {name} |");
        for rival in 0..RIVALS {
            text += &format!(" {:.0} |", quantile(&mut medians(of(), rival), 0.5));
        }
        let met = |rival, aim| medians(of(), rival).iter().filter(|median| **median <= aim).count();
        let count = of().count();
        text += &format!(" {} of {count} | {} of {count} |\n", met(BEFORE, 25.0), met(AFTER, 10.0));
    }
    text += ROWS_HEAD;
    for row in rows {
        let held = if row.sheet.held_out { " (held out)" } else { "" };
        text += &format!("| {}{held} | {:.0} | {} |", row.sheet.name, 100.0 * row.age, row.pattern);
        for (median, decile) in row.errors {
            text += &format!(" {median:.0} / {decile:.0} |");
        }
        text.push('\n');
    }
    text += "\nSources of the tables: ";
    let sources: Vec<_> = SHEETS.iter().map(|sheet| format!("{} ({})", sheet.name, sheet.source)).collect();
    text + &sources.join("; ") + ".\n"
}

const HEAD: &str = "\
| batteries | NUT, calibrated new | NUT, calibrated on this one | NUT before 2.8.0, calibrated on this one | ours, before any outage | ours, after half an outage | ours, after one outage | rows within 25 % before | rows within 10 % after |
|---|---|---|---|---|---|---|---|---|
";
const ROWS_HEAD: &str = "
Each row: median / ninth decile of the error in percent.

| battery | capacity lost, % | load | NUT, new | NUT, this one | NUT before 2.8.0, this one | ours, before | ours, after half | ours, after one |
|---|---|---|---|---|---|---|---|---|
";
const BEGIN: &str = "<!-- printed by crates/battery/tests/proof.rs -->\n";

/// Other mathematical libraries may round the other way: figures may differ by two.
fn the_table_is_fresh(printed: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/battery.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, table) = text.split_once(BEGIN).unwrap();
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let alike = |(a, b): (&String, &String)| match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => (a - b).abs() <= 2.0,
        _ => a == b,
    };
    let (old, new) = (words(table), words(printed));
    if old.len() != new.len() || !old.iter().zip(&new).all(alike) {
        std::fs::write(&path, format!("{before}{BEGIN}{printed}")).unwrap();
        panic!("docs/battery.md was stale; written anew: look at the changes and commit them");
    }
}
