//! The driver's own words: whatever becomes of them, the UPS is watched, and the load goes off.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use nix::fcntl::{FcntlArg, fcntl};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use testbed::nut::{NutStation, Which, lives};
use testbed::ups::SimUps;

/// What becomes of standard output and error.
#[derive(Clone, Copy, Debug)]
enum Outputs {
    Closed,
    Full,
    /// Whoever read them is gone.
    Gone,
    /// Nobody reads them.
    Unread,
}

const ALL: [Outputs; 4] = [Outputs::Closed, Outputs::Full, Outputs::Gone, Outputs::Unread];

/// The driver with these outputs; a pipe that nobody reads is soon full.
fn start(station: &NutStation, outputs: Outputs, arguments: &[&str]) -> Child {
    let mut command = match outputs {
        Outputs::Closed => {
            let mut shell = Command::new("/bin/sh");
            shell.args(["-c", "exec \"$0\" \"$@\" >&- 2>&-"]).arg(station.driver()).args(arguments);
            shell
        }
        _ => {
            let mut command = Command::new(station.driver());
            command.args(arguments);
            command
        }
    };
    for (name, value) in station.command("x", &[]).get_envs() {
        command.env(name, value.unwrap());
    }
    command.stdin(Stdio::null()).process_group(0);
    let full = || OpenOptions::new().write(true).open("/dev/full").unwrap();
    match outputs {
        Outputs::Closed => {}
        Outputs::Full => drop(command.stdout(full()).stderr(full())),
        Outputs::Gone | Outputs::Unread => drop(command.stdout(Stdio::piped()).stderr(Stdio::piped())),
    }
    let mut child = command.spawn().unwrap();
    if matches!(outputs, Outputs::Gone) {
        drop((child.stdout.take(), child.stderr.take()));
    }
    if let (Outputs::Unread, Some(error)) = (outputs, &child.stderr) {
        fcntl(error, FcntlArg::F_SETPIPE_SZ(4096)).unwrap();
    }
    child
}

fn watched(name: &str, outputs: Outputs, arguments: &[&str]) -> (SimUps, NutStation, Child) {
    let name = format!("{name}-{outputs:?}");
    let ups = SimUps::start(&name, Which::Ours, "megatec", &[]);
    let station = NutStation::new(&name, Which::Ours);
    station.configure(&ups.port, "protocol = megatec");
    let child = start(&station, outputs, arguments);
    (ups, station, child)
}

/// So much is said of it in the log that a pipe which nobody reads is full.
fn chat(station: &NutStation) {
    let mut client = station.socket();
    client.send("NOBROADCAST\n");
    for _ in 0..1000 {
        client.send("PING\n");
        client.lines_until("PONG");
    }
}

#[test]
fn the_driver_outlives_its_own_words() {
    std::thread::scope(|scope| {
        for outputs in ALL {
            scope.spawn(move || {
                // with each question and each wait in the log: a pipe is full after some seconds
                let loud = ["-a", "u", "-F", "-DDDDDD"];
                let (ups, mut station, mut child) = watched("words", outputs, &loud);
                station.start_upsd();
                station.wait_status("OL");
                chat(&station);
                ups.turn("mains fail");
                station.wait_status("OB");
                assert!(lives(child.id() as i32), "{outputs:?}");
                child.kill().unwrap();
                child.wait().unwrap();
            });
        }
    });
}

#[test]
fn the_load_goes_off_whatever_becomes_of_the_words() {
    std::thread::scope(|scope| {
        for outputs in ALL {
            scope.spawn(move || {
                let (ups, _station, mut child) = watched("kill", outputs, &["-a", "u", "-k", "-DDDDD"]);
                assert_eq!(child.wait().unwrap().code(), Some(0), "{outputs:?}");
                let orders: Vec<_> = ups.heard().into_iter().filter(|line| line.starts_with('S')).collect();
                assert_eq!(orders, ["S.5R0003"], "{outputs:?}");
            });
        }
    });
}

/// What somebody asked for, and nobody reads: no panic, and not 0.
#[test]
fn what_was_asked_for_and_nobody_reads_is_quiet() {
    for arguments in [&["-h"][..], &["-V"], &["-L"]] {
        for outputs in [Outputs::Full, Outputs::Gone] {
            let station = NutStation::new(&format!("asked-{}-{outputs:?}", arguments[0]), Which::Ours);
            let mut command = station.command(station.driver(), arguments);
            command.stderr(Stdio::piped());
            match outputs {
                Outputs::Full => command.stdout(OpenOptions::new().write(true).open("/dev/full").unwrap()),
                _ => command.stdout(File::from(closed_pipe())),
            };
            let said = command.spawn().unwrap().wait_with_output().unwrap();
            assert_eq!(said.status.code(), Some(1), "{arguments:?} {outputs:?}");
            assert!(said.stderr.is_empty(), "{}", String::from_utf8_lossy(&said.stderr));
        }
    }
}

