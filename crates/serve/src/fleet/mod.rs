//! The fleet: all UPSes of a site by name, wherever their data comes from.

mod errands;
mod line;
mod lines;
mod mirror;
mod own;
mod plan;
mod simulated;
mod socket;
mod source;
mod stands;
mod survey;
mod upstream;

use driver::instance::Instance;
use nut::network::TrackingId;
use nut::network::server::{Freshness, UpsId};
use nut::ups_conf::UpsConf;
use own::OwnSource;
pub use plan::check_part;
use plan::{Origin, UpsPlan};
use socket::SocketSource;
pub(crate) use source::{Ended, HearsStatus, NOTHING_YET, Source, StatusHub, WhenEnded, has_word};
pub(crate) use stands::Stands;
use station::driver_kind::DriverKind;
use station::log::Log;
use station::memory::Folders;
use station::{Mode, Owner, Reloaded, Setup};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;
use upstream::UpstreamSource;

/// What the sources of a fleet share.
#[derive(Clone)]
pub struct Surroundings {
    /// Where `ups.conf` lies.
    pub conf: PathBuf,
    /// Where stations keep what lasts, and where the sockets of drivers are.
    pub folders: Folders,
    /// Where drivers leave their PID files.
    pub pids: PathBuf,
    /// MAXAGE: a driver that says nothing for so long has no fresh data.
    pub max_age: Rc<Cell<Duration>>,
    /// Makes the names of orders.
    pub new_id: Rc<dyn Fn() -> TrackingId>,
    /// Where is said what happens.
    pub log: Log,
    /// The process, as its stations know it.
    pub owner: Rc<dyn Owner>,
}

impl fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surroundings").field("conf", &self.conf).finish_non_exhaustive()
    }
}

/// So many hexadecimal digits no two servers have in common.
const MARK: usize = 16;
/// So many stations begin at once, and each further one a little later: a thousand within a quarter of a second.
const AT_ONCE: u32 = 8;
const PACE: Duration = Duration::from_micros(250);

/// Where the data of a UPS comes from, as it runs.
enum Feed {
    Own(OwnSource),
    Socket(SocketSource),
    Upstream(UpstreamSource),
    /// Nothing gives data: why was said.
    Nothing,
}

/// What a reload compares with the new `ups.conf`. What a station was made of it has itself.
enum Known {
    Own(&'static DriverKind),
    Other(Origin),
}

impl From<Origin> for Known {
    fn from(origin: Origin) -> Known {
        match origin {
            Origin::Own { kind, .. } => Known::Own(kind),
            other => Known::Other(other),
        }
    }
}

/// One UPS.
pub struct Ups {
    id: UpsId,
    name: String,
    description: RefCell<Option<String>>,
    origin: RefCell<Known>,
    feed: RefCell<Feed>,
    /// How often its source began anew.
    anew: Cell<u16>,
    forced_shutdown: Cell<bool>,
}

impl Ups {
    /// Its number, which no other UPS of this process ever has.
    pub fn id(&self) -> UpsId {
        self.id
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A number that is another one when the UPS behind its name may be another.
    pub fn unit(&self) -> u128 {
        let of_source = self.with_source(0, |source| source.unit());
        u128::from(self.id.0) << 80 | u128::from(self.anew.get()) << 64 | u128::from(of_source)
    }

    /// Does something with its description.
    pub fn with_description<T>(&self, act: impl FnOnce(Option<&str>) -> T) -> T {
        act(self.description.borrow().as_deref())
    }

    /// Whether its FSD latch is set: clients are to shut their machines down.
    pub fn forced_shutdown(&self) -> bool {
        self.forced_shutdown.get()
    }

    /// Sets the FSD latch, or clears it.
    pub fn set_forced_shutdown(&self, on: bool) {
        self.forced_shutdown.set(on);
    }

    /// Whether it has data.
    pub fn freshness(&self) -> Freshness {
        self.with_source(Freshness::NotConnected, |source| source.freshness())
    }

    /// Does something with its source; `nothing` stands for what a UPS without one says.
    pub(crate) fn with_source<T>(&self, nothing: T, act: impl FnOnce(&dyn Source) -> T) -> T {
        match &*self.feed.borrow() {
            Feed::Own(own) => act(own),
            Feed::Socket(socket) => act(socket),
            Feed::Upstream(upstream) => act(upstream),
            Feed::Nothing => nothing,
        }
    }

    /// Whether this process drives it, and it was not found yet: something to say at the start.
    pub fn is_own(&self) -> bool {
        matches!(&*self.feed.borrow(), Feed::Own(_))
    }
}

impl fmt::Debug for Ups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ups").field("id", &self.id).field("name", &self.name).finish_non_exhaustive()
    }
}

