//! The output to an MQTT broker, before Debian's mosquitto and nats-server, and before brokers that are played and send anything.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

#[path = "broker/mod.rs"]
mod broker;
mod site;

use broker::{Broker, mosquitto};
use site::{FakeDriver, Site, judge, program};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

const CONF: &str = "[rack]\ndriver = usbhid-ups\ndesc = \"The rack\"\n";
const SOCKET: &str = "usbhid-ups-rack";
const DUMP: &str = "SETINFO ups.status OL\nSETINFO battery.charge 97\nSETINFO input.voltage 230.1\nSETINFO ups.mfr Maker\n\
                    SETINFO ups.serial 000000\nADDCMD beeper.toggle\nADDCMD load.off\nADDCMD test.battery.start\n\
                    DATAOK\nDUMPDONE\n";
const ANONYMOUS: &str = "allow_anonymous true\n";

/// A broker, and a site that publishes to it; `more` goes to `[mqtt]`.
fn started(name: &str, program: String, more: &str) -> (Site, FakeDriver, Broker) {
    let mut site = Site::new(&format!("mqtt-{name}"), CONF, "");
    let broker = Broker::start(program, &site.folder, ANONYMOUS);
    configure(&site, &broker, more);
    let driver = FakeDriver::start(&site, SOCKET, DUMP);
    site.start();
    until_settled(&site);
    (site, driver, broker)
}

fn configure(site: &Site, broker: &Broker, more: &str) {
    let port = broker.port;
    site.write("qxups.toml", &format!("[mqtt]\nserver = \"127.0.0.1:{port}\"\nsite = \"home\"\n{more}"));
}

fn until_settled(site: &Site) {
    site.until("the broker has all", || site.log().contains("publishing to MQTT broker"));
}

fn until_kept(site: &Site, broker: &Broker, line: &str) {
    site.until(&format!("{line} is kept"), || broker.kept("qxups/#").iter().any(|kept| kept == line));
}

#[test]
fn each_variable_has_its_topic_and_nothing_old_stays_in_either_version() {
    let Some(program) = mosquitto() else { return };
    for version in ["3.1.1", "5"] {
        let (site, driver, broker) =
            started(&format!("topics{version}"), program.clone(), &format!("version = \"{version}\"\n"));
        until_kept(&site, &broker, "qxups/home/availability online");
        let kept = broker.kept("qxups/#");
        let state = "{\"battery.charge\":\"97\",\"input.voltage\":\"230.1\",\"ups.mfr\":\"Maker\",\"ups.serial\":\"000000\",\
                     \"ups.status\":\"OL\"}";
        let expected = [
            "qxups/home/availability online".to_string(),
            "qxups/home/rack/availability online".into(),
            "qxups/home/rack/battery/charge 97".into(),
            "qxups/home/rack/input/voltage 230.1".into(),
            format!("qxups/home/rack/state {state}"),
            "qxups/home/rack/ups/mfr Maker".into(),
            "qxups/home/rack/ups/serial 000000".into(),
            "qxups/home/rack/ups/status OL".into(),
        ];
        assert_eq!(kept, expected);
        // nothing of Home Assistant is there until it is asked for
        assert!(broker.kept("homeassistant/#").is_empty());
        let listener = broker.listen();
        driver.say("SETINFO ups.status \"OB DISCHRG\"\nSETINFO battery.charge 60\nDELINFO input.voltage\n");
        listener.until_last("qxups/home/rack/ups/status", "OB DISCHRG");
        listener.until_last("qxups/home/rack/battery/charge", "60");
        listener.until_last("qxups/home/rack/input/voltage", "");
        // sure, and as it happens rather than as it is kept
        let lines = listener.lines();
        assert!(lines.contains(&"01 qxups/home/rack/ups/status OB DISCHRG".into()), "{lines:?}");
        // what is stale is said to be so, and not shown
        driver.say("DATASTALE\n");
        listener.until_last("qxups/home/rack/availability", "offline");
        listener.until_last("qxups/home/rack/ups/status", "");
        listener.until_last("qxups/home/rack/battery/charge", "");
        listener.until_last("qxups/home/rack/state", "{}");
        site.until("nothing is kept of it", || {
            broker.kept("qxups/home/rack/#")
                == ["qxups/home/rack/availability offline", "qxups/home/rack/state {}"]
        });
        let seen = listener.lines().len();
        driver.say("DATAOK\n");
        listener.until_last("qxups/home/rack/availability", "online");
        let lines = listener.lines()[seen..].to_vec();
        let at = |part: &str| lines.iter().position(|line| line.contains(part));
        assert!(at("rack/ups/status OB").unwrap() < at("rack/availability online").unwrap(), "{lines:?}");
        // a UPS that is gone leaves nothing
        site.write("ups.conf", "[other]\ndriver = usbhid-ups\n");
        serve::program::reload(Some(&site.state())).unwrap();
        site.until("all of it is taken off", || broker.kept("qxups/home/rack/#").is_empty());
        // and a server that is stopped says so
        site.signal(nix::sys::signal::Signal::SIGTERM);
        until_kept(&site, &broker, "qxups/home/availability offline");
    }
}

