//! A device and a UPS with a wire between them, in virtual time: each byte has its moment, late ones run
//! into the next question, as on a real line.

use crate::exchange::Far;
use qx::device::{Device, Event};
use qx::line::exchange::{Exchange, Reply};
use qx::options::Options;
use qx::vocabulary::moment::Moment;
use simulator::ups::SimulatedUps;
use std::collections::VecDeque;
use std::time::Duration;

/// What arrives, and when.
pub type TimedBytes = VecDeque<(Moment, Vec<u8>)>;

/// The other end: what it says to a command (with its end), from now on.
pub type WireUps<'a> = dyn FnMut(&[u8], Moment) -> Vec<(Moment, Vec<u8>)> + 'a;

/// What a UPS says, on its way.
struct Answering<'a, 'u> {
    arrivals: &'a mut TimedBytes,
    ups: &'a mut WireUps<'u>,
}

impl Far for Answering<'_, '_> {
    fn send(&mut self, command: &[u8], now: Moment) {
        self.arrivals.extend((self.ups)(command, now));
        self.arrivals.make_contiguous().sort_by_key(|(due, _)| *due);
    }

    fn next(&mut self, until: Moment) -> Option<(Moment, Option<Vec<u8>>)> {
        let due = self.arrivals.front().is_some_and(|(due, _)| *due <= until);
        let (due, bytes) = due.then(|| self.arrivals.pop_front()).flatten()?;
        Some((due, Some(bytes)))
    }
}

/// One exchange that was made.
pub struct Made {
    pub question: Vec<u8>,
    /// The reply, or nothing.
    pub line: Option<Vec<u8>>,
    /// How long silence would have been waited for.
    pub patience: Duration,
    /// When it was asked.
    pub at: Moment,
}

pub struct Wire {
    pub device: Device,
    pub now: Moment,
    pub made: Vec<Made>,
    pub events: Vec<(Moment, Event)>,
    /// Exchanges and time when the dialect was found.
    pub detected: Option<(usize, Moment)>,
    /// Behind a converter, which is read empty after each silence.
    pub converter: bool,
    arrivals: TimedBytes,
}

impl Wire {
    pub fn new(options: Options) -> Wire {
        Wire {
            device: Device::new(options),
            now: Moment::ZERO,
            made: vec![],
            events: vec![],
            detected: None,
            converter: false,
            arrivals: VecDeque::new(),
        }
    }

    /// Lets time pass until `until`, or until an event makes `enough` say so.
    pub fn run(&mut self, until: Moment, ups: &mut WireUps, enough: impl Fn(&Event) -> bool) -> bool {
        while self.now < until {
            while let Some(event) = self.device.poll_event() {
                let done = enough(&event);
                if let Event::Detected(..) = event {
                    self.detected = Some((self.made.len(), self.now));
                }
                self.events.push((self.now, event));
                if done {
                    return true;
                }
            }
            if let Some(exchange) = self.device.poll_exchange(self.now) {
                let at = self.now;
                let reply = self.exchange(&exchange, ups);
                let (question, patience) = (exchange.command, exchange.patience);
                self.made.push(Made { question, line: reply.line.clone(), patience, at });
                self.device.handle_reply(reply, self.now);
            } else if !self.device.has_news() {
                let due = self.device.poll_timeout().unwrap_or(until);
                self.now = due.max(self.now + Duration::from_millis(1)).min(until);
            }
        }
        false
    }

    fn exchange(&mut self, exchange: &Exchange, ups: &mut WireUps) -> Reply {
        let after_silence = self.made.last().is_none_or(|made| made.line.is_none());
        let mut far = Answering { arrivals: &mut self.arrivals, ups };
        let unsettled = (self.converter && after_silence, self.converter);
        crate::exchange::exchange(exchange, &mut self.now, unsettled, &mut far).unwrap_or_default()
    }

    /// The dialect that it takes the UPS for.
    pub fn claim(&self) -> Option<&'static str> {
        self.device.protocol().map(|protocol| protocol.name)
    }

    /// What was said, for people.
    pub fn talk(&self) -> String {
        let shown = |made: &Made| {
            let line = made.line.as_deref().unwrap_or(b"-");
            format!(
                "{:.2} {} > {}",
                made.at.since_start().as_secs_f64(),
                made.question.escape_ascii(),
                line.escape_ascii()
            )
        };
        self.made.iter().map(shown).collect::<Vec<_>>().join("\n")
    }

    pub fn questions(&self) -> Vec<String> {
        self.made.iter().map(|made| String::from_utf8_lossy(&made.question).into_owned()).collect()
    }
}

/// What a simulated UPS says to a command.
pub fn say(ups: &mut SimulatedUps, command: &[u8], now: Moment) -> Vec<(Moment, Vec<u8>)> {
    ups.receive(command, now);
    let mut said = vec![];
    while let Some(due) = ups.poll_timeout() {
        said.extend(ups.poll_output(due).map(|bytes| (due, bytes)));
    }
    said
}

/// Families and models of a dialect that differ.
pub fn families(protocol: &str) -> Vec<Option<&'static str>> {
    let names: &[&str] = match protocol {
        "voltronic" => &["P00", "P01", "P02", "P03", "P08", "P09", "P10", "P13", "P14", "P31", "P99"],
        "voltronic-qs" => &["PM-V", "PM-H"],
        "voltronic-qs-hex" => &["PM-P", "PM-T"],
        "bestups" => &["AX1", "FOR", "PRO", "PR2", "320", "620"],
        "masterguard" => &["A700", "A1000", "A3000-19", "E60", "E200"],
        _ => return vec![None],
    };
    names.iter().map(|name| Some(*name)).collect()
}

/// Whether it may be claimed that a UPS of the dialect `true_one` speaks `claim`.
pub fn may_be_claimed(true_one: &str, unknown: &str, claim: &str) -> bool {
    let plain: &[&str] = match true_one {
        "megatec" | "zinto" | "innovart31" | "q2" | "q6" | "bestups" | "mecer" => &["q1", "megatec"],
        "q1" => &["megatec"],
        "voltronic-qs" => &["mustek"],
        _ => &[],
    };
    // by the word (NAK a megatec says that it is a mecer: NUT takes it for one as well
    let by_word = unknown == "(NAK" && claim == "mecer" && plain.contains(&"megatec");
    claim == true_one || plain.contains(&claim) || by_word
}
