//! The history of a server: what drivers say is what is written down, over reloads, new starts and wrong disks.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod site;

use history::{EventKind, EventRecord, HistoryReader, OutageRecord};
use site::{FakeDriver, Site, free_port};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use testbed::disk::{EXT4, Frozen, on_a_disk};

const CONF: &str = "[rack]\ndriver = usbhid-ups\n";
const SOCKET: &str = "usbhid-ups-rack";
const ON: &str = "[history]\nenabled = true\nsize_mib = 16\n";
const DUMP: &str = "SETINFO ups.status OL\nSETINFO battery.charge 97\nSETINFO ups.realpower 360\nSETINFO ups.load 20\n\
                    SETINFO ups.mfr '; DROP TABLE ups; --\nADDCMD beeper.mute\nDATAOK\nDUMPDONE\n";
const TO_BATTERY: &str = "SETINFO ups.status \"OB DISCHRG\"\nSETINFO battery.charge 60\n";
const TO_MAINS: &str = "SETINFO ups.status OL\n";

/// A site with a history, whose driver has said that all is well.
fn started(name: &str) -> (Site, FakeDriver) {
    let mut site = Site::new(name, CONF, "");
    site.write("qxups.toml", ON);
    let driver = FakeDriver::start(&site, SOCKET, DUMP);
    site.start();
    site.until("it is seen on mains", || statuses(&site) == ["OL"]);
    (site, driver)
}

fn file(site: &Site) -> PathBuf {
    site.state().join("history.sqlite")
}

fn events(site: &Site) -> Vec<EventRecord> {
    HistoryReader::open(&file(site)).and_then(|reader| reader.events(None, 0, 9999)).unwrap_or_default()
}

/// Each status, in order.
fn statuses(site: &Site) -> Vec<String> {
    let is_status = |event: &EventRecord| matches!(event.kind, Some(EventKind::Status | EventKind::Fresh));
    events(site).into_iter().filter(is_status).map(|event| event.text).collect()
}

fn outages(site: &Site) -> Vec<OutageRecord> {
    HistoryReader::open(&file(site)).and_then(|reader| reader.outages(None, 0, 99)).unwrap_or_default()
}

#[test]
fn without_the_file_there_is_none() {
    let mut site = Site::new("history-off", CONF, "");
    let _driver = FakeDriver::start(&site, SOCKET, DUMP);
    site.start();
    site.until_answer("GET VAR rack ups.status", "VAR rack ups.status \"OL\"");
    site.write("qxups.toml", "[history]\nsize_mib = 16\n");
    assert!(serve::program::reload(Some(&site.state())).unwrap().contains("as before"));
    let names = std::fs::read_dir(site.state()).unwrap().map(|entry| entry.unwrap().file_name());
    let names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    assert!(names.iter().all(|name| !name.contains("history")), "{names:?}");
}

#[test]
fn an_outage_shorter_than_any_sample_is_an_event_and_an_outage() {
    let (site, driver) = started("history-blip");
    driver.say(&format!("{TO_BATTERY}{TO_MAINS}"));
    site.until("both are written", || statuses(&site) == ["OL", "OB DISCHRG", "OL"]);
    let outages = outages(&site);
    assert_eq!(outages.len(), 1);
    let outage = &outages[0].outage;
    assert!(outage.begin_seen && outage.end_seen && outage.end_ms.is_some(), "{outage:?}");
    assert!(outage.length.as_secs() < 5, "{outage:?}");
    assert_eq!(HistoryReader::open(&file(&site)).unwrap().upses().unwrap(), ["rack"]);
}

/// A driver that is connected before it says anything is no status, and no data that is back.
#[test]
fn a_driver_that_says_nothing_yet_is_not_written() {
    let (site, driver) = started("history-wait");
    drop(driver);
    let is_stale = |event: &EventRecord| event.kind == Some(EventKind::Stale);
    site.until("it is lost", || events(&site).iter().any(is_stale));
    let driver = FakeDriver::start(&site, SOCKET, "");
    site.until("it is asked", || site.ask("GET VAR rack ups.status").contains("WAIT"));
    std::thread::sleep(Duration::from_millis(1500));
    driver.say(DUMP);
    site.until("it is back", || statuses(&site) == ["OL", "OL"]);
}

