//! The stream of a client: in the clear, or encrypted once it asked for that; and the stream to a broker.

use std::future::Future;
use std::io::{self, Read, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use tls::rustls::pki_types::ServerName;
use tls::rustls::{self, ClientConfig, ClientConnection, Connection, ServerConfig, ServerConnection};
use tokio::io::{AsyncRead, Interest, ReadBuf};
use tokio::net::TcpStream;

/// So much waits in TLS before a client has to read.
const UNREAD: usize = 64 * 1024;
/// Cipher text is read in pieces of this size; a record of TLS may have several.
const AT_ONCE: usize = 4096;

/// A client's stream. Nothing here waits.
pub(crate) struct ClientStream {
    pub stream: TcpStream,
    tls: Option<Box<Connection>>,
    /// Cipher text that came before TLS began.
    early: Vec<u8>,
}

impl ClientStream {
    /// In the clear.
    pub fn new(stream: TcpStream) -> ClientStream {
        ClientStream { stream, tls: None, early: vec![] }
    }

    /// From now on encrypted; `early` is what the client sent of its handshake already.
    ///
    /// # Errors
    /// What rustls says.
    pub fn secure(&mut self, config: Arc<ServerConfig>, early: Vec<u8>) -> Result<(), rustls::Error> {
        let mut tls = Connection::from(ServerConnection::new(config)?);
        tls.set_buffer_limit(Some(UNREAD));
        (self.tls, self.early) = (Some(Box::new(tls)), early);
        Ok(())
    }

    /// From now on encrypted, as the end that begins: the server's certificate has to be good for this name.
    ///
    /// # Errors
    /// What rustls says.
    pub fn secure_to(
        &mut self,
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
    ) -> Result<(), rustls::Error> {
        let mut tls = Connection::from(ClientConnection::new(config, name)?);
        tls.set_buffer_limit(Some(UNREAD));
        self.tls = Some(Box::new(tls));
        Ok(())
    }

    /// Whether TLS has begun.
    pub fn is_secure(&self) -> bool {
        self.tls.is_some()
    }

    /// Whether it is encrypted and the handshake is over, and whether the client showed a certificate then.
    pub fn secured(&self) -> Option<bool> {
        let tls = self.tls.as_ref().filter(|tls| !tls.is_handshaking())?;
        Some(tls.peer_certificates().is_some_and(|chain| !chain.is_empty()))
    }

    /// Reads what is there: 0 at the end of the stream.
    ///
    /// # Errors
    /// `WouldBlock` when nothing is there.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let ClientStream { stream, tls: Some(tls), early } = self else {
            return read_at_once(&mut self.stream, buffer);
        };
        loop {
            match tls.reader().read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return read,
            }
            let mut piece = [0; AT_ONCE];
            let came = match early.is_empty() {
                true => read_at_once(stream, &mut piece)?,
                false => early.as_slice().read(&mut piece).inspect(|read| drop(early.drain(..*read)))?,
            };
            if came == 0 {
                return Ok(0);
            }
            feed(tls, &piece[..came], stream)?;
        }
    }

    /// Writes as much as is taken at once.
    ///
    /// # Errors
    /// `WouldBlock` when nothing is.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else { return self.stream.try_write(bytes) };
        let taken = tls.writer().write(bytes)?;
        let is_full = !send(tls, &self.stream)?;
        if taken == 0 && is_full { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(taken) }
    }

    /// Sends what TLS holds back; true when that is all gone.
    ///
    /// # Errors
    /// What the system says.
    pub fn flush(&mut self) -> io::Result<bool> {
        match &mut self.tls {
            Some(tls) => send(tls, &self.stream),
            None => Ok(true),
        }
    }

    /// Whether the client sends nothing any more. It may wait for answers all the same.
    pub fn has_left(&self) -> bool {
        let ready = std::pin::pin!(self.stream.ready(Interest::READABLE));
        match ready.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(ready)) => ready.is_read_closed(),
            Poll::Ready(Err(_)) => true,
            Poll::Pending => false,
        }
    }

    /// Says farewell, as far as TLS has a word for that.
    pub fn close(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
            // who does not read it needs it not
            let _ = send(tls, &self.stream);
        }
    }
}

/// Reads what is there. Where that is less than was room for, the next look at the stream waits for news from the
/// system: `try_read` would ask it once more, for each request, whether more is there.
fn read_at_once(stream: &mut TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = ReadBuf::new(buffer);
    match Pin::new(stream).poll_read(&mut Context::from_waker(Waker::noop()), &mut filled) {
        Poll::Ready(read) => read.map(|()| filled.filled().len()),
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}

/// Gives TLS what came, and sends what it answers.
fn feed(tls: &mut Connection, mut came: &[u8], stream: &TcpStream) -> io::Result<()> {
    while !came.is_empty() {
        tls.read_tls(&mut came)?;
        let processed = tls.process_new_packets();
        // also an alert that says why it ends
        let sent = send(tls, stream);
        processed.map_err(io::Error::other)?;
        sent?;
    }
    Ok(())
}

fn send(tls: &mut Connection, stream: &TcpStream) -> io::Result<bool> {
    while tls.wants_write() {
        match tls.write_tls(&mut Sends(stream)) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

/// Writes to a stream at once, or not at all.
struct Sends<'s>(&'s TcpStream);

impl Write for Sends<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
