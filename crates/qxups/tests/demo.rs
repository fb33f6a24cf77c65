//! `qxups demo`, as a user runs it.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

const QXUPS: &str = env!("CARGO_BIN_EXE_qxups");
/// A machine that is busy takes longer; what comes later than that does not come.
const PATIENCE: Duration = Duration::from_secs(60);

struct Demo {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    said: Vec<String>,
    folder: PathBuf,
}

impl Demo {
    /// With a folder of its own for what is temporary.
    fn start(name: &str, arguments: &[&str]) -> Demo {
        let name = format!("qxups-demo-test-{}-{name}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        // its server may become another user
        std::fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
        let mut child = Command::new(QXUPS)
            .arg("demo")
            .args(arguments)
            .env("TMPDIR", &folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Demo { child, lines, said: vec![], folder }
    }

    /// The line with this part, now or later.
    fn line(&mut self, part: &str) -> String {
        if let Some(line) = self.said.iter().find(|line| line.contains(part)) {
            return line.clone();
        }
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            let line = self.lines.next().unwrap_or_else(|| panic!("{part} in {:?}", self.said)).unwrap();
            self.said.push(line.clone());
            if line.contains(part) {
                return line;
            }
        }
        panic!("{part} in {:?}", self.said);
    }

    /// Ends as by Control-C, and leaves nothing.
    fn end(mut self) {
        let status = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
        assert!(self.child.wait().unwrap().success());
        let left: Vec<_> =
            std::fs::read_dir(&self.folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// One test at a time: two that look for free ports at the same moment may find the same.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn page(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn clients_and_browsers_see_several_upses_and_an_outage() {
    let _alone = alone();
    let mut demo = Demo::start("all", &["--plain"]);
    let address = demo.line("http://").split("http://").nth(1).unwrap().trim_end_matches('/').to_string();
    let list = demo.line("qxups list office@");
    let server = list.split("office@").nth(1).unwrap().split(' ').next().unwrap().to_string();
    demo.line("Control-C ends it");
    for (name, status) in [("rack", "OL"), ("attic", "OL"), ("office", "OB"), ("lab", "OL")] {
        demo.line(&format!("{name}: {status},"));
    }
    let first = page(&address, "/");
    assert!(first.starts_with("HTTP/1.1 200"), "{first}");
    for name in ["rack", "attic", "office", "lab"] {
        assert!(first.contains(name), "{name} in {first}");
        let got =
            Command::new(QXUPS).args(["get", &format!("{name}@{server}"), "ups.status"]).output().unwrap();
        assert!(got.status.success(), "{got:?}");
    }
    // of several dialects, the one of --protocol among them
    let dialects = ["megatec", "voltronic-qs", "mecer", "masterguard"];
    for (name, dialect) in ["rack", "attic", "office", "lab"].iter().zip(dialects) {
        assert!(demo.line(&format!("  {name} (")).contains(dialect));
    }
    demo.line("lab: OB, on battery");
    let history = demo.line("qxups outages --file");
    let file = history.split("--file ").nth(1).unwrap().trim().to_string();
    // the line is printed as the status is published; a thread writes the history
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let outages = Command::new(QXUPS).args(["outages", "--file", &file, "--json"]).output().unwrap();
        let told = String::from_utf8(outages.stdout).unwrap();
        assert!(outages.status.success() && Instant::now() < until, "{told}");
        if told.contains("\"lab\"") {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    demo.line("lab: OB LB");
    demo.end();
}

/// Found by a newcomer: it waited in silence, without an end.
#[test]
fn an_address_that_is_not_of_this_host_is_said_and_ends_it() {
    let _alone = alone();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let in_use = taken.local_addr().unwrap().to_string();
    for (address, part) in [
        // for documentation (RFC 5737, RFC 6761): of no host
        ("192.0.2.7", "name an address of this host"),
        ("no-such-host.invalid", "name an address of this host"),
        (in_use.as_str(), "another program listens there"),
        ("127.0.0.1:x", "write an address"),
    ] {
        let folder = std::env::temp_dir().join(format!("qxups-demo-test-{}-wrong", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut child = Command::new(QXUPS)
            .args(["demo", "--plain", "-l", address])
            .env("TMPDIR", &folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let end = Instant::now() + PATIENCE;
        let status = loop {
            match child.try_wait().unwrap() {
                Some(status) => break status,
                None if Instant::now() > end => {
                    child.kill().unwrap();
                    panic!("{address}: it goes on");
                }
                None => std::thread::sleep(Duration::from_millis(20)),
            }
        };
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(status.code(), Some(1), "{address}: {said}");
        assert!(said.contains(part), "{address}: {said}");
        // it leaves nothing
        std::fs::remove_dir(&folder).unwrap();
    }
}

#[test]
fn the_dialect_of_the_outage_can_be_named_and_ports_in_use_are_left_alone() {
    let _alone = alone();
    // whatever is at the usual ports, both demonstrations find some
    let mut first = Demo::start("first", &["-p", "voltronic-qs", "--plain"]);
    assert!(first.line("  lab (").contains("voltronic-qs"));
    first.line("lab: OL");
    let mut second = Demo::start("second", &["--plain"]);
    let address = |demo: &mut Demo| demo.line("http://");
    assert_ne!(address(&mut first), address(&mut second));
    second.line("lab: OL");
    first.end();
    second.end();
}
