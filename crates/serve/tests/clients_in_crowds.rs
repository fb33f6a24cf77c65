//! Clients that flood, do not read, say nothing, come by the thousand, or guess passwords: the others notice nothing.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod site;

use site::{Client, Site, connect_from};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const CONF: &str = "[rack]\ndriver = qxups-sim\n[attic]\ndriver = qxups-sim\n";
const STATUS: &str = "GET VAR rack ups.status";
const ON_MAINS: &str = "VAR rack ups.status \"OL\"";
/// An answer may take so long on a machine that has other things to do.
const SOON: Duration = Duration::from_millis(400);

fn site(name: &str, more: &str) -> Site {
    let site = Site::started(name, CONF, more);
    site.until_answer(STATUS, ON_MAINS);
    site
}

/// The longest of many answers, in the median of rounds: what others cost shows in all of them.
fn slowest(client: &mut Client) -> Duration {
    let mut rounds: Vec<Duration> = (0..9)
        .map(|_| {
            let asked = (0..20).map(|_| {
                let began = Instant::now();
                assert_eq!(client.ask(STATUS), ON_MAINS);
                began.elapsed()
            });
            asked.max().unwrap()
        })
        .collect();
    rounds.sort();
    rounds[rounds.len() / 2]
}

#[test]
fn clients_that_never_read_are_dropped_and_delay_nobody() {
    let site = site("deaf", "");
    let flood = "LIST VAR rack\n".repeat(1000);
    let mut deaf: Vec<TcpStream> = vec![];
    for _ in 0..10 {
        let mut client = TcpStream::connect(("127.0.0.1", site.port)).unwrap();
        client.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
        // as much as goes: the server stops reading where its answers are not read
        for _ in 0..100 {
            if client.write_all(flood.as_bytes()).is_err() {
                break;
            }
        }
        deaf.push(client);
    }
    let mut client = site.connect();
    let slowest = slowest(&mut client);
    assert!(slowest < SOON, "{slowest:?}");
    let resident = resident_kb(&site);
    assert!(resident < 40_000, "{resident} kB");
    // a debug build with ten buffers of 64 kB and more stays far below; and they are gone after their time
    site.until("they are dropped", || site.log().contains("does not read its answers: dropped"));
    assert_eq!(client.ask(STATUS), ON_MAINS);
}

fn resident_kb(site: &Site) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", site.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse().unwrap()
}

