//! Mains, UPSes, hosts, and the process.

use std::collections::BTreeMap;
use std::time::Duration;

use protect::*;

use super::Dice;
use super::story::{Happening, Story};

pub const POLL: u64 = 5;

#[derive(Debug, Clone)]
pub struct Ups {
    pub name: String,
    pub circuit: usize,
    pub full: f64,
    pub energy: f64,
    pub low: f64,
    pub recharge: f64,
    pub says_charge: bool,
    pub says_runtime: bool,
    pub output: bool,
    pub cut_at: Option<u64>,
    pub back_at: Option<u64>,
    pub on_delay: u64,
    pub cycles: bool,
    pub refuses: u32,
    pub confirms: bool,
    pub proves: bool,
    pub connected: bool,
    pub poll: u64,
    pub unit: u32,
    pub test_until: u64,
    pub reading: Option<(u64, PowerView)>,
    pub was_cut: bool,
    pub ever_refuses: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostPower {
    On,
    Delay(u64),
    Halting(u64),
    Off,
    Booting(u64),
}

#[derive(Debug, Clone)]
pub struct Host {
    pub name: String,
    pub group: usize,
    pub stage: usize,
    pub power: HostPower,
    pub fed: bool,
    pub final_delay: u64,
    pub halt: u64,
    pub boot: u64,
    pub obeys: bool,
    pub logs_in: bool,
    pub wakeable: bool,
    pub restores: bool,
    pub by_hand: bool,
    pub off_since: u64,
    pub cycled_since_off: bool,
    /// It went down by itself, by what the UPS said.
    pub alone: bool,
}

/// The process, and the disk that it writes to.
#[derive(Debug, Clone, Default)]
pub struct Process {
    pub machine: Option<Machine>,
    pub starts_at: Option<u64>,
    pub paused_until: u64,
    pub signals: BTreeMap<(String, String), StageSignal>,
    pub last_logins: BTreeMap<(String, String), Vec<StageLogin>>,
    pub outcomes: Vec<(u64, ProtectEvent)>,
    pub ends_at: Option<u64>,
    pub die_after: Option<u32>,
    pub down_for: u64,
}

#[derive(Debug, Clone)]
pub struct Site {
    pub t: u64,
    pub mains: Vec<bool>,
    pub upses: Vec<Ups>,
    pub hosts: Vec<Host>,
    pub policy: Policy,
    /// The power of the host on which the process runs; `hosts` has the others.
    pub server: Option<Host>,
    pub process: Process,
    pub boot: u64,
    pub boot_t: u64,
    pub wall_shift: i64,
    pub disk: Option<String>,
    pub flag: Vec<String>,
    pub dice: Dice,
    pub faults: Vec<String>,
    pub log: Vec<String>,
    pub last_short: Vec<u64>,
    pub steady_since: Vec<Option<u64>>,
    pub in_course: Vec<bool>,
    pub failing_commands: u32,
    pub counts: BTreeMap<&'static str, u32>,
}

impl Site {
    pub fn note(&mut self, text: impl Into<String>) {
        let line = format!("{:>6} {}", self.t, text.into());
        self.log.push(line);
    }

    pub fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    pub fn fault(&mut self, text: impl Into<String>) {
        let text = text.into();
        self.note(format!("FAULT {text}"));
        self.faults.push(format!("{} {text}", self.t));
    }

    fn ups(&self, name: &str) -> usize {
        self.upses.iter().position(|ups| ups.name == name).unwrap()
    }

    fn supplies(&self, group: usize, holds: impl Fn(&Ups) -> bool) -> u32 {
        let feeds = &self.policy.groups[group].feeds;
        feeds.iter().filter(|feed| holds(&self.upses[self.ups(&feed.ups)])).map(|feed| feed.supplies).sum()
    }

    pub fn is_fed(&self, group: usize) -> bool {
        self.supplies(group, |ups| ups.output) >= self.policy.groups[group].need
    }

