//! The supervisor, which started the driver and watches over it: systemd, or another program that speaks its
//! notification protocol (sd_notify(3): datagrams to the socket that `NOTIFY_SOCKET` names). Without
//! one, nothing here does anything.
//!
//! What the supervisor should know is kept beside what it was told. A message that did not fit into
//! its queue is said again at the next turn of the session, so none is lost and nothing waits.

use std::cell::{Cell, RefCell};
use std::ffi::OsStr;
use std::io;
use std::os::unix::net::{SocketAddr, UnixDatagram};
#[cfg(target_os = "linux")]
use std::os::{linux::net::SocketAddrExt, unix::ffi::OsStrExt};
use std::rc::Rc;
use std::time::Duration;
use tokio::time::Instant;

/// The supervisor, if there is one.
#[derive(Debug)]
pub struct Supervisor(Option<RefCell<Line>>);

/// The line to it.
#[derive(Debug)]
struct Line {
    socket: UnixDatagram,
    address: SocketAddr,
    /// Half of the time after which a silent driver is taken for dead.
    rhythm: Option<Duration>,
    /// When it was told last that we live.
    alive: Option<Instant>,
    /// What it should know.
    known: Known,
    /// What it was told.
    told: Known,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Known {
    ready: bool,
    status: String,
}

impl Supervisor {
    /// None.
    pub fn absent() -> Supervisor {
        Supervisor(None)
    }

    /// The one that the environment names, and after what time it takes us for dead. It has to be
    /// called before the root directory changes: the socket may not be found afterwards.
    ///
    /// # Errors
    /// A sentence, when there is one that cannot be reached.
    pub fn from_environment() -> Result<Supervisor, String> {
        let Some(name) = std::env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else {
            return Ok(Supervisor::absent());
        };
        let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
        let ours = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
        let limit = number("WATCHDOG_USEC").filter(|limit| ours && *limit > 0).map(Duration::from_micros);
        Supervisor::at(&name, limit).map_err(|error| {
            format!("cannot tell NOTIFY_SOCKET={} how it goes: {error}", name.to_string_lossy())
        })
    }

    /// The one that listens on this socket (a leading `@` means an abstract one) and takes a driver
    /// for dead that says nothing for `limit`.
    ///
    /// # Errors
    /// What the system says.
    pub fn at(name: &OsStr, limit: Option<Duration>) -> io::Result<Supervisor> {
        let address = address(name)?;
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        socket.connect_addr(&address)?;
        let rhythm = limit.map(|limit| limit / 2);
        let (known, told) = (Known::default(), Known::default());
        Ok(Supervisor(Some(RefCell::new(Line { socket, address, rhythm, alive: None, known, told }))))
    }

    /// The driver does its work now, or does it again after a [`reloading`](Supervisor::reloading).
    pub fn ready(&self) {
        self.tell(|known| known.ready = true);
    }

    /// How it goes, in one line for people. The same line again is not sent.
    pub fn status(&self, text: &str) {
        self.tell(|known| known.status = text.replace('\n', " "));
    }

    /// The configuration is read again; [`ready`](Supervisor::ready) has to follow.
    pub fn reloading(&self) {
        if let Some(line) = &self.0 {
            let mut line = line.borrow_mut();
            if line.known.ready && line.send("RELOADING=1\n") {
                (line.known.ready, line.told.ready) = (false, false);
            }
        }
    }

    /// The driver exits.
    pub fn stopping(&self) {
        if let Some(line) = &self.0 {
            // a message that is lost here costs nothing: the supervisor sees the end itself
            line.borrow_mut().send("STOPPING=1\n");
        }
    }

    /// The session has come round once more. Only this says that the driver lives: a timer of its own
    /// would go on when the session hangs.
    pub fn turn(&self, now: Instant) {
        if let Some(line) = &self.0 {
            let mut line = line.borrow_mut();
            let waits = line.alive.is_some() && line.next_turn().is_none_or(|due| now < due);
            if line.rhythm.is_some() && !waits && line.send("WATCHDOG=1\n") {
                line.alive = Some(now);
            }
            line.catch_up();
        }
    }

