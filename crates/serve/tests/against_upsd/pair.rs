//! Both servers, and a client of each that asks the same.

use crate::model::{self, USERS};
use crate::site::{Client, FakeDriver, Site, free_port, judge, program};
use nut::driver_socket::SocketRequest;
use nut::network::server::Freshness;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(30);

/// This server and upsd, with the same configuration and the same drivers.
pub struct Both {
    pub site: Site,
    port: u16,
    upsd: Child,
}

impl Both {
    /// In front of the UPSes of the model, each a socket; none without upsd.
    pub fn of_the_model(name: &str) -> Option<(Both, Vec<FakeDriver>)> {
        judge("upsd", program("upsd"))?;
        let mut conf = String::new();
        for ups in model::upses() {
            let about = ups
                .description
                .map_or(String::new(), |text| format!("desc = {}\n", nut::words::quoted(text)));
            conf += &format!("[{}]\ndriver = fake\nport = auto\n{about}", ups.name);
        }
        let mut site = Site::new(&format!("against-{name}"), &conf, "MAXAGE 3\n");
        let drivers: Vec<FakeDriver> = model::upses()
            .iter()
            .filter(|ups| ups.freshness != Freshness::NotConnected)
            .map(|ups| FakeDriver::start(&site, &format!("fake-{}", ups.name), &ups.dump()))
            .collect();
        let port = free_port();
        std::fs::create_dir_all(site.folder.join("upsd")).unwrap();
        site.write("upsd/upsd.conf", &format!("LISTEN 127.0.0.1 {port}\nMAXAGE 3\n"));
        site.write("upsd.users", USERS);
        site.start();
        let upsd = upsd(&site);
        let both = Both { site, port, upsd };
        both.until_ready();
        Some((both, drivers))
    }

    fn until_ready(&self) {
        self.site.until("upsd takes clients", || TcpStream::connect(("127.0.0.1", self.port)).is_ok());
        let mut pair = self.connect();
        pair.until("GET VAR ups ups.status", "VAR ups ups.status \"OL CHRG\"");
        pair.until("GET VAR bare ups.status", "VAR bare ups.status \"OB LB\"");
        pair.until("LIST VAR old", "ERR DATA-STALE");
    }

    pub fn ups_conf(&self) -> String {
        std::fs::read_to_string(self.site.folder.join("ups.conf")).unwrap()
    }

    /// A file for both.
    pub fn write(&self, name: &str, text: &str) {
        self.site.write(name, text);
        self.site.write(&format!("upsd/{name}"), text);
    }

    pub fn reload(&self) {
        self.site.signal(nix::sys::signal::Signal::SIGHUP);
        let upsd = nix::unistd::Pid::from_raw(i32::try_from(self.upsd.id()).unwrap());
        nix::sys::signal::kill(upsd, nix::sys::signal::Signal::SIGHUP).unwrap();
    }

    /// Both are killed, and start again.
    pub fn restart(&mut self) {
        self.site.kill();
        self.upsd.kill().unwrap();
        self.upsd.wait().unwrap();
        let _ = std::fs::remove_file(self.site.folder.join("upsd/upsd.pid"));
        self.site.start();
        self.upsd = upsd(&self.site);
        self.until_ready();
    }

    pub fn connect(&self) -> Pair {
        let clients = [self.site.port, self.port].map(Client::new);
        Pair { clients, count: 0, said: vec![] }
    }

    pub fn user(&self, name: &str, password: &str) -> Pair {
        let mut pair = self.connect();
        pair.same(&format!("USERNAME {name}"));
        pair.same(&format!("PASSWORD {password}"));
        pair
    }

    /// The numbers of logins get to be the same: a client that left is noticed at some moment.
    pub fn same_logins(&self, upses: &[&str]) {
        let mut pair = self.connect();
        for ups in upses {
            pair.until_same(&format!("LIST CLIENT {ups}"));
        }
    }

