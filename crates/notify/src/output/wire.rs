//! A connection to a server, in the clear or encrypted, for hyper as well.

use hyper::rt::ReadBufCursor;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tls::connection_trouble;
use tls::rustls::ClientConfig;
use tls::rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// So much is read at once.
const AT_ONCE: usize = 4096;

/// The connection.
pub(super) enum NoticeWire {
    Clear(TcpStream),
    Encrypted(Box<TlsStream<TcpStream>>),
}

impl NoticeWire {
    /// Connects.
    ///
    /// # Errors
    /// Why not.
    pub async fn connect(host: &str, port: u16) -> Result<NoticeWire, String> {
        let stream = TcpStream::connect((host, port)).await;
        let stream = stream.map_err(|error| format!("cannot connect to {host}: {error}"))?;
        let _ = stream.set_nodelay(true);
        Ok(NoticeWire::Clear(stream))
    }

    /// Encrypts it from now on.
    ///
    /// # Errors
    /// Why the handshake failed.
    pub async fn secure(self, config: Arc<ClientConfig>, host: &str) -> Result<NoticeWire, String> {
        let NoticeWire::Clear(stream) = self else { return Ok(self) };
        let name = ServerName::try_from(host.to_string()).map_err(|error| format!("{host}: {error}"))?;
        let secured = TlsConnector::from(config).connect(name, stream).await;
        let secured = secured.map_err(|error| format!("TLS with {host}: {}", connection_trouble(&error)))?;
        Ok(NoticeWire::Encrypted(Box::new(secured)))
    }
}

impl AsyncRead for NoticeWire {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            NoticeWire::Clear(stream) => Pin::new(stream).poll_read(context, buffer),
            NoticeWire::Encrypted(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for NoticeWire {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            NoticeWire::Clear(stream) => Pin::new(stream).poll_write(context, bytes),
            NoticeWire::Encrypted(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            NoticeWire::Clear(stream) => Pin::new(stream).poll_flush(context),
            NoticeWire::Encrypted(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            NoticeWire::Clear(stream) => Pin::new(stream).poll_shutdown(context),
            NoticeWire::Encrypted(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

/// The same, as hyper wants it.
pub(super) struct HyperWire(pub NoticeWire);

impl hyper::rt::Read for HyperWire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let mut room = [0; AT_ONCE];
        let fits = buffer.remaining().min(AT_ONCE);
        let mut read = ReadBuf::new(&mut room[..fits]);
        ready!(Pin::new(&mut self.0).poll_read(context, &mut read))?;
        buffer.put_slice(read.filled());
        Poll::Ready(Ok(()))
    }
}

impl hyper::rt::Write for HyperWire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