    pub fn is_short(&self, group: usize) -> bool {
        self.supplies(group, |ups| self.mains[ups.circuit] && ups.output) < self.policy.groups[group].need
    }

    pub fn now(&self) -> Duration {
        Duration::from_secs(self.t - self.boot_t)
    }

    pub fn step(&mut self) {
        self.t += 1;
        self.physics();
        for group in 0..self.policy.groups.len() {
            if self.is_short(group) {
                self.last_short[group] = self.t;
                self.steady_since[group] = None;
            } else {
                self.steady_since[group].get_or_insert(self.t);
            }
        }
        self.hosts_step();
        self.read_upses();
        self.process_step();
    }

    fn physics(&mut self) {
        for at in 0..self.upses.len() {
            let (t, mains) = (self.t, self.mains[self.upses[at].circuit]);
            let mut cut = None;
            let ups = &mut self.upses[at];
            if mains {
                ups.energy = (ups.energy + ups.recharge).min(ups.full);
            } else if ups.output {
                ups.energy -= 1.0;
                if ups.energy <= 0.0 {
                    ups.output = false;
                    cut = Some("empty");
                    ups.cut_at = None;
                }
            }
            if ups.cut_at.is_some_and(|cut_at| t >= cut_at) {
                ups.cut_at = None;
                if mains && !ups.cycles {
                    cut = Some("stays on");
                } else if ups.output {
                    ups.output = false;
                    ups.was_cut = true;
                    cut = Some("order");
                }
            }
            if ups.output || !mains {
                ups.back_at = None;
            } else {
                let back = *ups.back_at.get_or_insert(t + ups.on_delay);
                ups.output = t >= back;
            }
            if let Some(how) = cut {
                let name = self.upses[at].name.clone();
                self.note(format!("UPS {name}: {how}"));
                self.after_cut(how == "order");
            } else {
                self.after_cut(false);
            }
        }
    }

    /// Who loses its power, and who gets it back.
    fn after_cut(&mut self, by_order: bool) {
        let fed: Vec<bool> = (0..self.policy.groups.len()).map(|group| self.is_fed(group)).collect();
        let t = self.t;
        let mut faults = vec![];
        let (mut cuts, mut crashes) = (0, 0);
        for host in self.hosts.iter_mut().chain(self.server.as_mut()) {
            let now_fed = fed[host.group];
            if host.fed && !now_fed {
                if host.power != HostPower::Off {
                    if by_order && host.obeys && !host.by_hand {
                        faults.push(format!("load cut under host {} ({:?})", host.name, host.power));
                    }
                    crashes += 1;
                    host.power = HostPower::Off;
                    host.off_since = t;
                }
                if by_order {
                    cuts += 1;
                }
                host.by_hand = false;
            }
            if !host.fed && now_fed {
                host.cycled_since_off = true;
                if host.restores && host.power == HostPower::Off {
                    host.power = HostPower::Booting(t + host.boot);
                }
            }
            host.fed = now_fed;
        }
        for _ in 0..cuts {
            self.count("hosts whose load was cut by order");
        }
        for _ in 0..crashes {
            self.count("hosts that crashed");
        }
        faults.into_iter().for_each(|fault| self.fault(fault));
        if self.server.as_ref().is_some_and(|server| server.power == HostPower::Off)
            && self.process.machine.is_some()
        {
            self.process = Process::default();
        }
    }

