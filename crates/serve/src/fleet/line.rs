//! A connection to another NUT server, in the clear or encrypted.

use nut::network::client::{self, Asker, Item, NetworkRequest, Received, Refusal};
use std::cell::Cell;
use std::io::{self, Read, Write};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tls::connection_trouble;
use tls::rustls::pki_types::ServerName;
use tls::rustls::{ClientConfig, ClientConnection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longest time to connect (newer NUT: NUT_DEFAULT_CONNECT_TIMEOUT).
const CONNECT: Duration = Duration::from_secs(10);
/// Longest silence within an answer (newer NUT waits so long for each line), and longest time for a handshake.
const ANSWER: Duration = Duration::from_secs(5);

/// What a server said to a request: the items of a list, and how it ended.
pub(super) type ListReply = (Vec<Item>, Result<client::Answer, Refusal>);

/// A connection to the server.
pub(super) struct UpstreamLine {
    stream: TcpStream,
    tls: Option<Box<ClientConnection>>,
    asker: Asker,
    came: Vec<u8>,
    /// No answer as a whole takes longer: what it says would be too old.
    longest: Rc<Cell<Duration>>,
}

impl UpstreamLine {
    /// Connects. No answer as a whole may take longer than `longest`.
    ///
    /// # Errors
    /// Why not.
    pub async fn connect(host: &str, port: u16, longest: Rc<Cell<Duration>>) -> Result<UpstreamLine, String> {
        let stream = match timeout(CONNECT, TcpStream::connect((host, port))).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(format!("cannot connect: {error}")),
            Err(_) => return Err("cannot connect: no answer".into()),
        };
        let _ = stream.set_nodelay(true);
        Ok(UpstreamLine { stream, tls: None, asker: Asker::default(), came: vec![], longest })
    }

    /// Encrypts it from now on.
    ///
    /// # Errors
    /// Why the handshake failed.
    pub async fn secure(&mut self, config: Arc<ClientConfig>, host: &str) -> Result<(), String> {
        // what came behind STARTTLS in the clear was not said by the server that shows the certificate
        if !self.came.is_empty() {
            return Err("the server says more than OK before TLS begins".into());
        }
        let name = match (ServerName::try_from(host.to_string()), self.stream.peer_addr()) {
            (Ok(name), _) => name,
            // an address that is written otherwise, with a zone for example
            (Err(_), Ok(peer)) => ServerName::from(peer.ip()),
            (Err(error), Err(_)) => return Err(format!("{host}: {error}")),
        };
        let tls = ClientConnection::new(config, name).map_err(|error| format!("TLS: {error}"))?;
        self.tls = Some(Box::new(tls));
        let opened = async {
            while self.tls.as_ref().is_some_and(|tls| tls.is_handshaking()) {
                self.exchange().await?;
            }
            self.flush().await
        };
        match timeout(ANSWER, opened).await {
            Ok(done) => done.map_err(|error| format!("TLS: {}", connection_trouble(&error))),
            Err(_) => Err(format!("TLS: the server does not answer for {} s", ANSWER.as_secs())),
        }
    }

    /// Whether no byte leaves this machine.
    pub fn is_of_this_machine(&self) -> bool {
        self.stream.peer_addr().is_ok_and(|peer| peer.ip().to_canonical().is_loopback())
    }

    /// Asks, and waits for all of the answer.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn ask(&mut self, request: NetworkRequest) -> Result<ListReply, String> {
        let longest = self.longest.get().max(ANSWER);
        let asked = request.to_string();
        timeout(longest, self.converse(request)).await.unwrap_or_else(|_| {
            Err(format!("the server takes more than {} s to answer '{asked}'", longest.as_secs()))
        })
    }

    async fn converse(&mut self, request: NetworkRequest) -> Result<ListReply, String> {
        let (mut out, mut items) = (vec![], vec![]);
        self.asker.ask(request, &mut out).map_err(|error| error.to_string())?;
        patiently(self.write(&out)).await?;
        loop {
            let mut bytes = self.came.as_slice();
            let said = self.asker.read(&mut bytes).map_err(|fault| fault.to_string())?;
            let left = bytes.len();
            self.came.drain(..self.came.len() - left);
            match said {
                Some(Received::Item(item)) => items.push(item),
                Some(Received::Answer(_, answer)) => return Ok((items, answer)),
                None => {
                    if patiently(self.read()).await? == 0 {
                        return Err("the server closed the connection".into());
                    }
                }
            }
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.tls {
            None => self.stream.write_all(bytes).await,
            Some(tls) => {
                tls.writer().write_all(bytes)?;
                self.flush().await
            }
        }
    }

    /// Reads what comes next to what came; 0 at the end.
    async fn read(&mut self) -> io::Result<usize> {
        loop {
            let Some(tls) = &mut self.tls else { return self.stream.read_buf(&mut self.came).await };
            let mut piece = [0; 4096];
            match tls.reader().read(&mut piece) {
                Ok(read) => {
                    self.came.extend_from_slice(&piece[..read]);
                    return Ok(read);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.exchange().await?,
                Err(error) => return Err(error),
            }
        }
    }

    /// Sends what TLS has to send, and takes what comes.
    async fn exchange(&mut self) -> io::Result<()> {
        self.flush().await?;
        let UpstreamLine { stream, tls: Some(tls), .. } = self else { return Ok(()) };
        if !tls.wants_read() {
            return Ok(());
        }
        stream.readable().await?;
        match tls.read_tls(&mut Now(stream)) {
            Ok(0) if tls.is_handshaking() => return Err(io::ErrorKind::UnexpectedEof.into()),
            // the reader says that it is the end
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
        let taken = tls.process_new_packets();
        if taken.is_err() {
            // an alert tells the server why
            let _ = tls.write_tls(&mut Now(stream));
        }
        taken.map(drop).map_err(io::Error::other)
    }

    async fn flush(&mut self) -> io::Result<()> {
        let UpstreamLine { stream, tls: Some(tls), .. } = self else { return Ok(()) };
        while tls.wants_write() {
            match tls.write_tls(&mut Now(stream)) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => stream.writable().await?,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// What is done with the server; not longer than one silence.
async fn patiently<T>(act: impl Future<Output = io::Result<T>>) -> Result<T, String> {
    match timeout(ANSWER, act).await {
        Ok(done) => done.map_err(|error| connection_trouble(&error)),
        Err(_) => Err(format!("the server does not answer for {} s", ANSWER.as_secs())),
    }
}

/// A stream that is read and written at once, or not at all.
struct Now<'s>(&'s TcpStream);

impl Read for Now<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(buffer)
    }
}

impl Write for Now<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
