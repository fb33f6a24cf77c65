//! A device on a line with trouble, in virtual time, and a judge who knows the truth.
#![allow(dead_code, missing_docs)]

use qx::device::store::Change;
use qx::device::{Device, Event, Outcome};
use qx::line::exchange::Exchange;
use qx::options::Options;
use qx::vocabulary::moment::Moment;
use qx::vocabulary::variable::*;
use qx::wire::protocol::Protocol;
use simulator::knob::Knob;
use simulator::profile::Profile;
use simulator::script::Script;
use simulator::trouble::Trouble;
use simulator::ups::SimulatedUps;
use simulator::world::UnitOrder;
use std::time::Duration;
use testbed::exchange;
use testbed::judge::{Findings, TwinJudge};
use testbed::twin::Twin;

/// What happens in ten minutes: outages, a low battery, regulation, loads, and a command.
pub const DAY: &[(u64, &str)] = &[
    (60, "mains fail"),
    (85, "mains back"),
    (120, "load 47"),
    (160, "mains 190"),
    (200, "mains back"),
    (240, "mains fail"),
    (252, "charge 12"),
    (275, "charge 88"),
    (280, "mains back"),
    (320, "temperature 31.5"),
    (350, "mains fail"),
    (360, "mains back"),
    (400, "mains 241.5"),
    (440, "load 20"),
    (480, "mains back"),
    (500, "charge 100"),
    (520, "temperature 25"),
];
/// It begins again.
pub const CYCLE_S: u64 = 600;
/// Once in a cycle somebody toggles the beeper, where there is one to toggle.
const COMMAND_S: u64 = 560;

/// How fast a UPS answers.
#[derive(Clone, Copy, Debug)]
pub enum Pace {
    /// At once.
    Fast,
    /// After a tenth of a second, at 2400 baud.
    Slow,
}

/// What became of commands.
#[derive(Clone, Debug, Default)]
pub struct Commands {
    pub given: u64,
    /// Told as done, and the UPS never got it.
    pub lost: u64,
    /// Sent more than once.
    pub repeated: u64,
    /// What the UPS took for a command that nobody gave.
    pub unasked: u64,
}

/// A device, its UPS, and a twin of the device on a line without trouble.
pub struct Bench {
    pub ups: SimulatedUps,
    pub device: Device,
    pub now: Moment,
    pub commands: Commands,
    pub stale: Duration,
    pub exchanges: u64,
    pub polls: u64,
    pub ready: bool,
    pub claimed: Vec<&'static str>,
    judge: TwinJudge,
    twin: Twin,
    protocol: &'static Protocol,
    day: std::iter::Peekable<std::vec::IntoIter<(u64, &'static str)>>,
    cycle: u64,
    toggled: bool,
    /// Times the command that was given was sent, and arrived; what was told of it.
    pending: Option<Pending>,
}

/// A command on its way.
#[derive(Default)]
struct Pending {
    sent: u64,
    arrived: u64,
    told_done: bool,
}

impl Bench {
    /// A UPS that speaks `protocol`; the device is told so, or has to find it.
    pub fn new(
        protocol: &'static Protocol,
        seed: u64,
        trouble: impl FnOnce(&mut Trouble),
        pace: Pace,
        named: bool,
    ) -> Bench {
        let mut ups = SimulatedUps::new(protocol, Profile::default(), Trouble::new(seed), Script::default());
        trouble(&mut ups.trouble);
        let (latency, baud) = match pace {
            Pace::Fast => (Duration::from_millis(20), None),
            Pace::Slow => (Duration::from_millis(100), Some(2400)),
        };
        ups.profile.latency = latency;
        ups.profile.baud = baud;
        let options = Options { protocol: named.then(|| protocol.name.to_string()), ..Options::default() };
        let mut twin = Twin::new(protocol);
        // what is so is known before anybody asks
        for _ in 0..10 {
            twin.look(&ups, Moment::ZERO);
        }
        Bench {
            ups,
            device: Device::new(options),
            now: Moment::ZERO,
            commands: Commands::default(),
            stale: Duration::ZERO,
            exchanges: 0,
            polls: 0,
            ready: false,
            claimed: vec![],
            judge: TwinJudge::default(),
            twin,
            protocol,
            day: DAY.to_vec().into_iter().peekable(),
            cycle: 0,
            toggled: false,
            pending: None,
        }
    }

    pub fn found(&self) -> &Findings {
        &self.judge.found
    }

    /// Lets so many seconds pass.
    pub fn run(&mut self, time_s: u64) {
        let end = self.now + Duration::from_secs(time_s);
        let mut look = self.now;
        while self.now < end {
            if look <= self.now {
                self.step_world();
                self.step_truth();
                look = self.now + Duration::from_secs(1);
            }
            self.take_news();
            if let Some(exchange) = self.device.poll_exchange(self.now) {
                self.exchange(&exchange);
                self.judge();
            } else if !self.device.has_news() {
                let due = self.device.poll_timeout().unwrap_or(end).min(look);
                let until = due.max(self.now + Duration::from_millis(1)).min(end);
                if self.device.store().is_stale() || !self.ready {
                    self.stale += until - self.now;
                }
                self.now = until;
            }
        }
    }

