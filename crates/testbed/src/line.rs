//! A device and a pretended UPS in virtual time: minutes pass in milliseconds.

use qx::device::{Device, Event, LinkChange};
use qx::line::exchange::{Collector, Exchange};
use qx::options::Options;
use qx::vocabulary::moment::Moment;
use std::time::Duration;

/// What comes back to a command: bytes as on the wire, with their ends; nothing for silence.
pub type LineUps<'a> = dyn FnMut(&str, Moment) -> Vec<u8> + 'a;

/// The same for bytes.
pub type RawUps<'a> = dyn FnMut(&[u8], Moment) -> Vec<u8> + 'a;

pub struct Line {
    pub device: Device,
    pub now: Moment,
    pub latency: Duration,
    pub asked: Vec<(Moment, String)>,
    pub events: Vec<(Moment, Event)>,
}

impl Line {
    pub fn new(options: Options) -> Line {
        Line {
            device: Device::new(options),
            now: Moment::ZERO,
            latency: Duration::from_millis(30),
            asked: vec![],
            events: vec![],
        }
    }

    /// Lets time pass until `until`, or until an event makes `enough` say so.
    pub fn run(&mut self, until: Moment, ups: &mut LineUps, enough: impl Fn(&Event) -> bool) -> bool {
        self.run_raw(until, &mut |ask, now| ups(&String::from_utf8_lossy(ask), now), enough)
    }

    /// The same with a UPS that takes bytes.
    pub fn run_raw(&mut self, until: Moment, ups: &mut RawUps, enough: impl Fn(&Event) -> bool) -> bool {
        while self.now < until {
            while let Some(event) = self.device.poll_event() {
                let done = enough(&event);
                self.events.push((self.now, event));
                if done {
                    return true;
                }
            }
            if let Some(exchange) = self.device.poll_exchange(self.now) {
                self.exchange(&exchange, ups);
            } else if !self.device.has_news() {
                let due = self.device.poll_timeout().unwrap_or(until);
                self.now = due.max(self.now + Duration::from_millis(1)).min(until);
            }
        }
        false
    }

    fn exchange(&mut self, exchange: &Exchange, ups: &mut RawUps) {
        let command = String::from_utf8_lossy(&exchange.command).into_owned();
        let bytes = ups(&exchange.command, self.now);
        self.asked.push((self.now, command));
        let mut collector = Collector::new(exchange);
        let complete = collector.take(&bytes);
        self.now += match (bytes.is_empty(), complete) {
            (true, _) => exchange.patience,
            (false, true) => self.latency,
            (false, false) => self.latency + collector.wait(exchange),
        };
        self.device.handle_reply(collector.finish(self.latency), self.now);
    }

    pub fn link(&mut self, change: LinkChange) {
        self.device.handle_link(change, self.now);
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.device.store().text(name)
    }

    pub fn questions(&self) -> Vec<&str> {
        self.asked.iter().map(|(_, ask)| ask.as_str()).collect()
    }
}

pub fn seconds(count: u64) -> Moment {
    Moment::after_start(Duration::from_secs(count))
}

/// So long.
pub fn lasting(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A reply with its end.
pub fn ended(reply: &[u8]) -> Vec<u8> {
    [reply, b"\r"].concat()
}
