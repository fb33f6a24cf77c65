//! What a supervisor such as systemd is told, and what stands in its journal: the driver in the
//! foreground, a listener in systemd's place.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use testbed::nut::{NutStation, Which};
use testbed::ups::SimUps;

/// More than any step here takes, less than a hanging test.
const LONG: Duration = Duration::from_secs(30);

/// A driver in the foreground, what listens to it, and its log.
struct Supervised {
    child: Child,
    listener: UnixDatagram,
    heard: Vec<String>,
    log: PathBuf,
    _station: NutStation,
}

impl Supervised {
    fn start(name: &str, ups: &SimUps, more: &[(&str, &str)]) -> Supervised {
        let station = NutStation::new(name, Which::Ours);
        station.configure(&ups.port, "");
        let path = station.folder.join("notify");
        let listener = UnixDatagram::bind(&path).unwrap();
        listener.set_read_timeout(Some(LONG)).unwrap();
        let log = station.folder.join("log");
        let errors = File::create(&log).unwrap();
        let stat = errors.metadata().unwrap();
        let mut command = station.command(station.driver(), &["-F", "-a", "u"]);
        command
            .env("NOTIFY_SOCKET", &path)
            .env("JOURNAL_STREAM", format!("{}:{}", stat.dev(), stat.ino()))
            .envs(more.iter().copied())
            .stdout(Stdio::null())
            .stderr(errors);
        let child = command.spawn().unwrap();
        Supervised { child, listener, heard: vec![], log, _station: station }
    }

    /// Listens until something is said that `wanted` wants.
    fn hears(&mut self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let mut buffer = [0; 1024];
        let end = Instant::now() + LONG;
        while Instant::now() < end {
            let Ok(length) = self.listener.recv(&mut buffer) else { break };
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            self.heard.push(text.clone());
            if wanted(&text) {
                return text;
            }
        }
        panic!("no {what}; heard {:?}; log {}", self.heard, self.log());
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    fn signal(&self, signal: nix::sys::signal::Signal) {
        let pid = nix::unistd::Pid::from_raw(self.child.id().try_into().unwrap());
        nix::sys::signal::kill(pid, signal).unwrap();
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_life_under_supervision() {
    let ups = SimUps::start("life", Which::Ours, "megatec", &[]);
    let mut driver = Supervised::start("life", &ups, &[]);
    assert!(driver.hears("first word", |_| true).starts_with("STATUS=looking for the UPS on "));
    driver.hears("READY", |text| text.contains("READY=1"));
    assert!(driver.heard.iter().any(|text| text.contains("on mains (OL")), "data first: {:?}", driver.heard);

    ups.turn("mains fail");
    driver.hears("outage", |text| text.starts_with("STATUS=on battery (OB"));
    ups.turn("mains back");
    driver.hears("return", |text| text.starts_with("STATUS=on mains"));
    ups.turn("silent on");
    driver.hears("silence", |text| text.starts_with("STATUS=the UPS does not answer; it was on mains"));
    ups.turn("silent off");
    driver.hears("answer", |text| text.starts_with("STATUS=on mains"));

    let before = driver.heard.len();
    driver.signal(nix::sys::signal::Signal::SIGHUP);
    driver.hears("RELOADING", |text| text == "RELOADING=1\n");
    driver.hears("READY again", |text| text == "READY=1\n");
    driver.signal(nix::sys::signal::Signal::SIGTERM);
    driver.hears("STOPPING", |text| text == "STOPPING=1\n");
    assert!(driver.child.wait().unwrap().success());
    assert!(driver.heard[before..].iter().all(|text| !text.starts_with("STATUS")), "{:?}", driver.heard);

    // one line for each change of state, the reply that raised it, and its severity
    let log = driver.log();
    let lines = |what: &str| log.lines().filter(|line| line.contains(what)).count();
    assert!(log.lines().all(|line| line.starts_with(['<']) && line[2..].starts_with('>')), "{log}");
    assert!(log.lines().any(|line| line == "<6>on mains (OL)"), "{log}");
    assert_eq!(lines("on battery (OB"), 1, "{log}");
    assert!(
        log.lines().any(|line| line.starts_with("<4>on battery (OB") && line.contains("; Q1: (")),
        "{log}"
    );
    assert_eq!(lines("does not answer"), 1, "not a line for each poll: {log}");
}

#[test]
fn the_loop_says_that_it_lives() {
    let ups = SimUps::start("watchdog", Which::Ours, "megatec", &[]);
    // the driver polls once a second; asked for a sign of life every 0.2 s it gives them in between
    let mut driver = Supervised::start("watchdog", &ups, &[("WATCHDOG_USEC", "400000")]);
    driver.hears("READY", |text| text.contains("READY=1"));
    let start = Instant::now();
    for _ in 0..5 {
        driver.hears("WATCHDOG", |text| text == "WATCHDOG=1\n");
    }
    assert!(start.elapsed() > Duration::from_millis(500), "not more often than needed");
    // and a UPS that says nothing is no reason to restart the driver
    ups.turn("silent on");
    driver.hears("silence", |text| text.starts_with("STATUS=the UPS does not answer"));
    driver.hears("WATCHDOG", |text| text == "WATCHDOG=1\n");
}

#[test]
fn signs_of_life_for_another_process_are_not_ours_to_give() {
    let ups = SimUps::start("other", Which::Ours, "megatec", &[]);
    let mut driver = Supervised::start("other", &ups, &[("WATCHDOG_USEC", "2000"), ("WATCHDOG_PID", "1")]);
    driver.hears("READY", |text| text.contains("READY=1"));
    assert!(driver.heard.iter().all(|text| !text.contains("WATCHDOG")), "{:?}", driver.heard);
}

#[test]
fn why_it_did_not_start_is_said() {
    let ups = SimUps::start("silent", Which::Ours, "megatec", &["silent on"]);
    let mut driver = Supervised::start("silent", &ups, &[]);
    driver.hears("reason", |text| text.starts_with("STATUS=") && text.contains("check the cable"));
    driver.hears("STOPPING", |text| text == "STOPPING=1\n");
    assert!(!driver.child.wait().unwrap().success());
    assert!(driver.log().lines().any(|line| line.starts_with("<3>nutdrv_qx: ")), "{}", driver.log());
}

#[test]
fn a_slow_ups_does_not_keep_the_system_from_booting() {
    let ups = SimUps::start("boot", Which::Ours, "megatec", &["baud 80"]);
    let mut driver = Supervised::start("boot", &ups, &[]);
    driver.hears("READY", |text| text.contains("READY=1"));
    assert!(driver.heard.iter().all(|text| !text.contains("on mains")), "{:?}", driver.heard);
}

#[test]
fn the_environment_may_ask_for_more() {
    let ups = SimUps::start("level", Which::Ours, "megatec", &[]);
    let mut driver = Supervised::start("level", &ups, &[("NUT_DEBUG_LEVEL", "3")]);
    driver.hears("READY", |text| text.contains("READY=1"));
    assert!(driver.log().contains("<7>> Q1"), "{}", driver.log());
}
