//! How many notices an output gets in a time.

/// So many at once, and then one each so many milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoticePace {
    burst: u32,
    each_ms: i64,
    left: u32,
    /// When one was added last.
    added_ms: Option<i64>,
}

impl NoticePace {
    /// So many a minute, and so many at once; at least one.
    pub fn per_minute(most: u32) -> NoticePace {
        let burst = most.max(1);
        NoticePace { burst, each_ms: 60_000 / i64::from(burst), left: burst, added_ms: None }
    }

    /// The same of another number a minute.
    pub fn become_(&mut self, other: NoticePace) {
        (self.burst, self.each_ms, self.left) = (other.burst, other.each_ms, self.left.min(other.burst));
    }

    /// Takes one.
    ///
    /// # Errors
    /// When the next one may go, in milliseconds of the clock of `now_ms`.
    pub fn take(&mut self, now_ms: i64) -> Result<(), i64> {
        let before = *self.added_ms.get_or_insert(now_ms);
        let new = now_ms.saturating_sub(before).max(0) / self.each_ms.max(1);
        self.left = self.left.saturating_add(u32::try_from(new).unwrap_or(u32::MAX)).min(self.burst);
        let added = before.saturating_add(new.saturating_mul(self.each_ms));
        self.added_ms = Some(if self.left == self.burst { now_ms } else { added });
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(added.saturating_add(self.each_ms)),
        }
    }

    /// Gives one back that was not used.
    pub fn give_back(&mut self) {
        self.left = self.left.saturating_add(1).min(self.burst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_go_than_may() {
        let mut pace = NoticePace::per_minute(10);
        let mut gone = vec![];
        for now in (0..120_000).step_by(10) {
            if pace.take(now).is_ok() {
                gone.push(now);
            }
        }
        // ten at once, and ten more in each minute
        assert_eq!(gone.iter().filter(|at| **at < 1000).count(), 10);
        assert!((28..=30).contains(&gone.len()), "{}", gone.len());
        let next = pace.take(119_999).unwrap_err();
        assert!(next > 119_999 && next <= 126_000, "{next}");
        assert!(pace.take(next).is_ok());
    }
}
