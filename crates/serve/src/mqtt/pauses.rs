//! How long is waited between connections: longer each time, and never at the same time as others.

use std::time::Duration;

/// The first pause, and the longest, about.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);

/// The pauses between connections that fail.
#[derive(Debug)]
pub(crate) struct Pauses(Duration);

impl Default for Pauses {
    fn default() -> Pauses {
        Pauses(FIRST)
    }
}

impl Pauses {
    /// The next pause: between a half and one and a half of its length, by a random number. A thousand sites whose broker comes
    /// back do not come at once.
    pub fn next(&mut self, random: u32) -> Duration {
        let length = self.0;
        self.0 = (length * 2).min(LONGEST);
        length.mul_f64(0.5 + f64::from(random) / (f64::from(u32::MAX) + 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_are_spread() {
        let mut pauses = Pauses::default();
        let half: Vec<u64> = (0..8).map(|_| pauses.next(0).as_millis() as u64).collect();
        assert_eq!(half, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
        assert!((1.49..=1.5).contains(&Pauses::default().next(u32::MAX).as_secs_f64()));
    }
}
