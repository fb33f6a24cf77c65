//! A hundred UPSes in one server. One is flooded with orders, one hangs, one is unplugged, one never reads, and the
//! configuration is read again: all others keep their rhythm, judged by what the simulated units themselves recorded.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod site;

use nix::sys::signal::Signal;
use qx::vocabulary::moment::Moment;
use site::{Client, Site};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use testbed::units::Units;

const ALL: usize = 100;
const FLOODED: usize = 0;
const SILENT: usize = 1;
const UNPLUGGED: usize = 2;
const REMOVED: usize = 3;
const WATCHED: std::ops::Range<usize> = 4..ALL - 1;
/// It is in the configuration only after the reload.
const NEW: usize = ALL - 1;

const POLLINTERVAL: Duration = Duration::from_secs(2);
/// How long all of them are looked at.
const LOOK: Duration = Duration::from_secs(14);
/// A question may be that much later than its interval, on a machine that has other things to do.
const SLACK: Duration = Duration::from_millis(1500);

fn conf(units: &Units, wanted: impl Fn(usize) -> bool) -> String {
    let numbers = (0..ALL).filter(|number| wanted(*number));
    let section = |number: usize| {
        format!("[u{number}]\ndriver = nutdrv_qx\nport = tcp://127.0.0.1:{}\n", units.ports[number])
    };
    numbers.map(section).collect()
}

fn status(site: &Site, number: usize) -> String {
    site.ask(&format!("GET VAR u{number} ups.status"))
}

fn assert_rhythm(number: usize, asked: &[Moment]) {
    let longest = asked.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(LOOK);
    assert!(longest <= POLLINTERVAL + SLACK, "unit {number} was left alone for {longest:?}: {asked:?}");
    let least = LOOK.as_secs_f64() / (POLLINTERVAL + SLACK).as_secs_f64();
    assert!(asked.len() as f64 >= least.floor(), "unit {number} was asked {} times only", asked.len());
}

/// Orders and lists without end, for one UPS.
fn flood(port: u16, ends: Arc<AtomicBool>) -> std::thread::JoinHandle<usize> {
    std::thread::spawn(move || {
        let mut client = Client::new(port).user("admin", "secret");
        assert_eq!(client.ask("SET TRACKING ON"), "OK");
        let mut answers = 0;
        while !ends.load(Ordering::Relaxed) {
            let many = "INSTCMD u0 beeper.toggle\nSET VAR u0 ups.delay.start 180\nGET VAR u0 ups.status\n"
                .repeat(50);
            client.say(many.trim_end());
            for _ in 0..150 {
                let answer = client.hear();
                assert!(
                    answer.starts_with("OK") || answer.starts_with("ERR") || answer.starts_with("VAR"),
                    "{answer}"
                );
                answers += 1;
            }
        }
        answers
    })
}

#[test]
fn what_happens_to_one_ups_or_by_one_client_delays_no_other() {
    let units = Units::start(ALL);
    let mut site = Site::new("rhythm", &conf(&units, |number| number != NEW), "MAXAGE 15\n");
    site.start();
    for number in WATCHED {
        site.until("it is found", || status(&site, number) == format!("VAR u{number} ups.status \"OL\""));
    }
    let ends = Arc::new(AtomicBool::new(false));
    let flooding = flood(site.port, ends.clone());
    units.forget();
    units.turn(SILENT, "silent on");
    units.turn(UNPLUGGED, "break 1");
    std::thread::sleep(LOOK / 2);
    // a wrong file changes nothing
    site.write("ups.conf", "[u4]\ndriver = nutdrv_qx\nport = /dev/null\nfrobnicate = 1\n");
    site.signal(Signal::SIGHUP);
    site.until("it says so", || site.log().contains("going on as before"));
    assert!(site.log().contains("ups.conf, line 4: [u4]"), "{}", site.log());
    assert_eq!(status(&site, 4), "VAR u4 ups.status \"OL\"");
    site.write("ups.conf", &conf(&units, |number| number != REMOVED));
    site.signal(Signal::SIGHUP);
    site.until("the removed one is gone", || status(&site, REMOVED) == "ERR UNKNOWN-UPS");
    site.until("the new one is there", || status(&site, NEW) == format!("VAR u{NEW} ups.status \"OL\""));
    std::thread::sleep(LOOK / 2);
    let asked = units.asked();
    ends.store(true, Ordering::Relaxed);
    assert!(flooding.join().unwrap() > 500, "the flood was one");
    for number in WATCHED {
        assert_rhythm(number, &asked[number]);
    }
    assert_eq!(status(&site, FLOODED), "VAR u0 ups.status \"OL\"");
    assert_eq!(status(&site, SILENT), "ERR DATA-STALE");
    let log = site.log();
    let said = format!("reload: UPSes: u{NEW} new, u{REMOVED} gone, 98 as before");
    assert!(log.contains(&said), "{log}");
}