/// Numbers that move go out seldom; the status, and that data is stale, at once.
#[test]
fn numbers_wait_where_they_are_to_and_what_counts_does_not() {
    let Some(program) = mosquitto() else { return };
    let (site, driver, broker) = started("every", program, "every = 3600\n");
    until_kept(&site, &broker, "qxups/home/availability online");
    until_kept(&site, &broker, "qxups/home/rack/input/voltage 230.1");
    let listener = broker.listen();
    listener.until_last("qxups/home/rack/ups/status", "OL");
    for voltage in ["231.0", "229.0", "228.0"] {
        driver.say(&format!("SETINFO input.voltage {voltage}\n"));
        site.until_answer("GET VAR rack input.voltage", &format!("VAR rack input.voltage \"{voltage}\""));
    }
    driver.say("SETINFO ups.status \"OB DISCHRG\"\n");
    listener.until_last("qxups/home/rack/ups/status", "OB DISCHRG");
    driver.say("SETINFO ups.status \"OB LB\"\nSETINFO battery.charge 9\n");
    listener.until_last("qxups/home/rack/ups/status", "OB LB");
    // what was looked at several times since was not sent
    site.until_answer("GET VAR rack battery.charge", "VAR rack battery.charge \"9\"");
    std::thread::sleep(Duration::from_millis(600));
    let kept = broker.kept("qxups/home/rack/#");
    for line in ["qxups/home/rack/input/voltage 230.1", "qxups/home/rack/battery/charge 97"] {
        assert!(kept.iter().any(|kept| kept == line), "{line}: {kept:?}");
    }
    driver.say("DATASTALE\n");
    listener.until_last("qxups/home/rack/availability", "offline");
    listener.until_last("qxups/home/rack/input/voltage", "");
    // what is back is as it is now
    driver.say("DATAOK\n");
    listener.until_last("qxups/home/rack/availability", "online");
    until_kept(&site, &broker, "qxups/home/rack/input/voltage 228.0");
    until_kept(&site, &broker, "qxups/home/rack/battery/charge 9");
}

#[test]
fn what_happened_while_the_broker_was_away_is_right_when_it_is_back() {
    let Some(program) = mosquitto() else { return };
    let (site, driver, mut broker) = started("away", program, "");
    until_kept(&site, &broker, "qxups/home/availability online");
    broker.publish(&["-r", "-t", "qxups/home/gone/ups/status", "-m", "OL"]);
    broker.publish(&["-r", "-t", "qxups/other/rack/ups/status", "-m", "OL"]);
    broker.stop();
    driver.say("SETINFO ups.status \"OB LB\"\nDELINFO input.voltage\n");
    site.until_answer("GET VAR rack ups.status", "VAR rack ups.status \"OB LB\"");
    site.until("the log says it", || site.log().contains("trying again"));
    // it comes back with all that it kept: the old status, the voltage, and a UPS that there is no more
    broker.again();
    until_kept(&site, &broker, "qxups/home/rack/ups/status OB LB");
    until_kept(&site, &broker, "qxups/home/availability online");
    let kept = broker.kept("qxups/#");
    assert!(!kept.iter().any(|line| line.contains("voltage") || line.contains("gone")), "{kept:?}");
    // what is none of ours stays
    assert!(kept.contains(&"qxups/other/rack/ups/status OL".into()), "{kept:?}");
    // and with nothing
    broker.kill();
    std::fs::remove_file(broker.folder.join("mosquitto.db")).unwrap();
    broker.again();
    until_kept(&site, &broker, "qxups/home/availability online");
    assert!(broker.kept("qxups/#").contains(&"qxups/home/rack/battery/charge 97".into()));
}

