//! Start, cost and speed, ours beside NUT's in the same run: `cargo bench -p driver`. With
//! `QXUPS_WRITE_BENCHMARKS=1` it is written to `docs/benchmarks.md`.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod pieces;
mod process;
mod start;
mod table;
mod watching;

use std::path::Path;
use table::Page;

const WRITE: &str = "QXUPS_WRITE_BENCHMARKS";
const DOCUMENT: &str = "../../docs/benchmarks.md";
/// What is written by hand follows this line, and stays.
const BY_HAND: &str = "<!-- by hand from here -->";

fn main() {
    let mut page = Page(
        "# Measured beside NUT\n\nPrinted by `QXUPS_WRITE_BENCHMARKS=1 cargo bench -p driver` on a machine that \
         other work shared: ratios count, not figures. Less is better. Medians, with least and most in brackets. \
         NUT is Debian's `nutdrv_qx` 2.8.0 on the same simulated UPS.\n"
            .into(),
    );
    watching::measure(&mut page);
    pieces::measure(&mut page);
    start::measure(&mut page);
    println!("{}", page.0);
    if std::env::var_os(WRITE).is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(DOCUMENT);
        let before = std::fs::read_to_string(&path).unwrap_or_default();
        let by_hand = before.split_once(BY_HAND).map_or("\n", |(_, by_hand)| by_hand);
        std::fs::write(path, format!("{}\n{BY_HAND}{by_hand}", page.0)).unwrap();
    }
}
