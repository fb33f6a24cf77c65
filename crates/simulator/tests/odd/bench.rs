//! A life that is lived: the device, the clock and the links, as the driver's session has them.

use super::finding::Finding;
use super::judge::{Judge, Look};
use super::life::{self, Event, Life, Link};
use super::unit::{self, Cable, End};
use super::wants;
use qx::device::{Device, Event as News, LinkChange, Ticket};
use qx::options::Options;
use qx::vocabulary::moment::Moment;
use simulator::ups::SimulatedUps;
use std::collections::VecDeque;
use std::time::Duration;
use testbed::exchange;

/// As the session does it: a lost link is tried again after this.
const REOPEN: Duration = Duration::from_secs(1);
/// A device that says nothing for so long after it went stale is reset: the line is opened anew.
const RESET_AFTER: Duration = Duration::from_secs(10);
/// And again after this.
const RESET_AGAIN: Duration = Duration::from_secs(120);
/// Somebody starts a driver again that ended.
const SUPERVISOR: Duration = Duration::from_secs(5);
/// The world is looked at so often at least.
const LOOK: Duration = Duration::from_millis(500);

/// Lives a life; what was found, in the order of time.
pub fn live(life: &Life) -> Vec<Finding> {
    let mut bench = Bench::new(life);
    bench.run();
    bench.judge.end(bench.now);
    bench.judge.found
}

/// The same, with the status whenever it changed, for whoever looks into a finding.
pub fn tell(life: &Life) -> (Vec<Finding>, Vec<String>) {
    let mut bench = Bench::new(life);
    bench.diary = Some(vec![]);
    bench.run();
    bench.judge.end(bench.now);
    (bench.judge.found, bench.diary.unwrap_or_default())
}

struct Bench<'l> {
    life: &'l Life,
    events: VecDeque<(Moment, Event)>,
    now: Moment,
    units: Vec<SimulatedUps>,
    cable: Cable,
    options: Options,
    device: Device,
    /// The device counts from its start.
    born: Moment,
    /// The driver ended, and is started again then.
    dead_until: Option<Moment>,
    memory: Option<String>,
    battery: Option<String>,
    reset: Option<String>,
    resets_at: Option<Moment>,
    /// When a lost link is tried next.
    reopen: Option<Moment>,
    was_silent: bool,
    tickets: Ticket,
    judge: Judge,
    /// The last answer to an order.
    answer: String,
    diary: Option<Vec<String>>,
    shown: String,
}