    fn hosts_step(&mut self) {
        let t = self.t;
        for at in 0..self.hosts.len() {
            let host = self.hosts[at].clone();
            let serving = self.process.machine.is_some() && t >= self.process.paused_until;
            let key = self.key(&host);
            let told = serving && self.process.signals.contains_key(&key);
            let low = self.really_low(host.group);
            let next = match host.power {
                HostPower::On if host.obeys && (told || low) && (t + at as u64) % POLL == 0 => {
                    HostPower::Delay(t + host.final_delay)
                }
                HostPower::Delay(until) if t >= until => HostPower::Halting(t + host.halt),
                HostPower::Halting(until) if t >= until => HostPower::Off,
                HostPower::Booting(until) if t >= until => HostPower::On,
                same => same,
            };
            if next != host.power {
                self.note(format!(
                    "host {}: {next:?}{}",
                    host.name,
                    if low && !told { " by itself" } else { "" }
                ));
                let host = &mut self.hosts[at];
                host.power = next;
                match next {
                    HostPower::Off => {
                        (host.off_since, host.cycled_since_off, host.by_hand) = (t, false, false);
                        self.count("hosts that went down in order");
                    }
                    HostPower::Delay(_) => host.alone = !told,
                    HostPower::On => self.count("hosts that came back"),
                    _ => {}
                }
            }
        }
        self.server_step();
    }

    fn server_step(&mut self) {
        let t = self.t;
        let Some(server) = self.server.as_mut() else { return };
        match server.power {
            HostPower::Halting(until) if t >= until => {
                (server.power, server.off_since, server.cycled_since_off) = (HostPower::Off, t, false);
                self.process = Process::default();
                self.note("server: off");
                self.count("the server went down in order");
                let delays =
                    self.policy.loads.iter().filter(|load| self.flag.contains(&load.ups)).map(load_delay);
                let delay = delays.min().unwrap_or(60);
                for ups in self.flag.clone() {
                    self.note(format!("hook: order to {ups}"));
                    let at = self.ups(&ups);
                    let unit = &mut self.upses[at];
                    unit.refuses = unit.refuses.saturating_sub(3);
                    if unit.connected && unit.refuses == 0 && (unit.output || unit.energy > 0.0) {
                        unit.cut_at = Some(t + delay);
                    }
                }
            }
            HostPower::Booting(until) if t >= until => {
                server.power = HostPower::On;
                self.boot += 1;
                self.boot_t = t;
                self.process = Process { starts_at: Some(t + 2), ..Process::default() };
                self.note("server: booted");
                self.count("the server came back");
            }
            _ => {}
        }
    }

    pub fn key(&self, host: &Host) -> (String, String) {
        let plan = &self.policy.groups[host.group];
        (plan.name.clone(), plan.stages[host.stage].name.clone())
    }

    /// What upsmon on a host calls critical, by what the UPSes say themselves.
    fn really_low(&self, group: usize) -> bool {
        let good = |ups: &Ups| {
            ups.reading.as_ref().is_none_or(|(_, view)| !(view.words.on_battery && view.words.low_battery))
        };
        let serving = self.process.machine.is_some() && self.t >= self.process.paused_until;
        serving && self.supplies(group, good) < self.policy.groups[group].need
    }

    fn read_upses(&mut self) {
        let t = self.t;
        for at in 0..self.upses.len() {
            let mains = self.mains[self.upses[at].circuit];
            let now = self.now();
            let ups = &mut self.upses[at];
            if !ups.connected || t % ups.poll != 0 || (!mains && !ups.output) {
                continue;
            }
            let testing = mains && t < ups.test_until;
            let words = PowerWords {
                online: mains && !testing,
                on_battery: !mains || testing,
                low_battery: ups.energy <= ups.low,
                forced: false,
                testing,
                off: !ups.output,
            };
            let view = PowerView {
                unit: Some(format!("{}", ups.unit)),
                fresh: true,
                read_at: now,
                words,
                input_alive: None,
                charge: ups.says_charge.then_some(100.0 * ups.energy / ups.full),
                runtime: ups.says_runtime.then(|| Duration::from_secs(ups.energy.max(0.0) as u64)),
                runtime_confidence: 1.0,
                temperature: None,
                failing: false,
                will_switch_off: ups.proves.then_some(ups.cut_at.is_some()),
            };
            ups.reading = Some((t, view));
        }
    }

