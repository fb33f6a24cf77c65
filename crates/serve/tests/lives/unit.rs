//! A UPS whose truth a test holds: behind the socket of a driver, or at another NUT server. It knows when each of its
//! values was true, what it was ordered, and what it said came of it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// How often a unit says how late it is.
pub const TICK: Duration = Duration::from_millis(100);

/// Where a unit is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// At the socket of a driver.
    Socket,
    /// At another NUT server.
    Server,
}

/// One UPS. No other has its serial number.
pub struct Unit {
    pub serial: String,
    pub place: Place,
    /// Its port, at a server.
    pub port: u16,
    path: PathBuf,
    began: Instant,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// Since when each status was true.
    statuses: Vec<(Instant, &'static str)>,
    is_stale: bool,
    hangs: bool,
    is_gone: bool,
    /// The last time at which it went, or was silent.
    troubled: Option<Instant>,
    /// What it says of orders, as a driver; none: nothing.
    code: Option<u8>,
    clients: Vec<Box<dyn Line>>,
    /// By their numbers, what was said of each: one entry for each time that it came.
    orders: BTreeMap<String, Vec<Option<u8>>>,
    /// By the names that servers gave them.
    outcomes: BTreeMap<String, Option<u8>>,
    /// Connections of before are none of now.
    life: u64,
}

/// A connection, of either kind.
trait Line: Read + Write + Send {
    fn another(&self) -> Option<Box<dyn Line>>;
    fn end(&self);
}

impl Line for UnixStream {
    fn another(&self) -> Option<Box<dyn Line>> {
        Some(Box::new(self.try_clone().ok()?))
    }
    fn end(&self) {
        let _ = self.shutdown(Shutdown::Both);
    }
}

impl Line for TcpStream {
    fn another(&self) -> Option<Box<dyn Line>> {
        Some(Box::new(self.try_clone().ok()?))
    }
    fn end(&self) {
        let _ = self.shutdown(Shutdown::Both);
    }
}

impl Unit {
    /// A unit that is on mains; `path` is the socket of its driver.
    pub fn start(serial: String, place: Place, path: &Path, began: Instant) -> Arc<Unit> {
        let state = State { statuses: vec![(began, "OL")], code: Some(0), ..State::default() };
        let state = Arc::new(Mutex::new(state));
        let port = if place == Place::Server { free_port() } else { 0 };
        let unit = Arc::new(Unit { serial, place, port, path: path.into(), began, state });
        unit.listen();
        let ticking = Arc::downgrade(&unit);
        std::thread::spawn(move || {
            while let Some(unit) = ticking.upgrade() {
                unit.say_state();
                drop(unit);
                std::thread::sleep(TICK);
            }
        });
        unit
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn listen(&self) {
        let life = self.state().life;
        let (state, began, serial) = (self.state.clone(), self.began, self.serial.clone());
        let take = move |line: Option<Box<dyn Line>>, place| {
            let (Some(line), Some(kept)) = (line.as_ref().and_then(|l| l.another()), line) else {
                return false;
            };
            let mut all = state.lock().unwrap();
            if all.life != life {
                return false;
            }
            all.clients.push(kept);
            let talk = Talk { state: state.clone(), began, serial: serial.clone(), life, place };
            std::thread::spawn(move || talk.talk(line));
            true
        };
        match self.place {
            Place::Socket => {
                let _ = std::fs::remove_file(&self.path);
                let listener = UnixListener::bind(&self.path).unwrap();
                std::thread::spawn(move || {
                    let boxed = |stream: UnixStream| Box::new(stream) as Box<dyn Line>;
                    while take(listener.accept().ok().map(|(stream, _)| boxed(stream)), Place::Socket) {}
                });
            }
            Place::Server => {
                let listener = bind(self.port);
                std::thread::spawn(move || {
                    let boxed = |stream: TcpStream| Box::new(stream) as Box<dyn Line>;
                    while take(listener.accept().ok().map(|(stream, _)| boxed(stream)), Place::Server) {}
                });
            }
        }
    }

    fn say_state(&self) {
        if self.place == Place::Server {
            return;
        }
        let mut state = self.state();
        if !state.hangs && !state.is_gone {
            let text = driver_lines(&state, self.began);
            state.clients.iter_mut().for_each(|client| drop(client.write_all(text.as_bytes())));
        }
    }

    pub fn set_status(&self, status: &'static str) {
        self.state().statuses.push((Instant::now(), status));
        self.say_state();
    }

    pub fn status(&self) -> &'static str {
        self.state().statuses.last().unwrap().1
    }

