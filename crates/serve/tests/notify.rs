//! Notifications of a server: what drivers say comes to programs, web servers and mails of the test's own; the judge is what
//! was said, and what these received.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod site;

use nix::sys::signal::Signal;
use site::receiver::{Received, Receiver, Reply};
use site::{FakeDriver, Site, free_port};
use std::collections::BTreeSet;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const CONF: &str = "[rack]\ndriver = usbhid-ups\n";
const SOCKET: &str = "usbhid-ups-rack";
const DUMP: &str =
    "SETINFO ups.status OL\nSETINFO battery.charge 97\nSETINFO battery.runtime 1200\nDATAOK\nDUMPDONE\n";
const TO_BATTERY: &str = "SETINFO ups.status \"OB DISCHRG\"\nSETINFO battery.charge 60\n";
const TO_MAINS: &str = "SETINFO ups.status OL\n";

fn hook(url: &str) -> String {
    format!("[outputs.hook]\nkind = 'webhook'\nurl = '{url}'\nlimit_s = 2\n")
}

fn on_battery(more: &str) -> String {
    format!("[[notify]]\nwhen = 'on battery'\nto = ['hook']\n{more}\n")
}

/// A site whose driver has said that all is well.
fn started(name: &str, extras: &str) -> (Site, FakeDriver) {
    let mut site = Site::new(name, CONF, "");
    site.write("qxups.toml", extras);
    let driver = FakeDriver::start(&site, SOCKET, DUMP);
    site.start();
    site.until_answer("GET VAR rack ups.status", "VAR rack ups.status \"OL\"");
    (site, driver)
}

#[test]
fn an_outage_is_told_at_its_beginning_and_at_its_end() {
    let receiver = Receiver::start();
    let (site, driver) = started("notify-outage", &(hook(&receiver.url()) + &on_battery("")));
    driver.say(TO_BATTERY);
    site.until("it begins", || receiver.all().len() == 1);
    driver.say(TO_MAINS);
    site.until("it ends", || receiver.all().len() == 2);
    let all = receiver.all();
    assert_eq!(all[0].field("title"), "rack is on battery");
    assert_eq!((all[0].field("kind"), all[0].field("type")), ("began".into(), "ONBATT".into()));
    let text = all[0].field("text");
    assert!(text.contains("UPS rack is on battery since 20") && text.contains("status OB DISCHRG"), "{text}");
    assert!(text.contains("Hosts shut down when the battery is low"), "{text}");
    assert!(all[1].field("title").starts_with("rack is on mains again after "), "{:?}", all[1]);
    assert_eq!(all[1].field("type"), "ONLINE");
    assert_ne!(all[0].field("id"), all[1].field("id"));
    let list = serve::program::timers(Some(&site.state())).unwrap();
    assert!(
        list.contains("rule \"on battery\": on battery, to hook") && list.contains("nothing waits"),
        "{list}"
    );
}

