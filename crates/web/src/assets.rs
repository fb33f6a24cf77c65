//! What is the same for every client of a version.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::LazyLock;

/// The style sheet.
pub const STYLE: &str = concat!(
    include_str!("assets/page.css"),
    include_str!("assets/access.css"),
    include_str!("assets/plots.css"),
    include_str!("assets/uplot/uPlot.min.css")
);
/// The script, without which the pages work as well.
pub const SCRIPT: &str = include_str!("assets/page.js");
/// The script of plots.
pub const PLOTS: &str = include_str!("assets/plots.js");
/// uPlot, which draws them: the file of its package, unchanged (packaging/fetch-uplot.sh).
pub const UPLOT: &str = include_str!("assets/uplot/uPlot.iife.min.js");
/// The icon.
pub const ICON: &str = include_str!("assets/icon.svg");
/// What the JSON API is.
pub const OPENAPI: &str = include_str!("assets/openapi.json");

/// Stands for all of them as they are: a browser asks whether what it has is still this.
pub static TAG: LazyLock<String> = LazyLock::new(|| {
    let mut hasher = DefaultHasher::new();
    (STYLE, SCRIPT, PLOTS, UPLOT, ICON, OPENAPI).hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
});
