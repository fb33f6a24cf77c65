//! SNMP agents of a running server: who is answered, what is there when data is old, what is sent unasked, and that
//! neither delays UPSes.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod site;

use nix::sys::signal::Signal;
use site::snmp::wire::{GET, request};
use site::snmp::{COMMUNITY, Manager, agents, receiver, until_trap};
use site::{FakeDriver, Site};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use testbed::units::Units;

const CONF: &str = "[rack]\ndriver = fake\nport = auto\n[Attic]\ndriver = fake\nport = auto\n";
const ON_MAINS: &str = "SETINFO ups.status \"OL\"\nSETINFO battery.charge \"90\"\nDATAOK\nDUMPDONE\n";

fn reload(site: &Site, said: &str) {
    site.signal(Signal::SIGHUP);
    site.until("it is reloaded", || site.log().contains(said));
}

#[test]
fn agents_answer_named_managers_only_and_only_where_they_are_asked_for() {
    let mut site = Site::new("snmp-who", CONF, "");
    let rack = FakeDriver::start(&site, "fake-rack", ON_MAINS);
    let _attic = FakeDriver::start(&site, "fake-Attic", ON_MAINS);
    site.start();
    let (toml, ports) = agents(&["rack", "attic", "gone"], None);
    let manager = Manager::new("127.0.0.1", ports[0]);
    assert_eq!(manager.get("2.4.0"), None);
    site.write("qxups.toml", &toml);
    reload(&site, "snmp: on");
    manager.until(&site, "2.4.0", "INTEGER 90");
    // a UPS has its own address, in whatever case its name is written
    assert_eq!(Manager::new("127.0.0.1", ports[1]).get("1.5.0").as_deref(), Some("STRING Attic"));
    assert_eq!(Manager::new("127.0.0.1", ports[2]).get("2.4.0"), None);
    assert!(site.log().contains("ups.conf has no such UPS"), "{}", site.log());
    // another manager, another community, garbage
    assert_eq!(Manager::new("127.0.0.2", ports[0]).get("2.4.0"), None);
    let charge = "1.3.6.1.2.1.33.1.2.4.0";
    assert_eq!(manager.send(&request(1, "pub11c", GET, (0, 0), &[charge])), None);
    manager.throw(&[0xff; 1400]);
    manager.throw(&vec![0x30; 60_000]);
    assert_eq!(manager.get("2.4.0").as_deref(), Some("INTEGER 90"));
    let log = site.log();
    for part in ["127.0.0.2", "another than that of [snmp]", "no request of SNMP"] {
        assert!(log.contains(part), "{part}: {log}");
    }
    assert!(!log.contains(COMMUNITY) && !log.contains("pub11c"), "{log}");
    // another community counts at once, and UPS and counters stay
    rack.say("SETINFO ups.status \"OB\"\n");
    manager.until(&site, "3.1.0", "Counter32 1");
    site.write("qxups.toml", &toml.replace(COMMUNITY, "other"));
    reload(&site, "snmp: changed");
    assert_eq!(manager.get("2.4.0"), None);
    let counted = manager.send(&request(1, "other", GET, (0, 0), &["1.3.6.1.2.1.33.1.3.1.0"])).unwrap();
    assert_eq!(counted.bindings[0].1, "Counter32 1");
    // what is wrong changes nothing
    site.write("qxups.toml", &toml.replace("allow", "alow"));
    reload(&site, "did you mean allow?");
    assert!(manager.send(&request(1, "other", GET, (0, 0), &[charge])).is_some());
    site.write("qxups.toml", "");
    reload(&site, "snmp: off");
    assert_eq!(manager.send(&request(1, "other", GET, (0, 0), &[charge])), None);
}

