//! Times as texts.

use std::time::Duration;

/// How long something took, for people: `3 min`, `45 s`, `2 h 5 min`.
pub fn span(length: Duration) -> String {
    let seconds = length.as_secs();
    match (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) if seconds % 60 == 0 || minutes >= 10 => format!("{minutes} min"),
        (0, 0, minutes) => format!("{minutes} min {} s", seconds % 60),
        (0, hours, 0) => format!("{hours} h"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

/// Year, month, day and second of the day (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn civil(at_s: i64) -> (i64, i64, i64, i64) {
    let shifted = at_s.div_euclid(86_400).saturating_add(719_468);
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let part = (5 * day_of_year + 2) / 153;
    let month = if part < 10 { part + 3 } else { part - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day_of_year - (153 * part + 2) / 5 + 1, at_s.rem_euclid(86_400))
}

/// `2026-03-01T14:05:09Z`, of milliseconds since 1970.
pub fn utc_stamp(at_ms: i64) -> String {
    let (year, month, day, second) = civil(at_ms.div_euclid(1000));
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The date of a mail (RFC 5322), of milliseconds since 1970.
pub(crate) fn mail_date(at_ms: i64) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (year, month, day, second) = civil(at_ms.div_euclid(1000));
    let name = usize::try_from(month - 1).ok().and_then(|at| MONTHS.get(at)).copied().unwrap_or("Jan");
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{day:02} {name} {year:04} {hour:02}:{minute:02}:{second:02} +0000")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By `date -u -d @N`.
    #[test]
    fn times_are_those_of_the_calendar() {
        assert_eq!(utc_stamp(1_772_373_909_500), "2026-03-01T14:05:09Z");
        assert_eq!(mail_date(1_772_373_909_500), "01 Mar 2026 14:05:09 +0000");
        assert_eq!(utc_stamp(951_782_400_000), "2000-02-29T00:00:00Z");
        for (seconds, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (187, "3 min 7 s"),
            (3600, "1 h"),
            (3900, "1 h 5 min"),
            (90_000, "1 d 1 h"),
        ] {
            assert_eq!(span(Duration::from_secs(seconds)), text);
        }
    }
}