    /// Each order reached the driver from both, the same.
    pub fn same_orders(&self, drivers: &[FakeDriver]) {
        for driver in drivers {
            let mut left = vec![];
            let began = Instant::now();
            while began.elapsed() < PATIENCE / 6 {
                left = unpaired(driver);
                if left.is_empty() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            assert_eq!(left, Vec::<String>::new());
        }
    }
}

/// The orders without their twins. (upsd quotes less.)
fn unpaired(driver: &FakeDriver) -> Vec<String> {
    let mut orders: Vec<String> = driver.orders().iter().map(|line| understood(line)).collect();
    orders.sort();
    let mut left: Vec<String> = vec![];
    for order in orders {
        if left.last() == Some(&order) {
            left.pop();
        } else {
            left.push(order);
        }
    }
    left
}

/// What an order says, without its id.
fn understood(line: &str) -> String {
    let mut request = SocketRequest::parse(line.as_bytes());
    if let Ok(SocketRequest::InstCmd { tracking, .. } | SocketRequest::Set { tracking, .. }) = &mut request {
        *tracking = None;
    }
    format!("{request:?}")
}

fn upsd(site: &Site) -> Child {
    let folder = site.folder.join("upsd");
    for name in ["ups.conf", "upsd.users"] {
        std::fs::copy(site.folder.join(name), folder.join(name)).unwrap();
    }
    let log = std::fs::File::options().create(true).append(true).open(folder.join("log")).unwrap();
    Command::new("/lib/nut/upsd")
        .args(["-F", "-u", "root"])
        .env("NUT_CONFPATH", &folder)
        .env("NUT_STATEPATH", site.state())
        .env("NUT_ALTPIDPATH", &folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap()
}

impl Drop for Both {
    fn drop(&mut self) {
        let _ = self.upsd.kill();
        let _ = self.upsd.wait();
    }
}

/// A client of this server and a client of upsd.
pub struct Pair {
    clients: [Client; 2],
    count: usize,
    /// What was asked, for who reads of a difference.
    said: Vec<String>,
}

/// Without what is of one server alone: ids, and what it calls itself (`net-version`).
fn comparable(line: &str) -> String {
    match line.strip_prefix("OK TRACKING ") {
        Some(id) if id.len() == 36 => "OK TRACKING id".into(),
        _ => line.replace(concat!("qxups ", env!("CARGO_PKG_VERSION")), "http://www.networkupstools.org/"),
    }
}

impl Pair {
    /// What each answers, to its last line. A request whose answer is known ends it.
    fn answers(&mut self, bytes: [&[u8]; 2]) -> [Vec<String>; 2] {
        self.count += 1;
        let fence = format!("GET VAR fence.{} server.version\n", self.count);
        let end = format!("VAR fence.{} server.version \"2.8.0\"", self.count);
        // the second client asks when the first has its answer, as what both do is done by one driver
        let mut both = [vec![], vec![]];
        for (at, client) in self.clients.iter_mut().enumerate() {
            // in one write: upsd answers the second of two after 44 ms
            client.stream.write_all(&[bytes[at], fence.as_bytes()].concat()).unwrap();
            loop {
                let line = client.hear();
                if line == end {
                    break;
                }
                let is_over = line.is_empty();
                both[at].push(line);
                if is_over {
                    break;
                }
            }
        }
        both
    }

    /// Both answer the same to these bytes, which are whole lines.
    pub fn same_bytes(&mut self, bytes: &[u8]) {
        self.said.push(bytes.escape_ascii().to_string());
        let answers = self.answers([bytes, bytes]);
        let [mut ours, mut theirs] =
            answers.map(|lines| lines.iter().map(|line| comparable(line)).collect::<Vec<_>>());
        // after a reload upsd lists new UPSes first (`serve-order`)
        for lines in [&mut ours, &mut theirs] {
            if lines.first().is_some_and(|line| line == "BEGIN LIST UPS") {
                lines.sort();
            }
        }
        let before = &self.said[self.said.len().saturating_sub(12)..];
        assert_eq!(ours, theirs, "(ours, theirs) after {before:#?}");
    }

    /// What each answers, as it is.
    pub fn exactly(&mut self, request: &str) -> [Vec<String>; 2] {
        let line = format!("{request}\n");
        self.answers([line.as_bytes(), line.as_bytes()])
    }

    pub fn same(&mut self, request: &str) {
        self.same_bytes(format!("{request}\n").as_bytes());
    }

    /// The same, where something was said before that belongs to a difference.
    pub fn same_after(&mut self, request: &str, said: &str) {
        self.said.push(format!("[a driver: {}]", said.trim_end()));
        self.same(request);
    }

    /// Waits until both answer so.
    pub fn until(&mut self, request: &str, expected: &str) {
        self.until_each([request.into(), request.into()], expected);
    }

    pub fn until_each(&mut self, requests: [String; 2], expected: &str) {
        let began = Instant::now();
        let lines = requests.map(|request| request + "\n");
        loop {
            let answers = self.answers([lines[0].as_bytes(), lines[1].as_bytes()]);
            if answers.iter().all(|answer| answer.len() == 1 && answer[0] == expected) {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "{}: (ours, theirs) {answers:?}, not {expected}", lines[0]);
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn until_same(&mut self, request: &str) {
        let began = Instant::now();
        let line = format!("{request}\n");
        loop {
            let [ours, theirs] = self.answers([line.as_bytes(), line.as_bytes()]);
            if ours == theirs {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "{request}: {ours:?}, and upsd {theirs:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Requests of one meaning with the ids of each server.
    pub fn each(&mut self, requests: [String; 2]) {
        let lines = requests.map(|request| request + "\n");
        let [ours, theirs] = self.answers([lines[0].as_bytes(), lines[1].as_bytes()]);
        assert_eq!(ours, theirs, "{lines:?}");
    }

    /// The ids that both give an order.
    pub fn tracked(&mut self, order: &str) -> [String; 2] {
        let line = format!("{order}\n");
        self.answers([line.as_bytes(), line.as_bytes()]).map(|lines| {
            assert_eq!(lines.len(), 1, "{order}: {lines:?}");
            lines[0].strip_prefix("OK TRACKING ").unwrap_or_else(|| panic!("{order}: {lines:?}")).to_string()
        })
    }

    /// Both answer the same, or both have closed.
    pub fn same_or_closed(&mut self, request: &str) {
        let answers = self.clients.each_mut().map(|client| {
            let _ = client.stream.write_all(format!("{request}\n").as_bytes());
            let mut bytes = vec![];
            let _ = client.stream.shutdown(Shutdown::Write);
            let _ = client.stream.read_to_end(&mut bytes);
            bytes.escape_ascii().to_string()
        });
        assert_eq!(answers[0], answers[1], "{request}");
    }

    pub fn say_slowly(&mut self, bytes: &[u8]) {
        for client in &mut self.clients {
            for byte in bytes {
                client.stream.write_all(&[*byte]).unwrap();
                std::thread::sleep(Duration::from_millis(2));
            }
        }
        let [ours, theirs] = self.clients.each_mut().map(Client::hear);
        assert_eq!(ours, theirs);
    }

    /// Says these bytes and no more, and reads to the end.
    pub fn same_to_the_end(&mut self, bytes: &[u8]) {
        let answers = self.clients.each_mut().map(|client| {
            let mut writer = client.stream.try_clone().unwrap();
            let whole = bytes.to_vec();
            let writing = std::thread::spawn(move || {
                let _ = writer.write_all(&whole);
                let _ = writer.shutdown(Shutdown::Write);
            });
            let mut answer = vec![];
            let _ = client.stream.read_to_end(&mut answer);
            writing.join().unwrap();
            comparable(&String::from_utf8_lossy(&answer))
        });
        assert_eq!(answers[0], answers[1], "{}", bytes.escape_ascii());
    }
}