    fn exchange(&mut self, exchange: &Exchange) {
        let began = self.now;
        let reply =
            exchange::exchange(exchange, &mut self.now, (false, false), &mut self.ups).unwrap_or_default();
        self.hear(exchange.is_command);
        self.exchanges += 1;
        let is_status = exchange.command == self.protocol.queries[0].wire(0);
        self.polls += u64::from(is_status);
        if !is_status {
            // what is asked seldom runs between the looks of the twin
            self.step_truth_at_once();
        }
        if self.device.store().is_stale() || !self.ready {
            self.stale += self.now - began;
        }
        self.device.handle_reply(reply, self.now);
    }

    /// What the UPS took for commands.
    fn hear(&mut self, is_command: bool) {
        let commands = || self.protocol.all_commands().filter(|command| command.name.contains('.'));
        let asks = |line: &str| self.protocol.queries.iter().any(|query| query.ask == line);
        let orders = |line: &&str| !asks(line) && commands().any(|command| command.read(line).is_some());
        let heard = self.ups.heard().filter(orders).count() as u64;
        match self.pending.as_mut().filter(|_| is_command) {
            Some(pending) => {
                pending.sent += 1;
                pending.arrived += heard;
            }
            None => self.commands.unasked += heard,
        }
        self.ups.forget_heard();
    }

    fn take_news(&mut self) {
        while let Some(event) = self.device.poll_event() {
            match event {
                Event::Ready => self.ready = true,
                Event::Detected(name, _) => self.claimed.push(name),
                Event::Answered(_, outcome) => {
                    if let Some(pending) = &mut self.pending {
                        pending.told_done = outcome == Outcome::Done;
                    }
                }
                _ => {}
            }
        }
    }

    fn step_world(&mut self) {
        let second = self.now.since_start().as_secs() % CYCLE_S;
        if self.now.since_start().as_secs() / CYCLE_S > self.cycle {
            self.cycle += 1;
            self.toggled = false;
            self.end_command();
            self.day = DAY.to_vec().into_iter().peekable();
            // what noise has switched off is switched on again
            if self.ups.world.countdown.is_some() {
                self.ups.world.obey(UnitOrder::OnOrStop);
            }
            if !self.ups.world.powered() {
                self.ups.world.obey(UnitOrder::OnOrStop);
            }
        }
        self.ups.advance(self.now);
        while let Some((_, knob)) = self.day.next_if(|(at, _)| *at <= second) {
            // what was so until now, and what is so from now on
            self.step_truth_at_once();
            self.ups.turn(Knob::parse(knob).expect("a knob"), self.now);
            self.step_truth_at_once();
        }
        let offers = self.device.store().commands().contains(&"beeper.toggle");
        if second >= COMMAND_S && !self.toggled && offers {
            self.toggled = true;
            self.commands.given += 1;
            self.pending = Some(Pending::default());
            self.device.instant_command(1, "beeper.toggle", None);
        }
    }

    fn end_command(&mut self) {
        if let Some(pending) = self.pending.take() {
            self.commands.lost += u64::from(pending.arrived == 0 && pending.told_done);
            self.commands.repeated += pending.sent.saturating_sub(1);
        }
    }

    fn step_truth_at_once(&mut self) {
        self.twin.look_at_once(&self.ups, self.now);
        self.learn();
    }

    fn step_truth(&mut self) {
        self.twin.look(&self.ups, self.now);
        self.learn();
    }

    fn learn(&mut self) {
        self.judge.learn(self.now, self.twin.said());
        self.judge.judge(self.now);
    }

    fn judge(&mut self) {
        let changes = self.device.take_changes();
        for change in changes {
            let (Change::Set(name) | Change::New(name)) = change else { continue };
            let Some(text) = self.device.store().text(&name).map(String::from) else { continue };
            if name == "ups.status" {
                self.judge.status(self.now, &text);
            } else if name != UPS_BEEPER_STATUS.name && !self.is_estimate(&name) {
                self.judge.value(self.now, &name, &text);
            }
        }
    }

    /// What the UPS does not say itself. (The beeper is left out: it is what commands change here.)
    fn is_estimate(&self, name: &str) -> bool {
        let estimates = [
            &BATTERY_CHARGE,
            &BATTERY_RUNTIME,
            &BATTERY_VOLTAGE_LOW,
            &BATTERY_VOLTAGE_HIGH,
            &EXPERIMENTAL_BATTERY_HEALTH,
            &EXPERIMENTAL_BATTERY_HEALTH_CONFIDENCE,
        ];
        let protocol = self.device.protocol().unwrap_or(self.protocol);
        let said = |var: &Var| protocol.queries.iter().any(|query| query.speaks_of(var));
        // where too little arrives, an estimate stands in for what could not be read
        estimates.iter().any(|var| var.name == name && (!said(var) || self.ups.trouble.noise > 0.01))
    }
}
