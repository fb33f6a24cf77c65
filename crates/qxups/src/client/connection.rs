//! A connection to a NUT server: bytes for `nut::network::client`, which knows what they mean.

use super::access::{Credentials, Reach};
use super::place::ServerAddress;
use super::trouble::{ClientTrouble, ExitStatus};
use crate::out;
use nut::network::client::{Answer, Asker, Item, NetworkRequest, Next, Received, Refusal, SessionOpening};
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tls::rustls::pki_types::ServerName;
use tls::rustls::{ClientConfig, ClientConnection, StreamOwned};
use tls::{Verify, client_config};

/// How many addresses of a host are tried.
const MOST_ADDRESSES: usize = 8;

/// What carries the bytes.
enum Wire {
    Clear(TcpStream),
    Encrypted(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Wire {
    fn stream(&mut self) -> &mut dyn ReadWrite {
        match self {
            Wire::Clear(stream) => stream,
            Wire::Encrypted(stream) => stream.as_mut(),
        }
    }

    fn socket(&self) -> &TcpStream {
        match self {
            Wire::Clear(stream) => stream,
            Wire::Encrypted(stream) => stream.get_ref(),
        }
    }
}

trait ReadWrite: Read + Write {}
impl<T: Read + Write> ReadWrite for T {}

/// All that a server says to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerReply {
    /// The items, when it is a list.
    pub items: Vec<Item>,
    /// What ends it.
    pub answer: Result<Answer, Refusal>,
}

/// A connection to a server, opened.
pub struct NutConnection {
    server: ServerAddress,
    wire: Wire,
    asker: Asker,
    /// What was read and not yet understood.
    bytes: Vec<u8>,
    timeout: Duration,
    encrypted: bool,
}

impl NutConnection {
    /// Connects, encrypts where it is wanted, and names the user.
    ///
    /// # Errors
    /// [`ExitStatus::Unconnected`], or the server refuses.
    pub fn open(
        server: &ServerAddress,
        reach: &Reach,
        user: Option<&Credentials>,
    ) -> Result<NutConnection, ClientTrouble> {
        let config =
            client_config(&reach.verify, None).map_err(|error| ClientTrouble::usage(error.to_string()))?;
        let mut connection = NutConnection::reach(server, reach.timeout)?;
        let mut opening = SessionOpening::new(reach.tls);
        if let Some(user) = user {
            opening = opening.as_user(&user.user, &user.password);
        }
        let mut answer = None;
        loop {
            answer = match opening.next(answer) {
                Next::Ask(request) => {
                    connection.warn_of_clear(&request);
                    Some(connection.ask(request)?.answer)
                }
                Next::AskAfter(_, request) => Some(connection.ask(request)?.answer),
                Next::StartTls => {
                    connection = connection.encrypt(&reach.verify, config.clone())?;
                    Some(Ok(Answer::StartTls))
                }
                Next::End(Ok(_)) => return Ok(connection),
                Next::End(Err((NetworkRequest::StartTls, refusal))) => {
                    let sentence = format!(
                        "{server} offers no encryption (ERR {}): give it a certificate, or use --tls off",
                        refusal.text
                    );
                    return Err(ClientTrouble::Said(ExitStatus::Unconnected, sentence));
                }
                Next::End(Err((_, refusal))) => return Err(ClientTrouble::refused(server, &refusal)),
            };
        }
    }

    /// Only the connection: nothing is said.
    ///
    /// # Errors
    /// [`ExitStatus::Unconnected`].
    pub fn reach(server: &ServerAddress, timeout: Duration) -> Result<NutConnection, ClientTrouble> {
        let stream = connect(server, timeout)?;
        let _ = stream.set_nodelay(true);
        Ok(NutConnection {
            server: server.clone(),
            wire: Wire::Clear(stream),
            asker: Asker::default(),
            bytes: vec![],
            timeout,
            encrypted: false,
        })
    }

    /// Whether the connection is encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// Asks one thing, and waits for all of the answer.
    ///
    /// # Errors
    /// The connection broke, or what was said is no answer: [`ExitStatus::Unconnected`]. A request that
    /// cannot be written: [`ExitStatus::Usage`].
    pub fn ask(&mut self, request: NetworkRequest) -> Result<ServerReply, ClientTrouble> {
        self.send(request)?;
        let until = Instant::now() + self.timeout;
        let mut items = vec![];
        loop {
            match self.said(until)? {
                Received::Item(item) => items.push(item),
                Received::Answer(_, answer) => return Ok(ServerReply { items, answer }),
            }
        }
    }

    /// As [`NutConnection::ask`], for a list that has to be there; `what` is what it is about.
    ///
    /// # Errors
    /// As of [`NutConnection::ask`], and the refusal of the server.
    pub fn list(&mut self, request: NetworkRequest, what: &str) -> Result<Vec<Item>, ClientTrouble> {
        let reply = self.ask(request)?;
        match reply.answer {
            Ok(_) => Ok(reply.items),
            Err(refusal) => Err(ClientTrouble::refused(what, &refusal)),
        }
    }