impl<'l> Bench<'l> {
    fn new(life: &'l Life) -> Bench<'l> {
        let options = life.options();
        Bench {
            life,
            events: life.events.iter().cloned().collect(),
            now: Moment::ZERO,
            units: vec![unit::first(life)],
            cable: Cable::Plugged,
            device: Device::new(options.clone()),
            judge: Judge::new(life, &options),
            options,
            born: Moment::ZERO,
            dead_until: None,
            memory: None,
            battery: None,
            reset: None,
            resets_at: None,
            reopen: None,
            was_silent: true,
            tickets: 0,
            answer: String::new(),
            diary: None,
            shown: String::new(),
        }
    }

    fn ups(&mut self) -> &mut SimulatedUps {
        self.units.last_mut().expect("a unit")
    }

    /// What the driver's own clock shows, which began when the driver did.
    fn since_birth(&self) -> Moment {
        Moment::after_start(self.now - self.born)
    }

    fn run(&mut self) {
        let mut looked = Moment::ZERO;
        while self.now < self.life.until {
            self.take_events();
            self.take_news();
            let at = self.since_birth();
            let exchange = if self.dead_until.is_none() { self.device.poll_exchange(at) } else { None };
            if let Some(exchange) = exchange {
                self.look();
                self.exchange(&exchange);
            } else if self.dead_until.is_some() || !self.device.has_news() {
                let due = self.device.poll_timeout().map(|due| self.born + due.since_start());
                let due = due.filter(|_| self.dead_until.is_none());
                let next = self.events.front().map(|(at, _)| *at);
                let own = [due, next, self.resets_at, self.reopen, self.dead_until, Some(self.life.until)];
                let until = own.into_iter().flatten().min().unwrap_or(self.life.until);
                self.now = until.min(self.now + LOOK).max(self.now + Duration::from_millis(1));
            }
            let now = self.now;
            if now >= looked + LOOK {
                looked = now;
                self.ups().advance(now);
            }
            self.look();
        }
    }

    /// What the world is and what the device shows.
    fn look(&mut self) {
        let now = self.now;
        let ups = self.units.last_mut().expect("a unit");
        ups.advance(now);
        if let Some(diary) = &mut self.diary {
            let store = self.device.store();
            let stale = if store.is_stale() { " (stale)" } else { "" };
            let shown = format!("{}{stale}", store.text("ups.status").unwrap_or("-"));
            if shown != self.shown {
                diary.push(format!("{:.1} s: {shown}", now.since_start().as_secs_f64()));
                self.shown = shown;
            }
        }
        let (ups, before) = self.units.split_last().expect("a unit");
        self.judge.look(&Look {
            now,
            ups,
            unit: before.len(),
            before: before.last(),
            store: self.device.store(),
            is_ready: self.device.is_ready() && self.dead_until.is_none(),
            cable: self.cable,
            speaks: self.device.protocol(),
        });
    }

    fn exchange(&mut self, exchange: &qx::line::exchange::Exchange) {
        let began = self.now;
        let breaks = self.events.iter().find(|(_, event)| *event == Event::Gone).map(|(at, _)| *at);
        let converter = self.life.link == Link::Usb;
        let unsettled = (converter && self.was_silent, converter);
        let passes = self.cable == Cable::Plugged;
        let (mut now, unit) = (self.now, self.units.len() - 1);
        let mut end = End { ups: self.units.last_mut().expect("a unit"), passes, breaks };
        let reply = exchange::exchange(exchange, &mut now, unsettled, &mut end);
        self.now = now;
        let records = self.ups().take_records();
        self.judge.heard(began, now, (exchange, reply.as_ref()), &records, unit);
        let noted = exchange.is_command
            || self.life.until < Moment::after_start(Duration::from_secs(30))
            || std::env::var_os("QXUPS_EXCHANGES").is_some();
        if let Some(diary) = self.diary.as_mut().filter(|_| noted) {
            let said = reply.as_ref().and_then(|reply| reply.line.as_deref()).unwrap_or(b"-");
            diary.push(format!(
                "{:.1} s to {:.1} s: {} > {}",
                began.since_start().as_secs_f64(),
                now.since_start().as_secs_f64(),
                exchange.command.escape_ascii(),
                said.escape_ascii()
            ));
        }
        match reply {
            Some(reply) => {
                self.was_silent = reply.line.is_none();
                self.device.handle_reply(reply, self.since_birth());
            }
            // the link was lost: the event itself is taken next
            None => self.lose(),
        }
    }

    fn lose(&mut self) {
        if self.cable != Cable::Gone {
            self.cable = Cable::Gone;
            self.reopen = None;
            self.judge.link_lost(self.now);
            if self.dead_until.is_none() {
                self.device.handle_link(LinkChange::Gone, self.since_birth());
            }
        }
    }

    fn find_again(&mut self) {
        self.cable = Cable::Plugged;
        self.reopen = None;
        self.was_silent = true;
        self.judge.link_back(self.now);
        let now = self.now;
        while self.ups().poll_output(now).is_some() {}
        if self.dead_until.is_none() {
            self.device.handle_link(LinkChange::Back, self.since_birth());
        }
    }

    fn take_events(&mut self) {
        if self.dead_until.is_some_and(|until| until <= self.now) && self.cable != Cable::Gone {
            self.start();
        }
        if self.reopen.is_some_and(|at| at <= self.now) {
            self.find_again();
        }
        if self.resets_at.is_some_and(|at| at <= self.now) {
            self.resets_at = Some(self.now + RESET_AGAIN);
            // the driver does it, so the judge hears nothing of it
            if self.cable != Cable::Gone && self.dead_until.is_none() {
                let at = self.since_birth();
                self.device.handle_link(LinkChange::Gone, at);
                self.device.handle_link(LinkChange::Back, at);
            }
        }
        while self.events.front().is_some_and(|(at, _)| *at <= self.now) {
            let Some((_, event)) = self.events.pop_front() else { break };
            self.take_event(event);
        }
    }

    fn take_event(&mut self, event: Event) {
        if let Some(diary) = &mut self.diary {
            diary.push(format!("{:.1} s: ({event})", self.now.since_start().as_secs_f64()));
        }
        let at = self.since_birth();
        let unit = self.units.len() - 1;
        match event {
            // the unit's own script has it
            Event::Turn(_) => {}
            Event::Order(name, parameter, times) => {
                for _ in 0..times {
                    self.tickets += 1;
                    self.judge.ordered(self.tickets, &name, self.now, unit);
                    if self.dead_until.is_some() {
                        self.judge.answered(self.tickets, None, self.now);
                        continue;
                    }
                    self.device.instant_command(self.tickets, &name, parameter.as_deref());
                }
            }
            Event::Kill if self.dead_until.is_some() => {}
            Event::Kill => {
                self.tickets += 1;
                self.judge.ordered(self.tickets, super::orders::KILL, self.now, unit);
                self.device.kill_power(self.tickets);
            }
            Event::Restart => self.end_driver(Duration::ZERO),
            Event::Swap(knobs) => {
                let another = unit::another(self.life, &knobs, self.now);
                self.units.push(another);
                self.judge.swapped(self.now);
            }
            Event::Out => {
                self.cable = Cable::Out;
                self.judge.cable_out(self.now);
            }
            Event::In if self.cable == Cable::Out => {
                self.cable = Cable::Plugged;
                self.judge.cable_in(self.now);
            }
            Event::In => {}
            Event::Gone => self.lose(),
            // the driver tries once a second
            Event::Back if self.cable == Cable::Gone => self.reopen = Some(self.now + REOPEN),
            Event::Back => {}
            Event::Reload(name, value) => {
                life::set_option(&mut self.options, &name, &value);
                self.judge.reloaded(&self.options, self.now);
                self.device.reconfigure(self.options.clone(), at);
            }
            Event::Want(what) => {
                let so = self.value(what.split(' ').next().unwrap_or_default());
                if !wants::met(&what, so.as_deref()) {
                    self.judge
                        .missed(self.now, format!("want {what}, but it is {}", so.as_deref().unwrap_or("-")));
                }
            }
        }
    }

    /// What is so of something that is wanted.
    fn value(&self, name: &str) -> Option<String> {
        let ups = self.units.last()?;
        let yes = |is: bool| Some(String::from(if is { "yes" } else { "no" }));
        match name {
            "stale" => yes(self.device.store().is_stale()),
            "ready" => yes(self.device.is_ready() && self.dead_until.is_none()),
            "powered" => yes(ups.world.powered()),
            "answer" => Some(self.answer.clone()),
            _ => match name.strip_prefix("heard:") {
                Some(line) => Some(ups.heard().filter(|heard| *heard == line).count().to_string()),
                None => self.device.store().text(name).map(String::from),
            },
        }
    }

    fn end_driver(&mut self, pause: Duration) {
        if self.dead_until.is_none() {
            self.keep();
            self.judge.driver_ended(self.now);
        }
        self.resets_at = None;
        self.dead_until = Some(self.now + pause);
    }

    fn keep(&mut self) {
        let (dialect, battery) = (self.device.dialect_memory(), self.device.battery_memory());
        self.memory = dialect.or(self.memory.take());
        self.battery = battery.or(self.battery.take());
        self.reset = self.device.reset_memory().or(self.reset.take());
    }

    fn start(&mut self) {
        self.dead_until = None;
        self.born = self.now;
        self.was_silent = true;
        self.device = Device::new(Options {
            dialect_memory: self.memory.clone(),
            battery_memory: self.battery.clone(),
            reset_memory: self.reset.clone(),
            ..self.options.clone()
        });
        self.judge.driver_started(self.now);
    }

    fn take_news(&mut self) {
        while let Some(news) = self.device.poll_event() {
            match news {
                News::Answered(ticket, outcome) => {
                    self.answer = format!("{outcome:?}");
                    self.judge.answered(ticket, Some(outcome), self.now);
                }
                News::Stale => self.resets_at = Some(self.now + RESET_AFTER),
                News::Fresh => self.resets_at = None,
                News::WorthKeeping => self.keep(),
                // who kills the power goes on looking
                News::NotFound(why)
                    if !self.device.is_ready() && !self.device.kills_power() && self.dead_until.is_none() =>
                {
                    self.judge.gave_up(&why, self.now);
                    self.end_driver(SUPERVISOR);
                }
                News::Noted(level, text) => {
                    if let Some(diary) = self.diary.as_mut().filter(|_| level > qx::device::LogLevel::Debug) {
                        diary.push(format!("{:.1} s: log: {text}", self.now.since_start().as_secs_f64()));
                    }
                }
                _ => {}
            }
        }
        self.device.take_changes();
    }
}
