//! What goes wrong around a driver: a disk that is full, a device server with another client, a crowd at its
//! socket, a reload of nonsense. The UPS is watched all the same, and the log says it once.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};
use testbed::nut;
use testbed::nut::{NutStation, ProgramOutput, Which};
use testbed::ups::SimUps;

/// A driver in the foreground, and its log.
struct Foreground {
    child: Child,
    log: PathBuf,
    station: NutStation,
}

impl Foreground {
    fn start(name: &str, port: &Path, options: &str) -> Foreground {
        let station = NutStation::new(name, Which::Ours);
        station.configure(port, options);
        let log = station.folder.join("log");
        let mut command = station.command(station.driver(), &["-F", "-a", "u"]);
        let child = command.stdout(Stdio::null()).stderr(File::create(&log).unwrap()).spawn().unwrap();
        let driver = Foreground { child, log, station };
        driver.station.wait_for("the driver", || driver.status() == "OL");
        driver
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id() as i32)
    }

    /// The lines of its log with these words.
    fn says(&self, words: &str) -> Vec<String> {
        let log = std::fs::read_to_string(&self.log).unwrap();
        log.lines().filter(|line| line.contains(words)).map(String::from).collect()
    }

    fn value(&self, name: &str) -> Option<String> {
        let path = self.station.run_folder().join("nutdrv_qx-u");
        let mut stream = UnixStream::connect(path).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        write!(stream, "DUMPVALUE {name}\nLOGOUT\n").ok()?;
        let mut said = String::new();
        stream.read_to_string(&mut said).ok()?;
        let value = said.lines().find_map(|line| line.strip_prefix(&format!("SETINFO {name} \"")));
        value.map(|value| value.trim_end_matches('"').to_string())
    }

    fn status(&self) -> String {
        self.value("ups.status").unwrap_or_default()
    }

    /// Reads ups.conf again; what it says of that.
    fn reloads(&self, port: &Path, options: &str, signal: Signal) -> String {
        let before = self.says("reload: ").len();
        self.station.configure(port, options);
        kill(self.pid(), signal).unwrap();
        self.station.wait_for("word of the reload", || self.says("reload: ").len() > before);
        self.says("reload: ").pop().unwrap()
    }
}