#[test]
fn a_server_that_is_killed_is_offline_and_what_it_left_is_put_right() {
    let Some(program) = mosquitto() else { return };
    let (mut site, driver, broker) = started("killed", program, "discovery = \"homeassistant\"\n");
    until_kept(&site, &broker, "qxups/home/availability online");
    let listener = broker.listen();
    site.kill();
    listener.until_last("qxups/home/availability", "offline");
    // it comes back with another UPS in its place
    drop(driver);
    site.write("ups.conf", "[attic]\ndriver = usbhid-ups\n");
    let _driver = FakeDriver::start(&site, "usbhid-ups-attic", DUMP);
    let seen = listener.lines().len();
    site.start();
    listener.until_last("qxups/home/availability", "online");
    listener.until_last("qxups/home/attic/ups/status", "OL");
    let kept = broker.kept("#");
    assert!(!kept.iter().any(|line| line.contains("rack")), "{kept:?}");
    // nothing was said to be there before all of it was
    let lines = listener.lines()[seen..].to_vec();
    let online = lines.iter().position(|line| line == "01 qxups/home/availability online").unwrap();
    let last = lines.iter().rposition(|line| line.contains("rack")).unwrap();
    assert!(last < online, "{lines:#?}");
}

#[test]
fn orders_are_followed_only_where_they_are_allowed_and_never_twice() {
    let Some(program) = mosquitto() else { return };
    let allowed = "commands = [\"beeper.toggle\", \"other:load.off\"]\n";
    let (site, driver, broker) = started("orders", program, allowed);
    let (topic, outcome) = ("qxups/home/rack/command", "qxups/home/rack/outcome");
    let listener = broker.listen();
    let order = |payload: &str| broker.publish(&["-t", topic, "-m", payload]);
    let until = |word: &str, times: usize| {
        let of = format!(" {outcome} {{\"command\":");
        let is_it = |line: &&String| line.contains(&of) && line.contains(&format!("\"outcome\":\"{word}\""));
        listener.until(word, |lines| lines.iter().filter(is_it).count() == times);
    };
    order("load.off");
    order("test.battery.start");
    order("shutdown.return 1");
    order("{}");
    until("refused", 4);
    assert!(driver.orders().is_empty(), "{:?}", driver.orders());
    order("beeper.toggle");
    until("done", 1);
    let given = driver.orders();
    assert_eq!(given.len(), 1, "{given:?}");
    assert!(given[0].starts_with("INSTCMD \"beeper.toggle\" "), "{given:?}");
    let log = site.log();
    assert!(log.contains("asks UPS rack for beeper.toggle"), "{log}");
    assert!(log.contains("rack: beeper.toggle: done"), "{log}");
    // a driver that refuses is not said to have done it
    driver.answer_orders(Some(2));
    order("beeper.toggle");
    until("failed", 1);
    // an order that is kept is none at the next start, and is taken off
    driver.answer_orders(Some(0));
    let mut site = site;
    site.kill();
    broker.publish(&["-r", "-t", topic, "-m", "beeper.toggle"]);
    site.start();
    until_kept(&site, &broker, "qxups/home/availability online");
    assert!(broker.kept(topic).is_empty());
    assert_eq!(driver.orders().len(), 2, "{:?}", driver.orders());
    // by default there is none at all
    configure(&site, &broker, "");
    serve::program::reload(Some(&site.state())).unwrap();
    site.until("it is read", || site.log().contains("mqtt: changed"));
    until_kept(&site, &broker, "qxups/home/availability online");
    order("beeper.toggle");
    until_kept(&site, &broker, "qxups/home/rack/ups/status OL");
    assert_eq!(driver.orders().len(), 2);
}

/// What nothing was seen of is neither done nor failed.
#[test]
fn an_order_whose_driver_goes_is_not_confirmed() {
    let Some(program) = mosquitto() else { return };
    let (site, driver, broker) = started("unseen", program, "commands = [\"beeper.toggle\"]\n");
    let listener = broker.listen();
    driver.answer_orders(None);
    broker.publish(&["-t", "qxups/home/rack/command", "-m", "beeper.toggle"]);
    site.until("it is ordered", || driver.orders().len() == 1);
    drop(driver);
    let is_it = |line: &String| line.contains("/outcome ") && line.contains("\"outcome\":\"not confirmed\"");
    listener.until("its outcome", |lines| lines.iter().any(is_it));
    assert!(
        site.log().contains("beeper.toggle: not confirmed: the connection to the driver was lost"),
        "{}",
        site.log()
    );
}

