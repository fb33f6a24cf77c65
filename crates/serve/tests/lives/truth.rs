//! What is so in a life, and what was found to be otherwise.

use super::unit::{Place, Unit};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use testbed::ups::SimUps;

/// MAXAGE, and newer NUT's second beyond it.
pub const MAX_AGE: Duration = Duration::from_secs(2);
const OLD: Duration = Duration::from_secs(3);
/// So much later may things be on a machine that has other things to do.
pub const SLACK: Duration = Duration::from_millis(2500);
/// A UPS that is asked each second is asked twice before an outage is told.
const POLLED: Duration = Duration::from_secs(4);

/// How often is looked how busy the machine is.
const LOOKS: Duration = Duration::from_millis(20);

/// How long the threads of a process were ready to run and did not (proc(5), Documentation/scheduler/sched-stats.rst).
fn waited(tasks: &str) -> Duration {
    let threads = std::fs::read_dir(tasks).into_iter().flatten().flatten();
    let texts = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("schedstat")).ok());
    let waits = texts.filter_map(|text| text.split(' ').nth(1)?.parse::<u64>().ok());
    Duration::from_nanos(waits.sum())
}

/// A simulated UPS that the server drives itself.
pub struct Driven {
    pub ups: SimUps,
    statuses: Mutex<Vec<(Instant, &'static str)>>,
}

impl Driven {
    pub fn new(ups: SimUps) -> Driven {
        Driven { ups, statuses: Mutex::new(vec![(Instant::now(), "OL")]) }
    }

    pub fn turn_mains(&self) {
        let mut statuses = self.statuses.lock().unwrap();
        let is_on = statuses.last().unwrap().1 == "OL";
        self.ups.turn(if is_on { "mains fail" } else { "mains back" });
        statuses.push((Instant::now(), if is_on { "OB" } else { "OL" }));
    }

    pub fn status(&self) -> &'static str {
        self.statuses.lock().unwrap().last().unwrap().1
    }

    fn was(&self, status: &str, from: Instant) -> bool {
        let statuses = self.statuses.lock().unwrap();
        let ends = statuses.iter().skip(1).map(|(at, _)| *at).chain([Instant::now()]);
        let mut lasted = statuses.iter().zip(ends);
        lasted.any(|((_, word), end)| status.split(' ').any(|is| is == *word) && end >= from)
    }
}

/// Where the data of a section comes from.
#[derive(Clone)]
pub enum Origin {
    Unit(Arc<Unit>),
    Driven(Arc<Driven>),
}

/// A section of ups.conf, as the server last took it.
#[derive(Clone)]
pub struct Section {
    pub origin: Origin,
    /// Since when clients are to shut down.
    pub forced: Option<Instant>,
}

/// A user of upsd.users.
#[derive(Clone)]
pub struct Account {
    pub password: String,
    pub is_hashed: bool,
}

/// What is so.
pub struct Truth {
    pub began: Instant,
    pub port: u16,
    /// Odd while a reload is under way.
    epoch: AtomicU64,
    pub sections: Mutex<BTreeMap<String, Section>>,
    pub accounts: Mutex<BTreeMap<String, Account>>,
    /// All that ever were, by their serial numbers.
    pub units: Mutex<BTreeMap<String, Arc<Unit>>>,
    pub ends: AtomicBool,
    faults: Mutex<Vec<String>>,
    /// How long the server, and this, waited for a processor until then.
    starved: Mutex<Vec<(Instant, Duration, Duration)>>,
    /// The threads of the server.
    server: Mutex<String>,
}

impl Truth {
    pub fn new(port: u16) -> Arc<Truth> {
        Arc::new(Truth {
            began: Instant::now(),
            port,
            epoch: AtomicU64::new(0),
            sections: Mutex::default(),
            accounts: Mutex::default(),
            units: Mutex::default(),
            ends: AtomicBool::new(false),
            faults: Mutex::default(),
            starved: Mutex::default(),
            server: Mutex::default(),
        })
    }

    /// The server runs, as this process.
    pub fn watch(self: &Arc<Truth>, server: i32) {
        *self.server.lock().unwrap() = format!("/proc/{server}/task");
        let truth = self.clone();
        std::thread::spawn(move || truth.watch_the_machine());
    }

    /// Notes how long the machine was too busy to run this, and the server.
    fn watch_the_machine(&self) {
        let (mut last, mut own) = (Instant::now(), Duration::ZERO);
        while !self.ends() {
            std::thread::sleep(LOOKS);
            let now = Instant::now();
            own += (now - last).saturating_sub(2 * LOOKS);
            last = now;
            let sum = waited(&self.server.lock().unwrap());
            self.starved.lock().unwrap().push((now, own, sum));
        }
    }