/// All UPSes of a site, in the order of `ups.conf`.
pub struct Fleet {
    surroundings: Surroundings,
    /// By this other servers know this process.
    mark: String,
    all: Vec<Rc<Ups>>,
    by_id: HashMap<UpsId, Rc<Ups>>,
    /// By the name without capitals.
    by_name: HashMap<String, Rc<Ups>>,
    last: u64,
    /// How many stations were begun at this start, or this reload.
    begun: Cell<u32>,
}

impl fmt::Debug for Fleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fleet").field("all", &self.all).finish_non_exhaustive()
    }
}

impl Fleet {
    /// A fleet without a UPS.
    pub fn new(surroundings: Surroundings) -> Fleet {
        let mark: String = (surroundings.new_id)().to_string();
        let mark = mark.chars().filter(char::is_ascii_hexdigit).take(MARK).collect();
        Fleet {
            surroundings,
            mark,
            all: vec![],
            by_id: HashMap::new(),
            by_name: HashMap::new(),
            last: 0,
            begun: Cell::new(0),
        }
    }

    /// A UPS of this process, as the path of its data names it.
    pub fn node(&self, name: &str) -> String {
        format!("{}/{}", self.mark, name.to_ascii_lowercase())
    }

    /// All of them.
    pub fn all(&self) -> &[Rc<Ups>] {
        &self.all
    }

    /// One of them.
    pub fn get(&self, id: UpsId) -> Option<&Rc<Ups>> {
        self.by_id.get(&id)
    }

