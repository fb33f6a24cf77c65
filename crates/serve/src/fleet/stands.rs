//! What holds of a UPS, or of a broker, for the log: each change is said, but no flood of them, and what holds in the end always.

use std::time::Duration;
use tokio::time::Instant;

/// So many changes are said at once, as they come.
const AT_ONCE: u32 = 12;
/// And each further one after so long.
const EACH: Duration = Duration::from_secs(120);

/// What was said last of something that may change again and again.
#[derive(Debug, Default)]
pub(crate) struct Stands {
    said: Option<String>,
    last: Option<String>,
    /// How often it changed since it was said.
    changes: u32,
    /// How many lines were said lately; one less after each [`EACH`].
    spent: u32,
    since: Option<Instant>,
}

impl Stands {
    /// This holds now, which may be what held before. The line, where it is to be said now; where it is too early, a later
    /// call has it.
    pub fn are(&mut self, text: &str, now: Instant) -> Option<String> {
        if self.last.as_deref() != Some(text) {
            self.last = Some(text.into());
            self.changes = self.changes.saturating_add(1);
        }
        self.refill(now);
        if self.said.as_deref() == Some(text) || self.spent >= AT_ONCE {
            return None;
        }
        self.spent += 1;
        self.said = Some(text.into());
        Some(match std::mem::take(&mut self.changes) {
            0 | 1 => text.to_string(),
            changes => format!("{text} ({changes} changes since the last line)"),
        })
    }

    fn refill(&mut self, now: Instant) {
        let since = *self.since.get_or_insert(now);
        let passed = now.saturating_duration_since(since).as_secs() / EACH.as_secs();
        if self.spent == 0 {
            self.since = Some(now);
        } else if passed > 0 {
            let passed = u32::try_from(passed).unwrap_or(u32::MAX);
            self.spent = self.spent.saturating_sub(passed);
            self.since = Some(since + EACH.saturating_mul(passed));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Found by a review: one line of a loss was the last for ten minutes, whatever came after it.
    #[test]
    fn every_change_is_said_and_a_flood_is_not() {
        let (start, mut stands) = (Instant::now(), Stands::default());
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        assert_eq!(stands.are("lost", at(0)).as_deref(), Some("lost"));
        assert_eq!(stands.are("lost", at(1)), None);
        assert_eq!(stands.are("read", at(2)).as_deref(), Some("read"));
        assert_eq!(stands.are("stale", at(3)).as_deref(), Some("stale"));
        assert_eq!(stands.are("read", at(4)).as_deref(), Some("read"));
        // an hour of losses and returns, each 5 s
        let lines = (1..720).filter_map(|turn| {
            let text = if turn % 2 == 0 { "read" } else { "lost" };
            stands.are(text, at(10 + turn * 5))
        });
        let lines: Vec<String> = lines.collect();
        assert!((30..50).contains(&lines.len()), "{lines:?}");
        assert!(lines.last().unwrap().ends_with(" changes since the last line)"), "{lines:?}");
        // what holds in the end is said within two minutes
        let end = 10 + 720 * 5;
        let said = (0..120).find_map(|second| stands.are("stale", at(end + second))).unwrap();
        assert!(said.starts_with("stale ("), "{said}");
        assert_eq!(stands.are("stale", at(end + 1_000)), None);
        // and after a quiet day all is as at first
        let day = end + 86_400;
        assert_eq!(stands.are("lost", at(day)).as_deref(), Some("lost"));
        assert_eq!(stands.are("read", at(day + 1)).as_deref(), Some("read"));
    }
}
