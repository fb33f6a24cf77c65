//! The time of day, for people to read: nothing is decided by it.

use jiff::Zoned;
use jiff::fmt::strtime;

/// Now, in the zone of this host.
pub fn now() -> Zoned {
    Zoned::now()
}

/// Now as RFC 3339 with the offset from UTC: `2026-03-01T14:05:09+01:00`.
pub fn stamp() -> String {
    format_now("%Y-%m-%dT%H:%M:%S%:z").unwrap_or_default()
}

/// Now in the words of strftime(3).
///
/// # Errors
/// A word that is none.
pub fn format_now(format: &str) -> Result<String, String> {
    strtime::format(format, &now()).map_err(|error| error.to_string())
}
