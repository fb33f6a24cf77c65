//! A simulated UPS: a world, a dialect, manners, troubles and a script. It does no I/O and is told
//! the time; its ends feed it bytes and take what it says.

use crate::knob::Knob;
use crate::personality::Personality;
use crate::readings::readings;
use crate::script::Script;
use crate::trouble::Trouble;
use crate::world::{Order, Test, World};
use qx::command::Command;
use qx::exchange::END;
use qx::protocol::Protocol;
use qx::query::{Meaning, Query};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// A line without an end is cut off at this length.
const LONGEST: usize = 256;
/// So many lines that were heard are kept.
const HEARD: usize = 4096;
/// A battery test without a time lasts so many seconds (quick test of most units).
const QUICK_TEST: f64 = 10.0;
/// A line that breaks by itself is back after so long.
const BREAK: Duration = Duration::from_secs(2);
/// Bytes written at once when they are paced.
const PACE: usize = 4;

/// A simulated UPS.
#[derive(Clone, Debug)]
pub struct SimulatedUps {
    /// The dialect it speaks.
    pub protocol: &'static Protocol,
    /// Its world.
    pub world: World,
    /// Its manners.
    pub personality: Personality,
    /// The troubles of its line.
    pub trouble: Trouble,
    script: Script,
    speed: f64,
    /// Real and simulated time when the speed was last changed.
    epoch: (Duration, Duration),
    bits: BTreeMap<usize, bool>,
    replies: BTreeMap<String, Vec<u8>>,
    input: Vec<u8>,
    output: VecDeque<(Duration, Vec<u8>)>,
    heard: VecDeque<String>,
    locked_up: bool,
    hang_up: Option<Duration>,
}

impl SimulatedUps {
    /// A UPS that speaks `protocol`.
    pub fn new(
        protocol: &'static Protocol,
        personality: Personality,
        trouble: Trouble,
        script: Script,
    ) -> SimulatedUps {
        SimulatedUps {
            protocol,
            world: World::default(),
            personality,
            trouble,
            script,
            speed: 1.0,
            epoch: (Duration::ZERO, Duration::ZERO),
            bits: BTreeMap::new(),
            replies: BTreeMap::new(),
            input: vec![],
            output: VecDeque::new(),
            heard: VecDeque::new(),
            locked_up: false,
            hang_up: None,
        }
    }

    /// Simulated time at the real time `now`.
    pub fn simulated(&self, now: Duration) -> Duration {
        self.epoch.1 + now.saturating_sub(self.epoch.0).mul_f64(self.speed)
    }

    /// Lets time pass: the world goes on, and the script is played.
    pub fn advance(&mut self, now: Duration) {
        let until = self.simulated(now);
        while let Some(due) = self.script.next_due().filter(|due| *due <= until) {
            self.world.advance(due);
            if let Some(knob) = self.script.take_due(due) {
                self.turn(knob, now);
            }
        }
        self.world.advance(until);
    }

