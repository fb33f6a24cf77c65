//! Protection: hosts go down in order, the load goes off, and everything comes back, as `[protect]` of `qxups.toml` asks for it.
//! Without the table there is none of it; without `arm = true` all is followed, and nothing is done.
//!
//! What decides is [`::protect::Machine`]. This feeds it ([`sight`]) and does what it asks for ([`hands`] and the files below).

mod clock;
mod hands;
mod keep;
mod orders;
mod programs;
mod secondaries;
mod shown;
mod sight;
mod state;
mod wake;

pub(crate) use secondaries::SecondaryEars;

use crate::extras::ProtectOptions;
use crate::extras::protect::{HostShutdownWay, ProgramOptions, StageOptions};
use crate::fleet::{HearsStatus, Ups};
use crate::notices::NoticeDesk;
use crate::server::Server;
use crate::views::StageId;
use ::protect::{
    Machine, OnMains, Phase, Policy, PolicyFault, PowerView, ProtectAction, ProtectEvent, ProtectRecord,
    RecordFault, Remark, StageLogin, Start,
};
use hands::Hands;
use history::EventKind;
use keep::RecordKeeper;
use qx::device::plan::PowerRace;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::rc::{Rc, Weak};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::{MissedTickBehavior, interval, sleep};
use web::view::ProtectionView;

/// How often the fleet is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// How often is looked whether this host could be shut down.
const PROBES: Duration = Duration::from_secs(60);
/// So many statuses wait to be looked at; more than that within a moment are not.
const HEARD: usize = 10_000;
/// So many of the last remarks are kept for who asks.
const REMARKS: usize = 32;

/// The protection of a server, as far as `qxups.toml` asks for it.
pub(crate) struct ProtectDesk {
    server: Rc<Server>,
    notices: Rc<NoticeDesk>,
    lasting: PathBuf,
    state: PathBuf,
    running: RefCell<Option<Rc<Protector>>>,
}

impl ProtectDesk {
    /// Off until [`ProtectDesk::become_what_is_asked`].
    pub fn new(server: Rc<Server>, notices: Rc<NoticeDesk>, lasting: &Path, state: &Path) -> ProtectDesk {
        ProtectDesk {
            server,
            notices,
            lasting: lasting.into(),
            state: state.into(),
            running: RefCell::default(),
        }
    }

    /// Begins, ends, or goes on with another policy. A course that runs goes on by the one with which it began; disarmed, it
    /// ends. Must be called inside of a tokio `LocalRuntime`.
    pub fn become_what_is_asked(&self) {
        let asked = self.server.extras.borrow().protect.as_deref().cloned();
        let mut running = self.running.borrow_mut();
        match (asked, &*running) {
            (None, None) => {
                follow_views(&self.server, None);
                self.take_flag_away();
            }
            (None, Some(protector)) if protector.is_bound() => protector.finish_what_binds(&self.server),
            (None, Some(protector)) => {
                protector.end();
                // no load is switched off by a shutdown that is none of protection's
                if let Err(why) = state::second_chance(&self.state, &[]) {
                    self.server.log.warning(&format!("protect: {why}"));
                }
                self.server.protection.replace(None);
                follow_views(&self.server, None);
                *running = None;
                self.server.log.warning("protect: off, as qxups.toml has no [protect] any more");
            }
            (Some(options), Some(protector)) => protector.take_options(&self.server, options),
            (Some(options), None) => {
                follow_views(&self.server, Some(&options));
                let protector = Protector::start(self, options);
                self.server.protection.replace(Some(protector.clone()));
                *running = Some(protector);
            }
        }
    }

    /// A flag that a former process left: no load is switched off by a shutdown that is none of protection's.
    fn take_flag_away(&self) {
        if !state::is_raised(&self.state) {
            return;
        }
        match state::second_chance(&self.state, &[]) {
            Ok(()) => self.server.log.warning(
                "protect: off, as qxups.toml has no [protect]; the flag of 'qxups killpower' is taken away",
            ),
            Err(why) => self.server.log.warning(&format!("protect: {why}")),
        }
    }
}

