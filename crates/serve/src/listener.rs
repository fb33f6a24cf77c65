//! Where clients connect: the LISTEN rows of `upsd.conf`. An address that is not there yet is tried again, for as long
//! as it takes; what works goes on working.

use crate::server::Server;
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, SockaddrStorage, bind, listen, setsockopt, socket, sockopt,
};
use nut::upsd_conf::{Listen, ListenAddress};
use station::log::Log;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::os::fd::AsRawFd;
use std::rc::Rc;
use std::time::Duration;
use tokio::task::{AbortHandle, yield_now};
use tokio::time::sleep;

/// How often an address that is not there is tried.
const AGAIN: Duration = Duration::from_secs(2);
/// So many connections may wait to be accepted.
const BACKLOG: i32 = 1024;
/// When the system takes no more connections (no descriptors), for example.
const PAUSE: Duration = Duration::from_millis(100);

/// Which families are wanted (`-4`, `-6`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Family {
    /// Both.
    #[default]
    Any,
    /// IPv4 alone.
    V4,
    /// IPv6 alone.
    V6,
}

impl Family {
    fn takes(self, address: &SocketAddr) -> bool {
        match self {
            Family::Any => true,
            Family::V4 => address.is_ipv4(),
            Family::V6 => address.is_ipv6(),
        }
    }
}

/// A socket that listens, before there is a runtime.
#[derive(Debug)]
pub(crate) struct BoundSocket {
    address: SocketAddr,
    listener: std::net::TcpListener,
}

impl BoundSocket {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap_or(self.address)
    }
}

/// An address that cannot be listened on.
#[derive(Debug)]
pub(crate) struct NotBound {
    address: SocketAddr,
    error: io::Error,
}

impl NotBound {
    fn sentence(&self) -> String {
        let remedy = match self.error.kind() {
            io::ErrorKind::AddrInUse => {
                "another server listens there, upsd perhaps; end it, or listen at another port"
            }
            io::ErrorKind::PermissionDenied => "listen on a port above 1023",
            _ => "it is tried again until it works",
        };
        format!("cannot listen on {}: {}; {remedy}", self.address, self.error)
    }

    /// Whether waiting may help: an address that is not configured yet.
    fn may_come(&self) -> bool {
        !matches!(self.error.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied)
    }
}

/// The addresses of one row; a name may have several.
fn resolve(row: &Listen, family: Family) -> io::Result<Vec<SocketAddr>> {
    let port = row.port;
    let all: Vec<SocketAddr> = match &row.address {
        ListenAddress::Any => {
            vec![(Ipv4Addr::UNSPECIFIED, port).into(), (Ipv6Addr::UNSPECIFIED, port).into()]
        }
        ListenAddress::Host(host) => (host.as_str(), port).to_socket_addrs()?.collect(),
    };
    let mut wanted: Vec<SocketAddr> = all.into_iter().filter(|address| family.takes(address)).collect();
    wanted.dedup();
    Ok(wanted)
}

/// The rows, or loopback of both families where there is none.
fn rows(listen: &[Listen]) -> Vec<Listen> {
    let loopback =
        |host: &str| Listen { address: ListenAddress::Host(host.into()), port: nut::network::PORT, line: 0 };
    if listen.is_empty() { vec![loopback("127.0.0.1"), loopback("::1")] } else { listen.to_vec() }
}

/// Whether all rows are of this machine alone.
pub(crate) fn is_all_loopback(listen: &[Listen]) -> bool {
    rows(listen).iter().all(|row| match &row.address {
        ListenAddress::Any => false,
        ListenAddress::Host(host) => {
            host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
        }
    })
}

/// Listens on an address of one family: IPv6 sockets take no IPv4 clients, which have a socket of their own.
pub(crate) fn open(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let family = if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let socket = socket(family, SockType::Stream, flags, None)?;
    setsockopt(&socket, sockopt::ReuseAddr, &true)?;
    if address.is_ipv6() {
        setsockopt(&socket, sockopt::Ipv6V6Only, &true)?;
    }
    bind(socket.as_raw_fd(), &SockaddrStorage::from(address))?;
    listen(&socket, Backlog::new(BACKLOG)?)?;
    Ok(socket.into())
}

/// What became of the rows before there is a runtime.
#[derive(Debug, Default)]
pub(crate) struct Opened {
    pub bound: Vec<BoundSocket>,
    not_bound: Vec<NotBound>,
    not_resolved: Vec<String>,
    /// Sentences of those that are no address, and never will be.
    misread: Vec<String>,
    /// Names are looked up later.
    names_wait: bool,
}

