//! What the administrator asks for: groups of hosts, the UPSes that feed them, stages, the load, the way back.

use std::time::Duration;

/// All of protection, as configured.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Whether anything is done. Without it every action is a [`crate::ProtectAction::Would`].
    pub armed: bool,
    /// Hosts that go down together, by stages. Names are unique.
    pub groups: Vec<GroupPlan>,
    /// UPSes whose load is switched off once their hosts are down; a UPS without a row is never ordered to.
    pub loads: Vec<LoadPlan>,
    /// This host, the one on which the machine runs; without it the host stays up.
    pub host: Option<HostPlan>,
}

/// Hosts that are fed by the same UPSes, and what happens to them in an outage.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupPlan {
    /// Its name.
    pub name: String,
    /// The UPSes that feed it.
    pub feeds: Vec<GroupFeed>,
    /// How many supplies must live; upsmon's MINSUPPLIES. 1 or more.
    pub need: u32,
    /// When one of its UPSes no longer counts as a supply.
    pub begin: Begin,
    /// For how long mains must be there without a break before they are back.
    pub steady: Duration,
    /// Whether mains that are back end a course before the load's order.
    pub cancel: CancelChoice,
    /// Stages, in order. This host is no stage.
    pub stages: Vec<StagePlan>,
    /// How hosts come back.
    pub recovery: RecoveryPlan,
}

/// One UPS that feeds a group.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupFeed {
    /// The name of the UPS.
    pub ups: String,
    /// How many supplies of each host hang on it; upsmon's power value. 0: looked at, and feeds nothing.
    pub supplies: u32,
    /// Its own conditions, instead of those of the group.
    pub begin: Option<Begin>,
}

/// The conditions under which a UPS no longer counts as a supply. Any one that holds for `confirm` is enough.
#[derive(Debug, Clone, PartialEq)]
pub struct Begin {
    /// On battery and battery low, as NUT's `OB LB`.
    pub low_battery: bool,
    /// A shutdown that another program forced (`FSD`), where it begins while this server watches.
    pub forced: bool,
    /// On battery and a charge below this, in percent.
    pub charge_below: Option<f64>,
    /// On battery and a runtime below this.
    pub runtime_below: Option<Duration>,
    /// A runtime that is estimated with less confidence than this (0 to 1) does not count.
    pub runtime_confidence: f64,
    /// On battery for so long, since mains were last steady.
    pub on_battery_for: Option<Duration>,
    /// Warmer than this in degrees Celsius, also on mains.
    pub temperature_above: Option<f64>,
    /// The UPS reports that it is failing, also on mains.
    pub failing: bool,
    /// `OFF` for so long: the UPS carries nothing. Begins nothing by itself; upsmon's OFFDURATION.
    pub off_for: Option<Duration>,
    /// What it means that a UPS that was on battery says nothing any more.
    pub lost: LostMeaning,
    /// How long a condition must hold without a break; on battery, breaks of battery low that are shorter are none.
    /// Temperature and failing: at least 30 s.
    pub confirm: Duration,
}

/// What it means that a UPS says nothing any more. On mains, or never read, it means nothing by any choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LostMeaning {
    /// Nothing: wait for its word.
    Wait,
    /// Last seen on battery: no supply after this time, as upsmon's DEADTIME.
    Shutdown(Duration),
}

/// Whether mains that are steady again end a course before its point of no return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelChoice {
    /// When every host that was already sent down can be woken; else the load is cycled, so that they come back.
    WhenWakeable,
    /// Always; who was sent down and cannot be woken stays off until a person comes.
    Always,
    /// Never: once begun, all goes down and the load is cycled; upsmon's way.
    Never,
}

/// What a stage's clients see in `ups.status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StageSignal {
    /// `FSD`.
    Forced,
    /// `OB LB`.
    LowBattery,
}

/// One stage: hosts that go down together.
#[derive(Debug, Clone, PartialEq)]
pub struct StagePlan {
    /// Its name, unique in the group.
    pub name: String,
    /// What its clients see; none for a stage of programs only.
    pub signal: Option<StageSignal>,
    /// The longest that is waited for its clients to log out and its programs to end.
    pub time: Duration,
    /// What its hosts need from the logout (upsmon logs out *before* it halts) until they are off.
    pub down: Duration,
    /// How many programs run when it begins; the caller holds what they are.
    pub programs: usize,
    /// How many webhooks are sent when it begins; the caller holds what they are.
    pub webhooks: usize,
    /// Its hosts that can be woken.
    pub wake: Vec<WakeTarget>,
    /// Whether `wake` holds all of its hosts, or all come back by themselves.
    pub all_wakeable: bool,
}