#[test]
fn what_happens_is_sent_and_what_is_old_is_not_there() {
    let mut site = Site::new("snmp-traps", CONF, "");
    let rack = FakeDriver::start(&site, "fake-rack", ON_MAINS);
    let traps = receiver();
    let (toml, ports) = agents(&["rack"], Some(&traps));
    site.write("qxups.toml", &toml);
    site.start();
    let manager = Manager::new("127.0.0.1", ports[0]);
    until_trap(&site, &traps, "6.3.1.1.5.1 rack");
    manager.until(&site, "4.1.0", "INTEGER 3");
    assert_eq!(manager.alarms(), []);
    rack.say("SETINFO ups.status \"OB\"\n");
    until_trap(&site, &traps, "33.2.1 rack");
    until_trap(&site, &traps, "33.2.3 6 rack");
    assert_eq!((manager.get("4.1.0").as_deref(), manager.alarms()), (Some("INTEGER 5"), vec![2, 6]));
    rack.say("SETINFO ups.status \"OB LB RB\"\n");
    until_trap(&site, &traps, "33.2.3 1 rack");
    until_trap(&site, &traps, "33.2.3 3 rack");
    assert_eq!(manager.get("2.1.0").as_deref(), Some("INTEGER 3"));
    // an alarm without a word of the status
    rack.say("SETINFO ups.alarm \"Fan failure!\"\n");
    until_trap(&site, &traps, "33.2.3 16 rack");
    rack.say("DATASTALE\n");
    let before = until_trap(&site, &traps, "33.2.3 20 rack");
    assert_eq!(before, [""; 0]);
    assert_eq!(manager.alarms(), [20]);
    for below in ["4.1.0", "2.4.0", "2.2.0"] {
        assert_eq!(manager.get(below).as_deref(), Some("noSuchInstance"), "{below}");
    }
    assert_eq!(manager.get("2.1.0").as_deref(), Some("INTEGER 1"));
    rack.say("DATAOK\nSETINFO ups.status \"OL TEST\"\nSETINFO ups.alarm \"\"\n");
    until_trap(&site, &traps, "33.2.4 20 rack");
    manager.until(&site, "7.3.0", "INTEGER 5");
    rack.say("SETINFO ups.test.result \"Done and passed\"\nSETINFO ups.status \"OL\"\n");
    until_trap(&site, &traps, "33.2.2 rack");
    manager.until(&site, "7.3.0", "INTEGER 1");
    // its driver ends
    drop(rack);
    until_trap(&site, &traps, "33.2.3 20 rack");
    assert!(!site.log().contains(COMMUNITY));
}

/// From the driver's word to the trap: each of many UPSes goes on battery once. By looks alone, a second apart, half of the
/// traps would take longer than half a second; what is measured on a machine at rest stands in docs/snmp.md.
#[test]
fn an_outage_is_sent_as_it_is_heard() {
    const UPSES: usize = 100;
    let names: Vec<String> = (0..UPSES).map(|number| format!("u{number}")).collect();
    let conf: String = names.iter().map(|name| format!("[{name}]\ndriver = fake\nport = auto\n")).collect();
    let mut site = Site::new("snmp-fast", &conf, "");
    let drivers: Vec<_> =
        names.iter().map(|name| FakeDriver::start(&site, &format!("fake-{name}"), ON_MAINS)).collect();
    let traps = receiver();
    let (toml, ports) = agents(&names.iter().map(String::as_str).collect::<Vec<_>>(), Some(&traps));
    site.write("qxups.toml", &toml);
    site.start();
    for port in ports {
        Manager::new("127.0.0.1", port).until(&site, "4.1.0", "INTEGER 3");
    }
    // every UPS was looked at, so that its status is heard
    std::thread::sleep(Duration::from_millis(1500));
    let mut took = vec![];
    for (name, driver) in names.iter().zip(&drivers) {
        let began = Instant::now();
        driver.say("SETINFO ups.status \"OB\"\n");
        until_trap(&site, &traps, &format!("33.2.1 {name}"));
        took.push(began.elapsed());
    }
    took.sort();
    let (median, p99) = (took[UPSES / 2], took[UPSES * 99 / 100 - 1]);
    println!("event to trap: median {median:?}, p99 {p99:?}, longest {:?}", took[UPSES - 1]);
    assert!(median < Duration::from_millis(300), "{took:?}");
}

/// Sockets that are full of garbage and of requests delay no poll: the simulated units' own record says when each was asked.
#[test]
fn a_flood_delays_no_ups() {
    const UPSES: usize = 20;
    const LOOK: Duration = Duration::from_secs(6);
    let units = Units::start(UPSES);
    let names: Vec<String> = (0..UPSES).map(|number| format!("u{number}")).collect();
    let section = |(name, port): (&String, &u16)| {
        format!("[{name}]\ndriver = nutdrv_qx\nport = tcp://127.0.0.1:{port}\npollinterval = 1\n")
    };
    let conf: String = names.iter().zip(&units.ports).map(section).collect();
    let mut site = Site::new("snmp-flood", &conf, "");
    let (toml, ports) = agents(&names.iter().map(String::as_str).collect::<Vec<_>>(), None);
    site.write("qxups.toml", &toml);
    site.start();
    for name in &names {
        site.until_answer(&format!("GET VAR {name} ups.status"), &format!("VAR {name} ups.status \"OL\""));
    }
    units.forget();
    let ends = Arc::new(AtomicBool::new(false));
    let flooding = {
        let (ends, ports) = (ends.clone(), ports.clone());
        std::thread::spawn(move || {
            let bulk = request(1, COMMUNITY, 0xa5, (0, 64), &["1.3"]);
            let garbage = [vec![0x30, 0x82, 5, 0xb0], vec![0xff; 1456]].concat();
            let all: Vec<_> = ports.iter().map(|port| Manager::new("127.0.0.1", *port)).collect();
            while !ends.load(Ordering::Relaxed) {
                for manager in &all {
                    manager.throw(&bulk);
                    manager.throw(&garbage);
                }
                std::thread::yield_now();
            }
        })
    };
    std::thread::sleep(LOOK);
    let asked = units.asked();
    ends.store(true, Ordering::Relaxed);
    flooding.join().unwrap();
    let one = Manager::new("127.0.0.1", ports[0]);
    site.until("it is answered after the flood", || one.get("4.1.0").is_some());
    for (name, asked) in names.iter().zip(asked) {
        let longest = asked.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(LOOK);
        assert!(longest <= Duration::from_millis(2500), "{name} was left alone for {longest:?}");
        assert!(asked.len() >= 3, "{name} was asked {} times", asked.len());
    }
}

