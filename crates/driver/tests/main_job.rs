//! The main job with NUT's own programs: upsdrvctl, upsd, upsc, upscmd, upsmon on our driver; and
//! what happens when parts of it fail.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use testbed::nut;
use testbed::nut::{NutStation, Which};
use testbed::ups::SimUps;

/// A UPS, and a station with our driver and upsd on it.
fn running(name: &str, options: &str) -> (SimUps, NutStation) {
    let ups = SimUps::start(name, Which::Ours, "megatec", &[]);
    let mut station = NutStation::new(name, Which::Ours);
    station.configure(&ups.port, options);
    station.start_driver();
    station.start_upsd();
    (ups, station)
}

#[test]
fn upsdrvctl_starts_and_stops() {
    let ups = SimUps::start("ctl", Which::Ours, "megatec", &[]);
    let station = NutStation::new("ctl", Which::Ours);
    station.configure(&ups.port, "");
    let said = station.run("upsdrvctl", &["start"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let socket = station.run_folder().join("nutdrv_qx-u").metadata().unwrap();
    assert!(socket.file_type().is_socket());
    assert_eq!(socket.permissions().mode() & 0o777, 0o660);
    let nut = nix::unistd::Group::from_name("nut").unwrap().unwrap();
    assert_eq!(socket.gid(), nut.gid.as_raw(), "upsd runs as nut and must be let in");
    let first = station.pid().unwrap();
    assert!(nut::lives(first));

    // a second start takes the place of the first
    assert_eq!(station.run("upsdrvctl", &["start"]).code, Some(0));
    let second = station.pid().unwrap();
    assert_ne!(first, second);
    assert!(!nut::lives(first));

    assert_eq!(station.run("upsdrvctl", &["stop"]).code, Some(0));
    station.wait_for("the driver to leave", || !nut::lives(second));
    assert_eq!(std::fs::read_dir(station.run_folder()).unwrap().count(), 0, "socket and PID file are gone");
}

#[test]
fn upsdrvctl_shutdown_switches_the_load_off() {
    for (options, wire) in
        [("", "S.5R0003"), ("stayoff\nondelay = 0\noffdelay = 120", "S02R0000"), ("ondelay = 0", "S.5")]
    {
        let ups = SimUps::start("off", Which::Ours, "megatec", &[]);
        let station = NutStation::new("off", Which::Ours);
        station.configure(&ups.port, options);
        let said = station.run("upsdrvctl", &["shutdown"]);
        assert_eq!(said.code, Some(0), "{said:?}");
        let commands: Vec<String> =
            ups.heard().into_iter().filter(|line| line == "C" || line.starts_with('S')).collect();
        assert_eq!(commands, ["C", wire], "{options}");
    }
}

#[test]
fn shutdown_that_is_refused_is_said_to_be() {
    let ups = SimUps::start("refused", Which::Ours, "megatec", &["refuse echo"]);
    let station = NutStation::new("refused", Which::Ours);
    station.configure(&ups.port, "");
    let said = station.run_driver(&["-a", "u", "-k"]);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("the load stays on"), "{said:?}");
    assert_eq!(ups.heard().iter().filter(|line| *line == "S.5R0003").count(), 3);
}

#[test]
fn killpower_works_while_the_driver_runs() {
    let (ups, station) = running("kill", "");
    let said = station.run_driver(&["-a", "u", "-k"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(ups.heard().contains(&"S.5R0003".to_string()));
}

#[test]
fn upsmon_sees_an_outage_and_shuts_down() {
    let (ups, mut station) = running("mon", "");
    let done = station.folder.join("shut-down");
    let log = station.folder.join("notified");
    let notify = station.folder.join("notify.sh");
    std::fs::write(&notify, format!("#!/bin/sh\necho \"$NOTIFYTYPE\" >> {}\n", log.display())).unwrap();
    std::fs::set_permissions(&notify, std::fs::Permissions::from_mode(0o755)).unwrap();
    let words = ["ONLINE", "ONBATT", "LOWBATT", "FSD", "SHUTDOWN"];
    let flags: String = words.iter().map(|word| format!("NOTIFYFLAG {word} EXEC\n")).collect();
    station.start_upsmon(&format!(
        "MONITOR {} 1 admin secret primary\nMINSUPPLIES 1\nPOLLFREQ 1\nPOLLFREQALERT 1\nFINALDELAY 1\nHOSTSYNC 2\n\
         RUN_AS_USER root\nPOWERDOWNFLAG {}/killpower\nSHUTDOWNCMD \"touch {}\"\nNOTIFYCMD {}\n{flags}",
        station.ups(),
        station.folder.display(),
        done.display(),
        notify.display(),
    ));
    let notified = || std::fs::read_to_string(&log).unwrap_or_default();
    std::thread::sleep(Duration::from_secs(3));
    ups.turn("mains fail");
    station.wait_for("ONBATT", || notified().contains("ONBATT"));
    ups.turn("mains back");
    station.wait_for("ONLINE", || notified().contains("ONLINE"));
    assert!(!done.exists() && !notified().contains("LOWBATT"), "{}", notified());
    ups.turn("mains fail");
    station.wait_for("ONBATT again", || notified().matches("ONBATT").count() == 2);
    ups.turn("charge 15");
    station.wait_for("the shutdown", || done.exists());
    assert!(notified().contains("LOWBATT"), "{}", notified());
}

#[test]
fn the_port_may_go_and_come_back() {
    let (ups, station) = running("replug", "");
    ups.turn("load 33");
    station.wait_for("the load", || station.upsc_value("ups.load") == "33");
    let pid = station.pid();
    ups.turn("hangup 12");
    station.wait_for("stale data", || station.run("upsc", &[&station.ups()]).err.contains("stale"));
    ups.turn("load 44");
    station.wait_for("fresh data", || station.upsc_value("ups.load") == "44");
    assert_eq!(station.pid(), pid, "the same process goes on");
}

/// A way to a TCP port whose first connection dies unseen once `dead` is set: nothing comes through, and
/// nobody closes it.
fn dying_way(to: String, dead: Arc<AtomicBool>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let copy = |mut from: TcpStream, mut to: TcpStream, dies: Option<Arc<AtomicBool>>| {
        std::thread::spawn(move || {
            let mut bytes = [0; 256];
            while let Ok(read @ 1..) = from.read(&mut bytes) {
                let is_dead = dies.as_ref().is_some_and(|dead| dead.load(Ordering::SeqCst));
                if !is_dead && to.write_all(&bytes[..read]).is_err() {
                    break;
                }
            }
            let _ = to.shutdown(std::net::Shutdown::Both);
        });
    };
    std::thread::spawn(move || {
        for (number, client) in listener.incoming().enumerate() {
            let (client, ups) = (client.unwrap(), TcpStream::connect(&to).unwrap());
            let dies = (number == 0).then(|| dead.clone());
            copy(client.try_clone().unwrap(), ups.try_clone().unwrap(), dies.clone());
            copy(ups, client, dies);
        }
    });
    port
}

#[test]
fn a_connection_that_died_unseen_is_made_anew() {
    let ups = SimUps::start_tcp("dead-tcp", Which::Ours, "megatec", &[]);
    let dead = Arc::new(AtomicBool::new(false));
    let to = ups.port.to_str().unwrap().strip_prefix("tcp://").unwrap().to_string();
    let port = format!("tcp://127.0.0.1:{}", dying_way(to, dead.clone()));
    let mut station = NutStation::new("dead-tcp", Which::Ours);
    station.configure(Path::new(&port), "");
    station.start_driver();
    station.start_upsd();
    station.wait_status("OL");
    dead.store(true, Ordering::SeqCst);
    ups.turn("mains fail");
    station.wait_status("OB");
}

#[test]
fn a_line_that_breaks_again_and_again_is_watched_all_the_same() {
    let (ups, station) = running("breaks", "");
    let pid = station.pid().unwrap();
    let descriptors = || std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count();
    let before = descriptors();
    ups.turn("break 0.3");
    std::thread::sleep(Duration::from_secs(20));
    ups.turn("mains fail");
    station.wait_status("OB");
    ups.turn("break 0");
    ups.turn("mains back");
    station.wait_status("OL");
    assert_eq!(station.pid(), Some(pid));
    assert!(descriptors() <= before + 1, "{before} descriptors, then {}", descriptors());
}

#[test]
fn silence_is_stale_and_commands_fail_meanwhile() {
    let (ups, station) = running("silent", "");
    ups.turn("silent on");
    station.wait_for("stale data", || station.run("upsc", &[&station.ups()]).err.contains("stale"));
    let mut socket = station.socket();
    ups.forget();
    socket.send("INSTCMD load.off TRACKING x1\n");
    let lines = socket.lines_until("TRACKING");
    assert_eq!(lines.last().unwrap(), "TRACKING x1 3");
    // NUT's network server still gets its PONG at once, however long the UPS makes us wait
    let asked = Instant::now();
    socket.send("PING\n");
    socket.lines_until("PONG");
    assert!(asked.elapsed() < Duration::from_millis(900), "an exchange takes a second here");
    assert!(!ups.heard().iter().any(|line| line.starts_with('S')));
    ups.turn("silent off");
    socket.lines_until("DATAOK");
}

#[test]
fn an_outage_on_a_noisy_line_is_seen_and_none_invented() {
    let (ups, station) = running("noise", "");
    let mut socket = station.socket();
    socket.send("DUMPALL\n");
    socket.lines_until("DUMPDONE");
    ups.turn("garble 0.2");
    ups.turn("lose 0.05");
    let quiet_until = Instant::now() + Duration::from_secs(15);
    while Instant::now() < quiet_until {
        socket.send("PING\n");
        for line in socket.lines_until("PONG") {
            assert!(
                !line.starts_with("SETINFO ups.status") && !line.starts_with("SETINFO ups.alarm"),
                "invented: {line}"
            );
        }
        std::thread::sleep(Duration::from_millis(300));
    }
    ups.turn("mains fail");
    let seen = socket.lines_until("SETINFO ups.status");
    assert_eq!(seen.last().unwrap(), "SETINFO ups.status \"OB\"");
}

#[test]
fn a_killed_driver_starts_again() {
    let (_ups, station) = running("killed", "");
    let pid = station.pid().unwrap();
    assert!(Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success());
    station.wait_for("its death", || !nut::lives(pid));
    assert!(station.run_folder().join("nutdrv_qx-u").exists(), "the socket is left behind");
    station.start_driver();
    station.wait_status("OL");
}

#[test]
fn a_serial_device_server_is_as_good_as_a_port() {
    let ups = SimUps::start_tcp("tcp", Which::Ours, "zinto", &[]);
    let mut station = NutStation::new("tcp", Which::Ours);
    station.configure(&ups.port, "");
    station.start_driver();
    station.start_upsd();
    assert_eq!(station.upsc_value("driver.version.data"), "zinto");
    ups.turn("mains fail");
    station.wait_status("OB");
    ups.turn("hangup 1");
    std::thread::sleep(Duration::from_secs(2));
    ups.turn("mains back");
    station.wait_status("OL");
}

#[test]
fn the_driver_may_run_as_nut() {
    let ups = SimUps::start("user", Which::Ours, "megatec", &[]);
    let station = NutStation::new("user", Which::Ours);
    let nut = nix::unistd::User::from_name("nut").unwrap().expect("Debian's user nut");
    for path in [&station.folder, &station.run_folder(), &std::fs::canonicalize(&ups.port).unwrap()] {
        nix::unistd::chown(path, Some(nut.uid), Some(nut.gid)).unwrap();
    }
    let text = format!("[u]\ndriver = nutdrv_qx\nport = {}\n", ups.port.display());
    station.write("ups.conf", &text);
    let said = station.run_driver(&["-a", "u"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let process = Path::new("/proc").join(station.pid().unwrap().to_string()).metadata().unwrap();
    assert_eq!(process.uid(), nut.uid.as_raw());
    assert_eq!(station.run_folder().join("nutdrv_qx-u").metadata().unwrap().uid(), nut.uid.as_raw());
}

#[test]
fn the_socket_answers_as_upsd_expects() {
    let (ups, station) = running("socket", "");
    let mut socket = station.socket();
    socket.send("PING\n");
    assert_eq!(socket.line(), "PONG");
    socket.send("DUMPALL\n");
    let dump = socket.lines_until("DUMPDONE");
    let range = dump.iter().position(|line| line == "ADDRANGE ups.delay.shutdown 12 600").unwrap();
    assert_eq!(dump[range - 1], "SETINFO ups.delay.shutdown \"30\"");
    assert_eq!(dump[range + 1], "SETFLAGS ups.delay.shutdown RW NUMBER");
    assert_eq!(dump[dump.len() - 2], "DATAOK");
    assert!(dump.contains(&"ADDCMD shutdown.return".to_string()));

    socket.send("DUMPVALUE ups.status\n");
    assert_eq!(socket.lines_until("DUMPDONE")[0], "SETINFO ups.status \"OL\"");
    socket.send("GETPID\n");
    assert_eq!(socket.line(), format!("PID {}", station.pid().unwrap()));

    for (line, code) in [
        ("INSTCMD beeper.toggle TRACKING a-1", "0"),
        ("INSTCMD nope TRACKING a-1", "1"),
        ("INSTCMD test.battery.start 5 TRACKING a-1", "2"),
        ("SET ups.delay.start 60 TRACKING a-1", "0"),
        ("SET ups.delay.start 1x TRACKING a-1", "2"),
        ("SET input.voltage 1 TRACKING a-1", "1"),
        ("SET battery.packs 1 TRACKING a-1", "1"),
        ("set \"ups.delay.start\" \"120\" tracking \"a-1\"", "0"),
    ] {
        socket.send(&format!("{line}\n"));
        let answer = socket.lines_until("TRACKING");
        assert_eq!(answer.last().unwrap(), &format!("TRACKING a-1 {code}"), "{line}");
    }
    // a client that wants no broadcasts gets none, the others do
    let mut other = station.socket();
    socket.send("NOBROADCAST\n");
    socket.send("PING\n");
    socket.lines_until("PONG");
    ups.turn("load 77");
    assert!(other.lines_until("SETINFO ups.load").last().unwrap().contains("77"));
    socket.send("PING\n");
    assert_eq!(socket.line(), "PONG");
    socket.send("LOGOUT\n");
    assert_eq!(socket.line(), "OK Goodbye");
    assert_eq!(socket.rest(), "", "the driver closes after LOGOUT");
}

#[test]
fn hostile_clients_hurt_nobody() {
    let (_ups, station) = running("hostile", "");
    let pid = station.pid().unwrap();
    let ticks = || -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        stat.rsplit(')')
            .next()
            .unwrap()
            .split_whitespace()
            .skip(11)
            .take(2)
            .map(|n| n.parse::<u64>().unwrap())
            .sum()
    };
    // one that closes cleanly: NUT 2.8.0 spins from then on
    drop(station.socket());
    let before = ticks();
    std::thread::sleep(Duration::from_secs(3));
    assert!(ticks() - before < 30, "{} ticks in three seconds", ticks() - before);
    // one that sends rubbish without an end
    let mut rubbish = station.socket();
    rubbish.send(&"x\"#\\".repeat(3000));
    rubbish.send("\nPING\n");
    assert_eq!(rubbish.lines_until("PONG").last().unwrap(), "PONG");
    // one that asks and never reads is dropped, and nobody waits for it
    let mut deaf = station.socket();
    deaf.send(&"DUMPALL\n".repeat(2000));
    let mut good = station.socket();
    let asked = Instant::now();
    good.send("PING\n");
    good.lines_until("PONG");
    assert!(asked.elapsed() < Duration::from_secs(2));
    std::thread::sleep(Duration::from_secs(1));
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kilobytes: u64 = resident.trim().trim_end_matches(" kB").trim().parse().unwrap();
    assert!(kilobytes < 16_000, "{kilobytes} kB");
    assert_eq!(station.upsc_value("ups.status"), "OL");
}

#[test]
fn what_is_wrong_is_said_in_one_sentence() {
    let ups = SimUps::start("wrong", Which::Ours, "megatec", &[]);
    let station = NutStation::new("wrong", Which::Ours);
    let file = station.folder.join("file");
    std::fs::write(&file, "").unwrap();
    let port = ups.port.display().to_string();
    for (options, sentence) in [
        (format!("port = {port}\nnovender"), "did you mean novendor?"),
        (format!("port = {port}\nprotocol = megatek"), "did you mean megatec?"),
        (format!("port = {port}\nprotocol = megatec\noffdelay = 5"), "from 12 to 600"),
        (format!("port = {port}\nondelay = x"), "from 0 to 599940"),
        (format!("port = {port}\npollinterval = 0"), "1 or more"),
        (format!("port = {port}\ncablepower = some"), "normal, reverse, both or none"),
        (format!("port = {port}\nruntimecal = 1,2,3"), "240,100,720,50"),
        (format!("port = {port}\nignorelb"), "default.battery.charge.low"),
        (format!("port = {port}\nvendorid = 0665"), "no UPS found on USB"),
        ("port = auto".into(), "no UPS found on USB"),
        ("port = /dev/no-such-port".into(), "check the name and the cable"),
        (format!("port = {}", file.display()), "is not a serial port"),
        ("port = tcp://127.0.0.1:1".into(), "device server is running"),
        ("desc = x".into(), "name the port"),
        (format!("port = {port}\nx = \"y"), "not closed"),
        (format!("port = {port}\nuser = no-such-user"), "no user 'no-such-user'"),
    ] {
        let user = if options.contains("user =") { "" } else { "user = root\n" };
        station.write("ups.conf", &format!("{user}[u]\ndriver = nutdrv_qx\n{options}\n"));
        let said = station.run_driver(&["-a", "u"]);
        assert_eq!(said.code, Some(1), "{options}: {said:?}");
        assert!(said.err.contains(sentence), "{options}: {}", said.err);
        assert_eq!(
            said.err.lines().filter(|line| line.starts_with("nutdrv_qx:")).count(),
            1,
            "{options}: {}",
            said.err
        );
    }
    // what is wrong elsewhere, or would be passed over by NUT, does not keep this UPS from starting
    station.write(
        "ups.conf",
        &format!("user = root\n[u]\ndriver = nutdrv_qx\nport = {port}\ndesc my ups\n[w]\nport /dev/x\nx = \"y # z\"\n"),
    );
    let said = station.run_driver(&["-a", "u", "-d", "1"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.err.contains("'desc my ups' is neither") && !said.err.contains("port /dev/x"), "{said:?}");
    station.write("ups.conf", "[v]\ndriver = blazer_ser\n");
    assert!(station.run_driver(&["-a", "u"]).err.contains("it has v"));
    assert!(station.run_driver(&["-a", "v"]).err.contains("is for driver blazer_ser"));
    assert!(station.run_driver(&[]).err.contains("name the UPS"));
    assert!(station.run_driver(&["-z"]).err.contains("unknown option -z"));
}

#[test]
fn a_busy_port_is_refused_unless_told_otherwise() {
    let (ups, station) = running("busy", "");
    let other = NutStation::new("busy-other", Which::Ours);
    other.configure(&ups.port, "");
    let said = other.run_driver(&["-a", "u"]);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("in use by another program"), "{said:?}");
    // NUT's own driver respects our lock, and we its
    let nut = NutStation::new("busy-nut", Which::Nut);
    nut.configure(&ups.port, "protocol = megatec");
    assert_eq!(nut.run_driver(&["-a", "u"]).code, Some(1));
    drop(station);
    std::thread::sleep(Duration::from_millis(300));
    nut.start_driver();
    let said = other.run_driver(&["-a", "u"]);
    assert!(said.err.contains("in use by another program"), "{said:?}");
}

#[test]
fn a_missing_ups_is_tried_again_by_upsdrvctl() {
    let ups = SimUps::start("missing", Which::Ours, "megatec", &["silent on"]);
    let station = NutStation::new("missing", Which::Ours);
    let driver = station.which.folder();
    station.write(
        "ups.conf",
        &format!(
            "maxretry = 3\nretrydelay = 1\ndriverpath = {}\nuser = root\n[u]\ndriver = nutdrv_qx\nport = {}\n",
            driver.display(),
            ups.port.display()
        ),
    );
    let began = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_secs(7));
            ups.turn("silent off");
        });
        let said = station.run("upsdrvctl", &["start"]);
        assert_eq!(said.code, Some(0), "{said:?}");
        assert!(said.err.contains("does not answer"), "{said:?}");
    });
    assert!(began.elapsed() < Duration::from_secs(40));
}