/// What another client says of this server's availability is put right, as a last will that comes late would have to be.
#[test]
fn a_server_that_is_there_is_not_said_to_be_gone_for_long() {
    let Some(program) = mosquitto() else { return };
    for version in ["3.1.1", "5"] {
        let (site, _driver, broker) =
            started(&format!("will{version}"), program.clone(), &format!("version = \"{version}\"\n"));
        until_kept(&site, &broker, "qxups/home/availability online");
        broker.publish(&["-r", "-t", "qxups/home/availability", "-m", "offline"]);
        until_kept(&site, &broker, "qxups/home/availability online");
    }
}

#[test]
fn tls_and_password_are_checked_on_both_sides() {
    let Some(program) = mosquitto() else { return };
    let mut site = Site::new("mqtt-tls", CONF, "");
    let identity = |name: &str| {
        let pem = tls::TlsIdentity::make(&["localhost".to_string()]).unwrap();
        site.write(name, &pem);
        site.folder.join(name).display().to_string()
    };
    let (ours, other) = (identity("broker.pem"), identity("other.pem"));
    let passwords = site.folder.join("passwords").display().to_string();
    let made = Command::new("mosquitto_passwd")
        .args(["-b", "-c", &passwords, "ups", "right words"])
        .output()
        .unwrap();
    assert!(made.status.success());
    let more = format!(
        "cafile {ours}\ncertfile {ours}\nkeyfile {ours}\nallow_anonymous false\npassword_file {passwords}\n"
    );
    let mut broker = Broker::start(program, &site.folder, &more);
    broker.client =
        ["--cafile", &ours, "--insecure", "-u", "ups", "-P", "right words"].map(String::from).into();
    let toml = |ca: &str, user: &str| {
        let port = broker.port;
        format!("[mqtt]\nserver = \"localhost:{port}\"\nsite = \"home\"\nca = \"{ca}\"\n{user}")
    };
    let _driver = FakeDriver::start(&site, SOCKET, DUMP);
    site.write("secret", "wrong words\n");
    site.write("qxups.toml", &toml(&ours, "user = \"ups\"\npassword_file = \"secret\"\n"));
    site.start();
    site.until("a wrong password is said", || site.log().contains("it refuses the connection: "));
    // the file is read anew for each connection
    site.write("secret", "right words\n");
    until_settled(&site);
    until_kept(&site, &broker, "qxups/home/rack/ups/status OL");
    // a certificate of others
    site.write("qxups.toml", &toml(&other, "user = \"ups\"\npassword = \"right words\"\nversion = \"5\"\n"));
    serve::program::reload(Some(&site.state())).unwrap();
    site.until("it is refused", || site.log().to_lowercase().contains("certificate"));
    // one of ours, of another host
    let elsewhere =
        toml(&ours, "user = \"ups\"\npassword = \"right words\"\n").replace("localhost", "127.0.0.1");
    site.write("qxups.toml", &elsewhere);
    serve::program::reload(Some(&site.state())).unwrap();
    let said = format!("MQTT broker 127.0.0.1:{}: ", broker.port);
    site.until("another host is refused", || {
        let log = site.log().to_lowercase();
        log.lines().any(|line| line.contains(&said.to_lowercase()) && line.contains("certificate"))
    });
    site.write("qxups.toml", &toml(&ours, "user = \"ups\"\npassword = \"right words\"\nversion = \"5\"\n"));
    serve::program::reload(Some(&site.state())).unwrap();
    until_kept(&site, &broker, "qxups/home/availability online");
    assert!(
        site.log().contains("qxups.toml: every user of this machine can read the passwords"),
        "{}",
        site.log()
    );
    assert!(!site.log().contains("words\"") && !site.log().contains("right words"), "{}", site.log());
}

