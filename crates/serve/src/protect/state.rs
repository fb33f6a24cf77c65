//! The flag by which `qxups killpower` switches loads off at the end of a shutdown.

use driver::power_down::PowerDownFlag;
use std::path::Path;

/// Raises the flag for these UPSes, or lowers it where there are none.
///
/// # Errors
/// A sentence.
pub(super) fn second_chance(state: &Path, upses: &[String]) -> Result<(), String> {
    let flag = PowerDownFlag::of(state);
    let (done, what) = match upses {
        [] => (flag.lower(), "taken away"),
        _ => (flag.raise(upses.iter().map(String::as_str)), "written"),
    };
    done.map_err(|error| {
        format!(
            "the flag {} was not {what}: {error}; look whether the server's user may write there",
            flag.path().display()
        )
    })
}