impl Drop for Foreground {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs our driver where no file can grow: each byte that is written to one is refused.
fn without_room(station: &NutStation, arguments: &[&str]) -> ProgramOutput {
    let driver = station.driver();
    let mut all = vec!["-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\"", driver.to_str().unwrap()];
    all.extend(arguments);
    station.run("/bin/sh", &all)
}

/// The status that a driver in the background tells.
fn status(station: &NutStation) -> String {
    let mut socket = station.socket();
    socket.send("DUMPVALUE ups.status\n");
    socket.lines_until("DUMPDONE").swap_remove(0)
}

/// The process that listens at the driver's socket.
fn listener(station: &NutStation) -> i32 {
    let mut socket = station.socket();
    socket.send("GETPID\n");
    socket.lines_until("PID").pop().unwrap().trim_start_matches("PID ").parse().unwrap()
}

#[test]
fn a_full_disk_leaves_no_ups_unwatched() {
    let ups = SimUps::start("full", Which::Ours, "megatec", &[]);
    let station = NutStation::new("full", Which::Ours);
    station.configure(&ups.port, "");
    let file = station.run_folder().join("nutdrv_qx-u.pid");
    let said = without_room(&station, &["-a", "u"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.err.contains("cannot write") && said.err.contains("-c exit' stops it"), "{said:?}");
    assert!(!file.exists(), "an empty PID file: upsdrvctl stumbles over it");
    assert_eq!(status(&station), "SETINFO ups.status \"OL\"");
    let first = listener(&station);

    // who starts it again when there is room takes its place, and does not share its line
    assert_eq!(station.run_driver(&["-a", "u"]).code, Some(0));
    let second = station.pid().unwrap();
    assert!(first != second && !nut::lives(first));

    // and where a file cannot even be made
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    assert_eq!(without_room(&station, &["-a", "u"]).code, Some(0));
    let third = listener(&station);
    assert!(!nut::lives(second));
    for order in ["reload", "exit"] {
        let said = station.run_driver(&["-a", "u", "-c", order]);
        assert_eq!(said.code, Some(0), "{said:?}");
    }
    station.wait_for("it to leave", || !nut::lives(third));
    let said = station.run_driver(&["-a", "u", "-c", "exit"]);
    assert!(said.code == Some(1) && said.err.contains("no driver runs for 'u'"), "{said:?}");
}

#[test]
fn a_reload_that_the_start_would_refuse_changes_nothing() {
    let ups = SimUps::start("refuses", Which::Ours, "megatec", &[]);
    let mut driver = Foreground::start("refuses", &ups.port, "");
    let null = Path::new("/dev/null");
    for (port, options, sentence) in [
        (&*ups.port, "ignorelb", "nothing else says when the battery is low"),
        (&*ups.port, "ignorelb\nlowbatt_charge = 30", "nothing else says when the battery is low"),
        (&*ups.port, "ignorelb\ndefault.battery.runtime.low = 60", "nothing else says"),
        (&*ups.port, "user = no-such-user", "there is no user 'no-such-user'"),
        (null, "", "/dev/null is not a serial port but a device of another kind"),
        (Path::new("/no/such/port"), "", "cannot open /no/such/port"),
        (&*ups.port, "lowbatt_charge = 101", "at most 100"),
        (&*ups.port, "ondelay = 60x", "not a whole number"),
    ] {
        for signal in [Signal::SIGHUP, Signal::SIGUSR1] {
            let said = driver.reloads(port, options, signal);
            assert!(said.contains(sentence) && said.ends_with("going on as before"), "{options}: {said}");
            assert!(driver.child.try_wait().unwrap().is_none(), "{options}: it left");
        }
    }
    // the UPS says so itself, and is believed still
    ups.turn("mains fail");
    ups.turn("charge 5");
    driver.station.wait_for("low battery", || driver.status() == "OB LB");
    ups.turn("mains back");
    ups.turn("charge 100");
    driver.station.wait_for("mains", || driver.status() == "OL");

    // what the start would take is taken
    let with_bound = "ignorelb\ndefault.battery.charge.low = 20";
    let said = driver.reloads(&ups.port, with_bound, Signal::SIGHUP);
    assert!(said.ends_with("is in use now"), "{said}");
    assert_eq!(driver.value("driver.flag.ignorelb").as_deref(), Some("enabled"));
    // and what it stands on is not taken away
    let said = driver.reloads(&ups.port, "ignorelb", Signal::SIGHUP);
    assert!(said.ends_with("going on as before"), "{said}");
    assert_eq!(driver.value("battery.charge.low").as_deref(), Some("20"));
    let said = driver.reloads(&ups.port, "", Signal::SIGHUP);
    assert!(said.ends_with("is in use now"), "{said}");
}

/// What a way to a UPS does with a connection.
const PASSES: u8 = 0;
const CLOSES: u8 = 1;
/// As ser2net does when it has a client already.
const IS_TAKEN: u8 = 2;

/// A way to a TCP port that can be told what to do with each connection.
fn way(to: String, manner: Arc<AtomicU8>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let copy = |mut from: TcpStream, mut to: TcpStream, manner: Arc<AtomicU8>| {
        std::thread::spawn(move || {
            let mut bytes = [0; 256];
            while let Ok(read @ 1..) = from.read(&mut bytes) {
                if manner.load(Ordering::SeqCst) != PASSES || to.write_all(&bytes[..read]).is_err() {
                    break;
                }
            }
            let _ = (to.shutdown(Shutdown::Both), from.shutdown(Shutdown::Both));
        });
    };
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            match manner.load(Ordering::SeqCst) {
                PASSES => {
                    let ups = TcpStream::connect(&to).unwrap();
                    copy(client.try_clone().unwrap(), ups.try_clone().unwrap(), manner.clone());
                    copy(ups, client, manner.clone());
                }
                IS_TAKEN => drop(client.write_all(b"Port already in use\r\n")),
                _ => drop(client),
            }
        }
    });
    port
}

#[test]
fn a_server_that_accepts_and_closes_is_said_once() {
    let ups = SimUps::start_tcp("taken", Which::Ours, "megatec", &[]);
    let to = ups.port.to_str().unwrap().strip_prefix("tcp://").unwrap().to_string();
    for (name, closing) in [("closes", CLOSES), ("is-taken", IS_TAKEN)] {
        let manner = Arc::new(AtomicU8::new(PASSES));
        let port = format!("tcp://127.0.0.1:{}", way(to.clone(), manner.clone()));
        let driver = Foreground::start(name, Path::new(&port), "");
        manner.store(closing, Ordering::SeqCst);
        std::thread::sleep(Duration::from_secs(15));
        let log = driver.says(&port);
        let counts = ["trying to open it again", "comes and goes", "is open again"]
            .map(|words| log.iter().filter(|line| line.contains(words)).count());
        assert_eq!(counts, [1, 1, 1], "{log:#?}");
        manner.store(PASSES, Ordering::SeqCst);
        driver.station.wait_for("fresh data", || driver.says("answers again").len() == 1);
        assert_eq!(driver.status(), "OL");
    }
}