    fn start_process(&mut self) {
        let text = self.disk.clone().unwrap_or_default();
        let (record, fault) = ProtectRecord::read(&text);
        if let Some(fault) = fault {
            self.fault(format!("record: {fault}\n{text}"));
        }
        if record.to_text() != text && !text.is_empty() {
            self.fault("the record is another one when it is written again");
        }
        let wall_s = (1_700_000_000 + self.t as i64 + self.wall_shift) as u64;
        let start = Start { now: self.now(), boot: format!("boot {}", self.boot), wall_s };
        self.note("process: starts");
        self.count("starts of the process");
        let (machine, actions) = Machine::new(self.policy.clone(), &record, &start);
        let die_after = self.process.die_after.take();
        let down_for = self.process.down_for;
        self.process = Process { machine: Some(machine), die_after, down_for, ..Process::default() };
        self.act(actions);
    }

    /// Between the order and the shutdown of its host nothing can help a process that is away for long.
    pub fn is_away(&mut self, time: u64) {
        let pending = self.upses.iter().any(|ups| ups.cut_at.is_some());
        if let Some(server) =
            self.server.as_mut().filter(|server| pending && time > 12 && server.power == HostPower::On)
        {
            server.by_hand = true;
        }
    }

    pub fn kill(&mut self, down_for: u64) {
        if self.process.machine.is_some() {
            self.note(format!("process: killed, {down_for} s"));
            self.is_away(down_for);
            self.process = Process { starts_at: Some(self.t + down_for), ..Process::default() };
        }
    }

    fn process_step(&mut self) {
        let t = self.t;
        if self.process.ends_at.is_some_and(|at| t >= at) {
            self.process = Process::default();
        }
        if self.process.starts_at.is_some_and(|at| t >= at) {
            self.process.starts_at = None;
            self.start_process();
        }
        if self.process.machine.is_none() || t < self.process.paused_until {
            return;
        }
        for event in self.events() {
            let now = self.now();
            let Some(machine) = self.process.machine.as_mut() else { return };
            let actions = machine.handle(now, event);
            self.act(actions);
        }
    }

    fn events(&mut self) -> Vec<ProtectEvent> {
        let t = self.t;
        let mut events = vec![];
        for ups in &mut self.upses {
            let Some((read, view)) = &mut ups.reading else { continue };
            let age = t - *read;
            // the server itself was started after this reading: its driver has not read yet
            if age == 0 || (view.fresh && age > 15 + ups.poll) {
                view.fresh = age == 0;
                if self.boot_t <= *read {
                    events.push(ProtectEvent::View { ups: ups.name.clone(), view: view.clone() });
                }
            }
        }
        let mut logins: BTreeMap<(String, String), Vec<StageLogin>> = BTreeMap::new();
        for plan in &self.policy.groups {
            for stage in &plan.stages {
                logins.insert((plan.name.clone(), stage.name.clone()), vec![]);
            }
        }
        let up = self.process.machine.is_some();
        for (at, host) in self.hosts.iter().enumerate() {
            let on = matches!(host.power, HostPower::On | HostPower::Delay(_)) && host.logs_in && up;
            let key = self.key(host);
            let login = StageLogin { address: host.name.clone(), user: "upsmon".into() };
            let was = self.process.last_logins.get(&key).is_some_and(|was| was.contains(&login));
            // it connects again with its next poll
            if on && (was || (t + at as u64) % POLL == 0) {
                logins.get_mut(&key).unwrap().push(login);
            }
        }
        for (key, logins) in logins {
            if self.process.last_logins.get(&key) != Some(&logins) {
                self.process.last_logins.insert(key.clone(), logins.clone());
                events.push(ProtectEvent::Logins { group: key.0, stage: key.1, logins });
            }
        }
        let due = |outcome: &(u64, ProtectEvent)| t >= outcome.0;
        let outcomes = std::mem::take(&mut self.process.outcomes);
        let (now, later): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(due);
        self.process.outcomes = later;
        events.extend(now.into_iter().map(|outcome| outcome.1));
        let machine = self.process.machine.as_ref().unwrap();
        if machine.next_wakeup().is_some_and(|at| self.now() >= at) {
            events.push(ProtectEvent::Tick);
        }
        events
    }