/// The end of a pipe to write to whose other end is closed.
fn closed_pipe() -> std::os::fd::OwnedFd {
    let (reader, writer) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC).unwrap();
    drop(reader);
    writer
}

/// What was lost is counted when there is room again.
#[test]
fn lines_that_were_lost_are_counted() {
    let (_ups, station, mut child) = watched("count", Outputs::Unread, &["-a", "u", "-F", "-DDDDDD"]);
    station.wait_for("its socket", || station.run_folder().join("nutdrv_qx-u").exists());
    chat(&station);
    let mut error = child.stderr.take().unwrap();
    let (found, over) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (told, stop) = (found.clone(), over.clone());
    let reader = std::thread::spawn(move || {
        let (mut text, mut buffer) = (String::new(), [0; 4096]);
        while let Ok(read @ 1..) = error.read(&mut buffer) {
            text += &String::from_utf8_lossy(&buffer[..read]);
            told.fetch_or(text.contains("lines of the log could not be written here"), Ordering::Relaxed);
            if stop.load(Ordering::Relaxed) {
                break;
            }
        }
    });
    station.wait_for("the count of what was lost", || found.load(Ordering::Relaxed));
    over.store(true, Ordering::Relaxed);
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap();
}

// ---- a request while the line is away

/// A UPS behind a device server, which can leave.
struct Server {
    port: u16,
    heard: Arc<Mutex<Vec<String>>>,
    there: Arc<AtomicBool>,
}

impl Server {
    fn start() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (heard, there) = (Arc::new(Mutex::new(vec![])), Arc::new(AtomicBool::new(true)));
        let (hears, is_there) = (heard.clone(), there.clone());
        std::thread::spawn(move || {
            let mut listener = Some(listener);
            loop {
                if !is_there.load(Ordering::Relaxed) {
                    listener = None;
                    std::thread::sleep(Duration::from_millis(20));
                    continue;
                }
                let here = listener.get_or_insert_with(|| TcpListener::bind(("127.0.0.1", port)).unwrap());
                here.set_nonblocking(true).unwrap();
                let Ok((mut stream, _)) = here.accept() else {
                    std::thread::sleep(Duration::from_millis(20));
                    continue;
                };
                stream.set_nonblocking(false).unwrap();
                stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
                let (mut line, mut buffer) = (vec![], [0; 1]);
                while is_there.load(Ordering::Relaxed) {
                    match stream.read(&mut buffer) {
                        Ok(0) => break,
                        Ok(_) if buffer[0] != b'\r' => line.push(buffer[0]),
                        Ok(_) => {
                            let asked = String::from_utf8_lossy(&std::mem::take(&mut line)).into_owned();
                            let reply: &[u8] = match asked.as_str() {
                                "Q1" => b"(226.0 195.0 226.0 014 49.0 27.5 30.0 00001000\r",
                                "F" => b"#230.0 003 024.0 50.0\r",
                                _ => b"",
                            };
                            hears.lock().unwrap().push(asked);
                            let _ = stream.write_all(reply);
                        }
                        Err(_) => {}
                    }
                }
            }
        });
        Server { port, heard, there }
    }
}

/// Who asks while the line is away is told at once that it failed; whoever answers there later is not sent it.
#[test]
fn a_request_while_the_line_is_away_fails_at_once() {
    let server = Server::start();
    let station = NutStation::new("away", Which::Ours);
    let port = PathBuf::from(format!("tcp://127.0.0.1:{}", server.port));
    station.configure(&port, "protocol = megatec\nnovendor\npollinterval = 60");
    station.start_driver();
    server.there.store(false, Ordering::Relaxed);
    std::thread::sleep(Duration::from_millis(300));
    let mut client = station.socket();
    let began = Instant::now();
    client.send("INSTCMD load.off TRACKING one\n");
    let told = client.lines_until("TRACKING one");
    assert!(told.last().unwrap().starts_with("TRACKING one 3"), "{told:?}");
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    server.heard.lock().unwrap().clear();
    server.there.store(true, Ordering::Relaxed);
    station.wait_for("its status", || server.heard.lock().unwrap().iter().any(|line| line == "Q1"));
    std::thread::sleep(Duration::from_secs(3));
    let heard = server.heard.lock().unwrap().clone();
    assert!(!heard.iter().any(|line| line.starts_with('S')), "{heard:?}");
    assert_eq!(heard[0], "Q1");
}
