//! The end on TCP, which looks to a driver like a serial device server.

use crate::end::{LineLost, SharedUps, SimulatorLine, serve};
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

struct Tcp(TcpStream);

impl SimulatorLine for Tcp {
    async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).await
    }
    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes).await
    }
}

/// Serves the UPS to one client after the other, for ever; the next one waits until the line of
/// the one before is closed.
///
/// # Errors
/// What the system says when it takes no connections.
pub async fn run(shared: &SharedUps, listener: TcpListener) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        if let LineLost::HangUp(time) = serve(shared, &mut Tcp(stream)).await {
            sleep(time).await;
        }
    }
}