    /// Turns a knob.
    pub fn turn(&mut self, knob: Knob, now: Duration) {
        let (world, manners) = (&mut self.world, &mut self.personality);
        match knob {
            Knob::Mains(volts) => {
                world.mains_volts = volts;
                if !world.mains_good() {
                    world.fault_volts = volts;
                }
            }
            Knob::MainsBack => world.mains_volts = world.rating.mains_volts,
            Knob::Frequency(hertz) => world.mains_hertz = hertz,
            Knob::Load(percent) => world.load_percent = percent,
            Knob::Charge(percent) => world.charge = percent / 100.0,
            Knob::Temperature(celsius) => world.temperature = celsius,
            Knob::Fault(on) => world.fault = on,
            Knob::Beeper(on) => world.beeper = on,
            Knob::Bit(place, Some(on)) => drop(self.bits.insert(place, on)),
            Knob::Bit(place, None) => drop(self.bits.remove(&place)),
            Knob::Dashes(name) => manners.does_not_know.push(name),
            Knob::Unknown(refusal) => manners.unknown = refusal,
            Knob::Refuse(refusal) => manners.refuses = refusal,
            Knob::Accept(text) => manners.accepts = text,
            Knob::Latency(latency) => manners.latency = latency,
            Knob::Baud(baud) => manners.baud = baud,
            Knob::Echo(on) => manners.echoes_line = on,
            Knob::Cell(on) => manners.per_cell = on,
            Knob::Silent(on) => manners.silent = on,
            Knob::Forget(question) => manners.ignorant_of.push(question),
            Knob::Lose(probability) => self.trouble.lose = probability,
            Knob::Garble(probability) => self.trouble.garble = probability,
            Knob::Double(probability) => self.trouble.double = probability,
            Knob::Break(probability) => self.trouble.hang_up = probability,
            Knob::Reply(question, Some(bytes)) => drop(self.replies.insert(question, bytes)),
            Knob::Reply(question, None) => drop(self.replies.remove(&question)),
            Knob::HangUp(time) => self.hang_up = Some(time),
            Knob::Speed(speed) => {
                self.epoch = (now, self.simulated(now));
                self.speed = speed;
            }
        }
    }

    /// Takes bytes from the line.
    pub fn receive(&mut self, bytes: &[u8], now: Duration) {
        self.advance(now);
        if self.personality.echoes_line {
            self.output.push_back((now, bytes.to_vec()));
        }
        for byte in bytes {
            match *byte {
                END => {
                    let line = String::from_utf8_lossy(&std::mem::take(&mut self.input)).into_owned();
                    self.hear(line, now);
                }
                byte if self.input.len() < LONGEST => self.input.push(byte),
                _ => {}
            }
        }
    }

    /// What it says now; each call gives what is due.
    pub fn poll_output(&mut self, now: Duration) -> Option<Vec<u8>> {
        let due = self.output.front().is_some_and(|(due, _)| *due <= now);
        due.then(|| self.output.pop_front()).flatten().map(|(_, bytes)| bytes)
    }