/// How the load of one UPS is switched off.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadPlan {
    /// The name of the UPS.
    pub ups: String,
    /// From the order until the load is off.
    pub delay: Duration,
    /// The longest delay that the UPS takes, where it is known.
    pub longest: Option<Duration>,
    /// What the dialect does when mains are back between the order and the cut.
    pub on_mains: OnMains,
}

/// What becomes of an order to switch off with return when mains are back before the cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnMains {
    /// The load goes off and comes back.
    Cycles,
    /// The load stays on.
    StaysOn,
    /// It is not known.
    Unknown,
}

/// How this host goes down.
#[derive(Debug, Clone, PartialEq)]
pub struct HostPlan {
    /// The group that it belongs to. It goes down after all stages.
    pub group: String,
    /// From its shutdown command until it is off.
    pub down: Duration,
    /// How long is waited for the proof that the UPSes will switch off, before it goes down without.
    pub proof_wait: Duration,
    /// How often an order is tried while the UPS refuses it or cannot be reached; 1 or more.
    pub tries: u32,
}

/// How hosts come back.
#[derive(Debug, Clone, PartialEq)]
pub struct RecoveryPlan {
    /// The charge that suffices for one more shutdown, in percent.
    pub charge: Option<f64>,
    /// The runtime that suffices for one more shutdown.
    pub runtime: Option<Duration>,
    /// How long steady mains suffice when the UPS reports neither.
    pub unknown_wait: Duration,
    /// After so long without being on battery hosts are woken whatever the battery says, or is silent about.
    pub at_latest: Duration,
    /// Between two hosts.
    pub stagger: Duration,
    /// How often one host is woken; 1 or more.
    pub tries: u32,
    /// Between two tries for one host.
    pub interval: Duration,
}

/// A host that can be woken.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WakeTarget {
    /// Its name, unique in the group.
    pub host: String,
    /// The address of its network card.
    pub mac: [u8; 6],
    /// Its login is one from this address or of this user; without either it is woken `tries` times.
    pub address: Option<String>,
    /// The user with whose name it logs in.
    pub user: Option<String>,
}

impl Default for Begin {
    /// As upsmon: low battery, forced shutdown, and lost while on battery.
    fn default() -> Begin {
        Begin {
            low_battery: true,
            forced: true,
            charge_below: None,
            runtime_below: None,
            runtime_confidence: 0.5,
            on_battery_for: None,
            temperature_above: None,
            failing: false,
            off_for: Some(Duration::from_secs(30)),
            lost: LostMeaning::Shutdown(Duration::from_secs(15)),
            confirm: Duration::from_secs(5),
        }
    }
}

impl Default for RecoveryPlan {
    fn default() -> RecoveryPlan {
        RecoveryPlan {
            charge: None,
            runtime: None,
            unknown_wait: Duration::from_secs(900),
            at_latest: Duration::from_secs(6 * 3600),
            stagger: Duration::from_secs(10),
            tries: 5,
            interval: Duration::from_secs(60),
        }
    }
}

impl GroupPlan {
    /// A group without UPSes and stages.
    pub fn new(name: &str) -> GroupPlan {
        GroupPlan {
            name: name.into(),
            feeds: vec![],
            need: 1,
            begin: Begin::default(),
            steady: Duration::from_secs(30),
            cancel: CancelChoice::WhenWakeable,
            stages: vec![],
            recovery: RecoveryPlan::default(),
        }
    }
}

impl StagePlan {
    /// A stage whose clients see `FSD`: 60 s for their logouts, 90 s until they are off.
    pub fn new(name: &str) -> StagePlan {
        StagePlan {
            name: name.into(),
            signal: Some(StageSignal::Forced),
            time: Duration::from_secs(60),
            down: Duration::from_secs(90),
            programs: 0,
            webhooks: 0,
            wake: vec![],
            all_wakeable: false,
        }
    }
}

impl HostPlan {
    /// A host of this group: 120 s until it is off, 15 s for the proof, 3 tries.
    pub fn new(group: &str) -> HostPlan {
        HostPlan {
            group: group.into(),
            down: Duration::from_secs(120),
            proof_wait: Duration::from_secs(15),
            tries: 3,
        }
    }
}
