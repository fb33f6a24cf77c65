//! Samples of one span of time, taken together.

/// How many samples there were, and what they come to, in units of the quantity's last decimal. Exact: to take
/// buckets together in another order changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// How many; at least 1.
    pub count: u32,
    /// All of them together.
    pub sum: i64,
    /// The lowest.
    pub min: i32,
    /// The highest.
    pub max: i32,
}

impl Bucket {
    /// One sample.
    pub fn of(value: i32) -> Bucket {
        Bucket { count: 1, sum: value.into(), min: value, max: value }
    }

    /// Takes more samples in.
    pub fn merge(&mut self, other: Bucket) {
        self.count = self.count.saturating_add(other.count);
        self.sum = self.sum.saturating_add(other.sum);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// The mean, rounded down.
    pub(crate) fn floor(self) -> i64 {
        self.sum.div_euclid(i64::from(self.count.max(1)))
    }

    /// The mean.
    #[allow(clippy::cast_precision_loss)]
    pub fn mean(self) -> f64 {
        self.sum as f64 / f64::from(self.count.max(1))
    }

    /// Whether these numbers can come from samples.
    pub(crate) fn is_possible(self) -> bool {
        let count = i64::from(self.count);
        let (least, most) = (i64::from(self.min) * count, i64::from(self.max) * count);
        self.count > 0 && self.min <= self.max && (least..=most).contains(&self.sum)
    }
}