/// A program of the test's own, in the folder of a site.
fn script(site: &Site, name: &str, text: &str) -> PathBuf {
    let path = site.folder.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn listed(site: &Site) -> String {
    serve::program::timers(Some(&site.state())).unwrap()
}

#[test]
fn an_outage_that_is_over_before_the_next_look_is_told() {
    let receiver = Receiver::start();
    let (site, driver) = started("notify-blip", &(hook(&receiver.url()) + &on_battery("")));
    driver.say(&format!("{TO_BATTERY}{TO_MAINS}"));
    site.until("both come", || receiver.all().len() == 2);
    assert_eq!(receiver.titles(), ["rack is on battery", "rack is on mains again after 0 s"]);
}

#[test]
fn what_happened_while_the_network_was_down_comes_in_order_and_says_when() {
    let port = free_port();
    let (site, driver) =
        started("notify-down", &(hook(&format!("http://127.0.0.1:{port}/hook")) + &on_battery("")));
    driver.say(TO_BATTERY);
    site.until("it cannot be delivered", || site.log().contains("output hook: cannot connect"));
    driver.say(TO_MAINS);
    site.until("both wait", || listed(&site).contains("2 waiting"));
    // a moment of which the text has to speak
    std::thread::sleep(Duration::from_millis(1100));
    let back = Instant::now();
    let receiver = Receiver::answering(port, |_| Reply::Code(200));
    site.until("both come", || receiver.all().len() == 2);
    assert!(receiver.titles()[1].contains("is on mains again"), "{:?}", receiver.titles());
    for received in receiver.all() {
        assert!(received.at >= back);
        let told = received.field("text");
        let at = received.field("time");
        let minute = at.split_once('T').unwrap().1[..5].split_once(':').unwrap().1.to_string();
        assert!(told.contains(&format!(":{minute}:")), "{told} of {at}");
    }
    assert_eq!(site.log().matches("cannot connect").count(), 1, "{}", site.log());
    site.until("that is said", || site.log().contains("delivers again"));
}

/// The server is killed again and again while mains come and go: what a web server and a program of the test's own count is
/// that each beginning and each end is told once.
#[test]
fn a_server_that_is_killed_tells_each_thing_once() {
    let receiver = Receiver::start();
    let mut site = Site::new("notify-killed", CONF, "");
    let program =
        script(&site, "run", &format!("echo \"$QXUPS_KIND $QXUPS_ID\" >>{}/ran", site.folder.display()));
    site.write(
        "qxups.toml",
        &format!(
            "{}per_minute = 600\n[outputs.program]\nkind = 'exec'\nper_minute = 600\ncommand = ['{}']\n\
             [[notify]]\nwhen = 'on battery'\nto = ['hook', 'program']\n",
            hook(&receiver.url()),
            program.display()
        ),
    );
    let driver = FakeDriver::start(&site, SOCKET, DUMP);
    let mut moment = 7_u64;
    for round in 0..8 {
        site.start();
        site.until_answer("GET VAR rack ups.status", "VAR rack ups.status \"OL\"");
        // a moment by a fixed series; the machine makes it another one each time
        moment = moment * 31 % 61;
        let end = Instant::now() + Duration::from_millis(moment * 2);
        while Instant::now() < end {
            driver.say(TO_BATTERY);
            std::thread::sleep(Duration::from_millis(4 + moment % 7));
            driver.say(TO_MAINS);
            std::thread::sleep(Duration::from_millis(4 + moment % 5));
        }
        driver.say(if round % 2 == 0 { TO_BATTERY } else { TO_MAINS });
        std::thread::sleep(Duration::from_millis(moment % 13));
        site.kill();
    }
    site.start();
    site.until_answer("GET VAR rack ups.status", "VAR rack ups.status \"OL\"");
    site.until("all is delivered", || {
        let list = listed(&site);
        list.matches("nothing waits").count() == 2 && !list.contains("raised")
    });
    let all = receiver.all();
    let (again, first): (Vec<Received>, Vec<Received>) =
        all.into_iter().partition(|received| received.field("repetition") == "yes");
    let ids: Vec<String> = first.iter().map(|received| received.field("id")).collect();
    let known: BTreeSet<&String> = ids.iter().collect();
    assert_eq!(known.len(), ids.len(), "a notice came twice without a word");
    assert!(first.len() > 20, "{} are too few to say anything", first.len());
    let of_again: Vec<String> = again.iter().map(|received| received.field("id")).collect();
    assert_eq!(of_again.iter().collect::<BTreeSet<_>>().len(), of_again.len(), "{of_again:?}");
    // by their numbers: what may not have come stands where it belongs
    let mut kinds: Vec<(String, String)> = first
        .iter()
        .chain(again.iter().filter(|received| !known.contains(&received.field("id"))))
        .map(|received| (received.field("time") + &ordered(&received.field("id")), received.field("kind")))
        .collect();
    let unordered = kinds.clone();
    kinds.dedup();
    assert_eq!(kinds, unordered);
    let begun = unordered.iter().filter(|(_, kind)| kind == "began").count();
    let ended = unordered.iter().filter(|(_, kind)| kind == "ended").count();
    // one that was under way at two kills is given up, and the log says so
    let given_up = site.log().matches("output hook: ").count();
    assert!(begun.abs_diff(ended) <= given_up, "{begun} {ended} {given_up}: {unordered:?}");
    let ran = std::fs::read_to_string(site.folder.join("ran")).unwrap();
    let ran: Vec<&str> = ran.lines().collect();
    assert_eq!(ran.iter().collect::<BTreeSet<_>>().len(), ran.len(), "a program ran twice");
    // and what did not run is in the log
    let left_out = site.log().matches("output program: ").count();
    assert!(
        ran.len() <= begun + ended + given_up && ran.len() + left_out >= begun + ended,
        "{} {left_out} {begun}",
        ran.len()
    );
}

/// The number of a notice of one start, as wide as all of them.
fn ordered(id: &str) -> String {
    let (mark, number) = id.split_once('-').unwrap();
    format!("{mark}{number:0>6}")
}

#[test]
fn a_restart_in_the_middle_of_an_outage_tells_nothing_again() {
    let receiver = Receiver::start();
    let (mut site, driver) = started("notify-restart", &(hook(&receiver.url()) + &on_battery("")));
    driver.say(TO_BATTERY);
    site.until("it begins", || receiver.all().len() == 1);
    site.until("it is delivered", || listed(&site).contains("nothing waits"));
    site.kill();
    drop(driver);
    let driver = FakeDriver::start(&site, SOCKET, &DUMP.replace("OL", "OB"));
    site.start();
    site.until_answer("GET VAR rack ups.status", "VAR rack ups.status \"OB\"");
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(receiver.all().len(), 1, "{:?}", receiver.titles());
    assert!(listed(&site).contains("raised rack"), "{}", listed(&site));
    site.signal(Signal::SIGTERM);
    assert!(site.wait().success());
    site.start();
    site.until_answer("GET VAR rack ups.status", "VAR rack ups.status \"OB\"");
    driver.say(TO_MAINS);
    site.until("it ends", || receiver.all().len() == 2);
    assert!(receiver.titles()[1].starts_with("rack is on mains again"), "{:?}", receiver.titles());
    let mode = std::fs::metadata(site.state().join("notify.outbox")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn mains_that_flap_send_few_notices_which_say_how_many_there_were() {
    let receiver = Receiver::start();
    let extras = hook(&receiver.url()) + "per_minute = 30\n" + &on_battery("");
    let (site, driver) = started("notify-flaps", &extras);
    for _ in 0..250 {
        driver.say(&format!("{TO_BATTERY}{TO_MAINS}"));
    }
    site.until("what was held back is said", || {
        receiver.all().iter().any(|received| received.field("text").contains("too many at once"))
    });
    let all = receiver.all();
    assert!(all.len() < 40, "{}", all.len());
    let counts = all.iter().map(|received| match received.field("title").rsplit_once("(and ") {
        Some((_, rest)) => 1 + rest.trim_end_matches(" before)").parse::<usize>().unwrap(),
        None => 1,
    });
    site.until("all wait no more", || listed(&site).contains("nothing waits"));
    assert!(counts.sum::<usize>() <= 500);
}

/// Each kind of output hangs in its own way; one that works gets its notices at once, and clients their answers.
#[test]
fn an_output_that_hangs_delays_no_other_and_no_client() {
    let good = Receiver::start();
    let silent = Receiver::answering(0, |_| Reply::Silence);
    let endless = Receiver::answering(0, |_| Reply::Endless(b"X: y\r\n"));
    let mut site = Site::new("notify-hangs", CONF, "");
    let sleeps = script(&site, "sleeps", "sleep 100");
    // connections are taken by the system, and nothing answers
    let deaf = TcpListener::bind("127.0.0.1:0").unwrap();
    let sleeps = sleeps.display();
    let extras = format!(
        "{}[outputs.silent]\nkind = 'webhook'\nurl = '{}'\n[outputs.endless]\nkind = 'webhook'\nurl = '{}'\n\
         [outputs.exec]\nkind = 'exec'\ncommand = ['{sleeps}']\n\
         [outputs.sendmail]\nkind = 'sendmail'\nprogram = '{sleeps}'\nfrom = 'a@b'\nto = ['c@d']\n\
         [outputs.smtp]\nkind = 'smtp'\nserver = '{deaf}'\nfrom = 'a@b'\nto = ['c@d']\n\
         [outputs.tls]\nkind = 'webhook'\nurl = 'https://{deaf}/'\n\
         [[notify]]\nwhen = 'on battery'\nto = ['silent', 'endless', 'exec', 'sendmail', 'smtp', 'tls', 'hook']\n",
        hook(&good.url()),
        silent.url(),
        endless.url(),
        deaf = deaf.local_addr().unwrap()
    );
    site.write("qxups.toml", &extras);
    let driver = FakeDriver::start(&site, SOCKET, DUMP);
    site.start();
    site.until_answer("GET VAR rack ups.status", "VAR rack ups.status \"OL\"");
    driver.say(TO_BATTERY);
    site.until("one hangs", || silent.all().len() == 1 && endless.all().len() == 1);
    for number in 1..=5 {
        let began = Instant::now();
        driver.say(if number % 2 == 1 { TO_MAINS } else { TO_BATTERY });
        site.until("the good one hears it", || good.all().len() == number + 1);
        assert!(site.ask("GET VAR rack ups.status").starts_with("VAR rack"));
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    }
    let list = listed(&site);
    for name in ["silent", "exec", "sendmail", "smtp", "tls"] {
        let line = list.lines().find(|line| line.starts_with(&format!("output {name} "))).unwrap();
        assert!(line.contains("waiting"), "{line}");
    }
}

/// A clock that is set on by a year, and back by two.
#[test]
fn a_clock_that_is_set_changes_nothing() {
    const LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";
    if !Path::new(LIBRARY).exists() {
        let line = "libfaketime is not installed: apt-get install faketime, for this test to run";
        assert!(std::env::var("QXUPS_JUDGES").as_deref() != Ok("all"), "{line}");
        println!("{line}");
        return;
    }
    let receiver = Receiver::start();
    let mut site = Site::new("notify-clock", CONF, "");
    site.write("qxups.toml", &(hook(&receiver.url()) + &on_battery("after_s = 3\nrepeat_s = 3600\n")));
    site.write("clock", "+0");
    let driver = FakeDriver::start(&site, SOCKET, DUMP);
    let mut upsd = site.upsd();
    upsd.env("LD_PRELOAD", LIBRARY).env("FAKETIME_TIMESTAMP_FILE", site.folder.join("clock"));
    upsd.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    site.start_with(upsd);
    site.until_answer("GET VAR rack ups.status", "VAR rack ups.status \"OL\"");
    let began = Instant::now();
    driver.say(TO_BATTERY);
    site.until("its timer runs", || listed(&site).contains("timer rack"));
    site.write("clock", "+365d");
    site.until("it is told", || receiver.all().len() == 1);
    assert!(receiver.all()[0].at - began >= Duration::from_millis(2900));
    site.write("clock", "-365d");
    std::thread::sleep(Duration::from_millis(1500));
    driver.say(TO_MAINS);
    site.until("its end is told", || receiver.all().len() == 2);
    let title = receiver.titles()[1].clone();
    let seconds: u64 = title.rsplit_once("after ").unwrap().1.trim_end_matches(" s").parse().unwrap();
    assert!((4..30).contains(&seconds), "{title}");
    // the clock of the server was another one, or this says nothing
    let years: BTreeSet<String> =
        receiver.all().iter().map(|received| received.field("time")[..4].into()).collect();
    assert_eq!(years.len(), 2, "{years:?}");
}

#[test]
fn data_that_is_lost_is_told_and_ends_no_outage_and_a_host_that_is_missing_is_told() {
    let receiver = Receiver::start();
    let rules = "[[notify]]\nwhen = 'lost'\nafter_s = 1\nto = ['hook']\n\
                 [[notify]]\nwhen = 'secondary missing'\nhosts = ['127.0.0.1']\nafter_s = 1\nto = ['hook']\n";
    let (site, driver) = started("notify-lost", &(hook(&receiver.url()) + rules + &on_battery("")));
    let has = |part: &str| receiver.titles().iter().any(|title| title.contains(part));
    site.until("the host is missed", || has("misses a host"));
    let mut client = site.connect().user("second", "two");
    assert_eq!(client.ask("LOGIN rack"), "OK");
    site.until("it is there", || has("has that host logged in again"));
    driver.say(TO_BATTERY);
    site.until("it is on battery", || has("is on battery"));
    driver.say("DATASTALE\n");
    site.until("it is lost", || has("sends no data"));
    let lost = receiver
        .all()
        .into_iter()
        .find(|received| received.field("title").contains("sends no data"))
        .unwrap();
    assert!(lost.field("text").contains("there is no fresh data"), "{}", lost.field("text"));
    assert!(!has("is on mains again"));
    assert!(listed(&site).contains("raised rack"), "{}", listed(&site));
    driver.say(TO_MAINS);
    driver.say("DATAOK\n");
    site.until("it is back", || has("sends data again") && has("is on mains again"));
}

#[test]
fn secrets_are_sent_and_are_in_no_log() {
    const TOKEN: &str = "tk-51c8d2f0";
    let receiver = Receiver::answering(0, |number| match number {
        0 => Reply::Bytes(format!("HTTP/1.1 503 {TOKEN}\r\nRetry-After: 1\r\n\r\n").into_bytes()),
        _ => Reply::Code(200),
    });
    let mut site = Site::new("notify-secret", CONF, "");
    site.write("token", &format!("{TOKEN}\n"));
    let url = format!("http://127.0.0.1:{}/{{{{secret}}}}", receiver.port);
    let more = "secret_file = 'token'\nheaders = { Authorization = 'Bearer {{secret}}' }\n\
                [outputs.none]\nkind = 'webhook'\nurl = '{{secret}}'\nsecret_file = 'no-such-file'\n";
    site.write("qxups.toml", &(hook(&url) + more + &on_battery("").replace("['hook']", "['hook', 'none']")));
    let driver = FakeDriver::start(&site, SOCKET, DUMP);
    site.start();
    assert!(site.log().contains("qxups.toml: every user of this machine can read"), "{}", site.log());
    assert!(site.log().contains("no-such-file"), "{}", site.log());
    site.until_answer("GET VAR rack ups.status", "VAR rack ups.status \"OL\"");
    driver.say(TO_BATTERY);
    site.until("it is tried again", || receiver.all().len() == 2);
    let head = receiver.all()[1].head.clone();
    assert!(
        head.starts_with(&format!("POST /{TOKEN} ")) && head.contains(&format!("Bearer {TOKEN}")),
        "{head}"
    );
    let outbox = std::fs::read_to_string(site.state().join("notify.outbox")).unwrap();
    for text in [site.log(), listed(&site), outbox] {
        assert!(!text.contains(TOKEN), "{text}");
    }
    assert!(
        listed(&site).contains("output none") && listed(&site).contains("1 waiting"),
        "{}",
        listed(&site)
    );
}

#[test]
fn a_reload_turns_it_on_and_off_and_runs_go_on_over_it() {
    let receiver = Receiver::start();
    let (site, driver) = started("notify-reload", "");
    let reload = || serve::program::reload(Some(&site.state()));
    assert!(listed(&site).contains("no rule"));
    let extras = hook(&receiver.url()) + &on_battery("after_s = 3");
    site.write("qxups.toml", &extras);
    assert!(reload().unwrap().contains("; notify: on"));
    driver.say(TO_BATTERY);
    site.until("its timer runs", || listed(&site).contains("the timer ends in"));
    site.write("qxups.toml", &(extras.clone() + "repeat_s = 10\n"));
    assert!(reload().unwrap().contains("; notify: changed"));
    site.until("it is told", || receiver.all().len() == 1);
    site.write("qxups.toml", &extras.replace("['hook']", "['hok']"));
    let why = reload().unwrap_err();
    assert!(why.contains("there is no output hok: did you mean hook?"), "{why}");
    site.write("qxups.toml", "");
    assert!(reload().unwrap().contains("; notify: off"));
    site.until("its file is gone", || !site.state().join("notify.outbox").exists());
}

/// A disk that is full, in a mount namespace of its own, which only root may have.
#[test]
fn a_full_disk_is_said_once_and_costs_no_notice() {
    const DISK: &str = "QXUPS_TEST_NOTIFY_DISK";
    let Some(disk) = std::env::var_os(DISK).map(PathBuf::from) else {
        let disk = std::env::temp_dir().join(format!("qxups-serve-notify-full-{}", std::process::id()));
        std::fs::create_dir_all(&disk).unwrap();
        let inside = format!(
            "mount -t tmpfs -o size=64k none \"${DISK}\" && exec \"$0\" a_full_disk_is_said_once_and_costs_no_notice --exact --nocapture"
        );
        let outcome = Command::new("unshare")
            .args(["--mount", "sh", "-c", &inside])
            .arg(std::env::current_exe().unwrap())
            .env(DISK, &disk)
            .output()
            .unwrap();
        let said =
            String::from_utf8_lossy(&outcome.stdout).into_owned() + &String::from_utf8_lossy(&outcome.stderr);
        let _ = std::fs::remove_dir_all(&disk);
        if !outcome.status.success() && said.contains("unshare failed") {
            eprintln!("left out: only root may mount a disk");
            return;
        }
        assert!(outcome.status.success(), "{said}");
        return;
    };
    let receiver = Receiver::start();
    let mut site = Site::new("notify-full", CONF, "");
    site.write("qxups.toml", &(hook(&receiver.url()) + "per_minute = 600\n" + &on_battery("")));
    let driver = FakeDriver::start(&site, SOCKET, DUMP);
    let mut upsd = site.upsd();
    upsd.env("QXUPS_VARPATH", &disk);
    site.start_with(upsd);
    site.until_answer("GET VAR rack ups.status", "VAR rack ups.status \"OL\"");
    // all that is left of it
    let filler = disk.join("filler");
    let _ = Command::new("dd")
        .args(["if=/dev/zero", "bs=1k", "status=none"])
        .arg(format!("of={}", filler.display()))
        .status();
    for number in 0..10 {
        driver.say(TO_BATTERY);
        driver.say(TO_MAINS);
        site.until("both come", || receiver.all().len() == 2 * (number + 1));
    }
    site.until("it is said", || site.log().contains("going on from memory"));
    std::fs::remove_file(filler).unwrap();
    site.until("it is written again", || site.log().contains("is written again"));
    assert_eq!(site.log().matches("going on from memory").count(), 1, "{}", site.log());
    let ids: BTreeSet<String> = receiver.all().iter().map(|received| received.field("id")).collect();
    assert_eq!(ids.len(), receiver.all().len());
}

/// The way of it from a UPS: simulated ones, whose world is the judge.
#[test]
fn mains_that_fail_before_a_simulated_ups_are_told() {
    let receiver = Receiver::start();
    let units = testbed::units::Units::start(2);
    let conf: String = units
        .ports
        .iter()
        .enumerate()
        .map(|(at, port)| {
            format!("[ups{at}]\ndriver = nutdrv_qx\nport = tcp://127.0.0.1:{port}\npollinterval = 1\n")
        })
        .collect();
    let mut site = Site::new("notify-units", &conf, "");
    site.write("qxups.toml", &(hook(&receiver.url()) + &on_battery("ups = ['*1']")));
    site.start();
    for ups in ["ups0", "ups1"] {
        site.until("it is found", || site.ask(&format!("GET VAR {ups} ups.status")).contains("OL"));
    }
    assert!(receiver.all().is_empty());
    units.turn(0, "mains fail");
    units.turn(1, "mains fail");
    site.until("it is told", || receiver.all().len() == 1);
    assert_eq!(receiver.titles(), ["ups1 is on battery"]);
    let text = receiver.all()[0].field("text");
    // this unit says no charge: what is told of it is called an estimate
    assert!(!text.contains("charge") || text.contains("(estimated)"), "{text}");
    units.turn(1, "mains back");
    site.until("its end is told", || receiver.all().len() == 2);
}

/// From the line of a driver to the request that a web server has: printed, for docs/notifications.md.
#[test]
fn how_long_a_notice_takes() {
    let receiver = Receiver::start();
    let extras = hook(&receiver.url()) + "per_minute = 600\n" + &on_battery("");
    let (site, driver) = started("notify-latency", &extras);
    let count = std::env::var("QXUPS_NOTICES").ok().and_then(|text| text.parse().ok()).unwrap_or(40_usize);
    let mut took = vec![];
    for number in 0..count {
        let began = Instant::now();
        driver.say(if number % 2 == 0 { TO_BATTERY } else { TO_MAINS });
        site.until("it comes", || receiver.all().len() > number);
        took.push(receiver.all()[number].at - began);
    }
    took.sort();
    let at = |part: usize| took[(took.len() * part / 100).min(took.len() - 1)];
    println!("{count} notices: median {:?}, p99 {:?}, longest {:?}", at(50), at(99), at(100));
    // a machine with much else to do is slow, but a look a second is not what it waits for
    assert!(at(50) < Duration::from_millis(500), "{took:?}");
}

/// A driver that starts anew is connected before it says anything: that is no data, which ends nothing and hides nothing.
#[test]
fn a_driver_that_says_nothing_yet_ends_nothing() {
    let receiver = Receiver::start();
    let rules = "[[notify]]\nwhen = 'low battery'\nto = ['hook']\n[[notify]]\nwhen = 'lost'\nafter_s = 0\nto = ['hook']\n";
    let (site, driver) = started("notify-wait", &(hook(&receiver.url()) + rules));
    driver.say("SETINFO ups.status \"OB LB\"\n");
    site.until("it is told", || receiver.titles() == ["rack says that its battery is low"]);
    drop(driver);
    site.until("it is lost", || receiver.titles().len() == 2);
    // it listens, and has nothing to say for a while
    let driver = FakeDriver::start(&site, SOCKET, "");
    site.until("it is asked", || site.ask("GET VAR rack ups.status").contains("WAIT"));
    std::thread::sleep(Duration::from_millis(2500));
    assert_eq!(receiver.titles()[1..], ["rack sends no data"]);
    driver.say("SETINFO ups.status \"OB LB\"\nDATAOK\nDUMPDONE\n");
    site.until("it is back", || receiver.titles().len() == 3);
    std::thread::sleep(Duration::from_millis(1500));
    assert!(receiver.titles()[2].starts_with("rack sends data again"), "{:?}", receiver.titles());
}

/// The last word of a driver that goes in the same moment counts.
#[test]
fn an_outage_that_is_the_last_word_of_a_driver_is_told() {
    for (name, then) in [("stale", "DATASTALE\n"), ("gone", "")] {
        let receiver = Receiver::start();
        let (site, driver) =
            started(&format!("notify-last-{name}"), &(hook(&receiver.url()) + &on_battery("")));
        // the status is heard from the first look on
        std::thread::sleep(Duration::from_millis(1200));
        driver.say(&format!("{TO_BATTERY}{then}"));
        if then.is_empty() {
            drop(driver);
        }
        site.until(&format!("it is told ({name})"), || receiver.titles() == ["rack is on battery"]);
    }
}