    /// How long something was ready to run since then and did not, as the machine ran others: what is late by that is not
    /// late by the server.
    pub fn starved_since(&self, since: Instant) -> Duration {
        let sum = waited(&self.server.lock().unwrap());
        // this may have waited for its own turn
        let now = Instant::now();
        std::thread::sleep(2 * LOOKS);
        let starved = self.starved.lock().unwrap();
        let (own, last) = starved.last().map_or((Duration::ZERO, now), |(at, own, _)| (*own, *at));
        let own = own + now.saturating_duration_since(last).saturating_sub(2 * LOOKS);
        let before = starved.iter().rev().find(|(at, ..)| *at <= since);
        let (own_before, sum_before) = before.map_or_else(Default::default, |(_, own, sum)| (*own, *sum));
        own.saturating_sub(own_before) + sum.saturating_sub(sum_before)
    }

    pub fn ends(&self) -> bool {
        self.ends.load(Ordering::SeqCst)
    }

    pub fn fault(&self, what: String) {
        let at = self.began.elapsed().as_millis();
        self.faults.lock().unwrap().push(format!("at {at} ms: {what}"));
    }

    pub fn faults(&self) -> Vec<String> {
        self.faults.lock().unwrap().clone()
    }

    /// A reload begins, or has ended.
    pub fn turn_epoch(&self) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
    }

    /// The configuration that counts; none while a reload is under way.
    pub fn epoch(&self) -> Option<u64> {
        Some(self.epoch.load(Ordering::SeqCst)).filter(|epoch| epoch % 2 == 0)
    }

    pub fn is_still(&self, epoch: Option<u64>) -> bool {
        epoch.is_some() && self.epoch() == epoch
    }

    pub fn section(&self, name: &str) -> Option<Section> {
        self.sections.lock().unwrap().get(name).cloned()
    }

    pub fn names(&self) -> Vec<String> {
        self.sections.lock().unwrap().keys().cloned().collect()
    }

    /// Looks at what a client saw as fresh, asked and answered then. `epoch` is that of the question.
    pub fn judge(&self, name: &str, seen: &BTreeMap<String, String>, asked: Instant, epoch: Option<u64>) {
        let section = self.section(name);
        let is_settled = self.is_still(epoch);
        let shown = seen.get("ups.status").cloned().unwrap_or_default();
        let (is_forced, status) = match shown.strip_prefix("FSD ") {
            Some(status) => (true, status),
            None => (shown == "FSD", shown.as_str()),
        };
        if is_settled {
            let forced = section.as_ref().and_then(|section| section.forced);
            let must = forced.is_some_and(|since| since < asked);
            if (must && !is_forced) || (is_forced && forced.is_none()) {
                self.fault(format!("{name} is '{shown}', and its forced shutdown is {forced:?}"));
            }
        }
        // a driver that is connected and has not dumped yet, as upsd shows it
        if status == "WAIT" && seen.len() == 1 {
            return;
        }
        match (seen.get("ups.serial"), section.map(|section| section.origin)) {
            (Some(serial), origin) => {
                let of_now = matches!(&origin, Some(Origin::Unit(unit)) if unit.serial == *serial);
                if is_settled && !of_now {
                    self.fault(format!("{name} shows {serial}, which is not there any more"));
                }
                let Some(unit) = self.units.lock().unwrap().get(serial).cloned() else {
                    return self.fault(format!("{name} shows {serial}, which never was"));
                };
                self.judge_unit(name, &unit, seen, status, asked);
            }
            (None, Some(Origin::Driven(driven))) if is_settled => {
                let since = asked - POLLED;
                if !driven.was(status, since) && !driven.was(status, since - self.starved_since(since)) {
                    self.fault(format!("{name} (driven here) is shown as '{status}', which it is not"));
                }
            }
            (None, _) if is_settled => self.fault(format!("{name} shows {seen:?}, which is not of its UPS")),
            (None, _) => {}
        }
    }

    fn judge_unit(
        &self,
        name: &str,
        unit: &Unit,
        seen: &BTreeMap<String, String>,
        status: &str,
        asked: Instant,
    ) {
        let Some(moment) = seen.get("ups.moment").and_then(|text| text.parse().ok()) else {
            return self.fault(format!("{name}: no moment in {seen:?}"));
        };
        let moment = self.began + Duration::from_millis(moment);
        let age = asked.saturating_duration_since(moment);
        if age > OLD + SLACK && age > OLD + SLACK + self.starved_since(moment) {
            self.fault(format!(
                "{name} ({}, {:?}) shows what is {age:?} old as fresh",
                unit.serial, unit.place
            ));
        }
        // of one answer: what it says besides was true from then on
        let is_of_one_moment = unit.was(status, moment, Instant::now());
        if !is_of_one_moment {
            self.fault(format!("{name} ({}) was not '{status}' at or after its moment", unit.serial));
        }
        // a unit that is well is not shown as it was before
        if unit.place == Place::Socket && !unit.was_troubled_since(asked - OLD) {
            let (since, now) = (asked - SLACK, Instant::now());
            if !unit.was(status, since, now) && !unit.was(status, since - self.starved_since(since), now) {
                self.fault(format!("{name} ({}) is shown as '{status}' still", unit.serial));
            }
        }
    }
}
