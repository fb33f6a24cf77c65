//! How long it lasts, and how far that may be wrong.
//!
//! Two witnesses: the posterior, which knows strengths, and the line through the last volts, which knows none. Each
//! counts by how far it was wrong on batteries of other physics (`tests/worlds.rs` measures it).

use crate::bank::Nature;
use crate::discharge::Discharge;
use crate::posterior::Spread;

/// Seconds left: the likely one, and the one that is exceeded with four chances in five.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Outlook {
    pub likely_s: f64,
    pub least_s: f64,
    /// The deviation of the logarithm.
    pub deviation: f64,
}

/// What is left counts as this share at least.
const LEAST_SHARE: f64 = 0.08;
/// A line through the first volts may end too soon by that.
const AT_FIRST: f64 = 1.25;
/// Without a better witness it lasts for this share of that line, and of the time on battery.
const SLOWEST: f64 = 0.15;
const NO_LESS: f64 = 0.04;
/// What is told is so many deviations of the posterior below the middle: too long costs more than too short.
const CAUTION: f64 = 0.4;

/// What is to be expected of a discharge at this load. `known` is how well the strength was known before, as the
/// deviation of its logarithm.
pub(crate) fn of(
    nature: &Nature,
    discharge: &Discharge,
    (ln_seconds, share): (Spread, f64),
    load: f64,
    known: f64,
) -> Outlook {
    // what is wrong of the whole is more of what is left
    let late = share.clamp(LEAST_SHARE, 1.0).powf(-nature.late);
    let model = (nature.model.0 + known).min(nature.model.1) * late;
    let mut weight = 1.0 / (ln_seconds.deviation.powi(2) + model * model);
    let mut mean = ln_seconds.mean;
    let line = discharge.line_s(nature, load);
    if let Some((seconds, _, counts)) = line {
        let seconds = (seconds / nature.line.0).max(1.0);
        // far beyond the time that was seen the line says little
        let far = (seconds / discharge.seconds).ln().max(0.0);
        let says = counts / (nature.line.1 + far).powi(2);
        mean = (mean * weight + seconds.ln() * says) / (weight + says);
        weight += says;
    }
    let deviation = weight.powf(-0.5);
    // at first, volts fall a little faster than later on
    let most = line.map_or(f64::MAX, |(_, most, _)| AT_FIRST * most).max(1.0);
    let below = |deviations: f64| (mean - deviations * deviation).exp().min(most);
    // while it still carries the load, and its volts are not at the end of any battery, it is not empty
    let slowest = line.map_or(1.0, |(_, most, _)| (SLOWEST * most).min(NO_LESS * discharge.seconds));
    let likely_s = below(CAUTION * ln_seconds.deviation / deviation).max(slowest).max(1.0);
    Outlook { likely_s, least_s: below(nature.four_in_five).clamp(1.0, likely_s), deviation }
}