    fn act(&mut self, actions: Vec<ProtectAction>) {
        for action in actions {
            if self.process.die_after == Some(0) {
                self.process.die_after = None;
                let down_for = self.process.down_for;
                self.note(format!("process: killed before {action:?}"));
                self.kill(down_for);
                return;
            }
            if let (Some(left), true) = (
                self.process.die_after.as_mut(),
                action.is_acting() || matches!(action, ProtectAction::Keep(_)),
            ) {
                *left -= 1;
            }
            self.do_one(action);
        }
    }

    fn do_one(&mut self, action: ProtectAction) {
        if !self.policy.armed && action.is_acting() {
            self.fault(format!("acts without being armed: {action:?}"));
        }
        if !matches!(action, ProtectAction::Keep(_)) {
            let text = match &action {
                ProtectAction::Say(remark) => format!(
                    "  {} {:?} {}",
                    remark.group.clone().unwrap_or_default(),
                    remark.change,
                    remark.text
                ),
                action => format!("  {action:?}"),
            };
            self.note(text);
        }
        let t = self.t;
        match action {
            ProtectAction::Keep(record) => self.disk = Some(record.to_text()),
            ProtectAction::Signal { group, stage, signal: Some(signal) } => {
                self.process.signals.insert((group, stage), signal);
            }
            ProtectAction::Signal { group, stage, signal: None } => {
                self.process.signals.remove(&(group, stage));
            }
            ProtectAction::Run { group, stage, program } => {
                let code = Some(0);
                self.process
                    .outcomes
                    .push((t + 3, ProtectEvent::ProgramEnded { group, stage, program, code }));
            }
            ProtectAction::Order { ups, delay, attempt } => self.order(&ups, delay.as_secs(), attempt),
            ProtectAction::SecondChance { upses } => self.flag = upses,
            ProtectAction::HostDown => self.host_down(),
            ProtectAction::Wake { mac, .. } => self.wake(mac),
            ProtectAction::Say(remark) => self.judge(&remark),
            ProtectAction::Webhook { .. } | ProtectAction::Would(_) => {}
        }
    }

    fn order(&mut self, name: &str, delay: u64, _attempt: u32) {
        let (t, at) = (self.t, self.ups(name));
        self.count("orders");
        let mains = self.mains[self.upses[at].circuit];
        let ups = &mut self.upses[at];
        let reachable = ups.connected && (mains || ups.output);
        let mut twice = false;
        let outcome = if !reachable {
            OrderOutcome::NotSent
        } else if ups.refuses > 0 {
            ups.refuses -= 1;
            OrderOutcome::Refused
        } else {
            twice = ups.cut_at.is_some();
            ups.cut_at = Some(t + delay);
            if ups.confirms { OrderOutcome::Accepted } else { OrderOutcome::NotConfirmed }
        };
        self.process.outcomes.push((t + 2, ProtectEvent::Ordered { ups: name.into(), outcome }));
        if twice {
            self.fault(format!("an order to {name} while one is pending"));
        }
    }

    fn host_down(&mut self) {
        let t = self.t;
        let fails = self.failing_commands > 0;
        self.process.outcomes.push((t + 1, ProtectEvent::HostShutdown { done: !fails }));
        if fails {
            self.failing_commands -= 1;
            return;
        }
        let Some(server) = self.server.as_mut() else {
            return self.fault("a host that is not configured goes down");
        };
        if server.power == HostPower::On {
            server.power = HostPower::Halting(t + server.halt);
            self.process.ends_at = Some(t + 4);
            self.judge_host_down();
        }
    }

