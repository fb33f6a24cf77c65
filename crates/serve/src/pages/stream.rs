//! The stream of a browser: in the clear, or TLS from its first byte.

use crate::wire::ClientStream;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tls::rustls::{self, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A stream for hyper.
pub(super) enum PageStream {
    Plain(TcpStream),
    Secure(Box<ClientStream>),
}

impl PageStream {
    /// In the clear without a configuration of TLS.
    ///
    /// # Errors
    /// What rustls says.
    pub fn new(stream: TcpStream, tls: Option<Arc<ServerConfig>>) -> Result<PageStream, rustls::Error> {
        let Some(config) = tls else { return Ok(PageStream::Plain(stream)) };
        let mut wire = ClientStream::new(stream);
        wire.secure(config, vec![])?;
        Ok(PageStream::Secure(Box::new(wire)))
    }
}

/// Tries until it is done, or the stream has to be waited for.
fn until_ready<R>(
    wire: &mut ClientStream,
    context: &mut Context<'_>,
    mut attempt: impl FnMut(&mut ClientStream) -> io::Result<R>,
    wait: fn(&TcpStream, &mut Context<'_>) -> Poll<io::Result<()>>,
) -> Poll<io::Result<R>> {
    loop {
        match attempt(wire) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready!(wait(&wire.stream, context))?,
            done => return Poll::Ready(done),
        }
    }
}

/// What TLS has to say goes out before anything is waited for.
fn flushed(wire: &mut ClientStream) -> io::Result<()> {
    if wire.flush()? { Ok(()) } else { Err(io::ErrorKind::WouldBlock.into()) }
}

impl AsyncRead for PageStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let wire = match &mut *self {
            PageStream::Plain(stream) => return Pin::new(stream).poll_read(context, buffer),
            PageStream::Secure(wire) => wire,
        };
        loop {
            match wire.read(buffer.initialize_unfilled()) {
                Ok(read) => {
                    buffer.advance(read);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // a client that leaves without a farewell of TLS has left
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Poll::Ready(Ok(())),
                Err(error) => return Poll::Ready(Err(error)),
            }
            // a part of the handshake that did not fit goes out first
            let sent = until_ready(wire, context, flushed, TcpStream::poll_write_ready);
            if let Poll::Ready(Err(error)) = sent {
                return Poll::Ready(Err(error));
            }
            ready!(wire.stream.poll_read_ready(context))?;
        }
    }
}

impl AsyncWrite for PageStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut *self {
            PageStream::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            PageStream::Secure(wire) => {
                until_ready(wire, context, |wire| wire.write(bytes), TcpStream::poll_write_ready)
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            PageStream::Plain(stream) => Pin::new(stream).poll_flush(context),
            PageStream::Secure(wire) => until_ready(wire, context, flushed, TcpStream::poll_write_ready),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            PageStream::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            PageStream::Secure(wire) => {
                wire.close();
                ready!(until_ready(wire, context, flushed, TcpStream::poll_write_ready))?;
                Pin::new(&mut wire.stream).poll_shutdown(context)
            }
        }
    }
}