    /// The one of that name, whose case does not matter.
    pub fn find(&self, name: &str) -> Option<&Rc<Ups>> {
        match name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            true => self.by_name.get(&name.to_ascii_lowercase()),
            false => self.by_name.get(name),
        }
    }

    /// MAXAGE, as it is from now on.
    pub fn set_max_age(&self, max_age: Duration) {
        self.surroundings.max_age.set(max_age);
    }

    /// Looks whether `ups.conf` can be used: what it says, and whether UPSes that are watched could take it.
    ///
    /// # Errors
    /// File, line and a sentence.
    pub fn check(&self, conf: &UpsConf) -> Result<CheckedConf, String> {
        let Surroundings { conf: folder, folders, .. } = &self.surroundings;
        let conf = &self.with_known_names(conf);
        let plans = plan::read(conf, folder, &folders.state)?;
        self.check_wrong(&plans)?;
        self.check_gone(conf, &plans)?;
        for plan in &plans.all {
            let known = self.find(&plan.name).map(|ups| ups.feed.borrow());
            if let (Some(Feed::Own(own)), Origin::Own { config, .. }) = (known.as_deref(), &plan.origin) {
                own.check(config).map_err(|wrong| format!("[{}]: {}", plan.name, wrong.sentence))?;
            }
        }
        Ok(CheckedConf(plans))
    }

    /// A heading that is written in another case by now means the same UPS, which keeps the name that clients know.
    fn with_known_names(&self, conf: &UpsConf) -> UpsConf {
        let mut renamed = conf.clone();
        for section in &mut renamed.sections {
            let is_there = |ups: &&Rc<Ups>| conf.sections.iter().any(|other| other.name == ups.name);
            if let Some(ups) = self.find(&section.name).filter(|ups| !is_there(ups)) {
                section.name.clone_from(&ups.name);
            }
        }
        renamed
    }

    /// At the start one wrong section costs its own UPS; later also no other, unless it was right or not there before.
    fn check_wrong(&self, plans: &plan::Plans) -> Result<(), String> {
        let is_known = |name: &str| {
            let known = self.find(name).map(|ups| ups.origin.borrow());
            matches!(known.as_deref(), Some(Known::Other(Origin::Wrong(_))))
        };
        let mut all_are_wrong = !plans.all.is_empty();
        for plan in &plans.all {
            match &plan.origin {
                Origin::Wrong(why) if !self.all.is_empty() && !is_known(&plan.name) => {
                    return Err(why.clone());
                }
                Origin::Wrong(_) => {}
                _ => all_are_wrong = false,
            }
        }
        let first = plans.all.iter().find_map(|plan| match &plan.origin {
            Origin::Wrong(why) => Some(why.clone()),
            _ => None,
        });
        first.filter(|_| all_are_wrong).map_or(Ok(()), Err)
    }

    /// A UPS whose heading is misspelt has not been taken out of the file.
    fn check_gone(&self, conf: &UpsConf, plans: &plan::Plans) -> Result<(), String> {
        let is_gone = |ups: &&Rc<Ups>| plans.all.iter().all(|plan| plan.name != ups.name);
        let (Some(gone), Some(wrong)) = (self.all.iter().find(is_gone), lines::wrong_heading(conf)) else {
            return Ok(());
        };
        Err(format!("{}; [{}] would be gone", lines::at(&self.surroundings.conf, &wrong), gone.name))
    }

    /// Makes the fleet what `ups.conf` says: new UPSes appear, others go, those that stay miss no poll. Must be called
    /// inside of a tokio `LocalRuntime` or `LocalSet`.
    pub fn take(&mut self, CheckedConf(plans): CheckedConf) -> FleetChange {
        plans.hints.iter().for_each(|hint| self.surroundings.log.warning(hint));
        let mut news = FleetChange::default();
        self.begun.set(0);
        let mut before = std::mem::take(&mut self.all);
        // first what goes: a port may move to another UPS
        before.retain(|ups| {
            let stays = plans.all.iter().any(|plan| plan.name == ups.name);
            if !stays {
                news.gone.push(ups.name.clone());
                ups.with_source((), |source| source.stop());
                *ups.feed.borrow_mut() = Feed::Nothing;
            }
            stays
        });
        for plan in plans.all {
            let known = before.iter().find(|ups| ups.name == plan.name);
            let ups = match known {
                Some(ups) => {
                    news.count(ups, self.update(ups, plan));
                    ups.clone()
                }
                None => {
                    news.new.push(plan.name.clone());
                    Rc::new(self.create(plan))
                }
            };
            self.all.push(ups);
        }
        self.by_id = self.all.iter().map(|ups| (ups.id, ups.clone())).collect();
        self.by_name = self.all.iter().map(|ups| (ups.name.to_ascii_lowercase(), ups.clone())).collect();
        news
    }

    /// Whether a load is being switched off, or a client waits for what came of its order.
    pub fn is_busy(&self) -> bool {
        self.all.iter().any(|ups| matches!(&*ups.feed.borrow(), Feed::Own(own) if own.is_busy()))
    }

    /// The UPS whose load is being switched off, if any.
    pub fn kills_power(&self) -> Option<&str> {
        let kills = |ups: &&Rc<Ups>| matches!(&*ups.feed.borrow(), Feed::Own(own) if own.kills_power());
        self.all.iter().find(kills).map(|ups| ups.name())
    }

    /// Whether an order of a client is under way to a UPS that is driven here.
    pub fn has_orders(&self) -> bool {
        self.all.iter().any(|ups| matches!(&*ups.feed.borrow(), Feed::Own(own) if own.has_orders()))
    }

    /// Ends everything; what stations keep is kept.
    pub fn stop(&mut self) {
        self.all.iter().for_each(|ups| ups.with_source((), |source| source.stop()));
    }

    fn create(&mut self, plan: UpsPlan) -> Ups {
        self.last += 1;
        let feed = self.feed(&plan.name, &plan.origin);
        Ups {
            id: UpsId(self.last),
            name: plan.name,
            description: RefCell::new(plan.description),
            origin: RefCell::new(plan.origin.into()),
            feed: RefCell::new(feed),
            anew: Cell::default(),
            forced_shutdown: Cell::new(false),
        }
    }

    fn update(&self, ups: &Ups, plan: UpsPlan) -> Fate {
        let described = ups.description.replace(plan.description.clone()) != plan.description;
        let fate = match (&*ups.feed.borrow(), &*ups.origin.borrow(), &plan.origin) {
            (Feed::Own(own), Known::Own(kind), Origin::Own { kind: new, config, .. }) => {
                match own.reload((**config).clone()) {
                    _ if kind.name != new.name => Fate::Anew,
                    Ok(Reloaded::Unchanged) => Fate::Same,
                    Ok(Reloaded::InUse) => Fate::Changed,
                    Ok(Reloaded::NeedsRestart) => Fate::Anew,
                    Err(wrong) => {
                        self.log(ups).warning(&format!("{}; going on as before", wrong.sentence));
                        return Fate::Same;
                    }
                }
            }
            // a driver that runs by itself is used as long as it is there
            (Feed::Socket(socket), Known::Own(_), Origin::Own { .. }) => {
                if socket.freshness() == Freshness::NotConnected { Fate::Anew } else { Fate::Same }
            }
            (feed, Known::Other(old), new) if is_same(feed, old, new) => Fate::Same,
            _ => Fate::Anew,
        };
        if fate == Fate::Anew {
            ups.anew.set(ups.anew.get().wrapping_add(1));
            ups.with_source((), |source| source.stop());
            // the port has to be free first
            *ups.feed.borrow_mut() = Feed::Nothing;
            *ups.feed.borrow_mut() = self.feed(&plan.name, &plan.origin);
        }
        *ups.origin.borrow_mut() = plan.origin.into();
        if fate == Fate::Same && described { Fate::Changed } else { fate }
    }

    /// How long the next station waits: clients are to read the first UPSes while the last ones are being opened.
    fn next_pause(&self) -> Duration {
        let begun = self.begun.replace(self.begun.get().saturating_add(1));
        PACE * begun.saturating_sub(AT_ONCE)
    }

    fn log(&self, ups: &Ups) -> Log {
        self.surroundings.log.for_ups(&ups.name)
    }

    fn feed(&self, name: &str, origin: &Origin) -> Feed {
        let Surroundings { folders, log, owner, .. } = &self.surroundings;
        let log = log.for_ups(name);
        match origin {
            Origin::Own { kind, config, socket } => self.own_or_running(name, kind, config, socket, log),
            Origin::Simulated(plan) => match plan.start(&folders.state, &log) {
                Ok((simulated, config)) => {
                    let kind = &station::driver_kind::NUTDRV_QX;
                    let setup =
                        Setup { kind, config, mode: Mode::Watch, folders: None, log, owner: owner.clone() };
                    let socket = folders.state.join(format!("{}-{name}", simulated::DRIVER));
                    Feed::Own(OwnSource::spawn(setup, Some(simulated), socket, self.next_pause()))
                }
                Err(why) => {
                    log.warning(&why);
                    Feed::Nothing
                }
            },
            Origin::Socket(path) => self.socket(path, log),
            Origin::Wrong(why) => {
                self.surroundings
                    .log
                    .warning(&format!("{why}; clients hear that its driver is not connected"));
                Feed::Nothing
            }
            Origin::Upstream(upstream) => {
                let max_age = self.surroundings.max_age.clone();
                Feed::Upstream(UpstreamSource::spawn(upstream.clone(), self.node(name), max_age, log))
            }
        }
    }

    fn socket(&self, path: &Path, log: Log) -> Feed {
        let Surroundings { max_age, new_id, .. } = &self.surroundings;
        Feed::Socket(SocketSource::spawn(path, max_age.clone(), new_id.clone(), log))
    }

    /// A station; or the driver itself, where it runs already: two on one line take each other's replies.
    fn own_or_running(
        &self,
        name: &str,
        kind: &'static DriverKind,
        config: &station::config::UpsConfig,
        socket: &Path,
        log: Log,
    ) -> Feed {
        let Surroundings { folders, pids, .. } = &self.surroundings;
        let pid_file = pids.join(format!("{}-{name}.pid", kind.name));
        let instance = Instance { program: kind.name, ups: name.into(), pid_file, socket: socket.into() };
        if let Some(pid) = instance.running().or_else(|| instance.server()) {
            log.info(&format!(
                "process {pid} drives it already ({}), and is used; to have the UPS driven here, end that and reload",
                kind.name
            ));
            return self.socket(socket, log);
        }
        let (config, folders, owner) =
            (config.clone(), Some(folders.clone()), self.surroundings.owner.clone());
        let setup = Setup { kind, config, mode: Mode::Watch, folders, log, owner };
        Feed::Own(OwnSource::spawn(setup, None, socket.into(), self.next_pause()))
    }
}

