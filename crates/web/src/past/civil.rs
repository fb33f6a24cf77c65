//! Times of the calendar in UTC, which needs no table of zones; a script shows them in the zone of the browser.

/// Year, month and day, and the second of the day, of a time in seconds since 1970 (Howard Hinnant, "chrono-compatible
/// low-level date algorithms").
fn civil(at_s: i64) -> (i64, i64, i64, i64) {
    let (days, second) = (at_s.div_euclid(86_400), at_s.rem_euclid(86_400));
    let shifted = days.saturating_add(719_468);
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let part = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * part + 2) / 5 + 1;
    let month = if part < 10 { part + 3 } else { part - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day, second)
}

/// `2026-03-01T14:05:09Z`, for programs.
pub(crate) fn stamp(at_s: i64) -> String {
    let (year, month, day, second) = civil(at_s);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// `2026-03-01 14:05`, for people.
pub(crate) fn clock(at_s: i64) -> String {
    let (year, month, day, second) = civil(at_s);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}", second / 3600, second / 60 % 60)
}

/// `2026-03-01`, for people.
pub(crate) fn day(at_s: i64) -> String {
    let (year, month, day, _) = civil(at_s);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By `date -u -d @N`.
    #[test]
    fn times_are_those_of_the_calendar() {
        for (at_s, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_767_225_599, "2025-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
            (-1, "1969-12-31T23:59:59Z"),
        ] {
            assert_eq!(stamp(at_s), expected);
        }
        assert_eq!(
            (clock(1_772_373_900).as_str(), day(951_782_400).as_str()),
            ("2026-03-01 14:05", "2000-02-29")
        );
        // no number of a damaged file ends the program
        for far in [i64::MIN, i64::MAX] {
            assert!(!stamp(far).is_empty());
        }
    }
}
