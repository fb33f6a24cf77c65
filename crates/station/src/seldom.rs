//! Lines of log that one cause could write without end: said once, then counted.

use std::time::Duration;
use tokio::time::Instant;

/// The same is said again after so long at the earliest.
const SELDOM: Duration = Duration::from_secs(600);

/// A thing that is worth a line the first time, and a count later.
#[derive(Debug, Default)]
pub struct Seldom {
    said: Option<Instant>,
    unsaid: u32,
}

impl Seldom {
    /// It happened. How often it did since it was said last, this time included, when it is to be said now.
    pub fn happened(&mut self, now: Instant) -> Option<u32> {
        self.unsaid = self.unsaid.saturating_add(1);
        if self.said.is_some_and(|said| now.saturating_duration_since(said) < SELDOM) {
            return None;
        }
        self.said = Some(now);
        Some(std::mem::take(&mut self.unsaid))
    }
}

impl Seldom {
    /// Whether it is as if it had never happened: what happens next is said in any case.
    pub fn is_over(&self, now: Instant) -> bool {
        self.unsaid == 0 && self.said.is_none_or(|said| now.saturating_duration_since(said) >= SELDOM)
    }
}

/// `text`, and how often it was so.
pub fn counted(text: &str, times: u32) -> String {
    match times {
        0 | 1 => text.to_string(),
        times => format!("{text} ({times} times since this was said last)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_said_once_and_counted() {
        let (start, mut seldom) = (Instant::now(), Seldom::default());
        // ten times a second for half an hour
        let lines: Vec<_> = (0..18_000)
            .filter_map(|tick| {
                let now = start + Duration::from_millis(100) * tick;
                seldom.happened(now).map(|times| (tick / 10, times))
            })
            .collect();
        assert_eq!(lines, [(0, 1), (600, 6_000), (1_200, 6_000)]);
        // what happens once an hour is said each time
        let later = |hours: u64| start + Duration::from_secs(7_200 + 3_600 * hours);
        assert_eq!(seldom.happened(later(0)), Some(6_000));
        assert_eq!(seldom.happened(later(1)), Some(1));
        assert_eq!(counted("x", 1), "x");
        assert_eq!(counted("x", 3), "x (3 times since this was said last)");
    }

    #[test]
    fn the_bound_is_ten_minutes() {
        for (pause, said) in [(SELDOM - Duration::from_millis(1), None), (SELDOM, Some(1))] {
            let (start, mut seldom) = (Instant::now(), Seldom::default());
            assert_eq!(seldom.happened(start), Some(1));
            assert_eq!(seldom.happened(start + pause), said, "{pause:?}");
        }
    }
}