/// Whether a UPS that this process does not drive by a station goes on as it is.
fn is_same(feed: &Feed, old: &Origin, new: &Origin) -> bool {
    match (feed, old, new) {
        (_, Origin::Wrong(old), Origin::Wrong(new)) => old == new,
        (Feed::Own(_), Origin::Simulated(old), Origin::Simulated(new)) => old == new,
        (Feed::Socket(_), Origin::Socket(old), Origin::Socket(new)) => old == new,
        (Feed::Upstream(_), Origin::Upstream(old), Origin::Upstream(new)) => old == new,
        _ => false,
    }
}

/// An `ups.conf` that can be used.
#[derive(Debug)]
pub struct CheckedConf(plan::Plans);

impl CheckedConf {
    /// How many UPSes it has.
    pub fn count(&self) -> usize {
        self.0.all.len()
    }
}

/// What a reload does to a UPS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Nothing.
    Same,
    /// It goes on, with other options.
    Changed,
    /// Its source begins anew.
    Anew,
}

/// So many names are said of each kind of change.
const NAMED: usize = 5;

/// What changed in a fleet, by the names of its UPSes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FleetChange {
    /// UPSes that were not there before.
    pub new: Vec<String>,
    /// UPSes that are not there any more.
    pub gone: Vec<String>,
    /// Those that went on with other options.
    pub changed: Vec<String>,
    /// Those whose source began anew.
    pub anew: Vec<String>,
    /// How many there are to which nothing happened.
    pub same: usize,
}

impl FleetChange {
    fn count(&mut self, ups: &Ups, fate: Fate) {
        match fate {
            Fate::Same => self.same += 1,
            Fate::Changed => self.changed.push(ups.name.clone()),
            Fate::Anew => self.anew.push(ups.name.clone()),
        }
    }
}

impl fmt::Display for FleetChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FleetChange { new, gone, changed, anew, same } = self;
        for (names, what) in [(new, "new"), (gone, "gone"), (changed, "changed"), (anew, "begun anew")] {
            if !names.is_empty() {
                write!(f, "{} {what}, ", named(names))?;
            }
        }
        match same {
            0 if new.is_empty() && gone.is_empty() && changed.is_empty() && anew.is_empty() => {
                f.write_str("none")
            }
            _ => write!(f, "{same} as before"),
        }
    }
}

/// The first of some names, and how many more there are.
pub(crate) fn named(names: &[String]) -> String {
    let first = names[..names.len().min(NAMED)].join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}
