//! Real time: units of several dialects with our drivers and NUT's upsd, while everything that can fail
//! does, from a seed. What upsc shows is the truth or nothing.
//!
//! It takes a minute; `QXUPS_SOAK_SECONDS` is for a longer run, `QXUPS_SOAK_SEED` for another one.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod process;

use nix::sys::signal::Signal;
use process::{Usage, send};
use simulator::trouble::Random;
use std::process::Command;
use std::time::{Duration, Instant};
use testbed::nut;
use testbed::nut::{NutStation, Which};
use testbed::ups::SimUps;

/// How long the soak takes, unless the environment says otherwise.
const SECONDS: u64 = 50;
/// Whatever was done, the truth is shown again within this time, on the busiest machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// Memory that a driver may take on top of what it had at first.
const GROWTH_KB: u64 = 2_000;

/// What happens to a station, each as often as the others.
const EVENTS: &[Event] = &[
    ("outage", Soak::outage),
    ("outage on a noisy line", Soak::noisy_outage),
    ("hang-up", Soak::hang_up),
    ("driver stopped", |soak| soak.stop_one(|soak| soak.station.pid().unwrap())),
    ("upsd stopped", |soak| soak.stop_one(|soak| soak.station.upsd_pid())),
    ("UPS stopped", Soak::stop_ups),
    ("upsd restarted", Soak::restart_upsd),
    ("driver restarted", Soak::restart_driver),
    ("driver killed", Soak::kill_driver),
    ("clock set", Soak::set_clock),
    ("command", Soak::command),
];

