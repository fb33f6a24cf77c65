//! `qxups drill`: an outage, played in virtual time on a model of what the configuration names. Nothing real is asked or ordered:
//! the machine is that of the server, and the model is its judge.

use crate::extras::ProtectOptions;
use ::protect::{
    Machine, OnMains, OrderOutcome, Policy, PowerView, PowerWords, ProtectAction, ProtectEvent,
    ProtectRecord, StageLogin, Start,
};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

/// A UPS says low battery below so many percent.
const LOW: f64 = 20.0;
/// The machine runs so long before mains fail: a start is no outage.
const BEFORE: u64 = 120;
/// A host that is started logs in after so long.
const STARTS: u64 = 60;
/// Nothing is played longer.
const LONGEST: u64 = 8 * 3600;
/// What happens later than this after all is well belongs to no outage.
const QUIET: u64 = 900;

/// The outage that is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrillOutage {
    /// Mains are back so long after they failed; none: only when the batteries are empty.
    pub back_after: Option<Duration>,
    /// A full battery carries the load for so long.
    pub runtime: Duration,
    /// A client logs out so long after it was shown its signal.
    pub answers_after: Duration,
}

/// What the drill came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrillOutcome {
    /// What happened when, line by line.
    pub text: String,
    /// What went wrong in it; empty when nothing did.
    pub faults: Vec<String>,
}

/// Plays an outage of all UPSes.
pub fn play(options: &ProtectOptions, outage: DrillOutage) -> DrillOutcome {
    let policy = options.policy(&|_| None, &|_| OnMains::Cycles);
    let policy = Policy { armed: true, ..policy };
    let mut drill = Drill::new(policy, outage);
    drill.run();
    drill.outcome()
}

/// A UPS of the model.
#[derive(Clone, Debug)]
struct ModelUps {
    charge: f64,
    /// When its load goes off by an order.
    cut_at: Option<u64>,
    load_is_on: bool,
}

/// The hosts of a stage.
#[derive(Clone, Debug)]
struct ModelStage {
    group: String,
    plan: ::protect::StagePlan,
    /// When its clients were shown the signal.
    told: Option<u64>,
    logged_in: bool,
    /// When they are off by themselves.
    off_at: Option<u64>,
    is_off: bool,
    /// When they are up again.
    up_at: Option<u64>,
}

struct Drill {
    policy: Policy,
    outage: DrillOutage,
    machine: Option<Machine>,
    record: ProtectRecord,
    boot: u64,
    second: u64,
    upses: BTreeMap<String, ModelUps>,
    stages: Vec<ModelStage>,
    programs: Vec<(u64, ProtectEvent)>,
    /// When this host is off.
    host_off: Option<u64>,
    host_up: Option<u64>,
    text: String,
    faults: Vec<String>,
}

impl Drill {
    fn new(policy: Policy, outage: DrillOutage) -> Drill {
        let feeds = policy.groups.iter().flat_map(|group| &group.feeds);
        let full = ModelUps { charge: 100.0, cut_at: None, load_is_on: true };
        let upses = feeds.map(|feed| (feed.ups.clone(), full.clone())).collect();
        let stages = policy.groups.iter().flat_map(|group| {
            group.stages.iter().map(|plan| ModelStage {
                group: group.name.clone(),
                plan: plan.clone(),
                told: None,
                logged_in: plan.signal.is_some(),
                off_at: None,
                is_off: false,
                up_at: None,
            })
        });
        let stages = stages.collect();
        let mut drill = Drill {
            machine: None,
            record: ProtectRecord::default(),
            boot: 0,
            second: 0,
            upses,
            stages,
            programs: vec![],
            host_off: None,
            host_up: None,
            text: String::new(),
            faults: vec![],
            policy,
            outage,
        };
        drill.start();
        drill
    }

    /// This machine starts, and the server on it.
    fn start(&mut self) {
        self.boot += 1;
        let start = Start { now: self.now(), boot: format!("boot {}", self.boot), wall_s: self.second };
        let (machine, actions) = Machine::new(self.policy.clone(), &self.record, &start);
        self.machine = Some(machine);
        self.act(actions);
    }

    fn now(&self) -> Duration {
        Duration::from_secs(self.second)
    }

    fn is_mains(&self) -> bool {
        let Some(since) = self.second.checked_sub(BEFORE) else { return true };
        match self.outage.back_after {
            Some(back) => since >= back.as_secs(),
            // an hour after the last battery is empty
            None => since >= self.outage.runtime.as_secs() + 3600,
        }
    }