fn follow_views(server: &Server, options: Option<&ProtectOptions>) {
    let fleet = server.fleet.borrow();
    let hints = server.views.follow(options, &|name| fleet.find(name).is_some());
    hints.iter().for_each(|hint| server.log.warning(hint));
}

impl ProtectDesk {
    /// What would happen if mains failed now.
    pub fn plan(&self) -> String {
        match &*self.running.borrow() {
            Some(protector) => protector.plan(),
            None => "protection is off: qxups.toml has no [protect]".into(),
        }
    }
}

/// Protection that is on.
pub(crate) struct Protector {
    server: Weak<Server>,
    options: RefCell<ProtectOptions>,
    /// Those that are taken when the course that runs has ended.
    later: RefCell<Option<ProtectOptions>>,
    policy: RefCell<Policy>,
    machine: RefCell<Machine>,
    /// Statuses that came since the last look: they may be over already.
    heard: RefCell<VecDeque<(String, String)>>,
    /// What came of what was done.
    came: RefCell<VecDeque<ProtectEvent>>,
    logins: RefCell<BTreeMap<StageId, Vec<StageLogin>>>,
    /// UPSes that the machine was shown.
    shown: RefCell<Vec<String>>,
    remarks: RefCell<VecDeque<(i64, Remark)>>,
    ears: SecondaryEars,
    hands: Hands,
    wake: Notify,
    task: RefCell<Option<AbortHandle>>,
    /// When a UPS was ordered to switch off last.
    ordered: RefCell<BTreeMap<String, Duration>>,
    last: Cell<Duration>,
    /// When was looked last whether this host could be shut down, and why it could not.
    probed: Cell<Option<Duration>>,
    trouble: RefCell<Option<String>>,
    /// What was said of the policy.
    said: RefCell<Vec<PolicyFault>>,
}

impl Protector {
    fn start(desk: &ProtectDesk, options: ProtectOptions) -> Rc<Protector> {
        let server = &desk.server;
        let (mut keeper, text) = RecordKeeper::open(&desk.lasting);
        let text = text.unwrap_or_else(|why| {
            server.log.warning(&format!("protect: {why}; what went down in an outage before is not known"));
            String::new()
        });
        let (record, fault) = ProtectRecord::read(&text);
        if let Some(fault) = fault {
            let path = keeper.path().display();
            let text = match fault {
                RecordFault::Newer(_) => format!("protect: {path}: {fault}"),
                _ => format!("protect: {fault} ({path}; what could be read of it counts)"),
            };
            server.log.warning(&text);
            if matches!(fault, RecordFault::Newer(_)) {
                keeper.leave_alone();
            }
        }
        let policy = policy_of(server, &options);
        let now = clock::since_boot();
        let start = Start { now, boot: clock::boot_id(), wall_s: clock::wall_s() };
        if start.boot.is_empty() {
            server.log.warning(&format!(
                "protect: {} cannot be read, so 'qxups killpower' has no second chance at the end of a shutdown; a unit of \
                 systemd with ProcSubset=pid is such a reason",
                clock::BOOT_ID
            ));
        }
        let (machine, actions) = Machine::new(policy.clone(), &record, &start);
        let protector = Rc::new_cyclic(|this| Protector {
            server: Rc::downgrade(server),
            ears: SecondaryEars::new(options.expected.clone(), now),
            options: RefCell::new(options),
            later: RefCell::default(),
            policy: RefCell::new(policy),
            machine: RefCell::new(machine),
            heard: RefCell::default(),
            came: RefCell::default(),
            logins: RefCell::default(),
            shown: RefCell::default(),
            remarks: RefCell::default(),
            hands: Hands::new(this.clone(), server, desk.notices.clone(), keeper, &desk.state),
            wake: Notify::new(),
            task: RefCell::default(),
            ordered: RefCell::default(),
            last: Cell::new(now),
            probed: Cell::default(),
            trouble: RefCell::default(),
            said: RefCell::default(),
        });
        protector.say_policy(server);
        protector.hands.take(actions);
        server.status_hub.add(&protector);
        let task = tokio::task::spawn_local(protector.clone().run());
        *protector.task.borrow_mut() = Some(task.abort_handle());
        protector
    }