    /// Mains are there for long, and no order is under way by which the power of the server would come back: it stays off.
    fn judge_host_down(&mut self) {
        let Some(group) = self.server.as_ref().map(|server| server.group) else { return };
        let plan = &self.policy.groups[group];
        let long = plan.steady.as_secs() + 3;
        let is_calm = self.steady_since.iter().all(|since| since.is_some_and(|since| self.t > since + long));
        let cut = self.upses.iter().any(|ups| ups.cut_at.is_some()) || !self.flag.is_empty();
        if is_calm && !cut && plan.cancel != CancelChoice::Never {
            self.fault("the server goes down in vain");
        }
    }

    fn wake(&mut self, mac: [u8; 6]) {
        self.count("wakes");
        let heard = self.dice.chance(80);
        let host = &mut self.hosts[usize::from(mac[5])];
        if host.power == HostPower::Off && host.fed && heard {
            host.power = HostPower::Booting(self.t + host.boot);
        }
    }

    /// No course begins for nothing, none goes on past its return when mains are back.
    fn judge(&mut self, remark: &Remark) {
        let Some((from, to)) = remark.change else { return };
        let group =
            self.policy.groups.iter().position(|plan| Some(&plan.name) == remark.group.as_ref()).unwrap();
        self.in_course[group] = !matches!(to, Phase::Watching | Phase::Recovering);
        if matches!(from, Phase::Watching | Phase::Recovering) && to == Phase::Stages {
            self.count("courses");
            let window = match remark.reason {
                Some(Reason::WithGroup { .. }) => {
                    if !self.in_course.iter().enumerate().any(|(at, runs)| at != group && *runs) {
                        self.fault("a group goes with one that does not go");
                    }
                    return;
                }
                Some(Reason::Lost { .. }) => 60,
                _ => 1,
            };
            if self.t > self.last_short[group] + window {
                self.fault(format!("group {group} goes down for nothing: {:?}", remark.reason));
            }
        }
    }

    pub fn after_reload(&mut self, actions: Vec<ProtectAction>) {
        self.act(actions);
    }

    /// At the end: mains have been there for long. Who can be woken is up; who cannot is up where its load was cycled, and
    /// it was where the UPS obeys, could be reached, and cycles with mains present.
    pub fn judge_end(&mut self, story: &Story) {
        if !self.policy.armed {
            return;
        }
        let odd_event = |event: &Happening| matches!(event, Happening::Unplug(_) | Happening::Replace(_));
        let odd = story.events.iter().any(|(_, event)| odd_event(event));
        for host in self.hosts.clone().into_iter().chain(self.server.clone()) {
            if host.power != HostPower::Off {
                continue;
            }
            let plan = &self.policy.groups[host.group];
            let is_server = host.name == "server";
            let all_cycle = !self.policy.loads.is_empty()
                && plan.feeds.iter().all(|feed| {
                    let ups = &self.upses[self.ups(&feed.ups)];
                    ups.cycles && !ups.ever_refuses
                });
            let alone = is_server || self.policy.groups.len() == 1;
            let served = self.server.as_ref().is_none_or(|server| server.power != HostPower::Off);
            // who went down by itself while the process was away is not known to be down
            let away = story.events.iter().any(|(_, event)| {
                matches!(event, Happening::Kill(_) | Happening::KillInActions(..) | Happening::Stop(_))
            });
            let listed = !host.alone || host.logs_in && !odd && !away && self.server.is_none();
            if host.wakeable && listed && served {
                self.fault(format!("host {} stays off, and can be woken", host.name));
            } else if host.cycled_since_off && host.restores {
                self.fault(format!("host {} stays off after its power came back", host.name));
            } else if all_cycle
                && !odd
                && alone
                && !host.alone
                && (is_server || plan.cancel != CancelChoice::Always)
            {
                self.fault(format!("host {} stays off, and its load was not cycled", host.name));
            }
        }
    }
}

pub fn load_delay(load: &LoadPlan) -> u64 {
    load.longest.map_or(load.delay, |longest| longest.min(load.delay)).as_secs()
}
