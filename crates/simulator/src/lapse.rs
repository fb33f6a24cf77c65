//! Time lapse: a device and a simulated UPS on a line of their own, with one clock for both, which goes as fast as
//! the viewer wants. Bytes have their moments as on a real line.

use crate::ups::SimulatedUps;
use qx::device::Device;
use qx::line::exchange::{Collector, END, Exchange, LATE_KEPT, Reply, WHOLE};
use qx::vocabulary::moment::Moment;
use std::time::Duration;

/// A device, the UPS that it watches, and their clock.
pub struct Lapse {
    /// The device.
    pub device: Device,
    /// The UPS.
    pub ups: SimulatedUps,
    now: Moment,
}

impl Lapse {
    /// At the beginning of their time.
    pub fn new(device: Device, ups: SimulatedUps) -> Lapse {
        Lapse { device, ups, now: Moment::ZERO }
    }

    /// The time of both.
    pub fn now(&self) -> Moment {
        self.now
    }

    /// Goes on by one exchange, or, while none is due, to where one is; false once it is `until`. The last exchange
    /// may end later than that.
    pub fn step(&mut self, until: Moment) -> bool {
        if self.now >= until {
            return false;
        }
        if let Some(exchange) = self.device.poll_exchange(self.now) {
            let reply = self.exchange(&exchange);
            self.device.handle_reply(reply, self.now);
        } else if !self.device.has_news() {
            let due = self.device.poll_timeout().unwrap_or(until);
            self.now = due.max(self.now + Duration::from_millis(1)).min(until);
        }
        self.ups.advance(self.now);
        true
    }

    /// What comes next, if it comes until then.
    fn heard(&mut self, until: Moment) -> Option<Vec<u8>> {
        let due = self.ups.poll_timeout().filter(|due| *due <= until)?;
        self.now = due.max(self.now);
        self.ups.poll_output(due)
    }

    fn exchange(&mut self, exchange: &Exchange) -> Reply {
        let mut late = vec![];
        if exchange.settle {
            let end = self.now + exchange.quiet_within();
            while self.now < end {
                let quiet = (self.now + exchange.quiet_after(late.last().copied())).min(end);
                match self.heard(quiet) {
                    Some(bytes) => late.extend(bytes),
                    None => {
                        self.now = quiet;
                        break;
                    }
                }
            }
        }
        while let Some(bytes) = self.heard(self.now) {
            late.extend(bytes);
        }
        let stray = !late.is_empty();
        late.truncate(LATE_KEPT);
        let sent = self.now;
        self.ups.receive(&[exchange.command.as_slice(), &[END]].concat(), sent);
        let mut collector = Collector::new(exchange);
        let (mut deadline, mut latency) = (sent + exchange.patience, None);
        let (mut last, mut gap) = (sent, Duration::ZERO);
        while let Some(bytes) = self.heard(deadline) {
            let complete = collector.take(&bytes);
            if collector.is_silent() {
                continue;
            }
            if latency.is_some() {
                gap = gap.max(self.now - last);
            }
            last = self.now;
            latency.get_or_insert(self.now - sent);
            if complete {
                return Reply { stray, late, gap, ..collector.finish(latency.unwrap_or_default()) };
            }
            let end = sent + latency.unwrap_or_default() + WHOLE + exchange.patience;
            deadline = (self.now + collector.wait(exchange)).min(end);
        }
        self.now = deadline;
        Reply { stray, late, gap, ..collector.finish(latency.unwrap_or_default()) }
    }
}