    pub fn set_stale(&self, is_stale: bool) {
        self.state().is_stale = is_stale;
        self.say_state();
    }

    pub fn set_hanging(&self, hangs: bool) {
        let mut state = self.state();
        (state.hangs, state.troubled) = (hangs, Some(Instant::now()));
    }

    pub fn answer_orders(&self, code: Option<u8>) {
        self.state().code = code;
    }

    /// Its driver, or its server, ends as if it were killed.
    pub fn go(&self) {
        let mut state = self.state();
        if std::mem::replace(&mut state.is_gone, true) {
            return;
        }
        (state.life, state.troubled) = (state.life + 1, Some(Instant::now()));
        state.clients.drain(..).for_each(|client| client.end());
        drop(state);
        // so that the listener is closed as well
        match self.place {
            Place::Socket => drop(UnixStream::connect(&self.path)),
            Place::Server => drop(TcpStream::connect(("127.0.0.1", self.port))),
        }
    }

    /// It is there again, and knows what it was ordered before.
    pub fn come(&self) {
        let mut state = self.state();
        if std::mem::replace(&mut state.is_gone, false) {
            state.troubled = Some(Instant::now());
            drop(state);
            self.listen();
        }
    }

    /// Whether it went or was silent after that.
    pub fn was_troubled_since(&self, since: Instant) -> bool {
        let state = self.state();
        state.hangs || state.is_gone || state.troubled.is_some_and(|at| at >= since)
    }

    /// Whether that was its status at some time between.
    pub fn was(&self, status: &str, from: Instant, until: Instant) -> bool {
        let state = self.state();
        let ends = state.statuses.iter().skip(1).map(|(at, _)| *at).chain([until + TICK]);
        let mut lasted = state.statuses.iter().zip(ends);
        lasted.any(|((began, word), end)| *word == status && *began <= until && end >= from)
    }

