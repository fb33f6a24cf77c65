//! One client, as a state machine.

use super::site::{Client, Site, UpsId};

/// Once this many bytes of answers wait, [`Connection::take`] stops and says [`Event::Full`].
pub const FULL: usize = 64 * 1024;

/// Whether STARTTLS is to be had on this connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsOffer {
    /// Never: FEATURE-NOT-SUPPORTED.
    None,
    /// Not without a certificate, or not on this listener: FEATURE-NOT-CONFIGURED.
    NotConfigured,
    /// Yes.
    Ready,
}

/// What the caller has to do now. Answers that are in the buffer go out first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Begin TLS as the server. What was not consumed is the beginning of its handshake. When it
    /// stands, call [`Connection::encrypted`]; when it fails, close.
    StartTls,
    /// Close the connection. Further bytes are not read.
    Close,
    /// The [`Site`] said [`Verdict::Later`](super::Verdict::Later): call [`Connection::go_on`] when it
    /// knows more. Bytes are not consumed until then.
    Waiting,
    /// [`FULL`] bytes wait in the buffer: send some before the rest is offered again.
    Full,
}

/// What [`Connection::take`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// How many of the bytes were consumed. The rest is to be offered again, once the event is dealt
    /// with.
    pub consumed: usize,
    /// How many requests were answered. Only these are a sign of life (upsd drops a client that made
    /// none for 60 s).
    pub requests: usize,
    /// What the caller has to do now; without one all bytes were consumed.
    pub event: Option<Event>,
}

/// The connection of one client. It holds at most 16 kB of an unfinished line.
#[derive(Debug)]
pub struct Connection {
    client: Client,
    tls: TlsOffer,
    login: Option<UpsId>,
}

impl Connection {
    /// A new connection from that address (without port), unencrypted.
    pub fn new(address: &str, tls: TlsOffer) -> Connection {
        let client = Client {
            address: address.into(),
            username: None,
            password: None,
            encrypted: false,
            certified: false,
        };
        Connection { client, tls, login: None }
    }

    /// Takes bytes from the client, and appends the answers to `out`: all of them before the caller
    /// needs to write once. Ends early for an [`Event`].
    pub fn take(&mut self, bytes: &[u8], site: &mut dyn Site, out: &mut Vec<u8>) -> Taken {
        let _ = (site, out, self.tls);
        Taken { consumed: bytes.len(), requests: 0, event: None }
    }

    /// Tries the request again that waits for a [`Verdict`](super::Verdict).
    pub fn go_on(&mut self, site: &mut dyn Site, out: &mut Vec<u8>) -> Option<Event> {
        let _ = (site, out);
        None
    }

    /// TLS stands; `certified` when the peer has a certificate that the server accepts.
    pub fn encrypted(&mut self, certified: bool) {
        self.client.encrypted = true;
        self.client.certified = certified;
    }

    /// The UPS this client is logged in to. When the connection ends, the login ends with it; when the
    /// UPS goes, upsd closes the connection.
    pub fn logged_in(&self) -> Option<UpsId> {
        self.login
    }

    /// The client.
    pub fn client(&self) -> &Client {
        &self.client
    }
}