impl Opened {
    /// Listens wherever that is possible at once.
    pub fn now(listen: &[Listen], family: Family) -> Opened {
        let mut opened = Opened::default();
        let is_name = |row: &Listen| match &row.address {
            ListenAddress::Host(host) => host != "localhost" && host.parse::<IpAddr>().is_err(),
            ListenAddress::Any => false,
        };
        let (names, others): (Vec<Listen>, Vec<Listen>) = rows(listen).into_iter().partition(is_name);
        // looking up a name may take long, and keeps no other row waiting: see [`keep`]
        opened.names_wait = !names.is_empty() && !others.is_empty();
        for row in if others.is_empty() { names } else { others } {
            match resolve(&row, family) {
                Ok(addresses) => addresses.into_iter().for_each(|address| opened.add(address)),
                Err(error) => match misread(&row) {
                    Some(sentence) => opened.misread.push(sentence),
                    None => opened.not_resolved.push(unresolved(&row, &error)),
                },
            }
        }
        opened
    }

    fn add(&mut self, address: SocketAddr) {
        if self.bound.iter().any(|bound| bound.address == address) {
            return;
        }
        match open(address) {
            Ok(listener) => self.bound.push(BoundSocket { address, listener }),
            Err(error) => self.not_bound.push(NotBound { address, error }),
        }
    }

    /// Why the server should not start: it listens nowhere, and waiting would not change that.
    pub fn is_hopeless(&self) -> Option<String> {
        if !self.bound.is_empty() || !self.not_resolved.is_empty() || self.names_wait {
            return None;
        }
        let hopeless = self.not_bound.iter().find(|not_bound| !not_bound.may_come());
        hopeless.map(NotBound::sentence).or_else(|| self.misread.first().cloned())
    }

    /// Sentences for the log.
    pub fn complaints(&self) -> impl Iterator<Item = String> + '_ {
        let words = self.not_resolved.iter().chain(&self.misread).cloned();
        self.not_bound.iter().map(NotBound::sentence).chain(words)
    }
}

fn unresolved(row: &Listen, error: &io::Error) -> String {
    let name = match &row.address {
        ListenAddress::Any => "*",
        ListenAddress::Host(host) => host,
    };
    format!("upsd.conf, line {}: cannot find the address of {name}: {error}; it is tried again", row.line)
}

/// What is said of an address with its port behind a colon.
fn misread(row: &Listen) -> Option<String> {
    let ListenAddress::Host(name) = &row.address else { return None };
    let (host, port) = name.split_once(':')?;
    let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let sentence =
        || format!("upsd.conf, line {}: {name} is no address: write LISTEN {host} {port}", row.line);
    (is_port && !host.is_empty()).then(sentence)
}

/// All listeners of a server.
#[derive(Debug)]
pub(crate) struct Listeners {
    family: Family,
    /// By the address that was asked for.
    open: BTreeMap<SocketAddr, AbortHandle>,
    /// Tries what is not there yet.
    trying: Option<AbortHandle>,
}

impl Listeners {
    /// Serves clients of what is open; must be called inside of a tokio `LocalRuntime` or `LocalSet`.
    ///
    /// # Errors
    /// What the system says.
    pub fn start(server: &Rc<Server>, opened: Opened, family: Family) -> io::Result<Listeners> {
        let mut listeners = Listeners { family, open: BTreeMap::new(), trying: None };
        for BoundSocket { address, listener } in opened.bound {
            listeners.serve(server, address, listener)?;
        }
        Ok(listeners)
    }

    fn serve(
        &mut self,
        server: &Rc<Server>,
        address: SocketAddr,
        listener: std::net::TcpListener,
    ) -> io::Result<()> {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let task = tokio::task::spawn_local(accept(server.clone(), listener, address.ip()));
        self.open.insert(address, task.abort_handle());
        Ok(())
    }
}

/// Accepts clients for ever.
async fn accept(server: Rc<Server>, listener: tokio::net::TcpListener, at: IpAddr) {
    let mut in_a_row = 0;
    loop {
        match listener.accept().await {
            Ok((stream, from)) => server.admit(stream, from.ip().to_canonical(), server.tls_offer(at)),
            Err(error) => {
                server.say_seldom("accept", None, &format!("cannot accept a client: {error}"));
                sleep(PAUSE).await;
            }
        }
        in_a_row += 1;
        if in_a_row >= server.newcomers_at_once() {
            in_a_row = 0;
            yield_now().await;
        }
    }
}