#[test]
fn home_assistant_hears_of_each_ups_and_again_when_it_begins_anew() {
    let Some(program) = mosquitto() else { return };
    let more = "discovery = \"homeassistant\"\ncommands = [\"beeper.toggle\", \"load.off.delay\"]\n";
    let (site, driver, broker) = started("discovery", program, more);
    let topic = "homeassistant/device/qxups_home_rack/config";
    let message = || -> serde_json::Value {
        let kept = broker.kept(topic);
        let payload =
            kept.first().and_then(|line| line.split_once(' ')).map(|(_, payload)| payload.to_string());
        serde_json::from_str(&payload.unwrap_or("null".into())).unwrap()
    };
    site.until("it is described", || message()["components"]["battery_charge"].is_object());
    let said = message();
    assert_eq!(said["device"]["name"], "The rack");
    assert_eq!(said["device"]["manufacturer"], "Maker");
    // zeros are no serial number
    assert!(said["device"].get("serial_number").is_none(), "{said}");
    let parts = said["components"].as_object().unwrap();
    let buttons: Vec<_> =
        parts.iter().filter(|(_, part)| part["platform"] == "button").map(|(key, _)| key).collect();
    assert_eq!(buttons, ["command_beeper_toggle"]);
    // a new variable is described as well, and one that is withdrawn stays
    driver.say("SETINFO battery.runtime 600\nDELINFO input.voltage\n");
    site.until("so is a new variable", || message()["components"]["battery_runtime"].is_object());
    assert!(message()["components"]["input_voltage"].is_object());
    let listener = broker.listen();
    let count = || listener.lines().iter().filter(|line| line.starts_with(&format!("01 {topic} "))).count();
    assert_eq!(count(), 0);
    broker.publish(&["-t", "homeassistant/status", "-m", "online"]);
    site.until("it is described again", || count() == 1);
    listener.until("its state as well", |lines| {
        lines.iter().any(|line| line.contains("01 qxups/home/rack/ups/status OL"))
    });
    site.write("ups.conf", "[other]\ndriver = usbhid-ups\n");
    serve::program::reload(Some(&site.state())).unwrap();
    site.until("a UPS that is gone is taken off", || broker.kept(topic).is_empty());
    // and so are all when that is turned off
    site.write("ups.conf", CONF);
    serve::program::reload(Some(&site.state())).unwrap();
    site.until("it is back", || !broker.kept(topic).is_empty());
    configure(&site, &broker, "");
    serve::program::reload(Some(&site.state())).unwrap();
    site.until("it is taken off again", || broker.kept(topic).is_empty());
}

/// What a broker does that is none.
type Misdeed = fn(TcpStream);

fn welcome(stream: &mut TcpStream) -> std::io::Result<usize> {
    let mut greeting = [0; 512];
    let read = stream.read(&mut greeting)?;
    stream.write_all(&[0x20, 2, 0, 0]).map(|()| read)
}

const MISDEEDS: [(&str, Misdeed, &str); 7] =
    [
        (
            "garbage",
            |mut stream| {
                drop((0..).try_for_each(|round: u64| {
                    stream.write_all(&round.wrapping_mul(0x9e37_79b9).to_be_bytes())
                }))
            },
            "no MQTT",
        ),
        (
            "silence",
            |stream| {
                std::thread::sleep(Duration::from_secs(60));
                drop(stream);
            },
            "does not answer for 10 s",
        ),
        (
            "hangs",
            |mut stream| {
                let _ = welcome(&mut stream);
                std::thread::sleep(Duration::from_secs(60));
                drop(stream)
            },
            "does not answer for 10 s",
        ),
        (
            "huge",
            |mut stream| {
                let _ = welcome(&mut stream);
                // a message of 268435455 bytes
                let _ = stream.write_all(&[0x30, 0xff, 0xff, 0xff, 0x7f]);
                let piece = [0; 65_536];
                while stream.write_all(&piece).is_ok() {}
            },
            "",
        ),
        (
            "long",
            |mut stream| {
                let _ = welcome(&mut stream);
                let _ = stream.write_all(&[0x90, 0xff, 0xff, 0xff, 0x7f]);
            },
            "more than any such packet has",
        ),
        (
            "slow",
            |mut stream| {
                for byte in [0x20, 2, 0, 0, 0x30, 0x20].into_iter().cycle() {
                    if stream.write_all(&[byte]).is_err() {
                        return;
                    }
                    std::thread::sleep(Duration::from_millis(50));
                }
            },
            "",
        ),
        (
            "flood",
            |mut stream| {
                let _ = welcome(&mut stream);
                // orders that want an acknowledgement, without end, and none is ever read
                let topic = b"qxups/home/rack/command";
                let body = [&[0, topic.len() as u8][..], topic, &[0, 1], b"load.off"].concat();
                let packet = [&[0x32, body.len() as u8][..], &body].concat();
                while stream.write_all(&packet).is_ok() {}
            },
            "",
        ),
    ];

