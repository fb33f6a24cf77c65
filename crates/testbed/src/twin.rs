//! What a driver reads of a UPS when nothing goes wrong on the line.

use qx::device::{Device, LinkChange};
use qx::line::exchange::{Collector, END};
use qx::options::Options;
use qx::vocabulary::moment::Moment;
use qx::wire::protocol::Protocol;
use simulator::trouble::Trouble;
use simulator::ups::SimulatedUps;
use std::time::Duration;

/// What a device reads of the same UPS when nothing goes wrong.
pub struct Twin {
    pub device: Device,
}

impl Twin {
    /// A twin of a device that was told the dialect.
    pub fn new(protocol: &'static Protocol) -> Twin {
        let pollinterval = Duration::from_secs(1);
        let options = Options {
            protocol: Some(protocol.name.into()),
            pollinterval,
            pollfreq: Duration::from_secs(10),
            ..Options::default()
        };
        Twin { device: Device::new(options) }
    }

    /// Asks what is due, of a copy, which forgets it.
    pub fn look(&mut self, ups: &SimulatedUps, now: Moment) {
        let mut copy = None;
        while self.device.poll_event().is_some() {}
        while let Some(exchange) = self.device.poll_exchange(now) {
            let ups = copy.get_or_insert_with(|| {
                let mut copy = ups.clone();
                copy.trouble = Trouble::new(0);
                copy.profile.latency = Duration::ZERO;
                copy.profile.baud = None;
                while copy.poll_timeout().is_some_and(|due| copy.poll_output(due).is_some()) {}
                // a line that was begun before is ended
                copy.receive(&[END], now);
                while copy.poll_timeout().is_some_and(|due| copy.poll_output(due).is_some()) {}
                copy
            });
            ups.receive(&[exchange.command.as_slice(), &[END]].concat(), now);
            let mut collector = Collector::new(&exchange);
            while let Some(due) = ups.poll_timeout() {
                collector.take(&ups.poll_output(due).unwrap_or_default());
            }
            self.device.handle_reply(collector.finish(Duration::from_millis(1)), now);
            while self.device.poll_event().is_some() {}
        }
        self.device.take_changes();
    }

    /// Asks everything that may have changed.
    pub fn look_at_once(&mut self, ups: &SimulatedUps, now: Moment) {
        self.device.handle_link(LinkChange::Back, now);
        // what is found is adopted between two questions
        self.look(ups, now);
        self.look(ups, now);
    }

    /// What it would publish.
    pub fn said(&self) -> impl Iterator<Item = (&str, &str)> {
        self.device.store().entries().map(|(name, entry)| (name, entry.text()))
    }
}
