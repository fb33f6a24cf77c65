//! A session with orders from clients, a line that breaks and a process that is stopped, and a UPS that
//! says anything: every line that is no question belongs to an order, and no order is sent more often
//! than it may be tried.
//!
//! The first byte names the dialect, the second the options. Each further line is a reply (a dot: what a
//! good UPS says), or begins with `!`: `!kill`, `!gone`, `!back`, `!leap`, `!set NAME=VALUE`, or a command
//! with its parameter.
#![no_main]

use libfuzzer_sys::fuzz_target;
use qx::device::{Device, LinkChange, kill_steps};
use qx::line::exchange::Collector;
use qx::options::Options;
use qx::protocols;
use qx::vocabulary::flag::{Flag, Flags};
use qx::vocabulary::moment::Moment;
use qx::wire::protocol::Protocol;
use qx::wire::spelling;
use qxups_fuzz::{good_ups, is_question, said};
use std::time::Duration;

/// A command that kills the power is tried so often.
const TRIES: usize = 60;
const HOUR: Duration = Duration::from_secs(3600);

fuzz_target!(|bytes: &[u8]| {
    let [which, how, rest @ ..] = bytes else { return };
    let spoken = protocols::ALL[usize::from(*which) % protocols::ALL.len()];
    let mut ups = good_ups(spoken);
    let mut session = Session::new(spoken, *how);
    let mut lines = rest.split(|byte| *byte == b'\r').peekable();
    for _ in 0..300 {
        while session.device.poll_event().is_some() {}
        let _ = session.device.take_changes();
        while let Some(order) = lines.next_if(|line| line.first() == Some(&b'!')) {
            session.order(&String::from_utf8_lossy(&order[1..]));
        }
        let now = session.now;
        let Some(exchange) = session.device.poll_exchange(now) else {
            let due = session.device.poll_timeout();
            session.now = due.unwrap_or(now).max(now + Duration::from_millis(100));
            if session.is_down && lines.peek().is_none() {
                return;
            }
            continue;
        };
        assert!(!session.is_down, "asked on a line that is gone");
        session.allow(&exchange.command);
        let Some(reply) = lines.next() else { return };
        let reply = if reply == b"." { said(&mut ups, &exchange.command, now) } else { reply.to_vec() };
        let mut collector = Collector::new(&exchange);
        if !collector.take(&reply) && !reply.is_empty() {
            collector.take(b"\r");
        }
        session.now += Duration::from_millis(if reply.is_empty() { 1000 } else { 50 });
        session.device.handle_reply(collector.finish(Duration::from_millis(50)), session.now);
    }
});

struct Session {
    device: Device,
    spoken: &'static Protocol,
    now: Moment,
    is_down: bool,
    /// What was ordered, by the name of a command or variable, and how many lines it may still cost.
    ordered: Vec<(String, usize)>,
}

impl Session {
    fn new(spoken: &'static Protocol, how: u8) -> Session {
        let sdcommands = match how >> 1 & 3 {
            0 | 1 => vec![],
            2 => vec!["load.off".into()],
            _ => vec!["shutdown.reboot".into(), "shutdown.default".into()],
        };
        let options = Options {
            protocol: Some(spoken.name.into()),
            flags: Flags::default().with(Flag::Testing),
            stayoff: how & 1 == 1,
            sdcommands,
            ..Options::default()
        };
        Session { device: Device::new(options), spoken, now: Moment::ZERO, is_down: false, ordered: vec![] }
    }

    fn order(&mut self, text: &str) {
        match text {
            "kill" => {
                for step in kill_steps(self.device.options()) {
                    self.expect(&step.name, TRIES);
                }
                self.device.kill_power(1);
            }
            "gone" | "back" => {
                self.is_down = text == "gone";
                let change = if self.is_down { LinkChange::Gone } else { LinkChange::Back };
                self.device.handle_link(change, self.now);
            }
            "leap" => self.now += HOUR,
            _ => match text.strip_prefix("set ").and_then(|set| set.split_once('=')) {
                Some((name, value)) => {
                    self.expect(name, 1);
                    self.device.set(2, name, value);
                }
                None => {
                    let (name, parameter) = match text.split_once(' ') {
                        Some((name, parameter)) => (name, Some(parameter)),
                        None => (text, None),
                    };
                    let name = match name {
                        "beeper.off" => "beeper.disable",
                        "beeper.on" => "beeper.enable",
                        name => name,
                    };
                    self.expect(name, 1);
                    self.device.instant_command(3, name, parameter);
                }
            },
        }
    }

    /// From now on, this may be sent, in each of its spellings.
    fn expect(&mut self, name: &str, times: usize) {
        let spelt = |wire| spelling::steps(wire).count();
        let commands = self.spoken.commands_named(name).map(|command| {
            spelt(command.wire) + command.otherwise.iter().map(|wire| spelt(wire)).sum::<usize>()
        });
        let settings = self.spoken.all_settings().filter(|row| row.var.name.eq_ignore_ascii_case(name));
        let lines = commands.chain(settings.map(|setting| spelt(setting.wire))).max().unwrap_or(0);
        self.ordered.push((name.to_ascii_lowercase(), lines * times));
    }

    /// Panics unless this line is a question, or what an order costs.
    fn allow(&mut self, line: &[u8]) {
        if is_question(line) {
            return;
        }
        let plain = match self.spoken.codec {
            Some(codec) => (codec.unpack_question)(line).unwrap_or_default(),
            None => line.to_vec(),
        };
        let plain = String::from_utf8_lossy(&plain);
        let of_wire = |wire| spelling::steps(wire).any(|step| spelling::read(step, &plain, &[]).is_some());
        let spoken = self.spoken;
        let spells = |name: &str| {
            let mut commands = spoken.commands_named(name);
            let mut settings = spoken.all_settings().filter(|row| row.var.name.eq_ignore_ascii_case(name));
            commands.any(|row| of_wire(row.wire) || row.otherwise.iter().any(|wire| of_wire(wire)))
                || settings.any(|row| row.read(&plain).is_some() || of_wire(row.wire))
        };
        let paid = self.ordered.iter_mut().find(|(name, left)| *left > 0 && spells(name));
        match paid {
            Some((_, left)) => *left -= 1,
            None => panic!("sent {}, ordered {:?}", line.escape_ascii(), self.ordered),
        }
    }
}