    /// Says good-bye; the server's answer is not waited for.
    pub fn close(mut self) {
        let _ = self.send(NetworkRequest::Logout);
        if let Wire::Encrypted(stream) = &mut self.wire {
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    }

    fn send(&mut self, request: NetworkRequest) -> Result<(), ClientTrouble> {
        let mut line = vec![];
        self.asker.ask(request, &mut line).map_err(|error| ClientTrouble::usage(error.to_string()))?;
        let wire = &mut self.wire;
        let _ = wire.socket().set_write_timeout(Some(self.timeout));
        let stream = wire.stream();
        stream.write_all(&line).and_then(|()| stream.flush()).map_err(|error| self.broke(&error))
    }

    /// The next thing that the server says.
    fn said(&mut self, until: Instant) -> Result<Received, ClientTrouble> {
        loop {
            let mut rest = self.bytes.as_slice();
            let said = self.asker.read(&mut rest);
            let taken = self.bytes.len() - rest.len();
            self.bytes.drain(..taken);
            if let Some(said) = said.map_err(|fault| self.unconnected(&fault))? {
                return Ok(said);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(self.silent());
            }
            let _ = self.wire.socket().set_read_timeout(Some(left.max(Duration::from_millis(1))));
            let mut room = [0; 8192];
            match self.wire.stream().read(&mut room) {
                Ok(0) => {
                    let ended = self.asker.ended();
                    let fault = ended
                        .err()
                        .map_or("the server closed the connection".into(), |fault| fault.to_string());
                    return Err(self.unconnected(&fault));
                }
                Ok(count) => self.bytes.extend_from_slice(room.get(..count).unwrap_or_default()),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.broke(&error)),
            }
        }
    }

    fn encrypt(mut self, verify: &Verify, config: Arc<ClientConfig>) -> Result<NutConnection, ClientTrouble> {
        if !self.bytes.is_empty() {
            return Err(self.unconnected(
                "the server sent more in the clear behind OK STARTTLS, which may be an attack; \
                 look at what stands between it and this host",
            ));
        }
        let name = match (ServerName::try_from(self.server.host.clone()), verify) {
            (Ok(name), _) => name,
            // the name is not looked at then
            (Err(_), Verify::Nothing | Verify::Fingerprint(_)) => {
                ServerName::try_from("localhost").map_err(|error| self.unconnected(&error))?
            }
            (Err(error), Verify::Roots(_)) => return Err(self.unconnected(&error)),
        };
        let Wire::Clear(socket) = self.wire else { return Ok(self) };
        let failed = |error: &dyn std::fmt::Display| {
            let sentence = format!(
                "{}: encryption failed: {error}; check the certificate, --fingerprint and --ca; nothing is sent in the clear instead",
                self.server
            );
            ClientTrouble::Said(ExitStatus::Unconnected, sentence)
        };
        let session = ClientConnection::new(config, name).map_err(|error| failed(&error))?;
        let _ = socket.set_read_timeout(Some(self.timeout));
        let _ = socket.set_write_timeout(Some(self.timeout));
        let mut stream = StreamOwned::new(session, socket);
        let until = Instant::now() + self.timeout;
        while stream.conn.is_handshaking() {
            if Instant::now() >= until {
                return Err(failed(&"the server does not answer in time"));
            }
            stream
                .conn
                .complete_io(&mut stream.sock)
                .map_err(|error| failed(&tls::connection_trouble(&error)))?;
        }
        self.wire = Wire::Encrypted(Box::new(stream));
        self.encrypted = true;
        Ok(self)
    }

    /// A password that goes over a network as it is written is not passed over in silence: the server may
    /// have no certificate, or something on the way may have refused in its name.
    fn warn_of_clear(&self, request: &NetworkRequest) {
        let peer = self.wire.socket().peer_addr();
        if peer.is_ok_and(|peer| shows_password(peer.ip(), self.encrypted, request)) {
            out::tell(format_args!(
                "qxups: the password goes to {} in the clear: the server offers no encryption, or --tls is off; \
                 --tls require sends it encrypted only",
                self.server
            ));
        }
    }

    fn unconnected(&self, why: &(impl std::fmt::Display + ?Sized)) -> ClientTrouble {
        ClientTrouble::Said(ExitStatus::Unconnected, format!("{}: {why}", self.server))
    }

    fn broke(&self, error: &std::io::Error) -> ClientTrouble {
        match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => self.silent(),
            _ => self.unconnected(&format!("the connection broke: {error}; look at the server's log")),
        }
    }

    fn silent(&self) -> ClientTrouble {
        let seconds = self.timeout.as_secs_f64();
        self.unconnected(&format!(
            "the server does not answer within {seconds} s; check that it is a NUT server, or give it longer with --timeout"
        ))
    }
}

/// Whether a request begins to send a password that others on the way can read.
pub fn shows_password(peer: IpAddr, encrypted: bool, request: &NetworkRequest) -> bool {
    !encrypted && !peer.to_canonical().is_loopback() && matches!(request, NetworkRequest::Username(_))
}

fn connect(server: &ServerAddress, timeout: Duration) -> Result<TcpStream, ClientTrouble> {
    let failed = |why: &dyn std::fmt::Display, remedy: &str| {
        ClientTrouble::Said(ExitStatus::Unconnected, format!("cannot connect to {server}: {why}; {remedy}"))
    };
    let addresses = (server.host.as_str(), server.port).to_socket_addrs();
    let addresses = addresses.map_err(|error| failed(&error, "check the name of the host"))?;
    let mut last = None;
    for address in addresses.take(MOST_ADDRESSES) {
        match TcpStream::connect_timeout(&address, timeout) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Some(error),
        }
    }
    let Some(error) = last else { return Err(failed(&"it has no address", "check the name of the host")) };
    let is_here = server.host == "localhost" && error.kind() == std::io::ErrorKind::ConnectionRefused;
    let remedy = match is_here {
        true => {
            "start a NUT server ('qxups setup' prepares one, 'qxups demo' shows simulated UPSes), or check where it listens (LISTEN in upsd.conf)"
        }
        false => {
            "check that a NUT server runs there, and that it listens on this address (LISTEN in upsd.conf)"
        }
    };
    Err(failed(&error, remedy))
}
