//! When a lost link is opened again, and what of it is worth a line of the log.
//!
//! A loss and the return after it are a line each. A link that comes and goes (a device server that has
//! another client already accepts each connection and closes it) would fill the log for ever: it is said
//! once that it does, and once when it stays.

use qx::device::Loudness;
use std::time::Duration;
use tokio::time::Instant;

/// How often a lost link is tried.
pub const AGAIN: Duration = Duration::from_secs(1);
/// The same when it opens, and is lost each time before the UPS says anything.
const LONGEST: Duration = Duration::from_secs(8);
/// A link that was open for so long stays.
const STAYS: Duration = Duration::from_secs(60);

/// How it goes with a link.
#[derive(Debug)]
pub struct Reopening {
    pause: Duration,
    opened: Instant,
    /// Something came since then.
    heard: bool,
    /// It is known that it comes and goes: how often it went since that was said.
    unsteady: Option<u32>,
}

/// What is said of a loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// It is lost.
    Plain,
    /// It was open again for a moment only.
    ComesAndGoes,
    /// It was said already.
    Known,
}

impl Reopening {
    /// Of a link that is open, and was never lost.
    pub fn new(now: Instant) -> Reopening {
        // the first loss is a plain one, however soon it comes
        let opened = now.checked_sub(STAYS).unwrap_or(now);
        Reopening { pause: AGAIN, opened, heard: true, unsteady: None }
    }

    /// The link is lost: what to say of it.
    pub fn lost(&mut self, now: Instant) -> Loss {
        let stayed = now.saturating_duration_since(self.opened) >= STAYS;
        self.pause = if self.heard || stayed { AGAIN } else { (self.pause * 2).min(LONGEST) };
        match &mut self.unsteady {
            Some(losses) => {
                *losses = losses.saturating_add(1);
                Loss::Known
            }
            None if stayed => Loss::Plain,
            None => {
                self.unsteady = Some(0);
                Loss::ComesAndGoes
            }
        }
    }

    /// How long to wait until it is tried; when that fails, [`AGAIN`].
    pub fn pause(&self) -> Duration {
        self.pause
    }

    /// It is open again: how loud that is at most.
    pub fn opened(&mut self, now: Instant) -> Loudness {
        self.opened = now;
        self.heard = false;
        if self.unsteady.is_some() { Loudness::Debug } else { Loudness::Info }
    }

    /// Something came from the UPS. How often the link went, once one that came and went has stayed.
    pub fn heard(&mut self, now: Instant) -> Option<u32> {
        self.heard = true;
        let stays = now.saturating_duration_since(self.opened) >= STAYS;
        self.unsteady.take_if(|_| stays)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// A link that stays open for `open`, once lost, a whole day; something is heard when `talks`. The lines of
    /// log, and how often it was opened.
    fn day(open: Duration, talks: bool) -> (Vec<Loss>, u32) {
        let (mut now, end) = (Instant::now(), Instant::now() + 86_400 * SECOND);
        let (mut link, mut lines, mut openings) = (Reopening::new(now), vec![], 0);
        while now < end {
            lines.push(link.lost(now));
            now += link.pause();
            let loud = link.opened(now);
            assert!(loud == Loudness::Info || lines.contains(&Loss::ComesAndGoes));
            openings += 1;
            if talks {
                link.heard(now + open);
            }
            now += open;
        }
        lines.retain(|line| *line != Loss::Known);
        (lines, openings)
    }

    #[test]
    fn a_server_that_closes_each_connection_is_two_lines_a_day() {
        for (open, talks) in
            [(Duration::ZERO, false), (Duration::ZERO, true), (SECOND, false), (10 * SECOND, true)]
        {
            let (lines, openings) = day(open, talks);
            assert_eq!(lines, [Loss::Plain, Loss::ComesAndGoes], "{open:?} {talks}");
            // whoever answers is asked again at once, and whoever does not is spared
            let wait = if talks { AGAIN } else { LONGEST };
            let expected = 86_400.0 / (wait + open).as_secs_f64();
            assert!((f64::from(openings) / expected - 1.0).abs() < 0.01, "{open:?} {talks}: {openings}");
        }
    }

    #[test]
    fn a_link_that_stays_is_a_line_each_time() {
        for (open, lines) in [(STAYS - Duration::from_millis(1), 2), (STAYS, 1417), (3_600 * SECOND, 24)] {
            let (said, _) = day(open, true);
            assert_eq!(said.len(), lines, "{open:?}");
        }
    }

    #[test]
    fn that_it_stays_again_is_said_once() {
        let start = Instant::now();
        let at = |seconds: u64| start + SECOND * u32::try_from(seconds).unwrap();
        let mut link = Reopening::new(start);
        assert_eq!((link.lost(at(0)), link.pause()), (Loss::Plain, AGAIN));
        assert_eq!(link.opened(at(1)), Loudness::Info);
        assert_eq!((link.lost(at(1)), link.pause()), (Loss::ComesAndGoes, 2 * SECOND));
        assert_eq!(link.opened(at(3)), Loudness::Debug);
        assert_eq!((link.lost(at(3)), link.pause()), (Loss::Known, 4 * SECOND));
        assert_eq!(link.opened(at(7)), Loudness::Debug);
        assert_eq!(link.heard(at(8)), None);
        assert_eq!(link.heard(at(66)), None);
        assert_eq!(link.heard(at(67)), Some(1));
        assert_eq!(link.heard(at(68)), None);
        // the next loss is a new one
        assert_eq!((link.lost(at(70)), link.pause()), (Loss::Plain, AGAIN));
    }
}
