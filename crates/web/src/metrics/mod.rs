//! What Prometheus reads: names of our own, and those of two exporters that dashboards are written for.

mod druggeri;
mod exposition;
mod hon95;
mod own;

pub use druggeri::druggeri;
pub use exposition::MetricsFormat;
pub use hon95::hon95;
pub use own::own;

/// The words of a status that are always exported, 0 or 1, as long as data is fresh: those of NUT's drivers
/// (docs/nut-names.txt) but for HB, which no driver raises any more and dashboards still ask for.
pub const FLAGS: [&str; 16] = [
    "OL", "OB", "LB", "HB", "RB", "CHRG", "DISCHRG", "BYPASS", "CAL", "OFF", "OVER", "TRIM", "BOOST", "FSD",
    "ALARM", "SD",
];