    /// When it wants to say something next.
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.output.front().map(|(due, _)| *due)
    }

    /// Whether the line is to be closed, and for how long.
    pub fn take_hang_up(&mut self) -> Option<Duration> {
        let hang_up = self.hang_up.take();
        if hang_up.is_some() {
            self.input.clear();
            self.output.clear();
        }
        hang_up
    }

    /// The lines it heard, the oldest first.
    pub fn heard(&self) -> impl Iterator<Item = &str> {
        self.heard.iter().map(String::as_str)
    }

    /// Forgets what it heard.
    pub fn forget_heard(&mut self) {
        self.heard.clear();
    }

    fn hear(&mut self, line: String, now: Duration) {
        if self.heard.len() == HEARD {
            self.heard.pop_front();
        }
        self.heard.push_back(line.clone());
        let manners = &self.personality;
        if manners.silent || self.locked_up || !self.world.alive() {
            return;
        }
        if manners.locks_up_on.as_deref() == Some(line.as_str()) {
            self.locked_up = true;
            return;
        }
        if let Some(reply) = self.reply(&line) {
            self.say(reply, line.len() + 1, now);
        }
    }

    /// What is said to a line, before its end and its troubles.
    fn reply(&mut self, line: &str) -> Option<Vec<u8>> {
        if let Some(bytes) = self.replies.get(line) {
            return Some(bytes.clone());
        }
        let ignorant = self.personality.ignorant_of.iter().any(|question| question == line);
        let query = self.protocol.queries.iter().copied().find(|query| query.ask == line && !ignorant);
        if let Some(query) = query {
            return Some(self.write(query));
        }
        let Some(order) = self.order(line).filter(|_| !ignorant) else {
            return self.personality.unknown.reply(line);
        };
        if let Some(refusal) = &self.personality.refuses {
            return refusal.reply(line);
        }
        self.world.obey(order);
        self.personality.accepts.as_ref().map(|text| text.as_bytes().to_vec())
    }

    fn write(&self, query: &Query) -> Vec<u8> {
        let mut reply = query.write(&readings(&self.world, &self.personality));
        if let Some(Meaning::Bits(rows)) = query.fields.last().map(|field| field.meaning) {
            for (place, on) in &self.bits {
                let at = reply.len() - rows.len() + place;
                if let Some(bit) = reply.get_mut(at) {
                    *bit = if *on { b'1' } else { b'0' };
                }
            }
        }
        reply
    }

    /// The order that a line is, by the same table that the driver writes it with. Of two commands
    /// that a line could be, it is the one that would be written so.
    fn order(&self, line: &str) -> Option<Order> {
        let spelt =
            |command: &&'static Command| command.read(line).is_some_and(|args| command.write(&args) == line);
        let command = self.protocol.all_commands().find(|command| spelt(command))?;
        let args = command.read(line)?;
        let seconds = f64::from;
        Some(match command.name {
            "beeper.toggle" => Order::ToggleBeeper,
            "load.off" => Order::Off,
            "load.on" | "shutdown.stop" => Order::OnOrStop,
            "shutdown.return" => Order::Return(seconds(args.shutdown), seconds(args.start)),
            "shutdown.stayoff" => Order::StayOff(seconds(args.shutdown)),
            "test.battery.start" => Order::Test(Test::For(seconds(args.given))),
            "test.battery.start.deep" => Order::Test(Test::UntilLow),
            "test.battery.start.quick" => Order::Test(Test::For(QUICK_TEST)),
            "test.battery.stop" => Order::StopTest,
            _ => return None,
        })
    }

    /// Says something to a line of so many bytes.
    fn say(&mut self, mut reply: Vec<u8>, heard: usize, now: Duration) {
        if !self.personality.no_end {
            reply.push(END);
        }
        if self.trouble.hangs_up() {
            self.hang_up = Some(BREAK);
            return;
        }
        let reply = self.trouble.befall(reply);
        let start = now + self.personality.latency;
        match self.personality.baud {
            None => self.output.push_back((start, reply)),
            Some(baud) => {
                let byte = Duration::from_secs_f64(10.0 / f64::from(baud.max(1)));
                // what was heard had to cross the line as well
                let mut due = start + byte * heard as u32;
                for chunk in reply.chunks(PACE) {
                    due += byte * chunk.len() as u32;
                    self.output.push_back((due, chunk.to_vec()));
                }
            }
        }
    }

    /// What there is to know about it, as lines `name value`.
    pub fn state(&self) -> String {
        let world = &self.world;
        format!(
            "protocol {}\nmains {:.1} V {:.1} Hz\noutput {:.1} V\nload {} %\ncharge {:.1} %\nbattery {:.2} V\non battery {}\nbattery low {}\npowered {}\ntest {:?}\ncountdown {:?}\nbeeper {}\nfault {}\nheard {}\n",
            self.protocol.name,
            world.mains_volts,
            world.mains_hertz,
            world.output_volts(),
            world.load_percent,
            100.0 * world.charge,
            world.battery_volts(),
            world.on_battery(),
            world.battery_low(),
            world.powered(),
            world.test,
            world.countdown,
            world.beeper,
            world.fault,
            self.heard.len(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use qx::protocols;

    fn ups(protocol: &'static Protocol) -> SimulatedUps {
        SimulatedUps::new(protocol, Personality::default(), Trouble::new(1), Script::default())
    }

    fn ask(ups: &mut SimulatedUps, line: &str, now: u64) -> Option<String> {
        let now = Duration::from_secs(now);
        ups.receive(format!("{line}\r").as_bytes(), now);
        let mut reply = vec![];
        while let Some(due) = ups.poll_timeout() {
            reply.extend(ups.poll_output(due)?);
        }
        (!reply.is_empty()).then(|| String::from_utf8_lossy(&reply).into_owned())
    }

    #[test]
    fn every_dialect_answers_its_questions_and_obeys() {
        for protocol in protocols::ALL {
            let mut ups = ups(protocol);
            for query in protocol.queries {
                let reply = ask(&mut ups, query.ask, 1).unwrap();
                assert!(
                    query.read(reply.trim_end_matches('\r').as_bytes()).unwrap().odd.is_none(),
                    "{reply}"
                );
            }
            assert_eq!(ask(&mut ups, "ZZ", 1), None);
            assert_eq!(ask(&mut ups, "Q", 1), None);
            assert!(!ups.world.beeper);
            ask(&mut ups, "S.5R0003", 2);
            assert!(ups.world.countdown.is_some());
            ask(&mut ups, "C", 3);
            assert!(ups.world.countdown.is_none());
            ask(&mut ups, "S.5R0000", 4);
            ups.advance(Duration::from_secs(3600));
            assert!(!ups.world.powered());
            ask(&mut ups, "C", 3601);
            assert!(ups.world.powered());
            ask(&mut ups, "T02", 3602);
            ups.advance(Duration::from_secs(3610));
            assert!(ups.world.on_battery());
            ask(&mut ups, "CT", 3611);
            assert!(ups.world.test.is_none());
        }
    }

    #[test]
    fn knobs_change_what_is_said() {
        let mut ups = ups(&protocols::MEGATEC);
        let turn = |ups: &mut SimulatedUps, text: &str| ups.turn(Knob::parse(text).unwrap(), Duration::ZERO);
        for text in ["mains fail", "load 42", "dashes temperature", "bit 7 off", "cell on"] {
            turn(&mut ups, text);
        }
        assert_eq!(ask(&mut ups, "Q1", 0).unwrap(), "(000.0 000.0 230.0 042 00.0 2.13 --.- 10001000\r");
        turn(&mut ups, "reply Q1 \"(x\"");
        assert_eq!(ask(&mut ups, "Q1", 0).unwrap(), "(x\r");
        turn(&mut ups, "unknown echo");
        assert_eq!(ask(&mut ups, "QS", 0).unwrap(), "QS\r");
        turn(&mut ups, "refuse (NAK");
        assert_eq!(ask(&mut ups, "Q", 0).unwrap(), "(NAK\r");
        turn(&mut ups, "echo on");
        assert_eq!(ask(&mut ups, "F", 0).unwrap(), "F\r#230.0 003 24.00 50.0\r");
        turn(&mut ups, "silent on");
        turn(&mut ups, "echo off");
        assert_eq!(ask(&mut ups, "F", 0), None);
        assert_eq!(ups.heard().last(), Some("F"));
    }

    #[test]
    fn a_line_may_break() {
        let mut ups = ups(&protocols::MEGATEC);
        ups.turn(Knob::Break(1.0), Duration::ZERO);
        assert_eq!(ask(&mut ups, "Q1", 0), None);
        assert_eq!(ups.take_hang_up(), Some(BREAK));
    }

    #[test]
    fn bytes_are_paced() {
        let mut ups = ups(&protocols::MEGATEC);
        ups.personality.baud = Some(2400);
        ups.personality.latency = Duration::ZERO;
        ups.receive(b"Q1\r", Duration::ZERO);
        let mut last = Duration::ZERO;
        while let Some(due) = ups.poll_timeout() {
            last = due;
            ups.poll_output(due);
        }
        // 3 bytes of the question and 47 of the reply, 10 bits each
        assert!((last.as_secs_f64() - 500.0 / 2400.0).abs() < 0.001, "{last:?}");
    }

    #[test]
    fn time_may_run_faster() {
        let script = Script::parse("at 100s mains fail").unwrap();
        let mut ups = SimulatedUps::new(&protocols::Q1, Personality::default(), Trouble::new(1), script);
        ups.turn(Knob::Speed(100.0), Duration::ZERO);
        ups.advance(Duration::from_millis(990));
        assert!(!ups.world.on_battery());
        ups.advance(Duration::from_millis(1010));
        assert!(ups.world.on_battery());
    }
}