/// Why a reload should leave all as it is: these rows would take every listener away, and waiting would not bring one
/// of theirs. (What a name stands for is not known at once; see [`keep`] for those.)
pub(crate) fn would_be_deaf(listeners: &Listeners, listen: &[Listen]) -> Option<String> {
    let mut sentence = None;
    for row in rows(listen) {
        let is_name = matches!(&row.address, ListenAddress::Host(host) if host.parse::<IpAddr>().is_err());
        let wanted = if is_name { return None } else { resolve(&row, listeners.family).ok()? };
        for address in wanted {
            // one of ours at the same port goes first
            if listeners.open.keys().any(|open| open.port() == address.port()) {
                return None;
            }
            let not_bound = NotBound { address, error: open(address).err()? };
            if not_bound.may_come() {
                return None;
            }
            sentence = sentence.or_else(|| Some(not_bound.sentence()));
        }
    }
    sentence
}

/// Makes the listeners what the rows say, and tries for ever what is not there yet. As long as nothing of that works,
/// what worked before goes on.
pub(crate) fn keep(server: &Rc<Server>, listeners: &Rc<RefCell<Listeners>>, listen: &[Listen], log: &Log) {
    if let Some(trying) = listeners.borrow_mut().trying.take() {
        trying.abort();
    }
    let (rows, server, log) = (rows(listen), server.clone(), log.clone());
    let all = Rc::downgrade(listeners);
    let task = tokio::task::spawn_local(async move {
        let mut first = true;
        loop {
            let Some(listeners) = all.upgrade() else { return };
            let family = listeners.borrow().family;
            let asked = rows.clone();
            let resolving = tokio::task::spawn_blocking(move || {
                asked.iter().map(|row| resolve(row, family)).collect::<Vec<_>>()
            });
            let resolved = resolving.await.unwrap_or_default();
            let complete = resolved.iter().all(Result::is_ok) && resolved.len() == rows.len();
            let wanted: Vec<SocketAddr> = resolved.into_iter().flatten().flatten().collect();
            let missing = take_addresses(&server, &listeners, &wanted, complete, first, &log).await;
            drop(listeners);
            if complete && missing == 0 {
                return;
            }
            first = false;
            sleep(AGAIN).await;
        }
    });
    listeners.borrow_mut().trying = Some(task.abort_handle());
}

/// Opens what is wanted and closes what is not; how many are missing. Where not all names are known (`complete`), nothing is
/// taken away.
async fn take_addresses(
    server: &Rc<Server>,
    listeners: &RefCell<Listeners>,
    wanted: &[SocketAddr],
    complete: bool,
    first: bool,
    log: &Log,
) -> usize {
    // a name that is not known for a while takes nothing away
    let in_the_way = match first && complete {
        true => listeners.borrow_mut().close(|open| is_in_the_way(open, wanted), log),
        false => vec![],
    };
    if !in_the_way.is_empty() {
        // an aborted task holds its socket until it is dropped
        yield_now().await;
    }
    let missing = listeners.borrow_mut().open_new(server, wanted, log, first);
    let has_any = listeners.borrow().has_any(wanted);
    if has_any && complete {
        listeners.borrow_mut().close(|open| !wanted.contains(open), log);
    } else if !has_any {
        listeners.borrow_mut().open_new(server, &in_the_way, log, true);
    }
    missing
}

/// Whether a listener that is not wanted any more may keep one from opening: it has its port.
fn is_in_the_way(open: &SocketAddr, wanted: &[SocketAddr]) -> bool {
    !wanted.contains(open) && wanted.iter().any(|address| address.port() == open.port())
}

impl Listeners {
    /// Closes some; which.
    fn close(&mut self, which: impl Fn(&SocketAddr) -> bool, log: &Log) -> Vec<SocketAddr> {
        let closed: Vec<SocketAddr> = self.open.keys().copied().filter(which).collect();
        for address in &closed {
            if let Some(task) = self.open.remove(address) {
                task.abort();
                log.info(&format!("no longer listening on {address}"));
            }
        }
        closed
    }

    fn has_any(&self, wanted: &[SocketAddr]) -> bool {
        wanted.iter().any(|address| self.open.contains_key(address))
    }

    /// How many are missing still.
    fn open_new(&mut self, server: &Rc<Server>, wanted: &[SocketAddr], log: &Log, loud: bool) -> usize {
        let mut missing = 0;
        for address in wanted {
            if self.open.contains_key(address) {
                continue;
            }
            let opened = open(*address).and_then(|listener| self.serve(server, *address, listener));
            match opened {
                Ok(()) => log.info(&format!("listening on {address}")),
                Err(error) => {
                    missing += 1;
                    if loud {
                        log.warning(&NotBound { address: *address, error }.sentence());
                    }
                }
            }
        }
        missing
    }
}
