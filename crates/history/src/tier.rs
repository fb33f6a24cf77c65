//! The rings: samples of falling resolution, each kept for longer than the one before.

/// One ring. The numbers stand in files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Tier {
    /// 10 seconds.
    Seconds = 0,
    /// 1 minute.
    Minutes = 1,
    /// 10 minutes.
    TenMinutes = 2,
    /// 1 hour.
    Hours = 3,
}

impl Tier {
    /// From the finest to the coarsest.
    pub const ALL: [Tier; 4] = [Tier::Seconds, Tier::Minutes, Tier::TenMinutes, Tier::Hours];

    /// The time from point to point in seconds.
    pub const fn step_s(self) -> i64 {
        match self {
            Tier::Seconds => 10,
            Tier::Minutes => 60,
            Tier::TenMinutes => 600,
            Tier::Hours => 3600,
        }
    }

    /// So many seconds stand in one row of the file, which is written hour by hour: an hour, 8 hours, 2 days. A year of a
    /// ring is so no more than some hundred rows.
    pub const fn block_s(self) -> i64 {
        match self {
            Tier::Seconds | Tier::Minutes => 3600,
            Tier::TenMinutes => 8 * 3600,
            Tier::Hours => 48 * 3600,
        }
    }

    /// Its table in the file.
    pub(crate) const fn table(self) -> &'static str {
        match self {
            Tier::Seconds => "ring_seconds",
            Tier::Minutes => "ring_minutes",
            Tier::TenMinutes => "ring_ten_minutes",
            Tier::Hours => "ring_hours",
        }
    }

    /// Its part of the room for samples, in hundredths.
    pub const fn share(self) -> u64 {
        match self {
            Tier::Seconds | Tier::Minutes => 20,
            Tier::TenMinutes => 27,
            Tier::Hours => 33,
        }
    }

    /// Where the row begins in which a time lies, in seconds.
    pub const fn block_of(self, at_s: i64) -> i64 {
        at_s - at_s.rem_euclid(self.block_s())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_whole_points_and_shares_a_whole() {
        for tier in Tier::ALL {
            assert_eq!((tier.block_s() % tier.step_s(), tier.block_s() % 3600), (0, 0));
            assert!(tier.block_s() / tier.step_s() < 1024);
            assert_eq!(tier.block_of(tier.block_s() + 1), tier.block_s());
            assert_eq!(tier.block_of(-1), -tier.block_s());
        }
        assert_eq!(Tier::ALL.into_iter().map(Tier::share).sum::<u64>(), 100);
    }
}
