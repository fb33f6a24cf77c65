//! The driver socket: what upsd connects to. (NUT 2.8.0 drivers/dstate.c; newer words too.)
//!
//! Each client has a bounded buffer of its own and a task of its own; one that does not read is
//! dropped, and nothing waits for it.

use nut::driver_socket::{self as text, LineBuffer, SocketRequest};
use qx::device::Outcome;
use qx::device::store::{Access, Change, Entry, Store};
use qx::wire::setting::Choice;
use station::log::Log;
use station::seldom::{Seldom, counted};
use station::{Publisher, Refused, Request, RequestedAction, Requests, SharedDevice};
use std::cell::{Cell, RefCell};
use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Notify;
use tokio::task::{AbortHandle, yield_now};
use tokio::time::{Instant, timeout};

/// A client with more than this unread is dropped.
const UNREAD: usize = 256 * 1024;
/// A client that takes nothing for so long is dropped.
const DEAF: Duration = Duration::from_secs(10);
/// More clients at a time are turned away.
const CLIENTS: usize = 128;

/// A connected client.
#[derive(Debug, Default)]
struct Client {
    out: RefCell<Vec<u8>>,
    wake: Notify,
    broadcast: Cell<bool>,
    dropped: Cell<bool>,
}

impl Client {
    fn send(&self, line: &str) {
        let mut out = self.out.borrow_mut();
        if out.len() + line.len() > UNREAD {
            self.dropped.set(true);
        } else {
            out.extend_from_slice(line.as_bytes());
        }
        self.wake.notify_one();
    }
}

#[derive(Debug, Default)]
struct Clients {
    list: RefCell<Vec<Rc<Client>>>,
    /// The socket is closed: clients that are connected are let go.
    closed: Cell<bool>,
    complaints: Complaints,
}

/// What a client can do again and again.
#[derive(Debug, Default)]
struct Complaints {
    turned_away: RefCell<Seldom>,
    not_accepted: RefCell<Seldom>,
    deaf: RefCell<Seldom>,
    too_many_requests: RefCell<Seldom>,
}

/// Warns, unless the same was said not long ago.
fn complain(of: &RefCell<Seldom>, log: &Log, text: &str) {
    if let Some(times) = of.borrow_mut().happened(Instant::now()) {
        log.warning(&counted(text, times));
    }
}

/// The socket. It is removed from the file system when this is dropped, and its clients are let go.
#[derive(Debug)]
pub struct DriverSocket {
    path: PathBuf,
    clients: Rc<Clients>,
    accepting: AbortHandle,
}

/// Tells the clients what changed.
#[derive(Debug)]
pub struct SocketPublisher(Rc<Clients>);

impl DriverSocket {
    /// Opens the socket at `path`, in place of one that a dead driver left. Must be called inside
    /// of a tokio `LocalRuntime` or `LocalSet`; clients are served by tasks of it.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: &Path, device: SharedDevice, requests: Requests, log: Log) -> io::Result<DriverSocket> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, Permissions::from_mode(0o660))?;
        let clients = Rc::new(Clients::default());
        let all = clients.clone();
        let accepting = tokio::task::spawn_local(async move {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) if all.list.borrow().len() < CLIENTS => {
                        tokio::task::spawn_local(serve(
                            stream,
                            device.clone(),
                            requests.clone(),
                            all.clone(),
                            log.clone(),
                        ));
                    }
                    Ok(_) => {
                        let text = format!(
                            "{CLIENTS} clients are connected to the driver socket, so one was turned away: upsd needs one connection; 'lsof -U' shows who holds the others"
                        );
                        complain(&all.complaints.turned_away, &log, &text);
                    }
                    Err(error) => {
                        let text = format!("driver socket: a client was not let in: {error}");
                        complain(&all.complaints.not_accepted, &log, &text);
                        tokio::time::sleep(Duration::from_secs(1)).await;
                    }
                }
            }
        });
        Ok(DriverSocket { path: path.to_path_buf(), clients, accepting: accepting.abort_handle() })
    }

    /// What tells the clients of changes.
    pub fn publisher(&self) -> SocketPublisher {
        SocketPublisher(self.clients.clone())
    }
}

impl Drop for DriverSocket {
    fn drop(&mut self) {
        // it may be gone already, with the directory it was in
        let _ = std::fs::remove_file(&self.path);
        self.accepting.abort();
        self.clients.closed.set(true);
        self.clients.list.borrow().iter().for_each(|client| client.wake.notify_one());
    }
}

impl Publisher for SocketPublisher {
    fn changed(&mut self, store: &Store, changes: &[Change]) {
        if self.0.list.borrow().is_empty() {
            return;
        }
        let mut lines = String::new();
        for change in changes {
            match change {
                Change::New(name) => {
                    if let Some(entry) = store.get(name) {
                        lines += &variable(name, entry);
                    }
                }
                Change::Set(name) => {
                    if let Some(entry) = store.get(name) {
                        lines += &text::setinfo(name, entry.text());
                    }
                }
                Change::Removed(name) => lines += &text::delinfo(name),
                Change::Command(name, true) => lines += &text::addcmd(name),
                Change::Command(name, false) => lines += &text::delcmd(name),
                Change::Stale(true) => lines += &text::datastale(),
                // what is fresh comes first, then the word for it
                Change::Stale(false) => {}
            }
        }
        if changes.contains(&Change::Stale(false)) && !store.is_stale() {
            lines += &text::dataok();
        }
        for client in self.0.list.borrow().iter().filter(|client| client.broadcast.get()) {
            client.send(&lines);
        }
    }
}