fn resident_kb(site: &Site) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", site.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Whatever a broker does, clients are answered, UPSes are polled, memory is bounded, and nothing is ordered.
#[test]
fn a_broker_that_does_anything_costs_nothing_else() {
    let sites: Vec<_> = MISDEEDS.map(|(name, misdeed, said)| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                std::thread::spawn(move || misdeed(stream));
            }
        });
        let mut site = Site::new(&format!("mqtt-{name}"), CONF, "");
        site.write("qxups.toml", &format!("[mqtt]\nserver = \"127.0.0.1:{port}\"\nsite = \"home\"\nkeep_alive = 5\ncommands = [\"beeper.toggle\"]\n[history]\nenabled = true\n"));
        let driver = FakeDriver::start(&site, SOCKET, DUMP);
        site.start();
        (name, site, driver, said)
    }).into();
    let began = Instant::now();
    let mut round = 0;
    while began.elapsed() < Duration::from_secs(4) {
        round += 1;
        for (name, site, driver, _) in &sites {
            driver.say(&format!("SETINFO battery.charge {round}\n"));
            let asked = Instant::now();
            site.until_answer("GET VAR rack battery.charge", &format!("VAR rack battery.charge \"{round}\""));
            // machines that run much else are slow, but no broker is waited for
            assert!(asked.elapsed() < Duration::from_secs(5), "{name}: {:?}", asked.elapsed());
        }
    }
    for (name, site, driver, said) in sites {
        site.until(&format!("{name}: {said}"), || said.is_empty() || site.log().contains(said));
        assert!(driver.orders().is_empty(), "{name}: {:?}", driver.orders());
        let resident = resident_kb(&site);
        assert!(resident < 60_000, "{name}: {resident} kB");
        assert!(site.log().lines().count() < 40, "{name}: {}", site.log());
    }
}

/// From the driver's word to a client of the broker; docs/mqtt.md has the figures. Run by hand, on a quiet machine.
#[test]
#[ignore = "measures"]
fn how_long_a_status_takes() {
    let program = mosquitto().unwrap();
    let (_site, driver, broker) = started("measured", program, "");
    let listener = broker.listen();
    listener.until_last("qxups/home/rack/ups/status", "OL");
    let mut took: Vec<f64> = (0..400)
        .map(|round| {
            let words = format!("OB {round}");
            let seen = listener.lines().len();
            let said = Instant::now();
            driver.say(&format!("SETINFO ups.status \"{words}\"\n"));
            let line = format!("01 qxups/home/rack/ups/status {words}");
            listener.until_last("qxups/home/rack/ups/status", &words);
            (listener.when(seen, &line).unwrap() - said).as_secs_f64() * 1000.0
        })
        .collect();
    took.sort_by(f64::total_cmp);
    println!("p50 {:.1} ms, p99 {:.1} ms, most {:.1} ms", took[200], took[396], took[399]);
}

#[test]
fn nats_server_is_a_broker_as_well() {
    let Some(program) = judge("nats-server", program("nats-server")) else { return };
    let mut site = Site::new("mqtt-nats", CONF, "");
    let broker = Broker::start_nats(program, &site.folder);
    configure(&site, &broker, "commands = [\"beeper.toggle\"]\n");
    let driver = FakeDriver::start(&site, SOCKET, DUMP);
    site.start();
    until_settled(&site);
    let listener = broker.listen();
    listener.until_last("qxups/home/availability", "online");
    listener.until_last("qxups/home/rack/ups/status", "OL");
    driver.say("SETINFO ups.status OB\nDELINFO battery.charge\n");
    listener.until_last("qxups/home/rack/ups/status", "OB");
    listener.until_last("qxups/home/rack/battery/charge", "");
    broker.publish(&["-t", "qxups/home/rack/command", "-m", "beeper.toggle"]);
    listener.until_last("qxups/home/rack/outcome", "{\"command\":\"beeper.toggle\",\"outcome\":\"done\"}");
    site.kill();
    listener.until_last("qxups/home/availability", "offline");
    drop(driver);
    let _driver = FakeDriver::start(&site, SOCKET, DUMP);
    site.start();
    listener.until_last("qxups/home/availability", "online");
    listener.until_last("qxups/home/rack/battery/charge", "97");
    listener.until_last("qxups/home/rack/ups/status", "OL");
}