    fn run(&mut self) {
        let mut quiet = 0;
        while self.second < LONGEST && quiet < QUIET {
            self.second += 1;
            if self.second == BEFORE {
                self.say("mains fail");
            }
            if self.second > BEFORE && self.is_mains() && self.was_dark() {
                self.say("mains are back");
            }
            self.physics();
            self.feed();
            let all_up = self.host_off.is_none()
                && self.stages.iter().all(|stage| !stage.is_off && stage.told.is_none());
            quiet = if self.second > BEFORE && self.is_mains() && all_up { quiet + 1 } else { 0 };
        }
    }

    fn was_dark(&mut self) -> bool {
        self.second -= 1;
        let dark = !self.is_mains();
        self.second += 1;
        dark
    }

    /// Batteries, cuts, hosts.
    fn physics(&mut self) {
        let (second, mains) = (self.second, self.is_mains());
        let step = 100.0 / self.outage.runtime.as_secs_f64().max(1.0);
        let mut said = vec![];
        let mut changed = vec![];
        for (name, ups) in &mut self.upses {
            let was_on = ups.load_is_on;
            match (mains, ups.load_is_on) {
                (false, true) => ups.charge = (ups.charge - step).max(0.0),
                (true, _) => ups.charge = (ups.charge + 100.0 / 14_400.0).min(100.0),
                _ => {}
            }
            if ups.cut_at.is_some_and(|at| second >= at) {
                ups.cut_at = None;
                ups.load_is_on = false;
                said.push(format!("UPS {name} switches its load off"));
            } else if ups.charge <= 0.0 && !mains && was_on {
                // a UPS without power counts nothing down any more
                (ups.load_is_on, ups.cut_at) = (false, None);
                said.push(format!("the battery of UPS {name} is empty: its load is off"));
            } else if mains && !ups.load_is_on {
                ups.load_is_on = true;
                said.push(format!("UPS {name} switches its load on"));
            }
            if ups.load_is_on != was_on {
                changed.push((name.clone(), ups.load_is_on));
            }
        }
        said.into_iter().for_each(|text| self.say(&text));
        let groups: Vec<(String, bool, bool)> = changed
            .iter()
            .flat_map(|(ups, on)| {
                let fed =
                    self.policy.groups.iter().filter(|group| group.feeds.iter().any(|feed| feed.ups == *ups));
                fed.map(|group| (group.name.clone(), *on, self.has_power(group))).collect::<Vec<_>>()
            })
            .collect();
        for (group, on, has_power) in groups {
            if on == has_power {
                self.power(&group, on);
            }
        }
        self.hosts();
    }

    fn has_power(&self, group: &::protect::GroupPlan) -> bool {
        let live =
            group.feeds.iter().filter(|feed| self.upses.get(&feed.ups).is_some_and(|ups| ups.load_is_on));
        live.map(|feed| feed.supplies).sum::<u32>() >= group.need
    }

    /// A group gets power, or loses it.
    fn power(&mut self, group: &str, on: bool) {
        let second = self.second;
        let mut faults = vec![];
        for stage in self.stages.iter_mut().filter(|stage| stage.group == group) {
            match (on, stage.is_off) {
                // hosts that start when power comes
                (true, true) => stage.up_at = Some(second + STARTS),
                (false, false) if stage.plan.signal.is_some() => {
                    faults.push(format!("the load went off under the hosts of stage {}", stage.plan.name));
                    stage.is_off = true;
                    stage.logged_in = false;
                }
                (false, _) => stage.up_at = None,
                _ => {}
            }
        }
        if self.policy.host.as_ref().is_some_and(|host| host.group == group) {
            match (on, self.host_off.is_none_or(|at| at > second)) {
                (true, _) if self.host_off.is_some() => self.host_up = Some(second + STARTS),
                (false, true) => {
                    faults.push("the load went off under this host".into());
                    self.host_off = Some(second);
                    self.machine = None;
                }
                (false, false) => self.host_up = None,
                _ => {}
            }
        }
        for fault in faults {
            self.say(&format!("FAULT: {fault}"));
            self.faults.push(format!("{}: {fault}", self.clock()));
        }
    }

    fn hosts(&mut self) {
        let second = self.second;
        let answers = self.outage.answers_after.as_secs();
        let mut said = vec![];
        for stage in &mut self.stages {
            if stage.logged_in && stage.told.is_some_and(|told| second >= told + answers) {
                stage.logged_in = false;
                stage.off_at = Some(second + stage.plan.down.as_secs());
                said.push(format!("the clients of stage {} log out", stage.plan.name));
            }
            if stage.off_at.is_some_and(|at| second >= at) {
                (stage.off_at, stage.is_off) = (None, true);
                said.push(format!("the hosts of stage {} are off", stage.plan.name));
            }
            if stage.up_at.is_some_and(|at| second >= at) {
                (stage.up_at, stage.is_off) = (None, false);
                stage.logged_in = stage.plan.signal.is_some();
                said.push(format!("the hosts of stage {} are up again", stage.plan.name));
            }
        }
        if self.host_off == Some(second) && self.machine.is_some() {
            self.machine = None;
            said.push("this host is off".into());
        }
        said.into_iter().for_each(|text| self.say(&text));
        if self.host_up.is_some_and(|at| second >= at) {
            (self.host_up, self.host_off) = (None, None);
            self.say("this host is up again");
            self.start();
        }
    }