#[test]
fn a_reload_and_a_new_start_keep_an_outage_in_one_piece() {
    let (mut site, driver) = started("history-reload");
    driver.say(TO_BATTERY);
    site.until("it begins", || outages(&site).len() == 1);
    for text in [
        "[history]\nenabled = true\nsize_mib = 16\n[web]\nlisten = []\n",
        "[history]\nenabled = true\nsize_mib = 32\n",
    ] {
        site.write("qxups.toml", text);
        serve::program::reload(Some(&site.state())).unwrap();
    }
    site.until("reloads are written", || {
        events(&site).iter().filter(|event| event.kind == Some(EventKind::Reload)).count() == 2
    });
    let began = outages(&site)[0].outage.begin_ms;
    assert_eq!((outages(&site).len(), outages(&site)[0].outage.end_ms), (1, None));
    // as hard as can be
    site.kill();
    site.start();
    site.until("it is seen again", || statuses(&site).last().is_some_and(|words| words == "OL"));
    // the driver's dump says OL: it was over before this start
    let ended = outages(&site);
    assert_eq!((ended.len(), ended[0].outage.begin_ms), (1, began));
    assert!(ended[0].outage.end_ms.is_some() && !ended[0].outage.end_seen, "{ended:?}");
}

#[test]
fn orders_and_their_outcome_are_events() {
    let (site, _driver) = started("history-orders");
    let mut client = site.connect().user("admin", "secret");
    assert!(client.ask("SET TRACKING ON").starts_with("OK"));
    assert!(client.ask("INSTCMD rack beeper.mute").starts_with("OK"));
    let texts = || -> Vec<String> {
        let all = events(&site).into_iter().filter(|event| event.kind == Some(EventKind::Command));
        all.map(|event| event.text).collect()
    };
    site.until("both are written", || texts().len() == 2);
    assert_eq!(texts(), ["admin@127.0.0.1 asks for beeper.mute", "beeper.mute: done"]);
}

#[test]
fn data_that_is_lost_and_back_is_two_events() {
    let (site, driver) = started("history-stale");
    driver.say("DATASTALE\n");
    site.until("it is lost", || events(&site).iter().any(|event| event.kind == Some(EventKind::Stale)));
    driver.say("DATAOK\n");
    site.until("it is back", || {
        events(&site).last().is_some_and(|event| event.kind == Some(EventKind::Fresh))
    });
    let kinds: Vec<_> = events(&site).iter().filter_map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::Start, EventKind::Fresh, EventKind::Stale, EventKind::Fresh]);
    assert!(outages(&site).is_empty());
}

#[test]
fn a_history_that_cannot_be_written_is_said_once_and_costs_nothing_else() {
    let mut site = Site::new("history-broken", CONF, "");
    let _driver = FakeDriver::start(&site, SOCKET, DUMP);
    site.write("qxups.toml", "[history]\nenabled = true\nfile = \"/no/such/folder/history\"\n");
    site.start();
    site.until_answer("GET VAR rack ups.status", "VAR rack ups.status \"OL\"");
    site.until("it is said", || site.log().contains("history /no/such/folder/history: "));
    assert_eq!(site.log().matches("going on without").count(), 1, "{}", site.log());
    site.write("qxups.toml", ON);
    assert!(serve::program::reload(Some(&site.state())).unwrap().contains("; history: changed"));
    site.until("it is written", || statuses(&site) == ["OL"]);
}

/// At the end what was sampled in the minute that has not ended is written as well.
#[test]
fn a_server_that_is_stopped_writes_what_it_has() {
    let (mut site, _driver) = started("history-stop");
    std::thread::sleep(std::time::Duration::from_millis(1200));
    site.signal(nix::sys::signal::Signal::SIGTERM);
    assert!(site.wait().success());
    let reader = HistoryReader::open(&file(&site)).unwrap();
    let keys: Vec<String> =
        reader.series_of("rack").unwrap().iter().map(|key| key.quantity.to_string()).collect();
    assert_eq!(keys, ["ups.load", "battery.charge", "ups.realpower"]);
    let last = reader.events(None, 0, 99).unwrap().pop().unwrap();
    assert_eq!((last.kind, last.text.as_str()), (Some(EventKind::Stop), "SIGTERM"));
}