const NOTICES: &str =
    "[outputs.broker]\nkind = \"mqtt\"\n[[notify]]\nwhen = \"on battery\"\nto = [\"broker\"]\n";

/// Payloads of the topic of notices, as a client of the broker hears them.
fn notices(listener: &broker::Listener) -> Vec<String> {
    let of = |line: &String| line.strip_prefix("01 qxups/home/notice ").map(String::from);
    listener.lines().iter().filter_map(of).collect()
}

/// By both versions: a notice comes once, with QoS 1, and is not kept; what happens while the broker is away comes when it is
/// back, also to a server that was killed meanwhile.
#[test]
fn notices_are_published_and_wait_for_a_broker_that_is_away() {
    let Some(program) = mosquitto() else { return };
    for version in ["3.1.1", "5"] {
        let more = format!("version = \"{version}\"\n{NOTICES}");
        let (mut site, driver, mut broker) = started(&format!("notices{version}"), program.clone(), &more);
        let listener = broker.listen();
        driver.say("SETINFO ups.status \"OB DISCHRG\"\n");
        listener.until("the notice", |_| notices(&listener).len() == 1);
        let first = notices(&listener).remove(0);
        for part in ["\"ups\":\"rack\"", "\"kind\":\"began\"", "\"type\":\"ONBATT\"", "\"repetition\":\"no\""]
        {
            assert!(first.contains(part), "{part}: {first}");
        }
        assert!(broker.kept("qxups/home/notice").is_empty());
        broker.stop();
        driver.say("SETINFO ups.status \"OL\"\n");
        site.until("it waits", || serve::program::timers(Some(&site.state())).unwrap().contains("1 waiting"));
        site.kill();
        broker.again();
        let listener = broker.listen();
        site.start();
        listener.until("the end of it", |_| {
            notices(&listener).iter().any(|text| text.contains("\"type\":\"ONLINE\""))
        });
        site.until("nothing waits", || {
            serve::program::timers(Some(&site.state())).unwrap().contains("nothing waits")
        });
        let all = notices(&listener);
        assert_eq!(all.len(), 1, "{all:?}");
    }
}

/// The centre of a fleet as packaging/fleet ships it: what a site says to one node is read at another, for who comes later as
/// well, nobody writes for another site, and a node that is killed takes nothing along.
#[test]
fn three_nodes_of_nats_server_are_the_centre_of_a_fleet() {
    let Some(program) = judge("nats-server", program("nats-server")) else { return };
    let mut site = Site::new("mqtt-fleet", CONF, "");
    let mut nodes = Broker::start_fleet(&program, &site.folder);
    let port = nodes[0].port;
    let login = "user = \"berlin\"\npassword = \"change-me-1\"\n";
    site.write("qxups.toml", &format!("[mqtt]\nserver = \"127.0.0.1:{port}\"\nsite = \"berlin\"\n{login}"));
    let driver = FakeDriver::start(&site, SOCKET, DUMP);
    site.start();
    until_settled(&site);
    // it comes later, so what it hears is what was kept
    let listener = nodes[2].listen();
    listener.until_last("qxups/berlin/rack/ups/status", "OL");
    listener.until_last("qxups/berlin/availability", "online");
    let is_kept = |line: &String| line.starts_with('1') && line.ends_with(" qxups/berlin/rack/ups/status OL");
    assert!(listener.lines().iter().any(is_kept), "{:?}", listener.lines());
    // one site says nothing in the name of another, and who looks on orders nothing
    for (user, password, topic) in [
        ("berlin", "change-me-1", "qxups/paris/rack/ups/status"),
        ("desk", "change-me-3", "qxups/berlin/rack/command"),
    ] {
        nodes[1].client = ["-u", user, "-P", password].map(String::from).to_vec();
        nodes[1].publish(&["-r", "-t", topic, "-m", "forged"]);
    }
    driver.say("SETINFO ups.status \"OB DISCHRG\"\n");
    listener.until_last("qxups/berlin/rack/ups/status", "OB DISCHRG");
    nodes[1].kill();
    driver.say("SETINFO ups.status \"OB DISCHRG LB\"\n");
    listener.until_last("qxups/berlin/rack/ups/status", "OB DISCHRG LB");
    let lines = listener.lines();
    assert!(!lines.iter().any(|line| line.contains("forged")), "{lines:?}");
    site.kill();
    listener.until_last("qxups/berlin/availability", "offline");
}