#[test]
fn a_crowd_at_the_socket_is_said_once() {
    let ups = SimUps::start("crowd", Which::Ours, "megatec", &[]);
    let driver = Foreground::start("crowd", &ups.port, "");
    let path = driver.station.run_folder().join("nutdrv_qx-u");
    let connect = || UnixStream::connect(&path).unwrap();
    let mut crowd: Vec<UnixStream> = (0..128).map(|_| connect()).collect();
    let is_let_in = |client: &mut UnixStream| {
        client.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut answer = [0; 5];
        client.write_all(b"PING\n").is_ok() && client.read_exact(&mut answer).is_ok()
    };
    // the last of them is let in: all are
    assert!(is_let_in(crowd.last_mut().unwrap()));
    for _ in 0..200 {
        assert!(!is_let_in(&mut connect()));
    }
    let said = driver.says("turned away");
    assert!(said.len() == 1 && said[0].contains("128 clients"), "{said:#?}");
    drop(crowd);
    driver.station.wait_for("room", || is_let_in(&mut connect()));

    // the same of clients that ask for more than can be done, and of those that do not listen
    let mut client = connect();
    client.write_all("INSTCMD beeper.toggle\n".repeat(2000).as_bytes()).unwrap();
    driver.station.wait_for("too many requests", || !driver.says("too many requests").is_empty());
    let deaf = || {
        let mut client = connect();
        client.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
        let _ = client.write_all("DUMPALL\n".repeat(2000).as_bytes());
        client
    };
    let _deaf: Vec<UnixStream> = std::iter::repeat_with(deaf).take(5).collect();
    driver.station.wait_for("deaf clients", || !driver.says("does not read").is_empty());
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!((driver.says("too many requests").len(), driver.says("does not read").len()), (1, 1));
    assert_eq!(driver.status(), "OL");
}

#[test]
fn without_data_there_is_nothing_to_print() {
    // found by its two signs, and silent from then on
    let ups = SimUps::start("nothing", Which::Ours, "voltronic", &["latency 400"]);
    let station = NutStation::new("nothing", Which::Ours);
    station.configure(&ups.port, "protocol = voltronic");
    let asked = |ups: &SimUps, count: usize| {
        let deadline = Instant::now() + Duration::from_secs(30);
        while ups.heard().len() < count && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let said = std::thread::scope(|scope| {
        scope.spawn(|| {
            asked(&ups, 3);
            ups.turn("silent on");
        });
        station.run_driver(&["-a", "u", "-d", "1"])
    });
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(!said.out.contains("ups.status"), "{said:?}");
    assert!(said.err.contains("speaks voltronic") || said.err.contains("does not answer"), "{said:?}");
}

/// Who stops the driver, or restarts it, reads whether the load goes off.
#[test]
fn a_driver_that_is_stopped_says_what_is_known_of_its_order() {
    let ups = SimUps::start("order", Which::Ours, "megatec", &[]);
    for (command, words) in [
        ("shutdown.return", "shutdown.return: the UPS accepted it, and the load goes off in"),
        (
            "load.off",
            "load.off is not confirmed: S00R0000 was sent, and the driver stops before the UPS answers",
        ),
    ] {
        let mut driver = Foreground::start("order", &ups.port, "");
        let mut client = UnixStream::connect(driver.station.run_folder().join("nutdrv_qx-u")).unwrap();
        ups.forget();
        writeln!(client, "INSTCMD {command}\nTRACKING 1").unwrap();
        let is_there = || match command {
            "load.off" => ups.heard().iter().any(|line| line.contains("S00R0000")),
            _ => !driver.says("the load goes off after").is_empty(),
        };
        driver.station.wait_for(command, is_there);
        kill(driver.pid(), Signal::SIGTERM).unwrap();
        assert!(driver.child.wait().unwrap().success());
        assert_eq!(driver.says(words).len(), 1, "{}", std::fs::read_to_string(&driver.log).unwrap());
        ups.turn("countdown off");
    }
}