    /// The server looks.
    fn feed(&mut self) {
        let due: Vec<ProtectEvent> = {
            let (due, later): (Vec<_>, Vec<_>) =
                self.programs.drain(..).partition(|(at, _)| *at <= self.second);
            self.programs = later;
            due.into_iter().map(|(_, event)| event).collect()
        };
        let mains = self.is_mains();
        let mut events = due;
        for (name, ups) in &self.upses {
            let words = PowerWords {
                online: mains,
                on_battery: !mains,
                low_battery: !mains && ups.charge < LOW,
                off: !ups.load_is_on,
                ..PowerWords::default()
            };
            let runtime = self.outage.runtime.mul_f64(ups.charge / 100.0);
            let view = PowerView {
                fresh: true,
                read_at: self.now(),
                words,
                input_alive: Some(mains),
                charge: Some(ups.charge),
                runtime: Some(runtime),
                runtime_confidence: 1.0,
                will_switch_off: Some(ups.cut_at.is_some()),
                ..PowerView::default()
            };
            events.push(ProtectEvent::View { ups: name.clone(), view });
        }
        for stage in &self.stages {
            events.push(ProtectEvent::Logins {
                group: stage.group.clone(),
                stage: stage.plan.name.clone(),
                logins: stage.logins(),
            });
        }
        events.push(ProtectEvent::Tick);
        for event in events {
            let now = self.now();
            let Some(machine) = &mut self.machine else { return };
            let actions = machine.handle(now, event);
            self.act(actions);
        }
    }

    fn act(&mut self, actions: Vec<ProtectAction>) {
        for action in actions {
            match &action {
                ProtectAction::Keep(record) => {
                    self.record = record.clone();
                    continue;
                }
                ProtectAction::SecondChance { upses } if upses.is_empty() => continue,
                other => self.say(&crate::protect::sentence(other)),
            }
            self.happens(action);
        }
    }

    /// What comes of it in the model.
    fn happens(&mut self, action: ProtectAction) {
        let second = self.second;
        match action {
            ProtectAction::Signal { group, stage, signal } => {
                if let Some(stage) = self.stage(&group, &stage) {
                    stage.told = signal.map(|_| stage.told.unwrap_or(second));
                }
            }
            ProtectAction::Run { group, stage, program } => {
                let event = ProtectEvent::ProgramEnded { group, stage, program, code: Some(0) };
                self.programs.push((second + 5, event));
            }
            ProtectAction::Order { ups, delay, .. } => {
                if let Some(known) = self.upses.get_mut(&ups) {
                    known.cut_at = Some(second + delay.as_secs());
                }
                self.programs
                    .push((second + 1, ProtectEvent::Ordered { ups, outcome: OrderOutcome::Accepted }));
            }
            ProtectAction::HostDown => {
                let down = self.policy.host.as_ref().map_or(0, |host| host.down.as_secs());
                self.host_off = Some(second + down);
                self.programs.push((second + 1, ProtectEvent::HostShutdown { done: true }));
            }
            ProtectAction::Wake { group, host, .. } => {
                let of_it = |stage: &&mut ModelStage| {
                    stage.group == group && stage.plan.wake.iter().any(|target| target.host == host)
                };
                if let Some(stage) = self.stages.iter_mut().find(of_it).filter(|stage| stage.is_off) {
                    stage.up_at = Some(second + STARTS);
                }
            }
            _ => {}
        }
    }

    fn stage(&mut self, group: &str, stage: &str) -> Option<&mut ModelStage> {
        self.stages.iter_mut().find(|known| known.group == group && known.plan.name == stage)
    }

    fn clock(&self) -> String {
        let since = self.second.saturating_sub(BEFORE);
        format!("{}:{:02}", since / 60, since % 60)
    }

    fn say(&mut self, text: &str) {
        let _ = writeln!(self.text, "{:>7}  {text}", self.clock());
    }

    fn outcome(mut self) -> DrillOutcome {
        for stage in self.stages.iter().filter(|stage| stage.is_off) {
            self.faults.push(format!("the hosts of stage {} stay off", stage.plan.name));
        }
        if self.host_off.is_some() {
            self.faults.push("this host stays off".into());
        }
        DrillOutcome { text: self.text, faults: self.faults }
    }
}

