//! When a lost link is opened again, and what of it is worth a line of the log.
//!
//! A loss and the return after it are a line each. A link that comes and goes (a device server that has
//! another client already accepts each connection and closes it) would fill the log for ever: it is said
//! once that it does, and once when it stays. One that is lost soon after it came back, when the UPS was heard
//! already, does not come and go yet: a cable was plugged in, and the port reset after that.

use link::Address;
use qx::device::LogLevel;
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
    /// And that was a reply of a UPS, as far as can be told.
    understood: bool,
    /// It was open for a moment only, once.
    was_short: bool,
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
        Reopening { pause: AGAIN, opened, heard: true, understood: true, was_short: false, unsteady: None }
    }

    /// The link is lost: what to say of it.
    pub fn lost(&mut self, now: Instant) -> Loss {
        let stayed = now.saturating_duration_since(self.opened) >= STAYS;
        self.pause = if self.heard || stayed { AGAIN } else { (self.pause * 2).min(LONGEST) };
        let was_short = std::mem::replace(&mut self.was_short, !stayed);
        match &mut self.unsteady {
            Some(losses) => {
                *losses = losses.saturating_add(1);
                Loss::Known
            }
            None if stayed || self.understood && !was_short => Loss::Plain,
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
    pub fn opened(&mut self, now: Instant) -> LogLevel {
        self.opened = now;
        (self.heard, self.understood) = (false, false);
        if self.unsteady.is_some() { LogLevel::Debug } else { LogLevel::Info }
    }

    /// Something came, `is_reply` when it is the reply of a UPS (a server may say why it closes). How often the
    /// link went, once one that came and went has stayed.
    pub fn heard(&mut self, now: Instant, is_reply: impl FnOnce() -> bool) -> Option<u32> {
        self.heard = true;
        self.understood = self.understood || is_reply();
        let stays = now.saturating_duration_since(self.opened) >= STAYS;
        self.unsteady.take_if(|_| stays)
    }
}

/// What is said of a link that was open for a moment only, again.
pub fn comes_and_goes(address: &Address) -> &'static str {
    match address {
        Address::Tcp { .. } => {
            "it comes and goes: another program may be connected to the device server already; trying on, and saying no more of it until it stays"
        }
        Address::Usb(_) => {
            "it comes and goes: try another cable, and another socket or a hub with its own supply; trying on, and saying no more of it until it stays"
        }
        Address::Serial(_) => {
            "it comes and goes: another program may use the port, or the cable of an adapter be loose; trying on, and saying no more of it until it stays"
        }
        Address::Replay { .. } => "it comes and goes; trying on, and saying no more of it until it stays",
    }
}

/// How often a link was lost since that was said.
pub fn times_more(times: u32) -> String {
    match times {
        0 => "it was not lost again".into(),
        1 => "it was lost once more until then".into(),
        times => format!("it was lost {times} times more until then"),
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
            assert!(loud == LogLevel::Info || lines.contains(&Loss::ComesAndGoes));
            openings += 1;
            if talks {
                link.heard(now + open, || true);
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
            // and one more, when the UPS was heard meanwhile
            let expected: &[Loss] = match talks {
                true => &[Loss::Plain, Loss::Plain, Loss::ComesAndGoes],
                false => &[Loss::Plain, Loss::ComesAndGoes],
            };
            assert_eq!(lines, expected, "{open:?} {talks}");
            // one that answers is asked again at once, and one that does not is spared
            let wait = if talks { AGAIN } else { LONGEST };
            let expected = 86_400.0 / (wait + open).as_secs_f64();
            assert!((f64::from(openings) / expected - 1.0).abs() < 0.01, "{open:?} {talks}: {openings}");
        }
    }

    #[test]
    fn a_link_that_stays_is_a_line_each_time() {
        for (open, lines) in [(STAYS - Duration::from_millis(1), 3), (STAYS, 1417), (3_600 * SECOND, 24)] {
            let (said, _) = day(open, true);
            assert_eq!(said.len(), lines, "{open:?}");
        }
    }

    /// A cable is pulled and plugged in, and before a minute is over its port is reset: both are told whole.
    #[test]
    fn a_reset_soon_after_an_unplugging_is_told_as_well() {
        let start = Instant::now();
        let at = |seconds: u64| start + SECOND * u32::try_from(seconds).unwrap();
        let mut link = Reopening::new(start);
        assert_eq!(link.lost(at(0)), Loss::Plain);
        assert_eq!(link.opened(at(5)), LogLevel::Info);
        assert_eq!(link.heard(at(6), || true), None);
        assert_eq!((link.lost(at(20)), link.pause()), (Loss::Plain, AGAIN));
        assert_eq!(link.opened(at(21)), LogLevel::Info);
        assert_eq!(link.heard(at(22), || true), None);
        // but no third one
        assert_eq!(link.lost(at(40)), Loss::ComesAndGoes);
        assert_eq!(link.opened(at(41)), LogLevel::Debug);
        assert_eq!(link.heard(at(101), || true), Some(0));
        // once it has stayed, it is as new
        assert_eq!(link.lost(at(110)), Loss::Plain);
        link.opened(at(111));
        link.heard(at(112), || true);
        assert_eq!(link.lost(at(120)), Loss::Plain);
        // nor where no UPS was heard, but something else
        for says in [false, true] {
            let mut link = Reopening::new(start);
            assert_eq!(link.lost(at(0)), Loss::Plain);
            link.opened(at(5));
            if says {
                link.heard(at(6), || false);
            }
            assert_eq!(link.lost(at(20)), Loss::ComesAndGoes);
        }
    }

    #[test]
    fn each_kind_of_link_has_its_own_advice() {
        for (address, advice, other) in [
            ("tcp://127.0.0.1:4001", "device server", "cable"),
            ("/dev/ttyS0", "use the port", "device server"),
            ("replay:/tmp/x", "until it stays", "device server"),
        ] {
            let said = comes_and_goes(&Address::parse(address).unwrap());
            assert!(said.contains(advice) && !said.contains(other), "{address}: {said}");
        }
        let usb = comes_and_goes(&Address::Usb(Box::default()));
        assert!(usb.contains("hub") && !usb.contains("device server"), "{usb}");
    }

    #[test]
    fn how_often_it_was_lost_is_said_in_words() {
        let said = [0, 1, 2].map(times_more);
        assert_eq!(said[0], "it was not lost again");
        assert!(said[1].contains("once more") && said[2].contains("2 times"), "{said:?}");
    }

    #[test]
    fn that_it_stays_again_is_said_once() {
        let start = Instant::now();
        let at = |seconds: u64| start + SECOND * u32::try_from(seconds).unwrap();
        let mut link = Reopening::new(start);
        assert_eq!((link.lost(at(0)), link.pause()), (Loss::Plain, AGAIN));
        assert_eq!(link.opened(at(1)), LogLevel::Info);
        assert_eq!((link.lost(at(1)), link.pause()), (Loss::ComesAndGoes, 2 * SECOND));
        assert_eq!(link.opened(at(3)), LogLevel::Debug);
        assert_eq!((link.lost(at(3)), link.pause()), (Loss::Known, 4 * SECOND));
        assert_eq!(link.opened(at(7)), LogLevel::Debug);
        assert_eq!(link.heard(at(8), || true), None);
        assert_eq!(link.heard(at(66), || true), None);
        assert_eq!(link.heard(at(67), || true), Some(1));
        assert_eq!(link.heard(at(68), || true), None);
        // the next loss is a new one
        assert_eq!((link.lost(at(70)), link.pause()), (Loss::Plain, AGAIN));
    }
}