type Event = (&'static str, fn(&mut Soak));

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn what_is_shown_is_true_whatever_fails() {
    let (seconds, seed) = (number("QXUPS_SOAK_SECONDS", SECONDS), number("QXUPS_SOAK_SEED", 1));
    let units = [("megatec", false), ("zinto", true), ("mustek", false), ("voltronic-qs", false)];
    std::thread::scope(|scope| {
        for (number, (protocol, on_tcp)) in units.into_iter().enumerate() {
            scope.spawn(move || {
                let random = Random::new(seed * 100 + number as u64);
                let mut soak = Soak::start(protocol, on_tcp, random);
                soak.go_on(Duration::from_secs(seconds));
                soak.end();
            });
        }
    });
}

/// What upsc showed.
enum Shown {
    /// Nothing: stale, not connected.
    Nothing,
    Status(String),
}

/// A UPS with all that belongs to it, and what is true of it.
struct Soak {
    protocol: &'static str,
    ups: process::SimUps,
    station: NutStation,
    random: Random,
    /// Whether it works on battery.
    on_battery: bool,
    /// Whether that was seen; from then on nothing else may be shown.
    seen: bool,
    /// What the driver that runs used when it was new.
    usage: Usage,
    happened: Vec<&'static str>,
    looks: u32,
    fresh: u32,
    /// How long it took at most until the truth was shown, and after what.
    slowest: (Duration, &'static str),
}

impl Soak {
    fn start(protocol: &'static str, on_tcp: bool, random: Random) -> Soak {
        let name = format!("soak-{protocol}");
        let ups = process::SimUps::start(&name, protocol, on_tcp);
        let mut station = NutStation::new(&name, Which::Ours);
        station.configure(&ups.port, "");
        station.write("clock", "+0\n");
        start_driver(&station);
        station.start_upsd();
        let usage = Usage::of(station.pid().unwrap());
        let mut soak = Soak {
            protocol,
            ups,
            station,
            random,
            on_battery: false,
            seen: false,
            usage,
            happened: vec![],
            looks: 0,
            fresh: 0,
            slowest: (Duration::ZERO, "start"),
        };
        soak.until_true();
        // a first outage, so that what one takes of memory is there
        soak.outage();
        soak.usage = Usage::of(soak.station.pid().unwrap());
        soak
    }

    fn go_on(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            let (name, event) = EVENTS[self.random.below(EVENTS.len())];
            self.happened.push(name);
            event(self);
            self.until_true();
            self.watch(Duration::from_millis(500));
        }
    }

    /// What the driver uses is what it used at first.
    fn end(&mut self) {
        self.check_usage();
        println!(
            "{}: {} events, {} looks, {} of them fresh, the truth was shown after {:.1} s at the latest ({}); {} kB, {} descriptors",
            self.protocol,
            self.happened.len(),
            self.looks,
            self.fresh,
            self.slowest.0.as_secs_f64(),
            self.slowest.1,
            Usage::of(self.usage.pid).resident_kb,
            self.usage.descriptors,
        );
    }

    fn check_usage(&self) {
        let (before, now) = (&self.usage, Usage::of(self.station.pid().unwrap()));
        let happened = &self.happened;
        assert_eq!(now.pid, before.pid, "the same driver as before; {happened:?}");
        assert!(now.descriptors <= before.descriptors + 1, "{before:?}, then {now:?}; {happened:?}");
        assert!(now.resident_kb <= before.resident_kb + GROWTH_KB, "{before:?}, then {now:?}; {happened:?}");
        // a twentieth of a processor, where a busy loop takes all of one
        let (worked, passed) = (now.worked - before.worked, now.at - before.at);
        assert!(worked <= Duration::from_secs(1) + passed / 20, "{worked:?} of {passed:?}; {happened:?}");
        assert_eq!(now.children, 0, "{happened:?}");
    }

    fn look(&mut self) -> Shown {
        self.looks += 1;
        let status = self.station.upsc_value("ups.status");
        // upsd's own word for a driver that has not told it anything yet
        if status.is_empty() || status == "WAIT" {
            return Shown::Nothing;
        }
        self.fresh += 1;
        let known = ["OL", "OB", "CHRG", "DISCHRG"];
        let happened = &self.happened;
        let protocol = self.protocol;
        assert!(
            status.split(' ').all(|word| known.contains(&word)),
            "{protocol} was told to be {status}; {happened:?}"
        );
        let (on_mains, on_battery) = (has(&status, "OL"), has(&status, "OB"));
        assert!(on_mains != on_battery, "{protocol}: {status}; {happened:?}");
        let is_true = on_battery == self.on_battery;
        assert!(
            is_true || !self.seen,
            "{protocol}: {status} when mains was {}; {happened:?}",
            if self.on_battery { "lost" } else { "there" }
        );
        self.seen |= is_true;
        Shown::Status(status)
    }

    /// Looks until the truth is shown.
    fn until_true(&mut self) {
        let began = Instant::now();
        loop {
            match self.look() {
                Shown::Status(status) if has(&status, "OB") == self.on_battery => break,
                _ => {}
            }
            let happened = &self.happened;
            assert!(began.elapsed() < PATIENCE, "{}: not shown; {happened:?}", self.protocol);
            std::thread::sleep(Duration::from_millis(100));
        }
        let last = self.happened.last().copied().unwrap_or("start");
        self.slowest = self.slowest.max((began.elapsed(), last));
    }

    /// Looks again and again.
    fn watch(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.look();
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn mains(&mut self, there: bool) {
        self.ups.turn(if there { "mains back" } else { "mains fail" });
        self.on_battery = !there;
        self.seen = false;
    }

    fn some_time(&mut self, most_ms: usize) -> Duration {
        Duration::from_millis(500 + self.random.below(most_ms) as u64)
    }

    /// One in two.
    fn perhaps(&mut self) -> bool {
        self.random.chance(0.5)
    }

    fn outage(&mut self) {
        self.mains(false);
        self.until_true();
        let time = self.some_time(3000);
        self.watch(time);
        self.mains(true);
        self.until_true();
    }

    fn noisy_outage(&mut self) {
        let noise = [("garble", 0.1), ("lose", 0.1), ("double", 0.1)];
        noise.iter().for_each(|(name, share)| self.ups.turn(&format!("{name} {share}")));
        self.watch(Duration::from_secs(3));
        self.outage();
        noise.iter().for_each(|(name, _)| self.ups.turn(&format!("{name} 0")));
    }

    fn hang_up(&mut self) {
        let time = self.some_time(6000);
        self.ups.turn(&format!("hangup {:.1}", time.as_secs_f64()));
        if self.perhaps() {
            self.outage();
        }
        self.watch(time);
    }

    /// Stops a part, and perhaps an outage begins meanwhile.
    fn stop_one(&mut self, part: fn(&Soak) -> i32) {
        let pid = part(self);
        send(pid, Signal::SIGSTOP);
        let is_outage = self.perhaps();
        if is_outage {
            self.mains(false);
        }
        // upsc would wait for an upsd that is stopped
        std::thread::sleep(self.some_time(7000));
        send(pid, Signal::SIGCONT);
        self.until_true();
        if is_outage {
            self.mains(true);
        }
    }

    fn stop_ups(&mut self) {
        self.ups.signal(Signal::SIGSTOP);
        let time = self.some_time(8000);
        self.watch(time);
        self.ups.signal(Signal::SIGCONT);
        if self.perhaps() {
            self.outage();
        }
    }

    fn restart_upsd(&mut self) {
        self.station.stop_upsd();
        let is_outage = self.perhaps();
        if is_outage {
            self.mains(false);
        }
        self.station.start_upsd();
        self.until_true();
        if is_outage {
            self.mains(true);
        }
    }

    fn restart_driver(&mut self) {
        self.check_usage();
        start_driver(&self.station);
        self.until_true();
        self.usage = Usage::of(self.station.pid().unwrap());
    }

    fn kill_driver(&mut self) {
        self.check_usage();
        let pid = self.station.pid().unwrap();
        send(pid, Signal::SIGKILL);
        self.station.wait_for("the driver's end", || !nut::lives(pid));
        let is_outage = self.perhaps();
        if is_outage {
            self.mains(false);
        }
        start_driver(&self.station);
        self.until_true();
        self.usage = Usage::of(self.station.pid().unwrap());
        if is_outage {
            self.mains(true);
        }
    }

    /// Sets the wall clock of the driver, back or forward.
    fn set_clock(&mut self) {
        let clock = ["+0", "+1d", "-1d", "+400d", "-400d"][self.random.below(5)];
        self.station.write("clock", &format!("{clock}\n"));
        if self.perhaps() {
            self.outage();
        }
    }

    /// A command is sent once, also when the driver is stopped right behind it; and when it is said to be
    /// done, it was sent.
    fn command(&mut self) {
        self.ups.turn("forget-heard");
        let said = self.station.as_admin("upscmd", &[&self.station.ups(), "beeper.toggle"]);
        let pid = self.station.pid().unwrap();
        send(pid, Signal::SIGSTOP);
        std::thread::sleep(self.some_time(1000));
        send(pid, Signal::SIGCONT);
        self.watch(Duration::from_secs(1));
        let count = self.ups.heard().iter().filter(|line| *line == "Q").count();
        // (upscmd of NUT 2.8.0 ends with 0 also where the outcome is ERR)
        let is_done = said.code == Some(0) && !said.err.contains("ERR");
        let is_right = if is_done { count == 1 } else { count <= 1 };
        assert!(is_right, "{}: {said:?}, sent {count} times; {:?}", self.protocol, self.happened);
    }
}

fn has(status: &str, word: &str) -> bool {
    status.split(' ').any(|said| said == word)
}

/// Starts the driver with a wall clock that the station's file `clock` sets; time as such goes on.
fn start_driver(station: &NutStation) {
    let library =
        Command::new("sh").args(["-c", "ls /usr/lib/*/faketime/libfaketimeMT.so.1"]).output().unwrap();
    let library = String::from_utf8(library.stdout).unwrap();
    let library = library.lines().next().expect("faketime: apt-get install faketime");
    let clock = station.folder.join("clock");
    let said = station
        .command(station.driver(), &["-a", "u"])
        .env("LD_PRELOAD", library)
        .env("FAKETIME_TIMESTAMP_FILE", clock)
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .env("FAKETIME_NO_CACHE", "1")
        .output()
        .unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
}

/// What a driver knows is old when it goes on after half a minute, and it says so first.
#[test]
fn a_driver_that_was_stopped_shows_nothing_old() {
    // in the middle of an exchange, so that a reply waits for it; and between two
    std::thread::scope(|scope| {
        scope.spawn(|| stop_and_go_on("mid", Duration::ZERO));
        scope.spawn(|| stop_and_go_on("idle", Duration::from_millis(1500)));
    });
}

/// Stops a driver so long after it has asked, for half a minute. The UPS takes 0.7 s for each answer.
fn stop_and_go_on(name: &str, after: Duration) {
    let ups = SimUps::start(name, Which::Ours, "megatec", &["latency 700", "load 20"]);
    let station = NutStation::new(name, Which::Ours);
    station.configure(&ups.port, "protocol = megatec\npollinterval = 4");
    station.start_driver();
    let pid = station.pid().unwrap();
    let mut socket = station.socket();
    socket.send("DUMPALL\n");
    assert!(socket.lines_until("DUMPDONE").contains(&"DATAOK".to_string()));
    ups.forget();
    station.wait_for("a question", || ups.heard().contains(&"Q1".into()));
    std::thread::sleep(after);
    send(pid, Signal::SIGSTOP);
    std::thread::sleep(Duration::from_secs(2));
    ups.turn("load 77");
    socket.send("PING\nDUMPALL\n");
    std::thread::sleep(Duration::from_secs(28));
    send(pid, Signal::SIGCONT);
    let lines = socket.lines_until("DUMPDONE");
    let at = |wanted: &str| lines.iter().position(|line| line == wanted);
    let stale = at("DATASTALE").unwrap_or_else(|| panic!("{name}: {lines:?}"));
    assert!(at("PONG").is_none_or(|pong| stale < pong), "{name}: stale before it sounds alive: {lines:?}");
    assert!(!lines.contains(&"DATAOK".into()), "{name}: nothing was asked yet: {lines:?}");
    let fresh = [lines, socket.lines_until("DATAOK")].concat();
    assert!(fresh.contains(&"SETINFO ups.load \"77\"".into()), "{name}: {fresh:?}");
}

/// A command is sent once when the driver is stopped as it waits for the outcome.
#[test]
fn a_driver_that_was_stopped_sends_no_command_twice() {
    let ups = SimUps::start("once", Which::Ours, "megatec", &[]);
    let station = NutStation::new("once", Which::Ours);
    station.configure(&ups.port, "protocol = megatec");
    station.start_driver();
    let pid = station.pid().unwrap();
    let mut socket = station.socket();
    socket.send("INSTCMD beeper.toggle TRACKING a\n");
    station.wait_for("the command", || ups.heard().contains(&"Q".into()));
    send(pid, Signal::SIGSTOP);
    std::thread::sleep(Duration::from_secs(30));
    send(pid, Signal::SIGCONT);
    assert_eq!(socket.lines_until("TRACKING").last().unwrap(), "TRACKING a 0");
    // until it has asked the UPS again, twice
    ups.turn("load 77");
    station.wait_for("fresh data", || {
        socket.send("DUMPVALUE ups.load\n");
        let lines = socket.lines_until("DUMPDONE");
        lines.contains(&"DATAOK".into()) && lines.contains(&"SETINFO ups.load \"77\"".into())
    });
    assert_eq!(ups.heard().iter().filter(|line| *line == "Q").count(), 1);
}
