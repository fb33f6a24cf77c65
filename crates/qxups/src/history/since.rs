//! Since when, and times as people and programs read them.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// Since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// So many minutes ago.
    Minutes(i64),
    /// This time, in milliseconds since 1970.
    At(i64),
}

/// Reads what stands behind `--since`.
///
/// # Errors
/// A sentence.
pub fn since(text: &str) -> Result<Since, String> {
    let wrong = || "write 30m, 12h, 7d or 8w, or a date such as 2026-03-01 or 2026-03-01T14:00".to_string();
    let unit = text.chars().last().and_then(|letter| match letter {
        'm' => Some(1),
        'h' => Some(60),
        'd' => Some(24 * 60),
        'w' => Some(7 * 24 * 60),
        _ => None,
    });
    if let Some(unit) = unit {
        let number: u32 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
        return Ok(Since::Minutes(i64::from(number) * unit));
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(Since::At(at.as_millisecond()));
    }
    let civil: DateTime = text.parse().map_err(|_| wrong())?;
    let zoned = civil.to_zoned(TimeZone::system()).map_err(|_| wrong())?;
    Ok(Since::At(zoned.timestamp().as_millisecond()))
}

/// Now, in milliseconds since 1970.
pub fn now_ms() -> i64 {
    Timestamp::now().as_millisecond()
}

/// A time in milliseconds since 1970; so many hours ago where none was named.
pub fn ms(since: Option<Since>, hours: i64) -> i64 {
    match since {
        Some(Since::At(at)) => at,
        Some(Since::Minutes(minutes)) => now_ms().saturating_sub(minutes.saturating_mul(60_000)),
        None => now_ms().saturating_sub(hours.saturating_mul(3_600_000)),
    }
}

/// For people: `2026-03-01 14:05:09`. A time that no calendar has is its number.
pub fn read(at_ms: i64) -> String {
    zoned(at_ms).map_or_else(|| at_ms.to_string(), |at| at.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

/// For programs: `2026-03-01T14:05:09.123+01:00`.
pub fn stamp(at_ms: i64) -> String {
    zoned(at_ms).map_or_else(|| at_ms.to_string(), |at| at.strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string())
}

fn zoned(at_ms: i64) -> Option<Zoned> {
    Timestamp::from_millisecond(at_ms).ok().map(|at| at.to_zoned(TimeZone::system()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        assert_eq!(since("90m"), Ok(Since::Minutes(90)));
        assert_eq!(since("2w"), Ok(Since::Minutes(14 * 24 * 60)));
        assert_eq!(since("1970-01-02T00:00:00Z"), Ok(Since::At(86_400_000)));
        assert!(matches!(since("2026-03-01"), Ok(Since::At(_))));
        assert!(matches!(since("2026-03-01T14:00"), Ok(Since::At(_))));
        for wrong in ["", "m", "-3d", "yesterday", "2026-13-01", "7", "99999999999d", "\u{fc}"] {
            assert!(since(wrong).is_err(), "{wrong}");
        }
        assert_eq!(read(i64::MAX), i64::MAX.to_string());
    }
}