    /// Takes other options: now, or when the course that runs has ended.
    fn take_options(&self, server: &Server, options: ProtectOptions) {
        self.probed.set(None);
        let is_other = *self.options.borrow() != options;
        if is_other && self.is_under_way() {
            server.log.warning("protect: a course is under way; [protect] is taken when it has ended");
            let arm = options.arm;
            self.later.replace(Some(options));
            follow_views(server, Some(&self.options.borrow()));
            if !arm {
                return self.disarm(server);
            }
        } else {
            self.later.replace(None);
            follow_views(server, Some(&options));
            if is_other {
                self.ears.follow(options.expected.clone(), clock::since_boot());
                self.options.replace(options);
                // a place may be that of another stage now
                self.logins.replace(BTreeMap::new());
                self.say_policy(server);
            }
        }
        self.reconfigure(server);
    }

    /// Nothing more is done, but what has to be finished.
    fn disarm(&self, server: &Server) {
        self.options.borrow_mut().arm = false;
        self.reconfigure(server);
        let what = match self.is_bound() {
            true => "a load may go off by an order that was given: this host still goes down before",
            false => "nothing more is done",
        };
        server.log.warning(&format!("protect: it is not armed any more; {what}"));
    }

    /// `[protect]` is gone, and a load may go off by an order: what was begun is finished, and nothing else.
    fn finish_what_binds(&self, server: &Server) {
        server.log.warning("protect: qxups.toml has no [protect] any more, and a course is under way");
        self.later.replace(None);
        follow_views(server, Some(&self.options.borrow()));
        self.disarm(server);
    }

    /// Whether something has to be finished although it is not armed any more.
    fn is_bound(&self) -> bool {
        self.machine.borrow().is_bound()
    }

    /// Whether anything may be done.
    fn may_act(&self) -> bool {
        self.options.borrow().arm || self.is_bound()
    }

    /// Whether hosts go down, or are down.
    fn is_under_way(&self) -> bool {
        let report = self.machine.borrow().report();
        report.groups.iter().any(|group| group.phase != Phase::Watching)
    }

    /// Where what a UPS takes is known by now, or is another, the policy is another as well.
    fn reconfigure(&self, server: &Server) {
        let policy = policy_of(server, &self.options.borrow());
        if *self.policy.borrow() == policy {
            return;
        }
        self.policy.replace(policy.clone());
        let actions = self.machine.borrow_mut().reconfigure(clock::since_boot(), policy);
        self.hands.take(actions);
        self.say_faults(server);
    }

    fn say_policy(&self, server: &Server) {
        let options = self.options.borrow();
        let names: Vec<&str> = options.groups.iter().map(|group| group.plan.name.as_str()).collect();
        let how = match options.arm {
            true => "armed",
            false => "dry: nothing is done, what would be done is logged; write arm = true to arm it",
        };
        server.log.info(&format!("protect: groups {}; {how}", names.join(", ")));
        self.said.replace(vec![]);
        self.say_faults(server);
    }

    /// What of the policy contradicts itself, as far as that was not said yet: of a UPS it may be known later.
    fn say_faults(&self, server: &Server) {
        let faults = ::protect::check(&self.policy.borrow());
        let before = self.said.replace(faults.clone());
        for fault in faults.into_iter().filter(|fault| !before.contains(fault)) {
            let of = fault.group.map(|group| format!("group {group}: ")).unwrap_or_default();
            server.log.warning(&format!("protect: {of}{}", fault.text));
        }
    }

