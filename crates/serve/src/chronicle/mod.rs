//! The history of a fleet: what its UPSes say goes to the thread that writes it (`history`). Without `[history]` in
//! `qxups.toml` there is none of it.
//!
//! Each status is an event, as it comes; values are sampled every 10 s. No UPS waits for anything of this.

mod readings;
mod unit;

use crate::extras::HistoryOptions;
use crate::fleet::{HearsStatus, NOTHING_YET, has_word};
use crate::server::Server;
use history::{
    EventKind, HistoryBatch, HistoryEvent, HistoryRecorder, HistoryState, HistoryTime, HistoryWriter, Outage,
    Provenance,
};
use station::log::Log;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::{Rc, Weak};
use std::time::Duration;
use tokio::task::AbortHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use unit::WatchedUnit;

/// How often the fleet is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// Every so many looks values are sampled.
const SAMPLED: u64 = 10;
/// The file is waited for at the start, for outages that were not over; no longer than this.
const OPENS: Duration = Duration::from_secs(2);
/// A wall clock that is further off than this was set.
const SET_BY: i64 = 2_000;

/// A history that is written.
pub(crate) struct Chronicle {
    options: HistoryOptions,
    path: PathBuf,
    writer: RefCell<Option<HistoryWriter>>,
    units: RefCell<BTreeMap<String, WatchedUnit>>,
    recorder: RefCell<HistoryRecorder>,
    /// Outages that were not over at the start, of UPSes that have said nothing yet.
    unfinished: RefCell<Vec<(String, Outage, i64)>>,
    /// The energy that the file had at the start, of UPSes that have said nothing yet.
    counted: RefCell<Vec<(String, Provenance, f64)>>,
    began: Instant,
    /// The wall clock less the steady one, at the last look.
    offset: Cell<i64>,
    /// When samples were written last, in minutes.
    minute: Cell<i64>,
    trouble: RefCell<Option<String>>,
    log: Log,
    task: RefCell<Option<AbortHandle>>,
}

/// Where the file is.
pub fn path_of(options: &HistoryOptions, lasting: &Path) -> PathBuf {
    lasting.join(&options.file)
}

/// Makes the history what `qxups.toml` asks for: begins, ends, or leaves it as it is. Must be called inside of a tokio
/// `LocalRuntime`.
pub(crate) fn follow(server: &Rc<Server>, options: Option<&HistoryOptions>, lasting: &Path) {
    let before = server.chronicle.borrow().clone();
    if before.as_ref().map(|there| &there.options) == options {
        return;
    }
    let ended = before.and_then(|there| there.end("the configuration has changed"));
    server.chronicle.replace(None);
    let Some(options) = options else {
        // a disk that hangs holds nothing up here
        let _ = std::thread::Builder::new().name("history".into()).spawn(move || drop(ended));
        return;
    };
    let path = path_of(options, lasting);
    match HistoryWriter::start(&path, options.size_mib, ended) {
        Ok(writer) => {
            let chronicle = Rc::new(Chronicle::new(options.clone(), path, writer, server.log.clone()));
            let task = tokio::task::spawn_local(chronicle.clone().run(Rc::downgrade(server)));
            *chronicle.task.borrow_mut() = Some(task.abort_handle());
            server.status_hub.add(&chronicle);
            server.chronicle.replace(Some(chronicle));
        }
        Err(error) => server.log.warning(&format!("history: cannot start its thread: {error}; reload again")),
    }
}

/// Milliseconds since 1970: for people to read, nothing is decided by it.
#[allow(clippy::disallowed_methods)]
pub(crate) fn wall_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

