//! A serial device server (ser2net, Moxa, ESP-Link ...) that passes bytes through over TCP.

use crate::error::{LinkError, LinkErrorKind};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longest time to connect.
const CONNECT: Duration = Duration::from_secs(3);

/// An open connection.
#[derive(Debug)]
pub struct Tcp(TcpStream);

impl Tcp {
    pub async fn open(host: &str, port: u16) -> Result<Tcp, LinkError> {
        let name = format!("tcp://{host}:{port}");
        let stream = match timeout(CONNECT, TcpStream::connect((host, port))).await {
            Ok(connected) => connected.map_err(|error| LinkError::while_opening(&name, &error))?,
            Err(_) => {
                let why = format!(
                    "cannot open {name}: no answer; check the network and that the device server is running"
                );
                return Err(LinkError::new(LinkErrorKind::NotFound, why));
            }
        };
        // commands are a few bytes: waiting to fill a packet would only delay them
        stream.set_nodelay(true).map_err(|error| LinkError::while_opening(&name, &error))?;
        // what could not be delivered when the connection is closed is never delivered: it may be an order
        stream.set_zero_linger().map_err(|error| LinkError::while_opening(&name, &error))?;
        Ok(Tcp(stream))
    }

    pub async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).await
    }

    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes).await
    }

    pub fn discard(&mut self) -> io::Result<()> {
        let mut buffer = [0; 256];
        loop {
            match self.0.try_read(&mut buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }
}
