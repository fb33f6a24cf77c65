//! One connection to the broker. Nothing here waits for anything but the stream.

use super::{FAREWELL, MqttDesk};
use crate::extras::BrokerPassword;
use crate::server::Server;
use crate::wire::ClientStream;
use ::mqtt::BrokerSecret;
use nix::sys::socket::{setsockopt, sockopt};
use std::convert::Infallible;
use std::io;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;
use tls::rustls::pki_types::ServerName;
use tls::{Verify, client_config, connection_trouble};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

/// Longest time to connect.
const CONNECT: Duration = Duration::from_secs(10);
/// So much lies in the system before a broker takes it: what is newer waits here, where it is replaced by what is newer still.
const IN_SYSTEM: usize = 64 * 1024;
/// A broker that sends more than so many bytes in a second waits for the next.
const A_SECOND: usize = 4 * 1024 * 1024;
/// Read at once.
const PIECE: usize = 8 * 1024;
/// The certificates of those whom the system takes for good (Debian's ca-certificates).
const SYSTEM_ROOTS: &str = "/etc/ssl/certs/ca-certificates.crt";
/// A password is no longer, in bytes.
const LONGEST_PASSWORD: u64 = 64 * 1024;

/// What is on its way to the broker.
#[derive(Default)]
struct Outgoing {
    bytes: Vec<u8>,
    sent: usize,
}

impl Outgoing {
    fn is_sent(&self) -> bool {
        self.sent >= self.bytes.len()
    }
}

impl MqttDesk {
    /// Connects, and goes on until the connection is lost, or it is to end.
    pub(super) async fn connected(self: &Rc<Self>) -> Result<(), String> {
        self.client.borrow_mut().set_password(self.password()?);
        let mut stream = tokio::select! {
            stream = self.open() => stream?,
            () = self.until_it_is_to_end() => return Ok(()),
        };
        let Some(server) = self.server.upgrade() else { return Ok(()) };
        // what was known before the broker was away may be old
        self.look_at_all_now();
        self.look(&server);
        self.client.borrow_mut().connected(self.now());
        drop(server);
        let mut out = Outgoing::default();
        let ended = tokio::select! {
            ended = self.converse(&mut stream, &mut out) => ended,
            () = self.until_it_is_to_end() => {
                self.leave(&mut stream, &mut out).await;
                return Ok(());
            }
        };
        match ended {
            Ok(never) => match never {},
            Err(why) => Err(why),
        }
    }

    /// The password, read anew for each connection.
    fn password(&self) -> Result<Option<BrokerSecret>, String> {
        match &self.options.password {
            None => Ok(None),
            Some(BrokerPassword::Text(secret)) => Ok(Some(secret.clone())),
            Some(BrokerPassword::File(path)) => {
                let path = self.folder.join(path);
                let wrong = |why: &str| {
                    let user = "the user of this server";
                    format!(
                        "cannot use the password file {}: {why}; let {user} read a file of one line",
                        path.display()
                    )
                };
                let bytes =
                    link::read_bounded(&path, LONGEST_PASSWORD).map_err(|error| wrong(&error.to_string()))?;
                let text = String::from_utf8(bytes).map_err(|_| wrong("it is no text"))?;
                match text.lines().next().filter(|line| !line.is_empty()) {
                    Some(line) => Ok(Some(BrokerSecret(line.into()))),
                    None => Err(wrong("its first line is empty")),
                }
            }
        }
    }