async fn serve(stream: UnixStream, device: SharedDevice, requests: Requests, clients: Rc<Clients>, log: Log) {
    let client = Rc::new(Client::default());
    client.broadcast.set(true);
    clients.list.borrow_mut().push(client.clone());
    let conversation =
        Conversation { client: client.clone(), device, requests, clients: clients.clone(), log };
    conversation.run(stream).await;
    clients.list.borrow_mut().retain(|other| !Rc::ptr_eq(other, &client));
}

struct Conversation {
    client: Rc<Client>,
    device: SharedDevice,
    requests: Requests,
    clients: Rc<Clients>,
    log: Log,
}

impl Conversation {
    /// Until the client leaves, is dropped, or says LOGOUT.
    async fn run(&self, mut stream: UnixStream) {
        let (mut reader, mut writer) = stream.split();
        let mut lines = LineBuffer::default();
        let mut buffer = [0; 1024];
        let mut leaving = false;
        while !leaving && !self.client.dropped.get() && !self.clients.closed.get() {
            tokio::select! {
                read = reader.read(&mut buffer) => match read {
                    Ok(0) | Err(_) => break,
                    Ok(read) => {
                        // the session goes first: after a stop it may know that the data is old
                        yield_now().await;
                        lines.push(&buffer[..read]);
                        while let Some(line) = lines.next_line() {
                            leaving |= self.take(line);
                        }
                    }
                },
                () = self.client.wake.notified() => {}
            }
            let out = std::mem::take(&mut *self.client.out.borrow_mut());
            match timeout(DEAF, writer.write_all(&out)).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => break,
                Err(_) => self.client.dropped.set(true),
            }
        }
        if self.client.dropped.get() {
            let text = "a client of the driver socket does not read what it is told: dropped";
            complain(&self.clients.complaints.deaf, &self.log, text);
        }
    }

    /// Does what a line asks for; true for LOGOUT.
    fn take(&self, line: Result<Vec<u8>, text::RequestError>) -> bool {
        let request = match line.and_then(|line| SocketRequest::parse(&line)) {
            Ok(request) => request,
            Err(error) => {
                self.log.debug(1, || format!("driver socket: {error}"));
                return false;
            }
        };
        self.log.debug(5, || format!("driver socket: {request:?}"));
        let send = |line: &str| self.client.send(line);
        match request {
            SocketRequest::Ping => send(&text::pong()),
            SocketRequest::DumpAll => send(&dump(self.device.borrow().store(), |_| true, true)),
            SocketRequest::DumpValue { variable } => {
                send(&dump(self.device.borrow().store(), |name| name.eq_ignore_ascii_case(&variable), false));
            }
            SocketRequest::DumpStatus => {
                send(&dump(self.device.borrow().store(), |name| name == "ups.status", false))
            }
            SocketRequest::GetPid => send(&text::pid(std::process::id())),
            SocketRequest::Broadcast(on) => self.client.broadcast.set(on),
            SocketRequest::InstCmd { name, parameter, tracking } => {
                self.ask(tracking, RequestedAction::Command { name, parameter });
            }
            SocketRequest::Set { variable, value, tracking } => {
                self.ask(tracking, RequestedAction::Set { variable, value });
            }
            SocketRequest::Logout => {
                send(&text::ok_goodbye());
                return true;
            }
        }
        false
    }

    /// Leaves a request for the session; its answer goes to this client, if it wants one.
    fn ask(&self, tracking: Option<String>, what: RequestedAction) {
        let client = self.client.clone();
        let request = Request::new(what, move |outcome| {
            if let Some(tracking) = &tracking {
                client.send(&text::tracking(tracking, code(&outcome)));
            }
        });
        match self.requests.leave(request) {
            Err(refused @ Refused::TooMany) => {
                complain(&self.clients.complaints.too_many_requests, &self.log, &refused.to_string());
            }
            Ok(()) | Err(Refused::Stopped) => {}
        }
    }
}

/// NUT's number for an outcome (NUT 2.8.0 drivers/upshandler.h).
fn code(outcome: &Outcome) -> u8 {
    match outcome {
        Outcome::Done => text::code::HANDLED,
        Outcome::Unknown => text::code::UNKNOWN,
        Outcome::Invalid(_) => text::code::INVALID,
        Outcome::Failed(_) | Outcome::NotConfirmed(_) => text::code::FAILED,
    }
}

/// The variables that `wanted` names and, for `all`, the commands; then the state of the data.
fn dump(store: &Store, wanted: impl Fn(&str) -> bool, all: bool) -> String {
    let mut lines = if store.is_stale() { text::datastale() } else { String::new() };
    for (name, entry) in store.entries().filter(|(name, _)| wanted(name)) {
        lines += &variable(name, entry);
    }
    if all {
        store.commands().iter().for_each(|command| lines += &text::addcmd(command));
    }
    if !store.is_stale() {
        lines += &text::dataok();
    }
    lines + &text::dumpdone()
}

fn variable(name: &str, entry: &Entry) -> String {
    let value = text::setinfo(name, entry.text());
    match &entry.access {
        Access::Read => value,
        Access::Write(Choice::Range(least, most)) => {
            let range = text::addrange(name, (*least).into(), (*most).into());
            value + &range + &text::setflags(name, &["RW", "NUMBER"])
        }
        Access::Write(Choice::OneOf(words)) => {
            let words: String = words.iter().map(|word| text::addenum(name, word)).collect();
            value + &words + &text::setflags(name, &["RW", "NUMBER"])
        }
        Access::Write(Choice::Free) => value + &text::setflags(name, &["RW", "NUMBER"]),
    }
}