impl Chronicle {
    fn new(options: HistoryOptions, path: PathBuf, writer: HistoryWriter, log: Log) -> Chronicle {
        Chronicle {
            options,
            path,
            writer: RefCell::new(Some(writer)),
            units: RefCell::default(),
            recorder: RefCell::default(),
            unfinished: RefCell::default(),
            counted: RefCell::default(),
            began: Instant::now(),
            offset: Cell::new(wall_ms()),
            minute: Cell::new(wall_ms().div_euclid(60_000)),
            trouble: RefCell::default(),
            log,
            task: RefCell::default(),
        }
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn now(&self) -> HistoryTime {
        HistoryTime { wall_ms: wall_ms(), steady: self.began.elapsed() }
    }

    async fn run(self: Rc<Self>, server: Weak<Server>) {
        while !self.is_open() && self.began.elapsed() < OPENS {
            sleep(Duration::from_millis(20)).await;
        }
        self.recall();
        self.note(EventKind::Start, None, concat!("qxups ", env!("CARGO_PKG_VERSION")));
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for number in 0_u64.. {
            looks.tick().await;
            let Some(server) = server.upgrade() else { return };
            self.watch_clock();
            self.recall();
            self.look(&server);
            if number % SAMPLED == 0 {
                self.sample(&server);
            }
            self.write_minute();
            self.say_trouble();
        }
    }

    /// What the file had when it was opened: at the start, or when its disk or another server let go of it.
    fn recall(&self) {
        let Some((unfinished, counted)) =
            self.writer.borrow().as_ref().map(|writer| (writer.take_unfinished(), writer.take_counted()))
        else {
            return;
        };
        self.unfinished.borrow_mut().extend(unfinished);
        let mut units = self.units.borrow_mut();
        for (ups, whose, wh) in counted {
            match units.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case(&ups)) {
                Some((_, unit)) => unit.count_on(whose, wh),
                None => self.counted.borrow_mut().push((ups, whose, wh)),
            }
        }
    }

    fn is_open(&self) -> bool {
        let state = self.writer.borrow().as_ref().map(HistoryWriter::state);
        state.is_none_or(|state| state.opened || state.trouble.is_some())
    }

    /// Compares every UPS with what was heard of it last.
    fn look(self: &Rc<Self>, server: &Server) {
        let fleet = server.fleet.borrow();
        for ups in fleet.all() {
            if !self.units.borrow().contains_key(ups.name()) {
                self.units.borrow_mut().insert(ups.name().into(), self.new_unit(ups.name()));
            }
            let hearer: Rc<dyn HearsStatus> = server.status_hub.clone();
            let mut words = None;
            ups.with_source((), |source| {
                // a source may have begun anew
                source.tell_status(ups.name(), &hearer);
                if has_word(source) {
                    source.variable("ups.status", &mut |status| words = Some(status.value.to_string()));
                }
            });
            match words {
                Some(words) => self.status(ups.name(), &words),
                None => self.lost(ups.name()),
            }
        }
        self.drop_gone(|name| fleet.find(name).is_some());
    }

    fn new_unit(&self, name: &str) -> WatchedUnit {
        let mut unit = WatchedUnit::default();
        let mut unfinished = self.unfinished.borrow_mut();
        if let Some(at) = unfinished.iter().position(|(ups, ..)| ups.eq_ignore_ascii_case(name)) {
            let (_, outage, last_ms) = unfinished.swap_remove(at);
            unit.outages.resume(outage, last_ms, self.now());
        }
        drop(unfinished);
        self.counted.borrow_mut().retain(|(ups, whose, wh)| {
            let is_this = ups.eq_ignore_ascii_case(name);
            if is_this {
                unit.count_on(*whose, *wh);
            }
            !is_this
        });
        unit
    }

    fn drop_gone(&self, is_there: impl Fn(&str) -> bool) {
        let now = self.now();
        // what was not over at the start, of UPSes that are in the file no more
        let unfinished = self.unfinished.take().into_iter();
        let mut ended: Vec<_> = unfinished
            .map(|(ups, outage, last_ms)| {
                (ups, Outage { end_ms: Some(last_ms), end_seen: false, ..outage }, last_ms)
            })
            .collect();
        self.units.borrow_mut().retain(|name, unit| {
            let stays = is_there(name);
            if !stays {
                ended.extend(unit.give_up(now).map(|outage| (name.clone(), outage.0, outage.1)));
            }
            stays
        });
        if !ended.is_empty() {
            self.send(HistoryBatch { outages: ended, ..HistoryBatch::default() });
        }
    }

    /// There is no fresh data.
    fn lost(&self, ups: &str) {
        let lost = self.units.borrow_mut().get_mut(ups).is_some_and(WatchedUnit::lose);
        if lost {
            self.note(EventKind::Stale, Some(ups), "");
        }
    }

    fn sample(&self, server: &Server) {
        let now = self.now();
        let (mut units, mut recorder) = (self.units.borrow_mut(), self.recorder.borrow_mut());
        for ups in server.fleet.borrow().all() {
            let Some(unit) = units.get_mut(ups.name()).filter(|unit| unit.is_fresh()) else { continue };
            let said = ups.with_source(None, |source| Some(readings::Readout::of(source)));
            let Some(said) = said else { continue };
            unit.read(&said, now);
            recorder.record(ups.name(), now.wall_ms, said.samples());
        }
    }