#[test]
fn orders_reach_a_running_driver() {
    let (_ups, station) = running("orders", "");
    let pid = station.pid().unwrap();
    assert_eq!(station.run_driver(&["-a", "u", "-c", "reload"]).code, Some(0));
    assert_eq!(station.run_driver(&["-a", "u", "-c", "reload-or-exit"]).code, Some(0));
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(station.pid(), Some(pid), "nothing changed, so it stays");
    assert_eq!(station.run_driver(&["-a", "u", "-c", "exit"]).code, Some(0));
    assert_eq!(station.pid(), None);
    assert_eq!(station.run_driver(&["-a", "u", "-c", "exit"]).code, Some(1));
}

#[test]
fn data_can_be_dumped_without_a_daemon() {
    let ups = SimUps::start("dump", Which::Ours, "q1", &["mains fail"]);
    let station = NutStation::new("dump", Which::Ours);
    let port = format!("port={}", ups.port.display());
    let said = station.run_driver(&["-s", "x", "-x", &port, "-u", "root", "-d", "1"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.contains("\nups.status: OB\n"), "{said:?}");
    assert!(said.out.contains("\ndriver.version.data: q1\n"), "{said:?}");
    assert_eq!(std::fs::read_dir(station.run_folder()).unwrap().count(), 0);
}

#[test]
fn awkward_units_are_found_and_read() {
    let awkward: [&[&str]; 9] = [
        &["unknown echo"],
        &["unknown (NAK"],
        &["unknown ERROR 7"],
        &["latency 450"],
        &["baud 2400", "latency 150", "unknown echo"],
        &["echo on"],
        &["echo on", "unknown echo"],
        &["forget F"],
        &["garble 0.05", "lose 0.02"],
    ];
    std::thread::scope(|scope| {
        for (number, knobs) in awkward.into_iter().enumerate() {
            scope.spawn(move || {
                let name = format!("awkward-{number}");
                let knobs = [knobs, &["mains fail", "load 61"]].concat();
                let ups = SimUps::start(&name, Which::Ours, "megatec", &knobs);
                let station = NutStation::new(&name, Which::Ours);
                let port = format!("port={}", ups.port.display());
                let said = station.run_driver(&["-s", "x", "-x", &port, "-u", "root", "-d", "1"]);
                assert_eq!(said.code, Some(0), "{knobs:?}: {said:?}");
                // by this very word a mecer is told, in NUT as well
                let dialect = if knobs[0] == "unknown (NAK" { "mecer" } else { "megatec" };
                for line in [
                    format!("driver.version.data: {dialect}").as_str(),
                    "ups.status: OB",
                    "ups.load: 61",
                    "device.model: SIM-1000",
                ] {
                    assert!(said.out.lines().any(|found| found == line), "{knobs:?}: {line}: {said:?}");
                }
                let is_command = |line: &String| {
                    let commands = qx::protocols::MEGATEC.all_commands();
                    commands.into_iter().any(|command| command.read(line).is_some())
                };
                let polite = !ups.heard().iter().any(is_command);
                assert!(polite, "{knobs:?}: {:?}", ups.heard());
            });
        }
    });
}