fn page(port: u16, target: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(stream, "GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut all = String::new();
    stream.read_to_string(&mut all)?;
    Ok(all)
}

/// A disk that can be frozen, for this test; see `on_a_disk`.
fn disk_of_its_own(test: &str) -> Option<PathBuf> {
    let folder = std::env::temp_dir().join(format!("qxups-serve-{test}-{}", std::process::id()));
    let disk = on_a_disk(test, &folder, EXT4);
    if disk.is_none() {
        let _ = std::fs::remove_dir_all(&folder);
    }
    disk
}

/// Writes wait in the kernel, without an error, as on a card that does not answer any more.
#[test]
fn a_disk_that_hangs_costs_clients_and_pages_nothing_and_ends_no_later() {
    let test = "a_disk_that_hangs_costs_clients_and_pages_nothing_and_ends_no_later";
    let Some(disk) = disk_of_its_own(test) else { return };
    let (mut site, http) = (Site::new("history-hangs", CONF, ""), free_port());
    let file = disk.join("history.sqlite");
    let extras = format!(
        "[web]\nlisten = ['127.0.0.1:{http}']\n[history]\nenabled = true\nsize_mib = 16\nfile = '{}'\n",
        file.display()
    );
    site.write("qxups.toml", &extras);
    let driver = FakeDriver::start(&site, SOCKET, DUMP);
    site.start();
    let statuses = || -> Vec<String> {
        let all = HistoryReader::open(&file).and_then(|reader| reader.events(None, 0, 99_999));
        let is_status =
            |event: &EventRecord| matches!(event.kind, Some(EventKind::Status | EventKind::Fresh));
        all.unwrap_or_default().into_iter().filter(is_status).map(|event| event.text).collect()
    };
    site.until("it is seen on mains", || statuses() == ["OL"]);
    let frozen = Frozen::new(&disk);
    driver.say(TO_BATTERY);
    site.until_answer("GET VAR rack ups.status", "VAR rack ups.status \"OB DISCHRG\"");
    let resident = |site: &Site| -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", site.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    };
    let before = resident(&site);
    // the thread waits in the kernel by now
    std::thread::sleep(Duration::from_millis(1500));
    let began = Instant::now();
    for _ in 0..3000 {
        driver.say(TO_MAINS);
        driver.say(TO_BATTERY);
    }
    for _ in 0..10 {
        assert!(site.ask("GET VAR rack ups.status").starts_with("VAR rack ups.status"));
        assert!(page(http, "/metrics").unwrap().contains("qxups_up{ups=\"rack\"} 1"));
        assert!(page(http, "/ups/rack").unwrap().starts_with("HTTP/1.1 200"));
    }
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert!(resident(&site) < before + 4 * 1024, "{before} kB before, {} kB after", resident(&site));
    drop(frozen);
    site.until("it comes back", || statuses().len() > 2);
    site.until("what was lost is said", || page(http, "/metrics").unwrap().contains("qxups_history_up 1"));
    // the process is gone when the disk answers, and not before; but it serves no longer, and its ports are free
    driver.say(TO_MAINS);
    let frozen = Frozen::new(&disk);
    driver.say(TO_BATTERY);
    std::thread::sleep(Duration::from_millis(1500));
    site.signal(nix::sys::signal::Signal::SIGTERM);
    site.until("it serves no longer", || {
        TcpStream::connect(("127.0.0.1", site.port)).is_err()
            && TcpStream::connect(("127.0.0.1", http)).is_err()
    });
    assert!(site.log().contains("exiting on SIGTERM"), "{}", site.log());
    drop(frozen);
    assert!(site.wait().success(), "{}", site.log());
}

/// The process itself stays until the kernel is done with its last write, as any does; but it gives way at once: to who asks for
/// the stop, to clients, and to the next server.
#[test]
fn a_stop_while_the_disk_hangs_makes_way_for_the_next_server() {
    let Some(disk) = disk_of_its_own("a_stop_while_the_disk_hangs_makes_way_for_the_next_server") else {
        return;
    };
    let http = free_port();
    let mut site = Site::new("history-stop-hangs", &format!("{CONF}[sim]\ndriver = qxups-sim\n"), "");
    site.write("qxups.toml", &format!("[web]\nlisten = ['127.0.0.1:{http}']\n{ON}"));
    let driver = FakeDriver::start(&site, SOCKET, DUMP);
    // all that lasts is there
    let upsd = |site: &Site| {
        let mut upsd = site.upsd();
        upsd.env("QXUPS_VARPATH", &disk);
        upsd
    };
    site.start_with(upsd(&site));
    let statuses = || -> Vec<String> {
        let all = HistoryReader::open(&disk.join("history.sqlite"))
            .and_then(|reader| reader.events(Some("rack"), 0, 99_999))
            .unwrap_or_default();
        let is_status =
            |event: &EventRecord| matches!(event.kind, Some(EventKind::Status | EventKind::Fresh));
        all.into_iter().filter(is_status).map(|event| event.text).collect()
    };
    site.until("it is seen on mains", || statuses() == ["OL"]);
    let frozen = Frozen::new(&disk);
    driver.say(TO_BATTERY);
    // the thread waits in the kernel by now
    std::thread::sleep(Duration::from_millis(1500));
    let began = Instant::now();
    let stopped = upsd(&site).args(["-c", "stop"]).output().unwrap();
    assert!(stopped.status.success(), "{stopped:?}");
    let is_gone = |name: &str| !site.state().join(name).exists();
    site.until("it serves no longer", || {
        let refused = |port: u16| TcpStream::connect(("127.0.0.1", port)).is_err();
        refused(site.port) && refused(http) && is_gone("upsd.pid") && is_gone("upsd.control")
    });
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    // the next one serves, while the disk still hangs
    let mut old = site.take_server();
    site.start_with(upsd(&site));
    site.until_answer("GET VAR rack ups.status", "VAR rack ups.status \"OL\"");
    site.until("it has pages", || page(http, "/ups/rack").is_ok_and(|page| page.starts_with("HTTP/1.1 200")));
    drop(frozen);
    assert!(old.wait().unwrap().success(), "{}", site.log());
    // what waited went with the process; the file is whole, and the next one goes on with it
    let is_open = || site.log().contains("is written again") || statuses().len() > 2;
    site.until("the next one has the file", is_open);
    driver.say(TO_BATTERY);
    site.until("it writes", || {
        statuses().len() > 2 && statuses().last().is_some_and(|last| last == "OB DISCHRG")
    });
    assert_eq!(statuses()[0], "OL");
}

/// Found by a review: two servers wrote one file, and the same time was there twice.
#[test]
fn a_second_server_with_the_same_file_goes_on_without_until_the_first_is_gone() {
    let (mut first, _driver) = started("history-first");
    let mut second = Site::new("history-second", CONF, "");
    let shared = format!("[history]\nenabled = true\nsize_mib = 16\nfile = '{}'\n", file(&first).display());
    second.write("qxups.toml", &shared);
    let driver = FakeDriver::start(&second, SOCKET, DUMP);
    second.start();
    second.until_answer("GET VAR rack ups.status", "VAR rack ups.status \"OL\"");
    let said = format!("another server (process {}) writes it", first.pid());
    second.until("it says so", || second.log().contains(&said));
    driver.say(TO_BATTERY);
    second.until_answer("GET VAR rack ups.status", "VAR rack ups.status \"OB DISCHRG\"");
    driver.say(TO_MAINS);
    // it tries again in vain
    std::thread::sleep(Duration::from_secs(12));
    assert_eq!(statuses(&first), ["OL"], "the second wrote nothing");
    assert_eq!(second.log().matches("going on without").count(), 1, "{}", second.log());
    first.kill();
    second.until("it takes it", || second.log().contains("is written again"));
    driver.say(TO_BATTERY);
    second.until("it writes", || statuses(&first) == ["OL", "OB DISCHRG"]);
    let gaps = events(&first).into_iter().filter(|event| event.kind == Some(EventKind::Gap));
    assert!(gaps.map(|gap| gap.text).all(|text| text.contains("another server wrote the file")));
}