/// Receivers that an agent's own socket cannot reach get the first trap as any other.
#[test]
fn no_trap_is_lost_at_the_beginning() {
    let Ok(traps) = std::net::UdpSocket::bind("[::1]:0") else { return };
    traps.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let mut site = Site::new("snmp-first", CONF, "");
    let _rack = FakeDriver::start(&site, "fake-rack", "SETINFO ups.status \"OB LB\"\nDATAOK\nDUMPDONE\n");
    let (toml, _) = agents(&["rack"], Some(&traps));
    site.write("qxups.toml", &toml);
    site.start();
    assert_eq!(until_trap(&site, &traps, "6.3.1.1.5.1 rack"), [""; 0]);
    until_trap(&site, &traps, "33.2.3 3 rack");
    assert!(!site.log().contains("it is lost"), "{}", site.log());
}

/// A host with several addresses answers from the one that was asked: managers take no answer from another.
#[test]
fn an_answer_comes_from_the_address_that_was_asked() {
    for (any, to) in [("0.0.0.0", "127.0.0.9"), ("[::]", "[::1]")] {
        let Ok(free) = std::net::UdpSocket::bind(format!("{to}:0")) else { continue };
        let port = free.local_addr().unwrap().port();
        drop(free);
        let mut site = Site::new(&format!("snmp-several{}", any.len()), CONF, "");
        let _rack = FakeDriver::start(&site, "fake-rack", ON_MAINS);
        let head = format!(
            "[snmp]\ncommunity = \"{COMMUNITY}\"\nallow = [\"127.0.0.0/8\", \"::1\"]\n[snmp.agents]\n"
        );
        site.write("qxups.toml", &format!("{head}rack = \"{any}:{port}\"\n"));
        site.start();
        let manager =
            std::net::UdpSocket::bind(if to.contains(':') { "[::1]:0" } else { "127.0.0.1:0" }).unwrap();
        manager.connect(format!("{to}:{port}")).unwrap();
        manager.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        site.until(&format!("{to} answers"), || {
            let mut room = [0; 2048];
            let _ = manager.send(&request(1, COMMUNITY, GET, (0, 0), &["1.3.6.1.2.1.1.5.0"]));
            manager.recv(&mut room).is_ok()
        });
    }
}

/// A driver that starts anew is connected before it says anything: that is no data.
#[test]
fn a_driver_that_says_nothing_yet_ends_no_alarm() {
    let mut site = Site::new("snmp-wait", CONF, "");
    let rack = FakeDriver::start(&site, "fake-rack", "SETINFO ups.status \"OB LB\"\nDATAOK\nDUMPDONE\n");
    let traps = receiver();
    let (toml, ports) = agents(&["rack"], Some(&traps));
    site.write("qxups.toml", &toml);
    site.start();
    until_trap(&site, &traps, "33.2.3 3 rack");
    drop(rack);
    until_trap(&site, &traps, "33.2.3 20 rack");
    let rack = FakeDriver::start(&site, "fake-rack", "");
    site.until("it is asked", || site.ask("GET VAR rack ups.status").contains("WAIT"));
    std::thread::sleep(Duration::from_millis(2500));
    assert_eq!(Manager::new("127.0.0.1", ports[0]).alarms(), [20]);
    rack.say("SETINFO ups.status \"OB LB\"\nDATAOK\nDUMPDONE\n");
    let before = until_trap(&site, &traps, "33.2.4 20 rack");
    assert!(!before.iter().any(|trap| trap.starts_with("33.2.4")), "{before:?}");
}
