//! Estimates charge and runtime in an outage, from volts and load alone, and keeps what it measured for the next one.
//!
//!     cargo run -p qxups-battery --example estimate

use battery::{Bank, Chemistry, Estimator, PowerSource, Sample, UpsIdentity};
use std::io::Write;
use std::time::Duration;

const DAY: u32 = 86_400;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // not println!, which panics where the reader has left
    let mut out = std::io::stdout().lock();
    // two blocks of 12 V, lead-acid
    let bank = Bank::of_nominal(24.0, Chemistry::LeadAcid).ok_or("no bank has this voltage")?;
    let unit = UpsIdentity::new([("device.model", "Example 1000")]);
    let mut estimator = Estimator::new(bank);
    estimator.set_unit(&unit);

    // a day on mains, so the battery is full; then an outage at 40 % of the rated load: the volts fall slowly, then fast
    let sample = |second: u32, volts, source| Sample {
        at: Duration::from_secs(second.into()),
        volts,
        load_percent: 40.0,
        source,
        temperature_c: None,
    };
    for second in (0..DAY).step_by(60) {
        estimator.take(sample(second, 27.4, PowerSource::Mains));
    }
    for second in (0..1500).step_by(10) {
        let spent = f64::from(second) / 1500.0;
        let volts = 24.8 - 1.9 * spent - 1.4 * spent.powi(8);
        estimator.take(sample(DAY + second, volts, PowerSource::Battery));
        if second % 180 == 0 {
            let estimate = estimator.estimate();
            writeln!(
                out,
                "{second:>4} s, {volts:.2} V: charge {:>5.1} %, runtime {:>5.0} s, {:?}",
                estimate.charge_percent.unwrap_or(f64::NAN),
                estimate.runtime_s.unwrap_or(f64::NAN),
                estimate.confidence,
            )?;
        }
    }

    // mains is back: what the outage showed is a short text for a file;
    // the next start goes on with it, if it is the same UPS
    estimator.take(sample(DAY + 1500, 26.0, PowerSource::Mains));
    let memory = estimator.memory().ok_or("this outage was too short to measure anything")?;
    let next = Estimator::remembering(bank, &unit, &memory)?;
    writeln!(out, "kept for the next start:\n{memory}")?;
    writeln!(out, "{:?}", next.estimate().health)?;
    Ok(())
}
