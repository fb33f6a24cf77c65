//! `-k` and its running driver: one that hangs, one that is switching the load off already, the driver of another
//! UPS; and a configuration that was spoilt since the driver started.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use testbed::nut::{NutStation, ProgramOutput, Which, lives};
use testbed::ups::SimUps;

fn orders(ups: &SimUps) -> Vec<String> {
    ups.heard().into_iter().filter(|line| line == "C" || line.starts_with('S')).collect()
}

fn station(name: &str, port: &Path, options: &str) -> NutStation {
    let station = NutStation::new(name, Which::Ours);
    station.configure(port, options);
    station
}

fn send(pid: i32, signal: Signal) {
    kill(Pid::from_raw(pid), signal).unwrap();
}

/// A process that ends with its test.
struct Process(Child);

impl Process {
    fn pid(&self) -> i32 {
        self.0.id() as i32
    }

    /// A driver in the foreground, and the file of its log.
    fn driver(station: &NutStation, arguments: &[&str]) -> Process {
        let log = File::create(station.folder.join("log")).unwrap();
        let mut command = station.command(station.driver(), arguments);
        Process(command.stdout(Stdio::null()).stderr(log).spawn().unwrap())
    }

    fn ends_within(&mut self, time: Duration) -> bool {
        let deadline = Instant::now() + time;
        while self.0.try_wait().unwrap().is_none() {
            if Instant::now() >= deadline {
                return false;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        true
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn log(station: &NutStation) -> String {
    std::fs::read_to_string(station.folder.join("log")).unwrap()
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// A driver that was stopped holds the port, and never leaves.
#[test]
fn a_driver_that_hangs_is_not_waited_for() {
    for (task, words) in [(&["-k"][..], "going on alone"), (&[], "going on alone")] {
        let ups = SimUps::start("hangs", Which::Ours, "megatec", &[]);
        let station = station("hangs", &ups.port, "protocol = megatec");
        station.start_driver();
        let hung = station.pid().unwrap();
        send(hung, Signal::SIGSTOP);
        let began = Instant::now();
        let said = station.run_driver(&[&["-a", "u"], task].concat());
        let took = began.elapsed();
        assert_eq!(said.code, Some(0), "{said:?}");
        assert!(said.err.contains("does not answer for 2 s: it was killed"), "{said:?}");
        assert!(said.err.contains(words), "{said:?}");
        // two seconds, and what the start itself takes
        assert!(took >= seconds(2) && took < seconds(11), "{took:?}");
        assert!(!lives(hung));
        if task == ["-k"] {
            assert_eq!(orders(&ups), ["C", "S.5R0003"]);
        } else {
            assert!(station.pid().is_some_and(|pid| pid != hung && lives(pid)));
        }
    }
}

/// Two seconds are for one that hangs: one that answers has longer.
#[test]
fn what_the_driver_was_told_is_done_before_it_leaves() {
    for signal in ["SIGTERM", "-k", "SIGUSR1"] {
        // the order is sent in any case only after its status was seen, and it answers slowly
        let ups = SimUps::start("first", Which::Ours, "megatec", &["latency 900"]);
        let station = station("first", &ups.port, "protocol = megatec\nallow_killpower");
        let mut driver = Process::driver(&station, &["-F", "-a", "u"]);
        let mut socket = station.socket();
        ups.forget();
        socket.send("INSTCMD driver.killpower TRACKING 7\nPING\n");
        socket.lines_until("PONG");
        match signal {
            "SIGTERM" => send(driver.pid(), Signal::SIGTERM),
            "SIGUSR1" => {
                station.configure(&ups.port, "protocol = mustek");
                send(driver.pid(), Signal::SIGUSR1);
            }
            _ => {
                let said = station.run_driver(&["-a", "u", "-k"]);
                assert_eq!(said.code, Some(0), "{said:?}");
                assert!(
                    said.err.contains("stopped another running instance") && !said.err.contains("killed"),
                    "{said:?}"
                );
            }
        }
        assert!(driver.ends_within(seconds(60)), "{signal}: {}", log(&station));
        let said = log(&station);
        assert!(said.contains("exiting when that is done"), "{signal}: {said}");
        assert!(said.contains("shutdown.return: sent S.5R0003, accepted"), "{signal}: {said}");
        let rounds = if signal == "-k" { 2 } else { 1 };
        assert_eq!(orders(&ups), ["C", "S.5R0003"].repeat(rounds), "{signal}");
        assert!(socket.rest().contains("TRACKING 7 0"), "{signal}: who asked is told");
    }
}

/// Nothing answers any more: it goes on for its minute, unless who sits at the terminal insists.
#[test]
fn who_insists_is_told_what_was_not_done() {
    let ups = SimUps::start("insists", Which::Ours, "megatec", &[]);
    let station = station("insists", &ups.port, "protocol = megatec\nallow_killpower");
    let mut driver = Process::driver(&station, &["-F", "-a", "u"]);
    let mut socket = station.socket();
    ups.turn("silent on");
    socket.send("INSTCMD driver.killpower TRACKING 7\nPING\n");
    socket.lines_until("PONG");
    send(driver.pid(), Signal::SIGTERM);
    std::thread::sleep(Duration::from_millis(200));
    send(driver.pid(), Signal::SIGTERM);
    assert!(!driver.ends_within(seconds(5)), "{}", log(&station));
    send(driver.pid(), Signal::SIGINT);
    assert!(driver.ends_within(seconds(10)), "{}", log(&station));
    let said = log(&station);
    assert!(
        said.contains("switching the load off was interrupted (SIGINT was received once more)"),
        "{said}"
    );
    assert!(socket.rest().contains("TRACKING 7 "), "{said}");
}

/// Found by a review: a signal between `C` and the order ended `-k`, and the load stayed on.
#[test]
fn a_signal_does_not_keep_the_load_on() {
    std::thread::scope(|scope| {
        for signal in [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGINT, Signal::SIGUSR1] {
            scope.spawn(move || {
                let name = format!("signal-{signal}");
                // there is time between C and the order: the status is asked, and comes slowly
                let ups = SimUps::start(&name, Which::Ours, "megatec", &["latency 900"]);
                let station = station(&name, &ups.port, "protocol = megatec");
                let mut driver = Process::driver(&station, &["-a", "u", "-k"]);
                station.wait_for("C", || !orders(&ups).is_empty());
                send(driver.pid(), signal);
                std::thread::sleep(Duration::from_millis(50));
                if signal != Signal::SIGINT {
                    send(driver.pid(), signal);
                }
                assert!(driver.ends_within(seconds(20)), "{signal}: {}", log(&station));
                assert_eq!(orders(&ups), ["C", "S.5R0003"], "{signal}: {}", log(&station));
                assert_eq!(driver.0.wait().unwrap().code(), Some(0), "{signal}");
                assert!(
                    log(&station).contains(&format!("received {signal}: the load is being switched off"))
                );
            });
        }
        // a terminal insists
        scope.spawn(|| {
            let ups = SimUps::start("signals", Which::Ours, "megatec", &[]);
            let station = station("signals", &ups.port, "protocol = megatec");
            ups.turn("silent on");
            let mut driver = Process::driver(&station, &["-a", "u", "-k"]);
            station.wait_for("a question", || !ups.heard().is_empty());
            send(driver.pid(), Signal::SIGINT);
            station.wait_for("word of it", || log(&station).contains("received SIGINT"));
            assert!(!driver.ends_within(seconds(1)), "{}", log(&station));
            send(driver.pid(), Signal::SIGINT);
            assert!(driver.ends_within(seconds(5)), "{}", log(&station));
            assert_eq!((driver.0.wait().unwrap().code(), orders(&ups).len()), (Some(1), 0));
            assert!(
                log(&station).contains("was interrupted (SIGINT was received once more)"),
                "{}",
                log(&station)
            );
        });
    });
}

/// A PID file is a number that somebody wrote once.
#[test]
fn only_the_driver_of_this_ups_is_ended() {
    let (ups, other) = (
        SimUps::start("mine", Which::Ours, "megatec", &[]),
        SimUps::start("theirs", Which::Ours, "megatec", &[]),
    );
    let station = station("mine", &ups.port, "protocol = megatec");
    let conf = std::fs::read_to_string(station.folder.join("ups.conf")).unwrap();
    let port = other.port.display();
    station.write("ups.conf", &format!("{conf}[v]\ndriver = nutdrv_qx\nport = {port}\nprotocol = megatec\n"));
    // the same name in another tree
    let elsewhere = self::station("elsewhere", &other.port, "protocol = megatec");
    let file = station.run_folder().join("nutdrv_qx-u.pid");
    let sleeper = Process(Command::new("sleep").arg("1000").spawn().unwrap());
    let second = Process::driver(&station, &["-F", "-a", "v"]);
    station.wait_for("v", || station.run_folder().join("nutdrv_qx-v").exists());
    let mut victims = vec![(sleeper, "sleep"), (second, "the driver of v")];
    for (victim, what) in &mut victims {
        for task in ["-k", "-c"] {
            std::fs::write(&file, format!("{}\n", victim.pid())).unwrap();
            let said = match task {
                "-k" => station.run_driver(&["-a", "u", "-k"]),
                _ => station.run_driver(&["-a", "u", "-c", "exit"]),
            };
            assert!(victim.0.try_wait().unwrap().is_none(), "{what} {task}: {said:?}");
            if task == "-k" {
                let left = format!("names process {}, which is not the driver of [u]", victim.pid());
                assert!(said.code == Some(0) && said.err.contains(&left), "{what}: {said:?}");
            } else {
                assert!(said.code == Some(1) && said.err.contains("no driver runs for 'u'"), "{said:?}");
            }
        }
    }
    drop(victims);
    elsewhere.start_driver();
    let theirs = elsewhere.pid().unwrap();
    std::fs::write(&file, format!("{theirs}\n")).unwrap();
    let said = station.run_driver(&["-a", "u", "-k"]);
    assert!(said.code == Some(0) && lives(theirs), "{said:?}");
    // its own is found, by the socket and by the file
    let _ = std::fs::remove_file(&file);
    station.start_driver();
    let own = station.pid().unwrap();
    std::fs::write(&file, format!("{theirs}\n")).unwrap();
    assert_eq!(station.run_driver(&["-a", "u", "-c", "exit"]).code, Some(0));
    station.wait_for("it to leave", || !lives(own));
    station.start_driver();
    let own = station.pid().unwrap();
    std::fs::remove_file(station.run_folder().join("nutdrv_qx-u")).unwrap();
    assert_eq!(station.run_driver(&["-a", "u", "-c", "exit"]).code, Some(0));
    station.wait_for("it to leave", || !lives(own));
    assert!(lives(theirs));
}

fn killed(name: &str, options: &str) -> (ProgramOutput, Vec<String>) {
    let ups = SimUps::start(name, Which::Ours, "megatec", &[]);
    let station = station(name, &ups.port, options);
    let said = station.run_driver(&["-a", "u", "-k"]);
    (said, orders(&ups))
}

/// What was spoilt in ups.conf since the driver started, and has nothing to do with the load.
#[test]
fn what_is_wrong_elsewhere_does_not_keep_the_load_on() {
    let usual = ["C", "S.5R0003"];
    let rows: &[(&str, &str, &[&str])] = &[
        ("lowbatt_charge = abc", "lowbatt_charge = abc", &usual),
        ("no_such_flag", "'no_such_flag' is not an option", &usual),
        ("no_such_option = 7", "'no_such_option' is not an option", &usual),
        ("pollinterval = often", "pollinterval = often", &usual),
        ("runtimecal = 1,2,3", "runtimecal", &usual),
        ("quirks = none-such", "there is no quirk none-such", &usual),
        ("cablepower = some", "cablepower = some", &usual),
        ("allow_killpower = perhaps", "allow_killpower = perhaps", &usual),
        ("user = no-such-user", "there is no user 'no-such-user'", &usual),
        ("desc = \"never closed", "the quotes are not closed", &usual),
        // what is sent: the default, and that is said
        ("offdelay = soon", "going on with the default", &usual),
        ("offdelay = 5", "going on with the default", &usual),
        ("offdelay", "going on with the default", &usual),
        ("ondelay = x", "going on with the default", &usual),
        ("stayof", "going on with the default", &usual),
        ("sdcommands = shutdown.retrun", "shutdown.default is sent in its place", &usual),
        ("sdcommands = \"\"", "sdcommands is empty", &usual),
        ("sdcommands = \"load.of, load.off\"", "did you mean load.off?", &usual),
        ("sdcommands = \"shutdown.stayoff, load.of\"", "did you mean load.off?", &["S.5R0000"]),
    ];
    std::thread::scope(|scope| {
        for (at, (options, word, sent)) in rows.iter().enumerate() {
            scope.spawn(move || {
                let (said, orders) =
                    killed(&format!("spoilt-{at}"), &format!("protocol = megatec\n{options}"));
                assert_eq!((said.code, &orders[..]), (Some(0), &sent.map_owned()[..]), "{options}: {said:?}");
                assert!(said.err.contains(word), "{options}: {said:?}");
            });
        }
        // it is found
        scope.spawn(|| {
            let (said, orders) = killed("spoilt-protocol", "protocol = megatek");
            assert_eq!((said.code, &orders[..]), (Some(0), &usual.map_owned()[..]), "{said:?}");
            assert!(said.err.contains("the dialect is found by asking"), "{said:?}");
        });
    });
    // the start refuses them all
    let ups = SimUps::start("spoilt", Which::Ours, "megatec", &[]);
    let station = station("spoilt", &ups.port, "protocol = megatec\nlowbatt_charge = abc");
    assert_eq!(station.run_driver(&["-a", "u"]).code, Some(1));
}

trait MapOwned {
    fn map_owned(&self) -> Vec<String>;
}

impl MapOwned for [&str] {
    fn map_owned(&self) -> Vec<String> {
        self.iter().map(ToString::to_string).collect()
    }
}

/// Who is meant is not guessed.
#[test]
fn what_says_whom_is_not_passed_over() {
    for (options, word) in [
        ("serial = (", "not a regular expression"),
        ("vendorid = [", "not a regular expression"),
        ("serail = A1234", "did you mean serial?"),
        ("busprt = 002", "did you mean busport?"),
        ("subdriver = cypres", "did you mean cypress?"),
        ("slave_address = x", "slave_address = x"),
        ("driver = blazer_ser", "is for driver blazer_ser"),
    ] {
        let (said, orders) = killed("whom", options);
        assert!(said.code == Some(1) && orders.is_empty(), "{options}: {said:?}");
        assert!(said.err.contains(word) && said.err.contains("nothing is sent"), "{options}: {said:?}");
    }
    let (said, orders) = killed("whom", "vendorid = 0665\ndesc = \"never closed");
    assert!(said.code == Some(1) && orders.is_empty(), "{said:?}");
    assert!(said.err.contains("may say which device on USB is meant"), "{said:?}");
}

/// What waits at the socket is what many clients want; the order is one.
#[test]
fn the_order_does_not_wait_for_other_clients() {
    let ups = SimUps::start("crowd", Which::Ours, "megatec", &["latency 300"]);
    let station = station("crowd", &ups.port, "protocol = megatec");
    let _driver = Process::driver(&station, &["-F", "-a", "u"]);
    let (mut crowd, mut socket) = (station.socket(), station.socket());
    ups.forget();
    crowd.send(&"INSTCMD beeper.toggle\n".repeat(200));
    crowd.send("PING\n");
    crowd.lines_until("PONG");
    socket.send("SET driver.flag.allow_killpower 1\nINSTCMD driver.killpower TRACKING 7\n");
    let answer = socket.lines_until("TRACKING").pop();
    assert_eq!(answer.as_deref(), Some("TRACKING 7 0"), "{}", log(&station));
    let heard: Vec<String> = ups.heard().into_iter().filter(|line| line == "Q" || line.len() == 8).collect();
    let at = heard.iter().position(|line| line == "S.5R0003").expect("it was sent");
    assert!(at <= 1, "{heard:?}");
}

/// A pipe in the place of ups.conf never says anything.
#[test]
fn a_reload_waits_for_no_pipe() {
    let ups = SimUps::start("pipe", Which::Ours, "megatec", &[]);
    let station = station("pipe", &ups.port, "protocol = megatec");
    let driver = Process::driver(&station, &["-F", "-a", "u"]);
    let mut socket = station.socket();
    let conf = station.folder.join("ups.conf");
    std::fs::remove_file(&conf).unwrap();
    nix::unistd::mkfifo(&conf, nix::sys::stat::Mode::S_IRWXU).unwrap();
    send(driver.pid(), Signal::SIGHUP);
    station.wait_for("word of the reload", || log(&station).contains("it is a pipe"));
    socket.send("PING\n");
    socket.lines_until("PONG");
}

#[test]
fn what_was_tried_and_why_it_failed_is_said() {
    let said = station("no-port", Path::new("/dev/no-such-port"), "protocol = megatec")
        .run_driver(&["-a", "u", "-k"]);
    assert_eq!(said.code, Some(1));
    let last = said.err.lines().last().unwrap_or_default();
    for part in ["the port could not be opened", "cannot open /dev/no-such-port", "the load stays on"] {
        assert!(last.contains(part), "{part}: {said:?}");
    }
    assert!(!said.err.contains("does not answer"), "{said:?}");
}
