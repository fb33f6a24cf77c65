//! When the system may hand over whole lines, rather than each byte that comes.
//!
//! A reply of 47 bytes at 2400 baud comes in 47 pieces, and each wakes the process. A line discipline that
//! collects lines wakes it once, but shows nothing of a reply until its carriage return is there: not when it
//! began, nor that it is torn. So lines are collected only while there is nothing to see: the last replies ended
//! as they should, and no exchange measures. One that is not whole when it usually is, is read byte by byte from then
//! on, with the times that count for bytes.

use qx::line::exchange::Exchange;
use std::time::Duration;

/// So many replies in a row that ended as they should, with nothing stray between them.
const WELL: u8 = 8;
/// Time on top of one and a half times the slowest of them.
const MARGIN: Duration = Duration::from_millis(50);

/// What is known of the last replies on this line.
#[derive(Debug, Default)]
pub struct ByLines {
    well: u8,
    longest: Duration,
    /// The line does not take that mode.
    impossible: bool,
}

impl ByLines {
    /// Until when the whole reply is usually there, counted from the command; nothing where each byte has to be
    /// seen as it comes.
    pub fn usual(&self, exchange: &Exchange) -> Option<Duration> {
        let blind = !(exchange.measured || exchange.settle || exchange.is_command || self.impossible);
        (blind && self.well >= WELL).then(|| self.longest * 3 / 2 + MARGIN)
    }

    /// A reply was whole after so long, and ended as it should.
    pub fn was_well(&mut self, took: Duration) {
        self.well = self.well.saturating_add(1);
        self.longest = self.longest.max(took);
    }

    /// One was torn, stray, missing or had no end.
    pub fn was_not(&mut self) {
        (self.well, self.longest) = (0, Duration::ZERO);
    }

    /// The line cannot do it.
    pub fn give_up(&mut self) {
        self.impossible = true;
    }
}

#[cfg(test)]
mod tests {
    use super::{ByLines, MARGIN, WELL};
    use qx::line::exchange::{Echo, Exchange};
    use std::time::Duration;

    const REPLY: Duration = Duration::from_millis(200);

    fn exchange() -> Exchange {
        Exchange {
            command: "Q1".into(),
            patience: Duration::from_secs(1),
            gap: Duration::from_millis(300),
            echo: Echo::Refusal,
            settle: false,
            is_command: false,
            measured: false,
        }
    }

    fn after(well: u8) -> ByLines {
        let mut lines = ByLines::default();
        (0..well).for_each(|_| lines.was_well(REPLY));
        lines
    }

    #[test]
    fn lines_are_collected_after_so_many_good_replies() {
        assert_eq!(after(WELL - 1).usual(&exchange()), None);
        assert_eq!(after(WELL).usual(&exchange()), Some(REPLY * 3 / 2 + MARGIN));
        assert!(after(u8::MAX).usual(&exchange()).is_some());
        let mut lines = after(WELL);
        // slow once is no fault, and is waited for
        lines.was_well(REPLY * 2);
        assert_eq!(lines.usual(&exchange()), Some(REPLY * 3 + MARGIN));
        lines.was_not();
        assert_eq!(lines.usual(&exchange()), None);
        (0..WELL).for_each(|_| lines.was_well(REPLY));
        assert_eq!(lines.usual(&exchange()), Some(REPLY * 3 / 2 + MARGIN), "measured anew");
    }

    #[test]
    fn who_measures_sees_each_byte() {
        for exchange in [
            Exchange { measured: true, ..exchange() },
            Exchange { settle: true, ..exchange() },
            Exchange { is_command: true, ..exchange() },
        ] {
            assert_eq!(after(WELL).usual(&exchange), None, "{exchange:?}");
        }
        let mut lines = after(WELL);
        lines.give_up();
        assert_eq!(lines.usual(&exchange()), None);
    }
}