#[test]
fn clients_that_ask_without_end_leave_room_for_others() {
    let site = site("flood", "");
    let ends = Arc::new(AtomicBool::new(false));
    let answered = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (port, ends, answered) = (site.port, ends.clone(), answered.clone());
            std::thread::spawn(move || {
                let mut client = Client::new(port);
                let many = format!("{}LIST VAR attic", format!("{STATUS}\n").repeat(200));
                while !ends.load(Ordering::Relaxed) {
                    client.say(&many);
                    while !client.hear().starts_with("END") {}
                    answered.fetch_add(201, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let slowest = slowest(&mut site.connect());
    ends.store(true, Ordering::Relaxed);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert!(slowest < SOON, "{slowest:?}");
    assert!(answered.load(Ordering::Relaxed) > 1000, "they are served as well");
}

#[test]
fn ten_thousand_connects_cost_others_nothing() {
    let site = site("connects", "MAXCONN 1000\n");
    let mut client = site.connect();
    let ends = Arc::new(AtomicBool::new(false));
    let (port, ending) = (site.port, ends.clone());
    let crowd = std::thread::spawn(move || {
        let mut kept: std::collections::VecDeque<TcpStream> = std::collections::VecDeque::new();
        let mut count = 0;
        while count < 10_000 && !ending.load(Ordering::Relaxed) {
            if let Ok(stream) = TcpStream::connect(("127.0.0.1", port)) {
                kept.push_back(stream);
                count += 1;
            }
            if kept.len() > 2000 {
                kept.pop_front();
            }
        }
        count
    });
    let began = Instant::now();
    let slowest = slowest(&mut client);
    // newcomers that say something are served meanwhile
    let (mut came, mut served) = (0, 0);
    while !crowd.is_finished() && began.elapsed() < Duration::from_secs(60) {
        let mut newcomer = TcpStream::connect(("127.0.0.1", site.port)).unwrap();
        newcomer.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let (asked, mut answer) = (newcomer.write_all(format!("{STATUS}\n").as_bytes()), [0; 100]);
        came += 1;
        served += usize::from(asked.is_ok() && newcomer.read(&mut answer).is_ok_and(|read| read > 0));
    }
    ends.store(true, Ordering::Relaxed);
    assert_eq!(crowd.join().unwrap(), 10_000);
    assert!(slowest < SOON, "{slowest:?}");
    assert!(served > 0 && served * 10 >= came * 9, "{served} of {came} newcomers were served");
    assert_eq!(client.ask(STATUS), ON_MAINS, "who was there before is there still");
}

/// With as many as MAXCONN allows, one that says nothing gives way; one that is logged in does not.
#[test]
fn who_says_nothing_gives_way() {
    let site = site("full", "MAXCONN 8\n");
    let mut first = site.connect().user("first", "one");
    assert_eq!(first.ask("LOGIN rack"), "OK");
    let mut talks = site.connect();
    assert_eq!(talks.ask(STATUS), ON_MAINS);
    let mut silent: Vec<Client> = (0..3).map(|_| site.connect()).collect();
    for _ in 0..3 {
        assert_eq!(site.ask(STATUS), ON_MAINS);
    }
    assert!(silent[0].is_closed(Duration::from_secs(5)));
    assert_eq!(first.ask("GET NUMLOGINS rack"), "NUMLOGINS rack 1");
    assert_eq!(talks.ask(STATUS), ON_MAINS);
}

/// Found by a review: of addresses with one connection each, the highest gave way, however often it asked.
#[test]
fn who_asks_again_and_again_does_not_give_way_to_others() {
    let site = site("evict", "MAXCONN 8\n");
    let mut talks = connect_from("127.200.0.1", site.port);
    let mut others = vec![];
    for number in 1..30 {
        assert_eq!(talks.ask(STATUS), ON_MAINS, "{number}");
        let mut other = connect_from(&format!("127.1.0.{number}"), site.port);
        other.say("VER");
        others.push(other);
    }
    assert_eq!(talks.ask(STATUS), ON_MAINS);
}

/// upsd drops a client after 60 s without a request; bytes that are none do not count.
#[test]
fn who_asks_nothing_is_dropped_after_its_time() {
    let site = site("idle", "CLIENT_INACTIVITY_DELAY 2\n");
    let (mut silent, mut half) = (site.connect(), site.connect());
    let mut talks = site.connect();
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(4500) {
        assert_eq!(talks.ask(STATUS), ON_MAINS);
        let _ = half.stream.write_all(b"GET ");
        std::thread::sleep(Duration::from_millis(300));
        if began.elapsed() < Duration::from_millis(1500) {
            assert!(!silent.is_closed(Duration::from_millis(1)), "too soon");
        }
    }
    assert!(silent.is_closed(Duration::from_millis(100)) && half.is_closed(Duration::from_millis(100)));
}

/// Each wrong password makes the next answer to that address wait, and nothing else: reading does not wait, nor do
/// other addresses.
#[test]
fn guessing_passwords_is_slow_for_its_own_address() {
    let site = Site::started("guess", CONF, "");
    site.until_answer(STATUS, ON_MAINS);
    let mut logged_in = site.connect().user("first", "one");
    assert_eq!(logged_in.ask("LOGIN rack"), "OK");
    let began = Instant::now();
    for number in 0..5 {
        let mut client = site.connect().user("admin", &format!("guess{number}"));
        assert_eq!(client.ask("INSTCMD rack load.off"), "ERR ACCESS-DENIED");
    }
    // 0.2 + 0.4 + 0.8 + 1.6 s
    assert!(began.elapsed() > Duration::from_millis(2900), "{:?}", began.elapsed());
    let began = Instant::now();
    assert_eq!(site.ask(STATUS), ON_MAINS);
    let other = connect_from("127.0.0.9", site.port);
    let mut other = other.user("first", "one");
    assert_eq!(other.ask("LOGIN rack"), "OK");
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    // who was logged in before forces a shutdown at once
    assert_eq!(logged_in.ask("FSD attic"), "OK FSD-SET");
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    // the right password waits its turn, and is right; upsmon gives up after 5 s, so it comes before that, however many
    // are tried meanwhile
    let ends = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let guessing: Vec<_> = (0..4)
        .map(|_| {
            let (ends, port) = (ends.clone(), site.port);
            std::thread::spawn(move || {
                while !ends.load(std::sync::atomic::Ordering::SeqCst) {
                    let mut client = Client::new(port).user("first", "wrong");
                    let _ = client.ask("LOGIN rack");
                }
            })
        })
        .collect();
    std::thread::sleep(Duration::from_secs(3));
    let began = Instant::now();
    let mut right = site.connect().user("first", "one");
    assert_eq!(right.ask("LOGIN rack"), "OK");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    ends.store(true, std::sync::atomic::Ordering::SeqCst);
    guessing.into_iter().for_each(|thread| thread.join().unwrap());
}

/// What check_ups sends: several requests and the farewell in one segment, then it waits for the end.
#[test]
fn requests_in_one_segment_are_answered_in_order() {
    let site = site("segment", "");
    let mut client = site.connect();
    client.say("GET VAR rack ups.status\r\n\r\nGET UPSDESC rack\r\r\nVER\nLOGOUT");
    assert_eq!(client.hear(), ON_MAINS);
    assert_eq!(client.hear(), "ERR UNKNOWN-COMMAND");
    assert_eq!(client.hear(), "UPSDESC rack \"Unavailable\"");
    assert!(client.hear().starts_with("Network UPS Tools upsd "));
    assert_eq!(client.hear(), "OK Goodbye");
    assert!(client.is_closed(Duration::from_secs(5)));
}

/// Found by a review: what waits for clients that do not read was bounded for each, and not for all together; it grew with the
/// number of variables to more than a gigabyte.
#[test]
fn what_waits_for_all_clients_together_is_bounded() {
    let site = Site::started("unread", "[big]\ndriver = usbhid-ups\nport = auto\n", "");
    let value = "x".repeat(400);
    let mut dump: String = (0..3000).map(|number| format!("SETINFO v.{number} \"{value}\"\n")).collect();
    dump += "SETINFO ups.status \"OL\"\nDATAOK\nDUMPDONE\n";
    let _driver = site::FakeDriver::start(&site, "usbhid-ups-big", &dump);
    site.until_answer("GET VAR big ups.status", "VAR big ups.status \"OL\"");
    let asks = "LIST VAR big\n".repeat(6);
    let mut reads = site.connect();
    let deaf: Vec<Client> = (0..60)
        .map(|_| {
            let mut client = site.connect();
            // the system keeps little of what waits: the server has it all, before the first is dropped as deaf
            nix::sys::socket::setsockopt(&client.stream, nix::sys::socket::sockopt::RcvBuf, &4096).unwrap();
            client.say(asks.trim_end());
            client
        })
        .collect();
    site.until("one is dropped", || site.log().contains("MB wait for clients that do not read"));
    let status = std::fs::read_to_string(format!("/proc/{}/status", site.pid())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak: usize = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(peak < 64 * 1024, "{peak} kB");
    assert_eq!(reads.ask("GET VAR big ups.status"), "VAR big ups.status \"OL\"");
    drop(deaf);
}