    async fn open(&self) -> Result<ClientStream, String> {
        let host = self.options.host.as_str();
        let stream = match timeout(CONNECT, TcpStream::connect((host, self.options.port))).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(format!("cannot connect: {error}")),
            Err(_) => return Err("cannot connect: no answer".into()),
        };
        // a status is not held back to fill a packet
        let _ = stream.set_nodelay(true);
        let _ = setsockopt(&stream, sockopt::SndBuf, &IN_SYSTEM);
        let peer = stream.peer_addr().map_err(|error| format!("cannot connect: {error}"))?;
        let mut wire = ClientStream::new(stream);
        if self.options.tls {
            let roots =
                self.options.ca.as_deref().map_or(PathBuf::from(SYSTEM_ROOTS), |ca| self.folder.join(ca));
            let config = client_config(&Verify::Roots(roots), None)
                .map_err(|why| format!("{why}; write ca = \"FILE\" with those who sign its certificate"))?;
            let name = ServerName::try_from(host.to_string()).unwrap_or_else(|_| ServerName::from(peer.ip()));
            wire.secure_to(config, name).map_err(|error| format!("TLS: {error}"))?;
        } else if self.options.password.is_some() && !peer.ip().to_canonical().is_loopback() {
            self.warn_of_clear_password();
        }
        Ok(wire)
    }

    fn warn_of_clear_password(&self) {
        if let Some(server) = self.server.upgrade() {
            let text = format!(
                "the password for MQTT broker {} crosses the network in the clear; write tls = true to [mqtt] of qxups.toml",
                self.place()
            );
            server.say_seldom("MQTT password", None, &text);
        }
    }

    /// Says farewell, as far as the broker takes it soon.
    async fn leave(&self, stream: &mut ClientStream, out: &mut Outgoing) {
        if out.sent == 0 {
            out.bytes.clear();
        }
        self.client.borrow_mut().farewell(&mut out.bytes);
        let gone = async {
            while !self.flush(stream, out)? {
                stream.stream.writable().await?;
            }
            io::Result::Ok(())
        };
        if let Ok(Ok(())) = timeout(FAREWELL, gone).await {
            stream.close();
        }
    }

    async fn converse(
        self: &Rc<Self>,
        stream: &mut ClientStream,
        out: &mut Outgoing,
    ) -> Result<Infallible, String> {
        let mut next_look = Instant::now();
        let (mut second, mut read) = (Instant::now(), 0);
        loop {
            let Some(server) = self.server.upgrade() else { return Err("the server ends".into()) };
            if self.look_now.get() || next_look <= Instant::now() {
                next_look = self.look(&server);
                self.say(&server);
            }
            let now = self.now();
            self.client.borrow_mut().check(now).map_err(|fault| fault.to_string())?;
            let is_flushed = self.write(stream, out, now)?;
            if second.elapsed() >= Duration::from_secs(1) {
                (second, read) = (Instant::now(), 0);
            }
            let may_read = read < A_SECOND && !self.client.borrow().is_congested();
            if may_read {
                read += self.read(stream, &server)?;
            }
            drop(server);
            self.wait(stream, next_look, (may_read, !is_flushed)).await;
        }
    }

    /// Until there is something to do.
    async fn wait(&self, stream: &ClientStream, next_look: Instant, (reads, writes): (bool, bool)) {
        let deadline = self.client.borrow().deadline();
        let due =
            deadline.map_or(next_look, |at| next_look.min(Instant::now() + at.saturating_sub(self.now())));
        // a broker that sends without end is read a second later
        let until = timeout_at(due.max(Instant::now() + Duration::from_millis(1)), async {
            tokio::select! {
                _ = stream.stream.readable(), if reads => {}
                _ = stream.stream.writable(), if writes => {}
                () = self.wake.notified() => {}
            }
        });
        let _ = until.await;
        if !reads {
            sleep_until(Instant::now() + Duration::from_millis(10)).await;
        }
    }

    /// Writes what there is, as far as it is taken; whether all of it is gone.
    fn write(&self, stream: &mut ClientStream, out: &mut Outgoing, now: Duration) -> Result<bool, String> {
        loop {
            if out.is_sent() {
                (out.sent, _) = (0, out.bytes.clear());
                self.client.borrow_mut().fill(&mut out.bytes, now);
            }
            let is_flushed = self.flush(stream, out).map_err(|error| lost(&error))?;
            if !is_flushed || out.bytes.is_empty() {
                return Ok(is_flushed);
            }
        }
    }

    fn flush(&self, stream: &mut ClientStream, out: &mut Outgoing) -> io::Result<bool> {
        while !out.is_sent() {
            match stream.write(&out.bytes[out.sent..]) {
                Ok(taken) => out.sent += taken,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        stream.flush()
    }

    /// Reads what is there; how much that was.
    fn read(self: &Rc<Self>, stream: &mut ClientStream, server: &Rc<Server>) -> Result<usize, String> {
        let mut piece = [0; PIECE];
        match stream.read(&mut piece) {
            Ok(0) => Err("it closed the connection".into()),
            Ok(read) => {
                let now = self.now();
                self.client.borrow_mut().received(&piece[..read], now).map_err(|fault| fault.to_string())?;
                self.follow_orders(server);
                // what is there besides is read before anything is waited for
                self.wake.notify_one();
                Ok(read)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            Err(error) => Err(lost(&error)),
        }
    }

    fn say(&self, server: &Server) {
        let notes = self.client.borrow_mut().take_notes();
        for note in notes {
            server.say_seldom(note.kind, None, &format!("MQTT broker {} {}", self.place(), note.text));
        }
        if self.client.borrow().is_settled() {
            self.say_settled(server);
        }
    }
}

fn lost(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "it closed the connection".into(),
        _ => connection_trouble(error),
    }
}