    /// When the session has to come round again at the latest.
    pub fn next_turn(&self) -> Option<Instant> {
        self.0.as_ref()?.borrow().next_turn()
    }

    fn tell(&self, what: impl FnOnce(&mut Known)) {
        if let Some(line) = &self.0 {
            let mut line = line.borrow_mut();
            what(&mut line.known);
            line.catch_up();
        }
    }
}

/// Tells the supervisor that the program lives, by the session that came round least lately: one that lives must
/// not hide one that hangs.
#[derive(Debug)]
pub struct Watchdog {
    supervisor: Rc<Supervisor>,
    /// When each session came round last.
    turns: RefCell<Vec<Rc<Cell<Instant>>>>,
}

/// A session that waits for others comes round again after so long.
const AGAIN: Duration = Duration::from_millis(100);

impl Watchdog {
    /// Of a program that has no sessions yet.
    pub fn new(supervisor: Rc<Supervisor>) -> Watchdog {
        Watchdog { supervisor, turns: RefCell::default() }
    }

    /// Watches a session, which keeps here when it came round last.
    pub fn watch(&self, last_turn: Rc<Cell<Instant>>) {
        self.turns.borrow_mut().push(last_turn);
    }

    /// A session came round. Returns when it has to come round again at the latest.
    pub fn turn(&self) -> Option<Instant> {
        let oldest = self.turns.borrow().iter().map(|turn| turn.get()).min()?;
        self.supervisor.turn(oldest);
        // what is due already waits for another session, or for room in the supervisor's queue
        self.supervisor.next_turn().map(|due| due.max(Instant::now() + AGAIN))
    }
}

fn address(name: &OsStr) -> io::Result<SocketAddr> {
    #[cfg(target_os = "linux")]
    if let [b'@', name @ ..] = name.as_bytes() {
        return SocketAddr::from_abstract_name(name);
    }
    SocketAddr::from_pathname(name)
}

impl Line {
    fn next_turn(&self) -> Option<Instant> {
        Some(self.alive? + self.rhythm?)
    }

    /// Says what was not said yet.
    fn catch_up(&mut self) {
        let mut text = String::new();
        if self.known.status != self.told.status {
            text += &format!("STATUS={}\n", self.known.status);
        }
        if self.known.ready && !self.told.ready {
            text += "READY=1\n";
        }
        if !text.is_empty() && self.send(&text) {
            self.told = self.known.clone();
        }
    }