impl ModelStage {
    fn logins(&self) -> Vec<StageLogin> {
        if !self.logged_in {
            return vec![];
        }
        let of = |target: &::protect::WakeTarget| StageLogin {
            address: target.address.clone().unwrap_or_else(|| target.host.clone()),
            user: target.user.clone().unwrap_or_default(),
        };
        match self.plan.wake.as_slice() {
            [] => vec![StageLogin { address: "192.0.2.1".into(), user: self.plan.name.clone() }],
            targets => targets.iter().map(of).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extras::parse;

    fn outage(back_after_s: Option<u64>, runtime_s: u64) -> DrillOutage {
        DrillOutage {
            back_after: back_after_s.map(Duration::from_secs),
            runtime: Duration::from_secs(runtime_s),
            answers_after: Duration::from_secs(10),
        }
    }

    const TEXT: &str = "[[protect.group]]\nname = 'g'\nups = ['rack']\n\
        [[protect.group.stage]]\nname = 'lab'\nusers = ['lab']\ndown_s = 30\n\
        [[protect.group.stage.wake]]\nname = 'lab1'\nmac = '02:00:5e:10:00:01'\nuser = 'lab'\n\
        [protect.group.load]\ndelay_s = 180\n[protect.host]\ndown_s = 60\n";

    fn options(text: &str) -> Box<ProtectOptions> {
        parse(text.as_bytes()).unwrap().protect.unwrap()
    }

    #[test]
    fn a_blip_shuts_nothing_down() {
        let done = play(&options(TEXT), outage(Some(60), 1800));
        assert_eq!(done.faults, Vec::<String>::new());
        assert!(!done.text.contains("FSD") && !done.text.contains("is off"), "{}", done.text);
    }

    #[test]
    fn in_a_long_outage_all_goes_down_in_order_and_comes_back() {
        let done = play(&options(TEXT), outage(None, 1800));
        assert_eq!(done.faults, Vec::<String>::new(), "{}", done.text);
        let at = |part: &str| done.text.find(part).unwrap_or_else(|| panic!("{part}: {}", done.text));
        let order = [
            "mains fail",
            "show FSD to stage lab",
            "show FSD to stage others",
            "order UPS rack",
            "shut this host down",
            "this host is off",
            "UPS rack switches its load off",
            "mains are back",
            "this host is up again",
        ];
        let places: Vec<usize> = order.iter().map(|part| at(part)).collect();
        assert!(places.is_sorted(), "{}", done.text);
    }

    const PAGE: &str = include_str!("../../../docs/protect.md");

    /// The first block of the page is a whole file.
    fn page_options() -> Box<ProtectOptions> {
        let block = PAGE.lines().skip_while(|line| !line.starts_with("    "));
        let block = block.take_while(|line| line.is_empty() || line.starts_with("    "));
        options(&block.map(str::trim_start).collect::<Vec<_>>().join("\n"))
    }

    /// What became of an outage, in a row of the page.
    fn row(back_s: u64, done: &DrillOutcome) -> String {
        let is = |part: &str| done.text.contains(part);
        let down = match (is("show FSD to stage lab"), is("this host is off")) {
            (false, _) => "nothing",
            (true, false) => "stages",
            (true, true) => "all",
        };
        let load = if is("switches its load on") { "cycled" } else { "stays on" };
        let last = done.text.lines().rev().find(|line| line.contains("up again") || line.contains("is back"));
        let up = last.and_then(|line| line.split_whitespace().next()).unwrap_or("-");
        format!("| {}:{:02} | {down} | {load} | {up} |\n", back_s / 60, back_s % 60)
    }

    /// Mains return at each moment of an outage: no host stays off, and no load is cut under one.
    #[test]
    fn the_table_of_moments_is_that_of_the_page() {
        let options = page_options();
        let mut table =
            String::from("| mains back after | goes down | load | last host back at |\n|---|---|---|---|\n");
        for back_s in [
            10, 300, 890, 904, 907, 915, 925, 940, 960, 1000, 1030, 1060, 1100, 1150, 1200, 1300, 1400, 1600,
            2400, 7200,
        ] {
            let done = play(&options, outage(Some(back_s), 1200));
            assert_eq!(done.faults, Vec::<String>::new(), "mains are back after {back_s} s:\n{}", done.text);
            table += &row(back_s, &done);
        }
        let there = PAGE.split("<!-- moments -->\n").nth(1).and_then(|rest| rest.split("<!-- end").next());
        assert_eq!(there, Some(table.as_str()), "write this into docs/protect.md:\n{table}");
    }

    /// The model sees what the policy gets wrong.
    #[test]
    fn a_battery_that_is_too_small_is_a_fault() {
        let done = play(&options(TEXT), outage(None, 100));
        assert!(done.faults.iter().any(|fault| fault.contains("under")), "{}", done.text);
    }
}