    async fn run(self: Rc<Self>) {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let due = self.machine.borrow().next_wakeup();
            let left = due.map_or(LOOK * 2, |due| due.saturating_sub(clock::since_boot()));
            let is_look = tokio::select! {
                _ = looks.tick() => true,
                () = self.wake.notified() => false,
                () = sleep(left.max(Duration::from_millis(1))) => true,
            };
            let Some(server) = self.server.upgrade() else { return };
            self.take_what_came();
            self.take_heard(&server);
            self.look_at_logins(&server);
            if is_look {
                self.look(&server);
            }
        }
    }

    /// The machine takes an event, and what it asks for is done in its order.
    fn handle(&self, event: ProtectEvent) {
        // events that wait may be older than what was handled meanwhile
        let now = clock::since_boot().max(self.last.get());
        self.last.set(now);
        let actions = self.machine.borrow_mut().handle(now, event);
        self.hands.take(actions);
    }

    fn take_what_came(&self) {
        loop {
            let event = self.came.borrow_mut().pop_front();
            let Some(event) = event else { return };
            self.handle(event);
        }
    }

    /// Each status that came, in its order.
    fn take_heard(&self, server: &Server) {
        for (name, words) in self.heard.take() {
            let Some(ups) = server.fleet.borrow().find(&name).cloned() else { continue };
            if self.is_fed(&name) {
                let mut view = sight::view_of(&ups, self.since_order(&name));
                view.words = sight::words_of(&ups, &words);
                self.handle(ProtectEvent::View { ups: self.spelling(&name), view });
            }
        }
    }

    fn is_fed(&self, name: &str) -> bool {
        let policy = self.policy.borrow();
        policy.groups.iter().any(|group| group.feeds.iter().any(|feed| feed.ups.eq_ignore_ascii_case(name)))
    }

    /// How long ago it was ordered to switch off.
    fn since_order(&self, name: &str) -> Option<Duration> {
        let at = self.ordered.borrow().get(&name.to_ascii_lowercase()).copied()?;
        Some(clock::since_boot().saturating_sub(at))
    }

    /// Every UPS of the policy, as it is now.
    fn look(self: &Rc<Self>, server: &Rc<Server>) {
        let later = if self.is_under_way() { None } else { self.later.take() };
        match later {
            Some(options) => self.take_options(server, options),
            None => self.reconfigure(server),
        }
        let all: Vec<Rc<Ups>> = server.fleet.borrow().all().to_vec();
        let mut there = vec![];
        for ups in all.iter().filter(|ups| self.is_fed(ups.name())) {
            let hub: Rc<dyn HearsStatus> = server.status_hub.clone();
            // a source may have begun anew
            ups.with_source((), |source| source.tell_status(ups.name(), &hub));
            let view = sight::view_of(ups, self.since_order(ups.name()));
            there.push(ups.name().to_string());
            self.handle(ProtectEvent::View { ups: self.spelling(ups.name()), view });
        }
        let gone: Vec<String> = {
            let before = self.shown.replace(there.clone());
            before.into_iter().filter(|name| !there.contains(name)).collect()
        };
        gone.into_iter().for_each(|ups| self.handle(ProtectEvent::UpsGone { ups: self.spelling(&ups) }));
        self.handle(ProtectEvent::Tick);
        self.probe(server);
        self.ears.tick(clock::since_boot(), server);
    }

    /// Looks at the way by which this host is shut down, without using it.
    fn probe(self: &Rc<Self>, server: &Rc<Server>) {
        let now = clock::since_boot();
        if self.probed.get().is_some_and(|at| now.saturating_sub(at) < PROBES) {
            return;
        }
        self.probed.set(Some(now));
        let way = self.options.borrow().host.as_ref().map(|host| host.shutdown.clone());
        let found = way.as_ref().map_or(Ok(()), programs::probe);
        if found.is_err() || way != Some(HostShutdownWay::Logind) {
            return self.found(server, found.err());
        }
        // while this host goes down logind does not answer
        if self.is_under_way() {
            return;
        }
        let (protector, server) = (Rc::downgrade(self), Rc::downgrade(server));
        tokio::task::spawn_local(async move {
            let found = programs::logind_allows().await;
            if let (Some(protector), Some(server)) = (protector.upgrade(), server.upgrade()) {
                protector.found(&server, found.err());
            }
        });
    }

    /// Why this host could not be shut down, or that it could.
    fn found(&self, server: &Server, why: Option<String>) {
        let before = self.trouble.replace(why.clone());
        if why == before {
            return;
        }
        let text = match why {
            Some(why) => format!("this host could not be shut down: {why}"),
            None => "this host could be shut down again".into(),
        };
        server.log.warning(&format!("protect: {text}"));
        server.note_event(EventKind::Protection, None, &text);
    }

    /// A UPS as the policy spells it.
    fn spelling(&self, name: &str) -> String {
        let policy = self.policy.borrow();
        let mut feeds = policy.groups.iter().flat_map(|group| &group.feeds);
        feeds.find(|feed| feed.ups.eq_ignore_ascii_case(name)).map_or(name, |feed| &feed.ups).to_string()
    }

    /// The logins of each stage, where they are others than before.
    fn look_at_logins(&self, server: &Server) {
        let now = sight::logins_of(server, &self.options.borrow());
        let before = self.logins.replace(now.clone());
        for (id, logins) in now {
            if before.get(&id) == Some(&logins) {
                continue;
            }
            let Some((group, stage)) = self.names_of(id) else { continue };
            self.handle(ProtectEvent::Logins { group, stage, logins });
        }
    }

    fn names_of(&self, id: StageId) -> Option<(String, String)> {
        let options = self.options.borrow();
        let plan = &options.groups.get(id.group)?.plan;
        Some((plan.name.clone(), plan.stages.get(id.stage)?.name.clone()))
    }

    fn id_of(&self, group: &str, stage: &str) -> Option<StageId> {
        let options = self.options.borrow();
        let at = options.groups.iter().position(|known| known.plan.name == group)?;
        let stage = options.groups.get(at)?.plan.stages.iter().position(|known| known.name == stage)?;
        Some(StageId { group: at, stage })
    }

    fn stage(&self, group: &str, stage: &str) -> Option<StageOptions> {
        let id = self.id_of(group, stage)?;
        self.options.borrow().groups.get(id.group)?.stages.get(id.stage).cloned()
    }

    fn program(&self, group: &str, stage: &str, program: usize) -> Option<ProgramOptions> {
        self.stage(group, stage)?.programs.get(program).cloned()
    }

    fn output(&self, group: &str, stage: &str, webhook: usize) -> Option<String> {
        self.stage(group, stage)?.outputs.get(webhook).cloned()
    }

    /// Where the packet goes that wakes a host.
    fn wake_to(&self, group: &str, host: &str) -> SocketAddr {
        let options = self.options.borrow();
        let group = options.groups.iter().find(|known| known.plan.name == group);
        let found = group.and_then(|group| {
            let mut stages = group.plan.stages.iter().zip(&group.stages);
            stages.find_map(|(plan, stage)| {
                let at = plan.wake.iter().position(|target| target.host == host)?;
                stage.wake_to.get(at).copied()
            })
        });
        found.unwrap_or(SocketAddr::from((Ipv4Addr::BROADCAST, 9)))
    }

    /// The first UPS of a group, with its status, for notices.
    fn first_ups(&self, group: &str) -> (String, String) {
        let options = self.options.borrow();
        let group = options.groups.iter().find(|known| known.plan.name == group);
        let name = group.and_then(|group| group.plan.feeds.first()).map(|feed| feed.ups.clone());
        let name = name.unwrap_or_default();
        let found = self.server.upgrade().and_then(|server| server.fleet.borrow().find(&name).cloned());
        let mut status = String::new();
        if let Some(ups) = found {
            ups.with_source((), |source| {
                source.variable("ups.status", &mut |variable| status = variable.value.to_string());
            });
        }
        (name, status)
    }

    fn remember(&self, remark: Remark) {
        let mut remarks = self.remarks.borrow_mut();
        if remarks.len() >= REMARKS {
            remarks.pop_front();
        }
        remarks.push_back((crate::chronicle::wall_ms(), remark));
    }

    /// Something came of what was done.
    fn came(&self, event: ProtectEvent) {
        self.came.borrow_mut().push_back(event);
        self.wake.notify_one();
    }

    /// Where protection stands, for pages and metrics.
    pub fn view(&self) -> ProtectionView {
        shown::view(&self.machine.borrow().report(), self.ears.states(), self.host_works())
    }

    /// What would happen if mains failed now, as `qxups plan` prints it.
    pub fn plan(&self) -> String {
        let Some(server) = self.server.upgrade() else { return String::new() };
        let policy = self.policy.borrow();
        let feeds = policy.groups.iter().flat_map(|group| &group.feeds);
        let views = feeds.filter_map(|feed| {
            let ups = server.fleet.borrow().find(&feed.ups).cloned()?;
            Some((feed.ups.clone(), sight::view_of(&ups, None)))
        });
        let views: BTreeMap<String, PowerView> = views.collect();
        let report = self.machine.borrow().report();
        let mut text = shown::plan(&policy, &views, &report, &self.ears.states());
        if let Some(why) = &*self.trouble.borrow() {
            text += &format!("\nwarning: this host could not be shut down: {why}\n");
        }
        text.trim_end().into()
    }

    /// Whether this host could be shut down, where it is to be.
    fn host_works(&self) -> Option<bool> {
        self.options.borrow().host.as_ref().map(|_| self.trouble.borrow().is_none())
    }

    /// A client logged in or out.
    pub fn look_again(&self) {
        self.wake.notify_one();
    }

    /// Who is expected, and is heard or not.
    pub fn ears(&self) -> &SecondaryEars {
        &self.ears
    }

    fn end(&self) {
        if let Some(task) = self.task.borrow_mut().take() {
            task.abort();
        }
        self.hands.end();
    }
}

