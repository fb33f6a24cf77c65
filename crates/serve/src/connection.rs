//! One client: bytes between its stream and the protocol. What a connection holds is bounded, and it waits for its own
//! client alone.

use crate::server::{Peer, Server};
use crate::site::Desk;
use crate::wire::ClientStream;
use nut::network::server::{Connection, ConnectionEvent, TlsOffer};
use std::io;
use std::rc::Rc;
use tokio::net::TcpStream;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};

/// So many bytes are read at once. What a request does not need yet stays with the client.
const AT_ONCE: usize = 4096;
/// A buffer for answers that has grown beyond this is given back.
const KEPT: usize = 64 * 1024;
/// After so many turns without a wait, others have theirs.
const TURNS: u32 = 1;

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// Bytes of the client.
    Read,
    /// That the client takes bytes.
    Write,
    /// That it is known whether the client may do what it asked for.
    Later,
    /// Nothing: there is more to do.
    More,
    /// Its end.
    Close,
}

/// Serves a client until it leaves. Its place among the peers is free when this ends, or is dropped.
pub(crate) async fn serve(server: Rc<Server>, stream: TcpStream, peer: Rc<Peer>, tls: TlsOffer) {
    let machine = Connection::new(&peer.address.to_string(), tls);
    let place = Place { server, peer };
    let mut conversation = Conversation {
        wire: ClientStream::new(stream),
        machine,
        offered: vec![],
        unsent: vec![],
        is_closing: false,
        is_securing: false,
    };
    let mut turns = 0;
    loop {
        let Place { server, peer } = &place;
        let next = match conversation.turn(server, peer) {
            Ok(next) => next,
            // the client is gone
            Err(_) => return,
        };
        let waited = match next {
            Next::Close => return,
            Next::Read => conversation.wire.stream.readable().await,
            Next::Write => conversation.wire.stream.writable().await,
            Next::Later => {
                let later = peer.later.get().unwrap_or_else(Instant::now);
                tokio::select! {
                    () = sleep_until(later) => {}
                    () = peer.wake.notified() => {}
                }
                // a guess whose client has left is none: its address pays for no more of them
                if peer.is_slowed.get() && conversation.wire.has_left() {
                    return;
                }
                conversation.go_on(server, peer);
                Ok(())
            }
            Next::More => Ok(()),
        };
        if waited.is_err() {
            return;
        }
        turns = if next == Next::More { turns + 1 } else { 0 };
        if turns >= TURNS {
            turns = 0;
            yield_now().await;
        }
    }
}

/// The place of a client among the peers.
struct Place {
    server: Rc<Server>,
    peer: Rc<Peer>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.server.count_unsent(&self.peer, 0);
        self.server.peers.borrow_mut().remove(&self.peer.number);
        if let Some(protector) = self.peer.login.get().and(self.server.protection.borrow().as_ref()) {
            protector.look_again();
        }
    }
}

/// A client's stream, the protocol, and what lies between them.
struct Conversation {
    wire: ClientStream,
    machine: Connection,
    /// What was read and not taken yet.
    offered: Vec<u8>,
    /// What the client has not taken yet.
    unsent: Vec<u8>,
    /// No more is read.
    is_closing: bool,
    /// TLS is to begin, or its handshake is under way.
    is_securing: bool,
}