/// Who is logged in to a UPS that goes is dropped, and a UPS that stays keeps its forced shutdown and its logins.
#[test]
fn a_reload_keeps_what_is_of_those_that_stay() {
    let both = "[a]\ndriver = qxups-sim\n[b]\ndriver = qxups-sim\n";
    let site = Site::started("keeps", both, "");
    site.until_answer("GET VAR b ups.status", "VAR b ups.status \"OL\"");
    let (mut of_a, mut of_b) = (site.connect().user("first", "one"), site.connect().user("second", "two"));
    assert_eq!((of_a.ask("LOGIN a"), of_b.ask("LOGIN b")), ("OK".into(), "OK".into()));
    assert_eq!(of_a.ask("FSD a"), "OK FSD-SET");
    site.write("ups.conf", "[a]\ndriver = qxups-sim\ndesc = \"Renamed\"\n[c]\ndriver = qxups-sim\n");
    site.write("upsd.users", "[first]\npassword = changed\nupsmon primary\n");
    site.signal(Signal::SIGHUP);
    site.until_answer("GET UPSDESC a", "UPSDESC a \"Renamed\"");
    assert!(of_b.is_closed(Duration::from_secs(5)));
    assert_eq!(of_a.ask("GET NUMLOGINS a"), "NUMLOGINS a 1");
    assert_eq!(site.ask("GET VAR a ups.status"), "VAR a ups.status \"FSD OL\"");
    assert_eq!(site.connect().user("first", "one").ask("LOGIN a"), "ERR ACCESS-DENIED");
    assert_eq!(site.connect().user("first", "changed").ask("LOGIN a"), "OK");
    assert_eq!(site.connect().user("second", "two").ask("LOGIN a"), "ERR ACCESS-DENIED");
}

/// A server that was stopped for longer than its data is good shows nothing old of its own UPSes when it goes on: the
/// session of each UPS sees first how late it is.
#[test]
fn a_server_that_was_stopped_shows_nothing_old_of_its_own_upses() {
    let units = Units::start(3);
    let sections = (0..3).map(|number| {
        format!("[u{number}]\ndriver = nutdrv_qx\nport = tcp://127.0.0.1:{}\n", units.ports[number])
    });
    let site = Site::started("asleep", &sections.collect::<String>(), "");
    for number in 0..3 {
        site.until("it is found", || status(&site, number) == format!("VAR u{number} ups.status \"OL\""));
    }
    let mut clients: Vec<Client> = (0..3).map(|_| site.connect()).collect();
    clients.iter_mut().for_each(|client| assert!(client.ask("VER").starts_with("Network")));
    (0..3).for_each(|number| units.turn(number, "silent on"));
    site.signal(Signal::SIGSTOP);
    // asked before the sessions' own timers run out, so that clients are first in what the system reports; one more is
    // asked at the end
    for (number, client) in clients.iter_mut().enumerate().take(2) {
        client.say(&format!("GET VAR u{number} ups.status"));
    }
    std::thread::sleep(Duration::from_secs(12));
    clients[2].say("GET VAR u2 ups.status");
    site.signal(Signal::SIGCONT);
    for client in &mut clients {
        assert_eq!(client.hear(), "ERR DATA-STALE");
    }
}