impl HearsStatus for Protector {
    fn status(&self, ups: &str, words: &str) {
        let mut heard = self.heard.borrow_mut();
        if heard.len() < HEARD {
            heard.push_back((ups.into(), words.into()));
        }
        self.wake.notify_one();
    }
}

/// The policy, with what is known of its UPSes now.
fn policy_of(server: &Server, options: &ProtectOptions) -> Policy {
    let longest = |name: &str| {
        let ups = server.fleet.borrow().find(name).cloned()?;
        orders::longest_delay(&ups)
    };
    let on_mains = |name: &str| {
        let ups = server.fleet.borrow().find(name).cloned();
        match ups.and_then(|ups| ups.with_source(None, |source| source.power_race())) {
            Some(PowerRace::Cycles) => OnMains::Cycles,
            // hosts that are down may not see it, or nothing is switched off: they have to be woken
            Some(PowerRace::MayBlink | PowerRace::NoOrder) => OnMains::StaysOn,
            Some(PowerRace::StaysOff) | None => OnMains::Unknown,
        }
    };
    options.policy(&longest, &on_mains)
}

/// What was done, or would be, in a sentence.
pub(crate) fn sentence(action: &ProtectAction) -> String {
    match action {
        ProtectAction::Keep(_) => "write the record".into(),
        ProtectAction::Signal { group, stage, signal } => match signal {
            Some(::protect::StageSignal::Forced) => format!("show FSD to stage {stage} of group {group}"),
            Some(::protect::StageSignal::LowBattery) => {
                format!("show OB LB to stage {stage} of group {group}")
            }
            None => format!("show stage {stage} of group {group} what the UPS says again"),
        },
        ProtectAction::Run { group, stage, program } => {
            format!("run program {} of stage {stage} of group {group}", program + 1)
        }
        ProtectAction::Webhook { group, stage, webhook } => {
            format!("send notice {} of stage {stage} of group {group}", webhook + 1)
        }
        ProtectAction::Order { ups, delay, attempt } => {
            format!("order UPS {ups} to switch its load off in {} s (try {attempt})", delay.as_secs())
        }
        ProtectAction::SecondChance { upses } if upses.is_empty() => {
            "take the flag for 'qxups killpower' away".into()
        }
        ProtectAction::SecondChance { upses } => {
            format!(
                "have 'qxups killpower' switch the load of {} off at the end of the shutdown",
                upses.join(", ")
            )
        }
        ProtectAction::HostDown => "shut this host down".into(),
        ProtectAction::Wake { group, host, attempt, .. } => {
            format!("wake {host} of group {group} (try {attempt})")
        }
        ProtectAction::Say(remark) => remark.text.clone(),
        ProtectAction::Would(action) => sentence(action),
    }
}