    /// Whether the supervisor's queue took it.
    fn send(&mut self, text: &str) -> bool {
        let sent = match self.socket.send(text.as_bytes()) {
            // a supervisor that was replaced listens under the same name
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => {
                self.socket.send_to_addr(text.as_bytes(), &self.address)
            }
            sent => sent,
        };
        sent.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A listener under a name that no other test has, and what it heard since the last call.
    fn listener(name: &str) -> (UnixDatagram, String) {
        let name = format!("qxups-{}-{name}", std::process::id());
        let socket = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        socket.set_nonblocking(true).unwrap();
        (socket, format!("@{name}"))
    }

    fn heard(socket: &UnixDatagram) -> Vec<String> {
        let mut buffer = [0; 512];
        let next = || {
            let length = socket.recv(&mut buffer).ok()?;
            Some(String::from_utf8_lossy(&buffer[..length]).into_owned())
        };
        std::iter::from_fn(next).collect()
    }

    fn heard_once(socket: &UnixDatagram) -> String {
        let all = heard(socket);
        assert_eq!(all.len(), 1, "{all:?}");
        all.concat()
    }

    #[test]
    fn the_same_is_said_once() {
        let (socket, name) = listener("once");
        let supervisor = Supervisor::at(name.as_ref(), None).unwrap();
        supervisor.status("on mains (OL)");
        assert_eq!(heard_once(&socket), "STATUS=on mains (OL)\n");
        supervisor.status("on mains (OL)");
        supervisor.turn(Instant::now());
        assert!(heard(&socket).is_empty());
        supervisor.ready();
        supervisor.ready();
        assert_eq!(heard_once(&socket), "READY=1\n");
        supervisor.status("two\nREADY=0");
        assert_eq!(heard_once(&socket), "STATUS=two READY=0\n", "no line can be slipped in");
    }

    #[test]
    fn a_reload_begins_and_ends() {
        let (socket, name) = listener("reload");
        let supervisor = Supervisor::at(name.as_ref(), None).unwrap();
        supervisor.reloading();
        assert!(heard(&socket).is_empty(), "what was never ready cannot reload");
        supervisor.ready();
        supervisor.reloading();
        supervisor.ready();
        supervisor.stopping();
        assert_eq!(heard(&socket), ["READY=1\n", "RELOADING=1\n", "READY=1\n", "STOPPING=1\n"]);
    }

    #[test]
    fn only_turns_say_that_the_driver_lives() {
        let (socket, name) = listener("watchdog");
        let supervisor = Supervisor::at(name.as_ref(), Some(Duration::from_secs(60))).unwrap();
        supervisor.ready();
        supervisor.status("busy");
        assert!(heard(&socket).iter().all(|text| !text.contains("WATCHDOG")));
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        supervisor.turn(start);
        assert_eq!(heard_once(&socket), "WATCHDOG=1\n");
        assert_eq!(supervisor.next_turn(), Some(after(30)), "half of the limit");
        supervisor.turn(after(29));
        assert!(heard(&socket).is_empty());
        supervisor.turn(after(30));
        assert_eq!(heard_once(&socket), "WATCHDOG=1\n");
    }

    #[test]
    fn a_session_that_hangs_is_not_hidden_by_one_that_lives() {
        let (socket, name) = listener("hangs");
        let supervisor = Rc::new(Supervisor::at(name.as_ref(), Some(Duration::from_secs(60))).unwrap());
        let watchdog = Watchdog::new(supervisor);
        let start = Instant::now();
        let turns = [(); 3].map(|()| Rc::new(Cell::new(start)));
        turns.iter().for_each(|turn| watchdog.watch(turn.clone()));
        watchdog.turn();
        assert_eq!(heard_once(&socket), "WATCHDOG=1\n");
        let all_turn = |number: usize, seconds: u64| {
            for turn in &turns[..number] {
                turn.set(start + Duration::from_secs(seconds));
                watchdog.turn();
            }
        };
        // the third hangs for ten minutes
        (1..20).for_each(|turn| all_turn(2, 30 * turn));
        assert!(heard(&socket).is_empty());
        all_turn(3, 600);
        assert_eq!(heard_once(&socket), "WATCHDOG=1\n");
    }

    #[test]
    fn what_finds_a_full_queue_is_said_later() {
        let (socket, name) = listener("full");
        let supervisor = Supervisor::at(name.as_ref(), None).unwrap();
        let mut number = 0;
        // the system bounds the queue, to ten messages unless it was told otherwise
        while number < 100_000 && supervisor.0.as_ref().unwrap().borrow_mut().send("X") {
            number += 1;
        }
        assert!(number < 100_000);
        supervisor.status("on battery (OB)");
        supervisor.ready();
        assert!(heard(&socket).iter().all(|text| text == "X"));
        supervisor.turn(Instant::now());
        assert_eq!(heard_once(&socket), "STATUS=on battery (OB)\nREADY=1\n");
    }

    #[test]
    fn a_supervisor_may_be_replaced() {
        let (socket, name) = listener("replaced");
        let supervisor = Supervisor::at(name.as_ref(), None).unwrap();
        drop(socket);
        supervisor.status("not received");
        let (socket, _) = listener("replaced");
        supervisor.turn(Instant::now());
        assert_eq!(heard_once(&socket), "STATUS=not received\n");
    }

    #[test]
    fn without_one_nothing_is_due() {
        let supervisor = Supervisor::absent();
        supervisor.ready();
        supervisor.turn(Instant::now());
        assert_eq!(supervisor.next_turn(), None);
    }
}