    /// What it said of an order, each time that it came.
    pub fn orders(&self) -> BTreeMap<String, Vec<Option<u8>>> {
        self.state().orders.clone()
    }
}

impl Drop for Unit {
    fn drop(&mut self) {
        self.go();
    }
}

fn bind(port: u16) -> TcpListener {
    for _ in 0..100 {
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) {
            return listener;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("port {port} is taken");
}

/// The status first: a moment is never later than it.
fn driver_lines(state: &State, began: Instant) -> String {
    let (status, moment) = (state.statuses.last().unwrap().1, began.elapsed().as_millis());
    let data = if state.is_stale { "DATASTALE" } else { "DATAOK" };
    format!("{data}\nSETINFO ups.status \"{status}\"\nSETINFO ups.moment \"{moment}\"\n")
}

/// One client of a unit.
struct Talk {
    state: Arc<Mutex<State>>,
    began: Instant,
    serial: String,
    life: u64,
    place: Place,
}

impl Talk {
    fn talk(&self, line: Box<dyn Line>) {
        let Some(mut writer) = line.another() else { return };
        for said in BufReader::new(line).lines() {
            let Ok(said) = said else { return };
            while self.state.lock().unwrap().hangs {
                std::thread::sleep(Duration::from_millis(10));
            }
            // written while it is locked: what is said later stands later
            let mut state = self.state.lock().unwrap();
            if state.life != self.life {
                return;
            }
            let words = nut::words::words(said.as_bytes()).unwrap_or_default();
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let answer = match self.place {
                Place::Socket => self.as_driver(&mut state, &words),
                Place::Server => self.as_server(&mut state, &words),
            };
            if writer.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    }

    fn as_driver(&self, state: &mut State, words: &[&str]) -> String {
        match words {
            ["DUMPALL"] => format!(
                "SETINFO ups.serial \"{}\"\nADDCMD test.panel.start\nSETINFO ups.id \"\"\nSETFLAGS ups.id RW STRING\n\
                 SETAUX ups.id 32\n{}DUMPDONE\n",
                self.serial,
                driver_lines(state, self.began)
            ),
            ["PING"] => "PONG\n".into(),
            ["INSTCMD" | "SET", _, number, rest @ ..] => {
                let code = state.order(number);
                match (rest, code) {
                    (["TRACKING", id], Some(code)) => format!("TRACKING {id} {code}\n"),
                    _ => String::new(),
                }
            }
            _ => String::new(),
        }
    }

    fn as_server(&self, state: &mut State, words: &[&str]) -> String {
        let list = |items: &str| {
            let asked = words.join(" ");
            format!("BEGIN {asked}\n{items}END {asked}\n")
        };
        match words {
            ["LIST", ..] if state.is_stale => "ERR DATA-STALE\n".into(),
            ["LIST", "VAR", ups] => {
                let (status, moment) = (state.statuses.last().unwrap().1, self.began.elapsed().as_millis());
                list(&format!(
                    "VAR {ups} ups.id \"\"\nVAR {ups} ups.moment \"{moment}\"\nVAR {ups} ups.serial \"{}\"\n\
                     VAR {ups} ups.status \"{status}\"\n",
                    self.serial
                ))
            }
            ["LIST", "CMD", ups] => list(&format!("CMD {ups} test.panel.start\n")),
            ["LIST", "RW", ups] => list(&format!("RW {ups} ups.id \"\"\n")),
            ["GET", "TYPE", ups, name] => format!("TYPE {ups} {name} RW STRING:32\n"),
            ["INSTCMD", _, _, number] | ["SET", "VAR", _, _, number] => {
                let code = state.order(number);
                let id = unique_id();
                state.outcomes.insert(id.clone(), code);
                format!("OK TRACKING {id}\n")
            }
            ["GET", "TRACKING", id] => match state.outcomes.get(*id) {
                Some(Some(code)) => format!("{}\n", outcome_word(*code)),
                Some(None) => "PENDING\n".into(),
                None => "ERR UNKNOWN\n".into(),
            },
            ["STARTTLS"] => "ERR FEATURE-NOT-CONFIGURED\n".into(),
            ["LIST" | "GET", ..] => "ERR INVALID-ARGUMENT\n".into(),
            _ => "OK\n".into(),
        }
    }
}

impl State {
    fn order(&mut self, number: &str) -> Option<u8> {
        let code = self.code;
        self.orders.entry(number.into()).or_default().push(code);
        code
    }
}

/// How a server says what a driver said (NUT 2.8.0 docs/net-protocol.txt).
pub fn outcome_word(code: u8) -> &'static str {
    match code {
        0 => "SUCCESS",
        1 => "ERR UNKNOWN",
        2 => "ERR INVALID-ARGUMENT",
        _ => "ERR FAILED",
    }
}

/// A number of which there is no other in this process.
pub fn number() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed)
}

fn unique_id() -> String {
    format!("00000000-0000-4000-8000-{:012x}", number())
}

/// A port that no other life is given, and no connection goes out from: those are above 32767.
pub fn free_port() -> u16 {
    loop {
        let port = 12_000 + (std::process::id() * 97 + number() as u32) % 20_000;
        let port = u16::try_from(port).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
