//! Limits of what may be set, by family and rating.

use crate::vocabulary::variable::*;
use crate::wire::fact::Facts;

/// Families that share their limits.
const COMMON: &[&str] = &["P02", "P03", "P10", "P13", "P14"];
const COMMON_AND_99: &[&str] = &["P02", "P03", "P10", "P13", "P14", "P99"];

/// Systems of low and of high voltage part here.
const HIGH_VOLTS: f64 = 200.0;

/// A row: families, for systems of low or high voltage (or 50 or 60 Hz), least, greatest.
type Row = (&'static [&'static str], (u32, u32), (u32, u32));

fn limits(rows: &[Row], facts: &Facts, second: bool) -> Option<(u32, u32)> {
    let family = facts.text(&UPS_FIRMWARE_AUX)?;
    let (_, one, other) = rows.iter().find(|(families, ..)| families.contains(&family))?;
    Some(if second { *other } else { *one })
}

fn by_input_volts(rows: &[Row], facts: &Facts) -> Option<(u32, u32)> {
    limits(rows, facts, facts.f64(&INPUT_VOLTAGE_NOMINAL)? >= HIGH_VOLTS)
}

fn by_hertz(rows: &[Row], facts: &Facts) -> Option<(u32, u32)> {
    let hertz = facts.f64(&OUTPUT_FREQUENCY_NOMINAL)?;
    let sixty = (hertz - 60.0).abs() < 0.5;
    (sixty || (hertz - 50.0).abs() < 0.5).then(|| limits(rows, facts, sixty))?
}

/// `PHV`: highest bypass voltage.
pub(super) fn bypass_volts_high(facts: &Facts) -> Option<(u32, u32)> {
    let rows: [Row; 4] = [
        (&["P01"], (120, 140), (230, 264)),
        (&["P09"], (60, 140), (60, 140)),
        (COMMON, (115, 138), (231, 276)),
        (&["P99"], (115, 132), (231, 261)),
    ];
    by_input_volts(&rows, facts)
}

/// `PLV`: lowest bypass voltage.
pub(super) fn bypass_volts_low(facts: &Facts) -> Option<(u32, u32)> {
    let rows: [Row; 4] = [
        (&["P01"], (85, 115), (170, 220)),
        (&["P09"], (60, 140), (60, 140)),
        (COMMON, (55, 104), (110, 209)),
        (&["P99"], (50, 85), (149, 209)),
    ];
    by_input_volts(&rows, facts)
}

/// `PGF`: highest bypass frequency.
pub(super) fn bypass_hertz_high(facts: &Facts) -> Option<(u32, u32)> {
    by_hertz(&[(&["P01", "P09"], (51, 60), (61, 70)), (COMMON_AND_99, (51, 54), (61, 64))], facts)
}

/// `PSF`: lowest bypass frequency.
pub(super) fn bypass_hertz_low(facts: &Facts) -> Option<(u32, u32)> {
    by_hertz(&[(&["P01", "P09"], (40, 49), (50, 59)), (COMMON_AND_99, (46, 49), (56, 59))], facts)
}

/// `FREH`: highest mains frequency in ECO mode.
pub(super) fn eco_hertz_high(facts: &Facts) -> Option<(u32, u32)> {
    by_hertz(&[(&["P01", "P09"], (53, 60), (63, 70)), (COMMON_AND_99, (52, 54), (62, 64))], facts)
}

/// `FREL`: lowest mains frequency in ECO mode.
pub(super) fn eco_hertz_low(facts: &Facts) -> Option<(u32, u32)> {
    by_hertz(&[(&["P01", "P09"], (40, 47), (50, 57)), (COMMON_AND_99, (46, 48), (56, 58))], facts)
}

/// How far the limits of ECO mode may be from the rated output voltage.
fn eco_distance(facts: &Facts) -> Option<(u32, u32, u32)> {
    let volts = facts.f64(&OUTPUT_VOLTAGE_NOMINAL).filter(|volts| *volts >= 24.0)?;
    let rows: [Row; 2] = [(&["P01", "P09"], (3, 12), (7, 24)), (COMMON_AND_99, (5, 12), (11, 24))];
    let (least, most) = limits(&rows, facts, volts >= HIGH_VOLTS)?;
    Some((volts as u32, least, most))
}

/// `HEH`: highest mains voltage in ECO mode.
pub(super) fn eco_volts_high(facts: &Facts) -> Option<(u32, u32)> {
    eco_distance(facts).map(|(volts, least, most)| (volts + least, volts + most))
}

/// `HEL`: lowest mains voltage in ECO mode.
pub(super) fn eco_volts_low(facts: &Facts) -> Option<(u32, u32)> {
    eco_distance(facts).map(|(volts, least, most)| (volts - most, volts - least))
}

/// `W0E`: voltage of the empty battery; units of less than 1000 VA allow less.
pub(super) fn battery_low(facts: &Facts) -> Option<(u32, u32)> {
    let power = facts.f64(&OUTPUT_VOLTAGE_NOMINAL)? * facts.f64(&OUTPUT_CURRENT_NOMINAL)?;
    Some((20, if power < 1000.0 { 24 } else { 28 }))
}
