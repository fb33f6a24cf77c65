//! Where pages are served: the addresses of `[web]`. One that is not there yet is tried until it is, as those of LISTEN.

use super::PageDesk;
use super::stream::PageStream;
use crate::extras::WebOptions;
use crate::listener::open;
use crate::server::Server;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tls::rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, spawn_local, yield_now};
use tokio::time::sleep;
use web::Place;
use web::access::Caller;
use web::http::{GatePass, serve_caller};

/// How often an address that is not there is tried.
const AGAIN: Duration = Duration::from_secs(2);
/// When the system takes no more connections.
const PAUSE: Duration = Duration::from_millis(100);
/// So many newcomers are taken before others have their turn.
const AT_ONCE: u32 = 16;

/// The pages of a server, as long as they are wanted.
pub(crate) struct Pages {
    server: Rc<Server>,
    /// The folder of what lasts.
    lasting: PathBuf,
    running: RefCell<Option<Running>>,
}

/// What is there while they are served.
struct Running {
    options: WebOptions,
    desk: Rc<PageDesk>,
    open: Rc<RefCell<BTreeMap<SocketAddr, AbortHandle>>>,
    trying: AbortHandle,
}

impl Running {
    /// Ends all of it.
    fn end(self) {
        self.trying.abort();
        self.open.borrow().values().for_each(AbortHandle::abort);
        self.desk.gate.clear();
    }
}

impl Pages {
    /// None yet. The first account is kept in this folder.
    pub fn new(server: Rc<Server>, lasting: &Path) -> Pages {
        Pages { server, lasting: lasting.into(), running: RefCell::default() }
    }

    /// Serves what `[web]` asks for, from now on. Listeners that stay miss no client.
    pub fn become_what_is_asked(&self) {
        let options = self.server.extras.borrow().web.clone();
        let mut running = self.running.borrow_mut();
        if options.listen.is_empty() {
            if let Some(before) = running.take() {
                before.end();
                self.server.log.info("pages and metrics are not served any more");
            }
            return;
        }
        if let Some(running) = running.as_ref().filter(|running| running.options == options) {
            return running.desk.admit_users(!options.read_only, &self.lasting);
        }
        let (desk, open) = match running.take() {
            // its listeners and connections go on
            Some(before) => {
                before.trying.abort();
                (before.desk, before.open)
            }
            None => (PageDesk::new(self.server.clone()), Rc::default()),
        };
        desk.admit_users(!options.read_only, &self.lasting);
        desk.place.replace(Rc::new(Place { hosts: options.hosts.clone(), base: options.base.clone() }));
        open.borrow_mut().retain(|address, task| {
            let stays = options.listen.contains(address);
            if !stays {
                task.abort();
                self.server.log.info(&format!("no longer serving pages on {address}"));
            }
            stays
        });
        let trying = spawn_local(open_all(desk.clone(), open.clone(), options.listen.clone())).abort_handle();
        *running = Some(Running { options, desk, open, trying });
    }
}

/// Opens what is not open, again and again.
async fn open_all(
    desk: Rc<PageDesk>,
    all: Rc<RefCell<BTreeMap<SocketAddr, AbortHandle>>>,
    wanted: Vec<SocketAddr>,
) {
    let mut is_first = true;
    loop {
        let mut missing = false;
        for address in &wanted {
            if all.borrow().contains_key(address) {
                continue;
            }
            let log = &desk.server.log;
            match open(*address).and_then(TcpListener::from_std) {
                Ok(listener) => {
                    let task = spawn_local(accept(desk.clone(), listener, *address));
                    all.borrow_mut().insert(*address, task.abort_handle());
                    let scheme = if desk.is_secure(*address) { "https" } else { "http" };
                    log.info(&format!("serving pages on {scheme}://{address}/"));
                }
                Err(error) => {
                    missing = true;
                    if is_first {
                        log.warning(&not_open(*address, &error));
                    }
                }
            }
        }
        if !missing {
            return;
        }
        is_first = false;
        sleep(AGAIN).await;
    }
}

fn not_open(address: SocketAddr, error: &io::Error) -> String {
    let remedy = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "another program listens there; end it, or write another port to [web] of qxups.toml"
        }
        io::ErrorKind::PermissionDenied => {
            "write a port above 1023 to [web] of qxups.toml, or give the server CAP_NET_BIND_SERVICE in its unit (docs/page.md)"
        }
        _ => "it is tried again until it works",
    };
    format!("cannot serve pages on {address}: {error}; {remedy}")
}

impl PageDesk {
    /// Whether pages are encrypted there: as `tls` says, else wherever bytes leave this machine.
    fn is_secure(&self, at: SocketAddr) -> bool {
        let wanted = self.server.extras.borrow().web.tls;
        wanted.unwrap_or(!at.ip().to_canonical().is_loopback())
    }

    /// How a client there is spoken to. None where that has to be encrypted and cannot be.
    fn encryption(&self, at: SocketAddr) -> Option<Option<Arc<ServerConfig>>> {
        if !self.is_secure(at) {
            return Some(None);
        }
        let config = self.server.tls.borrow().config.clone();
        if config.is_none() {
            let text = format!(
                "a browser at {at} was turned away: pages there are encrypted, and the server has no certificate; see \
                 above why, or write tls = false to [web] of qxups.toml"
            );
            self.server.say_seldom("no certificate", None, &text);
        }
        config.map(Some)
    }
}

/// Accepts browsers for ever.
async fn accept(desk: Rc<PageDesk>, listener: TcpListener, at: SocketAddr) {
    let mut in_a_row = 0;
    loop {
        match listener.accept().await {
            Ok((stream, from)) => admit(&desk, stream, from, at),
            Err(error) => {
                desk.server.say_seldom("accept", None, &format!("cannot accept a browser: {error}"));
                sleep(PAUSE).await;
            }
        }
        in_a_row += 1;
        if in_a_row >= AT_ONCE {
            in_a_row = 0;
            yield_now().await;
        }
    }
}

fn admit(desk: &Rc<PageDesk>, stream: TcpStream, from: SocketAddr, at: SocketAddr) {
    let Some(tls) = desk.encryption(at) else { return };
    let Some(ticket) = desk.gate.admit(from.ip()) else { return };
    // an answer is not held back to fill a packet
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let is_encrypted = tls.is_some();
    let Ok(stream) = PageStream::new(stream, tls) else { return };
    let caller = Caller { address: from.ip().to_canonical(), is_encrypted };
    let (leave, desk) = (ticket.leave(), desk.clone());
    spawn_local(async move {
        tokio::select! {
            () = serve_caller(stream, desk, ticket, Some(caller)) => {}
            () = GatePass::has_to_leave(&leave) => {}
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_an_address_from_being_served_is_said_with_its_remedy() {
        let address: SocketAddr = "127.0.0.1:80".parse().unwrap();
        for (kind, part) in [
            (io::ErrorKind::PermissionDenied, "CAP_NET_BIND_SERVICE"),
            (io::ErrorKind::PermissionDenied, "above 1023"),
            (io::ErrorKind::AddrInUse, "another port"),
            (io::ErrorKind::AddrNotAvailable, "tried again"),
        ] {
            let said = not_open(address, &kind.into());
            assert!(
                said.starts_with("cannot serve pages on 127.0.0.1:80: ") && said.contains(part),
                "{said}"
            );
        }
    }
}
