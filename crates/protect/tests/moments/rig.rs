//! One machine whose time and readings a test holds in its hand.

use std::collections::BTreeMap;
use std::time::Duration;

use protect::*;

pub const MAINS: &str = "OL";
pub const BATTERY: &str = "OB DISCHRG";
pub const LOW: &str = "OB DISCHRG LB";

pub fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub fn mac(last: u8) -> [u8; 6] {
    [2, 0, 0, 0, 0, last]
}

/// One group `rack` of UPS `a` with one stage `apps`, whose host `web` can be woken.
pub fn policy() -> Policy {
    let mut group = GroupPlan::new("rack");
    group.feeds = vec![GroupFeed { ups: "a".into(), supplies: 1, begin: None }];
    let mut stage = StagePlan::new("apps");
    stage.wake =
        vec![WakeTarget { host: "web".into(), mac: mac(1), address: Some("web".into()), user: None }];
    stage.all_wakeable = true;
    group.stages = vec![stage];
    let load = LoadPlan { ups: "a".into(), delay: secs(180), longest: None, on_mains: OnMains::Cycles };
    Policy { armed: true, groups: vec![group], loads: vec![load], host: Some(HostPlan::new("rack")) }
}

pub struct Rig {
    pub machine: Machine,
    pub policy: Policy,
    pub now: u64,
    pub boot: String,
    pub disk: ProtectRecord,
    /// What each UPS says, and is read to say every second.
    pub says: BTreeMap<String, PowerView>,
    /// All acting actions and all transitions.
    pub done: Vec<ProtectAction>,
}

pub fn view(status: &str) -> PowerView {
    PowerView {
        fresh: true,
        words: PowerWords::read(status),
        runtime_confidence: 1.0,
        ..PowerView::default()
    }
}

impl Rig {
    pub fn new(policy: Policy) -> Rig {
        let start = Start { now: secs(1000), boot: "one".into(), wall_s: 5000 };
        let (machine, actions) = Machine::new(policy.clone(), &ProtectRecord::default(), &start);
        let mut rig = Rig {
            machine,
            policy,
            now: 1000,
            boot: "one".into(),
            disk: ProtectRecord::default(),
            says: BTreeMap::new(),
            done: vec![],
        };
        rig.keep(actions);
        rig
    }

    pub fn keep(&mut self, actions: Vec<ProtectAction>) {
        for action in actions {
            match action {
                ProtectAction::Keep(record) => self.disk = ProtectRecord::read(&record.to_text()).0,
                action => self.done.push(action),
            }
        }
    }

    pub fn event(&mut self, event: ProtectEvent) {
        let actions = self.machine.handle(secs(self.now), event);
        self.keep(actions);
    }

    /// From now on the UPS says this.
    pub fn says(&mut self, ups: &str, view: PowerView) {
        self.says.insert(ups.into(), view);
        self.read();
    }

    pub fn status(&mut self, ups: &str, status: &str) {
        self.says(ups, view(status));
    }

    pub fn read(&mut self) {
        for (ups, mut view) in self.says.clone() {
            view.read_at = secs(self.now);
            self.event(ProtectEvent::View { ups, view });
        }
    }

    /// So many seconds pass, with a reading of each UPS in each of them.
    pub fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.now += 1;
            self.read();
            self.event(ProtectEvent::Tick);
        }
    }

    pub fn logins(&mut self, stage: &str, hosts: &[&str]) {
        let logins = hosts.iter().map(|host| StageLogin { address: (*host).into(), user: "upsmon".into() });
        let (group, logins) = (self.policy.groups[0].name.clone(), logins.collect());
        self.event(ProtectEvent::Logins { group, stage: stage.into(), logins });
    }

    pub fn ordered(&mut self, outcome: OrderOutcome) {
        self.event(ProtectEvent::Ordered { ups: "a".into(), outcome });
    }

    /// kill -9, and a start so much later. `boot`: of the host as well.
    pub fn restart(&mut self, after: u64, boot: Option<&str>) {
        self.now = if boot.is_some() { 20 } else { self.now + after };
        self.boot = boot.map_or(self.boot.clone(), Into::into);
        let start = Start { now: secs(self.now), boot: self.boot.clone(), wall_s: 5000 + after };
        let (machine, actions) = Machine::new(self.policy.clone(), &self.disk, &start);
        self.machine = machine;
        self.keep(actions);
    }

    pub fn phase(&self) -> Phase {
        self.machine.report().groups[0].phase
    }

    pub fn reason(&self) -> Option<Reason> {
        self.machine.report().groups[0].reason.clone()
    }

    pub fn count(&self, of: impl Fn(&ProtectAction) -> bool) -> usize {
        self.done.iter().filter(|action| of(action)).count()
    }

    pub fn orders(&self) -> usize {
        self.count(|action| matches!(action, ProtectAction::Order { .. }))
    }

    pub fn wakes(&self) -> usize {
        self.count(|action| matches!(action, ProtectAction::Wake { .. }))
    }

    pub fn host_downs(&self) -> usize {
        self.count(|action| matches!(action, ProtectAction::HostDown))
    }

    /// What a stage sees.
    pub fn signal(&self, of: &str) -> Option<StageSignal> {
        self.done.iter().rev().find_map(|action| match action {
            ProtectAction::Signal { stage, signal, .. } if stage == of => Some(*signal),
            _ => None,
        })?
    }

    /// Steady mains with a client in stage `apps`.
    pub fn calm(&mut self) {
        self.status("a", MAINS);
        self.logins("apps", &["web"]);
        self.pass(60);
    }

    /// The stage is told.
    pub fn to_stages(&mut self) {
        self.calm();
        self.status("a", LOW);
        self.pass(5);
        assert_eq!(self.phase(), Phase::Stages);
    }

    /// The order is sent.
    pub fn to_ordering(&mut self) {
        self.to_stages();
        self.logins("apps", &[]);
        assert_eq!(self.phase(), Phase::Ordering);
        assert_eq!(self.orders(), 1);
    }

    pub fn to_host_down(&mut self) {
        self.to_ordering();
        self.ordered(OrderOutcome::Accepted);
        self.pass(15);
        assert_eq!((self.phase(), self.host_downs()), (Phase::HostDown, 1));
    }
}
