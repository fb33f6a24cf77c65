//! Debian's upsd before drivers that are sockets of this test.

use crate::model::{self, USERS};
use nut::driver_socket::SocketRequest;
use nut::network::server::Freshness;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(20);

/// What was handed to the drivers, without ids.
pub type HandedOver = Arc<Mutex<Vec<SocketRequest>>>;

pub struct Upsd {
    folder: PathBuf,
    port: u16,
    child: Child,
    handed: HandedOver,
}

impl Upsd {
    /// upsd with the UPSes of the model; ready once it knows them.
    pub fn start(name: &str) -> Upsd {
        assert!(Path::new("/lib/nut/upsd").exists(), "this test needs NUT: apt-get install nut-server");
        let folder = std::env::temp_dir().join(format!("qxups-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let handed = HandedOver::default();
        let mut conf = String::new();
        for ups in model::upses() {
            let description = ups
                .description
                .map_or(String::new(), |text| format!("desc = {}\n", nut::words::quoted(text)));
            conf += &format!("[{}]\ndriver = dummy-ups\nport = x\n{description}", ups.name);
            if ups.freshness != Freshness::NotConnected {
                let listener = UnixListener::bind(folder.join(format!("dummy-ups-{}", ups.name))).unwrap();
                let (dump, handed) = (ups.dump(), handed.clone());
                std::thread::spawn(move || be_driver(&listener, &dump, &handed));
            }
        }
        let port = free_port();
        let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
        write("ups.conf", &conf);
        write("upsd.conf", &format!("LISTEN 127.0.0.1 {port}\nMAXAGE 600\n"));
        write("upsd.users", USERS);
        let child = Command::new("/lib/nut/upsd")
            .args(["-F", "-u", "root"])
            .env("NUT_CONFPATH", &folder)
            .env("NUT_STATEPATH", &folder)
            .env("NUT_ALTPIDPATH", &folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let upsd = Upsd { folder, port, child, handed };
        upsd.wait_until_ready();
        upsd
    }

    fn wait_until_ready(&self) {
        let end = Instant::now() + PATIENCE;
        loop {
            // the last variable, command and state of each
            let ask = b"GET VAR ups ups.status\nGET VAR bare ups.status\nLIST VAR old\n";
            let told = TcpStream::connect(("127.0.0.1", self.port)).map(|stream| exchange(stream, ask));
            let told = told.unwrap_or_default();
            if told.ends_with(b"\"OL CHRG\"\nVAR bare ups.status \"OB LB\"\nERR DATA-STALE\n") {
                return;
            }
            assert!(Instant::now() < end, "upsd does not get ready: {}", told.escape_ascii());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port)).unwrap()
    }

    /// What was handed to the drivers since this was asked last, once there is as much as expected.
    pub fn handed(&self, expected: usize) -> Vec<SocketRequest> {
        let end = Instant::now() + PATIENCE;
        while self.handed.lock().unwrap().len() < expected && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::mem::take(&mut *self.handed.lock().unwrap())
    }

    /// All that upsd answers to these bytes.
    pub fn answers(&self, bytes: &[u8]) -> Vec<u8> {
        exchange(self.connect(), bytes)
    }
}

impl Drop for Upsd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Writes, says that it is all, and reads to the end.
fn exchange(mut stream: TcpStream, bytes: &[u8]) -> Vec<u8> {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(bytes).unwrap();
    let shut = stream.shutdown(Shutdown::Write);
    let mut answers = vec![];
    let read = stream.read_to_end(&mut answers);
    assert!(
        shut.is_ok() && read.is_ok(),
        "{shut:?} {read:?} {} {}",
        bytes.escape_ascii(),
        answers.escape_ascii()
    );
    answers
}

/// A port for each, below those that the system hands out.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 20_000 + (std::process::id() % 90) as u16 * 100;
    let mut ports = std::iter::repeat_with(|| first + NEXT.fetch_add(1, Ordering::Relaxed));
    ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).unwrap()
}

fn be_driver(listener: &UnixListener, dump: &str, handed: &HandedOver) {
    while let Ok((stream, _)) = listener.accept() {
        let _ = serve(&stream, dump, handed);
    }
}

fn serve(mut stream: &UnixStream, dump: &str, handed: &HandedOver) -> std::io::Result<()> {
    for line in BufReader::new(stream.try_clone()?).lines() {
        let line = line?;
        match SocketRequest::parse(line.as_bytes()) {
            Ok(SocketRequest::DumpAll) => stream.write_all(dump.as_bytes())?,
            Ok(SocketRequest::Ping) => stream.write_all(b"PONG\n")?,
            Ok(mut request) => {
                let (SocketRequest::InstCmd { tracking, .. } | SocketRequest::Set { tracking, .. }) =
                    &mut request
                else {
                    continue;
                };
                let id = tracking.take();
                let code = model::code(&request);
                handed.lock().unwrap().push(request);
                if let Some(id) = id {
                    stream.write_all(nut::driver_socket::tracking(&id, code).as_bytes())?;
                }
            }
            Err(_) => {}
        }
    }
    Ok(())
}