impl Conversation {
    /// Does what can be done without waiting.
    fn turn(&mut self, server: &Server, peer: &Rc<Peer>) -> io::Result<Next> {
        if !self.send(server, peer)? {
            return Ok(Next::Write);
        }
        if self.is_closing {
            self.wire.close();
            return Ok(Next::Close);
        }
        if self.is_securing {
            return self.secure(server);
        }
        if peer.later.get().is_some() {
            return Ok(Next::Later);
        }
        if !self.offered.is_empty() {
            let offered = std::mem::take(&mut self.offered);
            self.take(&offered, server, peer);
            return self.send(server, peer).map(|_| Next::More);
        }
        let mut buffer = [0; AT_ONCE];
        let read = match self.wire.read(&mut buffer) {
            Ok(0) => return Ok(Next::Close),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Next::Read),
            Err(error) => return Err(error),
        };
        self.take(&buffer[..read], server, peer);
        let is_sent = self.send(server, peer)?;
        Ok(if is_sent && read < AT_ONCE && self.is_idle(peer) { Next::Read } else { Next::More })
    }

    /// Whether nothing is to be done before the client says more: of TLS that cannot be told by what was read.
    fn is_idle(&self, peer: &Peer) -> bool {
        let is_plain = !self.wire.is_secure() && !self.is_securing;
        is_plain && !self.is_closing && self.offered.is_empty() && peer.later.get().is_none()
    }

    /// Begins TLS, or goes on with its handshake.
    fn secure(&mut self, server: &Server) -> io::Result<Next> {
        if !self.wire.is_secure() {
            let config = server.tls.borrow().config.clone().ok_or(io::ErrorKind::Unsupported)?;
            self.wire.secure(config, std::mem::take(&mut self.offered)).map_err(io::Error::other)?;
        }
        let mut buffer = [0; AT_ONCE];
        let read = match self.wire.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            read => Some(read?),
        };
        if let Some(certified) = self.wire.secured() {
            self.is_securing = false;
            self.machine.encrypted(certified);
        }
        match read {
            Some(0) => Ok(Next::Close),
            Some(read) => {
                self.offered.extend_from_slice(&buffer[..read]);
                Ok(Next::More)
            }
            None if !self.wire.flush()? => Ok(Next::Write),
            None => Ok(if self.is_securing { Next::Read } else { Next::More }),
        }
    }

    /// Offers the protocol what was read; what it does not take yet is kept.
    fn take(&mut self, bytes: &[u8], server: &Server, peer: &Rc<Peer>) {
        let mut out = server.scratch.take();
        let taken = self.machine.take(bytes, &mut Desk::new(server, peer), &mut out);
        self.offered = bytes[taken.consumed..].to_vec();
        if taken.requests > 0 {
            peer.heard.set(Instant::now());
            peer.asked.set(true);
        }
        self.mind(taken.event, peer);
        self.pass_on(out, server, peer);
    }

    /// Tries again what had to wait.
    fn go_on(&mut self, server: &Server, peer: &Rc<Peer>) {
        peer.later.set(None);
        let mut out = server.scratch.take();
        let event = self.machine.go_on(&mut Desk::new(server, peer), &mut out);
        self.mind(event, peer);
        self.pass_on(out, server, peer);
    }

    fn mind(&mut self, event: Option<ConnectionEvent>, peer: &Peer) {
        match event {
            Some(ConnectionEvent::Close) => self.is_closing = true,
            Some(ConnectionEvent::StartTls) => self.is_securing = true,
            Some(ConnectionEvent::Waiting) if peer.later.get().is_none() => {
                peer.later.set(Some(Instant::now()))
            }
            Some(ConnectionEvent::Waiting | ConnectionEvent::Full) => {}
            None => peer.later.set(None),
        }
    }

    /// Sends answers at once; what the client does not take is kept for it.
    fn pass_on(&mut self, mut out: Vec<u8>, server: &Server, peer: &Peer) {
        let sent = match self.unsent.is_empty() {
            true => self.wire.write(&out).unwrap_or(0),
            false => 0,
        };
        if sent < out.len() {
            self.unsent.extend_from_slice(&out[sent..]);
            server.count_unsent(peer, self.unsent.capacity());
            peer.stalled.set(peer.stalled.get().or_else(|| Some(Instant::now())));
        }
        out.clear();
        if out.capacity() <= KEPT * 2 {
            server.scratch.replace(out);
        }
    }

    /// Sends what the client has not taken yet; true when all is gone.
    fn send(&mut self, server: &Server, peer: &Peer) -> io::Result<bool> {
        while !self.unsent.is_empty() {
            match self.wire.write(&self.unsent) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(sent) => {
                    self.unsent.drain(..sent);
                    peer.stalled.set(Some(Instant::now()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        if !self.wire.flush()? {
            peer.stalled.set(peer.stalled.get().or_else(|| Some(Instant::now())));
            return Ok(false);
        }
        if peer.stalled.take().is_some() {
            self.unsent = Vec::new();
            server.count_unsent(peer, 0);
        }
        Ok(true)
    }
}
