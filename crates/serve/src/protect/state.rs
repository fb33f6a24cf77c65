//! The flag by which `qxups killpower` switches loads off at the end of a shutdown.

use driver::power_down::{PowerDown, PowerDownFlag};
use std::path::Path;

/// Whether the flag is up, in this start of the machine.
pub(super) fn is_raised(state: &Path) -> bool {
    matches!(PowerDownFlag::of(state).read(), PowerDown::Raised(_))
}

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