    /// Once a minute what was sampled goes to the disk.
    fn write_minute(&self) {
        let now = self.now();
        let minute = now.wall_ms.div_euclid(60_000);
        if self.minute.replace(minute) == minute {
            return;
        }
        let rows = self.recorder.borrow_mut().take(now.wall_ms);
        self.send(HistoryBatch { rows, ..self.standing(now) });
    }

    /// Outages that last, and energy that was counted.
    fn standing(&self, now: HistoryTime) -> HistoryBatch {
        let (mut outages, mut energy) = (vec![], vec![]);
        for (name, unit) in self.units.borrow_mut().iter_mut() {
            outages.extend(unit.outages.open(now).map(|(outage, last_ms)| (name.clone(), outage, last_ms)));
            for (provenance, wh) in
                [Provenance::Said, Provenance::Computed].into_iter().zip(unit.take_energy())
            {
                if wh > 0.0 {
                    energy.push((name.clone(), provenance, wh));
                }
            }
        }
        HistoryBatch { outages, energy, ..HistoryBatch::default() }
    }

    fn send(&self, batch: HistoryBatch) {
        let batch = HistoryBatch { at_ms: wall_ms(), ..batch };
        if let Some(writer) = self.writer.borrow().as_ref().filter(|_| !batch.is_empty()) {
            writer.send(batch);
        }
    }

    /// Writes an event down, soon.
    pub fn note(&self, kind: EventKind, ups: Option<&str>, text: &str) {
        let events = vec![HistoryEvent::new(wall_ms(), ups, kind, text)];
        self.send(HistoryBatch { events, ..HistoryBatch::default() });
    }

    /// The energy that the load of a UPS took since it is counted, in watt-hours: by the power that the UPS says, and by
    /// what was computed.
    pub fn energy_of(&self, ups: &str) -> Option<[f64; 2]> {
        self.units.borrow().get(ups).map(WatchedUnit::counted)
    }

    /// The outage of a UPS that lasts, as of now, or else the one that ended last. The file has it as of the last minute.
    pub fn latest_outage(&self, ups: &str) -> Option<Outage> {
        self.units.borrow().get(ups)?.latest(self.now())
    }

    /// How the file does.
    pub fn state(&self) -> Option<HistoryState> {
        self.writer.borrow().as_ref().map(HistoryWriter::state)
    }

    /// Notes that the wall clock was set.
    fn watch_clock(&self) {
        let now = self.now();
        let offset = now.wall_ms - i64::try_from(now.steady.as_millis()).unwrap_or(0);
        let by = offset - self.offset.replace(offset);
        if by.abs() > SET_BY {
            let way = if by > 0 { "on" } else { "back" };
            self.note(EventKind::Clock, None, &format!("set {way} by {} s", by.abs() / 1000));
        }
    }

    /// Says once that the file cannot be written, and once that it is written again.
    fn say_trouble(&self) {
        let Some(state) = self.writer.borrow().as_ref().map(HistoryWriter::state) else { return };
        let before = self.trouble.replace(state.trouble.clone());
        match (before, state.trouble) {
            (before, Some(why)) if before.as_ref() != Some(&why) => {
                self.log.warning(&format!("history {}: {why}; going on without", self.path.display()));
            }
            (Some(_), None) => self.log.info(&format!("history {} is written again", self.path.display())),
            _ => {}
        }
    }

    /// Ends it: what is known is handed to the writer, which ends when it is dropped.
    pub fn end(&self, why: &str) -> Option<HistoryWriter> {
        if let Some(task) = self.task.borrow_mut().take() {
            task.abort();
        }
        let now = self.now();
        let rows = self.recorder.borrow_mut().take_all();
        let events = vec![HistoryEvent::new(now.wall_ms, None, EventKind::Stop, why)];
        self.send(HistoryBatch { rows, events, ..self.standing(now) });
        self.writer.borrow_mut().take()
    }
}

impl HearsStatus for Chronicle {
    fn status(&self, ups: &str, words: &str) {
        if words == NOTHING_YET {
            return;
        }
        let now = self.now();
        let Some(heard) = self.units.borrow_mut().get_mut(ups).and_then(|unit| unit.hear(words, now)) else {
            return;
        };
        let kind = if heard.is_back { EventKind::Fresh } else { EventKind::Status };
        let events = vec![HistoryEvent::new(now.wall_ms, Some(ups), kind, words)];
        let outages = heard.outage.map(|outage| (ups.to_string(), outage, now.wall_ms)).into_iter().collect();
        self.send(HistoryBatch { events, outages, ..HistoryBatch::default() });
    }
}
